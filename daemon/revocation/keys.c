/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may have signed: keys by name, and what they signed - lists, and one another's certificates.
 */

#include <revocation/store.h>

/* ---- signatures ---- */

bool revocation_signers_have(const struct store_signers *signers, uint32_t key)
{
	for (size_t i = 0; i < signers->n; i++) {
		if (signers->keys[i] == key)
			return true;
	}
	return false;
}

static bool is_named(const struct store_key *key, const uint8_t *name_id)
{
	return memcmp(store_key_issuer(key)->subject_id, name_id, TRUST_DIGEST_SIZE) == 0;
}

static void try_key(const struct revocation_store *store, uint32_t key,
		    const struct revocation_proof *proof, struct store_signers *signers, size_t max)
{
	if (signers->n < max &&
	    revocation_proof_holds(proof, store_key_issuer(store->keys[key])->key))
		signers->keys[signers->n++] = key;
}

void revocation_list_verify(const struct revocation_store *store, struct store_list *list)
{
	for (; list->signers.tried < store->n_keys; list->signers.tried++) {
		uint32_t i = (uint32_t)list->signers.tried;

		if (!is_named(store->keys[i], list->crl.name_id))
			continue;
		if (!store->keys[i]->crl_sign) {
			list->not_allowed = true;
			continue;
		}
		list->refuted = true;
		try_key(store, i, &list->crl.proof, &list->signers, STORE_KEYS_PER_NAME_MAX);
	}
	if (list->signers.n > 0)
		list->refuted = false;
}

void revocation_list_forget(struct store_list *list)
{
	list->signers.tried = list->signers.n = 0;
	list->refuted = list->not_allowed = false;
}

static void forget_signers(struct revocation_store *store)
{
	list_foreach (s, &store->sources) {
		list_foreach (node, &container_of(s, struct store_source, node)->has.lists)
			revocation_list_forget(container_of(node, struct store_list, node));
	}
}

static void find_parents(const struct revocation_store *store, struct store_cert *cert)
{
	for (; cert->parents.tried < store->n_keys; cert->parents.tried++) {
		uint32_t i = (uint32_t)cert->parents.tried;

		if (is_named(store->keys[i], cert->issuer.issuer_id))
			try_key(store, i, &cert->issuer.proof, &cert->parents, STORE_PARENTS_MAX);
	}
}

/* ---- relations ---- */

struct relating {
	struct revocation_store *store;
	uint32_t signer;
	store_relation_fn fn;
	void *userdata;
};

/* Every certificate of the signing key that @parent issued. */
static int relate_siblings(const struct relating *r, uint32_t target, uint32_t parent, uint32_t via)
{
	const struct store_key *key = r->store->keys[r->signer];

	for (size_t i = 0; i < key->n_certs; i++) {
		struct store_cert *cert = key->certs[i];
		int e;

		find_parents(r->store, cert);
		if (!cert->issuer.crl_sign || cert->issuer.unsupported ||
		    !revocation_signers_have(&cert->parents, parent))
			continue;
		e = r->fn(r->userdata, &(struct store_relation){ target, via, cert, parent });
		if (e)
			return e;
	}
	return 0;
}

static int relate_target(const struct relating *r, uint32_t target)
{
	const struct store_key *key = r->store->keys[target];
	int e;

	e = relate_siblings(r, target, target, STORE_UNCONDITIONAL);
	for (size_t i = 0; i < key->n_certs && e == 0; i++) {
		struct store_cert *cert = key->certs[i];

		find_parents(r->store, cert);
		for (size_t k = 0; k < cert->parents.n && e == 0; k++) {
			uint32_t parent = cert->parents.keys[k];

			if (parent == target)
				continue;
			if (parent == r->signer)
				e = r->fn(r->userdata,
					  &(struct store_relation){ target, parent, NULL, 0 });
			else
				e = relate_siblings(r, target, parent, parent);
		}
	}
	return e;
}

int revocation_store_relate(struct revocation_store *store, uint32_t signer, store_relation_fn fn,
			    void *userdata)
{
	const struct relating relating = { store, signer, fn, userdata };
	const uint8_t *name = store_key_issuer(store->keys[signer])->subject_id;

	for (uint32_t i = 0; i < store->n_keys; i++) {
		int r;

		if (i == signer || !is_named(store->keys[i], name))
			continue;
		r = relate_target(&relating, i);
		if (r)
			return r;
	}
	return 0;
}

/* ---- forgetting ---- */

static void forget_cert(struct revocation_store *store, struct store_cert *cert)
{
	revocation_issuer_done(&cert->issuer);
	free(cert);
	store->n_certs--;
}

