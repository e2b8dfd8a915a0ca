/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Peers that send bytes of their own: SIP without TLS, other protocols, broken TLS, resets. The
 * reason, the alert on the wire (or none), and that a level-triggered poller can sleep in between.
 */

#include "tls-testing.h"

static struct test_net net;

static int setup(void **state)
{
	(void)state;
	test_net_init(&net);
	test_conf_build(&net.conf);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_net_done(&net);
	return 0;
}

static void expect_bytes(bool dial, const void *bytes, size_t len, size_t step, enum reason reason,
			 const char *alert, size_t alert_len)
{
	struct tls_job job = test_net_job(&net, dial);
	struct tls_outcome outcome;
	struct tls_handshake *hs;
	uint8_t buf[2048];
	ssize_t n;
	int fds[2], r = TLS_E_WANT_READ;

	test_connect(fds);
	assert_int_equal(tls_handshake_new(net.conf.store, &job, fds[1], &hs), 0);
	assert_int_equal(tls_handshake_step(hs), TLS_E_WANT_READ);
	if (dial)
		assert_true(recv(fds[0], buf, sizeof(buf), 0) > 0);
	for (size_t at = 0; at < len && r == TLS_E_WANT_READ; at += step) {
		size_t part = len - at < step ? len - at : step;

		assert_int_equal(send(fds[0], (const char *)bytes + at, part, 0), (ssize_t)part);
		r = tls_handshake_step(hs);
		/* a level-triggered poller must be able to sleep */
		if (r == TLS_E_WANT_READ)
			assert_int_equal(recv(fds[1], buf, 1, MSG_PEEK), -1);
	}
	if (r == TLS_E_WANT_READ) {
		shutdown(fds[0], SHUT_WR);
		r = tls_handshake_step(hs);
	}
	assert_int_equal(r, TLS_E_REFUSED);
	tls_handshake_outcome(hs, &outcome);
	if (outcome.reason != reason)
		print_error("%s: %s\n", reason_info(outcome.reason)->code, outcome.detail);
	assert_int_equal(outcome.reason, reason);
	n = recv(fds[0], buf, sizeof(buf), 0);
	assert_int_equal(n, alert_len ? (ssize_t)alert_len : -1);
	if (alert_len)
		assert_memory_equal(buf, alert, alert_len);
	tls_handshake_free(hs);
	close(fds[0]);
	close(fds[1]);
}

static void expect_text(const char *text, enum reason reason)
{
	expect_bytes(false, text, strlen(text), strlen(text), reason, NULL, 0);
	expect_bytes(false, text, strlen(text), 1, reason, NULL, 0);
}

static void test_not_tls(void **state)
{
	(void)state;
	expect_text("OPTIONS sip:b.example SIP/2.0\r\n", REASON_PLAIN_SIP);
	expect_text("INVITE sips:b.example SIP/2.0\r\n", REASON_PLAIN_SIP);
	expect_text("SUBSCRIBE tel:+1234 SIP/2.0\r\n", REASON_PLAIN_SIP);
	expect_text("SIP/2.0 200 OK\r\n", REASON_PLAIN_SIP);
	expect_text("\r\n\r\n", REASON_PLAIN_SIP);
	expect_text("GET / HTTP/1.1\r\n", REASON_NOT_TLS);
	expect_text("OPTIONS * HTTP/1.1\r\n", REASON_NOT_TLS);
	expect_text("SIPX", REASON_NOT_TLS);
	expect_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", REASON_NOT_TLS);
	expect_text("INVITE", REASON_NOT_TLS); /* and then the end */
	expect_text("\x80\x2e\x01\x03\x01", REASON_NOT_TLS);
	expect_text("\x15\x03\x03", REASON_NOT_TLS);
	expect_bytes(false, "\0\0", 2, 1, REASON_NOT_TLS, NULL, 0);
	expect_bytes(true, "HTTP/1.1 400 Bad Request\r\n", 26, 26, REASON_NOT_TLS, NULL, 0);
	expect_bytes(true, "SIP/2.0 400 Bad Request\r\n", 25, 3, REASON_PLAIN_SIP, NULL, 0);
	expect_bytes(false, "", 0, 1, REASON_PEER_CLOSED, NULL, 0);
	expect_bytes(true, "", 0, 1, REASON_PEER_CLOSED, NULL, 0);
}

