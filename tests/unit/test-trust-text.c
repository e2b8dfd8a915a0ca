/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The line for the operator, the words of the configuration, and the end of facts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

static char line[4096];

static const char *explain(struct world *w)
{
	struct text t = TEXT_INIT(line);

	line[0] = '\0';
	(void)world_judge(w);
	trust_verdict_text(&w->policy, &w->facts, &w->question, &w->verdict, &t);
	return line;
}

static void assert_tells(const char *what)
{
	if (!strstr(line, what))
		fail_msg("\"%s\" is not in: %s", what, line);
}

static void test_accepted(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	explain(&w);
	assert_tells("accepted as server sip.contoso.example (profile rfc9525)");
	assert_tells("anchored by partner contoso, \"CN=root\"");
	assert_tells("sha256 abcd0000");
	assert_tells("serial \"0A\" subject \"CN=peer\" issuer \"CN=issuing\"");
	assert_tells("by DNS:sip.contoso.example");
	assert_null(strstr(line, "tried"));
	assert_null(strchr(line, '\n'));
}

static void test_refused(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_dial(&w, POOL, 1);
	w.paths[0].anchors = SITE;
	w.names[1] = name_of(TRUST_NAME_CN, "a.hq.example", 12);
	w.facts.n_names = 2;
	explain(&w);
	assert_tells("the certificate does not name the expected peer: pool pool.hq.example");
	assert_tells("expected pool.hq.example, b.hq.example");
	assert_tells("found DNS:sip.contoso.example, CN:a.hq.example");
	assert_tells("anchored by site headquarters");
}

static void test_candidates(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.names[1] = name_of(TRUST_NAME_DNS, "gw.hq.example", 13);
	w.facts.n_names = 2;
	w.entries[PARTNER].directions = 0;
	explain(&w);
	assert_tells(
		"tried gw.hq.example: foreign-ca-internal-name, sip.contoso.example: direction");
	/* An entry that admits a peer whom another refused is worth a word, too. */
	w.entries[PARTNER].directions = TRUST_INBOUND;
	explain(&w);
	assert_tells("accepted as");
	assert_tells("tried gw.hq.example: foreign-ca-internal-name;");
}

/* Whose anchors they are is told by the section they stand in. */
static void test_discovered(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	world_open(&w);
	explain(&w);
	assert_tells("accepted as discovered guests (profile rfc9525)");
	assert_tells("anchored by discovered guests, \"CN=root\"");
	assert_tells("by DNS:sip.guest.example");
	w.paths[0].anchors = CONTOSO;
	explain(&w);
	assert_tells("no topology entry claims a name of this certificate: discovered guests");
	assert_tells("expected a name of its own; anchored by partner contoso");
}

static void test_no_certificate(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.facts = (struct trust_facts){ 0 };
	explain(&w);
	assert_string_equal(line, reason_info(REASON_NO_CERTIFICATE)->text);
}

static void test_no_names(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.facts.n_names = 0;
	explain(&w);
	assert_tells("found no name");
}

/* A certificate cannot draw on the terminal, start a new line, or push our own words out. */
static void test_hostile_bytes(void **state)
{
	static char longest[TRUST_NAMES_SIZE];
	char small[16];
	struct text t = TEXT_INIT(small);
	struct world w;

	(void)state;
	world_make(&w);
	w.names[0] = name_of(TRUST_NAME_DNS, "a\0b\x1b[2J\r\n\"\xff", 11);
	w.certs[0].subject = text("CN=\x1b]0;x\x07\n");
	explain(&w);
	assert_tells("DNS:a\\x00b\\x1b[2J\\x0d\\x0a");
	assert_tells("subject \"CN=\\x1b]0;x\\x07\\x0a\"");
	for (const char *p = line; *p; p++)
		assert_in_range(*p, 0x20, 0x7e);

	world_make(&w);
	memset(longest, 'a', sizeof(longest));
	w.names[0] = name_of(TRUST_NAME_DNS, longest, sizeof(longest));
	w.certs[0].subject = NULL;
	world_dial(&w, PARTNER, 0);
	explain(&w);
	assert_tells("expected sip.contoso.example");
	assert_tells("aaa...");
	assert_tells("subject \"\"");
	assert_true(strlen(line) < 1500);

	small[0] = '\0';
	trust_verdict_text(&w.policy, &w.facts, &w.question, &w.verdict, &t);
	assert_int_equal(strlen(small), sizeof(small) - 1);
}

