/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The two configuration files, one after the other in one input with a line "--topology--" between
 * them, and perhaps a newer topology behind a line "--new--". A mistake has to be told with a text,
 * and what is accepted has to hold what the rest of the program relies on without looking again;
 * warnings and differences have to be lines.
 */

#include <conf/conf-private.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARKER	 "--topology--\n"
#define NEW	 "--new--\n"
#define DAEMON	 "/c/siptlsd.conf"
#define TOPOLOGY "/c/topology.conf"

struct input {
	const char *text[2];
	size_t size[2];
};

static int give_text(void *userdata, const char *path, const char **ret, size_t *ret_size,
		     struct text *reason)
{
	const struct input *input = userdata;
	int i = strcmp(path, TOPOLOGY) == 0;

	if (!i && strcmp(path, DAEMON) != 0) {
		text_addf(reason, "no file %s", path);
		return CONF_E_INVALID;
	}
	*ret = input->text[i];
	*ret_size = input->size[i];
	return 0;
}

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static bool is_host(const char *name)
{
	return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(name) &&
	       strlen(name) <= DNS_NAME_MAX;
}

static void check_anchors(const struct trust_anchors *anchors)
{
	demand(anchors->name[0] && anchors->n_files > 0);
	demand(anchors->revocation < _TRUST_REVOCATION_MAX);
	for (size_t k = 0; k < anchors->n_files; k++)
		demand(anchors->files[k][0] == '/');
	for (size_t k = 0; k < anchors->n_crl_files; k++)
		demand(anchors->crl_files[k][0] == '/');
	for (size_t k = 0; k < anchors->n_crl_urls; k++)
		demand(strlen(anchors->crl_urls[k]) <= TRUST_URL_MAX &&
		       strncasecmp(anchors->crl_urls[k], "http", 4) == 0);
}

static void check_entry(const struct trust_policy *policy, const struct trust_entry *entry)
{
	demand(entry->anchors < policy->n_anchors && entry->line > 0 && entry->port > 0);
	demand(entry->kind < _TRUST_KIND_MAX && entry->profile < _TRUST_PROFILE_MAX);
	demand(entry->usage < _TRUST_USAGE_MAX);
	demand(entry->directions >= 1 && entry->directions <= 3);
	demand(!entry->wildcard || entry->profile == TRUST_RFC9525);
	demand(entry->rate == TRUST_RATE_NONE || entry->rate < policy->n_rates);
	demand((entry->kind == TRUST_DOMAIN) == (entry->locate != TRUST_LOCATE_HOST));
	demand(entry->locate < _TRUST_LOCATE_MAX);
	for (size_t k = 0; k < entry->n_members; k++)
		demand(is_host(entry->members[k].name));
	for (size_t k = 0; k < entry->n_domains; k++)
		demand(is_host(entry->domains[k]));
	if (entry->kind == TRUST_DISCOVERED) {
		demand(entry->n_members == 0 && entry->rate != TRUST_RATE_NONE);
		demand(entry->directions == TRUST_INBOUND && entry->name[0]);
		return;
	}
	demand(entry->n_members > 0 && is_host(entry->name));
}

static void check_policy(const struct trust_policy *policy)
{
	demand(policy->serial >= 1 && policy->serial <= INT64_MAX);
	demand(policy->depth >= 1 && policy->depth <= TRUST_CHAIN_MAX);
	for (size_t i = 0; i < policy->n_anchors; i++)
		check_anchors(&policy->anchors[i]);
	for (size_t i = 0; i < policy->n_entries; i++)
		check_entry(policy, &policy->entries[i]);
	for (size_t i = 0; i < policy->n_rates; i++)
		demand(policy->rates[i].bytes_per_second > 0 && policy->rates[i].burst >= 1500);
	for (size_t i = 0; i < policy->n_blocked; i++)
		demand(is_host(policy->blocked[i] + (policy->blocked[i][0] == '.')));
}

