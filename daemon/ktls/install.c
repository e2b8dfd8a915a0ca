/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ULP and the keys: into the kernel, read back, changed. */

#include "ktls.h"

static int real_setsockopt(int fd, int level, int name, const void *value, unsigned int len)
{
	return setsockopt(fd, level, name, value, len);
}

static int real_getsockopt(int fd, int level, int name, void *value, unsigned int *len)
{
	return getsockopt(fd, level, name, value, len);
}

static const struct ktls_kernel real_kernel = { real_setsockopt, real_getsockopt };
static const struct ktls_kernel *replaced_kernel;

void ktls_kernel_replace(const struct ktls_kernel *kernel)
{
	replaced_kernel = kernel;
}

const struct ktls_kernel *ktls_kernel(void)
{
	return replaced_kernel ? replaced_kernel : &real_kernel;
}

int ktls_direction_option(enum ktls_direction direction)
{
	return direction == KTLS_TX ? TLS_TX : TLS_RX;
}

int ktls_ulp_set(int fd)
{
	static const char name[] = "tls";

	if (ktls_kernel()->setsockopt(fd, SOL_TCP, TCP_ULP, name, sizeof(name)) == 0)
		return 0;
	switch (errno) {
	/* No such protocol, and (before Linux 4.13) no such option. */
	case ENOENT:
	case ENOPROTOOPT:
		return KTLS_E_NO_ULP;
	case ENOTCONN:
		return KTLS_E_NOT_CONNECTED;
	default:
		return -errno;
	}
}

static int keys_set(int fd, enum ktls_direction direction, enum ktls_version version,
		    enum ktls_cipher cipher, const struct traffic_keys *keys)
{
	_cleanup_crypto_info_ union ktls_crypto_info info;
	unsigned int size = ktls_crypto_info_pack(version, cipher, keys, &info);

	return ktls_kernel()->setsockopt(fd, SOL_TLS, ktls_direction_option(direction), &info,
					 size) < 0
		       ? -errno
		       : 0;
}

/* What the kernel says is in force; the structure holds the key, so it does not leave this file. */
static int keys_get(int fd, enum ktls_direction direction, union ktls_crypto_info *ret)
{
	struct tls_crypto_info header = { 0 };
	unsigned int size = sizeof(header);
	int option = ktls_direction_option(direction);

	/* The kernel wants the exact size of the cipher's structure: ask for the header first. */
	if (ktls_kernel()->getsockopt(fd, SOL_TLS, option, &header, &size) < 0)
		return -errno;
	for (int cipher = 0; cipher < _KTLS_CIPHER_MAX; cipher++) {
		if (ktls_cipher_info((enum ktls_cipher)cipher)->kernel_id != header.cipher_type)
			continue;
		size = ktls_crypto_info_size((enum ktls_cipher)cipher);
		if (ktls_kernel()->getsockopt(fd, SOL_TLS, option, ret, &size) < 0)
			return -errno;
		return cipher;
	}
	return -EBADE;
}

static int keys_verify(int fd, enum ktls_direction direction, enum ktls_version version,
		       enum ktls_cipher cipher, const struct traffic_keys *keys)
{
	_cleanup_crypto_info_ union ktls_crypto_info wanted, found = { 0 };
	int r = keys_get(fd, direction, &found);

	if (r < 0)
		return r;
	ktls_crypto_info_pack(version, cipher, keys, &wanted);
	if (r != (int)cipher || found.header.version != wanted.header.version)
		return -EBADE;
	/* RX may have moved on: the peer's first records can be here already. */
	if (ktls_crypto_info_seq(cipher, &found) < keys->seq)
		return -EBADE;
	return 0;
}

int ktls_install(int fd, enum ktls_version version, enum ktls_cipher cipher,
		 const struct traffic_keys *tx, const struct traffic_keys *rx)
{
	int r;

	r = keys_set(fd, KTLS_TX, version, cipher, tx);
	/* ENOENT: the cipher's crypto module; EINVAL: a kernel that does not know it at all. */
	if (r == -ENOENT || r == -EINVAL)
		return KTLS_E_NO_CIPHER;
	if (r < 0)
		return r;
	r = keys_set(fd, KTLS_RX, version, cipher, rx);
	if (r < 0)
		return r;
	r = keys_verify(fd, KTLS_TX, version, cipher, tx);
	if (r < 0)
		return r;
	return keys_verify(fd, KTLS_RX, version, cipher, rx);
}

int ktls_rekey(int fd, enum ktls_direction direction, enum ktls_cipher cipher,
	       const struct traffic_keys *next)
{
	int r = keys_set(fd, direction, KTLS_TLS13, cipher, next);

	return r == -EBUSY ? KTLS_E_NO_REKEY : r;
}

int ktls_sequence(int fd, enum ktls_direction direction, uint64_t *ret)
{
	_cleanup_crypto_info_ union ktls_crypto_info info = { 0 };
	int r = keys_get(fd, direction, &info);

	if (r < 0)
		return r;
	*ret = ktls_crypto_info_seq((enum ktls_cipher)r, &info);
	return 0;
}
