/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What changes from one configuration to the next, and what is allowed but probably not meant. */

#include "conf-testing.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char good_daemon[] = "topology = \"net/topology.conf\"\n" /* 1 */
				  "dns { server = \"192.0.2.53:53\" trust_anchor = \"root.key\" }\n"
				  "identity \"main\" { certificate = \"a.pem\" key = \"a.key\" }\n"
				  "identity \"other\" { certificate = \"b.pem\" key = \"b.key\" }\n"
				  "listen \"trunk\" {\n" /* 5 */
				  "	address = \"192.0.2.1:5061\"\n"
				  "	identity = {\"main\", \"other\"}\n"
				  "	backend = \"127.0.0.1:5060\"\n"
				  "}\n"
				  "dial \"to-b\" {\n" /* 10 */
				  "	address = \"127.0.0.1:15060\"\n"
				  "	peer = \"pool-b.example\"\n"
				  "}\n";

static const char good_topology[] =
	"serial = 7\n" /* 1 */
	"block = {\".bad.example\", \"worse.example\"}\n"
	"rate \"guests\" { bytes = 20000 }\n"
	"site \"hq\" {\n"
	"	anchors = {\"ca.pem\"}\n" /* 5 */
	"	crl_url = {\"http://ca.example/hq.crl\"}\n"
	"	pool \"pool-b.example\" {\n"
	"		member \"fe1.example\" { address = \"192.0.2.2:5061\" }\n"
	"		member \"fe2.example\" { }\n"
	"	}\n" /* 10 */
	"}\n"
	"partner \"contoso\" {\n"
	"	anchors = {\"contoso.pem\"}\n"
	"	crl_fetch = true\n"
	"	server \"edge.example\" {\n" /* 15 */
	"		address = \"198.51.100.1:5061\"\n"
	"		domains = {\"contoso.example\"}\n"
	"	}\n"
	"	domain \"partner.example\" { }\n"
	"}\n" /* 20 */
	"discovered \"anybody\" {\n"
	"	anchors = {\"public.pem\"}\n"
	"	crl_fetch = true\n"
	"	rate = \"guests\"\n"
	"}\n"; /* 25 */

static void collect(void *userdata, const char *line)
{
	FILE *all = userdata;

	fprintf(all, "%s\n", line);
}

static char *diff(const struct conf *old, const struct conf *new)
{
	char *text = NULL;
	size_t size;
	FILE *all = open_memstream(&text, &size);

	assert_non_null(all);
	conf_diff(old, new, collect, all);
	fclose(all);
	return text;
}

/* ---- differences ---- */

struct change {
	bool daemon;
	const char *find, *replace;
	const char *forth, *back; /* all lines, one way and the other */
};

#define DAEMON_CHANGE(find, replace, forth, back)                                                  \
	{                                                                                          \
		true, find, replace, forth, back                                                   \
	}
#define TOPOLOGY_CHANGE(find, replace, forth, back)                                                \
	{                                                                                          \
		false, find, replace, forth, back                                                  \
	}

