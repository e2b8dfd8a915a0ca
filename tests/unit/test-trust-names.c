/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Names beside the matrix of shapes: which leaf an entry claims, what is no host name, and which of
 * an entry's names may answer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

/* Lenient on purpose: the verdict shall tell which rule failed, not "unknown". */
static void test_claims(void **state)
{
	static const struct {
		enum trust_name_type type;
		const char *value;
		bool claimed;
	} rows[] = {
		{ TRUST_NAME_URI, "sips:sip.contoso.example", true },
		{ TRUST_NAME_URI, "SIPS:SIP.contoso.example", true },
		{ TRUST_NAME_URI, "sip:user@sip.contoso.example", true },
		{ TRUST_NAME_URI, "sip:u:p@sip.contoso.example:5061;x=y?z", true },
		{ TRUST_NAME_URI, "sip:a@b@sip.contoso.example", true },
		{ TRUST_NAME_URI, "sip:sip.contoso.example?x", true },
		{ TRUST_NAME_URI, "https://sip.contoso.example", false },
		{ TRUST_NAME_URI, "sip:", false },
		{ TRUST_NAME_URI, "sip:@", false },
		{ TRUST_NAME_URI, "sip:contoso.example", false },
		{ TRUST_NAME_DNS, "*.contoso.example", true },
		{ TRUST_NAME_CN, "*.contoso.example", true },
		{ TRUST_NAME_CN, "SIP.CONTOSO.EXAMPLE", true },
		{ TRUST_NAME_IP, "sip.contoso.example", false },
		{ TRUST_NAME_OTHER, "sip.contoso.example", false },
		{ TRUST_NAME_DNS, "contoso.example", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world w;

		world_make(&w);
		w.names[0] = name_of(rows[i].type, rows[i].value, strlen(rows[i].value));
		if (trust_entry_claims(&w.entries[PARTNER], &w.facts) != rows[i].claimed)
			fail_msg("%s: expected %s", rows[i].value,
				 rows[i].claimed ? "claimed" : "not claimed");
	}
}

/* A wildcard needs two labels below it, whatever the entry says. */
static void test_wide_wildcard(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_dial(&w, PARTNER, 0);
	w.entries[PARTNER].name = w.partner.name = text("contoso.example");
	w.entries[PARTNER].wildcard = true;
	w.names[0] = name_of(TRUST_NAME_DNS, "*.example", 9);
	assert_int_equal(world_judge(&w), REASON_NAME_WILDCARD);
}

/* Not even a name that is spelled the same in the topology. */
static void test_no_host_name(void **state)
{
	static char label[65], longest[255];
	const char *const names[] = {
		"192.0.2.1",   "sip.1", "-a.example", "a-.example", "a_b.example",
		"a{b.example", "",	"a.",	      label,	    longest,
	};

	(void)state;
	memset(label, 'a', 64);
	memset(longest, 'a', 254);
	for (size_t i = 49; i < 254; i += 50)
		longest[i] = '.';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct world w;

		world_make(&w);
		world_dial(&w, PARTNER, 0);
		w.entries[PARTNER].name = w.partner.name = text(names[i]);
		w.names[0] = name_of(TRUST_NAME_DNS, names[i], strlen(names[i]));
		if (world_judge(&w) != REASON_NAME_MISMATCH)
			fail_msg("\"%s\" matched", names[i]);
	}
	/* One byte less is the longest there can be. */
	longest[253] = '\0';
	label[63] = '\0';
	for (size_t i = ARRAY_SIZE(names) - 2; i < ARRAY_SIZE(names); i++) {
		struct world w;

		world_make(&w);
		world_dial(&w, PARTNER, 0);
		w.entries[PARTNER].name = w.partner.name = text(names[i]);
		w.names[0] = name_of(TRUST_NAME_DNS, names[i], strlen(names[i]));
		assert_int_equal(world_judge(&w), REASON_OK);
	}
}

/* Which of an entry's names may answer: all of them call, one of them is dialled. */
static void test_members(void **state)
{
	static const struct {
		const char *name;
		uint32_t member; /* dialled; 2: they dialled us */
		enum reason reason;
	} rows[] = {
		{ "pool.hq.example", 0, REASON_OK },
		{ "pool.hq.example", 1, REASON_OK },
		{ "pool.hq.example", 2, REASON_OK },
		{ "a.hq.example", 0, REASON_OK },
		{ "a.hq.example", 1, REASON_NAME_MISMATCH },
		{ "a.hq.example", 2, REASON_OK },
		{ "b.hq.example", 0, REASON_NAME_MISMATCH },
		{ "b.hq.example", 1, REASON_OK },
		{ "b.hq.example", 2, REASON_OK },
		{ "c.hq.example", 0, REASON_NAME_MISMATCH },
		{ "c.hq.example", 2, REASON_NOT_IN_TOPOLOGY },
	};

	(void)state;
	for (enum trust_profile profile = 0; profile < _TRUST_PROFILE_MAX; profile++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct world w;

			world_make(&w);
			w.entries[POOL].profile = profile;
			w.paths[0].anchors = SITE;
			w.names[0] = name_of(TRUST_NAME_DNS, rows[i].name, strlen(rows[i].name));
			if (rows[i].member < 2)
				world_dial(&w, POOL, rows[i].member);
			if (world_judge(&w) != rows[i].reason)
				fail_msg("%s, member %u: %s", rows[i].name, rows[i].member,
					 reason_info(w.verdict.reason)->code);
			if (rows[i].reason == REASON_OK)
				assert_ptr_equal(w.verdict.name, &w.names[0]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_wide_wildcard),
		cmocka_unit_test(test_no_host_name),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
