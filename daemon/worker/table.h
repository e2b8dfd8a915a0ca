/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Jobs by their id: a hash table whose nodes are part of the jobs. It grows with them, and adding
 * to it is the only call that can fail.
 */

#include <siptls/base.h>

struct worker_table_node {
	uint64_t id;
	struct worker_table_node *next; /* in the same bucket */
};

struct worker_table {
	struct worker_table_node **buckets;
	size_t n_buckets; /* 0 or a power of two */
	size_t n;
};

/* 0, -EEXIST or -ENOMEM. */
int worker_table_add(struct worker_table *t, struct worker_table_node *node) _must_check_;
struct worker_table_node *worker_table_find(const struct worker_table *t, uint64_t id);
void worker_table_remove(struct worker_table *t, struct worker_table_node *node);
void worker_table_done(struct worker_table *t); /* the nodes are their owner's */
