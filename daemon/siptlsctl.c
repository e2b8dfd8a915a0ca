/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * siptlsctl - look at a running siptlsd and operate it. The table of commands; each is a function
 * of the ctl module.
 */

#include <getopt.h>
#include <siptls/control.h>
#include <siptls/ctl.h>
#include <siptls/version.h>
#include <stdio.h>

static const struct {
	const char *name, *arguments, *help;
	ctl_command_fn run;
} commands[] = {
	{ "summary", "", "the daemon as a whole (without a command, too)", ctl_summary },
	{ "sessions", "[--peer NAME] [--verify] [LIST]",
	  "live sessions; --verify: compared with the kernel's sockets", ctl_sessions },
	{ "show", "ID", "everything about one session", ctl_show },
	{ "close", "ID...", "end sessions", ctl_close },
	{ "lookup", "ADDRESS:PORT", "who is behind this connection of the SIP server", ctl_lookup },
	{ "refusals", "[--peer NAME] [LIST]",
	  "the last connections refused, and sessions ended for a reason", ctl_refusals },
	{ "explain",
	  "ID\n"
	  "  explain --chain FILE... --as-peer NAME --direction in|out [--config FILE] [--at TIME]",
	  "why a session or refusal was judged so, rule by rule; --chain: of files, without "
	  "siptlsd",
	  ctl_explain },
	{ "peers", "[LIST]", "the topology's entries with their figures", ctl_peers },
	{ "topology", "[NAME | LIST]", "the topology's entries with their policy", ctl_topology },
	{ "probe", "PEER", "dial a peer now and tell whether it would be admitted", ctl_probe },
	{ "revocation", "[--refresh] [LIST]", "revocation lists and where they come from",
	  ctl_revocation },
	{ "certificates", "[LIST]", "this server's certificates and the anchors, with time left",
	  ctl_certificates },
	{ "reload", "[--dry-run [LIST]]",
	  "read the configuration again, wait until it is in force; --dry-run: tell what would "
	  "change",
	  ctl_reload },
	{ "stage", "[LIST]", "prepare the configuration, tell what it would change", ctl_stage },
	{ "commit", "[--at TIME]", "put in force what is staged, now or then", ctl_commit },
	{ "abort", "", "drop what is staged", ctl_abort },
	{ "preview", "--staged | --at TIME | --crl FILE [LIST]", "which sessions would end",
	  ctl_preview },
	{ "reasons", "[CODE | LIST]", "why connections are refused and sessions end", ctl_reasons },
	{ "verify",
	  "--anchor FILE... --chain FILE... --name NAME|--any-name [--crl FILE...]\n"
	  "           [--profile rfc5922|rfc9525|pool] [--purpose server|client]\n"
	  "           [--usage tls|tls-any|sip|ignore] [--revocation off|check|require]\n"
	  "           [--grace TIME] [--at TIME]",
	  "judge a certificate as the daemon would, from files alone", ctl_verify },
};

static int usage(void)
{
	printf("usage: siptlsctl [--socket PATH] [--json] [COMMAND [ARGUMENTS]]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %s%s%s\n           %s\n", commands[i].name,
		       *commands[i].arguments ? " " : "", commands[i].arguments, commands[i].help);
	printf("\n"
	       "  LIST: --output COLUMN,... chooses columns, --raw gives them tab-separated with\n"
	       "  plain numbers. Every command takes --json. TIME is 2027-01-31T12:00:00Z or\n"
	       "  @SECONDS since 1970; --grace takes 90s, 5m, 2h, 14d.\n"
	       "\n"
	       "  --socket PATH  of the daemon (" CONTROL_DEFAULT_PATH ")\n"
	       "  --version, --help\n"
	       "\n"
	       "exit: 0 done, 1 failed or refused, 2 wrong usage\n");
	return EXIT_SUCCESS;
}

static int run(const struct ctl_context *context, int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int r;

		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		r = commands[i].run(context, argc, argv);
		if (r >= 0)
			return r;
		fprintf(stderr, "siptlsctl: %s: %s\n", argv[0], strerror(-r));
		return CTL_FAILED;
	}
	fprintf(stderr, "siptlsctl: no command \"%s\", see siptlsctl --help\n", argv[0]);
	return CTL_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	static char summary[] = "summary";
	char *fallback[] = { summary, NULL };
	struct ctl_context context = { .socket = CONTROL_DEFAULT_PATH };
	int option;

	opterr = 0;
	/* "+": what comes after the command is the command's. */
	while ((option = getopt_long(argc, argv, "+:h", options, NULL)) >= 0) {
		switch (option) {
		case 's':
			context.socket = optarg;
			break;
		case 'j':
			context.json = true;
			break;
		case 'h':
			return usage();
		case 'v':
			printf("siptlsctl %s\n", SIPTLS_VERSION);
			return EXIT_SUCCESS;
		default:
			fprintf(stderr, "siptlsctl: %s: \"%s\", see siptlsctl --help\n",
				option == ':' ? "a value is missing" : "no such option",
				argv[optind - 1]);
			return CTL_USAGE;
		}
	}
	if (optind == argc)
		return run(&context, 1, fallback);
	return run(&context, argc - optind, argv + optind);
}
