/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Records in user space, after a handshake that the kernel did not take. GnuTLS answers KeyUpdates,
 * limits them, and changes its own key in time by itself.
 */

#include <tls/handshake.h>

static bool is_pumping(const struct tls_handshake *hs)
{
	return hs->state == TLS_STATE_DONE;
}

/* @r is what a record function returned: bytes, or an error that may be no end. */
static int pump_result(struct tls_handshake *hs, ssize_t r)
{
	if (hs->pulled > TLS_PULLED_MAX)
		return tls_refuse(hs, REASON_RECORD_UNEXPECTED,
				  "more than %d bytes that are no data", TLS_PULLED_MAX);
	if (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED)
		return tls_direction_want(hs);
	return tls_refuse_error(hs, (int)r);
}

int tls_pump_read(struct tls_handshake *hs, void *buf, size_t size, size_t *ret_len)
{
	int warnings = 0;
	ssize_t n;

	hs->pulls = 0;

	if (!is_pumping(hs))
		return hs->state == TLS_STATE_REFUSED ? TLS_E_REFUSED : -EINVAL;
	hs->io_errno = 0;
	do {
		n = gnutls_record_recv(hs->session, buf, size);
	} while (n == GNUTLS_E_INTERRUPTED ||
		 (n == GNUTLS_E_WARNING_ALERT_RECEIVED && ++warnings < TLS_WARNINGS_MAX));
	if (n == 0)
		return TLS_E_EOF;
	if (n < 0)
		return pump_result(hs, n);
	hs->pulled = 0;
	*ret_len = (size_t)n;
	return 0;
}

int tls_pump_write(struct tls_handshake *hs, const void *buf, size_t len, size_t *ret_len)
{
	ssize_t n;

	if (!is_pumping(hs))
		return hs->state == TLS_STATE_REFUSED ? TLS_E_REFUSED : -EINVAL;
	if (len == 0) { /* to GnuTLS that means something else */
		*ret_len = 0;
		return 0;
	}
	hs->io_errno = 0;
	do {
		n = gnutls_record_send(hs->session, buf, len);
	} while (n == GNUTLS_E_INTERRUPTED);
	if (n < 0)
		return pump_result(hs, n);
	*ret_len = (size_t)n;
	return 0;
}

int tls_pump_close(struct tls_handshake *hs)
{
	int r;

	if (!is_pumping(hs))
		return hs->state == TLS_STATE_REFUSED ? TLS_E_REFUSED : -EINVAL;
	hs->io_errno = 0;
	do {
		r = gnutls_bye(hs->session, GNUTLS_SHUT_WR);
	} while (r == GNUTLS_E_INTERRUPTED);
	return r < 0 ? pump_result(hs, r) : 0;
}
