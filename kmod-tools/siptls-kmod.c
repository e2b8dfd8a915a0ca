/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * siptls-kmod - what this kernel can do with TLS and what it is doing with it. Asks the kernel
 * only: it works with no daemon running or installed.
 */

#include "kmod.h"

#include <getopt.h>
#include <siptls/version.h>
#include <stdarg.h>
#include <stdio.h>

static enum kmod_format arg_format = KMOD_TEXT;

static const struct command {
	const char *name;
	int (*run)(enum kmod_format format);
	const char *line;
} commands[] = {
	{ "probe", kmod_probe, "what this kernel can do; exit 0 if it can carry TLS 1.3 sessions" },
	{ "stats", kmod_stats, "the kernel's TLS counters of this network namespace" },
	{ "sockets", kmod_sockets, "TCP sockets with kernel TLS, with version and cipher" },
	{ "offload", kmod_offload, "TLS features of the network interfaces" },
};

void kmod_tell(const char *format, ...)
{
	va_list args;

	fputs("siptls-kmod: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static int usage(FILE *to, int status)
{
	fputs("usage: siptls-kmod [--json | --raw] [COMMAND]\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s  %s%s\n", commands[i].name, commands[i].line,
			i == 0 ? " (default)" : "");
	fputs("\n"
	      "  --json    one JSON object\n"
	      "  --raw     no headings, columns separated by one tab\n"
	      "  --version\n"
	      "\n"
	      "exit status: 0 done, 1 not available or failed, 2 wrong usage\n",
	      to);
	return status;
}

/* 0: go on with the words from optind; else exit with *ret_status. */
static int options_parse(int argc, char **argv, int *ret_status)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "raw", no_argument, NULL, 'r' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (option) {
		case 'j':
			arg_format = KMOD_JSON;
			break;
		case 'r':
			arg_format = KMOD_RAW;
			break;
		case 'v':
			*ret_status = printf("siptls-kmod %s\n", SIPTLS_VERSION) < 0;
			return 1;
		case 'h':
			*ret_status = usage(stdout, 0);
			return 1;
		default:
			*ret_status = usage(stderr, 2);
			return 1;
		}
	}
	return 0;
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *command = &commands[0];
	int r, status;

	if (options_parse(argc, argv, &status) != 0)
		return status;
	if (argc - optind > 1)
		return usage(stderr, 2);
	if (optind < argc) {
		command = command_find(argv[optind]);
		if (!command) {
			kmod_tell("no command \"%s\"", argv[optind]);
			return usage(stderr, 2);
		}
	}

	r = command->run(arg_format);
	if (r < 0)
		kmod_tell("%s: %s", command->name, strerror(-r));
	return r != 0;
}
