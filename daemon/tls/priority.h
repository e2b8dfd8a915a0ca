/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * priority - which versions, ciphers, groups and signatures a handshake offers.
 */

#include <gnutls/gnutls.h>
#include <siptls/tls.h>

#define TLS_VERSION_BIT(v) (1u << (v))
#define TLS_CIPHER_BIT(c)  (1u << (c))
#define TLS_VERSIONS_ALL   (TLS_VERSION_BIT(_KTLS_VERSION_MAX) - 1)
#define TLS_CIPHERS_ALL	   (TLS_CIPHER_BIT(_KTLS_CIPHER_MAX) - 1)

/* What one handshake offers. */
struct tls_suites {
	uint8_t versions;  /* TLS_VERSION_BIT() */
	uint8_t ciphers;   /* TLS_CIPHER_BIT(); 0: nothing is left to offer */
	uint8_t preferred; /* of @ciphers: those the kernel takes come first */
};

struct tls_suites tls_suites_choose(const struct tls_job *job);

/* 0, TLS_PRIORITY_E_EMPTY if this system's crypto policy leaves nothing, or -errno. */
enum { TLS_PRIORITY_E_EMPTY = 1 };
int tls_priority_new(struct tls_suites suites, gnutls_priority_t *ret) _must_check_;

/* false: not one of ours. */
bool tls_cipher_from_gnutls(gnutls_cipher_algorithm_t cipher, enum ktls_cipher *ret);
bool tls_version_from_gnutls(gnutls_protocol_t version, enum ktls_version *ret);
