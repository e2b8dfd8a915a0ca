/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a board knows of a certificate. Only digests are compared, and nothing is allocated. */

#include <revocation/board.h>

/* What was found, the best of several lists. */
struct finding {
	struct trust_link link;
	uint32_t crl;
};

/* Which of two answers counts: what was revoked in either is revoked. */
static int rank(enum trust_status status)
{
	switch (status) {
	case TRUST_STATUS_REVOKED:
		return 3;
	case TRUST_STATUS_GOOD:
		return 2;
	case TRUST_STATUS_UNSUPPORTED:
		return 1;
	case TRUST_STATUS_UNKNOWN:
	case _TRUST_STATUS_MAX:
		break;
	}
	return 0;
}

static void merge(struct finding *best, const struct trust_link *link, uint32_t crl)
{
	int better = rank(link->status) - rank(best->link.status);

	if (better > 0 || (better == 0 && link->this_update > best->link.this_update))
		*best = (struct finding){ *link, crl };
}

static bool points_meet(const struct board_crl *crl, const struct trust_certificate *cert)
{
	for (uint32_t i = 0; i < crl->n_points; i++) {
		for (uint8_t k = 0; k < cert->n_scopes && k < TRUST_SCOPES_MAX; k++) {
			if (memcmp(crl->points[i], cert->scopes[k], TRUST_DIGEST_SIZE) == 0)
				return true;
		}
	}
	return crl->n_points == 0;
}

/* RFC 5280 6.3.3 (b) (2). */
static bool covers(const struct board_crl *crl, const struct trust_certificate *cert)
{
	return !(crl->flags & BOARD_NOBODY) && !((crl->flags & BOARD_USERS_ONLY) && cert->is_ca) &&
	       !((crl->flags & BOARD_CAS_ONLY) && !cert->is_ca) && points_meet(crl, cert);
}

static void read_list(const struct revocation_board *board, const struct board_crl *crl,
		      const struct trust_certificate *cert, struct trust_link *ret)
{
	const struct board_entry *entry;

	*ret = (struct trust_link){ .status = TRUST_STATUS_GOOD,
				    .this_update = crl->this_update,
				    .next_update = crl->next_update };
	if (!(crl->flags & BOARD_SUPPORTED)) {
		ret->status = TRUST_STATUS_UNSUPPORTED;
		return;
	}
	entry = bsearch(cert->serial_id, board->entries + crl->first, crl->n, sizeof(*entry),
			revocation_entry_compare);
	if (!entry) {
		if (crl->flags & BOARD_PARTIAL)
			ret->status = TRUST_STATUS_UNSUPPORTED;
		return;
	}
	ret->status = TRUST_STATUS_REVOKED;
	ret->revoked_at = (int64_t)(entry->when_why >> 8);
	ret->revoked_why = (uint8_t)entry->when_why;
}

