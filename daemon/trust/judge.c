/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The judgement: facts against one entry after the other.
 *
 * Rules are two tables, read from top to bottom; the first that fails gives the reason. The order
 * is from what the certificate is, over who vouches for it and how strongly, to what it may be
 * used for: a reason further down is only ever given to a peer for whom everything above holds, so
 * an operator who repairs what he is told makes progress. When several entries claim the leaf, the
 * verdict is that of the one that got furthest, the first in the topology if they are level.
 */

#include <trust/names.h>

#define RSA_BITS_MIN 2048 /* RFC 9325 4.5 */
#define EC_BITS_MIN  224

struct judgement {
	const struct trust_policy *policy;
	const struct trust_facts *facts;
	const struct trust_question *question;
	/* per entry */
	const struct trust_entry *entry;
	const struct trust_path *path; /* against the entry's anchors; NULL: none was tried */
	const struct trust_name *name; /* that matched */
};

/* ---- rules of the leaf: no entry can change them ---- */

static enum reason leaf_is_there(const struct trust_facts *facts)
{
	return facts->n_certs == 0 ? REASON_NO_CERTIFICATE : REASON_OK;
}

static enum reason leaf_version(const struct trust_facts *facts)
{
	return facts->certs[0].version != 3 ? REASON_CERTIFICATE_VERSION : REASON_OK;
}

/* Whoever can sign certificates must not be able to be a server as well. */
static enum reason leaf_is_no_ca(const struct trust_facts *facts)
{
	return facts->certs[0].is_ca ? REASON_CA_AS_LEAF : REASON_OK;
}

static enum reason (*const leaf_rules[])(const struct trust_facts *facts) = {
	leaf_is_there,
	leaf_version,
	leaf_is_no_ca,
};

/* ---- rules of an entry ---- */

/* A set of anchors, other than the entry's, that vouches for this chain. */
static const struct trust_path *path_elsewhere(const struct judgement *j)
{
	for (size_t i = 0; i < j->facts->n_paths; i++) {
		const struct trust_path *path = &j->facts->paths[i];

		if (path->outcome == TRUST_CHAIN_OK &&
		    (!j->entry || path->anchors != j->entry->anchors))
			return path;
	}
	return NULL;
}

static const struct trust_certificate *path_cert(const struct judgement *j, size_t i)
{
	return &j->facts->certs[j->path->certs[i]];
}

static enum reason foreign_ca(const struct judgement *j)
{
	/* We dialled one server and met another: that CA has done nothing wrong. */
	if (!trust_entry_claims(j->entry, j->facts))
		return REASON_NAME_MISMATCH;
	return j->policy->anchors[j->entry->anchors].internal ? REASON_FOREIGN_CA_INTERNAL
							      : REASON_FOREIGN_CA_PARTNER;
}

static enum reason chain_holds(struct judgement *j)
{
	const struct trust_path *elsewhere;

	if (j->path && j->path->outcome == TRUST_CHAIN_OK)
		return REASON_OK;
	elsewhere = path_elsewhere(j);
	if (elsewhere) {
		j->path = elsewhere;
		return foreign_ca(j);
	}
	if (!j->path)
		return REASON_UNKNOWN_CA;
	switch (j->path->outcome) {
	case TRUST_CHAIN_BAD_SIGNATURE:
		return REASON_CHAIN_SIGNATURE;
	case TRUST_CHAIN_CONSTRAINT:
		return REASON_CHAIN_CONSTRAINT;
	case TRUST_CHAIN_OK:
	case TRUST_CHAIN_UNKNOWN_CA:
	case _TRUST_CHAIN_MAX:
		break;
	}
	return REASON_UNKNOWN_CA;
}

static enum reason chain_can_be_evaluated(struct judgement *j)
{
	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (path_cert(j, i)->unsupported)
			return REASON_CHAIN_UNSUPPORTED;
	}
	return REASON_OK;
}

static enum reason chain_depth(struct judgement *j)
{
	return j->path->n_certs > j->policy->depth ? REASON_CHAIN_TOO_LONG : REASON_OK;
}

