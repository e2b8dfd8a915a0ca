/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Address literals: parse, print, compare. */

#include <siptls/net.h>

#include <arpa/inet.h>
#include <stdio.h>

static int port_parse(const char *text, bool allow_zero, in_port_t *ret)
{
	unsigned long port = 0;

	if (*text == '\0')
		return NET_E_MALFORMED;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return NET_E_MALFORMED;
		port = port * 10 + (unsigned long)(*text - '0');
		if (port > 65535)
			return NET_E_MALFORMED;
	}
	if (port == 0 && !allow_zero)
		return NET_E_MALFORMED;
	*ret = htons((uint16_t)port);
	return 0;
}

int net_addr_parse(const char *text, bool allow_port_zero, struct net_addr *ret)
{
	const char *colon = strrchr(text, ':');
	struct net_addr addr = { 0 };
	char host[INET6_ADDRSTRLEN];
	const char *start = text;
	bool bracketed = text[0] == '[';
	size_t len;
	in_port_t port;

	if (!colon)
		return NET_E_MALFORMED;
	len = (size_t)(colon - text);
	if (bracketed) {
		if (len < 2 || text[len - 1] != ']')
			return NET_E_MALFORMED;
		start++;
		len -= 2;
	}
	if (len >= sizeof(host) || port_parse(colon + 1, allow_port_zero, &port) != 0)
		return NET_E_MALFORMED;
	memcpy(host, start, len);
	host[len] = '\0';

	if (bracketed) {
		if (inet_pton(AF_INET6, host, &addr.in6.sin6_addr) != 1)
			return NET_E_MALFORMED;
		addr.in6.sin6_family = AF_INET6;
		addr.in6.sin6_port = port;
		addr.len = sizeof(struct sockaddr_in6);
	} else {
		if (inet_pton(AF_INET, host, &addr.in4.sin_addr) != 1)
			return NET_E_MALFORMED;
		addr.in4.sin_family = AF_INET;
		addr.in4.sin_port = port;
		addr.len = sizeof(struct sockaddr_in);
	}
	*ret = addr;
	return 0;
}

const char *net_addr_format(const struct net_addr *addr, char ret[static NET_ADDR_STRLEN])
{
	char host[INET6_ADDRSTRLEN];

	if (addr->len == 0)
		snprintf(ret, NET_ADDR_STRLEN, "-");
	else if (addr->any.sa_family == AF_INET6)
		snprintf(ret, NET_ADDR_STRLEN, "[%s]:%u",
			 inet_ntop(AF_INET6, &addr->in6.sin6_addr, host, sizeof(host)),
			 ntohs(addr->in6.sin6_port));
	else
		snprintf(ret, NET_ADDR_STRLEN, "%s:%u",
			 inet_ntop(AF_INET, &addr->in4.sin_addr, host, sizeof(host)),
			 ntohs(addr->in4.sin_port));
	return ret;
}

uint16_t net_addr_port(const struct net_addr *addr)
{
	if (addr->len == 0)
		return 0;
	return ntohs(addr->any.sa_family == AF_INET6 ? addr->in6.sin6_port : addr->in4.sin_port);
}

/* The part of the address that counts as one source, and its length in bytes. */
static const void *source_bytes(const struct net_addr *addr, size_t *ret_len)
{
	if (addr->any.sa_family == AF_INET6) {
		*ret_len = 8;
		return &addr->in6.sin6_addr;
	}
	*ret_len = 4;
	return &addr->in4.sin_addr;
}

bool net_addr_same_source(const struct net_addr *a, const struct net_addr *b)
{
	const void *bytes_a, *bytes_b;
	size_t len;

	if (a->any.sa_family != b->any.sa_family)
		return false;
	bytes_a = source_bytes(a, &len);
	bytes_b = source_bytes(b, &len);
	return memcmp(bytes_a, bytes_b, len) == 0;
}

uint32_t net_addr_source_hash(const struct net_addr *addr)
{
	size_t len;
	const uint8_t *bytes = source_bytes(addr, &len);
	uint32_t hash = 2166136261u; /* FNV-1a; chains are short because sources are limited */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	if (a->len != b->len || a->any.sa_family != b->any.sa_family ||
	    net_addr_port(a) != net_addr_port(b))
		return false;
	if (a->any.sa_family == AF_INET6)
		return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
	return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
}
