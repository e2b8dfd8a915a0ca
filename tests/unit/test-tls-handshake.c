/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Handshakes between two ends of ours: what is agreed on, that the keys fit together, which
 * identity is shown, what reaches the SIP server first, and that any split of the bytes does.
 */

#include "tls-testing.h"

#include <gnutls/crypto.h>

static struct test_cert ca, cert_a, cert_b, cert_b2, cert_rsa;
static struct test_conf net;
static uint32_t id_a, id_b, id_b2, id_rsa, entry_a, entry_b;

static int setup(void **state)
{
	uint32_t anchors;

	(void)state;
	assert_int_equal(tls_global_init(), 0);
	ca = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	cert_a = test_cert_make((struct test_spec){ .issuer = &ca, .dns = { "a.example" } });
	cert_b = test_cert_make((struct test_spec){ .issuer = &ca, .dns = { "b.example" } });
	cert_b2 = test_cert_make(
		(struct test_spec){ .issuer = &ca, .dns = { "*.two.example", "b.example" } });
	cert_rsa = test_cert_make((struct test_spec){ .issuer = &ca,
						      .cn = "rsa.example",
						      .dns = { "rsa.example" },
						      .pk = GNUTLS_PK_RSA });
	test_conf_init(&net);
	test_files_add_certs(&net.files, "ca.pem", &ca, NULL);
	test_files_add_certs(&net.files, "a.pem", &cert_a, NULL);
	test_files_add_key(&net.files, "a.key", &cert_a);
	test_files_add_certs(&net.files, "b.pem", &cert_b, &ca, NULL);
	test_files_add_key(&net.files, "b.key", &cert_b);
	test_files_add_certs(&net.files, "b2.pem", &cert_b2, NULL);
	test_files_add_key(&net.files, "b2.key", &cert_b2);
	test_files_add_certs(&net.files, "rsa.pem", &cert_rsa, NULL);
	test_files_add_key(&net.files, "rsa.key", &cert_rsa);
	id_b = test_conf_identity(&net, "b", "b.pem", "b.key");
	id_a = test_conf_identity(&net, "a", "a.pem", "a.key");
	id_b2 = test_conf_identity(&net, "b2", "b2.pem", "b2.key");
	id_rsa = test_conf_identity(&net, "rsa", "rsa.pem", "rsa.key");
	anchors = test_conf_anchors(&net, "test", true, "ca.pem");
	entry_a = test_conf_entry(&net, "a.example", anchors);
	entry_b = test_conf_entry(&net, "b.example", anchors);
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
	test_cert_done(&cert_b2);
	test_cert_done(&cert_rsa);
	return 0;
}

/* ---- two ends ---- */

static struct tls_job job_of(bool dial, bool tls12, uint8_t ciphers)
{
	struct tls_job job = {
		.dial = dial,
		.mutual = true,
		.tls12 = tls12,
		.kernel_ciphers = { ciphers, ciphers },
		.identity = id_a,
		.entry = dial ? entry_b : TRUST_ENTRY_ANY,
	};

	return job;
}

static void pair_new(struct test_pair *p, struct tls_job dial, struct tls_job accept)
{
	test_pair_new(p, net.store, dial, accept);
}

static void pair_run(struct test_pair *p)
{
	test_pair_run(p);
	if (p->dialled != 0 || p->accepted != 0)
		print_error("dial %d: %s; accept %d: %s\n", p->dialled, p->dial->detail,
			    p->accepted, p->accept->detail);
	assert_int_equal(p->dialled, 0);
	assert_int_equal(p->accepted, 0);
}

struct keys {
	struct traffic_keys tx, rx;
	uint8_t early[TLS_EARLY_MAX];
	size_t early_len;
};

static void export_keys(struct tls_handshake *hs, struct keys *keys)
{
	*keys = (struct keys){ 0 };
	assert_int_equal(tls_handshake_export(hs, &keys->tx, &keys->rx, keys->early,
					      &keys->early_len),
			 0);
}

