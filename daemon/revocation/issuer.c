/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading a certificate for the sake of its key. */

#include <revocation/issuer.h>

#include <gnutls/x509.h>

bool revocation_certificate_read(struct der in, struct certificate_der *ret)
{
	struct certificate_der c = {};
	struct der tbs, validity, wrapped;
	uint8_t tag;

	if (!revocation_signed_read(in, &c.whole) || c.whole.rest.len > 0 ||
	    !revocation_der_only(c.whole.message, DER_SEQUENCE, &tbs))
		return false;
	if (der_follows(tbs, DER_CONSTRUCTED(0)) &&
	    !revocation_der_take(&tbs, DER_CONSTRUCTED(0), NULL))
		return false;
	if (!revocation_der_take(&tbs, DER_INTEGER, &c.serial) ||
	    !revocation_der_take(&tbs, DER_SEQUENCE, NULL) ||
	    !revocation_der_next(&tbs, &tag, &c.issuer, NULL) || tag != DER_SEQUENCE ||
	    !revocation_der_take(&tbs, DER_SEQUENCE, &validity) ||
	    !revocation_der_time(&validity, &c.not_before) ||
	    !revocation_der_time(&validity, &c.not_after) ||
	    !revocation_der_next(&tbs, &tag, &c.subject, NULL) || tag != DER_SEQUENCE ||
	    !revocation_der_next(&tbs, &tag, &c.key, NULL) || tag != DER_SEQUENCE)
		return false;
	for (uint8_t n = 1; n <= 2; n++) { /* unique identifiers, of no use to anybody */
		if (der_follows(tbs, DER_CONTEXT(n)) &&
		    !revocation_der_take(&tbs, DER_CONTEXT(n), NULL))
			return false;
	}
	if (tbs.len > 0 && (!revocation_der_take(&tbs, DER_CONSTRUCTED(3), &wrapped) ||
			    !revocation_der_only(wrapped, DER_SEQUENCE, &c.extensions)))
		return false;
	*ret = c;
	return tbs.len == 0;
}

/* ---- extensions ---- */

static bool read_key_usage(struct der value, struct revocation_issuer *ret)
{
	struct der bits;

	/* The last byte may be short, so not revocation_der_bits(). */
	if (!revocation_der_only(value, DER_BIT_STRING, &bits) || bits.len < 1)
		return false;
	ret->digital_signature = bits.len > 1 && (bits.p[1] & 0x80);
	ret->crl_sign = bits.len > 1 && (bits.p[1] & 0x02);
	ret->is_ca |= bits.len > 1 && (bits.p[1] & 0x04); /* keyCertSign */
	return true;
}

static bool read_basic_constraints(struct der value, struct revocation_issuer *ret)
{
	struct der constraints;
	bool ca = false;

	if (!revocation_der_only(value, DER_SEQUENCE, &constraints) ||
	    (der_follows(constraints, DER_BOOLEAN) && !revocation_der_boolean(&constraints, &ca)))
		return false;
	ret->is_ca |= ca;
	return true;
}

static bool read_purposes(struct der value, struct revocation_issuer *ret)
{
	static const uint8_t ocsp_signing[] = { 0x2b, 6, 1, 5, 5, 7, 3, 9 };
	const struct der wanted = { ocsp_signing, sizeof(ocsp_signing) };
	struct der list, oid;

	if (!revocation_der_only(value, DER_SEQUENCE, &list))
		return false;
	while (list.len > 0) {
		if (!revocation_der_take(&list, DER_OID, &oid))
			return false;
		ret->ocsp_signing |= der_equal(oid, wanted);
	}
	return true;
}

/*
 * As the tls module reads them into trust_certificate: full names only, not of points for some
 * reasons or with another issuer's lists. More than fit are left out, and match nothing.
 */
static bool read_points(struct der value, struct revocation_issuer *ret)
{
	struct der list, point, name, full;
	size_t n = ret->n_scopes;

	if (!revocation_der_only(value, DER_SEQUENCE, &list))
		return false;
	while (list.len > 0) {
		if (!revocation_der_take(&list, DER_SEQUENCE, &point))
			return false;
		if (!revocation_der_take(&point, DER_CONSTRUCTED(0), &name) || point.len > 0 ||
		    !revocation_der_only(name, DER_CONSTRUCTED(0), &full))
			continue;
		if (revocation_name_scopes(full, ret->scopes, TRUST_SCOPES_MAX, &n))
			break;
	}
	ret->n_scopes = (uint32_t)n;
	return true;
}

