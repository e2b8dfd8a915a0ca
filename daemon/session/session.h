/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The session module's own objects; nobody else sees them. */

#include <siptls/fetch.h>
#include <siptls/session.h>
#include <siptls/worker.h>

/* ---- inventory: the certificates of one configuration, as a worker has read them ---- */

struct inventory_certificate {
	bool anchor;
	uint32_t index;		  /* of the anchor set or identity */
	uint32_t place;		  /* in the identity's chain: 0 is the leaf */
	struct trust_facts facts; /* of it alone */
	char *der;
	uint32_t der_len;
};

struct inventory {
	struct inventory_certificate *certs; /* anchors by fingerprint, then identities */
	size_t n, max;
	size_t n_anchors;
};

int inventory_add(struct inventory *inventory,
		  struct worker_certificate *certificate) _must_check_; /* takes its contents */
void inventory_sort(struct inventory *inventory);			/* when all are there */
void inventory_done(struct inventory *inventory);
/* The leaf of identity @index, or NULL. */
const struct inventory_certificate *inventory_identity(const struct inventory *inventory,
						       uint32_t index);
/*
 * Paths of facts from another configuration, as this one numbers its anchor sets: a path counts for
 * every set that has its anchor now, and one whose anchor is gone is dropped.
 */
int inventory_renumber(const struct inventory *inventory, struct trust_facts *facts) _must_check_;

/* ---- generation: one configuration with the workers that were started on it ---- */

struct generation {
	struct list node;
	struct sessions *sessions;
	uint32_t number;
	uint32_t refs; /* being in force or staged, and every session that is not established yet */
	struct conf_snapshot *snapshot;
	struct conf *conf;
	struct inventory inventory;
	struct worker_pool *pool; /* outlives the last reference while it carries pumps */
	bool *self;		  /* one per topology entry: an identity of ours bears its name */
	size_t names;	/* that the topology lists: what one name of a leaf is compared with */
	bool tls12;	/* a topology entry allows TLS 1.2, so mutual listeners must offer it */
	bool last_good; /* made of the last good copy */
};

/* What changes in the certificates themselves, whatever their files are called; a line each. */
void inventory_diff(const struct generation *old, const struct generation *new, conf_line_fn fn,
		    void *userdata);

int generation_new(struct sessions *sessions, struct generation **ret) _must_check_;
/* Read the files into it and start its workers. 0, CONF_E_INVALID with *reterr, or -errno. */
int generation_load(struct generation *generation, struct conf_error *reterr) _must_check_;
struct generation *generation_ref(struct generation *generation);
struct generation *generation_unref(struct generation *generation);
/* At once, without its workers' consent: it was never in force. */
void generation_drop(struct generation *generation);

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

struct session;

struct account {
	struct list node;
	uint32_t refs; /* sessions */
	char *name, *owner;
	const char *kind;     /* NULL: no longer in the topology */
	uint32_t sessions[2]; /* [dialled] */
	uint64_t admitted, refused;
	enum reason last_refusal;
	int64_t last_refusal_time;
	uint64_t rate, burst;	     /* of @bucket: bytes a second, 0: no limit */
	struct relay_bucket *bucket; /* of all its sessions */
	int64_t warned; /* when an expiring certificate of this peer was last told of */
};

/* Accounts for all entries of @policy, appended to an empty list. 0 or -ENOMEM. */
int accounts_prepare(const struct trust_policy *policy, struct list *ret_accounts) _must_check_;
/* Put them in force; figures are kept by name. Cannot fail. */
void accounts_commit(struct sessions *sessions, struct list *accounts);
void accounts_free(struct list *accounts);
/* The session is with this entry of its own configuration; a number that it has not is none. */
void account_assign(struct session *session, uint32_t entry);
/* The established session belongs to this entry from now on. */
void account_move(struct session *session, const char *name);
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

/* ---- peer: a chain that live sessions were admitted on, once for all of them ---- */

/* Strings about the leaf, packed in one block. */
enum peer_text {
	PEER_TEXT_SUBJECT,
	PEER_TEXT_ISSUER,
	PEER_TEXT_SERIAL,
	PEER_TEXT_FINGERPRINT,
	PEER_TEXT_ANCHOR,
	_PEER_TEXT_MAX,
};

struct issuer;

