/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A table of sessions that is nothing but a table, in place of the session module: for tests and
 * the fuzzer of control. Include it in one file of a program only.
 */

#include <arpa/inet.h>
#include <siptls/session.h>
#include <stdio.h>

#define FAKE_MAX 20000

struct sessions {
	struct session_view views[FAKE_MAX];
	size_t n;
	size_t n_peers;
	/* what happened */
	uint64_t closed[16];
	size_t n_closed;
	unsigned int reloads, forgotten;
	/* a reload is answered at once (with this error, if it has a text) or kept */
	bool reload_later;
	struct conf_error reload_error;
	sessions_reload_fn reload_fn;
	void *reload_userdata;
	unsigned int staged, aborted, refreshed;
	bool is_staged, last_good;
	int64_t committed_at; /* -1: never */
	/* previews and probes are answered at once or kept */
	bool ask_later;
	const char *preview_error;
	struct session_preview_question preview; /* the last question */
	const struct session_preview_ops *preview_ops;
	const struct session_probe_ops *probe_ops;
	void *ask_userdata;
	size_t n_lines;		      /* of the difference */
	enum reason probe_reason;     /* what a probe finds */
	uint64_t n_rules;	      /* that an explanation tells */
	size_t n_refusals, n_entries; /* beside those that always are there */
	uint64_t newest_refusal;
	size_t n_warnings;
	struct conf conf;
};

static inline struct net_addr fake_address(const char *host, uint16_t port)
{
	struct net_addr addr = { .len = sizeof(struct sockaddr_in) };

	addr.in4.sin_family = AF_INET;
	addr.in4.sin_port = htons(port);
	inet_pton(AF_INET, host, &addr.in4.sin_addr);
	return addr;
}

static const char *const fake_domains[] = { "example.org", "example.net" };

/* Session @id, relaying in the kernel, behind 127.0.0.1:40000 + id. */
static inline struct session_view *fake_add(struct sessions *sessions, uint64_t id)
{
	struct session_view *view = &sessions->views[sessions->n++];

	*view = (struct session_view){
		.id = id,
		.state = SESSION_RELAYING,
		.authenticated = true,
		.via = "servers",
		.peer = "pool2.example.org",
		.owner = "example.org",
		.name = "sip2.pool2.example.org",
		.subject = "CN=sip2.pool2.example.org",
		.issuer = "CN=Example CA",
		.serial = "0a",
		.fingerprint = "00ff",
		.anchor = "CN=Example CA",
		.expires = 2000000000,
		.remote = fake_address("192.0.2.7", 40122),
		.local = fake_address("192.0.2.1", 5061),
		.backend = fake_address("127.0.0.1", 5060),
		.backend_local = fake_address("127.0.0.1", (uint16_t)(40000 + id % 20000)),
		.version = KTLS_TLS13,
		.cipher = KTLS_AES_256_GCM,
		.group = "X25519",
		.sni = "",
		.identity = "main",
		.kernel = true,
		.kernel_why = "",
		.revocation = "good",
		.domains = fake_domains,
		.n_domains = 2,
		.cookie = 18446744073709551615ULL - id,
		.started_ms = 1,
		.established_ms = 1,
		.generation = 3,
		.relay = { .bytes_in = 1000, .bytes_out = 2000, .throttles = 6, .active_ms = 1 },
	};
	return view;
}

const char *session_state_name(enum session_state state)
{
	static const char *const names[_SESSION_STATE_MAX] = {
		"resolving", "connecting", "handshaking", "backend",
		"probing",   "relaying",   "closing",
	};

	return names[state];
}

void sessions_foreach(struct sessions *sessions, session_view_fn fn, void *userdata)
{
	for (size_t i = 0; i < sessions->n; i++) {
		if (!fn(userdata, &sessions->views[i]))
			return;
	}
}

bool sessions_view(struct sessions *sessions, uint64_t id, session_view_fn fn, void *userdata)
{
	for (size_t i = 0; i < sessions->n; i++) {
		if (sessions->views[i].id == id) {
			(void)fn(userdata, &sessions->views[i]);
			return true;
		}
	}
	return false;
}

bool sessions_close(struct sessions *sessions, uint64_t id, enum reason reason)
{
	for (size_t i = 0; i < sessions->n; i++) {
		if (sessions->views[i].id != id || reason != REASON_ADMIN_CLOSED)
			continue;
		sessions->closed[sessions->n_closed++ % ARRAY_SIZE(sessions->closed)] = id;
		memmove(&sessions->views[i], &sessions->views[i + 1],
			(--sessions->n - i) * sizeof(sessions->views[0]));
		return true;
	}
	return false;
}

