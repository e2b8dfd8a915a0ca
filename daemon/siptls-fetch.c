/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The process that gets what others publish: started by siptlsd with a channel, it ends when the
 * channel closes. Everything it does is in daemon/fetch/serve.c.
 */

#include <signal.h>
#include <siptls/channel.h>
#include <siptls/fetch.h>
#include <siptls/sandbox.h>
#include <siptls/version.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static bool has_channel(void)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_SEQPACKET;
}

static int detach(void)
{
	/* The end is the channel's: a signal to the whole group or unit is the daemon's matter,
	 * which may need answers until it is done. */
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			return -errno;
	/* A process that is caught in a loop does not see its channel close. The daemon starts it
	 * from its main thread, so the parent's death is the daemon's. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (close_range(CHANNEL_FD + 1, ~0U, 0) < 0)
		return -errno;
	return sandbox_protect_memory();
}

int main(int argc, char **argv)
{
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("siptls-fetch %s\n", SIPTLS_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc != 1 || !has_channel()) {
		fprintf(stderr, "siptls-fetch is started by siptlsd, not by hand\n");
		return 2;
	}
	r = detach();
	if (r >= 0)
		r = fetch_serve(CHANNEL_FD);
	if (r < 0) {
		fprintf(stderr, "siptls-fetch: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
