/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* options - the command line of one command, and complaints about it. */

#include <siptls/ctl.h>

/* What a command takes besides --socket and --json. */
enum {
	OPTION_LIST = 1,     /* --raw, --output */
	OPTION_PEER = 2,     /* --peer */
	OPTION_VERIFY = 4,   /* --verify */
	OPTION_AT = 8,	     /* --at */
	OPTION_DRY_RUN = 16, /* --dry-run */
	OPTION_PREVIEW = 32, /* --crl, --staged */
	OPTION_REFRESH = 64, /* --refresh */
	OPTION_FILES = 128,  /* --chain, --as-peer, --direction, --config */
};

struct ctl_options {
	const char *socket;
	bool json, raw, verify, dry_run, staged, refresh;
	bool at_given;
	int64_t at; /* seconds since 1970 */
	const char *output, *peer, *crl, *as_peer, *direction, *config;
	char *chain;
	char **operands;
	int n_operands;
};

/* @takes is OPTION_*; the number of operands has to be @min to @max. 0 or CTL_USAGE. */
int ctl_options_parse(const struct ctl_context *context, int argc, char **argv, unsigned int takes,
		      int min, int max, struct ctl_options *ret) _must_check_;

/* What getopt_long() found wrong; @option is what it returned, '?' or ':'. CTL_USAGE. */
int ctl_options_wrong(const char *command, int option, char *const *argv);

/* A point in time. 0 or CTL_USAGE. */
int ctl_options_time(const char *command, const char *text, int64_t *ret) _must_check_;

/* An id as the lists show it. 0 or CTL_USAGE. */
int ctl_options_id(const char *command, const char *text, int64_t *ret) _must_check_;

/*
 * text_add_foreign() for what may have come through it already: what is not printable ASCII is
 * escaped, the backslash is not.
 */
void ctl_text_add(struct text *t, const char *bytes, size_t len);

/* "siptlsctl: ..." on stderr, what is not printable ASCII escaped. */
void ctl_complain(const char *format, ...) _printf_(1, 2);
