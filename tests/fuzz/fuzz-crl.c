/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A certificate and what is published as its lists: two bytes of length, the certificate, the rest
 * is the CRL. Into the store, onto a board, looked up; a list that was taken is on the board.
 */

#include <siptls/revocation.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void look(struct revocation_board *board, const void *issuer, size_t size)
{
	struct trust_certificate cert = { .n_scopes = 1 };
	static const uint8_t id[TRUST_ID_SIZE];
	struct revocation_crl_view view;
	struct trust_link link;
	uint32_t crl;

	demand(revocation_board_learn(board, issuer, size) == 0);
	revocation_board_lookup(board, &cert, id, &link, &crl);
	demand(link.status == TRUST_STATUS_UNKNOWN && crl == UINT32_MAX);
	for (uint32_t i = 0; i < revocation_board_crls(board); i++) {
		revocation_board_crl(board, i, &view);
		demand(view.state < _REVOCATION_CRL_STATE_MAX);
		demand((view.state == REVOCATION_CRL_UNSUPPORTED) == (view.detail[0] != '\0') ||
		       view.state == REVOCATION_CRL_NO_ISSUER);
		demand(strcmp(view.source, "/crl") == 0 && view.issuer[0]);
	}
}

static void publish(struct revocation_store *store, const void *issuer, size_t size, uint32_t least)
{
	struct revocation_board *board;
	int fd;

	demand(revocation_store_publish(store, &fd) == 0);
	demand(revocation_board_open(fd, &board) == 0);
	demand(revocation_board_crls(board) >= least);
	look(board, issuer, size);
	revocation_board_unref(board);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct revocation_store *store;
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	size_t len;
	bool listed;
	int r;

	if (size < 2)
		return 0;
	len = (size_t)(data[0] << 8 | data[1]);
	data += 2, size -= 2;
	if (len > size)
		len = size;
	demand(revocation_store_new(&store) == 0);
	r = revocation_store_put(store, "/crl", data + len, size - len, &why);
	demand(r >= 0 && (r == 0 || buf[0]));
	/* PEM may hold certificates alone */
	listed = r == 0 && !memmem(data + len, size - len, "BEGIN CERTIFICATE", 17);
	publish(store, data, len, listed);
	demand(revocation_store_add_issuer(store, data, len) == 0);
	publish(store, data, len, listed);
	/* the same once more: nothing changes */
	why = TEXT_INIT(buf);
	demand(revocation_store_put(store, "/crl", data + len, size - len, &why) == r);
	publish(store, data, len, listed);
	revocation_store_free(store);
	return 0;
}
