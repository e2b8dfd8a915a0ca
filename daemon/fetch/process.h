/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon's side: fetch.c (what session asks), process.c (start, end and watch) and answers.c
 * (what siptls-fetch says).
 */

#include "fetch/book.h"
#include "fetch/reach.h"

#define FETCH_RESPAWN_MAX 10 /* in the window that process.c sets */

enum fetch_request_kind { FETCH_REQUEST_RESOLVE, FETCH_REQUEST_PREVIEW, FETCH_REQUEST_PING };

/* What siptls-fetch owes an answer to. */
struct fetch_request {
	struct list link;
	enum fetch_request_kind kind;
	uint64_t number;   /* on the channel: never used twice, unlike the caller's */
	uint64_t id;	   /* the caller's */
	uint64_t deadline; /* later the process hangs, or keeps the answer back */
	bool cancelled;
	uint8_t *question; /* the message, to be asked again of the next process; NULL: it is not */
	size_t question_size;
	int fd; /* that goes with it, or -1 */
};

struct fetch {
	struct loop *loop;
	char *executable;
	const struct fetch_ops *ops;
	void *userdata;

	pid_t pid; /* 0: none, or reaped */
	struct channel channel;
	struct loop_source *child;
	bool running;	 /* the channel is open */
	bool restarting; /* it was ended on purpose: what it was asked the next one is asked */

	struct loop_source *respawn_timer;
	uint64_t respawns;
	uint64_t respawn_times[FETCH_RESPAWN_MAX]; /* a ring */

	struct loop_source *watch_timer;
	struct list requests; /* sent, in that order */
	struct list lost;     /* whose answer is that there will be none */
	struct loop_source *lost_timer;
	uint64_t next_number;

	bool has_plan;
	struct fetch_bytes plan;
	struct fetch_reach reach; /* of that plan */
	uint32_t dns_timeout_ms;
	struct fetch_learned issuers, urls;
	struct fetch_names names; /* of sources */
	size_t learned_since_plan;

	unsigned int busy; /* depth of calls that still need all this after an op */
	bool dead;	   /* freed meanwhile */

	uint8_t buf[FETCH_MESSAGE_MAX];
};

/* Ops may free it: between enter and leave it is only marked. leave() returns 0. */
void fetch_enter(struct fetch *fetch);
int fetch_leave(struct fetch *fetch);

/* ---- process.c ---- */

int fetch_process_start(struct fetch *fetch) _must_check_;
/* Kill it; what is lost with it is told when it has ended. */
void fetch_process_end(struct fetch *fetch);
/* The same, but what it was asked is asked of the next one. */
void fetch_process_restart(struct fetch *fetch);
/* What cannot be sent ends the process: the next one is told everything anew. */
void fetch_process_post(struct fetch *fetch, const uint8_t *bytes, size_t size, int fd);
void fetch_process_send(struct fetch *fetch, struct fetch_message *message);
void fetch_process_send_plan(struct fetch *fetch);
int fetch_process_watch(struct fetch *fetch) _must_check_;
void fetch_process_done(struct fetch *fetch);

/* ---- answers.c ---- */

/* A loop_io_fn. */
int fetch_on_channel(void *userdata, int fd, unsigned int events);
/* Read what it said before it ended. */
void fetch_receive_rest(struct fetch *fetch);
struct fetch_request *fetch_request_new(struct fetch *fetch, enum fetch_request_kind kind,
					uint64_t id, uint64_t ms);
/* Without an answer. */
void fetch_request_free(struct fetch_request *request);
/* Ask the process that has just started what the one before has not answered. */
void fetch_ask_again(struct fetch *fetch);
/* Answer what is in the list of the lost. */
void fetch_answer_lost(struct fetch *fetch);
