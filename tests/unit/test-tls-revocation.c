/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Revocation during a handshake, between two ends of ours: stapled responses both ways, lists on a
 * board, issuers that are met for the first time, and that a chain verified before is judged by
 * what is known now.
 */

#include "tls-status-testing.h"

static struct test_cert ca, issuing, cert_a, cert_b, stapled;
static struct test_conf net;
static uint32_t id_a, id_b, id_stapled, entry_b;
static struct test_der good_a, good_b;

/* a is issued by the issuing CA, b by the CA itself; the leaf "stapled" demands a response. */
static int setup(void **state)
{
	static const uint8_t feature[] = { 0x30, 3, 0x02, 1, 5 };
	uint32_t anchors;

	(void)state;
	assert_int_equal(tls_global_init(), 0);
	ca = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	issuing =
		test_cert_make((struct test_spec){ .cn = "Issuing CA", .issuer = &ca, .ca = true });
	cert_a = test_cert_make((struct test_spec){ .issuer = &issuing, .dns = { "a.example" } });
	cert_b = test_cert_make((struct test_spec){ .issuer = &ca, .dns = { "b.example" } });
	stapled =
		test_cert_make((struct test_spec){ .issuer = &ca,
						   .dns = { "a.example" },
						   .extension_oid = GNUTLS_X509EXT_OID_TLSFEATURES,
						   .extension = feature,
						   .extension_size = sizeof(feature) });
	test_ocsp_make((struct test_status){ .issuer = &issuing, .cert = &cert_a }, &good_a);
	test_ocsp_make((struct test_status){ .issuer = &ca, .cert = &cert_b }, &good_b);
	test_conf_init(&net);
	test_files_add_certs(&net.files, "ca.pem", &ca, NULL);
	test_files_add_certs(&net.files, "a.pem", &cert_a, &issuing, NULL);
	test_files_add_key(&net.files, "a.key", &cert_a);
	test_files_add_certs(&net.files, "b.pem", &cert_b, NULL);
	test_files_add_key(&net.files, "b.key", &cert_b);
	test_files_add_certs(&net.files, "stapled.pem", &stapled, NULL);
	test_files_add_key(&net.files, "stapled.key", &stapled);
	test_files_add(&net.files, "a.ocsp", good_a.bytes, good_a.len);
	test_files_add(&net.files, "b.ocsp", good_b.bytes, good_b.len);
	id_b = test_conf_identity(&net, "b", "b.pem", "b.key");
	id_a = test_conf_identity(&net, "a", "a.pem", "a.key");
	id_stapled = test_conf_identity(&net, "stapled", "stapled.pem", "stapled.key");
	net.identities[id_a].ocsp = WRITABLE("a.ocsp");
	net.identities[id_b].ocsp = WRITABLE("b.ocsp");
	net.listener.n_identities = 1;
	anchors = test_conf_anchors(&net, "test", true, "ca.pem");
	net.anchors[anchors].revocation = TRUST_REVOCATION_CHECK;
	test_conf_entry(&net, "a.example", anchors);
	entry_b = test_conf_entry(&net, "b.example", anchors);
	test_conf_build(&net);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_conf_done(&net);
	test_cert_done(&ca);
	test_cert_done(&issuing);
	test_cert_done(&cert_a);
	test_cert_done(&cert_b);
	test_cert_done(&stapled);
	return 0;
}

/* What we staple in place of the file's, as it stands; NULL: nothing. */
static void staple(uint32_t identity, const void *bytes, size_t size)
{
	gnutls_ocsp_data_st *data = &net.store->identities[identity].staple;

	gnutls_free(data->response.data);
	*data = (gnutls_ocsp_data_st){};
	if (!bytes)
		return;
	data->response.data = gnutls_malloc(size);
	data->response.size = (unsigned int)size;
	memcpy(data->response.data, bytes, size);
}

