/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rules, in two tables that are read from top to bottom; the first that fails gives the reason.
 * The order is from what the certificate is, over who vouches for it and how strongly, to what it
 * may be used for: a reason further down is only ever given to a peer for whom everything above
 * holds, so an operator who repairs what he is told makes progress.
 */

#include <trust/rules.h>

/* ---- rules of the leaf ---- */

/* All others may use what is in the facts. */
static enum reason facts_are_whole(struct trust_judgement *j)
{
	return trust_facts_check(j->policy, j->facts);
}

static enum reason nothing_is_blocked(struct trust_judgement *j)
{
	struct trust_block block;

	return trust_block_find(j->policy, j->facts, j->question, &block);
}

static enum reason leaf_is_there(struct trust_judgement *j)
{
	return j->facts->n_certs == 0 ? REASON_NO_CERTIFICATE : REASON_OK;
}

static enum reason leaf_version(struct trust_judgement *j)
{
	return j->facts->certs[0].version != 3 ? REASON_CERTIFICATE_VERSION : REASON_OK;
}

/* Whoever can sign certificates must not be able to be a server as well. */
static enum reason leaf_is_no_ca(struct trust_judgement *j)
{
	return j->facts->certs[0].is_ca ? REASON_CA_AS_LEAF : REASON_OK;
}

/* Whoever vouches for this chain, when those who should do not. */
static const struct trust_path *path_elsewhere(const struct trust_judgement *j)
{
	for (size_t i = 0; i < j->facts->n_paths; i++) {
		if (j->facts->paths[i].outcome == TRUST_CHAIN_OK)
			return &j->facts->paths[i];
	}
	return NULL;
}

/*
 * A stranger may come in as discovered. One whose leaf bears a SIP domain that somebody listed
 * speaks for is no stranger: he would be known by that name beside its owner.
 */
static bool may_be_discovered(const struct trust_judgement *j)
{
	bool open = false;

	if (j->question->dialled)
		return false;
	for (size_t i = 0; i < j->policy->n_entries && !open; i++)
		open = j->policy->entries[i].kind == TRUST_DISCOVERED;
	for (size_t i = 0; i < j->policy->n_entries && open; i++)
		open = !trust_domain_claims(&j->policy->entries[i], j->facts);
	return open;
}

static enum reason caller_is_listed(struct trust_judgement *j)
{
	for (size_t i = 0; i < j->policy->n_entries && !j->claimed; i++)
		j->claimed = trust_entry_claims(&j->policy->entries[i], j->facts);
	if (j->claimed || may_be_discovered(j))
		return REASON_OK;
	/* Tell whether at least a CA of ours is behind it. */
	j->path = path_elsewhere(j);
	return j->path ? REASON_NOT_IN_TOPOLOGY : REASON_UNKNOWN_CA;
}

/* The topology may have changed between the dial and now. */
static enum reason dialled_is_listed(const struct trust_judgement *j)
{
	const struct trust_question *question = j->question;

	return question->entry < j->policy->n_entries &&
			       question->member < j->policy->entries[question->entry].n_members
		       ? REASON_OK
		       : REASON_NOT_IN_TOPOLOGY;
}

static enum reason leaf_is_listed(struct trust_judgement *j)
{
	return j->question->entry == TRUST_ENTRY_ANY ? caller_is_listed(j) : dialled_is_listed(j);
}

static const struct trust_rule leaf_rows[] = {
	{ "facts", facts_are_whole, trust_tell_facts },
	{ "block", nothing_is_blocked, trust_tell_block },
	{ "certificate", leaf_is_there, trust_tell_certificate },
	{ "version", leaf_version, trust_tell_version },
	{ "end-entity", leaf_is_no_ca, trust_tell_end_entity },
	{ "topology", leaf_is_listed, trust_tell_topology },
};

const struct trust_rules trust_leaf_rules = { leaf_rows, ARRAY_SIZE(leaf_rows) };

/* ---- rules of an entry ---- */

static enum reason foreign_ca(const struct trust_judgement *j)
{
	if (j->entry->kind == TRUST_DISCOVERED)
		return REASON_NOT_IN_TOPOLOGY;
	/* We dialled one server and met another: that CA has done nothing wrong. */
	if (!trust_entry_claims(j->entry, j->facts))
		return REASON_NAME_MISMATCH;
	return j->policy->anchors[j->entry->anchors].internal ? REASON_FOREIGN_CA_INTERNAL
							      : REASON_FOREIGN_CA_PARTNER;
}

static enum reason chain_holds(struct trust_judgement *j)
{
	static const enum reason reasons[_TRUST_CHAIN_MAX] = {
		[TRUST_CHAIN_OK] = REASON_OK,
		[TRUST_CHAIN_UNKNOWN_CA] = REASON_UNKNOWN_CA,
		[TRUST_CHAIN_BAD_SIGNATURE] = REASON_CHAIN_SIGNATURE,
		[TRUST_CHAIN_CONSTRAINT] = REASON_CHAIN_CONSTRAINT,
	};
	enum reason reason = j->path ? reasons[j->path->outcome] : REASON_UNKNOWN_CA;
	const struct trust_path *elsewhere;

