/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From what a peer presents to an anchor: paths that are there must be found in any order, paths
 * that are not must not, and the work is bounded whatever is presented.
 */

#include "tls-testing.h"

static struct test_cert root, issuing, leaf, other_root;

static int setup(void **state)
{
	(void)state;
	root = test_cert_make((struct test_spec){ .cn = "Root", .ca = true });
	issuing =
		test_cert_make((struct test_spec){ .cn = "Issuing", .issuer = &root, .ca = true });
	leaf = test_cert_make(
		(struct test_spec){ .issuer = &issuing, .cn = "leaf", .dns = { "a.example" } });
	other_root = test_cert_make((struct test_spec){ .cn = "Other Root", .ca = true });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_cert_done(&root);
	test_cert_done(&issuing);
	test_cert_done(&leaf);
	test_cert_done(&other_root);
	return 0;
}

/* ---- one chain, one set ---- */

struct found {
	struct {
		enum trust_chain outcome;
		uint8_t certs[TRUST_CHAIN_MAX], n_certs;
		char anchor[64];
		uint8_t anchor_fingerprint[32], anchor_id[32];
	} paths[TLS_PATHS_MAX];
	size_t n;
	unsigned int checks;
};

static void read_chain(const struct test_cert *const chain[], struct trust_facts *facts,
		       struct tls_chain *crts)
{
	gnutls_datum_t ders[TRUST_CHAIN_MAX] = { 0 };
	char buf[256];
	struct text why = TEXT_INIT(buf);
	size_t n = 0;

	for (; chain[n]; n++)
		assert_int_equal(gnutls_x509_crt_export2(chain[n]->crt, GNUTLS_X509_FMT_DER,
							 &ders[n]),
				 0);
	assert_int_equal(tls_facts_read(ders, n, facts, crts, &why), 0);
	for (size_t i = 0; i < n; i++)
		gnutls_free(ders[i].data);
}

static struct found find(const struct test_cert *const chain[],
			 const struct test_cert *const anchors[])
{
	gnutls_x509_crt_t list[16];
	struct tls_anchors set = { .crts = list };
	struct trust_facts facts;
	struct tls_chain crts;
	struct tls_paths paths;
	struct found found = { 0 };

	for (; anchors[set.n]; set.n++)
		list[set.n] = anchors[set.n]->crt;
	read_chain(chain, &facts, &crts);
	assert_int_equal(tls_path_find(&set, 7, &facts, &crts, &paths), 0);
	assert_in_range(paths.n, 1, TLS_PATHS_MAX);
	found.n = paths.n;
	found.checks = paths.checks;
	for (size_t i = 0; i < paths.n; i++) {
		const struct trust_path *path = &paths.list[i];

		assert_int_equal(path->anchors, 7);
		/* several of them only if they hold */
		assert_true(paths.n == 1 || path->outcome == TRUST_CHAIN_OK);
		assert_int_equal(!tls_path_anchor(&set, path), !path->anchor_subject);
		found.paths[i].outcome = path->outcome;
		found.paths[i].n_certs = path->n_certs;
		memcpy(found.paths[i].certs, path->certs, sizeof(path->certs));
		memcpy(found.paths[i].anchor_fingerprint, path->anchor_fingerprint, 32);
		memcpy(found.paths[i].anchor_id, path->anchor_id, 32);
		if (path->anchor_subject)
			snprintf(found.paths[i].anchor, sizeof(found.paths[i].anchor), "%s",
				 path->anchor_subject);
	}
	tls_paths_done(&paths);
	trust_facts_done(&facts);
	tls_chain_done(&crts);
	return found;
}

#define CHAIN(...) ((const struct test_cert *const[]){ __VA_ARGS__, NULL })

static void expect_path(const struct found *found, size_t at, enum trust_chain outcome,
			const char *certs, const char *anchor)
{
	assert_true(at < found->n);
	assert_int_equal(found->paths[at].outcome, outcome);
	assert_int_equal(found->paths[at].n_certs, strlen(certs));
	for (size_t i = 0; certs[i]; i++)
		assert_int_equal(found->paths[at].certs[i], certs[i] - '0');
	assert_string_equal(found->paths[at].anchor, anchor);
}

static void expect(struct found found, enum trust_chain outcome, const char *certs,
		   const char *anchor)
{
	assert_int_equal(found.n, 1);
	expect_path(&found, 0, outcome, certs, anchor);
}

