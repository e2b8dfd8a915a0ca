/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One step over DER (X.690 10.1: definite lengths in their shortest form). */

#include <tls/der.h>

#define LENGTH_BYTES_MAX 4

static bool take_length(struct tls_slice *in, size_t *ret)
{
	size_t n, len = 0;

	if (in->len == 0)
		return false;
	n = in->p[0];
	in->p++, in->len--;
	if (n < 0x80) {
		*ret = n;
		return true;
	}
	n &= 0x7f;
	if (n == 0 || n > LENGTH_BYTES_MAX || n > in->len || in->p[0] == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		len = len << 8 | in->p[i];
	if (len < 0x80)
		return false;
	in->p += n, in->len -= n;
	*ret = len;
	return true;
}

bool tls_der_next_whole(struct tls_slice *in, uint8_t *ret_tag, struct tls_slice *ret,
			struct tls_slice *ret_whole)
{
	struct tls_slice rest = *in;
	uint8_t tag;
	size_t len;

	/* No element that is read here has a tag number of 31 or more. */
	if (rest.len == 0 || (rest.p[0] & 0x1f) == 0x1f)
		return false;
	tag = rest.p[0];
	rest.p++, rest.len--;
	if (!take_length(&rest, &len) || len > rest.len)
		return false;
	*ret_tag = tag;
	*ret = (struct tls_slice){ .p = rest.p, .len = len };
	*ret_whole = (struct tls_slice){ .p = in->p, .len = (size_t)(rest.p - in->p) + len };
	*in = (struct tls_slice){ .p = rest.p + len, .len = rest.len - len };
	return true;
}

bool tls_der_next(struct tls_slice *in, uint8_t *ret_tag, struct tls_slice *ret)
{
	struct tls_slice whole;

	return tls_der_next_whole(in, ret_tag, ret, &whole);
}

bool tls_der_only(struct tls_slice in, uint8_t tag, struct tls_slice *ret)
{
	struct tls_slice value;
	uint8_t found;

	if (!tls_der_next(&in, &found, &value) || found != tag || in.len > 0)
		return false;
	*ret = value;
	return true;
}

/* Take the next element off @in if it is of type @tag. */
static bool take(struct tls_slice *in, uint8_t tag, struct tls_slice *ret,
		 struct tls_slice *ret_whole)
{
	struct tls_slice rest = *in;
	uint8_t found;

	if (!tls_der_next_whole(&rest, &found, ret, ret_whole) || found != tag)
		return false;
	*in = rest;
	return true;
}

bool tls_der_certificate_read(struct tls_slice der, struct tls_der_certificate *ret)
{
	enum { VERSION = 0xa0 };
	struct tls_der_certificate parts;
	struct tls_slice body, tbs, ignored, whole;

	if (!tls_der_only(der, TLS_DER_SEQUENCE, &body) ||
	    !take(&body, TLS_DER_SEQUENCE, &tbs, &whole))
		return false;
	(void)take(&tbs, VERSION, &ignored, &whole); /* version 1 does not say so */
	if (!take(&tbs, TLS_DER_INTEGER, &parts.serial, &whole))
		return false;
	for (int i = 0; i < 3; i++) { /* signature, issuer, validity */
		if (!take(&tbs, TLS_DER_SEQUENCE, &ignored, &whole))
			return false;
	}
	if (!take(&tbs, TLS_DER_SEQUENCE, &ignored, &parts.subject) ||
	    !take(&tbs, TLS_DER_SEQUENCE, &ignored, &parts.public_key))
		return false;
	*ret = parts;
	return true;
}
