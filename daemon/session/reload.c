/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A new configuration: everything that can fail comes before the moment it is put in force.
 *
 *	snapshot > parse > bind new ports > workers read certificates and keys > in force
 *
 * The old generation goes on unchanged until then. Its handshakes end in its own workers, its live
 * sessions do not refer to it.
 */

#include <siptls/log.h>

#include <stdio.h>

#include "session.h"

struct waiter {
	struct list node;
	sessions_reload_fn fn;
	void *userdata;
};

/* ---- generations ---- */

struct generation *generation_ref(struct generation *generation)
{
	generation->refs++;
	return generation;
}

static void generation_free(struct generation *generation)
{
	list_remove(&generation->node);
	worker_pool_free(generation->pool);
	conf_free(generation->conf);
	conf_snapshot_free(generation->snapshot);
	free(generation);
}

/*
 * Without a session in handshake the workers get no more jobs; they go when the sessions end that
 * they carry in user space, and the generation with them.
 */
struct generation *generation_unref(struct generation *generation)
{
	if (!generation || --generation->refs > 0)
		return NULL;
	if (generation->pool)
		worker_pool_retire(generation->pool);
	else
		generation_free(generation);
	return NULL;
}

void generations_free(struct sessions *sessions)
{
	list_foreach_safe (node, &sessions->generations)
		generation_free(container_of(node, struct generation, node));
	sessions->generation = NULL;
}

static void pool_gone(void *userdata)
{
	struct generation *generation = userdata;

	generation->pool = NULL;
	generation_free(generation);
}

static void pool_result(void *userdata, struct worker_result *result)
{
	struct generation *generation = userdata;
	struct session *session = session_find(generation->sessions, result->id);

	if (session)
		session_dispatch(session,
				 &(struct session_event){ .type = EVENT_RESULT, .result = result });
}

static void pool_pump_end(void *userdata, const struct worker_pump_end *end)
{
	struct generation *generation = userdata;
	struct session *session = session_find(generation->sessions, end->id);

	if (session)
		session_dispatch(session, &(struct session_event){ .type = EVENT_PUMP_END,
								   .pump_end = end });
}

static void pool_lost(void *userdata, uint64_t id)
{
	struct generation *generation = userdata;
	struct session *session = session_find(generation->sessions, id);

	if (session)
		session_dispatch(session, &(struct session_event){ .type = EVENT_LOST });
}

static void pool_died(void *userdata _unused_, pid_t pid, int status)
{
	const struct log_field none = { 0 };

	log_event(LOG_ERR, LOG_ID_WORKER, &none,
		  "handshake process %d ended unexpectedly (wait status %#x); it is replaced",
		  (int)pid, (unsigned int)status);
}

/* ---- the reload under way ---- */

static void waiters_tell(struct list *waiters, const struct conf_error *error, const char *summary)
{
	while (!list_empty(waiters)) {
		struct waiter *waiter = container_of(waiters->next, struct waiter, node);

		list_remove(&waiter->node);
		if (waiter->fn)
			waiter->fn(waiter->userdata, error, summary);
		free(waiter);
	}
}

static void reload_begin(struct sessions *sessions);

static void reload_over(struct sessions *sessions, const struct conf_error *error,
			const char *summary)
{
	struct list told;

	list_init(&told);
	list_take_all(&sessions->reload_waiting, &told);
	sessions->candidate = NULL;
	waiters_tell(&told, error, summary);
	if (!list_empty(&sessions->reload_queued) && !sessions->candidate)
		reload_begin(sessions);
}

static void reload_failed(struct sessions *sessions, const struct conf_error *error)
{
	char line[16];
	const struct log_field fields[] = {
		{ "SIPTLS_FILE", error->file },
		{ "SIPTLS_LINE", line },
		{ 0 },
	};

	snprintf(line, sizeof(line), "%u", error->line);
	log_event(LOG_ERR, LOG_ID_RELOAD_FAILED, fields, "configuration refused, %s: %s",
		  sessions->generation ? "the one in force stays" : "not starting", error->text);
	ports_free(&sessions->candidate_ports);
	accounts_free(&sessions->candidate_accounts);
	if (sessions->candidate)
		generation_free(sessions->candidate);
	reload_over(sessions, error, NULL);
}

/* Two things are made once, at the start: say so while the configuration differs from them. */
static void restart_describe(const struct sessions *sessions, const struct conf *conf,
			     struct text *ret)
{
	if (sessions->relay_threads != conf->relay_threads)
		text_addf(ret, "; relay_threads changes at the next start");
	if (sessions->control_path && strcmp(sessions->control_path, conf->control_path) != 0)
		text_addf(ret, "; the control socket changes at the next start");
}

/* Nothing here can fail: what could has been done. */
static void reload_commit(struct sessions *sessions)
{
	struct generation *old = sessions->generation, *new = sessions->candidate;
	const struct conf *conf = new->conf;
	char summary[256];
	struct text text = TEXT_INIT(summary);
	const struct log_field none = { 0 };

	new->number = ++sessions->last_generation;
	text_addf(&text,
		  "generation %u: topology serial %llu, %zu entries, %zu listeners, %zu dial-outs",
		  new->number, (unsigned long long)conf->trust.serial, conf->trust.n_entries,
		  conf->n_listeners, conf->n_dials);
	restart_describe(sessions, conf, &text);
	sessions->generation = new;
	sessions->loaded = time_realtime_s();
	relay_half_close_timeout_set(sessions->relay, conf->limits.half_close_timeout_ms);
	ports_commit(sessions, &sessions->candidate_ports);
	accounts_commit(sessions, &sessions->candidate_accounts);
	generation_unref(old);
	log_event(LOG_NOTICE, LOG_ID_RELOADED, &none, "configuration in force, %s", summary);
	report_status(sessions);
	reload_over(sessions, NULL, summary);
}

