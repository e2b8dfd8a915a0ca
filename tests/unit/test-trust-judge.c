/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The judgement: each rule by itself, the order of all rules, the choice among entries, whose CA it
 * was, and facts that no honest process would send.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

struct row {
	const char *what;
	void (*change)(struct world *w);
	enum reason reason;
};

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct world w;

		world_make(&w);
		rows[i].change(&w);
		if (world_judge(&w) != rows[i].reason)
			fail_msg("%s: %s, expected %s", rows[i].what,
				 reason_info(w.verdict.reason)->code,
				 reason_info(rows[i].reason)->code);
	}
}

/* A row's function, from the statement that makes it different from the world in order. */
#define CHANGE(name, statement)                                                                    \
	static void name(struct world *w)                                                          \
	{                                                                                          \
		statement;                                                                         \
	}
#define DECLARE(name, reason, statement) CHANGE(name, statement)
#define ROW(name, reason, statement)	 { #name, name, REASON_##reason },

/* ---- each rule, on both sides of its limit ---- */

/* clang-format off */
#define RULES(X) \
	X(in_order, OK, (void)w) \
	X(no_certificate, NO_CERTIFICATE, w->facts.n_certs = 0; w->facts.n_paths = 0) \
	X(blocked, BLOCKED, world_block(w, "sip.contoso.example")) \
	X(version_1, CERTIFICATE_VERSION, w->certs[0].version = 1) \
	X(version_2, CERTIFICATE_VERSION, w->certs[0].version = 2) \
	X(version_4, CERTIFICATE_VERSION, w->certs[0].version = 4) \
	X(leaf_is_ca, CA_AS_LEAF, w->certs[0].is_ca = true) \
	X(no_path, UNKNOWN_CA, w->facts.n_paths = 0) \
	X(unknown_ca, UNKNOWN_CA, w->paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA) \
	X(bad_signature, CHAIN_SIGNATURE, w->paths[0].outcome = TRUST_CHAIN_BAD_SIGNATURE) \
	X(constraint, CHAIN_CONSTRAINT, w->paths[0].outcome = TRUST_CHAIN_CONSTRAINT) \
	X(leaf_unsupported, CHAIN_UNSUPPORTED, w->certs[0].unsupported = true) \
	X(ca_unsupported, CHAIN_UNSUPPORTED, w->certs[1].unsupported = true) \
	X(stray_unsupported, OK, w->facts.n_certs = 3; w->certs[2].unsupported = true) \
	X(too_deep, CHAIN_TOO_LONG, w->policy.depth = 1) \
	X(deep_enough, OK, w->policy.depth = 2) \
	X(leaf_only, OK, w->paths[0].n_certs = 1; w->policy.depth = 1) \
	X(rsa_2047, WEAK_KEY, w->certs[1].key_bits = 2047) \
	X(rsa_leaf_1024, WEAK_KEY, w->certs[0].key = TRUST_KEY_RSA; w->certs[0].key_bits = 1024) \
	X(rsa_leaf_2048, OK, w->certs[0].key = TRUST_KEY_RSA; w->certs[0].key_bits = 2048) \
	X(rsa_leaf_8192, OK, w->certs[0].key = TRUST_KEY_RSA; w->certs[0].key_bits = 8192) \
	X(rsa_leaf_8193, WEAK_KEY, w->certs[0].key = TRUST_KEY_RSA; w->certs[0].key_bits = 8193) \
	X(ec_223, WEAK_KEY, w->certs[0].key_bits = 223) \
	X(ec_224, OK, w->certs[0].key_bits = 224) \
	X(eddsa, OK, w->certs[0].key = TRUST_KEY_EDDSA; w->certs[0].key_bits = 0) \
	X(dsa, WEAK_KEY, w->certs[0].key = TRUST_KEY_OTHER; w->certs[0].key_bits = 4096) \
	X(stray_weak, OK, w->facts.n_certs = 3; w->certs[2].key_bits = 512) \
	X(leaf_sha1, WEAK_SIGNATURE, w->certs[0].hash = TRUST_HASH_WEAK) \
	X(ca_sha1, WEAK_SIGNATURE, w->certs[1].hash = TRUST_HASH_WEAK) \
	X(stray_sha1, OK, w->facts.n_certs = 3; w->certs[2].hash = TRUST_HASH_WEAK) \
	X(leaf_expired, EXPIRED, w->certs[0].not_after = NOW - 1) \
	X(leaf_last_second, OK, w->certs[0].not_after = NOW) \
	X(leaf_first_second, OK, w->certs[0].not_before = NOW) \
	X(leaf_early, NOT_YET_VALID, w->certs[0].not_before = NOW + 1) \
	X(ca_expired, EXPIRED, w->certs[1].not_after = NOW - 1) \
	X(ca_early, NOT_YET_VALID, w->certs[1].not_before = NOW + 1) \
	X(anchor_expired, EXPIRED, w->paths[0].anchor_not_after = NOW - 1) \
	X(anchor_last_second, OK, w->paths[0].anchor_not_after = NOW) \
	X(anchor_early, NOT_YET_VALID, w->paths[0].anchor_not_before = NOW + 1) \
	X(period_reversed, EXPIRED, w->certs[0].not_after = NOW - 1; w->certs[0].not_before = NOW + 1) \
	X(never_ends, OK, w->certs[0].not_after = INT64_MAX) \
	X(stray_expired, OK, w->facts.n_certs = 3; w->certs[2].not_after = 0) \
	X(leaf_revoked, REVOKED, w->paths[0].links[0].status = TRUST_STATUS_REVOKED) \
	X(ca_revoked, REVOKED, w->paths[0].links[1].status = TRUST_STATUS_REVOKED) \
	X(stray_revoked, OK, w->paths[0].links[2].status = TRUST_STATUS_REVOKED) \
	X(ca_revocation_unknown, REVOCATION_UNKNOWN, w->paths[0].links[1].status = TRUST_STATUS_UNKNOWN) \
	X(ca_revocation_unsupported, REVOCATION_UNSUPPORTED, w->paths[0].links[1].status = TRUST_STATUS_UNSUPPORTED) \
	X(ca_revocation_stale, REVOCATION_STALE, w->paths[0].links[1].next_update = NOW - 1) \
	X(staple_missing, STAPLE_MISSING, w->certs[0].must_staple = true) \
	X(staple_there, OK, w->certs[0].must_staple = true; w->facts.staple = link_good()) \
	X(ca_must_staple, OK, w->certs[1].must_staple = true) \
	X(name_missing, NAME_MISMATCH, world_dial(w, PARTNER, 0); w->names[0].len--) \
	X(name_is_cn, NAME_CN, w->names[0].type = TRUST_NAME_CN) \
	X(name_is_wildcard, NAME_WILDCARD, w->names[0] = name_of(TRUST_NAME_DNS, "*.contoso.example", 17)) \
	X(tls12, TLS_VERSION_PEER, w->question.version = KTLS_TLS12) \
	X(tls12_allowed, OK, w->question.version = KTLS_TLS12; w->entries[PARTNER].tls12 = true) \
	X(tls_unheard_of, TLS_VERSION_PEER, w->question.version = _KTLS_VERSION_MAX; w->entries[PARTNER].tls12 = true) \
	X(outbound_only, DIRECTION, w->entries[PARTNER].directions = TRUST_OUTBOUND) \
	X(inbound_only, OK, w->entries[PARTNER].directions = TRUST_INBOUND) \
	X(inbound_only_dialled, DIRECTION, world_dial(w, PARTNER, 0); w->entries[PARTNER].directions = TRUST_INBOUND) \
	X(outbound_only_dialled, OK, world_dial(w, PARTNER, 0); w->entries[PARTNER].directions = TRUST_OUTBOUND) \
	X(no_direction, DIRECTION, w->entries[PARTNER].directions = 0) \
	X(nobody_claims, NOT_IN_TOPOLOGY, w->names[0].len--) \
	X(nobody_claims_unknown, UNKNOWN_CA, w->names[0].len--; w->facts.n_paths = 0) \
	X(nobody_claims_broken, UNKNOWN_CA, w->names[0].len--; w->paths[0].outcome = TRUST_CHAIN_CONSTRAINT) \
	X(nobody_claims_a_ca, CA_AS_LEAF, w->names[0].len--; w->certs[0].is_ca = true) \
	X(no_names, NOT_IN_TOPOLOGY, w->facts.n_names = 0) \
	X(empty_topology, UNKNOWN_CA, w->policy.n_entries = 0; w->policy.n_anchors = 0; w->facts.n_paths = 0) \
	X(entry_gone, NOT_IN_TOPOLOGY, world_dial(w, N_ENTRIES, 0)) \
	X(member_gone, NOT_IN_TOPOLOGY, world_dial(w, PARTNER, 1))
