/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sizes of the certificates a peer presents; see presented.h. */

#include <tls/der.h>
#include <tls/presented.h>

/* Take @size bytes of length and as many bytes as they say off @in. */
static bool take_vector(struct tls_slice *in, size_t size, struct tls_slice *ret)
{
	size_t len = 0;

	if (in->len < size)
		return false;
	for (size_t i = 0; i < size; i++)
		len = len << 8 | in->p[i];
	if (in->len - size < len)
		return false;
	*ret = (struct tls_slice){ in->p + size, len };
	in->p += size + len;
	in->len -= size + len;
	return true;
}

/* The BIT STRING of the SubjectPublicKeyInfo (RFC 5280 4.1). */
static bool find_public_key(struct tls_slice der, struct tls_slice *ret)
{
	struct tls_der_certificate parts;
	struct tls_slice info;
	uint8_t tag;

	return tls_der_certificate_read(der, &parts) &&
	       tls_der_only(parts.public_key, TLS_DER_SEQUENCE, &info) &&
	       tls_der_next(&info, &tag, ret) && tls_der_next(&info, &tag, ret) &&
	       tag == TLS_DER_BIT_STRING;
}

static enum reason check_certificate(struct tls_slice certificate, struct text *why)
{
	struct tls_slice key;

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
	struct tls_slice message = { body, len }, context, list, certificate, extensions;
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
