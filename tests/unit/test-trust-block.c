/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The block list: names in every spelling that could be taken for a listed one, fingerprints at
 * every place, entries, and a leaf that is made to wear the comparison out.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

/* ---- names ---- */

struct row {
	const char *listed;
	enum trust_name_type type;
	const char *value;
	size_t len;
	bool blocked;
};

/* clang-format off */
#define ROW(listed, type, value, blocked) { listed, TRUST_NAME_##type, value, sizeof(value) - 1, blocked }

static const struct row rows[] = {
	/* one name */
	ROW("edge.bad.example", DNS, "edge.bad.example", true),
	ROW("edge.bad.example", CN, "edge.bad.example", true),
	ROW("edge.bad.example", IP, "edge.bad.example", true),
	ROW("edge.bad.example", OTHER, "edge.bad.example", false),
	ROW("edge.bad.example", DNS, "EDGE.Bad.example", true),
	ROW("EDGE.bad.example", DNS, "edge.bad.example", true),
	ROW("edge.bad.example", DNS, "edge.bad.example.", true),
	ROW("edge.bad.example", DNS, "edge.bad.example...", true),
	ROW("edge.bad.example", DNS, ".edge.bad.example", true),
	ROW("edge.bad.example", DNS, "a.edge.bad.example", false),
	ROW("edge.bad.example", DNS, "bad.example", false),
	ROW("edge.bad.example", DNS, "xedge.bad.example", false),
	ROW("edge.bad.example", DNS, "edge.bad.examplex", false),
	ROW("edge.bad.example", DNS, "edge.bad.example.org", false),
	ROW("edge.bad.example", DNS, "edge.bad", false),
	ROW("edge.bad.example", DNS, "edge-bad-example", false),
	ROW("edge.bad.example", DNS, "", false),
	ROW("edge.bad.example", DNS, "...", false),
	/* a domain and all below it */
	ROW(".bad.example", DNS, "bad.example", true),
	ROW(".bad.example", DNS, "edge.bad.example", true),
	ROW(".bad.example", DNS, "a.b.c.bad.example.", true),
	ROW(".bad.example", CN, "EDGE.BAD.EXAMPLE", true),
	ROW(".BAD.example", URI, "sip:edge.bad.example", true),
	ROW(".bad.example", DNS, "notbad.example", false),
	ROW(".bad.example", DNS, "bad.example.org", false),
	ROW(".bad.example", DNS, "example", false),
	ROW(".bad.example", DNS, "ad.example", false),
	ROW(".example", DNS, "a.example", true),
	ROW(".example", DNS, "example", true),
	/* URIs, whatever stands around the host */
	ROW("edge.bad.example", URI, "sip:edge.bad.example", true),
	ROW("edge.bad.example", URI, "sips:edge.bad.example", true),
	ROW("edge.bad.example", URI, "SIPS:EDGE.bad.example.", true),
	ROW("edge.bad.example", URI, "sip:user@edge.bad.example", true),
	ROW("edge.bad.example", URI, "sip:u:p@edge.bad.example:5061;transport=tls?x=y", true),
	ROW("edge.bad.example", URI, "sip:edge.bad.example;x=@good.example", true),
	ROW("edge.bad.example", URI, "sip://edge.bad.example/", true),
	ROW("edge.bad.example", URI, "https://edge.bad.example:443/a", true),
	ROW("edge.bad.example", URI, "sip:<edge.bad.example>", true),
	ROW("edge.bad.example", URI, "sip:good.example;maddr=edge.bad.example", true),
	ROW("edge.bad.example", URI, "sip:edge.bad.example.good.example", false),
	ROW("edge.bad.example", URI, "sip:good.example", false),
	ROW("edge.bad.example", CN, "sip:edge.bad.example:5061", true),
	/* bytes that one reader stops at and another overlooks */
	ROW("edge.bad.example", DNS, "edge.bad.example\0.good.example", true),
	ROW("edge.bad.example", DNS, "edge.bad.example\0", true),
	ROW("edge.bad.example", DNS, "\0edge.bad.example", true),
	ROW("edge.bad.example", DNS, "edge.bad\0.example", true),
	ROW("edge.bad.example", DNS, "e\0d\0g\0e\0.bad.example", true),
	ROW("edge.bad.example", URI, "sip:edge.bad\0.example", true),
	ROW("edge.bad.example", URI, "sip:edge\0.bad.example\0@good.example", true),
	ROW("edge.bad.example", DNS, " edge.bad.example\t\n", true),
	ROW("edge.bad.example", CN, "edge.bad.example (Sydney)", true),
	ROW("edge.bad.example", CN, "The edge of bad.example", false),
	ROW(".bad.example", CN, "The edge of bad.example", true),
	ROW("edge.bad.example", DNS, "edge.bad.example\x7f", true),
	ROW("edge.bad.example", DNS, "edge.b\xc3\xa4""d.example", false),
	ROW("edge.bad.example", DNS, "\xc3\xa4""edge.bad.example", false),
	/* addresses */
	ROW("192.0.2.1", IP, "192.0.2.1", true),
	ROW("192.0.2.1", DNS, "192.0.2.1", true),
	ROW("192.0.2.1", URI, "sip:192.0.2.1:5061", true),
	ROW("192.0.2.1", IP, "192.0.2.10", false),
	ROW("2001:db8::1", IP, "2001:db8::1", true),
	ROW("2001:DB8::1", IP, "2001:db8::1", true),
	ROW("2001:db8::1", URI, "sips:u@[2001:db8::1]:5061", true),
	ROW("2001:db8::1", IP, "2001:db8::11", false),
	/* wildcards that could cover a listed name */
	ROW("edge.bad.example", DNS, "*.bad.example", true),
	ROW("edge.bad.example", CN, "*.BAD.example", true),
	ROW("edge.bad.example", URI, "sip:*.bad.example", true),
	ROW("edge.bad.example", DNS, "e*.bad.example", true),
	ROW("edge.bad.example", DNS, "*e.bad.example", true),
	ROW("edge.bad.example", DNS, "e*d*e.bad.example", true),
	ROW("edge.bad.example", DNS, "*edge*.bad.example", true),
	ROW("edge.bad.example", DNS, "edge.*.example", true),
	ROW("edge.bad.example", DNS, "*.*.*", true),
	ROW("edge.bad.example", DNS, "edge.bad.*", true),
	ROW("edge.bad.example", DNS, "edge.bad.example*", true),
	ROW("edge.bad.example", DNS, "*.bad\0.example", true),
	ROW("edge.bad.example", DNS, "*", false),
	ROW("edge.bad.example", DNS, "*.example", false),
	ROW("edge.bad.example", DNS, "f*.bad.example", false),
	ROW("edge.bad.example", DNS, "*f.bad.example", false),
	ROW("edge.bad.example", DNS, "*.good.example", false),
	ROW("edge.bad.example", DNS, "*.bad.examples", false),
	ROW("edge.bad.example", DNS, "*.edge.bad.example", false),
	ROW("aab.bad.example", DNS, "*ab.bad.example", true),
	ROW("host", DNS, "*", true),
	ROW(".bad.example", DNS, "*.bad.example", true),
	ROW(".bad.example", DNS, "*.example", true),
	ROW(".bad.example", DNS, "edge.*.example", true),
	ROW(".bad.example", DNS, "a.b*.example", true),
	ROW(".bad.example", DNS, "a.c*.example", false),
	ROW(".bad.example", DNS, "*.good.example", false),
};
/* clang-format on */

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i / 2];
		enum reason wanted = row->blocked ? REASON_BLOCKED : REASON_OK;
		struct world w;

		world_make(&w);
		w.facts.n_names = 2;
		w.names[1] = name_of(row->type, row->value, row->len);
		if (i % 2 > 0)
			world_block(&w, "other.bad.example");
		world_block(&w, row->listed);
		if (world_judge(&w) != wanted)
			fail_msg("\"%s\" by \"%s\" (row %zu): %s", row->value, row->listed, i / 2,
				 reason_info(w.verdict.reason)->code);
	}
}

