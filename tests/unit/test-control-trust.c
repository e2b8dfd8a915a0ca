/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods about topology, revocation, decisions and staged configurations. */

#include "control-testing.h"

/* The parameters of the answer to a call of @method; the caller's. */
static json_t *call(struct fixture *f, const char *method, const char *parameters, bool more)
{
	char text[1024];
	json_t *answer, *result;

	snprintf(text, sizeof(text), "{\"method\":\"org.siptls.%s\",\"parameters\":%s%s}", method,
		 parameters, more ? ",\"more\":true" : "");
	answer = ask(f, text);
	if (json_object_get(answer, "error"))
		fail_msg("%s: %s", text, text_at(answer, "error"));
	result = json_incref(json_object_get(answer, "parameters"));
	json_decref(answer);
	return result;
}

/* A whole list, in parts; *ret_parts is how many there were. */
static json_t *list(struct fixture *f, const char *method, const char *parameters, const char *name,
		    unsigned int *ret_parts)
{
	char text[1024];
	json_t *all = json_array();
	bool continues = true;

	snprintf(text, sizeof(text),
		 "{\"method\":\"org.siptls.%s\",\"parameters\":%s,\"more\":true}", method,
		 parameters);
	assert_int_equal(push(f, text), 0);
	for (*ret_parts = 0; continues; ++*ret_parts) {
		json_t *answer = take(f);
		json_t *items = json_object_get(json_object_get(answer, "parameters"), name);

		if (!json_is_array(items))
			fail_msg("%s: %s", method, text_at(answer, "error"));
		assert_int_equal(json_array_extend(all, items), 0);
		continues = json_is_true(json_object_get(answer, "continues"));
		json_decref(answer);
		assert_int_equal(control_exchange_run(&f->x), 0);
	}
	assert_int_equal(f->x.phase, CONTROL_IDLE);
	return all;
}

/* ---- hostile and wrong ---- */

#define CALL(method, parameters)                                                                   \
	"{\"method\":\"org.siptls." method "\",\"parameters\":" parameters "}"