/* clang-format on */

RULES(DECLARE)

static void test_rules(void **state)
{
	static const struct row rows[] = { RULES(ROW) };

	(void)state;
	run(rows, ARRAY_SIZE(rows));
}

static void test_key_usage(void **state)
{
	enum { P = TRUST_EKU_PRESENT };
	/* Outcomes for: tls inbound, tls outbound, tls-any, sip, ignore. */
	static const struct {
		uint8_t usage;
		bool ok[5];
	} rows[] = {
		{ 0, { true, true, true, true, true } },
		{ P, { false, false, false, false, true } },
		{ P | TRUST_EKU_SERVER, { false, true, true, false, true } },
		{ P | TRUST_EKU_CLIENT, { true, false, true, false, true } },
		{ P | TRUST_EKU_SERVER | TRUST_EKU_CLIENT, { true, true, true, false, true } },
		{ P | TRUST_EKU_SIP, { false, false, false, true, true } },
		{ P | TRUST_EKU_ANY, { true, true, true, false, true } },
		/* A purpose without the extension: facts that contradict themselves. */
		{ TRUST_EKU_SERVER, { false, true, true, false, true } },
	};
	static const struct {
		enum trust_usage usage;
		bool dialled;
	} columns[] = {
		{ TRUST_USAGE_TLS, false },	{ TRUST_USAGE_TLS, true },
		{ TRUST_USAGE_TLS_ANY, false }, { TRUST_USAGE_SIP, false },
		{ TRUST_USAGE_IGNORE, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(columns); k++) {
			enum reason wanted = rows[i].ok[k] ? REASON_OK : REASON_KEY_USAGE;
			struct world w;

			world_make(&w);
			w.certs[0].usage = rows[i].usage;
			w.entries[PARTNER].usage = columns[k].usage;
			if (columns[k].dialled)
				world_dial(&w, PARTNER, 0);
			if (world_judge(&w) != wanted)
				fail_msg("usage %#x as %s: %s", rows[i].usage,
					 trust_usage_names[columns[k].usage],
					 reason_info(w.verdict.reason)->code);
		}
	}
}

