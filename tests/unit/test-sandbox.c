/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a process in the sandbox can do and what not, each tried in a child of its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <siptls/sandbox.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

/* A folder that the fetch process may write into, one that it may read, one that it may not. */
static char mine[] = "/tmp/siptls-mine-XXXXXX", listed[] = "/tmp/siptls-read-XXXXXX",
	    other[] = "/tmp/siptls-other-XXXXXX";

static int enter_fetch(void)
{
	static const char *const read[] = { "/no/such/file",	listed,
					    "/etc/passwd",	"/etc/hosts",
					    "/etc/resolv.conf", "/etc/nsswitch.conf",
					    "/proc/self/exe" };

	return sandbox_enter_fetch(mine, read, ARRAY_SIZE(read));
}

static int enter_fetch_without_folder(void)
{
	return sandbox_enter_fetch(NULL, NULL, 0);
}

/* Status of a child that enters a sandbox and returns what @fn returns. */
static int in(int (*enter)(void), int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (enter() < 0)
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int in_sandbox(int (*fn)(void))
{
	return in(sandbox_enter_handshake, fn);
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
	status = in(enter_fetch, die);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* ---- the fetch process ---- */

static int try_socket_netlink(void)
{
	return refused(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) < 0);
}

static int try_socket_packet(void)
{
	return refused(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) < 0);
}

/* A service of this host, as the control socket is one. */
static int unix_listener = -1;

static int connect_to_service(int fd)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);

	return getsockname(unix_listener, (struct sockaddr *)&addr, &len) < 0
		       ? 0
		       : connect(fd, (struct sockaddr *)&addr, len);
}

static int try_connect_unix(void)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return refused(true);
	return connect_to_service(fd) < 0 ? 2 : 1;
}

static int try_socket_unix_datagram(void)
{
	return refused(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0);
}

static int try_socketpair_datagram(void)
{
	int fds[2];

	return refused(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds) < 0);
}

/* What a pair is for is not to be changed. */
static int try_reconnect_pair(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 1;
	fd_close(fds[1]);
	return connect_to_service(fds[0]) < 0 && errno == EISCONN ? 0 : 2;
}

static int try_listen(void)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? 1 : refused(listen(fd, 1) < 0);
}

static int try_execute_memory_later(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 1 : refused(mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0);
}

static int try_load(void)
{
	_cleanup_fd_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? 1
		      : refused(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) ==
				MAP_FAILED);
}

static int try_limits(void)
{
	struct rlimit limit = { 1, 1 };

	return refused(setrlimit(RLIMIT_NOFILE, &limit) < 0);
}

static int try_chmod(void)
{
	return refused(chmod(mine, 0777) < 0);
}

static int try_namespace(void)
{
	return refused(unshare(CLONE_NEWUSER) < 0);
}

/* What only Landlock refuses. */
static int create_in(const char *folder)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", folder);
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static int try_write_elsewhere(void)
{
	return refused(create_in(other) < 0);
}

static int try_write_nowhere(void)
{
	return refused(create_in(mine) < 0);
}

static int try_rename_out(void)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), "%s/kept", mine);
	snprintf(to, sizeof(to), "%s/kept", other);
	/* moving between folders is refused as if they were on two file systems */
	return rename(from, to) < 0 && (errno == EXDEV || errno == EACCES) ? 0 : 1;
}

static int try_link(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/link", mine);
	return refused(symlink("/etc", path) < 0);
}

static void *thread(void *userdata)
{
	*(bool *)userdata = true;
	return NULL;
}

/* A connection to ourselves; listening is the test's. */
static int listener = -1;

static int connect_to_test(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return getsockname(listener, (struct sockaddr *)&addr, &len) < 0 ||
	       connect(fd, (struct sockaddr *)&addr, len) < 0 || send(fd, "x", 1, 0) != 1;
}

static int keep_file(void)
{
	char path[128], name[128];
	_cleanup_fd_ int fd = create_in(mine);

	snprintf(path, sizeof(path), "%s/file", mine);
	snprintf(name, sizeof(name), "%s/name", mine);
	return fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) < 0 || rename(path, name) < 0 ||
	       unlink(name) < 0;
}

