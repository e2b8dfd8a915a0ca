/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The resolver: a libunbound context whose thread does the work, its descriptor in our loop, and
 * the queries that are under way.
 *
 * An answer is always given from the query's own timer, never while libunbound is calling us: so
 * the callee may free whatever it likes, this module included.
 */

#include "dns/query.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>

#define RESOLV_CONF "/etc/resolv.conf"

struct dns {
	struct loop *loop;
	struct dns_config config;
	struct ub_ctx *ub;
	struct loop_source *io;
	struct stat resolv_conf; /* as it was when it was read; only without servers */
	struct list queries;
};

/* ---- context ---- */

/*
 * libunbound has a resolver's defaults. Ours is asked by a daemon that dials for as long as it
 * takes: a name server or a zone that is repaired is to be noticed within a minute, not within the
 * quarter of an hour or the hour that spare the network's servers. RFC 6761 6.2 wants nothing
 * special for "test" of a resolver library.
 */
static const struct {
	const char *option, *value;
} options[] = {
	{ "infra-host-ttl:", "60" },	     { "infra-keep-probing:", "yes" },
	{ "cache-max-negative-ttl:", "60" }, { "val-bogus-ttl:", "10" },
	{ "outgoing-range:", "128" },	     { "local-zone:", "test. transparent" },
};

static int error_of(int ub)
{
	return ub == UB_NOERROR ? 0 : ub == UB_NOMEM ? -ENOMEM : -EIO;
}

/* libunbound's way to write a server. */
static int forward_to(struct ub_ctx *ub, const struct net_addr *addr)
{
	char host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
	const void *bytes = addr->any.sa_family == AF_INET6 ? (const void *)&addr->in6.sin6_addr
							    : (const void *)&addr->in4.sin_addr;

	if (!inet_ntop(addr->any.sa_family, bytes, host, sizeof(host)))
		return -errno;
	snprintf(text, sizeof(text), "%s@%u", host, net_addr_port(addr));
	return error_of(ub_ctx_set_fwd(ub, text));
}

static void stat_resolv_conf(struct stat *ret)
{
	if (stat(RESOLV_CONF, ret) < 0)
		memset(ret, 0, sizeof(*ret));
}

static int set_servers(struct dns *dns, struct ub_ctx *ub)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < dns->config.n_servers; i++)
		r = forward_to(ub, &dns->config.servers[i]);
	if (r < 0 || dns->config.n_servers > 0)
		return r;
	stat_resolv_conf(&dns->resolv_conf);
	/* resolv.conf(5): without the file the server is on this machine. */
	if (ub_ctx_resolvconf(ub, RESOLV_CONF) != UB_NOERROR)
		return error_of(ub_ctx_set_fwd(ub, "127.0.0.1"));
	return 0;
}

static void file_closep(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* Is there more than comments? */
static bool has_records(FILE *file)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) >= 0)
		if (!strchr("\n\r \t;#", line[0]))
			return true;
	return false;
}

/*
 * libunbound reads the file later and cannot tell what is wrong with it; a file without any key is
 * right for it, and then nothing is ever validated.
 */
static int set_trust_anchor(struct ub_ctx *ub, const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_(file_closep) FILE *file = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	file = fdopen(fd, "r");
	if (!file)
		return -errno;
	steal_fd(&fd);
	return has_records(file) ? error_of(ub_ctx_add_ta_file(ub, path)) : -EBADMSG;
}

static void on_started(void *userdata _unused_, int error _unused_, struct ub_result *result)
{
	ub_resolve_free(result);
}

static int context_configure(struct dns *dns, struct ub_ctx *ub)
{
	int r = 0;

	if (ub_ctx_debugout(ub, NULL) != UB_NOERROR || ub_ctx_async(ub, true) != UB_NOERROR)
		return -EIO;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(options); i++)
		r = error_of(ub_ctx_set_option(ub, options[i].option, options[i].value));
	if (r == 0)
		r = set_servers(dns, ub);
	if (r == 0 && dns->config.trust_anchor)
		r = set_trust_anchor(ub, dns->config.trust_anchor);
	if (r < 0)
		return r;
	/* The first question puts all this into force and starts the thread; this one libunbound
	 * answers by itself. What can fail now is the trust anchor's syntax. */
	r = ub_resolve_async(ub, "localhost.", DNS_TYPE_A, DNS_CLASS_IN, NULL, on_started, NULL);
	return r == UB_INITFAIL ? -EBADMSG : error_of(r);
}

