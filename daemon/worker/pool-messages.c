/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What workers say, checked like a stranger's words: an answer must be owed, and come with exactly
 * the descriptor it needs. A worker that says anything else is killed.
 */

#include "worker/pool.h"

#include <signal.h>
#include <sys/socket.h>

#define RECEIVE_MAX 32 /* messages of one worker in one round of the loop */

void worker_pool_fail(struct worker_pool *pool, const struct conf_error *error)
{
	pool->announced = true;
	pool->failed = true;
	pool->ops->ready(pool->userdata, pool, error);
}

/* ---- jobs ---- */

struct pool_job *worker_pool_job_find(const struct worker_pool *pool, uint64_t id)
{
	struct worker_table_node *node = worker_table_find(&pool->jobs, id);

	return node ? container_of(node, struct pool_job, node) : NULL;
}

void worker_pool_job_end(struct pool_job *job)
{
	worker_table_remove(&job->worker->pool->jobs, &job->node);
	list_remove(&job->cancel_link);
	list_remove(&job->link);
	job->worker->n_jobs--;
	free(job);
}

/* ---- ends of workers ---- */

void worker_condemn(struct worker *worker)
{
	if (worker->condemned)
		return;
	worker->condemned = true;
	/* Before its channel closes, which an obedient worker would end at by itself. */
	if (worker->pid > 0)
		(void)kill(worker->pid, SIGKILL);
	channel_done(&worker->channel);
}

/* A retired worker closes its channel when it owes nothing; any other has no reason to. */
static void worker_eof(struct worker *worker)
{
	if (worker->pool->retiring && worker->n_jobs == 0)
		channel_done(&worker->channel);
	else
		worker_condemn(worker);
}

int worker_post(struct worker *worker, struct worker_message *message, int fd)
{
	struct worker_pool *pool = worker->pool;
	size_t size;
	int r;

	r = worker_message_encode(message, pool->buf, &size);
	if (r < 0)
		return r;
	return channel_post(&worker->channel, pool->buf, size, fd);
}

/* ---- messages from workers ---- */

static void certificate_free(struct pool_certificate *c)
{
	list_remove(&c->link);
	worker_certificate_done(&c->certificate);
	free(c);
}

void worker_forget_certificates(struct worker *worker)
{
	while (!list_empty(&worker->certificates))
		certificate_free(
			container_of(worker->certificates.next, struct pool_certificate, link));
}

/*
 * Kept until the hello: a worker that ends before it is replaced, and its successor tells all of
 * them again.
 */
static bool on_certificate(struct worker *worker, struct worker_certificate *certificate)
{
	struct pool_certificate *c;

	if (worker->ready || worker->n_certificates++ == WORKER_CERTIFICATES_MAX)
		return false;
	if (worker->pool->announced)
		return true;
	c = calloc(1, sizeof(*c));
	if (!c)
		return false;
	c->certificate = *certificate;
	*certificate = (struct worker_certificate){};
	list_append(&worker->certificates, &c->link);
	return true;
}

static void hand_on_certificates(struct worker *worker)
{
	struct worker_pool *pool = worker->pool;

	while (!list_empty(&worker->certificates) && !pool->dead) {
		struct pool_certificate *c =
			container_of(worker->certificates.next, struct pool_certificate, link);

		pool->ops->certificate(pool->userdata, &c->certificate);
		certificate_free(c);
	}
}

static bool on_hello(struct worker *worker, const struct worker_hello *hello)
{
	struct worker_pool *pool = worker->pool;

	if (worker->ready || (!hello->valid && pool->announced))
		return false;
	if (!hello->valid) {
		worker_pool_fail(pool, &hello->error);
		return true;
	}
	worker->ready = true;
	if (pool->announced)
		return true;
	pool->announced = true;
	worker_pool_fill(pool);
	hand_on_certificates(worker);
	if (!pool->dead)
		pool->ops->ready(pool->userdata, pool, NULL);
	return true;
}

/* The daemon reads and writes this end for as long as the session lives: it is what we expect. */
static bool is_stream(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

static bool on_result(struct worker *worker, struct worker_result *result)
{
	struct worker_pool *pool = worker->pool;
	struct pool_job *job = worker_pool_job_find(pool, result->id);
	bool pumps = result->reason == REASON_OK && !result->kernel;
	bool wanted;

	if (!job || job->worker != worker || job->pumped)
		return false;
	if (pumps ? !is_stream(result->pump_fd) : result->pump_fd >= 0)
		return false;
	wanted = !job->cancelled;
	if (pumps)
		job->pumped = true;
	else
		worker_pool_job_end(job);
	if (wanted)
		pool->ops->result(pool->userdata, result);
	return true;
}

static bool on_pump_end(struct worker *worker, const struct worker_pump_end *end)
{
	struct worker_pool *pool = worker->pool;
	struct pool_job *job = worker_pool_job_find(pool, end->id);
	bool wanted;

	if (!job || job->worker != worker || !job->pumped)
		return false;
	wanted = !job->cancelled;
	worker_pool_job_end(job);
	if (wanted)
		pool->ops->pump_end(pool->userdata, end);
	return true;
}

/* false: no honest worker sends this. @fd goes with the message if it has a place for it. */
static bool worker_dispatch(struct worker *worker, struct worker_message *m, int fd)
{
	if (m->type == WORKER_MSG_RESULT) {
		m->result.pump_fd = fd;
		return on_result(worker, &m->result);
	}
	if (fd >= 0) {
		fd_close(fd);
		return false;
	}
	switch (m->type) {
	case WORKER_MSG_HELLO:
		return on_hello(worker, &m->hello);
	case WORKER_MSG_CERTIFICATE:
		return on_certificate(worker, &m->certificate);
	case WORKER_MSG_PUMP_END:
		return on_pump_end(worker, &m->pump_end);
	case WORKER_MSG_RESULT:
	case WORKER_MSG_BOARD:
	case WORKER_MSG_JOB:
	case WORKER_MSG_CANCEL:
	case WORKER_MSG_RETIRE:
	case _WORKER_MSG_MAX:
		break;
	}
	return false;
}

bool worker_receive(struct worker *worker)
{
	struct worker_pool *pool = worker->pool;
	size_t size;
	bool good = false;
	int r, fd;

	if (worker->condemned || !worker->channel.io || pool->dead)
		return false;
	r = channel_receive(&worker->channel, pool->buf, sizeof(pool->buf), &size, &fd);
	if (r == CHANNEL_E_AGAIN)
		return false;
	if (r == CHANNEL_E_EOF) {
		worker_eof(worker);
		return false;
	}
	if (r == 0) {
		r = worker_message_decode(pool->buf, size, &pool->message);
		memory_wipe(pool->buf, size);
		if (r == 0)
			good = worker_dispatch(worker, &pool->message, fd);
		else
			fd_close(fd);
		worker_message_done(&pool->message);
	}
	if (!good)
		worker_condemn(worker);
	return good;
}

int worker_on_channel(void *userdata, int fd _unused_, unsigned int events)
{
	struct worker *worker = userdata;
	struct worker_pool *pool = worker->pool;

	worker_pool_enter(pool);
	if ((events & LOOP_WRITE) && channel_flush(&worker->channel) < 0)
		worker_condemn(worker);
	if (events & (LOOP_READ | LOOP_HANGUP))
		for (int i = 0; i < RECEIVE_MAX && worker_receive(worker); i++)
			;
	return worker_pool_leave(pool);
}
