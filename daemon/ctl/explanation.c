/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An explanation for people: the chain link by link, the rules as a tree. */

#include <stdio.h>

#include "trust-view.h"
#include "words.h"

/* "-" if there is none; the caller frees it. */
static char *text_at(const json_t *object, const char *key)
{
	return ctl_value_text(json_object_get(object, key), FORMAT_PLAIN, false);
}

static bool print_member(const json_t *object, const char *key, const char *label)
{
	_cleanup_free_ char *text = text_at(object, key);

	if (text && json_object_get(object, key))
		printf("    %s: %s\n", label, text);
	return text;
}

static int64_t time_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "good, told by FILE of 2 hours ago, next update in 3 days" */
static bool print_status(const json_t *link, int64_t now)
{
	_cleanup_free_ char *status = text_at(link, "status"), *crl = text_at(link, "crl");
	int64_t issued = time_at(link, "this_update"), next = time_at(link, "next_update");
	int64_t revoked = time_at(link, "revoked_at");
	char words[CTL_WORDS_SIZE];

	if (!status || !crl)
		return false;
	if (!json_object_get(link, "status"))
		return true;
	printf("    revocation: %s", status);
	if (revoked)
		printf(" since %s", ctl_words_time(revoked, now, words));
	if (json_is_true(json_object_get(link, "ocsp")))
		printf(", told by a stapled response");
	else if (json_object_get(link, "crl"))
		printf(", told by %s", crl);
	if (issued)
		printf(" of %s", ctl_words_when(issued, now, words));
	if (next)
		printf(", next update %s", ctl_words_when(next, now, words));
	putchar('\n');
	return true;
}

static void print_validity(const json_t *link, int64_t now)
{
	int64_t from = time_at(link, "not_before"), until = time_at(link, "not_after");
	char words[CTL_WORDS_SIZE];

	if (from > now)
		printf("    valid from: %s\n", ctl_words_time(from, now, words));
	if (until)
		printf("    valid until: %s\n", ctl_words_time(until, now, words));
}

int ctl_chain_print(const json_t *links)
{
	int64_t now = time_realtime_s();

	if (json_array_size(links) > 0)
		puts("chain:");
	for (size_t i = 0; i < json_array_size(links); i++) {
		const json_t *link = json_array_get(links, i);
		bool anchor = json_is_true(json_object_get(link, "anchor"));
		_cleanup_free_ char *subject = text_at(link, "subject");

		if (!subject)
			return -ENOMEM;
		printf("  %s%s\n", anchor ? "anchor " : "", subject);
		if (!print_member(link, "issuer", "issuer") ||
		    !print_member(link, "serial", "serial") ||
		    !print_member(link, "fingerprint", "SHA-256"))
			return -ENOMEM;
		print_validity(link, now);
		if (!print_status(link, now))
			return -ENOMEM;
	}
	return fflush(stdout) != 0 ? -EIO : 0;
}

/* ---- rules ---- */

static const struct mark {
	const char *outcome, *mark, *colour;
} marks[] = {
	{ "holds", "ok", "" },
	{ "fails", "FAILS", "\x1b[31m" },
	{ "not-reached", "-", "" },
};

static const struct mark *mark_find(const json_t *rule)
{
	static const struct mark unknown = { "", "?", "" };
	const char *outcome = json_string_value(json_object_get(rule, "outcome"));

	for (size_t i = 0; outcome && i < ARRAY_SIZE(marks); i++) {
		if (strcmp(marks[i].outcome, outcome) == 0)
			return &marks[i];
	}
	return &unknown;
}

static int print_rule(const json_t *rule, bool colours)
{
	_cleanup_free_ char *name = text_at(rule, "rule"), *reason = text_at(rule, "reason"),
			    *detail = text_at(rule, "detail");
	const struct mark *mark = mark_find(rule);
	const char *colour = colours ? mark->colour : "";

	if (!name || !reason || !detail)
		return -ENOMEM;
	printf("    %s%-5s%s  %s", colour, mark->mark, *colour ? "\x1b[0m" : "", name);
	if (json_object_get(rule, "reason"))
		printf(": %s", reason);
	if (json_object_get(rule, "detail"))
		printf(": %s", detail);
	putchar('\n');
	return 0;
}

/* Rules of the certificate have no entry. */
static bool same_entry(const json_t *a, const json_t *b)
{
	return (!a && !b) || (a && b && json_equal(a, b));
}

int ctl_rules_print(const json_t *rules, json_int_t left_out)
{
	bool colours = ctl_colours_wanted();
	const json_t *before = NULL;

	if (json_array_size(rules) > 0)
		puts("rules:");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		json_t *entry = json_object_get(rule, "entry");

		if (i == 0 || !same_entry(entry, before)) {
			_cleanup_free_ char *name = text_at(rule, "entry");

			if (!name)
				return -ENOMEM;
			printf("  %s\n", entry ? name : "the certificate");
		}
		before = entry;
		if (print_rule(rule, colours) < 0)
			return -ENOMEM;
	}
	if (left_out > 0)
		printf("  and %" JSON_INTEGER_FORMAT " rules more\n", left_out);
	return fflush(stdout) != 0 ? -EIO : 0;
}
