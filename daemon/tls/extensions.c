/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Extensions that bear on a decision. What is critical and unknown, or known and beyond what the
 * path check evaluates, marks the certificate: it refuses, it never passes.
 */

#include <gnutls/x509-ext.h>
#include <siptls/tls.h>
#include <tls/der.h>
#include <tls/facts.h>

#define OID_TEXT_MAX 128

bool tls_extension_get(gnutls_x509_crt_t crt, const char *oid, gnutls_datum_t *ret)
{
	return gnutls_x509_crt_get_extension_by_oid2(crt, oid, 0, ret, NULL) >= 0;
}

/* Object identifiers as they stand in an extendedKeyUsage (RFC 5280 4.2.1.12, RFC 5924 3). */
static const struct {
	uint8_t usage;
	uint8_t len;
	uint8_t oid[8];
} purposes[] = {
	{ TRUST_EKU_SERVER, 8, { 0x2b, 6, 1, 5, 5, 7, 3, 1 } },
	{ TRUST_EKU_CLIENT, 8, { 0x2b, 6, 1, 5, 5, 7, 3, 2 } },
	{ TRUST_EKU_SIP, 8, { 0x2b, 6, 1, 5, 5, 7, 3, 20 } },
	{ TRUST_EKU_ANY, 4, { 0x55, 0x1d, 0x25, 0 } },
};

static bool read_purposes(struct tls_slice extension, struct trust_certificate *ret)
{
	struct tls_slice list, oid;
	uint8_t tag;

	if (!tls_der_only(extension, TLS_DER_SEQUENCE, &list) || list.len == 0)
		return false;
	ret->usage = TRUST_EKU_PRESENT;
	while (list.len > 0) {
		if (!tls_der_next(&list, &tag, &oid) || tag != TLS_DER_OID)
			return false;
		for (size_t i = 0; i < ARRAY_SIZE(purposes); i++) {
			if (tls_slice_equal(oid, purposes[i].oid, purposes[i].len))
				ret->usage |= purposes[i].usage;
		}
	}
	return true;
}

/*
 * GnuTLS evaluates constraints on DNS names, e-mail addresses and IP addresses and passes over
 * all others, minimum and maximum included (RFC 5280 4.2.1.10 wants these to be 0 and absent).
 */
static bool read_subtrees(struct tls_slice subtrees, struct trust_certificate *ret)
{
	while (subtrees.len > 0) {
		struct tls_slice subtree, base;
		uint8_t tag;

		if (!tls_der_next(&subtrees, &tag, &subtree) || tag != TLS_DER_SEQUENCE ||
		    !tls_der_next(&subtree, &tag, &base))
			return false;
		if ((tag != 0x81 && tag != 0x82 && tag != 0x87) || subtree.len > 0)
			ret->unsupported = true;
	}
	return true;
}

static bool read_name_constraints(struct tls_slice extension, struct trust_certificate *ret)
{
	struct tls_slice constraints, subtrees;
	uint8_t tag;

	if (!tls_der_only(extension, TLS_DER_SEQUENCE, &constraints))
		return false;
	while (constraints.len > 0) {
		if (!tls_der_next(&constraints, &tag, &subtrees) || (tag != 0xa0 && tag != 0xa1) ||
		    !read_subtrees(subtrees, ret))
			return false;
	}
	return true;
}

/*
 * Policies are not processed. By RFC 5280 6.1 they cannot change the outcome of a path unless a
 * certificate requires an explicit policy (requireExplicitPolicy, [0]).
 */
static bool read_policy_constraints(struct tls_slice extension, struct trust_certificate *ret)
{
	struct tls_slice constraints, value;
	uint8_t tag;

	if (!tls_der_only(extension, TLS_DER_SEQUENCE, &constraints))
		return false;
	while (constraints.len > 0) {
		if (!tls_der_next(&constraints, &tag, &value))
			return false;
		if (tag == 0x80)
			ret->unsupported = true;
	}
	return true;
}

/*
 * RFC 7633: the TLS extensions that every handshake with this certificate must show. Of these only
 * status_request can be demanded of a peer here.
 */
static bool read_tls_features(struct tls_slice extension, struct trust_certificate *ret)
{
	static const uint8_t status_request[] = { 5 };
	struct tls_slice list, feature;
	uint8_t tag;

	if (!tls_der_only(extension, TLS_DER_SEQUENCE, &list))
		return false;
	while (list.len > 0) {
		if (!tls_der_next(&list, &tag, &feature) || tag != TLS_DER_INTEGER)
			return false;
		if (tls_slice_equal(feature, status_request, sizeof(status_request)))
			ret->must_staple = true;
	}
	return true;
}

/* Known extensions; without a reader GnuTLS or trust evaluates it, or nothing hangs on it. */
static const struct extension {
	const char *oid;
	bool (*read)(struct tls_slice extension, struct trust_certificate *ret);
} extensions[] = {
	{ "2.5.29.14", NULL }, /* subjectKeyIdentifier */
	{ "2.5.29.15", NULL }, /* keyUsage */
	{ "2.5.29.17", NULL }, /* subjectAltName */
	{ "2.5.29.18", NULL }, /* issuerAltName */
	{ "2.5.29.19", NULL }, /* basicConstraints */
	{ "1.3.6.1.5.5.7.1.24", read_tls_features },
	{ "2.5.29.30", read_name_constraints },
	{ "2.5.29.31", NULL }, /* cRLDistributionPoints: distribution.c */
	{ "2.5.29.32", NULL }, /* certificatePolicies */
	{ "2.5.29.33", NULL }, /* policyMappings */
	{ "2.5.29.35", NULL }, /* authorityKeyIdentifier */
	{ "2.5.29.36", read_policy_constraints },
	{ "2.5.29.37", read_purposes },
	{ "2.5.29.54", NULL }, /* inhibitAnyPolicy */
};

static const struct extension *extension_find(const char *oid)
{
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		if (strcmp(extensions[i].oid, oid) == 0)
			return &extensions[i];
	}
	return NULL;
}

static bool extension_read(gnutls_x509_crt_t crt, const char *oid, bool critical,
			   struct trust_certificate *ret)
{
	const struct extension *extension = extension_find(oid);
	gnutls_datum_t der = {};
	bool ok;

	if (!extension && critical)
		ret->unsupported = true;
	if (!extension || !extension->read)
		return true;
	if (!tls_extension_get(crt, oid, &der))
		return false;
	ok = extension->read((struct tls_slice){ der.data, der.size }, ret);
	gnutls_free(der.data);
	return ok;
}

int tls_extensions_read(gnutls_x509_crt_t crt, struct trust_certificate *ret, struct text *why)
{
	for (unsigned int i = 0; i < TLS_EXTENSIONS_MAX; i++) {
		char oid[OID_TEXT_MAX];
		size_t size = sizeof(oid);
		unsigned int critical = 1;
		int r;

		r = gnutls_x509_crt_get_extension_info(crt, i, oid, &size, &critical);
		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return 0;
		if (r < 0 || !extension_read(crt, oid, critical, ret)) {
			text_addf(why, "extension %u cannot be read", i + 1);
			return TLS_FACTS_E_MALFORMED;
		}
	}
	text_addf(why, "more than " STR(TLS_EXTENSIONS_MAX) " extensions");
	return TLS_FACTS_E_TOO_LARGE;
}
