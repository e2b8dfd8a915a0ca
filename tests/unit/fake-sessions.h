/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A table of sessions that is nothing but a table, in place of the session module: for tests and
 * the fuzzer of control. Include it in one file of a program only.
 */

#include <arpa/inet.h>
#include <siptls/session.h>

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
};

static inline struct net_addr fake_address(const char *host, uint16_t port)
{
	struct net_addr addr = { .len = sizeof(struct sockaddr_in) };

	addr.in4.sin_family = AF_INET;
	addr.in4.sin_port = htons(port);
	inet_pton(AF_INET, host, &addr.in4.sin_addr);
	return addr;
}

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
		.cookie = 18446744073709551615ULL - id,
		.started_ms = 1,
		.established_ms = 1,
		.generation = 3,
		.relay = { .bytes_in = 1000, .bytes_out = 2000, .active_ms = 1 },
	};
	return view;
}

const char *session_state_name(enum session_state state)
{
	static const char *const names[_SESSION_STATE_MAX] = {
		"connecting", "handshaking", "backend", "relaying", "closing",
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
		.support = { .ulp = true,
			     .ciphers = { 1 << KTLS_AES_128_GCM,
					  1 << KTLS_AES_128_GCM | 1 << KTLS_AES_256_GCM } },
	};
}

void sessions_reload(struct sessions *sessions, sessions_reload_fn fn, void *userdata)
{
	sessions->reloads++;
	if (sessions->reload_later) {
		sessions->reload_fn = fn;
		sessions->reload_userdata = userdata;
	} else if (sessions->reload_error.text[0]) {
		fn(userdata, &sessions->reload_error, NULL);
	} else {
		fn(userdata, NULL, "generation 4");
	}
}

void sessions_reload_forget(struct sessions *sessions, void *userdata)
{
	if (sessions->reload_userdata == userdata) {
		sessions->forgotten++;
		sessions->reload_fn = NULL;
		sessions->reload_userdata = NULL;
	}
}
