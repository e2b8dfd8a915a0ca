/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Probe: a session like any other up to the keys in the kernel, dialled because an administrator
 * wants to know how it ends. No SIP server has part in it, and no figure of the peer counts it.
 */

#include <siptls/log.h>
#include <siptls/tls.h>

#include "session.h"

#define PLACE "probe"

struct probe {
	struct list node;
	struct conf_dial dial;
	const struct session_probe_ops *ops; /* NULL: nobody asks any more */
	void *userdata;
};

const struct conf_dial *probe_dial(const struct probe *probe)
{
	return &probe->dial;
}

/* As a dial section does it, if there is one that leads to the peer; else as one could. */
static bool dial_find(const struct conf *conf, const char *peer, struct conf_dial *ret)
{
	for (size_t i = 0; i < conf->n_dials; i++) {
		const struct conf_dial *dial = &conf->dials[i];
		const struct trust_entry *entry = &conf->trust.entries[dial->entry];

		if (strcmp(dial->name, peer) != 0 && strcasecmp(entry->name, peer) != 0 &&
		    strcasecmp(entry->members[dial->member].name, peer) != 0)
			continue;
		*ret = *dial;
		return true;
	}
	return conf_dial_find(conf, peer, ret);
}

int sessions_probe(struct sessions *sessions, const char *peer, const struct session_probe_ops *ops,
		   void *userdata)
{
	_cleanup_free_ struct probe *probe = calloc(1, sizeof(*probe));
	struct session_origin origin = { .dialled = true };
	struct session *session;

	if (!probe)
		return -ENOMEM;
	if (!dial_find(sessions->generation->conf, peer, &probe->dial))
		return SESSION_E_UNKNOWN;
	if (sessions->n_sessions >= sessions->generation->conf->limits.sessions)
		return -EMFILE;
	origin.place = place_get(sessions, PLACE);
	if (!origin.place)
		return -ENOMEM;
	session = session_new(sessions, &origin);
	place_unref(origin.place);
	if (!session)
		return -ENOMEM;
	probe->ops = ops;
	probe->userdata = userdata;
	list_append(&sessions->probes, &probe->node);
	session->probe = steal_ptr(probe);
	session_start(session, -1);
	return 0;
}

void probe_facts(struct session *session, const struct trust_facts *facts,
		 const struct trust_verdict *verdict)
{
	struct probe *probe = session->probe;

	if (probe->ops && facts->n_certs > 0)
		explain_links(session->sessions, facts, verdict, probe->ops->link, probe->userdata);
}

/* ---- what the peer says of us ---- */

/*
 * An alert that came after the handshake is the peer's verdict on our certificate (RFC 8446 4.4.2:
 * the server judges it after we are done). Tickets and data only show that it goes on.
 */
static enum reason said_in_kernel(struct session *session)
{
	uint8_t record[256], type;
	size_t len;
	int r;

	do {
		r = ktls_recv(session->tls_fd, record, sizeof(record), &len, &type);
	} while (r == 0 && type != KTLS_RECORD_ALERT);
	if (r == KTLS_E_AGAIN)
		return REASON_OK;
	if (r != 0)
		return r == KTLS_E_EOF ? REASON_PEER_CLOSED : REASON_PEER_RESET;
	if (len < 2 || record[1] == 0)
		return REASON_PEER_CLOSED;
	session->relay_end.alert = record[1];
	return REASON_PEER_ALERT;
}

static void probe_end_with(struct session *session, enum reason reason)
{
	const char *alert =
		reason == REASON_PEER_ALERT ? tls_alert_name(session->relay_end.alert) : NULL;

	session_end(session, reason, alert);
}

void probe_on_said(struct session *session, const struct session_event *event _unused_)
{
	enum reason reason;

	if (!session->kernel) {
		/* The worker tells with the end of its pump what it was. */
		session->io = loop_source_free(session->io);
		return;
	}
	reason = said_in_kernel(session);
	if (reason != REASON_OK)
		probe_end_with(session, reason);
}

void probe_on_pump_end(struct session *session, const struct session_event *event)
{
	enum reason reason = event->pump_end->reason;

	session->relay_end.alert = event->pump_end->alert_received;
	probe_end_with(session, reason == REASON_CLOSED_BY_PEER ? REASON_PEER_CLOSED : reason);
}

void probe_on_silence(struct session *session, const struct session_event *event _unused_)
{
	session_end(session, REASON_PROBE, NULL);
}

/* ---- the end ---- */

/* It was we who wanted to know: the peer shall see an orderly end (RFC 8446 6.1). */
static void say_goodbye(const struct session *session)
{
	static const uint8_t close_notify[] = { 1, 0 };

	if (session->kernel && session->tls_fd >= 0)
		(void)!ktls_send_control(session->tls_fd, KTLS_RECORD_ALERT, close_notify,
					 sizeof(close_notify));
}

void probe_end(struct session *session, enum reason reason, const char *detail)
{
	struct probe *probe = session->probe;
	struct session_probe_view view = {
		.reason = reason == REASON_PROBE ? REASON_OK : reason,
		.detail = detail ? detail : "",
		.admitted = reason == REASON_PROBE,
	};

	if (view.admitted)
		say_goodbye(session);
	session_view_make(session, &view.session);
	/* Where any other session would be now: version, cipher and records are decided. */
	if (view.admitted)
		view.session.state = SESSION_BACKEND;
	log_info("probe of %s: %s", session->account ? session->account->name : PLACE,
		 reason_info(view.reason)->code);
	if (probe->ops)
		probe->ops->done(probe->userdata, &view);
	probe->ops = NULL;
}

struct probe *probe_free(struct probe *probe)
{
	if (probe)
		list_remove(&probe->node);
	free(probe);
	return NULL;
}

void probes_forget(struct sessions *sessions, const void *userdata)
{
	list_foreach (node, &sessions->probes) {
		struct probe *probe = container_of(node, struct probe, node);

		if (probe->userdata == userdata)
			probe->ops = NULL;
	}
}
