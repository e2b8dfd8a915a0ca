/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two certificates of a handshake: which of ours is shown, and what is made of the peer's. */

#include <tls/handshake.h>

/* ---- ours ---- */

/* The name as it may be shown and compared: lower case; "" for anything that is no host name. */
void tls_handshake_read_sni(struct tls_handshake *hs)
{
	char name[TLS_SNI_SIZE];
	size_t size = sizeof(name);
	unsigned int type;

	if (gnutls_server_name_get(hs->session, name, &size, &type, 0) < 0 ||
	    type != GNUTLS_NAME_DNS || size >= sizeof(name))
		return;
	for (size_t i = 0; i < size; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') &&
		    !strchr("-._", name[i]))
			return;
		if (name[i] == '\0')
			return;
	}
	name[size] = '\0';
	memcpy(hs->sni, name, size + 1);
}

/* Can the peer check a signature by this key? */
static bool can_sign(gnutls_session_t session, const struct tls_identity *identity)
{
	gnutls_pk_algorithm_t pk =
		(gnutls_pk_algorithm_t)gnutls_privkey_get_pk_algorithm(identity->key, NULL);
	gnutls_sign_algorithm_t sign;

	for (size_t i = 0; gnutls_sign_algorithm_get_requested(session, i, &sign) >= 0; i++) {
		if (gnutls_sign_supports_pk_algorithm(sign, pk))
			return true;
	}
	return false;
}

/*
 * A name that was asked for weighs more than a signature scheme; among equals the first of the
 * listener is the default.
 */
static uint32_t choose_identity(struct tls_handshake *hs)
{
	const struct conf_listener *listener = &hs->store->conf->listeners[hs->job.listener];
	uint32_t best = listener->identities[0];
	int best_score = -1;

	for (size_t i = 0; i < listener->n_identities; i++) {
		const struct tls_identity *identity =
			&hs->store->identities[listener->identities[i]];
		int score = (hs->sni[0] && tls_identity_serves(identity, hs->sni) ? 2 : 0) +
			    (can_sign(hs->session, identity) ? 1 : 0);

		if (score > best_score) {
			best_score = score;
			best = listener->identities[i];
		}
	}
	return best;
}

/*
 * Our certificate is shown whatever CAs the peer's request names: such lists are cut off or empty
 * in practice, and it is the peer's business to judge.
 */
int tls_handshake_retrieve(gnutls_session_t session,
			   _unused_ const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
			   unsigned int *n_certs, gnutls_ocsp_data_st **ocsp, unsigned int *n_ocsp,
			   gnutls_privkey_t *key, unsigned int *flags)
{
	struct tls_handshake *hs = gnutls_session_get_ptr(session);
	struct tls_identity *identity;

	hs->asked = true;
	if (hs->job.dial) {
		hs->identity = hs->job.identity;
	} else {
		tls_handshake_read_sni(hs);
		hs->identity = choose_identity(hs);
	}
	identity = &hs->store->identities[hs->identity];
	*certs = identity->certs;
	*n_certs = identity->n_certs;
	*ocsp = identity->staple.response.data ? &identity->staple : NULL;
	*n_ocsp = identity->staple.response.data ? 1 : 0;
	*key = identity->key;
	*flags = 0; /* the store keeps them */
	return 0;
}

/* ---- the peer's ---- */

static enum reason outcome_reason(int outcome)
{
	if (outcome == TLS_FACTS_E_TOO_LARGE)
		return REASON_CERTIFICATE_TOO_LARGE;
	if (outcome == TLS_FACTS_E_MALFORMED)
		return REASON_CERTIFICATE_MALFORMED;
	return outcome == -ENOMEM ? REASON_RESOURCES : REASON_INTERNAL;
}

static uint32_t dialled_entry(const struct tls_handshake *hs)
{
	return hs->job.dial ? hs->job.entry : TRUST_ENTRY_ANY;
}

static int verify_anew(struct tls_handshake *hs, const gnutls_datum_t *ders, size_t n)
{
	_cleanup_(tls_chain_done) struct tls_chain chain = {};
	struct text why = TEXT_INIT(hs->detail);
	int r;

	r = tls_facts_read(ders, n, &hs->facts, &chain, &why);
	if (r != 0)
		return r;
	hs->has_facts = true;
	return tls_facts_verify(&hs->store->conf->trust, hs->store->anchors, dialled_entry(hs),
				&chain, &hs->facts);
}

/* Facts with paths: 0, TLS_FACTS_E_* or -errno. */
static int facts_get(struct tls_handshake *hs, const gnutls_datum_t *ders, size_t n)
{
	uint8_t key[TLS_CHAIN_KEY_SIZE];
	int r;

	r = tls_chain_key(ders, n, dialled_entry(hs), key);
	if (r < 0)
		return r;
	r = tls_chain_cache_get(&hs->store->cache, key, &hs->facts);
	hs->cached = r == 0;
	if (r == TLS_CHAIN_CACHE_E_MISS) {
		r = verify_anew(hs, ders, n);
		if (r == 0)
			tls_chain_cache_put(&hs->store->cache, key, &hs->facts);
	}
	hs->has_facts = hs->has_facts || r == 0;
	for (size_t i = 0; hs->has_facts && i < n; i++)
		hs->ders[i] = (struct tls_der){ ders[i].data, ders[i].size };
	return r;
}

static enum reason read_facts(struct tls_handshake *hs)
{
	const gnutls_datum_t *ders;
	unsigned int n = 0;
	int r;

	ders = gnutls_certificate_get_peers(hs->session, &n);
	if (!ders || n == 0)
		return REASON_NO_CERTIFICATE;
	r = facts_get(hs, ders, n);
	if (r == 0)
		r = tls_handshake_look_up(hs);
	return r == 0 ? REASON_OK : outcome_reason(r);
}

/* A response that did not hold is as good as none: the operator has to know which it was. */
static bool hangs_on_staple(enum reason reason)
{
	return reason == REASON_STAPLE_MISSING || reason == REASON_REVOCATION_UNKNOWN;
}

static enum reason judge(struct tls_handshake *hs)
{
	const struct trust_policy *policy = &hs->store->conf->trust;
	struct trust_question question = {
		.dialled = hs->job.dial,
		.entry = dialled_entry(hs),
		.member = hs->job.member,
		.now = time_realtime_s(),
	};
	struct text detail = TEXT_INIT(hs->detail);
	struct trust_verdict verdict;

	if (!tls_version_from_gnutls(gnutls_protocol_get_version(hs->session), &question.version))
		return REASON_INTERNAL;
	trust_judge(policy, &hs->facts, &question, &verdict);
	hs->detail[0] = '\0';
	trust_verdict_text(policy, &hs->facts, &question, &verdict, &detail);
	if (hangs_on_staple(verdict.reason) && hs->staple_why[0])
		text_addf(&detail, "; the stapled OCSP response: %s", hs->staple_why);
	return verdict.reason;
}

/*
 * Inside the handshake, before our Finished when we dialled: a peer that is refused has learned
 * an alert and nothing else.
 */
int tls_handshake_verify(gnutls_session_t session)
{
	struct tls_handshake *hs = gnutls_session_get_ptr(session);
	enum reason reason;

	hs->judged = false;
	trust_facts_done(&hs->facts);
	hs->has_facts = false;
	reason = read_facts(hs);
	if (reason == REASON_OK)
		reason = judge(hs);
	hs->verdict = reason;
	hs->judged = reason == REASON_OK;
	return hs->judged ? 0 : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}
