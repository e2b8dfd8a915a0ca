/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is read of certificates: names to the byte, limits, and everything that must not pass. */

#include "tls-status-testing.h"

static struct test_cert ca;

static int setup(void **state)
{
	(void)state;
	ca = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_cert_done(&ca);
	return 0;
}

/* ---- reading ---- */

static char why_text[512];

static int read_cert(const struct test_cert *cert, struct trust_facts *facts)
{
	struct text why = TEXT_INIT(why_text);
	struct tls_chain chain = { 0 };
	gnutls_datum_t der;
	int r;

	why_text[0] = '\0';
	der = test_cert_der(cert);
	r = tls_facts_read(&der, 1, facts, &chain, &why);
	gnutls_free(der.data);
	tls_chain_done(&chain);
	return r;
}

static int read_spec(struct test_spec spec, struct trust_facts *facts)
{
	struct test_cert cert;
	int r;

	if (!spec.issuer && !spec.ca)
		spec.issuer = &ca;
	cert = test_cert_make(spec);
	r = read_cert(&cert, facts);
	test_cert_done(&cert);
	return r;
}

static int read_extension(const char *oid, const void *bytes, size_t size, bool critical,
			  struct trust_facts *facts)
{
	return read_spec((struct test_spec){ .cn = "x",
					     .extension_oid = oid,
					     .extension = bytes,
					     .extension_size = size,
					     .extension_critical = critical },
			 facts);
}

static const struct trust_name *find_name(const struct trust_facts *facts,
					  enum trust_name_type type, const void *value, size_t len)
{
	for (size_t i = 0; i < facts->n_names; i++) {
		const struct trust_name *name = &facts->names[i];

		if (name->type == type && name->len == len && memcmp(name->value, value, len) == 0)
			return name;
	}
	return NULL;
}

/* ---- DER ---- */

static void test_der(void **state)
{
	static const struct {
		bool ok;
		uint8_t bytes[6];
		size_t len, value;
	} rows[] = {
		{ true, { 0x04, 0 }, 2, 0 },
		{ true, { 0x04, 2, 1, 2 }, 4, 2 },
		{ false, { 0x04 }, 1, 0 },
		{ false, { 0x04, 3, 1, 2 }, 4, 0 },	  /* too short */
		{ false, { 0x04, 0x80, 0, 0 }, 4, 0 },	  /* indefinite */
		{ false, { 0x04, 0x81, 2, 1, 2 }, 5, 0 }, /* not the shortest form */
		{ false, { 0x04, 0x82, 0, 1, 1 }, 5, 0 },
		{ false, { 0x04, 0x84, 0xff, 0xff, 0xff, 0xff }, 6, 0 },
		{ false, { 0x04, 0x85, 1, 1, 1, 1 }, 6, 0 },
		{ false, { 0x1f, 0x81, 0x01, 0 }, 4, 0 }, /* high tag number */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tls_slice in = { rows[i].bytes, rows[i].len }, value;
		uint8_t tag;

		assert_int_equal(tls_der_next(&in, &tag, &value), rows[i].ok);
		if (rows[i].ok) {
			assert_int_equal(value.len, rows[i].value);
			assert_int_equal(in.len, 0);
		} else {
			assert_int_equal(in.len, rows[i].len); /* untouched */
		}
	}
}

static void test_der_certificate(void **state)
{
	struct tls_der_certificate parts;
	gnutls_datum_t der, subject;

	(void)state;
	der = test_cert_der(&ca);
	assert_true(tls_der_certificate_read((struct tls_slice){ der.data, der.size }, &parts));
	assert_int_equal(gnutls_x509_crt_get_raw_dn(ca.crt, &subject), 0);
	assert_true(tls_slice_equal(parts.subject, subject.data, subject.size));
	gnutls_free(subject.data);
	assert_int_equal(parts.public_key.p[0], TLS_DER_SEQUENCE);
	for (size_t len = 0; len < der.size; len++) {
		/* on the heap and no longer than it says, for sanitizers */
		uint8_t *cut = malloc(len + 1);

		memcpy(cut + 1, der.data, len);
		assert_false(tls_der_certificate_read((struct tls_slice){ cut + 1, len }, &parts));
		free(cut);
	}
	gnutls_free(der.data);
}

