/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the kernel tells, from bytes to structures: the border where every length is checked. No
 * library and no system call, so that a test can hand in any bytes.
 */

#include "kmod.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/tls.h>

/* ---- netlink attributes ---- */

/* What is left of a run of attributes. */
struct attributes {
	const uint8_t *bytes;
	size_t size;
};

/* One attribute: its type without the flag bits, and its payload. */
struct attribute {
	uint16_t type;
	struct attributes payload;
};

/*
 * Take the next attribute off @rest, which is not empty. Only the padding of the last one may be
 * missing. A nest has no flag that tells so here: inet_diag still builds the old kind.
 */
static int attribute_next(struct attributes *rest, struct attribute *ret)
{
	struct nlattr header;
	size_t step;

	if (rest->size < sizeof(header))
		return KMOD_E_MALFORMED;
	memcpy(&header, rest->bytes, sizeof(header));
	if (header.nla_len < sizeof(header) || header.nla_len > rest->size)
		return KMOD_E_MALFORMED;
	ret->type = (uint16_t)(header.nla_type & NLA_TYPE_MASK);
	ret->payload.bytes = rest->bytes + sizeof(header);
	ret->payload.size = header.nla_len - sizeof(header);
	step = (header.nla_len + NLA_ALIGNTO - 1u) / NLA_ALIGNTO * NLA_ALIGNTO;
	if (step > rest->size)
		step = rest->size;
	rest->bytes += step;
	rest->size -= step;
	return 0;
}

static int attribute_u16(const struct attribute *attribute, uint16_t *ret)
{
	if (attribute->payload.size != sizeof(*ret))
		return KMOD_E_MALFORMED;
	memcpy(ret, attribute->payload.bytes, sizeof(*ret));
	return 0;
}

/* A terminated string and nothing after it. */
static int attribute_string(const struct attribute *attribute, char *ret, size_t size)
{
	const struct attributes *s = &attribute->payload;

	if (s->size == 0 || s->size > size ||
	    strnlen((const char *)s->bytes, s->size) + 1 != s->size)
		return KMOD_E_MALFORMED;
	memcpy(ret, s->bytes, s->size);
	return 0;
}

/* ---- sockets ---- */

static int tls_info_parse(struct attributes info, struct kmod_socket *s)
{
	struct attribute attribute;
	int r = 0;

	while (r == 0 && info.size > 0) {
		r = attribute_next(&info, &attribute);
		if (r != 0)
			return r;
		switch (attribute.type) {
		case TLS_INFO_VERSION:
			r = attribute_u16(&attribute, &s->version);
			break;
		case TLS_INFO_CIPHER:
			r = attribute_u16(&attribute, &s->cipher);
			break;
		case TLS_INFO_TXCONF:
			r = attribute_u16(&attribute, &s->tx);
			break;
		case TLS_INFO_RXCONF:
			r = attribute_u16(&attribute, &s->rx);
			break;
		}
	}
	return r;
}

static int ulp_info_parse(struct attributes info, struct kmod_socket *s)
{
	struct attribute attribute;
	int r = 0;

	while (r == 0 && info.size > 0) {
		r = attribute_next(&info, &attribute);
		if (r != 0)
			return r;
		if (attribute.type == INET_ULP_INFO_NAME)
			r = attribute_string(&attribute, s->ulp, sizeof(s->ulp));
		else if (attribute.type == INET_ULP_INFO_TLS)
			r = tls_info_parse(attribute.payload, s);
	}
	return r;
}

/* Addresses and ports are in network order there, as here. */
static int addr_set(uint8_t family, const __be32 addr[static 4], __be16 port, struct net_addr *ret)
{
	*ret = (struct net_addr){ 0 };
	switch (family) {
	case AF_INET:
		ret->in4.sin_family = AF_INET;
		ret->in4.sin_port = port;
		ret->in4.sin_addr.s_addr = addr[0];
		ret->len = sizeof(ret->in4);
		return 0;
	case AF_INET6:
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = port;
		memcpy(&ret->in6.sin6_addr, addr, sizeof(ret->in6.sin6_addr));
		ret->len = sizeof(ret->in6);
		return 0;
	}
	return KMOD_E_MALFORMED;
}

int kmod_socket_parse(const void *payload, size_t size, struct kmod_socket *ret)
{
	struct kmod_socket s = { .tx = TLS_CONF_BASE, .rx = TLS_CONF_BASE };
	struct attributes rest = { payload, size };
	struct inet_diag_msg msg;
	struct attribute attribute;
	int r;

	if (size < sizeof(msg))
		return KMOD_E_MALFORMED;
	memcpy(&msg, payload, sizeof(msg));
	s.state = msg.idiag_state;
	s.uid = msg.idiag_uid;
	s.inode = msg.idiag_inode;
	s.cookie = (uint64_t)msg.id.idiag_cookie[1] << 32 | msg.id.idiag_cookie[0];
	r = addr_set(msg.idiag_family, msg.id.idiag_src, msg.id.idiag_sport, &s.local);
	if (r == 0)
		r = addr_set(msg.idiag_family, msg.id.idiag_dst, msg.id.idiag_dport, &s.remote);

	rest.bytes += sizeof(msg);
	rest.size -= sizeof(msg);
	while (r == 0 && rest.size > 0) {
		r = attribute_next(&rest, &attribute);
		if (r == 0 && attribute.type == INET_DIAG_ULP_INFO)
			r = ulp_info_parse(attribute.payload, &s);
	}
	if (r != 0)
		return r;
	*ret = s;
	return 0;
}

/* ---- counters ---- */

int kmod_stat_parse(const char *line, struct kmod_stat *ret)
{
	size_t name_len = strcspn(line, " \t\n");
	const char *digits = line + name_len + strspn(line + name_len, " \t");
	struct kmod_stat stat = { 0 };
	size_t n = strspn(digits, "0123456789");

	if (name_len == 0 || name_len >= sizeof(stat.name) || n == 0)
		return KMOD_E_MALFORMED;
	if (digits[n + strspn(digits + n, "\n")] != '\0')
		return KMOD_E_MALFORMED;
	errno = 0;
	stat.value = strtoull(digits, NULL, 10);
	if (errno != 0)
		return KMOD_E_MALFORMED;
	memcpy(stat.name, line, name_len);
	*ret = stat;
	return 0;
}
