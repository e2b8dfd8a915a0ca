/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signatures: which algorithms are accepted, and whether a key answers for one. */

#include <revocation/proof.h>

#include <gnutls/crypto.h>
#include <revocation/name.h>

/*
 * RFC 4055, 5758, 8410. Weak ones are named to be able to say so. The places are part of the
 * board's layout.
 */
static const struct algorithm {
	uint8_t len;
	uint8_t oid[9];
	gnutls_sign_algorithm_t sign;
	gnutls_digest_algorithm_t digest; /* GNUTLS_DIG_NULL: signs the message itself */
	const char *refused;
} algorithms[] = {
	{ 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", GNUTLS_SIGN_RSA_SHA256, GNUTLS_DIG_SHA256,
	  NULL },
	{ 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", GNUTLS_SIGN_RSA_SHA384, GNUTLS_DIG_SHA384,
	  NULL },
	{ 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", GNUTLS_SIGN_RSA_SHA512, GNUTLS_DIG_SHA512,
	  NULL },
	{ 8, "\x2a\x86\x48\xce\x3d\x04\x03\x02", GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_DIG_SHA256,
	  NULL },
	{ 8, "\x2a\x86\x48\xce\x3d\x04\x03\x03", GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_DIG_SHA384,
	  NULL },
	{ 8, "\x2a\x86\x48\xce\x3d\x04\x03\x04", GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_DIG_SHA512,
	  NULL },
	{ 3, "\x2b\x65\x70", GNUTLS_SIGN_EDDSA_ED25519, GNUTLS_DIG_NULL, NULL },
	{ 3, "\x2b\x65\x71", GNUTLS_SIGN_EDDSA_ED448, GNUTLS_DIG_NULL, NULL },
	/* RSASSA-PSS: its digest stands in the parameters */
	{ 0, "", GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_DIG_SHA256, NULL },
	{ 0, "", GNUTLS_SIGN_RSA_PSS_SHA384, GNUTLS_DIG_SHA384, NULL },
	{ 0, "", GNUTLS_SIGN_RSA_PSS_SHA512, GNUTLS_DIG_SHA512, NULL },
	{ 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", GNUTLS_SIGN_UNKNOWN, GNUTLS_DIG_NULL,
	  "signed with SHA-1" },
	{ 7, "\x2a\x86\x48\xce\x3d\x04\x01", GNUTLS_SIGN_UNKNOWN, GNUTLS_DIG_NULL,
	  "signed with SHA-1" },
	{ 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", GNUTLS_SIGN_UNKNOWN, GNUTLS_DIG_NULL,
	  "signed with MD5" },
	{ 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", GNUTLS_SIGN_UNKNOWN, GNUTLS_DIG_NULL,
	  "signed with MD2" },
};

/*
 * AlgorithmIdentifier of RSASSA-PSS (RFC 4055 3.1) with one digest for message and mask and a salt
 * of its length; what other parameters there could be nobody uses.
 */
#define PSS(n, salt)                                                                               \
	"\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f\x30\x0d\x06\x09"     \
	"\x60\x86\x48\x01\x65\x03\x04\x02" n "\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48"        \
	"\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n "\x05"        \
	"\x00\xa2\x03\x02\x01" salt

static const struct {
	gnutls_sign_algorithm_t sign;
	const char *identifier;
} pss[] = {
	{ GNUTLS_SIGN_RSA_PSS_SHA256, PSS("\x01", "\x20") },
	{ GNUTLS_SIGN_RSA_PSS_SHA384, PSS("\x02", "\x30") },
	{ GNUTLS_SIGN_RSA_PSS_SHA512, PSS("\x03", "\x40") },
};

#define PSS_SIZE (sizeof(PSS("\x01", "\x20")) - 1)

static gnutls_sign_algorithm_t find_pss(struct der identifier)
{
	for (size_t i = 0; i < ARRAY_SIZE(pss); i++) {
		struct der known = { (const uint8_t *)pss[i].identifier, PSS_SIZE };

		if (der_equal(identifier, known))
			return pss[i].sign;
	}
	return GNUTLS_SIGN_UNKNOWN;
}

