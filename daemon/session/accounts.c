/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is counted: topology entries, source addresses, and the names of listeners and dial-outs. */

#include "session.h"

#include <stdio.h>

/* ---- accounts ---- */

static void account_free(struct account *account)
{
	list_remove(&account->node);
	free(account->name);
	free(account->owner);
	free(account);
}

struct account *account_find(struct sessions *sessions, const char *name)
{
	list_foreach (node, &sessions->accounts) {
		struct account *account = container_of(node, struct account, node);

		if (strcmp(account->name, name) == 0)
			return account;
	}
	return NULL;
}

/* The account of @name, moved to @to, made if there is none. */
static int account_carry(struct sessions *sessions, const char *name, const char *owner,
			 const char *kind, struct list *to)
{
	struct account *account = account_find(sessions, name);
	char *owner_copy = strdup(owner);

	if (!account) {
		account = calloc(1, sizeof(*account));
		if (account) {
			list_init(&account->node);
			account->name = strdup(name);
		}
	}
	if (!account || !account->name || !owner_copy) {
		free(owner_copy);
		return -ENOMEM;
	}
	free(account->owner);
	account->owner = owner_copy;
	account->kind = kind;
	list_remove(&account->node);
	list_append(to, &account->node);
	return 0;
}

int accounts_sync(struct sessions *sessions, const struct trust_policy *policy)
{
	struct list kept;
	int r = 0;

	list_init(&kept);
	for (size_t i = 0; i < policy->n_entries && r == 0; i++) {
		const struct trust_entry *entry = &policy->entries[i];

		r = account_carry(sessions, entry->name, policy->anchors[entry->anchors].name,
				  trust_kind_names[entry->kind], &kept);
	}
	/* What is left was removed from the topology: kept only while sessions refer to it. */
	list_foreach_safe (node, &sessions->accounts) {
		struct account *account = container_of(node, struct account, node);

		account->kind = NULL;
		list_remove(node);
		if (account->refs > 0 || r < 0)
			list_append(&kept, node);
		else
			account_free(account);
	}
	list_foreach_safe (node, &kept) {
		list_remove(node);
		list_append(&sessions->accounts, node);
	}
	return r;
}

void accounts_free(struct sessions *sessions)
{
	list_foreach_safe (node, &sessions->accounts)
		account_free(container_of(node, struct account, node));
}

/* ---- sources ---- */

enum reason source_enter(struct sessions *sessions, const struct net_addr *addr, uint32_t limit,
			 struct source **ret)
{
	uint32_t hash = net_addr_source_hash(addr);
	struct list *chain = &sessions->sources[hash % ARRAY_SIZE(sessions->sources)];
	struct source *source = NULL;

	list_foreach (node, chain) {
		source = container_of(node, struct source, node);
		if (net_addr_same_source(&source->addr, addr))
			break;
		source = NULL;
	}
	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return REASON_RESOURCES;
		source->addr = *addr;
		list_append(chain, &source->node);
	}
	if (source->handshakes >= limit)
		return REASON_LIMIT_SOURCE;
	source->handshakes++;
	*ret = source;
	return REASON_OK;
}

struct source *source_leave(struct source *source)
{
	if (source && --source->handshakes == 0) {
		list_remove(&source->node);
		free(source);
	}
	return NULL;
}

/* ---- places ---- */

struct place *place_get(struct sessions *sessions, const char *name)
{
	struct place *place;
	size_t size = strlen(name) + 1;

	list_foreach (node, &sessions->places) {
		place = container_of(node, struct place, node);
		if (strcmp(place->name, name) == 0) {
			place->refs++;
			return place;
		}
	}
	place = malloc(sizeof(*place) + size);
	if (!place)
		return NULL;
	memcpy(place->name, name, size);
	place->refs = 1;
	list_append(&sessions->places, &place->node);
	return place;
}

struct place *place_unref(struct place *place)
{
	if (place && --place->refs == 0) {
		list_remove(&place->node);
		free(place);
	}
	return NULL;
}
