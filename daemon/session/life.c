/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The life of a session, left to right:
 *
 *	accept or dial > ULP > handshake (worker) > judge > install keys > backend > relay > end
 *
 * The table at the end of this file is the whole order: which events a state knows and which step
 * each takes. Every step ends in a new state or in session_end() with one reason. Nothing that can
 * fail stands between the installed keys and the relay but reaching the SIP server, and that
 * failing closes the session.
 */

#include <siptls/log.h>

#include <stdio.h>

#include "session.h"

typedef void (*step_fn)(struct session *session, const struct session_event *event);

const struct conf *session_conf(const struct session *session)
{
	return session->generation->conf;
}

static const struct conf_listener *listener_of(const struct session *session)
{
	return &session_conf(session)->listeners[session->index];
}

bool session_is_exhausted(int r)
{
	return r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS;
}

void session_fail(struct session *session, int r)
{
	session_end(session, session_is_exhausted(r) ? REASON_RESOURCES : REASON_INTERNAL,
		    strerror(-r));
}

/* ---- the handshake ---- */

/*
 * The ULP comes before the handshake: it wants an established connection, and a missing module
 * shows before anything expensive was done. REASON_OK also when user space has to carry the
 * session.
 */
static enum reason ulp_prepare(struct session *session)
{
	bool required = session_conf(session)->kernel == CONF_KERNEL_REQUIRE;
	int r = KTLS_E_NO_ULP;

	session->kernel = false;
	if (session->sessions->support.ulp)
		r = ktls_ulp_set(session->tls_fd);
	switch (r) {
	case 0:
		session->kernel = true;
		return REASON_OK;
	case KTLS_E_NO_ULP:
		session->kernel_why = "the kernel has no tls module";
		return required ? REASON_KERNEL_UNAVAILABLE : REASON_OK;
	case KTLS_E_NOT_CONNECTED:
		/* A reset leaves an error on the socket, an orderly end does not. */
		return net_dial_result(session->tls_fd) ? REASON_PEER_RESET : REASON_PEER_CLOSED;
	default:
		return REASON_INTERNAL;
	}
}

/* The socket to the peer is connected: give it to a worker. */
void session_handshake(struct session *session)
{
	const struct conf *conf = session_conf(session);
	struct worker_job job = { .id = session->id };
	enum reason reason;
	int r;

	session->cookie = net_cookie(session->tls_fd);
	net_local_addr(session->tls_fd, &session->local);
	r = net_tune(session->tls_fd);
	if (r < 0)
		return session_end(session, REASON_PEER_RESET, strerror(-r));
	reason = ulp_prepare(session);
	if (reason != REASON_OK)
		return session_end(session, reason, session->kernel_why);

	job.tls.dial = session->dialled;
	job.tls.mutual = session->mutual;
	job.tls.fallback = conf->kernel == CONF_KERNEL_PREFER;
	if (session->kernel)
		memcpy(job.tls.kernel_ciphers, session->sessions->support.ciphers,
		       sizeof(job.tls.kernel_ciphers));
	if (session->dialled) {
		const struct conf_dial *dial = session_dial(session);

		job.tls.identity = dial->identity;
		job.tls.entry = dial->entry;
		job.tls.member = dial->member;
		job.tls.tls12 = conf->trust.entries[dial->entry].tls12;
	} else {
		job.tls.listener = session->index;
		job.tls.entry = TRUST_ENTRY_ANY;
		job.tls.tls12 =
			session->mutual ? session->generation->tls12 : listener_of(session)->tls12;
	}
	r = worker_pool_submit(session->generation->pool, &job, session->tls_fd);
	if (r == WORKER_E_UNAVAILABLE)
		return session_end(session, REASON_WORKER_UNAVAILABLE, NULL);
	if (r < 0)
		return session_fail(session, r);
	session_enter(session, SESSION_HANDSHAKING);
}

/* The peer is known, or gone: it no longer counts among the unauthenticated. */
static void source_release(struct session *session)
{
	if (session->source)
		session->sessions->totals.handshaking--;
	session->source = source_leave(session->source);
}

