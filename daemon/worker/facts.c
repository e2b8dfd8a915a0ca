/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Facts on the wire, and packed to be remembered. What is not known of a link takes one byte: most
 * paths of a peer that is refused lead to sets of anchors that say nothing about revocation.
 */

#include "worker/message.h"

/* Bytes of a distinguished name or a serial number as text. */
#define TEXT_MAX 4096
/* Of one chain, over all anchor sets. */
#define PATHS_MAX 4096

#define USAGE_ALL                                                                                  \
	(TRUST_EKU_PRESENT | TRUST_EKU_SERVER | TRUST_EKU_CLIENT | TRUST_EKU_SIP | TRUST_EKU_ANY)

_Static_assert((int)WORKER_E_MALFORMED == (int)WIRE_E_MALFORMED, "one outcome for both");

/* What revocation is looked up by. */
static void wire_lookup(struct wire *w, struct trust_certificate *c)
{
	wire_bytes(w, c->id, sizeof(c->id));
	wire_bytes(w, c->serial_id, sizeof(c->serial_id));
	wire_enum(w, c->n_scopes, TRUST_SCOPES_MAX + 1);
	for (size_t i = 0; i < c->n_scopes; i++)
		wire_bytes(w, c->scopes[i], sizeof(c->scopes[i]));
	wire_enum(w, c->n_crl_urls, TRUST_URLS_MAX + 1);
	for (size_t i = 0; i < c->n_crl_urls; i++)
		wire_string(w, &c->crl_urls[i], TRUST_URL_MAX);
	wire_bool(w, &c->must_staple);
}

static void wire_certificate(struct wire *w, struct trust_certificate *c)
{
	wire_string(w, &c->subject, TEXT_MAX);
	wire_string(w, &c->issuer, TEXT_MAX);
	wire_string(w, &c->serial, TEXT_MAX);
	wire_bytes(w, c->fingerprint, sizeof(c->fingerprint));
	wire_lookup(w, c);
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

static void wire_link(struct wire *w, struct trust_link *l)
{
	wire_enum(w, l->status, _TRUST_STATUS_MAX);
	if (l->status == TRUST_STATUS_UNKNOWN || w->failed)
		return;
	wire_bool(w, &l->ocsp);
	wire_i64(w, &l->this_update);
	wire_i64(w, &l->next_update);
	if (l->status != TRUST_STATUS_REVOKED)
		return;
	wire_i64(w, &l->revoked_at);
	wire_u8(w, &l->revoked_why);
}

static void wire_path(struct wire *w, struct trust_path *p, size_t n_certs)
{
	bool anchored = p->anchor_subject;

	wire_u32(w, &p->anchors);
	wire_enum(w, p->outcome, _TRUST_CHAIN_MAX);
	wire_enum(w, p->n_certs, TRUST_CHAIN_MAX + 1);
	for (size_t i = 0; i < p->n_certs; i++)
		wire_enum(w, p->certs[i], (uint32_t)n_certs);
	for (size_t i = 0; i < p->n_certs; i++)
		wire_link(w, &p->links[i]);
	wire_bool(w, &anchored);
	if (!anchored || w->failed)
		return;
	wire_string(w, &p->anchor_subject, TEXT_MAX);
	wire_bytes(w, p->anchor_fingerprint, sizeof(p->anchor_fingerprint));
	wire_bytes(w, p->anchor_id, sizeof(p->anchor_id));
	wire_i64(w, &p->anchor_not_before);
	wire_i64(w, &p->anchor_not_after);
}

void worker_wire_facts(struct wire *w, struct trust_facts *f)
{
	f->certs = wire_array(w, f->certs, &f->n_certs, sizeof(*f->certs), TRUST_CHAIN_MAX);
	for (size_t i = 0; i < f->n_certs && !w->failed; i++)
		wire_certificate(w, &f->certs[i]);
	wire_bool(w, &f->has_san);
	wire_names(w, f);
	f->paths = wire_array(w, f->paths, &f->n_paths, sizeof(*f->paths), PATHS_MAX);
	for (size_t i = 0; i < f->n_paths && !w->failed; i++)
		wire_path(w, &f->paths[i], f->n_certs);
	wire_link(w, &f->staple);
}

/*
 * The leaf, and what the paths that hold consist of: a peer may show any number of certificates
 * that nothing rests on, and they are not worth remembering.
 */
static void keep_certificates(struct trust_facts *kept, struct trust_certificate *certs)
{
	uint8_t place[TRUST_CHAIN_MAX];
	bool used[TRUST_CHAIN_MAX] = { true };
	size_t n = 0;

	for (size_t i = 0; i < kept->n_paths; i++) {
		for (size_t k = 0; k < kept->paths[i].n_certs; k++)
			used[kept->paths[i].certs[k]] = true;
	}
	for (size_t i = 0; i < kept->n_certs; i++) {
		place[i] = (uint8_t)n;
		if (used[i])
			certs[n++] = kept->certs[i];
	}
	for (size_t i = 0; i < kept->n_paths; i++) {
		for (size_t k = 0; k < kept->paths[i].n_certs; k++)
			kept->paths[i].certs[k] = place[kept->paths[i].certs[k]];
	}
	kept->certs = certs;
	kept->n_certs = n;
}

int worker_facts_pack(const struct trust_facts *facts, uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ struct trust_path *paths = calloc(facts->n_paths + 1, sizeof(*paths));
	_cleanup_free_ uint8_t *buf = malloc(WORKER_MESSAGE_MAX);
	struct trust_certificate certs[TRUST_CHAIN_MAX];
	struct trust_facts kept = *facts;
	struct wire w;
	uint8_t *exact;
	size_t size;
	int r;

	if (!paths || !buf)
		return -ENOMEM;
	kept.paths = paths;
	kept.n_paths = 0;
	for (size_t i = 0; i < facts->n_paths; i++) {
		if (facts->paths[i].outcome == TRUST_CHAIN_OK)
			paths[kept.n_paths++] = facts->paths[i];
	}
	keep_certificates(&kept, certs);
	wire_encode_begin(&w, buf, WORKER_MESSAGE_MAX);
	worker_wire_facts(&w, &kept);
	r = wire_end(&w, &size);
	if (r < 0)
		return r;
	exact = malloc(size); /* it is kept for as long as the peer lives */
	if (!exact)
		return -ENOMEM;
	memcpy(exact, buf, size);
	*ret = exact;
	*ret_size = size;
	return 0;
}

int worker_facts_unpack(const uint8_t *data, size_t size, struct trust_facts *ret)
{
	struct trust_facts facts = {};
	struct wire w;
	int r;

	wire_decode_begin(&w, data, size);
	worker_wire_facts(&w, &facts);
	r = wire_end(&w, NULL);
	if (r == 0)
		*ret = facts;
	else
		trust_facts_done(&facts);
	return r;
}