/* ---- order: of two things that are wrong, the one further up is told ---- */

/* clang-format off */
#define ORDER(X) \
	X(order_large, CERTIFICATE_TOO_LARGE, w->names[0].len = UINT32_MAX) \
	X(order_facts, CERTIFICATE_MALFORMED, w->facts.staple.status = _TRUST_STATUS_MAX) \
	X(order_block, BLOCKED, world_block(w, "sip.contoso.example")) \
	X(order_none, NO_CERTIFICATE, w->facts.n_certs = 0; w->facts.n_paths = 0) \
	X(order_version, CERTIFICATE_VERSION, w->certs[0].version = 1) \
	X(order_ca, CA_AS_LEAF, w->certs[0].is_ca = true) \
	X(order_chain, CHAIN_SIGNATURE, w->paths[0].outcome = TRUST_CHAIN_BAD_SIGNATURE) \
	X(order_unsupported, CHAIN_UNSUPPORTED, w->certs[0].unsupported = true) \
	X(order_depth, CHAIN_TOO_LONG, w->policy.depth = 1) \
	X(order_revoked, REVOKED, w->paths[0].links[0].status = TRUST_STATUS_REVOKED) \
	X(order_key, WEAK_KEY, w->certs[1].key_bits = 1024) \
	X(order_signature, WEAK_SIGNATURE, w->certs[0].hash = TRUST_HASH_WEAK) \
	X(order_validity, EXPIRED, w->certs[0].not_after = NOW - 1) \
	X(order_staple, STAPLE_MISSING, w->certs[0].must_staple = true) \
	X(order_unknown, REVOCATION_UNKNOWN, w->paths[0].links[1].status = TRUST_STATUS_UNKNOWN) \
	X(order_crl, REVOCATION_UNSUPPORTED, w->paths[0].links[0].status = TRUST_STATUS_UNSUPPORTED) \
	X(order_stale, REVOCATION_STALE, w->paths[0].links[1].next_update = NOW - 1) \
	X(order_usage, KEY_USAGE, w->certs[0].usage = TRUST_EKU_PRESENT) \
	X(order_name, NAME_CN, w->names[0].type = TRUST_NAME_CN) \
	X(order_tls, TLS_VERSION_PEER, w->question.version = KTLS_TLS12) \
	X(order_direction, DIRECTION, w->entries[PARTNER].directions = 0)
/* clang-format on */

ORDER(DECLARE)

