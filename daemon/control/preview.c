/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which sessions would end. All of them are told at once, and there may be as many as the table
 * holds: what is kept until the client has read them is an id and a reason each, and the rest is
 * looked up when it is due.
 */

#include <stdio.h>

#include "method.h"
#include "part.h"
#include "types.h"

#define LINES_SIZE_MAX (1024 * 1024) /* bytes */

struct control_preview {
	json_t *lines;
	size_t lines_size;
	uint64_t lines_left_out;
	struct ending {
		uint64_t id;
		enum reason reason;
	} * endings;
	size_t n, size;
	bool failed; /* no memory */
};

struct control_preview *control_preview_free(struct control_preview *preview)
{
	if (!preview)
		return NULL;
	json_decref(preview->lines);
	free(preview->endings);
	free(preview);
	return NULL;
}

/* ---- what session tells ---- */

static void on_line(void *userdata, const char *line)
{
	struct control_exchange *x = userdata;
	struct control_preview *p = x->preview;
	size_t len = strlen(line);

	if (p->failed || p->lines_left_out || len > LINES_SIZE_MAX - p->lines_size) {
		p->lines_left_out++;
		return;
	}
	p->lines_size += len;
	p->failed = json_array_append_new(p->lines, control_text_make(line)) < 0;
}

static void on_session(void *userdata, const struct session_view *view, enum reason reason)
{
	struct control_exchange *x = userdata;
	struct control_preview *p = x->preview;

	if (!p->failed && p->n == p->size) {
		size_t size = p->size ? p->size * 2 : 64;
		struct ending *bigger = reallocarray(p->endings, size, sizeof(*bigger));

		p->failed = !bigger;
		if (bigger) {
			p->endings = bigger;
			p->size = size;
		}
	}
	if (!p->failed)
		p->endings[p->n++] = (struct ending){ view->id, reason };
}

/* ---- the answer ---- */

struct telling {
	struct control_part *part;
	uint64_t key;
	enum reason reason;
};

static bool tell_ending(void *userdata, const struct session_view *view)
{
	const struct control_moment moment = { .now_ms = 0 };
	struct telling *telling = userdata;
	const struct control_ending ending = { .session = *view, .reason = telling->reason };
	struct control_part *part = telling->part;
	json_t *item;

	part->error = control_fields_make(&control_type_ending, &ending, &moment, &item);
	if (part->error == 0)
		(void)control_part_take(part, telling->key, item);
	return false;
}

static void tell_endings(struct control_exchange *x, struct control_part *part)
{
	const struct control_preview *p = x->preview;

	for (size_t i = 0; i < p->n && !part->full && part->error == 0; i++) {
		struct telling telling = { .part = part, .reason = p->endings[i].reason };

		/* One that has ended by now would not end of this. */
		if (control_part_wants(part, &telling.key))
			(void)sessions_view(x->sessions, p->endings[i].id, tell_ending, &telling);
	}
}

/* Lines come first, then sessions; both have their place in the list as a whole as key. */
static int answer(struct control_exchange *x)
{
	const struct control_preview *p = x->preview;
	_cleanup_json_ json_t *lines = NULL;
	struct control_part part;
	json_t *sessions;
	int r = control_part_begin(x, &part);

	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(p->lines); i++) {
		json_t *line = json_array_get(p->lines, i);
		uint64_t key;

		if (control_part_wants(&part, &key))
			(void)control_part_take(&part, key, json_incref(line));
	}
	lines = part.items;
	sessions = part.items = json_array();
	if (!sessions)
		return -ENOMEM;
	tell_endings(x, &part);
	return control_part_answer(&part,
				   json_pack("{s:O, s:o}", "lines", lines, "sessions", sessions));
}

static int lines_finish(struct control_preview *p)
{
	if (p->lines_left_out == 0)
		return 0;
	return json_array_append_new(p->lines, json_sprintf("and %llu more",
							    (unsigned long long)p->lines_left_out));
}

/* Where it went wrong is part of what went wrong. */
static int fail(struct control_exchange *x, const char *error)
{
	const char *path = json_string_value(control_parameter(x, "crl"));
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "%s%s%s", path ? path : "", path ? ": " : "", error) < 0)
		return -ENOMEM;
	return control_fail(x, "org.siptls.PreviewFailed",
			    json_pack("{s:o}", "text", control_text_make(text)));
}

static void on_done(void *userdata, const char *error)
{
	struct control_exchange *x = userdata;
	int r;

	if (error)
		r = fail(x, error);
	else if (x->preview->failed || lines_finish(x->preview) < 0)
		r = -ENOMEM;
	else
		r = answer(x);
	control_answered(x, r);
}

/* ---- the question ---- */

/* The parameter that is wrong, or NULL. */
static const char *question_read(const struct control_exchange *x,
				 struct session_preview_question *ret)
{
	const json_t *staged = control_parameter(x, "staged"), *at = control_parameter(x, "at");
	const char *crl = json_string_value(control_parameter(x, "crl"));

	if (staged && !json_is_true(staged))
		staged = NULL;
	if (at && (staged || crl))
		return "at";
	if (crl && (staged || crl[0] != '/' || strlen(crl) > REVOCATION_SOURCE_MAX))
		return "crl";
	if (!staged && !at && !crl)
		return "staged";
	*ret = (struct session_preview_question){
		.what = staged ? SESSION_PREVIEW_STAGED
			: at   ? SESSION_PREVIEW_TIME
			       : SESSION_PREVIEW_CRL,
		.at = json_integer_value(at),
		.crl_path = crl,
	};
	return NULL;
}

int control_preview(struct control_exchange *x)
{
	static const struct session_preview_ops ops = { .line = on_line,
							.session = on_session,
							.done = on_done };
	struct session_preview_question question;
	const char *wrong;

	if (x->preview)
		return answer(x);
	wrong = question_read(x, &question);
	if (wrong)
		return control_fail(x, "org.varlink.service.InvalidParameter",
				    json_pack("{s:s}", "parameter", wrong));
	x->preview = calloc(1, sizeof(*x->preview));
	if (!x->preview)
		return -ENOMEM;
	x->preview->lines = json_array();
	if (!x->preview->lines)
		return -ENOMEM;
	control_answer_later(x);
	sessions_preview(x->sessions, &question, &ops, x);
	return 0;
}
