/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The pool against workers that do as they are told: the test executes itself. A worker finds its
 * character in the snapshot and its orders in the listener number of each job. Nothing of TLS is
 * involved, and a board is but a file with a number in it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <siptls/worker.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <worker/pool.h>

#define TICK_MS	 2
#define LIMIT_MS 20000 /* for one test; generous, for builds with sanitizers on a busy machine */

enum order {
	REFUSE,	    /* result at once */
	KERNEL,	    /* result with keys */
	PUMP,	    /* result with a stream; its end when cancelled */
	PUMP_SHORT, /* result with a stream, then its end */
	TELL_BOARD, /* result whose identity is the number of the board */
	HOLD,	    /* result only when cancelled */
	DIE,	    /* exit */
	STALL,	    /* read nothing any more */
	FIRST_HOSTILE,
	GARBAGE = FIRST_HOSTILE,
	FOREIGN_ID, /* result of a job it never had */
	TWICE,	    /* two results */
	END_WITHOUT_PUMP,
	PUMP_WITHOUT_FD,
	PUMP_WITH_DATAGRAMS,
	KERNEL_WITH_FD,
	HELLO_AGAIN,
	CERTIFICATE_LATE, /* after the hello */
	DAEMONS_MESSAGE,  /* one that only the daemon sends */
	DAEMONS_BOARD,
	N_ORDERS,
};

/* ---- the worker ---- */

static uint8_t buf[WORKER_MESSAGE_MAX];
static struct worker_message in, out;

static void say(int fd)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec vector = { .iov_base = buf };
	struct msghdr msg = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (worker_message_encode(&out, buf, &vector.iov_len) != 0)
		_exit(100);
	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
	}
	if (sendmsg(CHANNEL_FD, &msg, MSG_NOSIGNAL) < 0)
		_exit(101);
}

static void say_result(uint64_t id, enum reason reason, bool kernel, int fd)
{
	memset(&out, 0, sizeof(out));
	out.type = WORKER_MSG_RESULT;
	out.result.id = id;
	out.result.reason = reason;
	out.result.kernel = kernel;
	memset(out.result.tx.key, 0x5a, sizeof(out.result.tx.key));
	say(fd);
}

static void say_pump_end(uint64_t id)
{
	memset(&out, 0, sizeof(out));
	out.type = WORKER_MSG_PUMP_END;
	out.pump_end.id = id;
	out.pump_end.reason = REASON_CLOSED_BY_PEER;
	say(-1);
}

static void say_hello(void)
{
	memset(&out, 0, sizeof(out));
	out.type = WORKER_MSG_HELLO;
	out.hello.valid = true;
	say(-1);
}

/* Two of the configuration; a mistake would be one that is told twice, or by every worker. */
static void say_certificate(uint32_t place)
{
	struct trust_certificate cert = { .subject = NULL };
	static char der[] = "DER";

	memset(&out, 0, sizeof(out));
	out.type = WORKER_MSG_CERTIFICATE;
	out.certificate.anchor = true;
	out.certificate.index = 7;
	out.certificate.place = place;
	out.certificate.der = der;
	out.certificate.der_len = 3;
	out.certificate.facts.certs = &cert;
	out.certificate.facts.n_certs = 1;
	say(-1);
}

static uint32_t board_number;

static int pair(int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type, 0, fds) < 0)
		_exit(102);
	return fds[0]; /* the other end stays open until the worker ends */
}

