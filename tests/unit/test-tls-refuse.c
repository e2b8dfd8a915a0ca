/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Handshakes that must fail: one end of ours against plain GnuTLS sessions. For each
 * the reason, the one alert that the peer gets, and what the operator is told.
 */

#include "tls-testing.h"

static struct test_cert other_ca, intermediate;
static struct test_net net;

static int setup(void **state)
{
	(void)state;
	test_net_init(&net);
	other_ca = test_cert_make((struct test_spec){ .cn = "Other CA", .ca = true });
	intermediate = test_cert_make(
		(struct test_spec){ .cn = "Issuing CA", .issuer = &net.ca, .ca = true });
	test_files_add_certs(&net.conf.files, "other.pem", &other_ca, NULL);
	test_conf_entry(&net.conf, "c.example",
			test_conf_anchors(&net.conf, "others", false, "other.pem"));
	test_conf_build(&net.conf);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_net_done(&net);
	test_cert_done(&other_ca);
	test_cert_done(&intermediate);
	return 0;
}

static struct tls_job job_of(bool dial)
{
	return test_net_job(&net, dial);
}

static void duel_new(struct test_duel *d, struct tls_job job, struct test_peer peer)
{
	test_duel_new(d, net.conf.store, job, peer);
}

/* TLS 1.3: a client may be done before it reads our alert. */
static int their_alert(struct test_duel *d)
{
	char buf[16];

	for (int i = 0; i < 50 && d->their_error >= 0; i++) {
		ssize_t n = gnutls_record_recv(d->theirs, buf, sizeof(buf));

		if (n != GNUTLS_E_AGAIN)
			d->their_error = (int)n;
	}
	if (d->their_error != GNUTLS_E_FATAL_ALERT_RECEIVED)
		return -1;
	return (int)gnutls_alert_get(d->theirs);
}

