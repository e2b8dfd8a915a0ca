/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * session - the table of sessions and the life of each: the only module that knows the order of
 * the steps.
 *
 *	accept/dial > ULP > handshake (worker) > judge > install keys > backend > relay >
 *end(reason)
 *
 * Called by the main of siptlsd (start, reload, stop) and by control (views, close, reload). The
 *life cycle is a table, see daemon/session/life.c; what is not in the table ends the session with a
 * reason. Every connection, refused or established, ends with exactly one reason, logged once, with
 * the id that the command line shows.
 */

#include <siptls/base.h>
#include <siptls/conf.h>
#include <siptls/ktls.h>
#include <siptls/loop.h>
#include <siptls/reason.h>
#include <siptls/relay.h>

struct sessions;

struct sessions_config {
	const char *conf_path;
	const char *worker_executable;
};

/*
 * Tell how a start or reload went: @error NULL is success, else nothing has changed and @error
 * tells why. @summary is one line on what changed.
 */
typedef void (*sessions_reload_fn)(void *userdata, const struct conf_error *error,
				   const char *summary);

int sessions_new(struct loop *loop, const struct sessions_config *config,
		 struct sessions **ret) _must_check_;
struct sessions *sessions_free(struct sessions *sessions); /* ends all, SHUTDOWN; NULL is fine */

/*
 * Read the configuration again and apply it as a whole or not at all. Also the first start. One at
 * a time: while one is under way another is queued behind it. @fn may be NULL;
 * sessions_reload_forget() drops callbacks whose @userdata is going away.
 */
void sessions_reload(struct sessions *sessions, sessions_reload_fn fn, void *userdata);
void sessions_reload_forget(struct sessions *sessions, void *userdata);
const struct conf *sessions_conf(const struct sessions *sessions); /* in force; NULL before start */

/* ---- views, for control ---- */

enum session_state {
	SESSION_CONNECTING,  /* dialling the peer */
	SESSION_HANDSHAKING, /* in a worker */
	SESSION_BACKEND,     /* keys installed, connecting to the SIP server */
	SESSION_RELAYING,
	SESSION_CLOSING, /* told the relay to end */
	_SESSION_STATE_MAX,
};

const char *session_state_name(enum session_state state);

/* A borrowed look at one session; pointers are valid until the callback returns. NULL: unknown yet.
 */
struct session_view {
	uint64_t id;
	enum session_state state;
	bool dialled;
	bool authenticated; /* false: a client listener's session, matched to no entry */
	const char *via;    /* name of the listener or dial-out */
	const char *peer;   /* topology entry */
	const char *owner;  /* site or partner of that entry */
	const char *name;   /* the name in the certificate that matched */
	const char *subject, *issuer, *serial, *fingerprint; /* of the leaf */
	const char *anchor;				     /* subject of the CA that vouched */
	int64_t expires; /* earliest end in the chain, seconds since 1970; 0: none */
	struct net_addr remote, local, backend;
	struct net_addr backend_local; /* our side of the backend connection: "who is behind" */
	enum ktls_version version;     /* from here on only in states BACKEND and later */
	enum ktls_cipher cipher;
	const char *group, *sni, *identity;
	bool kernel;		 /* the kernel encrypts; else a worker does, because: */
	const char *kernel_why;	 /* why not; "" if it does */
	uint64_t cookie;	 /* of the TLS socket, as sock_diag shows it */
	uint64_t started_ms;	 /* time_monotonic_ms() of accept or dial */
	uint64_t established_ms; /* 0: not yet */
	uint32_t generation;	 /* of the configuration it was admitted under */
	struct relay_stats relay;
};

/* Called for each session in order of id; false from @fn ends the walk. */
typedef bool (*session_view_fn)(void *userdata, const struct session_view *view);
void sessions_foreach(struct sessions *sessions, session_view_fn fn, void *userdata);
bool sessions_view(struct sessions *sessions, uint64_t id, session_view_fn fn, void *userdata);

/* End session @id. false: there is none. */
bool sessions_close(struct sessions *sessions, uint64_t id, enum reason reason);

/* Figures per topology entry, in the order of the topology; entries with sessions but no longer
 * in the topology come last. */
struct session_peer_view {
	const char *name, *owner;
	const char *kind;		    /* "pool", ...; "removed" */
	uint32_t sessions_in, sessions_out; /* now */
	uint64_t admitted, refused;	    /* since start */
	enum reason last_refusal;	    /* REASON_OK: none */
	int64_t last_refusal_time;	    /* seconds since 1970 */
};

typedef void (*session_peer_fn)(void *userdata, const struct session_peer_view *view);
void sessions_foreach_peer(struct sessions *sessions, session_peer_fn fn, void *userdata);

struct sessions_summary {
	uint64_t started_ms;
	uint32_t generation; /* counts successful loads */
	uint64_t serial;     /* of the topology */
	int64_t loaded;	     /* seconds since 1970 */
	uint32_t handshaking, relaying, kernel, user_space, unauthenticated;
	uint32_t handles; /* sessions in whatever state */
	uint64_t accepted, dialled, admitted;
	uint64_t ended[_REASON_MAX]; /* refusals and ends by reason */
	uint32_t workers;
	uint64_t worker_respawns;
	struct ktls_support support;
};

void sessions_summary(const struct sessions *sessions, struct sessions_summary *ret);
/* Listening addresses as bound (a port 0 of the configuration resolved). */
typedef void (*session_port_fn)(void *userdata, const char *via, bool dial,
				const struct net_addr *addr);
void sessions_foreach_port(struct sessions *sessions, session_port_fn fn, void *userdata);
