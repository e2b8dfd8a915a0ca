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
	_Atomic uint64_t tickets, key_updates_in, key_updates_out, stalls, active_ms;
	_Atomic bool done[_RELAY_SIDE_MAX];
};

struct relay_link {
	struct relay_thread *thread;
	void *userdata;
	struct relay_end_point end[_RELAY_SIDE_MAX];
	struct relay_flow flow[_RELAY_SIDE_MAX];
	struct relay_counters counters;

	bool kernel, dialled, rekey;
	enum ktls_version version;
	enum ktls_cipher cipher;
	struct secret tx, rx; /* for the next key update */
	bool key_update_owed; /* the peer asked for one; nothing else is sent before it */
	bool truncated;	      /* the peer's stream ended without close_notify */
	struct relay_messages messages;
	uint64_t key_update_window_ms;
	uint32_t key_updates_in_window;

	bool over;
	struct relay_end result;
	enum relay_side first_ended;
	uint64_t deadline_ms;	 /* half-closed: when patience ends */
	struct list busy;	 /* in the thread's list: to be run again at once */
	struct list half_closed; /* in the thread's list, by deadline */
	struct list node;	 /* in the thread's live links, its dead ones, or the ended ones */
	struct list inbox;	 /* in the thread's inbox, under its lock */
	enum reason end_requested; /* under the thread's lock; REASON_OK: not requested */
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

/* ---- thread.c ---- */

uint8_t *relay_thread_buffer(struct relay_thread *thread); /* RELAY_BUFFER_SIZE bytes */
/* Register, change or remove; 0 or -errno. */
int relay_thread_watch(struct relay_thread *thread, struct relay_end_point *end, uint32_t events);
/* Run @link again after the others of this round: it stopped before its sockets were empty. */
void relay_thread_busy(struct relay_thread *thread, struct relay_link *link);
void relay_thread_half_closed(struct relay_thread *thread, struct relay_link *link);
void relay_thread_over(struct relay_thread *thread, struct relay_link *link);
