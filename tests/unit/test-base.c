/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The small things everything stands on, and the list of reasons. */

#include <siptls/reason.h>
#include <siptls/secret.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void text_never_overruns(void **state _unused_)
{
	char buf[8];
	struct text t = TEXT_INIT(buf);

	text_addf(&t, "%s", "abc");
	text_addf(&t, "%d", 123456789);
	assert_string_equal(buf, "abc1234");
	assert_int_equal(t.len, 7);
	text_addf(&t, "more");
	assert_string_equal(buf, "abc1234");
}

static void foreign_bytes_cannot_draw(void **state _unused_)
{
	char buf[64];
	struct text t = TEXT_INIT(buf);

	text_add_foreign(&t, "a\x1b[2J\n\\\0z\xff", 10);
	assert_string_equal(buf, "a\\x1b[2J\\x0a\\x5c\\x00z\\xff");
}

static void foreign_bytes_stop_at_the_end(void **state _unused_)
{
	char buf[6];
	struct text t = TEXT_INIT(buf);

	text_add_foreign(&t, "\n\n\n\n\n\n", 6);
	assert_int_equal(strlen(buf), 5);
}

static void hex_is_lower_case(void **state _unused_)
{
	char buf[7];

	hex_format("\x00\xAb\xff", 3, buf);
	assert_string_equal(buf, "00abff");
}

struct item {
	int value;
	struct list node;
};

static void lists_keep_order(void **state _unused_)
{
	struct item items[3] = { { .value = 0 }, { .value = 1 }, { .value = 2 } };
	struct list head;
	int expected = 0;

	list_init(&head);
	assert_true(list_empty(&head));
	for (int i = 0; i < 3; i++)
		list_append(&head, &items[i].node);
	list_foreach (node, &head)
		assert_int_equal(container_of(node, struct item, node)->value, expected++);
	assert_int_equal(expected, 3);
	list_foreach_safe (node, &head)
		list_remove(node);
	assert_true(list_empty(&head));
	list_remove(&items[0].node); /* twice does no harm */
}

static void every_reason_is_complete(void **state _unused_)
{
	for (int r = 0; r < _REASON_MAX; r++) {
		const struct reason_info *info = reason_info((enum reason)r);

		assert_non_null(info->code);
		assert_true(strlen(info->text) > 0);
		assert_non_null(info->cure);
		assert_int_equal(reason_from_code(info->code), r); /* codes are unique */
		assert_true(info->alert == ALERT_NONE || info->alert >= 10);
	}
	assert_int_equal(reason_from_code("no such code"), -1);
	assert_ptr_equal(reason_info((enum reason)9999), reason_info(REASON_INTERNAL));
}

static void secrets_are_wiped(void **state _unused_)
{
	struct traffic_keys keys;
	static const struct traffic_keys zero;

	memset(&keys, 0x55, sizeof(keys));
	traffic_keys_wipe(&keys);
	assert_memory_equal(&keys, &zero, sizeof(keys));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_never_overruns),
		cmocka_unit_test(foreign_bytes_cannot_draw),
		cmocka_unit_test(foreign_bytes_stop_at_the_end),
		cmocka_unit_test(hex_is_lower_case),
		cmocka_unit_test(lists_keep_order),
		cmocka_unit_test(every_reason_is_complete),
		cmocka_unit_test(secrets_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