static int fetch_work(void)
{
	_cleanup_fd_ int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC), memory = -1, watch = -1;
	struct addrinfo *found = NULL;
	pthread_t id;
	bool ran = false;
	struct stat st;

	if (work() != 0)
		return 1;
	if (file < 0 || fstat(file, &st) < 0)
		return 2;
	if (pthread_create(&id, NULL, thread, &ran) != 0 || pthread_join(id, NULL) != 0 || !ran)
		return 3;
	if (connect_to_test() != 0)
		return 4;
	if (keep_file() != 0)
		return 5;
	memory = memfd_create("board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0 || ftruncate(memory, 4096) < 0 ||
	    fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		return 6;
	watch = inotify_init1(IN_CLOEXEC);
	if (watch < 0 || inotify_add_watch(watch, mine, IN_MOVED_TO) < 0)
		return 7;
	if (getaddrinfo("localhost", "80", NULL, &found) != 0)
		return 8;
	freeaddrinfo(found);
	return 0;
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static void test_fetch_refusals(void **state _unused_)
{
	static int (*const attempts[])(void) = { try_socket_netlink,
						 try_socket_packet,
						 try_socketpair_netlink,
						 try_connect_unix,
						 try_socket_unix_datagram,
						 try_socketpair_datagram,
						 try_reconnect_pair,
						 try_listen,
						 try_fork,
						 try_executable_memory,
						 try_execute_memory_later,
						 try_load,
						 try_signal_parent,
						 try_limits,
						 try_chmod,
						 try_namespace,
						 try_link };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int status, fd;

	if (!SANDBOX_AVAILABLE)
		skip();
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", mine);
	unix_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(unix_listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(unix_listener, 4), 0);
	/* it answers outside */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect_to_service(fd), 0);
	fd_close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		status = in(enter_fetch, attempts[i]);
		if (status != 0)
			fail_msg("attempt %zu: %x", i, status);
	}
	unix_listener = fd_close(unix_listener);
	assert_int_equal(unlink(addr.sun_path), 0);
	status = in(enter_fetch, try_execute);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void test_fetch_writes(void **state _unused_)
{
	char path[128];
	int fd;

	if (!SANDBOX_AVAILABLE || !has_landlock())
		skip();
	snprintf(path, sizeof(path), "%s/kept", mine);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	fd_close(fd);
	assert_int_equal(in(enter_fetch, try_write_elsewhere), 0);
	assert_int_equal(in(enter_fetch, try_rename_out), 0);
	assert_int_equal(in(enter_fetch_without_folder, try_write_nowhere), 0);
	assert_int_equal(unlink(path), 0);
}

static int open_in(const char *in, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", in, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static int read_what_is_listed(void)
{
	_cleanup_fd_ int file = open_in(listed, "deep/file", O_RDONLY), folder = -1, kept = -1;
	_cleanup_fd_ int passwd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	char byte;

	if (file < 0 || read(file, &byte, 1) != 1 || passwd < 0 || read(passwd, &byte, 1) != 1)
		return 1;
	folder = open_in(listed, "deep", O_RDONLY | O_DIRECTORY);
	kept = open_in(mine, ".", O_RDONLY | O_DIRECTORY);
	return folder < 0 || kept < 0 ? 2 : 0;
}

static int try_read_beside(void)
{
	return refused(open_in(other, "key", O_RDONLY) < 0);
}

static int try_read_through_link(void)
{
	return refused(open_in(listed, "link", O_RDONLY) < 0);
}

static int try_list_beside(void)
{
	return refused(open_in(other, ".", O_RDONLY | O_DIRECTORY) < 0);
}

static int try_list_above(void)
{
	return refused(open_in(listed, "..", O_RDONLY | O_DIRECTORY) < 0);
}

/* A file alone is listed there. */
static int try_read_same_folder(void)
{
	return refused(open("/etc/group", O_RDONLY | O_CLOEXEC) < 0);
}

static int try_write_listed(void)
{
	return refused(open_in(listed, "deep/file", O_RDWR) < 0);
}

static void test_fetch_reads(void **state _unused_)
{
	static int (*const attempts[])(void) = { read_what_is_listed,	try_read_beside,
						 try_read_through_link, try_list_beside,
						 try_list_above,	try_read_same_folder,
						 try_write_listed };
	char deep[128], file[160], link[128], key[128];
	int fd;

	if (!SANDBOX_AVAILABLE || !has_landlock())
		skip();
	snprintf(deep, sizeof(deep), "%s/deep", listed);
	snprintf(file, sizeof(file), "%s/file", deep);
	snprintf(link, sizeof(link), "%s/link", listed);
	snprintf(key, sizeof(key), "%s/key", other);
	assert_int_equal(mkdir(deep, 0700), 0);
	assert_int_equal(symlink(key, link), 0);
	for (size_t i = 0; i < 2; i++) {
		fd = open(i == 0 ? file : key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, "x", 1), 1);
		fd_close(fd);
	}
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int status = in(enter_fetch, attempts[i]);

		if (status != 0)
			fail_msg("attempt %zu: %x", i, status);
	}
	assert_true(unlink(key) == 0 && unlink(link) == 0 && unlink(file) == 0 && rmdir(deep) == 0);
}

static void test_fetch_work_goes_on(void **state _unused_)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(in(enter_fetch, fetch_work), 0);
	listener = fd_close(listener);
}

static void test_fetch_without_its_folder(void **state _unused_)
{
	if (!SANDBOX_AVAILABLE || !has_landlock())
		skip();
	assert_int_equal(sandbox_enter_fetch("/no/such/folder", NULL, 0), -ENOENT);
}

static int make_folders(void **state _unused_)
{
	return mkdtemp(mine) && mkdtemp(listed) && mkdtemp(other) ? 0 : -1;
}

static int remove_folders(void **state _unused_)
{
	return rmdir(mine) == 0 && rmdir(listed) == 0 && rmdir(other) == 0 ? 0 : -1;
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
		cmocka_unit_test(test_fetch_refusals),
		cmocka_unit_test(test_fetch_writes),
		cmocka_unit_test(test_fetch_reads),
		cmocka_unit_test(test_fetch_work_goes_on),
		cmocka_unit_test(test_fetch_without_its_folder),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
