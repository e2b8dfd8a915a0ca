/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * topology.conf: which servers there are, and whose CAs vouch for which of them. The file is the
 * same on all servers of the network, so nothing here depends on this one.
 */

#include <conf/conf-private.h>

/* What a site and a partner are made of. */
static const struct {
	const char *section;
	bool internal;
} anchor_kinds[] = { { "site", true }, { "partner", false } };

static const struct {
	const char *anchors, *section;
	enum trust_kind kind;
} entry_kinds[] = {
	{ "site", "pool", TRUST_POOL },
	{ "site", "application", TRUST_APPLICATION },
	{ "partner", "server", TRUST_PARTNER },
};

/* Names that stand in the file, to find two that are the same. */
struct name {
	const char *name;
	uint32_t line;
	uint32_t entry;
	uint32_t member; /* counted from 1; 0: the entry itself */
	const cfg_t *section;
};

struct reader {
	const char *path;
	const struct conf_source *source;
	struct conf_tree *tree;
	struct trust_policy *policy;
	struct name *names;
	size_t n_names, n_names_max;
};

static int note_name(struct reader *r, const struct name *name)
{
	if (r->n_names == r->n_names_max) {
		size_t max = r->n_names_max ? 2 * r->n_names_max : 64;
		struct name *names = reallocarray(r->names, max, sizeof(*names));

		if (!names)
			return -ENOMEM;
		r->names = names;
		r->n_names_max = max;
	}
	r->names[r->n_names++] = *name;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = (x->entry > y->entry) - (x->entry < y->entry);
	if (order == 0)
		order = (x->member > y->member) - (x->member < y->member);
	return order;
}

/* A member may carry its own pool's name; nothing else may be called the same twice. */
static int check_names(struct reader *r)
{
	if (r->n_names == 0)
		return 0;
	qsort(r->names, r->n_names, sizeof(*r->names), compare_names);
	for (size_t i = 1; i < r->n_names; i++) {
		const struct name *a = &r->names[i - 1], *b = &r->names[i], *later;

		if (strcmp(a->name, b->name) != 0 || (a->entry == b->entry && a->member == 0))
			continue;
		later = a->line > b->line ? a : b;
		return conf_tree_fail(r->tree, later->section, NULL, later->line,
				      "expected a name that is not in use, found again after line "
				      "%u",
				      later == a ? b->line : a->line);
	}
	return 0;
}

/* ---- members ---- */

static int read_member(cfg_t *section, const char *name, struct trust_member *ret)
{
	ret->name = strdup(name);
	if (!ret->name)
		return -ENOMEM;
	return conf_tree_text(section, "address", &ret->address);
}

static int read_members(struct reader *r, cfg_t *section, struct trust_entry *entry)
{
	size_t n = conf_tree_count(section, "member");
	const struct conf_value *address = NULL;
	int e;

	/* A pool is only its members; any other entry may have an address of its own. */
	if (entry->kind != TRUST_POOL)
		address = conf_tree_value(section, "address", 0);
	if (n > 0 && address)
		return conf_tree_fail(r->tree, section, "address", address->line,
				      "expected no address next to members, found \"%s\"",
				      address->text);

	entry->members = conf_array_new(n ? n : 1, sizeof(*entry->members));
	if (!entry->members)
		return -ENOMEM;
	entry->n_members = n ? n : 1;
	if (n == 0)
		return read_member(section, entry->name, &entry->members[0]);

	for (size_t i = 0; i < n; i++) {
		cfg_t *member = conf_tree_section(section, "member", i);

		e = read_member(member, member->title, &entry->members[i]);
		if (e)
			return e;
		e = note_name(r, &(struct name){ entry->members[i].name, (uint32_t)member->line,
						 (uint32_t)(entry - r->policy->entries),
						 (uint32_t)i + 1, member });
		if (e)
			return e;
	}
	return 0;
}

/* ---- entries ---- */

static int read_entry(struct reader *r, cfg_t *section, enum trust_kind kind, uint32_t anchors,
		      struct trust_entry *entry)
{
	const struct conf_value *wildcard = conf_tree_value(section, "wildcard", 0);
	const struct conf_value *profile = conf_tree_value(section, "profile", 0);
	int e;

	entry->name = strdup(section->title);
	if (!entry->name)
		return -ENOMEM;
	entry->kind = kind;
	entry->anchors = anchors;
	entry->profile = (enum trust_profile)profile->number;
	entry->usage = (enum trust_usage)conf_tree_number(section, "key_usage");
	entry->wildcard = wildcard->number;
	entry->tls12 = conf_tree_number(section, "tls12");
	entry->directions = (uint8_t)(conf_tree_number(section, "direction") + 1);
	entry->line = (uint32_t)section->line;