static uint32_t first_answer(const struct revocation_board *board, const uint8_t *id)
{
	uint32_t low = 0, high = board->header->n_answers;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (memcmp(board->answers[middle].target, id, TRUST_ID_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Lists that the issuer's own key signed. */
static void look_direct(const struct revocation_board *board, const struct trust_certificate *cert,
			const uint8_t *issuer_id, struct finding *best)
{
	static const uint8_t unconditional[TRUST_ID_SIZE];
	struct trust_link link;

	for (uint32_t i = first_answer(board, issuer_id); i < board->header->n_answers; i++) {
		const struct board_answer *answer = &board->answers[i];

		if (memcmp(answer->target, issuer_id, TRUST_ID_SIZE) != 0)
			break;
		if (answer->signer != BOARD_NO_SIGNER ||
		    memcmp(answer->via, unconditional, TRUST_ID_SIZE) != 0 ||
		    !covers(&board->crls[answer->crl], cert))
			continue;
		read_list(board, &board->crls[answer->crl], cert, &link);
		merge(best, &link, answer->crl);
	}
	for (size_t i = 0; i < board->n_learnt; i++) {
		const struct board_learnt *learnt = &board->learnt[i];

		if (memcmp(learnt->target, issuer_id, TRUST_ID_SIZE) != 0 ||
		    !covers(&board->crls[learnt->crl], cert))
			continue;
		read_list(board, &board->crls[learnt->crl], cert, &link);
		merge(best, &link, learnt->crl);
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/*
 * A list signed by another key of the issuer's name is worth as much as what is known of that key's
 * certificate (RFC 5280 6.3.3 (f)): one that was revoked tells nothing, one of which nothing is
 * known does not tell that something is good, and none tells for longer than it is valid.
 */
static void weigh(const struct revocation_board *board, const struct board_signer *signer,
		  struct trust_link *link)
{
	struct finding standing = { .crl = UINT32_MAX };
	struct trust_certificate cert = { .is_ca = signer->is_ca,
					  .n_scopes = (uint8_t)signer->n_scopes };

	memcpy(cert.serial_id, signer->serial_id, sizeof(cert.serial_id));
	memcpy(cert.scopes, signer->scopes, sizeof(cert.scopes));
	look_direct(board, &cert, signer->issuer, &standing);
	switch (standing.link.status) {
	case TRUST_STATUS_GOOD:
		break;
	case TRUST_STATUS_UNKNOWN:
	case TRUST_STATUS_UNSUPPORTED:
		if (link->status == TRUST_STATUS_REVOKED)
			break;
		*link = (struct trust_link){};
		return;
	case TRUST_STATUS_REVOKED:
	case _TRUST_STATUS_MAX:
		*link = (struct trust_link){};
		return;
	}
	link->next_update = earlier(link->next_update, standing.link.next_update);
	link->next_update = earlier(link->next_update, signer->not_after);
}

/* Lists that other keys of the issuer's name signed; see layout.h. @via may be NULL. */
static void look_aside(const struct revocation_board *board, const struct trust_certificate *cert,
		       const uint8_t *issuer_id, const uint8_t *via, struct finding *best)
{
	static const uint8_t unconditional[TRUST_ID_SIZE];
	struct trust_link link;

	for (uint32_t i = first_answer(board, issuer_id); i < board->header->n_answers; i++) {
		const struct board_answer *answer = &board->answers[i];
		bool bound = memcmp(answer->via, unconditional, TRUST_ID_SIZE) != 0;

		if (memcmp(answer->target, issuer_id, TRUST_ID_SIZE) != 0)
			break;
		if ((!bound && answer->signer == BOARD_NO_SIGNER) ||
		    (bound && (!via || memcmp(answer->via, via, TRUST_ID_SIZE) != 0)) ||
		    !covers(&board->crls[answer->crl], cert))
			continue;
		read_list(board, &board->crls[answer->crl], cert, &link);
		if (answer->signer != BOARD_NO_SIGNER)
			weigh(board, &board->signers[answer->signer], &link);
		merge(best, &link, answer->crl);
	}
}

void revocation_board_lookup(const struct revocation_board *board,
			     const struct trust_certificate *cert,
			     const uint8_t issuer_id[static TRUST_ID_SIZE], struct trust_link *ret,
			     uint32_t *ret_crl)
{
	struct finding best = { .crl = UINT32_MAX };

	if (board) {
		look_direct(board, cert, issuer_id, &best);
		look_aside(board, cert, issuer_id, NULL, &best);
	}
	*ret = best.link;
	if (ret_crl)
		*ret_crl = best.crl;
}

/* ---- paths ---- */

/* The id of whoever issued the certificate at @place of the path; NULL: not on the path. */
static const uint8_t *issuer_of(const struct trust_facts *facts, const struct trust_path *path,
				size_t place)
{
	if (place + 1 < path->n_certs)
		return path->certs[place + 1] < facts->n_certs
			       ? facts->certs[path->certs[place + 1]].id
			       : NULL;
	return place + 1 == path->n_certs && path->anchor_subject ? path->anchor_id : NULL;
}

/*
 * A fresh response that says good cannot undo a revocation, which is for good, but for a
 * certificate that was only on hold.
 */
#define REASON_CERTIFICATE_HOLD 6

static bool staple_wins(const struct trust_link *staple, const struct trust_link *list)
{
	switch (staple->status) {
	case TRUST_STATUS_REVOKED:
		return true;
	case TRUST_STATUS_GOOD:
		break;
	case TRUST_STATUS_UNKNOWN:
	case TRUST_STATUS_UNSUPPORTED:
	case _TRUST_STATUS_MAX:
		return false;
	}
	switch (list->status) {
	case TRUST_STATUS_REVOKED:
		return list->revoked_why == REASON_CERTIFICATE_HOLD &&
		       staple->this_update > list->this_update;
	case TRUST_STATUS_GOOD:
		return staple->this_update >= list->this_update;
	case TRUST_STATUS_UNKNOWN:
	case TRUST_STATUS_UNSUPPORTED:
	case _TRUST_STATUS_MAX:
		break;
	}
	return true;
}

static void fill_path(const struct revocation_board *board, const struct trust_facts *facts,
		      struct trust_path *path)
{
	for (size_t i = 0; i < path->n_certs && i < TRUST_CHAIN_MAX; i++) {
		const uint8_t *issuer = issuer_of(facts, path, i);
		struct finding best = { .crl = UINT32_MAX };

		if (board && issuer && path->certs[i] < facts->n_certs) {
			const struct trust_certificate *cert = &facts->certs[path->certs[i]];

			look_direct(board, cert, issuer, &best);
			look_aside(board, cert, issuer, issuer_of(facts, path, i + 1), &best);
		}
		path->links[i] = best.link;
	}
	if (path->n_certs > 0 && staple_wins(&facts->staple, &path->links[0]))
		path->links[0] = facts->staple;
}

void revocation_facts_fill(const struct revocation_board *board, struct trust_facts *facts)
{
	for (size_t i = 0; i < facts->n_paths; i++)
		fill_path(board, facts, &facts->paths[i]);
}