/* As the store was made, and everything forgotten that a test may have told. */
static int reset(void **state)
{
	(void)state;
	staple(id_a, good_a.bytes, good_a.len);
	staple(id_b, good_b.bytes, good_b.len);
	staple(id_stapled, NULL, 0);
	tls_store_board(net.store, NULL);
	tls_chain_cache_clear(&net.store->cache);
	net.anchors[0].revocation = TRUST_REVOCATION_CHECK;
	return 0;
}

static struct tls_job job_of(bool dial, bool tls13)
{
	return (struct tls_job){
		.dial = dial,
		.mutual = true,
		.tls12 = !tls13,
		.kernel_ciphers = { [KTLS_TLS12] = 7, [KTLS_TLS13] = tls13 ? 7 : 0 },
		.identity = id_a,
		.entry = dial ? entry_b : TRUST_ENTRY_ANY,
	};
}

static void run(struct test_pair *p, uint32_t identity, bool tls13)
{
	struct tls_job dial = job_of(true, tls13);

	dial.identity = identity;
	test_pair_new(p, net.store, dial, job_of(false, tls13));
	test_pair_run(p);
}

static void expect(struct tls_handshake *hs, enum reason reason)
{
	struct tls_outcome outcome;

	tls_handshake_outcome(hs, &outcome);
	if (outcome.reason != reason)
		print_error("expected %s, found %s: %s\n", reason_info(reason)->code,
			    reason_info(outcome.reason)->code, outcome.detail);
	assert_int_equal(outcome.reason, reason);
}

static void expect_both(struct test_pair *p, enum reason dial, enum reason accept)
{
	if (dial != REASON_PEER_ALERT)
		expect(p->dial, dial);
	if (accept != REASON_PEER_ALERT)
		expect(p->accept, accept);
}

static const struct trust_link *leaf_link(struct tls_handshake *hs)
{
	assert_true(hs->facts.n_paths > 0);
	assert_int_equal(hs->facts.paths[0].outcome, TRUST_CHAIN_OK);
	return &hs->facts.paths[0].links[0];
}

/* ---- staples ---- */

static void test_both_ways(void **state)
{
	struct tls_outcome outcome;
	struct test_pair p;

	(void)state;
	run(&p, id_a, true);
	expect_both(&p, REASON_OK, REASON_OK);
	assert_int_equal(p.dial->facts.staple.status, TRUST_STATUS_GOOD);
	assert_int_equal(p.accept->facts.staple.status, TRUST_STATUS_GOOD);
	assert_int_equal(leaf_link(p.dial)->status, TRUST_STATUS_GOOD);
	assert_true(leaf_link(p.dial)->ocsp);
	assert_int_equal(leaf_link(p.accept)->status, TRUST_STATUS_GOOD);
	/* nobody told anything of the intermediate */
	assert_int_equal(p.accept->facts.paths[0].n_certs, 2);
	assert_int_equal(p.accept->facts.paths[0].links[1].status, TRUST_STATUS_UNKNOWN);
	/* and what the peer showed is handed out byte for byte */
	tls_handshake_outcome(p.accept, &outcome);
	for (size_t i = 0; i < 2; i++) {
		gnutls_datum_t der = test_cert_der(i == 0 ? &cert_a : &issuing);

		assert_int_equal(outcome.ders[i].size, der.size);
		assert_memory_equal(outcome.ders[i].data, der.data, der.size);
		gnutls_free(der.data);
	}
	test_pair_done(&p);

	/* TLS 1.2 has it only from server to client */
	run(&p, id_a, false);
	expect_both(&p, REASON_OK, REASON_OK);
	assert_int_equal(p.dial->facts.staple.status, TRUST_STATUS_GOOD);
	assert_int_equal(p.accept->facts.staple.status, TRUST_STATUS_UNKNOWN);
	test_pair_done(&p);
}

