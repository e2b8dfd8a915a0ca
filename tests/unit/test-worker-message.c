/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Messages between daemon and worker: every one goes there and back with extreme values; every
 * truncation is malformed; flipped bits neither crash nor leave anything allocated. With a
 * directory as argument, the messages are written there as seeds of the fuzzer instead.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <siptls/worker.h>

static uint8_t buf[WORKER_MESSAGE_MAX], again[WORKER_MESSAGE_MAX];
static struct worker_message message, decoded;

/* ---- samples ---- */

static char *text(size_t len, char c)
{
	char *s = malloc(len + 1);

	assert_non_null(s);
	memset(s, c, len);
	s[len] = '\0';
	return s;
}

static void link_fill(struct trust_link *l, enum trust_status status)
{
	l->status = status;
	if (status == TRUST_STATUS_UNKNOWN)
		return;
	l->ocsp = status == TRUST_STATUS_GOOD;
	l->this_update = INT64_MIN;
	l->next_update = INT64_MAX;
	if (status != TRUST_STATUS_REVOKED)
		return;
	l->revoked_at = -1;
	l->revoked_why = UINT8_MAX;
}

/* As many of everything as there can be on the certificate at @place, none on the leaf. */
static void lookup_fill(struct trust_certificate *c, size_t place)
{
	memset(c->id, 0xb6, sizeof(c->id));
	memset(c->serial_id, 0xc7, sizeof(c->serial_id));
	c->must_staple = place == 0;
	if (place == 0)
		return;
	c->n_scopes = TRUST_SCOPES_MAX;
	memset(c->scopes, 0xd8, sizeof(c->scopes));
	c->n_crl_urls = TRUST_URLS_MAX;
	for (size_t i = 0; i < TRUST_URLS_MAX; i++)
		c->crl_urls[i] = text(i == 0 ? TRUST_URL_MAX : i, 'u');
}

static void facts_fill(struct trust_facts *f, size_t n_certs, size_t n_names, size_t name_len,
		       size_t n_paths)
{
	f->certs = calloc(n_certs, sizeof(*f->certs));
	f->names = calloc(n_names, sizeof(*f->names));
	f->paths = calloc(n_paths, sizeof(*f->paths));
	f->n_certs = n_certs;
	f->n_names = n_names;
	f->n_paths = n_paths;
	f->has_san = true;
	for (size_t i = 0; i < n_certs; i++) {
		struct trust_certificate *c = &f->certs[i];

		*c = (struct trust_certificate){ .subject = text(60 + i, 's'),
						 .issuer = text(0, 'i'),
						 .serial = text(40, 'F'),
						 .not_before = INT64_MIN,
						 .not_after = INT64_MAX,
						 .version = 3,
						 .key = TRUST_KEY_OTHER,
						 .key_bits = UINT16_MAX,
						 .hash = TRUST_HASH_WEAK,
						 .is_ca = i > 0,
						 .usage = 31,
						 .unsupported = true };
		memset(c->fingerprint, 0xa5, sizeof(c->fingerprint));
		lookup_fill(c, i);
	}
	link_fill(&f->staple, TRUST_STATUS_GOOD);
	for (size_t i = 0; i < n_names; i++)
		f->names[i] = (struct trust_name){ .type = (enum trust_name_type)(
							   i % _TRUST_NAME_TYPE_MAX),
						   .len = (uint32_t)name_len,
						   .value = text(name_len, i % 2 ? 'n' : '\0') };
	for (size_t i = 0; i < n_paths; i++) {
		struct trust_path *p = &f->paths[i];

		p->anchors = UINT32_MAX - (uint32_t)i;
		p->outcome = i == 0 ? TRUST_CHAIN_OK : TRUST_CHAIN_UNKNOWN_CA;
		if (i > 0)
			continue;
		p->n_certs = (uint8_t)n_certs;
		for (size_t j = 0; j < n_certs; j++)
			p->certs[j] = (uint8_t)(n_certs - 1 - j);
		for (size_t j = 0; j < n_certs; j++)
			link_fill(&p->links[j], (enum trust_status)((j + 1) % _TRUST_STATUS_MAX));
		memset(p->anchor_fingerprint, 0xe9, sizeof(p->anchor_fingerprint));
		memset(p->anchor_id, 0xfa, sizeof(p->anchor_id));
		p->anchor_subject = text(10, 'a');
		p->anchor_not_before = -1;
		p->anchor_not_after = INT64_MAX;
	}
}

