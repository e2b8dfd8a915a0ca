/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Listening sockets, and the first look at whoever connects: limits, then a session. */

#include <siptls/log.h>

#include "session.h"

/* Accepted in one wake-up: new connections must not starve the sessions that live. */
#define ACCEPTS_PER_RUN 64

/* Time for sessions to end and give descriptors back. */
#define PAUSE_MS 200

static int port_io(void *userdata, int fd, unsigned int events);

static void port_free(struct port *port)
{
	list_remove(&port->node);
	loop_source_free(port->io);
	fd_close(port->fd);
	place_unref(port->place);
	free(port);
}

void ports_free(struct list *ports)
{
	list_foreach_safe (node, ports)
		port_free(container_of(node, struct port, node));
}

/* ---- a new set of ports ---- */

/* A port of the set in force that listens where @port is to; its socket can be taken over. */
static struct port *port_reusable(struct sessions *sessions, const struct port *port)
{
	list_foreach (node, &sessions->ports) {
		struct port *old = container_of(node, struct port, node);

		if (!net_addr_equal(&old->configured, &port->configured))
			continue;
		/* Port 0 means "any": the same listener keeps the one it got. */
		if (net_addr_port(&port->configured) != 0 || old->place == port->place)
			return old;
	}
	return NULL;
}

struct port_spec {
	const char *name;
	const struct net_addr *addr;
	bool dial;
	uint32_t index;
	uint32_t line;
};

static int port_prepare(struct sessions *sessions, struct generation *generation,
			const struct port_spec *spec, struct list *ports, struct conf_error *reterr)
{
	struct port *port = calloc(1, sizeof(*port));
	char text[NET_ADDR_STRLEN];
	int r;

	if (!port)
		return -ENOMEM;
	port->sessions = sessions;
	port->fd = -1;
	port->configured = port->bound = *spec->addr;
	port->dial = spec->dial;
	port->index = spec->index;
	list_append(ports, &port->node);
	port->place = place_get(sessions, spec->name);
	if (!port->place)
		return -ENOMEM;
	port->reuse = port_reusable(sessions, port);
	if (port->reuse)
		return 0;
	r = net_listen(&port->bound, &port->fd);
	if (r < 0) {
		conf_error_set(reterr, generation->conf->path, spec->line,
			       "%s \"%s\": cannot listen on %s: %s", spec->dial ? "dial" : "listen",
			       spec->name, net_addr_format(spec->addr, text), strerror(-r));
		return CONF_E_INVALID;
	}
	r = loop_io_add(sessions->loop, port->fd, 0, port_io, port, &port->io);
	return r;
}

int ports_prepare(struct sessions *sessions, struct generation *generation, struct list *ret_ports,
		  struct conf_error *reterr)
{
	const struct conf *conf = generation->conf;
	int r = 0;

	for (uint32_t i = 0; i < conf->n_listeners && r == 0; i++) {
		const struct conf_listener *listener = &conf->listeners[i];

		for (size_t a = 0; a < listener->n_addresses && r == 0; a++)
			r = port_prepare(sessions, generation,
					 &(struct port_spec){ listener->name,
							      &listener->addresses[a], false, i,
							      listener->line },
					 ret_ports, reterr);
	}
	for (uint32_t i = 0; i < conf->n_dials && r == 0; i++) {
		const struct conf_dial *dial = &conf->dials[i];

		for (size_t a = 0; a < dial->n_addresses && r == 0; a++)
			r = port_prepare(sessions, generation,
					 &(struct port_spec){ dial->name, &dial->addresses[a], true,
							      i, dial->line },
					 ret_ports, reterr);
	}
	if (r != 0)
		ports_free(ret_ports);
	return r;
}

/* The old object goes on, with its socket and a new meaning; the new one was only its description.
 */
static struct port *port_take_over(struct port *port)
{
	struct port *old = port->reuse;
	struct place *place = old->place;

