/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keys, sequence numbers and already decrypted bytes, out of GnuTLS and on to the kernel. */

#include <tls/handshake.h>

static int export_direction(struct tls_handshake *hs, enum ktls_direction direction,
			    struct traffic_keys *ret)
{
	const struct ktls_cipher_info *info = ktls_cipher_info(hs->cipher);
	gnutls_datum_t mac, iv, key;
	unsigned char seq[8];

	if (gnutls_record_get_state(hs->session, direction == KTLS_RX, &mac, &iv, &key, seq) < 0)
		return -EIO;
	if (key.size != info->key_size || key.size > sizeof(ret->key))
		return -EIO;
	memcpy(ret->key, key.data, key.size);
	for (size_t i = 0; i < sizeof(seq); i++)
		ret->seq = ret->seq << 8 | seq[i];

	if (iv.size == sizeof(ret->iv)) {
		memcpy(ret->iv, iv.data, sizeof(ret->iv));
	} else if (hs->version == KTLS_TLS12 && iv.size == 4) {
		/* RFC 5288 3: a salt, and a nonce that GnuTLS takes from the sequence number. */
		memcpy(ret->iv, iv.data, iv.size);
		memcpy(ret->iv + iv.size, seq, sizeof(seq));
	} else {
		return -EIO;
	}
	if (hs->version == KTLS_TLS13 && hs->secrets[direction].len != info->hash_size)
		return -EIO;
	if (hs->version == KTLS_TLS13)
		ret->secret = hs->secrets[direction];
	return 0;
}

static int drain(struct tls_handshake *hs, uint8_t *early, size_t *ret_len)
{
	size_t len = 0, pending;

	while ((pending = gnutls_record_check_pending(hs->session)) > 0) {
		ssize_t n;

		if (pending > TLS_EARLY_MAX - len)
			return TLS_E_REFUSED;
		n = gnutls_record_recv(hs->session, early + len, pending);
		if (n <= 0)
			return TLS_E_REFUSED;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

int tls_handshake_export(struct tls_handshake *hs, struct traffic_keys *ret_tx,
			 struct traffic_keys *ret_rx, uint8_t *early, size_t *ret_early_len)
{
	_cleanup_traffic_keys_ struct traffic_keys tx = {}, rx = {};
	int r;

	if (hs->state != TLS_STATE_DONE || !hs->kernel)
		return -EINVAL;
	if (drain(hs, early, ret_early_len) != 0)
		return tls_refuse(hs, REASON_INTERNAL, "records are left in the TLS library");
	r = export_direction(hs, KTLS_TX, &tx);
	if (r == 0)
		r = export_direction(hs, KTLS_RX, &rx);
	if (r < 0)
		return r;
	hs->state = TLS_STATE_EXPORTED;
	for (size_t i = 0; i < ARRAY_SIZE(hs->secrets); i++)
		secret_wipe(&hs->secrets[i]);
	*ret_tx = tx;
	*ret_rx = rx;
	return 0;
}
