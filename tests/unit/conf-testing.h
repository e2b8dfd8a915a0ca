/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Two configuration files in memory, read as the real ones are; for all tests of conf. */

#include <conf/conf-private.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define DAEMON	 "/etc/siptls/siptlsd.conf"
#define TOPOLOGY "/etc/siptls/net/topology.conf"

struct files {
	const char *daemon, *topology;
	size_t daemon_size, topology_size;
	char mentioned[1024];
};

static int give_text(void *userdata, const char *path, const char **ret, size_t *ret_size,
		     struct text *reason)
{
	struct files *files = userdata;

	if (strcmp(path, DAEMON) == 0) {
		*ret = files->daemon;
		*ret_size = files->daemon_size;
	} else if (strcmp(path, TOPOLOGY) == 0) {
		*ret = files->topology;
		*ret_size = files->topology_size;
	} else {
		text_addf(reason, "no file %s", path);
		return CONF_E_INVALID;
	}
	return 0;
}

static int take_mention(void *userdata, const char *path, enum snapshot_kind kind,
			struct text *reason)
{
	struct files *files = userdata;
	size_t len = strlen(files->mentioned);

	if (strstr(path, "missing")) {
		text_addf(reason, "no file %s", path);
		return CONF_E_INVALID;
	}
	snprintf(files->mentioned + len, sizeof(files->mentioned) - len, "%s%s ",
		 kind == SNAPSHOT_IDENTITY ? "our " : "", path);
	return 0;
}

static _unused_ int load_sized(struct files *files, struct conf **ret, struct conf_error *error)
{
	struct conf_source source = { DAEMON, files, give_text, take_mention };

	return conf_read(&source, ret, error);
}

static _unused_ int load(const char *daemon, const char *topology, struct conf **ret,
			 struct conf_error *error)
{
	struct files files = { daemon, topology, strlen(daemon), strlen(topology), "" };

	return load_sized(&files, ret, error);
}

static _unused_ struct conf *load_good(const char *daemon, const char *topology)
{
	struct conf_error error = { 0 };
	struct conf *conf = NULL;
	int r = load(daemon, topology, &conf, &error);

	if (r)
		fail_msg("%d: %s:%u: %s", r, error.file, error.line, error.text);
	return conf;
}

/* A string in which the first @find becomes @replace. */
static _unused_ char *change(const char *good, const char *find, const char *replace)
{
	const char *at = strstr(good, find);
	char *changed;

	if (!at)
		fail_msg("\"%s\" is not in the good file", find);
	assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - good), good, replace,
			     at + strlen(find)) >= 0);
	return changed;
}

static _unused_ void assert_addr(const struct net_addr *addr, const char *text)
{
	char buf[NET_ADDR_STRLEN];

	assert_string_equal(net_addr_format(addr, buf), text);
}

/* A good file with one place changed, and what is told of it; no needle: it is still good. */
struct mistake {
	const char *find, *replace;
	uint32_t line;
	const char *needle;
};

static _unused_ void check_mistake(const struct mistake *m, const char *file, const char *daemon,
				   const char *topology)
{
	struct conf_error error = { .file = "none" };
	struct conf *conf = NULL;
	int r = load(daemon, topology, &conf, &error);

	if (!m->needle) {
		if (r)
			fail_msg("\"%s\" -> \"%s\": %s", m->find, m->replace, error.text);
		conf_free(conf);
		return;
	}
	if (r != CONF_E_INVALID || conf || strcmp(error.file, file) != 0 || error.line != m->line ||
	    !strstr(error.text, m->needle))
		fail_msg("\"%s\" -> \"%s\": %d %s:%u: %s; expected line %u, \"%s\"", m->find,
			 m->replace, r, error.file, error.line, error.text, m->line, m->needle);
}
