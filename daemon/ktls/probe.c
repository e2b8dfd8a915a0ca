/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What this kernel can do, by trying it on a connection with ourselves over loopback. Version
 * numbers tell nothing: distributions port features back, and modules may be missing.
 */

#include <arpa/inet.h>
#include <netinet/in.h>

#include "ktls.h"

/* A connected pair of TCP sockets. */
static int pair_make(int ret[2])
{
	_cleanup_fd_ int listener = -1, dialled = -1, accepted = -1;
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	dialled = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || dialled < 0 || bind(listener, (struct sockaddr *)&addr, len) < 0 ||
	    listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&addr, &len) < 0 ||
	    connect(dialled, (struct sockaddr *)&addr, len) < 0)
		return -errno;
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (accepted < 0)
		return -errno;
	ret[0] = steal_fd(&dialled);
	ret[1] = steal_fd(&accepted);
	return 0;
}

/* One cipher and version on a fresh connection. 0 with what was found, or -errno. */
static int cipher_try(enum ktls_version version, enum ktls_cipher cipher, struct ktls_support *ret)
{
	static const struct traffic_keys keys; /* any key will do: nothing is sent */
	int pair[2] = { -1, -1 };
	int r;

	r = pair_make(pair);
	if (r < 0)
		return r;
	r = ktls_ulp_set(pair[0]);
	if (r == 0) {
		ret->ulp = true;
		r = ktls_install(pair[0], version, cipher, &keys, &keys);
	}
	if (ret->ulp && r == 0) {
		ret->ciphers[version] |= (uint8_t)(1 << cipher);
		if (version == KTLS_TLS13 && !ret->rekey)
			ret->rekey = ktls_rekey(pair[0], KTLS_TX, cipher, &keys) == 0;
	}
	fd_close(pair[0]);
	fd_close(pair[1]);
	/* A kernel that cannot is an answer, not an error. */
	return r > 0 ? 0 : r;
}

int ktls_probe(struct ktls_support *ret)
{
	struct ktls_support support = { 0 };

	for (enum ktls_version version = 0; version < _KTLS_VERSION_MAX; version++) {
		for (enum ktls_cipher cipher = 0; cipher < _KTLS_CIPHER_MAX; cipher++) {
			int r = cipher_try(version, cipher, &support);

			if (r < 0)
				return r;
		}
	}
	*ret = support;
	return 0;
}
