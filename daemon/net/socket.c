/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sockets: listen, accept, dial. All non-blocking and close-on-exec from their first moment. */

#include <siptls/net.h>

#include <netinet/tcp.h>

/* Debian 12's limit of queued connections; more only costs memory while we are slow. */
#define LISTEN_BACKLOG 4096

#define ADDR_SIZE_MAX sizeof(struct sockaddr_in6)

static int option_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int socket_new(const struct net_addr *addr, int *ret_fd)
{
	int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int net_listen(struct net_addr *addr, int *ret_fd)
{
	_cleanup_fd_ int fd = -1;
	struct net_addr bound = { .len = ADDR_SIZE_MAX };
	int r;

	r = socket_new(addr, &fd);
	if (r < 0)
		return r;
	r = option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r < 0)
		return r;
	if (addr->any.sa_family == AF_INET6) {
		/* "[::]" and "0.0.0.0" are two addresses, in any order. */
		r = option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		if (r < 0)
			return r;
	}
	if (bind(fd, &addr->any, addr->len) < 0 || listen(fd, LISTEN_BACKLOG) < 0 ||
	    getsockname(fd, &bound.any, &bound.len) < 0)
		return -errno;
	*addr = bound;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int net_accept(int listen_fd, int *ret_fd, struct net_addr *ret_peer)
{
	struct net_addr peer = { .len = ADDR_SIZE_MAX };
	int fd = accept4(listen_fd, &peer.any, &peer.len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		*ret_fd = fd;
		*ret_peer = peer;
		return 0;
	}
	switch (errno) {
	case EAGAIN:
		return NET_E_AGAIN;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return NET_E_EXHAUSTED;
	case EBADF:
	case EFAULT:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return -errno;
	/* Everything else is the new connection's, which Linux reports here (accept(2)). */
	default:
		return NET_E_LOST;
	}
}

int net_dial(const struct net_addr *to, int *ret_fd)
{
	_cleanup_fd_ int fd = -1;
	int r;

	r = socket_new(to, &fd);
	if (r < 0)
		return r;
	if (connect(fd, &to->any, to->len) < 0 && errno != EINPROGRESS)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int net_dial_result(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

int net_tune(int fd)
{
	return option_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

uint64_t net_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0)
		return 0;
	return cookie;
}

void net_local_addr(int fd, struct net_addr *ret)
{
	*ret = (struct net_addr){ .len = ADDR_SIZE_MAX };
	if (getsockname(fd, &ret->any, &ret->len) < 0)
		ret->len = 0;
}
