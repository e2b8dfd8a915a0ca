/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Issuers that are first met in a handshake: their lists are on the board, nobody verified them. */

#include <revocation/board.h>
#include <revocation/issuer.h>

#define GROW_STEP 16

static bool is_met(const struct revocation_board *board, const uint8_t *id)
{
	for (size_t i = 0; i < board->n_met; i++) {
		if (memcmp(board->met[i], id, TRUST_ID_SIZE) == 0)
			return true;
	}
	return false;
}

static int remember(struct revocation_board *board, const uint8_t *id)
{
	if (board->n_met % GROW_STEP == 0) {
		void *met = realloc(board->met, (board->n_met + GROW_STEP) * sizeof(*board->met));

		if (!met)
			return -ENOMEM;
		board->met = met;
	}
	memcpy(board->met[board->n_met++], id, TRUST_ID_SIZE);
	return 0;
}

static int add_answer(struct revocation_board *board, const uint8_t *id, uint32_t crl)
{
	struct board_learnt *learnt;

	if (board->n_learnt == BOARD_LEARNT_MAX)
		return 0;
	if (board->n_learnt % GROW_STEP == 0) {
		learnt = realloc(board->learnt, (board->n_learnt + GROW_STEP) * sizeof(*learnt));
		if (!learnt)
			return -ENOMEM;
		board->learnt = learnt;
	}
	learnt = &board->learnt[board->n_learnt++];
	memcpy(learnt->target, id, TRUST_ID_SIZE);
	learnt->crl = crl;
	return 0;
}

static bool verifies(const struct revocation_board *board, const struct board_crl *crl,
		     const struct revocation_issuer *issuer)
{
	const struct revocation_proof proof = {
		.algorithm = crl->algorithm,
		.message = (uint8_t *)(uintptr_t)(board->bytes + crl->message.offset),
		.message_size = crl->message.size,
		.signature = (uint8_t *)(uintptr_t)(board->bytes + crl->signature.offset),
		.signature_size = crl->signature.size,
	};

	return revocation_proof_holds(&proof, issuer->key);
}

static int learn(struct revocation_board *board, const struct revocation_issuer *issuer)
{
	size_t n_tries = 0;
	int r;

	if (!issuer->crl_sign)
		return 0;
	for (uint32_t i = 0; i < board->header->n_crls && n_tries < BOARD_TRIES_MAX; i++) {
		const struct board_crl *crl = &board->crls[i];

		if (crl->algorithm == PROOF_NONE ||
		    memcmp(crl->name_id, issuer->subject_id, sizeof(crl->name_id)) != 0)
			continue;
		n_tries++;
		if (!verifies(board, crl, issuer))
			continue;
		r = add_answer(board, issuer->id, i);
		if (r)
			return r;
	}
	return remember(board, issuer->id);
}

int revocation_board_learn(struct revocation_board *board, const void *der, size_t size)
{
	const struct der certificate = { der, size };
	struct revocation_issuer issuer;
	uint8_t id[TRUST_ID_SIZE];
	int r;

	if (!board || board->header->n_crls == 0)
		return 0;
	/* Most are known already: do not read the key of those. */
	r = revocation_issuer_id(certificate, id);
	if (r == 0 && (is_met(board, id) || board->n_met == BOARD_LEARNT_MAX))
		return 0;
	if (r == 0)
		r = revocation_issuer_read(certificate, &issuer);
	if (r) /* what cannot be read signs no list that could be read */
		return r < 0 ? r : 0;
	r = learn(board, &issuer);
	revocation_issuer_done(&issuer);
	return r;
}
