/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* board - a mapped board, and what this process has learnt beyond it. */

#include <revocation/layout.h>

#define BOARD_LEARNT_MAX REVOCATION_ISSUERS_MAX

/* Signatures that meeting one issuer costs a worker; what is left siptls-fetch verifies. */
#define BOARD_TRIES_MAX 16

struct board_learnt {
	uint8_t target[TRUST_ID_SIZE];
	uint32_t crl;
};

struct revocation_board {
	unsigned int n_refs;
	int fd;
	size_t size;
	const struct board_header *header; /* the mapping; the rest points into it */
	const struct board_crl *crls;
	const struct board_answer *answers;
	const struct board_signer *signers;
	const struct board_entry *entries;
	const char *bytes;
	/* issuers met here, and the lists that they verify */
	uint8_t (*met)[TRUST_ID_SIZE];
	size_t n_met;
	struct board_learnt *learnt;
	size_t n_learnt;
};
