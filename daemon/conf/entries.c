/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The entries of topology.conf: pools, applications, servers..., their members and their names. */

#include <conf/topology.h>

#define SIPS_PORT 5061 /* RFC 3261 19.1.2 */

static const struct {
	const char *owner;
	const char *section; /* NULL: the owner itself is the entry */
	enum trust_kind kind;
} entry_kinds[] = {
	{ "site", "pool", TRUST_POOL },
	{ "site", "application", TRUST_APPLICATION },
	{ "partner", "server", TRUST_SERVER },
	{ "partner", "domain", TRUST_DOMAIN },
	{ "partner", "provider", TRUST_PROVIDER },
	{ "discovered", NULL, TRUST_DISCOVERED },
};

/* ---- names ---- */

static int note_name(struct topology_reader *r, const struct topology_name *name)
{
	if (r->n_names == r->n_names_max) {
		size_t max = r->n_names_max ? 2 * r->n_names_max : 64;
		struct topology_name *names = reallocarray(r->names, max, sizeof(*names));

		if (!names)
			return -ENOMEM;
		r->names = names;
		r->n_names_max = max;
	}
	r->names[r->n_names++] = *name;
	return 0;
}

/* Titles of discovered sections have any case; nobody should have to tell names by it. */
static int compare_names(const void *a, const void *b)
{
	const struct topology_name *x = a, *y = b;
	int order = strcasecmp(x->name, y->name);

	if (order == 0)
		order = (x->entry > y->entry) - (x->entry < y->entry);
	if (order == 0)
		order = (x->member > y->member) - (x->member < y->member);
	return order;
}

