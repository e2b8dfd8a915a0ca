/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A generation: one configuration, the processes that were started on it and what they have read.
 * It lives as long as it is in force or staged, or a session that began with it is not established.
 */

#include <siptls/log.h>

#include <stdio.h>

#include "session.h"

static void generation_free(struct generation *generation)
{
	list_remove(&generation->node);
	worker_pool_free(generation->pool);
	inventory_done(&generation->inventory);
	free(generation->self);
	conf_free(generation->conf);
	conf_snapshot_free(generation->snapshot);
	free(generation);
}

int generation_new(struct sessions *sessions, struct generation **ret)
{
	struct generation *generation = calloc(1, sizeof(*generation));

	if (!generation)
		return -ENOMEM;
	generation->sessions = sessions;
	generation->refs = 1;
	list_append(&sessions->generations, &generation->node);
	*ret = generation;
	return 0;
}

struct generation *generation_ref(struct generation *generation)
{
	generation->refs++;
	return generation;
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

void generation_drop(struct generation *generation)
{
	if (generation)
		generation_free(generation);
}

void generations_free(struct sessions *sessions)
{
	list_foreach_safe (node, &sessions->generations)
		generation_free(container_of(node, struct generation, node));
	sessions->generation = NULL;
}

/* ---- what its workers say ---- */

static void on_gone(void *userdata)
{
	struct generation *generation = userdata;

	generation->pool = NULL;
	generation_free(generation);
}

static void on_certificate(void *userdata, struct worker_certificate *certificate)
{
	struct generation *generation = userdata;
	const struct conf *conf = generation->conf;
	size_t limit = certificate->anchor ? conf->trust.n_anchors : conf->n_identities;
	int r;

	/* A worker may be wrong, or not be ours any more. */
	if (certificate->index >= limit || certificate->facts.n_certs != 1)
		return;
	r = inventory_add(&generation->inventory, certificate);
	if (r < 0)
		log_error("cannot keep a certificate of the configuration: %s", strerror(-r));
}

/* This server's own entries, so that one topology can be on all servers. */
static void find_self(struct generation *generation)
{
	const struct conf *conf = generation->conf;

	for (size_t i = 0; i < conf->trust.n_entries; i++) {
		for (uint32_t k = 0; k < conf->n_identities && !generation->self[i]; k++) {
			const struct inventory_certificate *leaf =
				inventory_identity(&generation->inventory, k);

			generation->self[i] =
				leaf && trust_entry_claims(&conf->trust.entries[i], &leaf->facts);
		}
	}
}

static void on_ready(void *userdata, struct worker_pool *pool _unused_,
		     const struct conf_error *error)
{
	struct generation *generation = userdata;

	if (!error) {
		inventory_sort(&generation->inventory);
		find_self(generation);
	}
	reload_ready(generation->sessions, generation, error);
}

static void on_result(void *userdata, struct worker_result *result)
{
	struct generation *generation = userdata;
	struct session *session = session_find(generation->sessions, result->id);

	if (session)
		session_dispatch(session,
				 &(struct session_event){ .type = EVENT_RESULT, .result = result });
}

static void on_pump_end(void *userdata, const struct worker_pump_end *end)
{
	struct generation *generation = userdata;
	struct session *session = session_find(generation->sessions, end->id);

	if (session)
		session_dispatch(session, &(struct session_event){ .type = EVENT_PUMP_END,
								   .pump_end = end });
}

static void on_lost(void *userdata, uint64_t id)
{
	struct generation *generation = userdata;
	struct session *session = session_find(generation->sessions, id);

	if (session)
		session_dispatch(session, &(struct session_event){ .type = EVENT_LOST });
}

static void on_died(void *userdata _unused_, pid_t pid, int status)
{
	const struct log_field none = { 0 };

	log_event(LOG_ERR, LOG_ID_WORKER, &none,
		  "handshake process %d ended unexpectedly (wait status %#x); it is replaced",
		  (int)pid, (unsigned int)status);
}

static const struct worker_pool_ops pool_ops = {
	.certificate = on_certificate,
	.ready = on_ready,
	.result = on_result,
	.pump_end = on_pump_end,
	.lost = on_lost,
	.died = on_died,
	.gone = on_gone,
};

/* ---- reading the files ---- */

/*
 * At the start, when there is nothing to stay with, broken files are made up for by the last
 * configuration that was in order. 0: it is there; what is wrong with the files stays in *reterr.
 */
static int last_good_take(struct generation *generation, const char *path)
{
	_cleanup_free_ char *state = NULL, *folder = NULL;
	struct conf_error ignored = { 0 };
	int r;

	r = conf_state_find(path, &state);
	if (r == 0 && asprintf(&folder, "%s/last-good", state) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = conf_last_good_take(path, folder, &generation->snapshot, &ignored);
	if (r == 0)
		r = conf_load(generation->snapshot, &generation->conf, &ignored);
	generation->last_good = r == 0;
	return r;
}

static int snapshot_take(struct generation *generation, struct conf_error *reterr)
{
	const struct sessions *sessions = generation->sessions;
	const char *path = sessions->config.conf_path;
	const struct log_field none = { 0 };
	int r;

	r = conf_snapshot_take(path, &generation->snapshot, reterr);
	if (r == 0)
		r = conf_load(generation->snapshot, &generation->conf, reterr);
	if (r == 0)
		r = conf_machine_check(generation->conf, reterr);
	if (r != CONF_E_INVALID || sessions->generation)
		return r;
	generation->conf = conf_free(generation->conf);
	generation->snapshot = conf_snapshot_free(generation->snapshot);
	if (last_good_take(generation, path) != 0)
		return r;
	log_event(LOG_ALERT, LOG_ID_LAST_GOOD, &none,
		  "the configuration is broken (%s:%u: %s): starting with the last good copy, of "
		  "topology serial %llu; repair the file and reload",
		  reterr->file, reterr->line, reterr->text,
		  (unsigned long long)generation->conf->trust.serial);
	return 0;
}

int generation_load(struct generation *generation, struct conf_error *reterr)
{
	struct sessions *sessions = generation->sessions;
	const struct trust_policy *policy;
	int r;

	r = snapshot_take(generation, reterr);
	if (r != 0)
		return r;
	policy = &generation->conf->trust;
	generation->self = calloc(policy->n_entries + 1, sizeof(*generation->self));
	if (!generation->self)
		return -ENOMEM;
	generation->names = policy->n_blocked;
	for (size_t i = 0; i < policy->n_entries; i++) {
		generation->tls12 |= policy->entries[i].tls12;
		generation->names += 1 + policy->entries[i].n_members;
	}
	r = worker_pool_new(sessions->loop, sessions->config.worker_executable,
			    generation->conf->workers, generation->snapshot, &pool_ops, generation,
			    &generation->pool);
	if (r < 0) {
		conf_error_set(reterr, sessions->config.worker_executable, 0,
			       "cannot start the handshake process: %s", strerror(-r));
		return CONF_E_INVALID;
	}
	worker_pool_board(generation->pool, sessions->board);
	return 0;
}
