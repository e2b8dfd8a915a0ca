/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sniff - the first bytes of a connection, before GnuTLS sees any: TLS, SIP without TLS, or
 * something else. A SIP server with the wrong transport is the most common mistake there is.
 */

#include <siptls/tls.h>

#define TLS_SNIFF_SIZE 24 /* more than the longest decision needs: "SUBSCRIBE sips:" */

struct tls_sniff {
	bool done;
	uint8_t len;
	uint8_t bytes[TLS_SNIFF_SIZE]; /* taken off the socket: it is no TLS */
};

enum tls_sniff_kind { TLS_SNIFF_UNDECIDED, TLS_SNIFF_SIP, TLS_SNIFF_OTHER };

/* @bytes begin with something that begins no TLS record. */
enum tls_sniff_kind tls_sniff_classify(const uint8_t *bytes, size_t len);

/*
 * @dialled: we have sent a ClientHello, so an alert may come first. 0: it is TLS, and not one
 * byte of it was taken. TLS_E_WANT_READ. TLS_E_REFUSED with the reason, and errno in *ret_errno for
 * REASON_PEER_RESET.
 */
int tls_sniff_step(struct tls_sniff *sniff, int fd, bool dialled, enum reason *ret,
		   int *ret_errno) _must_check_;
