/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How the topology, sessions that would end, and explanations look. */

#include "client.h"
#include "view.h"

extern const struct ctl_view ctl_entry_view, ctl_ending_view;

/*
 * The chain, certificate by certificate, with what is known of its revocation; then the rules as a
 * tree of entries: each line begins with "ok", "FAILS" or "-".
 */
int ctl_chain_print(const json_t *links) _must_check_;
int ctl_rules_print(const json_t *rules, json_int_t left_out) _must_check_;

/* ---- previews ---- */

/* Ask for a preview; @parameters is taken over. *ret has "lines" and "sessions". */
int ctl_preview_fetch(struct ctl_client *client, json_t *parameters, json_t **ret) _must_check_;

/*
 * @preview as @options say; with @difference its lines are told as well. @summary, a line that
 * stands before all, and @next, one after all, may be NULL.
 */
int ctl_preview_print(const struct ctl_options *options, const struct ctl_selection *selection,
		      const json_t *preview, bool difference, const char *summary,
		      const char *next) _must_check_;
