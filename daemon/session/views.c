/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What control shows: borrowed looks at sessions, peers, the topology and the daemon as a whole. */

#include "session.h"

/* The entry that the session's account is about, as it is in force now. */
static const struct trust_entry *entry_of(const struct session *session)
{
	const struct generation *generation = session->sessions->generation;
	int64_t index;

	if (!generation || !session->account || !session->account->kind)
		return NULL;
	index = trust_entry_find(&generation->conf->trust, session->account->name);
	return index < 0 ? NULL : &generation->conf->trust.entries[index];
}

static void view_trust(const struct session *session, struct session_view *ret)
{
	const struct trust_entry *entry = entry_of(session);

	ret->subject = peer_text(session->peer, PEER_TEXT_SUBJECT);
	ret->issuer = peer_text(session->peer, PEER_TEXT_ISSUER);
	ret->serial = peer_text(session->peer, PEER_TEXT_SERIAL);
	ret->fingerprint = peer_text(session->peer, PEER_TEXT_FINGERPRINT);
	ret->anchor = peer_text(session->peer, PEER_TEXT_ANCHOR);
	ret->expires = session->expires == INT64_MAX ? 0 : session->expires;
	ret->ends = session->ends;
	ret->ends_reason = session->ends_reason;
	if (session->peer)
		ret->revocation = trust_standing_names[session->standing];
	if (entry) {
		ret->domains = (const char *const *)entry->domains;
		ret->n_domains = entry->n_domains;
	}
}

void session_view_make(const struct session *session, struct session_view *ret)
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
	view_trust(session, ret);
	if (session->link)
		relay_link_stats(session->link, &ret->relay);
}

void sessions_foreach(struct sessions *sessions, session_view_fn fn, void *userdata)
{
	list_foreach (node, &sessions->list) {
		struct session_view view;

		session_view_make(container_of(node, struct session, node), &view);
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
	session_view_make(session, &view);
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
	ret->peers_known = sessions->n_peers;
	ret->staged = sessions->staged.generation != NULL;
	ret->commit_at = sessions->staged.at;
	ret->board = revocation_board_number(sessions->board);
	ret->crls = revocation_board_crls(sessions->board);
	ret->handshaking = 0;
	if (generation) {
		struct worker_pool_stats stats;

		worker_pool_stats(generation->pool, &stats);
		ret->generation = generation->number;
		ret->serial = generation->conf->trust.serial;
		ret->last_good = generation->last_good;
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

void sessions_foreach_entry(struct sessions *sessions, session_entry_fn fn, void *userdata)
{
	const struct generation *generation = sessions->generation;

	for (size_t i = 0; generation && i < generation->conf->trust.n_entries; i++)
		fn(userdata, &(struct session_entry_view){
				     .policy = &generation->conf->trust,
				     .entry = &generation->conf->trust.entries[i],
				     .self = generation->self[i],
			     });
}
