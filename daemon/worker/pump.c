/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records in user space; see pump.h. */

#include "worker/pump.h"

#include <poll.h>
#include <sys/socket.h>

#define RECORD_SIZE                                                                                \
	16384		/* plaintext of one record (RFC 8446 5.1), and the bound per direction     \
			 */
#define ROUND_MAX 16	/* records per direction before other sessions get their turn */
#define GONE_MS	  10000 /* for the peer to take what the daemon had sent before it closed */
#define LINGER_MS 1000	/* between looks at whether a half-closed stream was closed for good */

enum { UP, DOWN, N_DIRECTIONS }; /* UP: from the peer to the daemon */

/* What one call on a direction came to. */
enum step { STEP_PROGRESS, STEP_WAIT, STEP_DONE, STEP_FAILED };

/* Bytes read from one side that the other has not taken yet. */
struct rest {
	uint8_t *bytes; /* RECORD_SIZE, or NULL: none */
	size_t pos, len;
};

struct worker_pump {
	struct loop *loop;
	struct tls_handshake *hs;
	int fd; /* our end of the plain stream */
	struct loop_source *tls_io, *plain_io, *again, *linger;
	worker_pump_fn ended;
	void *userdata;

	struct rest rest[N_DIRECTIONS];
	bool eof[N_DIRECTIONS];	 /* that side's stream has ended */
	bool done[N_DIRECTIONS]; /* and the other side was told */
	uint64_t gone_ms;	 /* since when it is gone */
	bool gone;		 /* the daemon has closed: nobody reads what the peer sends */
	enum reason first;	 /* who ended first; REASON_OK: nobody */
	enum reason failure;	 /* of a failed step that the TLS session knows nothing of */
	unsigned int want_tls, want_plain; /* LOOP_*, collected in one round */
};

static enum step want_tls(struct worker_pump *pump, int r)
{
	pump->want_tls |= r == TLS_E_WANT_READ ? LOOP_READ : LOOP_WRITE;
	return STEP_WAIT;
}

static void rest_clear(struct rest *rest)
{
	free(rest->bytes);
	*rest = (struct rest){};
}

static void ended_first(struct worker_pump *pump, enum reason reason)
{
	if (pump->first == REASON_OK)
		pump->first = reason;
}

/* ---- the plain side ---- */

/* The daemon has closed its end: what it sent is still delivered, what comes is not wanted. */
static void plain_gone(struct worker_pump *pump)
{
	ended_first(pump, REASON_CLOSED_BY_BACKEND);
	if (!pump->gone)
		pump->gone_ms = time_monotonic_ms();
	pump->gone = true;
	rest_clear(&pump->rest[UP]);
}