/* ---- after the handshake ---- */

void account_assign(struct session *session, uint32_t entry)
{
	const struct trust_policy *policy = &session_conf(session)->trust;

	if (entry >= policy->n_entries)
		return;
	session->account = account_find(session->sessions, policy->entries[entry].name);
	if (session->account)
		session->account->refs++;
}

static void relay_start(struct session *session)
{
	struct worker_result *result = session->result;
	struct relay_spec spec = {
		.tls_fd = session->tls_fd,
		.plain_fd = session->plain_fd,
		.kernel = session->kernel,
		.version = session->version,
		.cipher = session->cipher,
		.dialled = session->dialled,
		.rekey = session->sessions->support.rekey,
		.tx = &result->tx,
		.rx = &result->rx,
		.early = result->early,
		.early_len = result->early_len,
		.bucket = session->account ? session->account->bucket : NULL,
	};
	int r;

	session->local_io = loop_source_free(session->local_io);
	net_local_addr(session->plain_fd, &session->backend_local);
	r = relay_link_new(session->sessions->relay, &spec, session, &session->link);
	if (r < 0)
		return session_fail(session, r);
	session->tls_fd = session->plain_fd = -1;

	/* From here on the session is small: the configuration, the keys and the facts are let go.
	 */
	worker_result_done(result);
	free(result);
	session->result = NULL;
	session->generation = generation_unref(session->generation);
	session->established_ms = time_monotonic_ms();
	session->sessions->totals.admitted++;
	if (session->account) {
		session->account->admitted++;
		session->account->sessions[session->dialled]++;
	}
	session_enter(session, SESSION_RELAYING);
	report_open(session);
	watch_peer(session);
	judge_register(session);
}

static void backend_connect(struct session *session)
{
	int r;

	session->backend = listener_of(session)->backend;
	r = net_dial(&session->backend, &session->plain_fd);
	if (session_is_exhausted(r))
		return session_fail(session, r);
	if (r < 0)
		return session_end(session, REASON_BACKEND_CONNECT, strerror(-r));
	session_enter(session, SESSION_BACKEND);
}

/* Keys into the kernel, or the pump's socket in the place of the TLS socket. */
static enum reason records_take_over(struct session *session, struct worker_result *result)
{
	int r;

	session->cipher = result->cipher;
	if (!result->kernel) {
		if (result->pump_fd < 0)
			return REASON_INTERNAL;
		if (session->kernel)
			session->kernel_why = "the kernel cannot do this cipher";
		session->kernel = false;
		fd_close(session->tls_fd);
		session->tls_fd = steal_fd(&result->pump_fd);
		return REASON_OK;
	}
	/* The worker says kernel only if the job told it that the kernel can. */
	if (!session->kernel)
		return REASON_INTERNAL;
	r = ktls_install(session->tls_fd, result->version, result->cipher, &result->tx,
			 &result->rx);
	return r == 0 ? REASON_OK : REASON_KERNEL_INSTALL;
}

