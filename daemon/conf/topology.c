/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * topology.conf: which servers there are, and whose CAs vouch for which of them. The file is the
 * same on all servers of the network, so nothing here depends on this one.
 */

#include <conf/topology.h>

/* The sections that bring CAs. */
static const struct {
	const char *section;
	bool internal;
} anchor_kinds[] = { { "site", true }, { "partner", false }, { "discovered", false } };

/* ---- sites, partners, discovered ---- */

/* The CAs are read once, with the configuration. */
static int read_ca_files(struct topology_reader *r, cfg_t *section, struct trust_anchors *anchors)
{
	size_t n = conf_tree_count(section, "anchors");

	anchors->line = conf_tree_value(section, "anchors", 0)->line;
	anchors->files = conf_array_new(n, sizeof(*anchors->files));
	if (!anchors->files)
		return -ENOMEM;
	for (; anchors->n_files < n; anchors->n_files++) {
		const struct conf_name name = { r->tree, section, "anchors",
						conf_tree_value(section, "anchors",
								anchors->n_files) };
		int e;

		e = conf_read_file(r->source, &name, SNAPSHOT_MATERIAL,
				   &anchors->files[anchors->n_files]);
		if (e)
			return e;
	}
	return 0;
}

/* CRLs come and go while the configuration stays; who watches them deals with one that is missing.
 */
static int read_crl_files(struct topology_reader *r, cfg_t *section, struct trust_anchors *anchors)
{
	size_t n = conf_tree_count(section, "crl");

	anchors->crl_files = conf_array_new(n, sizeof(*anchors->crl_files));
	if (!anchors->crl_files)
		return -ENOMEM;
	for (; anchors->n_crl_files < n; anchors->n_crl_files++) {
		const struct conf_name name = { r->tree, section, "crl",
						conf_tree_value(section, "crl",
								anchors->n_crl_files) };
		int e;

		e = conf_read_path(&name, CONF_FOLDER_MAX,
				   &anchors->crl_files[anchors->n_crl_files]);
		if (e)
			return e;
	}
	return 0;
}

static int read_anchors(struct topology_reader *r, cfg_t *section, bool internal,
			struct trust_anchors *anchors)
{
	int e;

	anchors->name = strdup(section->title);
	if (!anchors->name)
		return -ENOMEM;
	anchors->internal = internal;
	anchors->revocation = (enum trust_revocation)conf_tree_number(section, "revocation");
	anchors->crl_fetch = conf_tree_number(section, "crl_fetch");
	anchors->crl_grace_s = (uint32_t)((conf_tree_number(section, "crl_grace") + 999) / 1000);
	e = read_ca_files(r, section, anchors);
	if (e)
		return e;
	e = read_crl_files(r, section, anchors);
	if (e)
		return e;
	return conf_tree_texts(section, "crl_url", &anchors->crl_urls, &anchors->n_crl_urls);
}

/* Room for all, so that what is read stays where it is. */
static int make_room(struct topology_reader *r)
{
	size_t n_anchors = 0, n_entries = 0;

	for (size_t k = 0; k < ARRAY_SIZE(anchor_kinds); k++) {
		const char *section = anchor_kinds[k].section;
		size_t n = conf_tree_count(r->tree->root, section);

		n_anchors += n;
		for (size_t i = 0; i < n; i++)
			n_entries +=
				conf_entries_count(conf_tree_section(r->tree->root, section, i));
	}
	r->policy->anchors = conf_array_new(n_anchors, sizeof(*r->policy->anchors));
	r->policy->entries = conf_array_new(n_entries, sizeof(*r->policy->entries));
	return r->policy->anchors && r->policy->entries ? 0 : -ENOMEM;
}

static int read_owners(struct topology_reader *r)
{
	cfg_t *root = r->tree->root;
	int e;

	e = make_room(r);
	if (e)
		return e;
	for (size_t k = 0; k < ARRAY_SIZE(anchor_kinds); k++) {
		for (size_t i = 0; i < conf_tree_count(root, anchor_kinds[k].section); i++) {
			cfg_t *section = conf_tree_section(root, anchor_kinds[k].section, i);
			uint32_t index = (uint32_t)r->policy->n_anchors++;

			e = conf_entries_read(r, section, index);
			if (e)
				return e;
			e = read_anchors(r, section, anchor_kinds[k].internal,
					 &r->policy->anchors[index]);
			if (e)
				return e;
		}
	}
	return conf_names_check(r);
}

