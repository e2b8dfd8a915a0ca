/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sockets - the TCP sockets that have the tls protocol, with what the kernel tells about them.
 *
 * Kernels up to Linux 6.12 show a socket's protocol to holders of CAP_NET_ADMIN only, and hide it
 * without a word. So a socket of our own with the protocol is made first: if the dump shows us that
 * one, it shows us all of them.
 */

#include "kmod.h"

#include <linux/tls.h>
#include <netinet/tcp.h>
#include <stdio.h>

static const struct kmod_column columns[] = {
	{ "state", "STATE", false },   { "local", "LOCAL", false },
	{ "remote", "REMOTE", false }, { "version", "VERSION", false },
	{ "cipher", "CIPHER", false }, { "tx", "TX", false },
	{ "rx", "RX", false },	       { "uid", "UID", true },
	{ "inode", "INODE", true },    { "cookie", "COOKIE", true },
};

static const struct kmod_table table = {
	.name = "sockets",
	.empty = "no socket has kernel TLS",
	.n_columns = ARRAY_SIZE(columns),
	.columns = columns,
};

/* ---- numbers of the kernel as words ---- */

struct word {
	uint16_t number;
	const char *name;
};

static const struct word states[] = {
	{ TCP_ESTABLISHED, "established" },
	{ TCP_SYN_SENT, "syn-sent" },
	{ TCP_SYN_RECV, "syn-recv" },
	{ TCP_FIN_WAIT1, "fin-wait-1" },
	{ TCP_FIN_WAIT2, "fin-wait-2" },
	{ TCP_TIME_WAIT, "time-wait" },
	{ TCP_CLOSE, "close" },
	{ TCP_CLOSE_WAIT, "close-wait" },
	{ TCP_LAST_ACK, "last-ack" },
	{ TCP_LISTEN, "listen" },
	{ TCP_CLOSING, "closing" },
};

static const struct word confs[] = {
	{ TLS_CONF_BASE, "base" },
	{ TLS_CONF_SW, "sw" },
	{ TLS_CONF_HW, "hw" },
	{ TLS_CONF_HW_RECORD, "hw-record" },
};

static const struct word versions[] = { { TLS_1_2_VERSION, "TLS 1.2" },
					{ TLS_1_3_VERSION, "TLS 1.3" } };

/* Other programs may use what siptlsd does not. */
static const struct word ciphers[] = {
	{ TLS_CIPHER_AES_GCM_128, "AES-128-GCM" },
	{ TLS_CIPHER_AES_GCM_256, "AES-256-GCM" },
	{ TLS_CIPHER_AES_CCM_128, "AES-128-CCM" },
	{ TLS_CIPHER_CHACHA20_POLY1305, "CHACHA20-POLY1305" },
	{ TLS_CIPHER_SM4_GCM, "SM4-GCM" },
	{ TLS_CIPHER_SM4_CCM, "SM4-CCM" },
	{ TLS_CIPHER_ARIA_GCM_128, "ARIA-128-GCM" },
	{ TLS_CIPHER_ARIA_GCM_256, "ARIA-256-GCM" },
};

#define WORD_SIZE 16

/* A number that a newer kernel uses and this table lacks is shown as one. */
static const char *word_find(const struct word *words, size_t n, uint16_t number,
			     char buf[static WORD_SIZE])
{
	for (size_t i = 0; i < n; i++)
		if (words[i].number == number)
			return words[i].name;
	snprintf(buf, WORD_SIZE, "%#x", number);
	return buf;
}

#define WORD(words, number) word_find(words, ARRAY_SIZE(words), number, (char[WORD_SIZE]){ 0 })

/* ---- our own socket ---- */

struct witness {
	int listener, fd;
	uint64_t cookie; /* 0: no socket */
};

static void witness_close(struct witness *w)
{
	fd_close(w->fd);
	fd_close(w->listener);
}

/*
 * A connection to ourselves that is never accepted: it is established all the same. Not made where
 * the tls module is not loaded, because setting the protocol could load it. Without a witness
 * (loopback is down, say) only what the dump shows can be told.
 */
