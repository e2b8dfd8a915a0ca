/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store of one configuration: made whole or not at all. */

#include <tls/handshake.h>
#include <tls/store.h>

#define GNUTLS_VERSION_MIN "3.7.9"

int tls_global_init(void)
{
	/* GnuTLS would write every session's secrets to the file this variable names. */
	if (unsetenv("SSLKEYLOGFILE") < 0)
		return -errno;
	if (!gnutls_check_version(GNUTLS_VERSION_MIN))
		return -ENOTSUP;
	return gnutls_global_init() < 0 ? -EIO : 0;
}

static size_t priority_slot(struct tls_suites suites)
{
	return ((size_t)(suites.versions & TLS_VERSIONS_ALL) * (TLS_CIPHERS_ALL + 1) +
		(suites.ciphers & TLS_CIPHERS_ALL)) *
		       (TLS_CIPHERS_ALL + 1) +
	       (suites.preferred & TLS_CIPHERS_ALL);
}

int tls_store_priority(const struct tls_store *store, struct tls_suites suites,
		       gnutls_priority_t *ret)
{
	gnutls_priority_t priority = store->priorities[priority_slot(suites)];

	if (!priority)
		return TLS_PRIORITY_E_EMPTY;
	*ret = priority;
	return 0;
}

static int make_priority(struct tls_store *store, struct tls_suites suites)
{
	gnutls_priority_t *slot = &store->priorities[priority_slot(suites)];

	if (*slot)
		return 0;
	return tls_priority_new(suites, slot);
}

/*
 * Every set of suites that tls_suites_choose() can ask for, now: GnuTLS looks at the system's
 * configuration file each time it reads a priority string, which a worker in its sandbox cannot.
 * A set of which the crypto policy leaves nothing stays empty.
 */