static void test_wrong_parameters(void **state)
{
	static const struct {
		const char *call, *parameter;
	} cases[] = {
		{ CALL("Preview", "{}"), "staged" },
		{ CALL("Preview", "{\"staged\":false}"), "staged" },
		{ CALL("Preview", "{\"staged\":null}"), "staged" },
		{ CALL("Preview", "{\"staged\":1}"), "staged" },
		{ CALL("Preview", "{\"staged\":\"true\"}"), "staged" },
		{ CALL("Preview", "{\"staged\":true,\"at\":5}"), "at" },
		{ CALL("Preview", "{\"at\":-5}"), "at" },
		{ CALL("Preview", "{\"at\":1.5}"), "at" },
		{ CALL("Preview", "{\"at\":5,\"crl\":\"/x\"}"), "at" },
		{ CALL("Preview", "{\"crl\":\"x\"}"), "crl" },
		{ CALL("Preview", "{\"crl\":\"\"}"), "crl" },
		{ CALL("Preview", "{\"crl\":[]}"), "crl" },
		{ CALL("Preview", "{\"crl\":\"/x\",\"staged\":true}"), "crl" },
		{ CALL("Preview", "{\"at\":5,\"AT\":5}"), "AT" },
		{ CALL("Probe", "{}"), "peer" },
		{ CALL("Probe", "{\"peer\":\"\"}"), "peer" },
		{ CALL("Probe", "{\"peer\":{}}"), "peer" },
		{ CALL("Explain", "{}"), "id" },
		{ CALL("Explain", "{\"id\":-1}"), "id" },
		{ CALL("Explain", "{\"id\":\"1\"}"), "id" },
		{ CALL("Commit", "{\"at\":-1}"), "at" },
		{ CALL("Commit", "{\"at\":\"now\"}"), "at" },
		{ CALL("Commit", "{\"force\":true}"), "force" },
		{ CALL("Stage", "{\"path\":\"/etc/shadow\"}"), "path" },
		{ CALL("GetEntry", "{}"), "name" },
		{ CALL("GetEntry", "{\"name\":7}"), "name" },
		{ CALL("ListRefusals", "{\"peer\":\"\"}"), "peer" },
		{ CALL("ListCrls", "{\"x\":1}"), "x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_error(*state, cases[i].call, SERVICE "InvalidParameter", "parameter",
			     cases[i].parameter);
}

/* A path longer than any file's is not handed on. */
static void test_long_path(void **state)
{
	char call_text[REVOCATION_SOURCE_MAX + 200], path[REVOCATION_SOURCE_MAX + 2];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	snprintf(call_text, sizeof(call_text), CALL("Preview", "{\"crl\":\"%s\"}"), path);
	expect_error(*state, call_text, SERVICE "InvalidParameter", "parameter", "crl");
}

static void test_not_found(void **state)
{
	struct fixture *f = *state;

	expect_error(f, CALL("Probe", "{\"peer\":\"nobody\"}"), "org.siptls.PeerNotFound", "peer",
		     "nobody");
	expect_error(f, CALL("GetEntry", "{\"name\":\"nobody\"}"), "org.siptls.PeerNotFound",
		     "peer", "nobody");
	expect_error(f, CALL("ListRefusals", "{\"peer\":\"nobody\"}"), "org.siptls.PeerNotFound",
		     "peer", "nobody");
	expect_error(f, CALL("Explain", "{\"id\":77}"), "org.siptls.SessionNotFound", NULL, NULL);
	expect_error(f, CALL("Commit", "{}"), "org.siptls.NothingStaged", NULL, NULL);
	expect_error(f, CALL("Abort", "{}"), "org.siptls.NothingStaged", NULL, NULL);
}

static void test_permission(void **state)
{
	static const char *const operate[] = { CALL("Probe", "{\"peer\":\"pool2.example.org\"}"),
					       CALL("RefreshRevocation", "{}") };
	static const char *const administer[] = { CALL("Stage", "{}"), CALL("Commit", "{}"),
						  CALL("Abort", "{}"),
						  CALL("Preview", "{\"crl\":\"/etc/shadow\"}") };
	struct fixture *f = *state;

	f->x.right = CONTROL_LOOK;
	for (size_t i = 0; i < ARRAY_SIZE(operate); i++)
		expect_error(f, operate[i], SERVICE "PermissionDenied", NULL, NULL);
	f->x.right = CONTROL_OPERATE;
	for (size_t i = 0; i < ARRAY_SIZE(administer); i++)
		expect_error(f, administer[i], SERVICE "PermissionDenied", NULL, NULL);
	assert_int_equal(f->sessions.refreshed, 0);
	assert_int_equal(f->sessions.staged, 0);
	assert_null(f->sessions.preview.crl_path);
	json_decref(call(f, "RefreshRevocation", "{}", false));
	assert_int_equal(f->sessions.refreshed, 1);
	assert_int_equal(f->operated, 1);
}

/* ---- topology ---- */

static void test_entries(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *entries, *pool, *guests, *members;

	f->sessions.n_peers = 1;
	answer = call(f, "ListEntries", "{}", false);
	entries = json_object_get(answer, "entries");
	assert_int_equal(json_array_size(entries), 2);
	pool = json_array_get(entries, 0);
	assert_string_equal(text_at(pool, "name"), "pool2.example.org");
	assert_string_equal(text_at(pool, "kind"), "pool");
	assert_string_equal(text_at(pool, "revocation"), "require");
	assert_string_equal(text_at(pool, "direction"), "both");
	assert_true(json_is_true(json_object_get(pool, "self")));
	assert_int_equal(int_at(pool, "anchors"), 1);
	assert_int_equal(int_at(pool, "crl_grace_s"), 3600);
	assert_null(json_object_get(pool, "rate_bytes"));
	assert_null(json_object_get(pool, "rate"));
	assert_int_equal(json_array_size(json_object_get(pool, "domains")), 2);
	members = json_object_get(pool, "members");
	assert_int_equal(json_array_size(members), 2);
	assert_string_equal(text_at(json_array_get(members, 0), "address"), "192.0.2.7:5061");
	assert_null(json_object_get(json_array_get(members, 1), "address"));
	guests = json_array_get(entries, 1);
	assert_string_equal(text_at(guests, "name"), "guests \\xff");
	assert_string_equal(text_at(guests, "rate"), "guests");
	assert_int_equal(int_at(guests, "rate_burst"), 65536);
	assert_null(json_object_get(guests, "members"));
}

static void test_entry(void **state)
{
	static const char *const names[] = { "{\"name\":\"Pool2.Example.ORG\"}",
					     "{\"name\":\"sip2.pool2.example.org\"}" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_json_ json_t *answer = call(*state, "GetEntry", names[i], false);

		assert_string_equal(text_at(json_object_get(answer, "entry"), "name"),
				    "pool2.example.org");
	}
}

static void test_entries_in_parts(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *all = NULL;
	unsigned int parts;

	f->sessions.n_entries = 5000;
	f->sessions.n_peers = 10;
	all = list(f, "ListEntries", "{}", "entries", &parts);
	assert_int_equal(json_array_size(all), 5002);
	assert_true(parts > 1);
	expect_error(f, CALL("ListEntries", "{}"), SERVICE "ExpectedMore", NULL, NULL);
}

static void test_blocks(void **state)
{
	char *names[] = { (char[]){ "edge.bad.example" }, (char[]){ ".bad.example" } };
	uint8_t fingerprints[1][32] = { { 0xab } };
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *blocks;

	f->sessions.conf.trust.blocked = names;
	f->sessions.conf.trust.n_blocked = 2;
	f->sessions.conf.trust.blocked_fingerprints = fingerprints;
	f->sessions.conf.trust.n_blocked_fingerprints = 1;
	answer = call(f, "ListBlocks", "{}", false);
	blocks = json_object_get(answer, "blocks");
	assert_int_equal(json_array_size(blocks), 3);
	assert_string_equal(text_at(json_array_get(blocks, 1), "name"), ".bad.example");
	assert_int_equal(strlen(text_at(json_array_get(blocks, 2), "fingerprint")), 64);
	assert_memory_equal(text_at(json_array_get(blocks, 2), "fingerprint"), "ab00", 4);
}

/* ---- certificates and revocation ---- */

static void test_certificates(void **state)
{
	_cleanup_json_ json_t *answer = call(*state, "ListCertificates", "{}", true);
	const json_t *rows = json_object_get(answer, "certificates");
	const json_t *leaf = json_array_get(rows, 0), *anchor = json_array_get(rows, 1);

	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(text_at(leaf, "kind"), "identity");
	assert_int_equal(int_at(leaf, "left_s"), -86400);
	assert_true(json_is_true(json_object_get(leaf, "warned")));
	assert_string_equal(text_at(anchor, "kind"), "anchor");
	/* A certificate without an end has none, instead of the largest number. */
	assert_null(json_object_get(anchor, "not_after"));
	assert_null(json_object_get(anchor, "left_s"));
}

static void test_crls(void **state)
{
	_cleanup_json_ json_t *crls = call(*state, "ListCrls", "{}", false);
	_cleanup_json_ json_t *sources = call(*state, "ListSources", "{}", false);
	const json_t *crl = json_array_get(json_object_get(crls, "crls"), 0);
	const json_t *source = json_array_get(json_object_get(sources, "sources"), 1);

	assert_string_equal(text_at(crl, "number"), "1f");
	assert_string_equal(text_at(crl, "state"),
			    revocation_crl_state_names[REVOCATION_CRL_VERIFIED]);
	assert_int_equal(int_at(crl, "entries"), 17);
	crl = json_array_get(json_object_get(crls, "crls"), 1);
	assert_null(json_object_get(crl, "next_update"));
	assert_string_equal(text_at(crl, "detail"), "delta");
	assert_true(json_is_false(json_object_get(source, "ok")));
	assert_int_equal(int_at(source, "failures"), 4);
	assert_string_equal(text_at(source, "detail"), "no route");
}

static void test_warnings(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *all = NULL;
	unsigned int parts;

	f->sessions.n_warnings = 20000;
	all = list(f, "ListWarnings", "{}", "warnings", &parts);
	assert_int_equal(json_array_size(all), 20000);
	assert_true(parts > 1);
}

/* ---- refusals ---- */

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL, *of_one = NULL;
	const json_t *rows;

	f->sessions.n_refusals = 4;
	f->sessions.newest_refusal = 100;
	answer = call(f, "ListRefusals", "{}", false);
	rows = json_object_get(answer, "refusals");
	assert_int_equal(json_array_size(rows), 4);
	assert_int_equal(int_at(json_array_get(rows, 0), "id"), 100);
	assert_string_equal(text_at(json_array_get(rows, 0), "reason"), "plain-sip");
	assert_null(json_object_get(json_array_get(rows, 0), "peer"));
	/* One that the topology does not know any more, but refusals are left of it. */
	of_one = call(f, "ListRefusals", "{\"peer\":\"Former.example.org\"}", false);
	assert_int_equal(json_array_size(json_object_get(of_one, "refusals")), 2);
	assert_string_equal(text_at(json_array_get(rows, 0), "what"), "refused");
	assert_string_equal(text_at(json_array_get(rows, 1), "what"), "ended");
	assert_int_equal(int_at(json_array_get(rows, 1), "repeated"), 1);
}

