/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Both ends of a channel; see channel.h. */

#include <siptls/channel.h>

#include <fcntl.h>
#include <siptls/secret.h>
#include <sys/socket.h>

struct queued {
	struct list link;
	int fd;
	size_t size;
	uint8_t bytes[];
};

/*
 * An AF_UNIX socket splits a packet that is longer than half its send buffer less 64 bytes into
 * several, also with SOCK_SEQPACKET (unix_stream_sendmsg() serves both types). SO_SNDBUF is doubled
 * by the kernel and capped by net.core.wmem_max, whose default suffices.
 */
static int buffer_grow(int fd)
{
	int size = CHANNEL_MESSAGE_MAX + 64;
	socklen_t len = sizeof(size);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) < 0)
		return -errno;
	return size / 2 - 64 < CHANNEL_MESSAGE_MAX ? -ENOBUFS : 0;
}

int channel_pair(int ret[2])
{
	_cleanup_fd_ int one = -1, other = -1;
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	one = fds[0];
	other = fds[1];
	r = buffer_grow(one);
	if (r == 0)
		r = buffer_grow(other);
	if (r < 0)
		return r;
	ret[0] = steal_fd(&one);
	ret[1] = steal_fd(&other);
	return 0;
}

int channel_init(struct channel *c, struct loop *loop, int fd, loop_io_fn fn, void *userdata)
{
	int r = loop_io_add(loop, fd, LOOP_READ, fn, userdata, &c->io);

	if (r < 0)
		return r;
	c->fd = fd;
	c->n_queued = 0;
	list_init(&c->queue);
	return 0;
}

static void queued_free(struct channel *c, struct queued *q)
{
	list_remove(&q->link);
	c->n_queued--;
	fd_close(q->fd);
	memory_wipe(q->bytes, q->size);
	free(q);
}

void channel_done(struct channel *c)
{
	if (!c->io)
		return;
	c->io = loop_source_free(c->io);
	c->fd = fd_close(c->fd);
	while (!list_empty(&c->queue))
		queued_free(c, container_of(c->queue.next, struct queued, link));
}

/* 0, CHANNEL_E_AGAIN or -errno. */
static int send_one(int channel, const uint8_t *buf, size_t size, int fd)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control = {};
	/* sendmsg() does not write to it, but its vector serves both directions. */
	struct iovec vector = { .iov_base = (void *)(uintptr_t)buf, .iov_len = size };
	struct msghdr msg = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (fd >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
	}
	if (sendmsg(channel, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EAGAIN || errno == EINTR ? CHANNEL_E_AGAIN : -errno;
}

static int enqueue(struct channel *c, const uint8_t *buf, size_t size, int fd)
{
	_cleanup_fd_ int copy = -1;
	struct queued *q;
	int r;

	if (fd >= 0) {
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (copy < 0)
			return -errno;
	}
	r = loop_io_set(c->io, LOOP_READ | LOOP_WRITE);
	if (r < 0)
		return r;
	q = malloc(sizeof(*q) + size);
	if (!q)
		return -ENOMEM;
	q->fd = steal_fd(&copy);
	q->size = size;
	memcpy(q->bytes, buf, size);
	list_append(&c->queue, &q->link);
	c->n_queued++;
	return 0;
}

int channel_post(struct channel *c, const uint8_t *buf, size_t size, int fd)
{
	int r;

	if (!list_empty(&c->queue))
		return enqueue(c, buf, size, fd);
	r = send_one(c->fd, buf, size, fd);
	return r == CHANNEL_E_AGAIN ? enqueue(c, buf, size, fd) : r;
}

int channel_flush(struct channel *c)
{
	while (!list_empty(&c->queue)) {
		struct queued *q = container_of(c->queue.next, struct queued, link);
		int r = send_one(c->fd, q->bytes, q->size, q->fd);

		if (r == CHANNEL_E_AGAIN)
			return 0;
		if (r < 0)
			return r;
		queued_free(c, q);
	}
	return loop_io_set(c->io, LOOP_READ);
}

/* The descriptors that came with a message: the first is kept, more than one is malformed. */
static int take_fd(struct msghdr *msg, int *ret)
{
	int n = 0;

	*ret = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
			if (n++ == 0)
				*ret = fd;
			else
				fd_close(fd);
		}
	}
	if (n <= 1 && !(msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return 0;
	*ret = fd_close(*ret);
	return CHANNEL_E_MALFORMED;
}

int channel_receive(struct channel *c, uint8_t *buf, size_t size, size_t *ret_size, int *ret_fd)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vector = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = { .msg_iov = &vector,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int r;

	/*
	 * Whoever ends with something unread leaves this error, once, in front of what he had to
	 * say (unix_release_sock()).
	 */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? CHANNEL_E_AGAIN
		       : errno == ECONNRESET		 ? CHANNEL_E_EOF
							 : -errno;
	r = take_fd(&msg, ret_fd);
	if (r != 0)
		return r;
	/* No message is empty, so nothing but the end of the stream reads as zero bytes. */
	if (n == 0) {
		*ret_fd = fd_close(*ret_fd);
		return CHANNEL_E_EOF;
	}
	*ret_size = (size_t)n;
	return 0;
}
