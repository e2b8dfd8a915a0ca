/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A stapled OCSP response (RFC 6960 4.2): is it about this certificate, and who says so? */

#include <revocation/issuer.h>

#include <gnutls/crypto.h>

#define SINGLES_MAX    64 /* statements in one response */
#define RESPONDERS_MAX 8  /* certificates in one response */
#define REASON_MAX     10

enum { STAPLE_E_REFUSED = 1 };

struct staple {
	struct certificate_der leaf, issuer_der;
	struct revocation_issuer issuer;
	struct signed_der basic;
	struct der singles; /* contents of the list */
	struct trust_link link;
	struct text *why;
};

static int refuse(struct staple *s, const char *why)
{
	text_addf(s->why, "%s", why);
	return STAPLE_E_REFUSED;
}

/* ---- the response ---- */

static const char *status_text(uint8_t status)
{
	static const char *const texts[] = {
		"the responder says: successful, and gives nothing",
		"the responder says: malformed request",
		"the responder says: internal error",
		"the responder says: try later",
		"the responder says: unknown status",
		"the responder says: signature required",
		"the responder says: unauthorized",
	};

	return texts[status < ARRAY_SIZE(texts) ? status : 4];
}

static int read_outer(struct staple *s, struct der in)
{
	static const uint8_t basic_oid[] = { 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1 };
	struct der response, status, wrapped, bytes, oid, basic;

	if (!revocation_der_only(in, DER_SEQUENCE, &response) ||
	    !revocation_der_take(&response, DER_ENUMERATED, &status) || status.len != 1)
		return refuse(s, "not an OCSP response");
	if (status.p[0] != 0 || response.len == 0)
		return refuse(s, status_text(status.p[0]));
	if (!revocation_der_only(response, DER_CONSTRUCTED(0), &wrapped) ||
	    !revocation_der_only(wrapped, DER_SEQUENCE, &bytes) ||
	    !revocation_der_take(&bytes, DER_OID, &oid) ||
	    !der_equal(oid, (struct der){ basic_oid, sizeof(basic_oid) }) ||
	    !revocation_der_only(bytes, DER_OCTET_STRING, &basic) ||
	    !revocation_signed_read(basic, &s->basic))
		return refuse(s, "not a basic OCSP response");
	return 0;
}

static bool is_harmless(void *userdata _unused_, const struct der_extension *extension)
{
	return !extension->critical;
}

static int read_data(struct staple *s)
{
	struct der data, wrapped, extensions, version;
	int64_t produced_at;
	uint8_t tag;

	if (!revocation_der_only(s->basic.message, DER_SEQUENCE, &data))
		return refuse(s, "its data cannot be read");
	if (der_follows(data, DER_CONSTRUCTED(0)) &&
	    (!revocation_der_take(&data, DER_CONSTRUCTED(0), &wrapped) ||
	     !revocation_der_only(wrapped, DER_INTEGER, &version) || version.len != 1 ||
	     version.p[0] != 0))
		return refuse(s, "its version is unknown");
	/* The responder's name or key tells nothing that the signature does not. */
	if (!revocation_der_next(&data, &tag, NULL, NULL) ||
	    (tag != DER_CONSTRUCTED(1) && tag != DER_CONSTRUCTED(2)) ||
	    !revocation_der_time(&data, &produced_at) ||
	    !revocation_der_take(&data, DER_SEQUENCE, &s->singles))
		return refuse(s, "its data cannot be read");
	if (data.len == 0)
		return 0;
	if (!revocation_der_only(data, DER_CONSTRUCTED(1), &wrapped) ||
	    !revocation_der_only(wrapped, DER_SEQUENCE, &extensions) ||
	    !revocation_der_extensions(extensions, is_harmless, NULL))
		return refuse(s, "it has an extension that cannot be read or is critical");
	return 0;
}

/* ---- whose is it? ---- */

static bool hash_is(gnutls_digest_algorithm_t algorithm, struct der bytes, struct der expected)
{
	uint8_t digest[64];

	return expected.len == gnutls_hash_get_len(algorithm) &&
	       gnutls_hash_fast(algorithm, bytes.p, bytes.len, digest) >= 0 &&
	       memcmp(digest, expected.p, expected.len) == 0;
}

static bool read_key_bits(const struct certificate_der *certificate, struct der *ret)
{
	struct der info;

	return revocation_der_only(certificate->key, DER_SEQUENCE, &info) &&
	       revocation_der_take(&info, DER_SEQUENCE, NULL) && revocation_der_bits(&info, ret);
}

