/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * net - sockets and addresses: listen, accept, dial, PROXY protocol header.
 *
 * Called by session and conf. Knows nothing of TLS. All sockets it makes are non-blocking and
 * close-on-exec. Addresses are literals: names are never looked up here.
 */

#include <netinet/in.h>
#include <siptls/base.h>
#include <sys/socket.h>

struct net_addr {
	union {
		struct sockaddr any;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	};
	socklen_t len; /* 0: none */
};

#define NET_ADDR_STRLEN 64

enum {
	NET_E_MALFORMED = 1, /* not ADDRESS:PORT or [ADDRESS]:PORT */
	NET_E_AGAIN,	     /* nothing to accept right now */
	NET_E_LOST,	     /* the connection was gone before we took it */
	NET_E_EXHAUSTED,     /* out of descriptors or memory: try later */
};

/* "192.0.2.1:5061", "[2001:db8::1]:5061". Port 0 only if @allow_port_zero. */
int net_addr_parse(const char *text, bool allow_port_zero, struct net_addr *ret) _must_check_;
const char *net_addr_format(const struct net_addr *addr, char ret[static NET_ADDR_STRLEN]);
bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);
uint16_t net_addr_port(const struct net_addr *addr);

/* Same host, whatever the port; an IPv6 source counts by its /64, which is what one host gets. */
bool net_addr_same_source(const struct net_addr *a, const struct net_addr *b);
uint32_t net_addr_source_hash(const struct net_addr *addr);

/* Listening socket; SO_REUSEADDR, IPV6_V6ONLY. The port chosen for port 0 is in @addr on return. */
int net_listen(struct net_addr *addr, int *ret_fd) _must_check_;
int net_accept(int listen_fd, int *ret_fd, struct net_addr *ret_peer) _must_check_;

/* Start a connection; 0: in progress or done, wait for writability, then net_dial_result(). */
int net_dial(const struct net_addr *to, int *ret_fd) _must_check_;
int net_dial_result(int fd); /* 0 or the socket's error, an errno, positive */

/* TCP_NODELAY: a SIP message is one write and must not wait for the acknowledgement of another. */
int net_tune(int fd) _must_check_;
uint64_t net_cookie(int fd);			   /* SO_COOKIE, 0 if the kernel has none */
void net_local_addr(int fd, struct net_addr *ret); /* len 0 if it is gone */

/*
 * PROXY protocol header (haproxy's proxy-protocol.txt, 2.1 and 2.2) that tells the SIP server who
 * is behind this connection, in one piece (Kamailio 5.6 takes no more than 232 bytes, in one read).
 */
enum net_proxy { NET_PROXY_NONE, NET_PROXY_V1, NET_PROXY_V2, _NET_PROXY_MAX };

#define NET_PROXY_SIZE_MAX 108

size_t net_proxy_format(enum net_proxy version, const struct net_addr *src,
			const struct net_addr *dst, uint8_t ret[static NET_PROXY_SIZE_MAX]);
