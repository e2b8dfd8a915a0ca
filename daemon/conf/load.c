/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* siptlsd.conf: what this server is, where it listens, whom it dials. */

#include <conf/conf-private.h>

#define SOCKET_PATH_MAX 107 /* bytes that fit into struct sockaddr_un, unix(7) */

/* ---- files ---- */

int conf_read_path(const struct conf_name *name, size_t max, char **ret)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = conf_path_resolve(name->tree->file, name->value->text, &path);
	if (r)
		return r;
	if (strlen(path) > max)
		return conf_tree_fail(name->tree, name->section, name->option, name->value->line,
				      "expected a path of at most %zu bytes, found \"%s\"", max,
				      path);
	*ret = steal_ptr(path);
	return 0;
}

int conf_read_file(const struct conf_source *source, const struct conf_name *name,
		   enum snapshot_kind kind, char **ret)
{
	_cleanup_free_ char *path = NULL;
	char buf[sizeof(name->tree->error->text)] = "";
	struct text reason = TEXT_INIT(buf);
	int r;

	r = conf_read_path(name, CONF_STRING_MAX, &path);
	if (r)
		return r;
	r = source->mention ? source->mention(source->userdata, path, kind, &reason) : 0;
	if (r > 0)
		return conf_tree_fail(name->tree, name->section, name->option, name->value->line,
				      "%s", buf);
	if (r < 0)
		return r;
	*ret = steal_ptr(path);
	return 0;
}

/* ---- identities ---- */

static int read_identity(struct conf_reader *r, cfg_t *section, struct conf_identity *identity)
{
	const struct {
		const char *option;
		char **path;
		uint32_t *line;
	} files[] = {
		{ "certificate", &identity->certificate, &identity->line_certificate },
		{ "key", &identity->key, &identity->line_key },
		{ "ocsp", &identity->ocsp, &identity->line_ocsp },
	};

	identity->name = strdup(section->title);
	if (!identity->name)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct conf_name name = { r->tree, section, files[i].option,
					  conf_tree_value(section, files[i].option, 0) };
		int e;

		if (!name.value)
			continue;
		*files[i].line = name.value->line;
		e = conf_read_file(r->source, &name, SNAPSHOT_IDENTITY, files[i].path);
		if (e)
			return e;
	}
	return 0;
}

static int read_identities(struct conf_reader *r)
{
	struct conf *conf = r->conf;
	size_t n = conf_tree_count(r->tree->root, "identity");

	conf->identities = conf_array_new(n, sizeof(*conf->identities));
	if (!conf->identities)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int e;

		e = read_identity(r, conf_tree_section(r->tree->root, "identity", i),
				  &conf->identities[conf->n_identities++]);
		if (e)
			return e;
	}
	return 0;
}

/* ---- the whole ---- */

/* The path that an option with a fallback names; NULL without one. */
static int read_path(struct conf_reader *r, cfg_t *section, const char *option, size_t max,
		     char **ret)
{
	const struct conf_value *value = conf_tree_value(section, option, 0);

	if (!value)
		return 0;
	return conf_read_path(&(struct conf_name){ r->tree, section, option, value }, max, ret);
}

static int read_dns(struct conf_reader *r)
{
	cfg_t *section = conf_tree_section(r->tree->root, "dns", 0);
	const struct conf_value *dnssec = conf_tree_value(section, "dnssec", 0);
	struct dns_config *dns = &r->conf->dns;
	size_t n = conf_tree_count(section, "server");

	if (n > DNS_SERVERS_MAX)
		return conf_tree_fail(r->tree, section, "server",
				      conf_tree_value(section, "server", DNS_SERVERS_MAX)->line,
				      "expected at most %d name servers", DNS_SERVERS_MAX);
	for (; dns->n_servers < n; dns->n_servers++)
		dns->servers[dns->n_servers] =
			conf_tree_value(section, "server", dns->n_servers)->address;
	dns->timeout_ms = (uint32_t)conf_tree_number(section, "timeout");
	dns->require = dnssec->number;
	if (dns->require && !conf_tree_value(section, "trust_anchor", 0))
		return conf_tree_fail(r->tree, section, "dnssec", dnssec->line,
				      "expected trust_anchor with \"require\", found none");
	return read_path(r, section, "trust_anchor", CONF_STRING_MAX, &dns->trust_anchor);
}