static const struct change changes[] = {
	/* siptlsd.conf */
	DAEMON_CHANGE("dns {", "workers = 3 dns {", "changes settings: workers 2 to 3\n",
		      "changes settings: workers 3 to 2\n"),
	DAEMON_CHANGE("dns {", "kernel = require state = \"/s\" dns {",
		      "changes settings: kernel prefer to require\n"
		      "changes settings: state /var/lib/siptls to /s\n",
		      "changes settings: kernel require to prefer\n"
		      "changes settings: state /s to /var/lib/siptls\n"),
	DAEMON_CHANGE(
		"dns {",
		"limits { session_age = \"12h\" identity_drain = \"1d\" trust_grace = \"5m\"\n"
		"expiry_warning = \"30d\" sessions = 5 connect_timeout = \"500ms\" } dns {",
		"changes limits: connect_timeout 5s to 500ms\n"
		"changes limits: sessions 20000 to 5\n"
		"changes limits: session_age none to 12h\n"
		"changes limits: identity_drain never to 1d\n"
		"changes limits: trust_grace 0s to 5m\n"
		"changes limits: expiry_warning 14d to 30d\n",
		"changes limits: connect_timeout 500ms to 5s\n"
		"changes limits: sessions 5 to 20000\n"
		"changes limits: session_age 12h to none\n"
		"changes limits: identity_drain 1d to never\n"
		"changes limits: trust_grace 5m to 0s\n"
		"changes limits: expiry_warning 30d to 14d\n"),
	DAEMON_CHANGE("dns { server = \"192.0.2.53:53\"",
		      "dns { server = \"[::1]:53\" dnssec = require timeout = \"2s\"",
		      "changes dns: dnssec check to require\n"
		      "changes dns: timeout 5s to 2s\n"
		      "removes name server 192.0.2.53:53\n"
		      "adds name server [::1]:53\n",
		      "changes dns: dnssec require to check\n"
		      "changes dns: timeout 2s to 5s\n"
		      "adds name server 192.0.2.53:53\n"
		      "removes name server [::1]:53\n"),
	DAEMON_CHANGE("trust_anchor = \"root.key\"", "",
		      "changes dns: trust_anchor /etc/siptls/root.key to none\n",
		      "changes dns: trust_anchor none to /etc/siptls/root.key\n"),
	DAEMON_CHANGE("dns {", "control { group = adm socket = \"/c\" } dns {",
		      "changes control: socket /run/siptls/control to /c\n"
		      "changes control: group none to adm\n",
		      "changes control: socket /c to /run/siptls/control\n"
		      "changes control: group adm to none\n"),
	DAEMON_CHANGE("key = \"a.key\"", "key = \"c.key\" ocsp = \"a.ocsp\"",
		      "changes identity main: key /etc/siptls/a.key to /etc/siptls/c.key\n"
		      "changes identity main: ocsp none to /etc/siptls/a.ocsp\n",
		      "changes identity main: key /etc/siptls/c.key to /etc/siptls/a.key\n"
		      "changes identity main: ocsp /etc/siptls/a.ocsp to none\n"),
	DAEMON_CHANGE("identity = {\"main\", \"other\"}", "identity = {\"other\", \"main\"}",
		      "changes listen trunk: default identity main to other\n",
		      "changes listen trunk: default identity other to main\n"),
	DAEMON_CHANGE("identity = {\"main\", \"other\"}", "",
		      "removes choice of identity other (listen trunk)\n",
		      "adds choice of identity other (listen trunk)\n"),
	DAEMON_CHANGE("address = \"192.0.2.1:5061\"",
		      "address = {\"192.0.2.1:5061\", \"[::]:5061\"} proxy_protocol = v2",
		      "changes listen trunk: proxy_protocol none to v2\n"
		      "adds address [::]:5061 (listen trunk)\n",
		      "changes listen trunk: proxy_protocol v2 to none\n"
		      "removes address [::]:5061 (listen trunk)\n"),
	DAEMON_CHANGE("listen \"trunk\"", "listen \"new\"",
		      "adds listen new\nremoves listen trunk\n",
		      "removes listen new\nadds listen trunk\n"),
	DAEMON_CHANGE("\"pool-b.example\"", "\"fe2.example\"",
		      "changes dial to-b: peer pool-b.example (fe1.example) to pool-b.example "
		      "(fe2.example)\n"
		      "changes dial to-b: connect 192.0.2.2:5061 to fe2.example:5061\n",
		      "changes dial to-b: peer pool-b.example (fe2.example) to pool-b.example "
		      "(fe1.example)\n"
		      "changes dial to-b: connect fe2.example:5061 to 192.0.2.2:5061\n"),
	DAEMON_CHANGE("\"pool-b.example\"", "\"partner.example\" identity = other",
		      "changes dial to-b: peer pool-b.example (fe1.example) to partner.example\n"
		      "changes dial to-b: connect 192.0.2.2:5061 to SRV "
		      "_sipfederationtls._tcp.partner.example\n"
		      "changes dial to-b: identity main to other\n",
		      "changes dial to-b: peer partner.example to pool-b.example (fe1.example)\n"
		      "changes dial to-b: connect SRV _sipfederationtls._tcp.partner.example to "
		      "192.0.2.2:5061\n"
		      "changes dial to-b: identity other to main\n"),
	/* The order of sections and lines is nobody's business. */
	DAEMON_CHANGE("identity \"main\" {", "\n\nidentity \"main\" {", "", ""),
	/* topology.conf */
	TOPOLOGY_CHANGE("serial = 7", "serial = 8 depth = 3",
			"changes topology: serial 7 to 8\nchanges topology: depth 5 to 3\n",
			"changes topology: serial 8 to 7\nchanges topology: depth 3 to 5\n"),
	TOPOLOGY_CHANGE("\"worse.example\"", "\"worst.example\", \".bad.example\"",
			"no longer blocks worse.example\nblocks worst.example\n",
			"blocks worse.example\nno longer blocks worst.example\n"),
	TOPOLOGY_CHANGE("rate \"guests\"", "block_certificate = \"" HEX64 "\"\nrate \"guests\"",
			"blocks certificate " HEX64 "\n",
			"no longer blocks certificate " HEX64 "\n"),
	TOPOLOGY_CHANGE("bytes = 20000", "bytes = 1 burst = 1500",
			"changes rate guests: bytes 20000 to 1\n"
			"changes rate guests: burst 65536 to 1500\n",
			"changes rate guests: bytes 1 to 20000\n"
			"changes rate guests: burst 1500 to 65536\n"),
	TOPOLOGY_CHANGE("{\"ca.pem\"}",
			"{\"ca2.pem\"} revocation = require crl_fetch = true crl_grace = \"1h\"\n"
			"crl = \"hq.crl\"",
			"changes site hq: revocation check to require\n"
			"changes site hq: crl_fetch false to true\n"
			"changes site hq: crl_grace 0s to 1h\n"
			"removes anchor file /etc/siptls/net/ca.pem (site hq)\n"
			"adds anchor file /etc/siptls/net/ca2.pem (site hq)\n"
			"adds CRL /etc/siptls/net/hq.crl (site hq)\n",
			"changes site hq: revocation require to check\n"
			"changes site hq: crl_fetch true to false\n"
			"changes site hq: crl_grace 1h to 0s\n"
			"adds anchor file /etc/siptls/net/ca.pem (site hq)\n"
			"removes anchor file /etc/siptls/net/ca2.pem (site hq)\n"
			"removes CRL /etc/siptls/net/hq.crl (site hq)\n"),
	TOPOLOGY_CHANGE("http://ca.example/hq.crl", "https://ca.example/hq.crl",
			"removes CRL http://ca.example/hq.crl (site hq)\n"
			"adds CRL https://ca.example/hq.crl (site hq)\n",
			"adds CRL http://ca.example/hq.crl (site hq)\n"
			"removes CRL https://ca.example/hq.crl (site hq)\n"),
	TOPOLOGY_CHANGE(
		"member \"fe2.example\" { }\n",
		"member \"fe3.example\" { }\nprofile = rfc9525 wildcard = true tls12 = true\n"
		"key_usage = ignore direction = inbound port = 1 rate = guests\n",
		"changes pool pool-b.example: profile pool to rfc9525\n"
		"changes pool pool-b.example: key_usage tls to ignore\n"
		"changes pool pool-b.example: wildcard false to true\n"
		"changes pool pool-b.example: tls12 false to true\n"
		"changes pool pool-b.example: direction both to inbound\n"
		"changes pool pool-b.example: port 5061 to 1\n"
		"changes pool pool-b.example: rate none to guests\n"
		"removes member fe2.example (pool pool-b.example)\n"
		"adds member fe3.example (pool pool-b.example)\n",
		"changes pool pool-b.example: profile rfc9525 to pool\n"
		"changes pool pool-b.example: key_usage ignore to tls\n"
		"changes pool pool-b.example: wildcard true to false\n"
		"changes pool pool-b.example: tls12 true to false\n"
		"changes pool pool-b.example: direction inbound to both\n"
		"changes pool pool-b.example: port 1 to 5061\n"
		"changes pool pool-b.example: rate guests to none\n"
		"adds member fe2.example (pool pool-b.example)\n"
		"removes member fe3.example (pool pool-b.example)\n"),
	TOPOLOGY_CHANGE("member \"fe2.example\" { }",
			"member \"fe2.example\" { address = \"192.0.2.3:5061\" }",
			"changes member fe2.example: address none to 192.0.2.3:5061\n",
			"changes member fe2.example: address 192.0.2.3:5061 to none\n"),
	TOPOLOGY_CHANGE("\"198.51.100.1:5061\"", "\"198.51.100.2:5061\"",
			"changes server edge.example: address 198.51.100.1:5061 to "
			"198.51.100.2:5061\n",
			"changes server edge.example: address 198.51.100.2:5061 to "
			"198.51.100.1:5061\n"),
	TOPOLOGY_CHANGE("{\"contoso.example\"}", "{\"contoso.example\", \"contoso.net\"}",
			"adds SIP domain contoso.net (server edge.example)\n",
			"removes SIP domain contoso.net (server edge.example)\n"),
	TOPOLOGY_CHANGE("server \"edge.example\"", "provider \"edge.example\"",
			"removes server edge.example (partner contoso)\n"
			"adds provider edge.example (partner contoso)\n",
			"adds server edge.example (partner contoso)\n"
			"removes provider edge.example (partner contoso)\n"),
	TOPOLOGY_CHANGE("domain \"partner.example\" { }",
			"domain \"partner.example\" { srv = sips }",
			"changes domain partner.example: srv sipfederationtls to sips\n",
			"changes domain partner.example: srv sips to sipfederationtls\n"),
	/* A partner comes and goes with its entries, one line each, and not with all they hold. */
	TOPOLOGY_CHANGE("partner \"contoso\"", "partner \"fabrikam\"",
			"removes partner contoso\n"
			"adds partner fabrikam\n"
			"removes server edge.example (partner contoso)\n"
			"adds server edge.example (partner fabrikam)\n"
			"removes domain partner.example (partner contoso)\n"
			"adds domain partner.example (partner fabrikam)\n",
			"adds partner contoso\n"
			"removes partner fabrikam\n"
			"adds server edge.example (partner contoso)\n"
			"removes server edge.example (partner fabrikam)\n"
			"adds domain partner.example (partner contoso)\n"
			"removes domain partner.example (partner fabrikam)\n"),
	TOPOLOGY_CHANGE("discovered \"anybody\" {",
			"discovered \"more\" { anchors = \"x\" rate = guests }\n"
			"discovered \"anybody\" { profile = rfc9525\n",
			"adds discovered more\n"
			"changes discovered anybody: profile rfc5922 to rfc9525\n",
			"removes discovered more\n"
			"changes discovered anybody: profile rfc9525 to rfc5922\n"),
};