/* A member may carry its own pool's name; nothing else may be called the same twice. */
int conf_names_check(struct topology_reader *r)
{
	if (r->n_names == 0)
		return 0;
	qsort(r->names, r->n_names, sizeof(*r->names), compare_names);
	for (size_t i = 1; i < r->n_names; i++) {
		const struct topology_name *a = &r->names[i - 1], *b = &r->names[i], *later;

		if (strcasecmp(a->name, b->name) != 0 || (a->entry == b->entry && a->member == 0))
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

static int read_members(struct topology_reader *r, cfg_t *section, struct trust_entry *entry)
{
	size_t n = conf_tree_count(section, "member");
	const struct conf_value *address = conf_tree_value(section, "address", 0);
	int e;

	if (n > 0 && address)
		return conf_tree_fail(r->tree, section, "address", address->line,
				      "expected no address next to members, found \"%s\"",
				      address->text);

	entry->members = conf_array_new(n ? n : 1, sizeof(*entry->members));
	if (!entry->members)
		return -ENOMEM;
	if (entry->kind == TRUST_DISCOVERED)
		return 0;
	entry->n_members = n ? n : 1;
	if (n == 0)
		return read_member(section, entry->name, &entry->members[0]);

	for (size_t i = 0; i < n; i++) {
		cfg_t *member = conf_tree_section(section, "member", i);

		e = read_member(member, member->title, &entry->members[i]);
		if (e)
			return e;
		e = note_name(r, &(struct topology_name){ entry->members[i].name,
							  (uint32_t)member->line,
							  (uint32_t)(entry - r->policy->entries),
							  (uint32_t)i + 1, member });
		if (e)
			return e;
	}
	return 0;
}

/* ---- entries ---- */

static int read_rate(struct topology_reader *r, cfg_t *section, struct trust_entry *entry)
{
	const struct conf_value *rate = conf_tree_value(section, "rate", 0);

	entry->rate = TRUST_RATE_NONE;
	if (!rate)
		return 0;
	for (size_t i = 0; i < r->policy->n_rates; i++) {
		if (strcmp(r->policy->rates[i].name, rate->text) == 0) {
			entry->rate = (uint32_t)i;
			return 0;
		}
	}
	return conf_tree_fail(r->tree, section, "rate", rate->line,
			      "expected the title of a rate section, found \"%s\"", rate->text);
}

static int read_wildcard(struct topology_reader *r, cfg_t *section, struct trust_entry *entry)
{
	const struct conf_value *wildcard = conf_tree_value(section, "wildcard", 0);

	entry->wildcard = wildcard && wildcard->number;
	if (entry->wildcard && entry->profile != TRUST_RFC9525)
		return conf_tree_fail(r->tree, section, "wildcard", wildcard->line,
				      "expected true only with profile \"rfc9525\", found it with "
				      "\"%s\"",
				      trust_profile_names[entry->profile]);
	return 0;
}

/* A domain is found by SRV, all else by host name. */
static int read_place(struct topology_reader *r, cfg_t *section, struct trust_entry *entry)
{
	const struct conf_value *srv = conf_tree_value(section, "srv", 0);
	const struct conf_value *port = conf_tree_value(section, "port", 0);
	size_t max;

	entry->port = port ? (uint16_t)port->number : SIPS_PORT;
	if (!srv) {
		entry->locate = TRUST_LOCATE_HOST;
		return 0;
	}
	entry->locate = (enum trust_locate)(srv->number + TRUST_LOCATE_SIPS);
	max = DNS_NAME_MAX - strlen(trust_locate_names[entry->locate]) - strlen("_._tcp.");
	if (strlen(entry->name) > max)
		return conf_tree_fail(r->tree, section, NULL, entry->line,
				      "expected a domain of at most %zu characters, as the name of "
				      "its SRV records has to fit into %d",
				      max, DNS_NAME_MAX);
	return 0;
}

static int read_entry(struct topology_reader *r, cfg_t *section, struct trust_entry *entry)
{
	static int (*const parts[])(struct topology_reader *, cfg_t *, struct trust_entry *) = {
		read_rate,
		read_wildcard,
		read_place,
		read_members,
	};
	const struct conf_value *direction = conf_tree_value(section, "direction", 0);
	int e;

	entry->name = strdup(section->title);
	if (!entry->name)
		return -ENOMEM;
	entry->line = (uint32_t)section->line;
	entry->profile = (enum trust_profile)conf_tree_number(section, "profile");
	entry->usage = (enum trust_usage)conf_tree_number(section, "key_usage");
	entry->tls12 = conf_tree_number(section, "tls12");
	/* Only what is discovered cannot say it: it is discovered by its coming in. */
	entry->directions = direction ? (uint8_t)(direction->number + 1) : TRUST_INBOUND;
	e = note_name(r, &(struct topology_name){ entry->name, entry->line,
						  (uint32_t)(entry - r->policy->entries), 0,
						  section });
	for (size_t i = 0; e == 0 && i < ARRAY_SIZE(parts); i++)
		e = parts[i](r, section, entry);
	return e ? e : conf_tree_texts(section, "domains", &entry->domains, &entry->n_domains);
}

static size_t count_kind(cfg_t *owner, size_t kind)
{
	if (strcmp(entry_kinds[kind].owner, owner->name) != 0)
		return 0;
	return entry_kinds[kind].section ? conf_tree_count(owner, entry_kinds[kind].section) : 1;
}

size_t conf_entries_count(cfg_t *owner)
{
	size_t n = 0;

	for (size_t k = 0; k < ARRAY_SIZE(entry_kinds); k++)
		n += count_kind(owner, k);
	return n;
}

int conf_entries_read(struct topology_reader *r, cfg_t *owner, uint32_t anchors)
{
	for (size_t k = 0; k < ARRAY_SIZE(entry_kinds); k++) {
		const char *name = entry_kinds[k].section;
		size_t n = count_kind(owner, k);

		for (size_t i = 0; i < n; i++) {
			struct trust_entry *entry = &r->policy->entries[r->policy->n_entries++];
			int e;

			entry->kind = entry_kinds[k].kind;
			entry->anchors = anchors;
			e = read_entry(r, name ? conf_tree_section(owner, name, i) : owner, entry);
			if (e)
				return e;
		}
	}
	return 0;
}

void conf_texts_free(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

void conf_entry_done(struct trust_entry *entry)
{
	for (size_t i = 0; i < entry->n_members; i++) {
		free(entry->members[i].name);
		free(entry->members[i].address);
	}
	free(entry->members);
	conf_texts_free(entry->domains, entry->n_domains);
	free(entry->name);
}