static void keys_fill(struct traffic_keys *k, uint8_t len)
{
	memset(k->key, 0x11, sizeof(k->key));
	memset(k->iv, 0x22, sizeof(k->iv));
	k->seq = UINT64_MAX;
	k->secret.len = len;
	memset(k->secret.bytes, 0x33, len);
}

static void result_fill(struct worker_result *m, enum reason reason, bool kernel, uint32_t early)
{
	m->id = UINT64_MAX;
	m->reason = reason;
	m->alert_received = ALERT_NONE;
	memset(m->detail, 'd', sizeof(m->detail) - 1);
	m->pump_fd = -1;
	if (reason != REASON_OK)
		return;
	m->version = KTLS_TLS13;
	m->cipher = KTLS_CHACHA20_POLY1305;
	memset(m->group, 'g', sizeof(m->group) - 1);
	memset(m->sni, 's', sizeof(m->sni) - 1);
	m->identity = UINT32_MAX;
	m->kernel = kernel;
	if (!kernel)
		return;
	keys_fill(&m->tx, SECRET_MAX);
	keys_fill(&m->rx, 0);
	m->early_len = early;
	memset(m->early, 'e', early);
}

static void issuers_fill(struct worker_result *m, size_t n, size_t len)
{
	m->issuers = calloc(n, sizeof(*m->issuers));
	m->n_issuers = n;
	for (size_t i = 0; i < n; i++)
		m->issuers[i] = (struct worker_der){ .der = text(len, '\0'), .len = (uint32_t)len };
}

static void certificate_fill(struct worker_certificate *m, bool anchor, size_t n_names)
{
	m->anchor = anchor;
	m->index = UINT32_MAX;
	m->place = anchor ? UINT32_MAX : 0;
	m->der = text(300, '\0');
	m->der_len = 300;
	facts_fill(&m->facts, 1, n_names, 9, 0);
	m->facts.has_san = n_names > 0;
	m->facts.staple = (struct trust_link){};
}

static void hello_fill(struct worker_hello *m)
{
	memset(m->error.file, 'f', sizeof(m->error.file) - 1);
	memset(m->error.text, 't', sizeof(m->error.text) - 1);
	m->error.line = UINT32_MAX;
}

enum sample {
	HELLO_VALID,
	HELLO_INVALID,
	CERTIFICATE_ANCHOR,
	CERTIFICATE_OWN,
	BOARD,
	JOB,
	CANCEL,
	RESULT_REFUSED,
	RESULT_REFUSED_FACTS,
	RESULT_STALE,
	RESULT_REVOKED,
	RESULT_KERNEL,
	RESULT_PUMP,
	PUMP_END,
	RETIRE,
	SMALL, /* from here on too long for tests of every byte */
	RESULT_LARGEST = SMALL,
	N_SAMPLES,
};

static const char *const sample_names[] = {
	[HELLO_VALID] = "hello-valid",
	[HELLO_INVALID] = "hello-invalid",
	[CERTIFICATE_ANCHOR] = "certificate-anchor",
	[CERTIFICATE_OWN] = "certificate-own",
	[BOARD] = "board",
	[JOB] = "job",
	[CANCEL] = "cancel",
	[RESULT_REFUSED] = "result-refused",
	[RESULT_REFUSED_FACTS] = "result-facts",
	[RESULT_STALE] = "result-stale",
	[RESULT_REVOKED] = "result-revoked",
	[RESULT_KERNEL] = "result-kernel",
	[RESULT_PUMP] = "result-pump",
	[PUMP_END] = "pump-end",
	[RETIRE] = "retire",
};

