/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The two configuration files: what good ones mean, and that each mistake is told with its file,
 * line, what was expected and what was found. A mistake is a good file with one place changed.
 */

#include "conf-testing.h"

static const char good_daemon[] = "topology = \"net/topology.conf\"\n" /* 1 */
				  "kernel = \"require\"\n"
				  "workers = 4\n"
				  "relay_threads = 3\n"
				  "control {\n" /* 5 */
				  "	socket = \"/tmp/control\"\n"
				  "	group = \"adm\"\n"
				  "}\n"
				  "limits {\n"
				  "	handshake_timeout = \"500ms\"\n" /* 10 */
				  "	connect_timeout = \"2m\"\n"
				  "	half_close_timeout = \"1h\"\n"
				  "	unauthenticated = 7\n"
				  "	unauthenticated_per_source = 6\n"
				  "	sessions = 5\n" /* 15 */
				  "}\n"
				  "/* two\n"
				  "   lines */ identity \"main\" {\n"
				  "	certificate = \"a.pem\"\n"
				  "	key = \"/keys/a.key\"\n" /* 20 */
				  "}\n"
				  "identity \"other\" {\n"
				  "	certificate = \"b.pem\" key = \"b.key\"\n"
				  "}\n"
				  "listen \"trunk\" {\n" /* 25 */
				  "	address = {\"192.0.2.1:5061\",\n"
				  "		   \"[2001:db8::1]:5061\"}\n"
				  "	identity = {\"other\", \"main\"}\n"
				  "	backend = \"127.0.0.1:5060\"\n"
				  "	proxy_protocol = \"v2\"\n" /* 30 */
				  "	tls12 = false\n"
				  "}\n"
				  "listen \"phones\" {\n"
				  "	kind = \"client\"\n"
				  "	address = \"0.0.0.0:0\"\n" /* 35 */
				  "	backend = \"127.0.0.1:5060\"\n"
				  "	tls12 = true\n"
				  "}\n"
				  "dial \"to-b\" {\n"
				  "	address = {\"127.0.0.1:15060\", \"[::1]:15060\"}\n" /* 40 */
				  "	peer = \"Pool-B.example.com\"\n"
				  "	identity = \"other\"\n"
				  "}\n"
				  "dial \"to-gw\" {\n"
				  "	address = {\"192.0.2.1:15061\"}\n" /* 45 */
				  "	public = true\n"
				  "	peer = \"fe9.gw.example.com\"\n"
				  "	connect = \"192.0.2.99:5061\"\n"
				  "}\n";

static const char good_topology[] = "serial = 9223372036854775807 # the largest\n" /* 1 */
				    "depth = 16\n"
				    "site \"hq\" {\n"
				    "	anchors = {\"ca1.pem\", \"../ca2.pem\"}\n"
				    "	pool \"pool-b.example.com\" {\n" /* 5 */
				    "		member \"pool-b.example.com\" { }\n"
				    "		member \"FE2.b.example.com\" { address = "
				    "\"192.0.2.2:5061\" }\n"
				    "		profile = \"rfc5922\"\n"
				    "	}\n"
				    "	application \"gw.example.com\" {\n" /* 10 */
				    "		member \"fe9.gw.example.com\" { }\n"
				    "		profile = \"rfc9525\"\n"
				    "		key_usage = \"tls-any\"\n"
				    "		wildcard = true\n"
				    "		tls12 = true\n" /* 15 */
				    "		direction = \"inbound\"\n"
				    "	}\n"
				    "	application \"app.example.com\" {\n"
				    "		address = \"192.0.2.20:5061\"\n"
				    "	}\n" /* 20 */
				    "}\n"
				    "partner \"contoso\" {\n"
				    "	anchors = {\"contoso.pem\"}\n"
				    "	server \"xn--edge-5qa.contoso.example\" {\n"
				    "		direction = \"outbound\"\n" /* 25 */
				    "	}\n"
				    "}\n";

/* ---- good files ---- */

