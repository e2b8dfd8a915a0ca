/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tables of columns, and the three outputs made of them. */

#include "ctl-testing.h"

#include <control/types.h>
#include <ctl/session-view.h>

static const char rows_text[] =
	"[{\"id\":7,\"state\":\"relaying\",\"peer\":\"a b\\tc\\u001b[31m\","
	"\"mode\":\"user\",\"age_s\":7500,\"bytes_in\":2048,\"authenticated\":false},{\"id\":8}]";

/* What view and options are tested with now; commands take no other argument. */
static const char *output;
static bool raw;

static int print(const struct ctl_context *context, int argc _unused_, char **argv _unused_)
{
	const struct ctl_options options = { .json = context->json, .raw = raw, .output = output };
	_cleanup_json_ json_t *rows = json_loads(rows_text, 0, NULL);
	struct ctl_selection selection;
	int r = ctl_view_select(&ctl_session_view, output, &selection);

	return r == 0 ? ctl_view_print(&ctl_session_view, &selection, &options, rows, NULL) : r;
}

static int block(const struct ctl_context *context _unused_, int argc _unused_,
		 char **argv _unused_)
{
	_cleanup_json_ json_t *rows = json_loads(rows_text, 0, NULL);

	return ctl_view_block(&ctl_session_view, "session", json_array_get(rows, 0));
}

static int printed(const char *columns, bool is_raw, bool json, struct output *ret)
{
	const struct ctl_context context = { .json = json };

	output = columns;
	raw = is_raw;
	return command(print, &context, "print", ret);
}

static void test_raw(void **state _unused_)
{
	struct output o;

	assert_int_equal(printed("id,peer,age_s,bytes_in,authenticated,sni", true, false, &o), 0);
	assert_string_equal(o.out, "id\tpeer\tage_s\tbytes_in\tauthenticated\tsni\n"
				   "7\ta b\\x09c\\x1b[31m\t7500\t2048\tno\t-\n"
				   "8\t-\t-\t-\t-\t-\n");
}

static void test_text(void **state _unused_)
{
	struct output o;

	assert_int_equal(printed("ID,peer,age_s,bytes_in", false, false, &o), 0);
	assert_non_null(strstr(o.out, "2 hours, 5 minutes"));
	assert_non_null(strstr(o.out, "2.00 KiB"));
	/* No colour where there is no terminal, and none from the peer. */
	assert_null(strchr(o.out, '\x1b'));
	assert_non_null(strstr(o.out, "[31m"));
}

static void test_json(void **state _unused_)
{
	_cleanup_json_ json_t *all = NULL, *some = NULL, *rows = json_loads(rows_text, 0, NULL);
	_cleanup_json_ json_t *expected = json_pack("{s:[{s:i}, {}]}", "sessions", "age_s", 7500);
	struct output o;

	assert_int_equal(printed(NULL, false, true, &o), 0);
	all = json_loads(o.out, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_equal(json_object_get(all, "sessions"), rows));
	assert_int_equal(printed("age_s", false, true, &o), 0);
	some = json_loads(o.out, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_equal(some, expected));
}

static void test_wrong_column(void **state _unused_)
{
	static const char *const wrong[] = {
		"nothing", "", "id,", ",id", "id,,id", "id peer", "kernel_verified"
	};
	struct output o;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(printed(wrong[i], true, false, &o), CTL_USAGE);
		assert_non_null(strstr(o.err, "no column"));
		assert_string_equal(o.out, "");
	}
}

static void test_too_many_columns(void **state _unused_)
{
	char columns[512] = "id";
	struct text text = { .buf = columns, .size = sizeof(columns), .len = 2 };
	struct output o;

	for (int i = 1; i < CTL_COLUMNS_MAX; i++)
		text_addf(&text, ",id");
	assert_int_equal(printed(columns, true, false, &o), 0);
	text_addf(&text, ",id");
	assert_int_equal(printed(columns, true, false, &o), CTL_USAGE);
}

static void test_block(void **state _unused_)
{
	const struct ctl_context context = { 0 };
	struct output o;

	assert_int_equal(command(block, &context, "block", &o), 0);
	assert_non_null(strstr(o.out, "session: 7\n"));
	assert_non_null(strstr(o.out, "  encrypted by: user\n"));
	assert_non_null(strstr(o.out, "  authenticated: no\n"));
	assert_null(strstr(o.out, "cipher"));
}

/* Every member that the daemon tells about a session has a column, and the other way round. */
static void test_complete(void **state _unused_)
{
	size_t n = 0;

	assert_true(ctl_session_view.n_columns + 1 <= CTL_COLUMNS_MAX);
	for (const struct control_field *f = control_type_session.fields; f->name; f++, n++) {
		bool found = false;

		for (size_t i = 0; i < ctl_session_view.n_columns; i++)
			found |= strcmp(ctl_session_view.columns[i].name, f->name) == 0;
		if (!found)
			fail_msg("no column for %s", f->name);
	}
	assert_int_equal(ctl_session_view.n_columns, n);
	assert_string_equal(ctl_session_view.columns[0].name, "id");
	assert_int_equal(ctl_verified_view.n_columns, n + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_wrong_column),
		cmocka_unit_test(test_too_many_columns),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
