/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What changes from one configuration to another, in lines for people. */

#include <conf/diff.h>

#define LINE_SIZE 1024 /* bytes of a line */
#define NAME_SIZE 65   /* of a name that is made: a fingerprint, or an address, which is shorter */

_Static_assert(NAME_SIZE >= NET_ADDR_STRLEN, "an address has to fit");

/* Enough for every value as it is, so that no difference is lost where text is cut. */
#define VALUE_MAX (CONF_STRING_MAX + 1)

/* ---- from a configuration to objects ---- */

struct diff_object {
	enum diff_kind_index kind;
	const struct diff_object *owner; /* NULL: none */
	const char *name;		 /* NULL: of settings */
	const void *data;		 /* what the kind's fields are in; NULL: it has none */
	bool alone;			 /* the other configuration has no such object */
	bool quiet;			 /* its owner says all when it comes or goes */
	char text[];			 /* @name, if it had to be made */
};

struct diff_objects {
	struct diff_object **list;
	size_t n, max;
};

struct gathering {
	struct diff_objects *objects;
	bool failed; /* out of memory */
};

static struct diff_object *add(struct gathering *g, enum diff_kind_index kind,
			       const struct diff_object *owner, const char *name, const void *data)
{
	struct diff_objects *objects = g->objects;
	struct diff_object *object;

	if (objects->n == objects->max) {
		size_t max = objects->max ? 2 * objects->max : 256;
		struct diff_object **list = reallocarray(objects->list, max, sizeof(*list));

		if (!list) {
			g->failed = true;
			return NULL;
		}
		objects->list = list;
		objects->max = max;
	}
	object = calloc(1, sizeof(*object) + NAME_SIZE);
	if (!object) {
		g->failed = true;
		return NULL;
	}
	*object = (struct diff_object){ kind, owner, name, data, .quiet = false };
	objects->list[objects->n++] = object;
	return object;
}

static void add_texts(struct gathering *g, enum diff_kind_index kind,
		      const struct diff_object *owner, char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(g, kind, owner, texts[i], NULL);
}

static void add_addresses(struct gathering *g, enum diff_kind_index kind,
			  const struct diff_object *owner, const struct net_addr *addresses,
			  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct diff_object *object = add(g, kind, owner, NULL, NULL);

		if (object)
			object->name = net_addr_format(&addresses[i], object->text);
	}
}

static void gather_daemon(struct gathering *g, const struct conf *conf)
{
	const struct diff_object *owner;

	add(g, DIFF_SETTINGS, NULL, NULL, conf);
	add(g, DIFF_LIMITS, NULL, NULL, &conf->limits);
	add(g, DIFF_DNS, NULL, NULL, &conf->dns);
	add_addresses(g, DIFF_DNS_SERVER, NULL, conf->dns.servers, conf->dns.n_servers);
	add(g, DIFF_CONTROL, NULL, NULL, conf);
	for (size_t i = 0; i < conf->n_identities; i++)
		add(g, DIFF_IDENTITY, NULL, conf->identities[i].name, &conf->identities[i]);
	for (size_t i = 0; i < conf->n_listeners; i++) {
		const struct conf_listener *listener = &conf->listeners[i];

		owner = add(g, DIFF_LISTEN, NULL, listener->name, listener);
		add_addresses(g, DIFF_LISTEN_ADDRESS, owner, listener->addresses,
			      listener->n_addresses);
		for (size_t k = 0; k < listener->n_identities; k++)
			add(g, DIFF_LISTEN_IDENTITY, owner,
			    conf->identities[listener->identities[k]].name, NULL);
	}
	for (size_t i = 0; i < conf->n_dials; i++) {
		const struct conf_dial *dial = &conf->dials[i];

		owner = add(g, DIFF_DIAL, NULL, dial->name, dial);
		add_addresses(g, DIFF_DIAL_ADDRESS, owner, dial->addresses, dial->n_addresses);
	}
}

static void gather_anchors(struct gathering *g, const struct trust_policy *policy,
			   struct diff_object **owners)
{
	for (size_t i = 0; i < policy->n_anchors; i++) {
		const struct trust_anchors *anchors = &policy->anchors[i];
		struct diff_object *owner;

		/* Which are discovered and no partners is known by their entries, which come later.
		 */
		owner = add(g, anchors->internal ? DIFF_SITE : DIFF_PARTNER, NULL, anchors->name,
			    anchors);
		add_texts(g, DIFF_ANCHOR_FILE, owner, anchors->files, anchors->n_files);
		add_texts(g, DIFF_CRL_FILE, owner, anchors->crl_files, anchors->n_crl_files);
		add_texts(g, DIFF_CRL_URL, owner, anchors->crl_urls, anchors->n_crl_urls);
		owners[i] = owner;
	}
}

static void gather_entry(struct gathering *g, const struct trust_entry *entry,
			 struct diff_object *owner)
{
	struct diff_object *object = add(g, DIFF_ENTRY + entry->kind, owner, entry->name, entry);

	if (!owner || !object)
		return;
	if (entry->kind == TRUST_DISCOVERED) {
		owner->kind = DIFF_DISCOVERED;
		object->quiet = true;
	}
	for (size_t i = 0; i < entry->n_members; i++) {
		const struct trust_member *member = &entry->members[i];
		bool own = entry->n_members == 1 && strcmp(entry->name, member->name) == 0;

		add(g, own ? DIFF_OWN_MEMBER : DIFF_MEMBER, object, member->name, member);
	}
	add_texts(g, DIFF_SIP_DOMAIN, object, entry->domains, entry->n_domains);
}

