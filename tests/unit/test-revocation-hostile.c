/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lists that strangers publish and boards from a process that read them: whatever the bytes are,
 * nothing is read out of bounds, and nothing is believed that is not signed.
 */

#include "revocation-testing.h"

#include <revocation/crl.h>
#include <revocation/store.h>
#include <sys/mman.h>

static struct test_cert root, ca, lists, leaf;

static int setup(void **state)
{
	(void)state;
	root = test_cert_make((struct test_spec){ .cn = "Root", .ca = true });
	ca = test_cert_make((struct test_spec){
		.cn = "CA", .issuer = &root, .ca = true, .usage = GNUTLS_KEY_KEY_CERT_SIGN });
	lists = test_cert_make((struct test_spec){
		.cn = "CA", .issuer = &root, .usage = GNUTLS_KEY_CRL_SIGN, .serial = 50 });
	leaf = test_cert_make((struct test_spec){
		.cn = "leaf", .issuer = &ca, .serial = 77, .uri = "http://crl.example/a" });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_cert_done(&root);
	test_cert_done(&ca);
	test_cert_done(&lists);
	test_cert_done(&leaf);
	return 0;
}

/* ---- lists ---- */

static int read_crl(struct piece crl)
{
	struct revocation_crl ret;
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	int r;

	r = revocation_crl_read((struct der){ crl.p, crl.n }, &ret, &why);
	if (r == 0)
		revocation_crl_done(&ret);
	else
		assert_string_not_equal(buf, "");
	return r;
}

/* A list without its signature being of anybody: SEQUENCE { tbs, algorithm, signature }. */
static struct piece bare(struct piece tbs)
{
	return SEQ(tbs, ECDSA_SHA256, BYTES("\x03\x02\x00\x00"));
}

#define HEAD		 integer(1), ECDSA_SHA256, test_name(0x0c, "CA")
#define NOW		 test_time(1700000000)
#define LATER		 test_time(1800000000)
#define TIME(tag, text)	 WRAP(tag, BYTES(text))
#define ENTRY(...)	 SEQ(SEQ(__VA_ARGS__))
#define EXTENSIONS(...)	 WRAP(0xa0, SEQ(__VA_ARGS__))
#define NUMBER(contents) test_extension(20, false, WRAP(0x02, contents))

