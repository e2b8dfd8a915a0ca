/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers as words, and times as people write them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctl/words.h>

static void test_span(void **state _unused_)
{
	static const struct {
		int64_t seconds;
		const char *words;
	} cases[] = {
		{ 0, "0 seconds" },
		{ -5, "0 seconds" },
		{ 1, "1 second" },
		{ 59, "59 seconds" },
		{ 60, "1 minute" },
		{ 61, "1 minute, 1 second" },
		{ 3600, "1 hour" },
		{ 3605, "1 hour" },
		{ 7500, "2 hours, 5 minutes" },
		{ 86399, "23 hours, 59 minutes" },
		{ 86400, "1 day" },
		{ 86400 + 3599, "1 day" },
		{ 90000, "1 day, 1 hour" },
		{ 31 * 86400 + 7200, "31 days, 2 hours" },
		{ INT64_MAX, "106751991167300 days, 15 hours" },
	};
	char buf[CTL_WORDS_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(ctl_words_span(cases[i].seconds, buf), cases[i].words);
}

static void test_size(void **state _unused_)
{
	static const struct {
		uint64_t bytes;
		const char *words;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.00 KiB" },
		{ 1268776, "1.21 MiB" },
		{ 3ULL << 30, "3.00 GiB" },
		{ UINT64_MAX, "16.00 EiB" },
	};
	char buf[CTL_WORDS_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(ctl_words_size(cases[i].bytes, buf), cases[i].words);
}

static void test_time(void **state _unused_)
{
	char buf[CTL_WORDS_SIZE];

	assert_string_equal(ctl_words_time(1000000000, 1000000060, buf),
			    "2001-09-09 01:46:40 UTC (1 minute ago)");
	assert_string_equal(ctl_words_time(1000086400, 1000000000, buf),
			    "2001-09-10 01:46:40 UTC (in 1 day)");
	/* A year that no calendar has: told as it is, and not beyond the buffer. */
	assert_non_null(strstr(ctl_words_time(INT64_MAX, 0, buf), "@9223372036854775807"));
}

static void test_parse(void **state _unused_)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
		{ "@0", 0 },
		{ "@1700000000", 1700000000 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2001-09-09T01:46:40Z", 1000000000 },
		{ "2001-09-09t01:46:40z", 1000000000 },
		{ "2001-09-09 01:46:40Z", 1000000000 },
		{ "2001-09-09T03:46:40+02:00", 1000000000 },
		{ "2001-09-08T20:16:40-05:30", 1000000000 },
		{ "2001-09-09T01:46:40.999Z", 1000000000 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "2016-12-31T23:59:60Z", 1483228800 },
		{ "1969-12-31T23:59:59Z", -1 },
	};
	static const char *const bad[] = {
		"",
		"@",
		"@-1",
		"@1x",
		"@ 1",
		"@99999999999999999999",
		"now",
		"2001-09-09",
		"2001-09-09T01:46:40",
		"2001-09-09T01:46Z",
		"2001-9-9T01:46:40Z",
		"2001-13-09T01:46:40Z",
		"2001-00-09T01:46:40Z",
		"2023-02-29T00:00:00Z",
		"2001-09-31T01:46:40Z",
		"2001-09-09T24:00:00Z",
		"2001-09-09T01:60:00Z",
		"2001-09-09T01:46:61Z",
		"2001-09-09T01:46:40.Z",
		"2001-09-09T01:46:40+2:00",
		"2001-09-09T01:46:40+24:00",
		"2001-09-09T01:46:40Zx",
		" 2001-09-09T01:46:40Z",
		"+001-09-09T01:46:40Z",
	};
	int64_t seconds;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(ctl_time_parse(good[i].text, &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (ctl_time_parse(bad[i], &seconds))
			fail_msg("taken: %s", bad[i]);
	}
}

static void test_when(void **state _unused_)
{
	char buf[CTL_WORDS_SIZE];

	assert_string_equal(ctl_words_when(100, 40, buf), "in 1 minute");
	assert_string_equal(ctl_words_when(40, 100, buf), "1 minute ago");
	assert_string_equal(ctl_words_when(40, 40, buf), "0 seconds ago");
	/* Further apart than a number can say. */
	assert_string_equal(ctl_words_when(INT64_MAX, INT64_MIN, buf),
			    "in 106751991167300 days, 15 hours");
	assert_string_equal(ctl_words_when(INT64_MIN, INT64_MAX, buf),
			    "106751991167300 days, 15 hours ago");
}

static void test_span_parse(void **state _unused_)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} good[] = { { "0s", 0 },
		     { "90s", 90 },
		     { "5m", 300 },
		     { "2h", 7200 },
		     { "14d", 14 * 86400 },
		     { "4294967295s", UINT32_MAX },
		     { "49710d", 4294944000 } };
	static const char *const bad[] = {
		"",	"s",	"5",	       "-5s",	 "+5s",
		" 5s",	"5 s",	"5w",	       "5ms",	 "5S",
		"1.5h", "0x5s", "4294967296s", "49711d", "99999999999999999999s"
	};
	uint32_t seconds;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(ctl_span_parse(good[i].text, &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (ctl_span_parse(bad[i], &seconds))
			fail_msg("taken: %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span), cmocka_unit_test(test_size),
		cmocka_unit_test(test_time), cmocka_unit_test(test_parse),
		cmocka_unit_test(test_when), cmocka_unit_test(test_span_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
