/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificate, key and CA files: what is taken, and in which words the rest is refused. */

#include "tls-status-testing.h"

static struct test_cert ca, sub_ca, good, other, weak, old;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(setenv("SSLKEYLOGFILE", "/nonexistent", 1), 0);
	assert_int_equal(tls_global_init(), 0);
	assert_null(getenv("SSLKEYLOGFILE"));
	ca = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	sub_ca = test_cert_make((struct test_spec){ .cn = "Sub CA", .issuer = &ca, .ca = true });
	good = test_cert_make((struct test_spec){ .issuer = &ca, .dns = { "a.example" } });
	other = test_cert_make((struct test_spec){ .issuer = &ca, .dns = { "b.example" } });
	weak = test_cert_make(
		(struct test_spec){ .issuer = &ca, .pk = GNUTLS_PK_RSA, .bits = 1024 });
	old = test_cert_make(
		(struct test_spec){ .cn = "Old CA", .ca = true, .from = -20, .to = -10 });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_cert_done(&ca);
	test_cert_done(&sub_ca);
	test_cert_done(&good);
	test_cert_done(&other);
	test_cert_done(&weak);
	test_cert_done(&old);
	return 0;
}

static struct test_conf t;

static void begin(void)
{
	static const char junk[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

	test_conf_init(&t);
	test_files_add_certs(&t.files, "ca.pem", &ca, NULL);
	test_files_add_certs(&t.files, "good.pem", &good, NULL);
	test_files_add_key(&t.files, "good.key", &good);
	test_files_add_key(&t.files, "other.key", &other);
	test_files_add(&t.files, "empty.pem", "", 0);
	test_files_add(&t.files, "junk.pem", junk, strlen(junk));
}

/* The mistake is found at @line of @file and told with all @words. Ends the configuration. */
static void expect_invalid(const char *file, uint32_t line, const char *const words[])
{
	struct tls_files files = { test_files_read, &t.files };
	struct conf_error error = { 0 };
	int r = tls_store_build(&t.conf, files, &t.store, &error);

	if (r == 0)
		fail_msg("accepted; expected '%s'", words[0]);
	assert_int_equal(r, CONF_E_INVALID);
	assert_null(t.store);
	assert_string_equal(error.file, file);
	assert_int_equal(error.line, line);
	for (; *words; words++) {
		if (!strstr(error.text, *words))
			fail_msg("no '%s' in '%s'", *words, error.text);
	}
	test_conf_done(&t);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_identities(void **state)
{
	struct test_cert bad;

	(void)state;
	begin();
	test_conf_identity(&t, "a", "missing.pem", "good.key");
	expect_invalid("siptlsd.conf", 11, WORDS("identity 'a'", "missing.pem", "cannot be read"));
	begin();
	test_conf_identity(&t, "a", "empty.pem", "good.key");
	expect_invalid("siptlsd.conf", 11, WORDS("no certificate"));
	begin();
	test_conf_identity(&t, "a", "good.key", "good.key");
	expect_invalid("siptlsd.conf", 11, WORDS("no certificate"));
	begin();
	test_conf_identity(&t, "a", "junk.pem", "good.key");
	expect_invalid("siptlsd.conf", 11, WORDS("not readable as PEM"));
	begin();
	test_conf_identity(&t, "a", "good.pem", "good.pem");
	expect_invalid("siptlsd.conf", 12, WORDS("good.pem", "not readable as a PEM private key"));
	begin();
	test_conf_identity(&t, "a", "good.pem", "missing.key");
	expect_invalid("siptlsd.conf", 12, WORDS("missing.key", "cannot be read"));
	begin();
	test_files_add_certs(&t.files, "weak.pem", &weak, NULL);
	test_files_add_key(&t.files, "weak.key", &weak);
	test_conf_identity(&t, "a", "weak.pem", "weak.key");
	expect_invalid("siptlsd.conf", 11, WORDS("weak key of 1024 bits"));
	/* a certificate whose names cannot be read */
	bad = test_cert_make((struct test_spec){ .issuer = &ca,
						 .extension_oid = "2.5.29.17",
						 .extension = "\x30\x05\x87\x03\x01\x02\x03",
						 .extension_size = 7 });
	begin();
	test_files_add_certs(&t.files, "bad.pem", &bad, NULL);
	test_files_add_key(&t.files, "bad.key", &bad);
	test_conf_identity(&t, "a", "bad.pem", "bad.key");
	expect_invalid("siptlsd.conf", 11, WORDS("names cannot be read"));
	test_cert_done(&bad);
}

static void key_id(const struct test_cert *cert, char hex[65])
{
	uint8_t id[32];
	size_t size = sizeof(id);

	assert_int_equal(gnutls_x509_crt_get_key_id(cert->crt, GNUTLS_KEYID_USE_SHA256, id, &size),
			 0);
	hex_format(id, size, hex);
}

static void test_key_mismatch(void **state)
{
	char of_cert[65], of_key[65];

	(void)state;
	key_id(&good, of_cert);
	key_id(&other, of_key);
	begin();
	test_conf_identity(&t, "a", "good.pem", "other.key");
	expect_invalid("siptlsd.conf", 12, WORDS("does not belong", of_cert, of_key));
	/* the CA before the leaf */
	begin();
	test_files_add_certs(&t.files, "reversed.pem", &ca, &good, NULL);
	test_conf_identity(&t, "a", "reversed.pem", "good.key");
	expect_invalid("siptlsd.conf", 12, WORDS("does not belong to the first certificate"));
}

static void test_encrypted_key(void **state)
{
	gnutls_datum_t pem;

	(void)state;
	begin();
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(good.key, GNUTLS_X509_FMT_PEM, "secret",
							   GNUTLS_PKCS_PBES2_AES_128, &pem),
			 0);
	test_files_add(&t.files, "encrypted.key", pem.data, pem.size);
	gnutls_free(pem.data);
	test_conf_identity(&t, "a", "good.pem", "encrypted.key");
	expect_invalid("siptlsd.conf", 12, WORDS("encrypted with a password"));
}

static void test_chain_too_long(void **state)
{
	char *pem = calloc(1, 64 * 1024);
	struct text text = { pem, 64 * 1024, 0 };

	(void)state;
	begin();
	for (int i = 0; i <= TRUST_CHAIN_MAX; i++)
		text_addf(&text, "%.*s", (int)t.files.files[1].size, t.files.files[1].bytes);
	test_files_add(&t.files, "long.pem", pem, text.len);
	free(pem);
	test_conf_identity(&t, "a", "long.pem", "good.key");
	expect_invalid("siptlsd.conf", 11, WORDS("17 certificates, at most 16"));
}

/* ---- responses to staple ---- */

static void expect_bad_response(const void *bytes, size_t size, const char *word)
{
	begin();
	test_files_add(&t.files, "a.ocsp", bytes, size);
	test_conf_identity(&t, "a", "good.pem", "good.key");
	t.identities[0].ocsp = WRITABLE("a.ocsp");
	expect_invalid("siptlsd.conf", 13, WORDS("identity 'a'", "a.ocsp", word));
}

static void test_responses(void **state)
{
	static struct test_der response;
	static const uint8_t unauthorized[] = { 0x30, 3, 0x0a, 1, 6 };

	(void)state;
	begin();
	test_conf_identity(&t, "a", "good.pem", "good.key");
	t.identities[0].ocsp = WRITABLE("missing.ocsp");
	expect_invalid("siptlsd.conf", 13, WORDS("missing.ocsp", "cannot be read"));
	expect_bad_response("", 0, "not readable as an OCSP response");
	expect_bad_response("-----BEGIN OCSP RESPONSE-----", 29,
			    "not readable as an OCSP response");
	expect_bad_response(unauthorized, sizeof(unauthorized), "tells of an error");
	memset(response.bytes, 0, sizeof(response.bytes));
	expect_bad_response(response.bytes, TLS_STAPLE_MAX + 1, "expected at most 65536");
	test_ocsp_make((struct test_status){ .issuer = &ca, .cert = &other }, &response);
	expect_bad_response(response.bytes, response.len, "for another certificate");

	begin();
	test_ocsp_make((struct test_status){ .issuer = &ca, .cert = &good }, &response);
	test_files_add(&t.files, "a.ocsp", response.bytes, response.len);
	test_conf_identity(&t, "a", "good.pem", "good.key");
	t.identities[0].ocsp = WRITABLE("a.ocsp");
	test_conf_build(&t);
	assert_int_equal(t.store->identities[0].staple.response.size, response.len);
	assert_in_range(t.store->identities[0].staple.exptime, time(NULL) + HOUR - 60,
			time(NULL) + HOUR);
	test_conf_done(&t);
}

/* ---- certificates, as they are told ---- */

struct told {
	bool anchor;
	uint32_t index, place;
	const struct test_cert *cert;
	size_t n_names;
};

static const struct told told[] = {
	{ true, 0, 0, &ca, 0 },	   { true, 0, 1, &old, 0 },	{ true, 1, 0, &ca, 0 },
	{ false, 0, 0, &good, 1 }, { false, 0, 1, &sub_ca, 0 }, { false, 1, 0, &other, 1 },
};

static size_t n_told;

static int on_certificate(void *userdata, const struct tls_certificate_view *view)
{
	const struct told *expected = &told[n_told++];
	gnutls_datum_t der;

	assert_true(n_told <= ARRAY_SIZE(told));
	assert_int_equal(view->anchor, expected->anchor);
	assert_int_equal(view->index, expected->index);
	assert_int_equal(view->place, expected->place);
	der = test_cert_der(expected->cert);
	assert_int_equal(view->der_size, der.size);
	assert_memory_equal(view->der, der.data, der.size);
	gnutls_free(der.data);
	assert_int_equal(view->facts->n_certs, 1);
	assert_int_equal(view->facts->n_names, expected->n_names);
	assert_int_equal(view->facts->n_paths, 0);
	assert_true(strlen(view->facts->certs[0].serial) > 0);
	return n_told == *(size_t *)userdata ? 5 : 0;
}

static void test_certificates(void **state)
{
	size_t end_at = 0;

	(void)state;
	begin();
	test_files_add_certs(&t.files, "two.pem", &ca, &old, NULL);
	test_files_add_certs(&t.files, "chain.pem", &good, &sub_ca, NULL);
	test_files_add_certs(&t.files, "other.pem", &other, NULL);
	test_conf_anchors(&t, "first", true, "two.pem");
	test_conf_anchors(&t, "second", false, "ca.pem");
	test_conf_identity(&t, "a", "chain.pem", "good.key");
	test_conf_identity(&t, "b", "other.pem", "other.key");
	test_conf_build(&t);
	n_told = 0;
	assert_int_equal(tls_store_certificates(t.store, on_certificate, &end_at), 0);
	assert_int_equal(n_told, ARRAY_SIZE(told));
	/* an error ends the walk, wherever it comes up */
	for (end_at = 1; end_at <= ARRAY_SIZE(told); end_at++) {
		n_told = 0;
		assert_int_equal(tls_store_certificates(t.store, on_certificate, &end_at), 5);
		assert_int_equal(n_told, end_at);
	}
	test_conf_done(&t);
}

static void test_large_certificate(void **state)
{
	static uint8_t bytes[33 * 1024];
	struct test_cert large =
		test_cert_make((struct test_spec){ .cn = "Large",
						   .ca = true,
						   .extension_oid = "1.2.3.4",
						   .extension = bytes,
						   .extension_size = sizeof(bytes) });

	(void)state;
	begin();
	test_files_add_certs(&t.files, "large.pem", &large, NULL);
	test_conf_anchors(&t, "acme", false, "large.pem");
	expect_invalid("large.pem", 0, WORDS("certificate 1", "expected at most 32768"));
	test_cert_done(&large);
}

/* ---- anchors ---- */

static void expect_bad_anchor(const struct test_spec *spec, const char *word)
{
	struct test_cert cert = test_cert_make(*spec);

	begin();
	test_files_add_certs(&t.files, "anchor.pem", &ca, &cert, NULL);
	test_conf_anchors(&t, "first", true, "ca.pem");
	test_conf_anchors(&t, "acme", false, "anchor.pem");
	expect_invalid("anchor.pem", 0,
		       WORDS("anchors of partner 'acme'", "certificate 2", "CN=Bad", word));
	test_cert_done(&cert);
}

static void test_anchors(void **state)
{
	static const uint8_t directory[] = { 0x30, 8, 0xa0, 6, 0x30, 4, 0xa4, 2, 0x30, 0 };

	(void)state;
	begin();
	test_conf_anchors(&t, "acme", false, "missing.pem");
	expect_invalid("missing.pem", 0, WORDS("partner 'acme'", "cannot be read"));
	begin();
	test_conf_anchors(&t, "berlin", true, "empty.pem");
	expect_invalid("empty.pem", 0, WORDS("site 'berlin'", "no certificate"));
	expect_bad_anchor(&(struct test_spec){ .cn = "Bad", .issuer = &ca },
			  "is no CA certificate");
	expect_bad_anchor(&(struct test_spec){ .cn = "Bad", .issuer = &ca, .version = 1 },
			  "is no CA certificate");
	expect_bad_anchor(
		&(struct test_spec){ .cn = "Bad", .ca = true, .pk = GNUTLS_PK_RSA, .bits = 1024 },
		"weak key of 1024 bits");
	expect_bad_anchor(&(struct test_spec){ .cn = "Bad",
					       .ca = true,
					       .extension_oid = "2.5.29.30",
					       .extension = directory,
					       .extension_size = sizeof(directory),
					       .extension_critical = true },
			  "cannot be evaluated");
}

/* A sub-CA on purpose, an expired CA, an expired own certificate, several CAs in one file. */
static void test_accepted(void **state)
{
	struct test_cert expired = test_cert_make((struct test_spec){
		.issuer = &ca, .dns = { "a.example" }, .from = -20, .to = -10 });
	struct test_cert rsa =
		test_cert_make((struct test_spec){ .issuer = &ca, .pk = GNUTLS_PK_RSA_PSS });
	struct test_cert ed = test_cert_make(
		(struct test_spec){ .issuer = &ca, .pk = GNUTLS_PK_EDDSA_ED25519, .bits = 256 });
	const struct test_cert *certs[] = { &expired, &rsa, &ed };
	static const char *const names[][2] = { { "0.pem", "0.key" },
						{ "1.pem", "1.key" },
						{ "2.pem", "2.key" } };

	(void)state;
	begin();
	test_files_add_certs(&t.files, "many.pem", &sub_ca, &old, &ca, NULL);
	test_conf_anchors(&t, "berlin", true, "many.pem");
	for (size_t i = 0; i < ARRAY_SIZE(certs); i++) {
		test_files_add_certs(&t.files, names[i][0], certs[i], &sub_ca, NULL);
		test_files_add_key(&t.files, names[i][1], certs[i]);
		test_conf_identity(&t, "x", names[i][0], names[i][1]);
	}
	test_conf_build(&t);
	assert_int_equal(t.store->anchors[0].n, 3);
	assert_int_equal(t.store->identities[0].n_certs, 2);
	test_conf_done(&t);
	test_cert_done(&expired);
	test_cert_done(&rsa);
	test_cert_done(&ed);
}

/* ---- files on disk ---- */

static char directory[] = "/tmp/test-tls-store.XXXXXX";

static const char *save(const char *name)
{
	static char paths[8][128];
	static unsigned int next;
	char *path = paths[next++ % 8];
	const char *bytes;
	size_t size;
	FILE *f;

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	assert_true(test_files_read(&t.files, name, &bytes, &size));
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
	return path;
}

static void test_facts_from_files(void **state)
{
	struct conf_error error = { 0 };
	struct trust_facts facts;
	const char *chain[2];
	struct test_cert leaf =
		test_cert_make((struct test_spec){ .issuer = &sub_ca, .dns = { "a.example" } });

	(void)state;
	assert_non_null(mkdtemp(directory));
	begin();
	test_files_add_certs(&t.files, "leaf.pem", &leaf, NULL);
	test_files_add_certs(&t.files, "sub.pem", &sub_ca, NULL);
	test_conf_anchors(&t, "berlin", true, save("ca.pem"));
	test_conf_entry(&t, "a.example", 0);
	chain[0] = save("leaf.pem");
	chain[1] = save("sub.pem");
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 2, NULL, &facts, &error), 0);
	assert_int_equal(facts.n_certs, 2);
	assert_int_equal(facts.n_paths, 1);
	assert_int_equal(facts.paths[0].outcome, TRUST_CHAIN_OK);
	trust_facts_done(&facts);
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 1, NULL, &facts, &error), 0);
	assert_int_equal(facts.paths[0].outcome, TRUST_CHAIN_UNKNOWN_CA);
	trust_facts_done(&facts);

	chain[1] = save("junk.pem");
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 2, NULL, &facts, &error),
			 CONF_E_INVALID);
	assert_string_equal(error.file, chain[1]);
	chain[1] = "/nonexistent/chain.pem";
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 2, NULL, &facts, &error),
			 CONF_E_INVALID);
	chain[1] = "/tmp"; /* no regular file */
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 2, NULL, &facts, &error),
			 CONF_E_INVALID);
	t.anchor_files[0] = WRITABLE("/nonexistent/ca.pem");
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 1, NULL, &facts, &error),
			 CONF_E_INVALID);
	assert_string_equal(error.file, "/nonexistent/ca.pem");
	test_conf_done(&t);
	test_cert_done(&leaf);
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "ca.pem", "leaf.pem", "sub.pem", "junk.pem" };
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