static void on_result(struct session *session, const struct session_event *event)
{
	struct worker_result *result = event->result;
	struct trust_verdict verdict = { .entry = TRUST_ENTRY_ANY };
	char why_buf[1024] = "";
	struct text why = TEXT_INIT(why_buf);
	enum reason reason = result->reason;

	session->timer = loop_source_free(session->timer);
	session->relay_end.alert = result->alert_received;
	session->facts = &result->facts;
	session->version = result->version;
	if (session->mutual && (reason == REASON_OK || judge_is_cheap(session, result))) {
		enum reason judged = judge_result(session, result, &verdict, &why);

		/* A worker's refusal stands; its consent does not. */
		if (reason == REASON_OK)
			reason = judged;
	}
	outside_learn(session->sessions, session->generation, result);
	if (!session->account)
		account_assign(session, verdict.entry);
	if (session->probe)
		probe_facts(session, &result->facts, &verdict);
	if (reason == REASON_OK)
		reason = records_take_over(session, result);
	if (reason != REASON_OK) {
		/* What the worker refused for something else than the verdict, it can tell best. */
		bool judged = reason == verdict.reason && why.len > 0;

		return session_end(session, reason, judged ? why_buf : result->detail);
	}
	session->facts = NULL;
	session->sessions->totals.chains_cached += result->cached;
	if (session->mutual) {
		session->expires = verdict.expires;
		session->standing = (uint8_t)verdict.standing;
	}
	if (session_remember(session, result, session->mutual ? &verdict : NULL) < 0)
		return session_end(session, REASON_RESOURCES, NULL);

	/* Keys and early bytes wait for the backend; the facts have served. */
	session->result = malloc(sizeof(*result));
	if (!session->result)
		return session_end(session, REASON_RESOURCES, NULL);
	*session->result = *result;
	memory_wipe(result, sizeof(*result));
	result->pump_fd = -1;
	trust_facts_done(&session->result->facts);
	source_release(session);
	if (session->probe)
		session_enter(session, SESSION_PROBING);
	else if (session->dialled)
		relay_start(session);
	else
		backend_connect(session);
}

static void on_lost(struct session *session, const struct session_event *event _unused_)
{
	session_end(session, REASON_WORKER_DIED, NULL);
}

static void on_backend(struct session *session, const struct session_event *event _unused_)
{
	uint8_t header[NET_PROXY_SIZE_MAX];
	size_t len;
	int error = net_dial_result(session->plain_fd);

	session->io = loop_source_free(session->io);
	session->timer = loop_source_free(session->timer);
	if (error == 0)
		error = -net_tune(session->plain_fd);
	if (error != 0)
		return session_end(session, REASON_BACKEND_CONNECT, strerror(error));
	len = net_proxy_format(listener_of(session)->proxy, &session->remote, &session->local,
			       header);
	/* One write: Kamailio resets a connection whose header comes in pieces. */
	if (len > 0 && send(session->plain_fd, header, len, MSG_NOSIGNAL) != (ssize_t)len)
		return session_end(session, REASON_BACKEND_RESET, "no room for the PROXY header");
	relay_start(session);
}

void session_start(struct session *session, int fd)
{
	struct sessions_summary *totals = &session->sessions->totals;

	if (session->dialled) {
		totals->dialled++;
		dial_start(session, fd);
	} else {
		totals->accepted++;
		totals->handshaking++;
		session->tls_fd = fd;
		session->mutual = listener_of(session)->kind == CONF_LISTENER_MUTUAL;
		session_handshake(session);
	}
}

/* ---- the end ---- */

/*
 * A pumped session ends twice: the relay sees the pump's socket end, and the worker tells what the
 * peer did. What the SIP server or an administrator did the relay knows better.
 */
static void pumped_end(struct session *session)
{
	enum reason reason = session->relay_end.reason;

	if (session->pump_over && (reason == REASON_CLOSED_BY_PEER || reason == REASON_PEER_RESET ||
				   reason == REASON_PEER_TRUNCATED))
		session_end(session, session->pump_reason, NULL);
	else
		session_end(session, reason, NULL);
}

static void on_relay_end(struct session *session, const struct session_event *event)
{
	uint8_t alert = session->relay_end.alert;

	session->link_ended = true;
	session->relay_end = *event->relay_end;
	if (session->kernel || session->pump_over) {
		if (session->relay_end.alert == ALERT_NONE)
			session->relay_end.alert = alert;
		pumped_end(session);
		return;
	}
	session->relay_over = true;
	session_enter(session, SESSION_CLOSING);
}

static void on_pump_end(struct session *session, const struct session_event *event)
{
	session->pump_over = true;
	session->pump_reason = event->pump_end->reason;
	session->relay_end.alert = event->pump_end->alert_received;
	if (session->relay_over)
		pumped_end(session);
}

static void on_pump_lost(struct session *session, const struct session_event *event _unused_)
{
	session->pump_over = true;
	session->pump_reason = REASON_WORKER_DIED;
	if (session->relay_over)
		pumped_end(session);
}

