/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One end of the channel between daemon and worker: messages whole, in order, each with at most
 * one descriptor. What the socket does not take now waits in a queue; the queue's memory is wiped,
 * because results hold keys.
 */

#include <siptls/loop.h>

struct worker_channel {
	int fd;
	struct loop_source *io;
	struct list queue;
	size_t n_queued;
};

enum {
	WORKER_CHANNEL_E_AGAIN = 1, /* nothing to read now */
	WORKER_CHANNEL_E_EOF,	    /* the other end is closed */
	WORKER_CHANNEL_E_MALFORMED, /* longer than any message, or with several descriptors */
};

/* A connected pair, non-blocking, each side able to hold the longest message. */
int worker_channel_pair(int ret[2]) _must_check_;

/* Takes @fd over on success; @fn is called for LOOP_READ, LOOP_WRITE and LOOP_HANGUP. */
int worker_channel_init(struct worker_channel *c, struct loop *loop, int fd, loop_io_fn fn,
			void *userdata) _must_check_;
void worker_channel_done(struct worker_channel *c); /* safe twice */

/* 0: sent or queued. @fd (-1: none) stays the caller's. */
int worker_channel_post(struct worker_channel *c, const uint8_t *buf, size_t size,
			int fd) _must_check_;
/* To be called on LOOP_WRITE. */
int worker_channel_flush(struct worker_channel *c) _must_check_;
/* *ret_fd is -1 or a descriptor that is now the caller's. */
int worker_channel_receive(struct worker_channel *c, uint8_t *buf, size_t size, size_t *ret_size,
			   int *ret_fd) _must_check_;
