/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Chains that were verified before; see chain-cache.h. */

#include <gnutls/crypto.h>
#include <tls/chain-cache.h>

struct chain {
	struct list link;
	uint8_t key[TLS_CHAIN_KEY_SIZE];
	struct trust_facts facts;
};

/* ---- copies ---- */

static bool copy_string(char **ret, const char *from)
{
	*ret = from ? strdup(from) : NULL;
	return *ret || !from;
}

static bool copy_certificate(struct trust_certificate *ret, const struct trust_certificate *from)
{
	bool ok;

	*ret = *from;
	memset(ret->crl_urls, 0, sizeof(ret->crl_urls));
	ok = copy_string(&ret->subject, from->subject);
	ok = copy_string(&ret->issuer, from->issuer) && ok;
	ok = copy_string(&ret->serial, from->serial) && ok;
	for (size_t i = 0; i < from->n_crl_urls; i++)
		ok = copy_string(&ret->crl_urls[i], from->crl_urls[i]) && ok;
	return ok;
}

static bool copy_name(struct trust_name *ret, const struct trust_name *from)
{
	*ret = *from;
	ret->value = malloc((size_t)from->len + 1);
	if (!ret->value)
		return false;
	memcpy(ret->value, from->value, from->len);
	ret->value[from->len] = '\0';
	return true;
}

static bool copy_path(struct trust_path *ret, const struct trust_path *from)
{
	*ret = *from;
	return copy_string(&ret->anchor_subject, from->anchor_subject);
}

/* Elements are counted before they are copied: a copy that fails leaves what can be freed. */
static bool copy_lists(struct trust_facts *ret, const struct trust_facts *from)
{
	bool ok = true;

	ret->certs = calloc(from->n_certs + 1, sizeof(*ret->certs));
	ret->names = calloc(from->n_names + 1, sizeof(*ret->names));
	ret->paths = calloc(from->n_paths + 1, sizeof(*ret->paths));
	if (!ret->certs || !ret->names || !ret->paths)
		return false;
	while (ok && ret->n_certs < from->n_certs) {
		ok = copy_certificate(&ret->certs[ret->n_certs], &from->certs[ret->n_certs]);
		ret->n_certs++;
	}
	while (ok && ret->n_names < from->n_names) {
		ok = copy_name(&ret->names[ret->n_names], &from->names[ret->n_names]);
		ret->n_names++;
	}
	while (ok && ret->n_paths < from->n_paths) {
		ok = copy_path(&ret->paths[ret->n_paths], &from->paths[ret->n_paths]);
		ret->n_paths++;
	}
	return ok;
}

static int copy_facts(struct trust_facts *ret, const struct trust_facts *from)
{
	struct trust_facts copy = { .has_san = from->has_san };

	if (!copy_lists(&copy, from)) {
		trust_facts_done(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

/* ---- the cache ---- */

static struct chain *chain_free(struct chain *chain)
{
	list_remove(&chain->link);
	trust_facts_done(&chain->facts);
	free(chain);
	return NULL;
}

void tls_chain_cache_init(struct tls_chain_cache *cache)
{
	list_init(&cache->chains);
	cache->n = 0;
}

void tls_chain_cache_clear(struct tls_chain_cache *cache)
{
	while (!list_empty(&cache->chains))
		chain_free(container_of(cache->chains.next, struct chain, link));
	cache->n = 0;
}

static int hash_number(gnutls_hash_hd_t hash, uint32_t number)
{
	const uint8_t bytes[] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
				  (uint8_t)(number >> 8), (uint8_t)number };

	return gnutls_hash(hash, bytes, sizeof(bytes));
}

/* Each certificate with its length before it, so that no two chains are the same bytes. */
int tls_chain_key(const gnutls_datum_t *ders, size_t n, uint32_t entry,
		  uint8_t ret[static TLS_CHAIN_KEY_SIZE])
{
	gnutls_hash_hd_t hash;
	int r;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
		return -ENOMEM;
	r = hash_number(hash, entry);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = hash_number(hash, ders[i].size);
		if (r >= 0)
			r = gnutls_hash(hash, ders[i].data, ders[i].size);
	}
	gnutls_hash_deinit(hash, ret);
	return r < 0 ? -EIO : 0;
}

static struct chain *find(const struct tls_chain_cache *cache, const uint8_t *key)
{
	list_foreach (link, &cache->chains) {
		struct chain *chain = container_of(link, struct chain, link);

		if (memcmp(chain->key, key, sizeof(chain->key)) == 0)
			return chain;
	}
	return NULL;
}

int tls_chain_cache_get(struct tls_chain_cache *cache, const uint8_t key[static TLS_CHAIN_KEY_SIZE],
			struct trust_facts *ret)
{
	struct chain *chain = find(cache, key);

	if (!chain)
		return TLS_CHAIN_CACHE_E_MISS;
	list_remove(&chain->link);
	list_append(&cache->chains, &chain->link);
	return copy_facts(ret, &chain->facts);
}

static bool some_path_holds(const struct trust_facts *facts)
{
	for (size_t i = 0; i < facts->n_paths; i++) {
		if (facts->paths[i].outcome == TRUST_CHAIN_OK)
			return true;
	}
	return false;
}

void tls_chain_cache_put(struct tls_chain_cache *cache,
			 const uint8_t key[static TLS_CHAIN_KEY_SIZE],
			 const struct trust_facts *facts)
{
	struct chain *chain;

	if (!some_path_holds(facts))
		return;
	chain = calloc(1, sizeof(*chain));
	if (!chain)
		return;
	list_init(&chain->link);
	if (copy_facts(&chain->facts, facts) < 0) {
		free(chain);
		return;
	}
	memcpy(chain->key, key, sizeof(chain->key));
	if (cache->n == TLS_CHAIN_CACHE_MAX) {
		chain_free(container_of(cache->chains.next, struct chain, link));
		cache->n--;
	}
	list_append(&cache->chains, &chain->link);
	cache->n++;
}