static void obey(uint64_t id, enum order order)
{
	switch (order) {
	case REFUSE:
		say_result(id, REASON_UNKNOWN_CA, false, -1);
		return;
	case KERNEL:
		say_result(id, REASON_OK, true, -1);
		return;
	case PUMP:
		say_result(id, REASON_OK, false, pair(SOCK_STREAM));
		return;
	case PUMP_SHORT:
		say_result(id, REASON_OK, false, pair(SOCK_STREAM));
		say_pump_end(id);
		return;
	case TELL_BOARD:
		memset(&out, 0, sizeof(out));
		out.type = WORKER_MSG_RESULT;
		out.result.id = id;
		out.result.kernel = true;
		out.result.identity = board_number;
		say(-1);
		return;
	case HOLD:
		return;
	case DIE:
		_exit(7);
	case STALL:
		for (;;)
			pause();
	case GARBAGE:
		(void)!write(CHANNEL_FD, "\xff\xff", 2);
		return;
	case FOREIGN_ID:
		say_result(id + 1000000, REASON_NOT_TLS, false, -1);
		return;
	case TWICE:
		say_result(id, REASON_NOT_TLS, false, -1);
		say_result(id, REASON_NOT_TLS, false, -1);
		return;
	case END_WITHOUT_PUMP:
		say_pump_end(id);
		return;
	case PUMP_WITHOUT_FD:
		say_result(id, REASON_OK, false, -1);
		return;
	case PUMP_WITH_DATAGRAMS:
		say_result(id, REASON_OK, false, pair(SOCK_DGRAM));
		return;
	case KERNEL_WITH_FD:
		say_result(id, REASON_OK, true, pair(SOCK_STREAM));
		return;
	case HELLO_AGAIN:
		say_hello();
		return;
	case CERTIFICATE_LATE:
		say_certificate(0);
		return;
	case DAEMONS_BOARD:
		memset(&out, 0, sizeof(out));
		out.type = WORKER_MSG_BOARD;
		say(pair(SOCK_STREAM));
		return;
	case DAEMONS_MESSAGE:
		memset(&out, 0, sizeof(out));
		out.type = WORKER_MSG_RETIRE;
		say(-1);
		return;
	case N_ORDERS:
		break;
	}
	_exit(103);
}

/* Jobs that are not answered: their ids, and which of them are pumps. */
static struct {
	uint64_t id;
	enum order order;
} kept[64];
static size_t n_kept;

static void forget(uint64_t id)
{
	for (size_t i = 0; i < n_kept; i++) {
		if (kept[i].id != id)
			continue;
		if (kept[i].order == PUMP)
			say_pump_end(id);
		else
			say_result(id, REASON_ADMIN_CLOSED, false, -1);
		kept[i] = kept[--n_kept];
		return;
	}
}

/* false: the channel has closed. */
static bool hear(void)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec vector = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = { .msg_iov = &vector,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = CHANNEL_FD, .events = POLLIN };
	ssize_t n;

	(void)poll(&p, 1, -1);
	n = recvmsg(CHANNEL_FD, &msg, MSG_CMSG_CLOEXEC);
	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	if (worker_message_decode(buf, (size_t)n, &in) != 0)
		_exit(104);
	/* A job brings a socket, a board its file, nothing else brings anything. */
	if ((in.type == WORKER_MSG_JOB || in.type == WORKER_MSG_BOARD) != (msg.msg_controllen > 0))
		_exit(105);
	if (in.type == WORKER_MSG_BOARD) {
		int fd;

		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
		if (pread(fd, &board_number, sizeof(board_number), 0) != sizeof(board_number))
			_exit(107);
		close(fd);
	}
	return true;
}

/* Its first generation ends between certificates and hello; the file remembers that. */
static void die_once(void)
{
	if (write(CHANNEL_FD_EXTRA, "!", 1) == 1)
		_exit(8);
}