/* More are refused while the list is told: nothing is told twice, and nothing old is missed. */
static void test_refusals_in_parts(void **state)
{
	struct fixture *f = *state;
	json_int_t expected = 2000;
	bool continues = true;

	f->sessions.n_refusals = 2000;
	f->sessions.newest_refusal = 2000;
	assert_int_equal(push(f, CALL("ListRefusals", "{},\"more\":true")), 0);
	while (continues) {
		_cleanup_json_ json_t *answer = take(f);
		const json_t *rows =
			json_object_get(json_object_get(answer, "parameters"), "refusals");

		for (size_t i = 0; i < json_array_size(rows); i++)
			assert_int_equal(int_at(json_array_get(rows, i), "id"), expected--);
		continues = json_is_true(json_object_get(answer, "continues"));
		f->sessions.newest_refusal += 3;
		f->sessions.n_refusals += 3;
		assert_int_equal(control_exchange_run(&f->x), 0);
	}
	assert_int_equal(expected, 0);
}

/* The one that the list stands at has been pushed out by newer ones: so has everything behind it.
 */
static void test_refusals_forgotten(void **state)
{
	struct fixture *f = *state;

	f->sessions.n_refusals = 2000;
	f->sessions.newest_refusal = 2000;
	assert_int_equal(push(f, CALL("ListRefusals", "{},\"more\":true")), 0);
	f->sessions.newest_refusal = 10000;
	json_decref(take(f));
	assert_int_equal(control_exchange_run(&f->x), 0);
	{
		_cleanup_json_ json_t *answer = take(f);

		assert_null(json_object_get(answer, "continues"));
		assert_int_equal(json_array_size(
					 json_object_get(json_object_get(answer, "parameters"),
							 "refusals")),
				 0);
	}
}