static const struct {
	int id;
	bool (*read)(struct der value, struct revocation_issuer *ret); /* NULL: of no account */
} known[] = {
	{ 14, NULL }, /* subjectKeyIdentifier */
	{ 15, read_key_usage },
	{ 17, NULL }, /* subjectAltName */
	{ 18, NULL }, /* issuerAltName */
	{ 19, read_basic_constraints },
	{ 30, NULL }, /* nameConstraints */
	{ 31, read_points },
	{ 32, NULL }, /* certificatePolicies */
	{ 33, NULL }, /* policyMappings */
	{ 35, NULL }, /* authorityKeyIdentifier */
	{ 36, NULL }, /* policyConstraints */
	{ 37, read_purposes },
	{ 54, NULL }, /* inhibitAnyPolicy */
};

static bool on_extension(void *userdata, const struct der_extension *extension)
{
	struct revocation_issuer *ret = userdata;
	int id = revocation_der_id_ce(extension->oid);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].id == id)
			return !known[i].read || known[i].read(extension->value, ret);
	}
	ret->unsupported |= extension->critical;
	return true;
}

/* ---- the whole ---- */

/*
 * A public exponent (RFC 8017 3.1) of more than eight bytes serves nobody but who makes others
 * compute, or looks for a second key that verifies a given signature.
 */
#define EXPONENT_SIZE_MAX 8

static bool key_is_unusual(gnutls_pubkey_t key)
{
	int algorithm = gnutls_pubkey_get_pk_algorithm(key, NULL);
	gnutls_datum_t modulus = {}, exponent = {};
	bool unusual = true;
	size_t skip = 0;

	if (algorithm != GNUTLS_PK_RSA && algorithm != GNUTLS_PK_RSA_PSS)
		return false;
	if (gnutls_pubkey_export_rsa_raw(key, &modulus, &exponent) < 0)
		return true;
	while (skip < exponent.size && exponent.data[skip] == 0)
		skip++;
	if (exponent.size > skip && exponent.size - skip <= EXPONENT_SIZE_MAX)
		unusual = !(exponent.data[exponent.size - 1] & 1) ||
			  (exponent.size - skip == 1 && exponent.data[skip] == 1);
	gnutls_free(modulus.data);
	gnutls_free(exponent.data);
	return unusual;
}

static int read_key(struct der key, gnutls_pubkey_t *ret)
{
	gnutls_datum_t der = name_datum(key);
	gnutls_pubkey_t pubkey;

	if (gnutls_pubkey_init(&pubkey) < 0)
		return -ENOMEM;
	if (gnutls_pubkey_import(pubkey, &der, GNUTLS_X509_FMT_DER) < 0) {
		gnutls_pubkey_deinit(pubkey);
		return REVOCATION_E_MALFORMED;
	}
	if (key_is_unusual(pubkey)) {
		gnutls_pubkey_deinit(pubkey);
		return REVOCATION_E_MALFORMED;
	}
	*ret = pubkey;
	return 0;
}

static int read_names(const struct certificate_der *c, struct revocation_issuer *ret)
{
	struct der subject, issuer;
	int r;

	if (!revocation_der_only(c->subject, DER_SEQUENCE, &subject) ||
	    !revocation_der_only(c->issuer, DER_SEQUENCE, &issuer))
		return REVOCATION_E_MALFORMED;
	r = revocation_name_id(subject, ret->subject_id);
	if (r == 0)
		r = revocation_name_id(issuer, ret->issuer_id);
	if (r == 0)
		r = revocation_name_digest(c->serial, ret->serial_id);
	if (r == 0)
		r = revocation_name_issuer(c->subject, c->key, ret->id);
	return r;
}

int revocation_issuer_id(struct der certificate, uint8_t ret[static TRUST_ID_SIZE])
{
	struct certificate_der c;

	if (!revocation_certificate_read(certificate, &c))
		return REVOCATION_E_MALFORMED;
	return revocation_name_issuer(c.subject, c.key, ret);
}

int revocation_issuer_read(struct der certificate, struct revocation_issuer *ret)
{
	struct revocation_issuer issuer = { .crl_sign = true, .digital_signature = true };
	struct certificate_der c;
	const char *why;
	int r;

	if (!revocation_certificate_read(certificate, &c))
		return REVOCATION_E_MALFORMED;
	issuer.not_before = c.not_before;
	issuer.not_after = c.not_after;
	if (!revocation_der_extensions(c.extensions, on_extension, &issuer))
		return REVOCATION_E_MALFORMED;
	r = read_names(&c, &issuer);
	if (r == 0)
		r = read_key(c.key, &issuer.key);
	if (r)
		return r;
	r = revocation_proof_read(&c.whole, &issuer.proof, &why);
	if (r) {
		revocation_issuer_done(&issuer);
		return r;
	}
	*ret = issuer;
	return 0;
}

void revocation_issuer_done(struct revocation_issuer *issuer)
{
	if (issuer->key)
		gnutls_pubkey_deinit(issuer->key);
	revocation_proof_done(&issuer->proof);
	*issuer = (struct revocation_issuer){};
}