/* ---- names ---- */

static void test_names(void **state)
{
	/* DNS with a NUL, an upper-case DNS, sip URI, IPv4, IPv6, e-mail, otherName */
	static const uint8_t san[] = {
		0x30, 63,   0x82, 9,   'a',  '.',  'b',	 0,    '.',  'e',  'v', 'i',  'l',
		0x82, 3,    'A',  '.', 'b',  0x86, 7,	 's',  'i',  'p',  ':', 'a',  '.',
		'b',  0x87, 4,	  192, 0,    2,	   1,	 0x87, 16,   0x20, 1,	0x0d, 0xb8,
		0,    0,    0,	  0,   0,    0,	   0,	 0,    0,    0,	   0,	1,    0x81,
		3,    'a',  '@',  'b', 0xa0, 7,	   0x06, 1,    0x2a, 0xa0, 2,	0x05, 0,
	};
	struct trust_facts facts;

	(void)state;
	assert_int_equal(san[1], sizeof(san) - 2);
	if (read_extension("2.5.29.17", san, sizeof(san), true, &facts) != 0)
		fail_msg("%s", why_text);
	assert_true(facts.has_san);
	assert_int_equal(facts.n_names, 8);
	assert_non_null(find_name(&facts, TRUST_NAME_DNS, "a.b\0.evil", 9));
	assert_null(find_name(&facts, TRUST_NAME_DNS, "a.b", 3));
	assert_non_null(find_name(&facts, TRUST_NAME_DNS, "A.b", 3));
	assert_non_null(find_name(&facts, TRUST_NAME_URI, "sip:a.b", 7));
	assert_non_null(find_name(&facts, TRUST_NAME_IP, "192.0.2.1", 9));
	assert_non_null(find_name(&facts, TRUST_NAME_IP, "2001:db8::1", 11));
	assert_non_null(find_name(&facts, TRUST_NAME_OTHER, "a@b", 3));
	assert_non_null(find_name(&facts, TRUST_NAME_CN, "x", 1));
	assert_false(facts.certs[0].unsupported);
	trust_facts_done(&facts);
}

static void test_malformed_names(void **state)
{
	static const struct {
		uint8_t bytes[12];
		size_t len;
	} rows[] = {
		{ { 0x31, 0 }, 2 },		      /* no SEQUENCE */
		{ { 0x30, 2, 0x82, 5 }, 4 },	      /* name ends outside */
		{ { 0x30, 0, 0 }, 3 },		      /* something behind it */
		{ { 0x30, 5, 0x87, 3, 1, 2, 3 }, 7 }, /* an address of three bytes */
		{ { 0x30, 3, 0x89, 1, 'x' }, 5 },     /* no kind of name */
		{ { 0x30, 3, 0x04, 1, 'x' }, 5 },
		{ { 0x30, 2, 0x82, 0 }, 4 },		   /* a name of nothing */
		{ { 0x30, 0x80, 0x82, 1, 'x', 0, 0 }, 7 }, /* BER */
	};
	struct trust_facts facts;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_extension("2.5.29.17", rows[i].bytes, rows[i].len, false,
						&facts),
				 TLS_FACTS_E_MALFORMED);
		assert_true(strlen(why_text) > 0);
	}
}

/* A name too long for a buffer, and too many of them, are outcomes and never left out. */
static void test_large_names(void **state)
{
	static uint8_t san[4 + TRUST_NAMES_SIZE + 64];
	struct trust_facts facts;
	size_t n;

	(void)state;
	san[0] = 0x30, san[1] = 0x82;
	for (int over = 0; over < 2; over++) {
		n = TRUST_NAMES_MAX - 1 + (size_t)over; /* the CN is one more */
		for (size_t i = 0; i < n; i++)
			memcpy(san + 4 + 3 * i, "\x82\x01y", 3);
		san[2] = (uint8_t)(3 * n >> 8), san[3] = (uint8_t)(3 * n);
		assert_int_equal(read_extension("2.5.29.17", san, 4 + 3 * n, false, &facts),
				 over ? TLS_FACTS_E_TOO_LARGE : 0);
		if (!over) {
			assert_int_equal(facts.n_names, TRUST_NAMES_MAX);
			trust_facts_done(&facts);
		}
	}
	/* one long name: all of it */
	n = 40000;
	memset(san, 'z', sizeof(san));
	memcpy(san, "\x30\x82\x00\x00\x82\x82\x00\x00", 8);
	san[2] = (uint8_t)((n + 4) >> 8), san[3] = (uint8_t)(n + 4);
	san[6] = (uint8_t)(n >> 8), san[7] = (uint8_t)n;
	assert_int_equal(read_extension("2.5.29.17", san, n + 8, false, &facts), 0);
	assert_int_equal(facts.names[0].len, n);
	assert_int_equal(facts.names[0].value[n - 1], 'z');
	trust_facts_done(&facts);
}

