/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager of all sessions: its beginning and end. */

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
	list_init(&sessions->reload.ports);
	list_init(&sessions->reload.accounts);
	list_init(&sessions->reload.waiting);
	list_init(&sessions->reload_queued);
	list_init(&sessions->staged.ports);
	list_init(&sessions->staged.accounts);
	list_init(&sessions->staged.waiting);
	list_init(&sessions->crl_sources);
	list_init(&sessions->previews);
	list_init(&sessions->probes);
	list_init(&sessions->issuers);
	sessions->judge.earliest = INT64_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(sessions->peers); i++)
		list_init(&sessions->peers[i]);
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
	judge_stop(sessions);
	watch_stop(sessions);
	ports_free(&sessions->ports);
	loop_source_free(sessions->ports_timer);
	loop_source_free(sessions->relay_io);
	/* Every session tells its end, then the relay's threads stop and close what they hold. */
	list_foreach_safe (node, &sessions->list)
		session_end(container_of(node, struct session, node), REASON_SHUTDOWN, NULL);
	loop_source_free(sessions->status_timer);
	relay_free(sessions->relay);
	generations_free(sessions);
	outside_stop(sessions);
	refusals_free(sessions);
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
