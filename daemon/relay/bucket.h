/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The token bucket of a peer, as links and threads see it. Any thread may take from it; a link that
 * must wait joins the bucket's one line, whatever thread it lives in. While there is a line, the
 * thread of its first comer owns the bucket: it keeps the time and calls the links up in turn.
 */

#include <pthread.h>
#include <siptls/relay.h>
#include <stdatomic.h>

/* So much must be there before anybody reads: waking up for every byte would be work for nothing.
 */
#define RELAY_BUCKET_PORTION 2048

struct relay_thread;

struct relay_bucket {
	atomic_uint refs;
	/*
	 * CLOCK_MONOTONIC in ns from which on anybody may read; 0: always, there is no limit;
	 * UINT64_MAX: those in the line come first. Read without the lock, a hint.
	 */
	_Atomic uint64_t open_ns;
	_Atomic uint64_t due_ns; /* when the owner has to do something; 0: at once */

	pthread_mutex_t lock; /* for all below; nobody takes another bucket's under it */
	uint64_t rate, burst; /* rate 0: no limit */
	int64_t tokens;	      /* negative: debt, for a read is taken as it comes */
	uint64_t filled_ns;   /* @tokens is right for this time */
	struct list line;     /* of relay_link.turn */
	struct relay_thread *owner;
	struct list owned; /* in the owner's list, which the owner alone touches */
};

/*
 * May @link read from its peer? false: it has joined the line, and is run again when it is its
 * turn. Every read that follows a true is told to relay_bucket_take().
 */
bool relay_bucket_admit(struct relay_link *link);
/* @link has read @len bytes, perhaps none; what was put aside for it and is more goes back. */
void relay_bucket_take(struct relay_link *link, size_t len);
/* Bytes that came from the peer before there was a link. */
void relay_bucket_take_early(struct relay_bucket *bucket, size_t len);
/* @link is over: it waits no more. */
void relay_bucket_leave(struct relay_link *link);

/*
 * By the owner: call up whoever may read now. Milliseconds until the next has its turn, or -1: the
 * line is empty, the bucket is no longer owned and may be gone.
 */
int relay_bucket_serve(struct relay_bucket *bucket);
/* By the owner's thread, which has stopped. */
void relay_bucket_disown(struct relay_bucket *bucket);