static void assert_same_keys(const struct traffic_keys *a, const struct traffic_keys *b)
{
	assert_memory_equal(a->key, b->key, sizeof(a->key));
	assert_memory_equal(a->iv, b->iv, sizeof(a->iv));
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->secret.len, b->secret.len);
	assert_memory_equal(a->secret.bytes, b->secret.bytes, sizeof(a->secret.bytes));
}

/* ---- tests ---- */

static void check_outcome(struct test_pair *p, enum ktls_version version, enum ktls_cipher cipher)
{
	struct tls_outcome dial, accept;

	tls_handshake_outcome(p->dial, &dial);
	tls_handshake_outcome(p->accept, &accept);
	assert_int_equal(dial.reason, REASON_OK);
	assert_int_equal(accept.reason, REASON_OK);
	assert_int_equal(dial.version, version);
	assert_int_equal(accept.version, version);
	assert_int_equal(dial.cipher, cipher);
	assert_int_equal(accept.cipher, cipher);
	assert_string_equal(dial.group, "X25519");
	assert_string_equal(accept.sni, "b.example");
	assert_string_equal(dial.detail, "");
	assert_true(dial.kernel && accept.kernel);
	assert_int_equal(dial.alert_received, ALERT_NONE);
	assert_int_equal(accept.facts->n_certs, 1);
	assert_int_equal(dial.facts->n_certs, 2);
	assert_int_equal(dial.identity, id_a);
	assert_int_equal(accept.identity, id_b);
}

static void test_keys_fit(void **state)
{
	(void)state;
	for (int version = 0; version < _KTLS_VERSION_MAX; version++) {
		for (int cipher = 0; cipher < _KTLS_CIPHER_MAX; cipher++) {
			struct tls_job dial = job_of(true, true, (uint8_t)(1 << cipher));
			struct tls_job accept = job_of(false, true, (uint8_t)(1 << cipher));
			struct keys a, b;
			struct test_pair p;

			if (version == KTLS_TLS12)
				dial.kernel_ciphers[KTLS_TLS13] = 0;
			pair_new(&p, dial, accept);
			pair_run(&p);
			check_outcome(&p, (enum ktls_version)version, (enum ktls_cipher)cipher);
			export_keys(p.dial, &a);
			export_keys(p.accept, &b);
			assert_same_keys(&a.tx, &b.rx);
			assert_same_keys(&a.rx, &b.tx);
			assert_memory_not_equal(a.tx.key, a.rx.key, 16);
			assert_int_equal(a.tx.seq, version == KTLS_TLS12 ? 1 : 0);
			assert_int_equal(a.early_len, 0);
			if (version == KTLS_TLS12 && cipher != KTLS_CHACHA20_POLY1305) {
				static const uint8_t one[8] = { [7] = 1 };

				assert_memory_equal(a.tx.iv + 4, one, sizeof(one));
			}
			assert_int_equal(
				a.tx.secret.len,
				version == KTLS_TLS12
					? 0
					: ktls_cipher_info((enum ktls_cipher)cipher)->hash_size);
			test_pair_done(&p);
		}
	}
}

/* Keys taken out of GnuTLS encrypt what GnuTLS at the other end reads (RFC 8446 5.2, 5.3). */
static void test_record_by_hand(void **state)
{
	static const char message[] = "OPTIONS sip:b.example SIP/2.0\r\n";
	uint8_t record[5 + sizeof(message) + 1 + 16], buf[256];
	struct keys a;
	struct test_pair p;
	size_t len = sizeof(record) - 5;
	gnutls_aead_cipher_hd_t cipher;
	gnutls_datum_t key;

	(void)state;
	pair_new(&p, job_of(true, false, 1 << KTLS_AES_256_GCM),
		 job_of(false, false, 1 << KTLS_AES_256_GCM));
	pair_run(&p);
	export_keys(p.dial, &a);
	record[0] = KTLS_RECORD_DATA;
	record[1] = record[2] = 3;
	record[3] = 0;
	record[4] = (uint8_t)len;
	memcpy(buf, message, sizeof(message));
	buf[sizeof(message)] = KTLS_RECORD_DATA;
	key = tls_datum(a.tx.key, 32);
	assert_int_equal(gnutls_aead_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_GCM, &key), 0);
	assert_int_equal(gnutls_aead_cipher_encrypt(cipher, a.tx.iv, 12, record, 5, 16, buf,
						    sizeof(message) + 1, record + 5, &len),
			 0);
	gnutls_aead_cipher_deinit(cipher);
	assert_int_equal(write(p.fds[0], record, sizeof(record)), (ssize_t)sizeof(record));
	assert_int_equal(tls_pump_read(p.accept, buf, sizeof(buf), &len), 0);
	assert_int_equal(len, sizeof(message));
	assert_memory_equal(buf, message, sizeof(message));
	test_pair_done(&p);
}

