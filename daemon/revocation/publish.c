/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the store to a board: which lists count and for whom, then all of it into sealed memory. */

#include <revocation/store.h>

#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define GROW_STEP 64

/* A list and what is said of it to people. */
struct item {
	struct store_list *list;
	const char *source, *detail;
	char number[2 * CRL_NUMBER_MAX + 1];
	enum revocation_crl_state state;
	bool stored; /* its entries are on the board */
	bool open;   /* nobody verified it here: a worker may meet its issuer */
};

struct draft {
	struct revocation_store *store;
	struct item *items;
	struct board_answer *answers;
	struct board_signer *signers;
	struct board_header header;
};

static void draft_done(struct draft *draft)
{
	free(draft->items);
	free(draft->answers);
	free(draft->signers);
}

/* ---- what is listed ---- */

static void supersede(struct draft *draft)
{
	for (size_t i = 0; i < draft->header.n_crls; i++)
		draft->items[i].list->superseded = 0;
	for (size_t i = 0; i < draft->header.n_crls; i++) {
		struct store_list *a = draft->items[i].list;

		for (size_t k = i + 1; k < draft->header.n_crls; k++) {
			struct store_list *b = draft->items[k].list;
			uint64_t shared = revocation_list_rivals(a, b);

			if (!shared)
				continue;
			if (revocation_crl_compare_age(&a->crl, &b->crl) < 0)
				a->superseded |= shared;
			else
				b->superseded |= revocation_list_rivals(b, a);
		}
	}
}

/* Does what @key said with this list still hold? */
static bool speaks_for(const struct store_list *list, uint32_t key)
{
	for (size_t i = 0; i < list->signers.n; i++) {
		if (list->signers.keys[i] == key)
			return !(list->superseded >> i & 1);
	}
	return false;
}

static const char *detail_of(const struct store_list *list)
{
	if (list->crl.detail)
		return list->crl.detail;
	if (store_list_is_past(list))
		return "a newer list is in force";
	if (list->signers.n == 0 && list->not_allowed)
		return "keyUsage of its issuer does not allow signing CRLs";
	return "";
}

static enum revocation_crl_state state_of(const struct store_list *list)
{
	if (!(list->crl.flags & BOARD_SUPPORTED) || (list->crl.flags & BOARD_PARTIAL))
		return REVOCATION_CRL_UNSUPPORTED;
	if (list->signers.n > 0)
		return REVOCATION_CRL_VERIFIED;
	return list->refuted ? REVOCATION_CRL_BAD_SIGNATURE : REVOCATION_CRL_NO_ISSUER;
}

/* The last ones that are open of this source and name: what it gives now comes last. */
static bool is_among_open(const struct draft *draft, const struct item *item)
{
	size_t n = 0;

	for (size_t i = draft->header.n_crls; i-- > 0 && &draft->items[i] != item;) {
		const struct item *other = &draft->items[i];

		n += other->source == item->source && other->list->signers.n == 0 &&
		     memcmp(other->list->crl.name_id, item->list->crl.name_id, TRUST_DIGEST_SIZE) ==
			     0;
	}
	return n < BOARD_OPEN_MAX;
}

static void describe(struct draft *draft, struct item *item)
{
	const struct store_list *list = item->list;
	const struct revocation_crl *crl = &list->crl;

	if (crl->number_size > 0)
		hex_format(crl->number, crl->number_size, item->number);
	else if (crl->has_number)
		strcpy(item->number, "00");
	item->state = state_of(list);
	item->detail = detail_of(list);
	item->stored = !store_list_is_past(list) && (crl->flags & BOARD_SUPPORTED);
	item->open = list->signers.n == 0 && crl->proof.algorithm != PROOF_NONE &&
		     is_among_open(draft, item);
	if (item->stored)
		draft->header.n_entries += crl->n_entries;
	draft->header.n_bytes += strlen(item->source) + strlen(crl->issuer) + strlen(item->number) +
				 strlen(item->detail) + 4;
	if (item->open)
		draft->header.n_bytes += crl->proof.message_size + crl->proof.signature_size;
}

static int collect(struct draft *draft)
{
	struct revocation_store *store = draft->store;
	int r = revocation_store_admit_given(store);

	if (r)
		return r;
	draft->items = calloc(store->n_lists + 1, sizeof(*draft->items));
	if (!draft->items)
		return -ENOMEM;
	list_foreach (s, &store->sources) {
		struct store_source *source = container_of(s, struct store_source, node);

		list_foreach (node, &source->has.lists) {
			struct item *item = &draft->items[draft->header.n_crls++];

			item->list = container_of(node, struct store_list, node);
			item->source = source->name;
			revocation_list_verify(store, item->list);
		}
	}
	supersede(draft);
	for (size_t i = 0; i < draft->header.n_crls; i++)
		describe(draft, &draft->items[i]);
	return 0;
}