static void test_common_names(void **state)
{
	struct trust_facts facts;
	struct test_cert cert;

	(void)state;
	assert_int_equal(read_spec((struct test_spec){ .cn = "gw.example" }, &facts), 0);
	assert_false(facts.has_san);
	assert_int_equal(facts.n_names, 1);
	assert_non_null(find_name(&facts, TRUST_NAME_CN, "gw.example", 10));
	trust_facts_done(&facts);

	/* two of them: both are told */
	cert = test_cert_make((struct test_spec){ .ca = true });
	gnutls_x509_crt_set_dn(cert.crt, "CN=one,O=Org,CN=two", NULL);
	gnutls_x509_crt_sign2(cert.crt, cert.crt, cert.key, GNUTLS_DIG_SHA256, 0);
	assert_int_equal(read_cert(&cert, &facts), 0);
	assert_int_equal(facts.n_names, 2);
	assert_non_null(find_name(&facts, TRUST_NAME_CN, "one", 3));
	assert_non_null(find_name(&facts, TRUST_NAME_CN, "two", 3));
	trust_facts_done(&facts);
	test_cert_done(&cert);
}

/* ---- the rest of a certificate ---- */

static void test_serials(void **state)
{
	static const struct {
		uint8_t bytes[9];
		size_t len;
		const char *text;
	} rows[] = {
		{ { 0x01 }, 1, "01" },
		{ { 0x7f, 0xab }, 2, "7FAB" },
		{ { 0x00, 0xff, 0x01 }, 3, "FF01" },
		{ { 0xff, 0x01 }, 2, "-FF" },
		{ { 0x80 }, 1, "-80" },
		{ { 0x01, 0, 0, 0, 0, 0, 0, 0, 0 }, 9, "010000000000000000" },
	};
	struct trust_facts facts;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_spec((struct test_spec){ .cn = "x",
							       .serial = rows[i].bytes,
							       .serial_size = rows[i].len },
					   &facts),
				 0);
		assert_string_equal(facts.certs[0].serial, rows[i].text);
		trust_facts_done(&facts);
	}
}

static void test_fields(void **state)
{
	struct trust_facts facts;
	const struct trust_certificate *c;
	struct test_cert cert;
	uint8_t fingerprint[32];
	size_t size = sizeof(fingerprint);

	(void)state;
	cert = test_cert_make((struct test_spec){ .issuer = &ca, .cn = "x", .from = -3, .to = 4 });
	assert_int_equal(read_cert(&cert, &facts), 0);
	c = &facts.certs[0];
	assert_string_equal(c->subject, "CN=x");
	assert_string_equal(c->issuer, "CN=Test CA");
	gnutls_x509_crt_get_fingerprint(cert.crt, GNUTLS_DIG_SHA256, fingerprint, &size);
	assert_memory_equal(c->fingerprint, fingerprint, sizeof(fingerprint));
	assert_int_equal(c->not_after - c->not_before, 7 * DAY);
	assert_int_equal(c->version, 3);
	assert_int_equal(c->key, TRUST_KEY_EC);
	assert_int_equal(c->key_bits, 256);
	assert_int_equal(c->hash, TRUST_HASH_STRONG);
	assert_false(c->is_ca);
	assert_int_equal(c->usage, 0);
	assert_false(c->unsupported);
	assert_false(facts.has_san);
	assert_null(facts.paths);
	trust_facts_done(&facts);
	test_cert_done(&cert);
}