/* ---- explanations ---- */

static void test_explain(void **state)
{
	_cleanup_json_ json_t *answer = call(*state, "Explain", "{\"id\":1}", false);
	const json_t *explanation = json_object_get(answer, "explanation");
	const json_t *links = json_object_get(answer, "links");
	const json_t *rules = json_object_get(answer, "rules");

	assert_string_equal(text_at(explanation, "then"), "ok");
	assert_string_equal(text_at(explanation, "now"), "revoked");
	assert_true(json_is_true(json_object_get(explanation, "live")));
	assert_int_equal(json_array_size(links), 2);
	assert_string_equal(text_at(json_array_get(links, 0), "status"), "good");
	assert_true(json_is_true(json_object_get(json_array_get(links, 1), "anchor")));
	assert_null(json_object_get(json_array_get(links, 1), "status"));
	assert_int_equal(json_array_size(rules), 4);
	assert_null(json_object_get(json_array_get(rules, 0), "entry"));
	assert_string_equal(text_at(json_array_get(rules, 2), "outcome"), "fails");
	assert_string_equal(text_at(json_array_get(rules, 2), "reason"), "revoked");
	assert_string_equal(text_at(json_array_get(rules, 3), "outcome"), "not-reached");
	assert_null(json_object_get(json_array_get(rules, 3), "reason"));
	assert_null(json_object_get(answer, "left_out"));
}

