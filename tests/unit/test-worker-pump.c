/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The pump between a TLS session and the daemon's socket. The session is a fake on a packet
 * socket, on which one packet is one record and its first byte tells the kind; like GnuTLS it reads
 * ahead of what it gives out, so that poll() does not show everything.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/socket.h>
#include <worker/pump.h>

#define TICK_MS	 2
#define LIMIT_MS 20000
#define RECORD	 16384

/* ---- the fake session ---- */

enum { DATA = 'D', CLOSE_NOTIFY = 'C', ALERT = 'A' };

struct tls_handshake {
	int fd;
	uint8_t ahead[2][RECORD + 1];
	size_t ahead_len[2];
	size_t n_ahead;
	enum reason reason;
	bool refuse_close;
	const void *repeat; /* a write that would block: the same again */
	size_t repeat_len;
	uint8_t repeat_first;
};

static unsigned int n_freed;

static void read_ahead(struct tls_handshake *hs)
{
	while (hs->n_ahead < 2) {
		ssize_t n = recv(hs->fd, hs->ahead[hs->n_ahead], RECORD + 1, MSG_DONTWAIT);

		if (n < 0)
			return;
		hs->ahead_len[hs->n_ahead++] = (size_t)n;
		if (n == 0)
			return;
	}
}

int tls_pump_read(struct tls_handshake *hs, void *buf, size_t size, size_t *ret_len)
{
	uint8_t record[RECORD + 1];
	size_t len;

	if (hs->n_ahead == 0)
		read_ahead(hs);
	if (hs->n_ahead == 0)
		return TLS_E_WANT_READ;
	len = hs->ahead_len[0];
	memcpy(record, hs->ahead[0], len);
	hs->n_ahead--;
	memcpy(hs->ahead[0], hs->ahead[1], RECORD + 1);
	hs->ahead_len[0] = hs->ahead_len[1];
	if (len == 0)
		hs->reason = REASON_PEER_TRUNCATED;
	else if (record[0] == ALERT)
		hs->reason = REASON_PEER_ALERT;
	if (hs->reason != REASON_OK)
		return TLS_E_REFUSED;
	if (record[0] == CLOSE_NOTIFY)
		return TLS_E_EOF;
	assert_true(len - 1 <= size);
	memcpy(buf, record + 1, len - 1);
	*ret_len = len - 1;
	return 0;
}

int tls_pump_write(struct tls_handshake *hs, const void *buf, size_t len, size_t *ret_len)
{
	uint8_t record[RECORD + 1] = { DATA };

	assert_in_range(len, 1, RECORD);
	if (hs->repeat) {
		assert_ptr_equal(buf, hs->repeat);
		assert_int_equal(len, hs->repeat_len);
		assert_int_equal(*(const uint8_t *)buf, hs->repeat_first);
	}
	memcpy(record + 1, buf, len);
	if (send(hs->fd, record, len + 1, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		hs->repeat = NULL;
		*ret_len = len;
		return 0;
	}
	if (errno == EAGAIN) {
		hs->repeat = buf;
		hs->repeat_len = len;
		hs->repeat_first = *(const uint8_t *)buf;
		return TLS_E_WANT_WRITE;
	}
	hs->reason = REASON_PEER_RESET;
	return TLS_E_REFUSED;
}

int tls_pump_close(struct tls_handshake *hs)
{
	static const uint8_t record = CLOSE_NOTIFY;

	if (send(hs->fd, &record, 1, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EAGAIN)
		return TLS_E_WANT_WRITE;
	hs->reason = REASON_PEER_RESET;
	return TLS_E_REFUSED;
}

void tls_handshake_outcome(struct tls_handshake *hs, struct tls_outcome *ret)
{
	*ret = (struct tls_outcome){
		.reason = hs->reason,
		.alert_received = hs->reason == REASON_PEER_ALERT ? 40 : ALERT_NONE,
		.detail = hs->reason == REASON_PEER_ALERT ? "handshake_failure" : ""
	};
}

struct tls_handshake *tls_handshake_free(struct tls_handshake *hs)
{
	if (hs)
		n_freed++;
	free(hs);
	return NULL;
}

/* ---- fixture ---- */

struct fixture;
typedef void (*script_fn)(struct fixture *f);

struct fixture {
	struct loop *loop;
	struct loop_source *tick;
	struct worker_pump *pump;
	script_fn script;
	uint64_t deadline;
	int step;
	int peer, daemon; /* the test's ends */
	size_t sent, received;
	unsigned int n_ended;
	enum reason reason;
	uint8_t alert;
	char detail[64];
};

static void on_ended(void *userdata, enum reason reason, uint8_t alert, const char *detail)
{
	struct fixture *f = userdata;

	f->n_ended++;
	f->reason = reason;
	f->alert = alert;
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
	f->pump = worker_pump_free(f->pump);
	loop_exit(f->loop, 0);
}

static int on_tick(void *userdata)
{
	struct fixture *f = userdata;

	if (time_monotonic_ms() > f->deadline)
		fail_msg("step %d, %zu sent, %zu received", f->step, f->sent, f->received);
	f->script(f);
	return loop_timer_set(f->tick, TICK_MS);
}

static struct fixture run(script_fn script)
{
	struct fixture f = { .script = script, .deadline = time_monotonic_ms() + LIMIT_MS };
	struct tls_handshake *hs = calloc(1, sizeof(*hs));
	int tls[2];

	assert_non_null(hs);
	n_freed = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, tls),
			 0);
	hs->fd = tls[0];
	f.peer = tls[1];
	assert_int_equal(loop_new(&f.loop), 0);
	assert_int_equal(loop_timer_add(f.loop, TICK_MS, on_tick, &f, &f.tick), 0);
	assert_int_equal(worker_pump_new(f.loop, hs, tls[0], on_ended, &f, &f.pump, &f.daemon), 0);
	assert_int_equal(loop_run(f.loop), 0);
	f.pump = worker_pump_free(f.pump);
	assert_int_equal(n_freed, 1);
	loop_source_free(f.tick);
	loop_free(f.loop);
	fd_close(tls[0]);
	fd_close(f.peer);
	fd_close(f.daemon);
	return f;
}

