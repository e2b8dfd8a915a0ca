/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The pool's own structs, and what pool.c (processes, and what session asks) and pool-messages.c
 * (what workers say) need of one another.
 */

#include "worker/message.h"
#include "worker/table.h"

#include <siptls/channel.h>
#include <siptls/worker.h>

#define WORKER_RESPAWN_MAX	10    /* in the window that pool.c sets */
#define WORKER_CERTIFICATES_MAX 65536 /* of one configuration: anchors count once for each set */

struct worker {
	struct list link; /* in the pool */
	struct worker_pool *pool;
	pid_t pid; /* 0: reaped */
	struct channel channel;
	struct loop_source *child;
	struct list jobs;
	uint32_t n_jobs;
	struct list certificates; /* told before its hello; only of the first worker */
	size_t n_certificates;
	bool ready;
	bool condemned; /* it is ending: read nothing more from it and give it nothing */
};

struct pool_job {
	struct worker_table_node node;
	struct list link;	 /* in its worker's list */
	struct list cancel_link; /* in the pool's list, in the order of their deadlines */
	struct worker *worker;
	uint64_t cancel_deadline;
	bool pumped;	/* the result has come; the pump's end is still to come */
	bool cancelled; /* nobody is interested any more */
};

struct pool_certificate {
	struct list link; /* in its worker's list */
	struct worker_certificate certificate;
};

struct worker_pool {
	struct loop *loop;
	char *executable;
	int snapshot_fd;
	struct revocation_board *board; /* NULL: none yet */
	uint32_t n;			/* workers there should be, once the first has said hello */
	const struct worker_pool_ops *ops;
	void *userdata;

	struct list workers;
	uint32_t n_workers;
	struct worker_table jobs;
	struct list cancelled;
	struct loop_source *cancel_timer;

	bool announced; /* ready() was called */
	bool failed;	/* and told of a mistake: no worker is started any more */
	bool retiring;

	uint32_t deaths; /* not made up for yet */
	uint64_t respawns;
	uint64_t respawn_times[WORKER_RESPAWN_MAX]; /* a ring */
	struct loop_source *respawn_timer;

	unsigned int busy; /* depth of calls that still need the pool after an op */
	bool dead;	   /* freed meanwhile */
	bool finished;	   /* and that by itself, after it was retired */

	struct worker_message message;
	uint8_t buf[WORKER_MESSAGE_MAX];
};

/* Ops may free the pool: between enter and leave it is only marked. leave() returns 0. */
void worker_pool_enter(struct worker_pool *pool);
int worker_pool_leave(struct worker_pool *pool);
/* Start what is missing, as far as the rate limit allows; come back for the rest. */
void worker_pool_fill(struct worker_pool *pool);

void worker_pool_fail(struct worker_pool *pool, const struct conf_error *error);
struct pool_job *worker_pool_job_find(const struct worker_pool *pool, uint64_t id);
void worker_pool_job_end(struct pool_job *job);

void worker_forget_certificates(struct worker *worker);

/* It is ending or must end: the rest happens when the process has. */
void worker_condemn(struct worker *worker);
int worker_post(struct worker *worker, struct worker_message *message, int fd) _must_check_;
/* One message. false: there is none, or none will be read from this worker any more. */
bool worker_receive(struct worker *worker);
/* A loop_io_fn. */
int worker_on_channel(void *userdata, int fd, unsigned int events);