struct peer {
	struct list node; /* in its bucket */
	struct sessions *sessions;
	uint32_t refs;
	uint32_t packed_size;
	uint8_t *packed; /* worker_facts_pack(), without what is known of revocation */
	char *texts;
	struct issuer **issuers; /* intermediates of its paths */
	uint32_t n_issuers;
	/* the last judgement, to be shared by sessions that ask the same; see judge.c */
	uint64_t judged; /* round; 0: none */
	struct peer_judgement {
		uint32_t entry, member;
		bool dialled;
		enum ktls_version version;
		enum reason reason;
		enum trust_standing standing;
		int64_t expires;
		uint32_t by; /* the entry that admits */
	} judgement;
};

/* The peer of this result, new or known, with a reference. @verdict admitted it. */
int peer_get(struct sessions *sessions, const struct worker_result *result,
	     const struct trust_verdict *verdict, struct peer **ret) _must_check_;
struct peer *peer_unref(struct peer *peer); /* NULL is fine */
void peer_teach(const struct peer *peer);
const char *peer_text(const struct peer *peer, enum peer_text which); /* NULL: none */

/* ---- session ---- */

/* What is remembered of one session: packed strings, in one block. */
enum session_text {
	SESSION_TEXT_NAME,
	SESSION_TEXT_MEMBER, /* that was dialled */
	SESSION_TEXT_GROUP,
	SESSION_TEXT_SNI,
	SESSION_TEXT_IDENTITY,
	_SESSION_TEXT_MAX,
};

/* Where a dialled peer may be, and which of these places is being tried. */
struct session_targets {
	uint32_t n, next;
	struct net_addr addrs[];
};

struct probe;

struct session {
	struct list node;     /* in order of id */
	struct session *next; /* in its hash chain */
	struct sessions *sessions;
	uint64_t id;
	uint64_t cookie;
	uint64_t started_ms, established_ms;
	int64_t expires;
	int64_t ends;	     /* seconds since 1970; 0: no end is planned */
	uint8_t ends_reason; /* enum reason */
	uint8_t standing;    /* enum trust_standing, as last judged */
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
	char *ends_detail; /* why it will end, or is ending; NULL: nothing to tell */
	struct peer *peer; /* mutual */
	struct relay_link *link;
	/* below: only until the session is established */
	struct generation *generation;
	struct probe *probe; /* an administrator wants to know, no SIP server */
	struct session_targets *targets;
	const struct trust_facts *facts; /* while the worker's answer is being looked at */
	uint64_t board;			 /* how many boards had come when it began */
	struct source *source;		 /* !dialled: counted as unauthenticated while it is set */
	struct loop_source *timer, *io;
	struct loop_source *local_io; /* dialled: does the local SIP server give up? */
	struct worker_result *result; /* kept while the backend is being reached; wiped then */
	int tls_fd, plain_fd;
};

enum session_event_type {
	EVENT_RESOLVED,	  /* where the peer is, or why that is not known */
	EVENT_DIALLED,	  /* the connection to the peer is decided */
	EVENT_LOCAL_GONE, /* the local SIP server has given up */
	EVENT_RESULT,	  /* the worker has answered */
	EVENT_LOST,	  /* the worker has died */
	EVENT_BACKEND,	  /* the connection to the SIP server is decided */
	EVENT_PROBED,	  /* the peer of a probe has said something */
	EVENT_RELAY_END,
	EVENT_PUMP_END,
	EVENT_TIMEOUT,
	EVENT_CLOSE, /* an administrator, or the end of the daemon */
	_EVENT_MAX,
};

struct session_event {
	enum session_event_type type;
	union {
		const struct dns_answer *answer;
		struct worker_result *result;
		const struct relay_end *relay_end;
		const struct worker_pump_end *pump_end;
		enum reason close_reason;
	};
};

/* ---- refusals, remembered ---- */

struct refusal {
	uint64_t id;
	int64_t time;
	bool dialled, ended;
	enum reason reason;
	enum ktls_version version;
	uint32_t repeated; /* the same once more, from the same source */
	struct place *place;
	struct net_addr remote;
	char *peer, *member, *detail, *subject; /* NULL: none */
	uint8_t fingerprint[32];
	uint8_t *packed; /* facts; NULL: none, or too many bytes */
	uint32_t packed_size;
};

/* ---- the reload that is under way ---- */

