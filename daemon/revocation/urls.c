/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sources that are URLs: when to fetch, and what to make of what came. */

#include <revocation/cache.h>
#include <revocation/name.h>
#include <revocation/sources.h>
#include <revocation/store.h>

#include <gnutls/crypto.h>
#include <stdio.h>
#include <sys/random.h>

#define FETCH_EVERY_S 86400 /* at the latest: a CA may publish before it has to */
#define FETCH_AGAIN_S 60    /* at the earliest */
#define BACKOFF_MIN_S 30
#define BACKOFF_MAX_S 3600

/* A tenth of a list's life before its end: time for a few attempts. */
int64_t revocation_source_delay(int64_t now, int64_t fetched_at, int64_t this_update,
				int64_t next_update)
{
	int64_t due = fetched_at + FETCH_EVERY_S;

	if (next_update > this_update) {
		int64_t early = next_update - (next_update - this_update) / 10;

		due = early < due ? early : due;
	}
	return due - now < FETCH_AGAIN_S ? FETCH_AGAIN_S : due - now;
}

int64_t revocation_source_backoff(uint32_t failures)
{
	int64_t delay = BACKOFF_MIN_S;

	for (uint32_t i = 1; i < failures && delay < BACKOFF_MAX_S; i++)
		delay *= 2;
	return delay < BACKOFF_MAX_S ? delay : BACKOFF_MAX_S;
}

/* Up to a tenth earlier, so that not everybody asks a CA in the same second. */
static int64_t scatter(int64_t delay)
{
	uint32_t chance = 0;

	if (delay <= FETCH_AGAIN_S ||
	    getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
		return delay;
	delay -= (int64_t)(chance % (uint32_t)(delay / 10 + 1));
	return delay < FETCH_AGAIN_S ? FETCH_AGAIN_S : delay;
}

static int schedule(struct source *source, int64_t delay, const char *detail)
{
	delay = scatter(delay);
	revocation_source_tell(source->sources, source->location, detail, source->failures,
			       time_realtime_s() + delay);
	return loop_timer_set(source->timer, (uint64_t)delay * 1000);
}

static int failed(struct source *source, const char *detail)
{
	source->failures++;
	return schedule(source, revocation_source_backoff(source->failures), detail);
}

/* What there is holds until then; or it is out of date and something is wrong. */
static int succeeded(struct source *source, int64_t fetched_at)
{
	int64_t now = time_realtime_s(), this_update = 0, next_update = 0;

	if (revocation_store_due(source->sources->store, source->location, &this_update,
				 &next_update) &&
	    next_update <= now)
		return failed(source, "what it gives is out of date");
	source->failures = 0;
	return schedule(source, revocation_source_delay(now, fetched_at, this_update, next_update),
			NULL);
}

/* ---- what came ---- */

/* 0, REVOCATION_E_MALFORMED with @why, or -errno. */
static int take(struct source *source, const void *data, size_t size, struct text *why)
{
	uint8_t digest[SOURCE_DIGEST_SIZE];
	int r;

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, size, digest) < 0)
		return -EIO;
	if (memcmp(digest, source->digest, sizeof(digest)) == 0)
		return 0;
	r = revocation_store_add(source->sources->store, source->location, data, size, why);
	if (r)
		return r;
	if (why->len == 0) /* all of it was taken */
		memcpy(source->digest, digest, sizeof(digest));
	return revocation_sources_changed(source->sources);
}

/* A full disk is no reason to do without the list; but it is told, once. */
static void keep(struct source *source, const void *data, size_t size)
{
	struct revocation_sources *sources = source->sources;
	int r = -revocation_cache_write(sources->cache, source->location, data, size);

	if (r == sources->cache_told)
		return;
	sources->cache_told = r;
	revocation_source_tell(sources, sources->cache, r ? strerror(r) : NULL, r ? 1 : 0, 0);
}

static int finish(struct source *source, const struct http_result *result)
{
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	int r;

	if (result->error)
		return failed(source, result->error);
	if (result->unchanged)
		return succeeded(source, time_realtime_s());
	r = take(source, result->data, result->size, &why);
	if (r < 0)
		return r;
	if (r > 0 || buf[0]) /* not read, or older than what is there */
		return failed(source, buf);
	snprintf(source->etag, sizeof(source->etag), "%s", result->etag);
	snprintf(source->modified, sizeof(source->modified), "%s", result->modified);
	if (revocation_store_says_all(source->sources->store, source->location))
		keep(source, result->data, result->size);
	return succeeded(source, time_realtime_s());
}

static int on_fetched(void *userdata, const struct http_result *result)
{
	struct source *source = userdata;

	source->request = NULL;
	return finish(source, result);
}

int revocation_source_fetch(struct source *source)
{
	if (source->request)
		return 0;
	return revocation_http_get(source->sources->http, source->location, source->etag,
				   source->modified, on_fetched, source, &source->request);
}

/* ---- from the start ---- */

/* What an earlier process fetched: true, and when, if it can be read. */
static bool recall(struct source *source, int64_t *ret_written)
{
	_cleanup_free_ void *data = NULL;
	char buf[256];
	struct text why = TEXT_INIT(buf);
	size_t size;

	return revocation_cache_read(source->sources->cache, source->location, &data, &size,
				     ret_written) == 0 &&
	       take(source, data, size, &why) == 0;
}

static int on_timer(void *userdata)
{
	struct source *source = userdata;
	int64_t now = time_realtime_s(), written, this_update, next_update;

	if (!source->started) {
		source->started = true;
		if (recall(source, &written) && written <= now &&
		    revocation_store_due(source->sources->store, source->location, &this_update,
					 &next_update) &&
		    revocation_source_delay(now, written, this_update, next_update) > FETCH_AGAIN_S)
			return succeeded(source, written);
	}
	return revocation_source_fetch(source);
}

int revocation_source_start(struct source *source)
{
	return loop_timer_add(source->sources->loop, 0, on_timer, source, &source->timer);
}

void revocation_source_stop(struct source *source)
{
	source->request = revocation_http_cancel(source->request);
	source->timer = loop_source_free(source->timer);
}