/* Only the end of a long name can be a listed domain; a name cannot be padded off the list. */
static void test_long_names(void **state)
{
	static char name[TRUST_NAMES_SIZE / 2];
	struct world w;

	(void)state;
	for (size_t pad = 0; pad < 2; pad++) {
		memset(name, pad ? '\0' : 'a', sizeof(name));
		memcpy(name + sizeof(name) - 12, ".bad.example", 12);
		for (size_t len = sizeof(name) - 12; len <= sizeof(name); len += 12) {
			world_make(&w);
			world_block(&w, ".bad.example");
			w.facts.n_names = 2;
			w.names[1] = name_of(TRUST_NAME_DNS, name, len);
			assert_int_equal(world_judge(&w),
					 len == sizeof(name) ? REASON_BLOCKED : REASON_OK);
		}
	}
	/* Every length around the room there is for a piece. */
	memset(name, 'a', sizeof(name));
	memcpy(name + sizeof(name) - 12, ".bad.example", 12);
	for (size_t len = 12; len < 2048; len++) {
		world_make(&w);
		world_block(&w, ".bad.example");
		w.names[0] = name_of(TRUST_NAME_DNS, name + sizeof(name) - len, len);
		assert_int_equal(world_judge(&w), REASON_BLOCKED);
	}
}