static void test_all_options(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);

	assert_string_equal(conf->path, DAEMON);
	assert_string_equal(conf->topology_path, TOPOLOGY);
	assert_int_equal(conf->kernel, CONF_KERNEL_REQUIRE);
	assert_int_equal(conf->workers, 4);
	assert_int_equal(conf->relay_threads, 3);
	assert_string_equal(conf->control_path, "/tmp/control");
	assert_string_equal(conf->control_group, "adm");
	assert_int_equal(conf->limits.handshake_timeout_ms, 500);
	assert_int_equal(conf->limits.connect_timeout_ms, 120000);
	assert_int_equal(conf->limits.half_close_timeout_ms, 3600000);
	assert_int_equal(conf->limits.unauthenticated, 7);
	assert_int_equal(conf->limits.unauthenticated_per_source, 6);
	assert_int_equal(conf->limits.sessions, 5);

	assert_int_equal(conf->n_identities, 2);
	assert_string_equal(conf->identities[0].name, "main");
	assert_string_equal(conf->identities[0].certificate, "/etc/siptls/a.pem");
	assert_string_equal(conf->identities[0].key, "/keys/a.key");
	assert_int_equal(conf->identities[0].line_certificate, 19);
	assert_int_equal(conf->identities[0].line_key, 20);

	conf = conf_free(conf);
	assert_null(conf);
}

static void test_ports(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);
	const struct conf_listener *trunk = &conf->listeners[0], *phones = &conf->listeners[1];

	assert_int_equal(conf->n_listeners, 2);
	assert_string_equal(trunk->name, "trunk");
	assert_int_equal(trunk->kind, CONF_LISTENER_MUTUAL);
	assert_int_equal(trunk->n_addresses, 2);
	assert_addr(&trunk->addresses[0], "192.0.2.1:5061");
	assert_addr(&trunk->addresses[1], "[2001:db8::1]:5061");
	assert_int_equal(trunk->n_identities, 2);
	assert_int_equal(trunk->identities[0], 1);
	assert_int_equal(trunk->identities[1], 0);
	assert_addr(&trunk->backend, "127.0.0.1:5060");
	assert_int_equal(trunk->proxy, NET_PROXY_V2);
	assert_false(trunk->tls12);
	assert_int_equal(trunk->line, 25);
	assert_int_equal(phones->kind, CONF_LISTENER_CLIENT);
	assert_addr(&phones->addresses[0], "0.0.0.0:0");
	assert_int_equal(phones->n_identities, 1);
	assert_int_equal(phones->identities[0], 0);
	assert_int_equal(phones->proxy, NET_PROXY_NONE);
	assert_true(phones->tls12);

	assert_int_equal(conf->n_dials, 2);
	assert_string_equal(conf->dials[0].name, "to-b");
	assert_int_equal(conf->dials[0].n_addresses, 2);
	assert_int_equal(conf->dials[0].identity, 1);
	assert_int_equal(conf->dials[0].entry, 0);
	assert_int_equal(conf->dials[0].member, 1); /* the first with an address */
	assert_addr(&conf->dials[0].to, "192.0.2.2:5061");
	assert_int_equal(conf->dials[0].line, 39);
	assert_int_equal(conf->dials[1].identity, 0);
	assert_int_equal(conf->dials[1].entry, 1);
	assert_int_equal(conf->dials[1].member, 0);
	assert_addr(&conf->dials[1].to, "192.0.2.99:5061");
	conf_free(conf);
}