static void sample_make(enum sample sample, struct worker_message *m)
{
	memset(m, 0, sizeof(*m));
	switch (sample) {
	case HELLO_VALID:
		m->type = WORKER_MSG_HELLO;
		m->hello.valid = true;
		return;
	case HELLO_INVALID:
		m->type = WORKER_MSG_HELLO;
		hello_fill(&m->hello);
		return;
	case CERTIFICATE_ANCHOR:
		m->type = WORKER_MSG_CERTIFICATE;
		certificate_fill(&m->certificate, true, 0);
		return;
	case CERTIFICATE_OWN:
		m->type = WORKER_MSG_CERTIFICATE;
		certificate_fill(&m->certificate, false, 2);
		return;
	case BOARD:
		m->type = WORKER_MSG_BOARD;
		return;
	case JOB:
		m->type = WORKER_MSG_JOB;
		m->job.id = 1;
		m->job.tls = (struct tls_job){ .dial = true,
					       .tls12 = true,
					       .kernel_ciphers = { 7, 5 },
					       .listener = UINT32_MAX,
					       .entry = TRUST_ENTRY_ANY };
		return;
	case CANCEL:
		m->type = WORKER_MSG_CANCEL;
		m->cancel_id = UINT64_MAX;
		return;
	case RESULT_REFUSED:
		m->type = WORKER_MSG_RESULT;
		result_fill(&m->result, _REASON_MAX - 1, false, 0);
		return;
	case RESULT_REFUSED_FACTS:
		m->type = WORKER_MSG_RESULT;
		result_fill(&m->result, REASON_UNKNOWN_CA, false, 0);
		facts_fill(&m->result.facts, 2, 3, 5, 3);
		return;
	case RESULT_REVOKED:
		m->type = WORKER_MSG_RESULT;
		result_fill(&m->result, REASON_REVOKED, false, 0);
		issuers_fill(&m->result, 2, 40);
		return;
	case RESULT_STALE:
		m->type = WORKER_MSG_RESULT;
		result_fill(&m->result, REASON_REVOCATION_STALE, false, 0);
		issuers_fill(&m->result, 2, 40);
		return;
	case RESULT_KERNEL:
		m->type = WORKER_MSG_RESULT;
		result_fill(&m->result, REASON_OK, true, 7);
		facts_fill(&m->result.facts, 1, 1, 0, 1);
		issuers_fill(&m->result, 1, 1);
		return;
	case RESULT_PUMP:
		m->type = WORKER_MSG_RESULT;
		result_fill(&m->result, REASON_OK, false, 0);
		return;
	case PUMP_END:
		m->type = WORKER_MSG_PUMP_END;
		m->pump_end.id = 5;
		m->pump_end.reason = REASON_PEER_ALERT;
		m->pump_end.alert_received = 42;
		strcpy(m->pump_end.detail, "bad_certificate");
		return;
	case RETIRE:
		m->type = WORKER_MSG_RETIRE;
		return;
	case RESULT_LARGEST:
		m->type = WORKER_MSG_RESULT;
		result_fill(&m->result, REASON_OK, true, TLS_EARLY_MAX);
		facts_fill(&m->result.facts, TRUST_CHAIN_MAX, TRUST_NAMES_MAX, 48, 1024);
		issuers_fill(&m->result, TRUST_CHAIN_MAX, 1000);
		return;
	case N_SAMPLES:
		break;
	}
	fail();
}

static size_t sample_encode(enum sample sample)
{
	size_t size = 0;

	sample_make(sample, &message);
	assert_int_equal(worker_message_encode(&message, buf, &size), 0);
	worker_message_done(&message);
	return size;
}

/* ---- tests ---- */

