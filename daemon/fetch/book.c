/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plans and what was learned, as messages; see book.h. */

#include "fetch/book.h"

#include <search.h>

/* At the end of @bytes, after its length. */
static int append(struct fetch_bytes *bytes, struct fetch_message *message)
{
	static const uint32_t length_size = sizeof(uint32_t);
	_cleanup_free_ uint8_t *buf = malloc(FETCH_MESSAGE_MAX);
	uint8_t *grown;
	uint32_t length;
	size_t size;
	int r;

	if (!buf)
		return -ENOMEM;
	r = fetch_message_encode(message, buf, &size);
	if (r < 0)
		return r;
	grown = realloc(bytes->data, bytes->size + length_size + size);
	if (!grown)
		return -ENOMEM;
	bytes->data = grown;
	length = (uint32_t)size;
	memcpy(grown + bytes->size, &length, length_size);
	memcpy(grown + bytes->size + length_size, buf, size);
	bytes->size += length_size + size;
	return 0;
}

bool fetch_bytes_next(const struct fetch_bytes *bytes, size_t *at, const uint8_t **ret,
		      size_t *ret_size)
{
	uint32_t length;

	if (*at >= bytes->size)
		return false;
	memcpy(&length, bytes->data + *at, sizeof(length));
	*ret = bytes->data + *at + sizeof(length);
	*ret_size = length;
	*at += sizeof(length) + length;
	return true;
}

void fetch_bytes_done(struct fetch_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct fetch_bytes){};
}

bool fetch_bytes_equal(const struct fetch_bytes *a, const struct fetch_bytes *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* Encoding reads what its pointers point to; they serve decoding too and are not const. */
static char *borrow(const void *bytes)
{
	return (char *)(uintptr_t)bytes;
}

int fetch_bytes_plan(const struct fetch_plan *plan, struct fetch_bytes *ret)
{
	struct fetch_message m = { .type = FETCH_MSG_PLAN, .cache = borrow(plan->cache) };
	_cleanup_(fetch_bytes_done) struct fetch_bytes bytes = {};
	int r = append(&bytes, &m);

	m = (struct fetch_message){ .type = FETCH_MSG_SOURCE };
	for (size_t i = 0; r == 0 && i < plan->n_sources; i++) {
		m.source = plan->sources[i];
		r = append(&bytes, &m);
	}
	if (r == 0 && plan->dns) {
		m = (struct fetch_message){ .type = FETCH_MSG_DNS, .dns = *plan->dns };
		r = append(&bytes, &m);
	}
	m = (struct fetch_message){ .type = FETCH_MSG_ISSUER };
	for (size_t i = 0; r == 0 && i < plan->n_issuers; i++) {
		if (plan->issuers[i].size > FETCH_DER_MAX)
			return -EMSGSIZE;
		m.issuer.der = borrow(plan->issuers[i].data);
		m.issuer.len = (uint32_t)plan->issuers[i].size;
		r = append(&bytes, &m);
	}
	if (r < 0)
		return r;
	*ret = bytes;
	bytes = (struct fetch_bytes){};
	return 0;
}

int fetch_learned_add(struct fetch_learned *learned, struct fetch_message *message,
		      const struct fetch_bytes **ret)
{
	_cleanup_(fetch_bytes_done) struct fetch_bytes bytes = {};
	struct fetch_bytes *item;
	int r = append(&bytes, message);

	if (r < 0)
		return r;
	for (size_t i = 0; i < learned->n; i++)
		if (fetch_bytes_equal(&learned->items[i], &bytes))
			return 0;
	if (learned->n < FETCH_LEARNED_MAX) {
		item = &learned->items[learned->n++];
	} else {
		item = &learned->items[learned->oldest];
		learned->oldest = (learned->oldest + 1) % FETCH_LEARNED_MAX;
		fetch_bytes_done(item);
	}
	*item = bytes;
	bytes = (struct fetch_bytes){};
	*ret = item;
	return FETCH_LEARNED_NEW;
}

void fetch_learned_done(struct fetch_learned *learned)
{
	for (size_t i = 0; i < learned->n; i++)
		fetch_bytes_done(&learned->items[i]);
	learned->n = learned->oldest = 0;
}

/* ---- names ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

int fetch_names_add(struct fetch_names *names, const char *name, bool planned)
{
	_cleanup_free_ char *copy = NULL;

	if (tfind(name, &names->tree, compare))
		return 0;
	if (!planned && names->n >= FETCH_NAMES_MAX)
		return FETCH_NAMES_FULL;
	copy = strdup(name);
	if (!copy || !tsearch(copy, &names->tree, compare))
		return -ENOMEM;
	copy = NULL; /* the tree's */
	names->n += !planned;
	return 0;
}

int fetch_names_plan(struct fetch_names *names, const struct fetch_plan *plan)
{
	int r = plan->cache ? fetch_names_add(names, plan->cache, true) : 0;

	for (size_t i = 0; r == 0 && i < plan->n_sources; i++)
		r = fetch_names_add(names, plan->sources[i].location, true);
	return r;
}

void fetch_names_done(struct fetch_names *names)
{
	tdestroy(names->tree, free);
	*names = (struct fetch_names){};
}