/* status_request as GnuTLS writes it (RFC 6066 8; RFC 8446 4.4.2.1: empty in a request). */
static const uint8_t in_hello[] = { 0, 5, 0, 5, 1, 0, 0, 0, 0 }, in_request[] = { 0, 5, 0, 0 };
static bool hello_asks, request_asks;

static int watch(gnutls_session_t session, unsigned int type, unsigned int when,
		 unsigned int incoming, const gnutls_datum_t *message)
{
	(void)session, (void)when, (void)incoming;
	if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO)
		hello_asks = memmem(message->data, message->size, in_hello, sizeof(in_hello));
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST)
		request_asks = memmem(message->data, message->size, in_request, sizeof(in_request));
	return 0;
}

static void test_asked_for(void **state)
{
	struct test_pair p;

	(void)state;
	test_pair_new(&p, net.store, job_of(true, true), job_of(false, true));
	gnutls_handshake_set_hook_function(p.accept->session, GNUTLS_HANDSHAKE_CLIENT_HELLO,
					   GNUTLS_HOOK_PRE, watch);
	gnutls_handshake_set_hook_function(p.dial->session, GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST,
					   GNUTLS_HOOK_PRE, watch);
	test_pair_run(&p);
	expect_both(&p, REASON_OK, REASON_OK);
	assert_true(hello_asks);
	assert_true(request_asks);
	test_pair_done(&p);
}

static void test_revoked(void **state)
{
	static struct test_der revoked;
	struct test_pair p;

	(void)state;
	test_ocsp_make((struct test_status){ .issuer = &ca, .cert = &cert_b, .revoked = &cert_b },
		       &revoked);
	staple(id_b, revoked.bytes, revoked.len);
	for (int tls13 = 0; tls13 < 2; tls13++) {
		run(&p, id_a, tls13);
		expect_both(&p, REASON_REVOKED, REASON_PEER_ALERT);
		test_pair_done(&p);
	}
	test_ocsp_make((struct test_status){ .issuer = &issuing,
					     .cert = &cert_a,
					     .revoked = &cert_a },
		       &revoked);
	reset(NULL);
	staple(id_a, revoked.bytes, revoked.len);
	run(&p, id_a, true);
	expect_both(&p, REASON_PEER_ALERT, REASON_REVOKED);
	test_pair_done(&p);
}

/* A response that does not hold is none, whatever is wrong with it: the library must not judge. */
static void test_bad_staples(void **state)
{
	static struct test_der bad[6];
	struct test_cert twin = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	struct test_pair p;

	(void)state;
	test_der_add(&bad[0], "no response at all", 18);
	bad[1] = good_b;
	bad[1].bytes[bad[1].len - 1] ^= 1; /* in the signature */
	bad[2] = good_a;		   /* of another certificate */
	test_ocsp_make((struct test_status){ .issuer = &twin, .cert = &cert_b }, &bad[3]);
	test_ocsp_make((struct test_status){ .issuer = &ca,
					     .cert = &cert_b,
					     .this_update = -2 * DAY,
					     .next_update = -DAY },
		       &bad[4]);
	test_der_add(&bad[5], "\x30\x03\x0a\x01\x06", 5); /* "unauthorized" */
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		for (int tls13 = 0; tls13 < 2; tls13++) {
			staple(id_b, bad[i].bytes, bad[i].len);
			run(&p, id_a, tls13);
			expect_both(&p, REASON_OK, REASON_OK);
			/* one that is only old says so */
			assert_int_equal(p.dial->facts.staple.status != TRUST_STATUS_UNKNOWN,
					 i == 4);
			assert_int_equal(p.dial->staple_why[0] != '\0', i != 4);
			test_pair_done(&p);
		}
	}
	test_cert_done(&twin);
}

