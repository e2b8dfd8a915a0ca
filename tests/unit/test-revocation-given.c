/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Certificates that an administrator puts beside lists, for those that another key than the CA's
 * signs. Standing in the file proves nothing: who answers for a CA the signatures say. They live as
 * long as the file says so, whatever becomes of the other issuers.
 */

#include "revocation-testing.h"

#include <revocation/store.h>

#define CERT_SIGN GNUTLS_KEY_KEY_CERT_SIGN
#define CRL_SIGN  GNUTLS_KEY_CRL_SIGN
#define BY_SIGNER test_crl_make((struct test_crl){ .issuer = &signer, .entries = { LISTED(77) } })

static struct test_cert root, ca, signer, revoked, good;

static int setup(void **state)
{
	(void)state;
	root = test_cert_make((struct test_spec){ .cn = "Root", .ca = true });
	ca = test_cert_make(
		(struct test_spec){ .cn = "CA", .issuer = &root, .ca = true, .usage = CERT_SIGN });
	signer = test_cert_make(
		(struct test_spec){ .cn = "CA", .issuer = &root, .usage = CRL_SIGN, .serial = 50 });
	revoked = test_cert_make((struct test_spec){ .cn = "a", .issuer = &ca, .serial = 77 });
	good = test_cert_make((struct test_spec){ .cn = "b", .issuer = &ca, .serial = 78 });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_cert_done(&root);
	test_cert_done(&ca);
	test_cert_done(&signer);
	test_cert_done(&revoked);
	test_cert_done(&good);
	return 0;
}

static struct piece pem_cert(const struct test_cert *cert)
{
	return test_pem_block("CERTIFICATE", cert->der);
}

static struct piece pem_crl(struct piece crl)
{
	return test_pem_block("X509 CRL", crl);
}

/* What is known of @cert below the CA and the root; the CA and the root are known. */
static enum trust_status status_of(struct revocation_store *store, const struct test_cert *cert)
{
	static char text[] = "anchor";
	struct revocation_board *board = test_publish(store);
	struct trust_certificate certs[] = { cert->facts, ca.facts };
	struct trust_path path = { .certs = { 0, 1 }, .n_certs = 2, .anchor_subject = text };
	struct trust_facts facts = { .certs = certs, .n_certs = 2, .paths = &path, .n_paths = 1 };

	memcpy(path.anchor_id, root.id, sizeof(path.anchor_id));
	revocation_facts_fill(board, &facts);
	revocation_board_unref(board);
	return path.links[0].status;
}

static void expect(struct revocation_store *store, bool known)
{
	assert_int_equal(status_of(store, &revoked),
			 known ? TRUST_STATUS_REVOKED : TRUST_STATUS_UNKNOWN);
	assert_int_equal(status_of(store, &good), known ? TRUST_STATUS_GOOD : TRUST_STATUS_UNKNOWN);
}

static void add_anchors(struct revocation_store *store)
{
	test_issuer(store, &root);
	test_issuer(store, &ca);
}

static struct revocation_store *make_store(void)
{
	struct revocation_store *store;

	assert_int_equal(revocation_store_new(&store), 0);
	add_anchors(store);
	test_put(store, "/root", test_crl_make((struct test_crl){ .issuer = &root }));
	return store;
}

/* Before or after the list, alone in a file, with others in it. */
static void test_places(void **state)
{
	const struct piece files[][2] = {
		{ JOIN(pem_cert(&signer), pem_crl(BY_SIGNER)), NOTHING },
		{ JOIN(pem_crl(BY_SIGNER), BYTES("words\n"), pem_cert(&signer)), NOTHING },
		{ pem_cert(&signer), BY_SIGNER },
		{ BY_SIGNER, pem_cert(&signer) },
		{ JOIN(pem_cert(&ca), test_pem_block("PRIVATE KEY", BYTES("x")), pem_crl(BY_SIGNER),
		       pem_cert(&signer), pem_cert(&signer)),
		  NOTHING },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct revocation_store *store = make_store();

		test_put(store, "/0", files[i][0]);
		if (files[i][1].n)
			test_put(store, "/1", files[i][1]);
		expect(store, true);
		revocation_store_free(store);
	}
}

