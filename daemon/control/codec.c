/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Varlink wire format; see https://varlink.org/Method-Call. */

#include "codec.h"

#define GROW_STEP 4096

static int grow(char **bytes, size_t *size, size_t needed)
{
	char *bigger;

	if (needed <= *size)
		return 0;
	needed = (needed + GROW_STEP - 1) / GROW_STEP * GROW_STEP;
	/* Doubling keeps the copying linear when a long answer is built from short pieces. */
	if (needed < *size * 2)
		needed = *size * 2;
	bigger = realloc(*bytes, needed);
	if (!bigger)
		return -ENOMEM;
	*bytes = bigger;
	*size = needed;
	return 0;
}

/* ---- input ---- */

void control_input_done(struct control_input *in)
{
	free(in->bytes);
	*in = (struct control_input){ .max = in->max };
}

size_t control_input_room(const struct control_input *in)
{
	return in->max - in->len;
}

int control_input_push(struct control_input *in, const void *bytes, size_t len)
{
	int r;

	if (len > control_input_room(in))
		return CONTROL_E_TOO_LARGE;
	if (len == 0)
		return 0;
	r = grow(&in->bytes, &in->size, in->len + len);
	if (r < 0)
		return r;
	memcpy(in->bytes + in->len, bytes, len);
	in->len += len;
	return 0;
}

/* Counted before parsing: the parser's own limit is thousands of levels of recursion. */
static bool depth_allowed(const char *text, size_t len)
{
	bool in_string = false;
	unsigned int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > CONTROL_DEPTH_MAX)
				return false;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

static int message_parse(const char *text, size_t len, json_t **ret)
{
	_cleanup_json_ json_t *message = NULL;
	json_error_t error;

	if (!depth_allowed(text, len))
		return CONTROL_E_MALFORMED;
	message = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!message)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM
									   : CONTROL_E_MALFORMED;
	if (!json_is_object(message))
		return CONTROL_E_MALFORMED;
	*ret = steal_ptr(message);
	return 0;
}

int control_input_next(struct control_input *in, json_t **ret)
{
	const char *end = NULL;
	size_t len;
	int r;

	if (in->len > in->scanned)
		end = memchr(in->bytes + in->scanned, '\0', in->len - in->scanned);
	if (!end) {
		in->scanned = in->len;
		return in->len == in->max ? CONTROL_E_TOO_LARGE : CONTROL_E_INCOMPLETE;
	}
	len = (size_t)(end - in->bytes);
	r = message_parse(in->bytes, len, ret);
	in->len -= len + 1;
	in->scanned = 0;
	memmove(in->bytes, end + 1, in->len);
	return r;
}

/* ---- output ---- */

void control_output_done(struct control_output *out)
{
	free(out->bytes);
	*out = (struct control_output){ .max = out->max };
}

/* What went wrong inside the encoder, which itself only knows "failed". */
struct append {
	struct control_output *out;
	int error;
};

static int append(const char *bytes, size_t len, void *userdata)
{
	struct append *a = userdata;
	struct control_output *out = a->out;

	if (len > out->max - out->len)
		a->error = CONTROL_E_TOO_LARGE;
	else
		a->error = grow(&out->bytes, &out->size, out->len + len);
	if (a->error != 0)
		return -1;
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
	return 0;
}

int control_output_push(struct control_output *out, const json_t *message)
{
	struct append a = { .out = out };
	size_t before = out->len;

	if (json_dump_callback(message, append, &a, JSON_COMPACT) == 0 && append("", 1, &a) == 0)
		return 0;
	out->len = before;
	return a.error != 0 ? a.error : -ENOMEM;
}

const char *control_output_peek(const struct control_output *out, size_t *ret_len)
{
	*ret_len = out->len - out->sent;
	return out->bytes + out->sent;
}

void control_output_written(struct control_output *out, size_t len)
{
	out->sent += len;
	if (control_output_empty(out))
		control_output_done(out); /* an idle client holds no memory */
}

/* ---- envelopes ---- */

/* A member that may be missing or null, which is the same, but not of another type. */
static bool flag_read(const json_t *message, const char *key, bool *ret)
{
	const json_t *value = json_object_get(message, key);

	*ret = json_is_true(value);
	return !value || json_is_null(value) || json_is_boolean(value);
}

static bool parameters_read(const json_t *message, json_t **ret)
{
	json_t *value = json_object_get(message, "parameters");

	*ret = json_is_object(value) ? value : NULL;
	return !value || json_is_null(value) || json_is_object(value);
}

int control_call_parse(const json_t *message, struct control_call *ret)
{
	struct control_call call = { .method = json_string_value(
					     json_object_get(message, "method")) };
	bool upgrade;

	if (!call.method || !parameters_read(message, &call.parameters) ||
	    !flag_read(message, "more", &call.more) ||
	    !flag_read(message, "oneway", &call.oneway) || !flag_read(message, "upgrade", &upgrade))
		return CONTROL_E_MALFORMED;
	/* A stream nobody hears, or another protocol on this connection: not ours. */
	if (upgrade || (call.more && call.oneway))
		return CONTROL_E_MALFORMED;
	*ret = call;
	return 0;
}

int control_answer_parse(const json_t *message, struct control_answer *ret)
{
	const json_t *error = json_object_get(message, "error");
	struct control_answer answer = { .error = json_string_value(error) };

	if ((error && !answer.error) || !parameters_read(message, &answer.parameters) ||
	    !flag_read(message, "continues", &answer.continues))
		return CONTROL_E_MALFORMED;
	*ret = answer;
	return 0;
}
