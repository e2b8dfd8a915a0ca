/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The serving side: everything siptls-fetch does. It is told a plan, follows it, and answers
 * questions until its channel closes.
 */

#include "fetch/serve.h"

#include <siptls/fetch.h>

#define RECEIVE_MAX 32 /* messages in one round of the loop */

int fetch_server_post(struct fetch_server *s, struct fetch_message *m, int fd)
{
	size_t size;
	int r = fetch_message_encode(m, s->buf, &size);

	return r < 0 ? r : channel_post(&s->channel, s->buf, size, fd);
}

/* The daemon is trusted: what it should not send means that one of us is broken. */
static int dispatch(struct fetch_server *s, int fd)
{
	struct fetch_message *m = &s->message;

	if ((fd >= 0) != (m->type == FETCH_MSG_PREVIEW))
		return -EPROTO;
	switch (m->type) {
	case FETCH_MSG_PLAN:
		return fetch_server_on_plan(s, m->cache);
	case FETCH_MSG_ISSUER:
		return fetch_server_on_issuer(s, &m->issuer);
	case FETCH_MSG_SOURCE:
		return fetch_server_on_source(s, &m->source);
	case FETCH_MSG_URL:
		return fetch_server_on_url(s, &m->source);
	case FETCH_MSG_DNS:
		return fetch_server_on_dns(s, &m->dns);
	case FETCH_MSG_PLAN_END:
		return fetch_server_on_plan_end(s);
	case FETCH_MSG_REFRESH:
		if (s->sources)
			revocation_sources_refresh(s->sources);
		return 0;
	case FETCH_MSG_RESOLVE:
		return fetch_server_on_resolve(s, &m->resolve);
	case FETCH_MSG_CANCEL:
		return fetch_server_on_cancel(s, m->id);
	case FETCH_MSG_PREVIEW:
		return fetch_server_on_preview(s, &m->preview, fd);
	case FETCH_MSG_PING:
		return fetch_server_post(
			s, &(struct fetch_message){ .type = FETCH_MSG_PONG, .id = m->id }, -1);
	case FETCH_MSG_BOARD:
	case FETCH_MSG_EVENT:
	case FETCH_MSG_ANSWER:
	case FETCH_MSG_PREVIEWED:
	case FETCH_MSG_PONG:
	case FETCH_MSG_RENEW:
	case _FETCH_MSG_MAX:
		break;
	}
	return -EPROTO;
}

/* One message. 0, CHANNEL_E_AGAIN, CHANNEL_E_EOF or -errno. */
static int receive(struct fetch_server *s)
{
	_cleanup_fd_ int fd = -1;
	size_t size;
	int r = channel_receive(&s->channel, s->buf, sizeof(s->buf), &size, &fd);

	if (r == CHANNEL_E_AGAIN || r == CHANNEL_E_EOF)
		return r;
	if (r == 0)
		r = fetch_message_decode(s->buf, size, &s->message);
	if (r != 0)
		return r < 0 ? r : -EPROTO;
	r = dispatch(s, fd);
	fetch_message_done(&s->message);
	return r;
}

static int on_channel(void *userdata, int fd _unused_, unsigned int events)
{
	struct fetch_server *s = userdata;
	int r = 0;

	if (events & LOOP_WRITE)
		r = channel_flush(&s->channel);
	if (events & (LOOP_READ | LOOP_HANGUP))
		for (int i = 0; r == 0 && i < RECEIVE_MAX; i++)
			r = receive(s);
	if (r == CHANNEL_E_AGAIN)
		return 0;
	/* The daemon went away while something was on its way to it: the same as its end. */
	if (r == CHANNEL_E_EOF || r == -EPIPE || r == -ECONNRESET) {
		loop_exit(s->loop, 0);
		return 0;
	}
	return r;
}

static struct fetch_server *server_free(struct fetch_server *s)
{
	if (!s)
		return NULL;
	fetch_server_requests_done(s);
	fetch_server_plan_done(s);
	channel_done(&s->channel);
	loop_free(s->loop);
	free(s);
	return NULL;
}

static void server_freep(struct fetch_server **s)
{
	server_free(*s);
}

int fetch_serve(int channel_fd)
{
	_cleanup_(server_freep) struct fetch_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	list_init(&s->lookups);
	r = loop_new(&s->loop);
	if (r < 0)
		return r;
	r = channel_init(&s->channel, s->loop, channel_fd, on_channel, s);
	return r < 0 ? r : loop_run(s->loop);
}
