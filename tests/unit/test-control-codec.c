/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The wire format of the control socket, with input in every wrong shape. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <control/codec.h>
#include <stdio.h>

#define MAX 4096

static int next_of(const char *bytes, size_t len, json_t **ret)
{
	struct control_input in = { .max = MAX };
	int r = control_input_push(&in, bytes, len);

	assert_int_equal(r, 0);
	r = control_input_next(&in, ret);
	control_input_done(&in);
	return r;
}

static void test_split(void **state _unused_)
{
	static const char bytes[] = "{\"method\":\"a.b\"}";
	struct control_input in = { .max = MAX };
	json_t *message = NULL;

	/* Byte by byte: nothing before the NUL, everything with it. */
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(control_input_next(&in, &message), CONTROL_E_INCOMPLETE);
		assert_int_equal(control_input_push(&in, &bytes[i], 1), 0);
	}
	assert_int_equal(control_input_next(&in, &message), 0);
	assert_string_equal(json_string_value(json_object_get(message, "method")), "a.b");
	json_decref(message);
	assert_int_equal(control_input_next(&in, &message), CONTROL_E_INCOMPLETE);
	control_input_done(&in);
}

static void test_merged(void **state _unused_)
{
	static const char bytes[] = "{\"n\":1}\0{\"n\":2}\0{\"n\":3";
	struct control_input in = { .max = MAX };
	json_t *message = NULL;

	assert_int_equal(control_input_push(&in, bytes, sizeof(bytes) - 1), 0);
	for (int n = 1; n <= 2; n++) {
		assert_int_equal(control_input_next(&in, &message), 0);
		assert_int_equal(json_integer_value(json_object_get(message, "n")), n);
		json_decref(message);
	}
	assert_int_equal(control_input_next(&in, &message), CONTROL_E_INCOMPLETE);
	assert_int_equal(control_input_push(&in, "}", 2), 0);
	assert_int_equal(control_input_next(&in, &message), 0);
	assert_int_equal(json_integer_value(json_object_get(message, "n")), 3);
	json_decref(message);
	control_input_done(&in);
}

static void test_malformed(void **state _unused_)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
#define CASE(s) { s, sizeof(s) }
		CASE(""),
		CASE("{"),
		CASE("[]"),
		CASE("1"),
		CASE("\"x\""),
		CASE("{} {}"),
		CASE("{\"a\":1,\"a\":2}"),
		CASE("{\"a\":{\"b\":1,\"b\":1}}"),
		CASE("{'a':1}"),
		CASE("{\"a\":\"\xff\"}"),
		CASE("{\"a\":\"\\u0000\"}"),
		CASE("{\"a\":01}"),
		CASE("{\"a\":99999999999999999999}"),
		CASE("{\"a\":1,}"),
		CASE("]]]]{}"),
		CASE("GET / HTTP/1.1\r\n\r\n"),
#undef CASE
	};
	json_t *message = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(next_of(cases[i].bytes, cases[i].len, &message),
				 CONTROL_E_MALFORMED);
}

/* An object with arrays in it, @depth levels in all. */
static int next_nested(unsigned int depth, const char *open, const char *close, json_t **ret)
{
	char bytes[MAX];
	struct text text = TEXT_INIT(bytes);

	text_addf(&text, "{\"a\":");
	for (unsigned int i = 1; i < depth; i++)
		text_addf(&text, "%s", open);
	text_addf(&text, "0");
	for (unsigned int i = 1; i < depth; i++)
		text_addf(&text, "%s", close);
	text_addf(&text, "}");
	return next_of(bytes, text.len + 1, ret);
}

static void test_depth(void **state _unused_)
{
	json_t *message = NULL;

	assert_int_equal(next_nested(CONTROL_DEPTH_MAX, "[", "]", &message), 0);
	json_decref(message);
	assert_int_equal(next_nested(CONTROL_DEPTH_MAX + 1, "[", "]", &message),
			 CONTROL_E_MALFORMED);
	assert_int_equal(next_nested(CONTROL_DEPTH_MAX + 1, "{\"a\":", "}", &message),
			 CONTROL_E_MALFORMED);
	/* Brackets in a string are text, also after a quote that is escaped. */
	assert_int_equal(next_of("{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[\"}", 31, &message), 0);
	json_decref(message);
}

