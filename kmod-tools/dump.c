/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The conversation with sock_diag(7): one dump for IPv4, one for IPv6. Each try has a socket of its
 * own, so that what is left of an interrupted answer goes away with it.
 */

#include "kmod.h"

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#define ANSWER_SIZE_MAX 32768 /* the most that the kernel puts into one datagram of a dump */
#define TRIES_MAX	8

enum { DUMP_E_INTERRUPTED = KMOD_E_MALFORMED + 1 };

struct dump {
	const struct kmod_dump_ops *ops;
	void *userdata;
	int error; /* what the callback wants to return: libmnl passes on no more than "error" */
};

static void mnl_closep(struct mnl_socket **nl)
{
	if (*nl)
		mnl_socket_close(*nl);
}

static int on_socket(const struct nlmsghdr *header, void *userdata)
{
	struct dump *dump = userdata;
	struct kmod_socket s;

	if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return MNL_CB_OK;
	dump->error = kmod_socket_parse(mnl_nlmsg_get_payload(header),
					mnl_nlmsg_get_payload_len(header), &s);
	if (dump->error == 0)
		dump->error = dump->ops->take(dump->userdata, &s);
	return dump->error == 0 ? MNL_CB_OK : MNL_CB_ERROR;
}

/* The end of a dump carries its status (Linux 4.14), which libmnl would not look at. */
static int on_done(const struct nlmsghdr *header, void *userdata)
{
	struct dump *dump = userdata;
	int status = 0;

	if (mnl_nlmsg_get_payload_len(header) >= sizeof(status))
		memcpy(&status, mnl_nlmsg_get_payload(header), sizeof(status));
	if (status >= 0)
		return MNL_CB_STOP;
	dump->error = status;
	return MNL_CB_ERROR;
}

static int request_send(struct mnl_socket *nl, uint8_t family, unsigned int seq)
{
	uint8_t buf[NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2)]
		__attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *request;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = seq;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_TCP;
	/* INET_DIAG_ULP_INFO has no bit in this byte: it comes with INET_DIAG_INFO. */
	request->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	request->idiag_states = UINT32_MAX;
	return mnl_socket_sendto(nl, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int answer_read(struct mnl_socket *nl, unsigned int seq, struct dump *dump)
{
	static const mnl_cb_t control[] = { [NLMSG_DONE] = on_done };
	uint8_t buf[ANSWER_SIZE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	mnl_cb_t callbacks[ARRAY_SIZE(control)];
	int r = MNL_CB_OK;

	memcpy(callbacks, control, sizeof(callbacks));
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		if (n < 0)
			return -errno;
		dump->error = 0;
		r = mnl_cb_run2(buf, (size_t)n, seq, mnl_socket_get_portid(nl), on_socket, dump,
				callbacks, ARRAY_SIZE(callbacks));
	}
	if (r == MNL_CB_STOP)
		return 0;
	if (dump->error != 0)
		return dump->error;
	/* libmnl's way to tell of NLM_F_DUMP_INTR. */
	return errno == EINTR ? DUMP_E_INTERRUPTED : -errno;
}

static int family_dump(uint8_t family, unsigned int seq, struct dump *dump)
{
	_cleanup_(mnl_closep) struct mnl_socket *nl = NULL;
	int r;

	nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	r = request_send(nl, family, seq);
	if (r < 0)
		return r;
	return answer_read(nl, seq, dump);
}

/* -EINTR: the sockets changed during each of several tries. */
int kmod_dump(const struct kmod_dump_ops *ops, void *userdata)
{
	struct dump dump = { .ops = ops, .userdata = userdata };
	unsigned int seq = 0;

	for (int try = 0; try < TRIES_MAX; try++) {
		int r;

		ops->restart(userdata);
		r = family_dump(AF_INET, ++seq, &dump);
		if (r == 0)
			r = family_dump(AF_INET6, ++seq, &dump);
		if (r != DUMP_E_INTERRUPTED)
			return r;
	}
	return -EINTR;
}