void sessions_foreach_peer(struct sessions *sessions, session_peer_fn fn, void *userdata)
{
	for (size_t i = 0; i < sessions->n_peers; i++)
		fn(userdata,
		   &(struct session_peer_view){ .name = "pool2.example.org",
						.owner = "example.org",
						.kind = "pool",
						.sessions_in = (uint32_t)i,
						.refused = 1,
						.last_refusal = i ? REASON_EXPIRED : REASON_OK });
}

void sessions_foreach_port(struct sessions *sessions _unused_, session_port_fn fn, void *userdata)
{
	struct net_addr listen = fake_address("0.0.0.0", 5061);
	struct net_addr dial = fake_address("127.0.0.1", 5070);

	fn(userdata, "servers", /* dial= */ false, &listen);
	fn(userdata, "to-pool2", /* dial= */ true, &dial);
}

void sessions_summary(const struct sessions *sessions, struct sessions_summary *ret)
{
	*ret = (struct sessions_summary){
		.started_ms = 1,
		.generation = 3,
		.serial = 42,
		.loaded = 1700000000,
		.handles = (uint32_t)sessions->n,
		.relaying = (uint32_t)sessions->n,
		.kernel = (uint32_t)sessions->n,
		.accepted = 10,
		.admitted = 7,
		.ended = { [REASON_EXPIRED] = 3 },
		.workers = 2,
		.last_good = sessions->last_good,
		.staged = sessions->is_staged,
		.commit_at = sessions->is_staged ? sessions->committed_at : 0,
		.board = 7,
		.crls = 3,
		.chains_cached = 5,
		.peers_known = 2,
		.support = { .ulp = true,
			     .ciphers = { 1 << KTLS_AES_128_GCM,
					  1 << KTLS_AES_128_GCM | 1 << KTLS_AES_256_GCM } },
	};
}

static inline void fake_load(struct sessions *sessions, sessions_reload_fn fn, void *userdata,
			     const char *summary)
{
	if (sessions->reload_later) {
		sessions->reload_fn = fn;
		sessions->reload_userdata = userdata;
	} else if (sessions->reload_error.text[0]) {
		fn(userdata, &sessions->reload_error, NULL);
	} else {
		fn(userdata, NULL, summary);
	}
}

void sessions_reload(struct sessions *sessions, sessions_reload_fn fn, void *userdata)
{
	sessions->reloads++;
	fake_load(sessions, fn, userdata, "generation 4");
}

void sessions_reload_forget(struct sessions *sessions, void *userdata)
{
	if (sessions->reload_userdata == userdata || sessions->ask_userdata == userdata)
		sessions->forgotten++;
	if (sessions->reload_userdata == userdata) {
		sessions->reload_fn = NULL;
		sessions->reload_userdata = NULL;
	}
	if (sessions->ask_userdata == userdata) {
		sessions->preview_ops = NULL;
		sessions->probe_ops = NULL;
		sessions->ask_userdata = NULL;
	}
}

/* ---- two phases ---- */

void sessions_stage(struct sessions *sessions, sessions_reload_fn fn, void *userdata)
{
	sessions->staged++;
	sessions->is_staged = sessions->reload_error.text[0] == '\0';
	fake_load(sessions, fn, userdata, "generation 4, staged");
}

int sessions_commit(struct sessions *sessions, int64_t at, sessions_reload_fn fn, void *userdata)
{
	if (!sessions->is_staged)
		return SESSIONS_E_NOTHING_STAGED;
	sessions->committed_at = at;
	sessions->is_staged = at != 0;
	fn(userdata, NULL, "in force");
	return 0;
}

int sessions_abort(struct sessions *sessions)
{
	if (!sessions->is_staged)
		return SESSIONS_E_NOTHING_STAGED;
	sessions->aborted++;
	sessions->is_staged = false;
	return 0;
}

const struct conf *sessions_conf(const struct sessions *sessions)
{
	return &sessions->conf;
}

/* ---- questions: answered by all sessions, by one link and by rules ---- */

static inline void fake_preview_answer(struct sessions *sessions,
				       const struct session_preview_ops *ops, void *userdata)
{
	char line[64];

	for (size_t i = 0; i < sessions->n_lines; i++) {
		snprintf(line, sizeof(line), "adds pool pool%zu.example.org", i);
		ops->line(userdata, line);
	}
	for (size_t i = 0; i < sessions->n; i++)
		ops->session(userdata, &sessions->views[i],
			     i % 2 ? REASON_ANCHOR_REMOVED : REASON_NOT_IN_TOPOLOGY);
	ops->done(userdata, sessions->preview_error);
}

void sessions_preview(struct sessions *sessions, const struct session_preview_question *question,
		      const struct session_preview_ops *ops, void *userdata)
{
	sessions->preview = *question;
	if (!sessions->ask_later) {
		fake_preview_answer(sessions, ops, userdata);
		return;
	}
	sessions->preview_ops = ops;
	sessions->ask_userdata = userdata;
}

