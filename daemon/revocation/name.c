/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names as digests, and as text for people. */

#include <revocation/name.h>

#include <gnutls/crypto.h>

#define DIGEST_FULL 32
#define AVAS_MAX    16 /* attributes in one relative name */

int revocation_name_digest(struct der bytes, uint8_t ret[static TRUST_DIGEST_SIZE])
{
	uint8_t digest[DIGEST_FULL];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes.p, bytes.len, digest) < 0)
		return -EIO;
	memcpy(ret, digest, TRUST_DIGEST_SIZE);
	return 0;
}

int revocation_name_issuer(struct der subject, struct der key, uint8_t ret[static TRUST_ID_SIZE])
{
	gnutls_hash_hd_t hash;
	int r;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
		return -ENOMEM;
	r = gnutls_hash(hash, subject.p, subject.len);
	if (r >= 0)
		r = gnutls_hash(hash, key.p, key.len);
	gnutls_hash_deinit(hash, ret);
	return r < 0 ? -EIO : 0;
}

/* ---- equal names ---- */

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* RFC 4518 2.6.1 for what can stand in a name: one space for many, none at either end. */
static size_t fold(struct der value, uint8_t *ret)
{
	bool pending = false;
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.p[i];

		if (is_space(c)) {
			pending = n > 0;
			continue;
		}
		if (pending)
			ret[n++] = ' ';
		pending = false;
		ret[n++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
	}
	return n;
}

static int attribute_digest(struct der attribute, uint8_t ret[static DIGEST_FULL])
{
	uint8_t buf[2 + UINT8_MAX + NAME_VALUE_MAX], tag;
	struct der oid, value;
	size_t n = 0;

	if (!revocation_der_take(&attribute, DER_OID, &oid) || oid.len > UINT8_MAX ||
	    !revocation_der_next(&attribute, &tag, NULL, &value) || value.len > NAME_VALUE_MAX ||
	    attribute.len > 0)
		return REVOCATION_E_MALFORMED;
	if (tag == DER_PRINTABLE_STRING || tag == DER_IA5_STRING)
		tag = DER_UTF8_STRING;
	buf[n++] = tag;
	buf[n++] = (uint8_t)oid.len;
	memcpy(buf + n, oid.p, oid.len);
	n += oid.len;
	if (tag == DER_UTF8_STRING) {
		n += fold(value, buf + n);
	} else {
		memcpy(buf + n, value.p, value.len);
		n += value.len;
	}
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, buf, n, ret) < 0 ? -EIO : 0;
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_FULL);
}

/* A relative name is a set: the order of its attributes is that of their encoding, not of a name.
 */
static int relative_digest(struct der set, uint8_t ret[static DIGEST_FULL])
{
	uint8_t digests[AVAS_MAX][DIGEST_FULL];
	struct der attribute;
	size_t n = 0;
	int r;

	while (set.len > 0) {
		if (n == AVAS_MAX || !revocation_der_take(&set, DER_SEQUENCE, &attribute))
			return REVOCATION_E_MALFORMED;
		r = attribute_digest(attribute, digests[n++]);
		if (r)
			return r;
	}
	if (n == 0)
		return REVOCATION_E_MALFORMED;
	qsort(digests, n, DIGEST_FULL, compare_digests);
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, digests, n * DIGEST_FULL, ret) < 0 ? -EIO : 0;
}

int revocation_name_id(struct der name, uint8_t ret[static TRUST_DIGEST_SIZE])
{
	uint8_t digests[NAME_RDNS_MAX][DIGEST_FULL];
	struct der set;
	size_t n = 0;
	int r;

	while (name.len > 0) {
		if (n == NAME_RDNS_MAX || !revocation_der_take(&name, DER_SET, &set))
			return REVOCATION_E_MALFORMED;
		r = relative_digest(set, digests[n++]);
		if (r)
			return r;
	}
	return revocation_name_digest((struct der){ digests[0], n * DIGEST_FULL }, ret);
}

/* ---- for people ---- */

char *revocation_name_text(struct der name)
{
	gnutls_datum_t der = name_datum(name), text = {};
	char *copy;

	if (gnutls_x509_rdn_get2(&der, &text, 0) < 0)
		return strdup("(unprintable)");
	copy = strndup((const char *)text.data,
		       text.size < NAME_TEXT_MAX ? text.size : NAME_TEXT_MAX);
	gnutls_free(text.data);
	return copy;
}

/* ---- distribution points ---- */

int revocation_name_scopes(struct der names, uint8_t (*digests)[TRUST_DIGEST_SIZE], size_t max,
			   size_t *n)
{
	struct der name;
	int r;

	if (names.len == 0)
		return REVOCATION_E_MALFORMED;
	while (names.len > 0) {
		if (*n == max || !revocation_der_next(&names, NULL, &name, NULL))
			return REVOCATION_E_MALFORMED;
		r = revocation_name_digest(name, digests[(*n)++]);
		if (r)
			return r;
	}
	return 0;
}