/* ---- what revocation is looked up by ---- */

/* The public key as it stands, by another way than the code under test. */
static void expected_id(const struct test_cert *cert, uint8_t ret[32])
{
	gnutls_datum_t subject, key;
	gnutls_pubkey_t pubkey;
	uint8_t buf[2048];

	gnutls_pubkey_init(&pubkey);
	assert_int_equal(gnutls_pubkey_import_x509(pubkey, cert->crt, 0), 0);
	assert_int_equal(gnutls_pubkey_export2(pubkey, GNUTLS_X509_FMT_DER, &key), 0);
	assert_int_equal(gnutls_x509_crt_get_raw_dn(cert->crt, &subject), 0);
	assert_true(subject.size + key.size <= sizeof(buf));
	memcpy(buf, subject.data, subject.size);
	memcpy(buf + subject.size, key.data, key.size);
	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, buf, subject.size + key.size, ret), 0);
	gnutls_free(subject.data);
	gnutls_free(key.data);
	gnutls_pubkey_deinit(pubkey);
}

static void test_ids(void **state)
{
	static const gnutls_pk_algorithm_t kinds[] = { GNUTLS_PK_ECDSA, GNUTLS_PK_RSA };
	struct test_cert renewed, other;
	struct trust_facts a, b, c;
	uint8_t id[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct test_cert cert = test_cert_make(
			(struct test_spec){ .cn = "Some CA", .ca = true, .pk = kinds[i] });

		assert_int_equal(read_cert(&cert, &a), 0);
		expected_id(&cert, id);
		assert_memory_equal(a.certs[0].id, id, sizeof(id));
		trust_facts_done(&a);
		test_cert_done(&cert);
	}
	/* name and key make a CA, whoever has signed it and whenever */
	renewed = test_cert_make(
		(struct test_spec){ .cn = "Test CA", .ca = true, .same_key = &ca, .to = 99 });
	other = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	assert_int_equal(read_cert(&ca, &a), 0);
	assert_int_equal(read_cert(&renewed, &b), 0);
	assert_int_equal(read_cert(&other, &c), 0);
	assert_memory_equal(a.certs[0].id, b.certs[0].id, 32);
	assert_memory_not_equal(a.certs[0].id, c.certs[0].id, 32);
	assert_memory_not_equal(a.certs[0].serial_id, b.certs[0].serial_id, 16);
	trust_facts_done(&a);
	trust_facts_done(&b);
	trust_facts_done(&c);
	test_cert_done(&renewed);
	test_cert_done(&other);
	/* of the bytes in the certificate, the sign byte included */
	assert_int_equal(read_spec((struct test_spec){ .cn = "x",
						       .serial = "\x00\xff\x01",
						       .serial_size = 3 },
				   &a),
			 0);
	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, "\x00\xff\x01", 3, id), 0);
	assert_memory_equal(a.certs[0].serial_id, id, 16);
	trust_facts_done(&a);
}

/* A point with a full name of URIs, and whatever comes after it. */
static void add_point(struct test_der *list, const char *const urls[], const char *rest,
		      size_t rest_len)
{
	size_t at = list->len;

	for (; *urls; urls++)
		test_der_put(list, 0x86, *urls, strlen(*urls));
	test_der_wrap_from(list, at, 0xa0);
	test_der_wrap_from(list, at, 0xa0);
	test_der_add(list, rest, rest_len);
	test_der_wrap_from(list, at, 0x30);
}

#define URLS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void expect_scope(const struct trust_certificate *c, size_t at, const char *url)
{
	static struct test_der name;
	uint8_t digest[32];

	name.len = 0;
	test_der_put(&name, 0x86, url, strlen(url));
	gnutls_hash_fast(GNUTLS_DIG_SHA256, name.bytes, name.len, digest);
	assert_true(at < c->n_scopes);
	assert_memory_equal(c->scopes[at], digest, 16);
}

static void read_points(struct test_der *points, bool critical, struct trust_facts *facts)
{
	test_der_wrap(points, 0x30);
	if (read_extension("2.5.29.31", points->bytes, points->len, critical, facts) != 0)
		fail_msg("%s", why_text);
}

