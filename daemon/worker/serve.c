/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The serving side: everything a handshake process does. It reads the configuration, says hello,
 * and then runs the handshakes and pumps it is given, thousands at once, until its channel closes.
 */

#include "worker/pump.h"
#include "worker/table.h"
#include <siptls/channel.h>

#include <siptls/sandbox.h>
#include <siptls/worker.h>
#include <stdio.h>

#define RECEIVE_MAX 32 /* messages in one round of the loop */

struct server {
	struct loop *loop;
	struct channel channel;
	struct conf_snapshot *snapshot;
	struct conf *conf;
	struct tls_store *store;

	struct list jobs;
	struct worker_table table;
	bool retiring;

	struct worker_message message; /* one at a time; wiped after use */
	uint8_t buf[WORKER_MESSAGE_MAX];
};

struct job {
	struct list link;
	struct worker_table_node node;
	struct server *server;
	int fd;
	struct loop_source *io;
	struct tls_handshake *hs; /* NULL: pump has it */
	struct worker_pump *pump;
};

static struct job *job_free(struct job *job)
{
	loop_source_free(job->io);
	worker_pump_free(job->pump);
	tls_handshake_free(job->hs);
	fd_close(job->fd);
	worker_table_remove(&job->server->table, &job->node);
	list_remove(&job->link);
	free(job);
	return NULL;
}

/* ---- answers ---- */

/* A retired worker is done when it owes nothing. */
static void server_check_done(struct server *s)
{
	if (s->retiring && list_empty(&s->jobs) && list_empty(&s->channel.queue))
		loop_exit(s->loop, 0);
}

static int server_post(struct server *s, struct worker_message *m, int fd)
{
	size_t size;
	int r = worker_message_encode(m, s->buf, &size);

	if (r < 0)
		return r;
	r = channel_post(&s->channel, s->buf, size, fd);
	memory_wipe(s->buf, size);
	return r;
}

/* The result of a job that came to nothing, without a word on the peer. */
static int post_refusal(struct server *s, uint64_t id, enum reason reason, const char *detail)
{
	struct worker_message *m = &s->message;
	int r;

	memset(m, 0, sizeof(*m));
	m->type = WORKER_MSG_RESULT;
	m->result.id = id;
	m->result.reason = reason;
	m->result.alert_received = ALERT_NONE;
	m->result.pump_fd = -1;
	snprintf(m->result.detail, sizeof(m->result.detail), "%s", detail);
	r = server_post(s, m, -1);
	memory_wipe(m, sizeof(*m));
	return r;
}

static int on_pump_ended(struct job *job, struct worker_pump_end *end)
{
	struct server *s = job->server;
	struct worker_message m = { .type = WORKER_MSG_PUMP_END, .pump_end = *end };
	int r = server_post(s, &m, -1);

	job_free(job);
	server_check_done(s);
	return r;
}

static void pump_ended(void *userdata, enum reason reason, uint8_t alert_received,
		       const char *detail)
{
	struct job *job = userdata;
	struct server *s = job->server;
	struct worker_pump_end end = { .id = job->node.id,
				       .reason = reason,
				       .alert_received = alert_received };
	int r;

	snprintf(end.detail, sizeof(end.detail), "%s", detail);
	r = on_pump_ended(job, &end);
	if (r < 0)
		loop_exit(s->loop, r);
}

/* ---- handshakes ---- */

/* Certificates of the peer, above the leaf on a path that holds. @list is room for all of them. */
static void issuers_fill(const struct tls_outcome *outcome, struct worker_der *list,
			 struct worker_result *result)
{
	const struct trust_facts *facts = outcome->facts;
	uint32_t seen = 1; /* the leaf is no issuer */

	result->issuers = list;
	for (size_t i = 0; i < facts->n_paths; i++) {
		const struct trust_path *path = &facts->paths[i];

		for (size_t c = 0; path->outcome == TRUST_CHAIN_OK && c < path->n_certs; c++) {
			const struct tls_der *der = &outcome->ders[path->certs[c]];

			if (seen & UINT32_C(1) << path->certs[c])
				continue;
			seen |= UINT32_C(1) << path->certs[c];
			list[result->n_issuers++] = (struct worker_der){
				.der = (char *)(uintptr_t)der->data,
				.len = (uint32_t)der->size,
			};
		}
	}
}