/* SHA-1 serves here: it names the issuer, the signature is under the whole. */
static gnutls_digest_algorithm_t read_digest(struct der algorithm)
{
	static const struct {
		gnutls_digest_algorithm_t digest;
		uint8_t len;
		uint8_t oid[9];
	} known[] = {
		{ GNUTLS_DIG_SHA1, 5, "\x2b\x0e\x03\x02\x1a" },
		{ GNUTLS_DIG_SHA256, 9, "\x60\x86\x48\x01\x65\x03\x04\x02\x01" },
		{ GNUTLS_DIG_SHA384, 9, "\x60\x86\x48\x01\x65\x03\x04\x02\x02" },
		{ GNUTLS_DIG_SHA512, 9, "\x60\x86\x48\x01\x65\x03\x04\x02\x03" },
	};
	struct der oid;

	if (!revocation_der_take(&algorithm, DER_OID, &oid))
		return GNUTLS_DIG_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (der_equal(oid, (struct der){ known[i].oid, known[i].len }))
			return known[i].digest;
	}
	return GNUTLS_DIG_UNKNOWN;
}

/* CertID: the certificate's issuer by name and key, and its serial number. */
static bool take_cert_id(const struct staple *s, struct der *in, bool *ret_ours)
{
	struct der id, algorithm, name_hash, key_hash, serial, key;
	gnutls_digest_algorithm_t digest;

	if (!revocation_der_take(in, DER_SEQUENCE, &id) ||
	    !revocation_der_take(&id, DER_SEQUENCE, &algorithm) ||
	    !revocation_der_take(&id, DER_OCTET_STRING, &name_hash) ||
	    !revocation_der_take(&id, DER_OCTET_STRING, &key_hash) ||
	    !revocation_der_take(&id, DER_INTEGER, &serial) || id.len > 0)
		return false;
	digest = read_digest(algorithm);
	*ret_ours = digest != GNUTLS_DIG_UNKNOWN && der_equal(serial, s->leaf.serial) &&
		    hash_is(digest, s->leaf.issuer, name_hash) &&
		    read_key_bits(&s->issuer_der, &key) && hash_is(digest, key, key_hash);
	return true;
}

/* ---- what does it say? ---- */

static bool take_revoked(struct der *in, struct trust_link *ret)
{
	struct der info, wrapped, reason;

	if (!revocation_der_take(in, DER_CONSTRUCTED(1), &info) ||
	    !revocation_der_time(&info, &ret->revoked_at))
		return false;
	ret->status = TRUST_STATUS_REVOKED;
	if (info.len == 0)
		return true;
	if (!revocation_der_only(info, DER_CONSTRUCTED(0), &wrapped) ||
	    !revocation_der_only(wrapped, DER_ENUMERATED, &reason) || reason.len != 1 ||
	    reason.p[0] > REASON_MAX)
		return false;
	ret->revoked_why = reason.p[0];
	return true;
}

static bool take_status(struct der *in, struct trust_link *ret)
{
	struct der value;

	if (der_follows(*in, DER_CONSTRUCTED(1)))
		return take_revoked(in, ret);
	if (der_follows(*in, DER_CONTEXT(0))) {
		ret->status = TRUST_STATUS_GOOD;
		return revocation_der_take(in, DER_CONTEXT(0), &value) && value.len == 0;
	}
	ret->status = TRUST_STATUS_UNKNOWN;
	return revocation_der_take(in, DER_CONTEXT(2), &value) && value.len == 0;
}

static bool read_single(const struct staple *s, struct der single, struct trust_link *ret,
			bool *ret_ours)
{
	struct der wrapped, extensions;

	*ret = (struct trust_link){ .ocsp = true };
	if (!take_cert_id(s, &single, ret_ours) || !take_status(&single, ret) ||
	    !revocation_der_time(&single, &ret->this_update))
		return false;
	if (der_follows(single, DER_CONSTRUCTED(0)) &&
	    (!revocation_der_take(&single, DER_CONSTRUCTED(0), &wrapped) ||
	     !revocation_der_time(&wrapped, &ret->next_update) || wrapped.len > 0))
		return false;
	return single.len == 0 || (revocation_der_only(single, DER_CONSTRUCTED(1), &wrapped) &&
				   revocation_der_only(wrapped, DER_SEQUENCE, &extensions) &&
				   revocation_der_extensions(extensions, is_harmless, NULL));
}

/* What is revoked by one statement is revoked; else the newest counts. */
static void take_link(struct trust_link *best, const struct trust_link *link)
{
	bool revoked = link->status == TRUST_STATUS_REVOKED;
	bool was_revoked = best->status == TRUST_STATUS_REVOKED;

	if (revoked != was_revoked ? revoked : !best->ocsp || link->this_update > best->this_update)
		*best = *link;
}