static void test_distribution_points(void **state)
{
	static struct test_der points;
	char long_url[TRUST_URL_MAX + 2] = "http://a.example/";
	struct trust_facts f;
	const struct trust_certificate *c;

	(void)state;
	memset(long_url + 17, 'x', sizeof(long_url) - 18);
	add_point(&points, URLS("http://a.example/1.crl", "ldap://a.example/cn=1"), "", 0);
	/* for some reasons only, or with the list of another issuer: no help */
	add_point(&points, URLS("http://a.example/2.crl"), "\x81\x02\x01\x40", 4);
	add_point(&points, URLS("http://a.example/3.crl"), "\xa2\x03\x82\x01x", 5);
	add_point(&points, URLS("HTTPS://a.example/4.crl", "http://", "http://a b/", long_url), "",
		  0);
	read_points(&points, true, &f);
	c = &f.certs[0];
	assert_int_equal(c->n_scopes, 6);
	expect_scope(c, 0, "http://a.example/1.crl");
	expect_scope(c, 1, "ldap://a.example/cn=1");
	expect_scope(c, 2, "HTTPS://a.example/4.crl");
	assert_int_equal(c->n_crl_urls, 2);
	assert_string_equal(c->crl_urls[0], "http://a.example/1.crl");
	assert_string_equal(c->crl_urls[1], "HTTPS://a.example/4.crl");
	assert_false(c->unsupported);
	trust_facts_done(&f);

	/* the longest URL; and more points than are kept */
	long_url[TRUST_URL_MAX] = '\0';
	points.len = 0;
	for (int i = 0; i < TRUST_SCOPES_MAX + 1; i++)
		add_point(&points, URLS(i == 0 ? long_url : "http://a.example/"), "", 0);
	read_points(&points, false, &f);
	assert_int_equal(f.certs[0].n_scopes, TRUST_SCOPES_MAX);
	assert_int_equal(f.certs[0].n_crl_urls, TRUST_URLS_MAX);
	assert_string_equal(f.certs[0].crl_urls[0], long_url);
	trust_facts_done(&f);
}

static void test_bad_distribution_points(void **state)
{
	static const struct {
		uint8_t bytes[16];
		size_t len;
	} tails[] = {
		{ { 0x30, 1, 0xa0 }, 3 },	      /* ends outside */
		{ { 0x31, 0 }, 2 },		      /* no SEQUENCE */
		{ { 0x30, 4, 0xa0, 2, 0xa2, 0 }, 6 }, /* no kind of name */
		{ { 0x30, 6, 0xa0, 4, 0xa0, 2, 0x86, 9 }, 8 },
		{ { 0x30, 6, 0xa0, 4, 0xa0, 0, 0xa0, 0 }, 8 }, /* two names */
		{ { 0x30, 2, 0xa3, 0 }, 4 },
	};
	static struct test_der list;
	struct trust_facts f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		for (int critical = 0; critical < 2; critical++) {
			list.len = 0;
			add_point(&list, URLS("http://a.example/1.crl"), "", 0);
			test_der_add(&list, tails[i].bytes, tails[i].len);
			read_points(&list, critical, &f);
			assert_int_equal(f.certs[0].n_scopes, 0);
			assert_int_equal(f.certs[0].n_crl_urls, 0);
			assert_int_equal(f.certs[0].unsupported, critical);
			trust_facts_done(&f);
		}
	}
}

static void test_tls_features(void **state)
{
	static const struct {
		int outcome;
		bool must_staple;
		uint8_t bytes[12];
		size_t len;
	} rows[] = {
		{ 0, true, { 0x30, 3, 0x02, 1, 5 }, 5 },
		{ 0, true, { 0x30, 6, 0x02, 1, 17, 0x02, 1, 5 }, 8 },
		{ 0, false, { 0x30, 3, 0x02, 1, 17 }, 5 },
		{ 0, false, { 0x30, 4, 0x02, 2, 5, 5 }, 6 },
		{ 0, false, { 0x30, 0 }, 2 },
		{ TLS_FACTS_E_MALFORMED, false, { 0x30, 3, 0x04, 1, 5 }, 5 },
		{ TLS_FACTS_E_MALFORMED, false, { 0x02, 1, 5 }, 3 },
	};
	struct trust_facts f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_extension("1.3.6.1.5.5.7.1.24", rows[i].bytes, rows[i].len,
						i == 0, &f),
				 rows[i].outcome);
		if (rows[i].outcome != 0)
			continue;
		assert_int_equal(f.certs[0].must_staple, rows[i].must_staple);
		assert_false(f.certs[0].unsupported);
		trust_facts_done(&f);
	}
}

