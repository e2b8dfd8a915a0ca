/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A verdict in one line for the operator. What we know ourselves comes first and what the peer
 * chose comes last and cut, so that a certificate with long names cannot push the rest out.
 */

#include <trust/text.h>

#define NAMES_SHOWN 8	/* of the leaf's, and of the expected */
#define TEXT_SHOWN  128 /* bytes of any text of the peer's */

/* ---- words ---- */

static void add_foreign(struct text *t, const char *bytes, size_t len)
{
	text_add_foreign(t, bytes, len < TEXT_SHOWN ? len : TEXT_SHOWN);
	if (len > TEXT_SHOWN)
		text_addf(t, "...");
}

void trust_text_quoted(struct text *t, const char *string)
{
	text_addf(t, "\"");
	if (string)
		add_foreign(t, string, strlen(string));
	text_addf(t, "\"");
}

static void add_more(struct text *t, size_t n, size_t shown)
{
	if (n > shown)
		text_addf(t, " and %zu more", n - shown);
}

void trust_text_time(struct text *t, int64_t when)
{
	time_t seconds = when;
	struct tm tm;

	if (when == INT64_MAX)
		text_addf(t, "never");
	else if (!gmtime_r(&seconds, &tm)) /* a year beyond an int */
		text_addf(t, "second %lld", (long long)when);
	else
		text_addf(t, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
			  tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void trust_text_fingerprint(struct text *t, const uint8_t fingerprint[static 32])
{
	char hex[2 * 32 + 1];

	hex_format(fingerprint, 32, hex);
	text_addf(t, "sha256 %s", hex);
}

void trust_text_name(struct text *t, const struct trust_name *name)
{
	static const char *const types[_TRUST_NAME_TYPE_MAX] = {
		[TRUST_NAME_CN] = "CN", [TRUST_NAME_DNS] = "DNS",     [TRUST_NAME_URI] = "URI",
		[TRUST_NAME_IP] = "IP", [TRUST_NAME_OTHER] = "other",
	};

	text_addf(t, "%s:", types[name->type]);
	add_foreign(t, name->value, name->len);
}

void trust_text_found(struct text *t, const struct trust_facts *facts)
{
	size_t shown = facts->n_names < NAMES_SHOWN ? facts->n_names : NAMES_SHOWN;

	text_addf(t, "found %s", shown == 0 ? "no name" : "");
	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			text_addf(t, ", ");
		trust_text_name(t, &facts->names[i]);
	}
	add_more(t, facts->n_names, shown);
}

void trust_text_expected(struct text *t, const struct trust_entry *entry,
			 const struct trust_question *question)
{
	struct trust_expected expected = trust_expected_names(entry, question);
	size_t n = expected.end - expected.first, shown = n < NAMES_SHOWN ? n : NAMES_SHOWN;

	if (entry->kind == TRUST_DISCOVERED) {
		text_addf(t, "expected a name of its own");
		return;
	}
	text_addf(t, "expected %s", entry->name);
	for (size_t i = 0; i < shown; i++) {
		const char *member = entry->members[expected.first + i].name;

		/* An entry without members of its own is its only member. */
		if (strcmp(member, entry->name) != 0)
			text_addf(t, ", %s", member);
	}
	add_more(t, n, shown);
}

/* A set of anchors is told by the section it stands in. */
void trust_text_anchors(struct text *t, const struct trust_policy *policy, uint32_t anchors)
{
	const struct trust_anchors *set = &policy->anchors[anchors];
	const char *word = set->internal ? "site" : "partner";

	for (size_t i = 0; i < policy->n_entries; i++) {
		if (policy->entries[i].kind == TRUST_DISCOVERED &&
		    policy->entries[i].anchors == anchors)
			word = trust_kind_names[TRUST_DISCOVERED];
	}
	text_addf(t, "%s %s", word, set->name);
}

void trust_text_place(struct text *t, const struct trust_judgement *j, size_t place)
{
	text_addf(t, "certificate %zu of %u ", place + 1, (unsigned int)j->path->n_certs);
	trust_text_quoted(t, trust_path_cert(j, place)->subject);
}

/* RFC 5280 5.3.1 */
static const char *crl_reason(uint8_t why)
{
	static const char *const words[] = {
		"unspecified",	 "keyCompromise",	 "cACompromise",    "affiliationChanged",
		"superseded",	 "cessationOfOperation", "certificateHold", "unknown reason",
		"removeFromCRL", "privilegeWithdrawn",	 "aACompromise",
	};

	return why < ARRAY_SIZE(words) ? words[why] : "unknown reason";
}

void trust_text_link(struct text *t, const struct trust_link *link, enum trust_standing standing)
{
	text_addf(t, "%s", trust_standing_names[standing]);
	if (standing == TRUST_STANDING_REVOKED) {
		text_addf(t, " since ");
		trust_text_time(t, link->revoked_at);
		text_addf(t, " (%s)", crl_reason(link->revoked_why));
	}
	if (link->this_update == 0)
		return;
	text_addf(t, ", by a %s of ", link->ocsp ? "stapled response" : "list");
	trust_text_time(t, link->this_update);
	if (link->next_update == 0) {
		text_addf(t, " that names no next update");
		return;
	}
	text_addf(t, ", next update ");
	trust_text_time(t, link->next_update);
}

void trust_text_leaf(struct text *t, const struct trust_certificate *leaf)
{
	trust_text_fingerprint(t, leaf->fingerprint);
	text_addf(t, " serial ");
	trust_text_quoted(t, leaf->serial);
	text_addf(t, " subject ");
	trust_text_quoted(t, leaf->subject);
	text_addf(t, " issuer ");
	trust_text_quoted(t, leaf->issuer);
}

void trust_text_block(struct text *t, const struct trust_block *block)
{
	if (block->fingerprint) {
		trust_text_fingerprint(t, block->fingerprint);
		text_addf(t, " is blocked");
		return;
	}
	if (block->entry)
		text_addf(t, "entry %s", block->entry);
	else
		trust_text_name(t, block->name);
	text_addf(t, " is blocked by \"%s\"", block->by);
}

/* ---- the line ---- */

static void add_entry(struct text *t, const struct trust_entry *entry)
{
	text_addf(t, "%s %s (profile %s)", trust_kind_names[entry->kind], entry->name,
		  trust_profile_names[entry->profile]);
}

/* Which rule failed for each entry; of no use when there was but one. */
static void add_candidates(struct text *t, const struct trust_policy *policy,
			   const struct trust_verdict *verdict)
{
	if (verdict->n_candidates < 2 &&
	    (verdict->reason != REASON_OK || verdict->n_candidates == 0))
		return;
	text_addf(t, "; tried");
	for (size_t i = 0; i < verdict->n_candidates; i++) {
		const struct trust_candidate *candidate = &verdict->candidates[i];

		text_addf(t, "%s %s: %s", i > 0 ? "," : "", policy->entries[candidate->entry].name,
			  reason_info(candidate->reason)->code);
	}
}

static void add_anchor(struct text *t, const struct trust_judgement *j)
{
	if (j->path->outcome != TRUST_CHAIN_OK)
		return;
	text_addf(t, "; anchored by ");
	trust_text_anchors(t, j->policy, j->path->anchors);
	text_addf(t, ", ");
	trust_text_quoted(t, j->path->anchor_subject);
}

static void add_revocation(struct text *t, const struct trust_judgement *j,
			   const struct trust_verdict *verdict)
{
	struct trust_knowledge known;

	if (verdict->reason == REASON_STAPLE_MISSING) {
		text_addf(t, "; stapled response ");
		trust_text_link(t, &j->facts->staple,
				trust_link_standing(&j->facts->staple, 0, j->question->now));
	}
	if (verdict->standing == TRUST_STANDING_OFF)
		return;
	known = trust_path_knowledge(j);
	text_addf(t, "; revocation ");
	if (known.standing > TRUST_STANDING_GOOD) {
		text_addf(t, "of ");
		trust_text_place(t, j, known.place);
		text_addf(t, " ");
	}
	trust_text_link(t, known.link, known.standing);
}

static void add_block(struct text *t, const struct trust_judgement *j)
{
	struct trust_block block;

	if (trust_block_find(j->policy, j->facts, j->question, &block) != REASON_BLOCKED)
		return;
	text_addf(t, "; ");
	trust_text_block(t, &block);
}

static void add_peer(struct text *t, const struct trust_judgement *j)
{
	text_addf(t, "; certificate ");
	trust_text_leaf(t, &j->facts->certs[0]);
	text_addf(t, "; ");
	if (j->name) {
		text_addf(t, "by ");
		trust_text_name(t, j->name);
	} else {
		trust_text_found(t, j->facts);
	}
}

void trust_verdict_text(const struct trust_policy *policy, const struct trust_facts *facts,
			const struct trust_question *question, const struct trust_verdict *verdict,
			struct text *ret)
{
	bool accepted = verdict->reason == REASON_OK, known = verdict->entry < policy->n_entries;
	const struct trust_judgement j = {
		.policy = policy,
		.facts = facts,
		.question = question,
		.entry = known ? &policy->entries[verdict->entry] : NULL,
		.path = verdict->path,
		.name = verdict->name,
	};

	text_addf(ret, "%s", accepted ? "accepted" : reason_info(verdict->reason)->text);
	if (known) {
		text_addf(ret, accepted ? " as " : ": ");
		add_entry(ret, j.entry);
	}
	add_candidates(ret, policy, verdict);
	if (known && !accepted) {
		text_addf(ret, "; ");
		trust_text_expected(ret, j.entry, question);
	}
	/* Facts that are not whole are not to be read. */
	if (trust_facts_check(policy, facts) != REASON_OK)
		return;
	if (verdict->reason == REASON_BLOCKED)
		add_block(ret, &j);
	if (j.path) {
		add_anchor(ret, &j);
		add_revocation(ret, &j, verdict);
	}
	if (facts->n_certs > 0)
		add_peer(ret, &j);
}
