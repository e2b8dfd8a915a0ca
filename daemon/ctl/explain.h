/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* explain - the judgement of a certificate in words: of the daemon, or of files. */

#include <control/fields.h>

#include "options.h"

#define CTL_CHAIN_FILES_MAX 16

/* @title on a line of its own, then what "explanation", "links" and "rules" of @answer tell. */
int ctl_explanation_print(const char *title, const json_t *answer) _must_check_;

/* explain --chain. 0, CTL_FAILED, CTL_USAGE or -errno. */
int ctl_explain_files(const char *command, const struct ctl_options *options) _must_check_;