static void check_dial(const struct conf *conf, const struct conf_dial *dial)
{
	const struct trust_entry *entry = &conf->trust.entries[dial->entry];

	demand(dial->n_addresses > 0 && dial->identity < conf->n_identities);
	demand(dial->entry < conf->trust.n_entries);
	demand(dial->member < entry->n_members);
	if (dial->to.len) {
		demand(net_addr_port(&dial->to) != 0);
		return;
	}
	demand(dial->lookup.name[0] && dial->lookup.kind < _DNS_KIND_MAX);
	demand((dial->lookup.kind == DNS_SRV) == (entry->kind == TRUST_DOMAIN));
	demand(dial->lookup.kind == DNS_SRV || dial->lookup.port == entry->port);
}

static void check_conf(const struct conf *conf)
{
	demand(conf->n_identities > 0 && conf->control_path[0] == '/');
	demand(conf->workers >= 1 && conf->workers <= 64);
	demand(conf->relay_threads >= 1 && conf->relay_threads <= 16);
	for (size_t i = 0; i < conf->n_identities; i++)
		demand(conf->identities[i].certificate[0] == '/' &&
		       conf->identities[i].key[0] == '/' && conf->identities[i].line_key > 0);
	for (size_t i = 0; i < conf->n_listeners; i++) {
		const struct conf_listener *listener = &conf->listeners[i];

		demand(listener->n_addresses > 0 && listener->n_identities > 0);
		demand(net_addr_port(&listener->backend) != 0);
		demand(!listener->tls12 || listener->kind == CONF_LISTENER_CLIENT);
		for (size_t k = 0; k < listener->n_identities; k++)
			demand(listener->identities[k] < conf->n_identities);
	}
	demand(conf->state[0] == '/' && conf->dns.n_servers <= DNS_SERVERS_MAX);
	demand(!conf->dns.require || conf->dns.trust_anchor);
	for (size_t i = 0; i < conf->n_dials; i++)
		check_dial(conf, &conf->dials[i]);
	check_policy(&conf->trust);
}

static void count_line(void *userdata, const char *line)
{
	size_t *n = userdata;

	demand(line[0] && !strchr(line, '\n') && strlen(line) < 8192);
	(*n)++;
}

static int read_conf(const struct input *input, struct conf **ret)
{
	struct conf_source source = { DAEMON, (void *)(uintptr_t)input, give_text, NULL };
	struct conf_error error = { 0 };
	size_t n = 0;
	int r;

	r = conf_read(&source, ret, &error);
	if (r != 0) {
		demand(r == CONF_E_INVALID && !*ret && error.file[0] && error.text[0]);
		return r;
	}
	check_conf(*ret);
	conf_warnings(*ret, false, count_line, &n);
	n = 0;
	conf_diff(*ret, *ret, count_line, &n);
	demand(n == 0);
	conf_diff(NULL, *ret, count_line, &n);
	demand(n > 0); /* an identity, at least */
	return 0;
}

/* What comes one way goes the other. */
static void compare(const struct conf *a, const struct conf *b)
{
	size_t forth = 0, back = 0;

	conf_diff(a, b, count_line, &forth);
	conf_diff(b, a, count_line, &back);
	demand(forth == back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *marker = size ? memmem(text, size, MARKER, strlen(MARKER)) : NULL, *newer;
	struct input input = { { text, "" }, { size, 0 } };
	struct conf *conf = NULL, *next = NULL;

	if (marker) {
		input.size[0] = (size_t)(marker - text);
		input.text[1] = marker + strlen(MARKER);
		input.size[1] = size - input.size[0] - strlen(MARKER);
	}
	newer = input.size[1] ? memmem(input.text[1], input.size[1], NEW, strlen(NEW)) : NULL;
	if (newer) {
		struct input later = input;

		input.size[1] = (size_t)(newer - input.text[1]);
		later.text[1] = newer + strlen(NEW);
		later.size[1] -= input.size[1] + strlen(NEW);
		(void)read_conf(&later, &next);
	}
	if (read_conf(&input, &conf) == 0 && next)
		compare(conf, next);
	conf_free(conf);
	conf_free(next);
	return 0;
}