static void test_too_large(void **state _unused_)
{
	struct control_input in = { .max = 16 };
	json_t *message = NULL;

	assert_int_equal(control_input_push(&in, "{\"a\":\"0123456789", 17), CONTROL_E_TOO_LARGE);
	assert_int_equal(control_input_push(&in, "{\"a\":\"012345678", 15), 0);
	assert_int_equal(control_input_next(&in, &message), CONTROL_E_INCOMPLETE);
	assert_int_equal(control_input_room(&in), 1);
	assert_int_equal(control_input_push(&in, "9", 1), 0);
	assert_int_equal(control_input_next(&in, &message), CONTROL_E_TOO_LARGE);
	control_input_done(&in);

	/* One that fits exactly, its NUL included. */
	assert_int_equal(control_input_push(&in, "{\"a\":\"01234567\"}", 16), 0);
	assert_int_equal(control_input_next(&in, &message), CONTROL_E_TOO_LARGE);
	control_input_done(&in);
	assert_int_equal(control_input_push(&in, "{\"a\":\"0123456\"}", 16), 0);
	assert_int_equal(control_input_next(&in, &message), 0);
	json_decref(message);
	control_input_done(&in);
}

static void test_output(void **state _unused_)
{
	_cleanup_json_ json_t *message = json_pack("{s:s}", "a", "b");
	struct control_output out = { .max = 20 };
	const char *bytes;
	size_t len;

	assert_true(control_output_empty(&out));
	assert_int_equal(control_output_push(&out, message), 0);
	assert_int_equal(control_output_push(&out, message), 0);
	/* The third is too much: it leaves no trace of itself. */
	assert_int_equal(control_output_push(&out, message), CONTROL_E_TOO_LARGE);
	bytes = control_output_peek(&out, &len);
	assert_int_equal(len, 20);
	assert_memory_equal(bytes, "{\"a\":\"b\"}\0{\"a\":\"b\"}", 20);
	control_output_written(&out, 15);
	bytes = control_output_peek(&out, &len);
	assert_int_equal(len, 5);
	assert_string_equal(bytes, "\"b\"}");
	control_output_written(&out, 5);
	assert_true(control_output_empty(&out));
	assert_null(out.bytes);
	control_output_done(&out);
}

static int call_of(const char *text, struct control_call *ret)
{
	_cleanup_json_ json_t *message = json_loads(text, 0, NULL);

	assert_non_null(message);
	return control_call_parse(message, ret);
}

static void test_calls(void **state _unused_)
{
	static const char *const bad[] = {
		"{}",
		"{\"method\":1}",
		"{\"method\":null}",
		"{\"method\":\"a.b\",\"parameters\":[]}",
		"{\"method\":\"a.b\",\"parameters\":\"x\"}",
		"{\"method\":\"a.b\",\"more\":1}",
		"{\"method\":\"a.b\",\"oneway\":\"true\"}",
		"{\"method\":\"a.b\",\"upgrade\":true}",
		"{\"method\":\"a.b\",\"upgrade\":0}",
		"{\"method\":\"a.b\",\"more\":true,\"oneway\":true}",
	};
	struct control_call call;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(call_of(bad[i], &call), CONTROL_E_MALFORMED);
	assert_int_equal(call_of("{\"method\":\"a.b\"}", &call), 0);
	assert_false(call.more);
	assert_false(call.oneway);
	assert_null(call.parameters);
	assert_int_equal(call_of("{\"method\":\"a.b\",\"parameters\":null,\"more\":null}", &call),
			 0);
	assert_int_equal(call_of("{\"method\":\"a.b\",\"more\":true,\"upgrade\":false}", &call), 0);
	assert_true(call.more);
	assert_int_equal(call_of("{\"method\":\"a.b\",\"oneway\":true}", &call), 0);
	assert_true(call.oneway);
}

static int answer_of(const char *text, struct control_answer *ret)
{
	_cleanup_json_ json_t *message = json_loads(text, 0, NULL);

	assert_non_null(message);
	return control_answer_parse(message, ret);
}

static void test_answers(void **state _unused_)
{
	struct control_answer answer;

	assert_int_equal(answer_of("{\"error\":1}", &answer), CONTROL_E_MALFORMED);
	assert_int_equal(answer_of("{\"parameters\":1}", &answer), CONTROL_E_MALFORMED);
	assert_int_equal(answer_of("{\"continues\":\"yes\"}", &answer), CONTROL_E_MALFORMED);
	assert_int_equal(answer_of("{\"parameters\":{},\"continues\":true}", &answer), 0);
	assert_true(answer.continues);
	assert_null(answer.error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),	  cmocka_unit_test(test_merged),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_too_large), cmocka_unit_test(test_output),
		cmocka_unit_test(test_calls),	  cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