/* Good as it may be: TLS 1.3 has no place for one of this size, TLS 1.2 has. */
static void test_large_staple(void **state)
{
	static uint8_t large[TLS_STAPLE_MAX + 1];
	struct test_pair p;

	(void)state;
	memcpy(large, good_b.bytes, good_b.len);
	staple(id_b, large, sizeof(large));
	run(&p, id_a, false);
	expect_both(&p, REASON_OK, REASON_OK);
	assert_int_equal(p.dial->facts.staple.status, TRUST_STATUS_UNKNOWN);
	assert_non_null(strstr(p.dial->staple_why, "65537 bytes"));
	test_pair_done(&p);
}

static void test_required(void **state)
{
	struct test_pair p;

	(void)state;
	net.anchors[0].revocation = TRUST_REVOCATION_REQUIRE;
	staple(id_b, "junk", 4);
	run(&p, id_a, true);
	expect_both(&p, REASON_REVOCATION_UNKNOWN, REASON_PEER_ALERT);
	assert_non_null(strstr(p.dial->detail, "the stapled OCSP response: "));
	test_pair_done(&p);
	staple(id_b, NULL, 0);
	run(&p, id_a, true);
	expect_both(&p, REASON_REVOCATION_UNKNOWN, REASON_PEER_ALERT);
	assert_null(strstr(p.dial->detail, "stapled"));
	test_pair_done(&p);
	/* b comes from the CA itself: its staple is all there is to know */
	staple(id_b, good_b.bytes, good_b.len);
	run(&p, id_a, true);
	expect(p.dial, REASON_OK);
	test_pair_done(&p);
}

static void test_must_staple(void **state)
{
	static struct test_der good;
	struct test_pair p;

	(void)state;
	run(&p, id_stapled, true);
	expect_both(&p, REASON_PEER_ALERT, REASON_STAPLE_MISSING);
	test_pair_done(&p);
	staple(id_stapled, good_b.bytes, good_b.len);
	run(&p, id_stapled, true);
	expect_both(&p, REASON_PEER_ALERT, REASON_STAPLE_MISSING);
	assert_non_null(strstr(p.accept->detail, "the stapled OCSP response: "));
	test_pair_done(&p);
	test_ocsp_make((struct test_status){ .issuer = &ca, .cert = &stapled }, &good);
	staple(id_stapled, good.bytes, good.len);
	run(&p, id_stapled, true);
	expect_both(&p, REASON_OK, REASON_OK);
	test_pair_done(&p);
}

/* ---- boards ---- */

/* A board with these lists, whose issuers the store knows if @anchor (only the CA).
 * NULL-terminated. */
static void show_board(const struct test_status *const lists[])
{
	struct revocation_store *store;
	struct revocation_board *board;
	gnutls_datum_t der = test_cert_der(&ca);
	int fd;

	assert_int_equal(revocation_store_new(&store), 0);
	assert_int_equal(revocation_store_add_issuer(store, der.data, der.size), 0);
	gnutls_free(der.data);
	for (size_t i = 0; lists[i]; i++) {
		char source[32], buf[256] = "";
		struct text why = TEXT_INIT(buf);

		snprintf(source, sizeof(source), "list %zu", i);
		der = test_crl_make(*lists[i]);
		if (revocation_store_put(store, source, der.data, der.size, &why) != 0)
			fail_msg("%s", buf);
		gnutls_free(der.data);
	}
	assert_int_equal(revocation_store_publish(store, &fd), 0);
	revocation_store_free(store);
	assert_int_equal(revocation_board_open(fd, &board), 0);
	tls_store_board(net.store, board);
	revocation_board_unref(board); /* the store has its own */
}

#define LISTS(...) ((const struct test_status *const[]){ __VA_ARGS__, NULL })

static bool is_cached(struct tls_handshake *hs)
{
	struct tls_outcome outcome;

	tls_handshake_outcome(hs, &outcome);
	return outcome.cached;
}