/* ---- CRLs and a chain of files ---- */

static void put_crl(struct revocation_store *store, const char *source, struct test_status status)
{
	gnutls_datum_t der = test_crl_make(status);
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);

	if (revocation_store_put(store, source, der.data, der.size, &why) != 0)
		fail_msg("%s", buf);
	gnutls_free(der.data);
}

static void test_files_and_crls(void **state)
{
	static char folder[] = "/tmp/test-tls-store.XXXXXX";
	struct test_cert leaf =
		test_cert_make((struct test_spec){ .issuer = &sub_ca, .dns = { "a.example" } });
	struct test_cert stranger =
		test_cert_make((struct test_spec){ .cn = "Sub CA", .ca = true });
	struct conf_error error = { 0 };
	struct revocation_store *store;
	struct trust_facts facts;
	const char *chain[1];

	(void)state;
	assert_non_null(mkdtemp(folder));
	strcpy(directory, folder);
	begin();
	test_files_add_certs(&t.files, "leaf.pem", &leaf, &stranger, &sub_ca, NULL);
	test_conf_anchors(&t, "berlin", true, save("ca.pem"));
	test_conf_entry(&t, "a.example", 0);
	chain[0] = save("leaf.pem");

	assert_int_equal(revocation_store_new(&store), 0);
	put_crl(store, "ca", (struct test_status){ .issuer = &ca });
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 1, store, &facts, &error), 0);
	assert_int_equal(facts.n_paths, 1);
	assert_int_equal(facts.paths[0].n_certs, 2);
	assert_int_equal(facts.paths[0].links[0].status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(facts.paths[0].links[1].status, TRUST_STATUS_GOOD);
	trust_facts_done(&facts);
	/* one that nobody vouches for has signed nothing that counts */
	put_crl(store, "false", (struct test_status){ .issuer = &stranger, .revoked = &leaf });
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 1, store, &facts, &error), 0);
	assert_int_equal(facts.paths[0].links[0].status, TRUST_STATUS_UNKNOWN);
	trust_facts_done(&facts);
	put_crl(store, "sub", (struct test_status){ .issuer = &sub_ca, .revoked = &leaf });
	assert_int_equal(tls_facts_from_files(&t.conf.trust, chain, 1, store, &facts, &error), 0);
	assert_int_equal(facts.paths[0].links[0].status, TRUST_STATUS_REVOKED);
	trust_facts_done(&facts);
	revocation_store_free(store);
	unlink(chain[0]);
	unlink(t.anchor_files[0]);
	rmdir(folder);
	test_conf_done(&t);
	test_cert_done(&leaf);
	test_cert_done(&stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identities),	 cmocka_unit_test(test_key_mismatch),
		cmocka_unit_test(test_encrypted_key),	 cmocka_unit_test(test_chain_too_long),
		cmocka_unit_test(test_anchors),		 cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_facts_from_files), cmocka_unit_test(test_responses),
		cmocka_unit_test(test_certificates),	 cmocka_unit_test(test_large_certificate),
		cmocka_unit_test(test_files_and_crls),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
