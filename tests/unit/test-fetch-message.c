/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Messages between daemon and siptls-fetch: every one goes there and back with extreme values;
 * every truncation is malformed; flipped bits neither crash nor leave anything allocated. And
 * plans as bytes. With a directory as argument, the messages are written there as seeds of the
 * fuzzer instead.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fetch/book.h>

static uint8_t buf[FETCH_MESSAGE_MAX], again[FETCH_MESSAGE_MAX];
static struct fetch_message message, decoded;

/* ---- samples ---- */

static char *text(size_t len, char c)
{
	char *s = malloc(len + 1);

	assert_non_null(s);
	memset(s, c, len);
	s[len] = '\0';
	return s;
}

static struct net_addr address(bool v6, uint16_t port)
{
	struct net_addr addr = {};

	if (v6) {
		addr.in6.sin6_family = AF_INET6;
		addr.in6.sin6_port = htons(port);
		addr.in6.sin6_scope_id = UINT32_MAX;
		memset(&addr.in6.sin6_addr, 0xfe, sizeof(addr.in6.sin6_addr));
		addr.len = sizeof(addr.in6);
	} else {
		addr.in4.sin_family = AF_INET;
		addr.in4.sin_port = htons(port);
		addr.in4.sin_addr.s_addr = htonl(0xc0000201);
		addr.len = sizeof(addr.in4);
	}
	return addr;
}

enum sample {
	PLAN,
	PLAN_NO_CACHE,
	ISSUER,
	SOURCE_PATH,
	SOURCE_URL,
	URL,
	DNS,
	DNS_EMPTY,
	PLAN_END,
	REFRESH,
	RESOLVE,
	CANCEL,
	PREVIEW,
	PING,
	BOARD,
	EVENT_OK,
	EVENT_FAILED,
	ANSWER_OK,
	ANSWER_FAILED,
	PREVIEWED_OK,
	PREVIEWED_FAILED,
	PONG,
	RENEW,
	N_SAMPLES,
};

static const struct {
	const char *name;
	enum fetch_message_type type;
} samples[] = {
	[PLAN] = { "plan", FETCH_MSG_PLAN },
	[PLAN_NO_CACHE] = { "plan-no-cache", FETCH_MSG_PLAN },
	[ISSUER] = { "issuer", FETCH_MSG_ISSUER },
	[SOURCE_PATH] = { "source-path", FETCH_MSG_SOURCE },
	[SOURCE_URL] = { "source-url", FETCH_MSG_SOURCE },
	[URL] = { "url", FETCH_MSG_URL },
	[DNS] = { "dns", FETCH_MSG_DNS },
	[DNS_EMPTY] = { "dns-empty", FETCH_MSG_DNS },
	[PLAN_END] = { "plan-end", FETCH_MSG_PLAN_END },
	[REFRESH] = { "refresh", FETCH_MSG_REFRESH },
	[RESOLVE] = { "resolve", FETCH_MSG_RESOLVE },
	[CANCEL] = { "cancel", FETCH_MSG_CANCEL },
	[PREVIEW] = { "preview", FETCH_MSG_PREVIEW },
	[PING] = { "ping", FETCH_MSG_PING },
	[BOARD] = { "board", FETCH_MSG_BOARD },
	[EVENT_OK] = { "event-ok", FETCH_MSG_EVENT },
	[EVENT_FAILED] = { "event-failed", FETCH_MSG_EVENT },
	[ANSWER_OK] = { "answer-ok", FETCH_MSG_ANSWER },
	[ANSWER_FAILED] = { "answer-failed", FETCH_MSG_ANSWER },
	[PREVIEWED_OK] = { "previewed-ok", FETCH_MSG_PREVIEWED },
	[PREVIEWED_FAILED] = { "previewed-failed", FETCH_MSG_PREVIEWED },
	[PONG] = { "pong", FETCH_MSG_PONG },
	[RENEW] = { "renew", FETCH_MSG_RENEW },
};

static void dns_fill(struct dns_config *dns)
{
	dns->n_servers = DNS_SERVERS_MAX;
	for (size_t i = 0; i < DNS_SERVERS_MAX; i++)
		dns->servers[i] = address(i % 2, (uint16_t)(53 + i));
	dns->trust_anchor = text(60, '/');
	dns->require = true;
	dns->timeout_ms = UINT32_MAX;
}