/* The chain is verified once, the answer follows the board. */
static void test_board_changes(void **state)
{
	const struct test_status none = { .issuer = &ca },
				 b = { .issuer = &ca, .revoked = &cert_b };
	struct test_pair p;

	(void)state;
	staple(id_b, NULL, 0);
	for (int round = 0; round < 2; round++) {
		run(&p, id_a, true);
		expect_both(&p, REASON_OK, REASON_OK);
		assert_int_equal(is_cached(p.dial), round > 0);
		assert_int_equal(is_cached(p.accept), round > 0);
		assert_int_equal(leaf_link(p.dial)->status, TRUST_STATUS_UNKNOWN);
		test_pair_done(&p);

		show_board(LISTS(&none));
		run(&p, id_a, true);
		expect_both(&p, REASON_OK, REASON_OK);
		assert_true(is_cached(p.dial));
		assert_int_equal(leaf_link(p.dial)->status, TRUST_STATUS_GOOD);
		assert_false(leaf_link(p.dial)->ocsp);
		test_pair_done(&p);

		show_board(LISTS(&b));
		run(&p, id_a, true);
		expect_both(&p, REASON_REVOKED, REASON_PEER_ALERT);
		assert_true(is_cached(p.dial));
		test_pair_done(&p);

		tls_store_board(net.store, NULL);
	}
}

/* A staple comes with one handshake and is gone with it. */
static void test_staples_are_not_kept(void **state)
{
	struct test_pair p;

	(void)state;
	run(&p, id_a, true);
	assert_int_equal(p.dial->facts.staple.status, TRUST_STATUS_GOOD);
	test_pair_done(&p);
	staple(id_b, NULL, 0);
	run(&p, id_a, true);
	assert_true(is_cached(p.dial));
	assert_int_equal(p.dial->facts.staple.status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(leaf_link(p.dial)->status, TRUST_STATUS_UNKNOWN);
	test_pair_done(&p);
}

/* Nobody but the peer brings the certificate that its list is verified with. */
static void test_learning(void **state)
{
	const struct test_status a = { .issuer = &issuing, .revoked = &cert_a };
	struct revocation_crl_view view;
	struct test_pair p;

	(void)state;
	staple(id_a, NULL, 0);
	show_board(LISTS(&a));
	revocation_board_crl(net.store->board, 0, &view);
	assert_int_equal(view.state, REVOCATION_CRL_NO_ISSUER);
	for (int round = 0; round < 3; round++) {
		run(&p, id_a, true);
		expect_both(&p, REASON_PEER_ALERT, REASON_REVOKED);
		test_pair_done(&p);
		assert_int_equal(net.store->n_learned, 1); /* once for each board */
		if (round == 1)
			show_board(LISTS(&a));
	}
}

/* Many issuers, on many boards: nothing grows. */
static void test_learned_ring(void **state)
{
	const struct test_status none = { .issuer = &issuing };
	struct test_pair p;

	(void)state;
	show_board(LISTS(&none));
	memset(net.store->learned, 0, sizeof(net.store->learned));
	net.store->n_learned = 3 * TLS_LEARNED_MAX - 1;
	run(&p, id_a, true);
	expect_both(&p, REASON_OK, REASON_OK);
	test_pair_done(&p);
	assert_int_equal(net.store->n_learned, 3 * TLS_LEARNED_MAX);
	run(&p, id_a, true);
	test_pair_done(&p);
	assert_int_equal(net.store->n_learned, 3 * TLS_LEARNED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_both_ways, reset),
		cmocka_unit_test_setup(test_asked_for, reset),
		cmocka_unit_test_setup(test_revoked, reset),
		cmocka_unit_test_setup(test_bad_staples, reset),
		cmocka_unit_test_setup(test_large_staple, reset),
		cmocka_unit_test_setup(test_required, reset),
		cmocka_unit_test_setup(test_must_staple, reset),
		cmocka_unit_test_setup(test_board_changes, reset),
		cmocka_unit_test_setup(test_staples_are_not_kept, reset),
		cmocka_unit_test_setup(test_learning, reset),
		cmocka_unit_test_setup(test_learned_ring, reset),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