/* Those that are left keep their order. */
static void forget_certs(struct revocation_store *store, struct store_key *key, bool all,
			 bool given)
{
	size_t n = 0;

	key->crl_sign = false;
	for (size_t i = 0; i < key->n_certs; i++) {
		struct store_cert *cert = key->certs[i];

		if (all || (given && cert->given)) {
			forget_cert(store, cert);
			continue;
		}
		cert->parents.tried = cert->parents.n = 0;
		key->crl_sign |= cert->issuer.crl_sign;
		key->certs[n++] = cert;
	}
	key->n_certs = n;
}

/* What was verified goes by the places of keys: it is verified anew. */
static void forget(struct revocation_store *store, bool all, bool given)
{
	size_t n = 0;

	for (size_t i = 0; i < store->n_keys; i++) {
		forget_certs(store, store->keys[i], all || store->keys[i]->excess, given);
		if (store->keys[i]->n_certs > 0)
			store->keys[n++] = store->keys[i];
		else
			free(store->keys[i]);
	}
	store->n_keys = n;
	forget_signers(store);
	if (!given)
		return;
	list_foreach (s, &store->sources)
		container_of(s, struct store_source, node)->admitted = false;
}

void revocation_store_forget_given(struct revocation_store *store)
{
	forget(store, false, true);
}

void revocation_store_clear_issuers(struct revocation_store *store)
{
	forget(store, true, true);
	free(store->keys);
	store->keys = NULL;
}

/* ---- crowds ---- */

/* The keys above @key that nobody is known to have certified: anchors, mostly. */
static void find_tops(const struct revocation_store *store, uint32_t key, bool *seen, bool *tops)
{
	const struct store_key *k = store->keys[key];
	bool any = false;

	seen[key] = true;
	for (size_t i = 0; i < k->n_certs; i++) {
		find_parents(store, k->certs[i]);
		for (size_t n = 0; n < k->certs[i]->parents.n; n++) {
			uint32_t parent = k->certs[i]->parents.keys[n];

			any |= parent != key;
			if (!seen[parent])
				find_tops(store, parent, seen, tops);
		}
	}
	tops[key] |= !any;
}

/* What is above a key: marks by place in the store. */
struct ancestry {
	bool *seen, *tops;
};

/* true: nothing is, and it is no anchor either. */
static bool find_ancestry(const struct revocation_store *store, uint32_t key,
			  struct ancestry *ancestry)
{
	memset(ancestry->seen, 0, store->n_keys * sizeof(bool));
	memset(ancestry->tops, 0, store->n_keys * sizeof(bool));
	find_tops(store, key, ancestry->seen, ancestry->tops);
	for (size_t i = 0; i < store->keys[key]->n_certs; i++) {
		if (store->keys[key]->certs[i]->parents.n > 0)
			return false;
	}
	return true;
}

/* @counts: how many there are below each anchor. What is below several stays for any of them. */
static bool has_place(const struct revocation_store *store, const struct ancestry *ancestry,
		      uint32_t *counts)
{
	bool has = false;

	for (size_t i = 0; i < store->n_keys; i++) {
		if (ancestry->tops[i])
			has |= counts[i]++ < STORE_KEYS_PER_ANCHOR_MAX;
	}
	return has;
}

/*
 * What stays of a name that fills its places: a few keys below every anchor, the first, and the
 * last few of which it is not known who certified them. Who has a CA among the anchors can make
 * keys of any name, but not below another's.
 */
static int thin_out(struct revocation_store *store, const uint8_t *name_id)
{
	_cleanup_free_ bool *marks = calloc(store->n_keys, 2 * sizeof(*marks));
	_cleanup_free_ uint32_t *counts = calloc(store->n_keys, sizeof(*counts));
	uint32_t n_loose = 0;
	bool any = false;

	if (!marks || !counts)
		return -ENOMEM;
	for (uint32_t i = (uint32_t)store->n_keys; i-- > 0;) {
		struct ancestry ancestry = { marks, marks + store->n_keys };

		if (is_named(store->keys[i], name_id) && find_ancestry(store, i, &ancestry))
			store->keys[i]->excess = n_loose++ >= STORE_KEYS_PER_ANCHOR_MAX;
	}
	for (uint32_t i = 0; i < store->n_keys; i++) {
		struct ancestry ancestry = { marks, marks + store->n_keys };

		if (!is_named(store->keys[i], name_id))
			continue;
		if (!find_ancestry(store, i, &ancestry))
			store->keys[i]->excess = !has_place(store, &ancestry, counts);
		any |= store->keys[i]->excess;
	}
	if (any)
		forget(store, false, false);
	return 0;
}

