/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stapled responses: good ones count, and whatever is wrong with one leaves the matter unknown. */

#include "revocation-testing.h"

static struct test_cert root, ca, leaf, other;

static int setup(void **state)
{
	(void)state;
	root = test_cert_make((struct test_spec){ .cn = "Root", .ca = true });
	ca = test_cert_make((struct test_spec){ .cn = "CA", .issuer = &root, .ca = true });
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

/* ---- responses ---- */

#define SHA1   SEQ(OID("\x2b\x0e\x03\x02\x1a"), BYTES("\x05\x00"))
#define SHA256 SEQ(OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"))

enum { GOOD, REVOKED, HOLD, NOT_KNOWN };

struct single {
	const struct test_cert *issuer; /* NULL: the end */
	uint8_t serial;
	int status;
	bool sha256;
	int64_t this_update, next_update; /* hours from now; both 0: -1 and 24 */
	struct piece extensions;
	struct piece key_of; /* the key's hash is of this certificate, not of the issuer */
};

struct response {
	struct single singles[4];
	const struct test_cert *signer;
	const struct test_cert *certs[3];
	struct piece extensions;
	struct piece algorithm;
	gnutls_sign_algorithm_t sign;
	uint8_t status;
};

static struct piece digest(bool sha256, struct piece bytes)
{
	uint8_t hash[32];

	gnutls_hash_fast(sha256 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA1, bytes.p, bytes.n, hash);
	return WRAP(0x04, raw(hash, sha256 ? 32 : 20));
}

static struct piece key_bits(struct piece certificate)
{
	struct certificate_der c;
	struct der info, bits;

	assert_true(revocation_certificate_read((struct der){ certificate.p, certificate.n }, &c));
	assert_true(revocation_der_only(c.key, DER_SEQUENCE, &info));
	assert_true(revocation_der_take(&info, DER_SEQUENCE, NULL));
	assert_true(revocation_der_bits(&info, &bits));
	return raw(bits.p, bits.len);
}

static struct piece single_make(const struct single *s)
{
	const struct piece revoked[] = {
		BYTES("\x80\x00"),
		WRAP(0xa1, test_time(1700000000), WRAP(0xa0, BYTES("\x0a\x01\x01"))),
		WRAP(0xa1, test_time(1700000000), WRAP(0xa0, BYTES("\x0a\x01\x06"))),
		BYTES("\x82\x00"),
	};
	bool dated = s->this_update || s->next_update;
	int64_t now = time_realtime_s();

	return SEQ(SEQ(s->sha256 ? SHA256 : SHA1, digest(s->sha256, s->issuer->name),
		       digest(s->sha256, key_bits(s->key_of.n ? s->key_of : s->issuer->der)),
		       integer(s->serial)),
		   revoked[s->status], test_time(now + 3600 * (dated ? s->this_update : -1)),
		   WRAP(0xa0, test_time(now + 3600 * (dated ? s->next_update : 24))),
		   s->extensions.n ? WRAP(0xa1, SEQ(s->extensions)) : NOTHING);
}

static struct piece response_make(struct response r)
{
	struct piece singles = NOTHING, certs = NOTHING, data;
	gnutls_sign_algorithm_t sign;
	struct piece algorithm = test_algorithm(r.signer, &sign);

	for (size_t i = 0; i < ARRAY_SIZE(r.singles) && r.singles[i].issuer; i++)
		singles = JOIN(singles, single_make(&r.singles[i]));
	for (size_t i = 0; i < ARRAY_SIZE(r.certs) && r.certs[i]; i++)
		certs = JOIN(certs, r.certs[i]->der);
	data = SEQ(WRAP(0xa1, r.signer->name), test_time(time_realtime_s()), SEQ(singles),
		   r.extensions.n ? WRAP(0xa1, SEQ(r.extensions)) : NOTHING);
	if (r.algorithm.n) {
		algorithm = r.algorithm;
		sign = r.sign;
	}
	data = test_sign_as(r.signer, data, algorithm, sign,
			    certs.n ? WRAP(0xa0, SEQ(certs)) : NOTHING);
	return SEQ(WRAP(0x0a, raw(&r.status, 1)),
		   r.status == 0 ? WRAP(0xa0, SEQ(OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x01"),
						  WRAP(0x04, data)))
				 : NOTHING);
}

static struct trust_link check(struct piece response, char why[static 256])
{
	struct text text = { .buf = why, .size = 256 };
	struct trust_link link;

	why[0] = '\0';
	assert_int_equal(revocation_staple_check(response.p, response.n, leaf.der.p, leaf.der.n,
						 ca.der.p, ca.der.n, &link, &text),
			 0);
	return link;
}

/* The answer is given; or not, and why not. */
static struct trust_link expect(struct piece response, enum trust_status status)
{
	char why[256];
	struct trust_link link = check(response, why);

	if (link.status != status)
		fail_msg("status %d: %s", link.status, why);
	assert_int_equal(link.ocsp, status != TRUST_STATUS_UNKNOWN);
	assert_int_equal(why[0] != '\0', status == TRUST_STATUS_UNKNOWN);
	return link;
}

#define OURS(...)                                                                                  \
	{                                                                                          \
		.issuer = &ca, .serial = 77, __VA_ARGS__                                           \
	}
#define BY(cert, ...)                                                                              \
	response_make((struct response){ .signer = (cert), .singles = { __VA_ARGS__ } })

/* ---- tests ---- */

static void test_by_issuer(void **state)
{
	int64_t now = time_realtime_s();
	struct trust_link link;

	(void)state;
	link = expect(BY(&ca, OURS(.status = GOOD)), TRUST_STATUS_GOOD);
	assert_in_range(link.this_update, now - 3700, now - 3500);
	assert_in_range(link.next_update, now + DAY - 100, now + DAY + 100);
	link = expect(BY(&ca, OURS(.status = REVOKED, .sha256 = true)), TRUST_STATUS_REVOKED);
	assert_int_equal(link.revoked_at, 1700000000);
	assert_int_equal(link.revoked_why, 1);
	link = expect(BY(&ca, OURS(.status = HOLD)), TRUST_STATUS_REVOKED);
	assert_int_equal(link.revoked_why, 6);
	/* old and early ones are for trust to judge */
	expect(BY(&ca, OURS(.this_update = -48, .next_update = -24)), TRUST_STATUS_GOOD);
	expect(BY(&ca, OURS(.this_update = 24, .next_update = 48)), TRUST_STATUS_GOOD);
	expect(BY(&ca, OURS(.status = NOT_KNOWN)), TRUST_STATUS_UNKNOWN);
}

static void test_about_whom(void **state)
{
	struct test_cert twin = test_cert_make((struct test_spec){ .cn = "CA", .ca = true });

	(void)state;
	expect(BY(&ca, { .issuer = &ca, .serial = 78 }), TRUST_STATUS_UNKNOWN);
	expect(BY(&ca, { .issuer = &root, .serial = 77 }), TRUST_STATUS_UNKNOWN);
	expect(BY(&ca, { .issuer = &twin, .serial = 77 }), TRUST_STATUS_UNKNOWN);
	expect(BY(&ca, { .issuer = &twin, .serial = 77, .key_of = ca.der }), TRUST_STATUS_GOOD);
	expect(BY(&ca, OURS(.key_of = root.der)), TRUST_STATUS_UNKNOWN);
	expect(BY(&ca), TRUST_STATUS_UNKNOWN);
	/* several statements: the one about us, wherever it stands; and revoked is revoked */
	expect(BY(&ca, { .issuer = &ca, .serial = 78, .status = REVOKED }, OURS(.status = GOOD)),
	       TRUST_STATUS_GOOD);
	expect(BY(&ca, { .issuer = &ca, .serial = 78 }, OURS(.status = REVOKED)),
	       TRUST_STATUS_REVOKED);
	expect(BY(&ca, OURS(.status = REVOKED, .this_update = -9, .next_update = 9),
		  OURS(.status = GOOD)),
	       TRUST_STATUS_REVOKED);
	expect(BY(&ca, OURS(.status = GOOD, .this_update = -9, .next_update = 9),
		  OURS(.status = NOT_KNOWN)),
	       TRUST_STATUS_UNKNOWN);
	test_cert_done(&twin);
}

static void test_delegated(void **state)
{
	struct test_cert responder =
		test_cert_make((struct test_spec){ .cn = "OCSP", .issuer = &ca, .ocsp = true });
	const struct test_cert bad[] = {
		test_cert_make((struct test_spec){ .cn = "no purpose", .issuer = &ca }),
		test_cert_make(
			(struct test_spec){ .cn = "other CA", .issuer = &root, .ocsp = true }),
		test_cert_make((struct test_spec){
			.cn = "says so", .issuer = &root, .issuer_name = ca.name, .ocsp = true }),
		test_cert_make((struct test_spec){
			.cn = "expired", .issuer = &ca, .ocsp = true, .from = -9, .to = -1 }),
		test_cert_make((struct test_spec){
			.cn = "not yet", .issuer = &ca, .ocsp = true, .from = 1, .to = 9 }),
		test_cert_make((struct test_spec){ .cn = "usage",
						   .issuer = &ca,
						   .ocsp = true,
						   .usage = GNUTLS_KEY_KEY_ENCIPHERMENT }),
	};
	struct response r = { .signer = &responder,
			      .singles = { OURS(.status = GOOD) },
			      .certs = { &responder } };

	(void)state;
	expect(response_make(r), TRUST_STATUS_GOOD);
	r.singles[0].status = REVOKED;
	expect(response_make(r), TRUST_STATUS_REVOKED);
	r.singles[0].status = GOOD;
	r.certs[0] = &other;
	r.certs[1] = &responder;
	expect(response_make(r), TRUST_STATUS_GOOD);
	/* without its certificate, or with another one's */
	r.certs[1] = NULL;
	expect(response_make(r), TRUST_STATUS_UNKNOWN);
	r.certs[0] = NULL;
	expect(response_make(r), TRUST_STATUS_UNKNOWN);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char why[256];

		r.signer = r.certs[0] = &bad[i];
		if (check(response_make(r), why).status != TRUST_STATUS_UNKNOWN || !why[0])
			fail_msg("row %zu", i);
	}
	r.signer = r.certs[0] = &leaf; /* the peer's own word */
	expect(response_make(r), TRUST_STATUS_UNKNOWN);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct test_cert cert = bad[i];

		test_cert_done(&cert);
	}
	test_cert_done(&responder);
}

