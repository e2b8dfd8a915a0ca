/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls as bytes in and answers as bytes out, against a table of sessions that is only a table. */

#include "control-testing.h"

static void test_errors(void **state)
{
	static const struct {
		const char *call, *error, *key, *value;
	} cases[] = {
		{ "{\"method\":\"org.siptls.Nothing\"}", SERVICE "MethodNotFound", "method",
		  "org.siptls.Nothing" },
		{ "{\"method\":\"org.example.GetInfo\"}", SERVICE "InterfaceNotFound", "interface",
		  "org.example" },
		{ "{\"method\":\"\"}", SERVICE "InterfaceNotFound", "interface", "" },
		{ "{\"method\":\"GetInfo\"}", SERVICE "InterfaceNotFound", "interface", "" },
		{ "{\"method\":\"org.siptls.getsummary\"}", SERVICE "MethodNotFound", NULL, NULL },
		{ "{\"method\":\"org.siptls.GetSummary\",\"parameters\":{\"x\":1}}",
		  SERVICE "InvalidParameter", "parameter", "x" },
		{ "{\"method\":\"org.siptls.GetSession\"}", SERVICE "InvalidParameter", "parameter",
		  "id" },
		{ "{\"method\":\"org.siptls.GetSession\",\"parameters\":{\"id\":null}}",
		  SERVICE "InvalidParameter", "parameter", "id" },
		{ "{\"method\":\"org.siptls.GetSession\",\"parameters\":{\"id\":-1}}",
		  SERVICE "InvalidParameter", "parameter", "id" },
		{ "{\"method\":\"org.siptls.GetSession\",\"parameters\":{\"id\":1.0}}",
		  SERVICE "InvalidParameter", "parameter", "id" },
		{ "{\"method\":\"org.siptls.GetSession\",\"parameters\":{\"id\":\"1\"}}",
		  SERVICE "InvalidParameter", "parameter", "id" },
		{ "{\"method\":\"org.siptls.GetSession\",\"parameters\":{\"id\":1,\"ID\":1}}",
		  SERVICE "InvalidParameter", "parameter", "ID" },
		{ "{\"method\":\"org.siptls.GetSession\",\"parameters\":{\"id\":77}}",
		  "org.siptls.SessionNotFound", NULL, NULL },
		{ "{\"method\":\"org.siptls.CloseSessions\",\"parameters\":{\"ids\":1}}",
		  SERVICE "InvalidParameter", "parameter", "ids" },
		{ "{\"method\":\"org.siptls.ListSessions\",\"parameters\":{\"peer\":\"\"}}",
		  SERVICE "InvalidParameter", "parameter", "peer" },
		{ "{\"method\":\"org.siptls.ListSessions\",\"parameters\":{\"peer\":\"x\"}}",
		  "org.siptls.PeerNotFound", "peer", "x" },
		{ "{\"method\":\"org.siptls.LookupBackend\",\"parameters\":{\"address\":\"x\"}}",
		  SERVICE "InvalidParameter", "parameter", "address" },
		{ "{\"method\":\"org.siptls.LookupBackend\",\"parameters\":{\"address\":"
		  "\"127.0.0.1:0\"}}",
		  SERVICE "InvalidParameter", "parameter", "address" },
		{ "{\"method\":\"org.siptls.LookupBackend\",\"parameters\":{\"address\":"
		  "\"127.0.0.1:9\"}}",
		  "org.siptls.SessionNotFound", "address", "127.0.0.1:9" },
		{ "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{"
		  "\"interface\":\"org.sipt\"}}",
		  SERVICE "InterfaceNotFound", "interface", "org.sipt" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_error(*state, cases[i].call, cases[i].error, cases[i].key, cases[i].value);
}

static void test_broken(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(push(f, "{\"method\":1}"), CONTROL_E_BROKEN);
	assert_true(control_output_empty(&f->x.out));
}

static void test_permission(void **state)
{
	static const char close[] =
		"{\"method\":\"org.siptls.CloseSessions\",\"parameters\":{\"ids\":[1]}}";
	struct fixture *f = *state;

	(void)fake_add(&f->sessions, 1);
	f->x.right = CONTROL_LOOK;
	expect_error(f, close, SERVICE "PermissionDenied", NULL, NULL);
	/* Before parameters are looked at. */
	expect_error(f, "{\"method\":\"org.siptls.CloseSessions\"}", SERVICE "PermissionDenied",
		     NULL, NULL);
	f->x.right = CONTROL_OPERATE;
	expect_error(f, "{\"method\":\"org.siptls.Reload\"}", SERVICE "PermissionDenied", NULL,
		     NULL);
	assert_int_equal(f->sessions.n, 1);
	assert_int_equal(f->sessions.reloads, 0);
	assert_int_equal(f->operated, 0);
	json_decref(ask(f, close));
	assert_int_equal(f->sessions.n, 0);
	assert_int_equal(f->operated, 1);
}

/* What the SIP server dials goes to one port of ours; its own end tells sessions apart. */
static void test_lookup_dialled(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *session;

	for (uint64_t id = 1; id <= 2; id++) {
		struct session_view *view = fake_add(&f->sessions, id);

		view->dialled = true;
		view->backend = fake_address("127.0.0.1", (uint16_t)(50000 + id));
		view->backend_local = fake_address("127.0.0.1", 15060);
	}
	answer = ask(f, "{\"method\":\"org.siptls.LookupBackend\",\"parameters\":{\"address\":"
			"\"127.0.0.1:50002\"}}");
	session = json_object_get(json_object_get(answer, "parameters"), "session");
	assert_int_equal(int_at(session, "id"), 2);
	expect_error(f,
		     "{\"method\":\"org.siptls.LookupBackend\",\"parameters\":{\"address\":"
		     "\"127.0.0.1:15060\"}}",
		     "org.siptls.SessionNotFound", "address", "127.0.0.1:15060");
}

static void test_session(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *session;

	(void)fake_add(&f->sessions, 1);
	(void)fake_add(&f->sessions, 122);
	answer = ask(f, "{\"method\":\"org.siptls.LookupBackend\",\"parameters\":{\"address\":"
			"\"127.0.0.1:40122\"}}");
	session = json_object_get(json_object_get(answer, "parameters"), "session");
	assert_int_equal(int_at(session, "id"), 122);
	assert_string_equal(text_at(session, "state"), "relaying");
	assert_string_equal(text_at(session, "direction"), "in");
	assert_true(json_is_true(json_object_get(session, "authenticated")));
	assert_string_equal(text_at(session, "remote"), "192.0.2.7:40122");
	assert_string_equal(text_at(session, "version"), "TLS 1.3");
	assert_string_equal(text_at(session, "cipher"), "AES-256-GCM");
	assert_string_equal(text_at(session, "mode"), "kernel");
	assert_string_equal(text_at(session, "cookie"), "18446744073709551493");
	assert_int_equal(int_at(session, "bytes_out"), 2000);
	assert_int_equal(int_at(session, "generation"), 3);
	assert_null(json_object_get(session, "sni"));
	assert_null(json_object_get(session, "kernel_why"));
}

/* What is not known yet is left out, not zero. */
static void test_session_early(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *session;

	f->sessions.views[f->sessions.n++] = (struct session_view){ .id = 5,
								    .state = SESSION_HANDSHAKING,
								    .via = "servers",
								    .dialled = true,
								    .started_ms = UINT64_MAX };
	answer = ask(f, "{\"method\":\"org.siptls.GetSession\",\"parameters\":{\"id\":5}}");
	session = json_object_get(json_object_get(answer, "parameters"), "session");
	assert_string_equal(text_at(session, "direction"), "out");
	assert_int_equal(int_at(session, "age_s"), 0);
	assert_int_equal(json_object_size(session), 7);
	assert_null(json_object_get(session, "mode"));
	assert_null(json_object_get(session, "expires"));
}

static void test_session_hostile(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *session;

	fake_add(&f->sessions, 1)->subject = "CN=\xff\x1b[31m\"";
	f->sessions.views[0].issuer = "O=M\xc3\xbcller";
	answer = ask(f, "{\"method\":\"org.siptls.GetSession\",\"parameters\":{\"id\":1}}");
	session = json_object_get(json_object_get(answer, "parameters"), "session");
	assert_string_equal(text_at(session, "subject"), "CN=\\xff\\x1b[31m\"");
	assert_string_equal(text_at(session, "issuer"), "O=M\xc3\xbcller");
}

static void test_close(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL, *expected = NULL;

	(void)fake_add(&f->sessions, 1);
	(void)fake_add(&f->sessions, 2);
	/* One wrong id, and nothing is closed. */
	expect_error(f,
		     "{\"method\":\"org.siptls.CloseSessions\",\"parameters\":{\"ids\":[1,\"2\"]}}",
		     SERVICE "InvalidParameter", "parameter", "ids");
	assert_int_equal(f->sessions.n, 2);
	answer = ask(f,
		     "{\"method\":\"org.siptls.CloseSessions\",\"parameters\":{\"ids\":[2,9,2]}}");
	expected = json_pack("{s:{s:[i], s:[i,i]}}", "parameters", "closed", 2, "unknown", 9, 2);
	assert_true(json_equal(answer, expected));
	assert_int_equal(f->sessions.closed[0], 2);
}

static void test_summary(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = ask(f, "{\"method\":\"org.siptls.GetSummary\"}");
	const json_t *summary = json_object_get(json_object_get(answer, "parameters"), "summary");
	const json_t *kernel = json_object_get(summary, "kernel");
	_cleanup_json_ json_t *ended = json_pack("{s:i}", "expired", 3);

	assert_int_equal(int_at(summary, "serial"), 42);
	assert_int_equal(int_at(json_object_get(summary, "totals"), "admitted"), 7);
	assert_int_equal(int_at(json_object_get(summary, "sessions"), "handles"), 0);
	assert_true(json_equal(json_object_get(summary, "ended"), ended));
	assert_true(json_is_true(json_object_get(kernel, "ulp")));
	assert_int_equal(json_array_size(json_object_get(kernel, "tls12")), 1);
	assert_int_equal(json_array_size(json_object_get(kernel, "tls13")), 2);
}

static void test_peers_and_ports(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *peers = NULL, *ports = NULL;
	const json_t *list;

	f->sessions.n_peers = 2;
	peers = ask(f, "{\"method\":\"org.siptls.ListPeers\"}");
	list = json_object_get(json_object_get(peers, "parameters"), "peers");
	assert_int_equal(json_array_size(list), 2);
	assert_null(json_object_get(json_array_get(list, 0), "last_refusal"));
	assert_string_equal(text_at(json_array_get(list, 1), "last_refusal"), "expired");
	ports = ask(f, "{\"method\":\"org.siptls.ListPorts\",\"more\":true}");
	list = json_object_get(json_object_get(ports, "parameters"), "ports");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text_at(json_array_get(list, 0), "address"), "0.0.0.0:5061");
	assert_string_equal(text_at(json_array_get(list, 1), "kind"), "dial");
}

/* Read a whole stream and check that its ids are 1, 2, ... @n without @skipped. */
static void expect_stream(struct fixture *f, uint64_t n, uint64_t skipped)
{
	uint64_t expected = 0;
	bool continues;

	do {
		_cleanup_json_ json_t *answer = take(f);
		const json_t *list =
			json_object_get(json_object_get(answer, "parameters"), "sessions");

		continues = json_is_true(json_object_get(answer, "continues"));
		assert_int_equal(control_exchange_ready(&f->x), continues);
		for (size_t i = 0; i < json_array_size(list); i++) {
			expected += expected + 1 == skipped ? 2 : 1;
			assert_int_equal(int_at(json_array_get(list, i), "id"), expected);
		}
		assert_int_equal(control_exchange_run(&f->x), 0);
	} while (continues);
	assert_int_equal(expected, n);
	assert_true(control_output_empty(&f->x.out));
}

static void test_stream(void **state)
{
	struct fixture *f = *state;
	struct control_output *out = &f->x.out;
	bool continues = true;
	size_t n = 0;

	for (uint64_t id = 1; id <= 5000; id++)
		(void)fake_add(&f->sessions, id);
	assert_int_equal(push(f, "{\"method\":\"org.siptls.ListSessions\",\"more\":true}"), 0);
	assert_in_range(out->len, 1, CONTROL_BATCH_SIZE + 4096);
	/* A second call waits for the end of the first. */
	assert_int_equal(push(f, "{\"method\":\"org.siptls.GetSummary\"}"), 0);
	/* Sessions that end while the stream goes on. */
	assert_true(sessions_close(&f->sessions, 1, REASON_ADMIN_CLOSED));
	assert_true(sessions_close(&f->sessions, 4000, REASON_ADMIN_CLOSED));
	while (continues) {
		_cleanup_json_ json_t *answer = take(f);

		n += json_array_size(
			json_object_get(json_object_get(answer, "parameters"), "sessions"));
		continues = json_is_true(json_object_get(answer, "continues"));
		assert_int_equal(control_exchange_run(&f->x), 0);
	}
	assert_int_equal(n, 4999);
	json_decref(take(f));
	assert_int_equal(push(f, "{\"method\":\"org.siptls.GetSummary\"}"), 0);
	json_decref(take(f));
}

static void test_stream_in_order(void **state)
{
	struct fixture *f = *state;

	for (uint64_t id = 1; id <= 1000; id++) {
		if (id != 500)
			(void)fake_add(&f->sessions, id);
	}
	assert_int_equal(push(f, "{\"method\":\"org.siptls.ListSessions\",\"more\":true}"), 0);
	expect_stream(f, 1000, 500);
}

static void test_stream_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(push(f, "{\"method\":\"org.siptls.ListSessions\",\"more\":true}"), 0);
	expect_stream(f, 0, 0);
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;

	for (uint64_t id = 1; id <= 500; id++)
		(void)fake_add(&f->sessions, id);
	answer = ask(f, "{\"method\":\"org.siptls.ListSessions\"}");
	assert_int_equal(json_array_size(json_object_get(json_object_get(answer, "parameters"),
							 "sessions")),
			 500);
	for (uint64_t id = 501; id <= 5000; id++)
		(void)fake_add(&f->sessions, id);
	expect_error(f, "{\"method\":\"org.siptls.ListSessions\"}", SERVICE "ExpectedMore", NULL,
		     NULL);
}