static void lookups_equal(const struct trust_certificate *a, const struct trust_certificate *b)
{
	assert_memory_equal(a->id, b->id, sizeof(a->id));
	assert_memory_equal(a->serial_id, b->serial_id, sizeof(a->serial_id));
	assert_int_equal(a->n_scopes, b->n_scopes);
	assert_memory_equal(a->scopes, b->scopes, sizeof(a->scopes));
	assert_int_equal(a->n_crl_urls, b->n_crl_urls);
	for (size_t i = 0; i < a->n_crl_urls; i++)
		assert_string_equal(a->crl_urls[i], b->crl_urls[i]);
	assert_int_equal(a->must_staple, b->must_staple);
}

static void links_equal(const struct trust_link *a, const struct trust_link *b)
{
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->ocsp, b->ocsp);
	assert_true(a->this_update == b->this_update);
	assert_true(a->next_update == b->next_update);
	assert_true(a->revoked_at == b->revoked_at);
	assert_int_equal(a->revoked_why, b->revoked_why);
}

static void certificates_equal(const struct trust_facts *a, const struct trust_facts *b)
{
	assert_int_equal(a->n_certs, b->n_certs);
	for (size_t i = 0; i < a->n_certs; i++) {
		assert_string_equal(a->certs[i].subject, b->certs[i].subject);
		assert_string_equal(a->certs[i].issuer, b->certs[i].issuer);
		assert_string_equal(a->certs[i].serial, b->certs[i].serial);
		assert_memory_equal(a->certs[i].fingerprint, b->certs[i].fingerprint, 32);
		assert_true(a->certs[i].not_before == b->certs[i].not_before);
		assert_true(a->certs[i].not_after == b->certs[i].not_after);
		assert_int_equal(a->certs[i].version, b->certs[i].version);
		assert_int_equal(a->certs[i].key, b->certs[i].key);
		assert_int_equal(a->certs[i].key_bits, b->certs[i].key_bits);
		assert_int_equal(a->certs[i].hash, b->certs[i].hash);
		assert_int_equal(a->certs[i].is_ca, b->certs[i].is_ca);
		assert_int_equal(a->certs[i].usage, b->certs[i].usage);
		assert_int_equal(a->certs[i].unsupported, b->certs[i].unsupported);
		lookups_equal(&a->certs[i], &b->certs[i]);
	}
}

static void facts_equal(const struct trust_facts *a, const struct trust_facts *b)
{
	certificates_equal(a, b);
	assert_int_equal(a->has_san, b->has_san);
	assert_int_equal(a->n_names, b->n_names);
	for (size_t i = 0; i < a->n_names; i++) {
		assert_int_equal(a->names[i].type, b->names[i].type);
		assert_int_equal(a->names[i].len, b->names[i].len);
		assert_memory_equal(a->names[i].value, b->names[i].value, a->names[i].len);
	}
	assert_int_equal(a->n_paths, b->n_paths);
	for (size_t i = 0; i < a->n_paths; i++) {
		assert_int_equal(a->paths[i].anchors, b->paths[i].anchors);
		assert_int_equal(a->paths[i].outcome, b->paths[i].outcome);
		assert_int_equal(a->paths[i].n_certs, b->paths[i].n_certs);
		assert_memory_equal(a->paths[i].certs, b->paths[i].certs, TRUST_CHAIN_MAX);
		assert_true(!a->paths[i].anchor_subject == !b->paths[i].anchor_subject);
		if (a->paths[i].anchor_subject)
			assert_string_equal(a->paths[i].anchor_subject, b->paths[i].anchor_subject);
		assert_true(a->paths[i].anchor_not_before == b->paths[i].anchor_not_before);
		assert_true(a->paths[i].anchor_not_after == b->paths[i].anchor_not_after);
		assert_memory_equal(a->paths[i].anchor_fingerprint, b->paths[i].anchor_fingerprint,
				    32);
		assert_memory_equal(a->paths[i].anchor_id, b->paths[i].anchor_id, 32);
		for (size_t j = 0; j < TRUST_CHAIN_MAX; j++)
			links_equal(&a->paths[i].links[j], &b->paths[i].links[j]);
	}
	links_equal(&a->staple, &b->staple);
}