/* Many pieces are not compared for ever. */
static void test_many_pieces(void **state)
{
	static char name[TRUST_NAMES_SIZE / 2];
	static struct trust_name most[TRUST_NAMES_MAX];
	struct world w;
	char buf[1024] = "";
	struct text t = TEXT_INIT(buf);

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 > 0 ? ';' : '*';
	world_make(&w);
	w.facts.n_names = 2;
	w.names[1] = name_of(TRUST_NAME_URI, name, sizeof(name));
	assert_int_equal(world_judge(&w), REASON_OK);
	world_block(&w, "edge.bad.example");
	assert_int_equal(world_judge(&w), REASON_CERTIFICATE_TOO_LARGE);
	trust_verdict_text(&w.policy, &w.facts, &w.question, &w.verdict, &t);
	assert_null(strstr(buf, "blocked"));
	/* An honest leaf with all names there can be has fewer. */
	for (size_t i = 0; i < ARRAY_SIZE(most); i++)
		most[i] = name_of(TRUST_NAME_URI, "sip:sip.contoso.example:5061", 28);
	w.facts.names = most;
	w.facts.n_names = ARRAY_SIZE(most);
	w.entries[PARTNER].profile = TRUST_RFC5922;
	assert_int_equal(world_judge(&w), REASON_OK);
}

/* ---- fingerprints ---- */

static void test_fingerprints(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct world w;
		uint8_t *places[] = { w.certs[0].fingerprint, w.certs[1].fingerprint,
				      w.certs[2].fingerprint, w.paths[0].anchor_fingerprint,
				      w.paths[1].anchor_fingerprint };
		enum reason wanted = i < ARRAY_SIZE(places) ? REASON_BLOCKED : REASON_OK;

		world_make(&w);
		/* A certificate that is on no path, and a path that does not hold. */
		w.facts.n_certs = 3;
		w.facts.n_paths = 2;
		w.paths[1] = w.paths[0];
		w.paths[1].anchors = SITE;
		w.paths[1].outcome = TRUST_CHAIN_CONSTRAINT;
		w.policy.blocked_fingerprints = w.blocked_fingerprints;
		w.policy.n_blocked_fingerprints = 2;
		memset(w.blocked_fingerprints, 0x55, sizeof(w.blocked_fingerprints));
		w.blocked_fingerprints[1][31] = 0x56;
		assert_int_equal(world_judge(&w), REASON_OK);
		if (i < ARRAY_SIZE(places))
			memcpy(places[i], w.blocked_fingerprints[i % 2], 32);
		assert_int_equal(world_judge(&w), wanted);
		w.policy.n_blocked_fingerprints = 0;
		assert_int_equal(world_judge(&w), REASON_OK);
	}
}

/* No anchor, no fingerprint of it: zeros on the list meet nothing. */
static void test_no_anchor(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.certs[0].fingerprint[0] = w.certs[1].fingerprint[0] = 1;
	w.policy.blocked_fingerprints = w.blocked_fingerprints;
	w.policy.n_blocked_fingerprints = 1;
	w.paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA;
	w.paths[0].anchor_subject = NULL;
	assert_int_equal(world_judge(&w), REASON_UNKNOWN_CA);
}

/* ---- entries ---- */

