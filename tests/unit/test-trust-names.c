/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Names: every profile against every shape of certificate that a peer may come with, friendly or
 * not. The peer is dialled, so that the rule of names has the last word on each shape.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

#define EXPECTED "sip.example.org"

enum outcome { MISS, YES, WILD, COMMON };

static const enum reason reasons[] = {
	[MISS] = REASON_NAME_MISMATCH,
	[YES] = REASON_OK,
	[WILD] = REASON_NAME_WILDCARD,
	[COMMON] = REASON_NAME_CN,
};

/* Columns of the matrix. */
static const struct {
	enum trust_profile profile;
	bool wildcard;
	const char *name;
} columns[] = {
	{ TRUST_RFC5922, false, "rfc5922" },
	{ TRUST_RFC9525, false, "rfc9525" },
	{ TRUST_RFC9525, true, "rfc9525 with wildcard" },
	{ TRUST_POOL_NAMES, false, "pool" },
};

struct shape {
	struct {
		enum trust_name_type type;
		const char *value;
		size_t len;
	} names[3];
	bool san_without_names, no_san;
	enum outcome outcomes[ARRAY_SIZE(columns)];
};

#define CN(v)                                                                                      \
	{                                                                                          \
		TRUST_NAME_CN, v, sizeof(v) - 1                                                    \
	}
#define DNS(v)                                                                                     \
	{                                                                                          \
		TRUST_NAME_DNS, v, sizeof(v) - 1                                                   \
	}
#define URI(v)                                                                                     \
	{                                                                                          \
		TRUST_NAME_URI, v, sizeof(v) - 1                                                   \
	}
#define IP(v)                                                                                      \
	{                                                                                          \
		TRUST_NAME_IP, v, sizeof(v) - 1                                                    \
	}
#define MAIL(v)                                                                                    \
	{                                                                                          \
		TRUST_NAME_OTHER, v, sizeof(v) - 1                                                 \
	}
#define ALL(o)                                                                                     \
	{                                                                                          \
		o, o, o, o                                                                         \
	}
#define NAMES(...) .names = { __VA_ARGS__ }