static void test_changes(void **state _unused_)
{
	struct conf *old = load_good(good_daemon, good_topology);

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const struct change *c = &changes[i];
		_cleanup_free_ char *text =
			change(c->daemon ? good_daemon : good_topology, c->find, c->replace);
		struct conf *new =
			load_good(c->daemon ? text : good_daemon, c->daemon ? good_topology : text);
		_cleanup_free_ char *forth = diff(old, new), *back = diff(new, old);

		assert_string_equal(forth, c->forth);
		assert_string_equal(back, c->back);
		conf_free(new);
	}
	conf_free(old);
}

static void test_same(void **state _unused_)
{
	struct conf *a = load_good(good_daemon, good_topology);
	struct conf *b = load_good(good_daemon, good_topology);
	_cleanup_free_ char *text = diff(a, b);

	assert_string_equal(text, "");
	conf_free(a);
	conf_free(b);
}

/* At the first start everything comes, each thing once. */
static void test_from_nothing(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);
	_cleanup_free_ char *text = diff(NULL, conf);

	assert_string_equal(text, "adds name server 192.0.2.53:53\n"
				  "adds identity main\n"
				  "adds identity other\n"
				  "adds listen trunk\n"
				  "adds dial to-b\n"
				  "blocks .bad.example\n"
				  "blocks worse.example\n"
				  "adds rate guests\n"
				  "adds site hq\n"
				  "adds partner contoso\n"
				  "adds discovered anybody\n"
				  "adds pool pool-b.example (site hq)\n"
				  "adds server edge.example (partner contoso)\n"
				  "adds domain partner.example (partner contoso)\n");
	conf_free(conf);
}

