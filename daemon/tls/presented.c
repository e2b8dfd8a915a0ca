/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sizes of the certificates a peer presents; see presented.h. */

#include <tls/der.h>
#include <tls/presented.h>

enum { DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_VERSION = 0xa0 };

/* Take @size bytes of length and as many bytes as they say off @in. */
static bool take_vector(struct tls_der *in, size_t size, struct tls_der *ret)
{
	size_t len = 0;

	if (in->len < size)
		return false;
	for (size_t i = 0; i < size; i++)
		len = len << 8 | in->p[i];
	if (in->len - size < len)
		return false;
	*ret = (struct tls_der){ in->p + size, len };
	in->p += size + len;
	in->len -= size + len;
	return true;
}

/* The BIT STRING of the SubjectPublicKeyInfo (RFC 5280 4.1). */
static bool find_public_key(struct tls_der certificate, struct tls_der *ret)
{
	/* serialNumber, signature, issuer, validity, subject */
	enum { FIELDS_BEFORE_KEY = 5 };
	struct tls_der body, tbs, field;
	uint8_t tag;

	if (!tls_der_only(certificate, TLS_DER_SEQUENCE, &body) ||
	    !tls_der_next(&body, &tag, &tbs) || tag != TLS_DER_SEQUENCE)
		return false;
	if (!tls_der_next(&tbs, &tag, &field) ||
	    (tag == DER_VERSION && !tls_der_next(&tbs, &tag, &field)) || tag != DER_INTEGER)
		return false;
	for (int i = 1; i < FIELDS_BEFORE_KEY; i++) {
		if (!tls_der_next(&tbs, &tag, &field))
			return false;
	}
	return tls_der_next(&tbs, &tag, &field) && tag == TLS_DER_SEQUENCE &&
	       tls_der_next(&field, &tag, ret) && tls_der_next(&field, &tag, ret) &&
	       tag == DER_BIT_STRING;
}

static enum reason check_certificate(struct tls_der certificate, struct text *why)
{
	struct tls_der key;

	if (certificate.len > TLS_PRESENTED_DER_MAX) {
		text_addf(why, "a certificate of %zu bytes, expected at most %d", certificate.len,
			  TLS_PRESENTED_DER_MAX);
		return REASON_CERTIFICATE_TOO_LARGE;
	}
	/* What we cannot read GnuTLS might, by a laxer rule for lengths: that would be a way
	 * around. */
	if (!find_public_key(certificate, &key)) {
		text_addf(why, "a certificate whose public key is not where RFC 5280 has it");
		return REASON_CERTIFICATE_MALFORMED;
	}
	if (key.len > TLS_PRESENTED_KEY_MAX) {
		text_addf(why, "a public key of %zu bytes, expected at most %d (RSA of 8192 bits)",
			  key.len, TLS_PRESENTED_KEY_MAX);
		return REASON_WEAK_KEY;
	}
	return REASON_OK;
}

enum reason tls_presented_check(const uint8_t *body, size_t len, bool tls13, struct text *why)
{
	struct tls_der message = { body, len }, context, list, certificate, extensions;
	enum reason reason = REASON_OK;

	if (tls13 && !take_vector(&message, 1, &context))
		return REASON_OK;
	if (!take_vector(&message, 3, &list))
		return REASON_OK;
	while (reason == REASON_OK && take_vector(&list, 3, &certificate)) {
		reason = check_certificate(certificate, why);
		if (tls13 && !take_vector(&list, 2, &extensions))
			break;
	}
	return reason;
}