static const struct session_link_view fake_leaf = {
	.subject = "CN=sip2.pool2.example.org",
	.issuer = "CN=Example CA",
	.serial = "0a",
	.fingerprint = "00ff",
	.not_before = 1600000000,
	.not_after = 2000000000,
	.status = "good",
	.this_update = 1700000000,
	.next_update = 1900000000,
	.crl = "/etc/siptls/example.crl",
};

static const struct session_link_view fake_anchor = { .subject = "CN=Example CA",
						      .issuer = "CN=Example CA",
						      .serial = "01",
						      .fingerprint = "aa",
						      .anchor = true,
						      .not_before = 1600000000,
						      .not_after = INT64_MAX };

static inline void fake_probe_answer(struct sessions *sessions, const struct session_probe_ops *ops,
				     void *userdata)
{
	struct session_probe_view view = {
		.reason = sessions->probe_reason,
		.detail = sessions->probe_reason ? "found \xff\x1b[2J" : "",
		.admitted = sessions->probe_reason == REASON_OK,
	};

	if (view.admitted)
		view.session = sessions->views[0];
	else
		view.session = (struct session_view){ .id = 9, .state = SESSION_HANDSHAKING };
	ops->link(userdata, &fake_leaf);
	ops->link(userdata, &fake_anchor);
	ops->done(userdata, &view);
}

int sessions_probe(struct sessions *sessions, const char *peer, const struct session_probe_ops *ops,
		   void *userdata)
{
	if (strcmp(peer, "pool2.example.org") != 0)
		return SESSION_E_UNKNOWN;
	if (sessions->ask_later) {
		sessions->probe_ops = ops;
		sessions->ask_userdata = userdata;
	} else {
		fake_probe_answer(sessions, ops, userdata);
	}
	return 0;
}

/* Session 1 is live, 2 is a refusal that was never judged, 3 a session that never was. */
int sessions_explain(struct sessions *sessions, uint64_t id, const struct session_explain_ops *ops,
		     void *userdata)
{
	static const struct trust_rule_view rules[] = {
		{ TRUST_ENTRY_ANY, "version", TRUST_RULE_HOLDS, REASON_OK, "" },
		{ 0, "chain", TRUST_RULE_HOLDS, REASON_OK, "" },
		{ 0, "revocation", TRUST_RULE_FAILS, REASON_REVOKED, "serial \"0a\"" },
		{ 0, "name", TRUST_RULE_NOT_REACHED, REASON_OK, "" },
	};
	struct session_explanation view = {
		.id = id,
		.live = id == 1,
		.judged = id == 1,
		.then = id == 1 ? REASON_OK : REASON_PLAIN_SIP,
		.now = id == 1 ? REASON_REVOKED : REASON_PLAIN_SIP,
		.entry = id == 1 ? "pool2.example.org" : NULL,
		.name = id == 1 ? "sip2.pool2.example.org" : NULL,
		.detail = id == 1 ? "revoked" : "found \"OPTIONS\\x0d\\x0a\"",
	};

	if (id == 3) /* a client's, which nobody judges */
		view = (struct session_explanation){ .id = id, .live = true, .detail = "" };
	else if (id != 1 && id != 2)
		return SESSION_E_UNKNOWN;
	ops->verdict(userdata, &view);
	if (!view.judged)
		return 0;
	ops->link(userdata, &fake_leaf);
	ops->link(userdata, &fake_anchor);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		ops->rule(userdata, i ? "pool2.example.org" : NULL, &rules[i]);
	for (uint64_t i = 0; i < sessions->n_rules; i++)
		ops->rule(userdata, "other.example.org", &rules[1]);
	return 0;
}

/* ---- lists ---- */

void sessions_foreach_refusal(struct sessions *sessions, session_refusal_fn fn, void *userdata)
{
	for (uint64_t i = 0; i < sessions->n_refusals; i++) {
		const struct session_refusal_view view = {
			.id = sessions->newest_refusal - i,
			.time = 1700000000 - (int64_t)i,
			.via = "servers",
			.peer = i % 2 ? "former.example.org" : NULL,
			.remote = fake_address("192.0.2.9", 5061),
			.ended = i % 2,
			.repeated = (uint32_t)i,
			.reason = i % 2 ? REASON_EXPIRED : REASON_PLAIN_SIP,
			.detail = "",
			.subject = i % 2 ? "CN=\x1b[31mformer" : NULL,
		};

		if (!fn(userdata, &view))
			return;
	}
}