static void test_filter(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;

	(void)fake_add(&f->sessions, 1);
	fake_add(&f->sessions, 2)->peer = "other.example.org";
	fake_add(&f->sessions, 3)->peer = NULL;
	answer = ask(f, "{\"method\":\"org.siptls.ListSessions\",\"parameters\":{\"peer\":"
			"\"Other.example.org\"}}");
	assert_int_equal(json_array_size(json_object_get(json_object_get(answer, "parameters"),
							 "sessions")),
			 1);
}

static void test_pipelined(void **state)
{
	struct fixture *f = *state;

	/* Nothing is answered for a oneway call, and the next call is carried out all the same. */
	(void)fake_add(&f->sessions, 1);
	assert_int_equal(push(f, "{\"method\":\"org.siptls.CloseSessions\",\"parameters\":{\"ids\":"
				 "[1]},\"oneway\":true}"),
			 0);
	assert_true(control_output_empty(&f->x.out));
	assert_int_equal(f->sessions.n, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(push(f, "{\"method\":\"org.siptls.GetSummary\"}"), 0);
	for (int i = 0; i < 3; i++) {
		json_decref(take(f));
		assert_int_equal(control_exchange_ready(&f->x), i < 2);
		assert_int_equal(control_exchange_run(&f->x), 0);
	}
	assert_true(control_output_empty(&f->x.out));
}

static void test_reload(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *now = NULL, *later = NULL;

	now = ask(f, "{\"method\":\"org.siptls.Reload\"}");
	assert_string_equal(text_at(json_object_get(now, "parameters"), "summary"), "generation 4");
	f->sessions.reload_later = true;
	assert_int_equal(push(f, "{\"method\":\"org.siptls.Reload\"}"), 0);
	assert_int_equal(push(f, "{\"method\":\"org.siptls.GetSummary\"}"), 0);
	assert_int_equal(f->x.phase, CONTROL_WAITING);
	assert_true(control_output_empty(&f->x.out));
	f->woken = 0;
	f->sessions.reload_fn(f->sessions.reload_userdata, NULL, "generation 5");
	assert_int_equal(f->woken, 1);
	later = take(f);
	assert_string_equal(text_at(json_object_get(later, "parameters"), "summary"),
			    "generation 5");
	assert_int_equal(control_exchange_run(&f->x), 0);
	json_decref(take(f));
}

static void test_reload_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *answer = NULL;
	const json_t *parameters;

	conf_error_set(&f->sessions.reload_error, "/etc/siptls/topology.conf", 12,
		       "found \"\xff\"");
	answer = ask(f, "{\"method\":\"org.siptls.Reload\"}");
	parameters = json_object_get(answer, "parameters");
	assert_string_equal(text_at(answer, "error"), "org.siptls.ConfigurationInvalid");
	assert_string_equal(text_at(parameters, "file"), "/etc/siptls/topology.conf");
	assert_int_equal(int_at(parameters, "line"), 12);
	assert_true(strlen(text_at(parameters, "text")) > 0);
}

