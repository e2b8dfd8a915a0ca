/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon's table against the kernel's list: every way in which they can differ. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctl/join.h>

#define OURS 990

static json_t *list_of(const char *text)
{
	json_t *list = json_loads(text, 0, NULL);

	assert_true(json_is_array(list));
	return list;
}

static void join_of(const char *before, const char *after, const char *sockets, const uid_t *uid,
		    struct ctl_join *ret)
{
	_cleanup_json_ json_t *a = list_of(before), *b = list_of(after), *k = list_of(sockets);

	assert_int_equal(ctl_join_make(a, b, k, uid, ret), 0);
}

static const char *verdict(const struct ctl_join *join, size_t row)
{
	return json_string_value(
		json_object_get(json_array_get(join->rows, row), "kernel_verified"));
}

#define SESSION(id, cookie)                                                                        \
	"{\"id\":" #id ",\"state\":\"relaying\",\"mode\":\"kernel\",\"version\":\"TLS 1.3\","      \
	"\"cipher\":\"AES-256-GCM\",\"cookie\":\"" cookie "\"}"
#define SOCKET(cookie, version, cipher, tx, rx, uid, inode)                                        \
	"{\"cookie\":\"" cookie "\",\"version\":" version ",\"cipher\":" cipher ",\"tx\":\"" tx    \
	"\",\"rx\":\"" rx "\",\"uid\":" #uid ",\"inode\":" #inode ",\"local\":\"l\"}"
#define GOOD(cookie) SOCKET(cookie, "\"TLS 1.3\"", "\"AES-256-GCM\"", "sw", "sw", 990, 5)

/* One session against one socket list. */
static void test_one(void **state _unused_)
{
	static const struct {
		const char *sockets, *verdict;
	} cases[] = {
		{ "[" GOOD("18446744073709551615") "]", "yes" },
		{ "[" SOCKET("18446744073709551615", "\"TLS 1.3\"", "\"AES-256-GCM\"", "hw", "sw",
			     990, 5) "]",
		  "yes" },
		{ "[]", "no: the kernel has no such TLS socket" },
		/* a neighbour in a number with fewer digits than 64 bits need */
		{ "[" GOOD("18446744073709551614") "]", "no: the kernel has no such TLS socket" },
		{ "[" SOCKET("18446744073709551615", "\"TLS 1.2\"", "\"AES-256-GCM\"", "sw", "sw",
			     990, 5) "]",
		  "no: version is TLS 1.2 in the kernel" },
		{ "[" SOCKET("18446744073709551615", "\"TLS 1.3\"", "\"AES-128-GCM\"", "sw", "sw",
			     990, 5) "]",
		  "no: cipher is AES-128-GCM in the kernel" },
		{ "[" SOCKET("18446744073709551615", "\"TLS 1.3\"", "\"AES-256-GCM\"", "base", "sw",
			     990, 5) "]",
		  "no: tx is base in the kernel" },
		{ "[" SOCKET("18446744073709551615", "\"TLS 1.3\"", "\"AES-256-GCM\"", "sw", "base",
			     990, 5) "]",
		  "no: rx is base in the kernel" },
		/* before its keys: no version, no cipher */
		{ "[" SOCKET("18446744073709551615", "null", "null", "base", "base", 990, 5) "]",
		  "no: tx is base in the kernel" },
		{ "[" SOCKET("18446744073709551615", "null", "null", "sw", "sw", 990, 5) "]",
		  "no: version is not set in the kernel" },
		{ "[{\"cookie\":\"18446744073709551615\"}]", "no: tx is not set in the kernel" },
		{ "[{\"cookie\":1},{},3,null]", "no: the kernel has no such TLS socket" },
	};
	static const char sessions[] = "[" SESSION(7, "18446744073709551615") "]";

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool good = strcmp(cases[i].verdict, "yes") == 0;
		struct ctl_join join;

		join_of(sessions, sessions, cases[i].sockets, NULL, &join);
		assert_int_equal(json_array_size(join.rows), 1);
		assert_string_equal(verdict(&join, 0), cases[i].verdict);
		assert_int_equal(join.sessions, 1);
		assert_int_equal(join.kernel, good);
		assert_int_equal(join.disagree, !good);
		json_decref(join.rows);
	}
}

/* Sessions that came or went in between, or are about to: no disagreement. */
static void test_in_between(void **state _unused_)
{
	static const char before[] = "[" SESSION(1, "11") "," SESSION(2, "12") "," SESSION(
		3, "13") ","
			 "{\"id\":4,\"state\":\"handshaking\",\"cookie\":\"14\"}]";
	static const char after[] =
		"[" SESSION(2, "12") ","
				     "{\"id\":3,\"state\":\"closing\",\"mode\":\"kernel\","
				     "\"cookie\":\"13\"}," SESSION(4, "14") "," SESSION(5,
											"15") "]";
	struct ctl_join join;

	join_of(before, after, "[" GOOD("12") "]", NULL, &join);
	assert_int_equal(join.sessions, 3);
	assert_string_equal(verdict(&join, 0), "yes");
	assert_null(verdict(&join, 1));
	assert_null(verdict(&join, 2));
	assert_int_equal(join.kernel, 1);
	assert_int_equal(join.disagree, 0);
	json_decref(join.rows);
}

static void test_user_space(void **state _unused_)
{
	static const char sessions[] =
		"[{\"id\":1,\"state\":\"relaying\",\"mode\":\"user\",\"cookie\":\"11\"}]";
	struct ctl_join join;

	join_of(sessions, sessions, "[]", NULL, &join);
	assert_string_equal(verdict(&join, 0), "no: user space encrypts");
	assert_int_equal(join.kernel, 0);
	assert_int_equal(join.disagree, 0);
	json_decref(join.rows);
}

/* Sockets of our user that no session explains are shown; others' and closed ones are not. */
static void test_strangers(void **state _unused_)
{
	static const char before[] = "[" SESSION(1, "11") "]";
	static const char after[] = "[" SESSION(2, "12") "]";
	static const char sockets[] = "[" GOOD("11") "," GOOD("12") "," GOOD(
		"13") "," SOCKET("14", "\"TLS 1.3\"", "\"AES-256-GCM\"", "sw", "sw", 991,
				 5) "," SOCKET("15", "\"TLS 1.3\"", "\"AES-256-GCM\"", "sw", "sw",
					       990, 0) "]";
	const uid_t ours = OURS;
	struct ctl_join join;
	const json_t *row;

	join_of(before, after, sockets, &ours, &join);
	assert_int_equal(json_array_size(join.rows), 1);
	row = json_array_get(join.rows, 0);
	assert_string_equal(json_string_value(json_object_get(row, "cookie")), "13");
	assert_string_equal(json_string_value(json_object_get(row, "local")), "l");
	assert_null(json_object_get(row, "id"));
	assert_string_equal(verdict(&join, 0), "no: not in the table of siptlsd");
	assert_int_equal(join.sessions, 0);
	assert_int_equal(join.disagree, 0);
	json_decref(join.rows);

	join_of(before, after, sockets, NULL, &join);
	assert_int_equal(json_array_size(join.rows), 0);
	json_decref(join.rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_in_between),
		cmocka_unit_test(test_user_space),
		cmocka_unit_test(test_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
