/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists by where they came from, and which of them may replace which. */

#include <revocation/store.h>

int revocation_store_new(struct revocation_store **ret)
{
	struct revocation_store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	list_init(&store->sources);
	*ret = store;
	return 0;
}

static void source_free(struct store_source *source)
{
	list_remove(&source->node);
	revocation_contents_done(&source->has);
	free(source->name);
	free(source);
}

struct revocation_store *revocation_store_free(struct revocation_store *store)
{
	if (!store)
		return NULL;
	list_foreach_safe (node, &store->sources)
		source_free(container_of(node, struct store_source, node));
	revocation_store_clear_issuers(store);
	free(store);
	return NULL;
}

static struct store_source *find_source(const struct revocation_store *store, const char *name)
{
	list_foreach (node, &store->sources) {
		struct store_source *source = container_of(node, struct store_source, node);

		if (strcmp(source->name, name) == 0)
			return source;
	}
	return NULL;
}

static int get_source(struct revocation_store *store, const char *name, struct store_source **ret)
{
	struct store_source *source = find_source(store, name);

	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return -ENOMEM;
		source->name = strdup(name);
		if (!source->name) {
			free(source);
			return -ENOMEM;
		}
		revocation_contents_init(&source->has);
		list_append(&store->sources, &source->node);
	}
	*ret = source;
	return 0;
}

size_t revocation_list_size(const struct store_list *list)
{
	const struct revocation_crl *crl = &list->crl;

	return sizeof(struct board_crl) + crl->n_entries * sizeof(*crl->entries) +
	       crl->proof.message_size + crl->proof.signature_size + strlen(crl->issuer) +
	       2 * crl->number_size + (size_t)REVOCATION_SOURCE_MAX + 256 /* detail */;
}

/* ---- what replaces what ---- */

static bool same_scope(const struct store_list *a, const struct store_list *b)
{
	return memcmp(a->crl.name_id, b->crl.name_id, TRUST_DIGEST_SIZE) == 0 &&
	       revocation_crl_same_scope(&a->crl, &b->crl);
}

/* Signers are in the order in which the keys were tried. */
uint64_t revocation_list_rivals(const struct store_list *a, const struct store_list *b)
{
	const struct store_signers *x = &a->signers, *y = &b->signers;
	uint64_t shared = 0;

	if (x->n == 0 || y->n == 0 || !same_scope(a, b))
		return 0;
	for (size_t i = 0, k = 0; i < x->n && k < y->n;) {
		if (x->keys[i] == y->keys[k])
			shared |= UINT64_C(1) << i;
		if (x->keys[i] <= y->keys[k])
			i++;
		else
			k++;
	}
	return shared;
}

/*
 * Two lists whose issuer is not known: whether they are of one key nobody can tell, so the older
 * one is not taken. What is dated in the future may be a trick to keep true lists out.
 */
static bool may_be_rivals(const struct store_list *old, const struct store_list *fresh)
{
	return old->signers.n == 0 && fresh->signers.n == 0 && !old->refuted && !fresh->refuted &&
	       old->crl.this_update <= time_realtime_s() && same_scope(old, fresh);
}

static bool is_same(const struct store_list *a, const struct store_list *b)
{
	const struct revocation_proof *x = &a->crl.proof, *y = &b->crl.proof;

	return x->algorithm == y->algorithm && x->message_size == y->message_size &&
	       x->signature_size == y->signature_size &&
	       memcmp(x->message, y->message, x->message_size) == 0 &&
	       memcmp(x->signature, y->signature, x->signature_size) == 0;
}

