/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The encoding of fetch's messages. Every range and every limit is checked in both directions, so
 * what the decoder refuses no encoder makes.
 */

#include "fetch/message.h"

#include <siptls/wire.h>

_Static_assert((int)FETCH_E_MALFORMED == (int)WIRE_E_MALFORMED, "one outcome for both");

static void wire_addr(struct wire *w, struct net_addr *addr)
{
	bool v6 = w->encoding && addr->any.sa_family == AF_INET6;

	wire_bool(w, &v6);
	if (!w->encoding)
		memset(addr, 0, sizeof(*addr));
	if (v6) {
		addr->in6.sin6_family = AF_INET6;
		addr->len = sizeof(addr->in6);
		wire_bytes(w, &addr->in6.sin6_addr, sizeof(addr->in6.sin6_addr));
		wire_u16(w, &addr->in6.sin6_port);
		wire_u32(w, &addr->in6.sin6_scope_id);
	} else {
		addr->in4.sin_family = AF_INET;
		addr->len = sizeof(addr->in4);
		wire_bytes(w, &addr->in4.sin_addr, sizeof(addr->in4.sin_addr));
		wire_u16(w, &addr->in4.sin_port);
	}
}

/* Where "" has no meaning of its own it has no encoding. */
static void wire_text_needed(struct wire *w, char **string, size_t max)
{
	wire_string(w, string, max);
	if (!*string || !**string)
		wire_fail(w);
}

static void wire_issuer(struct wire *w, struct fetch_issuer *issuer)
{
	wire_blob(w, &issuer->der, &issuer->len, FETCH_DER_MAX);
	if (issuer->len == 0)
		wire_fail(w);
}

static void wire_source(struct wire *w, struct revocation_source *source)
{
	wire_enum(w, source->kind, _REVOCATION_SOURCE_KIND_MAX);
	wire_text_needed(w, &source->location, REVOCATION_SOURCE_MAX);
}

static void wire_url(struct wire *w, struct revocation_source *source)
{
	source->kind = REVOCATION_SOURCE_URL;
	wire_text_needed(w, &source->location, REVOCATION_SOURCE_MAX);
}

static void wire_dns(struct wire *w, struct dns_config *dns)
{
	bool anchor = dns->trust_anchor;

	wire_enum(w, dns->n_servers, DNS_SERVERS_MAX + 1);
	for (size_t i = 0; i < dns->n_servers; i++)
		wire_addr(w, &dns->servers[i]);
	wire_bool(w, &anchor);
	if (anchor)
		wire_text_needed(w, &dns->trust_anchor, FETCH_PATH_MAX);
	wire_bool(w, &dns->require);
	wire_u32(w, &dns->timeout_ms);
}

static void wire_resolve(struct wire *w, struct fetch_resolve *resolve)
{
	wire_u64(w, &resolve->id);
	wire_enum(w, resolve->question.kind, _DNS_KIND_MAX);
	wire_u16(w, &resolve->question.port);
	wire_text(w, resolve->question.name, sizeof(resolve->question.name));
}

static void wire_preview(struct wire *w, struct fetch_preview *preview)
{
	wire_u64(w, &preview->id);
	wire_text_needed(w, &preview->path, FETCH_PATH_MAX);
}

static void wire_event(struct wire *w, struct fetch_event *event)
{
	wire_text_needed(w, &event->location, REVOCATION_SOURCE_MAX);
	wire_bool(w, &event->ok);
	wire_text(w, event->detail, sizeof(event->detail));
	wire_i64(w, &event->next_s);
	wire_u32(w, &event->failures);
}

static bool is_answer(enum reason reason, uint32_t n_targets)
{
	if (reason == REASON_OK)
		return n_targets > 0;
	return n_targets == 0 && (reason == REASON_DNS_FAILED || reason == REASON_DNS_BOGUS ||
				  reason == REASON_DNS_INSECURE);
}

