/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The PROXY protocol header, versions 1 (text) and 2 (binary), without TLVs: SIP servers read none.
 */

#include <siptls/net.h>

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t v2_signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
					  0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

/* Address bytes and port of either family; both ends of a connection have the same family. */
struct endpoint {
	const void *host;
	size_t host_size;
	in_port_t port; /* network order */
};

static struct endpoint endpoint_of(const struct net_addr *addr)
{
	if (addr->any.sa_family == AF_INET6)
		return (struct endpoint){ &addr->in6.sin6_addr, 16, addr->in6.sin6_port };
	return (struct endpoint){ &addr->in4.sin_addr, 4, addr->in4.sin_port };
}

static size_t format_v1(int family, const struct endpoint *src, const struct endpoint *dst,
			uint8_t *ret)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	int n;

	n = snprintf((char *)ret, NET_PROXY_SIZE_MAX, "PROXY %s %s %s %u %u\r\n",
		     family == AF_INET6 ? "TCP6" : "TCP4",
		     inet_ntop(family, src->host, from, sizeof(from)),
		     inet_ntop(family, dst->host, to, sizeof(to)), ntohs(src->port),
		     ntohs(dst->port));
	return (size_t)n;
}

static size_t format_v2(int family, const struct endpoint *src, const struct endpoint *dst,
			uint8_t *ret)
{
	const struct {
		const void *bytes;
		size_t size;
	} parts[] = {
		{ v2_signature, sizeof(v2_signature) },
		{ (const uint8_t[]){ 0x21 }, 1 }, /* version 2, command PROXY */
		{ (const uint8_t[]){ family == AF_INET6 ? 0x21 : 0x11 }, 1 }, /* over TCP */
		{ (const uint8_t[]){ 0, (uint8_t)(2 * src->host_size + 4) }, 2 },
		{ src->host, src->host_size },
		{ dst->host, dst->host_size },
		{ &src->port, 2 },
		{ &dst->port, 2 },
	};
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		memcpy(ret + len, parts[i].bytes, parts[i].size);
		len += parts[i].size;
	}
	return len;
}

size_t net_proxy_format(enum net_proxy version, const struct net_addr *src,
			const struct net_addr *dst, uint8_t ret[static NET_PROXY_SIZE_MAX])
{
	struct endpoint from = endpoint_of(src), to = endpoint_of(dst);
	int family = src->any.sa_family;

	switch (version) {
	case NET_PROXY_V1:
		return format_v1(family, &from, &to, ret);
	case NET_PROXY_V2:
		return format_v2(family, &from, &to, ret);
	case NET_PROXY_NONE:
	case _NET_PROXY_MAX:
		break;
	}
	return 0;
}
