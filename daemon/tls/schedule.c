/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The TLS 1.3 key schedule from one traffic secret to the next (RFC 8446 7.1 to 7.3). */

#include <gnutls/crypto.h>
#include <siptls/tls.h>
#include <tls/facts.h>

#define LABEL_PREFIX   "tls13 "
#define LABEL_MAX      12 /* "traffic upd" */
#define HKDF_LABEL_MAX (2 + 1 + sizeof(LABEL_PREFIX) - 1 + LABEL_MAX + 1)

/* HKDF-Expand-Label(secret, label, "", size). */
static int expand_label(const struct secret *secret, const char *label, void *ret, size_t size)
{
	char info[HKDF_LABEL_MAX];
	struct text text = TEXT_INIT(info);
	gnutls_datum_t key = tls_datum(secret->bytes, secret->len), encoded;
	gnutls_mac_algorithm_t mac = secret->len == 48 ? GNUTLS_MAC_SHA384 : GNUTLS_MAC_SHA256;
	size_t label_len = strlen(label);

	if (label_len > LABEL_MAX)
		return -EINVAL;
	/* struct HkdfLabel: uint16 length, opaque label<7..255>, opaque context<0..255> (empty) */
	info[0] = 0;
	info[1] = (char)size;
	info[2] = (char)(strlen(LABEL_PREFIX) + label_len);
	text.len = 3;
	text_addf(&text, LABEL_PREFIX "%s", label);
	encoded = tls_datum(info, text.len + 1); /* the terminator is the empty context's length */
	return gnutls_hkdf_expand(mac, &key, &encoded, ret, size) < 0 ? -EIO : 0;
}

int tls_keys_update(enum ktls_cipher cipher, struct traffic_keys *keys)
{
	const struct ktls_cipher_info *info = ktls_cipher_info(cipher);
	_cleanup_traffic_keys_ struct traffic_keys next = {};
	int r;

	if (keys->secret.len != info->hash_size)
		return -EINVAL; /* TLS 1.2 has no key update */
	next.secret.len = info->hash_size;
	r = expand_label(&keys->secret, "traffic upd", next.secret.bytes, next.secret.len);
	if (r == 0)
		r = expand_label(&next.secret, "key", next.key, info->key_size);
	if (r == 0)
		r = expand_label(&next.secret, "iv", next.iv, sizeof(next.iv));
	if (r == 0)
		*keys = next;
	return r;
}
