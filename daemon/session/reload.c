/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A new configuration: everything that can fail comes before the moment it is put in force.
 *
 *	files > new ports > workers read certificates and keys > lists of revocation > in force
 *
 * The old generation goes on unchanged until then. Its handshakes end in its own workers, its live
 * sessions are judged again under the new one. Staging stops before the lists and waits for a word.
 */

#include <siptls/log.h>

#include <stdio.h>
#include <sys/stat.h>

#include "session.h"

/* How long a reload waits for the CRLs of new anchors; without them it goes on. */
#define BOARD_MS 3000

/* A time that is far away is looked at again now and then, because clocks are set. */
#define COMMIT_CHECK_MS 60000

struct waiter {
	struct list node;
	sessions_reload_fn fn;
	void *userdata;
	bool stage;
};

static void reload_begin(struct sessions *sessions);

/* ---- who waits ---- */

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

static void waiters_forget(struct list *waiters, const void *userdata)
{
	list_foreach (node, waiters) {
		struct waiter *waiter = container_of(node, struct waiter, node);

		if (waiter->userdata == userdata)
			waiter->fn = NULL;
	}
}

static void reload_over(struct sessions *sessions, const struct conf_error *error,
			const char *summary)
{
	struct reload *reload = &sessions->reload;
	struct list told;

	list_init(&told);
	list_take_all(&reload->waiting, &told);
	reload->generation = NULL;
	reload->timer = loop_source_free(reload->timer);
	waiters_tell(&told, error, summary);
	if (!list_empty(&sessions->reload_queued) && !reload->generation)
		reload_begin(sessions);
}

static void reload_failed(struct sessions *sessions)
{
	struct reload *reload = &sessions->reload;
	const struct conf_error error = reload->error;
	char line[16];
	const struct log_field fields[] = {
		{ "SIPTLS_FILE", error.file },
		{ "SIPTLS_LINE", error.line ? line : NULL },
		{ 0 },
	};

	snprintf(line, sizeof(line), "%u", error.line);
	log_event(LOG_ERR, LOG_ID_RELOAD_FAILED, fields, "configuration refused, %s: %s",
		  sessions->generation ? "the one in force stays" : "not starting", error.text);
	ports_free(&reload->ports);
	accounts_free(&reload->accounts);
	generation_drop(reload->generation);
	reload_over(sessions, &error, NULL);
}

/* ---- in force ---- */

/* Two things are made once, at the start: say so while the configuration differs from them. */
static void restart_describe(const struct sessions *sessions, const struct conf *conf,
			     struct text *ret)
{
	if (sessions->relay_threads != conf->relay_threads)
		text_addf(ret, "; relay_threads changes at the next start");
	if (sessions->control_path && strcmp(sessions->control_path, conf->control_path) != 0)
		text_addf(ret, "; the control socket changes at the next start");
}

static void generation_describe(const struct sessions *sessions,
				const struct generation *generation, struct text *ret)
{
	const struct conf *conf = generation->conf;

	text_addf(ret, "topology serial %llu, entries %zu, listeners %zu, dial-outs %zu",
		  (unsigned long long)conf->trust.serial, conf->trust.n_entries, conf->n_listeners,
		  conf->n_dials);
	restart_describe(sessions, conf, ret);
}

