/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The DER of a peer's certificate to facts, and the search for a path with that certificate in
 * every place. What is read must keep the limits that trust and the worker's messages rely on.
 */

#include <siptls/tls.h>
#include <tls/chain-cache.h>
#include <tls/verify.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_certificate(const struct trust_certificate *certificate)
{
	demand(certificate->subject && strlen(certificate->subject) <= TLS_DN_TEXT_MAX);
	demand(certificate->issuer && strlen(certificate->issuer) <= TLS_DN_TEXT_MAX);
	demand(certificate->serial && strlen(certificate->serial) >= 2);
	demand(strlen(certificate->serial) <= 2 * TLS_SERIAL_MAX + 1);
	demand(strspn(certificate->serial, "-0123456789ABCDEF") == strlen(certificate->serial));
	demand(certificate->version >= 1 && certificate->version <= 3);
	demand(certificate->key < _TRUST_KEY_MAX && certificate->hash < _TRUST_HASH_MAX);
	demand(certificate->usage == 0 || (certificate->usage & TRUST_EKU_PRESENT));
	demand(certificate->n_scopes <= TRUST_SCOPES_MAX);
	demand(certificate->n_crl_urls <= TRUST_URLS_MAX);
	for (size_t i = 0; i < TRUST_URLS_MAX; i++) {
		const char *url = certificate->crl_urls[i];

		demand(!url == (i >= certificate->n_crl_urls));
		demand(!url || (strlen(url) > 7 && strlen(url) <= TRUST_URL_MAX));
	}
}

static void check_names(const struct trust_facts *facts)
{
	size_t bytes = 0;

	demand(facts->n_names <= TRUST_NAMES_MAX);
	for (size_t i = 0; i < facts->n_names; i++) {
		demand(facts->names[i].type < _TRUST_NAME_TYPE_MAX && facts->names[i].value);
		demand(facts->names[i].value[facts->names[i].len] == '\0');
		bytes += facts->names[i].len;
	}
	demand(bytes <= TRUST_NAMES_SIZE);
}

/* A chain of this certificate alone, against an anchor that is the same certificate. */
static void check_path(const struct trust_facts *facts, struct tls_chain *chain)
{
	struct tls_anchors anchors = { .crts = chain->crts, .n = 1 };
	struct tls_paths paths;

	if (tls_path_find(&anchors, 0, facts, chain, &paths) < 0)
		return;
	demand(paths.n >= 1 && paths.n <= TLS_PATHS_MAX && paths.checks <= TLS_PATH_CHECKS_MAX);
	for (size_t i = 0; i < paths.n; i++) {
		const struct trust_path *path = &paths.list[i];

		demand(path->outcome < _TRUST_CHAIN_MAX && path->n_certs >= 1 &&
		       path->n_certs <= 2);
		demand(paths.n == 1 || path->outcome == TRUST_CHAIN_OK);
		demand(path->outcome != TRUST_CHAIN_OK || path->anchor_subject);
		demand(path->outcome != TRUST_CHAIN_OK || tls_path_anchor(&anchors, path));
	}
	tls_paths_done(&paths);
}

/* What the cache gives back is what it was given. */
static void check_cache(const struct trust_facts *facts)
{
	static const uint8_t key[TLS_CHAIN_KEY_SIZE];
	struct tls_chain_cache cache;
	struct trust_path path = { .outcome = TRUST_CHAIN_OK };
	struct trust_facts given = *facts, back;

	given.paths = &path;
	given.n_paths = 1;
	tls_chain_cache_init(&cache);
	tls_chain_cache_put(&cache, key, &given);
	demand(tls_chain_cache_get(&cache, key, &back) == 0);
	tls_chain_cache_clear(&cache);
	demand(back.n_certs == facts->n_certs && back.n_names == facts->n_names);
	check_certificate(&back.certs[0]);
	check_names(&back);
	trust_facts_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gnutls_datum_t ders[2] = { tls_datum(data, size), tls_datum(data, size) };
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	struct trust_facts facts;
	struct tls_chain chain;
	int r;

	r = tls_facts_read(ders, ARRAY_SIZE(ders), &facts, &chain, &why);
	if (r != 0) {
		demand(r < 0 || buf[0]);
		return 0;
	}
	demand(facts.n_certs == 2 && chain.n == 2);
	check_certificate(&facts.certs[0]);
	check_names(&facts);
	check_path(&facts, &chain);
	check_cache(&facts);
	trust_facts_done(&facts);
	tls_chain_done(&chain);
	return 0;
}
