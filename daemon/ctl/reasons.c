/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of reasons, as far as it concerns people: what happened and what to do about it. */

#include <siptls/reason.h>
#include <siptls/tls.h>

#include "view.h"

static const struct ctl_column columns[] = {
	{ "code", "CODE", "code", FORMAT_PLAIN, true, NULL, NULL },
	{ "meaning", "MEANING", "meaning", FORMAT_PROSE, true, NULL, NULL },
	{ "cure", "WHAT TO DO", "what to do", FORMAT_PROSE, true, NULL, NULL },
	{ "alert", "ALERT", "TLS alert", FORMAT_PLAIN, false, NULL, NULL },
};

static const struct ctl_view view = { "reasons", "no reasons", columns, ARRAY_SIZE(columns) };

static int add(json_t *rows, const struct reason_info *info)
{
	_cleanup_json_ json_t *row =
		json_pack("{s:s, s:s}", "code", info->code, "meaning", info->text);

	if (*info->cure && json_object_set_new(row, "cure", json_string(info->cure)) < 0)
		return -ENOMEM;
	if (info->alert != ALERT_NONE &&
	    json_object_set_new(row, "alert", json_string(tls_alert_name(info->alert))) < 0)
		return -ENOMEM;
	return json_array_append(rows, row) < 0 ? -ENOMEM : 0;
}

int ctl_reasons(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_json_ json_t *rows = json_array();
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST, 0, 0, &options);
	if (r == 0)
		r = ctl_view_select(&view, options.output, &selection);
	/* The first is "no reason". */
	for (unsigned int reason = REASON_OK + 1; r == 0 && reason < _REASON_MAX; reason++)
		r = add(rows, reason_info(reason));
	return r == 0 ? ctl_view_print(&view, &selection, &options, rows, NULL) : r;
}