/* Our own folder below one that is there; under systemd it is there as a whole. */
static void state_prepare(const struct conf *conf)
{
	_cleanup_free_ char *crl = NULL;

	if (asprintf(&crl, "%s/crl", conf->state) < 0)
		return;
	if ((mkdir(conf->state, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(crl, 0700) < 0 && errno != EEXIST))
		log_warning("cannot make %s: %s; fetched CRLs and the last good configuration will "
			    "not outlive this process",
			    crl, strerror(errno));
}

static void last_good_save(const struct generation *generation)
{
	_cleanup_free_ char *folder = NULL;
	int r;

	if (generation->last_good)
		return;
	r = asprintf(&folder, "%s/last-good", generation->conf->state) < 0
		    ? -ENOMEM
		    : conf_last_good_save(generation->snapshot, folder);
	if (r < 0)
		log_warning("cannot keep a copy of this configuration in %s: %s; a start with "
			    "broken files would fail",
			    generation->conf->state, strerror(-r));
}

/* Nothing here can fail: what could has been done. */
static void reload_commit(struct sessions *sessions)
{
	struct reload *reload = &sessions->reload;
	struct generation *old = sessions->generation, *new = reload->generation;
	char summary[256];
	struct text text = TEXT_INIT(summary);
	const struct log_field none = { 0 };

	new->number = ++sessions->last_generation;
	text_addf(&text, "generation %u: ", new->number);
	generation_describe(sessions, new, &text);
	sessions->generation = new;
	sessions->loaded = time_realtime_s();
	relay_half_close_timeout_set(sessions->relay, new->conf->limits.half_close_timeout_ms);
	ports_commit(sessions, &reload->ports);
	accounts_commit(sessions, &reload->accounts);
	log_event(LOG_NOTICE, LOG_ID_RELOADED, &none, "configuration in force, %s", summary);
	if (old)
		judge_identities(sessions, old);
	generation_unref(old);
	judge_all(sessions);
	last_good_save(new);
	watch_now(sessions);
	report_status(sessions);
	reload_over(sessions, NULL, summary);
}

/* ---- staged ---- */

static void staged_drop(struct sessions *sessions)
{
	struct staged *staged = &sessions->staged;

	staged->timer = loop_source_free(staged->timer);
	ports_free(&staged->ports);
	accounts_free(&staged->accounts);
	generation_drop(staged->generation);
	staged->generation = NULL;
	staged->at = 0;
}

static void reload_stage(struct sessions *sessions)
{
	struct reload *reload = &sessions->reload;
	struct staged *staged = &sessions->staged;
	char summary[256];
	struct text text = TEXT_INIT(summary);

	staged->generation = reload->generation;
	list_take_all(&reload->ports, &staged->ports);
	list_take_all(&reload->accounts, &staged->accounts);
	text_addf(&text, "staged: ");
	generation_describe(sessions, staged->generation, &text);
	log_info("configuration %s", summary);
	reload_over(sessions, NULL, summary);
}

static void reload_plan(struct sessions *sessions);

static void staged_commit(struct sessions *sessions)
{
	struct reload *reload = &sessions->reload;
	struct staged *staged = &sessions->staged;

	staged->timer = loop_source_free(staged->timer);
	staged->at = 0;
	reload->generation = staged->generation;
	staged->generation = NULL;
	list_take_all(&staged->ports, &reload->ports);
	list_take_all(&staged->accounts, &reload->accounts);
	list_take_all(&staged->waiting, &reload->waiting);
	reload_plan(sessions);
}

static int staged_look(void *userdata)
{
	struct sessions *sessions = userdata;
	struct staged *staged = &sessions->staged;
	int64_t left = staged->at - time_realtime_s();
	uint64_t ms;

	if (left <= 0) {
		staged_commit(sessions);
		return 0;
	}
	ms = left < COMMIT_CHECK_MS / 1000 ? (uint64_t)left * 1000 : COMMIT_CHECK_MS;
	if (!staged->timer)
		return loop_timer_add(sessions->loop, ms, staged_look, sessions, &staged->timer);
	return loop_timer_set(staged->timer, ms);
}

int sessions_commit(struct sessions *sessions, int64_t at, sessions_reload_fn fn, void *userdata)
{
	struct staged *staged = &sessions->staged;
	struct waiter *waiter;

	if (!staged->generation)
		return SESSIONS_E_NOTHING_STAGED;
	staged->at = at;
	if (at > time_realtime_s()) {
		fn(userdata, NULL, "staged, to be put in force later");
		return staged_look(sessions);
	}
	waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return -ENOMEM;
	waiter->fn = fn;
	waiter->userdata = userdata;
	list_append(&staged->waiting, &waiter->node);
	staged_commit(sessions);
	return 0;
}

int sessions_abort(struct sessions *sessions)
{
	if (!sessions->staged.generation)
		return SESSIONS_E_NOTHING_STAGED;
	staged_drop(sessions);
	log_info("staged configuration dropped");
	return 0;
}

/* ---- step by step ---- */

static int reload_put_in_force(void *userdata)
{
	struct sessions *sessions = userdata;

	sessions->reload.step = loop_source_free(sessions->reload.step);
	sessions->reload.timer = loop_source_free(sessions->reload.timer);
	reload_commit(sessions);
	return 0;
}

/* Decided outside callbacks: a refused pool is freed, and it must not be running. */
static void reload_defer(struct sessions *sessions, loop_timer_fn fn)
{
	if (!sessions->reload.step &&
	    loop_defer(sessions->loop, fn, sessions, &sessions->reload.step) < 0)
		loop_exit(sessions->loop, -ENOMEM);
}

void reload_board(struct sessions *sessions)
{
	if (sessions->reload.timer)
		reload_defer(sessions, reload_put_in_force);
}

/* Known before the first connection: what is revoked among the new anchors' certificates. */
static void reload_plan(struct sessions *sessions)
{
	struct reload *reload = &sessions->reload;

	state_prepare(reload->generation->conf);
	if (outside_plan(sessions, reload->generation) != 0 ||
	    loop_timer_add(sessions->loop, BOARD_MS, reload_put_in_force, sessions,
			   &reload->timer) < 0)
		reload_commit(sessions);
}

static int reload_checked(void *userdata)
{
	struct sessions *sessions = userdata;
	struct reload *reload = &sessions->reload;

	reload->step = loop_source_free(reload->step);
	if (reload->error.text[0]) {
		reload_failed(sessions);
		return 0;
	}
	if (reload->stage) {
		reload_stage(sessions);
		return 0;
	}
	state_prepare(reload->generation->conf);
	/* Known before the first connection: what is revoked among the new anchors' certificates.
	 */
	if (outside_plan(sessions, reload->generation) != 0 ||
	    loop_timer_add(sessions->loop, BOARD_MS, reload_put_in_force, sessions,
			   &reload->timer) < 0)
		reload_commit(sessions);
	return 0;
}

void reload_ready(struct sessions *sessions, struct generation *generation,
		  const struct conf_error *error)
{
	if (generation != sessions->reload.generation)
		return;
	if (error)
		sessions->reload.error = *error;
	reload_defer(sessions, reload_checked);
}

/* ---- beginning ---- */

/* The first start brings what lives as long as the daemon; later ones only ask the kernel again. */
static int services_start(struct sessions *sessions, const struct conf *conf)
{
	int r = ktls_probe(&sessions->support);

	if (r == 0 && !sessions->relay)
		r = sessions_relay_start(sessions, conf);
	if (r == 0 && !sessions->fetch)
		r = outside_start(sessions);
	return r;
}

static int reload_prepare(struct sessions *sessions, struct generation *generation,
			  struct conf_error *reterr)
{
	struct reload *reload = &sessions->reload;
	int r;

	r = generation_load(generation, reterr);
	if (r != 0)
		return r;
	memset(reterr, 0, sizeof(*reterr)); /* the last good copy leaves the mistake in it */
	r = services_start(sessions, generation->conf);
	if (r < 0)
		return r;
	r = ports_prepare(sessions, generation, &reload->ports, reterr);
	if (r != 0)
		return r;
	return accounts_prepare(&generation->conf->trust, &reload->accounts);
}

/* Everyone who asked for the same by now is served at once. */
static void waiters_take(struct sessions *sessions)
{
	struct reload *reload = &sessions->reload;

	reload->stage = container_of(sessions->reload_queued.next, struct waiter, node)->stage;
	list_foreach_safe (node, &sessions->reload_queued) {
		if (container_of(node, struct waiter, node)->stage != reload->stage)
			break;
		list_remove(node);
		list_append(&reload->waiting, node);
	}
}

static void reload_begin(struct sessions *sessions)
{
	struct reload *reload = &sessions->reload;
	int r;

	waiters_take(sessions);
	staged_drop(sessions);
	memset(&reload->error, 0, sizeof(reload->error));
	r = generation_new(sessions, &reload->generation);
	if (r == 0)
		r = reload_prepare(sessions, reload->generation, &reload->error);
	if (r < 0)
		conf_error_set(&reload->error, sessions->config.conf_path, 0, "cannot apply: %s",
			       strerror(-r));
	if (r != 0)
		reload_failed(sessions);
}

static void reload_ask(struct sessions *sessions, bool stage, sessions_reload_fn fn, void *userdata)
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
	waiter->stage = stage;
	list_append(&sessions->reload_queued, &waiter->node);
	if (!sessions->reload.generation)
		reload_begin(sessions);
}

