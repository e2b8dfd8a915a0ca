/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rate limit of the relay, with real sockets and real time. What a bucket forbids is checked
 * against the time that really went by; what it allows is checked with room for a slow machine.
 */

#include <siptls/relay.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#define WAIT_MS	  20000
#define MAX_LINKS 9
#define ONE_READ  65536 /* by so much a read may overdraw the bucket */

struct pair {
	struct fixture *fixture;
	struct relay_link *link;
	int peer, backend; /* our ends */
	uint64_t sent, got;
	bool ended;
	struct relay_end end;
};

struct fixture {
	struct relay *relay;
	struct relay_bucket *bucket;
	struct pair pair[MAX_LINKS];
	size_t n;
};

static void on_ended(void *userdata, struct relay_link *link, void *link_userdata,
		     const struct relay_end *end)
{
	struct pair *pair = link_userdata;

	assert_ptr_equal(userdata, pair->fixture);
	pair->ended = true;
	pair->end = *end;
	pair->link = relay_link_free(link);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(relay_new(2, 60000, on_ended, f, &f->relay), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->n; i++) {
		fd_close(f->pair[i].peer);
		fd_close(f->pair[i].backend);
	}
	relay_free(f->relay);
	relay_bucket_unref(f->bucket);
	free(f);
	return 0;
}

static void bucket_make(struct fixture *f, uint64_t rate, uint64_t burst)
{
	f->bucket = relay_bucket_new(rate, burst);
	assert_non_null(f->bucket);
}

/* A link with the fixture's bucket. @queue bounds what the peer can have under way, 0: as usual. */
static struct pair *link_add(struct fixture *f, int queue, const char *early)
{
	struct pair *pair = &f->pair[f->n];
	int peer[2], backend[2];
	struct relay_spec spec = { .early = early,
				   .early_len = early ? strlen(early) : 0,
				   .bucket = f->bucket };

	assert_true(f->n < MAX_LINKS);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, peer), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, backend), 0);
	if (queue > 0)
		assert_int_equal(setsockopt(peer[0], SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue)),
				 0);
	*pair = (struct pair){ .fixture = f, .peer = peer[0], .backend = backend[0] };
	spec.tls_fd = peer[1];
	spec.plain_fd = backend[1];
	assert_int_equal(relay_link_new(f->relay, &spec, pair, &pair->link), 0);
	f->n++;
	return pair;
}

static uint64_t throttles(const struct pair *pair)
{
	struct relay_stats stats;

	relay_link_stats(pair->link, &stats);
	return stats.throttles;
}

static uint8_t byte_at(uint64_t position)
{
	return (uint8_t)(position * 7 >> 3);
}

