/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * channel - messages between our own processes: a socket pair that keeps them whole and in order,
 * each with at most one descriptor, and the start of the process at the other end. What a message
 * says is written with wire.h.
 *
 * Called by worker and fetch, on both sides. What the socket does not take now waits in a queue;
 * the queue's memory is wiped, because messages may hold keys.
 */

#include <siptls/loop.h>

#define CHANNEL_MESSAGE_MAX (192 * 1024) /* bytes */

/* Where a started process finds its descriptors. */
#define CHANNEL_FD	 3
#define CHANNEL_FD_EXTRA 4

/*
 * For the main of a started process: is it one? Then let go of everything but the channel and, with
 * @extra, CHANNEL_FD_EXTRA: the end is the channel's, or the daemon's if the process no longer
 * looks.
 */
bool channel_is_given(void);
int channel_detach(bool extra) _must_check_;

struct channel {
	int fd;
	struct loop_source *io;
	struct list queue;
	size_t n_queued;
};

enum {
	CHANNEL_E_AGAIN = 1, /* nothing to read now */
	CHANNEL_E_EOF,	     /* the other end is closed */
	CHANNEL_E_MALFORMED, /* longer than any message, or with several descriptors */
};

/* A connected pair, non-blocking, each side able to hold the longest message. */
int channel_pair(int ret[2]) _must_check_;

/*
 * Start @executable with one end of a new pair at CHANNEL_FD, a copy of @extra_fd (-1: none) at
 * CHANNEL_FD_EXTRA, no environment and default signals. *ret_channel is the other end.
 */
int channel_spawn(const char *executable, int extra_fd, int *ret_channel,
		  pid_t *ret_pid) _must_check_;

/* Takes @fd over on success; @fn is called for LOOP_READ, LOOP_WRITE and LOOP_HANGUP. */
int channel_init(struct channel *c, struct loop *loop, int fd, loop_io_fn fn,
		 void *userdata) _must_check_;
void channel_done(struct channel *c); /* safe twice */

/* 0: sent or queued. @fd (-1: none) stays the caller's. */
int channel_post(struct channel *c, const uint8_t *buf, size_t size, int fd) _must_check_;
/* To be called on LOOP_WRITE. */
int channel_flush(struct channel *c) _must_check_;
/* *ret_fd is -1 or a descriptor that is now the caller's. */
int channel_receive(struct channel *c, uint8_t *buf, size_t size, size_t *ret_size,
		    int *ret_fd) _must_check_;