/* What @old has to say to the lists that are to replace it. true: it stays. */
static bool confront(struct store_list *old, struct list *fresh, bool keep, struct text *why)
{
	bool blocks = false, replaced = false;
	uint64_t renewed = 0;

	list_foreach_safe (node, fresh) {
		struct store_list *list = container_of(node, struct store_list, node);
		bool maybe = may_be_rivals(old, list);
		uint64_t shared = revocation_list_rivals(old, list);

		if (old->crl.proof.algorithm != PROOF_NONE && is_same(old, list))
			replaced = true;
		if (!shared && !maybe)
			continue;
		if (revocation_crl_compare_age(&old->crl, &list->crl) <= 0) {
			renewed |= shared;
			replaced |= maybe && !keep;
			continue;
		}
		/* Of a key that did not sign the old one it may be the newest. */
		if (revocation_list_rivals(list, old) != store_list_signers(list))
			continue;
		blocks = true;
		list_remove(node);
		revocation_crl_done(&list->crl);
		free(list);
		if (why->len == 0)
			text_addf(why, "older than the list that came before it, which stays");
	}
	if (old->signers.n > 0 && renewed == store_list_signers(old))
		replaced = true;
	return !replaced && (blocks || (keep && old->crl.proof.algorithm != PROOF_NONE));
}

static void account(struct revocation_store *store, const struct list *head, bool add)
{
	list_foreach (node, head) {
		size_t size = revocation_list_size(container_of(node, struct store_list, node));

		store->size = add ? store->size + size : store->size - size;
		store->n_lists = add ? store->n_lists + 1 : store->n_lists - 1;
	}
}

/* Replacing is reckoned as if nothing were replaced: room enough for both, and simple. */
static bool has_room(const struct revocation_store *store, const struct store_contents *fresh)
{
	struct revocation_store sum = { .size = store->size, .n_lists = store->n_lists };

	account(&sum, &fresh->lists, true);
	return sum.size <= STORE_SIZE_MAX && sum.n_lists <= REVOCATION_CRLS_MAX &&
	       store->n_given + fresh->n_given <= STORE_GIVEN_MAX;
}

/* Of those that stay beside what came now, no more than there is room for. */
static void bound_kept(struct list *lists, struct list *gone, bool open, size_t max)
{
	int64_t now = time_realtime_s();

	for (;;) {
		struct list *victim = NULL;
		bool ended = false;
		size_t n = 0;

		list_foreach (node, lists) {
			const struct store_list *list = container_of(node, struct store_list, node);

			if (open && list->signers.n > 0)
				continue;
			n++;
			if (ended)
				continue;
			victim = node;
			ended = list->crl.next_update != 0 && list->crl.next_update < now;
		}
		if (n <= max)
			return;
		list_remove(victim);
		list_append(gone, victim);
	}
}

static void replace_lists(struct revocation_store *store, struct store_source *source,
			  struct list *fresh, bool keep, struct text *why)
{
	struct list *lists = &source->has.lists, gone;

	list_init(&gone);
	list_foreach (node, fresh)
		revocation_list_verify(store, container_of(node, struct store_list, node));
	account(store, lists, false);
	list_foreach_safe (node, lists) {
		struct store_list *old = container_of(node, struct store_list, node);

		revocation_list_verify(store, old);
		old->kept = confront(old, fresh, keep, why);
		if (!old->kept) {
			list_remove(node);
			list_append(&gone, node);
		}
	}
	if (keep) {
		bound_kept(lists, &gone, true, STORE_KEPT_OPEN_MAX);
		bound_kept(lists, &gone, false, STORE_KEPT_MAX);
	}
	revocation_lists_free(&gone);
	list_take_all(fresh, lists);
	account(store, lists, true);
}

static bool same_given(const struct list *a, const struct list *b)
{
	struct list *x = a->next, *y = b->next;

	for (; x != a && y != b; x = x->next, y = y->next) {
		const struct store_given *old = container_of(x, struct store_given, node);
		const struct store_given *fresh = container_of(y, struct store_given, node);

		if (old->size != fresh->size || memcmp(old->der, fresh->der, old->size) != 0)
			return false;
	}
	return x == a && y == b;
}

