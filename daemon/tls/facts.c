/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the DER of a chain to the facts that trust judges. */

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <siptls/tls.h>
#include <stdio.h>
#include <tls/der.h>
#include <tls/facts.h>

void tls_chain_done(struct tls_chain *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		gnutls_x509_crt_deinit(chain->crts[i]);
	*chain = (struct tls_chain){};
}

void tls_certificate_done(struct trust_certificate *certificate)
{
	free(certificate->subject);
	free(certificate->issuer);
	free(certificate->serial);
	for (size_t i = 0; i < certificate->n_crl_urls; i++)
		free(certificate->crl_urls[i]);
	*certificate = (struct trust_certificate){};
}

/* For people: cut when long, and never a reason to refuse (trust judges the names, not this). */
static char *read_dn(gnutls_x509_crt_t crt,
		     int (*get)(gnutls_x509_crt_t, gnutls_datum_t *, unsigned))
{
	gnutls_datum_t text = {};
	char *copy;

	switch (get(crt, &text, 0)) {
	case 0:
		copy = strndup((const char *)text.data,
			       text.size < TLS_DN_TEXT_MAX ? text.size : TLS_DN_TEXT_MAX);
		break;
	case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
		copy = strdup("");
		break;
	default:
		copy = strdup("(unprintable)");
		break;
	}
	gnutls_free(text.data);
	return copy;
}