static int worker_main(void)
{
	char character[32] = "";
	bool retiring = false;

	if (pread(CHANNEL_FD_EXTRA, character, sizeof(character) - 1, 0) < 0 || getenv("PATH") ||
	    fcntl(5, F_GETFD) >= 0)
		return 106;
	if (strcmp(character, "dies") == 0)
		return 3;
	if (strncmp(character, "tells", 5) == 0) {
		say_certificate(0);
		say_certificate(1);
		if (strcmp(character, "tells twice") == 0)
			die_once();
	}
	if (strcmp(character, "invalid") == 0) {
		out.type = WORKER_MSG_HELLO;
		strcpy(out.hello.error.file, "/etc/siptls/key.pem");
		strcpy(out.hello.error.text, "expected a private key");
		say(-1);
		return 0;
	}
	say_hello();
	while (!(retiring && n_kept == 0) && hear()) {
		if (in.type == WORKER_MSG_CANCEL)
			forget(in.cancel_id);
		retiring = retiring || in.type == WORKER_MSG_RETIRE;
		if (in.type != WORKER_MSG_JOB)
			continue;
		if (in.job.tls.listener == HOLD || in.job.tls.listener == PUMP) {
			kept[n_kept].id = in.job.id;
			kept[n_kept++].order = (enum order)in.job.tls.listener;
		}
		obey(in.job.id, (enum order)in.job.tls.listener);
	}
	return 0;
}

/* ---- the daemon ---- */

/* All that the pool asks of a snapshot. */
struct conf_snapshot {
	int fd;
};

int conf_snapshot_fd(const struct conf_snapshot *snapshot)
{
	return snapshot->fd;
}

/* And of a board. */
struct revocation_board {
	int fd;
	unsigned int refs;
};

int revocation_board_fd(const struct revocation_board *board)
{
	return board->fd;
}

struct revocation_board *revocation_board_ref(struct revocation_board *board)
{
	board->refs++;
	return board;
}

struct revocation_board *revocation_board_unref(struct revocation_board *board)
{
	if (board)
		board->refs--;
	return NULL;
}

struct fixture;
/* What a test does next; called again and again until it calls done(). */
typedef void (*script_fn)(struct fixture *f);

struct fixture {
	struct loop *loop;
	struct loop_source *tick;
	struct worker_pool *pool;
	struct conf_snapshot snapshot;
	script_fn script;
	uint64_t deadline;
	int step;
	int socket; /* any descriptor, to go with jobs */
	uint64_t next_id;
	bool free_in_op; /* free the pool from inside the next op */
	/* what the ops said */
	unsigned int n_certificates, n_ready, n_results, n_pump_ends, n_lost, n_died, n_gone;
	struct revocation_board boards[2];
	uint32_t identity;
	struct conf_error error;
	enum reason reason;
	uint8_t key0;
	bool fd_is_ours;
	int status;
};

static void done(struct fixture *f)
{
	loop_exit(f->loop, 0);
}

static void op_called(struct fixture *f)
{
	if (f->free_in_op)
		f->pool = worker_pool_free(f->pool);
}

static void on_certificate(void *userdata, struct worker_certificate *certificate)
{
	struct fixture *f = userdata;

	assert_int_equal(f->n_ready, 0);
	assert_true(certificate->anchor);
	assert_int_equal(certificate->index, 7);
	assert_int_equal(certificate->place, f->n_certificates); /* in their order */
	assert_int_equal(certificate->der_len, 3);
	assert_memory_equal(certificate->der, "DER", 3);
	if (f->n_certificates++ == 0) { /* take the first */
		free(certificate->der);
		trust_facts_done(&certificate->facts);
		certificate->der = NULL;
	}
	op_called(f);
}

static void on_ready(void *userdata, struct worker_pool *pool _unused_,
		     const struct conf_error *error)
{
	struct fixture *f = userdata;

	f->n_ready++;
	if (error)
		f->error = *error;
	op_called(f);
}

static void on_result(void *userdata, struct worker_result *result)
{
	struct fixture *f = userdata;

	f->n_results++;
	f->reason = result->reason;
	f->identity = result->identity;
	f->key0 = result->tx.key[0];
	f->fd_is_ours = result->pump_fd >= 0 && fcntl(result->pump_fd, F_GETFD) == FD_CLOEXEC;
	op_called(f);
}

