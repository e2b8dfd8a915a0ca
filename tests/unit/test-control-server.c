/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The control socket itself: real clients in a thread, the server in a loop of its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <siptls/control.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "fake-sessions.h"

static const char ping[] = "{\"method\":\"org.varlink.service.GetInfo\"}";

struct fixture {
	char directory[32], path[64];
	struct sessions *sessions;
	struct loop *loop;
	struct control *control;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->directory, sizeof(f->directory), "/tmp/test-control.XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/control", f->directory);
	f->sessions = calloc(1, sizeof(*f->sessions));
	*state = f;
	return f->sessions && loop_new(&f->loop) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	control_free(f->control);
	loop_free(f->loop);
	(void)unlink(f->path);
	(void)rmdir(f->directory);
	free(f->sessions);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	assert_int_equal(control_new(f->loop, f->sessions, f->path, NULL, &f->control), 0);
}

/* ---- clients: what they find is told as text, asserted on the main thread ---- */

struct client_run {
	const struct fixture *f;
	const char *(*fn)(const struct fixture *f); /* NULL: as it should be */
	int done;				    /* eventfd */
	const char *complaint;
};

static void *client_thread(void *userdata)
{
	struct client_run *run = userdata;
	const uint64_t one = 1;

	run->complaint = run->fn(run->f);
	return write(run->done, &one, sizeof(one)) == sizeof(one) ? NULL : run;
}

static int on_done(void *userdata, int fd _unused_, unsigned int events _unused_)
{
	loop_exit(userdata, 0);
	return 0;
}

static void run_client(struct fixture *f, const char *(*fn)(const struct fixture *f))
{
	struct client_run run = { .f = f, .fn = fn, .done = eventfd(0, EFD_CLOEXEC) };
	struct loop_source *source = NULL;
	pthread_t thread;

	assert_true(run.done >= 0);
	assert_int_equal(loop_io_add(f->loop, run.done, LOOP_READ, on_done, f->loop, &source), 0);
	assert_int_equal(pthread_create(&thread, NULL, client_thread, &run), 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	loop_source_free(source);
	close(run.done);
	if (run.complaint)
		fail_msg("%s", run.complaint);
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, f->path, strlen(f->path));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return fd_close(fd);
	return fd;
}

/* Bytes until and with the next NUL; 0: the server has closed, -1: nothing came. */
static ssize_t receive(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = recv(fd, buf + len, 1, 0);

		if (n <= 0)
			return n;
		if (buf[len++] == '\0')
			return (ssize_t)len;
	}
	return -1;
}

static bool answers(int fd)
{
	char buf[4096];

	return send(fd, ping, sizeof(ping), MSG_NOSIGNAL) == sizeof(ping) &&
	       receive(fd, buf, sizeof(buf)) > 0 && strstr(buf, "siptlsd");
}

