/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is counted: topology entries, source addresses, and the names of listeners and dial-outs. */

#include "session.h"

#include <stdio.h>

/* ---- accounts ---- */

static void account_free(struct account *account)
{
	list_remove(&account->node);
	relay_bucket_unref(account->bucket);
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

static struct account *account_new(const char *name, const char *owner, const char *kind)
{
	struct account *account = calloc(1, sizeof(*account));

	if (!account)
		return NULL;
	list_init(&account->node);
	account->name = strdup(name);
	account->owner = strdup(owner);
	account->kind = kind;
	if (account->name && account->owner)
		return account;
	account_free(account);
	return NULL;
}

static int account_limit(struct account *account, const struct trust_policy *policy, uint32_t rate)
{
	if (rate < policy->n_rates) {
		account->rate = policy->rates[rate].bytes_per_second;
		account->burst = policy->rates[rate].burst;
	}
	account->bucket = relay_bucket_new(account->rate, account->burst);
	return account->bucket ? 0 : -ENOMEM;
}

int accounts_prepare(const struct trust_policy *policy, struct list *ret_accounts)
{
	for (size_t i = 0; i < policy->n_entries; i++) {
		const struct trust_entry *entry = &policy->entries[i];
		struct account *account =
			account_new(entry->name, policy->anchors[entry->anchors].name,
				    trust_kind_names[entry->kind]);

		if (account)
			list_append(ret_accounts, &account->node);
		if (!account || account_limit(account, policy, entry->rate) < 0) {
			accounts_free(ret_accounts);
			return -ENOMEM;
		}
	}
	return 0;
}

/* The one that sessions refer to goes on, with what may have changed; the other was its
 * description. */
static struct account *account_take_over(struct account *old, struct account *account)
{
	char *owner = old->owner;

	old->owner = account->owner;
	account->owner = owner;
	old->kind = account->kind;
	old->rate = account->rate;
	old->burst = account->burst;
	relay_bucket_set(old->bucket, old->rate, old->burst);
	account_free(account);
	list_remove(&old->node);
	return old;
}

void accounts_commit(struct sessions *sessions, struct list *accounts)
{
	struct list kept;

	list_init(&kept);
	while (!list_empty(accounts)) {
		struct account *account = container_of(accounts->next, struct account, node);
		struct account *old = account_find(sessions, account->name);

		list_remove(&account->node);
		if (old)
			account = account_take_over(old, account);
		list_append(&kept, &account->node);
	}
	/* What is left was removed from the topology: kept only while sessions refer to it. */
	while (!list_empty(&sessions->accounts)) {
		struct account *account =
			container_of(sessions->accounts.next, struct account, node);

		account->kind = NULL;
		list_remove(&account->node);
		if (account->refs > 0)
			list_append(&kept, &account->node);
		else
			account_free(account);
	}
	list_take_all(&kept, &sessions->accounts);
}

void account_move(struct session *session, const char *name)
{
	struct account *old = session->account, *account;

	if (old && strcmp(old->name, name) == 0)
		return;
	account = account_find(session->sessions, name);
	if (!account)
		return;
	if (old) {
		old->refs--;
		old->sessions[session->dialled]--;
	}
	account->refs++;
	account->sessions[session->dialled]++;
	session->account = account;
}

void accounts_free(struct list *accounts)
{
	list_foreach_safe (node, accounts)
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