	if (entry->wildcard && entry->profile != TRUST_RFC9525)
		return conf_tree_fail(r->tree, section, "wildcard", wildcard->line,
				      "expected true only with profile \"rfc9525\", found it with "
				      "\"%s\"",
				      profile->text);

	e = note_name(r, &(struct name){ entry->name, entry->line,
					 (uint32_t)(entry - r->policy->entries), 0, section });
	if (e)
		return e;
	return read_members(r, section, entry);
}

static int read_entries(struct reader *r, cfg_t *owner, uint32_t anchors)
{
	for (size_t k = 0; k < ARRAY_SIZE(entry_kinds); k++) {
		if (strcmp(entry_kinds[k].anchors, owner->name) != 0)
			continue;
		for (size_t i = 0; i < conf_tree_count(owner, entry_kinds[k].section); i++) {
			int e;

			e = read_entry(r, conf_tree_section(owner, entry_kinds[k].section, i),
				       entry_kinds[k].kind, anchors,
				       &r->policy->entries[r->policy->n_entries++]);
			if (e)
				return e;
		}
	}
	return 0;
}

/* ---- sites and partners ---- */

static int read_anchors(struct reader *r, cfg_t *section, bool internal,
			struct trust_anchors *anchors)
{
	size_t n = conf_tree_count(section, "anchors");

	anchors->internal = internal;
	anchors->line = conf_tree_value(section, "anchors", 0)->line;
	anchors->name = strdup(section->title);
	anchors->files = conf_array_new(n, sizeof(*anchors->files));
	if (!anchors->name || !anchors->files)
		return -ENOMEM;
	for (; anchors->n_files < n; anchors->n_files++) {
		int e;

		e = conf_read_file(r->source, r->tree, section, "anchors",
				   conf_tree_value(section, "anchors", anchors->n_files),
				   &anchors->files[anchors->n_files]);
		if (e)
			return e;
	}
	return 0;
}

/* Room for all, so that what is read stays where it is. */
static int make_room(struct reader *r)
{
	size_t n_anchors = 0, n_entries = 0;

	for (size_t k = 0; k < ARRAY_SIZE(anchor_kinds); k++)
		n_anchors += conf_tree_count(r->tree->root, anchor_kinds[k].section);
	for (size_t k = 0; k < ARRAY_SIZE(entry_kinds); k++) {
		const char *owner = entry_kinds[k].anchors;

		for (size_t i = 0; i < conf_tree_count(r->tree->root, owner); i++)
			n_entries += conf_tree_count(conf_tree_section(r->tree->root, owner, i),
						     entry_kinds[k].section);
	}
	r->policy->anchors = conf_array_new(n_anchors, sizeof(*r->policy->anchors));
	r->policy->entries = conf_array_new(n_entries, sizeof(*r->policy->entries));
	return r->policy->anchors && r->policy->entries ? 0 : -ENOMEM;
}

static int read_all(struct reader *r)
{
	struct trust_policy *policy = r->policy;
	cfg_t *root = r->tree->root;
	int e;

	policy->path = strdup(r->path);
	if (!policy->path)
		return -ENOMEM;
	policy->serial = conf_tree_number(root, "serial");
	policy->depth = (uint8_t)conf_tree_number(root, "depth");
	e = make_room(r);
	if (e)
		return e;
	for (size_t k = 0; k < ARRAY_SIZE(anchor_kinds); k++) {
		for (size_t i = 0; i < conf_tree_count(root, anchor_kinds[k].section); i++) {
			cfg_t *section = conf_tree_section(root, anchor_kinds[k].section, i);
			uint32_t index = (uint32_t)policy->n_anchors++;

			e = read_entries(r, section, index);
			if (e)
				return e;
			e = read_anchors(r, section, anchor_kinds[k].internal,
					 &policy->anchors[index]);
			if (e)
				return e;
		}
	}
	return check_names(r);
}

int conf_topology_read(const struct conf_source *source, const char *path, const char *text,
		       size_t size, struct trust_policy *ret, struct conf_error *reterr)
{
	_cleanup_(conf_topology_done) struct trust_policy policy = { 0 };
	_cleanup_(conf_tree_done) struct conf_tree tree = { 0 };
	struct reader r = { .source = source, .path = path, .tree = &tree, .policy = &policy };
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

		for (size_t k = 0; k < anchors->n_files; k++)
			free(anchors->files[k]);
		free(anchors->files);
		free(anchors->name);
	}
	for (size_t i = 0; i < policy->n_entries; i++) {
		struct trust_entry *entry = &policy->entries[i];

		for (size_t k = 0; k < entry->n_members; k++) {
			free(entry->members[k].name);
			free(entry->members[k].address);
		}
		free(entry->members);
		free(entry->name);
	}
	free(policy->anchors);
	free(policy->entries);
	free(policy->path);
	*policy = (struct trust_policy){ 0 };
}