static void test_reload_caller_gone(void **state)
{
	struct fixture *f = *state;

	f->sessions.reload_later = true;
	assert_int_equal(push(f, "{\"method\":\"org.siptls.Reload\"}"), 0);
	control_exchange_done(&f->x);
	assert_int_equal(f->sessions.forgotten, 1);
	control_exchange_init(&f->x, &f->sessions, CONTROL_LOOK, &ops, f);
}

static json_t *description_of(struct fixture *f, const char *interface)
{
	char call[256];

	snprintf(call, sizeof(call),
		 "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		 "{\"interface\":\"%s\"}}",
		 interface);
	return ask(f, call);
}

/* Every method, type and error that can be met is described, and in the grammar's shape. */
static void test_description(void **state)
{
	struct fixture *f = *state;

	for (const struct control_interface *i = control_interfaces; i->name; i++) {
		_cleanup_json_ json_t *answer = description_of(f, i->name);
		const char *text = text_at(json_object_get(answer, "parameters"), "description");
		size_t prefix = strlen(i->name);
		char line[256];

		for (const struct control_method *m = control_methods; m->name; m++) {
			if (strncmp(m->name, i->name, prefix) != 0 || m->name[prefix] != '.')
				continue;
			snprintf(line, sizeof(line), "\nmethod %s(", m->name + prefix + 1);
			assert_non_null(strstr(text, line));
			assert_non_null(strstr(text, m->text));
		}
		for (const struct control_error *e = i->errors; e->name; e++) {
			snprintf(line, sizeof(line), "\nerror %s (", e->name);
			assert_non_null(strstr(text, line));
		}
		snprintf(line, sizeof(line), "\ninterface %s\n", i->name);
		assert_non_null(strstr(text, line));
		assert_null(strstr(text, ",\n)"));
	}
}

/* No member of an answer is without a line in the description. */
static void test_description_members(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *described = description_of(f, "org.siptls");
	const char *text = text_at(json_object_get(described, "parameters"), "description");
	_cleanup_json_ json_t *session = NULL, *summary = NULL;
	struct session_view *view = fake_add(&f->sessions, 1);
	struct sessions_summary figures;
	const char *key;
	json_t *value;

	view->sni = view->kernel_why = "x";
	view->ends = 1;
	view->ends_reason = REASON_EXPIRED;
	sessions_summary(&f->sessions, &figures);
	assert_int_equal(control_session_make(view, 5000, &session), 0);
	assert_int_equal(control_summary_make(&figures, 5000, &summary), 0);
	assert_int_equal(json_object_size(session), 43);
	json_object_foreach (session, key, value) {
		char line[64];

		snprintf(line, sizeof(line), "\n\t%s: ", key);
		assert_non_null(strstr(text, line));
	}
	json_object_foreach (summary, key, value) {
		char line[64];

		snprintf(line, sizeof(line), "\n\t%s: ", key);
		assert_non_null(strstr(text, line));
	}
}

static void test_info(void **state)
{
	_cleanup_json_ json_t *answer = ask(*state, "{\"method\":\"org.varlink.service.GetInfo\"}");
	const json_t *info = json_object_get(answer, "parameters");

	assert_string_equal(text_at(info, "product"), "siptlsd");
	assert_int_equal(json_array_size(json_object_get(info, "interfaces")), 2);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_errors),
		TEST(test_broken),
		TEST(test_permission),
		TEST(test_session),
		TEST(test_lookup_dialled),
		TEST(test_session_early),
		TEST(test_session_hostile),
		TEST(test_close),
		TEST(test_summary),
		TEST(test_peers_and_ports),
		TEST(test_stream),
		TEST(test_stream_in_order),
		TEST(test_stream_empty),
		TEST(test_too_many),
		TEST(test_filter),
		TEST(test_pipelined),
		TEST(test_reload),
		TEST(test_reload_refused),
		TEST(test_reload_caller_gone),
		TEST(test_description),
		TEST(test_description_members),
		TEST(test_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
