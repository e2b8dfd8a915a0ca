/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * secret - key material as a type that wipes itself.
 *
 * Held by tls (which makes it), worker (which carries it), session (one variable, wiped on every
 * path), ktls (which gives it to the kernel) and relay (traffic secrets for key updates). No type
 * of control or of logging can hold one.
 */

#include <siptls/base.h>

#define SECRET_MAX 48 /* SHA-384, the longest PRF hash of the suites we take (RFC 8446 B.4) */

struct secret {
	uint8_t len; /* 0: none (TLS 1.2 has no traffic secret) */
	uint8_t bytes[SECRET_MAX];
};

/* One direction of a TLS connection at one point of its record sequence. */
struct traffic_keys {
	uint8_t key[32];
	uint8_t iv[12];	      /* TLS 1.2 AES-GCM: 4 bytes of salt, then the 8 of @seq */
	uint64_t seq;	      /* number of the next record */
	struct secret secret; /* TLS 1.3: application traffic secret, for the next KeyUpdate */
};

static inline void memory_wipe(void *p, size_t size)
{
	explicit_bzero(p, size);
}

static inline void secret_wipe(struct secret *s)
{
	memory_wipe(s, sizeof(*s));
}

static inline void traffic_keys_wipe(struct traffic_keys *k)
{
	memory_wipe(k, sizeof(*k));
}

#define _cleanup_secret_       _cleanup_(secret_wipe)
#define _cleanup_traffic_keys_ _cleanup_(traffic_keys_wipe)
