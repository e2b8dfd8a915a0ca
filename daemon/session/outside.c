/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What siptls-fetch gets for us: boards of revocation, answers of name servers, and how the
 * sources of CRLs fare. A new board goes to all workers and to the judge of live sessions.
 */

#include <siptls/log.h>

#include <stdio.h>

#include "session.h"

/* As told last; keyed by location. */
struct crl_source {
	struct list node;
	bool ok;
	uint32_t failures;
	int64_t next_s;
	char *location, *detail;
};

struct preview {
	struct list node;
	uint64_t id;
	const struct session_preview_ops *ops; /* NULL: nobody asks any more */
	void *userdata;
};

/* ---- what it says ---- */

static void on_board(void *userdata, struct revocation_board *board)
{
	struct sessions *sessions = userdata;

	revocation_board_unref(sessions->board);
	sessions->board = revocation_board_ref(board);
	sessions->boards++;
	list_foreach (node, &sessions->generations) {
		struct generation *generation = container_of(node, struct generation, node);

		if (generation->pool)
			worker_pool_board(generation->pool, board);
	}
	judge_all(sessions);
	watch_now(sessions);
	reload_board(sessions);
}

static void on_resolved(void *userdata, uint64_t id, const struct dns_answer *answer)
{
	struct session *session = session_find(userdata, id);

	if (session)
		session_dispatch(session, &(struct session_event){ .type = EVENT_RESOLVED,
								   .answer = answer });
}

static void crl_source_free(struct crl_source *source)
{
	list_remove(&source->node);
	free(source->location);
	free(source->detail);
	free(source);
}

static struct crl_source *crl_source_get(struct sessions *sessions, const char *location)
{
	struct crl_source *source;

	list_foreach (node, &sessions->crl_sources) {
		source = container_of(node, struct crl_source, node);
		if (strcmp(source->location, location) == 0)
			return source;
	}
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	list_append(&sessions->crl_sources, &source->node);
	source->ok = true;
	source->location = strdup(location);
	if (source->location)
		return source;
	crl_source_free(source);
	return NULL;
}

/* The change is an event, that it is still so is not. */
static void crl_source_report(const struct crl_source *source, bool was_ok, const char *detail)
{
	const struct log_field fields[] = {
		{ "SIPTLS_SOURCE", source->location },
		{ "SIPTLS_DETAIL", *detail ? detail : NULL },
		{ 0 },
	};

	if (source->ok && !was_ok)
		log_event(LOG_NOTICE, LOG_ID_REVOCATION, fields,
			  "revocation list can be had again");
	if (!source->ok && (was_ok || strcmp(source->detail ? source->detail : "", detail) != 0))
		log_event(LOG_WARNING, LOG_ID_REVOCATION, fields,
			  "revocation list cannot be had; what is known of it, if anything, stays "
			  "in use");
}

static void on_source(void *userdata, const struct revocation_source_event *event)
{
	struct crl_source *source = crl_source_get(userdata, event->location);
	char *detail;
	bool was_ok;

	if (!source)
		return;
	was_ok = source->ok;
	source->ok = event->ok;
	source->failures = event->failures;
	source->next_s = event->next_s;
	crl_source_report(source, was_ok, event->detail);
	detail = strdup(event->detail);
	if (detail) {
		free(source->detail);
		source->detail = detail;
	}
}

static void on_died(void *userdata _unused_, pid_t pid, int status)
{
	const struct log_field none = { 0 };

	log_event(LOG_ERR, LOG_ID_WORKER, &none,
		  "siptls-fetch %d ended unexpectedly (wait status %#x); it is started again",
		  (int)pid, (unsigned int)status);
}

static void on_preview(void *userdata, uint64_t id, struct revocation_board *board,
		       const char *detail);

static const struct fetch_ops fetch_ops = {
	.board = on_board,
	.resolved = on_resolved,
	.preview = on_preview,
	.source = on_source,
	.died = on_died,
};

int outside_start(struct sessions *sessions)
{
	return fetch_new(sessions->loop, sessions->config.fetch_executable, &fetch_ops, sessions,
			 &sessions->fetch);
}

void outside_stop(struct sessions *sessions)
{
	sessions->fetch = fetch_free(sessions->fetch);
	sessions->board = revocation_board_unref(sessions->board);
	list_foreach_safe (node, &sessions->crl_sources)
		crl_source_free(container_of(node, struct crl_source, node));
	list_foreach_safe (node, &sessions->previews) {
		list_remove(node);
		free(container_of(node, struct preview, node));
	}
}

/* ---- the plan ---- */