/* ---- the rest ---- */

static int read_rates(struct topology_reader *r)
{
	cfg_t *root = r->tree->root;
	size_t n = conf_tree_count(root, "rate");

	r->policy->rates = conf_array_new(n, sizeof(*r->policy->rates));
	if (!r->policy->rates)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		cfg_t *section = conf_tree_section(root, "rate", i);
		struct trust_rate *rate = &r->policy->rates[i];

		rate->name = strdup(section->title);
		if (!rate->name)
			return -ENOMEM;
		r->policy->n_rates++;
		rate->bytes_per_second = conf_tree_number(section, "bytes");
		rate->burst = conf_tree_number(section, "burst");
		rate->line = (uint32_t)section->line;
	}
	return 0;
}

static int read_blocks(struct topology_reader *r)
{
	struct trust_policy *policy = r->policy;
	cfg_t *root = r->tree->root;
	size_t n = conf_tree_count(root, "block_certificate");

	policy->blocked_fingerprints = conf_array_new(n, sizeof(*policy->blocked_fingerprints));
	if (!policy->blocked_fingerprints)
		return -ENOMEM;
	for (; policy->n_blocked_fingerprints < n; policy->n_blocked_fingerprints++) {
		size_t i = policy->n_blocked_fingerprints;

		memcpy(policy->blocked_fingerprints[i],
		       conf_tree_value(root, "block_certificate", i)->fingerprint,
		       sizeof(policy->blocked_fingerprints[i]));
	}
	return conf_tree_texts(root, "block", &policy->blocked, &policy->n_blocked);
}

static int read_all(struct topology_reader *r)
{
	static int (*const parts[])(struct topology_reader *) = { read_rates, read_blocks,
								  read_owners };
	cfg_t *root = r->tree->root;

	r->policy->path = strdup(r->path);
	if (!r->policy->path)
		return -ENOMEM;
	r->policy->serial = conf_tree_number(root, "serial");
	r->policy->depth = (uint8_t)conf_tree_number(root, "depth");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int e = parts[i](r);

		if (e)
			return e;
	}
	return 0;
}

int conf_topology_read(const struct conf_source *source, const char *path, const char *text,
		       size_t size, struct trust_policy *ret, struct conf_error *reterr)
{
	_cleanup_(conf_topology_done) struct trust_policy policy = { 0 };
	_cleanup_(conf_tree_done) struct conf_tree tree = { 0 };
	struct topology_reader r = {
		.source = source, .path = path, .tree = &tree, .policy = &policy
	};
	int e;

	e = conf_tree_parse(conf_options_topology, path, text, size, &tree, reterr);
	if (e)
		return e;
	e = read_all(&r);
	free(r.names);
	if (e)
		return e;
	*ret = policy;
	policy = (struct trust_policy){ 0 };
	return 0;
}

void conf_topology_done(struct trust_policy *policy)
{
	for (size_t i = 0; i < policy->n_anchors; i++) {
		struct trust_anchors *anchors = &policy->anchors[i];

		conf_texts_free(anchors->files, anchors->n_files);
		conf_texts_free(anchors->crl_files, anchors->n_crl_files);
		conf_texts_free(anchors->crl_urls, anchors->n_crl_urls);
		free(anchors->name);
	}
	for (size_t i = 0; i < policy->n_entries; i++)
		conf_entry_done(&policy->entries[i]);
	for (size_t i = 0; i < policy->n_rates; i++)
		free(policy->rates[i].name);
	free(policy->rates);
	conf_texts_free(policy->blocked, policy->n_blocked);
	free(policy->blocked_fingerprints);
	free(policy->anchors);
	free(policy->entries);
	free(policy->path);
	*policy = (struct trust_policy){ 0 };
}
