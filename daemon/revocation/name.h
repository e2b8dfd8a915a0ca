/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * name - names and numbers of any length as digests. trust_certificate holds the same of a
 * certificate, made by the tls module: both must take the same bytes.
 */

#include <gnutls/x509.h>
#include <revocation/der.h>
#include <siptls/revocation.h>

#define NAME_RDNS_MAX  64
#define NAME_VALUE_MAX 4096 /* bytes of one attribute */
#define NAME_TEXT_MAX  512  /* bytes of a name shown to people; the rest is cut */

/* GnuTLS wants writable pointers even where it only reads. */
static inline gnutls_datum_t name_datum(struct der bytes)
{
	return (gnutls_datum_t){
		.data = (unsigned char *)(uintptr_t)bytes.p,
		.size = (unsigned int)bytes.len,
	};
}

/* The head of the SHA-256. */
int revocation_name_digest(struct der bytes, uint8_t ret[static TRUST_DIGEST_SIZE]) _must_check_;

/*
 * A distinguished name (contents of the Name) such that names that RFC 5280 7.1 calls equal have
 * the same: PrintableString and UTF8String alike, case and spaces of no account. It only tells
 * which keys to try on a signature: letters beyond ASCII are compared as they stand.
 */
int revocation_name_id(struct der name, uint8_t ret[static TRUST_DIGEST_SIZE]) _must_check_;

/* As an issuer is known in trust_certificate.id; @subject and @key with their headers. */
int revocation_name_issuer(struct der subject, struct der key,
			   uint8_t ret[static TRUST_ID_SIZE]) _must_check_;

/* RFC 4514 text of a Name with its header; to be freed. NULL: no memory. */
char *revocation_name_text(struct der name) _must_check_;

/*
 * The digest of each GeneralName of @names (contents of GeneralNames) behind those that are there
 * already. REVOCATION_E_MALFORMED also when there are more than @max.
 */
int revocation_name_scopes(struct der names, uint8_t (*digests)[TRUST_DIGEST_SIZE], size_t max,
			   size_t *n) _must_check_;