static void answer_fill(struct dns_answer *dns)
{
	dns->reason = REASON_OK;
	memset(dns->detail, 'd', sizeof(dns->detail) - 1);
	dns->secure = true;
	dns->ttl = UINT32_MAX;
	dns->n_targets = DNS_TARGETS_MAX;
	for (size_t i = 0; i < DNS_TARGETS_MAX; i++) {
		dns->targets[i].addr = address(i % 2, (uint16_t)i);
		memset(dns->targets[i].host, 'h', i);
	}
}

/* What the samples of one type differ in. */
static void sample_make(enum sample sample, struct fetch_message *m)
{
	memset(m, 0, sizeof(*m));
	m->type = samples[sample].type;
	switch (sample) {
	case PLAN:
	case PLAN_NO_CACHE:
		m->cache = text(sample == PLAN ? 40 : 0, 'c');
		return;
	case ISSUER:
		m->issuer = (struct fetch_issuer){ text(300, '\0'), 300 };
		return;
	case SOURCE_PATH:
	case SOURCE_URL:
		m->source.kind =
			sample == SOURCE_URL ? REVOCATION_SOURCE_URL : REVOCATION_SOURCE_PATH;
		m->source.location = text(50, 'l');
		return;
	case URL:
		m->source.kind = REVOCATION_SOURCE_URL;
		m->source.location = text(1, 'u');
		return;
	case DNS:
		dns_fill(&m->dns);
		return;
	case RESOLVE:
		m->resolve.id = UINT64_MAX;
		m->resolve.question.kind = DNS_SRV;
		m->resolve.question.port = UINT16_MAX;
		memset(m->resolve.question.name, 'n', DNS_NAME_MAX);
		return;
	case PREVIEW:
		m->preview = (struct fetch_preview){ .id = 1, .path = text(70, '/') };
		return;
	case EVENT_OK:
	case EVENT_FAILED:
		m->event.location = text(30, 'l');
		m->event.ok = sample == EVENT_OK;
		m->event.next_s = INT64_MIN;
		m->event.failures = UINT32_MAX;
		memset(m->event.detail, 'd', sample == EVENT_OK ? 0 : 255);
		return;
	case ANSWER_OK:
		answer_fill(&m->answer.dns);
		return;
	case ANSWER_FAILED:
		m->answer.id = 7;
		m->answer.dns.reason = REASON_DNS_BOGUS;
		return;
	case PREVIEWED_OK:
	case PREVIEWED_FAILED:
		m->previewed.ok = sample == PREVIEWED_OK;
		memset(m->previewed.detail, 'd', m->previewed.ok ? 0 : 255);
		return;
	case CANCEL:
	case PING:
	case PONG:
		m->id = UINT64_MAX;
		return;
	case DNS_EMPTY:
	case PLAN_END:
	case REFRESH:
	case BOARD:
	case RENEW:
	case N_SAMPLES:
		return;
	}
}

static size_t sample_encode(enum sample sample)
{
	size_t size;

	sample_make(sample, &message);
	assert_int_equal(fetch_message_encode(&message, buf, &size), 0);
	fetch_message_done(&message);
	return size;
}

/* ---- tests ---- */

static void test_round_trip(void **state _unused_)
{
	for (int i = 0; i < N_SAMPLES; i++) {
		size_t size = sample_encode((enum sample)i), size_again;

		assert_int_equal(fetch_message_decode(buf, size, &decoded), 0);
		assert_int_equal(decoded.type, samples[i].type);
		assert_int_equal(fetch_message_encode(&decoded, again, &size_again), 0);
		assert_int_equal(size_again, size);
		assert_memory_equal(buf, again, size);
		fetch_message_done(&decoded);
	}
}

static void test_values(void **state _unused_)
{
	size_t size = sample_encode(ANSWER_OK);
	struct net_addr v6 = address(true, 31);

	assert_int_equal(fetch_message_decode(buf, size, &decoded), 0);
	assert_int_equal(decoded.answer.dns.n_targets, DNS_TARGETS_MAX);
	assert_true(net_addr_equal(&decoded.answer.dns.targets[31].addr, &v6));
	assert_int_equal(strlen(decoded.answer.dns.targets[31].host), 31);
	fetch_message_done(&decoded);
	size = sample_encode(DNS);
	v6 = address(true, 60);
	assert_int_equal(fetch_message_decode(buf, size, &decoded), 0);
	assert_true(net_addr_equal(&decoded.dns.servers[7], &v6));
	assert_int_equal(decoded.dns.timeout_ms, UINT32_MAX);
	fetch_message_done(&decoded);
}