static void test_explain_not_judged(void **state)
{
	_cleanup_json_ json_t *answer = call(*state, "Explain", "{\"id\":2}", false);
	const json_t *explanation = json_object_get(answer, "explanation");

	assert_true(json_is_false(json_object_get(explanation, "judged")));
	assert_string_equal(text_at(explanation, "then"), "plain-sip");
	assert_string_equal(text_at(explanation, "detail"), "found \"OPTIONS\\x0d\\x0a\"");
	assert_null(json_object_get(explanation, "now"));
	assert_int_equal(json_array_size(json_object_get(answer, "rules")), 0);
}

static void test_explain_bounded(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;

	f->sessions.n_rules = 100000;
	answer = call(f, "Explain", "{\"id\":1}", false);
	assert_int_equal(json_array_size(json_object_get(answer, "rules")) +
				 (size_t)int_at(answer, "left_out"),
			 100004);
	assert_true(json_array_size(json_object_get(answer, "rules")) < 10000);
}

/* ---- probe ---- */

#define PROBE CALL("Probe", "{\"peer\":\"pool2.example.org\"}")

static void expect_probe(const json_t *answer, bool admitted, const char *reason)
{
	const json_t *parameters = json_object_get(answer, "parameters");

	assert_int_equal(json_is_true(json_object_get(parameters, "admitted")), admitted);
	assert_string_equal(text_at(parameters, "reason"), reason);
	assert_int_equal(json_array_size(json_object_get(parameters, "links")), 2);
	assert_true(json_is_object(json_object_get(parameters, "session")));
}

static void test_probe(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *good = NULL, *bad = NULL;

	(void)fake_add(&f->sessions, 1);
	good = ask(f, PROBE);
	expect_probe(good, true, "ok");
	f->sessions.probe_reason = REASON_EXPIRED;
	bad = ask(f, PROBE);
	expect_probe(bad, false, "expired");
	assert_non_null(json_object_get(json_object_get(bad, "parameters"), "detail"));
}

static void test_probe_later(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;

	(void)fake_add(&f->sessions, 1);
	f->sessions.ask_later = true;
	assert_int_equal(push(f, PROBE), 0);
	/* The next call waits, and an unknown peer is answered without waiting. */
	assert_int_equal(push(f, CALL("Probe", "{\"peer\":\"nobody\"}")), 0);
	assert_int_equal(f->x.phase, CONTROL_WAITING);
	assert_true(control_output_empty(&f->x.out));
	fake_probe_answer(&f->sessions, f->sessions.probe_ops, f->sessions.ask_userdata);
	f->sessions.ask_userdata = NULL;
	assert_int_equal(f->woken, 1);
	answer = take(f);
	expect_probe(answer, true, "ok");
	assert_int_equal(control_exchange_run(&f->x), 0);
	json_decref(take(f));
	assert_int_equal(f->x.phase, CONTROL_IDLE);
}

/* ---- gone while an answer is under way ---- */

static void test_caller_gone(void **state)
{
	static const char *const calls[] = { PROBE, CALL("Preview", "{\"crl\":\"/x\"}"),
					     CALL("Stage", "{}") };
	struct fixture *f = *state;

	f->sessions.ask_later = f->sessions.reload_later = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(push(f, calls[i]), 0);
		assert_int_equal(f->x.phase, CONTROL_WAITING);
		control_exchange_done(&f->x);
		assert_int_equal(f->sessions.forgotten, i + 1);
		assert_null(f->sessions.ask_userdata);
		assert_null(f->sessions.reload_userdata);
		control_exchange_init(&f->x, &f->sessions, CONTROL_ADMINISTER, &ops, f);
	}
}

/* ---- two phases ---- */