static bool plain_hung_up(const struct worker_pump *pump)
{
	struct pollfd p = { .fd = pump->fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

static enum step plain_write(struct worker_pump *pump)
{
	struct rest *rest = &pump->rest[UP];
	ssize_t n = send(pump->fd, rest->bytes + rest->pos, rest->len - rest->pos,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		pump->want_plain |= LOOP_WRITE;
		return STEP_WAIT;
	}
	if (n < 0) {
		plain_gone(pump);
		return STEP_DONE;
	}
	rest->pos += (size_t)n;
	if (rest->pos == rest->len)
		rest_clear(rest);
	return STEP_PROGRESS;
}

static enum step plain_read(struct worker_pump *pump, struct rest *rest)
{
	ssize_t n = recv(pump->fd, rest->bytes, RECORD_SIZE, MSG_DONTWAIT);

	if (n > 0) {
		rest->len = (size_t)n;
		return STEP_PROGRESS;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		pump->want_plain |= LOOP_READ;
		return STEP_WAIT;
	}
	/* An error here is the daemon's close with bytes of ours unread. */
	ended_first(pump, REASON_CLOSED_BY_BACKEND);
	pump->eof[DOWN] = true;
	if (n < 0 || (!pump->done[UP] && plain_hung_up(pump)))
		plain_gone(pump);
	return STEP_PROGRESS;
}

/* ---- the TLS side ---- */

static enum step tls_write(struct worker_pump *pump)
{
	struct rest *rest = &pump->rest[DOWN];
	size_t n = 0;
	int r = tls_pump_write(pump->hs, rest->bytes + rest->pos, rest->len - rest->pos, &n);

	if (r == TLS_E_WANT_READ || r == TLS_E_WANT_WRITE)
		return want_tls(pump, r);
	if (r != 0)
		return STEP_FAILED;
	rest->pos += n;
	if (rest->pos == rest->len)
		rest_clear(rest);
	return STEP_PROGRESS;
}

static enum step tls_read(struct worker_pump *pump, struct rest *rest)
{
	int r = tls_pump_read(pump->hs, rest->bytes, RECORD_SIZE, &rest->len);

	if (r == 0)
		return STEP_PROGRESS;
	rest->len = 0;
	if (r == TLS_E_WANT_READ || r == TLS_E_WANT_WRITE)
		return want_tls(pump, r);
	if (r != TLS_E_EOF)
		return STEP_FAILED;
	ended_first(pump, REASON_CLOSED_BY_PEER);
	pump->eof[UP] = true;
	return STEP_PROGRESS;
}

/* ---- directions ---- */

/* The source of a direction has ended and everything of it was delivered: say so. */
static enum step direction_close(struct worker_pump *pump, int direction)
{
	int r;

	if (direction == UP) {
		(void)shutdown(pump->fd, SHUT_WR);
	} else {
		r = tls_pump_close(pump->hs);
		if (r == TLS_E_WANT_READ || r == TLS_E_WANT_WRITE)
			return want_tls(pump, r);
		if (r != 0)
			return STEP_FAILED;
	}
	pump->done[direction] = true;
	return STEP_DONE;
}

/* Deliver the rest, or read more, or close. */
static enum step direction_step(struct worker_pump *pump, int direction)
{
	struct rest *rest = &pump->rest[direction];
	enum step step;

	if (pump->done[direction] || (direction == UP && pump->gone))
		return STEP_DONE;
	if (rest->bytes)
		return direction == UP ? plain_write(pump) : tls_write(pump);
	if (pump->eof[direction])
		return direction_close(pump, direction);
	rest->bytes = malloc(RECORD_SIZE);
	if (!rest->bytes) {
		pump->failure = REASON_RESOURCES;
		return STEP_FAILED;
	}
	step = direction == UP ? tls_read(pump, rest) : plain_read(pump, rest);
	if (rest->len == 0)
		rest_clear(rest);
	return step;
}

static enum step direction_run(struct worker_pump *pump, int direction)
{
	enum step step = STEP_PROGRESS;

	/* Twice: a record is one read and one write. */
	for (int i = 0; i < 2 * ROUND_MAX && step == STEP_PROGRESS; i++)
		step = direction_step(pump, direction);
	return step;
}

/* ---- rounds ---- */

static void pump_end(struct worker_pump *pump, enum reason reason)
{
	pump->ended(pump->userdata, reason, ALERT_NONE, "");
}

static void pump_fail(struct worker_pump *pump)
{
	struct tls_outcome outcome;
	enum reason reason;

	tls_handshake_outcome(pump->hs, &outcome);
	reason = outcome.reason != REASON_OK ? outcome.reason : pump->failure;
	/* Who has said goodbye, or was told it, may leave without a word more. */
	if ((pump->done[DOWN] || pump->eof[UP]) &&
	    (reason == REASON_PEER_TRUNCATED || reason == REASON_PEER_RESET))
		reason = pump->first;
	pump->done[DOWN] = true; /* nothing can be sent in a session that failed */
	pump->ended(pump->userdata, reason, outcome.alert_received, outcome.detail);
}

static int on_linger(void *userdata);
static int on_again(void *userdata);

static int pump_wait(struct worker_pump *pump, bool again)
{
	int r = loop_io_set(pump->tls_io, pump->want_tls);

	if (r >= 0)
		r = loop_io_set(pump->plain_io, pump->want_plain);
	if (r >= 0 && again && !pump->again)
		r = loop_defer(pump->loop, on_again, pump, &pump->again);
	/*
	 * A hang-up looks to poll like the half-close it followed, and behind bytes that the peer
	 * does not take nobody reads: nothing wakes us for it.
	 */
	if (r >= 0 && (pump->eof[DOWN] || pump->gone || pump->rest[DOWN].bytes) && !pump->linger)
		r = loop_timer_add(pump->loop, LINGER_MS, on_linger, pump, &pump->linger);
	return r;
}

/* Both directions as far as they go. The pump may be gone when this returns. */
static int pump_round(struct worker_pump *pump)
{
	enum step up, down;

	pump->want_tls = pump->want_plain = 0;
	down = direction_run(pump, DOWN);
	up = down == STEP_FAILED ? STEP_FAILED : direction_run(pump, UP);
	if (up == STEP_FAILED) {
		pump_fail(pump);
		return 0;
	}
	if (pump->done[DOWN] && (pump->done[UP] || pump->gone)) {
		pump_end(pump, pump->first);
		return 0;
	}
	/* Records that GnuTLS holds decrypted are invisible to poll: come back for them. */
	if (pump_wait(pump, up == STEP_PROGRESS || down == STEP_PROGRESS) < 0)
		pump_end(pump, REASON_RESOURCES);
	return 0;
}

static int on_io(void *userdata, int fd _unused_, unsigned int events _unused_)
{
	return pump_round(userdata);
}

static int on_again(void *userdata)
{
	struct worker_pump *pump = userdata;

	pump->again = loop_source_free(pump->again);
	return pump_round(pump);
}

static int on_linger(void *userdata)
{
	struct worker_pump *pump = userdata;

	pump->linger = loop_source_free(pump->linger);
	if (!pump->gone && plain_hung_up(pump))
		plain_gone(pump);
	if (pump->gone && time_monotonic_ms() - pump->gone_ms >= GONE_MS) {
		pump_end(pump, pump->first);
		return 0;
	}
	return pump_round(pump);
}

int worker_pump_new(struct loop *loop, struct tls_handshake *hs, int tls_fd, worker_pump_fn ended,
		    void *userdata, struct worker_pump **ret, int *ret_fd)
{
	struct worker_pump *pump = calloc(1, sizeof(*pump));
	_cleanup_fd_ int theirs = -1;
	int fds[2], r;

	if (!pump)
		return -ENOMEM;
	pump->loop = loop;
	pump->fd = -1;
	pump->failure = REASON_INTERNAL;
	pump->ended = ended;
	pump->userdata = userdata;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
		r = -errno;
	} else {
		pump->fd = fds[0];
		theirs = fds[1];
		r = loop_io_add(loop, tls_fd, 0, on_io, pump, &pump->tls_io);
	}
	if (r >= 0)
		r = loop_io_add(loop, pump->fd, 0, on_io, pump, &pump->plain_io);
	if (r >= 0)
		r = loop_defer(loop, on_again, pump, &pump->again);
	if (r < 0) {
		worker_pump_free(pump);
		return r;
	}
	pump->hs = hs;
	*ret = pump;
	*ret_fd = steal_fd(&theirs);
	return 0;
}

struct worker_pump *worker_pump_free(struct worker_pump *pump)
{
	if (!pump)
		return NULL;
	loop_source_free(pump->tls_io);
	loop_source_free(pump->plain_io);
	loop_source_free(pump->again);
	loop_source_free(pump->linger);
	for (int i = 0; i < N_DIRECTIONS; i++)
		rest_clear(&pump->rest[i]);
	if (pump->hs && !pump->done[DOWN]) {
		int r = tls_pump_close(pump->hs);

		(void)r;
	}
	tls_handshake_free(pump->hs);
	fd_close(pump->fd);
	free(pump);
	return NULL;
}
