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
#include <siptls/revocation.h>
#include <siptls/trust.h>

struct sessions;

struct sessions_config {
	const char *conf_path;
	const char *worker_executable;
	const char *fetch_executable;
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

/*
 * The same in two phases: read and prepare everything (@fn tells), look at it, then put it in force
 * or drop it. What is staged holds no session back. Staging again replaces what was staged before;
 * a reload drops it. sessions_commit() with @at (seconds since 1970) in the future does it then; 0:
 * now. @fn tells when it is in force, or planned. SESSIONS_E_NOTHING_STAGED.
 */
enum { SESSIONS_E_NOTHING_STAGED = 1 };
void sessions_stage(struct sessions *sessions, sessions_reload_fn fn, void *userdata);
int sessions_commit(struct sessions *sessions, int64_t at, sessions_reload_fn fn,
		    void *userdata) _must_check_;
int sessions_abort(struct sessions *sessions) _must_check_;
const struct conf *sessions_conf(const struct sessions *sessions); /* in force; NULL before start */

/* ---- views, for control ---- */

enum session_state {
	SESSION_RESOLVING,   /* looking up where the peer is */
	SESSION_CONNECTING,  /* dialling the peer */
	SESSION_HANDSHAKING, /* in a worker */
	SESSION_BACKEND,     /* keys installed, connecting to the SIP server */
	SESSION_PROBING,     /* keys installed, waiting for what the peer says of our certificate */
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
	const char *
		revocation; /* of the chain, as last judged: "good", "stale", ...; NULL: no chain */
	const char *const
		*domains; /* SIP domains the peer may speak for, by the topology in force */
	size_t n_domains;
	int64_t ends; /* when the session will be ended, seconds since 1970; 0: not planned */
	enum reason ends_reason; /* why then */
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

/*
 * ---- refusals that are remembered: the last ones, newest first ----
 *
 * Connections that never became sessions, and sessions that ended for no everyday reason: their
 * trust was lost, the peer sent an alert, a record was broken...
 */

#define SESSION_REFUSALS_MAX 512

struct session_refusal_view {
	uint64_t id;	   /* of the session that was refused */
	int64_t time;	   /* seconds since 1970 */
	uint32_t repeated; /* how often the same happened before, from the same source */
	bool dialled;
	bool ended;		/* an established session; else a connection that was refused */
	const char *via, *peer; /* peer NULL: none was found */
	struct net_addr remote;
	enum reason reason;
	const char *detail;  /* "" if there is none */
	const char *subject; /* of the certificate shown; NULL: none was */
};

typedef bool (*session_refusal_fn)(void *userdata, const struct session_refusal_view *view);
void sessions_foreach_refusal(struct sessions *sessions, session_refusal_fn fn, void *userdata);

/* ---- why: a session or a remembered refusal, judged once more under what is in force ---- */

struct session_link_view {
	const char *subject, *issuer, *serial, *fingerprint;
	bool anchor; /* the last one: nothing is asked of its revocation */
	int64_t not_before, not_after;
	const char *status; /* "good", "revoked", ...; NULL: anchor */
	bool ocsp;
	int64_t this_update, next_update, revoked_at; /* 0: none */
	const char *crl; /* file or URL of the list that told; NULL: none */
};

struct session_explanation {
	uint64_t id;
	bool live;	       /* an established session; else a refusal */
	bool judged;	       /* false: it never came to a judgement; nothing but this is told */
	enum reason then, now; /* the verdict at that time, and under what is in force now */
	const char *entry, *name; /* that admits now, or comes closest; the name that matched */
	const char *detail;
};

struct session_explain_ops {
	void (*verdict)(void *userdata, const struct session_explanation *explanation); /* first */
	void (*link)(void *userdata, const struct session_link_view *link); /* leaf to anchor */
	/* @entry: the entry's name, NULL for rules of the leaf. */
	void (*rule)(void *userdata, const char *entry, const struct trust_rule_view *rule);
};

/* 0, SESSION_E_UNKNOWN or -errno. */
enum { SESSION_E_UNKNOWN = 1 };
int sessions_explain(struct sessions *sessions, uint64_t id, const struct session_explain_ops *ops,
		     void *userdata) _must_check_;

/* ---- previews: which live sessions would end ---- */

enum session_preview {
	SESSION_PREVIEW_STAGED, /* if what is staged were put in force */
	SESSION_PREVIEW_TIME,	/* by the time given, because certificates end */
	SESSION_PREVIEW_CRL,	/* if the CRLs in the file given were known */
};

struct session_preview_question {
	enum session_preview what;
	int64_t at;
	const char *crl_path; /* absolute; read by siptls-fetch */
};

struct session_preview_ops {
	void (*line)(void *userdata, const char *line); /* STAGED: the difference, a line each */
	void (*session)(void *userdata, const struct session_view *view, enum reason reason);
	/* Last. @error NULL: all has been told. */
	void (*done)(void *userdata, const char *error);
};

/* Asynchronous for a CRL; sessions_reload_forget() forgets this @userdata too. */
void sessions_preview(struct sessions *sessions, const struct session_preview_question *question,
		      const struct session_preview_ops *ops, void *userdata);

/* ---- probe: dial now, judge, tell, end ---- */

struct session_probe_view {
	enum reason reason; /* REASON_OK: the peer would be admitted */
	const char *detail;
	bool admitted;
	struct session_view session; /* as far as it came */
};

struct session_probe_ops {
	void (*link)(void *userdata, const struct session_link_view *link);  /* the chain, if any */
	void (*done)(void *userdata, const struct session_probe_view *view); /* last, once */
};

/*
 * @peer: a dial section, a topology entry or member. 0, SESSION_E_UNKNOWN (no such entry, or
 * nothing to dial) or -errno; then no op is called. sessions_reload_forget() forgets this @userdata
 * too.
 */
int sessions_probe(struct sessions *sessions, const char *peer, const struct session_probe_ops *ops,
		   void *userdata) _must_check_;

/* ---- the network as it is in force ---- */

struct session_entry_view {
	const struct trust_policy *policy;
	const struct trust_entry *entry;
	bool self; /* this server: an identity of ours bears its name */
};

typedef void (*session_entry_fn)(void *userdata, const struct session_entry_view *view);
void sessions_foreach_entry(struct sessions *sessions, session_entry_fn fn, void *userdata);

/* Certificates of ours and of anchors. */
struct session_certificate_view {
	bool anchor;
	const char *owner; /* identity, or site or partner */
	const struct trust_certificate *certificate;
	int64_t left_s; /* until it ends; negative: since */
	bool warned;	/* less is left than limits { expiry_warning } */
};

typedef void (*session_certificate_fn)(void *userdata, const struct session_certificate_view *view);
void sessions_foreach_certificate(struct sessions *sessions, session_certificate_fn fn,
				  void *userdata);

/* CRLs on the board, and the sources they come from. */
typedef void (*session_crl_fn)(void *userdata, const struct revocation_crl_view *view);
void sessions_foreach_crl(struct sessions *sessions, session_crl_fn fn, void *userdata);
typedef void (*session_source_fn)(void *userdata, const struct revocation_source_event *last);
void sessions_foreach_source(struct sessions *sessions, session_source_fn fn, void *userdata);
void sessions_revocation_refresh(struct sessions *sessions); /* fetch and read everything now */

/* What is allowed and probably not meant, a line each. */
void sessions_foreach_warning(struct sessions *sessions, conf_line_fn fn, void *userdata);

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
	bool last_good;	   /* running on the last good copy: the files are broken */
	bool staged;	   /* something is prepared and waits for commit or abort */
	int64_t commit_at; /* when it will be put in force by itself; 0: when asked */
	uint64_t board;	   /* number of the revocation board; 0: none yet */
	uint32_t crls;
	uint64_t chains_cached; /* handshakes whose chain had been verified before */
	uint32_t peers_known;	/* distinct chains of live sessions */
};

void sessions_summary(const struct sessions *sessions, struct sessions_summary *ret);
/* Listening addresses as bound (a port 0 of the configuration resolved). */
typedef void (*session_port_fn)(void *userdata, const char *via, bool dial,
				const struct net_addr *addr);
void sessions_foreach_port(struct sessions *sessions, session_port_fn fn, void *userdata);
