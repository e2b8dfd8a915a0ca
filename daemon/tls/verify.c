/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which sets of anchors a chain is verified against, and in which order. */

#include <siptls/tls.h>
#include <tls/verify.h>

_Static_assert(TLS_PATHS_MAX <= TRUST_PATHS_MAX, "trust takes no more");

struct verification {
	const struct trust_policy *policy;
	const struct tls_anchors *sets;
	const struct tls_chain *chain;
	struct trust_facts *facts;
	bool *tried; /* one per set */
	bool found;  /* a path that holds */
};

/* Take over @path. */
static int keep_path(struct trust_facts *facts, struct trust_path *path)
{
	struct trust_path *grown =
		reallocarray(facts->paths, facts->n_paths + 1, sizeof(*facts->paths));

	if (!grown)
		return -ENOMEM;
	facts->paths = grown;
	facts->paths[facts->n_paths++] = *path;
	path->anchor_subject = NULL;
	return 0;
}

/*
 * @claimed: an entry that claims the leaf stands behind the set, so every path counts. Of other
 * sets one path tells what there is to tell, if anything.
 */
static int try_set(struct verification *v, uint32_t index, bool claimed)
{
	_cleanup_(tls_paths_done) struct tls_paths paths = {};
	size_t keep;
	int r;

	if (v->tried[index])
		return 0;
	v->tried[index] = true;
	r = tls_path_find(&v->sets[index], index, v->facts, v->chain, &paths);
	if (r < 0)
		return r;
	if (paths.list[0].outcome == TRUST_CHAIN_OK)
		v->found = true;
	keep = claimed ? paths.n : paths.list[0].outcome != TRUST_CHAIN_UNKNOWN_CA;
	for (size_t i = 0; r == 0 && i < keep; i++)
		r = keep_path(v->facts, &paths.list[i]);
	return r;
}

static int try_entries(struct verification *v, uint32_t entry)
{
	int r;

	if (entry != TRUST_ENTRY_ANY)
		return try_set(v, v->policy->entries[entry].anchors, true);
	for (size_t i = 0; i < v->policy->n_entries; i++) {
		if (!trust_entry_claims(&v->policy->entries[i], v->facts))
			continue;
		r = try_set(v, v->policy->entries[i].anchors, true);
		if (r < 0)
			return r;
	}
	return 0;
}

static int try_everything(struct verification *v)
{
	int r;

	for (uint32_t i = 0; i < v->policy->n_anchors; i++) {
		r = try_set(v, i, false);
		if (r < 0)
			return r;
	}
	return 0;
}

int tls_facts_verify(const struct trust_policy *policy, const struct tls_anchors *sets,
		     uint32_t entry, const struct tls_chain *chain, struct trust_facts *facts)
{
	_cleanup_free_ bool *tried = calloc(policy->n_anchors + 1, sizeof(*tried));
	struct verification v = {
		.policy = policy,
		.sets = sets,
		.chain = chain,
		.facts = facts,
		.tried = tried,
	};
	int r;

	if (!tried)
		return -ENOMEM;
	r = try_entries(&v, entry);
	if (r == 0 && !v.found)
		r = try_everything(&v);
	return r;
}