static struct trust_member fake_members[] = {
	{ .name = (char[]){ "sip1.pool2.example.org" }, .address = (char[]){ "192.0.2.7:5061" } },
	{ .name = (char[]){ "sip2.pool2.example.org" } },
};

static char *fake_files[] = { (char[]){ "/etc/siptls/ca.pem" } };
static char *fake_entry_domains[] = { (char[]){ "example.org" }, (char[]){ "example.net" } };

static struct trust_anchors fake_anchors = {
	.name = (char[]){ "example.org" },
	.internal = true,
	.files = fake_files,
	.n_files = 1,
	.revocation = TRUST_REVOCATION_REQUIRE,
	.crl_fetch = true,
	.crl_grace_s = 3600,
};

static struct trust_rate fake_rate = { .name = (char[]){ "guests" },
				       .bytes_per_second = 20000,
				       .burst = 65536 };

static const struct trust_entry fake_entries[] = {
	{
		.name = (char[]){ "pool2.example.org" },
		.kind = TRUST_POOL,
		.members = fake_members,
		.n_members = 2,
		.domains = fake_entry_domains,
		.n_domains = 2,
		.port = 5061,
		.rate = TRUST_RATE_NONE,
		.profile = TRUST_POOL_NAMES,
		.directions = TRUST_INBOUND | TRUST_OUTBOUND,
		.line = 12,
	},
	{
		.name = (char[]){ "guests \xff" },
		.kind = TRUST_DISCOVERED,
		.rate = 0,
		.profile = TRUST_RFC5922,
		.directions = TRUST_INBOUND,
		.line = 30,
	},
};

void sessions_foreach_entry(struct sessions *sessions, session_entry_fn fn, void *userdata)
{
	static const struct trust_policy policy = {
		.anchors = &fake_anchors,
		.n_anchors = 1,
		.rates = &fake_rate,
		.n_rates = 1,
	};

	for (size_t i = 0; i < ARRAY_SIZE(fake_entries) + sessions->n_entries; i++)
		fn(userdata, &(struct session_entry_view){
				     .policy = &policy,
				     .entry = &fake_entries[i % ARRAY_SIZE(fake_entries)],
				     .self = i == 0 });
}

void sessions_foreach_certificate(struct sessions *sessions _unused_, session_certificate_fn fn,
				  void *userdata)
{
	const struct trust_certificate leaf = { .subject = (char[]){ "CN=sip1" },
						.issuer = (char[]){ "CN=Example CA" },
						.serial = (char[]){ "0b" },
						.not_before = 1600000000,
						.not_after = 1700000000 };
	const struct trust_certificate ca = { .subject = (char[]){ "CN=Example CA" },
					      .issuer = (char[]){ "CN=Example CA" },
					      .serial = (char[]){ "01" },
					      .not_before = 1600000000,
					      .not_after = INT64_MAX };

	fn(userdata,
	   &(struct session_certificate_view){
		   .owner = "main", .certificate = &leaf, .left_s = -86400, .warned = true });
	fn(userdata, &(struct session_certificate_view){ .anchor = true,
							 .owner = "example.org",
							 .certificate = &ca,
							 .left_s = INT64_MAX });
}

void sessions_foreach_crl(struct sessions *sessions _unused_, session_crl_fn fn, void *userdata)
{
	fn(userdata,
	   &(struct revocation_crl_view){ .source = "/etc/siptls/example.crl",
					  .issuer = "CN=Example CA",
					  .number = "1f",
					  .detail = "",
					  .state = REVOCATION_CRL_VERIFIED,
					  .this_update = 1700000000,
					  .next_update = time_realtime_s() + 3 * 86400 + 1800,
					  .entries = 17 });
	fn(userdata, &(struct revocation_crl_view){ .source = "http://crl.example.net/\x1b",
						    .issuer = "CN=Other CA",
						    .number = "",
						    .detail = "delta",
						    .state = REVOCATION_CRL_UNSUPPORTED,
						    .this_update = 1700000000 });
}

void sessions_foreach_source(struct sessions *sessions _unused_, session_source_fn fn,
			     void *userdata)
{
	fn(userdata, &(struct revocation_source_event){
			     .location = "/etc/siptls/example.crl", .ok = true, .detail = "" });
	fn(userdata, &(struct revocation_source_event){ .location = "http://crl.example.net/a.crl",
							.detail = "no route",
							.next_s = 1900000000,
							.failures = 4 });
}

void sessions_revocation_refresh(struct sessions *sessions)
{
	sessions->refreshed++;
}

void sessions_foreach_warning(struct sessions *sessions, conf_line_fn fn, void *userdata)
{
	for (size_t i = 0; i < sessions->n_warnings; i++)
		fn(userdata, "/etc/siptls/topology.conf:7: nobody can dial this entry");
}