/* As OpenSSL prints it: upper case, sign and magnitude, no leading zero bytes, zero is "00". */
static char *serial_format(uint8_t *bytes, size_t len)
{
	bool negative = len > 0 && (bytes[0] & 0x80);
	char hex[2 * TLS_SERIAL_MAX + 1], *ret;

	if (negative) { /* two's complement to magnitude */
		unsigned int carry = 1;

		for (size_t i = len; i-- > 0;) {
			carry += (uint8_t)~bytes[i];
			bytes[i] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	while (len > 1 && bytes[0] == 0)
		bytes++, len--;
	hex_format(bytes, len, hex);
	for (char *p = hex; *p; p++) {
		if (*p >= 'a')
			*p = (char)(*p - 'a' + 'A');
	}
	return asprintf(&ret, "%s%s", negative ? "-" : "", hex) < 0 ? NULL : ret;
}

static int read_texts(gnutls_x509_crt_t crt, struct trust_certificate *ret, struct text *why)
{
	uint8_t serial[TLS_SERIAL_MAX];
	size_t size = sizeof(serial);
	int r;

	r = gnutls_x509_crt_get_serial(crt, serial, &size);
	if (r == GNUTLS_E_SHORT_MEMORY_BUFFER) {
		text_addf(why, "a serial number of more than " STR(TLS_SERIAL_MAX) " bytes");
		return TLS_FACTS_E_TOO_LARGE;
	}
	if (r < 0) {
		text_addf(why, "its serial number cannot be read");
		return TLS_FACTS_E_MALFORMED;
	}
	ret->serial = serial_format(serial, size);
	ret->subject = read_dn(crt, gnutls_x509_crt_get_dn3);
	ret->issuer = read_dn(crt, gnutls_x509_crt_get_issuer_dn3);
	return ret->serial && ret->subject && ret->issuer ? 0 : -ENOMEM;
}

static enum trust_key key_kind(int algorithm)
{
	switch (algorithm) {
	case GNUTLS_PK_RSA:
	case GNUTLS_PK_RSA_PSS:
		return TRUST_KEY_RSA;
	case GNUTLS_PK_ECDSA:
		return TRUST_KEY_EC;
	case GNUTLS_PK_EDDSA_ED25519:
	case GNUTLS_PK_EDDSA_ED448:
		return TRUST_KEY_EDDSA;
	default:
		return TRUST_KEY_OTHER;
	}
}

/*
 * An even public exponent, 1, or one of more than eight bytes makes a key that no rule has use for:
 * the last lets strangers make us compute, and find a second key that verifies a given signature.
 */
static bool exponent_is_usual(gnutls_x509_crt_t crt)
{
	gnutls_datum_t modulus = {}, exponent = {};
	gnutls_pubkey_t key;
	bool usual = false;
	size_t skip = 0, n;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	if (gnutls_pubkey_import_x509(key, crt, 0) >= 0 &&
	    gnutls_pubkey_export_rsa_raw(key, &modulus, &exponent) >= 0) {
		while (skip < exponent.size && exponent.data[skip] == 0)
			skip++;
		n = exponent.size - skip;
		usual = n > 0 && n <= sizeof(uint64_t) && (exponent.data[exponent.size - 1] & 1) &&
			!(n == 1 && exponent.data[skip] == 1);
	}
	gnutls_free(modulus.data);
	gnutls_free(exponent.data);
	gnutls_pubkey_deinit(key);
	return usual;
}

static enum trust_hash signature_strength(int algorithm)
{
	if (algorithm == GNUTLS_SIGN_EDDSA_ED25519 || algorithm == GNUTLS_SIGN_EDDSA_ED448)
		return TRUST_HASH_STRONG;
	if (algorithm < 0)
		return TRUST_HASH_WEAK;
	switch ((int)gnutls_sign_get_hash_algorithm((gnutls_sign_algorithm_t)algorithm)) {
	case GNUTLS_DIG_SHA256:
	case GNUTLS_DIG_SHA384:
	case GNUTLS_DIG_SHA512:
	case GNUTLS_DIG_SHA3_256:
	case GNUTLS_DIG_SHA3_384:
	case GNUTLS_DIG_SHA3_512:
		return TRUST_HASH_STRONG;
	default:
		return TRUST_HASH_WEAK;
	}
}

static void read_strength(gnutls_x509_crt_t crt, struct trust_certificate *ret)
{
	unsigned int bits = 0;

	ret->key = key_kind(gnutls_x509_crt_get_pk_algorithm(crt, &bits));
	if (ret->key == TRUST_KEY_RSA && !exponent_is_usual(crt))
		ret->key = TRUST_KEY_OTHER;
	ret->key_bits = bits < UINT16_MAX ? (uint16_t)bits : UINT16_MAX;
	ret->hash = signature_strength(gnutls_x509_crt_get_signature_algorithm(crt));
}

static bool read_validity(gnutls_x509_crt_t crt, struct trust_certificate *ret)
{
	time_t begin = gnutls_x509_crt_get_activation_time(crt);
	time_t end = gnutls_x509_crt_get_expiration_time(crt);

	if (begin == (time_t)-1 || end == (time_t)-1)
		return false;
	ret->not_before = begin;
	ret->not_after = end == GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION ? INT64_MAX : end;
	return true;
}

static bool read_ca(gnutls_x509_crt_t crt, struct trust_certificate *ret)
{
	unsigned int ca = 0, usage = 0;
	int r, path_length;

	r = gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, &path_length);
	if (r < 0 && r != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return false;
	r = gnutls_x509_crt_get_key_usage(crt, &usage, NULL);
	if (r < 0 && r != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return false;
	ret->is_ca = ca || (usage & GNUTLS_KEY_KEY_CERT_SIGN);
	return true;
}

static int read_fields(gnutls_x509_crt_t crt, struct trust_certificate *ret, struct text *why)
{
	size_t size = sizeof(ret->fingerprint);
	int version = gnutls_x509_crt_get_version(crt);

	if (gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, ret->fingerprint, &size) < 0)
		return -EIO;
	if (version < 1 || version > 3)
		text_addf(why, "its version cannot be read");
	else if (!read_validity(crt, ret))
		text_addf(why, "its validity cannot be read");
	else if (!read_ca(crt, ret))
		text_addf(why, "its basic constraints or key usage cannot be read");
	else {
		ret->version = (uint8_t)version;
		read_strength(crt, ret);
		return 0;
	}
	return TLS_FACTS_E_MALFORMED;
}

/* SHA-256 over two pieces in a row. */
static int digest_pair(struct tls_slice a, struct tls_slice b, uint8_t ret[static 32])
{
	gnutls_hash_hd_t hash;
	int r;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
		return -ENOMEM;
	r = gnutls_hash(hash, a.p, a.len);
	if (r >= 0)
		r = gnutls_hash(hash, b.p, b.len);
	gnutls_hash_deinit(hash, ret);
	return r < 0 ? -EIO : 0;
}

static int read_ids(gnutls_x509_crt_t crt, struct trust_certificate *ret, struct text *why)
{
	struct tls_der_certificate parts;
	uint8_t digest[32];
	gnutls_datum_t der;
	int r;

	if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) < 0)
		return -ENOMEM;
	if (!tls_der_certificate_read((struct tls_slice){ der.data, der.size }, &parts)) {
		text_addf(why, "its parts are not where RFC 5280 has them");
		r = TLS_FACTS_E_MALFORMED;
	} else if (gnutls_hash_fast(GNUTLS_DIG_SHA256, parts.serial.p, parts.serial.len, digest) <
		   0) {
		r = -EIO;
	} else {
		memcpy(ret->serial_id, digest, sizeof(ret->serial_id));
		r = digest_pair(parts.subject, parts.public_key, ret->id);
	}
	gnutls_free(der.data);
	return r;
}