/* The next generation of keys is GnuTLS's own after its KeyUpdate. */
static void test_key_update_is_gnutls(void **state)
{
	(void)state;
	for (int cipher = 0; cipher < _KTLS_CIPHER_MAX; cipher++) {
		struct keys a, b;
		struct test_pair p;
		gnutls_datum_t mac, iv, key;
		unsigned char seq[8];

		pair_new(&p, job_of(true, false, (uint8_t)(1 << cipher)),
			 job_of(false, false, (uint8_t)(1 << cipher)));
		pair_run(&p);
		export_keys(p.accept, &b);
		for (int generation = 0; generation < 3; generation++) {
			assert_int_equal(tls_keys_update((enum ktls_cipher)cipher, &b.rx), 0);
			assert_int_equal(gnutls_session_key_update(p.dial->session, 0), 0);
			assert_int_equal(gnutls_record_get_state(p.dial->session, 0, &mac, &iv,
								 &key, seq),
					 0);
			assert_memory_equal(key.data, b.rx.key, key.size);
			assert_memory_equal(iv.data, b.rx.iv, iv.size);
			assert_int_equal(b.rx.seq, 0);
		}
		a = b;
		a.rx.secret.len--;
		assert_int_equal(tls_keys_update((enum ktls_cipher)cipher, &a.rx), -EINVAL);
		test_pair_done(&p);
	}
}

static void test_early_data(void **state)
{
	static const char message[] = "0123456789REGISTER";
	struct keys b;
	struct test_pair p;
	uint8_t first[10];
	size_t len;

	(void)state;
	pair_new(&p, job_of(true, false, 7), job_of(false, false, 7));
	pair_run(&p);
	assert_int_equal(tls_pump_write(p.dial, message, sizeof(message), &len), 0);
	/* The library has the whole record once a part of it was read. */
	assert_int_equal(tls_pump_read(p.accept, first, sizeof(first), &len), 0);
	assert_int_equal(gnutls_record_check_pending(p.accept->session),
			 sizeof(message) - sizeof(first));
	export_keys(p.accept, &b);
	assert_int_equal(b.early_len, sizeof(message) - sizeof(first));
	assert_memory_equal(b.early, message + sizeof(first), b.early_len);
	assert_int_equal(b.rx.seq, 1);
	assert_int_equal(b.tx.seq, 0);
	assert_int_equal(tls_handshake_export(p.accept, &b.tx, &b.rx, b.early, &len), -EINVAL);
	test_pair_done(&p);
}

static void check_identity(const char *sni, uint32_t expected)
{
	struct tls_job dial = job_of(true, false, 7), accept = job_of(false, false, 7);
	struct test_pair p;

	pair_new(&p, dial, accept);
	if (sni)
		gnutls_server_name_set(p.dial->session, GNUTLS_NAME_DNS, sni, strlen(sni));
	for (int i = 0; i < 20; i++) {
		(void)!tls_handshake_step(p.dial);
		(void)!tls_handshake_step(p.accept);
	}
	assert_int_equal(p.accept->identity, expected);
	test_pair_done(&p);
}

