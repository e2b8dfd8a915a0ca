/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two files that read topology.conf share. */

#include <conf/conf-private.h>

/* Names that stand in the file, to find two that are the same. */
struct topology_name {
	const char *name;
	uint32_t line;
	uint32_t entry;
	uint32_t member; /* counted from 1; 0: the entry itself */
	const cfg_t *section;
};

struct topology_reader {
	const char *path;
	const struct conf_source *source;
	struct conf_tree *tree;
	struct trust_policy *policy; /* its rates are there before the entries */
	struct topology_name *names;
	size_t n_names, n_names_max;
};

/* The entries of a site, a partner or a discovered section @owner: how many, and all of them. */
size_t conf_entries_count(cfg_t *owner);
int conf_entries_read(struct topology_reader *r, cfg_t *owner, uint32_t anchors) _must_check_;
/* No name may be in use twice. Sorts @r->names. */
int conf_names_check(struct topology_reader *r) _must_check_;
void conf_entry_done(struct trust_entry *entry);

/* Free @n strings and the array. */
void conf_texts_free(char **texts, size_t n);