static void context_close(struct dns *dns)
{
	dns->io = loop_source_free(dns->io);
	if (dns->ub)
		ub_ctx_delete(dns->ub);
	dns->ub = NULL;
}

static int on_answers(void *userdata, int fd _unused_, unsigned int events _unused_)
{
	struct dns *dns = userdata;

	return error_of(ub_process(dns->ub));
}

static int context_open(struct dns *dns)
{
	int r;

	dns->ub = ub_ctx_create();
	if (!dns->ub)
		return -ENOMEM;
	r = context_configure(dns, dns->ub);
	if (r == 0)
		r = loop_io_add(dns->loop, ub_fd(dns->ub), LOOP_READ, on_answers, dns, &dns->io);
	if (r < 0)
		context_close(dns);
	return r;
}

/* ---- queries ---- */

/* The callback of whatever is cancelled here is not called any more. */
static void lookup_drop(struct dns_lookup *lookup)
{
	if (lookup->asked && !lookup->done)
		(void)ub_cancel(lookup->query->dns->ub, lookup->async_id);
	ub_resolve_free(lookup->result);
	memset(lookup, 0, sizeof(*lookup));
}

static void query_drop_lookups(struct dns_query *query)
{
	lookup_drop(&query->srv);
	for (size_t i = 0; i < query->n_places; i++)
		for (size_t k = 0; k < ARRAY_SIZE(query->places[i].lookups); k++)
			lookup_drop(&query->places[i].lookups[k]);
	free(steal_ptr(query->places));
	query->n_places = 0;
	query->pending = 0;
}

static struct dns_query *query_free(struct dns_query *query)
{
	query_drop_lookups(query);
	loop_source_free(query->timer);
	list_remove(&query->link);
	free(query);
	return NULL;
}

/* Give the answer as soon as nobody calls us. */
static void query_finish(struct dns_query *query)
{
	int r = loop_timer_set(query->timer, 0);

	/* If that fails the deadline is still set. */
	(void)r;
	query->finished = true;
}

static void query_fail(struct dns_query *query, const char *why)
{
	query->answer.reason = REASON_DNS_FAILED;
	text_addf(&query->detail, "%s", why);
	query_finish(query);
}

static void on_lookup(void *userdata, int error, struct ub_result *result);

static void lookup_start(struct dns_query *query, struct dns_lookup *lookup, const char *name,
			 int type)
{
	lookup->query = query;
	lookup->type = type;
	lookup->error = ub_resolve_async(query->dns->ub, name, type, DNS_CLASS_IN, lookup,
					 on_lookup, &lookup->async_id);
	lookup->asked = true;
	lookup->done = lookup->error != UB_NOERROR;
	query->pending += !lookup->done;
}

static void query_ask_places(struct dns_query *query)
{
	for (size_t i = 0; i < query->n_places; i++) {
		struct dns_place *place = &query->places[i];

		lookup_start(query, &place->lookups[0], place->host, DNS_TYPE_AAAA);
		lookup_start(query, &place->lookups[1], place->host, DNS_TYPE_A);
	}
	if (query->pending == 0)
		query_finish(query);
}

/* What can be shown as it is and means itself to libunbound, which takes backslashes for escapes.
 */
static bool is_plain(const char *name)
{
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '\\')
			return false;
	return true;
}

static void query_start(struct dns_query *query)
{
	const struct dns_question *question = &query->question;

	if (!is_plain(question->name)) {
		query_fail(query, "not a DNS name");
		return;
	}
	if (question->kind == DNS_SRV) {
		lookup_start(query, &query->srv, question->name, DNS_TYPE_SRV);
		if (query->srv.done)
			query_finish(query);
		return;
	}
	query->places = calloc(1, sizeof(*query->places));
	if (!query->places) {
		query_fail(query, strerror(ENOMEM));
		return;
	}
	query->n_places = 1;
	snprintf(query->places[0].host, sizeof(query->places[0].host), "%s", question->name);
	query->places[0].port = question->port;
	query_ask_places(query);
}

