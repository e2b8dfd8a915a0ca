/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What each rule expected and what it found, in words. A teller is only called for a rule that was
 * judged: what the rules above it have made sure of, it relies on.
 */

#include <trust/text.h>

#define ENTRIES_SHOWN 8

/* ---- rules of the leaf ---- */

/* They may be broken: only the counters are read. */
void trust_tell_facts(const struct trust_judgement *j, struct text *t)
{
	text_addf(t, "%zu certificates, %zu names, %zu paths", j->facts->n_certs, j->facts->n_names,
		  j->facts->n_paths);
}

void trust_tell_block(const struct trust_judgement *j, struct text *t)
{
	struct trust_block block;
	enum reason reason = trust_block_find(j->policy, j->facts, j->question, &block);

	if (reason == REASON_BLOCKED)
		trust_text_block(t, &block);
	else if (reason == REASON_CERTIFICATE_TOO_LARGE)
		text_addf(t, "too many pieces of names to compare");
	else
		text_addf(t, "%zu names and %zu fingerprints are blocked, none is met",
			  j->policy->n_blocked, j->policy->n_blocked_fingerprints);
}

void trust_tell_certificate(const struct trust_judgement *j, struct text *t)
{
	if (j->facts->n_certs > 0)
		trust_text_leaf(t, &j->facts->certs[0]);
}

void trust_tell_version(const struct trust_judgement *j, struct text *t)
{
	text_addf(t, "expected version 3; found version %u",
		  (unsigned int)j->facts->certs[0].version);
}

void trust_tell_end_entity(const struct trust_judgement *j, struct text *t)
{
	text_addf(t, "%s", j->facts->certs[0].is_ca ? "a CA certificate" : "not a CA certificate");
}

static void tell_claims(const struct trust_judgement *j, struct text *t)
{
	size_t n = 0;

	for (size_t i = 0; i < j->policy->n_entries; i++) {
		const struct trust_entry *entry = &j->policy->entries[i];

		if (!trust_entry_claims(entry, j->facts))
			continue;
		if (++n <= ENTRIES_SHOWN)
			text_addf(t, "%s %s %s", n > 1 ? "," : "; claimed by",
				  trust_kind_names[entry->kind], entry->name);
	}
	if (n > ENTRIES_SHOWN)
		text_addf(t, " and %zu more", n - ENTRIES_SHOWN);
	if (n == 0)
		text_addf(t, "; claimed by no entry");
	for (size_t i = 0; i < j->policy->n_entries; i++) {
		if (trust_domain_claims(&j->policy->entries[i], j->facts))
			text_addf(t, "; names a domain of %s", j->policy->entries[i].name);
	}
}

void trust_tell_topology(const struct trust_judgement *j, struct text *t)
{
	const struct trust_question *question = j->question;

	if (question->entry == TRUST_ENTRY_ANY) {
		trust_text_found(t, j->facts);
		tell_claims(j, t);
	} else if (question->entry < j->policy->n_entries) {
		text_addf(t, "dialled %s", j->policy->entries[question->entry].name);
	}
	if (j->path) {
		text_addf(t, "; the chain leads to ");
		trust_text_anchors(t, j->policy, j->path->anchors);
	}
}

/* ---- rules of an entry ---- */

void trust_tell_chain(const struct trust_judgement *j, struct text *t)
{
	text_addf(t, "expected anchors of ");
	trust_text_anchors(t, j->policy, j->entry->anchors);
	if (!j->path) {
		text_addf(t, "; found no path");
		return;
	}
	text_addf(t, "; found %u certificates", (unsigned int)j->path->n_certs);
	if (!j->path->anchor_subject) {
		text_addf(t, " and no anchor");
		return;
	}
	text_addf(t, " below ");
	trust_text_quoted(t, j->path->anchor_subject);
	text_addf(t, " of ");
	trust_text_anchors(t, j->policy, j->path->anchors);
	text_addf(t, ", ");
	trust_text_fingerprint(t, j->path->anchor_fingerprint);
}

/* The certificates of the path for which @is holds, each with its place. */
static void tell_places(const struct trust_judgement *j, struct text *t,
			bool (*is)(const struct trust_certificate *certificate), const char *what)
{
	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (!is(trust_path_cert(j, i)))
			continue;
		text_addf(t, "%s", t->len > 0 ? "; " : "");
		trust_text_place(t, j, i);
		text_addf(t, " %s", what);
	}
}

static bool is_unsupported(const struct trust_certificate *certificate)
{
	return certificate->unsupported;
}

void trust_tell_constraints(const struct trust_judgement *j, struct text *t)
{
	tell_places(j, t, is_unsupported, "has an extension that cannot be evaluated");
}

void trust_tell_depth(const struct trust_judgement *j, struct text *t)
{
	text_addf(t, "expected at most %u certificates; found %u", (unsigned int)j->policy->depth,
		  (unsigned int)j->path->n_certs);
}

