/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a local connection to one with the peer: find out where the peer is, then try one place
 * after the other. What a name server says is where to connect and nothing more: the certificate
 * is judged by the entry that was dialled, wherever the connection led.
 */

#include <stdio.h>

#include "session.h"

const struct conf_dial *session_dial(const struct session *session)
{
	return session->probe ? probe_dial(session->probe)
			      : &session_conf(session)->dials[session->index];
}

/* ---- the local side ---- */

/*
 * The end of the local server's stream. What it has sent before is still worth a session; if that
 * is nothing, so is the handshake.
 */
static int on_local_hangup(void *userdata, int fd, unsigned int events _unused_)
{
	struct session *session = userdata;
	char byte;

	session->local_io = loop_source_free(session->local_io);
	if (recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) <= 0)
		session_dispatch(session, &(struct session_event){ .type = EVENT_LOCAL_GONE });
	return 0;
}

void dial_on_local_gone(struct session *session, const struct session_event *event _unused_)
{
	session_end(session, REASON_LOCAL_CLOSED, NULL);
}

static int local_prepare(struct session *session, int local_fd)
{
	int r;

	/* The local SIP server came from what listeners call the backend. */
	session->plain_fd = local_fd;
	session->backend = session->remote;
	session->remote = (struct net_addr){ 0 };
	r = net_tune(local_fd);
	if (r < 0)
		return r;
	return loop_io_add(session->sessions->loop, local_fd, LOOP_HANGUP, on_local_hangup, session,
			   &session->local_io);
}

/* ---- the peer's side ---- */

/* The next place that lets itself be tried. The error is that of the last one. */
static void dial_next(struct session *session, int error)
{
	struct session_targets *targets = session->targets;
	char text[64 + NET_ADDR_STRLEN], address[NET_ADDR_STRLEN];

	session->tls_fd = fd_close(session->tls_fd);
	while (targets->next < targets->n) {
		int r;

		session->remote = targets->addrs[targets->next++];
		r = net_dial(&session->remote, &session->tls_fd);
		if (r == 0)
			return session_enter(session, SESSION_CONNECTING);
		if (session_is_exhausted(r))
			return session_fail(session, r);
		error = -r;
	}
	snprintf(text, sizeof(text), "%s: %s", net_addr_format(&session->remote, address),
		 strerror(error));
	session_end(session, REASON_DIAL_CONNECT, text);
}

static struct session_targets *targets_new(uint32_t n)
{
	struct session_targets *targets =
		calloc(1, sizeof(*targets) + n * sizeof(targets->addrs[0]));

	if (targets)
		targets->n = n;
	return targets;
}

void dial_on_resolved(struct session *session, const struct session_event *event)
{
	const struct dns_answer *answer = event->answer;

	if (answer->reason != REASON_OK)
		return session_end(session, answer->reason, answer->detail);
	session->targets = targets_new(answer->n_targets);
	if (!session->targets)
		return session_fail(session, -ENOMEM);
	for (uint32_t i = 0; i < answer->n_targets; i++)
		session->targets->addrs[i] = answer->targets[i].addr;
	dial_next(session, EHOSTUNREACH);
}

void dial_on_dialled(struct session *session, const struct session_event *event _unused_)
{
	int error = net_dial_result(session->tls_fd);

	session->io = loop_source_free(session->io);
	session->timer = loop_source_free(session->timer);
	if (error != 0)
		return dial_next(session, error);
	free(session->targets);
	session->targets = NULL;
	session_handshake(session);
}

void dial_on_timeout(struct session *session, const struct session_event *event _unused_)
{
	session->io = loop_source_free(session->io);
	dial_next(session, ETIMEDOUT);
}

void dial_start(struct session *session, int local_fd)
{
	const struct conf_dial *dial = session_dial(session);
	int r = 0;

	session->mutual = true;
	account_assign(session, dial->entry);
	if (local_fd >= 0)
		r = local_prepare(session, local_fd);
	if (r < 0)
		return session_fail(session, r);
	if (dial->to.len == 0) {
		r = fetch_resolve(session->sessions->fetch, session->id, &dial->lookup);
		if (r < 0)
			return session_fail(session, r);
		return session_enter(session, SESSION_RESOLVING);
	}
	session->targets = targets_new(1);
	if (!session->targets)
		return session_fail(session, -ENOMEM);
	session->targets->addrs[0] = dial->to;
	dial_next(session, EHOSTUNREACH);
}

void dial_cancel(struct session *session)
{
	if (session->state == SESSION_RESOLVING)
		fetch_cancel(session->sessions->fetch, session->id);
}