static void test_stage(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *staged = NULL, *later = NULL, *committed = NULL, *again = NULL;

	staged = call(f, "Stage", "{}", false);
	assert_string_equal(text_at(staged, "summary"), "generation 4, staged");
	later = call(f, "Commit", "{\"at\":2000000000}", false);
	assert_int_equal(int_at(later, "commit_at"), 2000000000);
	assert_int_equal(f->sessions.committed_at, 2000000000);
	committed = call(f, "Commit", "{\"at\":null}", false);
	assert_null(json_object_get(committed, "commit_at"));
	assert_int_equal(int_at(committed, "generation"), 3);
	expect_error(f, CALL("Commit", "{}"), "org.siptls.NothingStaged", NULL, NULL);
	again = call(f, "Stage", "{}", false);
	json_decref(call(f, "Abort", "{}", false));
	assert_int_equal(f->sessions.aborted, 1);
	assert_int_equal(f->operated, 6);
}

static void test_stage_refused(void **state)
{
	struct fixture *f = *state;

	conf_error_set(&f->sessions.reload_error, "/etc/siptls/topology.conf", 0, "empty");
	expect_error(f, CALL("Stage", "{}"), "org.siptls.ConfigurationInvalid", "text", "empty");
	expect_error(f, CALL("Commit", "{}"), "org.siptls.NothingStaged", NULL, NULL);
}

/* ---- previews ---- */

static void test_preview(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *staged = NULL, *at = NULL, *crl = NULL;
	const json_t *sessions;

	(void)fake_add(&f->sessions, 1);
	(void)fake_add(&f->sessions, 2);
	f->sessions.n_lines = 3;
	staged = call(f, "Preview", "{\"staged\":true}", false);
	assert_int_equal(f->sessions.preview.what, SESSION_PREVIEW_STAGED);
	assert_int_equal(json_array_size(json_object_get(staged, "lines")), 3);
	sessions = json_object_get(staged, "sessions");
	assert_int_equal(json_array_size(sessions), 2);
	assert_int_equal(int_at(json_array_get(sessions, 1), "id"), 2);
	assert_string_equal(text_at(json_array_get(sessions, 1), "reason"), "anchor-removed");
	assert_string_equal(text_at(json_array_get(sessions, 1), "peer"), "pool2.example.org");

	at = call(f, "Preview", "{\"at\":1900000000}", false);
	assert_int_equal(f->sessions.preview.what, SESSION_PREVIEW_TIME);
	assert_int_equal(f->sessions.preview.at, 1900000000);
	crl = call(f, "Preview", "{\"crl\":\"/tmp/new.crl\"}", false);
	assert_int_equal(f->sessions.preview.what, SESSION_PREVIEW_CRL);
}

static void test_preview_failed(void **state)
{
	struct fixture *f = *state;

	f->sessions.preview_error = "no such file \xff";
	expect_error(f, CALL("Preview", "{\"crl\":\"/x\"}"), "org.siptls.PreviewFailed", "text",
		     "/x: no such file \\xff");
	expect_error(f, CALL("Preview", "{\"staged\":true}"), "org.siptls.PreviewFailed", "text",
		     "no such file \\xff");
}

/* As many as the table holds, told in parts while some of them end. */
static void test_preview_in_parts(void **state)
{
	struct fixture *f = *state;
	size_t lines = 0, sessions = 0;
	bool continues = true;

	for (uint64_t id = 1; id <= FAKE_MAX; id++)
		(void)fake_add(&f->sessions, id);
	f->sessions.n_lines = 5000;
	f->sessions.ask_later = true;
	assert_int_equal(push(f, CALL("Preview", "{\"staged\":true},\"more\":true")), 0);
	assert_int_equal(f->x.phase, CONTROL_WAITING);
	fake_preview_answer(&f->sessions, f->sessions.preview_ops, f->sessions.ask_userdata);
	f->sessions.ask_userdata = NULL;
	/* One that has been told and one that has not. */
	assert_true(sessions_close(&f->sessions, FAKE_MAX, REASON_ADMIN_CLOSED));
	while (continues) {
		_cleanup_json_ json_t *answer = take(f);
		const json_t *parameters = json_object_get(answer, "parameters");

		lines += json_array_size(json_object_get(parameters, "lines"));
		sessions += json_array_size(json_object_get(parameters, "sessions"));
		continues = json_is_true(json_object_get(answer, "continues"));
		assert_true(f->x.out.len < 2 * CONTROL_BATCH_SIZE);
		assert_int_equal(control_exchange_run(&f->x), 0);
	}
	assert_int_equal(lines, 5000);
	assert_int_equal(sessions, FAKE_MAX - 1);
	assert_null(f->x.preview);

	f->sessions.ask_later = false;
	expect_error(f, CALL("Preview", "{\"staged\":true}"), SERVICE "ExpectedMore", NULL, NULL);
	assert_null(f->x.preview);
}

