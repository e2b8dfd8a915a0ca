/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The socket under GnuTLS. Plain recv() of exactly what is asked for: GnuTLS reads a record's
 * header, then its body, and never ahead, which is what lets the kernel take over at a record
 * boundary. The functions are our own only to keep errno, which GnuTLS folds into one error code.
 */

#include <sys/socket.h>
#include <sys/uio.h>
#include <tls/handshake.h>

#define DRAIN_MAX (64 * 1024)

static ssize_t failed(struct tls_handshake *hs)
{
	int error = errno;

	if (error != EAGAIN && error != EINTR)
		hs->io_errno = error;
	gnutls_transport_set_errno(hs->session, error);
	return -1;
}

/*
 * OpenSSL tells a TLS 1.3 server in clear that it does not accept it: its write key changes only
 * later. GnuTLS cannot decrypt that and would blame the peer, so remember an alert that came in
 * clear.
 */
static void watch_record(struct tls_handshake *hs, const uint8_t *bytes, size_t size)
{
	static const uint8_t plain_alert[] = { KTLS_RECORD_ALERT, 3, 3, 0, 2 };

	if (size == sizeof(hs->record_header))
		memcpy(hs->record_header, bytes, size);
	else if (size == 2 && memcmp(hs->record_header, plain_alert, sizeof(plain_alert)) == 0)
		hs->alert_in_clear = bytes[1];
}

static ssize_t pull(gnutls_transport_ptr_t userdata, void *buf, size_t size)
{
	struct tls_handshake *hs = userdata;
	ssize_t n;

	/* A record of one byte is two reads: whoever cuts a message like that waits for its turn.
	 */
	if (hs->pulls++ >= TLS_PULLS_MAX || hs->pulled > TLS_PULLED_MAX) {
		errno = EAGAIN;
		return failed(hs);
	}
	n = recv(hs->fd, buf, size, MSG_DONTWAIT);
	if (n == 0 && size > 0)
		hs->eof = true;
	if (n > 0) {
		hs->received = true;
		hs->pulled += (uint32_t)n;
		watch_record(hs, buf, (size_t)n);
	}
	return n < 0 ? failed(hs) : n;
}

static ssize_t push(gnutls_transport_ptr_t userdata, const giovec_t *iov, int n_iov)
{
	struct tls_handshake *hs = userdata;
	struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = (size_t)n_iov,
	};
	ssize_t n = sendmsg(hs->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 ? failed(hs) : n;
}

void tls_io_attach(struct tls_handshake *hs)
{
	gnutls_transport_set_ptr(hs->session, hs);
	gnutls_transport_set_pull_function(hs->session, pull);
	gnutls_transport_set_vec_push_function(hs->session, push);
}

void tls_io_drain(int fd)
{
	uint8_t buf[4096];
	size_t total = 0;
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0 && total < DRAIN_MAX);
}
