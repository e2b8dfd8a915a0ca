/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The parsers of siptls-kmod on crafted bytes: a sock_diag answer as the kernel builds it, every
 * truncation of it, attributes that lie about their length, and lines of tls_stat.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "../../kmod-tools/parse.c"

#define MESSAGE_SIZE 256

struct message {
	uint8_t bytes[MESSAGE_SIZE];
	size_t len;
};

static void put(struct message *m, const void *data, size_t len)
{
	assert_true(m->len + len <= sizeof(m->bytes));
	memcpy(m->bytes + m->len, data, len);
	m->len += len;
}

/* Start an attribute; attr_end() sets its length and pads it, as the kernel does. */
static size_t attr_start(struct message *m, uint16_t type)
{
	struct nlattr header = { .nla_type = type };
	size_t start = m->len;

	put(m, &header, sizeof(header));
	return start;
}

static void attr_len(struct message *m, size_t start, size_t len)
{
	uint16_t value = (uint16_t)len;

	memcpy(m->bytes + start + offsetof(struct nlattr, nla_len), &value, sizeof(value));
}

static void attr_end(struct message *m, size_t start)
{
	attr_len(m, start, m->len - start);
	while (m->len % NLA_ALIGNTO)
		m->bytes[m->len++] = 0;
}

static size_t attr(struct message *m, uint16_t type, const void *data, size_t len)
{
	size_t start = attr_start(m, type);

	put(m, data, len);
	attr_end(m, start);
	return start;
}

static size_t attr_u16(struct message *m, uint16_t type, uint16_t value)
{
	return attr(m, type, &value, sizeof(value));
}

static void head(struct message *m, uint8_t family)
{
	struct inet_diag_msg msg = { .idiag_family = family,
				     .idiag_state = 1,
				     .idiag_uid = 998,
				     .idiag_inode = 4242,
				     .id = { .idiag_sport = htons(5061),
					     .idiag_dport = htons(40000),
					     .idiag_src = { htonl(0xc0000201) },
					     .idiag_dst = { htonl(0xc6336407) },
					     .idiag_cookie = { 0x89abcdef, 0x01234567 } } };

	if (family == AF_INET6) {
		inet_pton(AF_INET6, "2001:db8::1", msg.id.idiag_src);
		inet_pton(AF_INET6, "2001:db8::2", msg.id.idiag_dst);
	}
	*m = (struct message){ 0 };
	put(m, &msg, sizeof(msg));
}

static void keys(struct message *m)
{
	attr_u16(m, TLS_INFO_VERSION, TLS_1_3_VERSION);
	attr_u16(m, TLS_INFO_CIPHER, TLS_CIPHER_AES_GCM_256);
	attr_u16(m, TLS_INFO_TXCONF, TLS_CONF_SW);
	attr_u16(m, TLS_INFO_RXCONF, TLS_CONF_HW);
	attr(m, 7, "\x00\x40", 2); /* of newer kernels */
	attr(m, TLS_INFO_RX_NO_PAD, "", 0);
}

/* A whole answer; @flag is NLA_F_NESTED or 0. Offsets of the nests are kept for the tests. */
struct answer {
	struct message m;
	size_t ulp, name, tls;
};

static struct answer answer(uint8_t family, uint16_t flag)
{
	struct answer a;

	head(&a.m, family);
	attr(&a.m, INET_DIAG_SHUTDOWN, "\0", 1);
	attr(&a.m, INET_DIAG_INFO, "0123456789abcdef", 16);
	a.ulp = attr_start(&a.m, (uint16_t)(INET_DIAG_ULP_INFO | flag));
	a.name = attr(&a.m, INET_ULP_INFO_NAME, "tls", 4);
	a.tls = attr_start(&a.m, (uint16_t)(INET_ULP_INFO_TLS | flag));
	keys(&a.m);
	attr_end(&a.m, a.tls);
	attr_end(&a.m, a.ulp);
	return a;
}