static void expect_refusal(struct test_duel *d, enum reason reason, int alert)
{
	struct tls_outcome outcome;
	uint8_t byte;
	int r = test_duel_run(d);

	tls_handshake_outcome(d->ours, &outcome);
	if (outcome.reason != reason)
		print_error("expected %s, found %s: %s\n", reason_info(reason)->code,
			    reason_info(outcome.reason)->code, outcome.detail);
	assert_int_equal(r, TLS_E_REFUSED);
	assert_int_equal(outcome.reason, reason);
	assert_int_equal(their_alert(d), alert);
	assert_int_equal(outcome.alert_received, ALERT_NONE);
	assert_true(strlen(outcome.detail) > 0);
	/* one alert, and nothing behind it */
	assert_int_equal(recv(d->fds[0], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(tls_handshake_step(d->ours), TLS_E_REFUSED);
}

static void refuse_job(struct tls_job job, struct test_peer peer, enum reason reason, int alert)
{
	struct test_duel d;

	duel_new(&d, job, peer);
	expect_refusal(&d, reason, alert);
	test_duel_done(&d);
}

static void refuse_client(struct test_peer peer, enum reason reason, int alert)
{
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
	refuse_job(job_of(false), peer, reason, alert);
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	refuse_job(job_of(false), peer, reason, alert);
}

static void refuse_server(struct test_peer peer, enum reason reason, int alert)
{
	peer.server = true;
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
	refuse_job(job_of(true), peer, reason, alert);
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	refuse_job(job_of(true), peer, reason, alert);
}

/* ---- certificates ---- */

static void refuse_spec(struct test_spec spec, enum reason reason, int alert)
{
	struct test_cert cert = test_cert_make(spec);

	refuse_client((struct test_peer){ .chain = { &cert } }, reason, alert);
	test_cert_done(&cert);
}

static void test_no_certificate(void **state)
{
	(void)state;
	refuse_job(job_of(false), (struct test_peer){ .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3" },
		   REASON_NO_CERTIFICATE, GNUTLS_A_CERTIFICATE_REQUIRED);
	refuse_job(job_of(false), (struct test_peer){ .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2" },
		   REASON_NO_CERTIFICATE, GNUTLS_A_HANDSHAKE_FAILURE);
}

static void test_bad_leaves(void **state)
{
	static const char *const server_only[] = { GNUTLS_KP_TLS_WWW_SERVER };
	static const uint8_t text[] = { 0x0c, 0x01, 'x' };
	struct test_spec good = { .issuer = &net.ca, .dns = { "a.example" } }, spec;

	(void)state;
	spec = good, spec.dns[0] = "unlisted.example";
	refuse_spec(spec, REASON_NOT_IN_TOPOLOGY, GNUTLS_A_ACCESS_DENIED);
	spec = good, spec.from = -20, spec.to = -10;
	refuse_spec(spec, REASON_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED);
	spec = good, spec.from = 10, spec.to = 20;
	refuse_spec(spec, REASON_NOT_YET_VALID, GNUTLS_A_BAD_CERTIFICATE);
	spec = good, spec.ca = true,
	spec.key_usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE;
	refuse_spec(spec, REASON_CA_AS_LEAF, GNUTLS_A_BAD_CERTIFICATE);
	spec = good, spec.version = 1, spec.cn = "a.example";
	refuse_spec(spec, REASON_CERTIFICATE_VERSION, GNUTLS_A_UNSUPPORTED_CERTIFICATE);
	spec = good, spec.pk = GNUTLS_PK_RSA, spec.bits = 1024;
	refuse_spec(spec, REASON_WEAK_KEY, GNUTLS_A_BAD_CERTIFICATE);
	spec = good, spec.digest = GNUTLS_DIG_SHA1;
	refuse_spec(spec, REASON_WEAK_SIGNATURE, GNUTLS_A_BAD_CERTIFICATE);
	spec = good, spec.purposes[0] = server_only[0];
	refuse_spec(spec, REASON_KEY_USAGE, GNUTLS_A_BAD_CERTIFICATE);
	spec = good, spec.extension = text, spec.extension_size = sizeof(text);
	spec.extension_oid = "1.2.3.4", spec.extension_critical = true;
	refuse_spec(spec, REASON_CHAIN_UNSUPPORTED, GNUTLS_A_BAD_CERTIFICATE);
	spec = good, spec.issuer = NULL;
	refuse_spec(spec, REASON_UNKNOWN_CA, GNUTLS_A_UNKNOWN_CA);
}

static void test_bad_chains(void **state)
{
	struct test_cert fake_ca, forged, late, foreign, not_ca, below;
	struct test_peer peer;

	(void)state;
	/* the CA's name and key identifier, another key */
	fake_ca = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	forged = test_cert_make((struct test_spec){ .issuer = &fake_ca, .dns = { "a.example" } });
	refuse_client((struct test_peer){ .chain = { &forged } }, REASON_CHAIN_SIGNATURE,
		      GNUTLS_A_BAD_CERTIFICATE);

	late = test_cert_make(
		(struct test_spec){ .issuer = &intermediate, .dns = { "a.example" } });
	refuse_client((struct test_peer){ .chain = { &late } }, REASON_UNKNOWN_CA,
		      GNUTLS_A_UNKNOWN_CA);

	foreign = test_cert_make((struct test_spec){ .issuer = &other_ca, .dns = { "a.example" } });
	refuse_client((struct test_peer){ .chain = { &foreign } }, REASON_FOREIGN_CA_PARTNER,
		      GNUTLS_A_UNKNOWN_CA);

	/* an end entity that issues */
	not_ca = test_cert_make(
		(struct test_spec){ .issuer = &net.ca, .cn = "no CA", .dns = { "x.example" } });
	below = test_cert_make((struct test_spec){ .issuer = &not_ca, .dns = { "a.example" } });
	peer = (struct test_peer){ .chain = { &below, &not_ca } };
	refuse_client(peer, REASON_CHAIN_CONSTRAINT, GNUTLS_A_BAD_CERTIFICATE);

	test_cert_done(&fake_ca);
	test_cert_done(&forged);
	test_cert_done(&late);
	test_cert_done(&foreign);
	test_cert_done(&not_ca);
	test_cert_done(&below);
}

static gnutls_pcert_st pcerts[20];
static unsigned int n_pcerts;
static gnutls_privkey_t pcert_key;

static int show_pcerts(gnutls_session_t session, const gnutls_datum_t *rdn, int n_rdn,
		       const gnutls_pk_algorithm_t *pk, int n_pk, gnutls_pcert_st **ret,
		       unsigned int *ret_n, gnutls_privkey_t *ret_key)
{
	(void)session, (void)rdn, (void)n_rdn, (void)pk, (void)n_pk;
	*ret = pcerts;
	*ret_n = n_pcerts;
	*ret_key = pcert_key;
	return 0;
}

/* What no library would load from a file. */
static void test_malformed_and_too_many(void **state)
{
	static uint8_t junk[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };
	struct test_peer peer = { 0 };

	(void)state;
	gnutls_certificate_allocate_credentials(&peer.credentials);
	gnutls_certificate_set_retrieve_function2(peer.credentials, show_pcerts);
	assert_int_equal(gnutls_privkey_init(&pcert_key), 0);
	assert_int_equal(gnutls_privkey_import_x509(pcert_key, net.cert_a.key, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pcerts); i++)
		assert_int_equal(gnutls_pcert_import_x509(&pcerts[i], net.cert_a.crt, 0), 0);

	n_pcerts = TRUST_CHAIN_MAX + 1;
	refuse_client(peer, REASON_CERTIFICATE_TOO_LARGE, GNUTLS_A_BAD_CERTIFICATE);

	n_pcerts = 2;
	gnutls_free(pcerts[1].cert.data);
	pcerts[1].cert = tls_datum(junk, sizeof(junk));
	refuse_client(peer, REASON_CERTIFICATE_MALFORMED, GNUTLS_A_BAD_CERTIFICATE);
	pcerts[1].cert.data = NULL;

	n_pcerts = 1;
	gnutls_free(pcerts[0].cert.data);
	pcerts[0].cert = tls_datum(junk, sizeof(junk));
	refuse_client(peer, REASON_CERTIFICATE_MALFORMED, GNUTLS_A_BAD_CERTIFICATE);
	pcerts[0].cert.data = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(pcerts); i++)
		gnutls_pcert_deinit(&pcerts[i]);
	gnutls_privkey_deinit(pcert_key);
	gnutls_certificate_free_credentials(peer.credentials);
}

static void test_bad_servers(void **state)
{
	static const char *const client_only[] = { GNUTLS_KP_TLS_WWW_CLIENT };
	struct test_cert cert;

	(void)state;
	refuse_server((struct test_peer){ .chain = { &net.cert_a } }, REASON_NAME_MISMATCH,
		      GNUTLS_A_BAD_CERTIFICATE);
	cert = test_cert_make((struct test_spec){ .dns = { "b.example" } });
	refuse_server((struct test_peer){ .chain = { &cert } }, REASON_UNKNOWN_CA,
		      GNUTLS_A_UNKNOWN_CA);
	test_cert_done(&cert);
	cert = test_cert_make((struct test_spec){
		.issuer = &net.ca, .dns = { "b.example" }, .purposes = { client_only[0] } });
	refuse_server((struct test_peer){ .chain = { &cert } }, REASON_KEY_USAGE,
		      GNUTLS_A_BAD_CERTIFICATE);
	test_cert_done(&cert);
}

/* ---- versions and ciphers ---- */

static void expect_detail(struct tls_job job, struct test_peer peer, enum reason reason, int alert,
			  const char *const words[])
{
	struct test_duel d;

	duel_new(&d, job, peer);
	expect_refusal(&d, reason, alert);
	for (; *words; words++) {
		if (!strstr(d.ours->detail, *words))
			fail_msg("no '%s' in '%s'", *words, d.ours->detail);
	}
	test_duel_done(&d);
}

static void test_versions_and_ciphers(void **state)
{
	static const char *const versions[] = { "TLS 1.2 and below", "TLS_ECDHE", NULL };
	static const char *const old[] = { "TLS 1.1 and below", NULL };
	static const char *const suites[] = { "TLS 1.3", "AES_128_CCM", NULL };
	struct tls_job only13 = job_of(false);
	struct test_peer peer = { .chain = { &net.cert_a } };

	(void)state;
	only13.tls12 = false;
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.1";
	expect_detail(only13, peer, REASON_TLS_VERSION, GNUTLS_A_PROTOCOL_VERSION, versions);
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1";
	expect_detail(job_of(false), peer, REASON_TLS_VERSION, GNUTLS_A_PROTOCOL_VERSION, old);
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM";
	expect_detail(only13, peer, REASON_TLS_CIPHER, GNUTLS_A_HANDSHAKE_FAILURE, suites);
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE2048";
	refuse_job(only13, peer, REASON_TLS_CIPHER, GNUTLS_A_HANDSHAKE_FAILURE);
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA";
	refuse_job(job_of(false), peer, REASON_TLS_CIPHER, GNUTLS_A_HANDSHAKE_FAILURE);
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC";
	refuse_job(job_of(false), peer, REASON_TLS_CIPHER, GNUTLS_A_HANDSHAKE_FAILURE);
	peer.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256";
	peer.chain[0] = NULL;
	refuse_job(only13, peer, REASON_TLS_CIPHER, GNUTLS_A_HANDSHAKE_FAILURE);
}

static void test_nothing_to_offer(void **state)
{
	struct tls_job job = job_of(false);
	struct tls_outcome outcome;
	struct test_duel d;

	(void)state;
	job.kernel_ciphers[KTLS_TLS12] = job.kernel_ciphers[KTLS_TLS13] = 0;
	duel_new(&d, job, (struct test_peer){ 0 });
	assert_int_equal(tls_handshake_step(d.ours), TLS_E_REFUSED);
	tls_handshake_outcome(d.ours, &outcome);
	assert_int_equal(outcome.reason, REASON_KERNEL_UNAVAILABLE);
	assert_null(outcome.facts);
	test_duel_done(&d);
}

/* ---- what the peer does ---- */

static void test_peer_alert(void **state)
{
	struct tls_job job = job_of(true);
	struct tls_outcome outcome;
	struct test_duel d;

	(void)state;
	/* a server that knows TLS 1.2 only */
	job.tls12 = false;
	duel_new(&d, job,
		 (struct test_peer){ .chain = { &net.cert_b },
				     .server = true,
				     .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2" });
	for (int i = 0; i < 10 && tls_handshake_step(d.ours) == TLS_E_WANT_READ; i++) {
		int r = gnutls_handshake(d.theirs);

		if (r < 0 && gnutls_error_is_fatal(r))
			gnutls_alert_send_appropriate(d.theirs, r);
	}
	tls_handshake_outcome(d.ours, &outcome);
	assert_int_equal(outcome.reason, REASON_PEER_ALERT);
	assert_int_equal(outcome.alert_received, GNUTLS_A_HANDSHAKE_FAILURE);
	assert_non_null(strstr(outcome.detail, "handshake_failure (40)"));
	test_duel_done(&d);
}

static void test_client_listener_asks_for_nothing(void **state)
{
	struct tls_job job = job_of(false);
	struct tls_outcome outcome;
	struct test_duel d;

	(void)state;
	job.mutual = false;
	duel_new(&d, job, (struct test_peer){ .chain = { &net.cert_a } });
	assert_int_equal(test_duel_run(&d), 0);
	assert_int_equal(d.their_error, 0);
	tls_handshake_outcome(d.ours, &outcome);
	assert_null(outcome.facts);
	assert_int_equal(gnutls_certificate_client_get_request_status(d.theirs), 0);
	test_duel_done(&d);
}

/* No list of CAs in the request, and no care for the list in a request to us. */
static int n_hints = -1;

static int count_hints(gnutls_session_t session, const gnutls_datum_t *rdn, int n_rdn,
		       const gnutls_pk_algorithm_t *pk, int n_pk, gnutls_pcert_st **ret,
		       unsigned int *ret_n, gnutls_privkey_t *ret_key)
{
	n_hints = n_rdn;
	return show_pcerts(session, rdn, n_rdn, pk, n_pk, ret, ret_n, ret_key);
}

static void test_no_hints(void **state)
{
	struct test_peer peer = { 0 };
	struct test_duel d;

	(void)state;
	gnutls_certificate_allocate_credentials(&peer.credentials);
	gnutls_certificate_set_retrieve_function2(peer.credentials, count_hints);
	n_pcerts = 0;
	for (size_t i = 0; i < ARRAY_SIZE(test_versions); i++) {
		n_hints = -1;
		peer.priority = test_versions[i];
		duel_new(&d, job_of(false), peer);
		(void)!test_duel_run(&d);
		assert_int_equal(n_hints, 0);
		test_duel_done(&d);
	}
	gnutls_certificate_free_credentials(peer.credentials);
}

static void test_certificate_despite_hints(void **state)
{

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(test_versions); i++) {
		const gnutls_datum_t *shown, *sent;
		gnutls_datum_t own;
		unsigned int n = 0;
		struct test_duel d;

		duel_new(&d, job_of(true),
			 (struct test_peer){ .chain = { &net.cert_b },
					     .server = true,
					     .priority = test_versions[i] });
		gnutls_certificate_set_x509_trust(d.credentials, &other_ca.crt, 1);
		gnutls_certificate_server_set_request(d.theirs, GNUTLS_CERT_REQUIRE);
		assert_int_equal(test_duel_run(&d), 0);
		assert_int_equal(d.their_error, 0);
		shown = gnutls_certificate_get_peers(d.theirs, &n);
		assert_int_equal(n, 1);
		gnutls_x509_crt_export2(net.cert_b.crt, GNUTLS_X509_FMT_DER, &own);
		sent = &own;
		assert_int_equal(shown->size, sent->size);
		assert_memory_equal(shown->data, sent->data, sent->size);
		gnutls_free(own.data);
		test_duel_done(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_bad_leaves),
		cmocka_unit_test(test_bad_chains),
		cmocka_unit_test(test_malformed_and_too_many),
		cmocka_unit_test(test_bad_servers),
		cmocka_unit_test(test_versions_and_ciphers),
		cmocka_unit_test(test_nothing_to_offer),
		cmocka_unit_test(test_peer_alert),
		cmocka_unit_test(test_client_listener_asks_for_nothing),
		cmocka_unit_test(test_no_hints),
		cmocka_unit_test(test_certificate_despite_hints),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
