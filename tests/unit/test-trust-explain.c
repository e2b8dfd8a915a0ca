/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The explanation: it says what the judgement did, rule by rule, in words that hold both what was
 * expected and what was found.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

static const char *const leaf_rules[] = {
	"facts", "block", "certificate", "version", "end-entity", "topology",
};

static const char *const entry_rules[] = {
	"chain",  "constraints", "depth",     "revocation", "keys",	   "signatures", "validity",
	"staple", "freshness",	 "key-usage", "name",	    "tls-version", "direction",
};

struct told {
	uint32_t entry;
	char rule[32];
	enum trust_rule_outcome outcome;
	enum reason reason;
	char detail[4096];
};

struct record {
	struct told told[128];
	size_t n;
};

static void on_rule(void *userdata, const struct trust_rule_view *rule)
{
	struct record *record = userdata;
	struct told *told = &record->told[record->n++];

	assert_true(record->n <= ARRAY_SIZE(record->told));
	*told = (struct told){
		.entry = rule->entry,
		.outcome = rule->outcome,
		.reason = rule->reason,
	};
	snprintf(told->rule, sizeof(told->rule), "%s", rule->rule);
	snprintf(told->detail, sizeof(told->detail), "%s", rule->detail);
}

static struct record *explain(const struct world *w)
{
	static struct record record;

	record.n = 0;
	trust_explain(&w->policy, &w->facts, &w->question, on_rule, &record);
	return &record;
}

/* One block of rules of @entry: they hold up to one that fails, and none behind it is reached. */
static enum reason check_block(const struct told *told, uint32_t entry, const char *const *rules,
			       size_t n)
{
	enum reason reason = REASON_OK;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(told[i].entry, entry);
		assert_string_equal(told[i].rule, rules[i]);
		assert_int_equal(told[i].outcome, reason != REASON_OK ? TRUST_RULE_NOT_REACHED
						  : told[i].reason != REASON_OK ? TRUST_RULE_FAILS
										: TRUST_RULE_HOLDS);
		if (reason == REASON_OK)
			reason = told[i].reason;
		else
			assert_string_equal(told[i].detail, "");
		for (const char *p = told[i].detail; *p; p++)
			assert_in_range(*p, 0x20, 0x7e);
	}
	return reason;
}

/* The same reasons, for the same entries, in the same order as the verdict has them. */
static void check_agrees(struct world *w)
{
	struct record *record = explain(w);
	const struct trust_verdict *verdict = &w->verdict;
	size_t at = ARRAY_SIZE(leaf_rules), candidate = 0;
	enum reason reason;

	(void)world_judge(w);
	assert_true(record->n >= at);
	reason = check_block(record->told, TRUST_ENTRY_ANY, leaf_rules, at);
	if (reason != REASON_OK) {
		assert_int_equal(reason, verdict->reason);
		assert_int_equal(verdict->entry, TRUST_ENTRY_ANY);
		assert_int_equal(record->n, at);
		return;
	}
	while (at < record->n) {
		uint32_t entry = record->told[at].entry;

		assert_true(at + ARRAY_SIZE(entry_rules) <= record->n);
		reason =
			check_block(&record->told[at], entry, entry_rules, ARRAY_SIZE(entry_rules));
		at += ARRAY_SIZE(entry_rules);
		if (reason == REASON_OK) {
			assert_int_equal(verdict->entry, entry);
			assert_int_equal(at, record->n);
		} else if (candidate < TRUST_CANDIDATES_MAX) {
			assert_int_equal(verdict->candidates[candidate].entry, entry);
			assert_int_equal(verdict->candidates[candidate++].reason, reason);
		}
		if (entry == verdict->entry)
			assert_int_equal(reason, verdict->reason);
	}
	assert_int_equal(candidate, verdict->n_candidates);
}

/* ---- every way to fail ---- */

static void world_name(struct world *w, size_t i, const char *name)
{
	w->names[i] = name_of(TRUST_NAME_DNS, name, strlen(name));
	if (w->facts.n_names <= i)
		w->facts.n_names = i + 1;
}

static void world_path(struct world *w, uint32_t anchors)
{
	w->paths[w->facts.n_paths] = w->paths[0];
	w->paths[w->facts.n_paths++].anchors = anchors;
}

/*
 * The rule that fails, or "" and one that holds in the end; a piece of what is told of it, "" for
 * nothing at all.
 */
