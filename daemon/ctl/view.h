/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * view - lists and blocks from one table of columns: aligned text for people, tab-separated columns
 * with raw values for scripts, and JSON. Rows are JSON objects as the daemon gives them; a column's
 * name is the member it shows, what --output takes and the heading of --raw.
 */

#include "options.h"

#include <control/codec.h>

enum ctl_format {
	FORMAT_PLAIN,
	FORMAT_COUNT,
	FORMAT_SIZE,  /* bytes */
	FORMAT_SPAN,  /* seconds */
	FORMAT_AGO,   /* seconds before now */
	FORMAT_TIME,  /* seconds since 1970 */
	FORMAT_WHEN,  /* the same, but only how far away */
	FORMAT_PROSE, /* may be wrapped */
};

struct ctl_column {
	const char *name;
	const char *heading; /* of the text list */
	const char *label;   /* in a block */
	enum ctl_format format;
	bool shown;	    /* in the list, if not asked otherwise */
	const char *alarm;  /* a value that begins like this stands out on a terminal */
	const char *absent; /* in the text list, where there is no value; NULL: "-" */
};

struct ctl_view {
	const char *name;  /* of the list in JSON */
	const char *empty; /* the text when there is nothing */
	const struct ctl_column *columns;
	size_t n_columns;
};

#define CTL_COLUMNS_MAX 64

struct ctl_selection {
	const struct ctl_column *columns[CTL_COLUMNS_MAX];
	size_t n;
};

/* The columns of --output, or those shown by default. 0 or CTL_USAGE, having complained. */
int ctl_view_select(const struct ctl_view *view, const char *output,
		    struct ctl_selection *ret) _must_check_;

/*
 * Print @rows as @options say. @beside has members that stand beside the list in JSON; may be NULL.
 * 0 or -errno.
 */
int ctl_view_print(const struct ctl_view *view, const struct ctl_selection *selection,
		   const struct ctl_options *options, const json_t *rows,
		   json_t *beside) _must_check_;

/* "session: 12", then one indented line for each column but the first that has a value. */
int ctl_view_block(const struct ctl_view *view, const char *title, const json_t *row) _must_check_;

/*
 * @value as text, raw or in words, safe for a terminal; NULL value: "-". The items of an array are
 * set apart by commas, the members of an object by blanks. NULL: no memory.
 */
char *ctl_value_text(json_t *value, enum ctl_format format, bool raw);

int ctl_json_print(const json_t *value) _must_check_; /* 0 or -errno */

bool ctl_colours_wanted(void); /* a terminal, and NO_COLOR is not set */
