/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One step over DER (X.690 10.1: definite lengths in their shortest form). */

#include <tls/der.h>

#define LENGTH_BYTES_MAX 4

static bool take_length(struct tls_der *in, size_t *ret)
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

bool tls_der_next(struct tls_der *in, uint8_t *ret_tag, struct tls_der *ret)
{
	struct tls_der rest = *in;
	uint8_t tag;
	size_t len;

	/* No element of the extensions read here has a tag number of 31 or more. */
	if (rest.len == 0 || (rest.p[0] & 0x1f) == 0x1f)
		return false;
	tag = rest.p[0];
	rest.p++, rest.len--;
	if (!take_length(&rest, &len) || len > rest.len)
		return false;
	*ret_tag = tag;
	*ret = (struct tls_der){ .p = rest.p, .len = len };
	*in = (struct tls_der){ .p = rest.p + len, .len = rest.len - len };
	return true;
}

bool tls_der_only(struct tls_der in, uint8_t tag, struct tls_der *ret)
{
	struct tls_der value;
	uint8_t found;

	if (!tls_der_next(&in, &found, &value) || found != tag || in.len > 0)
		return false;
	*ret = value;
	return true;
}
