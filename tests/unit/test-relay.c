/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The relay between plain sockets, as it runs with a worker's pump: bytes, ends, back-pressure. */

#include <siptls/relay.h>

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#define WAIT_MS 10000

struct fixture {
	struct relay *relay;
	struct relay_link *link;
	int peer, backend; /* our ends */
	bool ended;
	struct relay_end end;
};

static void on_ended(void *userdata, struct relay_link *link, void *link_userdata,
		     const struct relay_end *end)
{
	struct fixture *f = userdata;

	assert_ptr_equal(link_userdata, f);
	assert_false(f->ended);
	f->ended = true;
	f->end = *end;
	f->link = relay_link_free(link);
}

static void link_start(struct fixture *f, const char *early)
{
	int peer[2], backend[2];
	struct relay_spec spec = { .early = early, .early_len = early ? strlen(early) : 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, peer), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, backend), 0);
	spec.tls_fd = peer[1];
	spec.plain_fd = backend[1];
	f->peer = peer[0];
	f->backend = backend[0];
	f->ended = false;
	assert_int_equal(relay_link_new(f->relay, &spec, f, &f->link), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->peer = f->backend = -1;
	assert_int_equal(relay_new(2, 60000, on_ended, f, &f->relay), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_close(f->peer);
	fd_close(f->backend);
	relay_free(f->relay);
	free(f);
	return 0;
}

static void expect(int fd, const char *want)
{
	char buf[256];
	size_t got = 0;

	while (got < strlen(want)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		n = read(fd, buf + got, sizeof(buf) - got);
		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_int_equal(got, strlen(want));
	assert_memory_equal(buf, want, got);
}

static void expect_eof(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(read(fd, &c, 1), 0);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void wait_end(struct fixture *f, enum reason reason)
{
	struct pollfd p = { .fd = relay_event_fd(f->relay), .events = POLLIN };

	while (!f->ended) {
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		relay_dispatch(f->relay);
	}
	assert_string_equal(reason_info(f->end.reason)->code, reason_info(reason)->code);
	f->peer = fd_close(f->peer);
	f->backend = fd_close(f->backend);
}

static void bytes_go_both_ways(void **state)
{
	struct fixture *f = *state;
	struct relay_stats stats;

	link_start(f, "early ");
	say(f->peer, "hello");
	expect(f->backend, "early hello");
	say(f->backend, "world!");
	expect(f->peer, "world!");
	relay_link_stats(f->link, &stats);
	assert_int_equal(stats.bytes_in, 11);
	assert_int_equal(stats.bytes_out, 6);
	assert_int_equal(stats.stalls, 0);
	shutdown(f->peer, SHUT_WR);
	expect_eof(f->backend);
	say(f->backend, "last words");
	expect(f->peer, "last words");
	shutdown(f->backend, SHUT_WR);
	expect_eof(f->peer);
	wait_end(f, REASON_CLOSED_BY_PEER);
	assert_int_equal(f->end.lost, 0);
}

static void the_backend_may_end_first(void **state)
{
	struct fixture *f = *state;

	link_start(f, NULL);
	shutdown(f->backend, SHUT_WR);
	expect_eof(f->peer);
	say(f->peer, "late");
	expect(f->backend, "late");
	shutdown(f->peer, SHUT_WR);
	wait_end(f, REASON_CLOSED_BY_BACKEND);
}

static void patience_ends(void **state)
{
	struct fixture *f = *state;

	relay_half_close_timeout_set(f->relay, 50);
	link_start(f, NULL);
	shutdown(f->peer, SHUT_WR);
	expect_eof(f->backend);
	wait_end(f, REASON_HALF_CLOSE_TIMEOUT);
	relay_half_close_timeout_set(f->relay, 60000);
}

static void an_end_can_be_ordered(void **state)
{
	struct fixture *f = *state;

	link_start(f, NULL);
	relay_link_end(f->link, REASON_ADMIN_CLOSED);
	relay_link_end(f->link, REASON_SHUTDOWN); /* the first reason stands */
	expect_eof(f->backend);
	wait_end(f, REASON_ADMIN_CLOSED);
}

/* A reader that stalls stops the writer, nothing is lost, and what is kept is one read at most. */
static void a_stalled_reader_holds_the_writer(void **state)
{
	struct fixture *f = *state;
	static uint8_t block[65536];
	struct relay_stats stats;
	size_t sent = 0, got = 0;
	struct pollfd p;

	link_start(f, NULL);
	fcntl(f->peer, F_SETFL, O_NONBLOCK);
	p = (struct pollfd){ .fd = f->peer, .events = POLLOUT };
	while (poll(&p, 1, 300) == 1) {
		ssize_t n;

		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (uint8_t)((sent + i) * 7 >> 3);
		n = write(f->peer, block, sizeof(block));
		if (n > 0)
			sent += (size_t)n;
		assert_true(sent < 16 * 1024 * 1024);
	}
	relay_link_stats(f->link, &stats);
	assert_true(stats.stalls > 0);
	assert_true(sent > 0);
	shutdown(f->peer, SHUT_WR);
	for (;;) {
		ssize_t n = read(f->backend, block, sizeof(block));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(block[i], (uint8_t)((got + (size_t)i) * 7 >> 3));
		got += (size_t)n;
	}
	assert_int_equal(got, sent);
	shutdown(f->backend, SHUT_WR);
	wait_end(f, REASON_CLOSED_BY_PEER);
	assert_int_equal(f->end.lost, 0);
}

static void what_cannot_be_delivered_is_counted(void **state)
{
	struct fixture *f = *state;

	link_start(f, NULL);
	f->backend = fd_close(f->backend); /* both directions gone at once */
	(void)!send(f->peer, "into the void", 13, MSG_NOSIGNAL);
	f->peer = fd_close(f->peer);
	while (!f->ended) {
		struct pollfd p = { .fd = relay_event_fd(f->relay), .events = POLLIN };

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		relay_dispatch(f->relay);
	}
	assert_true(f->end.reason == REASON_BACKEND_RESET ||
		    f->end.reason == REASON_CLOSED_BY_BACKEND ||
		    f->end.reason == REASON_PEER_RESET);
	if (f->end.reason == REASON_BACKEND_RESET)
		assert_int_equal(f->end.lost, 13);
}

static void links_left_over_are_freed(void **state)
{
	struct fixture *f = *state;

	link_start(f, NULL);
	/* teardown() frees the relay with the link in it; the sanitizers watch */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_go_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(the_backend_may_end_first, setup, teardown),
		cmocka_unit_test_setup_teardown(patience_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_can_be_ordered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stalled_reader_holds_the_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_delivered_is_counted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(links_left_over_are_freed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
