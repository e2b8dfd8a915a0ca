/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * der - walk over the DER of a certificate extension. Only what GnuTLS does not hand out exactly
 * as it stands is read this way: names with all their bytes, kinds of name constraints.
 */

#include <siptls/base.h>

struct tls_der {
	const uint8_t *p;
	size_t len;
};

enum {
	TLS_DER_SEQUENCE = 0x30,
	TLS_DER_OID = 0x06,
};

/* Take the next element off @in. false: nothing left (in->len == 0) or not DER. */
bool tls_der_next(struct tls_der *in, uint8_t *ret_tag, struct tls_der *ret) _must_check_;

/* @in is one element of type @tag and nothing else: its contents. */
bool tls_der_only(struct tls_der in, uint8_t tag, struct tls_der *ret) _must_check_;

static inline bool tls_der_equal(struct tls_der a, const void *bytes, size_t len)
{
	return a.len == len && memcmp(a.p, bytes, len) == 0;
}