static enum trust_chain outcome_of(struct found found)
{
	return found.paths[0].outcome;
}

/* ---- tests ---- */

static void test_orders(void **state)
{
	(void)state;
	expect(find(CHAIN(&leaf, &issuing), CHAIN(&root)), TRUST_CHAIN_OK, "01", "CN=Root");
	expect(find(CHAIN(&leaf, &issuing, &root), CHAIN(&root)), TRUST_CHAIN_OK, "01", "CN=Root");
	expect(find(CHAIN(&leaf, &root, &issuing), CHAIN(&root)), TRUST_CHAIN_OK, "02", "CN=Root");
	expect(find(CHAIN(&leaf, &other_root, &leaf, &issuing), CHAIN(&other_root, &root)),
	       TRUST_CHAIN_OK, "03", "CN=Root");
	/* a sub-CA as anchor, listed on purpose: the shortest path ends there */
	expect(find(CHAIN(&leaf, &issuing), CHAIN(&issuing)), TRUST_CHAIN_OK, "0", "CN=Issuing");
	expect(find(CHAIN(&leaf), CHAIN(&root, &issuing)), TRUST_CHAIN_OK, "0", "CN=Issuing");
}

static void test_nothing_leads_there(void **state)
{
	(void)state;
	expect(find(CHAIN(&leaf), CHAIN(&root)), TRUST_CHAIN_UNKNOWN_CA, "0", "");
	expect(find(CHAIN(&leaf, &issuing, &root), CHAIN(&other_root)), TRUST_CHAIN_UNKNOWN_CA,
	       "012", "");
	expect(find(CHAIN(&root), CHAIN(&other_root)), TRUST_CHAIN_UNKNOWN_CA, "0", "");
}

/* One CA key under two roots; the peer presents both certificates of it, the wrong one first. */
static void test_cross_signed(void **state)
{
	struct test_cert cross = test_cert_make((struct test_spec){
		.cn = "Issuing", .issuer = &other_root, .ca = true, .same_key = &issuing });

	(void)state;
	expect(find(CHAIN(&leaf, &cross, &issuing), CHAIN(&root)), TRUST_CHAIN_OK, "02", "CN=Root");
	expect(find(CHAIN(&leaf, &cross, &issuing), CHAIN(&other_root)), TRUST_CHAIN_OK, "01",
	       "CN=Other Root");
	expect(find(CHAIN(&leaf, &cross), CHAIN(&root)), TRUST_CHAIN_UNKNOWN_CA, "01", "");
	test_cert_done(&cross);
}

/* The way back down is short: whoever is listed once costs one verification, as it is. */
static void test_one_check(void **state)
{
	(void)state;
	assert_int_equal(find(CHAIN(&leaf, &issuing), CHAIN(&root)).checks, 1);
	assert_int_equal(find(CHAIN(&leaf, &issuing, &root), CHAIN(&root)).checks, 1);
	assert_int_equal(find(CHAIN(&leaf, &issuing, &root, &issuing, &root, &leaf),
			      CHAIN(&other_root, &root, &root))
				 .checks,
			 1);
	assert_int_equal(find(CHAIN(&leaf, &issuing, &root), CHAIN(&issuing)).checks, 1);
	assert_int_equal(find(CHAIN(&leaf, &issuing, &root), CHAIN(&other_root)).checks, 0);
}

