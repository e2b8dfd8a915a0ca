/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The session module's own objects; nobody else sees them. */

#include <siptls/session.h>
#include <siptls/worker.h>

/* ---- generation: one configuration with the workers that were started on it ---- */

struct generation {
	struct list node;
	struct sessions *sessions;
	uint32_t number;
	uint32_t refs; /* being in force, and every session that is not established yet */
	struct conf_snapshot *snapshot;
	struct conf *conf;
	struct worker_pool *pool; /* outlives the last reference while it carries pumps */
	bool tls12; /* a topology entry allows TLS 1.2, so mutual listeners must offer it */
};

struct generation *generation_ref(struct generation *generation);
struct generation *generation_unref(struct generation *generation);

/* ---- place: the name of a listener or dial-out, outliving the configuration that made it ---- */

struct place {
	struct list node;
	uint32_t refs;
	char name[];
};

struct place *place_get(struct sessions *sessions, const char *name); /* NULL: out of memory */
struct place *place_unref(struct place *place);

/* ---- port: one listening socket ---- */

struct port {
	struct list node;
	struct sessions *sessions;
	struct place *place;
	struct net_addr configured, bound;
	int fd;
	struct loop_source *io;
	struct port *reuse; /* while prepared: the port in force whose socket it will take */
	bool dial;
	uint32_t index; /* of the listener or dial-out in the configuration in force */
};

/* Make the ports of @generation, reusing those of @old_ports that stay. CONF_E_INVALID: cannot
 * bind. */
int ports_prepare(struct sessions *sessions, struct generation *generation, struct list *ret_ports,
		  struct conf_error *reterr) _must_check_;
/* Put @ports in force: reused sockets move over, others of the old list are closed. */
void ports_commit(struct sessions *sessions, struct list *ports);
void ports_free(struct list *ports);
/* Stop accepting for a moment: out of descriptors. */
void ports_pause(struct sessions *sessions);

/* ---- accounts: per topology entry, and per source address ---- */

struct account {
	struct list node;
	uint32_t refs; /* sessions */
	char *name, *owner;
	const char *kind;     /* NULL: no longer in the topology */
	uint32_t sessions[2]; /* [dialled] */
	uint64_t admitted, refused;
	enum reason last_refusal;
	int64_t last_refusal_time;
};

/* Accounts for all entries of @policy, appended to an empty list. 0 or -ENOMEM. */
int accounts_prepare(const struct trust_policy *policy, struct list *ret_accounts) _must_check_;
/* Put them in force; figures are kept by name. Cannot fail. */
void accounts_commit(struct sessions *sessions, struct list *accounts);
void accounts_free(struct list *accounts);
struct account *account_find(struct sessions *sessions, const char *name);

struct source {
	struct list node;
	struct net_addr addr;
	uint32_t handshakes;
};

/* Count one more handshake of this source. REASON_OK, or the limit that is reached. */
enum reason source_enter(struct sessions *sessions, const struct net_addr *addr, uint32_t limit,
			 struct source **ret);
struct source *source_leave(struct source *source);

/* ---- session ---- */

/* What is remembered of an admitted peer: packed strings, in one block. */
enum session_text {
	SESSION_TEXT_NAME,
	SESSION_TEXT_SUBJECT,
	SESSION_TEXT_ISSUER,
	SESSION_TEXT_SERIAL,
	SESSION_TEXT_FINGERPRINT,
	SESSION_TEXT_ANCHOR,
	SESSION_TEXT_GROUP,
	SESSION_TEXT_SNI,
	SESSION_TEXT_IDENTITY,
	_SESSION_TEXT_MAX,
};

