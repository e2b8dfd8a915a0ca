/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commands about topology, revocation, decisions and staged configurations. */

#include "ctl-server-testing.h"

static void test_topology(void **state)
{
	struct fixture *f = *state;
	json_t *document = json_of(f, ctl_topology, "topology");

	assert_int_equal(json_array_size(json_object_get(document, "entries")), 2);
	assert_true(json_is_array(json_object_get(document, "blocks")));
	json_decref(document);
	expect(f, ctl_topology, "topology", 0, "pool2.example.org", "");
	expect(f, ctl_topology, "topology", 0, "guests \\xff ", "");
	expect(f, ctl_topology, "topology --raw --output name,revocation,members,anchors", 0,
	       "pool2.example.org\trequire\tsip1.pool2.example.org 192.0.2.7:5061,"
	       "sip2.pool2.example.org\t1\n",
	       "");
	expect(f, ctl_topology, "topology pool2.example.org", 0, "entry: pool2.example.org\n", "");
	expect(f, ctl_topology, "topology SIP2.pool2.example.org", 0,
	       "  members: sip1.pool2.example.org 192.0.2.7:5061, sip2.pool2.example.org\n", "");
	expect(f, ctl_topology, "topology pool2.example.org", 0,
	       "  grace after next update: 1 hour\n", "");
	expect(f, ctl_topology, "topology nobody", CTL_FAILED, "", "no entry \"nobody\"");
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_refusals, "refusals --raw --output id,reason", 0,
	       "id\treason\n9\tplain-sip\n8\texpired\n7\tplain-sip\n6\texpired\n", "");
	expect(f, ctl_refusals, "refusals --raw --output id,what,repeated,subject", 0,
	       "id\twhat\trepeated\tsubject\n9\trefused\t0\t-\n"
	       "8\tended\t1\tCN=\\x1b[31mformer\n",
	       "");
	expect(f, ctl_refusals, "refusals", 0, "SUBJECT\n", "");
	expect(f, ctl_refusals, "refusals", 0, "unknown", "");
	expect(f, ctl_refusals, "refusals", 0, " ago", "");
	expect(f, ctl_refusals, "refusals --peer former.example.org --raw --output id", 0,
	       "id\n8\n6\n", "");
	expect(f, ctl_refusals, "refusals --peer pool2.example.org", 0, "no refusals", "");
	expect(f, ctl_refusals, "refusals --peer nobody", CTL_FAILED, "", "no entry \"nobody\"");
}

static void test_explain(void **state)
{
	static const char tree[] = "rules:\n"
				   "  the certificate\n"
				   "    ok     version\n"
				   "  pool2.example.org\n"
				   "    ok     chain\n"
				   "    FAILS  revocation: revoked: serial \"0a\"\n"
				   "    -      name\n";
	struct fixture *f = *state;
	json_t *document = json_of(f, ctl_explain, "explain 1");

	assert_int_equal(json_array_size(json_object_get(document, "rules")), 4);
	json_decref(document);
	expect(f, ctl_explain, "explain 1", 0, tree, "");
	expect(f, ctl_explain, "explain 1", 0,
	       "session: 1\n  verdict then: ok\n  verdict now: revoked (a certificate in the chain "
	       "is revoked)\n  what to do: ",
	       "");
	expect(f, ctl_explain, "explain 1", 0,
	       "    revocation: good, told by /etc/siptls/example.crl of ", "");
	expect(f, ctl_explain, "explain 1", 0, "  anchor CN=Example CA\n", "");
	/* What was made printable before stays as it is. */
	expect(f, ctl_explain, "explain 2", 0,
	       "refusal: 2\n  reason: plain-sip (the peer sent SIP without TLS)\n  what to do: ",
	       "");
	expect(f, ctl_explain, "explain 2", 0, "  in detail: found \"OPTIONS\\x0d\\x0a\"\n", "");
	expect(f, ctl_explain, "explain 3", 0,
	       "session: 3\n  no certificate of its peer has been judged\n", "");
	assert_null(strstr(f->output.out, "reason"));
	expect(f, ctl_explain, "explain 77", CTL_FAILED, "",
	       "there is no session and no refusal that is remembered under 77");
}