static int gather_topology(struct gathering *g, const struct trust_policy *policy)
{
	_cleanup_free_ struct diff_object **owners =
		conf_array_new(policy->n_anchors, sizeof(struct diff_object *));

	if (!owners)
		return -ENOMEM;
	add(g, DIFF_TOPOLOGY, NULL, NULL, policy);
	add_texts(g, DIFF_BLOCK, NULL, policy->blocked, policy->n_blocked);
	for (size_t i = 0; i < policy->n_blocked_fingerprints; i++) {
		struct diff_object *object = add(g, DIFF_BLOCK_CERTIFICATE, NULL, NULL, NULL);

		if (!object)
			return -ENOMEM;
		hex_format(policy->blocked_fingerprints[i], sizeof(policy->blocked_fingerprints[i]),
			   object->text);
		object->name = object->text;
	}
	for (size_t i = 0; i < policy->n_rates; i++)
		add(g, DIFF_RATE, NULL, policy->rates[i].name, &policy->rates[i]);
	gather_anchors(g, policy, owners);
	for (size_t i = 0; i < policy->n_entries; i++)
		gather_entry(g, &policy->entries[i], owners[policy->entries[i].anchors]);
	return 0;
}

static int compare(const struct diff_object *a, const struct diff_object *b)
{
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->owner && b->owner) {
		order = compare(a->owner, b->owner);
		if (order != 0)
			return order;
	}
	return a->name && b->name ? strcmp(a->name, b->name) : 0;
}

static int compare_places(const void *a, const void *b)
{
	return compare(*(struct diff_object *const *)a, *(struct diff_object *const *)b);
}

/* What a list names twice is there once. */
static void drop_repeated(struct diff_objects *objects)
{
	size_t n = 0;

	for (size_t i = 0; i < objects->n; i++) {
		if (n > 0 && compare(objects->list[n - 1], objects->list[i]) == 0)
			free(objects->list[i]);
		else
			objects->list[n++] = objects->list[i];
	}
	objects->n = n;
}

static int gather(const struct conf *conf, struct diff_objects *ret)
{
	struct gathering g = { .objects = ret };
	int r;

	if (!conf)
		return 0;
	gather_daemon(&g, conf);
	r = gather_topology(&g, &conf->trust);
	if (r < 0 || g.failed)
		return -ENOMEM;
	qsort(ret->list, ret->n, sizeof(struct diff_object *), compare_places);
	drop_repeated(ret);
	return 0;
}

static void objects_done(struct diff_objects *objects)
{
	for (size_t i = 0; i < objects->n; i++)
		free(objects->list[i]);
	free(objects->list);
}

/* ---- telling ---- */

struct telling {
	const struct conf *old, *new;
	conf_line_fn fn;
	void *userdata;
};

static void tell(const struct telling *t, const struct text *line)
{
	char buf[LINE_SIZE];
	struct text safe = TEXT_INIT(buf);

	buf[0] = '\0';
	text_add_foreign(&safe, line->buf, line->len);
	t->fn(t->userdata, buf);
}

static void tell_alone(const struct telling *t, const struct diff_object *object, bool added)
{
	const struct diff_kind *kind = &conf_diff_kinds[object->kind];
	const struct diff_object *owner = object->owner;
	const char *verb = added ? kind->adds : kind->removes;
	char buf[LINE_SIZE];
	struct text line = TEXT_INIT(buf);

	if (kind->settings || object->quiet || (owner && owner->alone && !kind->always))
		return;
	if (verb)
		text_addf(&line, "%s %s", verb, object->name);
	else
		text_addf(&line, "%s %s %s", added ? "adds" : "removes", kind->word, object->name);
	if (owner)
		text_addf(&line, " (%s %s)", conf_diff_kinds[owner->kind].word, owner->name);
	tell(t, &line);
}

static void tell_changes(const struct telling *t, const struct diff_object *old,
			 const struct diff_object *new)
{
	const struct diff_kind *kind = &conf_diff_kinds[old->kind];
	const char *word = kind->word;

	if (!kind->fields)
		return;
	if (!word)
		word = conf_diff_kinds[old->owner->kind].word;
	for (const struct diff_field *field = kind->fields; field->name; field++) {
		char before[VALUE_MAX] = "", after[VALUE_MAX] = "", buf[LINE_SIZE];
		struct text was = TEXT_INIT(before), is = TEXT_INIT(after), line = TEXT_INIT(buf);

		field->show(t->old, field, old->data, &was);
		field->show(t->new, field, new->data, &is);
		if (strcmp(before, after) == 0)
			continue;
		text_addf(&line, "changes %s%s%s: %s %s to %s", word, old->name ? " " : "",
			  old->name ? old->name : "", field->name, before, after);
		tell(t, &line);
	}
}

/* Both are sorted, owners before what they own: that the owner is alone is known by then. */
static void merge(const struct telling *t, const struct diff_objects *old,
		  const struct diff_objects *new)
{
	size_t i = 0, k = 0;

	while (i < old->n || k < new->n) {
		int order;

		if (i == old->n || k == new->n)
			order = i == old->n ? 1 : -1;
		else
			order = compare(old->list[i], new->list[k]);
		if (order == 0) {
			tell_changes(t, old->list[i++], new->list[k++]);
			continue;
		}
		if (order < 0) {
			old->list[i]->alone = true;
			tell_alone(t, old->list[i++], false);
		} else {
			new->list[k]->alone = true;
			tell_alone(t, new->list[k++], true);
		}
	}
}

void conf_diff(const struct conf *old, const struct conf *new, conf_line_fn fn, void *userdata)
{
	_cleanup_(objects_done) struct diff_objects before = { 0 }, after = { 0 };
	const struct telling t = { old, new, fn, userdata };

	if (gather(old, &before) < 0 || gather(new, &after) < 0) {
		fn(userdata, "not enough memory to tell what changes");
		return;
	}
	merge(&t, &before, &after);
}
