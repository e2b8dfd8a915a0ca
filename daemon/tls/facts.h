/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * facts - read what certificates say, from DER to the types of trust. Nothing is left out silently:
 * what cannot be read refuses the chain, what cannot be evaluated is marked.
 */

#include <gnutls/x509.h>
#include <siptls/trust.h>

/* What a peer may make us read of one certificate. */
#define TLS_EXTENSIONS_MAX 64  /* in one certificate */
#define TLS_RDN_MAX	   64  /* relative names in a subject */
#define TLS_DN_TEXT_MAX	   512 /* bytes of a subject or issuer shown to people; the rest is cut */
#define TLS_SERIAL_MAX	   64  /* bytes; RFC 5280 4.1.2.2 allows 20 */

enum {
	TLS_FACTS_E_MALFORMED = 1,
	TLS_FACTS_E_TOO_LARGE,
};

/* The certificates behind the facts, in the same order. */
struct tls_chain {
	gnutls_x509_crt_t crts[TRUST_CHAIN_MAX];
	size_t n;
};

void tls_chain_done(struct tls_chain *chain); /* fine on {} */

/* GnuTLS wants writable pointers even where it only reads. */
static inline gnutls_datum_t tls_datum(const void *data, size_t size)
{
	return (gnutls_datum_t){
		.data = (unsigned char *)(uintptr_t)data,
		.size = (unsigned int)size,
	};
}

/*
 * Certificates and names of @ret, and the certificates themselves. 0, TLS_FACTS_E_* with
 * the reason in @why, or -errno; without success both outputs are empty.
 */
int tls_facts_read(const gnutls_datum_t *ders, size_t n, struct trust_facts *ret,
		   struct tls_chain *ret_chain, struct text *why) _must_check_;

/* One certificate; to be freed with tls_certificate_done(). The same outcomes. */
int tls_certificate_read(gnutls_x509_crt_t crt, struct trust_certificate *ret,
			 struct text *why) _must_check_;
void tls_certificate_done(struct trust_certificate *certificate);

/* Names of a leaf into @facts (names.c). */
int tls_names_read(gnutls_x509_crt_t crt, struct trust_facts *facts, struct text *why) _must_check_;

/*
 * The extensions that bear on a decision: extended key usage, must-staple, and whether there is one
 * that cannot be evaluated (extensions.c).
 */
int tls_extensions_read(gnutls_x509_crt_t crt, struct trust_certificate *ret,
			struct text *why) _must_check_;

/*
 * Where the certificate's CRL is (distribution.c). What cannot be read leaves the certificate
 * without distribution points, and marks it if the extension is critical. 0 or -errno.
 */
int tls_distribution_read(gnutls_x509_crt_t crt, struct trust_certificate *ret) _must_check_;

/* The contents of one extension. false: it is not there. The caller frees ret->data. */
bool tls_extension_get(gnutls_x509_crt_t crt, const char *oid, gnutls_datum_t *ret);