/* clang-format off */
#define CASES(X) \
	X(in_order, "", "name", "rfc9525: expected sip.contoso.example; found DNS:sip.contoso.example; matched DNS:sip.contoso.example", (void)w) \
	X(facts_hold, "", "facts", "2 certificates, 1 names, 1 paths", (void)w) \
	X(block_holds, "", "block", "0 names and 0 fingerprints are blocked, none is met", (void)w) \
	X(block_misses, "", "block", "1 names and 0 fingerprints are blocked, none is met", world_block(w, "bad.example")) \
	X(certificate_holds, "", "certificate", "sha256 abcd000000", (void)w) \
	X(version_holds, "", "version", "expected version 3; found version 3", (void)w) \
	X(end_entity_holds, "", "end-entity", "not a CA certificate", (void)w) \
	X(topology_holds, "", "topology", "found DNS:sip.contoso.example; claimed by server sip.contoso.example", (void)w) \
	X(topology_dialled, "", "topology", "dialled sip.contoso.example", world_dial(w, PARTNER, 0)) \
	X(chain_holds, "", "chain", "expected anchors of partner contoso; found 2 certificates below \"CN=root\" of partner contoso, sha256 0000", (void)w) \
	X(constraints_hold, "", "constraints", "", (void)w) \
	X(depth_holds, "", "depth", "expected at most 2 certificates; found 2", (void)w) \
	X(revocation_holds, "", "revocation", "require; certificate 1 of 2 \"CN=peer\" good, by a list of 2027-01-14T08:00:00Z, next update 2027-01-16T08:00:00Z; certificate 2 of 2 \"CN=issuing\" good", (void)w) \
	X(revocation_off, "", "revocation", "off", w->anchors[CONTOSO].revocation = TRUST_REVOCATION_OFF) \
	X(keys_hold, "", "keys", "EC of 256 bits, RSA of 2048 bits", (void)w) \
	X(signatures_hold, "", "signatures", "", (void)w) \
	X(validity_holds, "", "validity", "now 2027-01-15T08:00:00Z; certificate 1 of 2 \"CN=peer\" 2027-01-14T08:00:00Z to 2027-01-16T08:00:00Z; certificate 2 of 2 \"CN=issuing\" 2026-", (void)w) \
	X(never_ends, "", "validity", "\"CN=issuing\" 2026-01-15T08:00:00Z to never; anchor 2025-", w->certs[1].not_after = INT64_MAX) \
	X(staple_holds, "", "staple", "not demanded; found unknown", (void)w) \
	X(staple_found, "", "staple", "the certificate demands a stapled response; found good, by a list of", w->certs[0].must_staple = true; w->facts.staple = link_good()) \
	X(freshness_holds, "", "freshness", "require, grace 60 s; worst is certificate 1 of 2 \"CN=peer\" good", w->anchors[CONTOSO].crl_grace_s = 60) \
	X(freshness_off, "", "freshness", "off", w->anchors[CONTOSO].revocation = TRUST_REVOCATION_OFF) \
	X(freshness_checked, "", "freshness", "check, grace 0 s; worst is certificate 2 of 2 \"CN=issuing\" unsupported", w->anchors[CONTOSO].revocation = TRUST_REVOCATION_CHECK; w->paths[0].links[1] = (struct trust_link){ .status = TRUST_STATUS_UNSUPPORTED }) \
	X(usage_holds, "", "key-usage", "expected tls as client; found serverAuth clientAuth", (void)w) \
	X(usage_dialled, "", "key-usage", "expected tls as server; found serverAuth clientAuth", world_dial(w, PARTNER, 0)) \
	X(usage_absent, "", "key-usage", "found no restriction", w->certs[0].usage = 0) \
	X(usage_any, "", "key-usage", "found any", w->certs[0].usage = TRUST_EKU_PRESENT | TRUST_EKU_ANY) \
	X(tls_holds, "", "tls-version", "expected TLS 1.3; found TLS 1.3", (void)w) \
	X(tls12_holds, "", "tls-version", "expected TLS 1.3 or 1.2; found TLS 1.2", w->question.version = KTLS_TLS12; w->entries[PARTNER].tls12 = true) \
	X(direction_holds, "", "direction", "expected both; found inbound", (void)w) \
	X(direction_dialled, "", "direction", "expected outbound; found outbound", world_dial(w, PARTNER, 0); w->entries[PARTNER].directions = TRUST_OUTBOUND) \
	X(discovered_holds, "", "name", "rfc9525: expected a name of its own; found DNS:sip.guest.example; matched DNS:sip.guest.example", world_open(w)) \
	X(discovered_topology, "", "topology", "found DNS:sip.guest.example; claimed by no entry", world_open(w)) \
	X(discovered_chain, "", "chain", "expected anchors of discovered guests; found 2 certificates below \"CN=root\" of discovered guests", world_open(w)) \
	X(broken, "facts", "", "16777216 certificates, 1 names", w->facts.n_certs = 1 << 24) \
	X(nul_names, "facts", "", "1 names", w->facts.names = NULL) \
	X(blocked, "block", "", "entry sip.contoso.example is blocked by \".contoso.example\"", world_block(w, ".contoso.example")) \
	X(pieces, "block", "", "too many pieces", world_pieces(w)) \
	X(no_certificate, "certificate", "", "", w->facts.n_certs = w->facts.n_paths = 0) \
	X(version, "version", "", "expected version 3; found version 1", w->certs[0].version = 1) \
	X(ca, "end-entity", "", "a CA certificate", w->certs[0].is_ca = true) \
	X(nobody, "topology", "", "found DNS:x.example; claimed by no entry; the chain leads to partner contoso", world_name(w, 0, "x.example")) \
	X(no_names, "topology", "", "found no name; claimed by no entry; the chain leads", w->facts.n_names = 0) \
	X(nobody_unknown, "topology", "", "found DNS:x.example; claimed by no entry", world_name(w, 0, "x.example"); w->facts.n_paths = 0) \
	X(gone, "topology", "", "", world_dial(w, N_ENTRIES, 0)) \
	X(member_gone, "topology", "", "dialled sip.contoso.example", world_dial(w, PARTNER, 1)) \
	X(domain, "topology", "", "claimed by no entry; names a domain of sip.fabrikam.example", world_open(w); world_domain(w)) \
	X(no_path, "chain", "", "expected anchors of partner contoso; found no path", w->facts.n_paths = 0) \
	X(no_anchor, "chain", "", "found 2 certificates and no anchor", w->paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA; w->paths[0].anchor_subject = NULL) \
	X(foreign, "chain", "", "expected anchors of partner contoso; found 2 certificates below \"CN=root\" of site headquarters", w->paths[0].anchors = SITE) \
	X(unsupported, "constraints", "", "certificate 1 of 2 \"CN=peer\" has an extension that cannot be evaluated; certificate 2 of 2 \"CN=issuing\" has", w->certs[0].unsupported = w->certs[1].unsupported = true) \
	X(depth, "depth", "", "expected at most 1 certificates; found 2", w->policy.depth = 1) \
	X(revoked, "revocation", "", "\"CN=issuing\" revoked since 1970-01-01T00:00:00Z (unspecified), by a list", w->paths[0].links[1].status = TRUST_STATUS_REVOKED) \
	X(staple_revokes, "revocation", "", "off; stapled response: revoked since", w->anchors[CONTOSO].revocation = TRUST_REVOCATION_OFF; w->facts.staple.status = TRUST_STATUS_REVOKED) \
	X(weak_key, "keys", "", "EC of 192 bits (not allowed), RSA of 2048 bits", w->certs[0].key_bits = 192) \
	X(odd_keys, "keys", "", "another kind of 256 bits (not allowed), EdDSA of 2048 bits", w->certs[0].key = TRUST_KEY_OTHER; w->certs[1].key = TRUST_KEY_EDDSA) \
	X(sha1, "signatures", "", "certificate 2 of 2 \"CN=issuing\" is signed with a weak hash", w->certs[1].hash = TRUST_HASH_WEAK) \
	X(expired, "validity", "", "\"CN=peer\" 2027-01-14T08:00:00Z to 2027-01-15T07:59:59Z", w->certs[0].not_after = NOW - 1) \
	X(staple_missing, "staple", "", "the certificate demands a stapled response; found unknown", w->certs[0].must_staple = true) \
	X(unknown, "freshness", "", "worst is certificate 2 of 2 \"CN=issuing\" unknown", w->paths[0].links[1] = (struct trust_link){ 0 }) \
	X(stale, "freshness", "", "worst is certificate 1 of 2 \"CN=peer\" stale", w->paths[0].links[0].next_update = NOW - 1) \
	X(usage, "key-usage", "", "expected sip as client; found other purposes", w->certs[0].usage = TRUST_EKU_PRESENT; w->entries[PARTNER].usage = TRUST_USAGE_SIP) \
	X(usage_sip, "key-usage", "", "expected tls as client; found sipDomain", w->certs[0].usage = TRUST_EKU_PRESENT | TRUST_EKU_SIP) \
	X(name, "name", "", "rfc9525: expected pool.hq.example, b.hq.example; found DNS:sip.contoso.example", world_dial(w, POOL, 1); w->paths[0].anchors = SITE; w->entries[POOL].profile = TRUST_RFC9525) \
	X(discovered_name, "name", "", "expected a name of its own; found DNS:*.guest.example", world_open(w); world_name(w, 0, "*.guest.example")) \
	X(tls, "tls-version", "", "expected TLS 1.3; found TLS 1.2", w->question.version = KTLS_TLS12) \
	X(tls_unheard_of, "tls-version", "", "found an unknown version", w->question.version = _KTLS_VERSION_MAX) \
	X(direction, "direction", "", "expected neither; found inbound", w->entries[PARTNER].directions = 0) \
	X(direction_odd, "direction", "", "expected outbound; found inbound", w->entries[PARTNER].directions = 0xfe) \
	X(two, "", "chain", "expected anchors of site headquarters; found 2 certificates below \"CN=root\" of partner contoso", world_name(w, 1, "gw.hq.example")) \
	X(cross_signed, "", "chain", "below \"CN=other\"", w->paths[0].n_certs = 0; w->paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA; w->facts.n_paths = 2; w->paths[1] = w->paths[2]) \
	X(all_fail, "chain", "", "of partner contoso", world_name(w, 0, "gw.hq.example"); world_name(w, 1, "sip.fabrikam.example"); world_path(w, CONTOSO))