/* Through a new plan; not longer than the file says so. */
static void test_life(void **state)
{
	struct piece file = JOIN(pem_cert(&signer), pem_crl(BY_SIGNER));
	struct revocation_store *store = make_store();

	(void)state;
	test_put(store, "/x", file);
	expect(store, true);
	for (size_t i = 0; i < 2; i++) {
		revocation_store_clear_issuers(store);
		assert_int_equal(store->n_certs, 0);
		add_anchors(store);
		expect(store, true);
		assert_int_equal(store->n_certs, 3);
		assert_memory_equal(store->keys[0]->certs[0]->issuer.id, root.id, TRUST_ID_SIZE);
	}
	test_put(store, "/x", file); /* nothing new */
	expect(store, true);
	test_put(store, "/x", pem_crl(BY_SIGNER)); /* the certificate goes */
	assert_int_equal(store->n_certs, 2);
	expect(store, false);
	test_put(store, "/x", file);
	test_put(store, "/y", pem_cert(&signer));
	expect(store, true);
	revocation_store_drop(store, "/y"); /* it still stands in the other */
	expect(store, true);
	revocation_store_drop(store, "/x");
	assert_int_equal(store->n_certs + store->n_given, 2);
	expect(store, false);
	/* who is met elsewhere too does not go with the file */
	test_put(store, "/x", file);
	expect(store, true);
	test_issuer(store, &signer);
	test_put(store, "/x", pem_crl(BY_SIGNER));
	assert_int_equal(store->n_certs, 3);
	expect(store, true);
	revocation_store_free(store);
}

/* An older list does not come back because other certificates stand beside it. */
static void test_rollback(void **state)
{
	struct piece old = test_crl_make(
		(struct test_crl){ .issuer = &signer, .this_update = -9, .next_update = 90 });
	struct revocation_store *store = make_store();
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	struct piece both = JOIN(pem_crl(old), pem_cert(&signer), pem_cert(&ca));

	(void)state;
	test_put(store, "/x", JOIN(pem_cert(&signer), pem_crl(BY_SIGNER)));
	expect(store, true);
	revocation_store_clear_issuers(store);
	add_anchors(store);
	assert_int_equal(revocation_store_put(store, "/x", both.p, both.n, &why), 0);
	assert_non_null(strstr(buf, "older"));
	expect(store, true);
	revocation_store_free(store);
}

/*
 * The victim's name on keys of others, with cRLSign, and the victim's own key without a word from
 * who certified it: nothing that they sign tells of the victim's certificates.
 */
static void test_stolen_name(void **state)
{
	struct test_cert partner =
		test_cert_make((struct test_spec){ .cn = "Partner", .ca = true });
	struct test_cert thieves[] = {
		test_cert_make((struct test_spec){ .cn = "CA", .usage = CRL_SIGN }),
		test_cert_make((struct test_spec){
			.cn = "CA", .ca = true, .usage = CERT_SIGN | CRL_SIGN }),
		test_cert_make(
			(struct test_spec){ .cn = "CA", .issuer = &partner, .usage = CRL_SIGN }),
		test_cert_make((struct test_spec){ .cn = "CA",
						   .issuer = &partner,
						   .issuer_name = root.name,
						   .usage = CRL_SIGN }),
		test_cert_make(
			(struct test_spec){ .cn = "CA", .issuer = &root, .usage = CERT_SIGN }),
		test_cert_make((struct test_spec){
			.cn = "CB", .issuer = &root, .usage = CRL_SIGN, .serial = 51 }),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(thieves); i++) {
		struct revocation_store *store = make_store();
		struct test_cert copy = test_cert_make((struct test_spec){
			.cn = "CA", .issuer = &thieves[i], .ca = true, .same_key = &ca });
		struct piece list = test_crl_make((struct test_crl){
			.issuer = &thieves[i], .name = ca.name, .entries = { LISTED(77) } });

		test_issuer(store, &partner);
		test_put(store, "/p", test_crl_make((struct test_crl){ .issuer = &partner }));
		test_put(store, "/x", JOIN(pem_cert(&thieves[i]), pem_cert(&copy), pem_crl(list)));
		if (status_of(store, &revoked) != TRUST_STATUS_UNKNOWN ||
		    status_of(store, &good) != TRUST_STATUS_UNKNOWN)
			fail_msg("row %zu", i);
		/* and they do not stand in the way of who may sign */
		test_put(store, "/true", JOIN(pem_cert(&signer), pem_crl(BY_SIGNER)));
		expect(store, true);
		test_cert_done(&copy);
		revocation_store_free(store);
	}
	for (size_t i = 0; i < ARRAY_SIZE(thieves); i++)
		test_cert_done(&thieves[i]);
	test_cert_done(&partner);
}

