/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The plan of the serving side, and the boards that it publishes. */

#include "fetch/serve.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/stat.h>

/* Many lists may arrive at once; a single one must not wait. */
#define PUBLISH_INTERVAL_MS 200
/* After a plan: files and the cache are read in the next round of the loop, and belong to it. */
#define PUBLISH_PLAN_MS 20

/* ---- boards ---- */

static int publish(struct fetch_server *s)
{
	struct fetch_message m = { .type = FETCH_MSG_BOARD };
	_cleanup_fd_ int fd = -1;
	int r = revocation_store_publish(s->store, &fd);

	if (r < 0)
		return r;
	s->publish_due = false;
	s->published = time_monotonic_ms();
	return fetch_server_post(s, &m, fd);
}

/* While a plan comes in the store is neither the old nor the new one. */
static int on_publish(void *userdata)
{
	struct fetch_server *s = userdata;

	return s->publish_due && !s->in_plan ? publish(s) : 0;
}

static int publish_soon(struct fetch_server *s)
{
	uint64_t since = time_monotonic_ms() - s->published;

	if (s->publish_due)
		return 0;
	s->publish_due = true;
	return loop_timer_set(s->publish_timer,
			      since < PUBLISH_INTERVAL_MS ? PUBLISH_INTERVAL_MS - since : 0);
}

static void on_changed(void *userdata)
{
	struct fetch_server *s = userdata;
	int r = publish_soon(s);

	if (r < 0)
		loop_exit(s->loop, r);
}

static void on_event(void *userdata, const struct revocation_source_event *event)
{
	struct fetch_server *s = userdata;
	struct fetch_message m = { .type = FETCH_MSG_EVENT };
	int r;

	if (!event->ok && fetch_server_has_lost(s, event->location)) {
		r = fetch_server_renew(s);
		if (r < 0)
			loop_exit(s->loop, r);
		return;
	}
	m.event.location = (char *)(uintptr_t)event->location;
	m.event.ok = event->ok;
	snprintf(m.event.detail, sizeof(m.event.detail), "%s",
		 !event->ok && event->detail ? event->detail : "");
	m.event.next_s = event->next_s;
	m.event.failures = event->failures;
	r = fetch_server_post(s, &m, -1);
	if (r < 0)
		loop_exit(s->loop, r);
}

static const struct revocation_sources_ops sources_ops = { on_changed, on_event };

/* ---- the sandbox ---- */

/*
 * libcurl looks hosts up with getaddrinfo(), whose services ("hosts:" in nsswitch.conf) are shared
 * objects beyond "files" and "dns", loaded when they are first asked. Inside the sandbox nothing
 * can be loaded any more, and a service that is missing is passed over. Going through the local
 * hosts asks each of them, and no network.
 */
static void load_host_services(void)
{
	sethostent(0);
	while (gethostent())
		;
	endhostent();
}

/* 0, or why nothing can be kept there. */
static int make_cache(const char *folder)
{
	struct stat st;

	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (stat(folder, &st) < 0 || access(folder, R_OK | W_OK | X_OK) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* A plan without a resolver leaves the one there is. */
static int reach_of(const struct fetch_server *s, struct fetch_reach *ret)
{
	return fetch_reach_make(s->cache, s->has_dns ? &s->dns_config : NULL, s->listed.items,
				s->listed.n, ret);
}

/*
 * The first plan names files and folders; with them the process gives up everything else. A cache
 * that cannot be used is told and no reason to end: what is fetched is not kept then.
 */
static int settle(struct fetch_server *s)
{
	struct revocation_source_event event = { .location = s->cache };
	const char *folder = NULL;
	int r = reach_of(s, &s->reach);

	if (r < 0)
		return r;
	r = s->cache[0] ? make_cache(s->cache) : 0;
	if (r < 0) {
		event.detail = strerror(-r);
		on_event(s, &event);
	} else if (s->cache[0]) {
		folder = s->cache;
	}
	load_host_services();
	r = fetch_server_confine(s, folder);
	if (r < 0)
		return r;
	r = revocation_store_new(&s->store);
	if (r == 0)
		r = revocation_sources_new(s->loop, s->store, folder, &sources_ops, s, &s->sources);
	if (r == 0)
		r = loop_timer_add(s->loop, 0, on_publish, s, &s->publish_timer);
	return r;
}

/* ---- the plan ---- */

static void sources_done(struct fetch_sources *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].location);
	free(list->items);
	*list = (struct fetch_sources){};
}

static int sources_append(struct fetch_sources *list, struct revocation_source *source)
{
	struct revocation_source *grown =
		reallocarray(list->items, list->n + 1, sizeof(*list->items));

	if (!grown)
		return -ENOMEM;
	list->items = grown;
	grown[list->n].kind = source->kind;
	grown[list->n].location = steal_ptr(source->location);
	list->n++;
	return 0;
}

int fetch_server_on_plan(struct fetch_server *s, const char *cache)
{
	if (s->in_plan)
		return -EPROTO;
	free(s->cache);
	s->cache = strdup(cache);
	if (!s->cache)
		return -ENOMEM;
	s->in_plan = true;
	if (s->store)
		revocation_store_clear_issuers(s->store);
	return 0;
}

int fetch_server_on_issuer(struct fetch_server *s, const struct fetch_issuer *issuer)
{
	int r = 0;

	/* A stranger's bytes may be the first issuer's: what is to be read was named before. */
	if (!s->store)
		r = s->in_plan ? settle(s) : -EPROTO;
	if (r < 0)
		return r;
	r = revocation_store_add_issuer(s->store, issuer->der, issuer->len);
	return r < 0 || s->in_plan ? r : publish_soon(s);
}

int fetch_server_on_source(struct fetch_server *s, struct revocation_source *source)
{
	return s->in_plan ? sources_append(&s->listed, source) : -EPROTO;
}

int fetch_server_on_url(struct fetch_server *s, struct revocation_source *source)
{
	if (s->in_plan)
		return sources_append(&s->learned, source);
	return s->sources ? revocation_sources_learn(s->sources, source->location) : -EPROTO;
}

int fetch_server_on_plan_end(struct fetch_server *s)
{
	_cleanup_(fetch_reach_done) struct fetch_reach reach = {};
	int r;

	if (!s->in_plan)
		return -EPROTO;
	r = s->store ? 0 : settle(s);
	if (r == 0)
		r = reach_of(s, &reach);
	if (r == 0 && !fetch_reach_equal(&reach, &s->reach))
		r = -EPROTO; /* for that the daemon has to take another process */
	if (r < 0)
		return r;
	r = revocation_sources_set(s->sources, s->listed.items, s->listed.n);
	for (size_t i = 0; r == 0 && i < s->learned.n; i++)
		r = revocation_sources_learn(s->sources, s->learned.items[i].location);
	sources_done(&s->listed);
	sources_done(&s->learned);
	s->in_plan = false;
	if (r < 0)
		return r;
	s->publish_due = true;
	return loop_timer_set(s->publish_timer, PUBLISH_PLAN_MS);
}

void fetch_server_plan_done(struct fetch_server *s)
{
	loop_source_free(s->publish_timer);
	revocation_sources_free(s->sources);
	revocation_store_free(s->store);
	sources_done(&s->listed);
	sources_done(&s->learned);
	fetch_server_reach_done(s);
	free(s->cache);
}
