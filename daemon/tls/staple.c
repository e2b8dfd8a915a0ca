/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Revocation, as far as a handshake has to do with it: the board it is looked up on, what the board
 * learns from a peer's chain, the response that the peer staples, and the one we staple.
 *
 * GnuTLS carries staples both ways by itself and judges none: that it would do in the verification
 * that tls_handshake_verify() stands in for.
 */

#include <gnutls/ocsp.h>
#include <stdio.h>
#include <tls/handshake.h>

#define SINGLES_MAX 16 /* certificates that one response tells about */

/* ---- the board ---- */

void tls_store_board(struct tls_store *store, struct revocation_board *board)
{
	struct revocation_board *old = store->board;

	store->board = board ? revocation_board_ref(board) : NULL;
	store->n_learned = 0;
	revocation_board_unref(old);
}

static bool is_learned(const struct tls_store *store, const uint8_t *fingerprint)
{
	size_t n = store->n_learned < TLS_LEARNED_MAX ? store->n_learned : TLS_LEARNED_MAX;

	for (size_t i = 0; i < n; i++) {
		if (memcmp(store->learned[i], fingerprint, sizeof(store->learned[i])) == 0)
			return true;
	}
	return false;
}

/* The anchors are known to whoever made the board. */
static int learn_path(struct tls_handshake *hs, const struct trust_path *path)
{
	struct tls_store *store = hs->store;

	for (uint8_t i = 1; i < path->n_certs; i++) {
		const struct tls_der *der = &hs->ders[path->certs[i]];
		const uint8_t *fingerprint = hs->facts.certs[path->certs[i]].fingerprint;
		int r;

		if (is_learned(store, fingerprint))
			continue;
		r = revocation_board_learn(store->board, der->data, der->size);
		if (r < 0)
			return r;
		memcpy(store->learned[store->n_learned++ % TLS_LEARNED_MAX], fingerprint,
		       sizeof(store->learned[0]));
	}
	return 0;
}

/* ---- theirs ---- */

/* Whoever issued the leaf: every path that holds has the same name and key there. */
static int check_staple(struct tls_handshake *hs, const struct trust_path *path,
			const gnutls_datum_t *staple)
{
	struct text why = TEXT_INIT(hs->staple_why);
	const struct tls_der *leaf = &hs->ders[0];
	gnutls_datum_t anchor = {};
	struct tls_der issuer;
	gnutls_x509_crt_t crt;
	int r;

	if (path->n_certs > 1) {
		issuer = hs->ders[path->certs[1]];
	} else {
		crt = tls_path_anchor(&hs->store->anchors[path->anchors], path);
		if (!crt)
			return -ENOENT;
		if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &anchor) < 0)
			return -ENOMEM;
		issuer = (struct tls_der){ anchor.data, anchor.size };
	}
	r = revocation_staple_check(staple->data, staple->size, leaf->data, leaf->size, issuer.data,
				    issuer.size, &hs->facts.staple, &why);
	gnutls_free(anchor.data);
	return r < 0 ? r : 0;
}

static int read_staple(struct tls_handshake *hs, const struct trust_path *path)
{
	gnutls_datum_t staple = {};

	if (gnutls_ocsp_status_request_get2(hs->session, 0, &staple) < 0 || staple.size == 0)
		return 0;
	if (staple.size > TLS_STAPLE_MAX) {
		snprintf(hs->staple_why, sizeof(hs->staple_why), "%u bytes, expected at most %d",
			 staple.size, TLS_STAPLE_MAX);
		return 0;
	}
	return check_staple(hs, path, &staple);
}

int tls_handshake_look_up(struct tls_handshake *hs)
{
	struct trust_facts *facts = &hs->facts;
	bool first = true;
	int r = 0;

	hs->staple_why[0] = '\0';
	for (size_t i = 0; r == 0 && i < facts->n_paths; i++) {
		const struct trust_path *path = &facts->paths[i];

		if (path->outcome != TRUST_CHAIN_OK)
			continue;
		if (first)
			r = read_staple(hs, path);
		first = false;
		if (r == 0 && hs->store->board)
			r = learn_path(hs, path);
	}
	if (r == 0)
		revocation_facts_fill(hs->store->board, facts);
	return r;
}

/* ---- ours ---- */

/* Does the response tell of @leaf? Its last moment, as far as it says one. */
static bool response_covers(gnutls_ocsp_resp_const_t response, gnutls_x509_crt_t leaf,
			    time_t *ret_next_update)
{
	for (unsigned int i = 0; i < SINGLES_MAX; i++) {
		time_t next_update;
		int r;

		r = gnutls_ocsp_resp_check_crt(response, i, leaf);
		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return false;
		if (r < 0 || gnutls_ocsp_resp_get_single(response, i, NULL, NULL, NULL, NULL, NULL,
							 NULL, &next_update, NULL, NULL) < 0)
			continue;
		*ret_next_update = next_update;
		return true;
	}
	return false;
}

static int read_response(const gnutls_datum_t *der, gnutls_pcert_st *leaf, time_t *ret_next_update,
			 struct text *why)
{
	gnutls_ocsp_resp_t response;
	gnutls_x509_crt_t crt;
	int r = CONF_E_INVALID;

	if (gnutls_pcert_export_x509(leaf, &crt) < 0)
		return -ENOMEM;
	if (gnutls_ocsp_resp_init(&response) < 0) {
		gnutls_x509_crt_deinit(crt);
		return -ENOMEM;
	}
	if (gnutls_ocsp_resp_import(response, der) < 0)
		text_addf(why, "not readable as an OCSP response in DER");
	else if (gnutls_ocsp_resp_get_status(response) != GNUTLS_OCSP_RESP_SUCCESSFUL)
		text_addf(why, "an OCSP response that tells of an error, expected one that tells "
			       "of a certificate");
	else if (!response_covers(response, crt, ret_next_update))
		text_addf(why, "an OCSP response for another certificate, expected one for the "
			       "identity's");
	else
		r = 0;
	gnutls_ocsp_resp_deinit(response);
	gnutls_x509_crt_deinit(crt);
	return r;
}

int tls_identity_load_staple(struct tls_identity *identity, struct tls_files files,
			     const char *path, struct text *why)
{
	gnutls_ocsp_data_st *staple = &identity->staple;
	time_t next_update = (time_t)-1;
	gnutls_datum_t der;
	const char *bytes;
	size_t size;
	int r;

	if (!files.read(files.userdata, path, &bytes, &size)) {
		text_addf(why, "cannot be read");
		return CONF_E_INVALID;
	}
	if (size > TLS_STAPLE_MAX) {
		text_addf(why, "%zu bytes, expected at most %d", size, TLS_STAPLE_MAX);
		return CONF_E_INVALID;
	}
	der = tls_datum(bytes, size);
	r = read_response(&der, &identity->certs[0], &next_update, why);
	if (r != 0)
		return r;
	staple->response.data = gnutls_malloc(size);
	if (!staple->response.data)
		return -ENOMEM;
	memcpy(staple->response.data, bytes, size);
	staple->response.size = (unsigned int)size;
	/* One that is out of date GnuTLS leaves out: zero is for ever. */
	staple->exptime = next_update == (time_t)-1 ? 0 : next_update;
	return 0;
}