static void results_equal(const struct worker_result *a, const struct worker_result *b)
{
	assert_true(a->id == b->id);
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->alert_received, b->alert_received);
	assert_string_equal(a->detail, b->detail);
	facts_equal(&a->facts, &b->facts);
	assert_int_equal(a->n_issuers, b->n_issuers);
	for (size_t i = 0; i < a->n_issuers; i++) {
		assert_int_equal(a->issuers[i].len, b->issuers[i].len);
		assert_memory_equal(a->issuers[i].der, b->issuers[i].der, a->issuers[i].len);
	}
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->cipher, b->cipher);
	assert_string_equal(a->group, b->group);
	assert_string_equal(a->sni, b->sni);
	assert_int_equal(a->identity, b->identity);
	assert_int_equal(a->kernel, b->kernel);
	assert_memory_equal(&a->tx, &b->tx, sizeof(a->tx));
	assert_memory_equal(&a->rx, &b->rx, sizeof(a->rx));
	assert_int_equal(a->early_len, b->early_len);
	assert_memory_equal(a->early, b->early, sizeof(a->early));
	assert_int_equal(b->pump_fd, -1);
}

static void told_equal(const struct worker_certificate *a, const struct worker_certificate *b)
{
	assert_int_equal(a->anchor, b->anchor);
	assert_int_equal(a->index, b->index);
	assert_int_equal(a->place, b->place);
	assert_int_equal(a->der_len, b->der_len);
	assert_memory_equal(a->der, b->der, a->der_len);
	facts_equal(&a->facts, &b->facts);
}

static void messages_equal(const struct worker_message *a, const struct worker_message *b)
{
	assert_int_equal(a->type, b->type);
	if (a->type == WORKER_MSG_RESULT)
		results_equal(&a->result, &b->result);
	else if (a->type == WORKER_MSG_CERTIFICATE)
		told_equal(&a->certificate, &b->certificate);
	else if (a->type == WORKER_MSG_HELLO)
		assert_memory_equal(&a->hello, &b->hello, sizeof(a->hello));
	else if (a->type == WORKER_MSG_JOB)
		assert_memory_equal(&a->job, &b->job, sizeof(a->job));
	else if (a->type == WORKER_MSG_CANCEL)
		assert_true(a->cancel_id == b->cancel_id);
	else if (a->type == WORKER_MSG_PUMP_END)
		assert_memory_equal(&a->pump_end, &b->pump_end, sizeof(a->pump_end));
}

static void test_round_trip(void **state _unused_)
{
	for (int i = 0; i < N_SAMPLES; i++) {
		size_t size, size_again;

		sample_make((enum sample)i, &message);
		assert_int_equal(worker_message_encode(&message, buf, &size), 0);
		assert_int_equal(worker_message_decode(buf, size, &decoded), 0);
		messages_equal(&message, &decoded);
		assert_int_equal(worker_message_encode(&decoded, again, &size_again), 0);
		assert_int_equal(size, size_again);
		assert_memory_equal(buf, again, size);
		worker_message_done(&message);
		worker_message_done(&decoded);
	}
}

static void test_truncations(void **state _unused_)
{
	for (int i = 0; i < N_SAMPLES; i++) {
		size_t size = sample_encode((enum sample)i);
		size_t step = i < SMALL ? 1 : 97;

		for (size_t len = 0; len < size; len += step) {
			/* On the heap and of exactly that size, so that a read beyond is seen. */
			uint8_t *part = malloc(len + 1);

			assert_non_null(part);
			memcpy(part + 1, buf, len);
			assert_int_equal(worker_message_decode(part + 1, len, &decoded),
					 WORKER_E_MALFORMED);
			free(part);
		}
		buf[size] = 0;
		assert_int_equal(worker_message_decode(buf, size + 1, &decoded),
				 WORKER_E_MALFORMED);
	}
}