static void test_identity_by_sni(void **state)
{
	(void)state;
	check_identity("b.example", id_b); /* both b and b2 have it: the first one */
	check_identity("B.Example", id_b);
	check_identity("x.two.example", id_b2);
	check_identity("x.y.two.example", id_b); /* a wildcard is one label */
	check_identity("two.example", id_b);
	check_identity("rsa.example", id_rsa);
	check_identity("unknown.example", id_b);
}

/* One byte at a time, each side told after each: no read-ahead, no spinning, no deadlock. */
static void test_dribble(void **state)
{
	struct tls_job accept = job_of(false, false, 7);
	uint8_t flight[16384];
	struct test_pair p;
	int wire[2], r;

	(void)state;
	pair_new(&p, job_of(true, false, 7), accept);
	/* the accepting end sits behind a second connection that the test feeds */
	test_connect(wire);
	tls_handshake_free(p.accept);
	assert_int_equal(tls_handshake_new(net.store, &accept, wire[1], &p.accept), 0);
	r = tls_handshake_step(p.accept);
	assert_int_equal(r, TLS_E_WANT_READ);
	for (int round = 0; round < 4; round++) {
		ssize_t n, m;

		(void)!tls_handshake_step(p.dial);
		n = recv(p.fds[1], flight, sizeof(flight), 0);
		for (ssize_t i = 0; i < n; i++) {
			assert_int_equal(write(wire[0], flight + i, 1), 1);
			r = tls_handshake_step(p.accept);
			assert_true(r == 0 || r == TLS_E_WANT_READ);
			assert_int_equal(recv(wire[1], &m, 1, MSG_PEEK | MSG_DONTWAIT), -1);
		}
		m = recv(wire[0], flight, sizeof(flight), 0);
		for (ssize_t i = 0; i < m; i++) {
			assert_int_equal(write(p.fds[1], flight + i, 1), 1);
			r = tls_handshake_step(p.dial);
			assert_true(r == 0 || r == TLS_E_WANT_READ);
		}
	}
	assert_int_equal(tls_handshake_step(p.dial), 0);
	assert_int_equal(tls_handshake_step(p.accept), 0);
	close(wire[0]);
	close(wire[1]);
	test_pair_done(&p);
}

/* What follows the last handshake byte stays in the socket, for the kernel. */
static void test_nothing_read_ahead(void **state)
{
	static const char message[] = "ACK";
	struct keys b;
	struct test_pair p;
	size_t len;
	uint8_t byte;

	(void)state;
	pair_new(&p, job_of(true, false, 7), job_of(false, false, 7));
	for (int i = 0; i < 10 && tls_handshake_step(p.dial) != 0; i++)
		assert_int_equal(tls_handshake_step(p.accept), TLS_E_WANT_READ);
	assert_int_equal(tls_pump_write(p.dial, message, sizeof(message), &len), 0);
	assert_int_equal(tls_handshake_step(p.accept), 0);
	assert_int_equal(recv(p.fds[1], &byte, 1, MSG_PEEK), 1);
	assert_int_equal(byte, KTLS_RECORD_DATA);
	export_keys(p.accept, &b);
	assert_int_equal(b.early_len, 0);
	assert_int_equal(b.rx.seq, 0);
	test_pair_done(&p);
}

static void test_fallback_choice(void **state)
{
	struct tls_job dial = job_of(true, false, 7),
		       accept = job_of(false, false, 1 << KTLS_AES_128_GCM);
	struct tls_outcome outcome;
	struct keys keys;
	struct test_pair p;

	(void)state;
	/* the kernel takes AES-128 only: it is preferred, and nothing else is offered without
	 * fallback */
	accept.fallback = true;
	pair_new(&p, dial, accept);
	pair_run(&p);
	tls_handshake_outcome(p.accept, &outcome);
	assert_int_equal(outcome.cipher, KTLS_AES_128_GCM);
	assert_true(outcome.kernel);
	test_pair_done(&p);

	/* the peer cannot do what the kernel takes */
	dial.kernel_ciphers[KTLS_TLS13] = 1 << KTLS_CHACHA20_POLY1305;
	pair_new(&p, dial, accept);
	pair_run(&p);
	tls_handshake_outcome(p.accept, &outcome);
	assert_int_equal(outcome.cipher, KTLS_CHACHA20_POLY1305);
	assert_false(outcome.kernel);
	assert_int_equal(tls_handshake_export(p.accept, &keys.tx, &keys.rx, keys.early,
					      &keys.early_len),
			 -EINVAL);
	test_pair_done(&p);
}

