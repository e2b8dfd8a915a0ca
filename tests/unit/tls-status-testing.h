/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * DER by hand, CRLs and OCSP responses, for the tests that need what no library makes: bad ones.
 */

#include "tls-testing.h"

#include <gnutls/crypto.h>
#include <tls/der.h>

/* ---- DER by hand ---- */

struct test_der {
	uint8_t bytes[96 * 1024];
	size_t len;
};

static _unused_ void test_der_add(struct test_der *b, const void *bytes, size_t len)
{
	assert_true(b->len + len <= sizeof(b->bytes));
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

/* What is there from @at on becomes the contents of one element. */
static _unused_ void test_der_wrap_from(struct test_der *b, size_t at, uint8_t tag)
{
	size_t len = b->len - at, head = len < 0x80 ? 2 : len < 0x100 ? 3 : len < 0x10000 ? 4 : 5;

	assert_true(b->len + head <= sizeof(b->bytes));
	memmove(b->bytes + at + head, b->bytes + at, len);
	b->bytes[at] = tag;
	b->bytes[at + 1] = (uint8_t)(head == 2 ? len : 0x80 | (head - 2));
	for (size_t i = 2; i < head; i++)
		b->bytes[at + i] = (uint8_t)(len >> 8 * (head - 1 - i));
	b->len += head;
}

static _unused_ void test_der_wrap(struct test_der *b, uint8_t tag)
{
	test_der_wrap_from(b, 0, tag);
}

static _unused_ void test_der_put(struct test_der *b, uint8_t tag, const void *bytes, size_t len)
{
	size_t at = b->len;

	test_der_add(b, bytes, len);
	test_der_wrap_from(b, at, tag);
}

/* ---- CRLs and OCSP responses ---- */

#define HOUR 3600

struct test_status {
	const struct test_cert *issuer;	  /* of an ECDSA key */
	const struct test_cert *cert;	  /* of an OCSP response: whom it tells of */
	const struct test_cert *revoked;  /* of a CRL: the one it lists; of a response: the same as
					     @cert, or NULL */
	int64_t this_update, next_update; /* seconds from now; both 0: an hour each way */
};

static _unused_ time_t test_status_time(const struct test_status *s, bool next)
{
	int64_t from = s->this_update, to = s->next_update;

	if (from == 0 && to == 0)
		from = -HOUR, to = HOUR;
	return time(NULL) + (next ? to : from);
}

/* The caller frees. */
static _unused_ gnutls_datum_t test_crl_make(struct test_status s)
{
	static uint8_t number;
	gnutls_x509_crl_t crl;
	gnutls_datum_t der;

	number++;
	assert_int_equal(gnutls_x509_crl_init(&crl), 0);
	assert_int_equal(gnutls_x509_crl_set_version(crl, 2), 0);
	assert_int_equal(gnutls_x509_crl_set_this_update(crl, test_status_time(&s, false)), 0);
	assert_int_equal(gnutls_x509_crl_set_next_update(crl, test_status_time(&s, true)), 0);
	assert_int_equal(gnutls_x509_crl_set_number(crl, &number, 1), 0);
	if (s.revoked)
		assert_int_equal(gnutls_x509_crl_set_crt(crl, s.revoked->crt, time(NULL) - HOUR),
				 0);
	assert_int_equal(gnutls_x509_crl_sign2(crl, s.issuer->crt, s.issuer->key, GNUTLS_DIG_SHA256,
					       0),
			 0);
	assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_x509_crl_deinit(crl);
	return der;
}

static _unused_ void test_der_put_time(struct test_der *b, time_t when)
{
	char text[32];
	struct tm tm;

	assert_non_null(gmtime_r(&when, &tm));
	assert_int_equal(strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm), 15);
	test_der_put(b, 0x18, text, 15);
}