static bool key_is_weak(const struct trust_certificate *cert)
{
	switch (cert->key) {
	case TRUST_KEY_RSA:
		return cert->key_bits < RSA_BITS_MIN;
	case TRUST_KEY_EC:
		return cert->key_bits < EC_BITS_MIN;
	case TRUST_KEY_EDDSA:
		return false;
	case TRUST_KEY_OTHER:
	case _TRUST_KEY_MAX:
		break;
	}
	return true;
}

static enum reason chain_keys(struct judgement *j)
{
	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (key_is_weak(path_cert(j, i)))
			return REASON_WEAK_KEY;
	}
	return REASON_OK;
}

/* Not the anchor's own signature: nothing rests on it. */
static enum reason chain_signatures(struct judgement *j)
{
	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (path_cert(j, i)->hash != TRUST_HASH_STRONG)
			return REASON_WEAK_SIGNATURE;
	}
	return REASON_OK;
}

/* RFC 5280 4.1.2.5: both ends belong to the period. */
static enum reason period_covers(int64_t not_before, int64_t not_after, int64_t now)
{
	if (now > not_after)
		return REASON_EXPIRED;
	return now < not_before ? REASON_NOT_YET_VALID : REASON_OK;
}

static enum reason chain_validity(struct judgement *j)
{
	int64_t now = j->question->now;

	for (size_t i = 0; i < j->path->n_certs; i++) {
		const struct trust_certificate *cert = path_cert(j, i);
		enum reason reason = period_covers(cert->not_before, cert->not_after, now);

		if (reason != REASON_OK)
			return reason;
	}
	return period_covers(j->path->anchor_not_before, j->path->anchor_not_after, now);
}

/*
 * anyExtendedKeyUsage (RFC 5280 4.2.1.12) stands for the two TLS purposes. It does not stand for
 * SIP: RFC 5924 4 leaves that to local policy, and who asks for `sip` wants it said.
 */
static enum reason key_usage(struct judgement *j)
{
	uint8_t usage = j->facts->certs[0].usage, wanted = 0;

	switch (j->entry->usage) {
	case TRUST_USAGE_TLS:
		wanted = j->question->dialled ? TRUST_EKU_SERVER : TRUST_EKU_CLIENT;
		wanted |= TRUST_EKU_ANY;
		break;
	case TRUST_USAGE_TLS_ANY:
		wanted = TRUST_EKU_SERVER | TRUST_EKU_CLIENT | TRUST_EKU_ANY;
		break;
	case TRUST_USAGE_SIP:
		wanted = TRUST_EKU_SIP;
		break;
	case TRUST_USAGE_IGNORE:
		return REASON_OK;
	case _TRUST_USAGE_MAX:
		break;
	}
	return usage == 0 || usage & wanted ? REASON_OK : REASON_KEY_USAGE;
}

static enum reason name(struct judgement *j)
{
	struct trust_expected expected = trust_expected_names(j->entry, j->question);

	return trust_names_judge(&expected, j->facts, &j->name);
}

static enum reason tls_version(struct judgement *j)
{
	enum ktls_version version = j->question->version;

	return version == KTLS_TLS13 || (version == KTLS_TLS12 && j->entry->tls12)
		       ? REASON_OK
		       : REASON_TLS_VERSION_PEER;
}

static enum reason direction(struct judgement *j)
{
	uint8_t wanted = j->question->dialled ? TRUST_OUTBOUND : TRUST_INBOUND;

	return j->entry->directions & wanted ? REASON_OK : REASON_DIRECTION;
}

static enum reason (*const entry_rules[])(struct judgement *j) = {
	chain_holds, /* all below may rely on a path */
	chain_can_be_evaluated,
	chain_depth,
	chain_keys,
	chain_signatures,
	chain_validity,
	key_usage,
	name,
	tls_version,
	direction,
};

/* ---- the verdict ---- */

