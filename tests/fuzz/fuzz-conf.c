/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The two configuration files, one after the other in one input with a line "--topology--" between
 * them. A mistake has to be told with a text, and what is accepted has to hold what the rest of
 * the program relies on without looking again.
 */

#include <conf/conf-private.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARKER	 "--topology--\n"
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

static void check_policy(const struct trust_policy *policy)
{
	demand(policy->serial >= 1 && policy->serial <= INT64_MAX);
	demand(policy->depth >= 1 && policy->depth <= TRUST_CHAIN_MAX);
	for (size_t i = 0; i < policy->n_anchors; i++) {
		demand(policy->anchors[i].name[0] && policy->anchors[i].n_files > 0);
		for (size_t k = 0; k < policy->anchors[i].n_files; k++)
			demand(policy->anchors[i].files[k][0] == '/');
	}
	for (size_t i = 0; i < policy->n_entries; i++) {
		const struct trust_entry *entry = &policy->entries[i];

		demand(entry->anchors < policy->n_anchors && entry->line > 0);
		demand(entry->kind < _TRUST_KIND_MAX && entry->profile < _TRUST_PROFILE_MAX);
		demand(entry->usage < _TRUST_USAGE_MAX && entry->n_members > 0);
		demand(entry->directions >= 1 && entry->directions <= 3);
		demand(!entry->wildcard || entry->profile == TRUST_RFC9525);
		demand(strspn(entry->name, "abcdefghijklmnopqrstuvwxyz0123456789-.") ==
		       strlen(entry->name));
		for (size_t k = 0; k < entry->n_members; k++)
			demand(entry->members[k].name[0]);
	}
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
	for (size_t i = 0; i < conf->n_dials; i++) {
		const struct conf_dial *dial = &conf->dials[i];

		demand(dial->n_addresses > 0 && dial->identity < conf->n_identities);
		demand(dial->entry < conf->trust.n_entries);
		demand(dial->member < conf->trust.entries[dial->entry].n_members);
		demand(net_addr_port(&dial->to) != 0);
	}
	check_policy(&conf->trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *marker = size ? memmem(text, size, MARKER, strlen(MARKER)) : NULL;
	struct input input = { { text, "" }, { size, 0 } };
	struct conf_source source = { DAEMON, &input, give_text, NULL };
	struct conf_error error = { 0 };
	struct conf *conf = NULL;
	int r;

	if (marker) {
		input.size[0] = (size_t)(marker - text);
		input.text[1] = marker + strlen(MARKER);
		input.size[1] = size - input.size[0] - strlen(MARKER);
	}
	r = conf_read(&source, &conf, &error);
	if (r == 0)
		check_conf(conf);
	else
		demand(r == CONF_E_INVALID && !conf && error.file[0] && error.text[0]);
	conf_free(conf);
	return 0;
}
