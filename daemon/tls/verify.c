/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which sets of anchors a chain is verified against, and in which order. */

#include <siptls/tls.h>
#include <tls/verify.h>

struct verification {
	const struct trust_policy *policy;
	const struct tls_anchors *sets;
	const struct tls_chain *chain;
	struct trust_facts *facts;
	bool *tried; /* one per set */
	bool found;  /* a path that holds */
};

static bool path_tells_something(const struct trust_path *path)
{
	return path->outcome != TRUST_CHAIN_UNKNOWN_CA;
}

/* @keep: the path belongs into the facts even when it leads nowhere. */
static int try_set(struct verification *v, uint32_t index, bool keep)
{
	struct trust_path path;
	int r;

	if (v->tried[index])
		return 0;
	v->tried[index] = true;
	r = tls_path_find(&v->sets[index], index, v->facts, v->chain, &path);
	if (r < 0)
		return r;
	if (path.outcome == TRUST_CHAIN_OK)
		v->found = true;
	if (keep || path_tells_something(&path))
		v->facts->paths[v->facts->n_paths++] = path;
	else
		free(path.anchor_subject);
	return 0;
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

	facts->paths = calloc(policy->n_anchors + 1, sizeof(*facts->paths));
	if (!tried || !facts->paths)
		return -ENOMEM;
	r = try_entries(&v, entry);
	if (r == 0 && !v.found)
		r = try_everything(&v);
	return r;
}
