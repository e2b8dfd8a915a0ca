/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Fork and execute a process of ours. posix_spawn() does not copy the daemon's page tables, and a
 * new image means a new address space layout and nothing of the daemon's memory in the process that
 * reads strangers' bytes.
 */

#include <siptls/channel.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* A copy above the fixed numbers, so that putting one in place cannot overwrite the other. */
static int fd_raise(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, CHANNEL_FD_EXTRA + 1);

	return copy < 0 ? -errno : copy;
}

static int spawn_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	r = posix_spawnattr_setsigmask(attr, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attr, &all);
	if (r == 0)
		r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return -r;
}

static int spawn_run(const char *executable, int channel, int extra,
		     posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr, pid_t *ret_pid)
{
	/* Neither writes through argv; the interface is older than const. */
	char *argv[] = { (char *)(uintptr_t)executable, NULL };
	/* The environment tells of sockets (NOTIFY_SOCKET) and files that are not its own. */
	char *environment[] = { NULL };
	int r;

	r = posix_spawn_file_actions_adddup2(actions, channel, CHANNEL_FD);
	if (r == 0 && extra >= 0)
		r = posix_spawn_file_actions_adddup2(actions, extra, CHANNEL_FD_EXTRA);
	if (r == 0)
		r = -spawn_attributes(attr);
	if (r == 0)
		r = posix_spawn(ret_pid, executable, actions, attr, argv, environment);
	return -r;
}

int channel_spawn(const char *executable, int extra_fd, int *ret_channel, pid_t *ret_pid)
{
	_cleanup_fd_ int ours = -1, theirs = -1, raised = -1, extra = -1;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int pair[2], r;

	r = channel_pair(pair);
	if (r < 0)
		return r;
	ours = pair[0];
	theirs = pair[1];
	raised = fd_raise(theirs);
	if (raised < 0)
		return raised;
	if (extra_fd >= 0) {
		extra = fd_raise(extra_fd);
		if (extra < 0)
			return extra;
	}
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r == 0) {
		r = -spawn_run(executable, raised, extra, &actions, &attr, ret_pid);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	if (r == 0)
		*ret_channel = steal_fd(&ours);
	return -r;
}

/* ---- the other side ---- */

bool channel_is_given(void)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_SEQPACKET;
}

int channel_detach(bool extra)
{
	/* A signal to the whole group or unit is the daemon's matter, which may need answers and
	 * pumped sessions until it is done. */
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			return -errno;
	/* A process that is caught in a loop does not see its channel close. The daemon starts it
	 * from its main thread, so the parent's death is the daemon's. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return close_range((extra ? CHANNEL_FD_EXTRA : CHANNEL_FD) + 1, ~0U, 0) < 0 ? -errno : 0;
}
