/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* siptlsd.conf: what this server is, where it listens, whom it dials. */

#include <conf/conf-private.h>

#define SOCKET_PATH_MAX 107 /* bytes that fit into struct sockaddr_un, unix(7) */

/* ---- files ---- */

static int resolve(const struct conf_tree *tree, const cfg_t *section, const char *option,
		   const struct conf_value *value, size_t max, char **ret)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = conf_path_resolve(tree->file, value->text, &path);
	if (r)
		return r;
	if (strlen(path) > max)
		return conf_tree_fail(tree, section, option, value->line,
				      "expected a path of at most %zu bytes, found \"%s\"", max,
				      path);
	*ret = steal_ptr(path);
	return 0;
}

int conf_read_file(const struct conf_source *source, const struct conf_tree *tree,
		   const cfg_t *section, const char *option, const struct conf_value *value,
		   char **ret)
{
	_cleanup_free_ char *path = NULL;
	char buf[sizeof(tree->error->text)] = "";
	struct text reason = TEXT_INIT(buf);
	int r;

	r = resolve(tree, section, option, value, CONF_STRING_MAX, &path);
	if (r)
		return r;
	r = source->mention ? source->mention(source->userdata, path, &reason) : 0;
	if (r > 0)
		return conf_tree_fail(tree, section, option, value->line, "%s", buf);
	if (r < 0)
		return r;
	*ret = steal_ptr(path);
	return 0;
}

/* ---- identities ---- */

static int read_identity(struct conf_reader *r, cfg_t *section, struct conf_identity *identity)
{
	const struct conf_value *certificate = conf_tree_value(section, "certificate", 0);
	const struct conf_value *key = conf_tree_value(section, "key", 0);
	int e;

	identity->line_certificate = certificate->line;
	identity->line_key = key->line;
	identity->name = strdup(section->title);
	if (!identity->name)
		return -ENOMEM;
	e = conf_read_file(r->source, r->tree, section, "certificate", certificate,
			   &identity->certificate);
	if (e)
		return e;
	return conf_read_file(r->source, r->tree, section, "key", key, &identity->key);
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

static int read_globals(struct conf_reader *r)
{
	cfg_t *root = r->tree->root, *control = conf_tree_section(root, "control", 0);
	cfg_t *limits = conf_tree_section(root, "limits", 0);
	struct conf *conf = r->conf;
	int e;

	conf->kernel = (enum conf_kernel)conf_tree_number(root, "kernel");
	conf->workers = (uint32_t)conf_tree_number(root, "workers");
	conf->relay_threads = (uint32_t)conf_tree_number(root, "relay_threads");
	conf->limits = (struct conf_limits){
		.handshake_timeout_ms = (uint32_t)conf_tree_number(limits, "handshake_timeout"),
		.connect_timeout_ms = (uint32_t)conf_tree_number(limits, "connect_timeout"),
		.half_close_timeout_ms = (uint32_t)conf_tree_number(limits, "half_close_timeout"),
		.unauthenticated = (uint32_t)conf_tree_number(limits, "unauthenticated"),
		.unauthenticated_per_source =
			(uint32_t)conf_tree_number(limits, "unauthenticated_per_source"),
		.sessions = (uint32_t)conf_tree_number(limits, "sessions"),
	};
	e = resolve(r->tree, control, "socket", conf_tree_value(control, "socket", 0),
		    SOCKET_PATH_MAX, &conf->control_path);
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

	e = resolve(tree, tree->root, "topology", topology, CONF_STRING_MAX, &conf->topology_path);
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
		read_globals, read_topology, read_identities, conf_read_listeners, conf_read_dials,
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
	free(conf->control_path);
	free(conf->control_group);
	free(conf->topology_path);
	free(conf->path);
	free(conf);
	return NULL;
}