/* ---- who is answered for ---- */

static int add_answer(struct draft *draft, uint32_t crl, uint32_t target, uint32_t via,
		      uint32_t signer)
{
	const struct revocation_store *store = draft->store;
	struct board_answer *answer = draft->answers;
	uint32_t n = draft->header.n_answers;

	if (n % GROW_STEP == 0) {
		answer = reallocarray(answer, n + GROW_STEP, sizeof(*answer));
		if (!answer)
			return -ENOMEM;
		draft->answers = answer;
	}
	answer += n;
	*answer = (struct board_answer){ .crl = crl, .signer = signer };
	memcpy(answer->target, store_key_issuer(store->keys[target])->id, TRUST_ID_SIZE);
	if (via != STORE_UNCONDITIONAL)
		memcpy(answer->via, store_key_issuer(store->keys[via])->id, TRUST_ID_SIZE);
	draft->header.n_answers++;
	return 0;
}

static int add_signer(struct draft *draft, const struct revocation_issuer *issuer, uint32_t parent)
{
	struct board_signer *signer = draft->signers;
	uint32_t n = draft->header.n_signers;

	if (n % GROW_STEP == 0) {
		signer = reallocarray(signer, n + GROW_STEP, sizeof(*signer));
		if (!signer)
			return -ENOMEM;
		draft->signers = signer;
	}
	signer += n;
	*signer = (struct board_signer){ .not_after = issuer->not_after,
					 .is_ca = issuer->is_ca,
					 .n_scopes = issuer->n_scopes };
	memcpy(signer->issuer, store_key_issuer(draft->store->keys[parent])->id, TRUST_ID_SIZE);
	memcpy(signer->serial_id, issuer->serial_id, sizeof(signer->serial_id));
	memcpy(signer->scopes, issuer->scopes, sizeof(signer->scopes));
	draft->header.n_signers++;
	return 0;
}

enum { PUBLISH_E_FULL = 1 };

/* What @signer said counts for @relation->target, too: of each of its lists. */
struct relating {
	struct draft *draft;
	uint32_t signer;
};

static int on_relation(void *userdata, const struct store_relation *relation)
{
	const struct relating *relating = userdata;
	struct draft *draft = relating->draft;
	uint32_t signer = BOARD_NO_SIGNER;
	int r = 0;

	if (draft->header.n_signers == BOARD_SIGNERS_MAX)
		return PUBLISH_E_FULL;
	if (relation->signer) {
		signer = draft->header.n_signers;
		r = add_signer(draft, &relation->signer->issuer, relation->signer_issuer);
	}
	for (uint32_t i = 0; i < draft->header.n_crls && r == 0; i++) {
		const struct store_list *list = draft->items[i].list;

		if (!speaks_for(list, relating->signer))
			continue;
		if (draft->header.n_answers == BOARD_ANSWERS_MAX)
			return PUBLISH_E_FULL;
		r = add_answer(draft, i, relation->target, relation->via, signer);
	}
	return r;
}

/* What each key says for itself always has room. */
static int answer_directly(struct draft *draft, bool *signs)
{
	for (uint32_t i = 0; i < draft->header.n_crls; i++) {
		const struct store_list *list = draft->items[i].list;

		for (size_t k = 0; k < list->signers.n; k++) {
			uint32_t key = list->signers.keys[k];
			int r;

			if (!speaks_for(list, key))
				continue;
			r = add_answer(draft, i, key, STORE_UNCONDITIONAL, BOARD_NO_SIGNER);
			if (r)
				return r;
			signs[key] = true;
		}
	}
	return 0;
}

static int answer(struct draft *draft)
{
	_cleanup_free_ bool *signs = calloc(draft->store->n_keys + 1, sizeof(*signs));
	int r;

	if (!signs)
		return -ENOMEM;
	r = answer_directly(draft, signs);
	for (uint32_t i = 0; i < draft->store->n_keys && r == 0; i++) {
		struct relating relating = { draft, i };

		if (signs[i])
			r = revocation_store_relate(draft->store, i, on_relation, &relating);
	}
	if (r < 0)
		return r;
	/* Of those for which there was no room nothing is known. */
	if (draft->header.n_answers > 0)
		qsort(draft->answers, draft->header.n_answers, sizeof(*draft->answers),
		      revocation_answer_compare);
	return 0;
}

_Static_assert(REVOCATION_CRLS_MAX *STORE_KEYS_PER_NAME_MAX <= BOARD_ANSWERS_MAX,
	       "room for what each key says for itself");