/* A peer that takes only small records (RFC 8449) cannot be served by the kernel. */
static void test_record_size_limit(void **state)
{
	struct tls_job accept = job_of(false, false, 7);
	struct tls_outcome outcome;
	struct test_pair p;

	(void)state;
	accept.fallback = true;
	pair_new(&p, job_of(true, false, 7), accept);
	assert_int_equal(gnutls_record_set_max_recv_size(p.dial->session, 1024), 0);
	pair_run(&p);
	tls_handshake_outcome(p.accept, &outcome);
	assert_false(outcome.kernel);
	test_pair_done(&p);
}

static void test_suites(void **state)
{
	struct tls_job job = { .kernel_ciphers = { 1, 7 } };
	struct tls_suites s;

	(void)state;
	s = tls_suites_choose(&job);
	assert_int_equal(s.versions, TLS_VERSION_BIT(KTLS_TLS13));
	assert_int_equal(s.ciphers, 7);
	job.tls12 = true;
	s = tls_suites_choose(&job);
	assert_int_equal(s.versions, TLS_VERSIONS_ALL);
	assert_int_equal(s.ciphers, 1);
	job.kernel_ciphers[KTLS_TLS12] = 0;
	s = tls_suites_choose(&job);
	assert_int_equal(s.versions, TLS_VERSION_BIT(KTLS_TLS13));
	assert_int_equal(s.ciphers, 7);
	job.kernel_ciphers[KTLS_TLS12] = 2;
	job.kernel_ciphers[KTLS_TLS13] = 4;
	s = tls_suites_choose(&job);
	assert_int_equal(s.versions, TLS_VERSION_BIT(KTLS_TLS13));
	assert_int_equal(s.ciphers, 4);
	job.kernel_ciphers[KTLS_TLS13] = 0;
	s = tls_suites_choose(&job);
	assert_int_equal(s.versions, TLS_VERSION_BIT(KTLS_TLS12));
	assert_int_equal(s.ciphers, 2);
	job.tls12 = false;
	assert_int_equal(tls_suites_choose(&job).ciphers, 0);
	job.fallback = true;
	assert_int_equal(tls_suites_choose(&job).ciphers, 7);
	job.tls12 = true;
	assert_int_equal(tls_suites_choose(&job).versions, TLS_VERSIONS_ALL);
}

static void test_bad_jobs(void **state)
{
	struct tls_job job = job_of(true, false, 7);
	struct tls_handshake *hs = NULL;

	(void)state;
	job.entry = 99;
	assert_int_equal(tls_handshake_new(net.store, &job, 0, &hs), -EINVAL);
	job = job_of(true, false, 7);
	job.member = 1;
	assert_int_equal(tls_handshake_new(net.store, &job, 0, &hs), -EINVAL);
	job = job_of(true, false, 7);
	job.identity = 99;
	assert_int_equal(tls_handshake_new(net.store, &job, 0, &hs), -EINVAL);
	job = job_of(false, false, 7);
	job.listener = 1;
	assert_int_equal(tls_handshake_new(net.store, &job, 0, &hs), -EINVAL);
	assert_null(hs);
	assert_null(tls_handshake_free(NULL));
	assert_null(tls_store_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_fit),
		cmocka_unit_test(test_record_by_hand),
		cmocka_unit_test(test_key_update_is_gnutls),
		cmocka_unit_test(test_early_data),
		cmocka_unit_test(test_identity_by_sni),
		cmocka_unit_test(test_dribble),
		cmocka_unit_test(test_nothing_read_ahead),
		cmocka_unit_test(test_fallback_choice),
		cmocka_unit_test(test_record_size_limit),
		cmocka_unit_test(test_suites),
		cmocka_unit_test(test_bad_jobs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
