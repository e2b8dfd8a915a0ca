/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* crl - one list as read: what it says, what it covers, and what it takes to verify it. */

#include <revocation/layout.h>
#include <revocation/name.h>
#include <revocation/proof.h>

#define CRL_NUMBER_MAX 32 /* bytes; RFC 5280 5.2.3 allows 20 */

#define PARTLY_DELTA	  0x10000
#define PARTLY_REASONS(r) ((r)&0xffff) /* ReasonFlags */

/* Memory: owned, revocation_crl_done() frees. */
struct revocation_crl {
	uint8_t name_id[TRUST_DIGEST_SIZE];
	char *issuer; /* text */
	int64_t this_update, next_update;
	uint8_t number[CRL_NUMBER_MAX]; /* without leading zeros; all of it zero: none */
	size_t number_size;
	bool has_number;
	uint32_t flags;	 /* BOARD_* */
	uint32_t partly; /* with BOARD_PARTIAL: of what, PARTLY_* */
	uint32_t n_points;
	uint8_t points[BOARD_POINTS_MAX][TRUST_DIGEST_SIZE]; /* sorted */
	const char *detail;				     /* why it is unsupported, or NULL */
	struct board_entry *entries; /* sorted; none without BOARD_SUPPORTED */
	size_t n_entries;
	size_t n_listed;
	struct revocation_proof proof;
};

/* 0, REVOCATION_E_MALFORMED with one line in @why, or -errno. */
int revocation_crl_read(struct der in, struct revocation_crl *ret, struct text *why) _must_check_;
void revocation_crl_done(struct revocation_crl *crl);

/* Do both cover the same certificates of their issuer? */
bool revocation_crl_same_scope(const struct revocation_crl *a, const struct revocation_crl *b);
/* By thisUpdate, then cRLNumber: <0, 0, >0. */
int revocation_crl_compare_age(const struct revocation_crl *a, const struct revocation_crl *b);
