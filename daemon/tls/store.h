/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * store - identities and anchor sets in GnuTLS's terms, read once, then shared read-only by the
 * handshakes.
 */

#include <gnutls/abstract.h>
#include <siptls/tls.h>
#include <tls/chain-cache.h>
#include <tls/facts.h>
#include <tls/priority.h>
#include <tls/verify.h>

/* Where the bytes of a named file come from: a snapshot, or the file system. */
struct tls_files {
	/* The bytes stay valid until the next call. */
	bool (*read)(void *userdata, const char *path, const char **ret, size_t *ret_size);
	void *userdata;
};

struct tls_identity {
	gnutls_pcert_st certs[TRUST_CHAIN_MAX];
	unsigned int n_certs;
	gnutls_privkey_t key;
	gnutls_ocsp_data_st staple; /* of the leaf; without bytes: none */
	struct trust_facts facts;   /* of our own chain: the names for SNI */
};

#define TLS_STAPLE_MAX	(64 * 1024) /* bytes of a stapled response, theirs or ours */
#define TLS_LEARNED_MAX 256	    /* issuers that a board is known to have seen */

/* One slot for each struct tls_suites; those that no job can ask for are empty. */
#define TLS_PRIORITIES_SIZE ((TLS_VERSIONS_ALL + 1) * (TLS_CIPHERS_ALL + 1) * (TLS_CIPHERS_ALL + 1))

struct tls_store {
	const struct conf *conf;
	gnutls_certificate_credentials_t credentials;
	struct tls_identity *identities;
	size_t n_identities;
	struct tls_anchors *anchors; /* as many as the policy's anchor sets */
	size_t n_anchors;
	struct tls_chain_cache cache;
	struct revocation_board *board;	      /* NULL: nothing is known */
	uint8_t learned[TLS_LEARNED_MAX][32]; /* fingerprints: one key has many certificates */
	size_t n_learned; /* ever, for this board: the ring's oldest is overwritten */
	gnutls_priority_t priorities[TLS_PRIORITIES_SIZE];
};

/* tls_store_new() for files from anywhere. */
int tls_store_build(const struct conf *conf, struct tls_files files, struct tls_store **ret,
		    struct conf_error *reterr) _must_check_;

/* Borrowed. 0, or TLS_PRIORITY_E_EMPTY. */
int tls_store_priority(const struct tls_store *store, struct tls_suites suites,
		       gnutls_priority_t *ret) _must_check_;

/* Identity of @conf, whose lines the errors name. 0, CONF_E_INVALID or -errno. */
int tls_identity_load(struct tls_identity *identity, const struct conf *conf,
		      const struct conf_identity *from, struct tls_files files,
		      struct conf_error *reterr) _must_check_;
void tls_identity_done(struct tls_identity *identity);

/* The response to staple, if one is configured. 0, CONF_E_INVALID with @why, or -errno (staple.c).
 */
int tls_identity_load_staple(struct tls_identity *identity, struct tls_files files,
			     const char *path, struct text *why) _must_check_;

/* Does one of the names in our certificate cover the server name @sni (lower case)? */
bool tls_identity_serves(const struct tls_identity *identity, const char *sni);

/* 0, CONF_E_INVALID or -errno. */
int tls_anchors_load(struct tls_anchors *set, const struct trust_policy *policy, size_t index,
		     struct tls_files files, struct conf_error *reterr) _must_check_;
void tls_anchors_done(struct tls_anchors *set);

/* All sets of a policy, or nothing. */
int tls_anchors_load_all(const struct trust_policy *policy, struct tls_files files,
			 struct tls_anchors **ret, struct conf_error *reterr) _must_check_;
struct tls_anchors *tls_anchors_free_all(struct tls_anchors *sets, size_t n);

/* Certificates of a PEM file, to be freed by the caller one by one and as a whole. */
struct tls_pem {
	gnutls_x509_crt_t *crts;
	unsigned int n;
};

/* 0, or CONF_E_INVALID with what is wrong in @why, or -errno. */
int tls_pem_load(struct tls_pem *pem, struct tls_files files, const char *path,
		 struct text *why) _must_check_;
void tls_pem_done(struct tls_pem *pem);
