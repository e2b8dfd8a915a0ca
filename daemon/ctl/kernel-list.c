/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's list of TLS sockets, by running siptls-kmod, which is the program that asks it. */

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "join.h"
#include "options.h"

#define LIST_SIZE_MAX (64 * 1024 * 1024)

extern char **environ;

/* Beside ourselves, so that a build tree and an installation each find their own; "" if not. */
static void find_beside(char *ret, size_t size)
{
	static const char name[] = "siptls-kmod";
	ssize_t n = readlink("/proc/self/exe", ret, size);
	char *slash;

	if (n <= 0 || (size_t)n >= size) {
		ret[0] = '\0';
		return;
	}
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	if (!slash || (size_t)(slash + 1 - ret) + sizeof(name) > size) {
		ret[0] = '\0';
		return;
	}
	memcpy(slash + 1, name, sizeof(name));
	if (access(ret, X_OK) < 0)
		ret[0] = '\0';
}

/* 0 with *ret_fd to read its standard output from, CTL_FAILED or -errno. */
static int run(pid_t *ret_pid, int *ret_fd)
{
	char *const argv[] = { (char[]){ "siptls-kmod" }, (char[]){ "sockets" },
			       (char[]){ "--json" }, NULL };
	posix_spawn_file_actions_t actions;
	char path[PATH_MAX];
	int pipes[2], r;

	find_beside(path, sizeof(path));
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	r = posix_spawn_file_actions_init(&actions);
	if (r == 0) {
		r = posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
		if (r == 0)
			r = posix_spawnp(ret_pid, path[0] ? path : argv[0], &actions, NULL, argv,
					 environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	fd_close(pipes[1]);
	if (r == 0) {
		*ret_fd = pipes[0];
		return 0;
	}
	fd_close(pipes[0]);
	if (r != ENOENT)
		return -r;
	ctl_complain("siptls-kmod is neither beside siptlsctl nor in PATH: --verify needs it");
	return CTL_FAILED;
}

static int read_all(int fd, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len = 0, size = 0;

	for (;;) {
		ssize_t n;

		if (len == size) {
			char *bigger =
				size < LIST_SIZE_MAX ? realloc(bytes, size * 2 + 65536) : NULL;

			if (!bigger)
				return -ENOMEM;
			bytes = bigger;
			size = size * 2 + 65536;
		}
		n = read(fd, bytes + len, size - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret = steal_ptr(bytes);
	*ret_len = len;
	return 0;
}

static int list_parse(const char *bytes, size_t len, json_t **ret)
{
	_cleanup_json_ json_t *document = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *sockets = json_object_get(document, "sockets");

	if (!json_is_array(sockets)) {
		ctl_complain("siptls-kmod did not list the kernel's sockets");
		return CTL_FAILED;
	}
	if (!json_is_true(json_object_get(document, "details"))) {
		ctl_complain("the kernel does not show which sockets have TLS, so nothing can be "
			     "verified: kernels up to Linux 6.12 show it to CAP_NET_ADMIN only, "
			     "run as root");
		return CTL_FAILED;
	}
	*ret = json_incref(sockets);
	return 0;
}

int ctl_kernel_sockets(json_t **ret)
{
	_cleanup_free_ char *bytes = NULL;
	_cleanup_fd_ int fd = -1;
	size_t len = 0;
	pid_t pid;
	int status, r = run(&pid, &fd);

	if (r != 0)
		return r;
	r = read_all(fd, &bytes, &len);
	fd = fd_close(fd); /* so that it ends, if we read no further */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : list_parse(bytes, len, ret);
}