	if (reason == REASON_OK)
		return reason;
	elsewhere = path_elsewhere(j);
	if (!elsewhere)
		return reason;
	j->path = elsewhere;
	return foreign_ca(j);
}

static enum reason chain_can_be_evaluated(struct trust_judgement *j)
{
	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (trust_path_cert(j, i)->unsupported)
			return REASON_CHAIN_UNSUPPORTED;
	}
	return REASON_OK;
}

static enum reason chain_depth(struct trust_judgement *j)
{
	return j->path->n_certs > j->policy->depth ? REASON_CHAIN_TOO_LONG : REASON_OK;
}

bool trust_key_is_weak(const struct trust_certificate *certificate)
{
	/* RFC 9325 4.5; and no more than a peer may make us compute with. */
	static const struct {
		uint16_t min, max;
	} bits[_TRUST_KEY_MAX] = {
		[TRUST_KEY_RSA] = { 2048, 8192 },
		[TRUST_KEY_EC] = { 224, UINT16_MAX },
		[TRUST_KEY_EDDSA] = { 0, UINT16_MAX },
		[TRUST_KEY_OTHER] = { UINT16_MAX, 0 }, /* none */
	};

	return certificate->key_bits < bits[certificate->key].min ||
	       certificate->key_bits > bits[certificate->key].max;
}

static enum reason chain_keys(struct trust_judgement *j)
{
	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (trust_key_is_weak(trust_path_cert(j, i)))
			return REASON_WEAK_KEY;
	}
	return REASON_OK;
}

/* Not the anchor's own signature: nothing rests on it. */
static enum reason chain_signatures(struct trust_judgement *j)
{
	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (trust_path_cert(j, i)->hash != TRUST_HASH_STRONG)
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

static enum reason chain_validity(struct trust_judgement *j)
{
	int64_t now = j->question->now;

	for (size_t i = 0; i < j->path->n_certs; i++) {
		const struct trust_certificate *cert = trust_path_cert(j, i);
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
static enum reason usage_is_allowed(struct trust_judgement *j)
{
	uint8_t role = j->question->dialled ? TRUST_EKU_SERVER : TRUST_EKU_CLIENT;
	const uint8_t wanted[_TRUST_USAGE_MAX] = {
		[TRUST_USAGE_TLS] = role | TRUST_EKU_ANY,
		[TRUST_USAGE_TLS_ANY] = TRUST_EKU_SERVER | TRUST_EKU_CLIENT | TRUST_EKU_ANY,
		[TRUST_USAGE_SIP] = TRUST_EKU_SIP,
		[TRUST_USAGE_IGNORE] = UINT8_MAX,
	};
	uint8_t usage = j->facts->certs[0].usage;

	return usage == 0 || usage & wanted[j->entry->usage] ? REASON_OK : REASON_KEY_USAGE;
}

static enum reason name_is_expected(struct trust_judgement *j)
{
	struct trust_expected expected = trust_expected_names(j->entry, j->question);

	return trust_names_judge(&expected, j->facts, &j->name);
}

static enum reason version_is_allowed(struct trust_judgement *j)
{
	enum ktls_version version = j->question->version;

	return version == KTLS_TLS13 || (version == KTLS_TLS12 && j->entry->tls12)
		       ? REASON_OK
		       : REASON_TLS_VERSION_PEER;
}

static enum reason direction_is_allowed(struct trust_judgement *j)
{
	uint8_t wanted = j->question->dialled ? TRUST_OUTBOUND : TRUST_INBOUND;

	return j->entry->directions & wanted ? REASON_OK : REASON_DIRECTION;
}

static const struct trust_rule entry_rows[] = {
	{ "chain", chain_holds, trust_tell_chain }, /* all below may rely on a path */
	{ "constraints", chain_can_be_evaluated, trust_tell_constraints },
	{ "depth", chain_depth, trust_tell_depth },
	{ "revocation", trust_judge_revocation, trust_tell_revocation },
	{ "keys", chain_keys, trust_tell_keys },
	{ "signatures", chain_signatures, trust_tell_signatures },
	{ "validity", chain_validity, trust_tell_validity },
	{ "staple", trust_judge_staple, trust_tell_staple },
	{ "freshness", trust_judge_freshness, trust_tell_freshness },
	{ "key-usage", usage_is_allowed, trust_tell_usage },
	{ "name", name_is_expected, trust_tell_name },
	{ "tls-version", version_is_allowed, trust_tell_tls },
	{ "direction", direction_is_allowed, trust_tell_direction },
};

const struct trust_rules trust_entry_rules = { entry_rows, ARRAY_SIZE(entry_rows) };
