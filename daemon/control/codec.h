/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * codec - the Varlink wire format, for both ends of the control socket: JSON objects, each ended by
 * a NUL. Bytes come in as the socket gives them and leave as it takes them; both directions are
 * bounded, and so is how deep an object may nest.
 */

#include <jansson.h>
#include <siptls/base.h>

#define CONTROL_DEPTH_MAX 16

enum {
	CONTROL_E_INCOMPLETE = 1, /* no whole message yet */
	CONTROL_E_MALFORMED,	  /* not a JSON object, a key twice, nested too deep */
	CONTROL_E_TOO_LARGE,	  /* longer than the limit; nothing was taken */
};

#define _cleanup_json_ _cleanup_(json_decrefp)

/* ---- input ---- */

struct control_input {
	char *bytes;
	size_t len, size;
	size_t max;	/* bytes of one message, its NUL included */
	size_t scanned; /* of @bytes, without a NUL in them */
};

void control_input_done(struct control_input *in);

/* How many bytes control_input_push() takes now: read no more than these from the socket. */
size_t control_input_room(const struct control_input *in);

/* 0, CONTROL_E_TOO_LARGE or -ENOMEM. */
int control_input_push(struct control_input *in, const void *bytes, size_t len) _must_check_;

/*
 * Take the next message. 0, CONTROL_E_INCOMPLETE, CONTROL_E_MALFORMED, CONTROL_E_TOO_LARGE (the
 * limit is reached and there is no end in sight) or -ENOMEM. After the last three the stream is
 * lost.
 */
int control_input_next(struct control_input *in, json_t **ret) _must_check_;

/* ---- output ---- */

struct control_output {
	char *bytes;
	size_t len, size;
	size_t sent; /* of @bytes, already written */
	size_t max;  /* bytes that may wait */
};

void control_output_done(struct control_output *out);

/* Append one message. 0, CONTROL_E_TOO_LARGE (then nothing was appended) or -ENOMEM. */
int control_output_push(struct control_output *out, const json_t *message) _must_check_;

static inline bool control_output_empty(const struct control_output *out)
{
	return out->sent == out->len;
}

/* What waits to be written, and how much of it has been. */
const char *control_output_peek(const struct control_output *out, size_t *ret_len);
void control_output_written(struct control_output *out, size_t len);

/* ---- envelopes ---- */

/* A call, borrowed from its message. */
struct control_call {
	const char *method;
	json_t *parameters; /* an object, or NULL */
	bool more, oneway;
};

/* 0 or CONTROL_E_MALFORMED. */
int control_call_parse(const json_t *message, struct control_call *ret) _must_check_;

/* An answer, borrowed from its message. */
struct control_answer {
	const char *error;  /* NULL: none */
	json_t *parameters; /* an object, or NULL */
	bool continues;
};

int control_answer_parse(const json_t *message, struct control_answer *ret) _must_check_;