static void on_close(struct session *session, const struct session_event *event)
{
	session_end(session, event->close_reason, NULL);
}

static void on_close_relaying(struct session *session, const struct session_event *event)
{
	relay_link_end(session->link, event->close_reason);
	session_enter(session, SESSION_CLOSING);
}

static void on_close_again(struct session *session _unused_,
			   const struct session_event *event _unused_)
{
	/* It is closing already; the first reason stands. */
}

static void on_closing_timeout(struct session *session, const struct session_event *event _unused_)
{
	/* The relay answers always; it is the pump that did not. */
	if (session->relay_over)
		pumped_end(session);
}

static void on_timeout(struct session *session, const struct session_event *event _unused_);

/* ---- the table ---- */

/*
 * How long the worker may take to tell how a pump ended, before the session ends without it; and
 * the peer of a probe to refuse us: a TLS 1.3 server does that after our handshake is done.
 */
#define CLOSING_MS 5000
#define PROBING_MS 1000

struct life {
	const char *name;
	size_t timeout;	     /* offset of the limit in struct conf_limits; NO_LIMIT: as below */
	enum reason expired; /* REASON_OK: no timer */
	step_fn on[_EVENT_MAX];
};

#define NO_LIMIT SIZE_MAX

static const struct life life[_SESSION_STATE_MAX] = {
	[SESSION_RESOLVING] = { "resolving",
				offsetof(struct conf_limits, handshake_timeout_ms),
				REASON_DNS_FAILED,
				{ [EVENT_RESOLVED] = dial_on_resolved,
				  [EVENT_LOCAL_GONE] = dial_on_local_gone,
				  [EVENT_TIMEOUT] = on_timeout,
				  [EVENT_CLOSE] = on_close } },
	[SESSION_CONNECTING] = { "connecting",
				 offsetof(struct conf_limits, connect_timeout_ms),
				 REASON_DIAL_CONNECT,
				 { [EVENT_DIALLED] = dial_on_dialled,
				   [EVENT_LOCAL_GONE] = dial_on_local_gone,
				   [EVENT_TIMEOUT] = dial_on_timeout,
				   [EVENT_CLOSE] = on_close } },
	[SESSION_HANDSHAKING] = { "handshaking",
				  offsetof(struct conf_limits, handshake_timeout_ms),
				  REASON_HANDSHAKE_TIMEOUT,
				  { [EVENT_RESULT] = on_result,
				    [EVENT_LOCAL_GONE] = dial_on_local_gone,
				    [EVENT_LOST] = on_lost,
				    [EVENT_TIMEOUT] = on_timeout,
				    [EVENT_CLOSE] = on_close } },
	[SESSION_BACKEND] = { "backend",
			      offsetof(struct conf_limits, connect_timeout_ms),
			      REASON_BACKEND_CONNECT,
			      { [EVENT_BACKEND] = on_backend,
				[EVENT_PUMP_END] = on_pump_end,
				[EVENT_LOST] = on_lost,
				[EVENT_TIMEOUT] = on_timeout,
				[EVENT_CLOSE] = on_close } },
	[SESSION_PROBING] = { "probing",
			      NO_LIMIT,
			      REASON_PROBE,
			      { [EVENT_PROBED] = probe_on_said,
				[EVENT_PUMP_END] = probe_on_pump_end,
				[EVENT_LOST] = on_lost,
				[EVENT_TIMEOUT] = probe_on_silence,
				[EVENT_CLOSE] = on_close } },
	[SESSION_RELAYING] = { "relaying",
			       NO_LIMIT,
			       REASON_OK,
			       { [EVENT_RELAY_END] = on_relay_end,
				 [EVENT_PUMP_END] = on_pump_end,
				 [EVENT_LOST] = on_pump_lost,
				 [EVENT_CLOSE] = on_close_relaying } },
	[SESSION_CLOSING] = { "closing",
			      NO_LIMIT,
			      REASON_INTERNAL,
			      { [EVENT_RELAY_END] = on_relay_end,
				[EVENT_PUMP_END] = on_pump_end,
				[EVENT_LOST] = on_pump_lost,
				[EVENT_TIMEOUT] = on_closing_timeout,
				[EVENT_CLOSE] = on_close_again } },
};