struct plan {
	struct fetch_blob *issuers;
	struct revocation_source *sources;
	size_t n_issuers, n_sources, max_sources;
};

static void plan_done(struct plan *plan)
{
	free(plan->issuers);
	free(plan->sources);
}

static bool source_is_planned(const struct plan *plan, const char *location)
{
	for (size_t i = 0; i < plan->n_sources; i++) {
		if (strcmp(plan->sources[i].location, location) == 0)
			return true;
	}
	return false;
}

static int plan_sources(struct plan *plan, enum revocation_source_kind kind, char **locations,
			size_t n)
{
	struct revocation_source *grown;

	grown = reallocarray(plan->sources, plan->n_sources + n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	plan->sources = grown;
	for (size_t i = 0; i < n; i++) {
		if (!source_is_planned(plan, locations[i]))
			plan->sources[plan->n_sources++] =
				(struct revocation_source){ kind, locations[i] };
	}
	return 0;
}

static int plan_make(const struct generation *generation, struct plan *plan)
{
	const struct inventory *inventory = &generation->inventory;
	const struct trust_policy *policy = &generation->conf->trust;
	int r = 0;

	plan->issuers = calloc(inventory->n_anchors + 1, sizeof(*plan->issuers));
	if (!plan->issuers)
		return -ENOMEM;
	for (size_t i = 0; i < inventory->n_anchors; i++)
		plan->issuers[plan->n_issuers++] =
			(struct fetch_blob){ inventory->certs[i].der, inventory->certs[i].der_len };
	for (size_t i = 0; i < policy->n_anchors && r == 0; i++) {
		const struct trust_anchors *set = &policy->anchors[i];

		if (set->revocation == TRUST_REVOCATION_OFF)
			continue;
		r = plan_sources(plan, REVOCATION_SOURCE_PATH, set->crl_files, set->n_crl_files);
		if (r == 0)
			r = plan_sources(plan, REVOCATION_SOURCE_URL, set->crl_urls,
					 set->n_crl_urls);
	}
	return r;
}

/* Sources that are no longer asked for are no longer shown. */
static void crl_sources_prune(struct sessions *sessions, const struct plan *plan)
{
	list_foreach_safe (node, &sessions->crl_sources) {
		struct crl_source *source = container_of(node, struct crl_source, node);

		if (!source_is_planned(plan, source->location))
			crl_source_free(source);
	}
}

int outside_plan(struct sessions *sessions, const struct generation *generation)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	_cleanup_free_ char *cache = NULL;
	int r = plan_make(generation, &plan);

	if (r == 0 && asprintf(&cache, "%s/crl", generation->conf->state) < 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	crl_sources_prune(sessions, &plan);
	return fetch_plan(sessions->fetch, &(struct fetch_plan){
						   .issuers = plan.issuers,
						   .n_issuers = plan.n_issuers,
						   .sources = plan.sources,
						   .n_sources = plan.n_sources,
						   .dns = &generation->conf->dns,
						   .cache = cache,
					   });
}

static bool path_is_to_be_fetched(const struct trust_policy *policy, const struct trust_path *path)
{
	return path->outcome == TRUST_CHAIN_OK && path->anchors < policy->n_anchors &&
	       policy->anchors[path->anchors].crl_fetch &&
	       policy->anchors[path->anchors].revocation != TRUST_REVOCATION_OFF;
}

void outside_learn(struct sessions *sessions, const struct generation *generation,
		   const struct worker_result *result)
{
	const struct trust_policy *policy = &generation->conf->trust;
	const struct trust_facts *facts = &result->facts;

	/* What cannot be learned now is learned with the next handshake. */
	for (size_t i = 0; i < result->n_issuers; i++)
		(void)!fetch_learn_issuer(sessions->fetch, result->issuers[i].der,
					  result->issuers[i].len);
	for (size_t i = 0; i < facts->n_paths; i++) {
		const struct trust_path *path = &facts->paths[i];

		if (!path_is_to_be_fetched(policy, path))
			continue;
		for (size_t k = 0; k < path->n_certs; k++) {
			const struct trust_certificate *cert = &facts->certs[path->certs[k]];

			for (size_t u = 0; u < cert->n_crl_urls; u++)
				(void)!fetch_learn_url(sessions->fetch, cert->crl_urls[u]);
		}
	}
}

/* ---- previews ---- */

struct preview_walk {
	const struct generation *generation;
	const struct revocation_board *board;
	int64_t now;
};

static void preview_sessions(struct sessions *sessions, const struct preview_walk *walk,
			     const struct session_preview_ops *ops, void *userdata)
{
	list_foreach (node, &sessions->list) {
		struct session *session = container_of(node, struct session, node);
		struct session_view view;
		enum reason reason;

		if (session->state != SESSION_RELAYING || !session->peer)
			continue;
		reason = judge_preview(session, walk->generation, walk->board, walk->now);
		if (reason == REASON_OK && judge_identity_changes(session, walk->generation))
			reason = REASON_IDENTITY_CHANGED;
		if (reason == REASON_OK)
			continue;
		session_view_make(session, &view);
		ops->session(userdata, &view, reason);
	}
}

static void on_preview(void *userdata, uint64_t id, struct revocation_board *board,
		       const char *detail)
{
	struct sessions *sessions = userdata;
	struct preview_walk walk = { sessions->generation, board, time_realtime_s() };

	list_foreach_safe (node, &sessions->previews) {
		struct preview *preview = container_of(node, struct preview, node);

		if (preview->id != id)
			continue;
		list_remove(node);
		if (preview->ops && board)
			preview_sessions(sessions, &walk, preview->ops, preview->userdata);
		if (preview->ops)
			preview->ops->done(preview->userdata, board ? NULL : detail);
		free(preview);
	}
}

static void preview_crl(struct sessions *sessions, const char *path,
			const struct session_preview_ops *ops, void *userdata)
{
	struct preview *preview = calloc(1, sizeof(*preview));
	int r = preview ? 0 : -ENOMEM;

	if (r == 0) {
		preview->id = ++sessions->last_lookup;
		preview->ops = ops;
		preview->userdata = userdata;
		list_append(&sessions->previews, &preview->node);
		r = fetch_preview(sessions->fetch, preview->id, path);
	}
	if (r == 0)
		return;
	if (preview)
		list_remove(&preview->node);
	free(preview);
	ops->done(userdata, strerror(-r));
}

void outside_forget(struct sessions *sessions, const void *userdata)
{
	list_foreach (node, &sessions->previews) {
		struct preview *preview = container_of(node, struct preview, node);

		if (preview->userdata == userdata)
			preview->ops = NULL;
	}
}

struct warned {
	const struct session_preview_ops *ops;
	void *userdata;
};

static void preview_warning(void *userdata, const char *line)
{
	const struct warned *warned = userdata;
	char buf[1024];
	struct text text = TEXT_INIT(buf);

	text_addf(&text, "warning: %s", line);
	warned->ops->line(warned->userdata, buf);
}

static void preview_staged(struct sessions *sessions, const struct session_preview_ops *ops,
			   void *userdata)
{
	const struct generation *staged = sessions->staged.generation;
	struct warned warned = { ops, userdata };

	conf_diff(sessions->generation->conf, staged->conf, ops->line, userdata);
	inventory_diff(sessions->generation, staged, ops->line, userdata);
	conf_warnings(staged->conf, sessions->support.ulp, preview_warning, &warned);
}

void sessions_preview(struct sessions *sessions, const struct session_preview_question *question,
		      const struct session_preview_ops *ops, void *userdata)
{
	struct preview_walk walk = { sessions->generation, sessions->board, time_realtime_s() };

	switch (question->what) {
	case SESSION_PREVIEW_CRL:
		preview_crl(sessions, question->crl_path, ops, userdata);
		return;
	case SESSION_PREVIEW_TIME:
		walk.now = question->at;
		break;
	case SESSION_PREVIEW_STAGED:
		walk.generation = sessions->staged.generation;
		if (!walk.generation) {
			ops->done(userdata, "nothing is staged");
			return;
		}
		preview_staged(sessions, ops, userdata);
		break;
	}
	preview_sessions(sessions, &walk, ops, userdata);
	ops->done(userdata, NULL);
}

/* ---- views ---- */

void sessions_foreach_crl(struct sessions *sessions, session_crl_fn fn, void *userdata)
{
	for (uint32_t i = 0; i < revocation_board_crls(sessions->board); i++) {
		struct revocation_crl_view view;

		revocation_board_crl(sessions->board, i, &view);
		fn(userdata, &view);
	}
}

void sessions_foreach_source(struct sessions *sessions, session_source_fn fn, void *userdata)
{
	list_foreach (node, &sessions->crl_sources) {
		const struct crl_source *source = container_of(node, struct crl_source, node);

		fn(userdata, &(struct revocation_source_event){
				     .location = source->location,
				     .ok = source->ok,
				     .detail = source->detail ? source->detail : "",
				     .next_s = source->next_s,
				     .failures = source->failures,
			     });
	}
}

void sessions_revocation_refresh(struct sessions *sessions)
{
	fetch_refresh(sessions->fetch);
}
