/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records in user space, against a plain GnuTLS session: data, back-pressure, key changes, every
 * end. */

#include "tls-testing.h"

static struct test_cert ca, cert_a, cert_b;
static struct test_conf net;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(tls_global_init(), 0);
	ca = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	cert_a = test_cert_make((struct test_spec){ .issuer = &ca, .dns = { "a.example" } });
	cert_b = test_cert_make((struct test_spec){ .issuer = &ca, .dns = { "b.example" } });
	test_conf_init(&net);
	test_files_add_certs(&net.files, "ca.pem", &ca, NULL);
	test_files_add_certs(&net.files, "b.pem", &cert_b, NULL);
	test_files_add_key(&net.files, "b.key", &cert_b);
	test_conf_identity(&net, "b", "b.pem", "b.key");
	test_conf_entry(&net, "a.example", test_conf_anchors(&net, "test", true, "ca.pem"));
	test_conf_build(&net);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_conf_done(&net);
	test_cert_done(&ca);
	test_cert_done(&cert_a);
	test_cert_done(&cert_b);
	return 0;
}

struct link {
	int fds[2]; /* theirs, ours */
	struct tls_handshake *ours;
	gnutls_session_t theirs;
	gnutls_certificate_credentials_t credentials;
};

static void link_new(struct link *l, const char *priority)
{
	struct tls_job job = {
		.mutual = true, .tls12 = true, .fallback = true, .entry = TRUST_ENTRY_ANY
	};
	struct tls_outcome outcome;
	int theirs = GNUTLS_E_AGAIN, ours = TLS_E_WANT_READ;

	test_connect(l->fds);
	assert_int_equal(tls_handshake_new(net.store, &job, l->fds[1], &l->ours), 0);
	gnutls_certificate_allocate_credentials(&l->credentials);
	gnutls_certificate_set_x509_key(l->credentials, &cert_a.crt, 1, cert_a.key);
	gnutls_init(&l->theirs, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
	assert_int_equal(gnutls_priority_set_direct(l->theirs, priority, NULL), 0);
	gnutls_credentials_set(l->theirs, GNUTLS_CRD_CERTIFICATE, l->credentials);
	gnutls_transport_set_int(l->theirs, l->fds[0]);
	for (int i = 0; i < 100 && (ours == TLS_E_WANT_READ || theirs == GNUTLS_E_AGAIN); i++) {
		theirs = gnutls_handshake(l->theirs);
		ours = tls_handshake_step(l->ours);
	}
	assert_int_equal(ours, 0);
	tls_handshake_outcome(l->ours, &outcome);
	assert_false(outcome.kernel);
}

static void link_done(struct link *l)
{
	tls_handshake_free(l->ours);
	gnutls_deinit(l->theirs);
	gnutls_certificate_free_credentials(l->credentials);
	close(l->fds[0]);
	close(l->fds[1]);
}

static const char *const versions[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.3",
					"NORMAL:-VERS-ALL:+VERS-TLS1.2" };

static int read_once(struct link *l, char *buf, size_t size, size_t *len)
{
	int r = TLS_E_WANT_READ;

	for (int i = 0; i < 50 && r == TLS_E_WANT_READ; i++)
		r = tls_pump_read(l->ours, buf, size, len);
	return r;
}

static void expect_end(struct link *l, enum reason reason)
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
	assert_int_equal(tls_pump_alert(l->ours, REASON_INTERNAL), 0);
}

static void test_data(void **state)
{
	char buf[64];
	struct link l;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		link_new(&l, versions[i]);
		assert_int_equal(tls_pump_read(l.ours, buf, sizeof(buf), &len), TLS_E_WANT_READ);
		assert_int_equal(gnutls_record_send(l.theirs, "OPTIONS", 7), 7);
		assert_int_equal(read_once(&l, buf, 3, &len), 0);
		assert_int_equal(len, 3);
		assert_int_equal(tls_pump_pending(l.ours, &len), 0);
		assert_int_equal(len, 4);
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
		link_done(&l);
	}
}