static const struct algorithm *find(struct der identifier)
{
	gnutls_sign_algorithm_t sign = find_pss(identifier);
	struct der contents, oid = {};

	if (revocation_der_only(identifier, DER_SEQUENCE, &contents) &&
	    !revocation_der_take(&contents, DER_OID, &oid))
		oid = (struct der){};
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		const struct algorithm *a = &algorithms[i];

		if (a->len == 0 ? sign == a->sign : der_equal(oid, (struct der){ a->oid, a->len }))
			return a;
	}
	return NULL;
}

bool revocation_signed_read(struct der in, struct signed_der *ret)
{
	struct der contents;
	uint8_t tag;

	return revocation_der_only(in, DER_SEQUENCE, &contents) &&
	       revocation_der_next(&contents, &tag, &ret->message, NULL) && tag == DER_SEQUENCE &&
	       revocation_der_next(&contents, &tag, &ret->algorithm, NULL) && tag == DER_SEQUENCE &&
	       revocation_der_bits(&contents, &ret->signature) &&
	       ret->signature.len <= PROOF_SIGNATURE_MAX && (ret->rest = contents, true);
}

/* ---- proofs ---- */

void revocation_proof_done(struct revocation_proof *proof)
{
	free(proof->message);
	free(proof->signature);
	*proof = (struct revocation_proof){ .algorithm = PROOF_NONE };
}

static int keep(struct der bytes, uint8_t **ret, size_t *ret_size)
{
	*ret = malloc(bytes.len ? bytes.len : 1);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, bytes.p, bytes.len);
	*ret_size = bytes.len;
	return 0;
}

int revocation_proof_read(const struct signed_der *in, struct revocation_proof *ret,
			  const char **ret_why)
{
	const struct algorithm *algorithm = find(in->algorithm);
	struct revocation_proof proof = { .algorithm = PROOF_NONE };
	struct der message = in->message;
	uint8_t digest[64];
	int r;

	if (!algorithm || algorithm->refused) {
		*ret_why = algorithm ? algorithm->refused : "an unknown signature algorithm";
		*ret = proof;
		return 0;
	}
	if (algorithm->digest != GNUTLS_DIG_NULL) {
		if (gnutls_hash_fast(algorithm->digest, message.p, message.len, digest) < 0)
			return -EIO;
		message = (struct der){ digest, gnutls_hash_get_len(algorithm->digest) };
	}
	proof.algorithm = (uint32_t)(algorithm - algorithms);
	r = keep(message, &proof.message, &proof.message_size);
	if (r == 0)
		r = keep(in->signature, &proof.signature, &proof.signature_size);
	if (r) {
		revocation_proof_done(&proof);
		return r;
	}
	*ret = proof;
	*ret_why = NULL;
	return 0;
}

static bool is_sane(const struct revocation_proof *proof)
{
	const struct algorithm *a;

	if (proof->algorithm >= ARRAY_SIZE(algorithms) ||
	    proof->signature_size > PROOF_SIGNATURE_MAX)
		return false;
	a = &algorithms[proof->algorithm];
	return !a->refused && (a->digest == GNUTLS_DIG_NULL ||
			       proof->message_size == gnutls_hash_get_len(a->digest));
}

bool revocation_proof_holds(const struct revocation_proof *proof, gnutls_pubkey_t key)
{
	gnutls_datum_t message, signature;
	const struct algorithm *a;

	if (!is_sane(proof))
		return false;
	a = &algorithms[proof->algorithm];
	message = name_datum((struct der){ proof->message, proof->message_size });
	signature = name_datum((struct der){ proof->signature, proof->signature_size });
	if (a->digest == GNUTLS_DIG_NULL)
		return gnutls_pubkey_verify_data2(key, a->sign, 0, &message, &signature) >= 0;
	return gnutls_pubkey_verify_hash2(key, a->sign, 0, &message, &signature) >= 0;
}