struct reload {
	struct generation *generation; /* NULL: none is under way */
	struct list ports, accounts;
	bool stage;		   /* prepare, and wait for commit */
	struct conf_error error;   /* text "": none */
	struct list waiting;	   /* for this one */
	struct loop_source *step;  /* what comes next, outside the callback that made it possible */
	struct loop_source *timer; /* waiting for the board, but not for ever */
};

/* What is prepared and waits for an administrator's word. */
struct staged {
	struct generation *generation; /* NULL: nothing is */
	struct list ports, accounts;
	int64_t at; /* to be put in force then; 0: when asked */
	struct list waiting;
	struct loop_source *timer;
};

#define PEER_BUCKETS 1024

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
	struct list peers[PEER_BUCKETS];
	struct list issuers; /* that live peers rest on */
	uint32_t n_peers;
	struct loop_source *ports_timer;

	struct list list;
	struct session **buckets;
	size_t n_buckets;
	uint32_t n_sessions;
	uint64_t last_id;

	struct reload reload;
	struct list reload_queued; /* for the one after it */
	struct staged staged;
	uint32_t last_generation;
	int64_t loaded;

	/* outside.c */
	struct fetch *fetch;
	struct revocation_board *board; /* NULL: none yet */
	uint64_t boards;	 /* that have come: siptls-fetch counts anew when it restarts */
	struct list crl_sources; /* as siptls-fetch told of them last */
	struct list previews;	 /* of CRL files, under way */
	uint64_t last_lookup;

	/* judge.c */
	struct {
		uint64_t round;	   /* counts changes */
		struct list *next; /* node of the session to be judged next; NULL: none */
		uint64_t walking;  /* the round that the walk under way began with */
		uint32_t lost;	   /* sessions that this walk ended */
		struct loop_source *step;
		struct loop_source *timer; /* at the earliest planned end */
		int64_t earliest;	   /* seconds since 1970; INT64_MAX: none */
	} judge;

	struct refusal *refusals[SESSION_REFUSALS_MAX]; /* a ring */
	uint32_t refusals_next;
	struct list probes;

	struct loop_source *status_timer;
	bool status_due; /* the status line is to be told when the timer fires */
	struct loop_source *watch_timer;
	char **warned; /* lines told already */
	size_t n_warned;

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
/* The generation's workers have read everything, or found a mistake. */
void reload_ready(struct sessions *sessions, struct generation *generation,
		  const struct conf_error *error);
/* The board of the plan has come. */
void reload_board(struct sessions *sessions);

/* outside.c: what siptls-fetch gets for us */
int outside_start(struct sessions *sessions) _must_check_;
void outside_stop(struct sessions *sessions);
/* Have what @generation needs got from now on. 0; FETCH_E_UNCHANGED: no board will come; -errno. */
int outside_plan(struct sessions *sessions, const struct generation *generation) _must_check_;
/* What a verified chain tells about where to look. */
void outside_learn(struct sessions *sessions, const struct generation *generation,
		   const struct worker_result *result);
void outside_forget(struct sessions *sessions, const void *userdata); /* previews */

/* judge.c: the verdict, once and again */
/* What the worker's facts come to under the configuration the session began with. */
enum reason judge_result(struct session *session, const struct worker_result *result,
			 struct trust_verdict *ret_verdict, struct text *ret_why);
/* Something changed: every live session is judged again, in order of id. */
void judge_all(struct sessions *sessions);
/* This one, now: it has just been registered, or a time has come. */
void judge_session(struct session *session);
/* It has reached the relay: plan its end, and judge it if something changed meanwhile. */
void judge_register(struct session *session);
void judge_stop(struct sessions *sessions);
/* A session is leaving the table. */
void judge_forget(struct session *session);
/* Plan an end; an earlier one stands. */
void judge_plan_end(struct session *session, int64_t at, enum reason reason);
/* Would it be drained because its identity's certificate is another in @new? */
bool judge_identity_changes(const struct session *session, const struct generation *new);
/* Our certificates changed from @old to the generation in force: what rests on old ones drains. */
void judge_identities(struct sessions *sessions, const struct generation *old);

/*
 * Of a peer that the worker has refused already: is the daemon's own judgement, which then only
 * finds words and an entry, cheap enough? Strangers choose how many names they bring.
 */
bool judge_is_cheap(const struct session *session, const struct worker_result *result);