/* The old ones stay in @fresh. */
static void replace_given(struct revocation_store *store, struct store_source *source,
			  struct store_contents *fresh)
{
	struct store_contents old;

	if (same_given(&source->has.given, &fresh->given))
		return;
	revocation_contents_init(&old);
	store->n_given = store->n_given - source->has.n_given + fresh->n_given;
	if (source->has.n_given > 0)
		revocation_store_forget_given(store);
	source->admitted = false;
	list_take_all(&source->has.given, &old.given);
	list_take_all(&fresh->given, &source->has.given);
	source->has.n_given = fresh->n_given;
	list_take_all(&old.given, &fresh->given);
}

static int put(struct revocation_store *store, const char *name, struct der data, bool stranger,
	       struct text *why)
{
	_cleanup_(revocation_contents_done) struct store_contents fresh;
	struct store_source *source;
	int r;

	revocation_contents_init(&fresh);
	if (strlen(name) > REVOCATION_SOURCE_MAX) {
		text_addf(why, "its name is too long");
		return REVOCATION_E_MALFORMED;
	}
	r = revocation_contents_read(data, !stranger, &fresh, why);
	if (r)
		return r;
	if (!has_room(store, &fresh)) {
		text_addf(why, "no room for it beside the other lists");
		return REVOCATION_E_MALFORMED;
	}
	r = get_source(store, name, &source);
	if (r == 0)
		r = revocation_store_admit_given(store);
	if (r)
		return r;
	/* Lists first: which of them is older the signers of the old ones tell, too. */
	replace_lists(store, source, &fresh.lists, stranger, why);
	replace_given(store, source, &fresh);
	return revocation_store_admit_given(store);
}

int revocation_store_put(struct revocation_store *store, const char *source, const void *data,
			 size_t size, struct text *why)
{
	return put(store, source, (struct der){ data, size }, false, why);
}

int revocation_store_add(struct revocation_store *store, const char *source, const void *data,
			 size_t size, struct text *why)
{
	return put(store, source, (struct der){ data, size }, true, why);
}

void revocation_store_drop(struct revocation_store *store, const char *source)
{
	struct store_source *found = find_source(store, source);

	if (!found)
		return;
	account(store, &found->has.lists, false);
	store->n_given -= found->has.n_given;
	if (found->has.n_given > 0)
		revocation_store_forget_given(store);
	source_free(found);
}

bool revocation_store_says_all(const struct revocation_store *store, const char *source)
{
	const struct store_source *found = find_source(store, source);
	bool any_kept = false, kept_in_date = false, verified = false;
	int64_t now = time_realtime_s();

	if (!found)
		return true;
	list_foreach (node, &found->has.lists) {
		const struct store_list *list = container_of(node, struct store_list, node);
		bool in_date = list->crl.next_update == 0 || list->crl.next_update >= now;

		any_kept |= list->kept;
		kept_in_date |= list->kept && list->signers.n > 0 && in_date;
		verified |= !list->kept && list->signers.n > 0;
	}
	return !any_kept || (verified && !kept_in_date);
}

bool revocation_store_due(const struct revocation_store *store, const char *source,
			  int64_t *ret_this_update, int64_t *ret_next_update)
{
	const struct store_source *found = find_source(store, source);
	const struct revocation_crl *first = NULL;
	bool first_kept = false;

	if (!found)
		return false;
	list_foreach (node, &found->has.lists) {
		const struct store_list *list = container_of(node, struct store_list, node);
		const struct revocation_crl *crl = &list->crl;

		if (crl->next_update == 0 || (first && list->kept && !first_kept))
			continue;
		if (!first || (first_kept && !list->kept) ||
		    crl->next_update < first->next_update) {
			first = crl;
			first_kept = list->kept;
		}
	}
	if (!first)
		return false;
	*ret_this_update = first->this_update;
	*ret_next_update = first->next_update;
	return true;
}