static void test_signature(void **state)
{
	struct piece response = BY(&ca, OURS(.status = GOOD));
	struct test_cert rsa = test_cert_make((struct test_spec){
		.cn = "RSA", .issuer = &ca, .ocsp = true, .pk = GNUTLS_PK_RSA });
	struct response r = { .signer = &rsa,
			      .singles = { OURS(.status = GOOD) },
			      .certs = { &rsa } };
	char why[256];

	(void)state;
	((uint8_t *)(uintptr_t)response.p)[response.n - 1] ^= 1;
	expect(response, TRUST_STATUS_UNKNOWN);
	expect(BY(&root, OURS(.status = GOOD)), TRUST_STATUS_UNKNOWN);
	expect(response_make(r), TRUST_STATUS_GOOD);
	r.algorithm = SEQ(OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), BYTES("\x05\x00"));
	r.sign = GNUTLS_SIGN_RSA_SHA1;
	expect(response_make(r), TRUST_STATUS_UNKNOWN);
	check(response_make(r), why);
	assert_string_equal(why, "signed with SHA-1");
	test_cert_done(&rsa);
}

static void test_status_and_extensions(void **state)
{
	struct piece critical =
		SEQ(OID("\x2a\x03\x04"), BYTES("\x01\x01\xff"), WRAP(0x04, BYTES("x")));
	struct piece harmless = SEQ(OID("\x2a\x03\x04"), WRAP(0x04, BYTES("x")));
	struct response r = { .signer = &ca, .singles = { OURS(.status = GOOD) } };

	(void)state;
	r.extensions = harmless;
	r.singles[0].extensions = harmless;
	expect(response_make(r), TRUST_STATUS_GOOD);
	r.extensions = critical;
	expect(response_make(r), TRUST_STATUS_UNKNOWN);
	r.extensions = NOTHING;
	r.singles[0].extensions = critical;
	expect(response_make(r), TRUST_STATUS_UNKNOWN);
	r.singles[0].extensions = NOTHING;
	for (r.status = 1; r.status < 9; r.status++)
		expect(response_make(r), TRUST_STATUS_UNKNOWN);
}