static int make_priorities(struct tls_store *store)
{
	for (uint8_t versions = 1; versions <= TLS_VERSIONS_ALL; versions++) {
		for (uint8_t preferred = 0; preferred <= TLS_CIPHERS_ALL; preferred++) {
			struct tls_suites suites = { versions, preferred, preferred };
			int r;

			r = make_priority(store, suites);
			if (r < 0)
				return r;
			suites.ciphers = TLS_CIPHERS_ALL;
			r = make_priority(store, suites);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* A mistake of the machine, not of a file: the system-wide policy forbids what we need. */
static int check_crypto_policy(const struct tls_store *store, struct conf_error *reterr)
{
	struct tls_suites all = {
		.versions = TLS_VERSION_BIT(KTLS_TLS13),
		.ciphers = TLS_CIPHERS_ALL,
		.preferred = TLS_CIPHERS_ALL,
	};
	gnutls_priority_t priority;

	if (tls_store_priority(store, all, &priority) == 0)
		return 0;
	conf_error_set(
		reterr, store->conf->path, 0,
		"the crypto policy of this system (GnuTLS's system-wide configuration) leaves "
		"no TLS 1.3 cipher suite of AES-256-GCM, AES-128-GCM and CHACHA20-POLY1305");
	return CONF_E_INVALID;
}

static int load_identities(struct tls_store *store, struct tls_files files,
			   struct conf_error *reterr)
{
	const struct conf *conf = store->conf;
	int r;

	store->identities = calloc(conf->n_identities + 1, sizeof(*store->identities));
	if (!store->identities)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_identities; i++) {
		store->n_identities = i + 1;
		r = tls_identity_load(&store->identities[i], conf, &conf->identities[i], files,
				      reterr);
		if (r != 0)
			return r;
	}
	return 0;
}

static int store_fill(struct tls_store *store, struct tls_files files, struct conf_error *reterr)
{
	int r;

	r = make_priorities(store);
	if (r == 0)
		r = check_crypto_policy(store, reterr);
	if (r == 0)
		r = load_identities(store, files, reterr);
	if (r == 0)
		r = tls_anchors_load_all(&store->conf->trust, files, &store->anchors, reterr);
	if (r != 0)
		return r;
	store->n_anchors = store->conf->trust.n_anchors;
	if (gnutls_certificate_allocate_credentials(&store->credentials) < 0)
		return -ENOMEM;
	gnutls_certificate_set_retrieve_function3(store->credentials, tls_handshake_retrieve);
	return 0;
}

int tls_store_build(const struct conf *conf, struct tls_files files, struct tls_store **ret,
		    struct conf_error *reterr)
{
	struct tls_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->conf = conf;
	tls_chain_cache_init(&store->cache);
	r = store_fill(store, files, reterr);
	if (r == 0)
		*ret = store;
	else
		tls_store_free(store);
	return r;
}

struct tls_store *tls_store_free(struct tls_store *store)
{
	if (!store)
		return NULL;
	if (store->credentials)
		gnutls_certificate_free_credentials(store->credentials);
	for (size_t i = 0; i < store->n_identities; i++)
		tls_identity_done(&store->identities[i]);
	free(store->identities);
	tls_anchors_free_all(store->anchors, store->n_anchors);
	tls_chain_cache_clear(&store->cache);
	revocation_board_unref(store->board);
	for (size_t i = 0; i < TLS_PRIORITIES_SIZE; i++)
		if (store->priorities[i])
			gnutls_priority_deinit(store->priorities[i]);
	free(store);
	return NULL;
}

static bool read_snapshot(void *userdata, const char *path, const char **ret, size_t *ret_size)
{
	return conf_snapshot_file(userdata, path, ret, ret_size);
}

int tls_store_new(const struct conf *conf, const struct conf_snapshot *snapshot,
		  struct tls_store **ret, struct conf_error *reterr)
{
	struct tls_files files = {
		.read = read_snapshot,
		.userdata = (void *)(uintptr_t)snapshot,
	};

	return tls_store_build(conf, files, ret, reterr);
}

/* ---- certificates, for others ---- */

static int tell_anchor(const struct tls_store *store, uint32_t index, uint32_t place,
		       tls_certificate_fn fn, void *userdata)
{
	gnutls_x509_crt_t crt = store->anchors[index].crts[place];
	char buf[256];
	struct text ignored = TEXT_INIT(buf);
	struct trust_certificate certificate;
	struct trust_facts facts = { .certs = &certificate, .n_certs = 1 };
	struct tls_certificate_view view = {
		.anchor = true,
		.index = index,
		.place = place,
		.facts = &facts,
	};
	gnutls_datum_t der;
	int r;

	r = tls_certificate_read(crt, &certificate, &ignored);
	if (r != 0)
		return r < 0 ? r : -EBADMSG; /* it was read when the store was made */
	if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) < 0) {
		tls_certificate_done(&certificate);
		return -ENOMEM;
	}
	view.der = der.data;
	view.der_size = der.size;
	r = fn(userdata, &view);
	gnutls_free(der.data);
	tls_certificate_done(&certificate);
	return r;
}

static int tell_own(const struct tls_identity *identity, uint32_t index, uint32_t place,
		    tls_certificate_fn fn, void *userdata)
{
	struct trust_facts facts = { .certs = &identity->facts.certs[place], .n_certs = 1 };
	struct tls_certificate_view view = {
		.index = index,
		.place = place,
		.der = identity->certs[place].cert.data,
		.der_size = identity->certs[place].cert.size,
		.facts = &facts,
	};

	if (place == 0) {
		facts.names = identity->facts.names;
		facts.n_names = identity->facts.n_names;
		facts.has_san = identity->facts.has_san;
	}
	return fn(userdata, &view);
}

int tls_store_certificates(struct tls_store *store, tls_certificate_fn fn, void *userdata)
{
	int r = 0;

	for (uint32_t i = 0; i < store->n_anchors; i++) {
		for (uint32_t place = 0; r == 0 && place < store->anchors[i].n; place++)
			r = tell_anchor(store, i, place, fn, userdata);
	}
	for (uint32_t i = 0; i < store->n_identities; i++) {
		for (uint32_t place = 0; r == 0 && place < store->identities[i].n_certs; place++)
			r = tell_own(&store->identities[i], i, place, fn, userdata);
	}
	return r;
}