/* ---- kinds and extensions ---- */

/* An RSA key of another public exponent than 65537, of as many bytes: facts ask for no signature.
 */
static void test_exponents(void **state)
{
	static const struct {
		uint8_t exponent[5];
		enum trust_key key;
	} rows[] = {
		{ { 2, 3, 1, 0, 1 }, TRUST_KEY_RSA },
		{ { 2, 3, 1, 0, 3 }, TRUST_KEY_RSA },
		{ { 2, 3, 1, 0, 2 }, TRUST_KEY_OTHER }, /* even */
	};
	struct test_cert cert =
		test_cert_make((struct test_spec){ .cn = "x", .issuer = &ca, .pk = GNUTLS_PK_RSA });
	struct text why = TEXT_INIT(why_text);
	gnutls_datum_t der = test_cert_der(&cert);
	uint8_t *place = memmem(der.data, der.size, rows[0].exponent, sizeof(rows[0].exponent));

	(void)state;
	assert_non_null(place);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tls_chain chain = { 0 };
		struct trust_facts f;

		memcpy(place, rows[i].exponent, sizeof(rows[i].exponent));
		assert_int_equal(tls_facts_read(&der, 1, &f, &chain, &why), 0);
		assert_int_equal(f.certs[0].key, rows[i].key);
		trust_facts_done(&f);
		tls_chain_done(&chain);
	}
	gnutls_free(der.data);
	test_cert_done(&cert);
}

static void test_kinds(void **state)
{
	struct trust_facts f;

	(void)state;
	assert_int_equal(
		read_spec((struct test_spec){ .cn = "x", .pk = GNUTLS_PK_RSA, .bits = 1024 }, &f),
		0);
	assert_int_equal(f.certs[0].key, TRUST_KEY_RSA);
	assert_int_equal(f.certs[0].key_bits, 1024);
	assert_true(trust_key_is_weak(&f.certs[0]));
	trust_facts_done(&f);
	assert_int_equal(read_spec((struct test_spec){ .cn = "x", .pk = GNUTLS_PK_RSA_PSS }, &f),
			 0);
	assert_int_equal(f.certs[0].key, TRUST_KEY_RSA);
	trust_facts_done(&f);
	assert_int_equal(read_spec((struct test_spec){ .cn = "x",
						       .pk = GNUTLS_PK_EDDSA_ED25519,
						       .bits = 256 },
				   &f),
			 0);
	assert_int_equal(f.certs[0].key, TRUST_KEY_EDDSA);
	assert_false(trust_key_is_weak(&f.certs[0]));
	trust_facts_done(&f);
	assert_int_equal(read_spec((struct test_spec){ .cn = "x", .pk = GNUTLS_PK_DSA }, &f), 0);
	assert_int_equal(f.certs[0].key, TRUST_KEY_OTHER);
	trust_facts_done(&f);
	assert_int_equal(read_spec((struct test_spec){ .cn = "x", .digest = GNUTLS_DIG_SHA1 }, &f),
			 0);
	assert_int_equal(f.certs[0].hash, TRUST_HASH_WEAK);
	trust_facts_done(&f);
	assert_int_equal(read_spec((struct test_spec){ .cn = "x", .version = 1 }, &f), 0);
	assert_int_equal(f.certs[0].version, 1);
	trust_facts_done(&f);
	assert_int_equal(read_spec((struct test_spec){ .cn = "x", .ca = true }, &f), 0);
	assert_true(f.certs[0].is_ca);
	trust_facts_done(&f);
	/* keyCertSign without basicConstraints is a CA all the same */
	assert_int_equal(read_spec((struct test_spec){ .cn = "x",
						       .key_usage = GNUTLS_KEY_KEY_CERT_SIGN },
				   &f),
			 0);
	assert_true(f.certs[0].is_ca);
	trust_facts_done(&f);
}