static void test_order(void **state)
{
	static const struct row rows[] = { ORDER(ROW) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t k = i; k < ARRAY_SIZE(rows); k++) {
			struct world w;

			world_make(&w);
			rows[k].change(&w);
			rows[i].change(&w);
			if (world_judge(&w) != rows[i].reason)
				fail_msg("%s and %s: %s", rows[i].what, rows[k].what,
					 reason_info(w.verdict.reason)->code);
		}
	}
}

/* ---- whose CA ---- */

static void world_name(struct world *w, size_t i, const char *name)
{
	w->names[i] = name_of(TRUST_NAME_DNS, name, strlen(name));
	if (w->facts.n_names <= i)
		w->facts.n_names = i + 1;
}

/* A second set of anchors that was tried, with its outcome. */
static void world_path(struct world *w, uint32_t anchors, enum trust_chain outcome)
{
	struct trust_path *path = &w->paths[w->facts.n_paths++];

	*path = w->paths[0];
	path->anchors = anchors;
	path->outcome = outcome;
}

/* clang-format off */
#define FOREIGN(X) \
	X(internal_name, FOREIGN_CA_INTERNAL, world_name(w, 0, "gw.hq.example")) \
	X(internal_member, FOREIGN_CA_INTERNAL, world_name(w, 0, "b.hq.example")) \
	X(partner_name, FOREIGN_CA_PARTNER, world_name(w, 0, "sip.fabrikam.example")) \
	X(site_for_partner, FOREIGN_CA_PARTNER, w->paths[0].anchors = SITE) \
	X(own_failed_too, FOREIGN_CA_PARTNER, w->paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA; world_path(w, SITE, TRUST_CHAIN_OK)) \
	X(other_failed_too, UNKNOWN_CA, w->paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA; world_path(w, SITE, TRUST_CHAIN_BAD_SIGNATURE)) \
	X(own_twice, OK, w->paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA; world_path(w, CONTOSO, TRUST_CHAIN_OK)) \
	X(both_hold, OK, w->paths[0].anchors = SITE; world_path(w, CONTOSO, TRUST_CHAIN_OK)) \
	X(dialled_foreign, FOREIGN_CA_INTERNAL, world_name(w, 0, "gw.hq.example"); world_dial(w, GATEWAY, 0)) \
	X(dialled_another, NAME_MISMATCH, world_dial(w, GATEWAY, 0)) \
	X(dialled_sibling, NAME_MISMATCH, w->paths[0].anchors = SITE; world_name(w, 0, "gw.hq.example"); world_dial(w, POOL, 0)) \
	X(dialled_stranger, UNKNOWN_CA, w->facts.n_paths = 0; world_dial(w, GATEWAY, 0))
/* clang-format on */

FOREIGN(DECLARE)

static void test_foreign_ca(void **state)
{
	static const struct row rows[] = { FOREIGN(ROW) };

	(void)state;
	run(rows, ARRAY_SIZE(rows));
}

/* ---- several entries claim the leaf ---- */

/* A partner's certificate with an internal name beside its own: admitted as the partner only. */
static void test_first_that_passes(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_name(&w, 1, "gw.hq.example");
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_int_equal(w.verdict.entry, PARTNER);
	assert_ptr_equal(w.verdict.path, &w.paths[0]);
	assert_ptr_equal(w.verdict.name, &w.names[0]);
	assert_int_equal(w.verdict.n_candidates, 1);
	assert_int_equal(w.verdict.candidates[0].entry, GATEWAY);
	assert_int_equal(w.verdict.candidates[0].reason, REASON_FOREIGN_CA_INTERNAL);

	/* Both pass: the topology's order decides. */
	w.entries[GATEWAY].anchors = CONTOSO;
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_int_equal(w.verdict.entry, GATEWAY);
	assert_ptr_equal(w.verdict.name, &w.names[1]);
	assert_int_equal(w.verdict.n_candidates, 0);
}

static void test_furthest(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_name(&w, 1, "gw.hq.example");
	world_name(&w, 2, "sip.fabrikam.example");
	w.entries[PARTNER].directions = 0;
	assert_int_equal(world_judge(&w), REASON_DIRECTION);
	assert_int_equal(w.verdict.entry, PARTNER);
	assert_int_equal(w.verdict.n_candidates, 3);
	assert_int_equal(w.verdict.candidates[0].entry, GATEWAY);
	assert_int_equal(w.verdict.candidates[1].entry, PARTNER);
	assert_int_equal(w.verdict.candidates[2].entry, OTHER);
	assert_int_equal(w.verdict.candidates[2].reason, REASON_FOREIGN_CA_PARTNER);

	/* Level: the first in the topology, whatever the order of names and paths. */
	w.facts.n_paths = 0;
	assert_int_equal(world_judge(&w), REASON_UNKNOWN_CA);
	assert_int_equal(w.verdict.entry, GATEWAY);
}

