/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One row per cipher. The kernel's structures hold the same four fields in places of their own; the
 * row tells where, so that one function packs them all.
 *
 * The 12-byte nonce of AES-GCM is split there into 4 bytes of salt and 8 of iv. TLS 1.3 fills both
 * from the derived iv; in TLS 1.2 the 8 bytes are the explicit nonce and have to continue from the
 * sequence number, which the TLS library used as nonce so far (a repeated nonce breaks GCM).
 * CHACHA20-POLY1305 has no salt: all 12 bytes are iv (RFC 7905 2).
 */

#include "ktls.h"

struct cipher_row {
	struct ktls_cipher_info info;
	uint8_t salt_size, iv_size;
	size_t size, key, salt, iv, seq; /* of the kernel's structure, and offsets into it */
};

#define ROW(type)                                                                                  \
	.size = sizeof(struct type), .key = offsetof(struct type, key),                            \
	.iv = offsetof(struct type, iv), .seq = offsetof(struct type, rec_seq),                    \
	.salt = offsetof(struct type, salt)

static const struct cipher_row rows[_KTLS_CIPHER_MAX] = {
	[KTLS_AES_128_GCM] = { { "AES-128-GCM", "TLS_AES_128_GCM_SHA256", TLS_CIPHER_AES_GCM_128,
				 16, 32 },
			       .salt_size = 4,
			       .iv_size = 8,
			       ROW(tls12_crypto_info_aes_gcm_128) },
	[KTLS_AES_256_GCM] = { { "AES-256-GCM", "TLS_AES_256_GCM_SHA384", TLS_CIPHER_AES_GCM_256,
				 32, 48 },
			       .salt_size = 4,
			       .iv_size = 8,
			       ROW(tls12_crypto_info_aes_gcm_256) },
	[KTLS_CHACHA20_POLY1305] = { { "CHACHA20-POLY1305", "TLS_CHACHA20_POLY1305_SHA256",
				       TLS_CIPHER_CHACHA20_POLY1305, 32, 32 },
				     .salt_size = 0,
				     .iv_size = 12,
				     ROW(tls12_crypto_info_chacha20_poly1305) },
};

const struct ktls_cipher_info *ktls_cipher_info(enum ktls_cipher cipher)
{
	return &rows[cipher].info;
}

const char *ktls_version_name(enum ktls_version version)
{
	static const char *const names[_KTLS_VERSION_MAX] = {
		[KTLS_TLS12] = "TLS 1.2", [KTLS_TLS13] = "TLS 1.3"
	};

	return names[version];
}

static void seq_store(uint64_t seq, uint8_t *ret)
{
	for (int i = 0; i < 8; i++)
		ret[i] = (uint8_t)(seq >> (56 - 8 * i));
}

unsigned int ktls_crypto_info_pack(enum ktls_version version, enum ktls_cipher cipher,
				   const struct traffic_keys *keys, union ktls_crypto_info *ret)
{
	const struct cipher_row *row = &rows[cipher];
	uint8_t *bytes = (uint8_t *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->header.version = version == KTLS_TLS13 ? TLS_1_3_VERSION : TLS_1_2_VERSION;
	ret->header.cipher_type = row->info.kernel_id;
	memcpy(bytes + row->key, keys->key, row->info.key_size);
	memcpy(bytes + row->salt, keys->iv, row->salt_size);
	memcpy(bytes + row->iv, keys->iv + row->salt_size, row->iv_size);
	seq_store(keys->seq, bytes + row->seq);
	return ktls_crypto_info_size(cipher);
}

unsigned int ktls_crypto_info_size(enum ktls_cipher cipher)
{
	return (unsigned int)rows[cipher].size;
}

uint64_t ktls_crypto_info_seq(enum ktls_cipher cipher, const union ktls_crypto_info *info)
{
	const uint8_t *bytes = (const uint8_t *)info + rows[cipher].seq;
	uint64_t seq = 0;

	for (int i = 0; i < 8; i++)
		seq = seq << 8 | bytes[i];
	return seq;
}