static void on_pump_end(void *userdata, const struct worker_pump_end *end)
{
	struct fixture *f = userdata;

	f->n_pump_ends++;
	f->reason = end->reason;
	op_called(f);
}

static void on_lost(void *userdata, uint64_t id)
{
	struct fixture *f = userdata;

	assert_true(id < f->next_id);
	f->n_lost++;
	op_called(f);
}

static void on_died(void *userdata, pid_t pid, int status)
{
	struct fixture *f = userdata;

	assert_true(pid > 0);
	f->n_died++;
	f->status = status;
	op_called(f);
}

static void on_gone(void *userdata)
{
	struct fixture *f = userdata;

	f->n_gone++;
	f->pool = NULL;
}

static const struct worker_pool_ops ops = {
	.certificate = on_certificate,
	.ready = on_ready,
	.result = on_result,
	.pump_end = on_pump_end,
	.lost = on_lost,
	.died = on_died,
	.gone = on_gone,
};

static int on_tick(void *userdata)
{
	struct fixture *f = userdata;

	if (time_monotonic_ms() > f->deadline)
		fail_msg("step %d: ready %u results %u ends %u lost %u died %u", f->step,
			 f->n_ready, f->n_results, f->n_pump_ends, f->n_lost, f->n_died);
	f->script(f);
	return loop_timer_set(f->tick, TICK_MS);
}

static void run(struct fixture *f, const char *character, uint32_t n, script_fn script)
{
	f->script = script;
	f->next_id = 1;
	f->deadline = time_monotonic_ms() + LIMIT_MS;
	f->snapshot.fd = memfd_create("character", MFD_CLOEXEC);
	f->socket = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(f->snapshot.fd >= 0 && f->socket >= 0);
	assert_int_equal(write(f->snapshot.fd, character, strlen(character)), strlen(character));
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(loop_timer_add(f->loop, TICK_MS, on_tick, f, &f->tick), 0);
	assert_int_equal(worker_pool_new(f->loop, "/proc/self/exe", n, &f->snapshot, &ops, f,
					 &f->pool),
			 0);
	assert_int_equal(loop_run(f->loop), 0);
	worker_pool_free(f->pool);
	loop_source_free(f->tick);
	loop_free(f->loop);
	fd_close(f->snapshot.fd);
	fd_close(f->socket);
	/* no worker may be left, nor the corpse of one */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static int submit(struct fixture *f, enum order order)
{
	struct worker_job job = { .id = f->next_id++, .tls = { .listener = order } };

	return worker_pool_submit(f->pool, &job, f->socket);
}

static struct worker_pool_stats stats(const struct fixture *f)
{
	struct worker_pool_stats s;

	worker_pool_stats(f->pool, &s);
	return s;
}

/* ---- tests ---- */

static void script_results(struct fixture *f)
{
	if (f->step == 0 && f->n_ready == 1) {
		assert_int_equal(f->error.text[0], '\0');
		assert_int_equal(stats(f).workers, 3);
		assert_int_equal(submit(f, REFUSE), 0);
		assert_int_equal(stats(f).jobs, 1);
		f->step = 1;
	} else if (f->step == 1 && f->n_results == 1) {
		assert_int_equal(f->reason, REASON_UNKNOWN_CA);
		assert_int_equal(submit(f, KERNEL), 0);
		f->next_id--; /* the same id again */
		assert_int_equal(submit(f, KERNEL), -EEXIST);
		f->step = 2;
	} else if (f->step == 2 && f->n_results == 2) {
		assert_int_equal(f->reason, REASON_OK);
		assert_int_equal(f->key0, 0x5a);
		assert_false(f->fd_is_ours);
		assert_int_equal(stats(f).jobs, 0);
		assert_int_equal(f->n_died + f->n_lost, 0);
		done(f);
	}
}

static void test_results(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "good", 3, script_results);
	assert_int_equal(f.n_ready, 1);
}

