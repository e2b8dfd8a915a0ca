/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * der - walk over DER (X.690 10.1) that strangers publish: CRLs, OCSP responses, the certificates
 * that sign them. Nothing is copied and nothing is built: a list of sixteen megabytes costs no more
 * memory than what is kept of it.
 */

#include <siptls/base.h>

struct der {
	const uint8_t *p;
	size_t len;
};

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

#define DER_CONTEXT(n)	   (0x80 | (n)) /* implicit, primitive */
#define DER_CONSTRUCTED(n) (0xa0 | (n))

static inline bool der_equal(struct der a, struct der b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* Does another element of this type follow? For optional ones. */
static inline bool der_follows(struct der in, uint8_t tag)
{
	return in.len > 0 && in.p[0] == tag;
}

/*
 * All of these take the next element off @in and are false if it is not there, not of the type, or
 * not DER. Outputs may be NULL: @ret_whole is the element with its header, @ret its contents.
 */
bool revocation_der_next(struct der *in, uint8_t *ret_tag, struct der *ret_whole,
			 struct der *ret) _must_check_;
bool revocation_der_take(struct der *in, uint8_t tag, struct der *ret) _must_check_;
bool revocation_der_boolean(struct der *in, bool *ret) _must_check_;
/* In its shortest form, sign included: two encodings of one number have different digests. */
bool revocation_der_integer(struct der *in, struct der *ret) _must_check_;
/* A BIT STRING of whole bytes. */
bool revocation_der_bits(struct der *in, struct der *ret) _must_check_;
/* UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 wants them, in seconds since 1970. */
bool revocation_der_time(struct der *in, int64_t *ret) _must_check_;

/* @in is one element of type @tag and nothing else. */
bool revocation_der_only(struct der in, uint8_t tag, struct der *ret) _must_check_;

/* One Extension (RFC 5280 4.1). */
struct der_extension {
	struct der oid;
	bool critical;
	struct der value; /* what the OCTET STRING holds */
};

#define DER_EXTENSIONS_MAX 64

/*
 * Walk over the contents of Extensions. @fn says whether it understood one; what is critical and
 * not understood is left to it. Each extension at most once (RFC 5280 4.2). false: not DER, twice,
 * too many, or @fn said so.
 */
typedef bool (*der_extension_fn)(void *userdata, const struct der_extension *extension);
bool revocation_der_extensions(struct der list, der_extension_fn fn, void *userdata) _must_check_;

/* "2.5.29.x" is how most of them are named: x, or -1. */
int revocation_der_id_ce(struct der oid);