static void test_topology(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);
	const struct trust_policy *policy = &conf->trust;
	const struct trust_entry *pool = &policy->entries[0], *gw = &policy->entries[1];
	const struct trust_entry *app = &policy->entries[2], *edge = &policy->entries[3];

	assert_true(policy->serial == INT64_MAX);
	assert_int_equal(policy->depth, 16);
	assert_int_equal(policy->n_anchors, 2);
	assert_string_equal(policy->anchors[0].name, "hq");
	assert_true(policy->anchors[0].internal);
	assert_int_equal(policy->anchors[0].n_files, 2);
	assert_string_equal(policy->anchors[0].files[0], "/etc/siptls/net/ca1.pem");
	assert_string_equal(policy->anchors[0].files[1], "/etc/siptls/net/../ca2.pem");
	assert_string_equal(policy->anchors[1].name, "contoso");
	assert_false(policy->anchors[1].internal);

	assert_int_equal(policy->n_entries, 4);
	assert_string_equal(pool->name, "pool-b.example.com");
	assert_int_equal(pool->kind, TRUST_POOL);
	assert_int_equal(pool->n_members, 2);
	assert_null(pool->members[0].address);
	assert_string_equal(pool->members[1].name, "fe2.b.example.com");
	assert_string_equal(pool->members[1].address, "192.0.2.2:5061");
	assert_int_equal(pool->profile, TRUST_RFC5922);
	assert_int_equal(pool->usage, TRUST_USAGE_TLS);
	assert_int_equal(pool->directions, TRUST_INBOUND | TRUST_OUTBOUND);
	assert_int_equal(pool->line, 5);

	assert_int_equal(gw->kind, TRUST_APPLICATION);
	assert_int_equal(gw->profile, TRUST_RFC9525);
	assert_int_equal(gw->usage, TRUST_USAGE_TLS_ANY);
	assert_true(gw->wildcard);
	assert_true(gw->tls12);
	assert_int_equal(gw->directions, TRUST_INBOUND);
	assert_int_equal(gw->anchors, 0);
	assert_int_equal(app->profile, TRUST_POOL_NAMES);
	assert_int_equal(app->n_members, 1); /* it is its own */
	assert_string_equal(app->members[0].name, "app.example.com");
	assert_string_equal(app->members[0].address, "192.0.2.20:5061");
	assert_int_equal(edge->kind, TRUST_SERVER);
	assert_int_equal(edge->profile, TRUST_RFC5922);
	assert_int_equal(edge->anchors, 1);
	assert_int_equal(edge->directions, TRUST_OUTBOUND);
	assert_false(edge->tls12);
	assert_null(edge->members[0].address);
	conf_free(conf);
}

/* An entry is dialled by its member at that address, else by the first that has one. */
static void test_dialled_member(void **state _unused_)
{
	static const struct {
		const char *find, *replace;
		uint32_t member;
	} cases[] = {
		{ "peer = \"Pool-B.example.com\"",
		  "peer = \"pool-b.example.com\" connect = \"192.0.2.2:5061\"", 2 },
		{ "peer = \"Pool-B.example.com\"",
		  "peer = \"pool-b.example.com\" connect = \"192.0.2.7:5061\"", 1 },
		{ "peer = \"Pool-B.example.com\"", "peer = \"fe2.b.example.com\"", 2 },
		{ "peer = \"Pool-B.example.com\"", "peer = \"pool-b.example.com\"", 1 },
	};
	static const char members[] = "member \"pool-b.example.com\" { }\n"
				      "member one.b.example.com { address = \"192.0.2.3:1\" }";
	_cleanup_free_ char *topology =
		change(good_topology, "member \"pool-b.example.com\" { }", members);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *daemon = change(good_daemon, cases[i].find, cases[i].replace);
		struct conf *conf = load_good(daemon, topology);

		assert_int_equal(conf->dials[0].entry, 0);
		assert_int_equal(conf->dials[0].member, cases[i].member);
		conf_free(conf);
	}
}

static void test_defaults(void **state _unused_)
{
	static const char daemon[] = "topology = net/topology.conf\n";
	static const char shortest[] = "identity i { certificate = c key = k }\n"
				       "// a comment\n"
				       "listen l { address = \"[::1]:0\" backend = \"[::1]:1\" }\n"
				       "topology = \"net/topology.conf\"";
	struct conf_error error = { 0 };
	struct conf *conf = NULL;

	/* Without quotes a word has no slash. */
	assert_int_equal(load(daemon, "serial = 1", &conf, &error), CONF_E_INVALID);

	conf = load_good(shortest, "serial = 1");
	assert_int_equal(conf->kernel, CONF_KERNEL_PREFER);
	assert_int_equal(conf->workers, 2);
	assert_int_equal(conf->relay_threads, 1);
	assert_string_equal(conf->control_path, "/run/siptls/control");
	assert_null(conf->control_group);
	assert_int_equal(conf->limits.handshake_timeout_ms, 10000);
	assert_int_equal(conf->limits.connect_timeout_ms, 5000);
	assert_int_equal(conf->limits.half_close_timeout_ms, 60000);
	assert_int_equal(conf->limits.unauthenticated, 1000);
	assert_int_equal(conf->limits.unauthenticated_per_source, 100);
	assert_int_equal(conf->limits.sessions, 20000);
	assert_int_equal(conf->listeners[0].kind, CONF_LISTENER_MUTUAL);
	assert_int_equal(conf->listeners[0].proxy, NET_PROXY_NONE);
	assert_int_equal(conf->listeners[0].n_identities, 1);
	assert_int_equal(conf->listeners[0].line, 3);
	assert_int_equal(conf->trust.depth, 5);
	assert_int_equal(conf->trust.serial, 1);
	assert_int_equal(conf->trust.n_anchors + conf->trust.n_entries, 0);
	conf_free(conf);
}