static void test_bit_flips(void **state _unused_)
{
	for (int i = 0; i < SMALL; i++) {
		size_t size = sample_encode((enum sample)i);

		for (size_t bit = 0; bit < size * 8; bit++) {
			size_t size_again;

			buf[bit / 8] ^= (uint8_t)(1U << (bit % 8));
			if (worker_message_decode(buf, size, &decoded) == 0) {
				assert_int_equal(worker_message_encode(&decoded, again,
								       &size_again),
						 0);
				assert_int_equal(size, size_again);
				assert_memory_equal(buf, again, size);
				worker_message_done(&decoded);
			}
			buf[bit / 8] ^= (uint8_t)(1U << (bit % 8));
		}
	}
}

/* Replace the only place where @from stands by @to, of equal length, and expect a refusal. */
static void expect_refused(enum sample sample, const void *from, const void *to, size_t len)
{
	size_t size = sample_encode(sample);
	uint8_t *at = memmem(buf, size, from, len);

	assert_non_null(at);
	memcpy(at, to, len);
	assert_int_equal(worker_message_decode(buf, size, &decoded), WORKER_E_MALFORMED);
}

static void test_hostile_values(void **state _unused_)
{
	size_t size;

	/* a NUL inside of text */
	expect_refused(PUMP_END, "bad_cert", "bad\0cert", 8);
	/* an index beyond the certificates presented (path with both certificates, 1 then 0) */
	expect_refused(RESULT_REFUSED_FACTS, "\xff\xff\xff\xff\x00\x02\x01\x00",
		       "\xff\xff\xff\xff\x00\x02\x02\x00", 8);
	/* more certificates on a path than a chain may have */
	expect_refused(RESULT_REFUSED_FACTS, "\xff\xff\xff\xff\x00\x02\x01\x00",
		       "\xff\xff\xff\xff\x00\x11\x01\x00", 8);
	/* a truth value that is neither */
	size = sample_encode(HELLO_VALID);
	buf[1] = 2;
	assert_int_equal(worker_message_decode(buf, size, &decoded), WORKER_E_MALFORMED);
	/* types that do not exist, and a pump that ends for no reason */
	for (int type = 0; type < 256; type += type == 0 ? _WORKER_MSG_MAX : 1) {
		size = sample_encode(RETIRE);
		buf[0] = (uint8_t)type;
		assert_int_equal(worker_message_decode(buf, size, &decoded), WORKER_E_MALFORMED);
	}
	size = sample_encode(PUMP_END);
	buf[9] = REASON_OK;
	assert_int_equal(worker_message_decode(buf, size, &decoded), WORKER_E_MALFORMED);
	/* a bit of a cipher that does not exist */
	size = sample_encode(JOB);
	buf[12] = 1 << _KTLS_CIPHER_MAX;
	assert_int_equal(worker_message_decode(buf, size, &decoded), WORKER_E_MALFORMED);
}

static void test_limits(void **state _unused_)
{
	static const struct {
		size_t n_certs, n_names, name_len, n_paths;
	} excessive[] = {
		{ TRUST_CHAIN_MAX + 1, 1, 1, 0 },
		{ 1, TRUST_NAMES_MAX + 1, 1, 0 },
		{ 1, 2, TRUST_NAMES_SIZE / 2 + 1, 0 },
		{ 1, 1, 1, 5000 },
	};
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(excessive); i++) {
		sample_make(RESULT_REFUSED, &message);
		facts_fill(&message.result.facts, excessive[i].n_certs, excessive[i].n_names,
			   excessive[i].name_len, excessive[i].n_paths);
		assert_int_equal(worker_message_encode(&message, buf, &size), -EMSGSIZE);
		worker_message_done(&message);
	}
	/* within every limit and yet too long */
	sample_make(RESULT_LARGEST, &message);
	for (size_t i = 0; i < TRUST_CHAIN_MAX; i++) {
		free(message.result.facts.certs[i].subject);
		free(message.result.facts.certs[i].issuer);
		message.result.facts.certs[i].subject = text(4096, 's');
		message.result.facts.certs[i].issuer = text(4096, 'i');
	}
	assert_int_equal(worker_message_encode(&message, buf, &size), -EMSGSIZE);
	worker_message_done(&message);
	/* our own mistakes do not reach the wire either */
	sample_make(RESULT_KERNEL, &message);
	message.result.tx.secret.len = SECRET_MAX + 1;
	assert_int_equal(worker_message_encode(&message, buf, &size), -EMSGSIZE);
	worker_message_done(&message);
}