static int read_singles(struct staple *s)
{
	struct der list = s->singles, single;

	for (size_t n = 0; list.len > 0; n++) {
		struct trust_link link;
		bool ours;

		if (n == SINGLES_MAX)
			return refuse(s, "more than " STR(SINGLES_MAX) " statements");
		if (!revocation_der_take(&list, DER_SEQUENCE, &single) ||
		    !read_single(s, single, &link, &ours))
			return refuse(s, "a statement in it cannot be read");
		if (ours)
			take_link(&s->link, &link);
	}
	if (!s->link.ocsp)
		return refuse(s, "it is about another certificate");
	if (s->link.status == TRUST_STATUS_UNKNOWN)
		return refuse(s, "the responder does not know the certificate");
	return 0;
}

/* ---- who says so? ---- */

/*
 * A responder that the issuer itself certified for this (RFC 6960 4.2.2.2). It is valid for as long
 * as it is: whether it was revoked meanwhile is not asked.
 */
static const char *check_responder(const struct staple *s,
				   const struct revocation_issuer *responder)
{
	int64_t now = time_realtime_s();

	if (memcmp(responder->issuer_id, s->issuer.subject_id, TRUST_DIGEST_SIZE) != 0 ||
	    !revocation_proof_holds(&responder->proof, s->issuer.key))
		return "its signer was not certified by the certificate's issuer";
	if (!responder->ocsp_signing)
		return "its signer was not certified for OCSP";
	if (!responder->digital_signature || responder->unsupported)
		return "its signer's certificate does not allow that";
	if (now < responder->not_before || now > responder->not_after)
		return "its signer's certificate is not valid now";
	return NULL;
}

static int try_responder(const struct staple *s, const struct revocation_proof *proof,
			 struct der certificate, const char **why)
{
	struct revocation_issuer responder;
	int r;

	r = revocation_issuer_read(certificate, &responder);
	if (r < 0)
		return r;
	if (r > 0) {
		*why = "a certificate in it cannot be read";
		return STAPLE_E_REFUSED;
	}
	r = STAPLE_E_REFUSED;
	if (revocation_proof_holds(proof, responder.key)) {
		*why = check_responder(s, &responder);
		r = *why ? STAPLE_E_REFUSED : 0;
	}
	revocation_issuer_done(&responder);
	return r;
}

static int try_responders(struct staple *s, const struct revocation_proof *proof)
{
	const char *why = "its signature is not of the certificate's issuer";
	struct der wrapped = {}, list = {}, certificate;
	uint8_t tag;

	if (s->basic.rest.len > 0 &&
	    (!revocation_der_only(s->basic.rest, DER_CONSTRUCTED(0), &wrapped) ||
	     !revocation_der_only(wrapped, DER_SEQUENCE, &list)))
		return refuse(s, "its certificates cannot be read");
	for (size_t n = 0; list.len > 0 && n < RESPONDERS_MAX; n++) {
		int r;

		if (!revocation_der_next(&list, &tag, &certificate, NULL))
			return refuse(s, "its certificates cannot be read");
		r = try_responder(s, proof, certificate, &why);
		if (r <= 0)
			return r;
	}
	return refuse(s, why);
}

static int verify(struct staple *s)
{
	struct revocation_proof proof;
	const char *why;
	int r;

	r = revocation_proof_read(&s->basic, &proof, &why);
	if (r)
		return r;
	if (why)
		r = refuse(s, why);
	else if (!revocation_proof_holds(&proof, s->issuer.key))
		r = try_responders(s, &proof);
	revocation_proof_done(&proof);
	return r;
}

/* ---- the whole ---- */

static int check(struct staple *s, struct der response)
{
	int r;

	r = read_outer(s, response);
	if (r == 0)
		r = read_data(s);
	if (r == 0)
		r = read_singles(s);
	return r ? r : verify(s);
}

int revocation_staple_check(const void *der, size_t size, const void *leaf, size_t leaf_size,
			    const void *issuer, size_t issuer_size, struct trust_link *ret,
			    struct text *why)
{
	const struct der leaf_der = { leaf, leaf_size }, issuer_der = { issuer, issuer_size };
	struct staple s = { .why = why };
	int r;

	if (!revocation_certificate_read(leaf_der, &s.leaf) ||
	    !revocation_certificate_read(issuer_der, &s.issuer_der))
		r = refuse(&s, "the certificate it should be about cannot be read");
	else
		r = revocation_issuer_read(issuer_der, &s.issuer);
	if (r > 0 && why->len == 0)
		text_addf(why, "the issuer's certificate cannot be read");
	if (r == 0)
		r = check(&s, (struct der){ der, size });
	revocation_issuer_done(&s.issuer);
	if (r < 0)
		return r;
	*ret = r == 0 ? s.link : (struct trust_link){};
	return 0;
}
