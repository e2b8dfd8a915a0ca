/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The daemon's side: a handful of worker processes of one configuration, started, fed, watched and
 * replaced.
 *
 * Every job is answered by exactly one result, every pump by exactly one pump end, cancelled or
 * not. So the pool knows at any time what each worker still owes, and whatever else a worker
 * sends proves that it is not ours any more: it is killed.
 */

#include "worker/pool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define RESPAWN_WINDOW_MS 10000
#define SPAWN_RETRY_MS	  1000	/* after the system refused a process */
#define CANCEL_MS	  30000 /* to answer a cancel; later the worker hangs */
#define QUEUE_MAX	  256	/* messages a worker may leave unread before it gets no more jobs */

/* ---- life of the pool ---- */

static struct worker *worker_free(struct worker *worker)
{
	while (!list_empty(&worker->jobs)) {
		struct pool_job *job = container_of(worker->jobs.next, struct pool_job, link);

		list_remove(&job->link);
		free(job);
	}
	worker_forget_certificates(worker);
	worker->child = loop_source_free(worker->child);
	channel_done(&worker->channel);
	if (worker->pid > 0) {
		(void)kill(worker->pid, SIGKILL);
		while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	list_remove(&worker->link);
	worker->pool->n_workers--;
	free(worker);
	return NULL;
}

static void pool_destroy(struct worker_pool *pool)
{
	while (!list_empty(&pool->workers))
		worker_free(container_of(pool->workers.next, struct worker, link));
	worker_table_done(&pool->jobs);
	loop_source_free(pool->cancel_timer);
	loop_source_free(pool->respawn_timer);
	fd_close(pool->snapshot_fd);
	revocation_board_unref(pool->board);
	free(pool->executable);
	worker_message_done(&pool->message);
	memory_wipe(pool->buf, sizeof(pool->buf));
	free(pool);
}

void worker_pool_enter(struct worker_pool *pool)
{
	pool->busy++;
}

int worker_pool_leave(struct worker_pool *pool)
{
	void (*gone)(void *userdata) = pool->finished ? pool->ops->gone : NULL;
	void *userdata = pool->userdata;

	if (--pool->busy > 0 || !pool->dead)
		return 0;
	pool_destroy(pool);
	if (gone)
		gone(userdata);
	return 0;
}

/* A retired pool ends with its last worker, unless an op has freed it before. */
static void pool_check_finished(struct worker_pool *pool)
{
	if (!pool->retiring || pool->n_workers > 0 || pool->dead)
		return;
	pool->dead = true;
	pool->finished = true;
}

struct worker_pool *worker_pool_free(struct worker_pool *pool)
{
	if (!pool)
		return NULL;
	pool->dead = true;
	worker_pool_enter(pool);
	worker_pool_leave(pool);
	return NULL;
}

/* ---- processes ---- */

/* Tell the owner of every job that the worker owed. */
static void worker_lose_jobs(struct worker *worker)
{
	struct worker_pool *pool = worker->pool;

	while (!list_empty(&worker->jobs)) {
		struct pool_job *job = container_of(worker->jobs.next, struct pool_job, link);
		uint64_t id = job->node.id;
		bool wanted = !job->cancelled && !pool->dead;

		worker_pool_job_end(job);
		if (wanted)
			pool->ops->lost(pool->userdata, id);
	}
}

static int on_child(void *userdata, pid_t pid, int status)
{
	struct worker *worker = userdata;
	struct worker_pool *pool = worker->pool;
	bool expected;

	worker_pool_enter(pool);
	worker->pid = 0;	       /* the loop reaps it */
	while (worker_receive(worker)) /* what it finished before it ended counts */
		;
	expected = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !worker->condemned &&
		   pool->retiring && worker->n_jobs == 0;
	worker->condemned = true;
	worker_lose_jobs(worker);
	worker_free(worker);
	if (!expected && !pool->failed && !pool->dead && pool->ops->died)
		pool->ops->died(pool->userdata, pid, status);
	pool->deaths++;
	worker_pool_fill(pool);
	pool_check_finished(pool);
	return worker_pool_leave(pool);
}

/* A worker that has ended meanwhile needs none, and what it sent before is still read. */
static int worker_post_board(struct worker *worker)
{
	struct worker_message message = { .type = WORKER_MSG_BOARD };
	struct revocation_board *board = worker->pool->board;
	int r;

	if (!board)
		return 0;
	r = worker_post(worker, &message, revocation_board_fd(board));
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

static int worker_start(struct worker_pool *pool)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int r, fd;

	if (!worker)
		return -ENOMEM;
	worker->pool = pool;
	list_init(&worker->jobs);
	list_init(&worker->certificates);
	list_append(&pool->workers, &worker->link);
	pool->n_workers++;
	r = channel_spawn(pool->executable, pool->snapshot_fd, &fd, &worker->pid);
	if (r == 0) {
		r = channel_init(&worker->channel, pool->loop, fd, worker_on_channel, worker);
		if (r < 0)
			fd_close(fd);
		else
			r = loop_child_add(pool->loop, worker->pid, on_child, worker,
					   &worker->child);
		if (r == 0)
			r = worker_post_board(worker);
	}
	if (r < 0)
		worker_free(worker);
	return r;
}

static int on_respawn(void *userdata)
{
	struct worker_pool *pool = userdata;

	worker_pool_enter(pool);
	worker_pool_fill(pool);
	return worker_pool_leave(pool);
}

static void respawn_later(struct worker_pool *pool, uint64_t ms)
{
	int r;

	if (pool->respawn_timer)
		r = loop_timer_set(pool->respawn_timer, ms);
	else
		r = loop_timer_add(pool->loop, ms, on_respawn, pool, &pool->respawn_timer);
	/* No timer, no memory: the next death of a worker tries again. */
	(void)r;
}

/* Milliseconds until the rate limit allows one more replacement; 0: now. */
static uint64_t respawn_wait(const struct worker_pool *pool, uint64_t now)
{
	uint64_t oldest = pool->respawn_times[pool->respawns % WORKER_RESPAWN_MAX];

	if (pool->respawns < WORKER_RESPAWN_MAX || now - oldest >= RESPAWN_WINDOW_MS)
		return 0;
	return RESPAWN_WINDOW_MS - (now - oldest);
}

/* The first worker never came to hello: there is nothing to wait for. */
static void pool_give_up(struct worker_pool *pool)
{
	struct conf_error error = {};

	snprintf(error.file, sizeof(error.file), "%s", pool->executable);
	snprintf(error.text, sizeof(error.text),
		 "expected the handshake process to get ready, found that it ends at its start, "
		 "%d times",
		 WORKER_RESPAWN_MAX + 1);
	worker_pool_fail(pool, &error);
}

void worker_pool_fill(struct worker_pool *pool)
{
	uint32_t target = pool->announced ? pool->n : 1;

	while (pool->n_workers < target && !pool->failed && !pool->retiring && !pool->dead) {
		uint64_t now = time_monotonic_ms();
		uint64_t wait = pool->deaths > 0 ? respawn_wait(pool, now) : 0;

		if (pool->respawns >= WORKER_RESPAWN_MAX && !pool->announced) {
			pool_give_up(pool);
			return;
		}
		if (wait == 0 && worker_start(pool) < 0)
			wait = SPAWN_RETRY_MS;
		if (wait > 0) {
			respawn_later(pool, wait);
			return;
		}
		if (pool->deaths > 0) {
			pool->respawn_times[pool->respawns++ % WORKER_RESPAWN_MAX] = now;
			pool->deaths--;
		}
	}
}

int worker_pool_new(struct loop *loop, const char *executable, uint32_t n,
		    const struct conf_snapshot *snapshot, const struct worker_pool_ops *ops,
		    void *userdata, struct worker_pool **ret)
{
	struct worker_pool *pool = calloc(1, sizeof(*pool));
	int r;

	if (!pool)
		return -ENOMEM;
	pool->loop = loop;
	pool->n = n;
	pool->ops = ops;
	pool->userdata = userdata;
	list_init(&pool->workers);
	list_init(&pool->cancelled);
	pool->executable = strdup(executable);
	/* Of its own: the pool outlives the snapshot of a configuration that was replaced. */
	pool->snapshot_fd = fcntl(conf_snapshot_fd(snapshot), F_DUPFD_CLOEXEC, 0);
	if (!pool->executable)
		r = -ENOMEM;
	else if (pool->snapshot_fd < 0)
		r = -errno;
	else
		r = worker_start(pool);
	if (r < 0) {
		pool_destroy(pool);
		return r;
	}
	*ret = pool;
	return 0;
}

/* ---- what session asks ---- */

static struct worker *pick(const struct worker_pool *pool)
{
	struct worker *best = NULL;

