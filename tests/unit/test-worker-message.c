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
	}
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

static void hello_fill(struct worker_hello *m)
{
	memset(m->error.file, 'f', sizeof(m->error.file) - 1);
	memset(m->error.text, 't', sizeof(m->error.text) - 1);
	m->error.line = UINT32_MAX;
}

enum sample {
	HELLO_VALID,
	HELLO_INVALID,
	JOB,
	CANCEL,
	RESULT_REFUSED,
	RESULT_REFUSED_FACTS,
	RESULT_KERNEL,
	RESULT_PUMP,
	PUMP_END,
	RETIRE,
	SMALL, /* from here on too long for tests of every byte */
	RESULT_LARGEST = SMALL,
	N_SAMPLES,
};

static const char *const sample_names[] = { "hello-valid",   "hello-invalid",  "job",
					    "cancel",	     "result-refused", "result-facts",
					    "result-kernel", "result-pump",    "pump-end",
					    "retire",	     "result-largest" };

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
	case RESULT_KERNEL:
		m->type = WORKER_MSG_RESULT;
		result_fill(&m->result, REASON_OK, true, 7);
		facts_fill(&m->result.facts, 1, 1, 0, 1);
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
		facts_fill(&m->result.facts, TRUST_CHAIN_MAX, TRUST_NAMES_MAX, 64, 1024);
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
	}
}

static void results_equal(const struct worker_result *a, const struct worker_result *b)
{
	assert_true(a->id == b->id);
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->alert_received, b->alert_received);
	assert_string_equal(a->detail, b->detail);
	facts_equal(&a->facts, &b->facts);
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

static void messages_equal(const struct worker_message *a, const struct worker_message *b)
{
	assert_int_equal(a->type, b->type);
	if (a->type == WORKER_MSG_RESULT)
		results_equal(&a->result, &b->result);
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

static int write_seeds(const char *directory)
{
	for (int i = 0; i < SMALL; i++) {
		size_t size = sample_encode((enum sample)i);
		char path[4096];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", directory, sample_names[i]);
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
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_bit_flips),  cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_limits),	   cmocka_unit_test(test_keys_are_wiped),
	};

	if (argc == 2)
		return write_seeds(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