static void on_timeout(struct session *session, const struct session_event *event _unused_)
{
	session_end(session, life[session->state].expired, "no answer in time");
}

const char *session_state_name(enum session_state state)
{
	return life[state].name;
}

void session_dispatch(struct session *session, const struct session_event *event)
{
	step_fn step = life[session->state].on[event->type];
	char detail[64];

	if (step) {
		step(session, event);
		return;
	}
	snprintf(detail, sizeof(detail), "event %d in state %s", (int)event->type,
		 life[session->state].name);
	session_end(session, REASON_INTERNAL, detail);
}

/* ---- states: what each waits for ---- */

static int on_timer(void *userdata)
{
	session_dispatch(userdata, &(struct session_event){ .type = EVENT_TIMEOUT });
	return 0;
}

static int on_ready(void *userdata, int fd _unused_, unsigned int events _unused_)
{
	static const enum session_event_type types[_SESSION_STATE_MAX] = {
		[SESSION_CONNECTING] = EVENT_DIALLED,
		[SESSION_BACKEND] = EVENT_BACKEND,
		[SESSION_PROBING] = EVENT_PROBED,
	};
	struct session *session = userdata;

	session_dispatch(session, &(struct session_event){ .type = types[session->state] });
	return 0;
}

void session_enter(struct session *session, enum session_state state)
{
	struct loop *loop = session->sessions->loop;
	int r = 0;

	session->state = state;
	session->timer = loop_source_free(session->timer);
	if (life[state].expired != REASON_OK) {
		uint32_t ms = state == SESSION_PROBING ? PROBING_MS : CLOSING_MS;

		if (life[state].timeout != NO_LIMIT)
			memcpy(&ms,
			       (const char *)&session_conf(session)->limits + life[state].timeout,
			       sizeof(ms));
		r = loop_timer_add(loop, ms, on_timer, session, &session->timer);
	}
	if (r == 0 && state == SESSION_CONNECTING)
		r = loop_io_add(loop, session->tls_fd, LOOP_WRITE, on_ready, session, &session->io);
	if (r == 0 && state == SESSION_PROBING)
		r = loop_io_add(loop, session->tls_fd, LOOP_READ, on_ready, session, &session->io);
	if (r == 0 && state == SESSION_BACKEND)
		r = loop_io_add(loop, session->plain_fd, LOOP_WRITE, on_ready, session,
				&session->io);
	if (r < 0 && state != SESSION_CLOSING)
		session_fail(session, r);
}

static void counters_settle(struct session *session, enum reason reason)
{
	struct account *account = session->account;

	session->sessions->totals.ended[reason]++;
	source_release(session);
	if (!account)
		return;
	account->refs--;
	if (session->established_ms) {
		account->sessions[session->dialled]--;
	} else if (!session->probe) {
		account->refused++;
		account->last_refusal = reason;
		account->last_refusal_time = time_realtime_s();
	}
}

void session_end(struct session *session, enum reason reason, const char *detail)
{
	struct worker_pool *pool = session->generation ? session->generation->pool : NULL;

	if (!detail && session->ends_detail && reason == (enum reason)session->ends_reason)
		detail = session->ends_detail;

	if (pool && session->state == SESSION_HANDSHAKING && reason != REASON_WORKER_DIED)
		worker_pool_cancel(pool, session->id);
	dial_cancel(session);
	if (session->probe)
		probe_end(session, reason, detail);
	else
		report_end(session, reason, session->relay_end.alert, session->relay_end.lost,
			   detail);
	if (!session->probe && (!session->established_ms || report_is_news(reason)))
		refusal_add(session, reason, detail);
	counters_settle(session, reason);
	session_free(session);
}