/* ---- adding ---- */

static struct store_key *find_key(const struct revocation_store *store,
				  const struct revocation_issuer *issuer, size_t *ret_of_name)
{
	*ret_of_name = 0;
	for (size_t i = 0; i < store->n_keys; i++) {
		if (memcmp(store_key_issuer(store->keys[i])->id, issuer->id, TRUST_ID_SIZE) == 0)
			return store->keys[i];
		*ret_of_name += is_named(store->keys[i], issuer->subject_id);
	}
	return NULL;
}

static struct store_cert *find_cert(const struct store_key *key,
				    const struct revocation_issuer *issuer)
{
	for (size_t i = 0; i < key->n_certs; i++) {
		const struct revocation_issuer *known = &key->certs[i]->issuer;

		if (memcmp(known->issuer_id, issuer->issuer_id, TRUST_DIGEST_SIZE) == 0 &&
		    memcmp(known->serial_id, issuer->serial_id, TRUST_DIGEST_SIZE) == 0 &&
		    known->proof.signature_size == issuer->proof.signature_size &&
		    (known->proof.signature_size == 0 ||
		     memcmp(known->proof.signature, issuer->proof.signature,
			    known->proof.signature_size) == 0))
			return key->certs[i];
	}
	return NULL;
}

static int add_key(struct revocation_store *store, struct store_key **ret)
{
	struct store_key **keys;

	keys = reallocarray(store->keys, store->n_keys + 1, sizeof(struct store_key *));
	if (!keys)
		return -ENOMEM;
	store->keys = keys;
	*ret = keys[store->n_keys] = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

/* Takes what is in @issuer. */
static int add_cert(struct revocation_store *store, struct store_key *key,
		    struct revocation_issuer *issuer, bool given)
{
	struct store_cert *cert = calloc(1, sizeof(*cert));
	bool may_now = issuer->crl_sign && !key->crl_sign && key->n_certs > 0;

	if (!cert)
		return -ENOMEM;
	cert->given = given;
	cert->issuer = *issuer;
	*issuer = (struct revocation_issuer){};
	key->certs[key->n_certs++] = cert;
	key->crl_sign |= cert->issuer.crl_sign;
	store->n_certs++;
	if (!may_now)
		return 0;
	forget_signers(store);
	return 0;
}

static int add_issuer(struct revocation_store *store, struct revocation_issuer *issuer, bool given)
{
	struct store_cert *known;
	struct store_key *key;
	size_t of_name;
	int r;

	key = find_key(store, issuer, &of_name);
	known = key ? find_cert(key, issuer) : NULL;
	if (known) {
		known->given &= given; /* it was met elsewhere, and stays */
		return 0;
	}
	if (store->n_certs == REVOCATION_ISSUERS_MAX)
		return 0;
	if (key)
		return key->n_certs == STORE_CERTS_PER_KEY_MAX
			       ? 0
			       : add_cert(store, key, issuer, given);
	if (of_name == STORE_KEYS_PER_NAME_MAX) {
		r = thin_out(store, issuer->subject_id);
		if (r)
			return r;
		find_key(store, issuer, &of_name);
		if (of_name == STORE_KEYS_PER_NAME_MAX)
			return 0;
	}
	r = add_key(store, &key);
	if (r)
		return r;
	r = add_cert(store, key, issuer, given);
	if (r)
		free(key); /* no key without a certificate */
	else
		store->n_keys++;
	return r;
}

static int read_issuer(struct revocation_store *store, struct der der, bool given)
{
	struct revocation_issuer issuer;
	int r;

	r = revocation_issuer_read(der, &issuer);
	if (r > 0) /* it will sign no list that could be read */
		return 0;
	if (r < 0)
		return r;
	r = add_issuer(store, &issuer, given);
	revocation_issuer_done(&issuer);
	return r;
}

int revocation_store_add_issuer(struct revocation_store *store, const void *der, size_t size)
{
	return read_issuer(store, (struct der){ der, size }, false);
}

int revocation_store_admit_given(struct revocation_store *store)
{
	list_foreach (s, &store->sources) {
		struct store_source *source = container_of(s, struct store_source, node);

		if (source->admitted)
			continue;
		list_foreach (node, &source->has.given) {
			struct store_given *given = container_of(node, struct store_given, node);
			int r = read_issuer(store, (struct der){ given->der, given->size }, true);

			if (r)
				return r;
		}
		source->admitted = true;
	}
	return 0;
}