static void test_mentioned_files(void **state _unused_)
{
	struct files files = { good_daemon, good_topology, strlen(good_daemon),
			       strlen(good_topology), "" };
	struct conf_error error = { 0 };
	struct conf *conf = NULL;

	assert_int_equal(load_sized(&files, &conf, &error), 0);
	assert_string_equal(files.mentioned,
			    "/etc/siptls/net/ca1.pem /etc/siptls/net/../ca2.pem "
			    "/etc/siptls/net/contoso.pem our /etc/siptls/a.pem our /keys/a.key "
			    "our /etc/siptls/b.pem our /etc/siptls/b.key ");
	conf_free(conf);
}

/* ---- mistakes ---- */

#define A8   "aaaaaaaa"
#define A64  A8 A8 A8 A8 A8 A8 A8 A8
#define A512 A64 A64 A64 A64 A64 A64 A64 A64

static const struct mistake daemon_mistakes[] = {
	/* the language */
	{ "workers = 4", "workers 4", 4, "expected \"{\" after the title of a section" },
	{ "workers = 4", "= 4", 3, "expected an option or \"}\", found \"=\"" },
	{ "workers = 4", "workers = }", 3, "expected a value after \"=\", found \"}\"" },
	{ "workers = 4", "workers += 4", 3, "found \"+\"" },
	{ "workers = 4", "}", 3, "expected an option, found \"}\"" },
	{ "workers = 4", "include(\"x\")", 3, "found \"(\"" },
	{ "workers = 4", "\"workers\" = 4", 3, "expected an option or \"}\"" },
	{ "workers = 4", "\"limits|sessions\" = 4", 3, "expected an option or \"}\"" },
	{ "workers = 4", "workers = '4'", 3, "expected a name, a value or a string" },
	{ "workers = 4", "workers = ${HOME}", 3, "found \"$\"" },
	{ "workers = 4", "workers = \xe4", 3, "found \"\\xe4\"" },
	{ "\"net/topology.conf\"", "\"${HOME}/t\"", 1, "environment variables are not replaced" },
	{ "\"net/topology.conf\"", "\"a\\x41\"", 1, "found a backslash" },
	{ "\"net/topology.conf\"", "\"a\x01\"", 1, "control character" },
	{ "\"net/topology.conf\"", "\"net", 1, "expected a closing quote on the same line" },
	{ "\"net/topology.conf\"", "\"" A512 A512 A512 A512 A512 A512 A512 A512 "\"", 1,
	  "expected at most 4095 bytes" },
	{ "key = \"b.key\"\n}\n", "key = \"b.key\"\n", 22, "end of the section that begins here" },
	{ "lines */", "lines", 17, "expected \"*/\" at the end of the comment that begins here" },
	{ "{\"other\", \"main\"}", "{}", 28, "expected at least one value in the list" },
	{ "{\"other\", \"main\"}", "{\"other\" \"main\"}", 28, "expected \",\" or \"}\"" },
	{ "{\"other\", \"main\"}", "{, \"main\"}", 28, "expected at least one value in the list" },
	{ "{\"other\", \"main\"}", "{\"other\",, \"main\"}", 28, "expected a value or \"}\"" },
	{ "control {", "a{b{c{d{e{f{g{h{i{", 5, "expected at most 8 sections in one another" },
	/* names and shapes */
	{ "workers = 4", "worker = 4", 3, "expected an option of this section, found \"worker\"" },
	{ "	kind = ", "	knid = ", 34,
	  "listen \"phones\": expected an option of this section" },
	{ "control {", "contrl {", 5, "found \"contrl\"" },
	{ "workers = 4", "limits = 4", 3, "expected \"{\" after the section \"limits\"" },
	{ "workers = 4", "workers { }", 3, "expected \"=\" after the option \"workers\"" },
	{ "workers = 4", "workers = { 4 }", 3, "expected a single value, found \"{\"" },
	{ "identity \"other\" {", "identity {", 22, "expected a title after the section" },
	{ "control {", "control \"x\" {", 5, "expected \"{\" after the section \"control\"" },
	{ "workers = 4", "workers = 4 workers = 4", 3, "workers: expected once, found again" },
	{ "kernel = \"require\"", "limits { }", 9,
	  "limits: expected once, found again after line 2" },
	{ "	public = true\n", "	peer = \"a.example\"\n", 47, "peer: expected once" },
	{ "	proxy_protocol = \"v2\"", "	address = \"192.0.2.9:1\"", 30,
	  "address: expected once, found again after line 26" },
	{ "identity \"other\"", "identity \"main\"", 22, "found again \"main\"" },
	{ "listen \"phones\"", "listen \"trunk\"", 33, "found again \"trunk\"" },
	{ "dial \"to-b\"", "dial \"phones\"", 39,
	  "no listen section has, found the one of line 33" },
	{ "identity \"other\"", "identity \"\"", 22, "expected a title of 1 to 64 bytes" },
	{ "identity \"other\"", "identity \"" A64 "b\"", 22, "expected a title of 1 to 64 bytes" },
	/* missing */
	{ "	key = \"/keys/a.key\"\n", "\n", 18, "identity \"main\": key: missing" },
	{ "	certificate = \"a.pem\"\n", "\n", 18, "certificate: missing" },
	{ "	backend = \"127.0.0.1:5060\"\n", "\n", 25, "listen \"trunk\": backend: missing" },
	{ "	address = \"0.0.0.0:0\"\n", "\n", 33, "address: missing: expected at least one" },
	{ "	peer = \"Pool-B.example.com\"\n", "\n", 39, "dial \"to-b\": peer: missing" },
	/* values */
	{ "workers = 4", "workers = 0", 3, "workers: expected a number from 1 to 64, found \"0\"" },
	{ "workers = 4", "workers = 65", 3, "found \"65\"" },
	{ "workers = 4", "workers = -1", 3, "found \"-1\"" },
	{ "workers = 4", "workers = 0x4", 3, "found \"0x4\"" },
	{ "workers = 4", "workers = \"\"", 3, "found \"\"" },
	{ "workers = 4", "workers = 18446744073709551617", 3, "expected a number" },
	{ "threads = 3", "threads = 17", 4, "relay_threads: expected a number from 1 to 16" },
	{ "\"require\"", "\"maybe\"", 2, "kernel: expected prefer|require, found \"maybe\"" },
	{ "\"require\"", "\"Require\"", 2, "found \"Require\"" },
	{ "\"500ms\"", "500", 10, "limits: handshake_timeout: expected a duration like" },
	{ "\"500ms\"", "\"5 s\"", 10, "found \"5 s\"" },
	{ "\"500ms\"", "\"0s\"", 10, "expected a duration from 10ms to 1h, found \"0s\"" },
	{ "\"500ms\"", "\"18446744073709551615h\"", 10, "expected a duration" },
	{ "\"1h\"", "\"25h\"", 12, "half_close_timeout: expected a duration from" },
	{ "sessions = 5", "sessions = 0", 15, "sessions: expected a number from 1 to 1000000" },
	{ "\"client\"", "\"server\"", 34, "kind: expected mutual|client, found \"server\"" },
	{ "\"v2\"", "\"v3\"", 30, "proxy_protocol: expected none|v1|v2, found \"v3\"" },
	{ "tls12 = true", "tls12 = yes", 37, "tls12: expected true or false, found \"yes\"" },
	{ "\"127.0.0.1:5060\"", "\"localhost\"", 29,
	  "listen \"trunk\": backend: expected ADDRESS:PORT, found \"localhost\"" },
	{ "\"127.0.0.1:5060\"", "\"127.0.0.1:0\"", 29, "expected a port from 1 to 65535" },
	{ "[2001:db8::1]", "2001:db8::1", 27, "listen \"trunk\": address: expected ADDRESS:PORT" },
	{ "192.0.2.99:5061", "192.0.2.99", 48, "connect: expected ADDRESS:PORT" },
	{ "\"a.pem\"", "\"\"", 19, "certificate: expected a file name, found \"\"" },
	{ "\"adm\"", "\"\"", 7, "control: group: expected a name of 1 to 64 bytes" },
	{ "/tmp/control", "/tmp/" A64 A64, 6, "control: socket: expected a path of at most 107" },
	{ "\"Pool-B.example.com\"", "\"*.example.com\"", 41, "peer: expected a host name" },
	/* one option against another */
	{ "tls12 = false", "tls12 = true", 31, "tls12: expected true only with kind \"client\"" },
	{ "{\"other\", \"main\"}", "{\"nobody\"}", 28, "expected the title of an identity, found" },
	{ "{\"other\", \"main\"}", "{\"main\",\"main\"}", 28, "expected each identity once" },
	{ "identity = \"other\"", "identity = \"nobody\"", 42,
	  "dial \"to-b\": identity: expected" },
	{ "Pool-B.example.com", "pool-c.example.com", 41, "peer: expected an entry of the topol" },
	{ "public = true", "public = false", 45, "expected a loopback address, or public = true" },
	{ "[::1]:15060", "192.0.2.1:15060", 40, "found \"192.0.2.1:15060\"" },
	{ "192.0.2.1:15061", "192.0.2.1:5061", 45,
	  "not in use, found \"192.0.2.1:5061\" again after "
	  "line 26" },
	/* files */
	{ "net/topology.conf", "t.conf", 1, "topology: no file /etc/siptls/t.conf" },
	{ "topology = \"net/topology.conf\"", "", 0, "no file /etc/siptls/topology.conf" },
	{ "/keys/a.key", "/keys/missing", 20, "identity \"main\": key: no file /keys/missing" },
};