static void test_probe(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_probe, "probe pool2.example.org", 0, "probe: admitted\n", "");
	expect(f, ctl_probe, "probe pool2.example.org", 0, "  encrypted by: kernel\n", "");
	expect(f, ctl_probe, "probe pool2.example.org", 0, "chain:\n", "");
	expect(f, ctl_probe, "probe nobody", CTL_FAILED, "", "or nothing to dial");
}

static void test_probe_refused(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_probe, "probe pool2.example.org", CTL_FAILED,
	       "probe: refused\n  reason: expired\n  meaning: ", "");
	assert_int_equal(command(ctl_probe, &f->json, "probe pool2.example.org", &f->output),
			 CTL_FAILED);
	assert_non_null(strstr(f->output.out, "\"admitted\": false"));
	expect(f, ctl_preview, "preview --crl /x", CTL_FAILED, "", "/x: cannot be read \\x1b[2J");
	/* What was staged for a dry run is dropped also when there is no preview. */
	expect(f, ctl_reload, "reload --dry-run", CTL_FAILED, "", "no preview");
	expect(f, ctl_abort, "abort", CTL_FAILED, "", "nothing is staged");
}

static void test_preview(void **state)
{
	struct fixture *f = *state;
	json_t *document = json_of(f, ctl_preview, "preview --staged --output id");

	assert_int_equal(json_array_size(json_object_get(document, "lines")), 2);
	assert_int_equal(json_array_size(json_object_get(document, "sessions")), SESSIONS);
	json_decref(document);
	document = json_of(f, ctl_preview, "preview --at @1900000000 --output id");
	assert_null(json_object_get(document, "lines"));
	json_decref(document);
	expect(f, ctl_preview, "preview --staged", 0,
	       "difference:\n  adds pool pool0.example.org\n", "");
	expect(f, ctl_preview, "preview --at 2030-01-01T00:00:00Z", 0,
	       "sessions that would end: 1200\n", "");
	expect(f, ctl_preview, "preview --at @1900000000 --raw --output id,reason", 0,
	       "id\treason\n1\tnot-in-topology\n2\tanchor-removed\n",
	       "sessions that would end: 1200\n");
	expect(f, ctl_preview, "preview --staged --raw --output id", 0, "id\n1\n2\n",
	       "difference:\n  adds pool pool0.example.org\n");
	assert_null(strstr(f->output.out, "difference"));
}

static void test_reload_dry_run(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_reload, "reload --dry-run", 0, "  adds pool pool1.example.org\n", "");
	expect(f, ctl_reload, "reload --dry-run", 0, "anchor-removed", "");
	expect(f, ctl_reload, "reload --dry-run", 0, "\nnothing has changed, this was a dry run\n",
	       "");
	json_decref(json_of(f, ctl_reload, "reload --dry-run --output id"));
	/* And so nothing is left of it. */
	expect(f, ctl_commit, "commit", CTL_FAILED, "", "nothing is staged");
}

static void test_reload_dry_run_refused(void **state)
{
	expect(*state, ctl_reload, "reload --dry-run", CTL_FAILED, "",
	       "/etc/siptls/topology.conf:12: expected");
}

/* What somebody else has staged survives. */
static void test_reload_dry_run_staged(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_reload, "reload --dry-run", CTL_FAILED, "", "would drop what is staged");
	expect(f, ctl_summary, "summary", 0, "  staged: a configuration waits", "");
	expect(f, ctl_abort, "abort", 0, "dropped", "");
}

static void test_stage(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_stage, "stage", 0, "generation 4, staged\ndifference:\n", "");
	expect(f, ctl_stage, "stage", 0, "staged, not in force: siptlsctl commit [--at TIME]", "");
	expect(f, ctl_commit, "commit --at @4000000000", 0,
	       "will be put in force 2096-10-02 07:06:40 UTC", "");
	expect(f, ctl_summary, "summary", 0, "it will be put in force 2096-", "");
	assert_null(strstr(f->output.err, "warning"));
	expect(f, ctl_commit, "commit", 0, "in force: generation 3\n", "warning: /etc/siptls/");
	expect(f, ctl_abort, "abort", CTL_FAILED, "",
	       "nothing is staged; siptlsctl stage prepares");
}