static int64_t path_expires(const struct judgement *j)
{
	int64_t expires = INT64_MAX;

	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (path_cert(j, i)->not_after < expires)
			expires = path_cert(j, i)->not_after;
	}
	if (j->path->anchor_subject && j->path->anchor_not_after < expires)
		expires = j->path->anchor_not_after;
	return expires;
}

static void verdict_set(struct trust_verdict *verdict, const struct judgement *j, uint32_t entry,
			enum reason reason)
{
	verdict->reason = reason;
	verdict->entry = entry;
	verdict->path = j->path;
	verdict->name = j->name;
	verdict->expires = j->path ? path_expires(j) : 0;
}

static enum reason judge_leaf(const struct trust_policy *policy, const struct trust_facts *facts)
{
	enum reason reason = trust_facts_check(policy, facts);

	for (size_t i = 0; i < ARRAY_SIZE(leaf_rules) && reason == REASON_OK; i++)
		reason = leaf_rules[i](facts);
	return reason;
}

/* Returns the number of rules that hold: ARRAY_SIZE(entry_rules) is all of them. */
static size_t judge_entry(struct judgement *j, uint32_t entry, enum reason *ret_reason)
{
	size_t n;

	j->entry = &j->policy->entries[entry];
	j->path = NULL;
	j->name = NULL;
	for (size_t i = 0; i < j->facts->n_paths && !j->path; i++) {
		if (j->facts->paths[i].anchors == j->entry->anchors)
			j->path = &j->facts->paths[i];
	}
	*ret_reason = REASON_OK;
	for (n = 0; n < ARRAY_SIZE(entry_rules); n++) {
		*ret_reason = entry_rules[n](j);
		if (*ret_reason != REASON_OK)
			break;
	}
	return n;
}

static void judge_dialled(struct judgement *j, struct trust_verdict *verdict)
{
	const struct trust_question *question = j->question;
	enum reason reason;

	/* The topology has changed between the dial and now. */
	if (question->entry >= j->policy->n_entries ||
	    question->member >= j->policy->entries[question->entry].n_members) {
		verdict->reason = REASON_NOT_IN_TOPOLOGY;
		return;
	}
	(void)judge_entry(j, question->entry, &reason);
	verdict_set(verdict, j, question->entry, reason);
	if (reason != REASON_OK)
		verdict->candidates[verdict->n_candidates++] =
			(struct trust_candidate){ question->entry, reason };
}

static void judge_any(struct judgement *j, struct trust_verdict *verdict)
{
	size_t furthest = 0;

	for (uint32_t i = 0; i < j->policy->n_entries; i++) {
		enum reason reason;
		size_t n;

		if (!trust_entry_claims(&j->policy->entries[i], j->facts))
			continue;
		n = judge_entry(j, i, &reason);
		if (verdict->entry == TRUST_ENTRY_ANY || n > furthest) {
			verdict_set(verdict, j, i, reason);
			furthest = n;
		}
		if (reason == REASON_OK)
			return;
		if (verdict->n_candidates < TRUST_CANDIDATES_MAX)
			verdict->candidates[verdict->n_candidates++] =
				(struct trust_candidate){ i, reason };
	}
	if (verdict->entry != TRUST_ENTRY_ANY)
		return;
	/* Nobody claims it; tell whether at least a CA of ours is behind it. */
	j->path = path_elsewhere(j);
	verdict_set(verdict, j, TRUST_ENTRY_ANY,
		    j->path ? REASON_NOT_IN_TOPOLOGY : REASON_UNKNOWN_CA);
}

void trust_judge(const struct trust_policy *policy, const struct trust_facts *facts,
		 const struct trust_question *question, struct trust_verdict *ret)
{
	struct judgement j = { .policy = policy, .facts = facts, .question = question };
	struct trust_verdict verdict = { .entry = TRUST_ENTRY_ANY };

	verdict.reason = judge_leaf(policy, facts);
	if (verdict.reason == REASON_OK) {
		if (question->entry == TRUST_ENTRY_ANY)
			judge_any(&j, &verdict);
		else
			judge_dialled(&j, &verdict);
	}
	*ret = verdict;
}