static const struct mistake topology_mistakes[] = {
	{ "serial = 9223372036854775807", "", 0, "serial: missing: expected one" },
	{ "9223372036854775807", "0", 1,
	  "serial: expected a number from 1 to 9223372036854775807" },
	{ "9223372036854775807", "9223372036854775808", 1, "serial: expected a number" },
	{ "depth = 16", "depth = 17", 2, "depth: expected a number from 1 to 16" },
	{ "	anchors = {\"ca1.pem\", \"../ca2.pem\"}\n", "\n", 3,
	  "site \"hq\": anchors: missing" },
	{ "ca1.pem", "missing.pem", 4, "anchors: no file /etc/siptls/net/missing.pem" },
	{ "contoso.pem", "missing.pem", 23, "partner \"contoso\": anchors: no file" },
	{ "application \"gw", "server \"gw", 10,
	  "site \"hq\": expected an option of this section" },
	{ "pool \"pool-b.example.com\"", "pool \"pool_b\"", 5,
	  "site \"hq\": pool: expected a host name, found \"pool_b\"" },
	{ "pool \"pool-b.example.com\"", "pool \"192.0.2.2\"", 5, "expected a host name" },
	{ "pool \"pool-b.example.com\"", "pool \"*.example.com\"", 5, "expected a host name" },
	{ "pool \"pool-b.example.com\"", "pool \"example.com.\"", 5, "expected a host name" },
	{ "pool \"pool-b.example.com\"", "pool \"-a.example.com\"", 5, "expected a host name" },
	{ "pool \"pool-b.example.com\"", "pool \"a..example.com\"", 5, "expected a host name" },
	{ "pool \"pool-b.example.com\"", "pool \"" A64 ".com\"", 5, "expected a host name" },
	{ "pool \"pool-b.example.com\"",
	  "pool \"" A8 "." A8 A8 "." A64 "."
	  "\"",
	  5, "expected a host name" },
	{ "pool \"pool-b.example.com\"",
	  "pool \"" A8 A8 A8 "." A8 A8 A8 "." A8 A8 A8 "." A8 A8 A8 "." A8 A8 A8 "." A8 A8 A8
	  "." A8 A8 A8 "." A8 A8 A8 "." A8 A8 A8 "." A8 A8 A8 "." A8 A8 A8 "\"",
	  5, "expected a host name" },
	{ "pool \"pool-b.example.com\"", "pool \"a." A8 A8 ".\xc3\xa9\"", 5,
	  "expected a host name" },
	{ "member \"pool-b.example.com\" { }", "", 6, NULL }, /* one member is enough */
	{ "\"192.0.2.2:5061\"", "\"fe2:5061\"", 7,
	  "member \"fe2.b.example.com\": address: expected" },
	{ "\"192.0.2.2:5061\"", "\"192.0.2.2:0\"", 7, "expected a port from 1 to 65535" },
	{ "profile = \"rfc5922\"", "address = \"192.0.2.3:1\"", 8,
	  "expected an option of this sect" },
	{ "profile = \"rfc5922\"", "profile = \"rfc\"", 8, "expected rfc5922|rfc9525|pool, found" },
	{ "\"tls-any\"", "\"any\"", 13,
	  "key_usage: expected tls|tls-any|sip|ignore, found \"any\"" },
	{ "\"inbound\"", "\"in\"", 16, "direction: expected inbound|outbound|both, found \"in\"" },
	{ "\"rfc9525\"", "\"pool\"", 14, "wildcard: expected true only with profile \"rfc9525\"" },
	{ "key_usage = \"tls-any\"", "address = \"192.0.2.3:1\"", 13,
	  "no address next to members" },
	{ "app.example.com", "GW.example.com", 18, "expected a name that is not in use" },
	{ "app.example.com", "gw.example.com", 18, "found again \"gw.example.com\"" },
	{ "app.example.com", "pool-b.example.com", 18, "found again after line" },
	{ "fe9.gw.example.com", "fe2.b.example.com", 11, "found again after line 7" },
	{ "FE2.b.example.com", "POOL-b.example.com", 7, "found again after line 6" },
	{ "xn--edge-5qa.contoso.example", "fe2.b.example.com", 24, "found again after line 7" },
	{ "partner \"contoso\"", "partner", 22, "expected a title after the section \"partner\"" },
	{ "partner \"contoso\"", "site \"hq\"", 22, "found again \"hq\"" },
};

