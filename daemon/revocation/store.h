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

/* Issuers of one certificate, alike but for the spelling of their names. */
#define STORE_PARENTS_MAX 8

/* What lists may take on a board: leaves room for the rest of it, at its largest. */
#define STORE_SIZE_MAX (REVOCATION_BOARD_SIZE_MAX / 4 * 3)

/* Keys that answer for a signature: one key, under every spelling of its name. */
struct store_signers {
	size_t tried; /* keys of the store, from the first on */
	uint32_t keys[STORE_KEYS_PER_NAME_MAX];
	size_t n;
};

struct store_cert {
	struct revocation_issuer issuer;
	struct store_signers parents;
};

/* A name with a key. Their places in the store are stable until all are forgotten. */
struct store_key {
	struct store_cert *certs[STORE_CERTS_PER_KEY_MAX];
	size_t n_certs;
	bool crl_sign; /* one of the certificates allows it */
};

struct store_list {
	struct list node; /* of the source */
	struct revocation_crl crl;
	struct store_signers signers;
	bool refuted;	  /* there are keys of its name, none of them signed it */
	bool not_allowed; /* there is one that may not sign lists */
	bool kept;	  /* from what the source said earlier */
	bool superseded;  /* by a newer list of the same key and scope; while publishing */
};

struct store_source {
	struct list node; /* of the store */
	char *name;
	struct list lists;
};

struct revocation_store {
	struct list sources;
	size_t n_lists, size; /* size: of what the lists take on a board */
	struct store_key **keys;
	size_t n_keys, n_certs;
	uint64_t number; /* of the last board */
};

/* ---- lists ---- */

/*
 * As revocation_store_put(), for a source that a stranger may have spoken for, as any http: URL:
 * verified lists that came from it before stay until they are out of date or there is a newer one
 * of the same key and scope. A list of someone else cannot make them vanish.
 */
int revocation_store_add(struct revocation_store *store, const char *source, const void *data,
			 size_t size, struct text *why) _must_check_;

/* Of what came from @source last: the earliest nextUpdate, and its thisUpdate. */
bool revocation_store_due(const struct revocation_store *store, const char *source,
			  int64_t *ret_this_update, int64_t *ret_next_update);

size_t revocation_list_size(const struct store_list *list);

/* Signed by one key, and about the same certificates? */
bool revocation_list_rivals(const struct store_list *a, const struct store_list *b);

/* ---- keys ---- */

static inline const struct revocation_issuer *store_key_issuer(const struct store_key *key)
{
	return &key->certs[0]->issuer;
}

/* Try on @list the keys that have not been tried on it yet. */
void revocation_list_verify(const struct revocation_store *store, struct store_list *list);
void revocation_list_forget(struct store_list *list); /* what came of that */

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
