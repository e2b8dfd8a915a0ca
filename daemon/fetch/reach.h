/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * reach - the files and folders of a plan, by name. The sandbox of siptls-fetch allows these for
 * good, and nothing else: a plan with others, or with fewer, takes another process.
 */

#include <siptls/dns.h>
#include <siptls/revocation.h>

struct fetch_reach {
	char **paths; /* the cache, the trust anchor ("": none), then the sources' */
	size_t n;
};

enum { FETCH_REACH_CACHE, FETCH_REACH_TRUST_ANCHOR, FETCH_REACH_SOURCES };

/* @cache and @dns may be NULL. */
int fetch_reach_make(const char *cache, const struct dns_config *dns,
		     const struct revocation_source *sources, size_t n_sources,
		     struct fetch_reach *ret) _must_check_;
bool fetch_reach_equal(const struct fetch_reach *a, const struct fetch_reach *b);
void fetch_reach_done(struct fetch_reach *reach); /* safe twice */
