/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records of a kernel-TLS socket: their types travel as control messages beside the bytes. */

#include "ktls.h"

/* Linux 6.14: a KeyUpdate was read and its key is not installed yet. */
#ifndef EKEYEXPIRED
#define EKEYEXPIRED 127
#endif

int ktls_recv(int fd, void *buf, size_t size, size_t *ret_len, uint8_t *ret_type)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(uint8_t))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);

	if (n < 0) {
		switch (errno) {
		case EAGAIN:
		case EINTR:
			return KTLS_E_AGAIN;
		case ECONNRESET:
		case ETIMEDOUT:
		case EHOSTUNREACH:
		case ENETUNREACH:
		case EPIPE:
			return KTLS_E_RESET;
		/* Authentication, framing, version, length: all sticky, all the peer's or the
		 * path's. */
		case EBADMSG:
		case EINVAL:
		case EMSGSIZE:
			return KTLS_E_CORRUPT;
		case EKEYEXPIRED:
			return KTLS_E_KEY_EXPIRED;
		default:
			return -errno;
		}
	}
	cmsg = CMSG_FIRSTHDR(&message);
	if (cmsg && cmsg->cmsg_level == SOL_TLS && cmsg->cmsg_type == TLS_GET_RECORD_TYPE)
		*ret_type = *CMSG_DATA(cmsg);
	else if (n == 0)
		return KTLS_E_EOF;
	else
		/* Every record tells its type: bytes without one have not been through TLS. */
		return KTLS_E_CORRUPT;
	*ret_len = (size_t)n;
	return 0;
}

int ktls_send_control(int fd, uint8_t type, const void *buf, size_t len)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(uint8_t))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n;

	control.header.cmsg_level = SOL_TLS;
	control.header.cmsg_type = TLS_SET_RECORD_TYPE;
	control.header.cmsg_len = CMSG_LEN(sizeof(uint8_t));
	*CMSG_DATA(&control.header) = type;
	do
		n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	if (n >= 0)
		return -EIO;
	switch (errno) {
	case EAGAIN:
		return KTLS_E_AGAIN;
	case EPIPE:
	case ECONNRESET:
	case ETIMEDOUT:
		return KTLS_E_RESET;
	default:
		return -errno;
	}
}
