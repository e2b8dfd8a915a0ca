/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * offload - the TLS features of the network interfaces, from the generic netlink family "ethtool"
 * (Documentation/networking/ethtool-netlink.rst of the kernel, FEATURES_GET).
 */

#include "kmod.h"

#include <linux/ethtool_netlink.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#define TRIES_MAX 8

static const struct kmod_column columns[] = {
	{ "interface", "INTERFACE", false }, { "feature", "FEATURE", false }, { "hw", "HW", false },
	{ "wanted", "WANTED", false },	     { "active", "ACTIVE", false },
};

static const struct kmod_table table = {
	.name = "offload",
	.empty = "no network interface",
	.n_columns = ARRAY_SIZE(columns),
	.columns = columns,
};

static const char *const features[] = {
	"tls-hw-tx-offload",
	"tls-hw-rx-offload",
	"tls-hw-record",
};

#define N_FEATURES ARRAY_SIZE(features)

/* One interface: bit i of a set is features[i]. */
struct interface {
	char name[4 * IFNAMSIZ]; /* room for \xNN */
	unsigned int hw, wanted, active;
};

/* ---- parsing ---- */

/* One bit of a bitset: add it to *set if it is one of ours and set. */
static int bit_parse(struct nlattr *nest, bool listed_is_set, unsigned int *set)
{
	static const struct nla_policy policy[ETHTOOL_A_BITSET_BIT_MAX + 1] = {
		[ETHTOOL_A_BITSET_BIT_NAME] = { .type = NLA_STRING },
		[ETHTOOL_A_BITSET_BIT_VALUE] = { .type = NLA_FLAG },
	};
	struct nlattr *bit[ETHTOOL_A_BITSET_BIT_MAX + 1];
	int r;

	r = nla_parse_nested(bit, ETHTOOL_A_BITSET_BIT_MAX, nest, policy);
	if (r < 0)
		return r;
	if (!bit[ETHTOOL_A_BITSET_BIT_NAME])
		return -NLE_MISSING_ATTR;
	if (!listed_is_set && !bit[ETHTOOL_A_BITSET_BIT_VALUE])
		return 0;
	for (unsigned int i = 0; i < N_FEATURES; i++)
		if (nla_strcmp(bit[ETHTOOL_A_BITSET_BIT_NAME], features[i]) == 0)
			*set |= 1u << i;
	return 0;
}

/*
 * A bitset in its verbose form. With a mask it lists the bits of the mask and flags those that are
 * set; without one ("nomask") it lists those that are set.
 */
static int bitset_parse(struct nlattr *nest, unsigned int *ret)
{
	static const struct nla_policy policy[ETHTOOL_A_BITSET_MAX + 1] = {
		[ETHTOOL_A_BITSET_NOMASK] = { .type = NLA_FLAG },
		[ETHTOOL_A_BITSET_BITS] = { .type = NLA_NESTED },
	};
	struct nlattr *bitset[ETHTOOL_A_BITSET_MAX + 1], *bit;
	unsigned int set = 0;
	int r, rest;

	r = nla_parse_nested(bitset, ETHTOOL_A_BITSET_MAX, nest, policy);
	if (r < 0)
		return r;
	if (!bitset[ETHTOOL_A_BITSET_BITS])
		return -NLE_MISSING_ATTR;
	nla_for_each_nested(bit, bitset[ETHTOOL_A_BITSET_BITS], rest)
	{
		if (nla_type(bit) != ETHTOOL_A_BITSET_BITS_BIT)
			continue;
		r = bit_parse(bit, bitset[ETHTOOL_A_BITSET_NOMASK] != NULL, &set);
		if (r < 0)
			return r;
	}
	*ret = set;
	return 0;
}

static int name_parse(struct nlattr *nest, char *ret, size_t size)
{
	static const struct nla_policy policy[ETHTOOL_A_HEADER_MAX + 1] = {
		[ETHTOOL_A_HEADER_DEV_NAME] = { .type = NLA_STRING, .maxlen = IFNAMSIZ },
	};
	struct nlattr *header[ETHTOOL_A_HEADER_MAX + 1];
	struct text text = { .buf = ret, .size = size };
	const char *name;
	int r;

	r = nla_parse_nested(header, ETHTOOL_A_HEADER_MAX, nest, policy);
	if (r < 0)
		return r;
	if (!header[ETHTOOL_A_HEADER_DEV_NAME])
		return -NLE_MISSING_ATTR;
	name = nla_get_string(header[ETHTOOL_A_HEADER_DEV_NAME]);
	text_add_foreign(&text, name, strlen(name));
	return 0;
}

