/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of trust share: names of certificates against names of the topology, and the
 * check of facts that judging begins with. Private to trust.
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
 * _MISMATCH.
 */
enum reason trust_names_judge(const struct trust_expected *expected,
			      const struct trust_facts *facts, const struct trust_name **ret_name);

/*
 * REASON_OK, _CERTIFICATE_TOO_LARGE or _CERTIFICATE_MALFORMED. Facts may come from a process that
 * a peer has taken over: nothing in them is used as index or length before this.
 */
enum reason trust_facts_check(const struct trust_policy *policy, const struct trust_facts *facts);
