/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Certificates, keys, lists and configurations as files of a folder that goes away. */

#include "tls-testing.h"

#include "ctl-testing.h"
#include <jansson.h>
#include <sys/stat.h>

static inline void write_bytes(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static inline void write_datum(const char *name, gnutls_datum_t *datum)
{
	write_bytes(name, datum->data, datum->size);
	gnutls_free(datum->data);
}

static inline void write_certificate(const char *name, const struct test_cert *cert)
{
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_datum(name, &pem);
}

static inline void write_key(const char *name, const struct test_cert *cert)
{
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(cert->key, GNUTLS_X509_FMT_PEM, NULL, 0,
							   &pem),
			 0);
	write_datum(name, &pem);
	assert_int_equal(chmod(name, 0600), 0);
}

/* A list of @ca that revokes @revoked (NULL: nobody); times are days from now. */
static inline void write_crl(const char *name, const struct test_cert *ca,
			     const struct test_cert *revoked, int this_update, int next_update,
			     gnutls_x509_crt_fmt_t format)
{
	static const uint8_t number[] = { 0x1f };
	time_t now = time(NULL);
	gnutls_x509_crl_t crl;
	gnutls_datum_t out;

	assert_int_equal(gnutls_x509_crl_init(&crl), 0);
	assert_int_equal(gnutls_x509_crl_set_version(crl, 2), 0);
	assert_int_equal(gnutls_x509_crl_set_this_update(crl, now + DAY * this_update), 0);
	assert_int_equal(gnutls_x509_crl_set_next_update(crl, now + DAY * next_update), 0);
	assert_int_equal(gnutls_x509_crl_set_number(crl, number, sizeof(number)), 0);
	if (revoked)
		assert_int_equal(gnutls_x509_crl_set_crt(crl, revoked->crt, now - DAY), 0);
	assert_int_equal(gnutls_x509_crl_sign2(crl, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crl_export2(crl, format, &out), 0);
	write_datum(name, &out);
	gnutls_x509_crl_deinit(crl);
}

/* The folder becomes the current one. */
static inline int folder_enter(char *template)
{
	return mkdtemp(template) ? chdir(template) : -1;
}

static inline int folder_remove(const char *path)
{
	char line[256];

	assert_true(snprintf(line, sizeof(line), "rm -r '%s'", path) < (int)sizeof(line));
	return chdir("/") < 0 || system(line) != 0;
}