/* Facts of a peer or refusal as they stand now, under @generation and @board. */
int judge_facts(const uint8_t *packed, size_t size, const struct generation *generation,
		const struct revocation_board *board, struct trust_facts *ret) _must_check_;
struct judge_whom {		    /* by name, because numbers are a generation's own */
	const char *entry, *member; /* that was dialled; NULL: they dialled us */
	enum ktls_version version;
	bool dialled, live;
};
struct trust_question judge_question(const struct generation *generation,
				     const struct judge_whom *whom, int64_t now);
/* Of a live session, as it would be under these; for previews. */
enum reason judge_preview(struct session *session, const struct generation *generation,
			  const struct revocation_board *board, int64_t now);

/* refusal.c */
/* Remember a session that was never established, or that ended for no everyday reason. */
void refusal_add(const struct session *session, enum reason reason, const char *detail);
const struct refusal *refusal_find(const struct sessions *sessions, uint64_t id);
void refusals_free(struct sessions *sessions);

/* probe.c */
const struct conf_dial *probe_dial(const struct probe *probe);
void probe_on_said(struct session *session, const struct session_event *event);
void probe_on_pump_end(struct session *session, const struct session_event *event);
void probe_on_silence(struct session *session, const struct session_event *event);
/* The session's end; @result as far as it came, NULL: not to one. */
void probe_end(struct session *session, enum reason reason, const char *detail);
void probe_facts(struct session *session, const struct trust_facts *facts,
		 const struct trust_verdict *verdict);
struct probe *probe_free(struct probe *probe); /* NULL is fine */
void probes_forget(struct sessions *sessions, const void *userdata);

/* explain.c */
/* The chain of @facts by @verdict, link by link. */
void explain_links(const struct sessions *sessions, const struct trust_facts *facts,
		   const struct trust_verdict *verdict,
		   void (*fn)(void *userdata, const struct session_link_view *link),
		   void *userdata);

/* watch.c: what ends soon, and what was probably not meant */
void watch_now(struct sessions *sessions); /* something changed */
void watch_stop(struct sessions *sessions);
/* An admitted peer's certificate, if it ends soon. */
void watch_peer(struct session *session);

/* table.c */
struct session_origin {
	struct place *place;
	bool dialled;
	uint32_t index; /* of listener or dial-out */
};
/* NULL: out of memory */
struct session *session_new(struct sessions *sessions, const struct session_origin *origin);
struct session *session_find(struct sessions *sessions, uint64_t id);
void session_free(struct session *session); /* out of the table; closes what is open */

/* views.c */
void session_view_make(const struct session *session, struct session_view *ret);

/* life.c */
void session_start(struct session *session, int fd);
void session_dispatch(struct session *session, const struct session_event *event);
/* The end: counted, logged, freed. @detail may be NULL. */
void session_end(struct session *session, enum reason reason, const char *detail);
void session_fail(struct session *session, int r); /* the same, for -errno */
void session_enter(struct session *session, enum session_state state);
bool session_is_exhausted(int r);
const struct conf *session_conf(const struct session *session); /* that it began with */
void session_handshake(struct session *session);		/* the connection is there */

/* dial.c: from a local connection to one with the peer */
const struct conf_dial *session_dial(const struct session *session);
void dial_start(struct session *session, int local_fd);
void dial_on_resolved(struct session *session, const struct session_event *event);
void dial_on_dialled(struct session *session, const struct session_event *event);
void dial_on_local_gone(struct session *session, const struct session_event *event);
void dial_on_timeout(struct session *session, const struct session_event *event);
void dial_cancel(struct session *session); /* the session ends while it is looking */

/* identity.c */
/* Remember whom the worker's result is about. 0 or -ENOMEM. */
int session_remember(struct session *session, const struct worker_result *result,
		     const struct trust_verdict *verdict) _must_check_;
const char *session_text(const struct session *session, enum session_text which); /* NULL: none */

/* report.c */
void report_open(const struct session *session);
/* Not one of the ends that are everyday's. */
bool report_is_news(enum reason reason);
void report_end(struct session *session, enum reason reason, uint8_t alert, uint64_t lost,
		const char *detail);
/* A connection that never became a session: the table or the memory is full. */
void report_refused(struct sessions *sessions, const struct port *port,
		    const struct net_addr *remote, enum reason reason);
void report_status(struct sessions *sessions);