/* From a URL a stranger may speak. */
static void test_from_stranger(void **state)
{
	struct piece file = JOIN(pem_cert(&signer), pem_crl(BY_SIGNER)), alone = pem_cert(&signer);
	struct revocation_store *store = make_store();
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);

	(void)state;
	assert_int_equal(revocation_store_add(store, "http://x/", file.p, file.n, &why), 0);
	expect(store, false);
	assert_int_equal(store->n_certs + store->n_given, 2);
	assert_int_equal(revocation_store_add(store, "http://x/", alone.p, alone.n, &why),
			 REVOCATION_E_MALFORMED);
	assert_string_equal(buf, "there is no CRL in it");
	revocation_store_free(store);
}

static struct piece many(const struct test_cert *cert, size_t n)
{
	struct piece all = NOTHING;

	for (size_t i = 0; i < n; i++)
		all = JOIN(all, pem_cert(cert));
	return all;
}

static void test_malformed(void **state)
{
	struct piece block = pem_cert(&signer);
	struct piece huge = test_pem_block("CERTIFICATE",
					   WRAP(0x30, (struct piece){ test_room(40000), 40000 }));
	struct piece cut = { signer.der.p, signer.der.n - 1 };
	const struct {
		struct piece file;
		const char *why;
	} rows[] = {
		{ test_pem_block("CERTIFICATE", BYTES("\x30\x00")),
		  "certificate 1: not a certificate" },
		{ JOIN(block, pem_crl(BY_SIGNER), test_pem_block("CERTIFICATE", cut)),
		  "certificate 2: not a certificate" },
		{ JOIN(block, BYTES("-----BEGIN CERTIFICATE-----\nAAAA\n")),
		  "certificate 2: it has no end" },
		{ BYTES("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"),
		  "certificate 1: its PEM encoding cannot be read" },
		{ huge, "certificate 1: 40004 bytes, at most 32768 are taken" },
		{ many(&signer, REVOCATION_CERTIFICATES_MAX + 1), "more than 16 certificates" },
		{ JOIN(block, test_pem_block("X509 CRL", BYTES("\x30\x00"))), "CRL 1: not a CRL" },
		{ signer.der, "not a CRL" },
		{ test_pem_block("PRIVATE KEY", BYTES("x")), "there is no CRL in it" },
	};
	struct revocation_store *store = make_store();

	(void)state;
	test_put(store, "/x", JOIN(block, pem_crl(BY_SIGNER)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[256] = "";
		struct text why = TEXT_INIT(buf);

		if (revocation_store_put(store, "/x", rows[i].file.p, rows[i].file.n, &why) !=
			    REVOCATION_E_MALFORMED ||
		    strncmp(buf, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("row %zu: %s", i, buf);
	}
	expect(store, true); /* what came before stays */
	revocation_store_free(store);
}

/* Files without end are not given room without end; what goes makes room. */
static void test_bounds(void **state)
{
	struct piece file = many(&signer, REVOCATION_CERTIFICATES_MAX);
	struct revocation_store *store = make_store();
	char name[16], buf[256] = "";
	struct text why = TEXT_INIT(buf);
	size_t i;

	(void)state;
	for (i = 0; i < STORE_GIVEN_MAX / REVOCATION_CERTIFICATES_MAX; i++) {
		snprintf(name, sizeof(name), "/%zu", i);
		test_put(store, name, file);
	}
	assert_int_equal(store->n_given, STORE_GIVEN_MAX);
	assert_int_equal(revocation_store_put(store, "/x", file.p, file.n, &why),
			 REVOCATION_E_MALFORMED);
	assert_non_null(strstr(buf, "no room"));
	revocation_store_drop(store, name);
	test_put(store, "/x", file);
	test_put(store, "/x", pem_crl(BY_SIGNER));
	assert_int_equal(store->n_given, STORE_GIVEN_MAX - REVOCATION_CERTIFICATES_MAX);
	expect(store, true);
	revocation_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),	      cmocka_unit_test(test_life),
		cmocka_unit_test(test_rollback),      cmocka_unit_test(test_stolen_name),
		cmocka_unit_test(test_from_stranger), cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
