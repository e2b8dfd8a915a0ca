/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a process in the sandbox can do and what not, each tried in a child of its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <siptls/sandbox.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

/* Status of a child that enters the sandbox and returns what @fn returns. */
static int in_sandbox(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (sandbox_enter_handshake() < 0)
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* 0: refused. */
static int refused(bool failed)
{
	return failed && (errno == EPERM || errno == EACCES) ? 0 : 1;
}

static int try_open(void)
{
	return refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0);
}

static int try_create(void)
{
	return refused(open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) < 0);
}

static int try_socket(void)
{
	return refused(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0);
}

static int try_socketpair_netlink(void)
{
	int fds[2];

	return refused(socketpair(AF_NETLINK, SOCK_RAW, 0, fds) < 0);
}

static int try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return refused(pid < 0);
}

static int try_executable_memory(void)
{
	return refused(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0) == MAP_FAILED);
}

static int try_signal_parent(void)
{
	return refused(kill(getppid(), 0) < 0);
}

static int try_execute(void)
{
	char *const nothing[] = { NULL };

	execve("/bin/true", nothing, nothing);
	return 1;
}

static int work(void)
{
	struct itimerspec soon = { .it_value = { .tv_nsec = 1 } };
	_cleanup_fd_ int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	_cleanup_free_ char *memory = malloc(1 << 20);
	uint64_t expired;
	int fds[2];

	if (!memory || timer < 0 || timerfd_settime(timer, 0, &soon, NULL) < 0 ||
	    read(timer, &expired, sizeof(expired)) != sizeof(expired))
		return 1;
	memset(memory, 1, 1 << 20);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ||
	    send(fds[0], "x", 1, 0) != 1 || recv(fds[1], memory, 1, 0) != 1 ||
	    shutdown(fds[0], SHUT_WR) < 0 || recv(fds[1], memory, 1, 0) != 0)
		return 2;
	return fcntl(fds[0], F_DUPFD_CLOEXEC, 10) >= 10 ? 0 : 3;
}

static int die(void)
{
	abort();
}

static void test_refusals(void **state _unused_)
{
	static int (*const attempts[])(void) = { try_open,	   try_create,
						 try_socket,	   try_socketpair_netlink,
						 try_fork,	   try_executable_memory,
						 try_signal_parent };

	if (!SANDBOX_AVAILABLE)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		assert_int_equal(in_sandbox(attempts[i]), 0);
}

static void test_execution_is_fatal(void **state _unused_)
{
	int status;

	if (!SANDBOX_AVAILABLE)
		skip();
	status = in_sandbox(try_execute);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void test_work_goes_on(void **state _unused_)
{
	assert_int_equal(in_sandbox(work), 0);
}

static void test_abort_ends(void **state _unused_)
{
	int status = in_sandbox(die);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static int protected_memory(void)
{
	struct rlimit core;

	if (sandbox_protect_memory() < 0 || getrlimit(RLIMIT_CORE, &core) < 0)
		return 1;
	if (core.rlim_max != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	return prctl(PR_GET_DUMPABLE) == !SANDBOX_AVAILABLE ? 0 : 3;
}

static void test_memory_is_protected(void **state _unused_)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(protected_memory());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_execution_is_fatal),
		cmocka_unit_test(test_work_goes_on),
		cmocka_unit_test(test_abort_ends),
		cmocka_unit_test(test_memory_is_protected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
