/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The process that gets what others publish: started by siptlsd with a channel, it ends when the
 * channel closes. Everything it does is in daemon/fetch/serve.c.
 */

#include <siptls/channel.h>
#include <siptls/fetch.h>
#include <siptls/sandbox.h>
#include <siptls/version.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("siptls-fetch %s\n", SIPTLS_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc != 1 || !channel_is_given()) {
		fprintf(stderr, "siptls-fetch is started by siptlsd, not by hand\n");
		return 2;
	}
	r = channel_detach(/* extra= */ false);
	if (r >= 0)
		r = sandbox_protect_memory();
	if (r >= 0)
		r = fetch_serve(CHANNEL_FD);
	if (r < 0) {
		fprintf(stderr, "siptls-fetch: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
