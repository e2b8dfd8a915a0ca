/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a board looks like in its memory file, in the byte order of the machine: it goes from
 * siptls-fetch to the daemon and its workers, all of one build.
 *
 *	header
 *	crls
 *	answers, sorted by target: which list tells about certificates of which issuer
 *	signers: certificates of keys that sign an issuer's lists in its place
 *	entries: of every list those of its own, sorted by digest
 *	bytes: texts, terminated, and what it takes to verify a list
 *
 * A list that was verified by an issuer's own key answers for that issuer, unconditionally: its id
 * is a digest of name and key. A list that was verified by another key of the same name answers
 * only
 *   - if the issuer itself certified that key by that name: whoever holds the issuer's key said so;
 *   - on a path on which the issuer's certificate was issued by @via, if that key is @via itself
 *     or @via certified it by that name too.
 * Everybody can put anybody's name and public key into a certificate. So it never suffices that
 * two certificates, or a certificate somewhere else, say that two keys belong together.
 */

#include <fcntl.h>
#include <siptls/revocation.h>

#define BOARD_MAGIC	 "siptlsdR"
#define BOARD_VERSION	 1
#define BOARD_SEALS	 (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define BOARD_POINTS_MAX 16 /* names of a list's distribution point */

/* Lists of one name and source that a worker may try to verify. */
#define BOARD_OPEN_MAX 16

/* How many answers and signers lead to a list: bounded by how many keys of one name are kept. */
#define BOARD_ANSWERS_MAX (256 * 1024)
#define BOARD_SIGNERS_MAX (64 * 1024)

struct board_header {
	char magic[8];
	uint32_t version;
	uint32_t n_crls;
	uint32_t n_answers;
	uint32_t n_signers;
	uint64_t n_entries;
	uint64_t n_bytes;
	uint64_t number;
};

/* Somewhere in the bytes. */
struct board_span {
	uint32_t offset, size;
};

enum {
	BOARD_SUPPORTED = 1, /* what it says can be evaluated */
	BOARD_USERS_ONLY = 2,
	BOARD_CAS_ONLY = 4,
	BOARD_NOBODY = 8, /* its scope holds no certificate of this kind: attribute certificates */
	BOARD_PARTIAL = 16, /* what it lists is revoked; what it does not may be, too */
	BOARD_FLAGS = 31,
};

struct board_crl {
	uint8_t name_id[TRUST_DIGEST_SIZE];
	int64_t this_update, next_update;
	uint64_t first, n; /* entries */
	uint64_t n_listed; /* for people: also when they are not here */
	uint32_t state;	   /* enum revocation_crl_state */
	uint32_t flags;
	uint32_t algorithm; /* of the signature, if someone may still verify it */
	uint32_t n_points;  /* 0: the list is not limited to a distribution point */
	uint8_t points[BOARD_POINTS_MAX][TRUST_DIGEST_SIZE];
	struct board_span source, issuer, number, detail; /* texts; sizes without terminator */
	struct board_span message, signature;
};

#define BOARD_NO_SIGNER UINT32_MAX

struct board_answer {
	uint8_t target[TRUST_ID_SIZE];
	uint8_t via[TRUST_ID_SIZE]; /* zero: unconditional */
	uint32_t crl;
	uint32_t signer; /* whose own revocation counts */
};

struct board_signer {
	uint8_t issuer[TRUST_ID_SIZE]; /* who tells of its revocation */
	uint8_t serial_id[TRUST_DIGEST_SIZE];
	int64_t not_after;
	uint32_t is_ca;
	uint32_t n_scopes;
	uint8_t scopes[TRUST_SCOPES_MAX][TRUST_DIGEST_SIZE];
};

struct board_entry {
	uint8_t serial_id[TRUST_DIGEST_SIZE];
	uint64_t when_why; /* seconds since 1970, and CRLReason in the lowest byte */
};

_Static_assert(sizeof(struct board_header) == 48, "layout");
_Static_assert(sizeof(struct board_crl) == 376, "layout");
_Static_assert(sizeof(struct board_answer) == 72, "layout");
_Static_assert(sizeof(struct board_signer) == 192, "layout");
_Static_assert(sizeof(struct board_entry) == 24, "layout");

int revocation_entry_compare(const void *a, const void *b);  /* struct board_entry, by serial */
int revocation_answer_compare(const void *a, const void *b); /* struct board_answer, by target */
