/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The CRL distribution points of a certificate (RFC 5280 4.2.1.13): digests of their names, by
 * which a CRL of limited scope is told to hold the certificate, and URLs to fetch CRLs from.
 *
 * A point for some reasons only, or with a CRL of another issuer, is passed over: by its list alone
 * nothing could be called good.
 */

#include <gnutls/crypto.h>
#include <siptls/tls.h>
#include <strings.h>
#include <tls/der.h>
#include <tls/facts.h>

enum {
	POINT_NAME = 0xa0, /* explicit: the name is a CHOICE */
	POINT_REASONS = 0x81,
	POINT_CRL_ISSUER = 0xa2,
	NAME_FULL = 0xa0,
	NAME_RELATIVE = 0xa1,
	GENERAL_NAME_URI = 0x86,
};

/* Only what a URL may consist of (RFC 3986 2): it is logged, stored and given to another process.
 */
static bool url_is_fetchable(struct tls_slice url)
{
	static const char *const schemes[] = { "http://", "https://" };
	bool known = false;

	if (url.len > TRUST_URL_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);

		known = known ||
			(url.len > n && strncasecmp((const char *)url.p, schemes[i], n) == 0);
	}
	for (size_t i = 0; i < url.len; i++) {
		if (url.p[i] <= ' ' || url.p[i] > '~')
			return false;
	}
	return known;
}

static int add_url(struct tls_slice url, struct trust_certificate *ret)
{
	char *copy;

	if (ret->n_crl_urls == TRUST_URLS_MAX || !url_is_fetchable(url))
		return 0;
	copy = strndup((const char *)url.p, url.len);
	if (!copy)
		return -ENOMEM;
	ret->crl_urls[ret->n_crl_urls++] = copy;
	return 0;
}

static int add_scope(struct tls_slice whole, struct trust_certificate *ret)
{
	uint8_t digest[32];

	if (ret->n_scopes == TRUST_SCOPES_MAX)
		return 0;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, whole.p, whole.len, digest) < 0)
		return -EIO;
	memcpy(ret->scopes[ret->n_scopes++], digest, TRUST_DIGEST_SIZE);
	return 0;
}

/* GeneralNames, which are alternatives to one another. */
static int read_full_name(struct tls_slice names, struct trust_certificate *ret)
{
	while (names.len > 0) {
		struct tls_slice value, whole;
		uint8_t tag;
		int r;

		if (!tls_der_next_whole(&names, &tag, &value, &whole))
			return TLS_FACTS_E_MALFORMED;
		r = add_scope(whole, ret);
		if (r == 0 && tag == GENERAL_NAME_URI)
			r = add_url(value, ret);
		if (r != 0)
			return r;
	}
	return 0;
}

static int read_point(struct tls_slice point, struct trust_certificate *ret)
{
	struct tls_slice field, full = {};
	bool limited = false;
	uint8_t tag, kind;

	while (point.len > 0) {
		if (!tls_der_next(&point, &tag, &field))
			return TLS_FACTS_E_MALFORMED;
		if (tag == POINT_REASONS || tag == POINT_CRL_ISSUER)
			limited = true;
		else if (tag != POINT_NAME || !tls_der_next(&field, &kind, &full) || field.len > 0)
			return TLS_FACTS_E_MALFORMED;
		else if (kind == NAME_RELATIVE)
			limited = true;
		else if (kind != NAME_FULL)
			return TLS_FACTS_E_MALFORMED;
	}
	return limited ? 0 : read_full_name(full, ret);
}

static int read_points(struct tls_slice extension, struct trust_certificate *ret)
{
	struct tls_slice points, point;
	uint8_t tag;
	int r = 0;

	if (!tls_der_only(extension, TLS_DER_SEQUENCE, &points) || points.len == 0)
		return TLS_FACTS_E_MALFORMED;
	while (r == 0 && points.len > 0) {
		if (!tls_der_next(&points, &tag, &point) || tag != TLS_DER_SEQUENCE)
			return TLS_FACTS_E_MALFORMED;
		r = read_point(point, ret);
	}
	return r;
}

static void forget(struct trust_certificate *certificate)
{
	for (size_t i = 0; i < certificate->n_crl_urls; i++)
		free(certificate->crl_urls[i]);
	memset(certificate->crl_urls, 0, sizeof(certificate->crl_urls));
	memset(certificate->scopes, 0, sizeof(certificate->scopes));
	certificate->n_crl_urls = certificate->n_scopes = 0;
}

int tls_distribution_read(gnutls_x509_crt_t crt, struct trust_certificate *ret)
{
	gnutls_datum_t der = {};
	unsigned int critical = 0;
	int r;

	if (gnutls_x509_crt_get_extension_by_oid2(crt, GNUTLS_X509EXT_OID_CRL_DIST_POINTS, 0, &der,
						  &critical) < 0)
		return 0;
	r = read_points((struct tls_slice){ der.data, der.size }, ret);
	gnutls_free(der.data);
	if (r == TLS_FACTS_E_MALFORMED) {
		forget(ret);
		ret->unsupported = ret->unsupported || critical;
		r = 0;
	}
	return r;
}