/* From a heap block of the exact size, so that a sanitizer sees one byte too many. */
static int parse(const uint8_t *bytes, size_t len, struct kmod_socket *ret)
{
	uint8_t *copy = malloc(len ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	r = kmod_socket_parse(copy, len, ret);
	free(copy);
	return r;
}

static void assert_malformed(const struct message *m)
{
	struct kmod_socket s = { .uid = 77 };

	assert_int_equal(parse(m->bytes, m->len, &s), KMOD_E_MALFORMED);
	assert_int_equal(s.uid, 77); /* set only on success */
}

static void test_whole(void **state _unused_)
{
	static const struct {
		uint8_t family;
		const char *local, *remote;
	} cases[] = {
		{ AF_INET, "192.0.2.1:5061", "198.51.100.7:40000" },
		{ AF_INET6, "[2001:db8::1]:5061", "[2001:db8::2]:40000" },
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct answer a = answer(cases[i / 2].family, (uint16_t)(i % 2 ? NLA_F_NESTED : 0));
		char buf[NET_ADDR_STRLEN];
		struct kmod_socket s;

		assert_int_equal(parse(a.m.bytes, a.m.len, &s), 0);
		assert_string_equal(net_addr_format(&s.local, buf), cases[i / 2].local);
		assert_string_equal(net_addr_format(&s.remote, buf), cases[i / 2].remote);
		assert_true(s.cookie == 0x0123456789abcdefu);
		assert_int_equal(s.uid, 998);
		assert_int_equal(s.inode, 4242);
		assert_int_equal(s.state, 1);
		assert_string_equal(s.ulp, "tls");
		assert_int_equal(s.version, TLS_1_3_VERSION);
		assert_int_equal(s.cipher, TLS_CIPHER_AES_GCM_256);
		assert_int_equal(s.tx, TLS_CONF_SW);
		assert_int_equal(s.rx, TLS_CONF_HW);
	}
}

static void test_no_ulp_and_no_keys(void **state _unused_)
{
	struct kmod_socket s;
	struct message m;
	size_t ulp;

	head(&m, AF_INET);
	assert_int_equal(parse(m.bytes, m.len, &s), 0);
	assert_string_equal(s.ulp, "");

	ulp = attr_start(&m, INET_DIAG_ULP_INFO);
	attr(&m, INET_ULP_INFO_NAME, "tls", 4);
	attr_end(&m, ulp);
	assert_int_equal(parse(m.bytes, m.len, &s), 0);
	assert_string_equal(s.ulp, "tls");
	assert_int_equal(s.version, 0);
	assert_int_equal(s.cipher, 0);
	assert_int_equal(s.tx, TLS_CONF_BASE);
	assert_int_equal(s.rx, TLS_CONF_BASE);
}

/* Cut short at any byte, a message is malformed unless the cut falls between two attributes. */
static void test_truncated(void **state _unused_)
{
	struct answer a = answer(AF_INET6, 0);
	size_t between[] = { sizeof(struct inet_diag_msg),     sizeof(struct inet_diag_msg) + 5,
			     sizeof(struct inet_diag_msg) + 6, sizeof(struct inet_diag_msg) + 7,
			     sizeof(struct inet_diag_msg) + 8, a.ulp };

	for (size_t len = 0; len < a.m.len; len++) {
		struct kmod_socket s;
		bool whole = false;

		for (size_t i = 0; i < ARRAY_SIZE(between); i++)
			whole |= between[i] == len;
		assert_int_equal(parse(a.m.bytes, len, &s), whole ? 0 : KMOD_E_MALFORMED);
	}
}

/* Every length of every nest and leaf, from 0 to far too much: no crash, no byte beyond the end. */
static void test_lying_lengths(void **state _unused_)
{
	struct answer good = answer(AF_INET, 0);
	const size_t starts[] = { sizeof(struct inet_diag_msg),
				  good.ulp,
				  good.name,
				  good.tls,
				  good.tls + 4,
				  good.tls + 12 };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		for (size_t len = 0; len <= UINT16_MAX; len += len < 300 ? 1 : 251) {
			struct answer a = good;
			struct kmod_socket s;
			int r;

			attr_len(&a.m, starts[i], len);
			r = parse(a.m.bytes, a.m.len, &s);
			if (len < sizeof(struct nlattr) || starts[i] + len > a.m.len)
				assert_int_equal(r, KMOD_E_MALFORMED);
		}
	}
}

