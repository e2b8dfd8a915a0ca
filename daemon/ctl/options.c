/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The options that commands share. */

#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#include "words.h"

void ctl_text_add(struct text *t, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\\')
			text_addf(t, "\\");
		else
			text_add_foreign(t, &bytes[i], 1);
	}
}

void ctl_complain(const char *format, ...)
{
	char raw[2048], buf[8192] = "";
	struct text safe = TEXT_INIT(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	ctl_text_add(&safe, raw, strlen(raw));
	fprintf(stderr, "siptlsctl: %s\n", buf);
}

int ctl_options_wrong(const char *command, int option, char *const *argv)
{
	/* Of "--name=value" what stands before the value. */
	const char *word = argv[optind - 1];
	int len = (int)strcspn(word, "=");

	if (option == ':')
		ctl_complain("%s: \"%s\" needs a value, see --help", command, word);
	else
		ctl_complain("%s: no such option: \"%.*s\", see --help", command, len, word);
	return CTL_USAGE;
}

int ctl_options_time(const char *command, const char *text, int64_t *ret)
{
	if (ctl_time_parse(text, ret))
		return 0;
	ctl_complain("%s: --at: expected 2027-01-31T12:00:00Z or @SECONDS, found \"%s\"", command,
		     text);
	return CTL_USAGE;
}

/* Decimal. */
int ctl_options_id(const char *command, const char *text, int64_t *ret)
{
	long long id;
	char *end;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end || id < 0 || *text < '0' || *text > '9') {
		ctl_complain("%s: expected an id as in the first column of sessions or refusals, "
			     "found \"%s\"",
			     command, text);
		return CTL_USAGE;
	}
	*ret = id;
	return 0;
}

/* ---- the table of options ---- */

enum option_kind { KIND_FLAG, KIND_TEXT, KIND_TIME };

static const struct {
	const char *name;
	unsigned int needs; /* 0: every command takes it */
	enum option_kind kind;
	size_t member;
} table[] = {
#define OPTION(name, needs, kind, member)                                                          \
	{                                                                                          \
		name, needs, kind, offsetof(struct ctl_options, member)                            \
	}
	OPTION("socket", 0, KIND_TEXT, socket),
	OPTION("json", 0, KIND_FLAG, json),
	OPTION("raw", OPTION_LIST, KIND_FLAG, raw),
	OPTION("output", OPTION_LIST, KIND_TEXT, output),
	OPTION("peer", OPTION_PEER, KIND_TEXT, peer),
	OPTION("verify", OPTION_VERIFY, KIND_FLAG, verify),
	OPTION("at", OPTION_AT, KIND_TIME, at),
	OPTION("dry-run", OPTION_DRY_RUN, KIND_FLAG, dry_run),
	OPTION("crl", OPTION_PREVIEW, KIND_TEXT, crl),
	OPTION("staged", OPTION_PREVIEW, KIND_FLAG, staged),
	OPTION("refresh", OPTION_REFRESH, KIND_FLAG, refresh),
	OPTION("chain", OPTION_FILES, KIND_TEXT, chain),
	OPTION("as-peer", OPTION_FILES, KIND_TEXT, as_peer),
	OPTION("direction", OPTION_FILES, KIND_TEXT, direction),
	OPTION("config", OPTION_FILES, KIND_TEXT, config),
#undef OPTION
};

#define FIRST_VALUE 256 /* of an option's row; below are characters */

/* Those that the command takes, so that the beginning of a name is enough where it is clear. */
static void options_list(unsigned int takes, struct option ret[static ARRAY_SIZE(table) + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].needs && !(takes & table[i].needs))
			continue;
		ret[n++] = (struct option){ table[i].name,
					    table[i].kind == KIND_FLAG ? no_argument
								       : required_argument,
					    NULL, FIRST_VALUE + (int)i };
	}
	ret[n] = (struct option){ 0 };
}

static int take(const char *command, struct ctl_options *options, size_t row, char *value)
{
	void *member = (char *)options + table[row].member;

	switch (table[row].kind) {
	case KIND_FLAG:
		*(bool *)member = true;
		return 0;
	case KIND_TEXT:
		memcpy(member, &value, sizeof(value));
		return 0;
	case KIND_TIME:
		options->at_given = true;
		return ctl_options_time(command, value, member);
	}
	return CTL_USAGE;
}

int ctl_options_parse(const struct ctl_context *context, int argc, char **argv, unsigned int takes,
		      int min, int max, struct ctl_options *ret)
{
	struct ctl_options options = { .socket = context->socket, .json = context->json };
	struct option list[ARRAY_SIZE(table) + 1];
	int option;

	options_list(takes, list);
	optind = 0; /* main has scanned what comes before the command */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", list, NULL)) >= 0) {
		if (option < FIRST_VALUE)
			return ctl_options_wrong(argv[0], option, argv);
		if (take(argv[0], &options, (size_t)(option - FIRST_VALUE), optarg) != 0)
			return CTL_USAGE;
	}
	if (options.json && options.raw) {
		ctl_complain("%s: either --json or --raw", argv[0]);
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