static void script_failed(struct fixture *f)
{
	if (f->step == 0 && f->n_ready == 1) {
		assert_int_equal(submit(f, REFUSE), WORKER_E_UNAVAILABLE);
		f->step = 1;
	} else if (f->step == 1 && stats(f).workers == 0) {
		done(f);
	}
}

static void test_invalid_configuration(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "invalid", 4, script_failed);
	assert_int_equal(f.n_ready, 1);
	assert_string_equal(f.error.file, "/etc/siptls/key.pem");
	assert_string_equal(f.error.text, "expected a private key");
	assert_int_equal(f.n_died, 0);
}

static void test_never_ready(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "dies", 4, script_failed);
	assert_int_equal(f.n_ready, 1);
	assert_non_null(strstr(f.error.text, "ends at its start"));
	assert_int_equal(f.n_died, 11);
	assert_int_equal(WEXITSTATUS(f.status), 3);
}

static void test_no_executable(void **state _unused_)
{
	struct conf_snapshot snapshot = { .fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	struct worker_pool *pool;
	struct loop *loop;

	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(worker_pool_new(loop, "/nonexistent/worker", 1, &snapshot, &ops, NULL,
					 &pool),
			 -ENOENT);
	loop_free(loop);
	fd_close(snapshot.fd);
}

/* Six jobs on two workers; the seventh ends one of them: half of the six are lost with it. */
static void script_death(struct fixture *f)
{
	if (f->step == 0 && f->n_ready == 1) {
		f->step = 1;
	} else if (f->step == 1) {
		/* both are up once two jobs were answered by different workers or waited for */
		if (submit(f, PUMP) == 0 && submit(f, PUMP) == 0)
			f->step = 2;
	} else if (f->step == 2 && f->n_results == 2) {
		for (int i = 0; i < 4; i++)
			assert_int_equal(submit(f, HOLD), 0);
		assert_int_equal(submit(f, DIE), 0);
		f->step = 3;
	} else if (f->step == 3 && f->n_died == 1) {
		assert_int_equal(WEXITSTATUS(f->status), 7);
		assert_true(f->n_lost >= 4);
		assert_int_equal(stats(f).jobs, 7 - f->n_lost);
		assert_int_equal(stats(f).workers, 2);
		assert_int_equal(stats(f).respawns, 1);
		/* on a slow machine nobody may be ready yet: again at the next tick */
		if (submit(f, KERNEL) == 0)
			f->step = 4;
	} else if (f->step == 4 && f->n_results == 3) {
		done(f);
	}
}

static void test_death(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "good", 2, script_death);
}

/* Each hostile worker is killed, its job lost unless it was answered before, and replaced. */
static void script_hostile(struct fixture *f)
{
	unsigned int order = FIRST_HOSTILE + (unsigned int)f->step;

	if (f->n_ready == 0 || f->n_died < (unsigned int)f->step)
		return;
	if (f->step > 0) {
		assert_true(WIFSIGNALED(f->status));
		assert_int_equal(WTERMSIG(f->status), SIGKILL);
		assert_int_equal(f->n_lost + f->n_results, f->step);
		assert_int_equal(stats(f).jobs, 0);
	}
	if (order == N_ORDERS) {
		assert_int_equal(f->n_results, 1); /* of TWICE */
		assert_int_equal(f->n_pump_ends, 0);
		done(f);
	} else if (submit(f, (enum order)order) == 0) {
		f->step++;
	}
}

static void test_hostile_workers(void **state _unused_)
{
	struct fixture f = {};

	_Static_assert(N_ORDERS - FIRST_HOSTILE <= WORKER_RESPAWN_MAX + 1,
		       "more would run into the rate limit");
	run(&f, "good", 1, script_hostile);
}

