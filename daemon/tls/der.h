/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * der - walk over the DER of a certificate and its extensions. Only what GnuTLS does not hand out
 * exactly as it stands is read this way: names with all their bytes, kinds of name constraints,
 * what a digest is made of.
 */

#include <siptls/base.h>

struct tls_slice {
	const uint8_t *p;
	size_t len;
};

enum {
	TLS_DER_INTEGER = 0x02,
	TLS_DER_BIT_STRING = 0x03,
	TLS_DER_OID = 0x06,
	TLS_DER_SEQUENCE = 0x30,
};

/* Take the next element off @in. false: nothing left (in->len == 0) or not DER. */
bool tls_der_next(struct tls_slice *in, uint8_t *ret_tag, struct tls_slice *ret) _must_check_;

/* The same, and the element as a whole: tag, length and contents. */
bool tls_der_next_whole(struct tls_slice *in, uint8_t *ret_tag, struct tls_slice *ret,
			struct tls_slice *ret_whole) _must_check_;

/* @in is one element of type @tag and nothing else: its contents. */
bool tls_der_only(struct tls_slice in, uint8_t tag, struct tls_slice *ret) _must_check_;

/* Where the parts of a certificate are (RFC 5280 4.1). */
struct tls_der_certificate {
	struct tls_slice serial;     /* contents of the INTEGER */
	struct tls_slice subject;    /* whole elements */
	struct tls_slice public_key; /* SubjectPublicKeyInfo */
};

bool tls_der_certificate_read(struct tls_slice der, struct tls_der_certificate *ret) _must_check_;

static inline bool tls_slice_equal(struct tls_slice a, const void *bytes, size_t len)
{
	return a.len == len && memcmp(a.p, bytes, len) == 0;
}
