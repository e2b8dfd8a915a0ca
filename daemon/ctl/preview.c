/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which sessions would end: of what is staged, by a time, or of revocation lists. */

#include <stdio.h>

#include "trust-view.h"

static const struct ctl_column columns[] = {
	{ "id", "ID", "id", FORMAT_COUNT, true, NULL, NULL },
	{ "peer", "PEER", "peer", FORMAT_PLAIN, true, NULL, NULL },
	{ "direction", "DIR", "direction", FORMAT_PLAIN, true, NULL, NULL },
	{ "remote", "REMOTE", "remote", FORMAT_PLAIN, true, NULL, NULL },
	{ "reason", "REASON", "reason", FORMAT_PLAIN, true, NULL, NULL },
	{ "name", "NAME", "matched name", FORMAT_PLAIN, false, NULL, NULL },
	{ "owner", "OWNER", "owner", FORMAT_PLAIN, false, NULL, NULL },
	{ "via", "VIA", "via", FORMAT_PLAIN, false, NULL, NULL },
	{ "expires", "EXPIRES", "expires", FORMAT_TIME, false, NULL, NULL },
};

const struct ctl_view ctl_ending_view = { "sessions", "no session would end", columns,
					  ARRAY_SIZE(columns) };

int ctl_preview_fetch(struct ctl_client *client, json_t *parameters, json_t **ret)
{
	static const char *const names[] = { "lines", "sessions", NULL };

	return ctl_call_lists(client, "Preview", parameters, names, ret);
}

static void print_difference(FILE *to, const json_t *lines)
{
	fprintf(to, "difference:%s\n", json_array_size(lines) > 0 ? "" : " none");
	for (size_t i = 0; i < json_array_size(lines); i++) {
		_cleanup_free_ char *line =
			ctl_value_text(json_array_get(lines, i), FORMAT_PLAIN, false);

		fprintf(to, "  %s\n", line ? line : "-");
	}
}

static int print_json(const struct ctl_options *options, const struct ctl_selection *selection,
		      const json_t *preview, bool difference, const char *summary)
{
	_cleanup_json_ json_t *beside = json_object();

	if (difference && json_object_set(beside, "lines", json_object_get(preview, "lines")) < 0)
		return -ENOMEM;
	if (summary && json_object_set_new(beside, "summary", json_string(summary)) < 0)
		return -ENOMEM;
	return ctl_view_print(&ctl_ending_view, selection, options,
			      json_object_get(preview, "sessions"), beside);
}

int ctl_preview_print(const struct ctl_options *options, const struct ctl_selection *selection,
		      const json_t *preview, bool difference, const char *summary, const char *next)
{
	const json_t *sessions = json_object_get(preview, "sessions");
	/* A script that reads columns gets columns alone. */
	FILE *to = options->raw ? stderr : stdout;
	int r;

	if (options->json)
		return print_json(options, selection, preview, difference, summary);
	if (summary)
		fprintf(to, "%s\n", summary);
	if (difference)
		print_difference(to, json_object_get(preview, "lines"));
	if (json_array_size(sessions) > 0)
		fprintf(to, "sessions that would end: %zu\n", json_array_size(sessions));
	r = ctl_view_print(&ctl_ending_view, selection, options, sessions, NULL);
	if (r == 0 && next)
		fprintf(to, "%s\n", next);
	return r == 0 && fflush(to) != 0 ? -EIO : r;
}

/* siptlsd reads the file, and stands in another folder. */
static char *path_make_absolute(const char *path)
{
	_cleanup_free_ char *folder = path[0] == '/' ? strdup("") : get_current_dir_name();
	char *absolute;

	if (!folder || asprintf(&absolute, "%s%s%s", folder, *folder ? "/" : "", path) < 0)
		return NULL;
	return absolute;
}

static json_t *question_make(const struct ctl_options *options)
{
	_cleanup_free_ char *path = NULL;

	if (options->staged)
		return json_pack("{s:b}", "staged", 1);
	if (options->at_given)
		return json_pack("{s:I}", "at", (json_int_t)options->at);
	path = path_make_absolute(options->crl);
	return path ? json_pack("{s:s}", "crl", path) : NULL;
}

int ctl_preview(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *preview = NULL;
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST | OPTION_AT | OPTION_PREVIEW, 0, 0,
			      &options);
	if (r == 0)
		r = ctl_view_select(&ctl_ending_view, options.output, &selection);
	if (r != 0)
		return r;
	if (options.staged + options.at_given + (options.crl != NULL) != 1) {
		ctl_complain("%s: expected one of --staged, --at TIME and --crl FILE", argv[0]);
		return CTL_USAGE;
	}
	if (options.at_given && options.at < 0) {
		ctl_complain("%s: --at: expected a time after 1970", argv[0]);
		return CTL_USAGE;
	}
	r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = ctl_preview_fetch(client, question_make(&options), &preview);
	if (r != 0)
		return r;
	return ctl_preview_print(&options, &selection, preview, options.staged, NULL, NULL);
}