static void test_entries(void **state)
{
	static const struct {
		const char *listed, *shown;
		uint32_t member; /* that was dialled; 2: they dialled us */
		enum reason reason;
	} cases[] = {
		/* of whom we dialled: the entry and that member, whatever the leaf says */
		{ "pool.hq.example", "a.hq.example", 0, REASON_BLOCKED },
		{ "a.hq.example", "pool.hq.example", 0, REASON_BLOCKED },
		{ ".hq.example", "pool.hq.example", 1, REASON_BLOCKED },
		{ "b.hq.example", "pool.hq.example", 0, REASON_OK },
		{ "b.hq.example", "other.example", 1, REASON_BLOCKED },
		{ "gw.hq.example", "pool.hq.example", 0, REASON_OK },
		/* of who calls: the entry that it claims to be */
		{ "pool.hq.example", "a.hq.example", 2, REASON_BLOCKED },
		{ "b.hq.example", "a.hq.example", 2, REASON_OK },
		{ "b.hq.example", "pool.hq.example", 2, REASON_OK },
		{ "gw.hq.example", "a.hq.example", 2, REASON_OK },
		{ "a.hq.example", "a.hq.example", 2, REASON_BLOCKED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		world_make(&w);
		w.paths[0].anchors = SITE;
		w.names[0] = name_of(TRUST_NAME_DNS, cases[i].shown, strlen(cases[i].shown));
		if (cases[i].member < 2)
			world_dial(&w, POOL, cases[i].member);
		world_block(&w, cases[i].listed);
		if (world_judge(&w) != cases[i].reason)
			fail_msg("%s shown, %s listed, %u: %s", cases[i].shown, cases[i].listed,
				 cases[i].member, reason_info(w.verdict.reason)->code);
	}
}

/* An entry that is gone is nobody's name; one that is there is refused without any certificate. */
static void test_dialled(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_block(&w, "gw.hq.example");
	world_dial(&w, N_ENTRIES, 0);
	assert_int_equal(world_judge(&w), REASON_NOT_IN_TOPOLOGY);
	world_dial(&w, PARTNER, 1);
	assert_int_equal(world_judge(&w), REASON_NOT_IN_TOPOLOGY);
	w.entries[POOL].n_members = 1;
	world_block(&w, "b.hq.example");
	world_dial(&w, POOL, 1);
	assert_int_equal(world_judge(&w), REASON_NOT_IN_TOPOLOGY);
	world_dial(&w, GATEWAY, 1);
	assert_int_equal(world_judge(&w), REASON_BLOCKED);
	w.facts = (struct trust_facts){ 0 };
	assert_int_equal(world_judge(&w), REASON_BLOCKED);
}

/* It ends sessions, too, and needs no discovered peers to be of use. */
static void test_wins(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_block(&w, ".contoso.example");
	w.question.live = true;
	assert_int_equal(world_judge(&w), REASON_BLOCKED);
	assert_int_equal(w.verdict.entry, TRUST_ENTRY_ANY);
	assert_int_equal(w.verdict.n_candidates, 0);
	assert_null(w.verdict.path);

	world_make(&w);
	world_open(&w);
	assert_int_equal(world_judge(&w), REASON_OK);
	world_block(&w, "sip.guest.example");
	assert_int_equal(world_judge(&w), REASON_BLOCKED);
}

/* ---- what is told ---- */

static void assert_tells(struct world *w, const char *what)
{
	char buf[2048] = "";
	struct text t = TEXT_INIT(buf);

	assert_int_equal(world_judge(w), REASON_BLOCKED);
	trust_verdict_text(&w->policy, &w->facts, &w->question, &w->verdict, &t);
	if (!strstr(buf, what))
		fail_msg("\"%s\" is not in: %s", what, buf);
}

static void test_text(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_block(&w, ".contoso.example");
	w.names[0] = name_of(TRUST_NAME_URI, "sip:edge.contoso.example\n", 25);
	assert_tells(&w, "; URI:sip:edge.contoso.example\\x0a is blocked by \".contoso.example\"; "
			 "certificate sha256 abcd0000");

	world_make(&w);
	world_block(&w, "gw.hq.example");
	world_dial(&w, GATEWAY, 0);
	assert_tells(&w, "; entry gw.hq.example is blocked by \"gw.hq.example\"");

	world_make(&w);
	w.policy.blocked_fingerprints = w.blocked_fingerprints;
	w.policy.n_blocked_fingerprints = 1;
	memcpy(w.blocked_fingerprints[0], w.certs[0].fingerprint, 32);
	assert_tells(&w, "; sha256 abcd000000000000000000000000000000000000000000000000000000000000"
			 " is blocked; certificate");
}

/* The list may have changed since the verdict: then there is nothing to tell of it. */
static void test_text_of_old_verdict(void **state)
{
	char buf[2048] = "";
	struct text t = TEXT_INIT(buf);
	struct world w;

	(void)state;
	world_make(&w);
	world_block(&w, ".contoso.example");
	assert_int_equal(world_judge(&w), REASON_BLOCKED);
	w.policy.n_blocked = 0;
	trust_verdict_text(&w.policy, &w.facts, &w.question, &w.verdict, &t);
	assert_non_null(strstr(buf, reason_info(REASON_BLOCKED)->text));
	assert_null(strstr(buf, " is blocked"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	    cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_many_pieces), cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_no_anchor),   cmocka_unit_test(test_entries),
		cmocka_unit_test(test_dialled),	    cmocka_unit_test(test_wins),
		cmocka_unit_test(test_text),	    cmocka_unit_test(test_text_of_old_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