/*
 * Fill in the result of a handshake that is over. Facts and issuers stay the handshake's, @issuers
 * is room for their list. *ret_fd is the daemon's end of a pump, if the job has become one.
 */
static void result_fill(struct job *job, struct worker_result *result, struct worker_der *issuers,
			int *ret_fd)
{
	struct tls_outcome outcome;
	size_t early_len = 0;
	int r = 0;

	tls_handshake_outcome(job->hs, &outcome);
	result->id = job->node.id;
	result->reason = outcome.reason;
	result->alert_received = outcome.alert_received;
	result->pump_fd = -1;
	snprintf(result->detail, sizeof(result->detail), "%s", outcome.detail);
	if (outcome.facts) {
		result->facts = *outcome.facts;
		issuers_fill(&outcome, issuers, result);
	}
	if (outcome.reason != REASON_OK)
		return;

	result->version = outcome.version;
	result->cipher = outcome.cipher;
	snprintf(result->group, sizeof(result->group), "%s", outcome.group);
	snprintf(result->sni, sizeof(result->sni), "%s", outcome.sni);
	result->identity = outcome.identity;
	result->cached = outcome.cached;
	result->kernel = outcome.kernel;
	if (outcome.kernel) {
		r = tls_handshake_export(job->hs, &result->tx, &result->rx, result->early,
					 &early_len);
		result->early_len = (uint32_t)early_len;
		if (r != 0)
			result->reason = REASON_INTERNAL;
	} else {
		r = worker_pump_new(job->server->loop, job->hs, job->fd, pump_ended, job,
				    &job->pump, ret_fd);
		if (r < 0)
			result->reason = REASON_RESOURCES;
	}
	if (r != 0)
		snprintf(result->detail, sizeof(result->detail), "%s",
			 outcome.kernel ? "the TLS library did not hand over the session"
					: "no socket pair for the session");
}

/*
 * Issuers can be met again in another handshake. If it is not for them, the peer's certificate
 * passed every limit of its own, but what it says does not fit into a message: that is too large
 * too. The facts are left out, the reason stays if there is one.
 */
static int result_shorten(struct server *s, struct worker_result *result, size_t *ret_size)
{
	int r;

	result->issuers = NULL;
	result->n_issuers = 0;
	r = worker_message_encode(&s->message, s->buf, ret_size);
	if (r != -EMSGSIZE)
		return r;
	result->facts = (struct trust_facts){};
	if (result->reason == REASON_OK) {
		result->reason = REASON_CERTIFICATE_TOO_LARGE;
		snprintf(result->detail, sizeof(result->detail),
			 "the facts of the chain exceed %d bytes", WORKER_MESSAGE_MAX);
	}
	return worker_message_encode(&s->message, s->buf, ret_size);
}

static int job_finish(struct job *job)
{
	struct server *s = job->server;
	struct worker_result *result = &s->message.result;
	struct worker_der issuers[TRUST_CHAIN_MAX];
	_cleanup_fd_ int pump_fd = -1;
	bool pumps;
	size_t size;
	int r;

	job->io = loop_source_free(job->io);
	memset(&s->message, 0, sizeof(s->message));
	s->message.type = WORKER_MSG_RESULT;
	result_fill(job, result, issuers, &pump_fd);
	r = worker_message_encode(&s->message, s->buf, &size);
	if (r == -EMSGSIZE)
		r = result_shorten(s, result, &size);
	pumps = result->reason == REASON_OK && !result->kernel;
	if (r == 0) {
		r = channel_post(&s->channel, s->buf, size, pumps ? pump_fd : -1);
		memory_wipe(s->buf, size);
	}
	memory_wipe(&s->message, sizeof(s->message));
	if (job->pump)
		job->hs = NULL; /* the pump's, with the facts that were just sent */
	if (!pumps)
		job_free(job);
	server_check_done(s);
	return r;
}

