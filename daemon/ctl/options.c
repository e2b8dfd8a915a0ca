/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The options that commands share. */

#include "options.h"

#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

void ctl_complain(const char *format, ...)
{
	char raw[2048], buf[8192] = "";
	struct text safe = TEXT_INIT(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	text_add_foreign(&safe, raw, strlen(raw));
	fprintf(stderr, "siptlsctl: %s\n", buf);
}

static int take(struct ctl_options *options, unsigned int takes, int option)
{
	static const struct {
		int option;
		unsigned int needs;
	} needs[] = { { 'r', OPTION_LIST },
		      { 'o', OPTION_LIST },
		      { 'p', OPTION_PEER },
		      { 'v', OPTION_VERIFY } };

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i].option == option && !(takes & needs[i].needs))
			return CTL_USAGE;
	}
	switch (option) {
	case 's':
		options->socket = optarg;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 'r':
		options->raw = true;
		return 0;
	case 'o':
		options->output = optarg;
		return 0;
	case 'p':
		options->peer = optarg;
		return 0;
	case 'v':
		options->verify = true;
		return 0;
	default:
		return CTL_USAGE;
	}
}

int ctl_options_parse(const struct ctl_context *context, int argc, char **argv, unsigned int takes,
		      int min, int max, struct ctl_options *ret)
{
	static const struct option table[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "raw", no_argument, NULL, 'r' },
		{ "output", required_argument, NULL, 'o' },
		{ "peer", required_argument, NULL, 'p' },
		{ "verify", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct ctl_options options = { .socket = context->socket, .json = context->json };
	int option;

	optind = 0; /* main has scanned what comes before the command */
	while ((option = getopt_long(argc, argv, "", table, NULL)) >= 0) {
		if (take(&options, takes, option) == 0)
			continue;
		if (option != '?')
			ctl_complain("%s has no option %s", argv[0], argv[optind - 1]);
		return CTL_USAGE;
	}
	if (options.json && options.raw) {
		ctl_complain("either --json or --raw");
		return CTL_USAGE;
	}
	options.operands = argv + optind;
	options.n_operands = argc - optind;
	if (options.n_operands < min || options.n_operands > max) {
		ctl_complain(options.n_operands < min ? "%s needs an operand, see --help"
						      : "%s takes fewer operands, see --help",
			     argv[0]);
		return CTL_USAGE;
	}
	*ret = options;
	return 0;
}
