/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One client's exchange over a table of sessions that is only a table: ask, and take the answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <control/method.h>
#include <control/types.h>
#include <siptls/control.h>
#include <stdio.h>

#include "fake-sessions.h"

struct fixture {
	struct sessions sessions;
	struct control_exchange x;
	unsigned int woken, operated;
};

static inline void on_wake(void *userdata)
{
	((struct fixture *)userdata)->woken++;
}

static inline void on_operates(void *userdata, const char *method _unused_)
{
	((struct fixture *)userdata)->operated++;
}

static const struct control_exchange_ops ops = { .wake = on_wake, .operates = on_operates };

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	control_exchange_init(&f->x, &f->sessions, CONTROL_ADMINISTER, &ops, f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	control_exchange_done(&f->x);
	free(f);
	return 0;
}

static inline int push(struct fixture *f, const char *text)
{
	assert_int_equal(control_input_push(&f->x.in, text, strlen(text) + 1), 0);
	return control_exchange_run(&f->x);
}

/* Take the one message that waits in the output. */
static inline json_t *take(struct fixture *f)
{
	size_t len;
	const char *bytes = control_output_peek(&f->x.out, &len);
	json_t *message;

	assert_true(len > 0);
	assert_int_equal(strlen(bytes) + 1, len);
	message = json_loads(bytes, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(message);
	control_output_written(&f->x.out, len);
	return message;
}

static inline json_t *ask(struct fixture *f, const char *text)
{
	assert_int_equal(push(f, text), 0);
	return take(f);
}

/* The answer is this error, whose parameter @key (if any) is @value. */
static inline void expect_error(struct fixture *f, const char *text, const char *error,
				const char *key, const char *value)
{
	_cleanup_json_ json_t *answer = ask(f, text);
	const json_t *parameters = json_object_get(answer, "parameters");

	assert_string_equal(json_string_value(json_object_get(answer, "error")), error);
	assert_true(json_is_object(parameters));
	if (key)
		assert_string_equal(json_string_value(json_object_get(parameters, key)), value);
	assert_int_equal(f->x.phase, CONTROL_IDLE);
}

static inline json_int_t int_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static inline const char *text_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_string(value));
	return json_string_value(value);
}

#define SERVICE "org.varlink.service."