/* All entries are judged, though only some are told. */
static void test_many_candidates(void **state)
{
	enum { N = TRUST_CANDIDATES_MAX + 3 };
	struct trust_entry entries[N];
	struct world w;

	(void)state;
	world_make(&w);
	for (size_t i = 0; i < N; i++) {
		entries[i] = w.entries[PARTNER];
		entries[i].directions = 0;
	}
	w.policy.entries = entries;
	w.policy.n_entries = N;
	assert_int_equal(world_judge(&w), REASON_DIRECTION);
	assert_int_equal(w.verdict.entry, 0);
	assert_int_equal(w.verdict.n_candidates, TRUST_CANDIDATES_MAX);
	entries[N - 1].directions = TRUST_INBOUND;
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_int_equal(w.verdict.entry, N - 1);
}

static void test_verdict(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_int_equal(w.verdict.expires, NOW + DAY);
	w.certs[1].not_after = NOW + 5;
	(void)world_judge(&w);
	assert_int_equal(w.verdict.expires, NOW + 5);
	w.paths[0].anchor_not_after = NOW + 3;
	(void)world_judge(&w);
	assert_int_equal(w.verdict.expires, NOW + 3);

	/* Foreign: the path shown is that of the CA that vouched. */
	w.paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA;
	world_path(&w, SITE, TRUST_CHAIN_OK);
	assert_int_equal(world_judge(&w), REASON_FOREIGN_CA_PARTNER);
	assert_ptr_equal(w.verdict.path, &w.paths[1]);
	assert_null(w.verdict.name);

	w.facts.n_certs = w.facts.n_paths = 0;
	assert_int_equal(world_judge(&w), REASON_NO_CERTIFICATE);
	assert_int_equal(w.verdict.entry, TRUST_ENTRY_ANY);
	assert_null(w.verdict.path);
	assert_int_equal(w.verdict.expires, 0);
	assert_int_equal(w.verdict.n_candidates, 0);
}

/* ---- facts that no honest process sends ---- */

/* clang-format off */
#define BROKEN(X) \
	X(null_certs, CERTIFICATE_MALFORMED, w->facts.certs = NULL) \
	X(null_names, CERTIFICATE_MALFORMED, w->facts.names = NULL) \
	X(null_paths, CERTIFICATE_MALFORMED, w->facts.paths = NULL) \
	X(null_value, CERTIFICATE_MALFORMED, w->names[0].value = NULL) \
	X(many_certs, CERTIFICATE_TOO_LARGE, w->facts.n_certs = TRUST_CHAIN_MAX + 1) \
	X(many_names, CERTIFICATE_TOO_LARGE, w->facts.n_names = TRUST_NAMES_MAX + 1) \
	X(long_name, CERTIFICATE_TOO_LARGE, w->names[0].len = TRUST_NAMES_SIZE + 1) \
	X(long_names, CERTIFICATE_TOO_LARGE, w->facts.n_names = 2; w->names[0].len = UINT32_MAX; w->names[1].len = 1) \
	X(many_paths, CERTIFICATE_MALFORMED, w->facts.n_paths = N_ANCHORS * TRUST_PATHS_MAX + 1) \
	X(odd_name, CERTIFICATE_MALFORMED, w->names[0].type = _TRUST_NAME_TYPE_MAX) \
	X(odd_key, CERTIFICATE_MALFORMED, w->certs[0].key = _TRUST_KEY_MAX) \
	X(odd_hash, CERTIFICATE_MALFORMED, w->certs[1].hash = _TRUST_HASH_MAX) \
	X(odd_outcome, CERTIFICATE_MALFORMED, w->paths[0].outcome = _TRUST_CHAIN_MAX) \
	X(odd_anchors, CERTIFICATE_MALFORMED, w->paths[0].anchors = N_ANCHORS) \
	X(odd_index, CERTIFICATE_MALFORMED, w->paths[0].certs[1] = 2) \
	X(odd_length, CERTIFICATE_MALFORMED, w->paths[0].n_certs = TRUST_CHAIN_MAX + 1) \
	X(no_leaf, CERTIFICATE_MALFORMED, w->paths[0].certs[0] = 1; w->paths[0].certs[1] = 0) \
	X(twice, CERTIFICATE_MALFORMED, w->paths[0].certs[1] = 0) \
	X(empty_path, CERTIFICATE_MALFORMED, w->paths[0].n_certs = 0) \
	X(empty_failed_path, UNKNOWN_CA, w->paths[0].n_certs = 0; w->paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA) \
	X(no_anchor, CERTIFICATE_MALFORMED, w->paths[0].anchor_subject = NULL) \
	X(odd_link, CERTIFICATE_MALFORMED, w->paths[0].links[1].status = _TRUST_STATUS_MAX) \
	X(odd_stray_link, OK, w->paths[0].links[2].status = _TRUST_STATUS_MAX) \
	X(odd_staple, CERTIFICATE_MALFORMED, w->facts.staple.status = _TRUST_STATUS_MAX) \
	X(many_scopes, CERTIFICATE_MALFORMED, w->certs[1].n_scopes = TRUST_SCOPES_MAX + 1) \
	X(all_scopes, OK, w->certs[1].n_scopes = TRUST_SCOPES_MAX) \
	X(many_urls, CERTIFICATE_MALFORMED, w->certs[0].n_crl_urls = TRUST_URLS_MAX + 1) \
	X(null_url, CERTIFICATE_MALFORMED, w->certs[0].n_crl_urls = 1) \
	X(path_without_certs, CERTIFICATE_MALFORMED, w->facts.n_certs = 0)