/* A peer that does not read: WANT_WRITE, the same bytes again, nothing lost or doubled. */
static void test_back_pressure(void **state)
{
	static char block[16384], back[16384];
	size_t sent = 0, received = 0, len;
	struct link l;
	int blocked = 0;

	(void)state;
	link_new(&l, versions[0]);
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
	link_done(&l);
}

static void test_key_updates(void **state)
{
	char buf[64];
	struct link l;
	size_t len;

	(void)state;
	link_new(&l, versions[0]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(gnutls_session_key_update(l.theirs, GNUTLS_KU_PEER), 0);
		assert_int_equal(gnutls_record_send(l.theirs, "x", 1), 1);
		assert_int_equal(read_once(&l, buf, sizeof(buf), &len), 0);
		assert_int_equal(tls_pump_write(l.ours, "y", 1, &len), 0);
		/* GnuTLS takes our KeyUpdate in a call of its own */
		if (gnutls_record_recv(l.theirs, buf, sizeof(buf)) != 1)
			assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)), 1);
	}
	link_done(&l);

	link_new(&l, versions[0]);
	for (int i = 0; i < 20; i++)
		assert_int_equal(gnutls_session_key_update(l.theirs, 0), 0);
	expect_end(&l, REASON_KEY_UPDATE_FLOOD);
	assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)),
			 GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(l.theirs), GNUTLS_A_UNEXPECTED_MESSAGE);
	link_done(&l);
}

static void test_ends(void **state)
{
	uint8_t record[] = { 0x17, 3,  3,  0,  24, 1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
			     11,   12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };
	struct link l;
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		link_new(&l, versions[i]); /* no close_notify */
		shutdown(l.fds[0], SHUT_WR);
		expect_end(&l, REASON_PEER_TRUNCATED);
		link_done(&l);

		link_new(&l, versions[i]); /* the end in the middle of a record */
		assert_int_equal(send(l.fds[0], record, 9, 0), 9);
		shutdown(l.fds[0], SHUT_WR);
		expect_end(&l, REASON_PEER_TRUNCATED);
		link_done(&l);

		link_new(&l, versions[i]);
		setsockopt(l.fds[0], SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger));
		close(l.fds[0]);
		expect_end(&l, REASON_PEER_RESET);
		l.fds[0] = -1;
		link_done(&l);

		link_new(&l, versions[i]);
		assert_int_equal(send(l.fds[0], record, sizeof(record), 0), sizeof(record));
		expect_end(&l, REASON_RECORD_CORRUPT);
		assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)),
				 GNUTLS_E_FATAL_ALERT_RECEIVED);
		assert_int_equal(gnutls_alert_get(l.theirs), GNUTLS_A_BAD_RECORD_MAC);
		link_done(&l);

		link_new(&l, versions[i]);
		gnutls_alert_send(l.theirs, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
		expect_end(&l, REASON_PEER_ALERT);
		assert_int_equal(l.ours->alert_received, GNUTLS_A_INTERNAL_ERROR);
		link_done(&l);
	}
}

/* Renegotiation asked for by the peer has no place here. */
static void test_renegotiation(void **state)
{
	struct link l;

	(void)state;
	link_new(&l, versions[1]);
	(void)gnutls_handshake(l.theirs);
	expect_end(&l, REASON_RECORD_UNEXPECTED);
	link_done(&l);
}

static void test_alert(void **state)
{
	struct link l;
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		link_new(&l, versions[i]);
		assert_int_equal(tls_pump_alert(l.ours, REASON_ADMIN_CLOSED), 0); /* has none */
		assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)), GNUTLS_E_AGAIN);
		assert_int_equal(tls_pump_alert(l.ours, REASON_BACKEND_RESET), 0);
		assert_int_equal(gnutls_record_recv(l.theirs, buf, sizeof(buf)),
				 GNUTLS_E_FATAL_ALERT_RECEIVED);
		assert_int_equal(gnutls_alert_get(l.theirs), GNUTLS_A_INTERNAL_ERROR);
		link_done(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),	      cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_key_updates),   cmocka_unit_test(test_ends),
		cmocka_unit_test(test_renegotiation), cmocka_unit_test(test_alert),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
