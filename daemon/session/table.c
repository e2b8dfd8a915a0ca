/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table: sessions by id, in order of id. Ids count up and are never used again. */

#include "session.h"

#define BUCKETS_MIN 256

static struct session **bucket_of(struct sessions *sessions, uint64_t id)
{
	return &sessions->buckets[id & (sessions->n_buckets - 1)];
}

/* Twice as many buckets when chains get long; staying small is no error. */
static void table_grow(struct sessions *sessions)
{
	size_t n = sessions->n_buckets ? sessions->n_buckets * 2 : BUCKETS_MIN;
	struct session **buckets = calloc(n, sizeof(struct session *));

	if (!buckets)
		return;
	free(sessions->buckets);
	sessions->buckets = buckets;
	sessions->n_buckets = n;
	list_foreach (node, &sessions->list) {
		struct session *session = container_of(node, struct session, node);
		struct session **bucket = bucket_of(sessions, session->id);

		session->next = *bucket;
		*bucket = session;
	}
}

struct session *session_new(struct sessions *sessions, const struct session_origin *origin)
{
	struct session *session;
	struct session **bucket;

	if (sessions->n_sessions >= sessions->n_buckets)
		table_grow(sessions);
	if (sessions->n_buckets == 0)
		return NULL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->sessions = sessions;
	session->id = ++sessions->last_id;
	session->started_ms = time_monotonic_ms();
	session->dialled = origin->dialled;
	session->index = origin->index;
	session->generation = generation_ref(sessions->generation);
	session->generation_number = sessions->generation->number;
	session->board = sessions->boards;
	session->place = origin->place;
	session->place->refs++;
	session->kernel_why = "";
	session->tls_fd = session->plain_fd = -1;
	session->relay_end.alert = ALERT_NONE;

	bucket = bucket_of(sessions, session->id);
	session->next = *bucket;
	*bucket = session;
	list_append(&sessions->list, &session->node);
	sessions->n_sessions++;
	return session;
}

struct session *session_find(struct sessions *sessions, uint64_t id)
{
	struct session *session = sessions->n_buckets ? *bucket_of(sessions, id) : NULL;

	while (session && session->id != id)
		session = session->next;
	return session;
}

static struct worker_result *result_free(struct worker_result *result)
{
	if (result) {
		worker_result_done(result);
		free(result);
	}
	return NULL;
}

void session_free(struct session *session)
{
	struct session **p = bucket_of(session->sessions, session->id);

	while (*p != session)
		p = &(*p)->next;
	*p = session->next;
	judge_forget(session);
	list_remove(&session->node);
	session->sessions->n_sessions--;

	loop_source_free(session->timer);
	loop_source_free(session->io);
	loop_source_free(session->local_io);
	source_leave(session->source);
	generation_unref(session->generation);
	place_unref(session->place);
	result_free(session->result);
	/* Until it has ended the link is the relay's, which outlives no session but at the very
	 * end. */
	if (session->link_ended)
		relay_link_free(session->link);
	fd_close(session->tls_fd);
	fd_close(session->plain_fd);
	probe_free(session->probe);
	peer_unref(session->peer);
	free(session->targets);
	free(session->ends_detail);
	free(session->texts);
	free(session);
}