static void on_lookup(void *userdata, int error, struct ub_result *result)
{
	struct dns_lookup *lookup = userdata;
	struct dns_query *query = lookup->query;
	int r;

	lookup->done = true;
	lookup->error = error;
	lookup->result = result;
	query->pending--;
	if (lookup == &query->srv) {
		r = dns_answer_places(query, query->dns->config.require);
		if (r < 0)
			query_fail(query, strerror(-r));
		else
			query_ask_places(query);
	} else if (query->pending == 0) {
		query_finish(query);
	}
}

static int on_query_timer(void *userdata)
{
	struct dns_query *query = userdata;
	struct dns *dns = query->dns;

	/* The deadline's time may have come while the loop was late: what is there counts. */
	dns_answer_complete(query, dns->config.require);
	query_drop_lookups(query);
	list_remove(&query->link);
	query->fn(query->userdata, &query->answer);
	query_free(query);
	return 0;
}

/* ---- what others call ---- */

static bool resolv_conf_changed(const struct dns *dns)
{
	struct stat now;

	if (dns->config.n_servers > 0)
		return false;
	stat_resolv_conf(&now);
	return now.st_dev != dns->resolv_conf.st_dev || now.st_ino != dns->resolv_conf.st_ino ||
	       now.st_mtim.tv_sec != dns->resolv_conf.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != dns->resolv_conf.st_mtim.tv_nsec;
}

/* The servers are others now; what the old ones were asked the new ones are asked again. */
static int context_renew(struct dns *dns)
{
	int r;

	list_foreach (link, &dns->queries) {
		struct dns_query *query = container_of(link, struct dns_query, link);

		if (query->finished)
			continue;
		query_drop_lookups(query);
		memset(&query->answer, 0, sizeof(query->answer));
		query->detail = TEXT_INIT(query->answer.detail);
	}
	context_close(dns);
	r = context_open(dns);
	list_foreach (link, &dns->queries) {
		struct dns_query *query = container_of(link, struct dns_query, link);

		if (query->finished)
			continue;
		if (r < 0)
			query_fail(query, strerror(-r));
		else
			query_start(query);
	}
	return r;
}

int dns_new(struct loop *loop, const struct dns_config *config, struct dns **ret)
{
	struct dns *dns = calloc(1, sizeof(*dns));
	int r;

	if (!dns)
		return -ENOMEM;
	dns->loop = loop;
	dns->config = *config;
	dns->config.trust_anchor = config->trust_anchor ? strdup(config->trust_anchor) : NULL;
	list_init(&dns->queries);
	r = config->trust_anchor && !dns->config.trust_anchor ? -ENOMEM : context_open(dns);
	if (r < 0) {
		dns_free(dns);
		return r;
	}
	*ret = dns;
	return 0;
}

struct dns *dns_free(struct dns *dns)
{
	if (!dns)
		return NULL;
	while (!list_empty(&dns->queries))
		query_free(container_of(dns->queries.next, struct dns_query, link));
	context_close(dns);
	free(dns->config.trust_anchor);
	free(dns);
	return NULL;
}

int dns_resolve(struct dns *dns, const struct dns_question *question, dns_fn fn, void *userdata,
		struct dns_query **ret)
{
	struct dns_query *query;
	int r = 0;

	if (!dns->ub || resolv_conf_changed(dns))
		r = context_renew(dns);
	if (r < 0)
		return r;
	query = calloc(1, sizeof(*query));
	if (!query)
		return -ENOMEM;
	query->dns = dns;
	query->question = *question;
	query->fn = fn;
	query->userdata = userdata;
	query->detail = TEXT_INIT(query->answer.detail);
	list_append(&dns->queries, &query->link);
	r = loop_timer_add(dns->loop, dns->config.timeout_ms, on_query_timer, query, &query->timer);
	if (r < 0) {
		query_free(query);
		return r;
	}
	query_start(query);
	*ret = query;
	return 0;
}

struct dns_query *dns_cancel(struct dns_query *query)
{
	return query ? query_free(query) : NULL;
}