static void test_malformed(void **state)
{
	const struct piece good[] = {
		SEQ(HEAD, NOW),
		SEQ(HEAD, NOW, LATER),
		SEQ(HEAD, TIME(0x17, "500101000000Z"), TIME(0x17, "491231235959Z")),
		SEQ(HEAD, TIME(0x18, "20240229000000Z")),
		SEQ(HEAD, NOW, LATER, ENTRY(integer(1), NOW), EXTENSIONS(NUMBER(BYTES("\x05")))),
		SEQ(HEAD, NOW, ENTRY(WRAP(0x02, BYTES("\xff")), NOW)),
		SEQ(ECDSA_SHA256, test_name(0x0c, "CA"), NOW), /* version 1 */
		SEQ(HEAD, NOW, EXTENSIONS(NUMBER(BYTES("\x00")))),
		SEQ(HEAD, NOW, EXTENSIONS(test_extension(28, true, SEQ(NOTHING)))),
	};
	const struct piece bad[] = {
		SEQ(integer(0), ECDSA_SHA256, test_name(0x0c, "CA"), NOW),
		SEQ(integer(2), ECDSA_SHA256, test_name(0x0c, "CA"), NOW),
		SEQ(integer(1), ED25519, test_name(0x0c, "CA"), NOW),
		SEQ(integer(1), ECDSA_SHA256, SEQ(NOTHING), NOW),
		SEQ(integer(1), ECDSA_SHA256, SEQ(WRAP(0x31, NOTHING)), NOW),
		SEQ(HEAD),
		SEQ(HEAD, LATER, NOW, NOW),
		SEQ(HEAD, NOW, test_time(0)),
		SEQ(HEAD, TIME(0x18, "20230229000000Z")),
		SEQ(HEAD, TIME(0x18, "20231301000000Z")),
		SEQ(HEAD, TIME(0x18, "20230001000000Z")),
		SEQ(HEAD, TIME(0x18, "20230100000000Z")),
		SEQ(HEAD, TIME(0x18, "20230101240000Z")),
		SEQ(HEAD, TIME(0x18, "20230101006000Z")),
		SEQ(HEAD, TIME(0x18, "20230101000060Z")),
		SEQ(HEAD, TIME(0x18, "2023010100000Z")),
		SEQ(HEAD, TIME(0x18, "20230101000000+")),
		SEQ(HEAD, TIME(0x18, "2023010100000 Z")),
		SEQ(HEAD, TIME(0x18, "20230101000000.5Z")),
		SEQ(HEAD, TIME(0x17, "2301010000Z")),
		SEQ(HEAD, TIME(0x17, "230101000000+0100")),
		SEQ(HEAD, NOW, ENTRY(WRAP(0x02, NOTHING), NOW)),
		SEQ(HEAD, NOW, ENTRY(WRAP(0x02, BYTES("\x00\x01")), NOW)),
		SEQ(HEAD, NOW, ENTRY(WRAP(0x02, BYTES("\xff\x80")), NOW)),
		SEQ(HEAD, NOW, ENTRY(integer(1))),
		SEQ(HEAD, NOW, ENTRY(integer(1), NOW, NOW)),
		SEQ(HEAD, NOW, ENTRY(integer(1), NOW, SEQ(test_extension(21, false, integer(1))))),
		SEQ(HEAD, NOW,
		    ENTRY(integer(1), NOW, SEQ(test_extension(21, false, BYTES("\x0a\x01\x0b"))))),
		SEQ(HEAD, NOW, integer(1)),
		SEQ(HEAD, NOW, EXTENSIONS(NUMBER(BYTES("\xff")))),
		SEQ(HEAD, NOW,
		    EXTENSIONS(NUMBER(raw("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"
					  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"
					  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"
					  "\x01\x02\x03",
					  33)))),
		SEQ(HEAD, NOW, EXTENSIONS(NUMBER(BYTES("\x05")), NUMBER(BYTES("\x05")))),
		SEQ(HEAD, NOW, EXTENSIONS(test_extension(28, true, BYTES("")))),
		SEQ(HEAD, NOW, EXTENSIONS(test_extension(28, true, SEQ(WRAP(0xa0, NOTHING))))),
		SEQ(HEAD, NOW,
		    EXTENSIONS(test_extension(28, true, SEQ(WRAP(0xa0, WRAP(0xa0, NOTHING)))))),
		SEQ(HEAD, NOW, EXTENSIONS(test_extension(28, true, SEQ(BYTES("\x81\x00"))))),
		SEQ(HEAD, NOW,
		    EXTENSIONS(test_extension(28, true, SEQ(BYTES("\x82\x01\xff\x81\x01\xff"))))),
		SEQ(HEAD, NOW, EXTENSIONS(NOTHING), NOW),
		SEQ(ECDSA_SHA256, test_name(0x0c, "CA"), NOW, EXTENSIONS(NUMBER(BYTES("\x05")))),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (read_crl(bare(good[i])) != 0)
			fail_msg("good row %zu", i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (read_crl(bare(bad[i])) != REVOCATION_E_MALFORMED)
			fail_msg("bad row %zu", i);
	}
	assert_int_equal(read_crl(SEQ(good[0], ECDSA_SHA256, BYTES("\x03\x02\x01\x00"))),
			 REVOCATION_E_MALFORMED);
	assert_int_equal(read_crl(SEQ(good[0], ECDSA_SHA256, BYTES("\x03\x02\x00\x00"), NOW)),
			 REVOCATION_E_MALFORMED);
	assert_int_equal(read_crl(JOIN(bare(good[0]), NOW)), REVOCATION_E_MALFORMED);
}

/* Lengths that are not DER, or lead out of the bytes. */
static void test_lengths(void **state)
{
	static const char *const bad[] = {
		"30",		"3080",	    "3081",	     "308101",
		"30817f",	"30820080", "3085000000000", "30847fffffff",
		"3084ffffffff", "30ff",	    "1f8101",	     "3f00",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t bytes[16] = {};
		size_t n = strlen(bad[i]) / 2;

		for (size_t k = 0; k < n; k++) {
			const char hex[] = { bad[i][2 * k], bad[i][2 * k + 1], 0 };

			bytes[k] = (uint8_t)strtoul(hex, NULL, 16);
		}
		if (read_crl(raw(bytes, n)) != REVOCATION_E_MALFORMED)
			fail_msg("row %zu", i);
	}
}

/* What is changed in a list, or cut off, takes its word away. */
static void test_every_byte_of_a_list(void **state)
{
	struct piece crl = test_crl_make((struct test_crl){
		.issuer = &lists,
		.number = 7,
		.entries = { LISTED_WHY(9, 1), LISTED(200) },
		.extensions =
			test_extension(28, true, SEQ(test_uri_name("http://crl.example/a"))) });
	uint8_t *bytes = (uint8_t *)(uintptr_t)crl.p;
	struct revocation_store *store;

	(void)state;
	for (size_t i = 0; i < crl.n; i++) {
		uint8_t saved = bytes[i];

		for (unsigned int bit = 0; bit < 8; bit += 3) {
			struct revocation_board *board;
			char buf[256] = "";
			struct text why = TEXT_INIT(buf);

			bytes[i] = (uint8_t)(saved ^ 1u << bit);
			assert_int_equal(revocation_store_new(&store), 0);
			test_issuer(store, &lists);
			if (revocation_store_put(store, "/x", crl.p, crl.n, &why) == 0) {
				board = test_publish(store);
				if (test_lookup(board, &leaf, &lists).status !=
				    TRUST_STATUS_UNKNOWN)
					fail_msg("byte %zu", i);
				revocation_board_unref(board);
			}
			revocation_store_free(store);
		}
		bytes[i] = saved;
		assert_int_equal(read_crl((struct piece){ crl.p, i }), REVOCATION_E_MALFORMED);
	}
}

/* Many entries, found each; and memory of the order of what is kept. */
static void test_many_entries(void **state)
{
	const size_t n = 100000;
	uint8_t *bytes = test_room(n * 22), *p = bytes;
	struct revocation_store *store;
	struct revocation_board *board;
	struct trust_certificate cert = leaf.facts;
	struct trust_link link;
	struct piece crl;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const uint8_t entry[] = {
			0x30, 20, 2, 3, (uint8_t)(1 + i / 65536), (uint8_t)(i / 256), (uint8_t)i
		};

		memcpy(p, entry, sizeof(entry));
		memcpy(p + sizeof(entry),
		       "\x17\x0d"
		       "231114221320Z",
		       15);
		p += sizeof(entry) + 15;
	}
	assert_true((size_t)(p - bytes) == n * 22);
	crl = test_sign(&lists, SEQ(integer(1), ECDSA_SHA256, lists.name, NOW, LATER,
				    SEQ((struct piece){ bytes, n * 22 })));
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &lists);
	test_put(store, "/x", crl);
	board = test_publish(store);
	assert_true(board->size < n * 24 + 4096);
	for (size_t i = 0; i < n + 10; i += 9) {
		const uint8_t serial[] = { (uint8_t)(1 + i / 65536), (uint8_t)(i / 256),
					   (uint8_t)i };

		assert_int_equal(revocation_name_digest((struct der){ serial, 3 }, cert.serial_id),
				 0);
		revocation_board_lookup(board, &cert, lists.id, &link, NULL);
		if (link.status != (i < n ? TRUST_STATUS_REVOKED : TRUST_STATUS_GOOD))
			fail_msg("serial %zu", i);
	}
	revocation_board_unref(board);
	revocation_store_free(store);
}