/* No byte of it may be changed without the answer being lost; and nothing crashes. */
static void test_every_byte(void **state)
{
	struct test_cert responder =
		test_cert_make((struct test_spec){ .cn = "OCSP", .issuer = &ca, .ocsp = true });
	struct piece good = response_make((struct response){ .signer = &responder,
							     .singles = { OURS(.status = GOOD) },
							     .certs = { &responder } });
	uint8_t *bytes = (uint8_t *)(uintptr_t)good.p;
	char why[256];

	(void)state;
	for (size_t i = 0; i < good.n; i++) {
		uint8_t saved = bytes[i];

		for (unsigned int bit = 0; bit < 8; bit += 3) {
			bytes[i] = (uint8_t)(saved ^ 1u << bit);
			if (check(good, why).status != TRUST_STATUS_UNKNOWN)
				fail_msg("byte %zu", i);
		}
		bytes[i] = saved;
		assert_int_equal(check((struct piece){ good.p, i }, why).status,
				 TRUST_STATUS_UNKNOWN);
	}
	expect(good, TRUST_STATUS_GOOD);
	test_cert_done(&responder);
}

static void test_broken_certificates(void **state)
{
	struct piece good = BY(&ca, OURS(.status = GOOD));
	struct trust_link link;
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);

	(void)state;
	assert_int_equal(revocation_staple_check(good.p, good.n, "x", 1, ca.der.p, ca.der.n, &link,
						 &why),
			 0);
	assert_int_equal(link.status, TRUST_STATUS_UNKNOWN);
	assert_int_equal(revocation_staple_check(good.p, good.n, leaf.der.p, leaf.der.n, ca.der.p,
						 ca.der.n - 1, &link, &why),
			 0);
	assert_int_equal(link.status, TRUST_STATUS_UNKNOWN);
	assert_string_not_equal(buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_issuer),
		cmocka_unit_test(test_about_whom),
		cmocka_unit_test(test_delegated),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_status_and_extensions),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_broken_certificates),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
