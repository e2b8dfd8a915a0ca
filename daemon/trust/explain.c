/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A verdict in one line for the operator. What we know ourselves comes first and what the peer
 * chose comes last and cut, so that a certificate with long names cannot push the rest out.
 */

#include <trust/names.h>

#define NAMES_SHOWN 8	/* of the leaf's, and of the expected */
#define TEXT_SHOWN  128 /* bytes of any text of the peer's */

static void add_foreign(struct text *t, const char *bytes, size_t len)
{
	text_add_foreign(t, bytes, len < TEXT_SHOWN ? len : TEXT_SHOWN);
	if (len > TEXT_SHOWN)
		text_addf(t, "...");
}

static void add_foreign_string(struct text *t, const char *string)
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

static void add_entry(struct text *t, const struct trust_entry *entry)
{
	text_addf(t, "%s %s (profile %s)", trust_kind_names[entry->kind], entry->name,
		  trust_profile_names[entry->profile]);
}

static void add_expected(struct text *t, const struct trust_entry *entry,
			 const struct trust_question *question)
{
	struct trust_expected expected = trust_expected_names(entry, question);
	size_t n = expected.end - expected.first, shown = n < NAMES_SHOWN ? n : NAMES_SHOWN;

	text_addf(t, "; expected %s", entry->name);
	for (size_t i = 0; i < shown; i++) {
		const char *member = entry->members[expected.first + i].name;

		/* An entry without members of its own is its only member. */
		if (strcmp(member, entry->name) != 0)
			text_addf(t, ", %s", member);
	}
	add_more(t, n, shown);
}

static void add_name(struct text *t, const struct trust_name *name)
{
	static const char *const types[_TRUST_NAME_TYPE_MAX] = {
		[TRUST_NAME_CN] = "CN", [TRUST_NAME_DNS] = "DNS",     [TRUST_NAME_URI] = "URI",
		[TRUST_NAME_IP] = "IP", [TRUST_NAME_OTHER] = "other",
	};

	text_addf(t, "%s:", types[name->type]);
	add_foreign(t, name->value, name->len);
}

static void add_found(struct text *t, const struct trust_facts *facts)
{
	size_t shown = facts->n_names < NAMES_SHOWN ? facts->n_names : NAMES_SHOWN;

	text_addf(t, "; found %s", shown == 0 ? "no name" : "");
	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			text_addf(t, ", ");
		add_name(t, &facts->names[i]);
	}
	add_more(t, facts->n_names, shown);
}

static void add_leaf(struct text *t, const struct trust_certificate *leaf)
{
	char fingerprint[2 * sizeof(leaf->fingerprint) + 1];

	hex_format(leaf->fingerprint, sizeof(leaf->fingerprint), fingerprint);
	text_addf(t, "; certificate sha256 %s serial ", fingerprint);
	add_foreign_string(t, leaf->serial);
	text_addf(t, " subject ");
	add_foreign_string(t, leaf->subject);
	text_addf(t, " issuer ");
	add_foreign_string(t, leaf->issuer);
}

static void add_path(struct text *t, const struct trust_policy *policy,
		     const struct trust_path *path)
{
	const struct trust_anchors *anchors = &policy->anchors[path->anchors];

	if (path->outcome != TRUST_CHAIN_OK)
		return;
	text_addf(t, "; anchored by %s %s, ", anchors->internal ? "site" : "partner",
		  anchors->name);
	add_foreign_string(t, path->anchor_subject);
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

void trust_verdict_text(const struct trust_policy *policy, const struct trust_facts *facts,
			const struct trust_question *question, const struct trust_verdict *verdict,
			struct text *ret)
{
	const struct trust_entry *entry =
		verdict->entry < policy->n_entries ? &policy->entries[verdict->entry] : NULL;

	text_addf(ret, "%s",
		  verdict->reason == REASON_OK ? "accepted" : reason_info(verdict->reason)->text);
	if (entry) {
		text_addf(ret, verdict->reason == REASON_OK ? " as " : ": ");
		add_entry(ret, entry);
	}
	add_candidates(ret, policy, verdict);
	if (entry && verdict->reason != REASON_OK)
		add_expected(ret, entry, question);
	if (verdict->path)
		add_path(ret, policy, verdict->path);
	/* Facts that are not whole are not to be read. */
	if (facts->n_certs == 0 || trust_facts_check(policy, facts) != REASON_OK)
		return;
	add_leaf(ret, &facts->certs[0]);
	if (verdict->name) {
		text_addf(ret, "; by ");
		add_name(ret, verdict->name);
	} else {
		add_found(ret, facts);
	}
}