/* A message that the encoder refuses and the decoder would, too. */
static void expect_unsendable(void)
{
	size_t size;

	assert_int_equal(worker_message_encode(&message, buf, &size), -EMSGSIZE);
	worker_message_done(&message);
}

static void test_certificate_limits(void **state _unused_)
{
	/* names of anything but a leaf of ours */
	sample_make(CERTIFICATE_OWN, &message);
	message.certificate.anchor = true;
	expect_unsendable();
	sample_make(CERTIFICATE_OWN, &message);
	message.certificate.place = 1;
	expect_unsendable();
	/* two certificates, none, a path, a staple */
	for (size_t n = 0; n <= 2; n += 2) {
		sample_make(CERTIFICATE_ANCHOR, &message);
		trust_facts_done(&message.certificate.facts);
		facts_fill(&message.certificate.facts, n, 0, 0, 0);
		message.certificate.facts.has_san = false;
		message.certificate.facts.staple = (struct trust_link){};
		expect_unsendable();
	}
	sample_make(CERTIFICATE_ANCHOR, &message);
	trust_facts_done(&message.certificate.facts);
	facts_fill(&message.certificate.facts, 1, 0, 0, 1);
	message.certificate.facts.has_san = false;
	message.certificate.facts.staple = (struct trust_link){};
	expect_unsendable();
	sample_make(CERTIFICATE_ANCHOR, &message);
	link_fill(&message.certificate.facts.staple, TRUST_STATUS_GOOD);
	expect_unsendable();
	/* bytes: none, and too many */
	sample_make(CERTIFICATE_ANCHOR, &message);
	message.certificate.der_len = 0;
	expect_unsendable();
	sample_make(CERTIFICATE_ANCHOR, &message);
	free(message.certificate.der);
	message.certificate.der = text(WORKER_DER_MAX + 1, 'x');
	message.certificate.der_len = WORKER_DER_MAX + 1;
	expect_unsendable();
}

static void test_issuer_limits(void **state _unused_)
{
	static const struct {
		size_t n, len;
	} rows[] = { { 1, 0 }, { 1, WORKER_DER_MAX + 1 }, { TRUST_CHAIN_MAX + 1, 1 } };
	size_t size, without;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sample_make(RESULT_PUMP, &message);
		issuers_fill(&message.result, rows[i].n, rows[i].len);
		expect_unsendable();
	}
	/* nobody is told the issuers of a peer that was refused for anything else */
	without = sample_encode(RESULT_REFUSED);
	sample_make(RESULT_REFUSED, &message);
	issuers_fill(&message.result, 3, 100);
	assert_int_equal(worker_message_encode(&message, buf, &size), 0);
	assert_int_equal(size, without);
	worker_message_done(&message);
}

static void test_lookup_limits(void **state _unused_)
{
	sample_make(RESULT_REFUSED_FACTS, &message);
	free(message.result.facts.certs[1].crl_urls[0]);
	message.result.facts.certs[1].crl_urls[0] = text(TRUST_URL_MAX + 1, 'u');
	expect_unsendable();
	sample_make(RESULT_REFUSED_FACTS, &message);
	message.result.facts.certs[0].n_scopes = TRUST_SCOPES_MAX + 1;
	expect_unsendable();
	sample_make(RESULT_REFUSED_FACTS, &message);
	message.result.facts.paths[0].links[0].status = _TRUST_STATUS_MAX;
	expect_unsendable();
}

/* ---- facts to be remembered ---- */