static void peer_send(struct pair *pair)
{
	uint8_t block[4096];
	ssize_t n;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = byte_at(pair->sent + i);
	n = send(pair->peer, block, sizeof(block), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		pair->sent += (uint64_t)n;
}

/* false: the stream has ended. */
static bool backend_receive(struct pair *pair)
{
	uint8_t block[ONE_READ];
	ssize_t n = recv(pair->backend, block, sizeof(block), MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(block[i], byte_at(pair->got + (uint64_t)i));
	if (n > 0)
		pair->got += (uint64_t)n;
	return n != 0;
}

/* Peers send what they can, and what arrives is read, for @ms. Returns the seconds it took. */
static double flood(struct fixture *f, uint64_t ms)
{
	uint64_t start = time_monotonic_ms(), now = start;

	while (now - start < ms) {
		struct pollfd p[2 * MAX_LINKS];

		for (size_t i = 0; i < f->n; i++) {
			p[2 * i] = (struct pollfd){ .fd = f->pair[i].peer, .events = POLLOUT };
			p[2 * i + 1] =
				(struct pollfd){ .fd = f->pair[i].backend, .events = POLLIN };
		}
		poll(p, 2 * f->n, 10);
		for (size_t i = 0; i < f->n; i++) {
			if (p[2 * i].revents)
				peer_send(&f->pair[i]);
			if (p[2 * i + 1].revents)
				backend_receive(&f->pair[i]);
		}
		now = time_monotonic_ms();
	}
	return (double)(now - start) / 1000;
}

static void send_bytes(struct pair *pair, uint64_t bytes)
{
	while (pair->sent < bytes) {
		uint64_t before = pair->sent;

		peer_send(pair);
		assert_true(pair->sent > before); /* the socket is meant to take it at once */
	}
}

/* Read until @bytes have come altogether. */
static void receive_bytes(struct pair *pair, uint64_t bytes)
{
	while (pair->got < bytes) {
		struct pollfd p = { .fd = pair->backend, .events = POLLIN };

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		assert_true(backend_receive(pair));
	}
	assert_int_equal(pair->got, bytes);
}

static bool silent(const struct pair *pair, int ms)
{
	struct pollfd p = { .fd = pair->backend, .events = POLLIN };

	return poll(&p, 1, ms) == 0;
}

static void wait_throttled(const struct pair *pair)
{
	uint64_t start = time_monotonic_ms();

	while (throttles(pair) == 0) {
		assert_true(time_monotonic_ms() - start < WAIT_MS);
		usleep(1000);
	}
}

static void wait_end(struct pair *pair, enum reason reason)
{
	struct pollfd p = { .fd = relay_event_fd(pair->fixture->relay), .events = POLLIN };

	while (!pair->ended) {
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		relay_dispatch(pair->fixture->relay);
	}
	assert_string_equal(reason_info(pair->end.reason)->code, reason_info(reason)->code);
}

/* ---- what goes through ---- */

static void the_average_is_kept(void **state)
{
	enum { RATE = 200000, BURST = 100000 };
	struct fixture *f = *state;
	struct pair *pair;
	double seconds;

	bucket_make(f, RATE, BURST);
	pair = link_add(f, 0, NULL);
	seconds = flood(f, 2000);
	assert_in_range(pair->got, 0, (uint64_t)(RATE * seconds) + BURST + ONE_READ);
	assert_in_range(pair->got, (uint64_t)(RATE * seconds * 0.8), UINT64_MAX);
	assert_true(throttles(pair) > 0);
}

/* More than the burst comes at once only as part of the read that began within it. */
static void a_burst_goes_at_once_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct pair *pair;

	bucket_make(f, 1, 16384);
	pair = link_add(f, 0, NULL);
	for (uint64_t bytes = 4096; bytes <= 16384; bytes += 4096) {
		assert_int_equal(throttles(pair), 0);
		send_bytes(pair, bytes);
		receive_bytes(pair, bytes);
	}
	wait_throttled(pair);
	send_bytes(pair, 20480);
	assert_true(silent(pair, 300));
	assert_int_equal(throttles(pair), 1);
	/* The other direction has no limit. */
	assert_int_equal(write(pair->backend, "answer", 6), 6);
	assert_int_equal(poll(&(struct pollfd){ .fd = pair->peer, .events = POLLIN }, 1, WAIT_MS),
			 1);
}

static void a_debt_is_paid_before_the_next_read(void **state)
{
	enum { RATE = 100000, BURST = 1000 };
	struct fixture *f = *state;
	struct pair *pair;
	uint64_t start;

	bucket_make(f, RATE, BURST);
	/* One read takes what is there, whatever the burst. */
	pair = link_add(f, 0, NULL);
	start = time_monotonic_ms();
	send_bytes(pair, 40960);
	receive_bytes(pair, 40960);
	send_bytes(pair, 45056);
	receive_bytes(pair, 45056);
	/* The last block had to wait until what is before it was paid. */
	assert_in_range(time_monotonic_ms() - start, 40960 * 1000 / RATE - 2, WAIT_MS);
}

static void early_bytes_count(void **state)
{
	struct fixture *f = *state;
	struct pair *pair;
	char early[4097], back[4096];

	memset(early, 'e', sizeof(early) - 1);
	early[sizeof(early) - 1] = '\0';
	bucket_make(f, 1, 4096);
	pair = link_add(f, 0, early);
	assert_int_equal(recv(pair->backend, back, sizeof(back), MSG_WAITALL), sizeof(back));
	assert_memory_equal(early, back, sizeof(back));
	assert_int_equal(write(pair->peer, "late", 4), 4);
	assert_true(silent(pair, 200));
	assert_int_equal(throttles(pair), 1);
}

static void no_limit_is_none(void **state)
{
	enum { BYTES = 8 << 20 };
	struct fixture *f = *state;
	struct pair *pair;
	uint64_t start = time_monotonic_ms();

	bucket_make(f, 0, 1);
	pair = link_add(f, 0, NULL);
	while (pair->got < BYTES) {
		flood(f, 10);
		assert_true(time_monotonic_ms() - start < WAIT_MS);
	}
	assert_int_equal(throttles(pair), 0);
}

/* ---- one bucket, many links ---- */

/* Links of both threads, with small reads so that turns can be counted. */
static void links_share(struct fixture *f, size_t n)
{
	enum { RATE = 300000, BURST = 60000, QUEUE = 2048 };
	uint64_t sum = 0;
	double seconds;

	bucket_make(f, RATE, BURST);
	for (size_t i = 0; i < n; i++)
		link_add(f, QUEUE, NULL);
	seconds = flood(f, 2000);
	for (size_t i = 0; i < n; i++)
		sum += f->pair[i].got;
	assert_in_range(sum, (uint64_t)(RATE * seconds * 0.7),
			(uint64_t)(RATE * seconds) + BURST + 2 * ONE_READ);
	for (size_t i = 0; i < n; i++) {
		assert_in_range(f->pair[i].got, sum / n / 2, sum / n * 3 / 2);
		assert_true(throttles(&f->pair[i]) > 0);
	}
}

static void two_links_share(void **state)
{
	links_share(*state, 2);
}

static void many_links_share(void **state)
{
	links_share(*state, MAX_LINKS);
}

/* ---- while links wait ---- */

static void waiting_costs_nothing(void **state)
{
	struct fixture *f = *state;
	struct timespec before, after;
	int64_t ns;

	bucket_make(f, 1, 2000);
	for (size_t i = 0; i < MAX_LINKS; i++)
		send_bytes(link_add(f, 0, NULL), 8192);
	for (size_t i = 0; i < MAX_LINKS; i++) {
		wait_throttled(&f->pair[i]);
		f->pair[i].peer = fd_close(f->pair[i].peer); /* a hang-up must not spin either */
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	usleep(500000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	ns = (after.tv_sec - before.tv_sec) * 1000000000 + (after.tv_nsec - before.tv_nsec);
	assert_in_range(ns, 0, 50000000);
}

/* A debt of a day, and then the limit is lifted: to another one, or altogether. */
static void a_new_limit_counts_for_those_who_wait(void **state)
{
	enum { BYTES = 122880 };
	struct fixture *f = *state;

	for (uint64_t rate = 0; rate <= 10000000; rate += 10000000) {
		struct pair *pair[2];

		bucket_make(f, 1, 4096);
		for (size_t i = 0; i < 2; i++) {
			pair[i] = link_add(f, 0, NULL);
			send_bytes(pair[i], BYTES);
		}
		for (size_t i = 0; i < 2; i++)
			wait_throttled(pair[i]);
		relay_bucket_set(f->bucket, rate, 65536);
		for (size_t i = 0; i < 2; i++)
			receive_bytes(pair[i], BYTES);
		f->bucket = relay_bucket_unref(f->bucket);
	}
}

static void an_end_does_not_wait(void **state)
{
	struct fixture *f = *state;
	struct pair *first, *second;

	bucket_make(f, 1, 4096);
	first = link_add(f, 0, NULL);
	send_bytes(first, 122880);
	wait_throttled(first);
	second = link_add(f, 0, NULL);
	send_bytes(second, 4096);
	wait_throttled(second);
	relay_link_end(first->link, REASON_ADMIN_CLOSED);
	wait_end(first, REASON_ADMIN_CLOSED);
	assert_int_equal(first->end.lost, 0);
	/* The next in line is not forgotten with it, though it lives in the other thread. */
	assert_int_equal(second->got, 0);
	relay_bucket_set(f->bucket, 1000000, 4096);
	receive_bytes(second, 4096);
	relay_link_end(second->link, REASON_ADMIN_CLOSED);
	wait_end(second, REASON_ADMIN_CLOSED);
}

static void a_peer_that_has_gone_is_heard_out(void **state)
{
	enum { BYTES = 151552 };
	struct fixture *f = *state;
	struct pair *pair;

	bucket_make(f, 300000, 4096);
	pair = link_add(f, 0, NULL);
	send_bytes(pair, BYTES);
	pair->peer = fd_close(pair->peer);
	receive_bytes(pair, BYTES);
	assert_int_equal(poll(&(struct pollfd){ .fd = pair->backend, .events = POLLIN }, 1,
			      WAIT_MS),
			 1);
	assert_false(backend_receive(pair));
	assert_true(throttles(pair) > 0);
	pair->backend = fd_close(pair->backend);
	wait_end(pair, REASON_CLOSED_BY_PEER);
	assert_int_equal(pair->end.lost, 0);
}

/* Everything at once, for the sanitizers: links come and go while the limit changes. */
static void a_bucket_survives_its_links(void **state)
{
	struct fixture *f = *state;
	uint64_t start = time_monotonic_ms();
	unsigned int round = 0;

	bucket_make(f, 100000, 4096);
	while (time_monotonic_ms() - start < 1500) {
		while (f->n < MAX_LINKS)
			link_add(f, 4096, NULL);
		flood(f, 15);
		relay_bucket_set(f->bucket, (uint64_t)(round % 4) * 50000, 1 + round % 3 * 4000);
		for (size_t i = f->n - round % MAX_LINKS; i < f->n; i++)
			relay_link_end(f->pair[i].link, REASON_ADMIN_CLOSED);
		while (round % MAX_LINKS > 0 && f->n > MAX_LINKS - round % MAX_LINKS) {
			struct pair *pair = &f->pair[f->n - 1];

			wait_end(pair, REASON_ADMIN_CLOSED);
			fd_close(pair->peer);
			fd_close(pair->backend);
			f->n--;
		}
		round++;
	}
	assert_true(round > 5);
	relay_bucket_set(f->bucket, 1, 1);
	flood(f, 50);
	/* teardown() frees the relay with a line in which both threads have links */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_average_is_kept),
		TEST(a_burst_goes_at_once_and_no_more),
		TEST(a_debt_is_paid_before_the_next_read),
		TEST(early_bytes_count),
		TEST(no_limit_is_none),
		TEST(two_links_share),
		TEST(many_links_share),
		TEST(waiting_costs_nothing),
		TEST(a_new_limit_counts_for_those_who_wait),
		TEST(an_end_does_not_wait),
		TEST(a_peer_that_has_gone_is_heard_out),
		TEST(a_bucket_survives_its_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