void sessions_reload(struct sessions *sessions, sessions_reload_fn fn, void *userdata)
{
	reload_ask(sessions, /* stage= */ false, fn, userdata);
}

void sessions_stage(struct sessions *sessions, sessions_reload_fn fn, void *userdata)
{
	reload_ask(sessions, /* stage= */ true, fn, userdata);
}

void sessions_reload_forget(struct sessions *sessions, void *userdata)
{
	waiters_forget(&sessions->reload.waiting, userdata);
	waiters_forget(&sessions->reload_queued, userdata);
	waiters_forget(&sessions->staged.waiting, userdata);
	outside_forget(sessions, userdata);
	probes_forget(sessions, userdata);
}

void reload_abandon(struct sessions *sessions)
{
	struct reload *reload = &sessions->reload;
	struct conf_error error = { 0 };

	conf_error_set(&error, sessions->config.conf_path, 0, "siptlsd is stopping");
	reload->step = loop_source_free(reload->step);
	reload->timer = loop_source_free(reload->timer);
	ports_free(&reload->ports);
	accounts_free(&reload->accounts);
	reload->generation = NULL; /* freed with all of them */
	if (sessions->staged.at > 0)
		log_warning("the staged configuration was to be put in force later: the next start "
			    "reads the files as they are then");
	staged_drop(sessions);
	waiters_tell(&reload->waiting, &error, NULL);
	waiters_tell(&sessions->reload_queued, &error, NULL);
}