static int interface_parse(struct nlmsghdr *message, struct interface *ret)
{
	static const struct nla_policy policy[ETHTOOL_A_FEATURES_MAX + 1] = {
		[ETHTOOL_A_FEATURES_HEADER] = { .type = NLA_NESTED },
		[ETHTOOL_A_FEATURES_HW] = { .type = NLA_NESTED },
		[ETHTOOL_A_FEATURES_WANTED] = { .type = NLA_NESTED },
		[ETHTOOL_A_FEATURES_ACTIVE] = { .type = NLA_NESTED },
	};
	struct nlattr *attrs[ETHTOOL_A_FEATURES_MAX + 1];
	int r;

	if (!genlmsg_valid_hdr(message, 0))
		return -NLE_MSG_TOOSHORT;
	r = genlmsg_parse(message, 0, attrs, ETHTOOL_A_FEATURES_MAX, policy);
	if (r < 0)
		return r;
	if (!attrs[ETHTOOL_A_FEATURES_HEADER] || !attrs[ETHTOOL_A_FEATURES_HW] ||
	    !attrs[ETHTOOL_A_FEATURES_WANTED] || !attrs[ETHTOOL_A_FEATURES_ACTIVE])
		return -NLE_MISSING_ATTR;
	r = name_parse(attrs[ETHTOOL_A_FEATURES_HEADER], ret->name, sizeof(ret->name));
	if (r == 0)
		r = bitset_parse(attrs[ETHTOOL_A_FEATURES_HW], &ret->hw);
	if (r == 0)
		r = bitset_parse(attrs[ETHTOOL_A_FEATURES_WANTED], &ret->wanted);
	if (r == 0)
		r = bitset_parse(attrs[ETHTOOL_A_FEATURES_ACTIVE], &ret->active);
	return r;
}

static int on_message(struct nl_msg *message, void *userdata)
{
	struct interface interface = { 0 };
	json_t *rows = userdata;
	int r;

	r = interface_parse(nlmsg_hdr(message), &interface);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < N_FEATURES; i++) {
		json_t *row =
			json_pack("{s:s, s:s, s:b, s:b, s:b}", "interface", interface.name,
				  "feature", features[i], "hw", interface.hw >> i & 1, "wanted",
				  interface.wanted >> i & 1, "active", interface.active >> i & 1);

		if (!row || json_array_append_new(rows, row) < 0)
			return -NLE_NOMEM;
	}
	return NL_OK;
}

/* ---- conversation; libnl's own error numbers (NLE_*) up to here ---- */

static void nl_socket_freep(struct nl_sock **nl)
{
	nl_socket_free(*nl);
}

static void nl_msg_freep(struct nl_msg **message)
{
	nlmsg_free(*message);
}

static int request_send(struct nl_sock *nl, int family)
{
	_cleanup_(nl_msg_freep) struct nl_msg *message = nlmsg_alloc();
	struct nlattr *header;
	int r;

	if (!message ||
	    !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_REQUEST | NLM_F_DUMP,
			 ETHTOOL_MSG_FEATURES_GET, ETHTOOL_GENL_VERSION))
		return -NLE_NOMEM;
	/*
	 * No flags: bitsets in their verbose form, with names. Said in so many words because libnl
	 * drops an empty nest, and older kernels (6.1 does) insist on a header.
	 */
	header = nla_nest_start(message, ETHTOOL_A_FEATURES_HEADER | NLA_F_NESTED);
	if (!header || nla_put_u32(message, ETHTOOL_A_HEADER_FLAGS, 0) < 0)
		return -NLE_NOMEM;
	nla_nest_end(message, header);
	r = nl_send_auto(nl, message);
	return r < 0 ? r : 0;
}

/* One try with a socket of its own; -NLE_DUMP_INTR: interfaces came or went meanwhile. */
static int features_dump(json_t *rows)
{
	_cleanup_(nl_socket_freep) struct nl_sock *nl = nl_socket_alloc();
	int family, r;

	if (!nl)
		return -NLE_NOMEM;
	nl_socket_disable_auto_ack(nl);
	nl_socket_modify_cb(nl, NL_CB_VALID, NL_CB_CUSTOM, on_message, rows);
	r = genl_connect(nl);
	if (r < 0)
		return r;
	family = genl_ctrl_resolve(nl, ETHTOOL_GENL_NAME);
	if (family < 0)
		return family;
	r = request_send(nl, family);
	return r < 0 ? r : nl_recvmsgs_default(nl);
}

int kmod_offload(enum kmod_format format)
{
	_cleanup_json_ json_t *rows = json_array();
	int r = -NLE_DUMP_INTR;

	if (!rows)
		return -ENOMEM;
	for (int try = 0; r == -NLE_DUMP_INTR && try < TRIES_MAX; try++) {
		json_array_clear(rows);
		r = features_dump(rows);
	}
	if (r == -NLE_OBJ_NOTFOUND) {
		kmod_tell("the kernel has no ethtool netlink family (before Linux 5.6)");
		return KMOD_E_UNAVAILABLE;
	}
	if (r < 0) {
		kmod_tell("interfaces: %s", nl_geterror(r));
		return KMOD_E_UNAVAILABLE;
	}
	return kmod_table_print(&table, format, rows, NULL);
}