void trust_tell_revocation(const struct trust_judgement *j, struct text *t)
{
	const struct trust_anchors *anchors = trust_path_anchors(j);

	text_addf(t, "%s", trust_revocation_names[anchors->revocation]);
	if (j->facts->staple.status == TRUST_STATUS_REVOKED) {
		text_addf(t, "; stapled response: ");
		trust_text_link(t, &j->facts->staple, TRUST_STANDING_REVOKED);
	}
	if (anchors->revocation == TRUST_REVOCATION_OFF)
		return;
	for (size_t i = 0; i < j->path->n_certs; i++) {
		const struct trust_link *link = &j->path->links[i];

		text_addf(t, "; ");
		trust_text_place(t, j, i);
		text_addf(t, " ");
		trust_text_link(t, link,
				trust_link_standing(link, anchors->crl_grace_s, j->question->now));
	}
}

void trust_tell_keys(const struct trust_judgement *j, struct text *t)
{
	static const char *const words[_TRUST_KEY_MAX] = {
		[TRUST_KEY_RSA] = "RSA",
		[TRUST_KEY_EC] = "EC",
		[TRUST_KEY_EDDSA] = "EdDSA",
		[TRUST_KEY_OTHER] = "another kind",
	};

	for (size_t i = 0; i < j->path->n_certs; i++) {
		const struct trust_certificate *cert = trust_path_cert(j, i);

		text_addf(t, "%s%s of %u bits%s", i > 0 ? ", " : "", words[cert->key],
			  (unsigned int)cert->key_bits,
			  trust_key_is_weak(cert) ? " (not allowed)" : "");
	}
}

static bool is_weakly_signed(const struct trust_certificate *certificate)
{
	return certificate->hash != TRUST_HASH_STRONG;
}

void trust_tell_signatures(const struct trust_judgement *j, struct text *t)
{
	tell_places(j, t, is_weakly_signed, "is signed with a weak hash");
}

static void tell_period(struct text *t, int64_t not_before, int64_t not_after)
{
	trust_text_time(t, not_before);
	text_addf(t, " to ");
	trust_text_time(t, not_after);
}

void trust_tell_validity(const struct trust_judgement *j, struct text *t)
{
	text_addf(t, "now ");
	trust_text_time(t, j->question->now);
	for (size_t i = 0; i < j->path->n_certs; i++) {
		const struct trust_certificate *cert = trust_path_cert(j, i);

		text_addf(t, "; ");
		trust_text_place(t, j, i);
		text_addf(t, " ");
		tell_period(t, cert->not_before, cert->not_after);
	}
	text_addf(t, "; anchor ");
	tell_period(t, j->path->anchor_not_before, j->path->anchor_not_after);
}

void trust_tell_staple(const struct trust_judgement *j, struct text *t)
{
	const struct trust_link *staple = &j->facts->staple;

	text_addf(t, "%s; found ",
		  j->facts->certs[0].must_staple ? "the certificate demands a stapled response"
						 : "not demanded");
	trust_text_link(t, staple, trust_link_standing(staple, 0, j->question->now));
}

void trust_tell_freshness(const struct trust_judgement *j, struct text *t)
{
	const struct trust_anchors *anchors = trust_path_anchors(j);
	struct trust_knowledge known = trust_path_knowledge(j);

	text_addf(t, "%s", trust_revocation_names[anchors->revocation]);
	if (!known.link)
		return;
	text_addf(t, ", grace %u s; worst is ", (unsigned int)anchors->crl_grace_s);
	trust_text_place(t, j, known.place);
	text_addf(t, " ");
	trust_text_link(t, known.link, known.standing);
}

void trust_tell_usage(const struct trust_judgement *j, struct text *t)
{
	static const struct {
		uint8_t bit;
		const char *word;
	} words[] = {
		{ TRUST_EKU_SERVER, " serverAuth" },
		{ TRUST_EKU_CLIENT, " clientAuth" },
		{ TRUST_EKU_SIP, " sipDomain" },
		{ TRUST_EKU_ANY, " any" },
	};
	uint8_t usage = j->facts->certs[0].usage;

	text_addf(t, "expected %s as %s; found", trust_usage_names[j->entry->usage],
		  j->question->dialled ? "server" : "client");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (usage & words[i].bit)
			text_addf(t, "%s", words[i].word);
	}
	if (usage == 0)
		text_addf(t, " no restriction");
	else if (usage == TRUST_EKU_PRESENT)
		text_addf(t, " other purposes");
}

void trust_tell_name(const struct trust_judgement *j, struct text *t)
{
	text_addf(t, "%s: ", trust_profile_names[j->entry->profile]);
	trust_text_expected(t, j->entry, j->question);
	text_addf(t, "; ");
	trust_text_found(t, j->facts);
	if (j->name) {
		text_addf(t, "; matched ");
		trust_text_name(t, j->name);
	}
}

void trust_tell_tls(const struct trust_judgement *j, struct text *t)
{
	enum ktls_version version = j->question->version;

	text_addf(t, "expected TLS 1.3%s; found %s", j->entry->tls12 ? " or 1.2" : "",
		  version < _KTLS_VERSION_MAX ? ktls_version_name(version) : "an unknown version");
}

void trust_tell_direction(const struct trust_judgement *j, struct text *t)
{
	static const char *const words[] = {
		"neither",
		[TRUST_INBOUND] = "inbound",
		[TRUST_OUTBOUND] = "outbound",
		[TRUST_INBOUND | TRUST_OUTBOUND] = "both",
	};

	text_addf(t, "expected %s; found %s",
		  words[j->entry->directions & (TRUST_INBOUND | TRUST_OUTBOUND)],
		  words[j->question->dialled ? TRUST_OUTBOUND : TRUST_INBOUND]);
}
