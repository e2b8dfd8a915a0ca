/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of reasons, as far as it concerns people: what happened and what to do about it. */

#include <siptls/reason.h>
#include <siptls/tls.h>

#include "view.h"

static const struct ctl_column columns[] = {
	{ "code", "CODE", "code", FORMAT_PLAIN, true, NULL, NULL },
	{ "meaning", "MEANING", "meaning", FORMAT_PROSE, true, NULL, NULL },
	{ "cure", "WHAT TO DO", "what to do", FORMAT_PROSE, false, NULL, NULL },
	{ "alert", "ALERT", "TLS alert", FORMAT_PLAIN, false, NULL, NULL },
};

static const struct ctl_view view = { "reasons", "no reasons", columns, ARRAY_SIZE(columns) };

static json_t *row_make(const struct reason_info *info)
{
	_cleanup_json_ json_t *row =
		json_pack("{s:s, s:s}", "code", info->code, "meaning", info->text);

	if (*info->cure && json_object_set_new(row, "cure", json_string(info->cure)) < 0)
		return NULL;
	if (info->alert != ALERT_NONE &&
	    json_object_set_new(row, "alert", json_string(tls_alert_name(info->alert))) < 0)
		return NULL;
	return steal_ptr(row);
}

static int print_one(const char *command, const struct ctl_options *options)
{
	const char *code = options->operands[0];
	int reason = reason_from_code(code);
	_cleanup_json_ json_t *row = NULL;

	if (reason < 0) {
		ctl_complain("%s: there is no reason \"%s\"; siptlsctl reasons lists them", command,
			     code);
		return CTL_FAILED;
	}
	row = row_make(reason_info((enum reason)reason));
	if (!row)
		return -ENOMEM;
	return options->json ? ctl_json_print(row) : ctl_view_block(&view, "reason", row);
}

int ctl_reasons(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_json_ json_t *rows = json_array();
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST, 0, 1, &options);
	if (r == 0)
		r = ctl_view_select(&view, options.output, &selection);
	if (r != 0)
		return r;
	if (options.n_operands > 0 && !options.raw && !options.output)
		return print_one(argv[0], &options);
	if (options.n_operands > 0) {
		ctl_complain("%s: --raw and --output are for the whole list", argv[0]);
		return CTL_USAGE;
	}
	/* The first is "no reason". */
	for (unsigned int reason = REASON_OK + 1; reason < _REASON_MAX; reason++) {
		if (json_array_append_new(rows, row_make(reason_info(reason))) < 0)
			return -ENOMEM;
	}
	return ctl_view_print(&view, &selection, &options, rows, NULL);
}