static void peer_send(struct fixture *f, uint8_t kind, const char *text)
{
	char record[256];
	int n = snprintf(record, sizeof(record), "%c%s", kind, text);

	assert_int_equal(send(f->peer, record, (size_t)n, MSG_DONTWAIT), n);
}

/* What has arrived at one of the test's ends: "" nothing, "EOF" its end. */
static const char *arrived(int fd)
{
	static char text[RECORD + 2];
	ssize_t n = recv(fd, text, RECORD + 1, MSG_DONTWAIT);

	if (n < 0)
		return "";
	if (n == 0)
		return "EOF";
	text[n] = '\0';
	return text;
}

/* ---- tests ---- */

/* Records that were read ahead come through although nothing more arrives; the peer ends first. */
static void script_peer_first(struct fixture *f)
{
	if (f->step == 0) {
		for (int i = 0; i < 40; i++)
			peer_send(f, DATA, "OPTIONS\r\n");
		f->step = 1;
	} else if (f->step == 1) {
		f->received += strlen(arrived(f->daemon));
		if (f->received == (size_t)40 * 9) {
			peer_send(f, CLOSE_NOTIFY, "");
			f->step = 2;
		}
	} else if (f->step == 2 && strcmp(arrived(f->daemon), "EOF") == 0) {
		/* the other direction goes on */
		assert_int_equal(send(f->daemon, "200 OK", 6, 0), 6);
		f->step = 3;
	} else if (f->step == 3 && strcmp(arrived(f->peer), "D200 OK") == 0) {
		assert_int_equal(shutdown(f->daemon, SHUT_WR), 0);
		f->step = 4;
	}
}

static void test_peer_ends_first(void **state _unused_)
{
	struct fixture f = run(script_peer_first);

	assert_int_equal(f.step, 4);
	assert_int_equal(f.n_ended, 1);
	assert_int_equal(f.reason, REASON_CLOSED_BY_PEER);
}

static void script_backend_first(struct fixture *f)
{
	if (f->step == 0) {
		assert_int_equal(send(f->daemon, "BYE", 3, 0), 3);
		assert_int_equal(shutdown(f->daemon, SHUT_WR), 0);
		f->step = 1;
	} else if (f->step == 1 && strcmp(arrived(f->peer), "DBYE") == 0) {
		f->step = 2;
	} else if (f->step == 2 && strcmp(arrived(f->peer), "C") == 0) {
		peer_send(f, DATA, "200 OK");
		f->step = 3;
	} else if (f->step == 3 && strcmp(arrived(f->daemon), "200 OK") == 0) {
		shutdown(f->peer, SHUT_RDWR); /* without close_notify: told goodbye, it may */
		f->step = 4;
	}
}

static void test_backend_ends_first(void **state _unused_)
{
	struct fixture f = run(script_backend_first);

	assert_int_equal(f.step, 4);
	assert_int_equal(f.reason, REASON_CLOSED_BY_BACKEND);
}

/* The daemon closes for good, at once or after a half-close: the pump does not wait for the peer.
 */