static int reload_finish(void *userdata)
{
	struct sessions *sessions = userdata;

	sessions->reload_defer = loop_source_free(sessions->reload_defer);
	if (sessions->candidate_error.text[0])
		reload_failed(sessions, &sessions->candidate_error);
	else
		reload_commit(sessions);
	return 0;
}

/* Decided outside the pool's own callback: a refused pool is freed, and it must not be running. */
static void pool_ready(void *userdata, struct worker_pool *pool _unused_,
		       const struct conf_error *error)
{
	struct generation *generation = userdata;
	struct sessions *sessions = generation->sessions;

	if (error)
		sessions->candidate_error = *error;
	if (loop_defer(sessions->loop, reload_finish, sessions, &sessions->reload_defer) < 0)
		loop_exit(sessions->loop, -ENOMEM);
}

static const struct worker_pool_ops pool_ops = {
	.ready = pool_ready,
	.result = pool_result,
	.pump_end = pool_pump_end,
	.lost = pool_lost,
	.died = pool_died,
	.gone = pool_gone,
};

/* ---- beginning ---- */

/* The first start brings what lives as long as the daemon; later ones only ask the kernel again. */
static int services_start(struct sessions *sessions, const struct conf *conf)
{
	int r = ktls_probe(&sessions->support);

	if (r < 0)
		return r;
	return sessions->relay ? 0 : sessions_relay_start(sessions, conf);
}

static int candidate_prepare(struct sessions *sessions, struct generation *generation,
			     struct conf_error *reterr)
{
	const struct trust_policy *policy;
	int r;

	r = conf_snapshot_take(sessions->config.conf_path, &generation->snapshot, reterr);
	if (r != 0)
		return r;
	r = conf_load(generation->snapshot, &generation->conf, reterr);
	if (r != 0)
		return r;
	policy = &generation->conf->trust;
	for (size_t i = 0; i < policy->n_entries; i++)
		generation->tls12 |= policy->entries[i].tls12;
	r = services_start(sessions, generation->conf);
	if (r < 0)
		return r;
	r = ports_prepare(sessions, generation, &sessions->candidate_ports, reterr);
	if (r != 0)
		return r;
	r = accounts_prepare(policy, &sessions->candidate_accounts);
	if (r < 0)
		return r;
	r = worker_pool_new(sessions->loop, sessions->config.worker_executable,
			    generation->conf->workers, generation->snapshot, &pool_ops, generation,
			    &generation->pool);
	if (r < 0) {
		conf_error_set(reterr, sessions->config.worker_executable, 0,
			       "cannot start the handshake process: %s", strerror(-r));
		return CONF_E_INVALID;
	}
	return 0;
}

static void reload_begin(struct sessions *sessions)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	struct conf_error *error = &sessions->candidate_error;
	int r = -ENOMEM;

	memset(error, 0, sizeof(*error));
	list_take_all(&sessions->reload_queued, &sessions->reload_waiting);
	if (generation) {
		generation->sessions = sessions;
		generation->refs = 1;
		list_append(&sessions->generations, &generation->node);
		sessions->candidate = generation;
		r = candidate_prepare(sessions, generation, error);
	}
	if (r < 0)
		conf_error_set(error, sessions->config.conf_path, 0, "cannot apply: %s",
			       strerror(-r));
	if (r != 0)
		reload_failed(sessions, error);
}

void sessions_reload(struct sessions *sessions, sessions_reload_fn fn, void *userdata)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));

	if (!waiter) {
		struct conf_error error = { 0 };

		conf_error_set(&error, sessions->config.conf_path, 0, "cannot apply: %s",
			       strerror(ENOMEM));
		if (fn)
			fn(userdata, &error, NULL);
		return;
	}
	waiter->fn = fn;
	waiter->userdata = userdata;
	list_append(&sessions->reload_queued, &waiter->node);
	if (!sessions->candidate)
		reload_begin(sessions);
}

static void waiters_forget(struct list *waiters, const void *userdata)
{
	list_foreach (node, waiters) {
		struct waiter *waiter = container_of(node, struct waiter, node);

		if (waiter->userdata == userdata)
			waiter->fn = NULL;
	}
}

void sessions_reload_forget(struct sessions *sessions, void *userdata)
{
	waiters_forget(&sessions->reload_waiting, userdata);
	waiters_forget(&sessions->reload_queued, userdata);
}

void reload_abandon(struct sessions *sessions)
{
	struct conf_error error = { 0 };

	conf_error_set(&error, sessions->config.conf_path, 0, "siptlsd is stopping");
	sessions->reload_defer = loop_source_free(sessions->reload_defer);
	ports_free(&sessions->candidate_ports);
	accounts_free(&sessions->candidate_accounts);
	sessions->candidate = NULL;
	waiters_tell(&sessions->reload_waiting, &error, NULL);
	waiters_tell(&sessions->reload_queued, &error, NULL);
}