static void script_pumps(struct fixture *f)
{
	if (f->step == 0 && f->n_ready == 1) {
		assert_int_equal(submit(f, PUMP_SHORT), 0);
		f->step = 1;
	} else if (f->step == 1 && f->n_pump_ends == 1) {
		assert_int_equal(f->n_results, 1);
		assert_true(f->fd_is_ours);
		assert_int_equal(f->reason, REASON_CLOSED_BY_PEER);
		assert_int_equal(stats(f).jobs, 0);
		assert_int_equal(submit(f, PUMP), 0);
		f->step = 2;
	} else if (f->step == 2 && f->n_results == 2) {
		worker_pool_cancel(f->pool, f->next_id - 1);
		worker_pool_cancel(f->pool, f->next_id - 1);
		worker_pool_cancel(f->pool, f->next_id + 99);
		f->step = 3;
	} else if (f->step == 3 && stats(f).jobs == 0) {
		/* one whose result meets the cancel on the way, and one that waits */
		assert_int_equal(submit(f, PUMP), 0);
		worker_pool_cancel(f->pool, f->next_id - 1);
		assert_int_equal(submit(f, KERNEL), 0);
		worker_pool_cancel(f->pool, f->next_id - 1);
		assert_int_equal(submit(f, HOLD), 0);
		worker_pool_cancel(f->pool, f->next_id - 1);
		f->step = 4;
	} else if (f->step == 4 && stats(f).jobs == 0) {
		assert_int_equal(f->n_results, 2);
		assert_int_equal(f->n_pump_ends, 1);
		assert_int_equal(f->n_lost + f->n_died, 0);
		done(f);
	}
}

static void test_pumps_and_cancels(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "good", 1, script_pumps);
}

/* A worker that reads nothing gets jobs until channel and queue are full, and no more. */
static void script_stall(struct fixture *f)
{
	int r = 0;

	if (f->n_ready == 0)
		return;
	assert_int_equal(submit(f, STALL), 0);
	while (r == 0 && f->next_id < 5000)
		r = submit(f, HOLD);
	assert_int_equal(r, WORKER_E_UNAVAILABLE);
	assert_true(f->next_id > 256);
	done(f);
}

static void test_full_queue(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "good", 1, script_stall);
}

static void script_retire(struct fixture *f)
{
	if (f->step == 0 && f->n_ready == 1) {
		assert_int_equal(submit(f, PUMP), 0);
		f->step = 1;
	} else if (f->step == 1 && f->n_results == 1) {
		worker_pool_retire(f->pool);
		worker_pool_retire(f->pool);
		assert_int_equal(submit(f, REFUSE), WORKER_E_UNAVAILABLE);
		f->step = 2;
	} else if (f->step == 2 && stats(f).workers == 1) {
		/* the one without a pump has left; the other waits for its pump */
		worker_pool_cancel(f->pool, 1);
		f->step = 3;
	} else if (f->step == 3 && f->n_gone == 1) {
		assert_int_equal(f->n_pump_ends, 0);
		assert_int_equal(f->n_died + f->n_lost, 0);
		done(f);
	}
}

static void test_retire(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "good", 2, script_retire);
}

/* A pool without workers is gone before retire returns. */
static void script_retire_empty(struct fixture *f)
{
	if (f->n_ready == 0 || stats(f).workers > 0)
		return;
	worker_pool_retire(f->pool);
	assert_int_equal(f->n_gone, 1);
	done(f);
}

static void test_retire_empty(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "invalid", 2, script_retire_empty);
}

static void script_free(struct fixture *f)
{
	if (!f->pool) {
		done(f);
	} else if (f->step == 0 && f->n_ready == 1) {
		assert_int_equal(submit(f, HOLD), 0);
		assert_int_equal(submit(f, HOLD), 0);
		assert_int_equal(submit(f, DIE), 0);
		f->free_in_op = true;
		f->step = 1;
	}
}