static void script_closed(struct fixture *f)
{
	if (f->step == 0) {
		assert_int_equal(send(f->daemon, "last", 4, 0), 4);
		f->daemon = fd_close(f->daemon);
		f->step = 1;
	}
}

static void script_half_closed_then_closed(struct fixture *f)
{
	if (f->step == 0) {
		assert_int_equal(shutdown(f->daemon, SHUT_WR), 0);
		f->step = 1;
	} else if (f->step == 1 && strcmp(arrived(f->peer), "C") == 0) {
		f->daemon = fd_close(f->daemon);
		f->step = 2;
	}
}

/* With bytes unread, the close arrives as a reset. */
static void script_closed_unread(struct fixture *f)
{
	struct pollfd p = { .fd = f->daemon, .events = POLLIN };

	if (f->step == 0) {
		peer_send(f, DATA, "unread");
		f->step = 1;
	} else if (f->step == 1 && poll(&p, 1, 0) == 1) {
		f->daemon = fd_close(f->daemon);
		f->step = 2;
	}
}

static void test_daemon_closes(void **state _unused_)
{
	assert_int_equal(run(script_closed).reason, REASON_CLOSED_BY_BACKEND);
	assert_int_equal(run(script_half_closed_then_closed).reason, REASON_CLOSED_BY_BACKEND);
	assert_int_equal(run(script_closed_unread).reason, REASON_CLOSED_BY_BACKEND);
}

static void script_truncated(struct fixture *f)
{
	if (f->step == 0) {
		peer_send(f, DATA, "INV");
		shutdown(f->peer, SHUT_RDWR);
		f->step = 1;
	}
}

static void script_alert(struct fixture *f)
{
	if (f->step == 0) {
		peer_send(f, ALERT, "");
		f->step = 1;
	}
}

static void test_failures(void **state _unused_)
{
	struct fixture f = run(script_truncated);

	assert_int_equal(f.reason, REASON_PEER_TRUNCATED);
	assert_int_equal(f.alert, ALERT_NONE);
	f = run(script_alert);
	assert_int_equal(f.reason, REASON_PEER_ALERT);
	assert_int_equal(f.alert, 40);
	assert_string_equal(f.detail, "handshake_failure");
}

/* Whoever does not read stops the other; then everything arrives, in order. */
static void flood(struct fixture *f, int from, int to, bool records)
{
	uint8_t chunk[1001];
	ssize_t n;
	size_t head = records ? 1 : 0;

	if (f->step == 0) {
		do {
			chunk[0] = DATA;
			for (size_t i = 0; i < 1000; i++)
				chunk[head + i] = (uint8_t)((f->sent + i) % 251);
			n = send(from, chunk, 1000 + head, MSG_DONTWAIT);
			if (n > 0)
				f->sent += (size_t)n - head;
		} while (n == (ssize_t)(1000 + head) && f->sent < 64000000);
		/* Nothing taken for 20 rounds: all buffers are full, and they are bounded. */
		f->received = n > 0 ? 0 : f->received + 1;
		assert_true(f->sent < 64000000);
		if (f->received < 20)
			return;
		f->received = 0;
		f->step = 1;
		return;
	}
	head = records ? 0 : 1;
	for (;;) {
		uint8_t got[RECORD + 1];

		n = recv(to, got, sizeof(got), MSG_DONTWAIT);
		if (n <= 0)
			break;
		for (size_t i = head; i < (size_t)n; i++)
			assert_int_equal(got[i], (f->received + i - head) % 251);
		f->received += (size_t)n - head;
	}
	if (f->received == f->sent)
		loop_exit(f->loop, 0);
}

static void script_flood_up(struct fixture *f)
{
	flood(f, f->peer, f->daemon, true);
}

static void script_flood_down(struct fixture *f)
{
	flood(f, f->daemon, f->peer, false);
}

static void test_back_pressure(void **state _unused_)
{
	struct fixture f = run(script_flood_up);

	assert_int_equal(f.n_ended, 0);
	assert_true(f.received > 10000);
	f = run(script_flood_down);
	assert_int_equal(f.n_ended, 0);
	assert_true(f.received > 10000);
}

/* A cancel: the pump is freed while it waits for both sides. */
static void script_idle(struct fixture *f)
{
	if (f->step < 5)
		f->step++;
	else
		loop_exit(f->loop, 0);
}

static void test_freed_while_idle(void **state _unused_)
{
	struct fixture f = run(script_idle);

	assert_int_equal(f.n_ended, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_ends_first), cmocka_unit_test(test_backend_ends_first),
		cmocka_unit_test(test_daemon_closes),	cmocka_unit_test(test_failures),
		cmocka_unit_test(test_back_pressure),	cmocka_unit_test(test_freed_while_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
