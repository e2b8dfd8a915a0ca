/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists by where they came from, and which of them may replace which. */

#include <revocation/store.h>

#include <gnutls/x509.h>

int revocation_store_new(struct revocation_store **ret)
{
	struct revocation_store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	list_init(&store->sources);
	*ret = store;
	return 0;
}

static void list_freep(struct list *head)
{
	list_foreach_safe (node, head) {
		struct store_list *list = container_of(node, struct store_list, node);

		revocation_crl_done(&list->crl);
		free(list);
	}
	list_init(head);
}

static void source_free(struct store_source *source)
{
	list_remove(&source->node);
	list_freep(&source->lists);
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
		list_init(&source->lists);
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

/* ---- reading ---- */

static int read_one(struct der der, struct list *fresh, struct text *why)
{
	struct store_list *list = calloc(1, sizeof(*list));
	int r;

	if (!list)
		return -ENOMEM;
	r = revocation_crl_read(der, &list->crl, why);
	if (r)
		free(list);
	else
		list_append(fresh, &list->node);
	return r;
}

#define PEM_LABEL "X509 CRL"
#define PEM_BEGIN "-----BEGIN " PEM_LABEL "-----"
#define PEM_END	  "-----END " PEM_LABEL "-----"

static int read_block(struct der block, struct list *fresh, struct text *why)
{
	gnutls_datum_t pem = name_datum(block), der = {};
	int r;

	r = gnutls_pem_base64_decode2(PEM_LABEL, &pem, &der);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	if (r < 0) {
		text_addf(why, "its PEM encoding cannot be read");
		return REVOCATION_E_MALFORMED;
	}
	r = read_one((struct der){ der.data, der.size }, fresh, why);
	gnutls_free(der.data);
	return r;
}

static int read_pem(struct der in, struct list *fresh, struct text *why)
{
	for (size_t n = 1;; n++) {
		const uint8_t *begin = memmem(in.p, in.len, PEM_BEGIN, strlen(PEM_BEGIN)), *end;
		int r;

		if (!begin && n > 1)
			return 0;
		in.len -= begin ? (size_t)(begin - in.p) : 0;
		in.p = begin;
		end = begin ? memmem(in.p, in.len, PEM_END, strlen(PEM_END)) : NULL;
		if (!end || n > REVOCATION_CRLS_MAX) {
			text_addf(why, begin ? "too many CRLs or no end of one"
					     : "there is no CRL in it");
			return REVOCATION_E_MALFORMED;
		}
		end += strlen(PEM_END);
		if (n > 1)
			text_addf(why, "CRL %zu: ", n);
		r = read_block((struct der){ in.p, (size_t)(end - in.p) }, fresh, why);
		if (r)
			return r;
		why->buf[why->len = 0] = '\0';
		in.len -= (size_t)(end - in.p);
		in.p = end;
	}
}

static int read_all(struct der in, struct list *fresh, struct text *why)
{
	struct der rest = in;

	if (in.len > REVOCATION_CRL_SIZE_MAX) {
		text_addf(why, "%zu bytes, at most %d are taken", in.len, REVOCATION_CRL_SIZE_MAX);
		return REVOCATION_E_MALFORMED;
	}
	if (revocation_der_take(&rest, DER_SEQUENCE, NULL) && rest.len == 0)
		return read_one(in, fresh, why);
	return read_pem(in, fresh, why);
}

/* ---- what replaces what ---- */

/* Both are in the order in which the keys were tried. */
static bool share_signer(const struct store_signers *a, const struct store_signers *b)
{
	for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
		if (a->keys[i] == b->keys[k])
			return true;
		if (a->keys[i] < b->keys[k])
			i++;
		else
			k++;
	}
	return false;
}

bool revocation_list_rivals(const struct store_list *a, const struct store_list *b)
{
	return memcmp(a->crl.name_id, b->crl.name_id, TRUST_DIGEST_SIZE) == 0 &&
	       revocation_crl_same_scope(&a->crl, &b->crl) &&
	       share_signer(&a->signers, &b->signers);
}

/*
 * Two lists whose issuer is not known: whether they are of one key nobody can tell, so the older
 * one is not taken. What is dated in the future may be a trick to keep true lists out.
 */
static bool may_be_rivals(const struct store_list *old, const struct store_list *fresh)
{
	return old->signers.n == 0 && fresh->signers.n == 0 && !old->refuted && !fresh->refuted &&
	       old->crl.this_update <= time_realtime_s() &&
	       memcmp(old->crl.name_id, fresh->crl.name_id, TRUST_DIGEST_SIZE) == 0 &&
	       revocation_crl_same_scope(&old->crl, &fresh->crl);
}

/* What @old has to say to the lists that are to replace it. true: it stays. */
static bool confront(struct store_list *old, struct list *fresh, bool keep, struct text *why)
{
	bool blocks = false, replaced = false;

	list_foreach_safe (node, fresh) {
		struct store_list *list = container_of(node, struct store_list, node);

		if (!revocation_list_rivals(old, list) && !may_be_rivals(old, list))
			continue;
		if (revocation_crl_compare_age(&old->crl, &list->crl) <= 0) {
			replaced = true;
			continue;
		}
		blocks = true;
		list_remove(node);
		revocation_crl_done(&list->crl);
		free(list);
		if (why->len == 0)
			text_addf(why, "older than the list that came before it, which stays");
	}
	return !replaced &&
	       (blocks || (keep && old->signers.n > 0 && old->crl.next_update > time_realtime_s()));
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
static bool has_room(const struct revocation_store *store, const struct list *fresh)
{
	struct revocation_store sum = { .size = store->size, .n_lists = store->n_lists };

	account(&sum, fresh, true);
	return sum.size <= STORE_SIZE_MAX && sum.n_lists <= REVOCATION_CRLS_MAX;
}

static void replace(struct revocation_store *store, struct store_source *source, struct list *fresh,
		    bool keep, struct text *why)
{
	struct list gone;

	list_init(&gone);
	list_foreach (node, fresh)
		revocation_list_verify(store, container_of(node, struct store_list, node));
	account(store, &source->lists, false);
	list_foreach_safe (node, &source->lists) {
		struct store_list *old = container_of(node, struct store_list, node);

		revocation_list_verify(store, old);
		old->kept = confront(old, fresh, keep, why);
		if (!old->kept) {
			list_remove(node);
			list_append(&gone, node);
		}
	}
	list_freep(&gone);
	list_take_all(fresh, &source->lists);
	account(store, &source->lists, true);
}

static int put(struct revocation_store *store, const char *name, struct der data, bool keep,
	       struct text *why)
{
	_cleanup_(list_freep) struct list fresh;
	struct store_source *source;
	int r;

	list_init(&fresh);
	if (strlen(name) > REVOCATION_SOURCE_MAX) {
		text_addf(why, "its name is too long");
		return REVOCATION_E_MALFORMED;
	}
	r = read_all(data, &fresh, why);
	if (r)
		return r;
	if (!has_room(store, &fresh)) {
		text_addf(why, "no room for it beside the other lists");
		return REVOCATION_E_MALFORMED;
	}
	r = get_source(store, name, &source);
	if (r)
		return r;
	replace(store, source, &fresh, keep, why);
	return 0;
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
	account(store, &found->lists, false);
	source_free(found);
}

bool revocation_store_due(const struct revocation_store *store, const char *source,
			  int64_t *ret_this_update, int64_t *ret_next_update)
{
	const struct store_source *found = find_source(store, source);
	const struct revocation_crl *first = NULL;
	bool first_kept = false;

	if (!found)
		return false;
	list_foreach (node, &found->lists) {
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
