/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * proof - what is kept of a signed structure to try keys on it later: the digest of what was
 * signed, and the signature. EdDSA signs the message itself, which is kept then.
 */

#include <gnutls/abstract.h>
#include <revocation/der.h>

#define PROOF_SIGNATURE_MAX 2048 /* bytes; RSA of 16384 bits */
#define PROOF_NONE	    UINT32_MAX

/* SEQUENCE { what is signed, AlgorithmIdentifier, BIT STRING ... }, as X.509 does it everywhere. */
struct signed_der {
	struct der message;   /* with its header */
	struct der algorithm; /* with its header */
	struct der signature;
	struct der rest; /* what follows the signature */
};

bool revocation_signed_read(struct der in, struct signed_der *ret) _must_check_;

/* Memory: owned, revocation_proof_done() frees. */
struct revocation_proof {
	uint32_t algorithm; /* PROOF_NONE: none that is accepted */
	uint8_t *message;   /* digest or message */
	size_t message_size;
	uint8_t *signature;
	size_t signature_size;
};

/* 0 or -errno; *ret_why says why the algorithm is not accepted, NULL if it is. */
int revocation_proof_read(const struct signed_der *in, struct revocation_proof *ret,
			  const char **ret_why) _must_check_;
void revocation_proof_done(struct revocation_proof *proof);

/*
 * Does @key answer for the signature? Pointers of @proof are borrowed, and it may come from another
 * process.
 */
bool revocation_proof_holds(const struct revocation_proof *proof, gnutls_pubkey_t key);
