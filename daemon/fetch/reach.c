/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names in a plan; see reach.h. */

#include "fetch/reach.h"

static int add(struct fetch_reach *reach, const char *path)
{
	char *copy = strdup(path ? path : "");

	if (!copy)
		return -ENOMEM;
	reach->paths[reach->n++] = copy;
	return 0;
}

int fetch_reach_make(const char *cache, const struct dns_config *dns,
		     const struct revocation_source *sources, size_t n_sources,
		     struct fetch_reach *ret)
{
	_cleanup_(fetch_reach_done) struct fetch_reach reach = {};
	int r;

	reach.paths = calloc(n_sources + FETCH_REACH_SOURCES, sizeof(*reach.paths));
	if (!reach.paths)
		return -ENOMEM;
	r = add(&reach, cache);
	if (r == 0)
		r = add(&reach, dns ? dns->trust_anchor : NULL);
	for (size_t i = 0; r == 0 && i < n_sources; i++)
		if (sources[i].kind == REVOCATION_SOURCE_PATH)
			r = add(&reach, sources[i].location);
	if (r < 0)
		return r;
	*ret = reach;
	reach = (struct fetch_reach){};
	return 0;
}

bool fetch_reach_equal(const struct fetch_reach *a, const struct fetch_reach *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->paths[i], b->paths[i]) != 0)
			return false;
	return true;
}

void fetch_reach_done(struct fetch_reach *reach)
{
	for (size_t i = 0; i < reach->n; i++)
		free(reach->paths[i]);
	free(reach->paths);
	*reach = (struct fetch_reach){};
}
