/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * verify - does a chain lead to an anchor? path.c answers for one set of anchors, verify.c asks
 * for the sets that matter to this peer.
 */

#include <tls/facts.h>

/*
 * A peer can present certificates that fit together in many ways; an honest one needs very few
 * of these.
 */
#define TLS_PATH_NODES_MAX  64 /* certificates whose issuer is looked for, per set */
#define TLS_PATH_CHECKS_MAX 16 /* whole paths with their signatures verified, per set */
#define TLS_PATHS_MAX	    4  /* that hold and are kept, per set */

struct tls_anchors {
	gnutls_x509_crt_t *crts;
	unsigned int n;
};

/* All paths that hold, the shortest first; or the one that failed and tells most. */
struct tls_paths {
	struct trust_path list[TLS_PATHS_MAX];
	size_t n;	     /* at least one */
	unsigned int checks; /* paths whose signatures were verified */
};

void tls_paths_done(struct tls_paths *paths);

/* The paths from the leaf to @anchors. 0, or -errno. */
int tls_path_find(const struct tls_anchors *anchors, uint32_t index,
		  const struct trust_facts *facts, const struct tls_chain *chain,
		  struct tls_paths *ret) _must_check_;

/*
 * The anchor a path that holds leads to, in the set of that path. NULL: it is not there.
 */
gnutls_x509_crt_t tls_path_anchor(const struct tls_anchors *anchors, const struct trust_path *path);

/* Do the constraints of the path leave room for the leaf's names? (constraints.c) */
bool tls_names_permitted(const struct trust_facts *facts,
			 gnutls_x509_name_constraints_t constraints);

/*
 * Fill the paths of @facts: the anchors of @entry (whom we dialled), or of every entry that claims
 * the leaf (TRUST_ENTRY_ANY); if none of these vouches for it, all that do. @sets is in the order
 * of the policy's anchor sets. 0 or -errno.
 */
int tls_facts_verify(const struct trust_policy *policy, const struct tls_anchors *sets,
		     uint32_t entry, const struct tls_chain *chain,
		     struct trust_facts *facts) _must_check_;