static void witness_make(struct witness *w)
{
	struct net_addr addr = { .in4 = { .sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
				 .len = sizeof(addr.in4) };

	if (net_listen(&addr, &w->listener) < 0)
		return;
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0 || connect(w->fd, &addr.any, addr.len) < 0 || ktls_ulp_set(w->fd) != 0)
		return;
	w->cookie = net_cookie(w->fd);
}

/* ---- rows ---- */

struct listing {
	json_t *rows;
	uint64_t witness;
	bool shown; /* the kernel shows us which protocol a socket has */
};

static void on_restart(void *userdata)
{
	struct listing *listing = userdata;

	json_array_clear(listing->rows);
	listing->shown = false;
}

static int on_socket(void *userdata, const struct kmod_socket *s)
{
	struct listing *listing = userdata;
	char local[NET_ADDR_STRLEN], remote[NET_ADDR_STRLEN], cookie[24];
	json_t *row;

	if (s->ulp[0] != '\0')
		listing->shown = true;
	if (strcmp(s->ulp, "tls") != 0 || (listing->witness && s->cookie == listing->witness))
		return 0;

	/* A string, because many readers of JSON keep no more than 53 bits of a number. */
	snprintf(cookie, sizeof(cookie), "%llu", (unsigned long long)s->cookie);
	row = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:I, s:I, s:s}", "cookie", cookie,
			"local", net_addr_format(&s->local, local), "remote",
			net_addr_format(&s->remote, remote), "version",
			s->version ? WORD(versions, s->version) : NULL, "cipher",
			s->cipher ? WORD(ciphers, s->cipher) : NULL, "tx", WORD(confs, s->tx), "rx",
			WORD(confs, s->rx), "uid", (json_int_t)s->uid, "inode",
			(json_int_t)s->inode, "state", WORD(states, s->state));
	return row && json_array_append_new(listing->rows, row) == 0 ? 0 : -ENOMEM;
}

static int dump_failed(int r)
{
	switch (r) {
	case KMOD_E_MALFORMED:
		kmod_tell("the kernel's list of sockets cannot be read");
		return KMOD_E_UNAVAILABLE;
	case -ENOENT:
		kmod_tell("the kernel cannot list TCP sockets: modprobe tcp_diag");
		return KMOD_E_UNAVAILABLE;
	case -EINTR:
		kmod_tell("the sockets change faster than they can be listed: try again");
		return KMOD_E_UNAVAILABLE;
	}
	return r;
}

int kmod_sockets(enum kmod_format format)
{
	static const struct kmod_dump_ops ops = { on_restart, on_socket };
	_cleanup_(witness_close) struct witness witness = { .listener = -1, .fd = -1 };
	_cleanup_json_ json_t *rows = json_array(), *beside = NULL;
	struct listing listing = { .rows = rows };
	bool details, loaded = access("/proc/net/tls_stat", F_OK) == 0;
	int r;

	if (!rows)
		return -ENOMEM;
	if (loaded)
		witness_make(&witness);
	listing.witness = witness.cookie;
	r = kmod_dump(&ops, &listing);
	if (r != 0)
		return dump_failed(r);

	/* Without the module no socket can have the protocol: then an empty list is complete. */
	details = listing.shown || !loaded;
	beside = json_pack("{s:b}", "details", (int)details);
	if (!beside)
		return -ENOMEM;
	if (!details && witness.cookie == 0)
		kmod_tell("no socket shows kernel TLS, and without a connection over loopback it "
			  "cannot be told whether this kernel hides it from this user");
	else if (!details)
		kmod_tell("this kernel shows which sockets have TLS to CAP_NET_ADMIN only "
			  "(as kernels up to Linux 6.12 do): run as root");
	/* In JSON the member tells; an empty list in words would be a false statement. */
	if (details || format == KMOD_JSON) {
		r = kmod_table_print(&table, format, rows, beside);
		if (r < 0)
			return r;
	}
	return details ? 0 : KMOD_E_UNAVAILABLE;
}