static void test_purposes(void **state)
{
	struct trust_facts f;

	(void)state;
	assert_int_equal(read_spec((struct test_spec){ .cn = "x",
						       .purposes = { GNUTLS_KP_TLS_WWW_SERVER,
								     "1.3.6.1.5.5.7.3.20" } },
				   &f),
			 0);
	assert_int_equal(f.certs[0].usage, TRUST_EKU_PRESENT | TRUST_EKU_SERVER | TRUST_EKU_SIP);
	trust_facts_done(&f);
	assert_int_equal(read_spec((struct test_spec){ .cn = "x",
						       .purposes = { GNUTLS_KP_TLS_WWW_CLIENT,
								     GNUTLS_KP_ANY } },
				   &f),
			 0);
	assert_int_equal(f.certs[0].usage, TRUST_EKU_PRESENT | TRUST_EKU_CLIENT | TRUST_EKU_ANY);
	trust_facts_done(&f);
	assert_int_equal(read_spec((struct test_spec){ .cn = "x",
						       .purposes = { GNUTLS_KP_CODE_SIGNING } },
				   &f),
			 0);
	assert_int_equal(f.certs[0].usage, TRUST_EKU_PRESENT);
	trust_facts_done(&f);
	assert_int_equal(read_extension("2.5.29.37", "\x30\x00", 2, false, &f),
			 TLS_FACTS_E_MALFORMED);
	assert_int_equal(read_extension("2.5.29.37", "\x30\x02\x06", 3, false, &f),
			 TLS_FACTS_E_MALFORMED);
	assert_int_equal(read_extension("2.5.29.37", "\x30\x03\x04\x01\x01", 5, false, &f),
			 TLS_FACTS_E_MALFORMED);
}

static void test_unsupported(void **state)
{
	static const struct {
		const char *oid;
		uint8_t bytes[24];
		size_t len;
		bool critical, unsupported;
	} rows[] = {
		{ "1.2.3.4", { 5, 0 }, 2, false, false },
		{ "1.2.3.4", { 5, 0 }, 2, true, true },
		{ "2.5.29.31", { 0x30, 0 }, 2, true, true },
		/* name constraints: permitted DNS; IP; directory name; URI; DNS with a maximum */
		{ "2.5.29.30", { 0x30, 7, 0xa0, 5, 0x30, 3, 0x82, 1, 'a' }, 9, true, false },
		{ "2.5.29.30",
		  { 0x30, 14, 0xa1, 12, 0x30, 10, 0x87, 8, 10, 0, 0, 0, 255, 0, 0, 0 },
		  16,
		  true,
		  false },
		{ "2.5.29.30", { 0x30, 8, 0xa0, 6, 0x30, 4, 0xa4, 2, 0x30, 0 }, 10, true, true },
		{ "2.5.29.30", { 0x30, 7, 0xa1, 5, 0x30, 3, 0x86, 1, 'a' }, 9, false, true },
		{ "2.5.29.30",
		  { 0x30, 10, 0xa0, 8, 0x30, 6, 0x82, 1, 'a', 0x81, 1, 3 },
		  12,
		  true,
		  true },
		/* policies change nothing unless one is required */
		{ "2.5.29.32", { 0x30, 5, 0x30, 3, 0x06, 1, 0x2a }, 7, true, false },
		{ "2.5.29.36", { 0x30, 3, 0x81, 1, 0 }, 5, true, false },
		{ "2.5.29.36", { 0x30, 3, 0x80, 1, 0 }, 5, false, true },
	};
	struct trust_facts f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_extension(rows[i].oid, rows[i].bytes, rows[i].len,
						rows[i].critical, &f),
				 0);
		if (f.certs[0].unsupported != rows[i].unsupported)
			fail_msg("row %zu: %s", i, rows[i].oid);
		trust_facts_done(&f);
	}
	assert_int_equal(read_extension("2.5.29.30", "\x30\x02\xa2\x00", 4, true, &f),
			 TLS_FACTS_E_MALFORMED);
	assert_int_equal(read_extension("2.5.29.36", "\x31\x00", 2, true, &f),
			 TLS_FACTS_E_MALFORMED);
}