struct session {
	struct list node;     /* in order of id */
	struct session *next; /* in its hash chain */
	struct sessions *sessions;
	uint64_t id;
	uint64_t cookie;
	uint64_t started_ms, established_ms;
	int64_t expires;
	enum session_state state;
	bool dialled, mutual, kernel;
	bool link_ended; /* @link is ours to free */
	bool pump_over;	 /* pump_reason is set */
	bool relay_over; /* relay_end is set; waiting for the pump's word */
	enum reason pump_reason;
	struct relay_end relay_end;
	enum ktls_version version;
	enum ktls_cipher cipher;
	uint32_t generation_number;
	uint32_t index; /* of listener or dial-out, while @generation is held */
	const char *kernel_why;
	struct place *place;
	struct account *account;
	struct net_addr remote, local, backend, backend_local;
	char *texts;
	struct relay_link *link;
	/* below: only until the session is established */
	struct generation *generation;
	struct source *source; /* !dialled: counted as unauthenticated while it is set */
	struct loop_source *timer, *io;
	struct loop_source *local_io; /* dialled: does the local SIP server give up? */
	struct worker_result *result; /* kept while the backend is being reached; wiped then */
	int tls_fd, plain_fd;
};

enum session_event_type {
	EVENT_DIALLED,	  /* the connection to the peer is decided */
	EVENT_LOCAL_GONE, /* the local SIP server has given up */
	EVENT_RESULT,	  /* the worker has answered */
	EVENT_LOST,	  /* the worker has died */
	EVENT_BACKEND,	  /* the connection to the SIP server is decided */
	EVENT_RELAY_END,
	EVENT_PUMP_END,
	EVENT_TIMEOUT,
	EVENT_CLOSE, /* an administrator, or the end of the daemon */
	_EVENT_MAX,
};

struct session_event {
	enum session_event_type type;
	union {
		struct worker_result *result;
		const struct relay_end *relay_end;
		const struct worker_pump_end *pump_end;
		enum reason close_reason;
	};
};

struct sessions {
	struct loop *loop;
	struct sessions_config config;
	struct ktls_support support;
	struct relay *relay;
	uint32_t relay_threads; /* as started */
	char *control_path;	/* as at the start */
	struct loop_source *relay_io;
	struct generation *generation; /* in force */
	struct list generations;
	struct list ports, places, accounts;
	struct list sources[1024];
	struct loop_source *ports_timer;

	struct list list;
	struct session **buckets;
	size_t n_buckets;
	uint32_t n_sessions;
	uint64_t last_id;

	struct generation *candidate; /* of the reload that is under way */
	struct list candidate_ports, candidate_accounts;
	struct conf_error candidate_error; /* text "": none */
	struct list reload_waiting;	   /* for the reload under way */
	struct list reload_queued;	   /* for the one after it */
	struct loop_source *reload_defer;
	uint32_t last_generation;
	int64_t loaded;

	struct sessions_summary totals; /* the counting part */
	struct {
		uint64_t window_ms;
		uint32_t lines, suppressed;
	} log_limit;
};

/* End all generations at once, workers included: the daemon is stopping. */
void generations_free(struct sessions *sessions);

/* sessions.c */
int sessions_relay_start(struct sessions *sessions, const struct conf *conf) _must_check_;

/* reload.c */
void reload_abandon(struct sessions *sessions); /* the daemon is stopping */

/* table.c */
struct session *session_new(struct sessions *sessions, struct port *port); /* NULL: out of memory */
struct session *session_find(struct sessions *sessions, uint64_t id);
void session_free(struct session *session); /* out of the table; closes what is open */

/* life.c */
void session_start(struct session *session, int fd);
void session_dispatch(struct session *session, const struct session_event *event);
/* The end: counted, logged, freed. @detail may be NULL. */
void session_end(struct session *session, enum reason reason, const char *detail);

/* identity.c */
/* Remember whom the worker's result is about. 0 or -ENOMEM. */
int session_remember(struct session *session, const struct worker_result *result,
		     const struct trust_verdict *verdict) _must_check_;
const char *session_text(const struct session *session, enum session_text which); /* NULL: none */

/* report.c */
void report_open(const struct session *session);
void report_end(struct session *session, enum reason reason, uint8_t alert, uint64_t lost,
		const char *detail);
/* A connection that never became a session: the table or the memory is full. */
void report_refused(struct sessions *sessions, const struct port *port,
		    const struct net_addr *remote, enum reason reason);
void report_status(struct sessions *sessions);