/* A peer must outlive the removal of any one of the anchors that it leads to. */
static void test_all_that_hold(void **state)
{
	struct test_cert cross = test_cert_make((struct test_spec){
		.cn = "Issuing", .issuer = &other_root, .ca = true, .same_key = &issuing });
	struct test_cert root_cross = test_cert_make((struct test_spec){
		.cn = "Root", .issuer = &other_root, .ca = true, .same_key = &root });
	struct test_cert renewed = test_cert_make(
		(struct test_spec){ .cn = "Root", .ca = true, .same_key = &root, .to = 99 });
	struct found found;

	(void)state;
	found = find(CHAIN(&leaf, &cross, &issuing), CHAIN(&root, &other_root));
	assert_int_equal(found.n, 2);
	expect_path(&found, 0, TRUST_CHAIN_OK, "01", "CN=Other Root");
	expect_path(&found, 1, TRUST_CHAIN_OK, "02", "CN=Root");
	assert_int_equal(found.checks, 2);
	/* an anchor on the way to another */
	found = find(CHAIN(&leaf, &issuing), CHAIN(&root, &issuing));
	assert_int_equal(found.n, 2);
	expect_path(&found, 0, TRUST_CHAIN_OK, "0", "CN=Issuing");
	expect_path(&found, 1, TRUST_CHAIN_OK, "01", "CN=Root");
	/* the anchor itself, signed by another one */
	found = find(CHAIN(&leaf, &issuing, &root_cross), CHAIN(&root, &other_root));
	assert_int_equal(found.n, 2);
	expect_path(&found, 0, TRUST_CHAIN_OK, "01", "CN=Root");
	expect_path(&found, 1, TRUST_CHAIN_OK, "012", "CN=Other Root");
	/* the same CA twice, before and after its renewal */
	found = find(CHAIN(&leaf, &issuing), CHAIN(&root, &renewed));
	assert_int_equal(found.n, 2);
	assert_memory_equal(found.paths[0].anchor_id, found.paths[1].anchor_id, 32);
	assert_memory_not_equal(found.paths[0].anchor_fingerprint,
				found.paths[1].anchor_fingerprint, 32);
	/* those that fail are not told beside one that holds */
	found = find(CHAIN(&leaf, &issuing, &cross), CHAIN(&root));
	assert_int_equal(found.n, 1);
	test_cert_done(&cross);
	test_cert_done(&root_cross);
	test_cert_done(&renewed);
}

static void test_no_more_than_four(void **state)
{
	struct test_cert renewed[TLS_PATHS_MAX + 2];
	const struct test_cert *anchors[ARRAY_SIZE(renewed) + 1] = { 0 };
	struct found found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(renewed); i++) {
		renewed[i] = test_cert_make((struct test_spec){
			.cn = "Root", .ca = true, .same_key = &root, .to = 50 + (int)i });
		anchors[i] = &renewed[i];
	}
	found = find(CHAIN(&leaf, &issuing), anchors);
	assert_int_equal(found.n, TLS_PATHS_MAX);
	assert_int_equal(found.checks, TLS_PATHS_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(renewed); i++)
		test_cert_done(&renewed[i]);
}

/* A CA of the same name and another key. */
static void test_wrong_signature(void **state)
{
	struct test_cert twin = test_cert_make((struct test_spec){ .cn = "Root", .ca = true });
	struct test_cert fake =
		test_cert_make((struct test_spec){ .cn = "Issuing", .issuer = &root, .ca = true });
	struct found found;

	(void)state;
	found = find(CHAIN(&leaf, &issuing), CHAIN(&twin));
	assert_int_equal(outcome_of(found), TRUST_CHAIN_BAD_SIGNATURE);
	assert_string_equal(found.paths[0].anchor, "CN=Root");
	/* both are listed: the right one is found, whatever the order */
	expect(find(CHAIN(&leaf, &issuing), CHAIN(&twin, &root)), TRUST_CHAIN_OK, "01", "CN=Root");
	/* a false intermediate beside the true one */
	expect(find(CHAIN(&leaf, &fake, &issuing), CHAIN(&root)), TRUST_CHAIN_OK, "02", "CN=Root");
	assert_int_equal(outcome_of(find(CHAIN(&leaf, &fake), CHAIN(&root))),
			 TRUST_CHAIN_BAD_SIGNATURE);
	test_cert_done(&twin);
	test_cert_done(&fake);
}