/* ---- writing ---- */

struct writer {
	char *p; /* where the next part goes */
	struct board_entry *entries;
	uint64_t n_entries;
	char *bytes;
	size_t n_bytes;
};

static void write_part(struct writer *writer, const void *data, size_t size)
{
	if (size > 0)
		memcpy(writer->p, data, size);
	writer->p += size;
}

static struct board_span write_bytes(struct writer *writer, const void *data, size_t size)
{
	struct board_span span = { (uint32_t)writer->n_bytes, (uint32_t)size };

	memcpy(writer->bytes + writer->n_bytes, data, size);
	writer->n_bytes += size;
	return span;
}

/* The memory is zero: each text is followed by its end. */
static struct board_span write_text(struct writer *writer, const char *text)
{
	struct board_span span = write_bytes(writer, text, strlen(text));

	writer->n_bytes++;
	return span;
}

static void write_crl(struct writer *writer, const struct item *item)
{
	const struct revocation_crl *crl = &item->list->crl;
	struct board_crl record = {
		.this_update = crl->this_update,
		.next_update = crl->next_update,
		.first = writer->n_entries,
		.n = item->stored ? crl->n_entries : 0,
		.n_listed = crl->n_listed,
		.state = item->state,
		.flags = crl->flags,
		.algorithm = item->open ? crl->proof.algorithm : PROOF_NONE,
		.n_points = crl->n_points,
		.source = write_text(writer, item->source),
		.issuer = write_text(writer, crl->issuer),
		.number = write_text(writer, item->number),
		.detail = write_text(writer, item->detail),
	};

	memcpy(record.name_id, crl->name_id, sizeof(record.name_id));
	memcpy(record.points, crl->points, sizeof(record.points));
	if (item->open) {
		record.message = write_bytes(writer, crl->proof.message, crl->proof.message_size);
		record.signature =
			write_bytes(writer, crl->proof.signature, crl->proof.signature_size);
	}
	if (record.n > 0)
		memcpy(writer->entries + writer->n_entries, crl->entries,
		       record.n * sizeof(*crl->entries));
	writer->n_entries += record.n;
	write_part(writer, &record, sizeof(record));
}

static void write_board(const struct draft *draft, char *map)
{
	const struct board_header *header = &draft->header;
	struct writer writer = { .p = map };
	char *entries = map + sizeof(*header) + header->n_crls * sizeof(struct board_crl) +
			header->n_answers * sizeof(*draft->answers) +
			header->n_signers * sizeof(*draft->signers);

	writer.entries = (void *)entries;
	writer.bytes = entries + header->n_entries * sizeof(struct board_entry);
	write_part(&writer, header, sizeof(*header));
	for (uint32_t i = 0; i < header->n_crls; i++)
		write_crl(&writer, &draft->items[i]);
	write_part(&writer, draft->answers, header->n_answers * sizeof(*draft->answers));
	write_part(&writer, draft->signers, header->n_signers * sizeof(*draft->signers));
}

static size_t board_size(const struct board_header *header)
{
	return sizeof(*header) + header->n_crls * sizeof(struct board_crl) +
	       header->n_answers * sizeof(struct board_answer) +
	       header->n_signers * sizeof(struct board_signer) +
	       header->n_entries * sizeof(struct board_entry) + header->n_bytes;
}

/* The name is for people who look into /proc. */
static int create_memory(void)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd;

	fd = memfd_create("siptls-revocation", flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("siptls-revocation", flags);
	return fd < 0 ? -errno : fd;
}

static int seal(const struct draft *draft, int *ret_fd)
{
	size_t size = board_size(&draft->header);
	_cleanup_fd_ int fd = create_memory();
	char *map;
	int r;

	if (fd < 0)
		return steal_fd(&fd);
	if (size > REVOCATION_BOARD_SIZE_MAX)
		return -EFBIG;
	/* With its pages, so that there is an error now instead of a signal later. */
	r = posix_fallocate(fd, 0, (off_t)size);
	if (r)
		return -r;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	write_board(draft, map);
	munmap(map, size);
	if (fcntl(fd, F_ADD_SEALS, BOARD_SEALS) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int revocation_store_publish(struct revocation_store *store, int *ret_fd)
{
	_cleanup_(draft_done) struct draft draft = {
		.store = store,
		.header = { .magic = BOARD_MAGIC,
			    .version = BOARD_VERSION,
			    .number = store->number + 1 },
	};
	int r;

	r = collect(&draft);
	if (r == 0)
		r = answer(&draft);
	if (r == 0)
		r = seal(&draft, ret_fd);
	if (r == 0)
		store->number++;
	return r;
}