/* clang-format off */
static const struct shape shapes[] = {
	/* DNS names */
	{ NAMES(DNS("sip.example.org")), .outcomes = ALL(YES) },
	{ NAMES(DNS("SIP.Example.ORG")), .outcomes = ALL(YES) },
	{ NAMES(DNS("other.example.org"), DNS("sip.example.org")), .outcomes = ALL(YES) },
	{ NAMES(DNS("sip.example.org.")), .outcomes = ALL(MISS) },
	{ NAMES(DNS(".sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip..example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip.example.org\0")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip.example.org\0.evil.example")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip\0.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("s\xc3\xadp.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip.example.org ")), .outcomes = ALL(MISS) },
	{ NAMES(DNS(" sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("a.sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("evilsip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip.example.orgs")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip.example.org.evil.example")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip.example.or")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip:sip.example.org")), .outcomes = ALL(MISS) },
	/* wildcards */
	{ NAMES(DNS("*.example.org")), .outcomes = { WILD, WILD, YES, WILD } },
	{ NAMES(DNS("*.EXAMPLE.org")), .outcomes = { WILD, WILD, YES, WILD } },
	{ NAMES(DNS("*.example.org"), DNS("sip.example.org")), .outcomes = ALL(YES) },
	{ NAMES(DNS("*.sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("*.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("*.*.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("sip.*.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("s*.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("*p.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("**.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("*.example.org\0")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("*.example.org.")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("*.")), .outcomes = ALL(MISS) },
	{ NAMES(DNS("*")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:*.example.org")), .outcomes = ALL(MISS) },
	/* sip: URIs */
	{ NAMES(URI("sip:sip.example.org")), .outcomes = { YES, MISS, MISS, MISS } },
	{ NAMES(URI("SIP:SIP.EXAMPLE.ORG")), .outcomes = { YES, MISS, MISS, MISS } },
	{ NAMES(URI("sip:a.example.org"), URI("sip:sip.example.org")),
	  .outcomes = { YES, MISS, MISS, MISS } },
	{ NAMES(URI("sips:sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:user@sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:@sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org:5061")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org;transport=tls")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org?x=y")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:sip%2eexample.org")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org\0")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org.")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip://sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip:")), .outcomes = ALL(MISS) },
	{ NAMES(URI("sip")), .outcomes = ALL(MISS) },
	{ NAMES(URI("https://sip.example.org/")), .outcomes = ALL(MISS) },
	/* precedence: RFC 5922 7.1 */
	{ NAMES(URI("sip:a.example.org"), DNS("sip.example.org")),
	  .outcomes = { MISS, YES, YES, YES } },
	{ NAMES(DNS("sip.example.org"), URI("sip:a.example.org")),
	  .outcomes = { MISS, YES, YES, YES } },
	{ NAMES(URI("sip:a.example.org:5061"), DNS("sip.example.org")),
	  .outcomes = { MISS, YES, YES, YES } },
	{ NAMES(URI("sip:"), DNS("sip.example.org")), .outcomes = { MISS, YES, YES, YES } },
	{ NAMES(URI("sip:u@a.example.org"), DNS("sip.example.org")), .outcomes = ALL(YES) },
	{ NAMES(URI("sips:a.example.org"), DNS("sip.example.org")), .outcomes = ALL(YES) },
	{ NAMES(URI("https://a.example.org"), DNS("sip.example.org")), .outcomes = ALL(YES) },
	{ NAMES(URI("sip:a.example.org"), DNS("*.example.org")),
	  .outcomes = { WILD, WILD, YES, WILD } },
	/* common names */
	{ NAMES(CN("sip.example.org")), .no_san = true, .outcomes = { YES, COMMON, COMMON, YES } },
	{ NAMES(CN("Sip.Example.Org")), .no_san = true, .outcomes = { YES, COMMON, COMMON, YES } },
	{ NAMES(CN("sip.example.org"), DNS("a.example.org")),
	  .outcomes = { COMMON, COMMON, COMMON, YES } },
	{ NAMES(CN("sip.example.org")), .san_without_names = true,
	  .outcomes = { COMMON, COMMON, COMMON, YES } },
	{ NAMES(CN("sip.example.org"), IP("192.0.2.1")), .no_san = true,
	  .outcomes = { COMMON, COMMON, COMMON, YES } }, /* facts that contradict themselves */
	{ NAMES(CN("sip.example.org\0")), .no_san = true, .outcomes = ALL(MISS) },
	{ NAMES(CN("My SIP server sip.example.org")), .no_san = true, .outcomes = ALL(MISS) },
	{ NAMES(CN("sip:sip.example.org")), .no_san = true, .outcomes = ALL(MISS) },
	{ NAMES(CN("*.example.org")), .no_san = true, .outcomes = ALL(WILD) },
	{ NAMES(CN("sip.example.org"), DNS("*.example.org")),
	  .outcomes = { WILD, WILD, YES, YES } },
	/* kinds that never count */
	{ NAMES(IP("sip.example.org")), .outcomes = ALL(MISS) },
	{ NAMES(MAIL("sip.example.org")), .outcomes = ALL(MISS) },
	{ .san_without_names = true, .outcomes = ALL(MISS) },
	{ .no_san = true, .outcomes = ALL(MISS) },
};
/* clang-format on */

static void world_show(struct world *w, const struct shape *shape)
{
	w->facts.n_names = 0;
	w->facts.has_san = !shape->no_san;
	for (size_t i = 0; i < ARRAY_SIZE(shape->names) && shape->names[i].value; i++)
		w->names[w->facts.n_names++] =
			name_of(shape->names[i].type, shape->names[i].value, shape->names[i].len);
}

static void test_matrix(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(columns); k++) {
			struct world w;
			enum reason wanted = reasons[shapes[i].outcomes[k]];

			world_make(&w);
			world_dial(&w, PARTNER, 0);
			w.entries[PARTNER].name = w.partner.name = text(EXPECTED);
			w.entries[PARTNER].profile = columns[k].profile;
			w.entries[PARTNER].wildcard = columns[k].wildcard;
			world_show(&w, &shapes[i]);
			if (world_judge(&w) != wanted)
				fail_msg("shape %zu (\"%s\"), %s: %s, expected %s", i,
					 shapes[i].names[0].value, columns[k].name,
					 reason_info(w.verdict.reason)->code,
					 reason_info(wanted)->code);
			assert_true((w.verdict.name != NULL) == (wanted == REASON_OK));
		}
	}
}

/* What a profile accepts has to be claimed, or an inbound peer would never be judged by it. */
static void test_accepted_is_claimed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		bool accepted = false;
		struct world w;

		world_make(&w);
		w.entries[PARTNER].name = w.partner.name = text(EXPECTED);
		world_show(&w, &shapes[i]);
		for (size_t k = 0; k < ARRAY_SIZE(columns); k++)
			accepted |= shapes[i].outcomes[k] != MISS;
		if (accepted)
			assert_true(trust_entry_claims(&w.entries[PARTNER], &w.facts));
	}
}

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
		"192.0.2.1", "sip.1", "-a.example", "a-.example", "a_b.example",
		"",	     "a.",    label,	    longest,
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
		cmocka_unit_test(test_matrix),	     cmocka_unit_test(test_accepted_is_claimed),
		cmocka_unit_test(test_claims),	     cmocka_unit_test(test_wide_wildcard),
		cmocka_unit_test(test_no_host_name), cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