static void test_constraints(void **state)
{
	struct test_cert short_ca = test_cert_make(
		(struct test_spec){ .cn = "Short", .issuer = &root, .ca = true, .path_length = 1 });
	struct test_cert below = test_cert_make(
		(struct test_spec){ .cn = "Below", .issuer = &short_ca, .ca = true });
	struct test_cert deep =
		test_cert_make((struct test_spec){ .cn = "Deep", .issuer = &below, .ca = true });
	struct test_cert end =
		test_cert_make((struct test_spec){ .issuer = &deep, .dns = { "a.example" } });
	struct test_cert near =
		test_cert_make((struct test_spec){ .issuer = &below, .dns = { "a.example" } });
	struct test_cert no_ca =
		test_cert_make((struct test_spec){ .cn = "No CA", .issuer = &root });
	struct test_cert under =
		test_cert_make((struct test_spec){ .issuer = &no_ca, .dns = { "a.example" } });
	struct test_cert no_sign = test_cert_make((struct test_spec){
		.cn = "No Sign", .issuer = &root, .ca = true, .key_usage = GNUTLS_KEY_CRL_SIGN });
	struct test_cert by_no_sign =
		test_cert_make((struct test_spec){ .issuer = &no_sign, .dns = { "a.example" } });

	(void)state;
	assert_int_equal(outcome_of(find(CHAIN(&near, &below, &short_ca), CHAIN(&root))),
			 TRUST_CHAIN_OK);
	expect(find(CHAIN(&end, &deep, &below, &short_ca), CHAIN(&root)), TRUST_CHAIN_CONSTRAINT,
	       "0123", "CN=Root");
	expect(find(CHAIN(&under, &no_ca), CHAIN(&root)), TRUST_CHAIN_CONSTRAINT, "01", "CN=Root");
	expect(find(CHAIN(&by_no_sign, &no_sign), CHAIN(&root)), TRUST_CHAIN_CONSTRAINT, "01",
	       "CN=Root");
	test_cert_done(&short_ca);
	test_cert_done(&below);
	test_cert_done(&deep);
	test_cert_done(&end);
	test_cert_done(&near);
	test_cert_done(&no_ca);
	test_cert_done(&under);
	test_cert_done(&no_sign);
	test_cert_done(&by_no_sign);
}

/* Constraints on DNS names bind whatever may identify a server: also a common name and a sip: URI.
 */
static void test_name_constraints(void **state)
{
	static const struct {
		const char *cn, *dns, *uri;
		enum trust_chain outcome;
	} rows[] = {
		{ NULL, "a.good.example", NULL, TRUST_CHAIN_OK },
		{ NULL, "a.evil.example", NULL, TRUST_CHAIN_CONSTRAINT },
		{ "a.good.example", "a.good.example", NULL, TRUST_CHAIN_OK },
		{ "a.evil.example", "a.good.example", NULL, TRUST_CHAIN_CONSTRAINT },
		{ "a.evil.example", NULL, NULL, TRUST_CHAIN_CONSTRAINT },
		{ NULL, "a.good.example", "sip:a.good.example", TRUST_CHAIN_OK },
		{ NULL, "a.good.example", "sip:a.evil.example", TRUST_CHAIN_CONSTRAINT },
		{ NULL, "a.good.example", "SIP:a.evil.example:5061;transport=tls",
		  TRUST_CHAIN_CONSTRAINT },
		{ NULL, "a.good.example", "sip:user@a.evil.example",
		  TRUST_CHAIN_OK }, /* no identity */
		{ NULL, "a.good.example", "https://a.evil.example/", TRUST_CHAIN_OK },
	};
	struct test_cert bound = test_cert_make((struct test_spec){
		.cn = "Bound", .issuer = &root, .ca = true, .permitted_dns = "good.example" });
	struct test_cert bound_root = test_cert_make((struct test_spec){
		.cn = "Bound Root", .ca = true, .permitted_dns = "good.example" });

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct test_spec spec = { .issuer = &bound,
					  .cn = rows[i].cn,
					  .dns = { rows[i].dns },
					  .uri = rows[i].uri };
		struct test_cert cert = test_cert_make(spec);

		if (outcome_of(find(CHAIN(&cert, &bound), CHAIN(&root))) != rows[i].outcome)
			fail_msg("row %zu", i);
		test_cert_done(&cert);
		spec.issuer = &bound_root;
		cert = test_cert_make(spec);
		if (outcome_of(find(CHAIN(&cert), CHAIN(&bound_root))) != rows[i].outcome)
			fail_msg("row %zu, constraint in the anchor", i);
		test_cert_done(&cert);
	}
	test_cert_done(&bound);
	test_cert_done(&bound_root);
}