	list_foreach (link, &pool->workers) {
		struct worker *worker = container_of(link, struct worker, link);

		if (!worker->ready || worker->condemned || !worker->channel.io ||
		    worker->channel.n_queued >= QUEUE_MAX)
			continue;
		if (!best || worker->n_jobs < best->n_jobs)
			best = worker;
	}
	return best;
}

int worker_pool_submit(struct worker_pool *pool, const struct worker_job *job, int fd)
{
	struct worker_message message = { .type = WORKER_MSG_JOB, .job = *job };
	_cleanup_free_ struct pool_job *new = NULL;
	int r;

	if (pool->retiring || pool->dead)
		return WORKER_E_UNAVAILABLE;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->node.id = job->id;
	list_init(&new->cancel_link);
	r = worker_table_add(&pool->jobs, &new->node);
	if (r < 0)
		return r;
	r = WORKER_E_UNAVAILABLE;
	while ((new->worker = pick(pool))) {
		r = worker_post(new->worker, &message, fd);
		if (r != -EPIPE && r != -ECONNRESET)
			break;
		/* It has ended; what it sent before is still read when its death is told. */
		new->worker->ready = false;
		r = WORKER_E_UNAVAILABLE;
	}
	if (r != 0) {
		worker_table_remove(&pool->jobs, &new->node);
		return r;
	}
	list_append(&new->worker->jobs, &new->link);
	new->worker->n_jobs++;
	steal_ptr(new);
	return 0;
}

/* Which worker left a cancel unanswered for so long hangs, and with it every job it has. */
static int on_cancel_due(void *userdata)
{
	struct worker_pool *pool = userdata;
	uint64_t now = time_monotonic_ms();

	while (!list_empty(&pool->cancelled)) {
		struct pool_job *job =
			container_of(pool->cancelled.next, struct pool_job, cancel_link);

		if (job->cancel_deadline > now)
			return loop_timer_set(pool->cancel_timer, job->cancel_deadline - now);
		list_remove(&job->cancel_link);
		worker_condemn(job->worker);
	}
	pool->cancel_timer = loop_source_free(pool->cancel_timer);
	return 0;
}

void worker_pool_cancel(struct worker_pool *pool, uint64_t id)
{
	struct worker_message message = { .type = WORKER_MSG_CANCEL, .cancel_id = id };
	struct pool_job *job = worker_pool_job_find(pool, id);

	if (!job || job->cancelled)
		return;
	job->cancelled = true;
	job->cancel_deadline = time_monotonic_ms() + CANCEL_MS;
	list_append(&pool->cancelled, &job->cancel_link);
	if (job->worker->condemned)
		return;
	/* A worker that cannot be watched or reached would keep the job for ever. */
	if ((!pool->cancel_timer &&
	     loop_timer_add(pool->loop, CANCEL_MS, on_cancel_due, pool, &pool->cancel_timer) < 0) ||
	    worker_post(job->worker, &message, -1) < 0)
		worker_condemn(job->worker);
}

void worker_pool_retire(struct worker_pool *pool)
{
	struct worker_message message = { .type = WORKER_MSG_RETIRE };

	if (pool->retiring)
		return;
	worker_pool_enter(pool);
	pool->retiring = true;
	list_foreach (link, &pool->workers) {
		struct worker *worker = container_of(link, struct worker, link);

		if (!worker->condemned && worker_post(worker, &message, -1) < 0)
			worker_condemn(worker);
	}
	pool_check_finished(pool);
	worker_pool_leave(pool);
}

void worker_pool_board(struct worker_pool *pool, struct revocation_board *board)
{
	struct revocation_board *old = pool->board;

	pool->board = board ? revocation_board_ref(board) : NULL;
	revocation_board_unref(old);
	list_foreach (link, &pool->workers) {
		struct worker *worker = container_of(link, struct worker, link);

		if (!worker->condemned && worker->channel.io && worker_post_board(worker) < 0)
			worker_condemn(worker);
	}
}

void worker_pool_stats(const struct worker_pool *pool, struct worker_pool_stats *ret)
{
	*ret = (struct worker_pool_stats){ .workers = pool->n_workers,
					   .jobs = (uint32_t)pool->jobs.n,
					   .respawns = pool->respawns };
}
