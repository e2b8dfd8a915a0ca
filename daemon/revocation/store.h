/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * store - lists by source, keys by name. Every signature is tried once with every key of the list's
 * name; what came of it is kept with the list.
 */

#include <revocation/crl.h>
#include <revocation/issuer.h>
#include <siptls/revocation.h>

/*
 * Keys of one name, and certificates of one key, that are kept; who comes later is passed over.
 * Anchors come first. Whoever has a CA among the anchors can make certificates of any name, and
 * each key costs a verification of every list of its name.
 */
#define STORE_KEYS_PER_NAME_MAX 64
#define STORE_CERTS_PER_KEY_MAX 8

/* Keys of one name that one anchor's CA may have made, once the name has no place left. */
#define STORE_KEYS_PER_ANCHOR_MAX 8

/* Issuers of one certificate, alike but for the spelling of their names. */
#define STORE_PARENTS_MAX 8

/* What lists may take on a board: leaves room for the rest of it, at its largest. */
#define STORE_SIZE_MAX (REVOCATION_BOARD_SIZE_MAX / 4 * 3)

/* Lists of one URL that stay beside what it gives now, and those of them that nobody verified. */
#define STORE_KEPT_MAX	    64
#define STORE_KEPT_OPEN_MAX 16

/* Certificates beside lists, of all sources: what files hold leaves room for what else is met. */
#define STORE_GIVEN_MAX 256

/* Keys that answer for a signature: one key, under every spelling of its name. */
struct store_signers {
	size_t tried; /* keys of the store, from the first on */
	uint32_t keys[STORE_KEYS_PER_NAME_MAX];
	size_t n;
};

struct store_cert {
	struct revocation_issuer issuer;
	struct store_signers parents;
	bool given; /* only by sources: it goes when one of them says something else */
};

/* A name with a key. Their places in the store are stable until some are forgotten. */
struct store_key {
	struct store_cert *certs[STORE_CERTS_PER_KEY_MAX];
	size_t n_certs;
	bool crl_sign; /* one of the certificates allows it */
	bool excess;   /* it goes, for want of room */
};

struct store_list {
	struct list node; /* of the source */
	struct revocation_crl crl;
	struct store_signers signers;
	bool refuted;	     /* there are keys of its name, none of them signed it */
	bool not_allowed;    /* there is one that may not sign lists */
	bool kept;	     /* from what the source said earlier */
	uint64_t superseded; /* bit per signer that signed a newer one; while publishing */
};

/* A certificate that stands beside the lists. It is an issuer as any other, and proves itself. */
struct store_given {
	struct list node;
	size_t size;
	uint8_t der[];
};

struct store_contents {
	struct list lists;
	struct list given;
	size_t n_given;
};

struct store_source {
	struct list node; /* of the store */
	char *name;
	struct store_contents has;
	bool admitted; /* the certificates are among the keys */
};

struct revocation_store {
	struct list sources;
	size_t n_lists, size; /* size: of what the lists take on a board */
	size_t n_given;
	struct store_key **keys;
	size_t n_keys, n_certs;
	uint64_t number; /* of the last board */
};

/* ---- contents ---- */

void revocation_contents_init(struct store_contents *contents);
void revocation_contents_done(struct store_contents *contents);
void revocation_lists_free(struct list *head);

/*
 * Into *contents, which has been initialized and may hold a part when this fails. @certificates:
 * they are taken too, not passed over. 0, REVOCATION_E_MALFORMED with place and cause, or -errno.
 */
int revocation_contents_read(struct der in, bool certificates, struct store_contents *contents,
			     struct text *why) _must_check_;

/* ---- lists ---- */

/*
 * As revocation_store_put(), for a source that a stranger may have spoken for, as any http: URL:
 * a verified list that came from it before stays, also out of date, until each key that signed it
 * has signed one as new or newer of the same scope. One that nobody verified stays beside whatever
 * comes, for what bears its name may be anybody's. At most STORE_KEPT_MAX lists stay in this way,
 * STORE_KEPT_OPEN_MAX of them not verified: for want of room those past their nextUpdate go, then
 * those that came last. Certificates are passed over: who may sign is not for a stranger to say.
 */
int revocation_store_add(struct revocation_store *store, const char *source, const void *data,
			 size_t size, struct text *why) _must_check_;

/*
 * May what came from @source last take the place of what a restart finds? Not if a verified list is
 * kept beside it that is in date, and none without a verified list while anything is kept.
 */
bool revocation_store_says_all(const struct revocation_store *store, const char *source);

/* Of what came from @source last: the earliest nextUpdate, and its thisUpdate. */
bool revocation_store_due(const struct revocation_store *store, const char *source,
			  int64_t *ret_this_update, int64_t *ret_next_update);

size_t revocation_list_size(const struct store_list *list);

/*
 * The signers of @a that also signed @b, about the same certificates: bit per place in @a->signers.
 * What one key said is out of force only by what that key says later. Two keys may verify one
 * signature: whoever sees an RSA signature can make a second key for it, and has it certified.
 */
uint64_t revocation_list_rivals(const struct store_list *a, const struct store_list *b);

_Static_assert(STORE_KEYS_PER_NAME_MAX == 64, "a bit for each signer");

static inline uint64_t store_list_signers(const struct store_list *list)
{
	return list->signers.n == 0 ? 0 : UINT64_MAX >> (64 - list->signers.n);
}

/* By none of its signers it is in force any more. */
static inline bool store_list_is_past(const struct store_list *list)
{
	return list->signers.n > 0 && list->superseded == store_list_signers(list);
}

/* ---- keys ---- */

static inline const struct revocation_issuer *store_key_issuer(const struct store_key *key)
{
	return &key->certs[0]->issuer;
}

/* Try on @list the keys that have not been tried on it yet. */
void revocation_list_verify(const struct revocation_store *store, struct store_list *list);
void revocation_list_forget(struct store_list *list); /* what came of that */

/* The certificates of sources become keys, behind those that are there already. */
int revocation_store_admit_given(struct revocation_store *store) _must_check_;
void revocation_store_forget_given(struct revocation_store *store);

bool revocation_signers_have(const struct store_signers *signers, uint32_t key);

/*
 * Other issuers of the name of the key @signer for which its lists answer; see layout.h. What @fn
 * returns but 0 ends it and is returned.
 */
struct store_relation {
	uint32_t target;
	uint32_t via;			 /* STORE_UNCONDITIONAL: none */
	const struct store_cert *signer; /* whose revocation counts, or NULL */
	uint32_t signer_issuer;		 /* whose lists tell of that */
};

#define STORE_UNCONDITIONAL UINT32_MAX

typedef int (*store_relation_fn)(void *userdata, const struct store_relation *relation);
int revocation_store_relate(struct revocation_store *store, uint32_t signer, store_relation_fn fn,
			    void *userdata) _must_check_;
