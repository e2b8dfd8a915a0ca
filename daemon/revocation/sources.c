/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of sources: which there are, which come and go, and when others are told. */

#include <revocation/cache.h>
#include <revocation/sources.h>

#include <stdio.h>

/* ---- telling ---- */

static int on_defer(void *userdata)
{
	struct revocation_sources *sources = userdata;

	sources->defer = loop_source_free(sources->defer);
	sources->ops->changed(sources->userdata);
	return 0;
}

int revocation_sources_changed(struct revocation_sources *sources)
{
	if (sources->defer)
		return 0;
	return loop_defer(sources->loop, on_defer, sources, &sources->defer);
}

void revocation_source_tell(const struct revocation_sources *sources, const char *location,
			    const char *detail, uint32_t failures, int64_t next_s)
{
	const struct revocation_source_event event = {
		.location = location,
		.ok = !detail,
		.detail = detail ? detail : "",
		.next_s = next_s,
		.failures = failures,
	};

	sources->ops->event(sources->userdata, &event);
}

/* ---- one source ---- */

static struct source *find_source(const struct revocation_sources *sources,
				  enum revocation_source_kind kind, const char *location)
{
	list_foreach (node, &sources->list) {
		struct source *source = container_of(node, struct source, node);

		if (source->kind == kind && strcmp(source->location, location) == 0)
			return source;
	}
	return NULL;
}

/* What it gave stays in the store. */
static void source_free(struct source *source)
{
	list_foreach_safe (node, &source->files) {
		struct source_file *file = container_of(node, struct source_file, node);

		list_remove(node);
		free(file->path);
		free(file);
	}
	revocation_source_stop(source);
	list_remove(&source->node);
	source->sources->n--;
	free(source->location);
	free(source);
}

static int source_drop(struct source *source)
{
	struct revocation_sources *sources = source->sources;

	if (source->kind == REVOCATION_SOURCE_URL) {
		revocation_store_drop(sources->store, source->location);
		revocation_cache_drop(sources->cache, source->location);
	} else {
		(void)revocation_source_forget_files(source, true);
	}
	source_free(source);
	return revocation_sources_changed(sources);
}

static int source_new(struct revocation_sources *sources, enum revocation_source_kind kind,
		      const char *location, struct source **ret)
{
	struct source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	*source = (struct source){ .sources = sources, .kind = kind, .told = -1 };
	list_init(&source->files);
	list_append(&sources->list, &source->node);
	sources->n++;
	source->location = strdup(location);
	r = source->location ? 0 : -ENOMEM;
	if (r == 0 && kind == REVOCATION_SOURCE_URL)
		r = revocation_source_start(source);
	if (r)
		source_free(source);
	else
		*ret = source;
	return r;
}

/* ---- files ---- */

static int scan(struct revocation_sources *sources, bool anew)
{
	list_foreach (node, &sources->list) {
		struct source *source = container_of(node, struct source, node);
		int r;

		if (source->kind != REVOCATION_SOURCE_PATH)
			continue;
		/* Watched first: what changes while it is read is seen next time. */
		revocation_source_watch(source);
		r = revocation_source_scan(source, anew);
		if (r)
			return r;
	}
	return 0;
}

static int on_watch(void *userdata)
{
	struct revocation_sources *sources = userdata;
	bool anew = sources->anew;

	sources->anew = false;
	return scan(sources, anew);
}

/* ---- what was learnt ---- */

static bool is_learnt(const struct source *source)
{
	return source->learnt && !source->configured;
}

static uint32_t rank(const void *userdata)
{
	const struct source *source = userdata;

	if (source->configured)
		return 0;
	return source->failures < UINT32_MAX ? source->failures + 1 : UINT32_MAX;
}

static bool has_given(const struct source *source)
{
	static const uint8_t nothing[SOURCE_DIGEST_SIZE];

	return memcmp(source->digest, nothing, sizeof(nothing)) != 0;
}

/*
 * Whoever has a certificate can name more than can be kept. What has never given a list goes first,
 * then what gives none any more; of those what has failed most often, then the oldest. What works
 * stays: to name more must not make the lists of others vanish.
 */
static struct source *find_useless(const struct revocation_sources *sources, size_t *ret_n)
{
	struct source *worst = NULL;
	size_t n = 0;

