/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers as words. */

#include "words.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *name;
	int64_t seconds;
} units[] = { { "day", 86400 }, { "hour", 3600 }, { "minute", 60 }, { "second", 1 } };

const char *ctl_words_span(int64_t seconds, char ret[static CTL_WORDS_SIZE])
{
	struct text text = { .buf = ret, .size = CTL_WORDS_SIZE };
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (i < ARRAY_SIZE(units) - 1 && seconds < units[i].seconds)
		i++;
	for (size_t end = i + 2; i < end && i < ARRAY_SIZE(units); i++) {
		int64_t n = seconds / units[i].seconds;

		seconds %= units[i].seconds;
		if (n > 0 || text.len == 0)
			text_addf(&text, "%s%" PRId64 " %s%s", text.len ? ", " : "", n,
				  units[i].name, n == 1 ? "" : "s");
		if (seconds == 0)
			break;
	}
	return ret;
}

const char *ctl_words_size(uint64_t bytes, char ret[static CTL_WORDS_SIZE])
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double size = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(ret, CTL_WORDS_SIZE, "%" PRIu64 " B", bytes);
		return ret;
	}
	for (; i < ARRAY_SIZE(names) - 1 && size >= 1024; i++)
		size /= 1024;
	snprintf(ret, CTL_WORDS_SIZE, "%.2f %s", size, names[i]);
	return ret;
}

const char *ctl_words_when(int64_t when, int64_t now, char ret[static CTL_WORDS_SIZE])
{
	struct text text = { .buf = ret, .size = CTL_WORDS_SIZE };
	bool ahead = when > now;
	char span[CTL_WORDS_SIZE];
	int64_t seconds;

	if (ahead ? __builtin_sub_overflow(when, now, &seconds)
		  : __builtin_sub_overflow(now, when, &seconds))
		seconds = INT64_MAX;
	text_addf(&text, "%s%s%s", ahead ? "in " : "", ctl_words_span(seconds, span),
		  ahead ? "" : " ago");
	return ret;
}

const char *ctl_words_time(int64_t when, int64_t now, char ret[static CTL_WORDS_SIZE])
{
	struct text text = { .buf = ret, .size = CTL_WORDS_SIZE };
	time_t t = (time_t)when;
	char relative[CTL_WORDS_SIZE], date[40];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(date, sizeof(date), "@%" PRId64, when);
	text_addf(&text, "%s (%s)", date, ctl_words_when(when, now, relative));
	return ret;
}

/* Exactly @n digits. */
static bool digits_read(const char **p, unsigned int n, int *ret)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		value = value * 10 + (**p - '0');
	}
	*ret = value;
	return true;
}

static bool char_read(const char **p, const char *which)
{
	if (!**p || !strchr(which, **p))
		return false;
	(*p)++;
	return true;
}

/* "Z", "+01:00": seconds to subtract. */
static bool offset_read(const char **p, int64_t *ret)
{
	int sign = **p == '-' ? -1 : 1, hours, minutes;

	*ret = 0;
	if (char_read(p, "Zz"))
		return true;
	if (!char_read(p, "+-") || !digits_read(p, 2, &hours) || !char_read(p, ":") ||
	    !digits_read(p, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret = (int64_t)sign * (hours * 3600 + minutes * 60);
	return true;
}

/* RFC 3339 5.6; fractions of a second are read and dropped. */
static bool rfc3339_parse(const char *p, int64_t *ret)
{
	struct tm tm = { 0 }, same;
	int64_t offset;
	int fraction;

	if (!digits_read(&p, 4, &tm.tm_year) || !char_read(&p, "-") ||
	    !digits_read(&p, 2, &tm.tm_mon) || !char_read(&p, "-") ||
	    !digits_read(&p, 2, &tm.tm_mday) || !char_read(&p, "Tt ") ||
	    !digits_read(&p, 2, &tm.tm_hour) || !char_read(&p, ":") ||
	    !digits_read(&p, 2, &tm.tm_min) || !char_read(&p, ":") ||
	    !digits_read(&p, 2, &tm.tm_sec))
		return false;
	if (char_read(&p, ".")) {
		if (!digits_read(&p, 1, &fraction))
			return false;
		while (digits_read(&p, 1, &fraction))
			;
	}
	if (!offset_read(&p, &offset) || *p || tm.tm_sec > 60)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	same = tm;
	*ret = (int64_t)timegm(&tm) - offset;
	/* What timegm() had to put right was no date; a leap second is the next second. */
	return same.tm_sec == 60 || (same.tm_mon == tm.tm_mon && same.tm_mday == tm.tm_mday &&
				     same.tm_hour == tm.tm_hour && same.tm_min == tm.tm_min);
}

bool ctl_time_parse(const char *text, int64_t *ret)
{
	char *end;
	long long seconds;

	if (text[0] != '@')
		return rfc3339_parse(text, ret);
	if (text[1] < '0' || text[1] > '9')
		return false;
	errno = 0;
	seconds = strtoll(text + 1, &end, 10);
	if (errno != 0 || *end)
		return false;
	*ret = seconds;
	return true;
}

bool ctl_span_parse(const char *text, uint32_t *ret_seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} known[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	unsigned long long n;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || n > UINT32_MAX || !end[0] || end[1])
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].unit != end[0] || n * known[i].seconds > UINT32_MAX)
			continue;
		*ret_seconds = (uint32_t)(n * known[i].seconds);
		return true;
	}
	return false;
}