static void test_many_names(void **state)
{
	struct trust_name names[20];
	struct trust_member members[20];
	struct world w;

	(void)state;
	world_make(&w);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		names[i] = name_of(TRUST_NAME_DNS, "gw.hq.example", 13);
		members[i] = (struct trust_member){ .name = text("m.hq.example") };
	}
	w.facts.names = names;
	w.facts.n_names = ARRAY_SIZE(names);
	w.entries[GATEWAY].members = members;
	w.entries[GATEWAY].n_members = ARRAY_SIZE(members);
	explain(&w);
	assert_tells("m.hq.example and 12 more; anchored");
	assert_tells("gw.hq.example and 12 more");
}

static void test_words(void **state)
{
	static const char *const kinds[] = { "pool",	 "application", "server", "domain",
					     "provider", "discovered",	NULL };
	static const char *const revocations[] = { "off", "check", "require", NULL };
	static const char *const locates[] = { "host", "sips", "sipfederationtls", NULL };
	static const char *const standings[] = { "off",	    "good",    "stale", "unsupported",
						 "unknown", "revoked", NULL };
	static const char *const profiles[] = { "rfc5922", "rfc9525", "pool", NULL };
	static const char *const usages[] = { "tls", "tls-any", "sip", "ignore", NULL };
	static const struct {
		const char *const *found, *const *wanted;
		size_t n;
	} tables[] = {
		{ trust_kind_names, kinds, _TRUST_KIND_MAX },
		{ trust_profile_names, profiles, _TRUST_PROFILE_MAX },
		{ trust_usage_names, usages, _TRUST_USAGE_MAX },
		{ trust_revocation_names, revocations, _TRUST_REVOCATION_MAX },
		{ trust_locate_names, locates, _TRUST_LOCATE_MAX },
		{ trust_standing_names, standings, _TRUST_STANDING_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (size_t k = 0; k < tables[i].n; k++)
			assert_string_equal(tables[i].found[k], tables[i].wanted[k]);
		assert_null(tables[i].found[tables[i].n]);
	}
}

static void test_entry_find(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	assert_int_equal(trust_entry_find(&w.policy, "pool.hq.example"), POOL);
	assert_int_equal(trust_entry_find(&w.policy, "SIP.Fabrikam.Example"), OTHER);
	assert_int_equal(trust_entry_find(&w.policy, "a.hq.example"), -1);
	assert_int_equal(trust_entry_find(&w.policy, ""), -1);
}

/* Safe on nothing, on half-built facts, and twice. The leak checker counts the rest. */
static void test_done(void **state)
{
	struct trust_facts facts = { 0 };

	(void)state;
	trust_facts_done(&facts);
	facts.n_certs = facts.n_names = facts.n_paths = 3;
	trust_facts_done(&facts);
	facts.certs = calloc(2, sizeof(*facts.certs));
	facts.names = calloc(2, sizeof(*facts.names));
	facts.paths = calloc(2, sizeof(*facts.paths));
	assert_true(facts.certs && facts.names && facts.paths);
	facts.n_certs = facts.n_names = facts.n_paths = 2;
	facts.certs[0].subject = strdup("s");
	facts.certs[0].issuer = strdup("i");
	facts.certs[1].serial = strdup("n");
	/* The counter of a certificate that is half read may not be right yet. */
	facts.certs[0].crl_urls[0] = strdup("http:");
	facts.certs[1].crl_urls[TRUST_URLS_MAX - 1] = strdup("https:");
	facts.names[1].value = strdup("v");
	facts.paths[0].anchor_subject = strdup("a");
	trust_facts_done(&facts);
	assert_null(facts.certs);
	assert_int_equal(facts.n_paths, 0);
	trust_facts_done(&facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),       cmocka_unit_test(test_refused),
		cmocka_unit_test(test_candidates),     cmocka_unit_test(test_discovered),
		cmocka_unit_test(test_no_certificate), cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_hostile_bytes),  cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_words),	       cmocka_unit_test(test_entry_find),
		cmocka_unit_test(test_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
