/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lookups and previews of the serving side: each question has exactly one answer. */

#include "fetch/serve.h"

#include <stdio.h>
#include <sys/stat.h>

/* In front of the file's name, to be neither a file nor a URL that is known already. */
#define PREVIEW_PREFIX "preview:"

struct lookup {
	struct list link;
	struct fetch_server *server;
	struct dns_query *query;
	struct fetch_resolve question;
};

/* ---- lookups ---- */

static void lookup_free(struct lookup *lookup)
{
	dns_cancel(lookup->query);
	list_remove(&lookup->link);
	free(lookup);
}

static int post_failure(struct fetch_server *s, uint64_t id, const char *detail)
{
	struct fetch_message m = { .type = FETCH_MSG_ANSWER };

	m.answer.id = id;
	m.answer.dns.reason = REASON_DNS_FAILED;
	snprintf(m.answer.dns.detail, sizeof(m.answer.dns.detail), "%s", detail);
	return fetch_server_post(s, &m, -1);
}

static void on_answer(void *userdata, const struct dns_answer *answer)
{
	struct lookup *lookup = userdata;
	struct fetch_server *s = lookup->server;
	struct fetch_message m = { .type = FETCH_MSG_ANSWER };
	int r;

	m.answer.id = lookup->question.id;
	m.answer.dns = *answer;
	lookup->query = NULL;
	lookup_free(lookup);
	r = fetch_server_post(s, &m, -1);
	if (r < 0)
		loop_exit(s->loop, r);
}

/* What is wrong with the resolver may be mended without a new plan: each question tries again. */
static int resolver_start(struct fetch_server *s)
{
	if (!s->has_dns || !s->store)
		return -ENODATA;
	return s->dns ? 0 : dns_new(s->loop, &s->dns_config, &s->dns);
}

static void explain(const struct fetch_server *s, int error, struct text *why)
{
	if (error == -ENODATA)
		text_addf(why, "no resolver is configured");
	else if (s->dns_config.trust_anchor)
		text_addf(why, "the resolver does not start with the trust anchor \"%s\": %s",
			  s->dns_config.trust_anchor, strerror(-error));
	else
		text_addf(why, "the resolver does not start: %s", strerror(-error));
}

static int lookup_start(struct lookup *lookup)
{
	struct fetch_server *s = lookup->server;
	uint64_t id = lookup->question.id;
	char detail[256] = "";
	struct text why = TEXT_INIT(detail);
	int r = resolver_start(s);

	if (r == 0)
		r = dns_resolve(s->dns, &lookup->question.question, on_answer, lookup,
				&lookup->query);
	if (r == 0)
		return 0;
	lookup_free(lookup);
	if (r == -EACCES && fetch_server_has_lost(s, s->dns_config.trust_anchor))
		return fetch_server_renew(s);
	explain(s, r, &why);
	return post_failure(s, id, detail);
}

int fetch_server_on_resolve(struct fetch_server *s, const struct fetch_resolve *m)
{
	struct lookup *lookup;

	/* Without its resolv.conf a resolver would ask whoever answers on this machine. */
	if (fetch_server_has_lost(s, NULL))
		return fetch_server_renew(s);
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return post_failure(s, m->id, strerror(ENOMEM));
	lookup->server = s;
	lookup->question = *m;
	list_append(&s->lookups, &lookup->link);
	return lookup_start(lookup);
}

int fetch_server_on_cancel(struct fetch_server *s, uint64_t id)
{
	list_foreach (link, &s->lookups) {
		struct lookup *lookup = container_of(link, struct lookup, link);

		if (lookup->question.id != id)
			continue;
		lookup_free(lookup);
		return post_failure(s, id, "cancelled");
	}
	return 0; /* the cancel and the answer have met on the way */
}