static int job_step(struct job *job)
{
	struct server *s = job->server;
	int r = tls_handshake_step(job->hs);
	uint64_t id = job->node.id;

	if (r == TLS_E_WANT_READ || r == TLS_E_WANT_WRITE) {
		r = loop_io_set(job->io, r == TLS_E_WANT_READ ? LOOP_READ : LOOP_WRITE);
		if (r >= 0)
			return 0;
	}
	if (r >= 0)
		return job_finish(job);
	job_free(job);
	r = post_refusal(s, id, r == -ENOMEM ? REASON_RESOURCES : REASON_INTERNAL, strerror(-r));
	server_check_done(s);
	return r;
}

static int on_job_io(void *userdata, int fd _unused_, unsigned int events _unused_)
{
	return job_step(userdata);
}

/* @fd is taken over in any case. */
static int on_job(struct server *s, const struct worker_job *message, int fd)
{
	struct job *job = calloc(1, sizeof(*job));
	uint64_t id = message->id;
	int r;

	if (!job) {
		fd_close(fd);
		return post_refusal(s, id, REASON_RESOURCES, "");
	}
	job->server = s;
	job->fd = fd;
	job->node.id = id;
	r = worker_table_add(&s->table, &job->node);
	if (r < 0) {
		fd_close(fd);
		free(job);
		return r == -ENOMEM ? post_refusal(s, id, REASON_RESOURCES, "") : r;
	}
	list_append(&s->jobs, &job->link);
	r = tls_handshake_new(s->store, &message->tls, fd, &job->hs);
	if (r >= 0)
		r = loop_io_add(s->loop, fd, 0, on_job_io, job, &job->io);
	if (r >= 0)
		return job_step(job);
	job_free(job);
	return post_refusal(s, id, r == -ENOMEM ? REASON_RESOURCES : REASON_INTERNAL, strerror(-r));
}

/* A job that is over already has been answered: the cancel and the answer have met on the way. */
static int on_cancel(struct server *s, uint64_t id)
{
	struct worker_table_node *node = worker_table_find(&s->table, id);
	struct worker_pump_end end = { .id = id,
				       .reason = REASON_ADMIN_CLOSED,
				       .alert_received = ALERT_NONE };
	struct job *job;
	int r;

	if (!node)
		return 0;
	job = container_of(node, struct job, node);
	if (job->pump)
		return on_pump_ended(job, &end);
	job_free(job);
	r = post_refusal(s, id, REASON_ADMIN_CLOSED, "");
	server_check_done(s);
	return r;
}

/* ---- channel ---- */

/* Handshakes that are under way look it up there, too: none of them has been judged yet. */
static int on_board(struct server *s, int fd)
{
	struct revocation_board *board;
	int r = revocation_board_open(fd, &board);

	if (r != 0) {
		fd_close(fd);
		return r < 0 ? r : -EPROTO;
	}
	tls_store_board(s->store, board);
	revocation_board_unref(board);
	return 0;
}

/* The daemon is trusted: what it should not send means that one of us is broken. */
static int server_dispatch(struct server *s, int fd)
{
	struct worker_job job;

	switch (s->message.type) {
	case WORKER_MSG_JOB:
		if (fd < 0)
			return -EPROTO;
		job = s->message.job;
		return on_job(s, &job, fd);
	case WORKER_MSG_BOARD:
		return fd < 0 ? -EPROTO : on_board(s, fd);
	case WORKER_MSG_CANCEL:
		fd_close(fd);
		return on_cancel(s, s->message.cancel_id);
	case WORKER_MSG_RETIRE:
		fd_close(fd);
		s->retiring = true;
		server_check_done(s);
		return 0;
	case WORKER_MSG_HELLO:
	case WORKER_MSG_CERTIFICATE:
	case WORKER_MSG_RESULT:
	case WORKER_MSG_PUMP_END:
	case _WORKER_MSG_MAX:
		break;
	}
	fd_close(fd);
	return -EPROTO;
}

