/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* issuer - a certificate as the signer of CRLs and OCSP responses: its key, and what limits it. */

#include <gnutls/abstract.h>
#include <revocation/name.h>
#include <revocation/proof.h>

/* Memory: owned, revocation_issuer_done() frees. */
struct revocation_issuer {
	uint8_t id[TRUST_ID_SIZE];
	uint8_t subject_id[TRUST_DIGEST_SIZE]; /* revocation_name_id() */
	uint8_t issuer_id[TRUST_DIGEST_SIZE];
	gnutls_pubkey_t key;
	struct revocation_proof proof; /* of the signature on it */
	bool crl_sign;		       /* by its keyUsage; so also without that extension */
	bool digital_signature;
	bool ocsp_signing; /* extended key usage id-kp-OCSPSigning is there */
	bool is_ca;
	bool unsupported; /* a critical extension that is not known here */
	uint8_t serial_id[TRUST_DIGEST_SIZE];
	uint8_t scopes[TRUST_SCOPES_MAX][TRUST_DIGEST_SIZE];
	uint32_t n_scopes;
	int64_t not_before, not_after;
};

/* 0, REVOCATION_E_MALFORMED or -errno. */
int revocation_issuer_read(struct der certificate, struct revocation_issuer *ret) _must_check_;
/* Only what revocation_issuer.id is. */
int revocation_issuer_id(struct der certificate, uint8_t ret[static TRUST_ID_SIZE]) _must_check_;
void revocation_issuer_done(struct revocation_issuer *issuer);

/* The parts of a certificate that are read here (RFC 5280 4.1). */
struct certificate_der {
	struct signed_der whole;
	struct der serial;
	struct der issuer, subject; /* with their headers */
	struct der key;		    /* SubjectPublicKeyInfo, with its header */
	struct der extensions;	    /* contents of the list; empty if there is none */
	int64_t not_before, not_after;
};

bool revocation_certificate_read(struct der in, struct certificate_der *ret) _must_check_;
