/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A handshake process: started by siptlsd with a channel and a snapshot of the configuration, it
 * ends when the channel closes. Everything it does is in daemon/worker/serve.c.
 */

#include <siptls/channel.h>
#include <siptls/sandbox.h>
#include <siptls/version.h>
#include <siptls/worker.h>
#include <stdio.h>
#include <sys/stat.h>

static bool has_descriptors(void)
{
	struct stat st;

	return channel_is_given() && fstat(CHANNEL_FD_EXTRA, &st) == 0 && S_ISREG(st.st_mode);
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
	r = channel_detach(/* extra= */ true);
	if (r >= 0)
		r = sandbox_protect_memory();
	if (r >= 0)
		r = worker_serve(CHANNEL_FD, CHANNEL_FD_EXTRA);
	if (r < 0) {
		fprintf(stderr, "siptls-handshake: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