/* A title is whatever somebody typed; a terminal must not mind. */
static void test_safe_text(void **state _unused_)
{
	_cleanup_free_ char *daemon = change(good_daemon, "\"to-b\"",
					     "\"\xc2\x9b"
					     "31m\"");
	struct conf *conf = load_good(daemon, good_topology);
	_cleanup_free_ char *text = diff(NULL, conf);

	assert_non_null(strstr(text, "adds dial \\xc2\\x9b31m\n"));
	conf_free(conf);
}

/* Lists of full length, none of which may take its time squared. */
static void test_large(void **state _unused_)
{
	struct conf *confs[2];
	_cleanup_free_ char *forth = NULL;
	size_t lines = 0;

	for (size_t k = 0; k < 2; k++) {
		char *text = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);

		assert_non_null(f);
		fprintf(f, "serial = 1 block = {\n");
		for (size_t i = 0; i < CONF_LIST_MAX - 1; i++)
			fprintf(f, "b%zu.example,\n", i + k);
		fprintf(f, "}\n");
		for (size_t i = 0; i < 5000; i++)
			fprintf(f, "partner p%zu { anchors = a server s%zu.example { } }\n", i + k,
				i + k);
		fclose(f);
		confs[k] = load_good(
			"topology = \"net/topology.conf\" identity i { certificate = c key "
			"= k }",
			text);
		free(text);
	}
	forth = diff(confs[0], confs[1]);
	for (const char *p = forth; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 6); /* of each of three kinds one goes and one comes */
	conf_free(confs[0]);
	conf_free(confs[1]);
}

