/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The messages between daemon and worker. Each struct has one function that both encodes and
 * decodes it; every range and every limit is checked in both directions, so what the decoder
 * refuses no encoder makes.
 */

#include <siptls/wire.h>

#include <siptls/worker.h>

/* Bytes of a distinguished name or a serial number as text. */
#define TEXT_MAX 4096
/* Anchor sets one chain was tried against. */
#define PATHS_MAX 4096

#define USAGE_ALL                                                                                  \
	(TRUST_EKU_PRESENT | TRUST_EKU_SERVER | TRUST_EKU_CLIENT | TRUST_EKU_SIP | TRUST_EKU_ANY)

_Static_assert((int)WORKER_E_MALFORMED == (int)WIRE_E_MALFORMED, "one outcome for both");

static void wire_certificate(struct wire *w, struct trust_certificate *c)
{
	wire_string(w, &c->subject, TEXT_MAX);
	wire_string(w, &c->issuer, TEXT_MAX);
	wire_string(w, &c->serial, TEXT_MAX);
	wire_bytes(w, c->fingerprint, sizeof(c->fingerprint));
	wire_i64(w, &c->not_before);
	wire_i64(w, &c->not_after);
	wire_u8(w, &c->version);
	wire_enum(w, c->key, _TRUST_KEY_MAX);
	wire_u16(w, &c->key_bits);
	wire_enum(w, c->hash, _TRUST_HASH_MAX);
	wire_bool(w, &c->is_ca);
	wire_enum(w, c->usage, USAGE_ALL + 1);
	wire_bool(w, &c->unsupported);
}

static void wire_names(struct wire *w, struct trust_facts *f)
{
	size_t left = TRUST_NAMES_SIZE;

	f->names = wire_array(w, f->names, &f->n_names, sizeof(*f->names), TRUST_NAMES_MAX);
	for (size_t i = 0; i < f->n_names && !w->failed; i++) {
		wire_enum(w, f->names[i].type, _TRUST_NAME_TYPE_MAX);
		wire_blob(w, &f->names[i].value, &f->names[i].len, left);
		if (!w->failed)
			left -= f->names[i].len;
	}
}

static void wire_path(struct wire *w, struct trust_path *p, size_t n_certs)
{
	bool anchored = p->anchor_subject;

	wire_u32(w, &p->anchors);
	wire_enum(w, p->outcome, _TRUST_CHAIN_MAX);
	wire_enum(w, p->n_certs, TRUST_CHAIN_MAX + 1);
	for (size_t i = 0; i < p->n_certs; i++)
		wire_enum(w, p->certs[i], (uint32_t)n_certs);
	wire_bool(w, &anchored);
	if (!anchored || w->failed)
		return;
	wire_string(w, &p->anchor_subject, TEXT_MAX);
	wire_bytes(w, p->anchor_fingerprint, sizeof(p->anchor_fingerprint));
	wire_i64(w, &p->anchor_not_before);
	wire_i64(w, &p->anchor_not_after);
}

static void wire_facts(struct wire *w, struct trust_facts *f)
{
	f->certs = wire_array(w, f->certs, &f->n_certs, sizeof(*f->certs), TRUST_CHAIN_MAX);
	for (size_t i = 0; i < f->n_certs && !w->failed; i++)
		wire_certificate(w, &f->certs[i]);
	wire_bool(w, &f->has_san);
	wire_names(w, f);
	f->paths = wire_array(w, f->paths, &f->n_paths, sizeof(*f->paths), PATHS_MAX);
	for (size_t i = 0; i < f->n_paths && !w->failed; i++)
		wire_path(w, &f->paths[i], f->n_certs);
}

static void wire_traffic_keys(struct wire *w, struct traffic_keys *k)
{
	wire_bytes(w, k->key, sizeof(k->key));
	wire_bytes(w, k->iv, sizeof(k->iv));
	wire_u64(w, &k->seq);
	wire_enum(w, k->secret.len, SECRET_MAX + 1);
	wire_bytes(w, k->secret.bytes, k->secret.len);
}