/* A difference beyond all measure is cut, and that is told. */
static void test_preview_lines_bounded(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *lines = NULL;
	unsigned int parts;

	f->sessions.n_lines = 100000;
	lines = list(f, "Preview", "{\"staged\":true}", "lines", &parts);
	assert_true(json_array_size(lines) < 50000);
	assert_non_null(strstr(json_string_value(json_array_get(lines, json_array_size(lines) - 1)),
			       " more"));
}

/* ---- the description ---- */

/* Every member of every answer has its line, and every type that a method gives is described. */
static void test_described(void **state)
{
	static const struct {
		const char *method, *parameters;
	} calls[] = {
		{ "ListEntries", "{}" },
		{ "ListCertificates", "{}" },
		{ "ListCrls", "{}" },
		{ "ListSources", "{}" },
		{ "ListRefusals", "{}" },
		{ "Explain", "{\"id\":1}" },
		{ "Preview", "{\"staged\":true}" },
		{ "GetSummary", "{}" },
	};
	struct fixture *f = *state;
	const struct control_interface *interface = control_interface_find("org.siptls", 10);
	_cleanup_free_ char *text = NULL;

	(void)fake_add(&f->sessions, 1);
	f->sessions.n_refusals = 2;
	f->sessions.newest_refusal = 2;
	assert_int_equal(control_interface_describe(interface, &text), 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		_cleanup_json_ json_t *answer =
			call(f, calls[i].method, calls[i].parameters, false);
		const char *name, *key;
		json_t *member, *value;

		json_object_foreach (answer, name, member) {
			json_t *row = json_is_array(member) ? json_array_get(member, 0) : member;

			json_object_foreach (row, key, value) {
				char line[64];

				snprintf(line, sizeof(line), "\n\t%s: ", key);
				if (!strstr(text, line))
					fail_msg("%s is not described", key);
			}
		}
	}
	assert_non_null(strstr(text, "\n\tmembers: ?[]Member"));
	assert_non_null(strstr(text, "\n\tdomains: ?[]string"));
	assert_non_null(strstr(text, "method Preview(staged: ?bool, at: ?int, crl: ?string) -> ("));
}

/* What a method says it gives is a type that is described. */
static void test_types_described(void **state _unused_)
{
	const struct control_interface *interface = control_interface_find("org.siptls", 10);

	for (const struct control_method *m = control_methods; m->name; m++) {
		for (const char *p = m->returns; *p; p++) {
			size_t len =
				strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
			bool found = false;

			if (len == 0 || *p > 'Z')
				continue;
			for (size_t i = 0; interface->types[i]; i++)
				found |= strlen(interface->types[i]->name) == len &&
					 memcmp(interface->types[i]->name, p, len) == 0;
			if (!found)
				fail_msg("%s: %s", m->name, p);
			p += len - 1;
		}
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_wrong_parameters),
		TEST(test_long_path),
		TEST(test_not_found),
		TEST(test_permission),
		TEST(test_entries),
		TEST(test_entry),
		TEST(test_entries_in_parts),
		TEST(test_blocks),
		TEST(test_certificates),
		TEST(test_crls),
		TEST(test_warnings),
		TEST(test_refusals),
		TEST(test_refusals_in_parts),
		TEST(test_refusals_forgotten),
		TEST(test_explain),
		TEST(test_explain_not_judged),
		TEST(test_explain_bounded),
		TEST(test_probe),
		TEST(test_probe_later),
		TEST(test_caller_gone),
		TEST(test_stage),
		TEST(test_stage_refused),
		TEST(test_preview),
		TEST(test_preview_failed),
		TEST(test_preview_in_parts),
		TEST(test_preview_lines_bounded),
		TEST(test_described),
		TEST(test_types_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
