/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A partner whose CA makes keys of another's name: they put no list of his out of force, they do
 * not take the places of his keys, and they do not cost without end.
 */

#include "revocation-testing.h"

#include <revocation/store.h>

static struct test_cert root, ca, leaf, bad_root, twin;

static int setup(void **state)
{
	(void)state;
	root = test_cert_make((struct test_spec){ .cn = "Root", .ca = true });
	ca = test_cert_make((struct test_spec){ .cn = "CA", .issuer = &root, .ca = true });
	leaf = test_cert_make((struct test_spec){ .cn = "leaf", .issuer = &ca, .serial = 77 });
	bad_root = test_cert_make((struct test_spec){ .cn = "Other", .ca = true });
	twin = test_cert_make((struct test_spec){ .cn = "CA", .issuer = &bad_root, .ca = true });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_cert_done(&root);
	test_cert_done(&ca);
	test_cert_done(&leaf);
	test_cert_done(&bad_root);
	test_cert_done(&twin);
	return 0;
}

static struct revocation_store *new_store(void)
{
	struct revocation_store *store;

	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &root);
	test_issuer(store, &bad_root);
	return store;
}

static struct store_list *first_list(struct revocation_store *store)
{
	struct store_source *source = container_of(store->sources.next, struct store_source, node);

	return container_of(source->has.lists.next, struct store_list, node);
}

static void add(struct revocation_store *store, const char *source, struct piece crl)
{
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);

	assert_int_equal(revocation_store_add(store, source, crl.p, crl.n, &why), 0);
}

/* A key found for a signature answers for the list too; its own later list is not the first's. */
static void test_second_signer(void **state)
{
	struct piece old = test_crl_make((struct test_crl){
		.issuer = &ca, .entries = { LISTED(77) }, .this_update = -5, .next_update = 90 });
	struct piece fresh = test_crl_make((struct test_crl){ .issuer = &twin });
	struct revocation_store *store = new_store();
	struct revocation_board *board;
	struct store_list *list;

	(void)state;
	test_issuer(store, &ca);
	test_issuer(store, &twin);
	add(store, "http://x/", old);
	list = first_list(store);
	assert_int_equal(list->signers.n, 1);
	list->signers.keys[list->signers.n++] = 3; /* as if twin had been made for it */
	test_put(store, "/twin", fresh);
	board = test_publish(store);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_REVOKED);
	assert_int_equal(test_lookup(board, &leaf, &twin).status, TRUST_STATUS_GOOD);
	revocation_board_unref(board);
	add(store, "http://x/", fresh);
	board = test_publish(store);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_REVOKED);
	revocation_board_unref(board);
	/* its own does */
	test_put(store, "/ca", test_crl_make((struct test_crl){ .issuer = &ca }));
	board = test_publish(store);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_GOOD);
	revocation_board_unref(board);
	revocation_store_free(store);
}

/* All places of a name taken, by keys side by side and in chains, before its owner comes. */
static void test_taken_places(void **state)
{
	struct revocation_store *store = new_store();
	struct test_cert crowd[STORE_KEYS_PER_NAME_MAX];
	struct revocation_board *board;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(crowd); i++) {
		crowd[i] = test_cert_make(
			(struct test_spec){ .cn = "CA",
					    .ca = true,
					    .issuer = i % 3 ? &crowd[i - 1] : &bad_root,
					    .pk = GNUTLS_PK_EDDSA_ED25519 });
		test_issuer(store, &crowd[i]);
	}
	assert_int_equal(store->n_keys, 2 + STORE_KEYS_PER_NAME_MAX);
	test_issuer(store, &ca);
	assert_int_equal(store->n_keys, 2 + STORE_KEYS_PER_ANCHOR_MAX + 1);
	for (size_t i = 0; i < ARRAY_SIZE(crowd); i++) {
		test_issuer(store, &crowd[i]);
		test_cert_done(&crowd[i]);
	}
	test_put(store, "/x",
		 test_crl_make((struct test_crl){ .issuer = &ca, .entries = { LISTED(77) } }));
	board = test_publish(store);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_REVOKED);
	revocation_board_unref(board);
	revocation_store_free(store);
}

/* A worker tries a few lists; siptls-fetch tries all. */
static void test_tries(void **state)
{
	struct revocation_store *store = new_store();
	struct revocation_board *board;
	char name[32];
	size_t open = 0;

	(void)state;
	for (size_t i = 0; i < 3 * BOARD_OPEN_MAX; i++) {
		struct piece uri = test_uri_name((snprintf(name, sizeof(name), "u%zu", i), name));

		add(store, i < BOARD_OPEN_MAX * 2 ? "http://x/" : (name[0] = '/', name),
		    test_crl_make((struct test_crl){
			    .issuer = &ca, .extensions = test_extension(28, true, SEQ(uri)) }));
	}
	board = test_publish(store);
	for (uint32_t i = 0; i < board->header->n_crls; i++)
		open += board->crls[i].algorithm != PROOF_NONE;
	assert_int_equal(open, 2 * BOARD_OPEN_MAX);
	assert_int_equal(revocation_board_learn(board, ca.der.p, ca.der.n), 0);
	assert_int_equal(board->n_learnt, BOARD_TRIES_MAX);
	revocation_board_unref(board);
	revocation_store_free(store);
}

/* RSA keys by their public exponent, in hex. */
static void test_exponents(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int r;
	} rows[] = {
		{ "\x03", 1, 0 },
		{ "\x01\x00\x01", 3, 0 },
		{ "\x00\xff\xff\xff\xff\xff\xff\xff\xff", 9, 0 },
		{ "\x01", 1, REVOCATION_E_MALFORMED },
		{ "\x04", 1, REVOCATION_E_MALFORMED },
		{ "\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9, REVOCATION_E_MALFORMED },
	};
	uint8_t modulus[257] = { 0, 0x80 };

	(void)state;
	modulus[256] = 1;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct piece key = SEQ(WRAP(0x02, raw(modulus, sizeof(modulus))),
				       WRAP(0x02, raw(rows[i].bytes, rows[i].n)));
		struct piece der =
			SEQ(WRAP(0xa0, integer(2)), integer(1), ECDSA_SHA256, root.name,
			    SEQ(test_time(1700000000), test_time(1800000000)), root.name,
			    SEQ(SEQ(OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), BYTES("\x05\x00")),
				WRAP(0x03, raw("", 1), key)));
		struct revocation_issuer issuer;

		der = test_sign(&root, der);
		assert_int_equal(revocation_issuer_read((struct der){ der.p, der.n }, &issuer),
				 rows[i].r);
		if (rows[i].r == 0)
			revocation_issuer_done(&issuer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_signer),
		cmocka_unit_test(test_taken_places),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_exponents),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
