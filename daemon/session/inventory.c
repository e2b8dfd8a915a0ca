/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The certificates of one configuration, as its first worker has read them: our own, and the
 * anchors. By the anchors' fingerprints the paths of a live peer find their place in a new
 * topology, without a certificate library in the daemon.
 */

#include "session.h"

#define INVENTORY_MAX 65536

int inventory_add(struct inventory *inventory, struct worker_certificate *certificate)
{
	struct inventory_certificate *grown;

	if (inventory->n == INVENTORY_MAX)
		return -E2BIG;
	if (inventory->n == inventory->max) {
		size_t max = inventory->max ? 2 * inventory->max : 16;

		grown = reallocarray(inventory->certs, max, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		inventory->certs = grown;
		inventory->max = max;
	}
	inventory->certs[inventory->n++] = (struct inventory_certificate){
		.anchor = certificate->anchor,
		.index = certificate->index,
		.place = certificate->place,
		.facts = certificate->facts,
		.der = steal_ptr(certificate->der),
		.der_len = certificate->der_len,
	};
	inventory->n_anchors += certificate->anchor;
	certificate->facts = (struct trust_facts){};
	return 0;
}

static const uint8_t *fingerprint_of(const struct inventory_certificate *cert)
{
	return cert->facts.certs[0].fingerprint;
}

static int compare(const void *a, const void *b)
{
	const struct inventory_certificate *x = a, *y = b;
	int order;

	if (x->anchor != y->anchor)
		return x->anchor ? -1 : 1;
	if (x->anchor) {
		order = memcmp(fingerprint_of(x), fingerprint_of(y), 32);
		if (order != 0)
			return order;
	}
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

void inventory_sort(struct inventory *inventory)
{
	if (inventory->n > 0)
		qsort(inventory->certs, inventory->n, sizeof(*inventory->certs), compare);
}

void inventory_done(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n; i++) {
		trust_facts_done(&inventory->certs[i].facts);
		free(inventory->certs[i].der);
	}
	free(inventory->certs);
	*inventory = (struct inventory){};
}

const struct inventory_certificate *inventory_identity(const struct inventory *inventory,
						       uint32_t index)
{
	for (size_t i = inventory->n_anchors; i < inventory->n; i++) {
		if (inventory->certs[i].index == index && inventory->certs[i].place == 0)
			return &inventory->certs[i];
	}
	return NULL;
}

/* ---- renumbering ---- */

/* The first anchor with this fingerprint or one behind it. */
static size_t anchor_search(const struct inventory *inventory, const uint8_t *fingerprint)
{
	size_t low = 0, high = inventory->n_anchors;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (memcmp(fingerprint_of(&inventory->certs[middle]), fingerprint, 32) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t anchor_count(const struct inventory *inventory, const uint8_t *fingerprint)
{
	size_t first = anchor_search(inventory, fingerprint), n = 0;

	while (first + n < inventory->n_anchors &&
	       memcmp(fingerprint_of(&inventory->certs[first + n]), fingerprint, 32) == 0)
		n++;
	return n;
}

/* One path may have come from several sets with the same anchor: the first of them speaks for all.
 */
static bool path_is_repeated(const struct trust_facts *facts, size_t i)
{
	const struct trust_path *path = &facts->paths[i];

	for (size_t k = 0; k < i; k++) {
		const struct trust_path *other = &facts->paths[k];

		if (other->outcome == TRUST_CHAIN_OK && other->n_certs == path->n_certs &&
		    memcmp(other->certs, path->certs, path->n_certs) == 0 &&
		    memcmp(other->anchor_fingerprint, path->anchor_fingerprint, 32) == 0)
			return true;
	}
	return false;
}

static bool path_counts(const struct trust_facts *facts, size_t i)
{
	return facts->paths[i].outcome == TRUST_CHAIN_OK && facts->paths[i].anchor_subject &&
	       !path_is_repeated(facts, i);
}

int inventory_renumber(const struct inventory *inventory, struct trust_facts *facts)
{
	struct trust_path *paths;
	size_t n = 0;

	for (size_t i = 0; i < facts->n_paths; i++) {
		if (path_counts(facts, i))
			n += anchor_count(inventory, facts->paths[i].anchor_fingerprint);
	}
	paths = calloc(n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < facts->n_paths; i++) {
		const struct trust_path *path = &facts->paths[i];
		size_t first, count;

		if (!path_counts(facts, i))
			continue;
		first = anchor_search(inventory, path->anchor_fingerprint);
		count = anchor_count(inventory, path->anchor_fingerprint);
		for (size_t k = 0; k < count; k++, n++) {
			paths[n] = *path;
			paths[n].anchors = inventory->certs[first + k].index;
			paths[n].anchor_subject = strdup(path->anchor_subject);
			if (paths[n].anchor_subject)
				continue;
			while (n-- > 0)
				free(paths[n].anchor_subject);
			free(paths);
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < facts->n_paths; i++)
		free(facts->paths[i].anchor_subject);
	free(facts->paths);
	facts->paths = paths;
	facts->n_paths = n;
	return 0;
}

/* ---- differences ---- */

static void tell(conf_line_fn fn, void *userdata, const char *verb, const char *what,
		 const char *owner, const struct inventory_certificate *cert)
{
	char buf[768];
	struct text text = TEXT_INIT(buf);

	text_addf(&text, "%s %s \"%s\" (%s, serial %s)", verb, what, owner,
		  cert->facts.certs[0].subject, cert->facts.certs[0].serial);
	fn(userdata, buf);
}

static bool is_same(const struct inventory_certificate *a, const struct inventory_certificate *b)
{
	return memcmp(fingerprint_of(a), fingerprint_of(b), 32) == 0;
}

static void identities_diff(const struct generation *old, const struct generation *new,
			    conf_line_fn fn, void *userdata)
{
	for (uint32_t i = 0; i < new->conf->n_identities; i++) {
		const struct inventory_certificate *leaf = inventory_identity(&new->inventory, i);
		const char *name = new->conf->identities[i].name;

		for (uint32_t k = 0; leaf && k < old->conf->n_identities; k++) {
			const struct inventory_certificate *was =
				inventory_identity(&old->inventory, k);

			if (strcmp(old->conf->identities[k].name, name) == 0 && was &&
			    !is_same(was, leaf))
				tell(fn, userdata, "replaces the certificate of", "identity", name,
				     leaf);
		}
	}
}

/* Anchors of @a that no set of the same name has in @b. */
static void anchors_diff(const struct generation *a, const struct generation *b, const char *verb,
			 conf_line_fn fn, void *userdata)
{
	for (size_t i = 0; i < a->inventory.n_anchors; i++) {
		const struct inventory_certificate *anchor = &a->inventory.certs[i];
		const char *owner = a->conf->trust.anchors[anchor->index].name;
		size_t first = anchor_search(&b->inventory, fingerprint_of(anchor));
		size_t count = anchor_count(&b->inventory, fingerprint_of(anchor));
		bool found = false;

		for (size_t k = first; k < first + count && !found; k++) {
			uint32_t index = b->inventory.certs[k].index;

			found = strcmp(b->conf->trust.anchors[index].name, owner) == 0;
		}
		if (!found)
			tell(fn, userdata, verb, "anchor of", owner, anchor);
	}
}

void inventory_diff(const struct generation *old, const struct generation *new, conf_line_fn fn,
		    void *userdata)
{
	identities_diff(old, new, fn, userdata);
	anchors_diff(new, old, "adds", fn, userdata);
	anchors_diff(old, new, "removes", fn, userdata);
}
