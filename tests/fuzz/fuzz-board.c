/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A board from a process that was taken over: opened or not, and looked up in every way. */

#include <revocation/board.h>

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void look_up(const struct revocation_board *board, const uint8_t *issuer,
		    const struct trust_certificate *cert)
{
	struct trust_link link;
	uint32_t crl;

	revocation_board_lookup(board, cert, issuer, &link, &crl);
	demand(link.status < _TRUST_STATUS_MAX);
	demand((link.status == TRUST_STATUS_UNKNOWN) || crl < revocation_board_crls(board));
}

/* Ask for whatever it claims to answer for, about certificates that it claims to know. */
static void use(struct revocation_board *board)
{
	static char text[] = "anchor";
	struct trust_certificate cert[2] = { { .n_scopes = 1 }, { .is_ca = true } };
	struct trust_path path = { .certs = { 0, 1 }, .n_certs = 2, .anchor_subject = text };
	struct trust_facts facts = { .certs = cert, .n_certs = 2, .paths = &path, .n_paths = 1 };
	const struct board_header *header = board->header;
	struct revocation_crl_view view;

	for (uint32_t i = 0; i < header->n_answers && i < 64; i++) {
		const struct board_answer *answer = &board->answers[i];
		const struct board_crl *crl = &board->crls[answer->crl];

		if (crl->n > 0)
			memcpy(cert[0].serial_id, board->entries[crl->first].serial_id,
			       TRUST_DIGEST_SIZE);
		memcpy(cert[0].scopes[0], crl->points[0], TRUST_DIGEST_SIZE);
		memcpy(cert[1].id, answer->target, TRUST_ID_SIZE);
		memcpy(path.anchor_id, answer->via, TRUST_ID_SIZE);
		look_up(board, answer->target, &cert[0]);
		look_up(board, answer->via, &cert[0]);
		revocation_facts_fill(board, &facts);
		demand(path.links[0].status < _TRUST_STATUS_MAX);
	}
	for (uint32_t i = 0; i < revocation_board_crls(board); i++) {
		revocation_board_crl(board, i, &view);
		demand(strlen(view.source) + strlen(view.issuer) + strlen(view.number) +
			       strlen(view.detail) <
		       4 * board->size);
		demand(view.state < _REVOCATION_CRL_STATE_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("board", MFD_CLOEXEC | MFD_ALLOW_SEALING), r;
	struct revocation_board *board;

	demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	demand(fcntl(fd, F_ADD_SEALS, BOARD_SEALS) == 0);
	r = revocation_board_open(fd, &board);
	if (r != 0) {
		demand(r == REVOCATION_E_MALFORMED);
		close(fd);
		return 0;
	}
	use(board);
	revocation_board_unref(board);
	return 0;
}