/* A wildcard is every name it stands for: it may not stand for one that is excluded. */
static void test_excluded_wildcards(void **state)
{
	static const struct {
		const char *excluded, *cn, *dns;
		enum trust_chain outcome;
	} rows[] = {
		{ "bad.example", NULL, "*.example", TRUST_CHAIN_CONSTRAINT },
		{ "BAD.example", NULL, "*.Example", TRUST_CHAIN_CONSTRAINT },
		{ ".bad.example", NULL, "*.example", TRUST_CHAIN_CONSTRAINT },
		{ "bad.example", "*.example", NULL, TRUST_CHAIN_CONSTRAINT },
		{ "bad.example", NULL, "b*.example", TRUST_CHAIN_CONSTRAINT },
		{ "bad.example", NULL, "*.bad.example", TRUST_CHAIN_CONSTRAINT },
		{ "bad.example", NULL, "*.a.bad.example", TRUST_CHAIN_CONSTRAINT },
		{ "bad.example", NULL, "bad.example", TRUST_CHAIN_CONSTRAINT },
		/* one label: it stands for no name as deep as this */
		{ "a.bad.example", NULL, "*.example", TRUST_CHAIN_OK },
		{ "bad.example", NULL, "*.good.example", TRUST_CHAIN_OK },
		{ "bad.example", NULL, "*.ad.example", TRUST_CHAIN_OK },
		{ "bad.example", NULL, "good.example", TRUST_CHAIN_OK },
		{ "bad.example", NULL, "*", TRUST_CHAIN_OK }, /* a name of no server */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct test_cert bound =
			test_cert_make((struct test_spec){ .cn = "Bound",
							   .issuer = &root,
							   .ca = true,
							   .excluded_dns = rows[i].excluded });
		struct test_cert end = test_cert_make((struct test_spec){
			.issuer = &bound, .cn = rows[i].cn, .dns = { rows[i].dns } });

		if (outcome_of(find(CHAIN(&end, &bound), CHAIN(&root))) != rows[i].outcome)
			fail_msg("row %zu", i);
		test_cert_done(&bound);
		test_cert_done(&end);
	}
}

/* Times and strength are for trust to judge: the path as such holds. */
static void test_left_to_trust(void **state)
{
	struct test_cert old =
		test_cert_make((struct test_spec){ .issuer = &root, .from = -20, .to = -10 });
	struct test_cert sha1 =
		test_cert_make((struct test_spec){ .issuer = &root, .digest = GNUTLS_DIG_SHA1 });
	struct test_cert rsa = test_cert_make(
		(struct test_spec){ .issuer = &root, .pk = GNUTLS_PK_RSA, .bits = 1024 });
	struct test_cert dsa =
		test_cert_make((struct test_spec){ .issuer = &root, .pk = GNUTLS_PK_DSA });
	struct test_cert old_root = test_cert_make(
		(struct test_spec){ .cn = "Old", .ca = true, .from = -20, .to = -10 });
	struct test_cert by_old = test_cert_make((struct test_spec){ .issuer = &old_root });
	struct test_cert critical =
		test_cert_make((struct test_spec){ .issuer = &root,
						   .extension_oid = "1.2.3.4",
						   .extension = "\x05",
						   .extension_size = 2,
						   .extension_critical = true });

	(void)state;
	expect(find(CHAIN(&old), CHAIN(&root)), TRUST_CHAIN_OK, "0", "CN=Root");
	expect(find(CHAIN(&sha1), CHAIN(&root)), TRUST_CHAIN_OK, "0", "CN=Root");
	expect(find(CHAIN(&rsa), CHAIN(&root)), TRUST_CHAIN_OK, "0", "CN=Root");
	expect(find(CHAIN(&dsa), CHAIN(&root)), TRUST_CHAIN_OK, "0", "CN=Root");
	expect(find(CHAIN(&by_old), CHAIN(&old_root)), TRUST_CHAIN_OK, "0", "CN=Old");
	expect(find(CHAIN(&critical), CHAIN(&root)), TRUST_CHAIN_OK, "0", "CN=Root");
	test_cert_done(&old);
	test_cert_done(&sha1);
	test_cert_done(&rsa);
	test_cert_done(&dsa);
	test_cert_done(&old_root);
	test_cert_done(&by_old);
	test_cert_done(&critical);
}

/* Fifteen CAs that all could have issued one another: found or not, the search ends. */
static void test_bounded_work(void **state)
{
	struct test_cert mesh[TRUST_CHAIN_MAX - 1];
	const struct test_cert *chain[TRUST_CHAIN_MAX + 1] = { 0 };
	struct test_cert end, twin;
	struct found found;

	(void)state;
	twin = test_cert_make((struct test_spec){ .cn = "Mesh", .ca = true });
	/* self-issued, without key identifiers that would tell them apart */
	for (size_t i = 0; i < ARRAY_SIZE(mesh); i++) {
		mesh[i] = test_cert_make((struct test_spec){ .cn = "Mesh", .ca = true });
		chain[i + 1] = &mesh[i];
	}
	end = test_cert_make((struct test_spec){ .issuer = &mesh[0], .dns = { "a.example" } });
	chain[0] = &end;
	assert_int_equal(outcome_of(find(chain, CHAIN(&root))), TRUST_CHAIN_UNKNOWN_CA);
	/* and when each of them could be below the anchor, and none is */
	found = find(chain, CHAIN(&twin));
	assert_int_equal(outcome_of(found), TRUST_CHAIN_BAD_SIGNATURE);
	assert_int_equal(found.checks, TLS_PATH_CHECKS_MAX);
	test_cert_done(&twin);
	test_cert_done(&end);
	for (size_t i = 0; i < ARRAY_SIZE(mesh); i++)
		test_cert_done(&mesh[i]);
}