static bool dropped(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static const char *client_simple(const struct fixture *f)
{
	_cleanup_fd_ int fd = dial(f);

	if (!answers(fd) || !answers(fd))
		return "no answer";
	return NULL;
}

static void test_simple(void **state)
{
	start(*state);
	run_client(*state, client_simple);
}

/* As `printf ... | nc -U` does: everything sent, then half closed, then read. */
static const char *client_half_closed(const struct fixture *f)
{
	_cleanup_fd_ int fd = dial(f);
	char buf[4096];

	for (int i = 0; i < 3; i++)
		(void)send(fd, ping, sizeof(ping), MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 3; i++) {
		if (receive(fd, buf, sizeof(buf)) <= 0)
			return "an answer is missing";
	}
	return receive(fd, buf, sizeof(buf)) == 0 ? NULL : "the server does not close";
}

static void test_half_closed(void **state)
{
	start(*state);
	run_client(*state, client_half_closed);
}

static const char *client_garbage(const struct fixture *f)
{
	static const char http[] = "GET / HTTP/1.1\r\n\r\n";
	char big[CONTROL_REQUEST_MAX + 4096];
	_cleanup_fd_ int a = dial(f), b = dial(f), c = dial(f);

	(void)send(a, http, sizeof(http), MSG_NOSIGNAL);
	if (!dropped(a))
		return "garbage is not the end";
	memset(big, ' ', sizeof(big));
	(void)send(b, big, sizeof(big), MSG_NOSIGNAL);
	if (!dropped(b))
		return "a request without an end is not the end";
	return answers(c) ? NULL : "the others are disturbed";
}

static void test_garbage(void **state)
{
	start(*state);
	run_client(*state, client_garbage);
}

/* A client that asks for more than it reads is gone after the deadline; the others never notice. */
static const char *client_slow(const struct fixture *f)
{
	static const char list[] = "{\"method\":\"org.siptls.ListSessions\",\"more\":true}";
	_cleanup_fd_ int slow = dial(f), other = dial(f);
	const int small = 4096;
	uint64_t since = time_monotonic_ms();
	struct pollfd end = { .fd = slow, .events = 0 };

	(void)setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	(void)send(slow, list, sizeof(list), MSG_NOSIGNAL);
	while (!(end.revents & POLLHUP) && time_monotonic_ms() - since < 20000) {
		if (!answers(other))
			return "the others are disturbed";
		(void)poll(&end, 1, 500);
	}
	return end.revents & POLLHUP ? NULL : "a client that does not read is kept";
}

static void test_slow(void **state)
{
	struct fixture *f = *state;

	for (uint64_t id = 1; id <= 5000; id++)
		(void)fake_add(f->sessions, id);
	start(f);
	run_client(f, client_slow);
}

static const char *client_stream(const struct fixture *f)
{
	static const char list[] = "{\"method\":\"org.siptls.ListSessions\",\"more\":true}";
	static char buf[256 * 1024];
	_cleanup_fd_ int fd = dial(f);
	unsigned int n = 0;

	(void)send(fd, list, sizeof(list), MSG_NOSIGNAL);
	do {
		if (receive(fd, buf, sizeof(buf)) <= 0)
			return "the stream ends early";
		for (const char *p = buf; (p = strstr(p, "{\"id\":")); p++)
			n++;
	} while (strstr(buf, "\"continues\":true"));
	return n == 1000 && answers(fd) ? NULL : "sessions are missing";
}

static void test_stream(void **state)
{
	struct fixture *f = *state;

	for (uint64_t id = 1; id <= 1000; id++)
		(void)fake_add(f->sessions, id);
	start(f);
	run_client(f, client_stream);
}

/* More clients than places: the longest silent makes room, and memory stays bounded. */
static const char *client_crowd(const struct fixture *f)
{
	int fds[CONTROL_CLIENTS_MAX + 1];
	const char *complaint = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial(f);
	if (!answers(fds[CONTROL_CLIENTS_MAX]) || !answers(fds[1]))
		complaint = "a new client finds no room";
	else if (!dropped(fds[0]))
		complaint = "the longest silent client was kept";
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fd_close(fds[i]);
	return complaint;
}

static void test_crowd(void **state)
{
	start(*state);
	run_client(*state, client_crowd);
}

/* Gone while its reload is under way: the callback is called off before the client is freed. */
static const char *client_reload_gone(const struct fixture *f)
{
	static const char reload[] = "{\"method\":\"org.siptls.Reload\"}";
	_cleanup_fd_ int other = dial(f);
	int fd = dial(f);

	(void)send(fd, reload, sizeof(reload), MSG_NOSIGNAL);
	if (!answers(other))
		return "a reload stops the others";
	(void)fd_close(fd);
	return answers(other) && answers(other) ? NULL : "no answer";
}

static void test_reload_gone(void **state)
{
	struct fixture *f = *state;

	f->sessions->reload_later = true;
	start(f);
	run_client(f, client_reload_gone);
	assert_int_equal(f->sessions->reloads, 1);
	assert_int_equal(f->sessions->forgotten, 1);
}

/* Gone while the answers to a probe and to a preview are under way. */
static const char *client_questions_gone(const struct fixture *f)
{
	static const char probe[] = "{\"method\":\"org.siptls.Probe\",\"parameters\":{\"peer\":"
				    "\"pool2.example.org\"}}";
	static const char preview[] = "{\"method\":\"org.siptls.Preview\",\"parameters\":{\"crl\":"
				      "\"/x\"},\"more\":true}";
	_cleanup_fd_ int other = dial(f);
	int fd = dial(f);

	(void)send(fd, probe, sizeof(probe), MSG_NOSIGNAL);
	if (!answers(other))
		return "a probe stops the others";
	(void)fd_close(fd);
	if (!answers(other) || !answers(other))
		return "no answer";
	fd = dial(f);
	(void)send(fd, preview, sizeof(preview), MSG_NOSIGNAL);
	if (!answers(other))
		return "a preview stops the others";
	(void)fd_close(fd);
	return answers(other) && answers(other) ? NULL : "no answer";
}

static void test_questions_gone(void **state)
{
	struct fixture *f = *state;

	f->sessions->ask_later = true;
	start(f);
	run_client(f, client_questions_gone);
	assert_int_equal(f->sessions->forgotten, 2);
	assert_null(f->sessions->ask_userdata);
}

/* ---- the file ---- */

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode : 0;
}

static void test_file(void **state)
{
	struct fixture *f = *state;
	const struct group *group = getgrgid(getegid());

	start(f);
	assert_int_equal(mode_of(f->path), S_IFSOCK | 0600);
	f->control = control_free(f->control);
	assert_int_equal(mode_of(f->path), 0);
	assert_non_null(group);
	assert_int_equal(control_new(f->loop, f->sessions, f->path, group->gr_name, &f->control),
			 0);
	assert_int_equal(mode_of(f->path), S_IFSOCK | 0660);
}

static void test_file_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct control *second = NULL;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	/* A file that is no socket is left alone. */
	fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(control_new(f->loop, f->sessions, f->path, NULL, &second), -EEXIST);
	assert_int_equal(mode_of(f->path), S_IFREG | 0600);
	assert_int_equal(unlink(f->path), 0);

	/* A socket that was left behind is replaced. */
	memcpy(address.sun_path, f->path, strlen(f->path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	start(f);

	/* One that is in use is not, and stays in use. */
	assert_int_equal(control_new(f->loop, f->sessions, f->path, NULL, &second), -EADDRINUSE);
	run_client(f, client_simple);

	/* A file that is not ours any more is not removed. */
	assert_int_equal(unlink(f->path), 0);
	fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	f->control = control_free(f->control);
	assert_int_equal(mode_of(f->path), S_IFREG | 0600);
}

static void test_bad_arguments(void **state)
{
	struct fixture *f = *state;
	struct control *control = NULL;
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_new(f->loop, f->sessions, path, NULL, &control), -ENAMETOOLONG);
	assert_int_equal(control_new(f->loop, f->sessions, f->path, "no-such-group", &control),
			 -ESRCH);
	assert_int_equal(mode_of(f->path), 0);
	assert_null(control_free(NULL));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_simple),	  TEST(test_half_closed),
		TEST(test_garbage),	  TEST(test_slow),
		TEST(test_stream),	  TEST(test_crowd),
		TEST(test_reload_gone),	  TEST(test_questions_gone),
		TEST(test_file),	  TEST(test_file_in_the_way),
		TEST(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
