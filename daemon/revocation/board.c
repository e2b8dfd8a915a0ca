/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening a board: nothing in it is believed that is not checked here once. */

#include <revocation/board.h>

#include <sys/mman.h>
#include <sys/stat.h>

const char *const revocation_crl_state_names[] = {
	[REVOCATION_CRL_VERIFIED] = "verified",
	[REVOCATION_CRL_NO_ISSUER] = "no-issuer",
	[REVOCATION_CRL_BAD_SIGNATURE] = "bad-signature",
	[REVOCATION_CRL_UNSUPPORTED] = "unsupported",
	NULL,
};

int revocation_entry_compare(const void *a, const void *b)
{
	return memcmp(a, b, TRUST_DIGEST_SIZE);
}

int revocation_answer_compare(const void *a, const void *b)
{
	return memcmp(a, b, TRUST_ID_SIZE);
}

/* ---- checks ---- */

static bool span_is_sane(const struct revocation_board *board, struct board_span span)
{
	return span.offset <= board->header->n_bytes &&
	       span.size <= board->header->n_bytes - span.offset;
}

static bool text_is_sane(const struct revocation_board *board, struct board_span span)
{
	return span_is_sane(board, span) && span.size < board->header->n_bytes - span.offset &&
	       board->bytes[span.offset + span.size] == '\0';
}

static bool is_sorted(const void *base, uint64_t n, size_t size,
		      int (*compare)(const void *a, const void *b))
{
	const char *p = base;

	for (uint64_t i = 1; i < n; i++, p += size) {
		if (compare(p, p + size) > 0)
			return false;
	}
	return true;
}

static bool crl_is_sane(const struct revocation_board *board, const struct board_crl *crl)
{
	return crl->state < _REVOCATION_CRL_STATE_MAX && crl->n_points <= BOARD_POINTS_MAX &&
	       (crl->flags & ~(uint32_t)BOARD_FLAGS) == 0 &&
	       crl->first <= board->header->n_entries &&
	       crl->n <= board->header->n_entries - crl->first &&
	       text_is_sane(board, crl->source) && text_is_sane(board, crl->issuer) &&
	       text_is_sane(board, crl->number) && text_is_sane(board, crl->detail) &&
	       span_is_sane(board, crl->message) && span_is_sane(board, crl->signature) &&
	       is_sorted(board->entries + crl->first, crl->n, sizeof(*board->entries),
			 revocation_entry_compare);
}

static bool is_sane(const struct revocation_board *board)
{
	const struct board_header *header = board->header;

	for (uint32_t i = 0; i < header->n_crls; i++) {
		if (!crl_is_sane(board, &board->crls[i]))
			return false;
	}
	for (uint32_t i = 0; i < header->n_answers; i++) {
		if (board->answers[i].crl >= header->n_crls ||
		    (board->answers[i].signer >= header->n_signers &&
		     board->answers[i].signer != BOARD_NO_SIGNER))
			return false;
	}
	for (uint32_t i = 0; i < header->n_signers; i++) {
		if (board->signers[i].n_scopes > TRUST_SCOPES_MAX)
			return false;
	}
	return is_sorted(board->answers, header->n_answers, sizeof(*board->answers),
			 revocation_answer_compare);
}

/* The parts follow one another, and nothing is left at the end. No sum overflows: see the limits.
 */
static bool split(struct revocation_board *board)
{
	const struct board_header *header = board->header;
	const char *p = (const char *)header;
	uint64_t size;

	if (memcmp(header->magic, BOARD_MAGIC, sizeof(header->magic)) != 0 ||
	    header->version != BOARD_VERSION || header->n_crls > REVOCATION_CRLS_MAX ||
	    header->n_answers > BOARD_ANSWERS_MAX || header->n_signers > BOARD_SIGNERS_MAX ||
	    header->n_entries > REVOCATION_BOARD_SIZE_MAX ||
	    header->n_bytes > REVOCATION_BOARD_SIZE_MAX)
		return false;
	size = sizeof(*header) + header->n_crls * sizeof(*board->crls) +
	       header->n_answers * sizeof(*board->answers) +
	       header->n_signers * sizeof(*board->signers) +
	       header->n_entries * sizeof(*board->entries) + header->n_bytes;
	if (size != board->size)
		return false;
	p += sizeof(*header);
	board->crls = (const void *)p;
	p += header->n_crls * sizeof(*board->crls);
	board->answers = (const void *)p;
	p += header->n_answers * sizeof(*board->answers);
	board->signers = (const void *)p;
	p += header->n_signers * sizeof(*board->signers);
	board->entries = (const void *)p;
	p += header->n_entries * sizeof(*board->entries);
	board->bytes = p;
	return true;
}

/* ---- opening ---- */

/* Writable memory could change after the checks. */
static int check_file(int fd, size_t *ret_size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0)
		return errno == EINVAL ? REVOCATION_E_MALFORMED : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((seals & BOARD_SEALS) != BOARD_SEALS ||
	    st.st_size < (off_t)sizeof(struct board_header) ||
	    st.st_size > (off_t)REVOCATION_BOARD_SIZE_MAX)
		return REVOCATION_E_MALFORMED;
	*ret_size = (size_t)st.st_size;
	return 0;
}

static void board_freep(struct revocation_board **board)
{
	*board = revocation_board_unref(*board);
}

int revocation_board_open(int fd, struct revocation_board **ret)
{
	_cleanup_(board_freep) struct revocation_board *board = NULL;
	size_t size = 0;
	void *map;
	int r;

	r = check_file(fd, &size);
	if (r)
		return r;
	board = calloc(1, sizeof(*board));
	if (!board)
		return -ENOMEM;
	board->n_refs = 1;
	board->fd = -1;
	map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	board->header = map;
	board->size = size;
	if (!split(board) || !is_sane(board))
		return REVOCATION_E_MALFORMED;
	board->fd = fd;
	*ret = steal_ptr(board);
	return 0;
}

struct revocation_board *revocation_board_ref(struct revocation_board *board)
{
	board->n_refs++;
	return board;
}

struct revocation_board *revocation_board_unref(struct revocation_board *board)
{
	if (!board || --board->n_refs > 0)
		return NULL;
	if (board->header)
		munmap((void *)(uintptr_t)board->header, board->size);
	fd_close(board->fd);
	free(board->met);
	free(board->learnt);
	free(board);
	return NULL;
}

int revocation_board_fd(const struct revocation_board *board)
{
	return board->fd;
}

uint64_t revocation_board_number(const struct revocation_board *board)
{
	return board ? board->header->number : 0;
}

/* ---- for people ---- */

uint32_t revocation_board_crls(const struct revocation_board *board)
{
	return board ? board->header->n_crls : 0;
}

void revocation_board_crl(const struct revocation_board *board, uint32_t index,
			  struct revocation_crl_view *ret)
{
	const struct board_crl *crl = &board->crls[index];

	*ret = (struct revocation_crl_view){
		.source = board->bytes + crl->source.offset,
		.issuer = board->bytes + crl->issuer.offset,
		.number = board->bytes + crl->number.offset,
		.detail = board->bytes + crl->detail.offset,
		.state = (enum revocation_crl_state)crl->state,
		.this_update = crl->this_update,
		.next_update = crl->next_update,
		.entries = crl->n_listed,
	};
}
