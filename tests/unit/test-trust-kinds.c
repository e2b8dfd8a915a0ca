/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Kinds of entries beside pools and servers: domains, providers, discovered peers and whom they
 * must not let in; and chains that lead to an entry's anchors in several ways.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

static void world_name(struct world *w, size_t i, enum trust_name_type type, const char *name)
{
	w->names[i] = name_of(type, name, strlen(name));
	if (w->facts.n_names <= i)
		w->facts.n_names = i + 1;
}

/* ---- domains and providers ---- */

/* RFC 5922 7.3: the domain that was asked for is the name, not the server that SRV found for it. */
static void test_domain(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.partner.name = text("contoso.example");
	world_entry(&w, PARTNER, "contoso.example", TRUST_DOMAIN, CONTOSO, &w.partner, 1);
	w.entries[PARTNER].locate = TRUST_LOCATE_FEDERATION;
	for (int dialled = 0; dialled < 2; dialled++) {
		if (dialled)
			world_dial(&w, PARTNER, 0);
		world_name(&w, 0, TRUST_NAME_DNS, "contoso.example");
		assert_int_equal(world_judge(&w), REASON_OK);
		world_name(&w, 0, TRUST_NAME_DNS, "sip.contoso.example");
		assert_int_equal(world_judge(&w),
				 dialled ? REASON_NAME_MISMATCH : REASON_NOT_IN_TOPOLOGY);
	}
}

/* The domains a provider speaks for are not its names. */
static void test_provider(void **state)
{
	char *domains[] = { text("a.example"), text("b.example") };
	struct world w;

	(void)state;
	world_make(&w);
	world_entry(&w, PARTNER, "sip.contoso.example", TRUST_PROVIDER, CONTOSO, &w.partner, 1);
	w.entries[PARTNER].domains = domains;
	w.entries[PARTNER].n_domains = ARRAY_SIZE(domains);
	assert_int_equal(world_judge(&w), REASON_OK);
	world_name(&w, 0, TRUST_NAME_DNS, "a.example");
	assert_int_equal(world_judge(&w), REASON_NOT_IN_TOPOLOGY);
}

/* ---- discovered: who is let in, and as whom ---- */

struct identity {
	struct {
		enum trust_name_type type;
		const char *value;
	} names[3];
	bool no_san;
	int found[_TRUST_PROFILE_MAX]; /* rfc5922, rfc9525, pool: index of the name, or -1 */
};

/* clang-format off */
#define CN(v) { TRUST_NAME_CN, v }
#define DNS(v) { TRUST_NAME_DNS, v }
#define URI(v) { TRUST_NAME_URI, v }

static const struct identity identities[] = {
	{ { DNS("sip.guest.example") }, false, { 0, 0, 0 } },
	{ { DNS("SIP.GUEST.EXAMPLE"), DNS("b.guest.example") }, false, { 0, 0, 0 } },
	{ { DNS("*.guest.example") }, false, { -1, -1, -1 } },
	{ { DNS("*.guest.example"), DNS("sip.guest.example") }, false, { 1, 1, 1 } },
	{ { DNS("guest"), DNS("sip.guest.example") }, false, { 1, 1, 1 } },
	{ { DNS("guest") }, false, { -1, -1, -1 } },
	{ { DNS("192.0.2.1") }, false, { -1, -1, -1 } },
	{ { DNS("") }, false, { -1, -1, -1 } },
	{ { DNS("sip.guest.example.") }, false, { -1, -1, -1 } },
	{ { DNS("guests") }, false, { -1, -1, -1 } }, /* the title of the entry */
	{ { URI("sip:guest.example"), DNS("sip.guest.example") }, false, { 0, 1, 1 } },
	{ { DNS("sip.guest.example"), URI("sip:guest.example;x") }, false, { 1, 0, 0 } },
	{ { URI("sip:u@guest.example"), DNS("sip.guest.example") }, false, { 1, 1, 1 } },
	{ { URI("sip:u@guest.example"), CN("sip.guest.example") }, false, { -1, -1, 1 } },
	{ { CN("sip.guest.example") }, true, { 0, -1, 0 } },
	{ { { TRUST_NAME_IP, "192.0.2.1" } }, false, { -1, -1, -1 } },
	{ { { TRUST_NAME_OTHER, "sip.guest.example" } }, false, { -1, -1, -1 } },
	{ { { TRUST_NAME_CN, NULL } }, true, { -1, -1, -1 } },
};
/* clang-format on */

static void test_identity(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		for (enum trust_profile profile = 0; profile < _TRUST_PROFILE_MAX; profile++) {
			const struct identity *id = &identities[i];
			int found = id->found[profile];
			struct world w;

			world_make(&w);
			world_open(&w);
			w.entries[GUEST].profile = profile;
			w.entries[GUEST].wildcard = true;
			w.facts.n_names = 0;
			w.facts.has_san = !id->no_san;
			for (size_t k = 0; k < ARRAY_SIZE(id->names) && id->names[k].value; k++)
				world_name(&w, k, id->names[k].type, id->names[k].value);
			if (world_judge(&w) != (found < 0 ? REASON_NAME_MISMATCH : REASON_OK))
				fail_msg("row %zu, %s: %s", i, trust_profile_names[profile],
					 reason_info(w.verdict.reason)->code);
			assert_int_equal(w.verdict.entry, GUEST);
			if (found < 0)
				assert_null(w.verdict.name);
			else
				assert_ptr_equal(w.verdict.name, &w.names[found]);
		}
	}
}

