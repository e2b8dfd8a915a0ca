/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs by their id; see table.h. */

#include "worker/table.h"

#define BUCKETS_MIN 64

static struct worker_table_node **bucket(const struct worker_table *t, uint64_t id)
{
	/* Ids are given out one after another, but not all to this table: mix before masking. */
	uint64_t hash = id * UINT64_C(0x9e3779b97f4a7c15);

	return &t->buckets[(hash >> 32) & (t->n_buckets - 1)];
}

static void insert(struct worker_table *t, struct worker_table_node *node)
{
	struct worker_table_node **head = bucket(t, node->id);

	node->next = *head;
	*head = node;
}

static int grow(struct worker_table *t)
{
	size_t n_buckets = t->n_buckets ? t->n_buckets * 2 : BUCKETS_MIN;
	struct worker_table old = *t;

	t->buckets = calloc(n_buckets, sizeof(*t->buckets));
	if (!t->buckets) {
		*t = old;
		return -ENOMEM;
	}
	t->n_buckets = n_buckets;
	for (size_t i = 0; i < old.n_buckets; i++)
		for (struct worker_table_node *node = old.buckets[i], *next; node; node = next) {
			next = node->next;
			insert(t, node);
		}
	free(old.buckets);
	return 0;
}

int worker_table_add(struct worker_table *t, struct worker_table_node *node)
{
	if (worker_table_find(t, node->id))
		return -EEXIST;
	if (t->n >= t->n_buckets) {
		int r = grow(t);

		if (r < 0)
			return r;
	}
	insert(t, node);
	t->n++;
	return 0;
}

struct worker_table_node *worker_table_find(const struct worker_table *t, uint64_t id)
{
	struct worker_table_node *node;

	if (t->n == 0)
		return NULL;
	for (node = *bucket(t, id); node && node->id != id; node = node->next)
		;
	return node;
}

void worker_table_remove(struct worker_table *t, struct worker_table_node *node)
{
	struct worker_table_node **link = bucket(t, node->id);

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	t->n--;
}

void worker_table_done(struct worker_table *t)
{
	free(t->buckets);
	*t = (struct worker_table){};
}
