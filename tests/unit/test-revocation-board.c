/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the board tells: of whom, by whose word, and what replaces what. A list answers for the
 * holder of the key that signed it, and for nobody else of the same name.
 */

#include "revocation-testing.h"

#define CERT_SIGN GNUTLS_KEY_KEY_CERT_SIGN
#define CRL_SIGN  GNUTLS_KEY_CRL_SIGN

static struct test_cert root, ca, leaf, other;

static int setup(void **state)
{
	(void)state;
	root = test_cert_make((struct test_spec){ .cn = "Root", .ca = true });
	ca = test_cert_make((struct test_spec){
		.cn = "CA", .issuer = &root, .ca = true, .usage = CERT_SIGN | CRL_SIGN });
	leaf = test_cert_make((struct test_spec){ .cn = "leaf", .issuer = &ca, .serial = 77 });
	other = test_cert_make((struct test_spec){ .cn = "other", .issuer = &ca, .serial = 200 });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_cert_done(&root);
	test_cert_done(&ca);
	test_cert_done(&leaf);
	test_cert_done(&other);
	return 0;
}

/* One list, one or no issuer: what becomes of @cert of @issuer. */
static struct trust_link ask(struct piece crl, const struct test_cert *known,
			     const struct test_cert *cert, const struct test_cert *issuer)
{
	struct revocation_store *store;
	struct revocation_board *board;
	struct trust_link link;

	assert_int_equal(revocation_store_new(&store), 0);
	if (known)
		test_issuer(store, known);
	test_put(store, "/crl", crl);
	board = test_publish(store);
	link = test_lookup(board, cert, issuer);
	revocation_board_unref(board);
	revocation_store_free(store);
	return link;
}

static struct revocation_crl_view view(struct piece crl, const struct test_cert *known)
{
	static struct revocation_board *board;
	struct revocation_crl_view ret;
	struct revocation_store *store;

	board = revocation_board_unref(board);
	if (!crl.n)
		return (struct revocation_crl_view){};
	assert_int_equal(revocation_store_new(&store), 0);
	if (known)
		test_issuer(store, known);
	test_put(store, "/crl", crl);
	board = test_publish(store);
	assert_int_equal(revocation_board_crls(board), 1);
	revocation_board_crl(board, 0, &ret);
	revocation_store_free(store);
	return ret; /* its texts are the board's, which stays until the next call */
}

#define CRL(...) test_crl_make((struct test_crl){ .issuer = &ca, __VA_ARGS__ })
#define LEAF	 .entries = { LISTED(3), LISTED_WHY(77, 1), LISTED(78) }

/* ---- what one list says ---- */