/* Digests of the issuer's name and key (RFC 6960 4.1.1). */
static _unused_ void test_issuer_hashes(const struct test_cert *issuer, uint8_t name[20],
					uint8_t key[20])
{
	struct tls_der_certificate parts;
	struct tls_slice info, value;
	gnutls_datum_t der = test_cert_der(issuer);
	uint8_t tag;

	assert_true(tls_der_certificate_read((struct tls_slice){ der.data, der.size }, &parts));
	assert_true(tls_der_only(parts.public_key, TLS_DER_SEQUENCE, &info));
	assert_true(tls_der_next(&info, &tag, &value) && tls_der_next(&info, &tag, &value));
	gnutls_hash_fast(GNUTLS_DIG_SHA1, parts.subject.p, parts.subject.len, name);
	gnutls_hash_fast(GNUTLS_DIG_SHA1, value.p + 1, value.len - 1, key);
	gnutls_free(der.data);
}

/* SingleResponse (RFC 6960 4.2.1). */
static _unused_ void test_ocsp_put_single(struct test_der *b, const struct test_status *s)
{
	static const uint8_t sha1[] = { 0x30, 9, 6, 5, 0x2b, 14, 3, 2, 26, 5, 0 };
	uint8_t name[20], key[20], serial[64];
	size_t serial_size = sizeof(serial), at = b->len, from;

	test_issuer_hashes(s->issuer, name, key);
	assert_int_equal(gnutls_x509_crt_get_serial(s->cert->crt, serial, &serial_size), 0);
	test_der_add(b, sha1, sizeof(sha1));
	test_der_put(b, 0x04, name, sizeof(name));
	test_der_put(b, 0x04, key, sizeof(key));
	test_der_put(b, 0x02, serial, serial_size);
	test_der_wrap_from(b, at, 0x30);
	from = b->len;
	if (s->revoked)
		test_der_put_time(b, time(NULL) - HOUR);
	test_der_wrap_from(b, from, s->revoked ? 0xa1 : 0x80);
	test_der_put_time(b, test_status_time(s, false));
	from = b->len;
	test_der_put_time(b, test_status_time(s, true));
	test_der_wrap_from(b, from, 0xa0);
	test_der_wrap_from(b, at, 0x30);
}

/* A response signed by the issuer itself, by name. */
static _unused_ void test_ocsp_make(struct test_status s, struct test_der *ret)
{
	static const uint8_t ecdsa_sha256[] = { 0x30, 10,   6,	  8, 0x2a, 0x86,
						0x48, 0xce, 0x3d, 4, 3,	   2 };
	static const uint8_t basic[] = { 6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1 };
	gnutls_datum_t data, signature, subject;
	gnutls_privkey_t key;
	size_t at;

	ret->len = 0;
	assert_int_equal(gnutls_x509_crt_get_raw_dn(s.issuer->crt, &subject), 0);
	test_der_put(ret, 0xa1, subject.data, subject.size);
	gnutls_free(subject.data);
	test_der_put_time(ret, time(NULL));
	at = ret->len;
	test_ocsp_put_single(ret, &s);
	test_der_wrap_from(ret, at, 0x30);
	test_der_wrap(ret, 0x30);

	gnutls_privkey_init(&key);
	assert_int_equal(gnutls_privkey_import_x509(key, s.issuer->key, 0), 0);
	data = tls_datum(ret->bytes, ret->len);
	assert_int_equal(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &data, &signature), 0);
	gnutls_privkey_deinit(key);

	test_der_add(ret, ecdsa_sha256, sizeof(ecdsa_sha256));
	at = ret->len;
	test_der_add(ret, "", 1); /* no unused bits */
	test_der_add(ret, signature.data, signature.size);
	test_der_wrap_from(ret, at, 0x03);
	gnutls_free(signature.data);
	test_der_wrap(ret, 0x30);
	test_der_wrap(ret, 0x04);
	memmove(ret->bytes + sizeof(basic), ret->bytes, ret->len);
	memcpy(ret->bytes, basic, sizeof(basic));
	ret->len += sizeof(basic);
	test_der_wrap(ret, 0x30);
	test_der_wrap(ret, 0xa0);
	memmove(ret->bytes + 3, ret->bytes, ret->len);
	memcpy(ret->bytes, "\x0a\x01\x00", 3); /* successful */
	ret->len += 3;
	test_der_wrap(ret, 0x30);
}
