/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The messages between daemon and worker. Each struct has one function that both encodes and
 * decodes it; every range and every limit is checked in both directions, so what the decoder
 * refuses no encoder makes.
 */

#include "worker/message.h"

static void wire_traffic_keys(struct wire *w, struct traffic_keys *k)
{
	wire_bytes(w, k->key, sizeof(k->key));
	wire_bytes(w, k->iv, sizeof(k->iv));
	wire_u64(w, &k->seq);
	wire_enum(w, k->secret.len, SECRET_MAX + 1);
	wire_bytes(w, k->secret.bytes, k->secret.len);
}

/* Only what somebody else might need to verify the CRLs of a chain that leads to an anchor. */
static bool tells_issuers(enum reason reason)
{
	return reason == REASON_OK || reason == REASON_REVOKED ||
	       reason == REASON_REVOCATION_UNKNOWN || reason == REASON_REVOCATION_STALE ||
	       reason == REASON_REVOCATION_UNSUPPORTED;
}

/* DER of some certificate; no certificate is empty. */
static void wire_der(struct wire *w, char **der, uint32_t *len)
{
	wire_blob(w, der, len, WORKER_DER_MAX);
	if (*len == 0)
		wire_fail(w);
}

static void wire_issuers(struct wire *w, struct worker_result *m)
{
	m->issuers = wire_array(w, m->issuers, &m->n_issuers, sizeof(*m->issuers), TRUST_CHAIN_MAX);
	for (size_t i = 0; i < m->n_issuers && !w->failed; i++)
		wire_der(w, &m->issuers[i].der, &m->issuers[i].len);
}

static void wire_result(struct wire *w, struct worker_result *m)
{
	wire_u64(w, &m->id);
	wire_enum(w, m->reason, _REASON_MAX);
	wire_u8(w, &m->alert_received);
	wire_text(w, m->detail, sizeof(m->detail));
	worker_wire_facts(w, &m->facts);
	if (tells_issuers(m->reason))
		wire_issuers(w, m);
	if (m->reason != REASON_OK || w->failed)
		return;
	wire_enum(w, m->version, _KTLS_VERSION_MAX);
	wire_enum(w, m->cipher, _KTLS_CIPHER_MAX);
	wire_text(w, m->group, sizeof(m->group));
	wire_text(w, m->sni, sizeof(m->sni));
	wire_u32(w, &m->identity);
	wire_bool(w, &m->cached);
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

/* Facts of one certificate, and names only of the leaf that we show ourselves. */
static bool facts_are_of(const struct worker_certificate *m)
{
	const struct trust_facts *f = &m->facts;
	bool leaf = !m->anchor && m->place == 0;

	return f->n_certs == 1 && f->n_paths == 0 && f->staple.status == TRUST_STATUS_UNKNOWN &&
	       (leaf || (f->n_names == 0 && !f->has_san));
}

static void wire_certificate(struct wire *w, struct worker_certificate *m)
{
	wire_bool(w, &m->anchor);
	wire_u32(w, &m->index);
	wire_u32(w, &m->place);
	wire_der(w, &m->der, &m->der_len);
	worker_wire_facts(w, &m->facts);
	if (!facts_are_of(m))
		wire_fail(w);
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
	case WORKER_MSG_CERTIFICATE:
		wire_certificate(w, &m->certificate);
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
	case WORKER_MSG_BOARD:
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
	for (size_t i = 0; result->issuers && i < result->n_issuers; i++)
		free(result->issuers[i].der);
	free(result->issuers);
	fd_close(result->pump_fd);
	memory_wipe(result, sizeof(*result));
	result->pump_fd = -1;
}

void worker_certificate_done(struct worker_certificate *certificate)
{
	free(certificate->der);
	trust_facts_done(&certificate->facts);
	*certificate = (struct worker_certificate){};
}

void worker_message_done(struct worker_message *message)
{
	if (message->type == WORKER_MSG_CERTIFICATE)
		worker_certificate_done(&message->certificate);
	if (message->type == WORKER_MSG_RESULT)
		worker_result_done(&message->result);
	memory_wipe(message, sizeof(*message));
}
