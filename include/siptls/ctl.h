/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ctl - what siptlsctl can do: one function for each of its commands.
 *
 * Called by the main of siptlsctl. Talks to the daemon over the control socket, but for `reasons`,
 * `verify` and `explain --chain`, which need no daemon. Uses control's codec, and libsmartcols, as
 * no other module does. Commands print: answers on stdout, complaints on stderr, each once.
 */

#include <siptls/base.h>

enum {
	CTL_FAILED = 1, /* refused, not found, cannot be reached; it has been said why */
	CTL_USAGE = 2,	/* the command line is wrong; it has been said how */
};

/* What was given before the command's name. */
struct ctl_context {
	const char *socket;
	bool json;
};

/* @argv[0] is the command's name. 0, CTL_FAILED, CTL_USAGE (these are exit codes) or -errno. */
typedef int (*ctl_command_fn)(const struct ctl_context *context, int argc, char **argv);

int ctl_summary(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_sessions(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_show(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_close(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_lookup(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_peers(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_topology(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_refusals(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_explain(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_probe(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_preview(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_revocation(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_certificates(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_stage(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_commit(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_abort(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_reload(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_reasons(const struct ctl_context *context, int argc, char **argv) _must_check_;
int ctl_verify(const struct ctl_context *context, int argc, char **argv) _must_check_;