static void test_packed_facts(void **state _unused_)
{
	struct trust_facts facts = {}, back;
	uint8_t *packed, *packed_again, *part;
	size_t size, size_again;

	facts_fill(&facts, 3, 4, 5, 3); /* one path of the three holds */
	assert_int_equal(worker_facts_pack(&facts, &packed, &size), 0);
	assert_int_equal(worker_facts_unpack(packed, size, &back), 0);
	assert_int_equal(facts.n_paths, 3); /* untouched */
	assert_int_equal(back.n_paths, 1);
	for (size_t i = 1; i < 3; i++)
		free(facts.paths[i].anchor_subject);
	facts.n_paths = 1;
	facts_equal(&facts, &back);
	assert_int_equal(worker_facts_pack(&back, &packed_again, &size_again), 0);
	assert_int_equal(size, size_again);
	assert_memory_equal(packed, packed_again, size);
	trust_facts_done(&back);
	free(packed_again);
	for (size_t len = 0; len < size; len++) {
		part = malloc(len + 1); /* a byte before, so that none is of size zero */
		memcpy(part + 1, packed, len);
		assert_int_equal(worker_facts_unpack(part + 1, len, &back), WORKER_E_MALFORMED);
		free(part);
	}
	part = malloc(size + 1);
	memcpy(part, packed, size);
	part[size] = 0;
	assert_int_equal(worker_facts_unpack(part, size + 1, &back), WORKER_E_MALFORMED);
	free(part);
	free(packed);
	trust_facts_done(&facts);

	/* nothing at all, and more than a message takes */
	assert_int_equal(worker_facts_pack(&facts, &packed, &size), 0);
	assert_int_equal(worker_facts_unpack(packed, size, &back), 0);
	assert_int_equal(back.n_certs + back.n_names + back.n_paths, 0);
	trust_facts_done(&back);
	free(packed);
	facts_fill(&facts, TRUST_CHAIN_MAX, TRUST_NAMES_MAX + 1, 1, 1);
	assert_int_equal(worker_facts_pack(&facts, &packed, &size), -EMSGSIZE);
	trust_facts_done(&facts);
}

static void test_keys_are_wiped(void **state _unused_)
{
	static const uint8_t zeros[sizeof(struct traffic_keys)];
	size_t size = sample_encode(RESULT_KERNEL);

	/* also when a message turns out malformed after its keys were read */
	assert_int_equal(worker_message_decode(buf, size - 1, &decoded), WORKER_E_MALFORMED);
	assert_memory_equal(&decoded.result.tx, zeros, sizeof(zeros));
	assert_int_equal(worker_message_decode(buf, size, &decoded), 0);
	worker_message_done(&decoded);
	assert_memory_equal(&decoded.result.tx, zeros, sizeof(zeros));
	assert_memory_equal(&decoded.result.rx, zeros, sizeof(zeros));
}

static int write_seed(const char *directory, const char *name, size_t size)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	if (f && fwrite(buf, size, 1, f) == 1 && fclose(f) == 0)
		return EXIT_SUCCESS;
	perror(path);
	return EXIT_FAILURE;
}

/* The fuzzer takes every input as a message, and as facts behind its first byte. */
static int write_seeds(const char *directory)
{
	struct trust_facts facts = {};
	uint8_t *packed;
	size_t size;
	int r = EXIT_SUCCESS;

	for (int i = 0; i < SMALL && r == EXIT_SUCCESS; i++)
		r = write_seed(directory, sample_names[i], sample_encode((enum sample)i));
	facts_fill(&facts, 2, 3, 5, 1);
	if (r != EXIT_SUCCESS || worker_facts_pack(&facts, &packed, &size) < 0)
		return EXIT_FAILURE;
	buf[0] = 0;
	memcpy(buf + 1, packed, size);
	r = write_seed(directory, "facts", size + 1);
	free(packed);
	trust_facts_done(&facts);
	return r;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_certificate_limits),
		cmocka_unit_test(test_issuer_limits),
		cmocka_unit_test(test_lookup_limits),
		cmocka_unit_test(test_packed_facts),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_keys_are_wiped),
	};

	if (argc == 2)
		return write_seeds(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
