/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager of all sessions: its beginning and end, and the views that control shows. */

#include "session.h"

static void on_relay_ended(void *userdata _unused_, struct relay_link *link _unused_,
			   void *link_userdata, const struct relay_end *end)
{
	session_dispatch(link_userdata,
			 &(struct session_event){ .type = EVENT_RELAY_END, .relay_end = end });
}

static int on_relay_io(void *userdata, int fd _unused_, unsigned int events _unused_)
{
	struct sessions *sessions = userdata;

	relay_dispatch(sessions->relay);
	return 0;
}

int sessions_relay_start(struct sessions *sessions, const struct conf *conf)
{
	int r = relay_new(conf->relay_threads, conf->limits.half_close_timeout_ms, on_relay_ended,
			  sessions, &sessions->relay);

	if (r < 0)
		return r;
	sessions->relay_threads = conf->relay_threads;
	sessions->control_path = strdup(conf->control_path);
	r = loop_io_add(sessions->loop, relay_event_fd(sessions->relay), LOOP_READ, on_relay_io,
			sessions, &sessions->relay_io);
	if (r < 0)
		sessions->relay = relay_free(sessions->relay);
	return r;
}

int sessions_new(struct loop *loop, const struct sessions_config *config, struct sessions **ret)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return -ENOMEM;
	sessions->loop = loop;
	sessions->config = *config;
	sessions->totals.started_ms = time_monotonic_ms();
	list_init(&sessions->generations);
	list_init(&sessions->ports);
	list_init(&sessions->places);
	list_init(&sessions->accounts);
	list_init(&sessions->list);
	list_init(&sessions->candidate_ports);
	list_init(&sessions->candidate_accounts);
	list_init(&sessions->reload_waiting);
	list_init(&sessions->reload_queued);
	for (size_t i = 0; i < ARRAY_SIZE(sessions->sources); i++)
		list_init(&sessions->sources[i]);
	*ret = sessions;
	return 0;
}

struct sessions *sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return NULL;
	reload_abandon(sessions);
	ports_free(&sessions->ports);
	loop_source_free(sessions->ports_timer);
	loop_source_free(sessions->relay_io);
	/* Every session tells its end, then the relay's threads stop and close what they hold. */
	list_foreach_safe (node, &sessions->list)
		session_end(container_of(node, struct session, node), REASON_SHUTDOWN, NULL);
	relay_free(sessions->relay);
	generations_free(sessions);
	accounts_free(&sessions->accounts);
	free(sessions->buckets);
	free(sessions->control_path);
	free(sessions);
	return NULL;
}

const struct conf *sessions_conf(const struct sessions *sessions)
{
	return sessions->generation ? sessions->generation->conf : NULL;
}

/* ---- views ---- */

static void view_make(const struct session *session, struct session_view *ret)
{
	*ret = (struct session_view){
		.id = session->id,
		.state = session->state,
		.dialled = session->dialled,
		.authenticated = session->mutual && session->texts,
		.via = session->place->name,
		.peer = session->account ? session->account->name : NULL,
		.owner = session->account ? session->account->owner : NULL,
		.name = session_text(session, SESSION_TEXT_NAME),
		.subject = session_text(session, SESSION_TEXT_SUBJECT),
		.issuer = session_text(session, SESSION_TEXT_ISSUER),
		.serial = session_text(session, SESSION_TEXT_SERIAL),
		.fingerprint = session_text(session, SESSION_TEXT_FINGERPRINT),
		.anchor = session_text(session, SESSION_TEXT_ANCHOR),
		.expires = session->expires == INT64_MAX ? 0 : session->expires,
		.remote = session->remote,
		.local = session->local,
		.backend = session->backend,
		.backend_local = session->backend_local,
		.version = session->version,
		.cipher = session->cipher,
		.group = session_text(session, SESSION_TEXT_GROUP),
		.sni = session_text(session, SESSION_TEXT_SNI),
		.identity = session_text(session, SESSION_TEXT_IDENTITY),
		.kernel = session->kernel,
		.kernel_why = session->kernel_why,
		.cookie = session->cookie,
		.started_ms = session->started_ms,
		.established_ms = session->established_ms,
		.generation = session->generation_number,
	};
	if (session->link)
		relay_link_stats(session->link, &ret->relay);
}

void sessions_foreach(struct sessions *sessions, session_view_fn fn, void *userdata)
{
	list_foreach (node, &sessions->list) {
		struct session_view view;

		view_make(container_of(node, struct session, node), &view);
		if (!fn(userdata, &view))
			return;
	}
}

bool sessions_view(struct sessions *sessions, uint64_t id, session_view_fn fn, void *userdata)
{
	struct session *session = session_find(sessions, id);
	struct session_view view;

	if (!session)
		return false;
	view_make(session, &view);
	(void)fn(userdata, &view);
	return true;
}

bool sessions_close(struct sessions *sessions, uint64_t id, enum reason reason)
{
	struct session *session = session_find(sessions, id);

	if (!session)
		return false;
	session_dispatch(session,
			 &(struct session_event){ .type = EVENT_CLOSE, .close_reason = reason });
	return true;
}

void sessions_foreach_peer(struct sessions *sessions, session_peer_fn fn, void *userdata)
{
	list_foreach (node, &sessions->accounts) {
		const struct account *account = container_of(node, struct account, node);

		fn(userdata, &(struct session_peer_view){
				     .name = account->name,
				     .owner = account->owner,
				     .kind = account->kind ? account->kind : "removed",
				     .sessions_in = account->sessions[false],
				     .sessions_out = account->sessions[true],
				     .admitted = account->admitted,
				     .refused = account->refused,
				     .last_refusal = account->last_refusal,
				     .last_refusal_time = account->last_refusal_time,
			     });
	}
}

void sessions_summary(const struct sessions *sessions, struct sessions_summary *ret)
{
	const struct generation *generation = sessions->generation;

	*ret = sessions->totals;
	ret->loaded = sessions->loaded;
	ret->support = sessions->support;
	ret->handles = sessions->n_sessions;
	ret->handshaking = 0;
	if (generation) {
		struct worker_pool_stats stats;

		worker_pool_stats(generation->pool, &stats);
		ret->generation = generation->number;
		ret->serial = generation->conf->trust.serial;
		ret->workers = stats.workers;
		ret->worker_respawns = stats.respawns;
	}
	list_foreach (node, &sessions->list) {
		const struct session *session = container_of(node, struct session, node);

		if (session->established_ms == 0) {
			ret->handshaking++;
			continue;
		}
		ret->relaying++;
		ret->kernel += session->kernel;
		ret->user_space += !session->kernel;
		ret->unauthenticated += !session->mutual;
	}
}
