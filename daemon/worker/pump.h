/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The user-space fallback: after a handshake that the kernel cannot continue, move bytes between
 * the TLS session and one end of a stream socket pair, whose other end is the daemon's.
 *
 * Each direction holds at most one record, and memory for it only while the other side does not
 * take it. The end of one side's stream is passed on and the other direction goes on.
 */

#include <siptls/loop.h>
#include <siptls/tls.h>

struct worker_pump;

/* The pump is over and may be freed. @detail is valid during the call. */
typedef void (*worker_pump_fn)(void *userdata, enum reason reason, uint8_t alert_received,
			       const char *detail);

/* Takes @hs over on success; @tls_fd is borrowed. *ret_fd is the daemon's end, the caller's. */
int worker_pump_new(struct loop *loop, struct tls_handshake *hs, int tls_fd, worker_pump_fn ended,
		    void *userdata, struct worker_pump **ret, int *ret_fd) _must_check_;
/* At once; tells the peer with close_notify if it has not been told, best effort. */
struct worker_pump *worker_pump_free(struct worker_pump *pump);