static void wire_answer(struct wire *w, struct fetch_answer *answer)
{
	struct dns_answer *dns = &answer->dns;

	wire_u64(w, &answer->id);
	wire_enum(w, dns->reason, _REASON_MAX);
	wire_text(w, dns->detail, sizeof(dns->detail));
	wire_bool(w, &dns->secure);
	wire_u32(w, &dns->ttl);
	wire_enum(w, dns->n_targets, DNS_TARGETS_MAX + 1);
	if (!is_answer(dns->reason, dns->n_targets)) {
		wire_fail(w);
		return;
	}
	for (size_t i = 0; i < dns->n_targets; i++) {
		wire_addr(w, &dns->targets[i].addr);
		wire_text(w, dns->targets[i].host, sizeof(dns->targets[i].host));
	}
}

static void wire_previewed(struct wire *w, struct fetch_previewed *previewed)
{
	wire_u64(w, &previewed->id);
	wire_bool(w, &previewed->ok);
	if (!previewed->ok)
		wire_text(w, previewed->detail, sizeof(previewed->detail));
}

static void wire_message(struct wire *w, struct fetch_message *m)
{
	wire_enum(w, m->type, _FETCH_MSG_MAX);
	switch (m->type) {
	case FETCH_MSG_PLAN:
		wire_string(w, &m->cache, FETCH_PATH_MAX);
		return;
	case FETCH_MSG_ISSUER:
		wire_issuer(w, &m->issuer);
		return;
	case FETCH_MSG_SOURCE:
		wire_source(w, &m->source);
		return;
	case FETCH_MSG_URL:
		wire_url(w, &m->source);
		return;
	case FETCH_MSG_DNS:
		wire_dns(w, &m->dns);
		return;
	case FETCH_MSG_RESOLVE:
		wire_resolve(w, &m->resolve);
		return;
	case FETCH_MSG_PREVIEW:
		wire_preview(w, &m->preview);
		return;
	case FETCH_MSG_EVENT:
		wire_event(w, &m->event);
		return;
	case FETCH_MSG_ANSWER:
		wire_answer(w, &m->answer);
		return;
	case FETCH_MSG_PREVIEWED:
		wire_previewed(w, &m->previewed);
		return;
	case FETCH_MSG_CANCEL:
	case FETCH_MSG_PING:
	case FETCH_MSG_PONG:
		wire_u64(w, &m->id);
		return;
	case FETCH_MSG_PLAN_END:
	case FETCH_MSG_REFRESH:
	case FETCH_MSG_BOARD:
	case FETCH_MSG_RENEW:
		return;
	case _FETCH_MSG_MAX:
		break;
	}
	wire_fail(w); /* zero: no message has that type */
}

int fetch_message_encode(struct fetch_message *message, uint8_t *buf, size_t *ret_size)
{
	struct wire w;

	wire_encode_begin(&w, buf, FETCH_MESSAGE_MAX);
	wire_message(&w, message);
	return wire_end(&w, ret_size);
}

int fetch_message_decode(const uint8_t *buf, size_t size, struct fetch_message *ret)
{
	struct wire w;
	int r;

	memset(ret, 0, sizeof(*ret));
	wire_decode_begin(&w, buf, size);
	wire_message(&w, ret);
	r = wire_end(&w, NULL);
	if (r != 0)
		fetch_message_done(ret);
	return r;
}

void fetch_message_done(struct fetch_message *message)
{
	switch (message->type) {
	case FETCH_MSG_PLAN:
		free(message->cache);
		break;
	case FETCH_MSG_ISSUER:
		free(message->issuer.der);
		break;
	case FETCH_MSG_SOURCE:
	case FETCH_MSG_URL:
		free(message->source.location);
		break;
	case FETCH_MSG_DNS:
		free(message->dns.trust_anchor);
		break;
	case FETCH_MSG_PREVIEW:
		free(message->preview.path);
		break;
	case FETCH_MSG_EVENT:
		free(message->event.location);
		break;
	case FETCH_MSG_PLAN_END:
	case FETCH_MSG_REFRESH:
	case FETCH_MSG_RESOLVE:
	case FETCH_MSG_CANCEL:
	case FETCH_MSG_PING:
	case FETCH_MSG_BOARD:
	case FETCH_MSG_ANSWER:
	case FETCH_MSG_PREVIEWED:
	case FETCH_MSG_PONG:
	case FETCH_MSG_RENEW:
	case _FETCH_MSG_MAX:
		break;
	}
	message->type = (enum fetch_message_type)0;
}
