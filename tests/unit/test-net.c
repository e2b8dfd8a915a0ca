/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Addresses as people write them, PROXY headers byte by byte, and sockets on loopback. */

#include <siptls/net.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct net_addr addr_of(const char *text)
{
	struct net_addr addr;

	assert_int_equal(net_addr_parse(text, true, &addr), 0);
	return addr;
}

static void addresses_are_read_and_written_back(void **state _unused_)
{
	static const char *const good[] = { "127.0.0.1:5061", "0.0.0.0:0", "[::1]:5061",
					    "[2001:db8::1]:65535" };
	char text[NET_ADDR_STRLEN];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct net_addr addr = addr_of(good[i]);

		assert_string_equal(net_addr_format(&addr, text), good[i]);
	}
}

static void what_is_no_address_is_refused(void **state _unused_)
{
	static const char *const bad[] = {
		"",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		":5061",
		"localhost:5061",
		"::1:5061",
		"[::1]5061",
		"[::1]:",
		"[]:5061",
		"[::1:5061",
		"127.0.0.1:50 1",
		"[127.0.0.1]:1",
		"127.0.0.1:0x1",
		"1.2.3:5061",
		"127.0.0.1:99999999999999999999",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:5061",
	};
	struct net_addr addr = { .len = 7 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (net_addr_parse(bad[i], true, &addr) != NET_E_MALFORMED)
			fail_msg("\"%s\" was taken for an address", bad[i]);
	}
	assert_int_equal(net_addr_parse("127.0.0.1:0", false, &addr), NET_E_MALFORMED);
	assert_int_equal(addr.len, 7); /* a failure leaves the output alone */
}

static void sources_count_by_host(void **state _unused_)
{
	struct net_addr a = addr_of("192.0.2.1:1"), b = addr_of("192.0.2.1:2"),
			c = addr_of("192.0.2.2:1"), d = addr_of("[2001:db8::1]:1"),
			e = addr_of("[2001:db8::ffff:0:1]:1"), f = addr_of("[2001:db8:1::1]:1");

	assert_true(net_addr_same_source(&a, &b));
	assert_false(net_addr_same_source(&a, &c));
	assert_false(net_addr_same_source(&a, &d));
	assert_true(net_addr_same_source(&d, &e));
	assert_false(net_addr_same_source(&d, &f));
	assert_int_equal(net_addr_source_hash(&d), net_addr_source_hash(&e));
	assert_false(net_addr_equal(&a, &b));
	assert_true(net_addr_equal(&a, &a));
	assert_false(net_addr_equal(&a, &d));
}

static void proxy_v1_is_one_line(void **state _unused_)
{
	struct net_addr src = addr_of("192.0.2.1:5061"), dst = addr_of("198.51.100.2:5062");
	struct net_addr src6 = addr_of("[2001:db8::1]:5061"), dst6 = addr_of("[2001:db8::2]:5062");
	uint8_t header[NET_PROXY_SIZE_MAX];
	size_t len = net_proxy_format(NET_PROXY_V1, &src, &dst, header);
	static const char want[] = "PROXY TCP4 192.0.2.1 198.51.100.2 5061 5062\r\n";
	static const char want6[] = "PROXY TCP6 2001:db8::1 2001:db8::2 5061 5062\r\n";

	assert_int_equal(len, strlen(want));
	assert_memory_equal(header, want, len);
	len = net_proxy_format(NET_PROXY_V1, &src6, &dst6, header);
	assert_int_equal(len, strlen(want6));
	assert_memory_equal(header, want6, len);
	assert_int_equal(net_proxy_format(NET_PROXY_NONE, &src, &dst, header), 0);
}

static void proxy_v2_is_the_binary_form(void **state _unused_)
{
	static const uint8_t want[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49,
					0x54, 0x0a, 0x21, 0x11, 0x00, 0x0c, 192,  0,	2,    1,
					198,  51,   100,  2,	0x13, 0xc5, 0x13, 0xc6 };
	struct net_addr src = addr_of("192.0.2.1:5061"), dst = addr_of("198.51.100.2:5062");
	struct net_addr src6 = addr_of("[2001:db8::1]:5061"), dst6 = addr_of("[2001:db8::2]:5062");
	uint8_t header[NET_PROXY_SIZE_MAX];

	assert_int_equal(net_proxy_format(NET_PROXY_V2, &src, &dst, header), sizeof(want));
	assert_memory_equal(header, want, sizeof(want));
	assert_int_equal(net_proxy_format(NET_PROXY_V2, &src6, &dst6, header), 16 + 36);
	assert_int_equal(header[13], 0x21);
	assert_int_equal(header[15], 36);
	assert_int_equal(header[16], 0x20);
	assert_int_equal(header[48], 0x13);
}

static void a_connection_is_made(void **state _unused_)
{
	struct net_addr listen_addr = addr_of("127.0.0.1:0"), peer, local;
	_cleanup_fd_ int listener = -1, dialled = -1, accepted = -1;
	struct pollfd poll_fd;

	assert_int_equal(net_listen(&listen_addr, &listener), 0);
	assert_int_not_equal(net_addr_port(&listen_addr), 0);
	assert_int_equal(net_accept(listener, &accepted, &peer), NET_E_AGAIN);
	assert_int_equal(net_dial(&listen_addr, &dialled), 0);
	poll_fd = (struct pollfd){ .fd = dialled, .events = POLLOUT };
	assert_int_equal(poll(&poll_fd, 1, 5000), 1);
	assert_int_equal(net_dial_result(dialled), 0);
	assert_int_equal(net_accept(listener, &accepted, &peer), 0);
	net_local_addr(dialled, &local);
	assert_true(net_addr_equal(&peer, &local));
	assert_int_equal(net_tune(accepted), 0);
	assert_true(net_cookie(accepted) != net_cookie(dialled));
}

static void a_dead_port_is_told(void **state _unused_)
{
	struct net_addr addr = addr_of("127.0.0.1:0");
	_cleanup_fd_ int listener = -1, dialled = -1;
	struct pollfd poll_fd;
	int r;

	assert_int_equal(net_listen(&addr, &listener), 0);
	listener = fd_close(listener);
	r = net_dial(&addr, &dialled);
	if (r == 0) {
		poll_fd = (struct pollfd){ .fd = dialled, .events = POLLOUT };
		assert_int_equal(poll(&poll_fd, 1, 5000), 1);
		r = -net_dial_result(dialled);
	}
	assert_int_equal(r, -ECONNREFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written_back),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(sources_count_by_host),
		cmocka_unit_test(proxy_v1_is_one_line),
		cmocka_unit_test(proxy_v2_is_the_binary_form),
		cmocka_unit_test(a_connection_is_made),
		cmocka_unit_test(a_dead_port_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
