/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The topology as it is in force: its entries with their policy, and its block list. */

#include "method.h"
#include "part.h"
#include "types.h"

/* ---- sessions of each entry ---- */

/* Figures of all entries, in the order of the topology, which is that of the entries as well. */
struct figures {
	struct figure {
		char *name;
		uint32_t in, out;
	} * list;
	size_t n, size;
	bool failed;
};

static void figures_done(struct figures *figures)
{
	for (size_t i = 0; i < figures->n; i++)
		free(figures->list[i].name);
	free(figures->list);
}

static bool figures_grow(struct figures *figures)
{
	size_t size = figures->size ? figures->size * 2 : 64;
	struct figure *bigger;

	if (figures->n < figures->size)
		return true;
	bigger = reallocarray(figures->list, size, sizeof(*bigger));
	if (!bigger)
		return false;
	figures->list = bigger;
	figures->size = size;
	return true;
}

static void figures_add(void *userdata, const struct session_peer_view *view)
{
	struct figures *figures = userdata;
	char *name;

	if (figures->failed)
		return;
	name = strdup(view->name);
	if (!name || !figures_grow(figures)) {
		free(name);
		figures->failed = true;
		return;
	}
	figures->list[figures->n++] =
		(struct figure){ name, view->sessions_in, view->sessions_out };
}

/* @place is where it should be. */
static const struct figure *figures_find(const struct figures *figures, size_t place,
					 const char *name)
{
	if (place < figures->n && strcmp(figures->list[place].name, name) == 0)
		return &figures->list[place];
	for (size_t i = 0; i < figures->n; i++) {
		if (strcmp(figures->list[i].name, name) == 0)
			return &figures->list[i];
	}
	return NULL;
}

/* ---- entries ---- */

struct walk {
	struct control_part part;
	struct figures figures;
	const char *name; /* the only one that is looked for */
	json_t *found;
	size_t place;
};

static void entry_fill(struct walk *walk, const struct session_entry_view *view,
		       struct control_entry *ret)
{
	const struct figure *figure;

	control_entry_fill(view, ret);
	figure = figures_find(&walk->figures, walk->place, ret->name);
	if (figure) {
		ret->sessions_in = figure->in;
		ret->sessions_out = figure->out;
	}
}

static void add_entry(void *userdata, const struct session_entry_view *view)
{
	struct walk *walk = userdata;
	struct control_entry entry;

	entry_fill(walk, view, &entry);
	control_part_add(&walk->part, &control_type_entry, &entry);
	walk->place++;
}

int control_list_entries(struct control_exchange *x)
{
	struct walk walk = { 0 };
	int r = control_part_begin(x, &walk.part);

	if (r < 0)
		return r;
	sessions_foreach_peer(x->sessions, figures_add, &walk.figures);
	if (walk.figures.failed)
		walk.part.error = -ENOMEM;
	sessions_foreach_entry(x->sessions, add_entry, &walk);
	figures_done(&walk.figures);
	return control_part_end(&walk.part, "entries");
}

bool control_entry_is(const struct trust_entry *entry, const char *name)
{
	if (strcasecmp(entry->name, name) == 0)
		return true;
	for (size_t i = 0; i < entry->n_members; i++) {
		if (strcasecmp(entry->members[i].name, name) == 0)
			return true;
	}
	return false;
}

static void find_entry(void *userdata, const struct session_entry_view *view)
{
	const struct control_moment moment = { .now_ms = 0 };
	struct walk *walk = userdata;
	struct control_entry entry;

	/* The name of an entry comes before that of another one's member. */
	if (control_entry_is(view->entry, walk->name) && walk->part.error == 0 &&
	    (!walk->found || strcasecmp(view->entry->name, walk->name) == 0)) {
		json_decref(walk->found);
		walk->found = NULL;
		entry_fill(walk, view, &entry);
		walk->part.error =
			control_fields_make(&control_type_entry, &entry, &moment, &walk->found);
	}
	walk->place++;
}

int control_get_entry(struct control_exchange *x)
{
	struct walk walk = { .name = json_string_value(control_parameter(x, "name")) };

	sessions_foreach_peer(x->sessions, figures_add, &walk.figures);
	if (walk.figures.failed)
		walk.part.error = -ENOMEM;
	sessions_foreach_entry(x->sessions, find_entry, &walk);
	figures_done(&walk.figures);
	if (walk.part.error < 0) {
		json_decref(walk.found);
		return walk.part.error;
	}
	if (!walk.found)
		return control_fail(x, "org.siptls.PeerNotFound",
				    json_pack("{s:s}", "peer", walk.name));
	return control_answer(x, json_pack("{s:o}", "entry", walk.found));
}

/* ---- who is blocked ---- */

static void add_block(struct control_part *part, const char *name, const char *fingerprint)
{
	const struct control_block block = { .name = name, .fingerprint = fingerprint };

	control_part_add(part, &control_type_block, &block);
}

int control_list_blocks(struct control_exchange *x)
{
	const struct conf *conf = sessions_conf(x->sessions);
	struct control_part part;
	int r = control_part_begin(x, &part);

	if (r < 0)
		return r;
	for (size_t i = 0; conf && i < conf->trust.n_blocked; i++)
		add_block(&part, conf->trust.blocked[i], NULL);
	for (size_t i = 0; conf && i < conf->trust.n_blocked_fingerprints; i++) {
		char hex[2 * sizeof(conf->trust.blocked_fingerprints[i]) + 1];

		hex_format(conf->trust.blocked_fingerprints[i],
			   sizeof(conf->trust.blocked_fingerprints[i]), hex);
		add_block(&part, NULL, hex);
	}
	return control_part_end(&part, "blocks");
}
