/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of ktls share: the kernel's numbers where older headers lack them, the seam, and
 * the packing of keys into the kernel's structures. Private to ktls.
 */

#include <siptls/ktls.h>

#include <linux/tls.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif

/* The kernel's key structure of any cipher we take, header first (struct tls_crypto_info). */
union ktls_crypto_info {
	struct tls_crypto_info header;
	struct tls12_crypto_info_aes_gcm_128 aes_gcm_128;
	struct tls12_crypto_info_aes_gcm_256 aes_gcm_256;
	struct tls12_crypto_info_chacha20_poly1305 chacha20_poly1305;
};

static inline void ktls_crypto_info_wipe(union ktls_crypto_info *info)
{
	memory_wipe(info, sizeof(*info));
}

#define _cleanup_crypto_info_ _cleanup_(ktls_crypto_info_wipe)

/* Returns the size the kernel expects for this cipher. */
unsigned int ktls_crypto_info_pack(enum ktls_version version, enum ktls_cipher cipher,
				   const struct traffic_keys *keys, union ktls_crypto_info *ret);
unsigned int ktls_crypto_info_size(enum ktls_cipher cipher);
/* Number of the next record in a structure the kernel filled. */
uint64_t ktls_crypto_info_seq(enum ktls_cipher cipher, const union ktls_crypto_info *info);

const struct ktls_kernel *ktls_kernel(void);

/* TLS_TX or TLS_RX. */
int ktls_direction_option(enum ktls_direction direction);