static void test_answers(void **state)
{
	struct piece crl = CRL(LEAF, .number = 9);
	struct trust_link link = ask(crl, &ca, &leaf, &ca);
	int64_t now = time_realtime_s();

	(void)state;
	assert_int_equal(link.status, TRUST_STATUS_REVOKED);
	assert_false(link.ocsp);
	assert_int_equal(link.revoked_at, 1700000000);
	assert_int_equal(link.revoked_why, 1);
	assert_in_range(link.this_update, now - 3700, now - 3500);
	assert_in_range(link.next_update, now + DAY - 100, now + DAY);
	link = ask(crl, &ca, &other, &ca);
	assert_int_equal(link.status, TRUST_STATUS_GOOD);
	assert_int_equal(link.revoked_at, 0);
	/* nobody to ask, or somebody else */
	assert_int_equal(ask(crl, NULL, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(ask(crl, &root, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(ask(crl, &ca, &leaf, &root).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(test_lookup(NULL, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	/* the times are for trust to judge */
	assert_int_equal(
		ask(CRL(LEAF, .this_update = -48, .next_update = -24), &ca, &other, &ca).status,
		TRUST_STATUS_GOOD);
	link = ask(CRL(LEAF, .this_update = 24, .next_update = 48), &ca, &other, &ca);
	assert_int_equal(link.status, TRUST_STATUS_GOOD);
	assert_true(link.this_update > now);
	assert_int_equal(ask(CRL(.no_next_update = true), &ca, &other, &ca).next_update, 0);
	/* version 1, as some CAs still issue */
	assert_int_equal(
		ask(CRL(.entries = { LISTED(77) }, .version1 = true), &ca, &leaf, &ca).status,
		TRUST_STATUS_REVOKED);
}

static void test_views(void **state)
{
	struct revocation_crl_view v = view(CRL(LEAF, .number = 200), &ca);

	(void)state;
	assert_string_equal(v.source, "/crl");
	assert_string_equal(v.issuer, "CN=CA");
	assert_string_equal(v.number, "c8");
	assert_string_equal(v.detail, "");
	assert_int_equal(v.state, REVOCATION_CRL_VERIFIED);
	assert_int_equal(v.entries, 3);
	assert_string_equal(view(CRL(.number = 1), NULL).number, "01");
	assert_int_equal(view(CRL(LEAF), NULL).state, REVOCATION_CRL_NO_ISSUER);
	assert_string_equal(view(CRL(LEAF), NULL).number, "");
	view(NOTHING, NULL);
	for (size_t i = 0; i < _REVOCATION_CRL_STATE_MAX; i++)
		assert_non_null(revocation_crl_state_names[i]);
	assert_null(revocation_crl_state_names[_REVOCATION_CRL_STATE_MAX]);
}

static void test_reasons(void **state)
{
	(void)state;
	/* on hold is refused; what was taken off the list is not on it */
	assert_int_equal(ask(CRL(.entries = { LISTED_WHY(77, 6) }), &ca, &leaf, &ca).status,
			 TRUST_STATUS_REVOKED);
	assert_int_equal(ask(CRL(.entries = { LISTED_WHY(77, 8) }), &ca, &leaf, &ca).status,
			 TRUST_STATUS_GOOD);
	assert_int_equal(ask(CRL(.entries = { LISTED_WHY(77, 8), LISTED_WHY(77, 1) }), &ca, &leaf,
			     &ca)
				 .status,
			 TRUST_STATUS_REVOKED);
}

/* ---- whose word it is ---- */

static void test_signatures(void **state)
{
	struct test_cert twin =
		test_cert_make((struct test_spec){ .cn = "CA", .issuer = &root, .ca = true });
	struct test_cert no_crl = test_cert_make((struct test_spec){
		.cn = "CA", .issuer = &root, .ca = true, .usage = CERT_SIGN, .same_key = &ca });
	struct piece crl = CRL(LEAF), broken = crl;

	(void)state;
	((uint8_t *)(uintptr_t)broken.p)[broken.n - 1] ^= 1;
	assert_int_equal(ask(broken, &ca, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(view(broken, &ca).state, REVOCATION_CRL_BAD_SIGNATURE);
	crl = CRL(LEAF);
	/* another CA that has the name, or took it */
	assert_int_equal(ask(crl, &twin, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(ask(crl, &twin, &leaf, &twin).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(view(crl, &twin).state, REVOCATION_CRL_BAD_SIGNATURE);
	assert_int_equal(ask(CRL(LEAF, .signer = &twin), &ca, &leaf, &ca).status,
			 TRUST_STATUS_UNKNOWN);
	/* its keyUsage does not allow it */
	assert_int_equal(ask(crl, &no_crl, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(view(crl, &no_crl).state, REVOCATION_CRL_NO_ISSUER);
	assert_string_not_equal(view(crl, &no_crl).detail, "");
	view(NOTHING, NULL);
	test_cert_done(&twin);
	test_cert_done(&no_crl);
}

static void test_algorithms(void **state)
{
	struct test_cert rsa =
		test_cert_make((struct test_spec){ .cn = "RSA", .ca = true, .pk = GNUTLS_PK_RSA });
	struct test_cert ed = test_cert_make(
		(struct test_spec){ .cn = "Ed", .ca = true, .pk = GNUTLS_PK_EDDSA_ED25519 });
	struct piece sha1 = SEQ(OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), BYTES("\x05\x00"));
	struct test_crl spec = { .issuer = &rsa, .entries = { LISTED(77) } };
	struct piece crl;

	(void)state;
	assert_int_equal(ask(test_crl_make(spec), &rsa, &leaf, &rsa).status, TRUST_STATUS_REVOKED);
	spec.algorithm = RSA_PSS_SHA256;
	spec.sign = GNUTLS_SIGN_RSA_PSS_SHA256;
	crl = test_crl_make(spec);
	assert_int_equal(ask(crl, &rsa, &leaf, &rsa).status, TRUST_STATUS_REVOKED);
	spec.algorithm = sha1;
	spec.sign = GNUTLS_SIGN_RSA_SHA1;
	crl = test_crl_make(spec);
	assert_int_equal(ask(crl, &rsa, &leaf, &rsa).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(view(crl, &rsa).state, REVOCATION_CRL_UNSUPPORTED);
	assert_string_equal(view(crl, &rsa).detail, "signed with SHA-1");
	spec = (struct test_crl){ .issuer = &ed, .entries = { LISTED(77) } };
	crl = test_crl_make(spec);
	assert_int_equal(ask(crl, &ed, &leaf, &ed).status, TRUST_STATUS_REVOKED);
	((uint8_t *)(uintptr_t)crl.p)[20] ^= 1;
	view(NOTHING, NULL);
	test_cert_done(&rsa);
	test_cert_done(&ed);
}

/* RFC 5280 7.1: spelling, case and spaces of a name are of no account, its key is. */
static void test_names(void **state)
{
	static const struct {
		uint8_t tag;
		const char *cn;
		enum trust_status status;
	} rows[] = {
		{ 0x0c, "CA", TRUST_STATUS_REVOKED },  { 0x13, "CA", TRUST_STATUS_REVOKED },
		{ 0x13, "ca", TRUST_STATUS_REVOKED },  { 0x0c, " cA  ", TRUST_STATUS_REVOKED },
		{ 0x0c, "C A", TRUST_STATUS_UNKNOWN }, { 0x0c, "CB", TRUST_STATUS_UNKNOWN },
		{ 0x14, "CA", TRUST_STATUS_UNKNOWN },
	};
	struct piece a = SEQ(WRAP(0x31, SEQ(OID("\x55\x04\x03"), WRAP(0x13, BYTES("x y"))),
				  SEQ(OID("\x55\x04\x0a"), WRAP(0x13, BYTES("b")))));
	struct piece b = SEQ(WRAP(0x31, SEQ(OID("\x55\x04\x0a"), WRAP(0x0c, BYTES("B"))),
				  SEQ(OID("\x55\x04\x03"), WRAP(0x0c, BYTES("X  Y")))));
	struct test_cert multi = test_cert_make((struct test_spec){ .name = a, .ca = true });

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct piece crl = CRL(LEAF, .name = test_name(rows[i].tag, rows[i].cn));

		if (ask(crl, &ca, &leaf, &ca).status != rows[i].status)
			fail_msg("row %zu", i);
	}
	/* a relative name of two attributes, in either order */
	assert_int_equal(ask(test_crl_make((struct test_crl){
				     .issuer = &multi, .name = b, .entries = { LISTED(77) } }),
			     &multi, &leaf, &multi)
				 .status,
			 TRUST_STATUS_REVOKED);
	test_cert_done(&multi);
}

/* ---- another key of the same name ---- */

struct family {
	struct revocation_store *store;
	struct revocation_board *board;
	struct trust_facts facts;
	struct trust_certificate certs[4];
	struct trust_path path;
};

static void family_init(struct family *f)
{
	*f = (struct family){};
	assert_int_equal(revocation_store_new(&f->store), 0);
}

/* The links of the path @chain (leaf first), whose last is the anchor; up to 5 certificates. */
static void family_ask(struct family *f, const struct test_cert *const chain[])
{
	static char text[] = "anchor";
	size_t n = 0;

	f->board = revocation_board_unref(f->board);
	f->board = test_publish(f->store);
	f->path = (struct trust_path){ .anchor_subject = text };
	for (; chain[n + 1]; n++) {
		f->certs[n] = chain[n]->facts;
		f->path.certs[n] = (uint8_t)n;
	}
	f->path.n_certs = (uint8_t)n;
	memcpy(f->path.anchor_id, chain[n]->id, TRUST_ID_SIZE);
	f->facts = (struct trust_facts){
		.certs = f->certs, .n_certs = n, .paths = &f->path, .n_paths = 1
	};
	revocation_facts_fill(f->board, &f->facts);
}

static void family_done(struct family *f)
{
	revocation_board_unref(f->board);
	revocation_store_free(f->store);
}

#define CHAIN(...) ((const struct test_cert *const[]){ __VA_ARGS__, NULL })

/* The parent certified a key for certificates and one for lists, by one name. */
static void test_separate_keys(void **state)
{
	struct test_cert sign = test_cert_make(
		(struct test_spec){ .cn = "Two", .issuer = &root, .ca = true, .usage = CERT_SIGN });
	struct test_cert lists = test_cert_make((struct test_spec){
		.cn = "Two", .issuer = &root, .usage = CRL_SIGN, .serial = 50 });
	struct test_cert end =
		test_cert_make((struct test_spec){ .cn = "end", .issuer = &sign, .serial = 77 });
	struct test_cert good =
		test_cert_make((struct test_spec){ .cn = "good", .issuer = &sign, .serial = 79 });
	struct piece crl = test_crl_make((struct test_crl){ .issuer = &lists, LEAF });
	struct family f;

	(void)state;
	family_init(&f);
	test_issuer(f.store, &root);
	test_issuer(f.store, &sign);
	test_put(f.store, "/two", crl);
	family_ask(&f, CHAIN(&good, &sign, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_UNKNOWN);
	test_issuer(f.store, &lists);
	/* nothing is known of the certificate that signed the list: a revocation counts, good not
	 */
	family_ask(&f, CHAIN(&good, &sign, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_UNKNOWN);
	family_ask(&f, CHAIN(&end, &sign, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_REVOKED);
	test_put(f.store, "/root", test_crl_make((struct test_crl){ .issuer = &root }));
	family_ask(&f, CHAIN(&good, &sign, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_GOOD);
	assert_int_equal(f.path.links[1].status, TRUST_STATUS_GOOD);
	/* only on a path under that parent */
	assert_int_equal(test_lookup(f.board, &good, &sign).status, TRUST_STATUS_UNKNOWN);
	family_ask(&f, CHAIN(&good, &sign, &ca));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_UNKNOWN);
	/* the signer is revoked */
	test_put(f.store, "/root",
		 test_crl_make((struct test_crl){ .issuer = &root,
						  .this_update = 0,
						  .next_update = 9,
						  .entries = { LISTED(50) } }));
	family_ask(&f, CHAIN(&end, &sign, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(f.path.links[1].status, TRUST_STATUS_GOOD);
	family_done(&f);
	test_cert_done(&sign);
	test_cert_done(&lists);
	test_cert_done(&end);
	test_cert_done(&good);
}

/* RFC 4210 4.4: the new key is certified by the old one, the old one by the new one. */
static void test_rollover(void **state)
{
	struct test_cert old =
		test_cert_make((struct test_spec){ .cn = "Roll", .issuer = &root, .ca = true });
	struct test_cert new_under_root =
		test_cert_make((struct test_spec){ .cn = "Roll", .issuer = &root, .ca = true });
	struct test_cert old_with_new = test_cert_make((struct test_spec){
		.cn = "Roll", .issuer = &new_under_root, .ca = true, .same_key = &old });
	struct test_cert new_with_old =
		test_cert_make((struct test_spec){ .cn = "Roll",
						   .issuer = &old,
						   .ca = true,
						   .same_key = &new_under_root,
						   .serial = 60 });
	struct test_cert end =
		test_cert_make((struct test_spec){ .cn = "end", .issuer = &old, .serial = 77 });
	struct test_cert good =
		test_cert_make((struct test_spec){ .cn = "good", .issuer = &old, .serial = 79 });
	struct family f;

	(void)state;
	/* the new key lists what the old one issued; on the path it stands above the old one */
	family_init(&f);
	test_issuer(f.store, &new_under_root);
	test_issuer(f.store, &old_with_new);
	test_put(f.store, "/new",
		 test_crl_make((struct test_crl){ .issuer = &new_under_root, LEAF }));
	family_ask(&f, CHAIN(&good, &old_with_new, &new_under_root, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_GOOD);
	assert_int_equal(f.path.links[1].status, TRUST_STATUS_GOOD);
	family_ask(&f, CHAIN(&end, &old_with_new, &new_under_root, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_REVOKED);
	/* not where it does not */
	family_ask(&f, CHAIN(&good, &old, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_UNKNOWN);
	family_done(&f);
	/* the old key certified the new one as itself: that holds on every path */
	family_init(&f);
	test_issuer(f.store, &old);
	test_issuer(f.store, &new_with_old);
	test_put(f.store, "/new",
		 test_crl_make((struct test_crl){ .issuer = &new_with_old, LEAF }));
	family_ask(&f, CHAIN(&end, &old, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_REVOKED);
	family_ask(&f, CHAIN(&good, &old, &root)); /* of new_with_old itself nothing is known */
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_UNKNOWN);
	test_put(f.store, "/old", test_crl_make((struct test_crl){ .issuer = &old }));
	family_ask(&f, CHAIN(&good, &old, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_GOOD);
	family_done(&f);
	test_cert_done(&old);
	test_cert_done(&new_under_root);
	test_cert_done(&old_with_new);
	test_cert_done(&new_with_old);
	test_cert_done(&end);
	test_cert_done(&good);
}

/*
 * A partner's CA makes certificates of the victim's name: for its own key, and for the victim's
 * public key, under itself and under itself by the victim's name. Its lists must not tell anything
 * of the victim's certificates on the victim's paths.
 */
static void test_stolen_name(void **state)
{
	struct test_cert partner =
		test_cert_make((struct test_spec){ .cn = "Partner", .ca = true });
	struct test_cert impostor =
		test_cert_make((struct test_spec){ .cn = "CA", .issuer = &partner, .ca = true });
	struct test_cert anchor = test_cert_make((struct test_spec){ .cn = "CA", .ca = true });
	struct test_cert copies[] = {
		test_cert_make((struct test_spec){
			.cn = "CA", .issuer = &partner, .ca = true, .same_key = &ca }),
		test_cert_make((struct test_spec){
			.cn = "CA", .issuer = &impostor, .ca = true, .same_key = &ca }),
		test_cert_make((struct test_spec){
			.cn = "CA", .issuer = &anchor, .ca = true, .same_key = &ca }),
		test_cert_make((struct test_spec){ .cn = "CA",
						   .issuer = &impostor,
						   .issuer_name = root.name,
						   .ca = true,
						   .same_key = &ca }),
	};
	const struct test_cert *const signers[] = { &impostor, &anchor, &partner };
	struct family f;

	(void)state;
	family_init(&f);
	test_issuer(f.store, &partner);
	test_issuer(f.store, &anchor);
	test_issuer(f.store, &impostor);
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++)
		test_issuer(f.store, &copies[i]);
	test_issuer(f.store, &ca);
	test_issuer(f.store, &root);
	for (size_t i = 0; i < ARRAY_SIZE(signers); i++) {
		char name[16];

		snprintf(name, sizeof(name), "/%zu", i);
		test_put(f.store, name,
			 test_crl_make((struct test_crl){ .issuer = signers[i], .name = ca.name }));
		snprintf(name, sizeof(name), "/own%zu", i);
		test_put(f.store, name, test_crl_make((struct test_crl){ .issuer = signers[i] }));
	}
	family_ask(&f, CHAIN(&leaf, &ca, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(f.path.links[1].status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(test_lookup(f.board, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	/* the victim's own word counts, whoever came before */
	test_put(f.store, "/true", CRL(LEAF));
	family_ask(&f, CHAIN(&leaf, &ca, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_REVOKED);
	family_ask(&f, CHAIN(&other, &ca, &root));
	assert_int_equal(f.path.links[0].status, TRUST_STATUS_GOOD);
	/* and what the impostor says it may say of its own */
	assert_int_equal(test_lookup(f.board, &other, &impostor).status, TRUST_STATUS_GOOD);
	family_done(&f);
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++)
		test_cert_done(&copies[i]);
	test_cert_done(&partner);
	test_cert_done(&impostor);
	test_cert_done(&anchor);
}

/* ---- scope ---- */

#define POINT(...) .extensions = test_extension(28, true, SEQ(__VA_ARGS__))
#define URI_A	   "http://crl.example/a"
#define URI_B	   "http://crl.example/b"

static void test_scopes(void **state)
{
	struct test_cert in_a = test_cert_make(
		(struct test_spec){ .cn = "a", .issuer = &ca, .serial = 77, .uri = URI_A });
	struct test_cert sub =
		test_cert_make((struct test_spec){ .cn = "sub", .issuer = &ca, .ca = true });
	const struct {
		struct piece crl;
		enum trust_status leaf, in_a, sub;
	} rows[] = {
		{ CRL(POINT(test_uri_name(URI_A))), TRUST_STATUS_UNKNOWN, TRUST_STATUS_GOOD,
		  TRUST_STATUS_UNKNOWN },
		{ CRL(POINT(test_uri_name(URI_B))), TRUST_STATUS_UNKNOWN, TRUST_STATUS_UNKNOWN,
		  TRUST_STATUS_UNKNOWN },
		{ CRL(POINT(WRAP(0xa0,
				 WRAP(0xa0, WRAP(0x86, BYTES(URI_B)), WRAP(0x86, BYTES(URI_A)))))),
		  TRUST_STATUS_UNKNOWN, TRUST_STATUS_GOOD, TRUST_STATUS_UNKNOWN },
		/* the same bytes as another kind of name */
		{ CRL(POINT(WRAP(0xa0, WRAP(0xa0, WRAP(0x82, BYTES(URI_A)))))),
		  TRUST_STATUS_UNKNOWN, TRUST_STATUS_UNKNOWN, TRUST_STATUS_UNKNOWN },
		{ CRL(POINT(BYTES("\x81\x01\xff"))), TRUST_STATUS_GOOD, TRUST_STATUS_GOOD,
		  TRUST_STATUS_UNKNOWN },
		{ CRL(POINT(BYTES("\x82\x01\xff"))), TRUST_STATUS_UNKNOWN, TRUST_STATUS_UNKNOWN,
		  TRUST_STATUS_GOOD },
		{ CRL(POINT(BYTES("\x85\x01\xff"))), TRUST_STATUS_UNKNOWN, TRUST_STATUS_UNKNOWN,
		  TRUST_STATUS_UNKNOWN },
		{ CRL(POINT(BYTES("\x81\x01\x00\x85\x01\x00"))), TRUST_STATUS_GOOD,
		  TRUST_STATUS_GOOD, TRUST_STATUS_GOOD },
		{ CRL(POINT(test_uri_name(URI_A), BYTES("\x82\x01\xff"))), TRUST_STATUS_UNKNOWN,
		  TRUST_STATUS_UNKNOWN, TRUST_STATUS_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (ask(rows[i].crl, &ca, &leaf, &ca).status != rows[i].leaf ||
		    ask(rows[i].crl, &ca, &in_a, &ca).status != rows[i].in_a ||
		    ask(rows[i].crl, &ca, &sub, &ca).status != rows[i].sub)
			fail_msg("row %zu", i);
	}
	test_cert_done(&in_a);
	test_cert_done(&sub);
}

/* A certificate whose list is partitioned: what one part says is not undone by another. */
static void test_partitions(void **state)
{
	struct test_cert in_a = test_cert_make(
		(struct test_spec){ .cn = "a", .issuer = &ca, .serial = 77, .uri = URI_A });
	struct revocation_store *store;
	struct revocation_board *board;
	struct revocation_crl_view v;
	struct trust_link link;
	uint32_t crl;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &ca);
	test_put(store, "/a",
		 CRL(POINT(test_uri_name(URI_A)), LEAF, .this_update = -9, .next_update = 9));
	test_put(store, "/b",
		 CRL(POINT(test_uri_name(URI_B)), .this_update = -3, .next_update = 9));
	test_put(store, "/all", CRL(.this_update = -5, .next_update = 9));
	board = test_publish(store);
	revocation_board_lookup(board, &in_a.facts, ca.id, &link, &crl);
	assert_int_equal(link.status, TRUST_STATUS_REVOKED);
	revocation_board_crl(board, crl, &v);
	assert_string_equal(v.source, "/a");
	/* without one: only the list for all */
	revocation_board_lookup(board, &leaf.facts, ca.id, &link, &crl);
	assert_int_equal(link.status, TRUST_STATUS_GOOD);
	revocation_board_crl(board, crl, &v);
	assert_string_equal(v.source, "/all");
	revocation_board_unref(board);
	revocation_store_free(store);
	test_cert_done(&in_a);
}

/* Delta CRLs and those for some reasons say what is revoked, never that something is not. */
static void test_partial(void **state)
{
	const struct piece rows[] = {
		CRL(LEAF, .extensions = test_extension(27, true, integer(1))),
		CRL(LEAF, POINT(BYTES("\x83\x02\x06\x40"))),
		CRL(LEAF, POINT(BYTES("\x83\x03\x07\x40\x80"))),
	};
	struct revocation_store *store;
	struct revocation_board *board;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &ca);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char name[] = { '/', (char)('0' + i), 0 };

		assert_int_equal(ask(rows[i], &ca, &leaf, &ca).status, TRUST_STATUS_REVOKED);
		assert_int_equal(ask(rows[i], &ca, &other, &ca).status, TRUST_STATUS_UNSUPPORTED);
		assert_int_equal(view(rows[i], &ca).state, REVOCATION_CRL_UNSUPPORTED);
		test_put(store, name, rows[i]);
	}
	test_put(store, "/plain", CRL(.this_update = -9, .next_update = 1));
	board = test_publish(store);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_REVOKED);
	assert_int_equal(test_lookup(board, &other, &ca).status, TRUST_STATUS_GOOD);
	/* none took the place of another */
	for (uint32_t i = 0; i < revocation_board_crls(board); i++)
		assert_int_equal(board->crls[i].n, i < ARRAY_SIZE(rows) ? 3 : 0);
	revocation_board_unref(board);
	revocation_store_free(store);
	view(NOTHING, NULL);
}

static void test_unsupported(void **state)
{
	struct piece unknown =
		SEQ(OID("\x2a\x03\x04"), BYTES("\x01\x01\xff"), WRAP(0x04, BYTES("\x05\x00")));
	const struct piece rows[] = {
		CRL(LEAF, .extensions = unknown),
		CRL(LEAF, POINT(BYTES("\x84\x01\xff"))),
		CRL(LEAF, POINT(WRAP(0xa0, WRAP(0xa1, SEQ(OID("\x55\x04\x03"),
							  WRAP(0x0c, BYTES("x"))))))),
		CRL(.entries = { { .serial = 77, .extension = unknown } }),
		CRL(.entries = { { .serial = 77,
				   .extension = test_extension(29, true, SEQ(BYTES(""))) } }),
		CRL(.entries = { { .serial = 77,
				   .extension = test_extension(29, false, SEQ(BYTES(""))) } }),
	};
	struct revocation_store *store;
	struct revocation_board *board;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct revocation_crl_view v = view(rows[i], &ca);

		if (v.state != REVOCATION_CRL_UNSUPPORTED || !v.detail[0] ||
		    ask(rows[i], &ca, &leaf, &ca).status != TRUST_STATUS_UNSUPPORTED ||
		    ask(rows[i], NULL, &leaf, &ca).status != TRUST_STATUS_UNKNOWN)
			fail_msg("row %zu", i);
		/* one that can be evaluated is enough, even if it is older */
		assert_int_equal(revocation_store_new(&store), 0);
		test_issuer(store, &ca);
		test_put(store, "/odd", rows[i]);
		test_put(store, "/plain", CRL(.this_update = -9, .next_update = 1));
		board = test_publish(store);
		assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_GOOD);
		revocation_board_unref(board);
		revocation_store_free(store);
	}
	view(NOTHING, NULL);
	/* not critical, and of no account */
	assert_int_equal(ask(CRL(LEAF,
				 .extensions = SEQ(OID("\x2a\x03\x04"), WRAP(0x04, BYTES("x")))),
			     &ca, &leaf, &ca)
				 .status,
			 TRUST_STATUS_REVOKED);
}

/* ---- what replaces what ---- */

static enum trust_status status_of(struct revocation_store *store, const struct test_cert *cert)
{
	struct revocation_board *board = test_publish(store);
	enum trust_status status = test_lookup(board, cert, &ca).status;

	revocation_board_unref(board);
	return status;
}

static void test_rollback(void **state)
{
	struct piece old = CRL(.this_update = -9, .next_update = 9, .number = 3);
	struct piece revoked = CRL(LEAF, .this_update = -5, .next_update = 9, .number = 4);
	struct piece lifted = CRL(.this_update = -5, .next_update = 9, .number = 5);
	struct revocation_store *store;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &ca);
	test_put(store, "/x", old);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_GOOD);
	test_put(store, "/x", revoked);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	test_put(store, "/x", old); /* neither from the same source */
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	test_put(store, "/y", old); /* nor from another one */
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	test_put(store, "/x", lifted); /* same time, higher number */
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_GOOD);
	test_put(store, "/x", revoked);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_GOOD);
	revocation_store_drop(store, "/x");
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_GOOD);
	revocation_store_drop(store, "/y");
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_UNKNOWN);
	revocation_store_drop(store, "/y");
	/* also while the issuer is not known */
	revocation_store_clear_issuers(store);
	test_put(store, "/x", revoked);
	test_put(store, "/x", old);
	test_issuer(store, &ca);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	revocation_store_free(store);
}

/* What carries the name but not the signature neither replaces nor keeps out. */
static void test_forged_newer(void **state)
{
	struct test_cert twin = test_cert_make((struct test_spec){ .cn = "CA", .ca = true });
	struct piece forged = CRL(.signer = &twin, .this_update = 48, .next_update = 96);
	struct piece revoked = CRL(LEAF);
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	struct revocation_store *store;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &ca);
	test_put(store, "/x", revoked);
	test_put(store, "/y", forged);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	test_put(store, "/y", CRL(LEAF));
	revocation_store_drop(store, "/x");
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	/* nor before the issuer is known */
	revocation_store_drop(store, "/y");
	revocation_store_clear_issuers(store);
	test_put(store, "/x", forged);
	test_put(store, "/x", revoked);
	test_issuer(store, &ca);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	/* a list that cannot be read changes nothing */
	assert_int_equal(revocation_store_put(store, "/x", "junk", 4, &why),
			 REVOCATION_E_MALFORMED);
	assert_string_not_equal(buf, "");
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	/* the configuration is read anew: what is known is verified anew */
	revocation_store_clear_issuers(store);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_UNKNOWN);
	test_issuer(store, &twin);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_UNKNOWN);
	test_issuer(store, &ca);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	revocation_store_free(store);
	test_cert_done(&twin);
}

/* The certificate that allows it comes after one that does not. */
static void test_late_usage(void **state)
{
	struct test_cert before = test_cert_make((struct test_spec){
		.cn = "CA", .issuer = &root, .ca = true, .usage = CERT_SIGN, .same_key = &ca });
	struct revocation_store *store;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &before);
	test_put(store, "/x", CRL(LEAF));
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_UNKNOWN);
	test_issuer(store, &ca);
	test_issuer(store, &ca);
	assert_int_equal(status_of(store, &leaf), TRUST_STATUS_REVOKED);
	revocation_store_free(store);
	test_cert_done(&before);
}

static struct piece pem(struct piece der)
{
	return test_pem_block("X509 CRL", der);
}

static void test_pem(void **state)
{
	struct piece root_crl = test_crl_make((struct test_crl){ .issuer = &root });
	struct piece both =
		JOIN(BYTES("0 some words\n"), pem(CRL(LEAF)), BYTES("\nand more\n"), pem(root_crl));
	const struct piece bad[] = {
		BYTES(""),
		BYTES("words\n"),
		JOIN(pem(root_crl), BYTES("-----BEGIN X509 CRL-----\nAAAA\n")),
		JOIN(pem(root_crl),
		     BYTES("-----BEGIN X509 CRL-----\n!!\n-----END X509 CRL-----\n")),
		JOIN(pem(root_crl), pem(BYTES("\x30\x00"))),
		JOIN(root_crl, BYTES("\n")),
		JOIN(root_crl, root_crl),
	};
	struct revocation_store *store;
	struct revocation_board *board;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &ca);
	test_issuer(store, &root);
	test_put(store, "/both", both);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char buf[256] = "";
		struct text why = TEXT_INIT(buf);

		if (revocation_store_put(store, "/both", bad[i].p, bad[i].n, &why) !=
			    REVOCATION_E_MALFORMED ||
		    !buf[0])
			fail_msg("row %zu", i);
	}
	board = test_publish(store);
	assert_int_equal(revocation_board_crls(board), 2);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_REVOKED);
	assert_int_equal(test_lookup(board, &ca, &root).status, TRUST_STATUS_GOOD);
	revocation_board_unref(board);
	revocation_store_free(store);
}

/* ---- a list made by the library, as a check on our own making ---- */

static void test_library_crl(void **state)
{
	gnutls_x509_crt_t crt;
	gnutls_x509_crl_t crl;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der = { (unsigned char *)(uintptr_t)ca.der.p, (unsigned int)ca.der.n };
	uint8_t serial = 77;

	(void)state;
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(gnutls_privkey_export_x509(ca.key, &key), 0);
	assert_int_equal(gnutls_x509_crl_init(&crl), 0);
	gnutls_x509_crl_set_version(crl, 2);
	gnutls_x509_crl_set_this_update(crl, time(NULL) - 60);
	gnutls_x509_crl_set_next_update(crl, time(NULL) + 60);
	gnutls_x509_crl_set_number(crl, &serial, 1);
	gnutls_x509_crl_set_crt_serial(crl, &serial, 1, time(NULL));
	assert_int_equal(gnutls_x509_crl_sign2(crl, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(ask(test_datum(der), &ca, &leaf, &ca).status, TRUST_STATUS_REVOKED);
	gnutls_x509_crl_deinit(crl);
	gnutls_x509_privkey_deinit(key);
	gnutls_x509_crt_deinit(crt);
}

/* ---- learning ---- */

static void test_learn(void **state)
{
	struct test_cert twin = test_cert_make((struct test_spec){ .cn = "CA", .ca = true });
	struct test_cert ed = test_cert_make(
		(struct test_spec){ .cn = "Ed", .ca = true, .pk = GNUTLS_PK_EDDSA_ED25519 });
	struct revocation_store *store;
	struct revocation_board *board;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &root);
	test_put(store, "/x", CRL(LEAF));
	test_put(store, "/ed", test_crl_make((struct test_crl){ .issuer = &ed, LEAF }));
	test_put(store, "/odd", CRL(.extensions = test_extension(27, true, integer(1))));
	board = test_publish(store);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	/* the right name is not enough, and no bytes do harm */
	assert_int_equal(revocation_board_learn(board, twin.der.p, twin.der.n), 0);
	assert_int_equal(revocation_board_learn(board, "x", 1), 0);
	assert_int_equal(revocation_board_learn(board, ca.der.p, ca.der.n - 1), 0);
	assert_int_equal(revocation_board_learn(NULL, ca.der.p, ca.der.n), 0);
	assert_int_equal(test_lookup(board, &leaf, &twin).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_UNKNOWN);
	for (int i = 0; i < 3; i++)
		assert_int_equal(revocation_board_learn(board, ca.der.p, ca.der.n), 0);
	assert_int_equal(board->n_learnt, 2);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_REVOKED);
	assert_int_equal(test_lookup(board, &other, &ca).status, TRUST_STATUS_GOOD);
	assert_int_equal(test_lookup(board, &leaf, &ed).status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(revocation_board_learn(board, ed.der.p, ed.der.n), 0);
	assert_int_equal(test_lookup(board, &leaf, &ed).status, TRUST_STATUS_REVOKED);
	assert_int_equal(revocation_board_number(board), 1);
	revocation_board_unref(board);
	/* and the store itself, later */
	test_issuer(store, &ca);
	board = test_publish(store);
	assert_int_equal(revocation_board_number(board), 2);
	assert_int_equal(test_lookup(board, &leaf, &ca).status, TRUST_STATUS_REVOKED);
	revocation_board_unref(board);
	revocation_store_free(store);
	test_cert_done(&twin);
	test_cert_done(&ed);
}

/* ---- staples in facts ---- */

static void test_staple_or_list(void **state)
{
	static const struct {
		enum trust_status list, staple;
		int list_why, list_at, staple_at;
		enum trust_status status;
		bool ocsp;
	} rows[] = {
		{ TRUST_STATUS_GOOD, TRUST_STATUS_UNKNOWN, 0, -5, 0, TRUST_STATUS_GOOD, false },
		{ TRUST_STATUS_UNKNOWN, TRUST_STATUS_GOOD, 0, 0, -90, TRUST_STATUS_GOOD, true },
		{ TRUST_STATUS_GOOD, TRUST_STATUS_GOOD, 0, -5, -6, TRUST_STATUS_GOOD, false },
		{ TRUST_STATUS_GOOD, TRUST_STATUS_GOOD, 0, -5, -4, TRUST_STATUS_GOOD, true },
		{ TRUST_STATUS_GOOD, TRUST_STATUS_REVOKED, 0, -5, -9, TRUST_STATUS_REVOKED, true },
		{ TRUST_STATUS_REVOKED, TRUST_STATUS_GOOD, 1, -5, -4, TRUST_STATUS_REVOKED, false },
		{ TRUST_STATUS_REVOKED, TRUST_STATUS_GOOD, 6, -5, -4, TRUST_STATUS_GOOD, true },
		{ TRUST_STATUS_REVOKED, TRUST_STATUS_GOOD, 6, -5, -6, TRUST_STATUS_REVOKED, false },
		{ TRUST_STATUS_REVOKED, TRUST_STATUS_UNKNOWN, 1, -5, -4, TRUST_STATUS_REVOKED,
		  false },
	};
	int64_t now = time_realtime_s();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct test_crl spec = { .issuer = &ca,
					 .this_update = rows[i].list_at,
					 .next_update = 9 };
		struct trust_link *link;
		struct family f;

		family_init(&f);
		test_issuer(f.store, &ca);
		if (rows[i].list == TRUST_STATUS_REVOKED)
			spec.entries[0] = (struct test_entry){ .serial = 77,
							       .reason = (uint8_t)rows[i].list_why,
							       .extended = true };
		if (rows[i].list != TRUST_STATUS_UNKNOWN)
			test_put(f.store, "/x", test_crl_make(spec));
		family_ask(&f, CHAIN(&leaf, &ca, &root));
		f.facts.staple =
			(struct trust_link){ .status = rows[i].staple,
					     .ocsp = true,
					     .this_update = now + 3600 * rows[i].staple_at };
		revocation_facts_fill(f.board, &f.facts);
		link = &f.path.links[0];
		if (link->status != rows[i].status || link->ocsp != rows[i].ocsp)
			fail_msg("row %zu", i);
		/* it is about the leaf alone; and without a board it is all there is */
		assert_int_equal(f.path.links[1].status, TRUST_STATUS_UNKNOWN);
		revocation_facts_fill(NULL, &f.facts);
		assert_int_equal(link->status, rows[i].staple);
		family_done(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),	      cmocka_unit_test(test_views),
		cmocka_unit_test(test_reasons),	      cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_algorithms),    cmocka_unit_test(test_names),
		cmocka_unit_test(test_separate_keys), cmocka_unit_test(test_rollover),
		cmocka_unit_test(test_stolen_name),   cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_partitions),    cmocka_unit_test(test_partial),
		cmocka_unit_test(test_unsupported),   cmocka_unit_test(test_rollback),
		cmocka_unit_test(test_forged_newer),  cmocka_unit_test(test_late_usage),
		cmocka_unit_test(test_pem),	      cmocka_unit_test(test_library_crl),
		cmocka_unit_test(test_learn),	      cmocka_unit_test(test_staple_or_list),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