static int server_receive(struct server *s)
{
	size_t size;
	int r, fd;

	for (int i = 0; i < RECEIVE_MAX; i++) {
		r = channel_receive(&s->channel, s->buf, sizeof(s->buf), &size, &fd);
		if (r == CHANNEL_E_AGAIN)
			return 0;
		if (r == CHANNEL_E_EOF) {
			loop_exit(s->loop, 0);
			return 0;
		}
		if (r != 0)
			return r < 0 ? r : -EPROTO;
		r = worker_message_decode(s->buf, size, &s->message);
		if (r != 0) {
			fd_close(fd);
			return r < 0 ? r : -EPROTO;
		}
		r = server_dispatch(s, fd);
		if (r < 0)
			return r;
	}
	return 0;
}

static int on_channel(void *userdata, int fd _unused_, unsigned int events)
{
	struct server *s = userdata;
	int r = 0;

	if (events & LOOP_WRITE) {
		r = channel_flush(&s->channel);
		server_check_done(s);
	}
	if (r >= 0 && (events & (LOOP_READ | LOOP_HANGUP)))
		r = server_receive(s);
	/* The daemon went away while something was on its way to it: the same as its end. */
	if (r == -EPIPE || r == -ECONNRESET) {
		loop_exit(s->loop, 0);
		r = 0;
	}
	return r;
}

/* ---- life ---- */

static struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	while (!list_empty(&s->jobs))
		job_free(container_of(s->jobs.next, struct job, link));
	worker_table_done(&s->table);
	channel_done(&s->channel);
	tls_store_free(s->store);
	conf_free(s->conf);
	conf_snapshot_free(s->snapshot);
	loop_free(s->loop);
	memory_wipe(s, sizeof(*s));
	free(s);
	return NULL;
}

static void server_freep(struct server **s)
{
	server_free(*s);
}

/* 0, CONF_E_INVALID with *reterr, or -errno. */
static int server_configure(struct server *s, int snapshot_fd, struct conf_error *reterr)
{
	int r;

	r = tls_global_init();
	if (r < 0)
		return r;
	r = conf_snapshot_open(snapshot_fd, &s->snapshot);
	if (r < 0)
		return r;
	r = conf_load(s->snapshot, &s->conf, reterr);
	if (r != 0)
		return r;
	return tls_store_new(s->conf, s->snapshot, &s->store, reterr);
}

static int post_certificate(void *userdata, const struct tls_certificate_view *view)
{
	struct server *s = userdata;
	struct worker_message *m = &s->message;
	int r;

	memset(m, 0, sizeof(*m));
	m->type = WORKER_MSG_CERTIFICATE;
	m->certificate = (struct worker_certificate){
		.anchor = view->anchor,
		.index = view->index,
		.place = view->place,
		.der = (char *)(uintptr_t)view->der,
		.der_len = (uint32_t)view->der_size,
		.facts = *view->facts,
	};
	r = server_post(s, m, -1);
	memory_wipe(m, sizeof(*m));
	return r;
}

int worker_serve(int channel_fd, int snapshot_fd)
{
	_cleanup_(server_freep) struct server *s = calloc(1, sizeof(*s));
	struct worker_message hello = { .type = WORKER_MSG_HELLO };
	int r;

	if (!s)
		return -ENOMEM;
	list_init(&s->jobs);
	r = loop_new(&s->loop);
	if (r < 0)
		return r;
	r = channel_init(&s->channel, s->loop, channel_fd, on_channel, s);
	if (r < 0)
		return r;
	r = server_configure(s, snapshot_fd, &hello.hello.error);
	if (r < 0)
		return r;
	hello.hello.valid = r == 0;
	if (r == 0) {
		r = tls_store_certificates(s->store, post_certificate, s);
		if (r < 0)
			return r;
	}
	/* Strangers' bytes come only after this; it may not fail silently. */
	if (r == 0) {
		r = sandbox_enter_handshake();
		if (r < 0)
			return r;
	}
	r = server_post(s, &hello, -1);
	if (r < 0 || !hello.hello.valid)
		return r;
	return loop_run(s->loop);
}