/* clang-format on */

static void world_pieces(struct world *w)
{
	static char name[TRUST_NAMES_SIZE];

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 > 0 ? '/' : 'a';
	w->names[0] = name_of(TRUST_NAME_CN, name, sizeof(name));
	world_block(w, "bad.example");
}

static void world_domain(struct world *w)
{
	static char *domains[1];

	domains[0] = text("sip.guest.example");
	w->entries[OTHER].domains = domains;
	w->entries[OTHER].n_domains = 1;
}

#define DECLARE(name, fails, holds, detail, statement)                                             \
	static void case_##name(struct world *w)                                                   \
	{                                                                                          \
		statement;                                                                         \
	}
#define ROW(name, fails, holds, detail, statement) { #name, fails, holds, detail, case_##name },

CASES(DECLARE)

/* What is told where the rule of this name is first judged. */
static const struct told *find_told(const struct record *record, const char *rule)
{
	for (size_t i = 0; i < record->n; i++) {
		if (strcmp(record->told[i].rule, rule) == 0 &&
		    record->told[i].outcome != TRUST_RULE_NOT_REACHED)
			return &record->told[i];
	}
	return NULL;
}

static void test_cases(void **state)
{
	static const struct {
		const char *what, *fails, *holds, *detail;
		void (*change)(struct world *w);
	} cases[] = { CASES(ROW) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool fails = *cases[i].fails;
		const struct told *told;
		struct world w;

		world_make(&w);
		w.paths[2] = w.paths[0];
		w.paths[2].anchor_subject = text("CN=other");
		cases[i].change(&w);
		check_agrees(&w);
		assert_int_equal(w.verdict.reason != REASON_OK, fails);
		told = find_told(explain(&w), fails ? cases[i].fails : cases[i].holds);
		if (!told)
			fail_msg("%s: nothing is told of %s%s", cases[i].what, cases[i].fails,
				 cases[i].holds);
		else if (!strstr(told->detail, cases[i].detail) ||
			 (*cases[i].detail == '\0' && *told->detail != '\0'))
			fail_msg("%s: \"%s\" is not in: %s", cases[i].what, cases[i].detail,
				 told->detail);
	}
}

/* ---- many candidates ---- */

static void test_more_than_a_verdict_holds(void **state)
{
	enum { N = TRUST_CANDIDATES_MAX + 1 };
	struct trust_entry entries[N];
	struct record *record;
	struct world w;

	(void)state;
	world_make(&w);
	for (size_t i = 0; i < N; i++) {
		entries[i] = w.entries[PARTNER];
		entries[i].directions = 0;
	}
	w.policy.entries = entries;
	w.policy.n_entries = N;
	check_agrees(&w);
	record = explain(&w);
	assert_int_equal(record->n, ARRAY_SIZE(leaf_rules) + N * ARRAY_SIZE(entry_rules));
	assert_int_equal(record->told[record->n - 1].entry, N - 1);
	assert_non_null(strstr(record->told[ARRAY_SIZE(leaf_rules) - 1].detail,
			       "claimed by server sip.contoso.example, server"));
	assert_non_null(strstr(record->told[ARRAY_SIZE(leaf_rules) - 1].detail, " and 1 more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_more_than_a_verdict_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