/* ---- issuers ---- */

/* Whoever makes certificates of one name without end is not given room and time without end. */
static void test_crowd_of_keys(void **state)
{
	struct revocation_store *store;
	struct revocation_board *board;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &lists);
	test_put(store, "/x", test_crl_make((struct test_crl){ .issuer = &lists }));
	for (size_t i = 0; i < STORE_KEYS_PER_NAME_MAX + 5; i++) {
		struct test_cert twin = test_cert_make((struct test_spec){
			.cn = "CA", .ca = true, .pk = GNUTLS_PK_EDDSA_ED25519 });

		test_issuer(store, &twin);
		test_cert_done(&twin);
	}
	assert_int_equal(store->n_keys, STORE_KEYS_PER_NAME_MAX);
	for (size_t i = 0; i < STORE_CERTS_PER_KEY_MAX + 5; i++) {
		struct test_cert same = test_cert_make(
			(struct test_spec){ .cn = "CA", .issuer = &root, .same_key = &lists });

		test_issuer(store, &same);
		test_cert_done(&same);
	}
	assert_int_equal(store->n_certs, STORE_KEYS_PER_NAME_MAX + STORE_CERTS_PER_KEY_MAX - 1);
	board = test_publish(store);
	assert_int_equal(test_lookup(board, &leaf, &lists).status, TRUST_STATUS_GOOD);
	revocation_board_unref(board);
	assert_int_equal(revocation_store_add_issuer(store, "x", 1), 0);
	revocation_store_free(store);
}