/* clang-format off */
#define DISCOVERED(X) \
	X(in_order, OK, (void)w) \
	X(closed, NOT_IN_TOPOLOGY, w->policy.n_entries--) \
	X(closed_and_unknown, UNKNOWN_CA, w->policy.n_entries--; w->facts.n_paths = 0) \
	X(no_path, UNKNOWN_CA, w->facts.n_paths = 0) \
	X(broken, CHAIN_CONSTRAINT, w->paths[0].outcome = TRUST_CHAIN_CONSTRAINT) \
	X(partners_ca, NOT_IN_TOPOLOGY, w->paths[0].anchors = CONTOSO) \
	X(sites_ca, NOT_IN_TOPOLOGY, w->paths[0].anchors = SITE) \
	X(revoked, REVOKED, w->paths[0].links[0].status = TRUST_STATUS_REVOKED) \
	X(tls12, TLS_VERSION_PEER, w->question.version = KTLS_TLS12) \
	X(usage, KEY_USAGE, w->certs[0].usage = TRUST_EKU_PRESENT | TRUST_EKU_SERVER) \
	/* never dialled, whatever the entry says and however it is asked for */ \
	X(dialled, NOT_IN_TOPOLOGY, world_dial(w, GUEST, 0)) \
	X(dialled_any, NOT_IN_TOPOLOGY, w->question.dialled = true; w->entries[GUEST].directions = 3) \
	X(no_inbound, DIRECTION, w->entries[GUEST].directions = TRUST_OUTBOUND) \
	/* a name of a listed entry keeps it away, though the guests' CA vouches */ \
	X(partner_first, FOREIGN_CA_PARTNER, world_name(w, 0, TRUST_NAME_DNS, "sip.contoso.example")) \
	X(partner_too, FOREIGN_CA_PARTNER, world_name(w, 1, TRUST_NAME_DNS, "sip.contoso.example")) \
	X(partner_cn, FOREIGN_CA_PARTNER, world_name(w, 1, TRUST_NAME_CN, "SIP.contoso.example")) \
	X(partner_uri, FOREIGN_CA_PARTNER, world_name(w, 1, TRUST_NAME_URI, "sips:u@sip.contoso.example:1")) \
	X(partner_wildcard, FOREIGN_CA_PARTNER, world_name(w, 1, TRUST_NAME_DNS, "*.contoso.example")) \
	X(site_member, FOREIGN_CA_INTERNAL, world_name(w, 1, TRUST_NAME_DNS, "b.hq.example")) \
	/* and so does a SIP domain that a listed entry speaks for */ \
	X(domain, NOT_IN_TOPOLOGY, world_domain(w, "guest.example"); world_name(w, 1, TRUST_NAME_DNS, "GUEST.example")) \
	X(domain_uri, NOT_IN_TOPOLOGY, world_domain(w, "guest.example"); world_name(w, 1, TRUST_NAME_URI, "sip:guest.example")) \
	X(domain_wildcard, NOT_IN_TOPOLOGY, world_domain(w, "a.guest.example"); world_name(w, 1, TRUST_NAME_DNS, "*.guest.example")) \
	X(domain_unknown, UNKNOWN_CA, world_domain(w, "sip.guest.example"); w->facts.n_paths = 0) \
	X(domain_else, OK, world_domain(w, "guest.example")) \
	/* its own anchors are nobody else's */ \
	X(own_name_foreign, FOREIGN_CA_PARTNER, world_name(w, 0, TRUST_NAME_DNS, "sip.fabrikam.example"))
/* clang-format on */

static void world_domain(struct world *w, const char *domain)
{
	static char *domains[2];

	domains[0] = text("other.example");
	domains[1] = text(domain);
	w->entries[OTHER].domains = domains;
	w->entries[OTHER].n_domains = 2;
}

#define DECLARE(name, reason, statement)                                                           \
	static void discovered_##name(struct world *w)                                             \
	{                                                                                          \
		statement;                                                                         \
	}
#define ROW(name, reason, statement) { #name, discovered_##name, REASON_##reason },

DISCOVERED(DECLARE)

static void test_discovered(void **state)
{
	static const struct {
		const char *what;
		void (*change)(struct world *w);
		enum reason reason;
	} rows[] = { DISCOVERED(ROW) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world w;

		world_make(&w);
		world_open(&w);
		rows[i].change(&w);
		if (world_judge(&w) != rows[i].reason)
			fail_msg("%s: %s, expected %s", rows[i].what,
				 reason_info(w.verdict.reason)->code,
				 reason_info(rows[i].reason)->code);
	}
}

