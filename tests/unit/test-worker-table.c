/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of jobs: growth, duplicates, removal from the middle of a bucket. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <worker/table.h>

#define N 5000

static void test_thousands(void **state _unused_)
{
	static struct worker_table_node nodes[N];
	struct worker_table_node twin = { .id = 7 * 64 };
	struct worker_table t = {};

	assert_null(worker_table_find(&t, 0));
	for (size_t i = 0; i < N; i++) {
		nodes[i].id = i * 64; /* alike in their low bits, as ids dealt out in turn are */
		assert_int_equal(worker_table_add(&t, &nodes[i]), 0);
	}
	assert_int_equal(t.n, N);
	assert_int_equal(worker_table_add(&t, &twin), -EEXIST);
	for (size_t i = 0; i < N; i += 2)
		worker_table_remove(&t, &nodes[i]);
	for (size_t i = 0; i < N; i++)
		assert_ptr_equal(worker_table_find(&t, i * 64), i % 2 ? &nodes[i] : NULL);
	for (size_t i = 1; i < N; i += 2)
		worker_table_remove(&t, &nodes[i]);
	assert_int_equal(t.n, 0);
	assert_null(worker_table_find(&t, 64));
	worker_table_done(&t);
}

static void test_extreme_ids(void **state _unused_)
{
	struct worker_table_node zero = { .id = 0 }, most = { .id = UINT64_MAX };
	struct worker_table t = {};

	assert_int_equal(worker_table_add(&t, &zero), 0);
	assert_int_equal(worker_table_add(&t, &most), 0);
	assert_ptr_equal(worker_table_find(&t, 0), &zero);
	assert_ptr_equal(worker_table_find(&t, UINT64_MAX), &most);
	worker_table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thousands),
		cmocka_unit_test(test_extreme_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
