/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A handshake process: started by siptlsd with a channel and a snapshot of the configuration, it
 * ends when the channel closes. Everything it does is in daemon/worker/serve.c.
 */

#include <signal.h>
#include <siptls/sandbox.h>
#include <siptls/version.h>
#include <siptls/worker.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static bool has_descriptors(void)
{
	struct stat st;
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_SEQPACKET && fstat(CHANNEL_FD_EXTRA, &st) == 0 && S_ISREG(st.st_mode);
}

static int detach(void)
{
	/* The end is the channel's: a signal to the whole group or unit must not cut pumped
	 * sessions off before the daemon has drained them. */
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			return -errno;
	/* A worker that is caught in a loop does not see its channel close. The daemon starts
	 * workers from its main thread, so the parent's death is the daemon's. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (close_range(CHANNEL_FD_EXTRA + 1, ~0U, 0) < 0)
		return -errno;
	return sandbox_protect_memory();
}

int main(int argc, char **argv)
{
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("siptls-handshake %s\n", SIPTLS_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc != 1 || !has_descriptors()) {
		fprintf(stderr, "siptls-handshake is started by siptlsd, not by hand\n");
		return 2;
	}
	r = detach();
	if (r >= 0)
		r = worker_serve(CHANNEL_FD, CHANNEL_FD_EXTRA);
	if (r < 0) {
		fprintf(stderr, "siptls-handshake: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