int tls_certificate_read(gnutls_x509_crt_t crt, struct trust_certificate *ret, struct text *why)
{
	struct trust_certificate certificate = {};
	int r;

	r = read_fields(crt, &certificate, why);
	if (r == 0)
		r = read_ids(crt, &certificate, why);
	if (r == 0)
		r = tls_extensions_read(crt, &certificate, why);
	if (r == 0)
		r = tls_distribution_read(crt, &certificate);
	if (r == 0)
		r = read_texts(crt, &certificate, why);
	if (r == 0)
		*ret = certificate;
	else
		tls_certificate_done(&certificate);
	return r;
}

static int read_one(const gnutls_datum_t *der, struct trust_certificate *ret,
		    gnutls_x509_crt_t *ret_crt, struct text *why)
{
	gnutls_x509_crt_t crt;
	int r;

	if (gnutls_x509_crt_init(&crt) < 0)
		return -ENOMEM;
	r = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
	if (r == GNUTLS_E_MEMORY_ERROR) {
		r = -ENOMEM;
	} else if (r < 0) {
		text_addf(why, "%s", gnutls_strerror(r));
		r = TLS_FACTS_E_MALFORMED;
	} else {
		r = tls_certificate_read(crt, ret, why);
	}
	if (r == 0)
		*ret_crt = crt;
	else
		gnutls_x509_crt_deinit(crt);
	return r;
}

/* Facts of it there are none: the fingerprint lets the operator find the certificate. */
static void tell_fingerprint(const gnutls_datum_t *der, struct text *why)
{
	uint8_t digest[32];
	char hex[2 * sizeof(digest) + 1];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, der->data, der->size, digest) < 0)
		return;
	hex_format(digest, sizeof(digest), hex);
	text_addf(why, "; SHA-256 fingerprint %s", hex);
}

static int read_all(const gnutls_datum_t *ders, size_t n, struct trust_facts *facts,
		    struct tls_chain *chain, struct text *why)
{
	int r;

	if (n > TRUST_CHAIN_MAX) {
		text_addf(why, "%zu certificates, at most " STR(TRUST_CHAIN_MAX) " are taken", n);
		return TLS_FACTS_E_TOO_LARGE;
	}
	if (n == 0)
		return 0;
	facts->certs = calloc(n, sizeof(*facts->certs));
	if (!facts->certs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		text_addf(why, "certificate %zu of %zu: ", i + 1, n);
		r = read_one(&ders[i], &facts->certs[i], &chain->crts[i], why);
		if (r == 0)
			facts->n_certs = chain->n = i + 1;
		if (r == 0 && i == 0)
			r = tls_names_read(chain->crts[0], facts, why);
		if (r > 0)
			tell_fingerprint(&ders[i], why);
		if (r != 0)
			return r;
		why->buf[why->len = 0] = '\0';
	}
	return 0;
}

int tls_facts_read(const gnutls_datum_t *ders, size_t n, struct trust_facts *ret,
		   struct tls_chain *ret_chain, struct text *why)
{
	struct trust_facts facts = {};
	struct tls_chain chain = {};
	int r;

	r = read_all(ders, n, &facts, &chain, why);
	if (r == 0) {
		*ret = facts;
		*ret_chain = chain;
	} else {
		trust_facts_done(&facts);
		tls_chain_done(&chain);
	}
	return r;
}