static void test_many_extensions(void **state)
{
	struct test_cert cert = test_cert_make((struct test_spec){ .cn = "x", .ca = true });
	struct trust_facts facts;
	char oid[16];

	(void)state;
	for (int i = 0; i < TLS_EXTENSIONS_MAX; i++) {
		snprintf(oid, sizeof(oid), "1.2.3.%d", i + 1);
		gnutls_x509_crt_set_extension_by_oid(cert.crt, oid, "\x05", 2, 0);
	}
	gnutls_x509_crt_sign2(cert.crt, cert.crt, cert.key, GNUTLS_DIG_SHA256, 0);
	assert_int_equal(read_cert(&cert, &facts), TLS_FACTS_E_TOO_LARGE);
	test_cert_done(&cert);
}

static void test_chain_limits(void **state)
{
	gnutls_datum_t ders[TRUST_CHAIN_MAX + 1], der;
	struct trust_facts facts;
	struct tls_chain chain;
	struct text why = TEXT_INIT(why_text);

	(void)state;
	assert_int_equal(gnutls_x509_crt_export2(ca.crt, GNUTLS_X509_FMT_DER, &der), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ders); i++)
		ders[i] = der;
	assert_int_equal(tls_facts_read(ders, TRUST_CHAIN_MAX + 1, &facts, &chain, &why),
			 TLS_FACTS_E_TOO_LARGE);
	why.len = 0;
	assert_int_equal(tls_facts_read(ders, TRUST_CHAIN_MAX, &facts, &chain, &why), 0);
	assert_int_equal(facts.n_certs, TRUST_CHAIN_MAX);
	assert_int_equal(facts.n_names, 1); /* of the leaf alone */
	trust_facts_done(&facts);
	tls_chain_done(&chain);
	assert_int_equal(tls_facts_read(ders, 0, &facts, &chain, &why), 0);
	assert_int_equal(facts.n_certs, 0);
	ders[1].size = der.size - 1;
	assert_int_equal(tls_facts_read(ders, 2, &facts, &chain, &why), TLS_FACTS_E_MALFORMED);
	assert_non_null(strstr(why_text, "certificate 2 of 2"));
	gnutls_free(der.data);
}

/* Every cut and every flipped byte of a certificate: an outcome, never a crash (for sanitizers). */
static void test_damaged(void **state)
{
	struct test_cert cert =
		test_cert_make((struct test_spec){ .issuer = &ca,
						   .cn = "x",
						   .dns = { "a.example" },
						   .uri = "sip:a.example",
						   .purposes = { GNUTLS_KP_TLS_WWW_SERVER } });
	struct text why = TEXT_INIT(why_text);
	struct trust_facts facts;
	struct tls_chain chain;
	gnutls_datum_t der, part;

	(void)state;
	assert_int_equal(gnutls_x509_crt_export2(cert.crt, GNUTLS_X509_FMT_DER, &der), 0);
	for (unsigned int i = 0; i < der.size; i++) {
		part = tls_datum(der.data, i);
		why.len = 0;
		assert_int_equal(tls_facts_read(&part, 1, &facts, &chain, &why),
				 TLS_FACTS_E_MALFORMED);
	}
	for (unsigned int i = 0; i < der.size; i++) {
		der.data[i] ^= 0x81;
		why.len = 0;
		if (tls_facts_read(&der, 1, &facts, &chain, &why) == 0) {
			trust_facts_done(&facts);
			tls_chain_done(&chain);
		}
		der.data[i] ^= 0x81;
	}
	gnutls_free(der.data);
	test_cert_done(&cert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_der),
		cmocka_unit_test(test_der_certificate),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_malformed_names),
		cmocka_unit_test(test_large_names),
		cmocka_unit_test(test_common_names),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_distribution_points),
		cmocka_unit_test(test_bad_distribution_points),
		cmocka_unit_test(test_tls_features),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_exponents),
		cmocka_unit_test(test_purposes),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_many_extensions),
		cmocka_unit_test(test_chain_limits),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
