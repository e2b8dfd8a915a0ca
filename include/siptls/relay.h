/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * relay - moves bytes between the TLS side and the SIP server, in threads of its own.
 *
 * Called by session, from the main thread only. Each thread has an epoll loop and one shared
 * buffer; a link (one session's pair of sockets) owns memory only while bytes that one side has
 * sent cannot be written to the other. Then the reading stops: that is the back-pressure, and the
 * bound. A read is forwarded in one write, so a SIP message that came in one record leaves in one
 * segment and the other way round.
 *
 * The TLS side is a kernel-TLS socket (control records: close_notify, alerts, tickets, KeyUpdate
 * are handled here) or the plain socket of a worker's pump. Nothing is shared with the main thread
 * but a command queue, an event queue and counters.
 */

#include <siptls/base.h>
#include <siptls/ktls.h>
#include <siptls/reason.h>
#include <siptls/secret.h>

struct relay;
struct relay_link;

/*
 * How much may come from a peer: bytes a second on the average, and at once. One bucket serves all
 * sessions of a peer; who finds it empty is not read until it fills again, which is back-pressure
 * and loses nothing.
 */
struct relay_bucket;

struct relay_bucket *relay_bucket_new(uint64_t bytes_per_second, uint64_t burst);
/* Also while links use it. */
void relay_bucket_set(struct relay_bucket *bucket, uint64_t bytes_per_second, uint64_t burst);
struct relay_bucket *relay_bucket_ref(struct relay_bucket *bucket);
struct relay_bucket *relay_bucket_unref(struct relay_bucket *bucket); /* NULL is fine */

struct relay_spec {
	int tls_fd;   /* taken over on success */
	int plain_fd; /* taken over on success */
	bool kernel;  /* tls_fd is a kernel-TLS socket with both keys installed */
	enum ktls_version version;
	enum ktls_cipher cipher;
	bool dialled;			    /* we are the TLS client */
	bool rekey;			    /* this kernel can change keys */
	const struct traffic_keys *tx, *rx; /* copied: the secrets for key updates */
	const void *early; /* to the SIP server first: bytes that had been decrypted already */
	size_t early_len;
	struct relay_bucket *bucket; /* the link takes a ref; NULL: no limit */
};

/* Read at any time from the main thread; each figure by itself is exact. */
struct relay_stats {
	uint64_t bytes_in;  /* from the peer to the SIP server */
	uint64_t bytes_out; /* from the SIP server to the peer */
	uint64_t reads_in;  /* reads that gave data (close to messages) */
	uint64_t reads_out;
	uint64_t tickets; /* session tickets swallowed */
	uint64_t key_updates_in, key_updates_out;
	uint64_t throttles;	      /* times the peer was not read because of its rate */
	uint64_t stalls;	      /* times a slow reader stopped the other side */
	uint64_t active_ms;	      /* time_monotonic_ms() of the last data, 0: none yet */
	bool peer_done, backend_done; /* that side has ended its stream */
};

/*
 * A link has ended: both sockets are closed. @alert is the peer's alert number or ALERT_NONE, @lost
 * the number of bytes that were read from one side and could not be delivered. Called on the main
 * thread, by relay_dispatch(); the callee calls relay_link_free().
 */
struct relay_end {
	enum reason reason;
	uint8_t alert;
	uint64_t lost;
};

typedef void (*relay_ended_fn)(void *userdata, struct relay_link *link, void *link_userdata,
			       const struct relay_end *end);

int relay_new(unsigned int threads, uint32_t half_close_timeout_ms, relay_ended_fn ended,
	      void *userdata, struct relay **ret) _must_check_;
/* Stops the threads and closes every link, without calling ended. */
struct relay *relay_free(struct relay *relay);

int relay_event_fd(const struct relay *relay); /* readable: call relay_dispatch() */
void relay_dispatch(struct relay *relay);
void relay_half_close_timeout_set(struct relay *relay, uint32_t ms);

/* 0, or -errno with both sockets still the caller's. */
int relay_link_new(struct relay *relay, const struct relay_spec *spec, void *link_userdata,
		   struct relay_link **ret) _must_check_;
/* Send close_notify, close both sides, report @reason. Asynchronous; harmless if it has ended. */
void relay_link_end(struct relay_link *link, enum reason reason);
void relay_link_stats(const struct relay_link *link, struct relay_stats *ret);
/* Only after ended() was called for it. NULL is fine; returns NULL. */
struct relay_link *relay_link_free(struct relay_link *link);
