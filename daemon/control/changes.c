/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Methods that put a configuration in force: at once, or in two phases. */

#include "method.h"

static void on_loaded(void *userdata, const struct conf_error *error, const char *summary)
{
	struct control_exchange *x = userdata;
	int r;

	if (error)
		r = control_fail(x, "org.siptls.ConfigurationInvalid",
				 json_pack("{s:o, s:I, s:o}", "file",
					   control_text_make(error->file), "line",
					   (json_int_t)error->line, "text",
					   control_text_make(error->text)));
	else
		r = control_answer(x, json_pack("{s:o}", "summary", control_text_make(summary)));
	control_answered(x, r);
}

int control_reload(struct control_exchange *x)
{
	control_answer_later(x);
	sessions_reload(x->sessions, on_loaded, x);
	return 0;
}

int control_stage(struct control_exchange *x)
{
	control_answer_later(x);
	sessions_stage(x->sessions, on_loaded, x);
	return 0;
}

static int nothing_staged(struct control_exchange *x)
{
	return control_fail(x, "org.siptls.NothingStaged", json_object());
}

static void on_committed(void *userdata, const struct conf_error *error _unused_,
			 const char *summary _unused_)
{
	struct control_exchange *x = userdata;
	struct sessions_summary figures;
	json_t *answer;

	sessions_summary(x->sessions, &figures);
	answer = json_pack("{s:I}", "generation", (json_int_t)figures.generation);
	if (figures.commit_at &&
	    json_object_set_new(answer, "commit_at", json_integer(figures.commit_at)) < 0) {
		json_decref(answer);
		answer = NULL;
	}
	control_answered(x, control_answer(x, answer));
}

int control_commit(struct control_exchange *x)
{
	int64_t at = json_integer_value(control_parameter(x, "at"));
	struct sessions_summary summary;

	sessions_summary(x->sessions, &summary);
	if (!summary.staged)
		return nothing_staged(x);
	control_answer_later(x);
	return sessions_commit(x->sessions, at, on_committed, x) < 0 ? -ENOMEM : 0;
}

int control_abort(struct control_exchange *x)
{
	int r = sessions_abort(x->sessions);

	if (r == SESSIONS_E_NOTHING_STAGED)
		return nothing_staged(x);
	return r == 0 ? control_answer(x, json_object()) : r;
}