static void test_revocation(void **state)
{
	struct fixture *f = *state;
	json_t *document = json_of(f, ctl_revocation, "revocation");

	assert_int_equal(json_array_size(json_object_get(document, "crls")), 2);
	assert_int_equal(json_array_size(json_object_get(document, "sources")), 2);
	json_decref(document);
	expect(f, ctl_revocation, "revocation", 0, "in 3 days ", "");
	expect(f, ctl_revocation, "revocation", 0, "no route", "");
	expect(f, ctl_revocation, "revocation", 0, "http://crl.example.net/\\x1b ", "");
	expect(f, ctl_revocation, "revocation --refresh --raw --output source,entries", 0,
	       "source\tentries\n/etc/siptls/example.crl\t17\nhttp://crl.example.net/\\x1b\t0\n",
	       "every source is being read");
}

static void test_certificates(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_certificates, "certificates --raw --output kind,not_after,left_s,warned", 0,
	       "identity\t1700000000\t-86400\tyes\nanchor\t-\t-\tno\n", "");
	expect(f, ctl_certificates, "certificates", 0, "never", "");
	expect(f, ctl_certificates, "certificates", 0, " 0b\n", "");
}

static void test_usage(void **state)
{
	static const struct {
		ctl_command_fn fn;
		const char *line, *says;
	} wrong[] = {
		{ ctl_topology, "topology a b", "fewer operands" },
		{ ctl_topology, "topology a --raw", "for the whole list" },
		{ ctl_topology, "topology --output nothing", "no column \"nothing\"" },
		{ ctl_topology, "topology --peer x", "no such option: \"--peer\"" },
		{ ctl_refusals, "refusals x", "fewer operands" },
		{ ctl_refusals, "refusals --peer", "\"--peer\" needs a value" },
		{ ctl_explain, "explain", "expected one ID" },
		{ ctl_explain, "explain x", "expected an id" },
		{ ctl_explain, "explain 1 2", "expected one ID" },
		{ ctl_explain, "explain 1 --at @5", "expected one ID" },
		{ ctl_explain, "explain --as-peer x --direction in", "expected one ID" },
		{ ctl_explain, "explain --chain x", "needs --as-peer NAME" },
		{ ctl_explain, "explain --chain x --as-peer y --direction up", "in|out" },
		{ ctl_probe, "probe", "needs an operand" },
		{ ctl_probe, "probe a b", "fewer operands" },
		{ ctl_preview, "preview", "expected one of" },
		{ ctl_preview, "preview --staged --at @5", "expected one of" },
		{ ctl_preview, "preview --staged --crl x", "expected one of" },
		{ ctl_preview, "preview --at yesterday", "found \"yesterday\"" },
		{ ctl_preview, "preview --at 1969-12-31T23:59:59Z", "after 1970" },
		{ ctl_stage, "stage x", "fewer operands" },
		{ ctl_commit, "commit --at", "needs a value" },
		{ ctl_commit, "commit --at soon", "expected 2027" },
		{ ctl_commit, "commit --at @5", "that is to come" },
		{ ctl_abort, "abort --at @5", "no such option" },
		{ ctl_revocation, "revocation --refresh=yes", "no such option: \"--refresh\"" },
		{ ctl_certificates, "certificates --json --raw", "either --json or --raw" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(command(wrong[i].fn, &f->context, wrong[i].line, &f->output),
				 CTL_USAGE);
		assert_string_equal(f->output.out, "");
		if (!strstr(f->output.err, wrong[i].says))
			fail_msg("%s: %s", wrong[i].line, f->output.err);
		/* One line, and no quotes but these. */
		assert_null(strchr(f->output.err, '\''));
		assert_ptr_equal(strchr(f->output.err, '\n'),
				 f->output.err + strlen(f->output.err) - 1);
	}
}

int main(void)
{
#define TEST(fn, setup) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_topology, setup),
		TEST(test_refusals, setup),
		TEST(test_explain, setup),
		TEST(test_probe, setup),
		TEST(test_probe_refused, setup_refusing),
		TEST(test_preview, setup),
		TEST(test_reload_dry_run, setup),
		TEST(test_reload_dry_run_refused, setup_broken),
		TEST(test_reload_dry_run_staged, setup_staged),
		TEST(test_stage, setup),
		TEST(test_revocation, setup),
		TEST(test_certificates, setup),
		TEST(test_usage, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