static void test_daemon_mistakes(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(daemon_mistakes); i++) {
		const struct mistake *m = &daemon_mistakes[i];
		_cleanup_free_ char *daemon = change(good_daemon, m->find, m->replace);

		check_mistake(m, DAEMON, daemon, good_topology);
	}
}

static void test_topology_mistakes(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(topology_mistakes); i++) {
		const struct mistake *m = &topology_mistakes[i];
		_cleanup_free_ char *topology = change(good_topology, m->find, m->replace);

		check_mistake(m, TOPOLOGY, good_daemon, topology);
	}
}

static void test_nul_bytes(void **state _unused_)
{
	static const char at_token[] = "serial = 1\n\0", in_string[] = "serial\n= \"\0001\"";
	static const char in_line[] = "\n\nserial = 1 # \0\n",
			  in_block[] = "/*\n\n\n\0*/ serial = 1";
	static const struct {
		const char *text;
		size_t size;
		uint32_t line;
	} cases[] = {
		{ at_token, sizeof(at_token) - 1, 2 },
		{ in_string, sizeof(in_string) - 1, 2 },
		{ in_line, sizeof(in_line) - 1, 3 },
		{ in_block, sizeof(in_block) - 1, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct files files = { good_daemon, cases[i].text, strlen(good_daemon),
				       cases[i].size, "" };
		struct conf_error error = { 0 };
		struct conf *conf = NULL;

		assert_int_equal(load_sized(&files, &conf, &error), CONF_E_INVALID);
		assert_int_equal(error.line, cases[i].line);
		assert_non_null(strstr(error.text, "NUL byte"));
	}
}

/* ---- limits ---- */

static char *repeat(const char *text, size_t n)
{
	size_t len = strlen(text);
	char *all = malloc(n * len + 1);

	assert_non_null(all);
	for (size_t i = 0; i < n; i++)
		memcpy(all + i * len, text, len);
	all[n * len] = '\0';
	return all;
}

static void assert_refused(const char *topology, const char *needle)
{
	struct conf_error error = { 0 };
	struct conf *conf = NULL;

	assert_int_equal(load(good_daemon, topology, &conf, &error), CONF_E_INVALID);
	assert_string_equal(error.file, TOPOLOGY);
	if (!strstr(error.text, needle))
		fail_msg("%u: %s", error.line, error.text);
}

static void test_limits(void **state _unused_)
{
	_cleanup_free_ char *large = repeat("#", CONF_FILE_SIZE_MAX + 1);
	_cleanup_free_ char *sections = repeat("site a {}\n", CONF_SECTIONS_MAX + 1);
	_cleanup_free_ char *values = repeat("\"x\",", CONF_LIST_MAX + 1);
	_cleanup_free_ char *braces = repeat("site a{", CONF_FILE_SIZE_MAX / 8);
	_cleanup_free_ char *word = repeat("a", CONF_FILE_SIZE_MAX);
	char *list;

	assert_refused(large, "expected at most 1048576 bytes in a configuration file");
	assert_refused(sections, "expected at most 16384 sections");
	assert_refused(braces, "expected at most 8 sections in one another");
	assert_refused(word, "expected at most 4095 bytes in a value");
	assert_true(asprintf(&list, "serial = 1 site a { anchors = {%s} }", values) > 0);
	assert_refused(list, "expected at most 4096 values in a list");
	free(list);
}

static void test_large_topology(void **state _unused_)
{
	struct conf_error error = { 0 };
	struct conf *conf = NULL;
	char *text = NULL;
	size_t size, n = 8000;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	fprintf(f, "serial = 1 site s { anchors = a\n");
	for (size_t i = 0; i < n; i++)
		fprintf(f, "application a%zu.example.com { address = \"192.0.2.1:5061\" }\n", i);
	fprintf(f, "pool pool-b.example.com { member fe9.gw.example.com { address = "
		   "\"192.0.2.1:1\"}}}");
	fclose(f);
	assert_int_equal(load(good_daemon, text, &conf, &error), 0);
	assert_int_equal(conf->trust.n_entries, n + 1);
	assert_string_equal(conf->trust.entries[n].name, "a7999.example.com");
	conf_free(conf);
	free(text);
}

static void test_many_addresses(void **state _unused_)
{
	struct conf_error error = { 0 };
	struct conf *conf = NULL;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	fprintf(f, "topology = \"net/topology.conf\" identity i { certificate = c key = k }\n");
	for (size_t i = 0; i <= CONF_ADDRESSES_MAX; i++)
		fprintf(f, "listen l%zu { address = \"192.0.2.1:%zu\" backend = \"[::1]:1\" }\n", i,
			i + 1);
	fclose(f);
	assert_int_equal(load(text, "serial = 1", &conf, &error), CONF_E_INVALID);
	assert_int_equal(error.line, CONF_ADDRESSES_MAX + 2);
	assert_non_null(strstr(error.text, "expected at most 1024 addresses"));
	free(text);
}

/* ---- the rest ---- */

static void test_error_text(void **state _unused_)
{
	struct conf_error error;
	_cleanup_free_ char *path = repeat("/directory", 40);
	_cleanup_free_ char *text = repeat("text\n", 400);

	conf_error_set(&error, path, 3, "%s", text);
	assert_int_equal(strlen(error.file), sizeof(error.file) - 1);
	assert_memory_equal(error.file, "...", 3);
	assert_string_equal(error.file + sizeof(error.file) - 11, "/directory");
	assert_memory_equal(error.text, "text\\x0atext\\x0a", 16);
	assert_in_range(strlen(error.text), 1, sizeof(error.text) - 1);
	assert_int_equal(error.line, 3);
}

/* A mistake in one file must not change how the next is read: libconfuse's scanner is global. */
static void test_after_mistake(void **state _unused_)
{
	struct conf_error error = { 0 };
	struct conf *conf = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(daemon_mistakes); i++) {
		_cleanup_free_ char *daemon =
			change(good_daemon, daemon_mistakes[i].find, daemon_mistakes[i].replace);

		assert_int_equal(load(daemon, good_topology, &conf, &error), CONF_E_INVALID);
		conf_free(load_good(good_daemon, good_topology));
	}
}

static void test_line_endings(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, "\r\nserial = 1\r\n# comment\r\nsite a {\r\n"
						   "anchors = x /* y\r\n*/ pool pool-b.example.com "
						   "{\r\nmember fe9.gw.example.com { address = "
						   "\"192.0.2.1:1\" } }\r\n}\r\n");

	assert_int_equal(conf->trust.entries[0].line, 6);
	conf_free(conf);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_options),	cmocka_unit_test(test_ports),
		cmocka_unit_test(test_topology),	cmocka_unit_test(test_dialled_member),
		cmocka_unit_test(test_defaults),	cmocka_unit_test(test_mentioned_files),
		cmocka_unit_test(test_daemon_mistakes), cmocka_unit_test(test_topology_mistakes),
		cmocka_unit_test(test_nul_bytes),	cmocka_unit_test(test_limits),
		cmocka_unit_test(test_large_topology),	cmocka_unit_test(test_many_addresses),
		cmocka_unit_test(test_error_text),	cmocka_unit_test(test_after_mistake),
		cmocka_unit_test(test_line_endings),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
