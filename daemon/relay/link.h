/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One link: two sockets and what flows between them. Private to relay; everything here runs in the
 * thread that owns the link, except the counters, which the main thread reads.
 */

#include <siptls/relay.h>
#include <stdatomic.h>

#define RELAY_BUFFER_SIZE                                                                          \
	(64 * 1024) /* of a thread; one read, and the bound of a flow's backlog                    \
		     */

struct relay_thread;

/* Sides of a link; a flow is named by the side its bytes come from. */
enum relay_side { RELAY_PEER, RELAY_BACKEND, _RELAY_SIDE_MAX };

struct relay_flow {
	uint8_t *backlog; /* read and not yet written; NULL: nothing */
	uint32_t backlog_len, backlog_done;
	bool ended;	/* the source has ended its stream */
	bool forwarded; /* ... and the destination has been told */
};

struct relay_end_point {
	struct relay_link *link;
	int fd;
	uint32_t events; /* registered with epoll; 0: not registered */
};

/* Progress in the handshake messages of type-22 records, which may be cut anywhere. */
struct relay_messages {
	uint8_t header[4];
	uint8_t have;  /* bytes of @header */
	uint32_t skip; /* bytes of the current message still to come */
};

struct relay_counters {
	_Atomic uint64_t bytes[_RELAY_SIDE_MAX], reads[_RELAY_SIDE_MAX];
	_Atomic uint64_t tickets, key_updates_in, key_updates_out, throttles, stalls, active_ms;
	_Atomic bool done[_RELAY_SIDE_MAX];
};

struct relay_link {
	struct relay_thread *thread;
	void *userdata;
	struct relay_end_point end[_RELAY_SIDE_MAX];
	struct relay_flow flow[_RELAY_SIDE_MAX];
	struct relay_counters counters;

	struct relay_bucket *bucket; /* NULL: no limit */
	bool kernel, dialled, rekey;
	bool held; /* the bucket's line; from joining it until the read when it is called up */
	enum ktls_version version;
	enum ktls_cipher cipher;
	struct secret tx, rx; /* for the next key update */
	bool key_update_owed; /* the peer asked for one; nothing else is sent before it */
	bool truncated;	      /* the peer's stream ended without close_notify */
	struct relay_messages messages;
	enum relay_side first_ended;
	uint64_t key_update_window_ms;
	uint8_t key_updates_in_window;

	bool over;
	uint16_t prepaid; /* under the bucket's lock: tokens put aside for a link called up */
	enum reason end_requested; /* under the thread's lock; REASON_OK: not requested */
	struct relay_end result;
	uint64_t deadline_ms;	 /* half-closed: when patience ends */
	struct list turn;	 /* in the thread's busy list or, if held, in the bucket's line */
	struct list half_closed; /* in the thread's list, by deadline */
	struct list node;	 /* in the thread's live links, its dead ones, or the ended ones */
	struct list inbox;	 /* in the thread's inbox, under its lock */
};

/*
 * Move what can be moved. Both sides are read whatever epoll said: after data the kernel may hold a
 * KeyUpdate that it has decrypted already, and then poll is silent although a read would give it
 * (seen with Linux 7.2). So a link rests only when a read has said that there is nothing.
 */
void relay_link_run(struct relay_link *link);

/* The link is over: tell the peer what there is to tell, close both sockets. Idempotent. */
void relay_link_finish(struct relay_link *link, enum reason reason, uint8_t alert);

/* ---- records.c: what is not data on a kernel-TLS socket ---- */

/* 0, or the reason for which the link has to end (with *ret_alert for REASON_PEER_ALERT). */
enum reason relay_record_handle(struct relay_link *link, uint8_t type, const uint8_t *data,
				size_t len, uint8_t *ret_alert);

/* Send the KeyUpdate the peer asked for. REASON_OK also if it has to wait for the socket. */
enum reason relay_key_update_send(struct relay_link *link);

/* ---- the thread: relay.c ---- */

uint8_t *relay_thread_buffer(struct relay_thread *thread); /* RELAY_BUFFER_SIZE bytes */
/* Register, change or remove; 0 or -errno. */
int relay_thread_watch(struct relay_thread *thread, struct relay_end_point *end, uint32_t events);
/* Run @link again after the others of this round: its peer has not been read empty. */
void relay_thread_busy(struct relay_thread *thread, struct relay_link *link);
void relay_thread_half_closed(struct relay_thread *thread, struct relay_link *link);
void relay_thread_over(struct relay_thread *thread, struct relay_link *link);

/* By the bucket, from any thread: have @link's thread run it. */
void relay_thread_call(struct relay_link *link);
/* By the bucket, from any thread: let the owner look at its buckets. */
void relay_thread_wake(struct relay_thread *thread);
/* By the bucket, in @thread itself: it owns @bucket and a reference, until it has been served. */
void relay_thread_own(struct relay_thread *thread, struct relay_bucket *bucket);
