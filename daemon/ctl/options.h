/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* options - the command line of one command, and complaints about it. */

#include <siptls/ctl.h>

enum {
	OPTION_LIST = 1,   /* --raw, --output */
	OPTION_PEER = 2,   /* --peer */
	OPTION_VERIFY = 4, /* --verify */
};

struct ctl_options {
	const char *socket;
	bool json, raw, verify;
	const char *output, *peer;
	char **operands;
	int n_operands;
};

/* @takes is OPTION_*; the number of operands has to be @min to @max. 0 or CTL_USAGE. */
int ctl_options_parse(const struct ctl_context *context, int argc, char **argv, unsigned int takes,
		      int min, int max, struct ctl_options *ret) _must_check_;

/* "siptlsctl: ..." on stderr, what is not printable ASCII escaped. */
void ctl_complain(const char *format, ...) _printf_(1, 2);