	old->place = port->place;
	port->place = place;
	old->dial = port->dial;
	old->index = port->index;
	port_free(port);
	list_remove(&old->node);
	return old;
}

void ports_commit(struct sessions *sessions, struct list *ports)
{
	struct list kept;

	list_init(&kept);
	while (!list_empty(ports)) {
		struct port *port = container_of(ports->next, struct port, node);

		list_remove(&port->node);
		if (port->reuse)
			port = port_take_over(port);
		else if (loop_io_set(port->io, LOOP_READ) < 0)
			log_error("cannot accept on %s", port->place->name);
		list_append(&kept, &port->node);
	}
	ports_free(&sessions->ports);
	list_take_all(&kept, &sessions->ports);
}

/* ---- accepting ---- */

static void ports_watch(struct sessions *sessions, unsigned int events)
{
	list_foreach (node, &sessions->ports) {
		struct port *port = container_of(node, struct port, node);

		if (loop_io_set(port->io, events) < 0)
			log_error("cannot accept on %s", port->place->name);
	}
}

static int pause_over(void *userdata)
{
	struct sessions *sessions = userdata;

	sessions->ports_timer = loop_source_free(sessions->ports_timer);
	ports_watch(sessions, LOOP_READ);
	return 0;
}

void ports_pause(struct sessions *sessions)
{
	if (sessions->ports_timer)
		return;
	log_warning("out of descriptors or memory with %u sessions: new connections wait; "
		    "raise LimitNOFILE=",
		    sessions->n_sessions);
	if (loop_timer_add(sessions->loop, PAUSE_MS, pause_over, sessions, &sessions->ports_timer) <
	    0)
		return;
	ports_watch(sessions, 0);
}

/* Limits first, so that a flood costs one accept and one close each. */
static enum reason admit(struct sessions *sessions, const struct port *port,
			 const struct net_addr *remote, struct source **ret_source)
{
	const struct conf_limits *limits = &sessions->generation->conf->limits;

	if (sessions->n_sessions >= limits->sessions)
		return REASON_LIMIT_SESSIONS;
	/* The local SIP server is no stranger: a dial-out is bounded by the table alone. */
	if (port->dial)
		return REASON_OK;
	if (sessions->totals.handshaking >= limits->unauthenticated)
		return REASON_LIMIT_UNAUTHENTICATED;
	return source_enter(sessions, remote, limits->unauthenticated_per_source, ret_source);
}

static void port_accepted(struct port *port, int fd, const struct net_addr *remote)
{
	struct sessions *sessions = port->sessions;
	const struct session_origin origin = { port->place, port->dial, port->index };
	struct source *source = NULL;
	struct session *session;
	enum reason reason;

	reason = admit(sessions, port, remote, &source);
	session = reason == REASON_OK ? session_new(sessions, &origin) : NULL;
	if (!session) {
		source_leave(source);
		report_refused(sessions, port, remote,
			       reason == REASON_OK ? REASON_RESOURCES : reason);
		fd_close(fd);
		return;
	}
	session->remote = *remote;
	session->source = source;
	session_start(session, fd);
}

static int port_io(void *userdata, int fd, unsigned int events _unused_)
{
	struct port *port = userdata;
	struct net_addr remote;
	int peer;

	for (int i = 0; i < ACCEPTS_PER_RUN; i++) {
		int r = net_accept(fd, &peer, &remote);

		if (r == NET_E_AGAIN)
			break;
		if (r == NET_E_LOST)
			continue;
		if (r == NET_E_EXHAUSTED) {
			ports_pause(port->sessions);
			break;
		}
		if (r < 0)
			return r;
		port_accepted(port, peer, &remote);
	}
	return 0;
}

void sessions_foreach_port(struct sessions *sessions, session_port_fn fn, void *userdata)
{
	list_foreach (node, &sessions->ports) {
		struct port *port = container_of(node, struct port, node);

		fn(userdata, port->place->name, port->dial, &port->bound);
	}
}