/* Two ways in: each by its own anchors. */
static void test_two_discovered(void **state)
{
	struct trust_entry entries[N_ENTRIES + 2];
	struct world w;

	(void)state;
	world_make(&w);
	world_open(&w);
	memcpy(entries, w.entries, sizeof(w.entries));
	entries[GUEST + 1] = entries[GUEST];
	entries[GUEST].anchors = FABRIKAM;
	w.policy.entries = entries;
	w.policy.n_entries++;
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_int_equal(w.verdict.entry, GUEST + 1);
	assert_int_equal(w.verdict.n_candidates, 1);

	/* A title that looks like a name is none. */
	entries[GUEST].name = text("sip.guest.example");
	assert_false(trust_entry_claims(&entries[GUEST], &w.facts));
}

/* A claim is looked for in the whole topology before a discovered entry has its turn. */
static void test_discovered_stands_first(void **state)
{
	struct trust_entry entries[N_ENTRIES + 1];
	struct world w;

	(void)state;
	world_make(&w);
	world_open(&w);
	entries[0] = w.entries[GUEST];
	memcpy(entries + 1, w.entries, N_ENTRIES * sizeof(*entries));
	w.policy.entries = entries;
	world_name(&w, 1, TRUST_NAME_DNS, "sip.fabrikam.example");
	assert_int_equal(world_judge(&w), REASON_FOREIGN_CA_PARTNER);
	assert_int_equal(w.verdict.entry, OTHER + 1);
	w.facts.n_names = 1;
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_int_equal(w.verdict.entry, 0);
}

/* ---- several paths to one set of anchors ---- */

static void world_path(struct world *w, uint32_t anchors)
{
	struct trust_path *path = &w->paths[w->facts.n_paths++];

	*path = w->paths[0];
	path->anchors = anchors;
}

/* The first by which every rule holds. */
static void test_path_that_passes(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_path(&w, SITE);
	world_path(&w, CONTOSO);
	world_path(&w, CONTOSO);
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_ptr_equal(w.verdict.path, &w.paths[0]);

	/* The CA was cross-signed, and one of its certificates is revoked. */
	w.paths[0].links[1].status = TRUST_STATUS_REVOKED;
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_ptr_equal(w.verdict.path, &w.paths[2]);
	assert_int_equal(w.verdict.standing, TRUST_STANDING_GOOD);
	assert_ptr_equal(w.verdict.name, &w.names[0]);

	w.paths[2].anchor_not_after = NOW - 1;
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_ptr_equal(w.verdict.path, &w.paths[3]);

	/* Its end is that of the session. */
	w.paths[3].anchor_not_after = NOW + 7;
	assert_int_equal(world_judge(&w), REASON_OK);
	assert_int_equal(w.verdict.expires, NOW + 7);
}

static void test_path_that_gets_furthest(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_path(&w, CONTOSO);
	world_path(&w, CONTOSO);
	w.paths[0].links[0].status = TRUST_STATUS_REVOKED;
	w.paths[1].links[1].next_update = NOW - 1;
	w.paths[2].anchor_not_after = NOW - 1;
	assert_int_equal(world_judge(&w), REASON_REVOCATION_STALE);
	assert_ptr_equal(w.verdict.path, &w.paths[1]);
	assert_int_equal(w.verdict.standing, TRUST_STANDING_STALE);
	assert_int_equal(w.verdict.n_candidates, 1);

	/* Level: the first. */
	w.paths[2] = w.paths[1];
	assert_int_equal(world_judge(&w), REASON_REVOCATION_STALE);
	assert_ptr_equal(w.verdict.path, &w.paths[1]);

	/* No path of another's is ever one of ours. */
	w.paths[2] = w.paths[0];
	w.paths[2].links[0].status = TRUST_STATUS_GOOD;
	w.paths[2].anchors = FABRIKAM;
	assert_int_equal(world_judge(&w), REASON_REVOCATION_STALE);
	assert_ptr_equal(w.verdict.path, &w.paths[1]);
}

/* As many as there may be, the last of which holds; and one more. */
static void test_many_paths(void **state)
{
	enum { MAX = N_ANCHORS * TRUST_PATHS_MAX };
	struct trust_path paths[MAX + 1];
	struct world w;

	(void)state;
	world_make(&w);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		paths[i] = w.paths[0];
		paths[i].outcome = TRUST_CHAIN_BAD_SIGNATURE;
	}
	w.facts.paths = paths;
	w.facts.n_paths = MAX;
	assert_int_equal(world_judge(&w), REASON_CHAIN_SIGNATURE);
	paths[MAX - 1].outcome = TRUST_CHAIN_OK;
	assert_int_equal(world_judge(&w), REASON_OK);
	w.facts.n_paths = MAX + 1;
	assert_int_equal(world_judge(&w), REASON_CERTIFICATE_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_provider),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_discovered),
		cmocka_unit_test(test_two_discovered),
		cmocka_unit_test(test_discovered_stands_first),
		cmocka_unit_test(test_path_that_passes),
		cmocka_unit_test(test_path_that_gets_furthest),
		cmocka_unit_test(test_many_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