static void test_truncations(void **state _unused_)
{
	for (int i = 0; i < N_SAMPLES; i++) {
		size_t size = sample_encode((enum sample)i);

		for (size_t n = 0; n < size; n++)
			assert_int_equal(fetch_message_decode(buf, n, &decoded), FETCH_E_MALFORMED);
		assert_int_equal(fetch_message_decode(buf, size + 1, &decoded), FETCH_E_MALFORMED);
	}
}

static void test_bit_flips(void **state _unused_)
{
	for (int i = 0; i < N_SAMPLES; i++) {
		size_t size = sample_encode((enum sample)i), size_again;

		for (size_t bit = 0; bit < 8 * size; bit++) {
			buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (fetch_message_decode(buf, size, &decoded) == 0) {
				assert_int_equal(fetch_message_encode(&decoded, again, &size_again),
						 0);
				assert_memory_equal(buf, again, size);
				fetch_message_done(&decoded);
			}
			buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

/* What an encoder refuses, each a change to a good message. */
static void test_limits(void **state _unused_)
{
	size_t size;

	sample_make(ANSWER_OK, &message);
	message.answer.dns.n_targets = 0;
	assert_int_equal(fetch_message_encode(&message, buf, &size), -EMSGSIZE);
	message.answer.dns.n_targets = DNS_TARGETS_MAX + 1;
	assert_int_equal(fetch_message_encode(&message, buf, &size), -EMSGSIZE);
	sample_make(ANSWER_FAILED, &message);
	message.answer.dns.n_targets = 1;
	assert_int_equal(fetch_message_encode(&message, buf, &size), -EMSGSIZE);
	message.answer.dns.n_targets = 0;
	message.answer.dns.reason = REASON_REVOKED;
	assert_int_equal(fetch_message_encode(&message, buf, &size), -EMSGSIZE);
	message = (struct fetch_message){ .type = FETCH_MSG_ISSUER };
	assert_int_equal(fetch_message_encode(&message, buf, &size), -EMSGSIZE);
	message.issuer = (struct fetch_issuer){ text(FETCH_DER_MAX + 1, 'x'), FETCH_DER_MAX };
	assert_int_equal(fetch_message_encode(&message, buf, &size), 0);
	message.issuer.len++;
	assert_int_equal(fetch_message_encode(&message, buf, &size), -EMSGSIZE);
	fetch_message_done(&message);
	message = (struct fetch_message){ .type = FETCH_MSG_URL,
					  .source.location = text(REVOCATION_SOURCE_MAX + 1, 'x') };
	assert_int_equal(fetch_message_encode(&message, buf, &size), -EMSGSIZE);
	message.source.location[REVOCATION_SOURCE_MAX] = '\0';
	assert_int_equal(fetch_message_encode(&message, buf, &size), 0);
	fetch_message_done(&message);
}

static void test_hostile_values(void **state _unused_)
{
	size_t size;

	/* no such type; the reason is the byte after type and id */
	buf[0] = 0;
	assert_int_equal(fetch_message_decode(buf, 1, &decoded), FETCH_E_MALFORMED);
	buf[0] = _FETCH_MSG_MAX;
	assert_int_equal(fetch_message_decode(buf, 1, &decoded), FETCH_E_MALFORMED);
	size = sample_encode(ANSWER_FAILED);
	for (unsigned int reason = 0; reason < 256; reason++) {
		bool good = reason == REASON_DNS_FAILED || reason == REASON_DNS_BOGUS ||
			    reason == REASON_DNS_INSECURE;

		buf[9] = (uint8_t)reason;
		assert_int_equal(fetch_message_decode(buf, size, &decoded),
				 good ? 0 : FETCH_E_MALFORMED);
	}
	/* a length that the message does not have allocates nothing */
	memset(buf, 0xff, 16);
	buf[0] = FETCH_MSG_ISSUER;
	assert_int_equal(fetch_message_decode(buf, 16, &decoded), FETCH_E_MALFORMED);
	/* a text that ends before its length */
	size = sample_encode(SOURCE_PATH);
	buf[size - 1] = '\0';
	assert_int_equal(fetch_message_decode(buf, size, &decoded), FETCH_E_MALFORMED);
}

/* ---- plans as bytes ---- */

static void test_plan_bytes(void **state _unused_)
{
	struct dns_config dns = { .timeout_ms = 5000 };
	struct fetch_blob issuers[] = { { "one", 3 }, { "two", 3 } };
	struct revocation_source sources[] = { { REVOCATION_SOURCE_PATH, (char[]){ "/a" } },
					       { REVOCATION_SOURCE_URL, (char[]){ "http://b" } } };
	struct fetch_plan plan = { issuers, 2, sources, 2, &dns, "/cache" };
	struct fetch_bytes a, b;
	const uint8_t *bytes;
	size_t at = 0, size, n = 0;

	assert_int_equal(fetch_bytes_plan(&plan, &a), 0);
	assert_int_equal(fetch_bytes_plan(&plan, &b), 0);
	assert_true(fetch_bytes_equal(&a, &b));
	fetch_bytes_done(&b);
	while (fetch_bytes_next(&a, &at, &bytes, &size)) {
		/* files are named before anything that is read */
		static const enum fetch_message_type order[] = {
			FETCH_MSG_PLAN, FETCH_MSG_SOURCE, FETCH_MSG_SOURCE,
			FETCH_MSG_DNS,	FETCH_MSG_ISSUER, FETCH_MSG_ISSUER
		};

		assert_true(n < ARRAY_SIZE(order));
		assert_int_equal(fetch_message_decode(bytes, size, &decoded), 0);
		assert_int_equal(decoded.type, order[n++]);
		fetch_message_done(&decoded);
	}
	assert_int_equal(n, 6);

	/* whatever is different makes it another plan */
	dns.require = true;
	assert_int_equal(fetch_bytes_plan(&plan, &b), 0);
	assert_false(fetch_bytes_equal(&a, &b));
	fetch_bytes_done(&b);
	dns.require = false;
	plan.cache = NULL;
	assert_int_equal(fetch_bytes_plan(&plan, &b), 0);
	assert_false(fetch_bytes_equal(&a, &b));
	fetch_bytes_done(&b);
	plan.cache = "/cache";
	issuers[1].data = "tvo";
	assert_int_equal(fetch_bytes_plan(&plan, &b), 0);
	assert_false(fetch_bytes_equal(&a, &b));
	fetch_bytes_done(&b);
	issuers[1].size = FETCH_DER_MAX + 1;
	assert_int_equal(fetch_bytes_plan(&plan, &b), -EMSGSIZE);
	fetch_bytes_done(&a);
}

static int learn(struct fetch_learned *learned, unsigned int number)
{
	struct fetch_message m = { .type = FETCH_MSG_URL };
	const struct fetch_bytes *item;
	char url[32];

	snprintf(url, sizeof(url), "http://%u", number);
	m.source.location = url;
	return fetch_learned_add(learned, &m, &item);
}

static void test_learned(void **state _unused_)
{
	static struct fetch_learned learned;

	for (unsigned int i = 0; i < FETCH_LEARNED_MAX; i++)
		assert_int_equal(learn(&learned, i), FETCH_LEARNED_NEW);
	assert_int_equal(learn(&learned, 0), 0);
	assert_int_equal(learn(&learned, FETCH_LEARNED_MAX - 1), 0);
	/* one more takes the place of the first, which is new again and takes that of the second */
	assert_int_equal(learn(&learned, FETCH_LEARNED_MAX), FETCH_LEARNED_NEW);
	assert_int_equal(learned.n, FETCH_LEARNED_MAX);
	assert_int_equal(learn(&learned, 1), 0);
	assert_int_equal(learn(&learned, 0), FETCH_LEARNED_NEW);
	assert_int_equal(learn(&learned, 1), FETCH_LEARNED_NEW);
	assert_int_equal(learn(&learned, FETCH_LEARNED_MAX), 0);
	fetch_learned_done(&learned);
}

static int write_seeds(const char *directory)
{
	for (int i = 0; i < N_SAMPLES; i++) {
		size_t size = sample_encode((enum sample)i);
		char path[4096];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", directory, samples[i].name);
		f = fopen(path, "we");
		if (!f || fwrite(buf, size, 1, f) != 1 || fclose(f) != 0) {
			perror(path);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_values),
		cmocka_unit_test(test_truncations),    cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_limits),	       cmocka_unit_test(test_plan_bytes),
		cmocka_unit_test(test_hostile_values), cmocka_unit_test(test_learned),
	};

	if (argc == 2)
		return write_seeds(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