/* ---- boards ---- */

/* One with everything on it: answers under a condition, signers, open lists, superseded ones. */
static struct piece make_board(void)
{
	struct revocation_store *store;
	struct piece copy;
	off_t size;
	void *map;
	int fd;

	assert_int_equal(revocation_store_new(&store), 0);
	test_issuer(store, &root);
	test_issuer(store, &ca);
	test_issuer(store, &lists);
	test_put(store, "/a",
		 test_crl_make((struct test_crl){ .issuer = &lists,
						  .entries = { LISTED(77), LISTED(78) } }));
	test_put(store, "/b",
		 test_crl_make((struct test_crl){
			 .issuer = &lists, .this_update = -9, .next_update = 3 }));
	test_put(store, "/c", test_crl_make((struct test_crl){ .issuer = &root }));
	test_put(store, "/d",
		 test_crl_make((struct test_crl){
			 .issuer = &leaf, .number = 3, .entries = { LISTED(1), LISTED(2) } }));
	test_put(store, "/e",
		 test_crl_make((struct test_crl){
			 .issuer = &root, .extensions = test_extension(27, true, integer(1)) }));
	assert_int_equal(revocation_store_publish(store, &fd), 0);
	size = lseek(fd, 0, SEEK_END);
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	copy = raw(map, (size_t)size);
	munmap(map, (size_t)size);
	close(fd);
	revocation_store_free(store);
	return copy;
}

