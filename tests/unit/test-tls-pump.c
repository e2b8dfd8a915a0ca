/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records in user space, against a plain GnuTLS session: data, back-pressure, key changes, every
 * end. */

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

static void link_new(struct test_duel *l, const char *priority)
{
	struct tls_job job = test_net_job(&net, false);
	struct tls_outcome outcome;

	memset(job.kernel_ciphers, 0, sizeof(job.kernel_ciphers));
	job.fallback = true;
	test_duel_new(l, net.conf.store, job,
		      (struct test_peer){ .chain = { &net.cert_a }, .priority = priority });
	assert_int_equal(test_duel_run(l), 0);
	tls_handshake_outcome(l->ours, &outcome);
	assert_false(outcome.kernel);
}

static int read_once(struct test_duel *l, char *buf, size_t size, size_t *len)
{
	int r = TLS_E_WANT_READ;

	for (int i = 0; i < 50 && r == TLS_E_WANT_READ; i++)
		r = tls_pump_read(l->ours, buf, size, len);
	return r;
}

static void expect_end(struct test_duel *l, enum reason reason)
{
	struct tls_outcome outcome;
	char buf[64];
	size_t len;

	assert_int_equal(read_once(l, buf, sizeof(buf), &len), TLS_E_REFUSED);
	tls_handshake_outcome(l->ours, &outcome);
	if (outcome.reason != reason)
		print_error("%s: %s\n", reason_info(outcome.reason)->code, outcome.detail);
	assert_int_equal(outcome.reason, reason);
	assert_true(strlen(outcome.detail) > 0);
	assert_int_equal(tls_pump_read(l->ours, buf, sizeof(buf), &len), TLS_E_REFUSED);
	assert_int_equal(tls_pump_write(l->ours, buf, 1, &len), TLS_E_REFUSED);
	assert_int_equal(tls_pump_close(l->ours), TLS_E_REFUSED);
}

static void test_data(void **state)
{
	char buf[64];
	struct test_duel l;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(test_versions); i++) {
		link_new(&l, test_versions[i]);
		assert_int_equal(tls_pump_read(l.ours, buf, sizeof(buf), &len), TLS_E_WANT_READ);
		assert_int_equal(gnutls_record_send(l.theirs, "OPTIONS", 7), 7);
		assert_int_equal(read_once(&l, buf, 3, &len), 0);
		assert_int_equal(len, 3);
		assert_int_equal(read_once(&l, buf, sizeof(buf), &len), 0);
		assert_int_equal(len, 4);
		assert_memory_equal(buf, "IONS", 4);
		assert_int_equal(tls_pump_write(l.ours, "200 OK", 6, &len), 0);
		assert_int_equal(len, 6);
		assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)), 6);
		/* close_notify both ways */
		assert_int_equal(tls_pump_close(l.ours), 0);
		assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)), 0);
		assert_int_equal(gnutls_bye(l.theirs, GNUTLS_SHUT_WR), 0);
		assert_int_equal(read_once(&l, buf, sizeof(buf), &len), TLS_E_EOF);
		test_duel_done(&l);
	}
}

/* A peer that does not read: WANT_WRITE, the same bytes again, nothing lost or doubled. */
static void test_back_pressure(void **state)
{
	static char block[16384], back[16384];
	size_t sent = 0, received = 0, len;
	struct test_duel l;
	int blocked = 0;

	(void)state;
	link_new(&l, test_versions[0]);
	for (int i = 0; i < 100000 && sent < (8 << 20); i++) {
		int r;

		memset(block, (int)(sent / sizeof(block) % 251), sizeof(block));
		r = tls_pump_write(l.ours, block, sizeof(block), &len);
		if (r == 0) {
			assert_int_equal(len, sizeof(block));
			sent += len;
			continue;
		}
		assert_int_equal(r, TLS_E_WANT_WRITE);
		blocked++;
		for (ssize_t n; (n = gnutls_record_recv(l.theirs, back, sizeof(back))) > 0;
		     received += (size_t)n)
			assert_int_equal((uint8_t)back[0], received / sizeof(block) % 251);
	}
	assert_true(blocked > 0);
	for (ssize_t n; (n = gnutls_record_recv(l.theirs, back, sizeof(back))) > 0;)
		received += (size_t)n;
	assert_int_equal(received, sent);
	test_duel_done(&l);
}

static void test_key_updates(void **state)
{
	char buf[64];
	struct test_duel l;
	size_t len;

	(void)state;
	link_new(&l, test_versions[0]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(gnutls_session_key_update(l.theirs, GNUTLS_KU_PEER), 0);
		assert_int_equal(gnutls_record_send(l.theirs, "x", 1), 1);
		assert_int_equal(read_once(&l, buf, sizeof(buf), &len), 0);
		assert_int_equal(tls_pump_write(l.ours, "y", 1, &len), 0);
		/* GnuTLS takes our KeyUpdate in a call of its own */
		if (gnutls_record_recv(l.theirs, buf, sizeof(buf)) != 1)
			assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)), 1);
	}
	test_duel_done(&l);

	link_new(&l, test_versions[0]);
	for (int i = 0; i < 20; i++)
		assert_int_equal(gnutls_session_key_update(l.theirs, 0), 0);
	expect_end(&l, REASON_KEY_UPDATE_FLOOD);
	assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)),
			 GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(l.theirs), GNUTLS_A_UNEXPECTED_MESSAGE);
	test_duel_done(&l);
}

static void test_ends(void **state)
{
	uint8_t record[] = { 0x17, 3,  3,  0,  24, 1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
			     11,   12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };
	struct test_duel l;
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(test_versions); i++) {
		link_new(&l, test_versions[i]); /* no close_notify */
		shutdown(l.fds[0], SHUT_WR);
		expect_end(&l, REASON_PEER_TRUNCATED);
		test_duel_done(&l);

		link_new(&l, test_versions[i]); /* the end in the middle of a record */
		assert_int_equal(send(l.fds[0], record, 9, 0), 9);
		shutdown(l.fds[0], SHUT_WR);
		expect_end(&l, REASON_PEER_TRUNCATED);
		test_duel_done(&l);

		link_new(&l, test_versions[i]);
		setsockopt(l.fds[0], SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger));
		close(l.fds[0]);
		expect_end(&l, REASON_PEER_RESET);
		l.fds[0] = -1;
		test_duel_done(&l);

		link_new(&l, test_versions[i]);
		assert_int_equal(send(l.fds[0], record, sizeof(record), 0), sizeof(record));
		expect_end(&l, REASON_RECORD_CORRUPT);
		assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)),
				 GNUTLS_E_FATAL_ALERT_RECEIVED);
		assert_int_equal(gnutls_alert_get(l.theirs), GNUTLS_A_BAD_RECORD_MAC);
		test_duel_done(&l);

		link_new(&l, test_versions[i]);
		gnutls_alert_send(l.theirs, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
		expect_end(&l, REASON_PEER_ALERT);
		assert_int_equal(l.ours->alert_received, GNUTLS_A_INTERNAL_ERROR);
		test_duel_done(&l);
	}
}

/* Renegotiation asked for by the peer has no place here. */
static void test_renegotiation(void **state)
{
	struct test_duel l;

	(void)state;
	link_new(&l, test_versions[1]);
	(void)gnutls_handshake(l.theirs);
	expect_end(&l, REASON_RECORD_UNEXPECTED);
	test_duel_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),	      cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_key_updates),   cmocka_unit_test(test_ends),
		cmocka_unit_test(test_renegotiation),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