static bool same_config(const struct dns_config *a, const struct dns_config *b)
{
	const char *anchor_a = a->trust_anchor ? a->trust_anchor : "";
	const char *anchor_b = b->trust_anchor ? b->trust_anchor : "";

	if (a->n_servers != b->n_servers || a->require != b->require ||
	    a->timeout_ms != b->timeout_ms || strcmp(anchor_a, anchor_b) != 0)
		return false;
	for (size_t i = 0; i < a->n_servers; i++)
		if (!net_addr_equal(&a->servers[i], &b->servers[i]))
			return false;
	return true;
}

/* A new resolver knows nothing of what the old one has found: only if it has to be. */
int fetch_server_on_dns(struct fetch_server *s, struct dns_config *config)
{
	struct list lookups;
	int r = 0;

	if (!s->in_plan)
		return -EPROTO;
	if (s->has_dns && same_config(&s->dns_config, config))
		return 0;
	list_init(&lookups);
	list_take_all(&s->lookups, &lookups);
	list_foreach (link, &lookups)
		container_of(link, struct lookup, link)->query = NULL;
	s->dns = dns_free(s->dns);
	free(s->dns_config.trust_anchor);
	s->dns_config = *config;
	config->trust_anchor = NULL;
	s->has_dns = true;
	while (r == 0 && !list_empty(&lookups)) {
		struct lookup *lookup = container_of(lookups.next, struct lookup, link);

		list_remove(&lookup->link);
		list_append(&s->lookups, &lookup->link);
		r = lookup_start(lookup);
	}
	list_take_all(&lookups, &s->lookups);
	return r;
}

/* ---- previews ---- */

struct contents {
	char *data;
	size_t size;
};

static void contents_done(struct contents *contents)
{
	free(contents->data);
}

/*
 * 0 or -errno. The daemon has looked at the file, which may have grown since. It may have been read
 * by a process before this one, which moved its offset.
 */
static int read_file(int fd, struct contents *ret)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > REVOCATION_CRL_SIZE_MAX)
		return -EFBIG;
	ret->data = malloc((size_t)st.st_size + 1);
	if (!ret->data)
		return -ENOMEM;
	while (ret->size < (size_t)st.st_size) {
		n = pread(fd, ret->data + ret->size, (size_t)st.st_size - ret->size,
			  (off_t)ret->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		ret->size += (size_t)n;
	}
	return 0;
}

/* A board with @file's lists, which the store forgets again. 0, -errno, or a word in @why. */
static int preview(struct fetch_server *s, const char *path, int file, int *ret_fd,
		   struct text *why)
{
	_cleanup_(contents_done) struct contents contents = {};
	char source[sizeof(PREVIEW_PREFIX) + FETCH_PATH_MAX];
	int r = read_file(file, &contents);

	if (r < 0)
		return r;
	snprintf(source, sizeof(source), PREVIEW_PREFIX "%s", path);
	r = revocation_store_put(s->store, source, contents.data, contents.size, why);
	if (r == 0)
		r = revocation_store_publish(s->store, ret_fd);
	revocation_store_drop(s->store, source);
	return r;
}

int fetch_server_on_preview(struct fetch_server *s, const struct fetch_preview *m, int file)
{
	struct fetch_message answer = { .type = FETCH_MSG_PREVIEWED };
	struct text why = TEXT_INIT(answer.previewed.detail);
	_cleanup_fd_ int fd = -1;
	int r;

	answer.previewed.id = m->id;
	if (!s->store) {
		text_addf(&why, "nothing is configured yet");
		return fetch_server_post(s, &answer, -1);
	}
	r = preview(s, m->path, file, &fd, &why);
	if (r < 0)
		text_addf(&why, "%s", strerror(-r));
	answer.previewed.ok = r == 0;
	return fetch_server_post(s, &answer, fd);
}

void fetch_server_requests_done(struct fetch_server *s)
{
	while (!list_empty(&s->lookups))
		lookup_free(container_of(s->lookups.next, struct lookup, link));
	dns_free(s->dns);
	free(s->dns_config.trust_anchor);
}