	list_foreach (node, &sources->list) {
		struct source *source = container_of(node, struct source, node);

		if (!is_learnt(source))
			continue;
		n++;
		if (has_given(source) && source->failures == 0)
			continue;
		if (!worst || has_given(source) < has_given(worst) ||
		    (has_given(source) == has_given(worst) && source->failures > worst->failures))
			worst = source;
	}
	*ret_n = n;
	return worst;
}

/* 0: there is room for one more; SOURCES_E_FULL; or -errno. */
enum { SOURCES_E_FULL = 1 };
static int make_room(struct revocation_sources *sources)
{
	size_t n;
	struct source *useless = find_useless(sources, &n);

	if (n < REVOCATION_LEARNED_MAX)
		return 0;
	return useless ? source_drop(useless) : SOURCES_E_FULL;
}

/* ---- the door ---- */

static void sources_freep(struct revocation_sources **sources)
{
	*sources = revocation_sources_free(*sources);
}

int revocation_sources_new(struct loop *loop, struct revocation_store *store, const char *cache,
			   const struct revocation_sources_ops *ops, void *userdata,
			   struct revocation_sources **ret)
{
	static const struct http_rules rules = { HTTP_TIMEOUT_MS, HTTP_LEARNED_TIMEOUT_MS, rank };
	_cleanup_(sources_freep) struct revocation_sources *sources = calloc(1, sizeof(*sources));
	int r;

	if (!sources)
		return -ENOMEM;
	*sources = (struct revocation_sources){
		.loop = loop, .store = store, .ops = ops, .userdata = userdata
	};
	list_init(&sources->list);
	sources->cache = cache ? strdup(cache) : NULL;
	if (cache && !sources->cache)
		return -ENOMEM;
	r = revocation_watch_new(loop, on_watch, sources, &sources->watch);
	if (r == 0)
		r = revocation_http_new(loop, &rules, &sources->http);
	if (r == 0)
		*ret = steal_ptr(sources);
	return r;
}

struct revocation_sources *revocation_sources_free(struct revocation_sources *sources)
{
	if (!sources)
		return NULL;
	list_foreach_safe (node, &sources->list)
		source_free(container_of(node, struct source, node));
	revocation_watch_free(sources->watch);
	revocation_http_free(sources->http);
	loop_source_free(sources->defer);
	free(sources->cache);
	free(sources);
	return NULL;
}

static int configure(struct revocation_sources *sources, const struct revocation_source *wanted)
{
	struct source *source = find_source(sources, wanted->kind, wanted->location);
	int r;

	if (!source) {
		r = source_new(sources, wanted->kind, wanted->location, &source);
		if (r)
			return r;
	}
	source->configured = true;
	return 0;
}

int revocation_sources_set(struct revocation_sources *sources, const struct revocation_source *list,
			   size_t n)
{
	int r;

	list_foreach (node, &sources->list)
		container_of(node, struct source, node)->configured = false;
	for (size_t i = 0; i < n; i++) {
		r = configure(sources, &list[i]);
		if (r)
			return r;
	}
	list_foreach_safe (node, &sources->list) {
		struct source *source = container_of(node, struct source, node);

		r = source->configured || source->learnt ? 0 : source_drop(source);
		if (r)
			return r;
	}
	revocation_watch_clear(sources->watch);
	revocation_watch_poke(sources->watch);
	return 0;
}

static bool is_fetchable(const char *url)
{
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return false;
	for (const char *p = url; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return strlen(url) <= REVOCATION_SOURCE_MAX;
}

int revocation_sources_learn(struct revocation_sources *sources, const char *url)
{
	struct source *source = find_source(sources, REVOCATION_SOURCE_URL, url);
	int r;

	if (!source) {
		/* What stands in a certificate may be anything: nothing is fetched then. */
		if (!is_fetchable(url))
			return 0;
		r = make_room(sources);
		if (r)
			return r == SOURCES_E_FULL ? 0 : r;
		r = source_new(sources, REVOCATION_SOURCE_URL, url, &source);
		if (r)
			return r;
	}
	source->learnt = true;
	return 0;
}

void revocation_sources_refresh(struct revocation_sources *sources)
{
	list_foreach (node, &sources->list) {
		struct source *source = container_of(node, struct source, node);
		int r = source->kind == REVOCATION_SOURCE_URL ? revocation_source_fetch(source) : 0;

		if (r)
			revocation_source_tell(sources, source->location, strerror(-r),
					       source->failures + 1, 0);
	}
	sources->anew = true;
	revocation_watch_poke(sources->watch);
}