static void test_leaf_past_its_nest(void **state _unused_)
{
	struct answer a = answer(AF_INET, 0);

	/* The first leaf of the tls nest reaches beyond the nest, but not beyond the message. */
	attr_len(&a.m, a.tls, 4 + 8);
	attr_len(&a.m, a.tls + 4, 9);
	assert_malformed(&a.m);
	/* The name swallows the nest after it. */
	a = answer(AF_INET, 0);
	attr_len(&a.m, a.name, 8 + 8);
	assert_malformed(&a.m);
}

static void test_wrong_sizes(void **state _unused_)
{
	static const uint16_t types[] = { TLS_INFO_VERSION, TLS_INFO_CIPHER, TLS_INFO_TXCONF,
					  TLS_INFO_RXCONF };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		for (size_t len = 0; len <= 4; len++) {
			struct kmod_socket s;
			struct message m;
			size_t ulp, tls;

			head(&m, AF_INET);
			ulp = attr_start(&m, INET_DIAG_ULP_INFO);
			tls = attr_start(&m, INET_ULP_INFO_TLS);
			attr(&m, types[i], "\4\3\2\1", len);
			attr_end(&m, tls);
			attr_end(&m, ulp);
			assert_int_equal(parse(m.bytes, m.len, &s),
					 len == 2 ? 0 : KMOD_E_MALFORMED);
		}
	}
}

static void test_names(void **state _unused_)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool good;
	} cases[] = {
		{ "tls", 4, true },
		{ "mptcp", 6, true },
		{ "fifteen-letters", 16, true },
		{ "", 1, true },
		{ "", 0, false },
		{ "tls", 3, false },		   /* no terminator */
		{ "tls\0x", 6, false },		   /* something after it */
		{ "sixteen-letters!", 17, false }, /* longer than the kernel allows */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmod_socket s;
		struct message m;
		size_t ulp;

		head(&m, AF_INET);
		ulp = attr_start(&m, INET_DIAG_ULP_INFO);
		attr(&m, INET_ULP_INFO_NAME, cases[i].bytes, cases[i].len);
		attr_end(&m, ulp);
		assert_int_equal(parse(m.bytes, m.len, &s), cases[i].good ? 0 : KMOD_E_MALFORMED);
		if (cases[i].good)
			assert_string_equal(s.ulp, cases[i].bytes);
	}
}

static void test_family(void **state _unused_)
{
	struct answer a = answer(AF_UNIX, 0);

	assert_malformed(&a.m);
	a = answer(0, 0);
	assert_malformed(&a.m);
}

static void test_stat_lines(void **state _unused_)
{
	static const struct {
		const char *line, *name;
		uint64_t value;
	} good[] = {
		{ "TlsCurrTxSw                     \t0\n", "TlsCurrTxSw", 0 },
		{ "TlsRxRekeyReceived\t18446744073709551615\n", "TlsRxRekeyReceived", UINT64_MAX },
		{ "New 7", "New", 7 },
	};
	static const char *const bad[] = {
		"",
		"\n",
		" 5\n",
		"TlsTxSw\n",
		"TlsTxSw \n",
		"TlsTxSw\t-1\n",
		"TlsTxSw\t1x\n",
		"TlsTxSw\t1 2\n",
		"TlsTxSw\t18446744073709551616\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\t1\n",
	};
	struct kmod_stat stat;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(kmod_stat_parse(good[i].line, &stat), 0);
		assert_string_equal(stat.name, good[i].name);
		assert_true(stat.value == good[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(kmod_stat_parse(bad[i], &stat), KMOD_E_MALFORMED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_no_ulp_and_no_keys),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_lying_lengths),
		cmocka_unit_test(test_leaf_past_its_nest),
		cmocka_unit_test(test_wrong_sizes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_stat_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