/* clang-format on */

BROKEN(DECLARE)

static void test_broken_facts(void **state)
{
	static const struct row rows[] = { BROKEN(ROW) };

	(void)state;
	run(rows, ARRAY_SIZE(rows));
}

/* What is fetched because a certificate says so. */
static void test_urls(void **state)
{
	static char longest[TRUST_URL_MAX + 2];
	static const struct {
		const char *url;
		enum reason reason;
	} rows[] = {
		{ "http://crl.example/ca.crl", REASON_OK },
		{ "https://crl.example/ca.crl", REASON_OK },
		{ "HTTP://crl.example", REASON_OK },
		{ "file:///etc/siptls/key.pem", REASON_CERTIFICATE_MALFORMED },
		{ "ldap://crl.example", REASON_CERTIFICATE_MALFORMED },
		{ "httpx://crl.example", REASON_CERTIFICATE_MALFORMED },
		{ "", REASON_CERTIFICATE_MALFORMED },
		{ "http://crl.example/a b", REASON_CERTIFICATE_MALFORMED },
		{ "http://crl.example/\r\nHost: x", REASON_CERTIFICATE_MALFORMED },
		{ "http://crl.example/\xc3\xa4", REASON_CERTIFICATE_MALFORMED },
		{ "http://crl.example/\x7f", REASON_CERTIFICATE_MALFORMED },
		{ longest + 1, REASON_OK },
		{ longest, REASON_CERTIFICATE_MALFORMED },
	};

	(void)state;
	memset(longest, 'h', sizeof(longest) - 1);
	memcpy(longest + 1, "http:", 5);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world w;

		if (rows[i].url == longest)
			memcpy(longest, "http:", 5);
		world_make(&w);
		w.certs[1].n_crl_urls = TRUST_URLS_MAX;
		for (size_t k = 0; k < TRUST_URLS_MAX; k++)
			w.certs[1].crl_urls[k] = text("http://crl.example");
		w.certs[1].crl_urls[i % TRUST_URLS_MAX] = text(rows[i].url);
		if (world_judge(&w) != rows[i].reason)
			fail_msg("%.40s: %s", rows[i].url, reason_info(w.verdict.reason)->code);
	}
}

/* ... and the line for the operator does not read them either. */
static void test_broken_text(void **state)
{
	static const struct row rows[] = { BROKEN(ROW) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[1024] = "";
		struct text line = TEXT_INIT(buf);
		struct world w;

		world_make(&w);
		rows[i].change(&w);
		(void)world_judge(&w);
		trust_verdict_text(&w.policy, &w.facts, &w.question, &w.verdict, &line);
		assert_non_null(strstr(buf, rows[i].reason == REASON_OK
						    ? "accepted"
						    : reason_info(rows[i].reason)->text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_key_usage),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_foreign_ca),
		cmocka_unit_test(test_first_that_passes),
		cmocka_unit_test(test_furthest),
		cmocka_unit_test(test_many_candidates),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_broken_facts),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_broken_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