static void read_limits(struct conf_reader *r)
{
	cfg_t *limits = conf_tree_section(r->tree->root, "limits", 0);

	r->conf->limits = (struct conf_limits){
		.handshake_timeout_ms = (uint32_t)conf_tree_number(limits, "handshake_timeout"),
		.connect_timeout_ms = (uint32_t)conf_tree_number(limits, "connect_timeout"),
		.half_close_timeout_ms = (uint32_t)conf_tree_number(limits, "half_close_timeout"),
		.unauthenticated = (uint32_t)conf_tree_number(limits, "unauthenticated"),
		.unauthenticated_per_source =
			(uint32_t)conf_tree_number(limits, "unauthenticated_per_source"),
		.sessions = (uint32_t)conf_tree_number(limits, "sessions"),
		.session_age_ms = conf_tree_number(limits, "session_age"),
		.identity_drain_ms = conf_tree_number(limits, "identity_drain"),
		.trust_grace_ms = conf_tree_number(limits, "trust_grace"),
		.expiry_warning_s = (conf_tree_number(limits, "expiry_warning") + 999) / 1000,
	};
}

static int read_globals(struct conf_reader *r)
{
	cfg_t *root = r->tree->root, *control = conf_tree_section(root, "control", 0);
	struct conf *conf = r->conf;
	int e;

	conf->kernel = (enum conf_kernel)conf_tree_number(root, "kernel");
	conf->workers = (uint32_t)conf_tree_number(root, "workers");
	conf->relay_threads = (uint32_t)conf_tree_number(root, "relay_threads");
	read_limits(r);
	e = read_path(r, root, "state", CONF_FOLDER_MAX, &conf->state);
	if (e)
		return e;
	e = read_path(r, control, "socket", SOCKET_PATH_MAX, &conf->control_path);
	if (e)
		return e;
	return conf_tree_text(control, "group", &conf->control_group);
}

static int read_topology(struct conf_reader *r)
{
	const struct conf_tree *tree = r->tree;
	const struct conf_value *topology = conf_tree_value(tree->root, "topology", 0);
	char buf[sizeof(tree->error->text)] = "";
	struct text reason = TEXT_INIT(buf);
	struct conf *conf = r->conf;
	const char *text;
	size_t size;
	int e;

	e = read_path(r, tree->root, "topology", CONF_STRING_MAX, &conf->topology_path);
	if (e)
		return e;
	e = r->source->text(r->source->userdata, conf->topology_path, &text, &size, &reason);
	if (e > 0)
		return conf_tree_fail(tree, tree->root, "topology", topology->line, "%s", buf);
	if (e < 0)
		return e;
	return conf_topology_read(r->source, conf->topology_path, text, size, &conf->trust,
				  tree->error);
}

static int read_all(struct conf_reader *r)
{
	static int (*const parts[])(struct conf_reader *) = {
		read_globals,	     read_dns,	      read_topology, read_identities,
		conf_read_listeners, conf_read_dials,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int e = parts[i](r);

		if (e)
			return e;
	}
	return 0;
}

int conf_read(const struct conf_source *source, struct conf **ret, struct conf_error *reterr)
{
	_cleanup_(conf_freep) struct conf *conf = NULL;
	_cleanup_(conf_tree_done) struct conf_tree tree = { 0 };
	_cleanup_free_ struct conf_reader *r = NULL;
	char buf[sizeof(reterr->text)] = "";
	struct text reason = TEXT_INIT(buf);
	const char *text;
	size_t size;
	int e;

	conf = calloc(1, sizeof(*conf));
	r = calloc(1, sizeof(*r));
	if (!conf || !r)
		return -ENOMEM;
	conf->path = strdup(source->path);
	if (!conf->path)
		return -ENOMEM;
	e = source->text(source->userdata, source->path, &text, &size, &reason);
	if (e > 0)
		conf_error_set(reterr, source->path, 0, "%s", buf);
	if (e)
		return e;
	e = conf_tree_parse(conf_options_daemon, source->path, text, size, &tree, reterr);
	if (e)
		return e;
	*r = (struct conf_reader){ .source = source, .tree = &tree, .conf = conf };
	e = read_all(r);
	if (e)
		return e;
	*ret = steal_ptr(conf);
	return 0;
}

struct conf *conf_free(struct conf *conf)
{
	if (!conf)
		return NULL;
	for (size_t i = 0; i < conf->n_identities; i++) {
		free(conf->identities[i].name);
		free(conf->identities[i].certificate);
		free(conf->identities[i].key);
		free(conf->identities[i].ocsp);
	}
	for (size_t i = 0; i < conf->n_listeners; i++) {
		free(conf->listeners[i].name);
		free(conf->listeners[i].addresses);
		free(conf->listeners[i].identities);
	}
	for (size_t i = 0; i < conf->n_dials; i++) {
		free(conf->dials[i].name);
		free(conf->dials[i].addresses);
	}
	free(conf->identities);
	free(conf->listeners);
	free(conf->dials);
	conf_topology_done(&conf->trust);
	free(conf->state);
	free(conf->dns.trust_anchor);
	free(conf->control_path);
	free(conf->control_group);
	free(conf->topology_path);
	free(conf->path);
	free(conf);
	return NULL;
}