/* ---- which sets are asked ---- */

static void test_sets(void **state)
{
	struct test_conf t;
	struct tls_anchors sets[3];
	gnutls_x509_crt_t both[2];
	struct trust_facts facts;
	struct tls_chain crts;

	(void)state;
	test_conf_init(&t);
	test_conf_anchors(&t, "other", false, "other.pem");
	test_conf_anchors(&t, "right", false, "root.pem");
	test_conf_anchors(&t, "again", false, "root.pem");
	test_conf_entry(&t, "a.example", 1);
	test_conf_entry(&t, "b.example", 0);
	sets[0] = (struct tls_anchors){ .crts = &other_root.crt, .n = 1 };
	sets[1] = (struct tls_anchors){ .crts = &root.crt, .n = 1 };
	sets[2] = sets[1];

	/* the entry that claims the leaf has the right set: no other is asked */
	read_chain(CHAIN(&leaf, &issuing), &facts, &crts);
	assert_int_equal(tls_facts_verify(&t.conf.trust, sets, TRUST_ENTRY_ANY, &crts, &facts), 0);
	assert_int_equal(facts.n_paths, 1);
	assert_int_equal(facts.paths[0].anchors, 1);
	assert_int_equal(facts.paths[0].outcome, TRUST_CHAIN_OK);
	trust_facts_done(&facts);
	tls_chain_done(&crts);

	/* every way of that set is told */
	both[0] = root.crt;
	both[1] = issuing.crt;
	sets[1] = (struct tls_anchors){ .crts = both, .n = 2 };
	read_chain(CHAIN(&leaf, &issuing), &facts, &crts);
	assert_int_equal(tls_facts_verify(&t.conf.trust, sets, TRUST_ENTRY_ANY, &crts, &facts), 0);
	assert_int_equal(facts.n_paths, 2);
	assert_int_equal(facts.paths[1].anchors, 1);
	assert_int_equal(facts.paths[1].outcome, TRUST_CHAIN_OK);
	trust_facts_done(&facts);
	tls_chain_done(&crts);

	/* the dialled entry has another: its failure is kept, and who would vouch is found */
	read_chain(CHAIN(&leaf, &issuing), &facts, &crts);
	assert_int_equal(tls_facts_verify(&t.conf.trust, sets, 1, &crts, &facts), 0);
	assert_int_equal(facts.n_paths, 3);
	assert_int_equal(facts.paths[0].anchors, 0);
	assert_int_equal(facts.paths[0].outcome, TRUST_CHAIN_UNKNOWN_CA);
	assert_int_equal(facts.paths[1].anchors, 1);
	assert_int_equal(facts.paths[1].outcome, TRUST_CHAIN_OK);
	trust_facts_done(&facts);
	tls_chain_done(&crts);

	/* nobody claims it: sets that lead nowhere are not told */
	t.entries[0].members[0].name = WRITABLE("z.example");
	t.entries[0].name = WRITABLE("z.example");
	read_chain(CHAIN(&leaf, &issuing), &facts, &crts);
	assert_int_equal(tls_facts_verify(&t.conf.trust, sets, TRUST_ENTRY_ANY, &crts, &facts), 0);
	assert_int_equal(facts.n_paths, 2);
	assert_int_equal(facts.paths[0].anchors, 1);
	trust_facts_done(&facts);
	tls_chain_done(&crts);
	test_conf_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_nothing_leads_there),
		cmocka_unit_test(test_cross_signed),
		cmocka_unit_test(test_wrong_signature),
		cmocka_unit_test(test_constraints),
		cmocka_unit_test(test_name_constraints),
		cmocka_unit_test(test_left_to_trust),
		cmocka_unit_test(test_bounded_work),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_one_check),
		cmocka_unit_test(test_all_that_hold),
		cmocka_unit_test(test_no_more_than_four),
		cmocka_unit_test(test_excluded_wildcards),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
