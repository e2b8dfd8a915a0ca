/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Names of certificates against names of the topology and of its block list, and the check of facts
 * that judging begins with. Private to trust.
 */

#include <siptls/trust.h>

/* The names a certificate may show: the entry's own, and its members from @first to @end. */
struct trust_expected {
	const struct trust_entry *entry;
	size_t first, end;
};

/*
 * All members when they dialled us; the one that was dialled when we did. The entry's own name
 * counts in either case and in every profile: a pool's certificate names the pool (the Lync rule),
 * and RFC 5922 7.3 takes the name that was asked for, not the host that was found for it.
 */
struct trust_expected trust_expected_names(const struct trust_entry *entry,
					   const struct trust_question *question);

/*
 * Does the leaf name the peer by the entry's profile? REASON_OK with the name in *ret_name; else
 * REASON_NAME_WILDCARD, _CN (only such a name covers the peer and the profile forbids that) or
 * _MISMATCH. A discovered peer is whoever its leaf says first: any name that the profile lets
 * count, a host name of two labels or more, never a wildcard.
 */
enum reason trust_names_judge(const struct trust_expected *expected,
			      const struct trust_facts *facts, const struct trust_name **ret_name);

/* Does the leaf name a SIP domain that an entry may speak for? As lenient as trust_entry_claims. */
bool trust_domain_claims(const struct trust_entry *entry, const struct trust_facts *facts);

/* ---- block list (block.c) ---- */

/* What of a peer is on the list. */
struct trust_block {
	const char *by;		       /* the name on the list; NULL: a fingerprint */
	const struct trust_name *name; /* of the leaf */
	const char *entry;	       /* or the name of the entry or the member */
	const uint8_t *fingerprint;    /* or of a certificate or an anchor */
};

/*
 * REASON_OK: nothing is. REASON_BLOCKED with *ret, or _CERTIFICATE_TOO_LARGE: the leaf's names fall
 * into more pieces than any honest ones do.
 */
enum reason trust_block_find(const struct trust_policy *policy, const struct trust_facts *facts,
			     const struct trust_question *question, struct trust_block *ret);

/* ---- facts (facts.c) ---- */

/*
 * REASON_OK, _CERTIFICATE_TOO_LARGE or _CERTIFICATE_MALFORMED. Facts may come from a process that
 * a peer has taken over: nothing in them is used as index or length before this.
 */
enum reason trust_facts_check(const struct trust_policy *policy, const struct trust_facts *facts);