static void test_free_inside_ops(void **state _unused_)
{
	struct fixture in_ready = { .free_in_op = true }, in_error = { .free_in_op = true };
	struct fixture in_lost = {};

	run(&in_ready, "good", 2, script_free);
	assert_int_equal(in_ready.n_ready, 1);
	run(&in_error, "invalid", 2, script_free);
	assert_int_equal(in_error.n_ready, 1);
	run(&in_lost, "good", 1, script_free);
	assert_int_equal(in_lost.n_lost, 1); /* and nothing after it */
	assert_int_equal(in_lost.n_died + in_lost.n_gone, 0);
}

static void script_certificates(struct fixture *f)
{
	if (f->n_ready == 0 || stats(f).workers < 2)
		return;
	/* both have said hello once both have a job */
	if (f->step < 2 && submit(f, HOLD) == 0)
		f->step++;
	if (f->step == 2)
		done(f);
}

static void test_certificates(void **state _unused_)
{
	struct fixture of_first = {}, of_second = {}, freed = { .free_in_op = true };

	run(&of_first, "tells", 2, script_certificates);
	assert_int_equal(of_first.n_certificates, 2);
	assert_int_equal(of_first.n_died, 0);
	run(&of_second, "tells twice", 2, script_certificates);
	assert_int_equal(of_second.n_certificates, 2);
	assert_int_equal(of_second.n_died, 1);
	assert_int_equal(WEXITSTATUS(of_second.status), 8);
	run(&freed, "tells", 2, script_free);
	assert_int_equal(freed.n_certificates, 1); /* and nothing after it */
	assert_int_equal(freed.n_ready, 0);
}

static struct revocation_board *board_make(struct fixture *f, size_t i, uint32_t number)
{
	f->boards[i] = (struct revocation_board){ memfd_create("board", MFD_CLOEXEC), 1 };
	assert_true(f->boards[i].fd >= 0);
	assert_int_equal(write(f->boards[i].fd, &number, sizeof(number)), sizeof(number));
	return &f->boards[i];
}

/* The board is there before each job: of running workers, of one that is started later. */
static void script_boards(struct fixture *f)
{
	if (f->step == 0) {
		worker_pool_board(f->pool, board_make(f, 0, 41)); /* nobody has said hello */
		f->step = 1;
	} else if (f->step == 1 && f->n_ready == 1 && submit(f, TELL_BOARD) == 0) {
		f->step = 2;
	} else if (f->step == 2 && f->n_results == 1) {
		assert_int_equal(f->identity, 41);
		worker_pool_board(f->pool, board_make(f, 1, 42));
		assert_int_equal(f->boards[0].refs, 1);
		assert_int_equal(f->boards[1].refs, 2);
		assert_int_equal(submit(f, TELL_BOARD), 0);
		f->step = 3;
	} else if (f->step == 3 && f->n_results == 2) {
		assert_int_equal(f->identity, 42);
		assert_int_equal(submit(f, DIE), 0);
		f->step = 4;
	} else if (f->step == 4 && f->n_died == 1 && submit(f, TELL_BOARD) == 0) {
		f->step = 5;
	} else if (f->step == 5 && f->n_results == 3) {
		assert_int_equal(f->identity, 42);
		done(f);
	}
}

static void test_boards(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "good", 1, script_boards);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f.boards[i].refs, 1); /* ours */
		fd_close(f.boards[i].fd);
	}
}

static bool is_worker(void)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_SEQPACKET;
}

int main(int argc, char **argv _unused_)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_invalid_configuration),
		cmocka_unit_test(test_never_ready),
		cmocka_unit_test(test_no_executable),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_hostile_workers),
		cmocka_unit_test(test_pumps_and_cancels),
		cmocka_unit_test(test_full_queue),
		cmocka_unit_test(test_retire),
		cmocka_unit_test(test_retire_empty),
		cmocka_unit_test(test_free_inside_ops),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_boards),
	};
	sigset_t child;

	if (argc == 1 && is_worker())
		return worker_main();
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_BLOCK, &child, NULL), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
