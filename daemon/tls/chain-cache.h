/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * chain-cache - what came of chains that were verified before. Servers of a network connect again
 * and again with the same certificates, and which paths hold depends on nothing but these and on
 * the anchors: a cache belongs to one store. It spares the reading and the signatures, never a
 * judgement: links and staple are not part of what it gives back, and time plays no role in it.
 */

#include <gnutls/gnutls.h>
#include <siptls/trust.h>

#define TLS_CHAIN_CACHE_MAX 256 /* chains */
#define TLS_CHAIN_KEY_SIZE  32

struct tls_chain_cache {
	struct list chains; /* the one used last is at the end */
	size_t n;
};

void tls_chain_cache_init(struct tls_chain_cache *cache);
void tls_chain_cache_clear(struct tls_chain_cache *cache);

/*
 * By what was presented, in its order, and by whom we dialled (or TRUST_ENTRY_ANY), which decides
 * what it is verified against. 0 or -errno.
 */
int tls_chain_key(const gnutls_datum_t *ders, size_t n, uint32_t entry,
		  uint8_t ret[static TLS_CHAIN_KEY_SIZE]) _must_check_;

/* A copy that is the caller's. 0, TLS_CHAIN_CACHE_E_MISS, or -ENOMEM. */
enum { TLS_CHAIN_CACHE_E_MISS = 1 };
int tls_chain_cache_get(struct tls_chain_cache *cache, const uint8_t key[static TLS_CHAIN_KEY_SIZE],
			struct trust_facts *ret) _must_check_;

/*
 * Keep a copy of @facts, fresh from verification, if at least one path holds; then the chain that
 * was not used for longest may have to go. Without memory nothing is kept.
 */
void tls_chain_cache_put(struct tls_chain_cache *cache,
			 const uint8_t key[static TLS_CHAIN_KEY_SIZE],
			 const struct trust_facts *facts);