/* ---- warnings ---- */

static char *warnings(const char *daemon, const char *topology, bool kernel)
{
	struct conf *conf = load_good(daemon, topology);
	char *text = NULL;
	size_t size;
	FILE *all = open_memstream(&text, &size);

	assert_non_null(all);
	conf_warnings(conf, kernel, collect, all);
	fclose(all);
	conf_free(conf);
	return text;
}

static void test_no_warning(void **state _unused_)
{
	_cleanup_free_ char *text = warnings(good_daemon, good_topology, true);

	assert_string_equal(text, "");
}

static void test_warnings(void **state _unused_)
{
	static const struct {
		const char *file; /* that is changed, and that is told */
		const char *find, *replace;
		const char *expected; /* behind the file's name, all of it */
	} cases[] = {
		{ DAEMON, "topology =", "kernel = require topology =",
		  ": kernel = \"require\", but this kernel takes no TLS: every session will be "
		  "refused (siptls-kmod probe tells what is missing)\n" },
		{ TOPOLOGY, "\"worse.example\"", "\"edge.example\"",
		  ":15: server \"edge.example\" is listed, and blocked by \"edge.example\"\n" },
		{ TOPOLOGY, "domain \"partner.example\"", "domain \"worse.example\"",
		  ":19: domain \"worse.example\" is listed, and blocked by \"worse.example\"\n" },
		{ TOPOLOGY, "domain \"partner.example\"", "domain \"bad.example\"",
		  ":19: domain \"bad.example\" is listed, and blocked by \".bad.example\"\n" },
		{ TOPOLOGY, "domain \"partner.example\"", "domain \"a.b.bad.example\"",
		  ":19: domain \"a.b.bad.example\" is listed, and blocked by \".bad.example\"\n" },
		{ TOPOLOGY, "domain \"partner.example\"", "domain \"verybad.example\"", "" },
		{ TOPOLOGY, "domain \"partner.example\"", "domain \"a.worse.example\"", "" },
		{ TOPOLOGY, "\"fe2.example\"", "\"fe2.bad.example\"",
		  ":7: member \"fe2.bad.example\" of pool \"pool-b.example\" is listed, and "
		  "blocked by \".bad.example\"\n" },
		/* What is discovered is called as somebody likes. */
		{ TOPOLOGY, "discovered \"anybody\"", "discovered \"x.bad.example\"", "" },
		{ TOPOLOGY, "domain \"partner.example\" { }",
		  "domain \"partner.example\" { direction = outbound }", "" }, /* others dial it */
		{ TOPOLOGY, "crl_url = {\"http://ca.example/hq.crl\"}", "revocation = require",
		  ":5: \"hq\" has revocation = \"require\" and no crl, crl_url or crl_fetch: only "
		  "what stapled responses tell will be known\n" },
		{ TOPOLOGY, "crl_url = {\"http://ca.example/hq.crl\"}", "",
		  ": 1 of 3 sections with anchors have revocation = \"check\" and no crl, crl_url "
		  "or crl_fetch: what their CAs revoke will not be known\n" },
		{ TOPOLOGY, "crl_url = {\"http://ca.example/hq.crl\"}", "crl = \"hq.crl\"", "" },
		{ TOPOLOGY, "crl_url = {\"http://ca.example/hq.crl\"}", "revocation = off", "" },
		{ TOPOLOGY, "crl_url =", "revocation = off crl_url =",
		  ":5: \"hq\" names CRLs, which nobody looks at: revocation = \"off\"\n" },
		{ DAEMON, "trust_anchor = \"root.key\"", "",
		  ": peers are looked up without dns { trust_anchor }: answers are not protected; "
		  "the certificate still decides\n" },
		{ TOPOLOGY, "rate \"guests\"", "rate \"spare\" { bytes = 1 }\nrate \"guests\"",
		  ":3: no entry has rate \"spare\"\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool daemon = strcmp(cases[i].file, DAEMON) == 0;
		_cleanup_free_ char *text = NULL, *changed = NULL;
		size_t len = strlen(cases[i].file);

		changed = change(daemon ? good_daemon : good_topology, cases[i].find,
				 cases[i].replace);
		text = warnings(daemon ? changed : good_daemon, daemon ? good_topology : changed,
				false);
		if (!cases[i].expected[0]) {
			assert_string_equal(text, "");
			continue;
		}
		assert_memory_equal(text, cases[i].file, len);
		assert_string_equal(text + len, cases[i].expected);
	}
}

static void test_dial_warnings(void **state _unused_)
{
	_cleanup_free_ char *inbound =
		change(good_topology, "member \"fe2.example\" { }", "direction = inbound");
	_cleanup_free_ char *dns = change(good_daemon, "trust_anchor = \"root.key\"", "");
	_cleanup_free_ char *lookup = change(dns, "\"pool-b.example\"", "\"fe2.example\"");
	_cleanup_free_ char *no_domain =
		change(good_topology, "domain \"partner.example\" { }", "");
	_cleanup_free_ char *text = warnings(good_daemon, inbound, true);

	assert_string_equal(text,
			    DAEMON ":10: dial \"to-b\" leads to \"pool-b.example\", whose "
				   "direction is inbound: every connection will be refused\n");
	free(text);
	/* Without a domain only a dial without an address has to be looked up. */
	text = warnings(dns, no_domain, true);
	assert_string_equal(text, "");
	free(text);
	text = warnings(lookup, no_domain, true);
	assert_non_null(strstr(text, ": peers are looked up without dns { trust_anchor }"));
}

/* Without a port for servers it is one line, and not one for each of them. */
int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),	     cmocka_unit_test(test_same),
		cmocka_unit_test(test_from_nothing), cmocka_unit_test(test_safe_text),
		cmocka_unit_test(test_large),	     cmocka_unit_test(test_no_warning),
		cmocka_unit_test(test_warnings),     cmocka_unit_test(test_dial_warnings),
	};

	return cmocka_run_group_tests_name("conf-diff", tests, NULL, NULL);
}