static void wire_result(struct wire *w, struct worker_result *m)
{
	wire_u64(w, &m->id);
	wire_enum(w, m->reason, _REASON_MAX);
	wire_u8(w, &m->alert_received);
	wire_text(w, m->detail, sizeof(m->detail));
	wire_facts(w, &m->facts);
	if (m->reason != REASON_OK || w->failed)
		return;
	wire_enum(w, m->version, _KTLS_VERSION_MAX);
	wire_enum(w, m->cipher, _KTLS_CIPHER_MAX);
	wire_text(w, m->group, sizeof(m->group));
	wire_text(w, m->sni, sizeof(m->sni));
	wire_u32(w, &m->identity);
	wire_bool(w, &m->kernel);
	if (!m->kernel || w->failed)
		return;
	wire_traffic_keys(w, &m->tx);
	wire_traffic_keys(w, &m->rx);
	wire_u32(w, &m->early_len);
	if (m->early_len > sizeof(m->early)) {
		wire_fail(w);
		m->early_len = 0;
	}
	wire_bytes(w, m->early, m->early_len);
}

static void wire_job(struct wire *w, struct worker_job *m)
{
	wire_u64(w, &m->id);
	wire_bool(w, &m->tls.dial);
	wire_bool(w, &m->tls.mutual);
	wire_bool(w, &m->tls.tls12);
	for (size_t i = 0; i < ARRAY_SIZE(m->tls.kernel_ciphers); i++)
		wire_enum(w, m->tls.kernel_ciphers[i], 1 << _KTLS_CIPHER_MAX);
	wire_bool(w, &m->tls.fallback);
	wire_u32(w, &m->tls.listener);
	wire_u32(w, &m->tls.identity);
	wire_u32(w, &m->tls.entry);
	wire_u32(w, &m->tls.member);
}

static void wire_hello(struct wire *w, struct worker_hello *m)
{
	wire_bool(w, &m->valid);
	if (m->valid)
		return;
	wire_text(w, m->error.file, sizeof(m->error.file));
	wire_u32(w, &m->error.line);
	wire_text(w, m->error.text, sizeof(m->error.text));
}

static void wire_pump_end(struct wire *w, struct worker_pump_end *m)
{
	wire_u64(w, &m->id);
	wire_enum(w, m->reason, _REASON_MAX);
	if (m->reason == REASON_OK)
		wire_fail(w);
	wire_u8(w, &m->alert_received);
	wire_text(w, m->detail, sizeof(m->detail));
}

static void wire_message(struct wire *w, struct worker_message *m)
{
	wire_enum(w, m->type, _WORKER_MSG_MAX);
	switch (m->type) {
	case WORKER_MSG_HELLO:
		wire_hello(w, &m->hello);
		return;
	case WORKER_MSG_JOB:
		wire_job(w, &m->job);
		return;
	case WORKER_MSG_CANCEL:
		wire_u64(w, &m->cancel_id);
		return;
	case WORKER_MSG_RESULT:
		wire_result(w, &m->result);
		return;
	case WORKER_MSG_PUMP_END:
		wire_pump_end(w, &m->pump_end);
		return;
	case WORKER_MSG_RETIRE:
		return;
	case _WORKER_MSG_MAX:
		break;
	}
	wire_fail(w); /* zero: no message has that type */
}

int worker_message_encode(struct worker_message *message, uint8_t *buf, size_t *ret_size)
{
	struct wire w;
	int r;

	wire_encode_begin(&w, buf, WORKER_MESSAGE_MAX);
	wire_message(&w, message);
	r = wire_end(&w, ret_size);
	if (r < 0)
		memory_wipe(buf, w.pos);
	return r;
}

int worker_message_decode(const uint8_t *buf, size_t size, struct worker_message *ret)
{
	struct wire w;
	int r;

	/* Straight into the caller's struct: a copy of a result would be a copy of its keys. */
	memset(ret, 0, sizeof(*ret));
	wire_decode_begin(&w, buf, size);
	wire_message(&w, ret);
	if (ret->type == WORKER_MSG_RESULT)
		ret->result.pump_fd = -1;
	r = wire_end(&w, NULL);
	if (r != 0)
		worker_message_done(ret);
	return r;
}

void worker_result_done(struct worker_result *result)
{
	trust_facts_done(&result->facts);
	fd_close(result->pump_fd);
	memory_wipe(result, sizeof(*result));
	result->pump_fd = -1;
}

void worker_message_done(struct worker_message *message)
{
	if (message->type == WORKER_MSG_RESULT)
		worker_result_done(&message->result);
	memory_wipe(message, sizeof(*message));
}
