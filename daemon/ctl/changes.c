/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commands that put a configuration in force: at once, in two phases, or only to see. */

#include <stdio.h>

#include "trust-view.h"
#include "words.h"

static int print_text_of(const json_t *answer, const char *key)
{
	_cleanup_free_ char *text =
		ctl_value_text(json_object_get(answer, key), FORMAT_PLAIN, false);

	if (!text)
		return -ENOMEM;
	return puts(text) < 0 || fflush(stdout) != 0 ? -EIO : 0;
}

/* What is in force now and probably not meant; standard output is for the answer. */
static int print_warnings(struct ctl_client *client)
{
	_cleanup_json_ json_t *warnings = NULL;
	int r = ctl_call_list(client, "ListWarnings", json_object(), "warnings", &warnings);

	for (size_t i = 0; r == 0 && i < json_array_size(warnings); i++) {
		_cleanup_free_ char *line =
			ctl_value_text(json_array_get(warnings, i), FORMAT_PLAIN, false);

		if (!line)
			return -ENOMEM;
		fprintf(stderr, "warning: %s\n", line);
	}
	return r;
}

/* Prepare what the files say, and ask what it would do. */
static int stage_and_preview(struct ctl_client *client, json_t **ret_answer, json_t **ret_preview)
{
	int r = ctl_call(client, "Stage", json_object(), ret_answer);

	return r == 0 ? ctl_preview_fetch(client, json_pack("{s:b}", "staged", 1), ret_preview) : r;
}

static int print_staged(const struct ctl_options *options, const struct ctl_selection *selection,
			json_t *answer, const json_t *preview, const char *next)
{
	_cleanup_free_ char *summary =
		ctl_value_text(json_object_get(answer, "summary"), FORMAT_PLAIN, false);

	return summary ? ctl_preview_print(options, selection, preview, /* difference= */ true,
					   summary, next)
		       : -ENOMEM;
}

/* ---- dry run ---- */

/* What somebody else has staged is not ours to replace and drop. */
static int nothing_staged_check(struct ctl_client *client, const char *command)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = ctl_call(client, "GetSummary", json_object(), &answer);

	if (r != 0)
		return r;
	if (!json_is_true(json_object_get(json_object_get(answer, "summary"), "staged")))
		return 0;
	ctl_complain("%s: --dry-run would drop what is staged; siptlsctl preview --staged shows "
		     "it, siptlsctl abort drops it",
		     command);
	return CTL_FAILED;
}

static int dry_run(struct ctl_client *client, const char *command,
		   const struct ctl_options *options, const struct ctl_selection *selection)
{
	_cleanup_json_ json_t *answer = NULL, *preview = NULL, *dropped = NULL;
	int r, dropping;

	r = nothing_staged_check(client, command);
	if (r == 0)
		r = stage_and_preview(client, &answer, &preview);
	/* Also when only the preview failed. */
	dropping = answer ? ctl_call(client, "Abort", json_object(), &dropped) : 0;
	if (r == 0)
		r = dropping;
	return r == 0 ? print_staged(options, selection, answer, preview,
				     "nothing has changed, this was a dry run")
		      : r;
}

int ctl_reload(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL;
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_DRY_RUN | OPTION_LIST, 0, 0, &options);
	if (r == 0)
		r = ctl_view_select(&ctl_ending_view, options.output, &selection);
	if (r != 0)
		return r;
	if (!options.dry_run && (options.raw || options.output)) {
		ctl_complain("%s: --raw and --output are for --dry-run", argv[0]);
		return CTL_USAGE;
	}
	r = ctl_client_open(options.socket, &client);
	if (r == 0 && options.dry_run)
		return dry_run(client, argv[0], &options, &selection);
	if (r == 0)
		r = ctl_call(client, "Reload", json_object(), &answer);
	if (r != 0)
		return r;
	r = options.json ? ctl_json_print(answer) : print_text_of(answer, "summary");
	return r == 0 ? print_warnings(client) : r;
}

/* ---- two phases ---- */

int ctl_stage(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL, *preview = NULL;
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST, 0, 0, &options);
	if (r == 0)
		r = ctl_view_select(&ctl_ending_view, options.output, &selection);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = stage_and_preview(client, &answer, &preview);
	return r == 0 ? print_staged(&options, &selection, answer, preview,
				     "staged, not in force: siptlsctl commit [--at TIME] puts it "
				     "in force, siptlsctl abort drops it")
		      : r;
}

static int print_committed(const json_t *answer)
{
	json_int_t at = json_integer_value(json_object_get(answer, "commit_at"));
	char words[CTL_WORDS_SIZE];

	if (at)
		printf("will be put in force %s\n", ctl_words_time(at, time_realtime_s(), words));
	else
		printf("in force: generation %" JSON_INTEGER_FORMAT "\n",
		       json_integer_value(json_object_get(answer, "generation")));
	return fflush(stdout) != 0 ? -EIO : 0;
}

int ctl_commit(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL;
	struct ctl_options options;
	json_t *parameters;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_AT, 0, 0, &options);
	if (r != 0)
		return r;
	if (options.at_given && options.at <= time_realtime_s()) {
		ctl_complain("%s: --at: expected a time that is to come; without --at it is now",
			     argv[0]);
		return CTL_USAGE;
	}
	r = ctl_client_open(options.socket, &client);
	if (r != 0)
		return r;
	parameters =
		options.at_given ? json_pack("{s:I}", "at", (json_int_t)options.at) : json_object();
	r = ctl_call(client, "Commit", parameters, &answer);
	if (r != 0)
		return r;
	r = options.json ? ctl_json_print(answer) : print_committed(answer);
	/* Of what waits for its time there are none yet. */
	return r == 0 && !json_object_get(answer, "commit_at") ? print_warnings(client) : r;
}

int ctl_abort(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, 0, 0, 0, &options);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = ctl_call(client, "Abort", json_object(), &answer);
	if (r != 0)
		return r;
	if (options.json)
		return ctl_json_print(answer);
	puts("dropped, the configuration in force stays");
	return fflush(stdout) != 0 ? -EIO : 0;
}
