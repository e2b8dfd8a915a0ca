/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DER, one element at a time. */

#include <revocation/der.h>

#define LENGTH_BYTES_MAX 4

static bool take_length(struct der *in, size_t *ret)
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

bool revocation_der_next(struct der *in, uint8_t *ret_tag, struct der *ret_whole, struct der *ret)
{
	struct der rest = *in;
	size_t len;

	/* No element read here has a tag number of 31 or more. */
	if (rest.len == 0 || (rest.p[0] & 0x1f) == 0x1f)
		return false;
	rest.p++, rest.len--;
	if (!take_length(&rest, &len) || len > rest.len)
		return false;
	if (ret_tag)
		*ret_tag = in->p[0];
	if (ret_whole)
		*ret_whole = (struct der){ in->p, (size_t)(rest.p - in->p) + len };
	if (ret)
		*ret = (struct der){ rest.p, len };
	*in = (struct der){ rest.p + len, rest.len - len };
	return true;
}

bool revocation_der_take(struct der *in, uint8_t tag, struct der *ret)
{
	return der_follows(*in, tag) && revocation_der_next(in, NULL, NULL, ret);
}

bool revocation_der_only(struct der in, uint8_t tag, struct der *ret)
{
	return revocation_der_take(&in, tag, ret) && in.len == 0;
}

bool revocation_der_boolean(struct der *in, bool *ret)
{
	struct der value;

	if (!revocation_der_take(in, DER_BOOLEAN, &value) || value.len != 1 ||
	    (value.p[0] != 0 && value.p[0] != 0xff))
		return false;
	*ret = value.p[0] != 0;
	return true;
}

bool revocation_der_integer(struct der *in, struct der *ret)
{
	struct der value;

	if (!revocation_der_take(in, DER_INTEGER, &value) || value.len == 0)
		return false;
	if (value.len > 1 &&
	    ((value.p[0] == 0 && value.p[1] < 0x80) || (value.p[0] == 0xff && value.p[1] >= 0x80)))
		return false;
	if (ret)
		*ret = value;
	return true;
}

bool revocation_der_bits(struct der *in, struct der *ret)
{
	struct der value;

	if (!revocation_der_take(in, DER_BIT_STRING, &value) || value.len == 0 || value.p[0] != 0)
		return false;
	*ret = (struct der){ value.p + 1, value.len - 1 };
	return true;
}

/* ---- time ---- */

static bool two_digits(const uint8_t *p, int *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret = 10 * (p[0] - '0') + (p[1] - '0');
	return true;
}

bool revocation_der_time(struct der *in, int64_t *ret)
{
	int field[7], *const year = &field[1]; /* century, year, month, day, hour, minute, second */
	struct tm tm = {};
	struct der value;
	size_t first;
	uint8_t tag;

	if (!revocation_der_next(in, &tag, NULL, &value))
		return false;
	if (tag == DER_UTC_TIME && value.len == 13)
		first = 1;
	else if (tag == DER_GENERALIZED_TIME && value.len == 15)
		first = 0;
	else
		return false;
	if (value.p[value.len - 1] != 'Z')
		return false;
	for (size_t i = first; i < ARRAY_SIZE(field); i++) {
		if (!two_digits(value.p + 2 * (i - first), &field[i]))
			return false;
	}
	if (tag == DER_UTC_TIME)
		field[0] = *year >= 50 ? 19 : 20;
	tm.tm_year = field[0] * 100 + *year - 1900;
	tm.tm_mon = field[2] - 1;
	tm.tm_mday = field[3];
	tm.tm_hour = field[4];
	tm.tm_min = field[5];
	tm.tm_sec = field[6];
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return false;
	*ret = timegm(&tm);
	return tm.tm_mday == field[3]; /* timegm() makes the 1st of March of a 30th of February */
}

/* ---- extensions ---- */

static bool take_extension(struct der *list, struct der_extension *ret)
{
	struct der extension;

	ret->critical = false;
	return revocation_der_take(list, DER_SEQUENCE, &extension) &&
	       revocation_der_take(&extension, DER_OID, &ret->oid) &&
	       (!der_follows(extension, DER_BOOLEAN) ||
		revocation_der_boolean(&extension, &ret->critical)) &&
	       revocation_der_take(&extension, DER_OCTET_STRING, &ret->value) && extension.len == 0;
}

bool revocation_der_extensions(struct der list, der_extension_fn fn, void *userdata)
{
	struct der seen[DER_EXTENSIONS_MAX];
	struct der_extension extension;
	size_t n = 0;

	while (list.len > 0) {
		if (n == DER_EXTENSIONS_MAX || !take_extension(&list, &extension))
			return false;
		for (size_t i = 0; i < n; i++) {
			if (der_equal(seen[i], extension.oid))
				return false;
		}
		seen[n++] = extension.oid;
		if (!fn(userdata, &extension))
			return false;
	}
	return true;
}

int revocation_der_id_ce(struct der oid)
{
	return oid.len == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x1d ? oid.p[2] : -1;
}