static void test_broken_tls(void **state)
{
	static const char garbage[] = "\x16\xff\xff\x01\x00 and so on and so on and so on";
	static const char not_hello[] = "\x16\x03\x01\x00\x04\x0b\x00\x00\x00";
	static const char cut_hello[] = "\x16\x03\x01\x00\x09\x01\x00\x00\x05\x03\x03\x01\x02\x03";

	(void)state;
	expect_bytes(false, garbage, sizeof(garbage), sizeof(garbage), REASON_TLS_PROTOCOL,
		     "\x15\x03\x03\x00\x02\x02\x46", 7);
	expect_bytes(false, not_hello, sizeof(not_hello) - 1, 1, REASON_TLS_PROTOCOL,
		     "\x15\x03\x03\x00\x02\x02\x0a", 7);
	expect_bytes(false, cut_hello, sizeof(cut_hello) - 1, 1, REASON_TLS_PROTOCOL,
		     "\x15\x03\x03\x00\x02\x02\x32", 7);
	/* half a record, then the end */
	expect_bytes(false, cut_hello, 8, 1, REASON_PEER_CLOSED, NULL, 0);
}

/* A server that answers TLS 1.3 with the TLS 1.2 it was not offered. */
static void test_server_version(void **state)
{
	uint8_t hello[5 + 4 + 2 + 32 + 1 + 2 + 1] = {
		0x16, 3, 3, 0, sizeof(hello) - 5, 2, 0, 0, sizeof(hello) - 9, 3, 3
	};
	struct tls_job job = test_net_job(&net, true);
	struct tls_outcome outcome;
	struct tls_handshake *hs;
	uint8_t buf[2048];
	int fds[2];

	(void)state;
	hello[sizeof(hello) - 3] = 0xc0;
	hello[sizeof(hello) - 2] = 0x2f;
	job.tls12 = false;
	test_connect(fds);
	assert_int_equal(tls_handshake_new(net.conf.store, &job, fds[1], &hs), 0);
	assert_int_equal(tls_handshake_step(hs), TLS_E_WANT_READ);
	assert_true(recv(fds[0], buf, sizeof(buf), 0) > 0);
	assert_int_equal(send(fds[0], hello, sizeof(hello), 0), sizeof(hello));
	assert_int_equal(tls_handshake_step(hs), TLS_E_REFUSED);
	tls_handshake_outcome(hs, &outcome);
	assert_int_equal(outcome.reason, REASON_TLS_VERSION);
	assert_non_null(strstr(outcome.detail,
			       "the peer chose TLS 1.2 with TLS_ECDHE_RSA_AES_128_GCM_SHA256"));
	assert_int_equal(recv(fds[0], buf, sizeof(buf), 0), 7);
	assert_int_equal(buf[6], GNUTLS_A_PROTOCOL_VERSION);
	tls_handshake_free(hs);
	close(fds[0]);
	close(fds[1]);
}

static void test_reset(void **state)
{
	struct tls_job job = test_net_job(&net, false);
	struct tls_outcome outcome;
	struct tls_handshake *hs;
	int fds[2];

	(void)state;
	for (int bytes = 0; bytes <= 7; bytes += 7) {
		test_connect(fds);
		assert_int_equal(tls_handshake_new(net.conf.store, &job, fds[1], &hs), 0);
		assert_int_equal(send(fds[0], "\x16\x03\x01\x01\x00\x01\x00", (size_t)bytes, 0),
				 bytes);
		assert_int_equal(tls_handshake_step(hs), TLS_E_WANT_READ);
		assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_LINGER,
					    &(struct linger){ .l_onoff = 1 },
					    sizeof(struct linger)),
				 0);
		close(fds[0]);
		assert_int_equal(tls_handshake_step(hs), TLS_E_REFUSED);
		tls_handshake_outcome(hs, &outcome);
		assert_int_equal(outcome.reason, REASON_PEER_RESET);
		assert_non_null(strstr(outcome.detail, strerror(ECONNRESET)));
		tls_handshake_free(hs);
		close(fds[1]);
	}
}

static void test_alert_names(void **state)
{
	(void)state;
	assert_string_equal(tls_alert_name(48), "unknown_ca");
	assert_string_equal(tls_alert_name(116), "certificate_required");
	assert_string_equal(tls_alert_name(0), "close_notify");
	assert_string_equal(tls_alert_name(1), "unknown_alert");
	assert_string_equal(tls_alert_name(255), "unknown_alert");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_tls),	       cmocka_unit_test(test_broken_tls),
		cmocka_unit_test(test_server_version), cmocka_unit_test(test_reset),
		cmocka_unit_test(test_alert_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