static int memory(struct piece bytes, int seals)
{
	int fd = memfd_create("board", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* Ask it everything. */
static void use(struct revocation_board *board)
{
	const struct test_cert *const certs[] = { &root, &ca, &lists, &leaf };
	struct trust_certificate chain[] = { leaf.facts, ca.facts };
	static char text[] = "anchor";
	struct trust_path path = { .certs = { 0, 1 }, .n_certs = 2, .anchor_subject = text };
	struct trust_facts facts = { .certs = chain, .n_certs = 2, .paths = &path, .n_paths = 1 };
	struct revocation_crl_view v;

	for (size_t i = 0; i < ARRAY_SIZE(certs); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(certs); k++)
			assert_in_range(test_lookup(board, certs[i], certs[k]).status, 0,
					_TRUST_STATUS_MAX - 1);
		assert_int_equal(revocation_board_learn(board, certs[i]->der.p, certs[i]->der.n),
				 0);
	}
	memcpy(path.anchor_id, root.id, sizeof(path.anchor_id));
	revocation_facts_fill(board, &facts);
	for (uint32_t i = 0; i < revocation_board_crls(board); i++) {
		revocation_board_crl(board, i, &v);
		assert_in_range(v.state, 0, _REVOCATION_CRL_STATE_MAX - 1);
		assert_true(strlen(v.source) + strlen(v.issuer) + strlen(v.number) +
				    strlen(v.detail) <
			    board->size);
	}
	(void)revocation_board_number(board);
}

static bool try_board(struct piece bytes)
{
	struct revocation_board *board = NULL;
	int fd = memory(bytes, BOARD_SEALS), r;

	r = revocation_board_open(fd, &board);
	if (r == 0) {
		assert_int_equal(revocation_board_fd(board), fd);
		use(board);
		assert_null(revocation_board_unref(board));
	} else {
		assert_int_equal(r, REVOCATION_E_MALFORMED);
		close(fd); /* it stayed ours */
	}
	return r == 0;
}

static void test_every_byte_of_a_board(void **state)
{
	struct piece board = make_board();
	uint8_t *bytes = (uint8_t *)(uintptr_t)board.p;
	size_t refused = 0;

	(void)state;
	assert_true(try_board(board));
	for (size_t i = 0; i < board.n; i++) {
		static const uint8_t masks[] = { 0x01, 0x80, 0xff };
		uint8_t saved = bytes[i];

		for (size_t k = 0; k < ARRAY_SIZE(masks); k++) {
			bytes[i] = saved ^ masks[k];
			refused += !try_board(board);
		}
		bytes[i] = saved;
	}
	assert_true(refused > 100);
	for (size_t i = 0; i < board.n; i += 1 + i / 64)
		assert_false(try_board((struct piece){ board.p, i }));
	assert_false(try_board(JOIN(board, BYTES("\0"))));
}

/* What each check is for: the field as it must not be. */
static void test_fields_of_a_board(void **state)
{
	struct piece bytes = make_board();
	struct board_header *header = (void *)(uintptr_t)bytes.p;
	struct board_crl *crls = (void *)(header + 1);
	struct board_answer *answers = (void *)(crls + header->n_crls);
	struct board_signer *signers = (void *)(answers + header->n_answers);
	struct board_entry *entries = (void *)(signers + header->n_signers);
	char *texts = (void *)(entries + header->n_entries);
	const struct {
		void *field;
		size_t size;
		uint64_t value;
	} rows[] = {
		{ &header->magic, 1, 'x' },
		{ &header->version, 4, BOARD_VERSION + 1 },
		{ &header->n_crls, 4, header->n_crls + 1 },
		{ &header->n_crls, 4, UINT32_MAX },
		{ &header->n_answers, 4, UINT32_MAX },
		{ &header->n_signers, 4, UINT32_MAX },
		{ &header->n_entries, 8, header->n_entries + 1 },
		{ &header->n_entries, 8, UINT64_MAX / sizeof(struct board_entry) },
		{ &header->n_bytes, 8, header->n_bytes - 1 },
		{ &header->n_bytes, 8, UINT64_MAX },
		{ &crls[0].state, 4, _REVOCATION_CRL_STATE_MAX },
		{ &crls[0].flags, 4, BOARD_FLAGS + 1 },
		{ &crls[0].n_points, 4, BOARD_POINTS_MAX + 1 },
		{ &crls[0].first, 8, header->n_entries + 1 },
		{ &crls[0].first, 8, header->n_entries - 1 },
		{ &crls[0].n, 8, header->n_entries + 1 },
		{ &crls[0].n, 8, UINT64_MAX },
		{ &crls[0].source.offset, 4, UINT32_MAX },
		{ &crls[0].source.size, 4, UINT32_MAX },
		{ &crls[0].issuer.size, 4, crls[0].issuer.size - 1 },
		{ &crls[0].number.offset, 4, header->n_bytes },
		{ &texts[crls[0].detail.offset + crls[0].detail.size], 1, 'x' },
		{ &texts[crls[0].issuer.offset + crls[0].issuer.size], 1, 'x' },
		{ &crls[3].message.size, 4, header->n_bytes + 1 },
		{ &crls[3].signature.offset, 4, header->n_bytes + 1 },
		{ &answers[0].crl, 4, header->n_crls },
		{ &answers[0].signer, 4, header->n_signers },
		{ &answers[0].target, 8, UINT64_MAX },
		{ &signers[0].n_scopes, 4, TRUST_SCOPES_MAX + 1 },
		{ &entries[0].serial_id, 8, UINT64_MAX },
	};

	(void)state;
	assert_true(header->n_crls == 5 && header->n_answers > 1 && header->n_signers > 0);
	assert_int_equal(crls[0].n, 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t saved = 0;

		memcpy(&saved, rows[i].field, rows[i].size);
		memcpy(rows[i].field, &rows[i].value, rows[i].size);
		if (try_board(bytes))
			fail_msg("row %zu", i);
		memcpy(rows[i].field, &saved, rows[i].size);
	}
	assert_true(try_board(bytes));
}

static void test_seals(void **state)
{
	struct piece board = make_board();
	struct revocation_board *ret;
	FILE *file = tmpfile();
	int fd;

	(void)state;
	for (int seal = 1; seal <= BOARD_SEALS; seal <<= 1) {
		fd = memory(board, BOARD_SEALS & ~seal & ~F_SEAL_SEAL);
		assert_int_equal(revocation_board_open(fd, &ret), REVOCATION_E_MALFORMED);
		close(fd);
	}
	assert_non_null(file);
	assert_int_equal(revocation_board_open(fileno(file), &ret), REVOCATION_E_MALFORMED);
	fclose(file);
	assert_true(revocation_board_open(-1, &ret) < 0);
}

static void test_counting(void **state)
{
	struct revocation_board *board;
	int fd = memory(make_board(), BOARD_SEALS);

	(void)state;
	assert_int_equal(revocation_board_open(fd, &board), 0);
	assert_ptr_equal(revocation_board_ref(board), board);
	assert_null(revocation_board_unref(board));
	use(board);
	assert_null(revocation_board_unref(board));
	assert_null(revocation_board_unref(NULL));
	assert_int_equal(revocation_board_crls(NULL), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* An empty store has a board, too; and facts that are out of order are not followed. */
static void test_edges(void **state)
{
	struct trust_path path = { .certs = { 7, 9 }, .n_certs = 2 };
	struct trust_certificate cert = leaf.facts;
	struct trust_facts facts = { .certs = &cert, .n_certs = 1, .paths = &path, .n_paths = 1 };
	struct revocation_store *store;
	struct revocation_board *board;

	(void)state;
	assert_int_equal(revocation_store_new(&store), 0);
	board = test_publish(store);
	assert_int_equal(revocation_board_crls(board), 0);
	use(board);
	revocation_facts_fill(board, &facts);
	assert_int_equal(path.links[0].status, TRUST_STATUS_UNKNOWN);
	cert.n_scopes = 255;
	test_issuer(store, &lists);
	test_put(store, "/x",
		 test_crl_make((struct test_crl){
			 .issuer = &lists,
			 .extensions = test_extension(28, true, SEQ(test_uri_name("x:"))) }));
	revocation_board_unref(board);
	board = test_publish(store);
	revocation_board_lookup(board, &cert, lists.id, &path.links[0], NULL);
	assert_int_equal(path.links[0].status, TRUST_STATUS_UNKNOWN);
	revocation_board_unref(board);
	revocation_store_free(store);
	assert_null(revocation_store_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_every_byte_of_a_list),
		cmocka_unit_test(test_many_entries),
		cmocka_unit_test(test_crowd_of_keys),
		cmocka_unit_test(test_every_byte_of_a_board),
		cmocka_unit_test(test_fields_of_a_board),
		cmocka_unit_test(test_seals),
		cmocka_unit_test(test_counting),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
