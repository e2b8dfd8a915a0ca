/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The options of the network at large: revocation, partners that are found by DNS, whoever is
 * discovered, block list, rates, and how long trust lasts. Good and wrong, each.
 */

#include "conf-testing.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char good_daemon[] = "topology = \"net/topology.conf\"\n" /* 1 */
				  "state = \"state\"\n"
				  "dns {\n"
				  "	server = {\"192.0.2.53:53\", \"[2001:db8::53]:5353\"}\n"
				  "	trust_anchor = \"root.key\"\n" /* 5 */
				  "	dnssec = \"require\"\n"
				  "	timeout = \"1500ms\"\n"
				  "}\n"
				  "limits {\n"
				  "	session_age = \"12h\"\n" /* 10 */
				  "	identity_drain = \"1d\"\n"
				  "	trust_grace = \"90s\"\n"
				  "	expiry_warning = \"30d\"\n"
				  "}\n"
				  "identity \"main\" {\n" /* 15 */
				  "	certificate = \"a.pem\"\n"
				  "	key = \"a.key\"\n"
				  "	ocsp = \"a.ocsp\"\n"
				  "}\n"
				  "dial \"federation\" {\n" /* 20 */
				  "	address = \"127.0.0.1:15060\"\n"
				  "	peer = \"contoso.example\"\n"
				  "}\n";

static const char good_topology[] =
	"serial = 7\n" /* 1 */
	"block = {\"Edge.bad.example\", \".Bad.example\"}\n"
	"block_certificate = {\"" HEX64 "\",\n"
	"	\"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
	"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:fe\"}\n"
	"rate \"guests\" {\n" /* 5 */
	"	bytes = 20000\n"
	"	burst = 1500\n"
	"}\n"
	"rate \"usual\" { bytes = 10000000000 }\n"
	"site \"hq\" {\n" /* 10 */
	"	anchors = \"ca.pem\"\n"
	"	revocation = \"require\"\n"
	"	crl = {\"hq.crl\", \"/var/crls\"}\n"
	"	crl_url = {\"http://ca.example/hq.crl\", \"HTTPS://[2001:db8::1]:8080/x?y=%20\"}\n"
	"	crl_fetch = true\n" /* 15 */
	"	crl_grace = \"1500ms\"\n"
	"	pool \"pool.example\" {\n"
	"		member \"fe1.example\" { }\n"
	"		member \"fe2.example\" { }\n"
	"		port = 5062\n" /* 20 */
	"		rate = \"usual\"\n"
	"		domains = {\"Example.com\", \"example.net\"}\n"
	"	}\n"
	"	application \"app.example\" { }\n"
	"}\n" /* 25 */
	"partner \"contoso\" {\n"
	"	anchors = \"contoso.pem\"\n"
	"	revocation = \"off\"\n"
	"	domain \"contoso.example\" { }\n"
	"	domain \"sips.example\" {\n" /* 30 */
	"		srv = \"sips\"\n"
	"		direction = \"outbound\"\n"
	"		rate = \"guests\"\n"
	"	}\n"
	"	provider \"edge.provider.example\" {\n" /* 35 */
	"		domains = {\"a.example\"}\n"
	"		address = \"198.51.100.1:5061\"\n"
	"	}\n"
	"	server \"edge.contoso.example\" { port = 443 }\n"
	"}\n" /* 40 */
	"discovered \"Anybody with a certificate\" {\n"
	"	anchors = {\"public.pem\", \"other.pem\"}\n"
	"	rate = \"guests\"\n"
	"	key_usage = \"tls-any\"\n"
	"}\n" /* 45 */
	"discovered \"guests\" {\n"
	"	anchors = \"public.pem\"\n"
	"	rate = \"guests\"\n"
	"	profile = \"rfc9525\"\n"
	"	tls12 = true\n" /* 50 */
	"}\n";

/* ---- good files ---- */

static void test_daemon(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);

	assert_string_equal(conf->state, "/etc/siptls/state");
	assert_int_equal(conf->dns.n_servers, 2);
	assert_addr(&conf->dns.servers[0], "192.0.2.53:53");
	assert_addr(&conf->dns.servers[1], "[2001:db8::53]:5353");
	assert_string_equal(conf->dns.trust_anchor, "/etc/siptls/root.key");
	assert_true(conf->dns.require);
	assert_int_equal(conf->dns.timeout_ms, 1500);
	assert_true(conf->limits.session_age_ms == 12 * 3600 * 1000);
	assert_true(conf->limits.identity_drain_ms == 24 * 3600 * 1000);
	assert_true(conf->limits.trust_grace_ms == 90 * 1000);
	assert_true(conf->limits.expiry_warning_s == 30 * 24 * 3600);
	assert_string_equal(conf->identities[0].ocsp, "/etc/siptls/a.ocsp");
	assert_int_equal(conf->identities[0].line_ocsp, 18);
	conf_free(conf);
}

static void test_defaults(void **state _unused_)
{
	struct conf *conf = load_good("topology = \"net/topology.conf\"\n"
				      "identity i { certificate = c key = k }",
				      "serial = 1 site s { anchors = a }\n"
				      "rate r { bytes = 1 }\n"
				      "partner p { anchors = a domain d.example { } }");
	const struct trust_entry *domain = &conf->trust.entries[0];

	assert_string_equal(conf->state, CONF_DEFAULT_STATE);
	assert_int_equal(conf->dns.n_servers, 0);
	assert_null(conf->dns.trust_anchor);
	assert_false(conf->dns.require);
	assert_int_equal(conf->dns.timeout_ms, 5000);
	assert_true(conf->limits.session_age_ms == 0);
	assert_true(conf->limits.identity_drain_ms == CONF_NEVER);
	assert_true(conf->limits.trust_grace_ms == 0);
	assert_true(conf->limits.expiry_warning_s == 14 * 24 * 3600);
	assert_null(conf->identities[0].ocsp);
	assert_int_equal(conf->trust.n_blocked + conf->trust.n_blocked_fingerprints, 0);
	assert_true(conf->trust.rates[0].burst == 65536);
	for (size_t i = 0; i < 2; i++) {
		const struct trust_anchors *anchors = &conf->trust.anchors[i];

		assert_int_equal(anchors->revocation, TRUST_REVOCATION_CHECK);
		assert_int_equal(anchors->n_crl_files + anchors->n_crl_urls, 0);
		assert_false(anchors->crl_fetch);
		assert_int_equal(anchors->crl_grace_s, 0);
	}
	assert_int_equal(domain->locate, TRUST_LOCATE_FEDERATION);
	assert_int_equal(domain->profile, TRUST_RFC5922);
	assert_int_equal(domain->usage, TRUST_USAGE_TLS);
	assert_int_equal(domain->directions, TRUST_INBOUND | TRUST_OUTBOUND);
	assert_int_equal(domain->port, 5061);
	assert_int_equal(domain->rate, TRUST_RATE_NONE);
	conf_free(conf);
}

static void test_words_of_durations(void **state _unused_)
{
	_cleanup_free_ char *none = change(good_daemon, "\"12h\"", "none");
	_cleanup_free_ char *never = change(none, "\"1d\"", "\"never\"");
	_cleanup_free_ char *at_once = change(none, "\"1d\"", "\"0s\"");
	struct conf *conf = load_good(never, good_topology);

	assert_true(conf->limits.session_age_ms == 0);
	assert_true(conf->limits.identity_drain_ms == CONF_NEVER);
	conf_free(conf);
	conf = load_good(at_once, good_topology);
	assert_true(conf->limits.identity_drain_ms == 0);
	conf_free(conf);
}

static void test_blocks_and_rates(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);
	const struct trust_policy *policy = &conf->trust;
	char hex[65];

	assert_int_equal(policy->n_blocked, 2);
	assert_string_equal(policy->blocked[0], "edge.bad.example");
	assert_string_equal(policy->blocked[1], ".bad.example");
	assert_int_equal(policy->n_blocked_fingerprints, 2);
	hex_format(policy->blocked_fingerprints[0], 32, hex);
	assert_string_equal(hex, HEX64);
	hex_format(policy->blocked_fingerprints[1], 32, hex);
	assert_memory_equal(hex, HEX64, 63);
	assert_int_equal(hex[63], 'e');

	assert_int_equal(policy->n_rates, 2);
	assert_string_equal(policy->rates[0].name, "guests");
	assert_true(policy->rates[0].bytes_per_second == 20000);
	assert_true(policy->rates[0].burst == 1500);
	assert_int_equal(policy->rates[0].line, 5);
	assert_true(policy->rates[1].bytes_per_second == UINT64_C(10000000000));
	conf_free(conf);
}

static void test_revocation(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);
	const struct trust_anchors *hq = &conf->trust.anchors[0], *contoso = hq + 1;
	const struct trust_anchors *anybody = hq + 2, *guests = hq + 3;

	assert_int_equal(conf->trust.n_anchors, 4);
	assert_int_equal(hq->revocation, TRUST_REVOCATION_REQUIRE);
	assert_int_equal(hq->n_crl_files, 2);
	assert_string_equal(hq->crl_files[0], "/etc/siptls/net/hq.crl");
	assert_string_equal(hq->crl_files[1], "/var/crls");
	assert_int_equal(hq->n_crl_urls, 2);
	assert_string_equal(hq->crl_urls[0], "http://ca.example/hq.crl");
	assert_string_equal(hq->crl_urls[1], "HTTPS://[2001:db8::1]:8080/x?y=%20");
	assert_true(hq->crl_fetch);
	assert_int_equal(hq->crl_grace_s, 2); /* never less than what was written */
	assert_int_equal(contoso->revocation, TRUST_REVOCATION_OFF);
	assert_false(contoso->crl_fetch);

	assert_string_equal(anybody->name, "Anybody with a certificate");
	assert_false(anybody->internal);
	assert_int_equal(anybody->n_files, 2);
	assert_int_equal(anybody->line, 42);
	assert_string_equal(guests->name, "guests");
	conf_free(conf);
}

static void test_entries(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);
	const struct trust_entry *e = conf->trust.entries;
	static const struct {
		const char *name;
		enum trust_kind kind;
		uint32_t anchors, rate;
		enum trust_locate locate;
		uint16_t port;
		size_t n_members, n_domains;
		enum trust_profile profile;
		uint8_t directions;
		uint32_t line;
	} expected[] = {
		{ "pool.example", TRUST_POOL, 0, 1, TRUST_LOCATE_HOST, 5062, 2, 2, TRUST_POOL_NAMES,
		  3, 17 },
		{ "app.example", TRUST_APPLICATION, 0, TRUST_RATE_NONE, TRUST_LOCATE_HOST, 5061, 1,
		  0, TRUST_POOL_NAMES, 3, 24 },
		{ "edge.contoso.example", TRUST_SERVER, 1, TRUST_RATE_NONE, TRUST_LOCATE_HOST, 443,
		  1, 0, TRUST_RFC5922, 3, 39 },
		{ "contoso.example", TRUST_DOMAIN, 1, TRUST_RATE_NONE, TRUST_LOCATE_FEDERATION,
		  5061, 1, 0, TRUST_RFC5922, 3, 29 },
		{ "sips.example", TRUST_DOMAIN, 1, 0, TRUST_LOCATE_SIPS, 5061, 1, 0, TRUST_RFC5922,
		  TRUST_OUTBOUND, 30 },
		{ "edge.provider.example", TRUST_PROVIDER, 1, TRUST_RATE_NONE, TRUST_LOCATE_HOST,
		  5061, 1, 1, TRUST_RFC5922, 3, 35 },
		{ "Anybody with a certificate", TRUST_DISCOVERED, 2, 0, TRUST_LOCATE_HOST, 5061, 0,
		  0, TRUST_RFC5922, TRUST_INBOUND, 41 },
		{ "guests", TRUST_DISCOVERED, 3, 0, TRUST_LOCATE_HOST, 5061, 0, 0, TRUST_RFC9525,
		  TRUST_INBOUND, 46 },
	};

	assert_int_equal(conf->trust.n_entries, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(e[i].name, expected[i].name);
		assert_int_equal(e[i].kind, expected[i].kind);
		assert_int_equal(e[i].anchors, expected[i].anchors);
		assert_int_equal(e[i].rate, expected[i].rate);
		assert_int_equal(e[i].locate, expected[i].locate);
		assert_int_equal(e[i].port, expected[i].port);
		assert_int_equal(e[i].n_members, expected[i].n_members);
		assert_int_equal(e[i].n_domains, expected[i].n_domains);
		assert_int_equal(e[i].profile, expected[i].profile);
		assert_int_equal(e[i].directions, expected[i].directions);
		assert_int_equal(e[i].line, expected[i].line);
	}
	assert_string_equal(e[0].domains[0], "example.com");
	assert_string_equal(e[3].members[0].name, "contoso.example");
	assert_null(e[3].members[0].address);
	assert_int_equal(e[6].usage, TRUST_USAGE_TLS_ANY);
	assert_true(e[7].tls12);
	conf_free(conf);
}

/* CRLs belong to another process; what we staple belongs to us. */
static void test_mentioned_files(void **state _unused_)
{
	struct files files = { good_daemon, good_topology, strlen(good_daemon),
			       strlen(good_topology), "" };
	struct conf_error error = { 0 };
	struct conf *conf = NULL;

	assert_int_equal(load_sized(&files, &conf, &error), 0);
	assert_string_equal(files.mentioned, "/etc/siptls/net/ca.pem /etc/siptls/net/contoso.pem "
					     "/etc/siptls/net/public.pem /etc/siptls/net/other.pem "
					     "/etc/siptls/net/public.pem our /etc/siptls/a.pem our "
					     "/etc/siptls/a.key our /etc/siptls/a.ocsp ");
	conf_free(conf);
}

/* ---- where peers are ---- */

static void test_lookups(void **state _unused_)
{
	static const struct {
		const char *peer;
		uint32_t entry, member;
		const char *to, *lookup;
		enum dns_kind kind;
		uint16_t port;
	} cases[] = {
		{ "contoso.example", 3, 0, NULL, "_sipfederationtls._tcp.contoso.example", DNS_SRV,
		  0 },
		{ "sips.example", 4, 0, NULL, "_sips._tcp.sips.example", DNS_SRV, 0 },
		{ "pool.example", 0, 0, NULL, "fe1.example", DNS_HOST, 5062 },
		{ "fe2.example", 0, 1, NULL, "fe2.example", DNS_HOST, 5062 },
		{ "app.example", 1, 0, NULL, "app.example", DNS_HOST, 5061 },
		{ "edge.contoso.example", 2, 0, NULL, "edge.contoso.example", DNS_HOST, 443 },
		{ "Edge.Provider.example", 5, 0, "198.51.100.1:5061", NULL, DNS_HOST, 0 },
		{ "contoso.example\" connect = \"192.0.2.9:5061", 3, 0, "192.0.2.9:5061", NULL,
		  DNS_HOST, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *daemon = change(good_daemon, "contoso.example", cases[i].peer);
		struct conf *conf = load_good(daemon, good_topology);
		const struct conf_dial *dial = &conf->dials[0];

		assert_int_equal(dial->entry, cases[i].entry);
		assert_int_equal(dial->member, cases[i].member);
		if (cases[i].to) {
			assert_addr(&dial->to, cases[i].to);
			assert_string_equal(dial->lookup.name, "");
		} else {
			assert_int_equal(dial->to.len, 0);
			assert_string_equal(dial->lookup.name, cases[i].lookup);
			assert_int_equal(dial->lookup.kind, cases[i].kind);
			assert_int_equal(dial->lookup.port, cases[i].port);
		}
		conf_free(conf);
	}
}

static void test_dial_find(void **state _unused_)
{
	struct conf *conf = load_good(good_daemon, good_topology);
	struct conf_dial dial = { .line = 9 };
	static const char *const not_there[] = {
		"nobody.example", "guests",    "Anybody with a certificate", "", ".",
		"\xc3\xa4",	  "a.example", /* a SIP domain that somebody speaks for is no peer
						*/
	};
	char long_name[400];

	assert_true(conf_dial_find(conf, "FE2.example", &dial));
	assert_int_equal(dial.entry, 0);
	assert_int_equal(dial.member, 1);
	assert_int_equal(dial.identity, 0);
	assert_int_equal(dial.line, 0);
	assert_string_equal(dial.lookup.name, "fe2.example");
	assert_true(conf_dial_find(conf, "edge.provider.example", &dial));
	assert_addr(&dial.to, "198.51.100.1:5061");
	assert_string_equal(dial.lookup.name, "");
	for (size_t i = 0; i < ARRAY_SIZE(not_there); i++)
		assert_false(conf_dial_find(conf, not_there[i], &dial));
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_false(conf_dial_find(conf, long_name, &dial));
	assert_addr(&dial.to, "198.51.100.1:5061");
	conf_free(conf);
}

/* The first member with an address is dialled before any is looked up. */
static void test_member_with_address(void **state _unused_)
{
	_cleanup_free_ char *daemon = change(good_daemon, "contoso.example", "pool.example");
	_cleanup_free_ char *topology =
		change(good_topology, "member \"fe2.example\" { }",
		       "member \"fe2.example\" { address = \"192.0.2.2:5061\" }");
	struct conf *conf = load_good(daemon, topology);

	assert_int_equal(conf->dials[0].member, 1);
	assert_addr(&conf->dials[0].to, "192.0.2.2:5061");
	conf_free(conf);
}

/* ---- mistakes ---- */

#define A64  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A56  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A512 A64 A64 A64 A64 A64 A64 A64 A64

static const struct mistake daemon_mistakes[] = {
	{ "state = \"state\"", "state = \"\"", 2, "state: expected a file name, found \"\"" },
	{ "\"state\"", "\"/" A512 A512 "\"", 2, "state: expected a path of at most 1023 bytes" },
	{ "192.0.2.53:53", "192.0.2.53", 4, "dns: server: expected ADDRESS:PORT" },
	{ "192.0.2.53:53", "192.0.2.53:0", 4, "expected a port from 1 to 65535" },
	{ "server = {", "server = {\"[::1]:1\",\"[::1]:2\",\"[::1]:3\",\"[::1]:4\",\"[::1]:5\",\n",
	  4, NULL },
	{ "server = {",
	  "server = {\"[::1]:1\",\"[::1]:2\",\"[::1]:3\",\"[::1]:4\",\"[::1]:5\",\"[::1]:6\",\n"
	  "\"[::1]:7\",\n",
	  6, "dns: server: expected at most 8 name servers" },
	{ "	trust_anchor = \"root.key\"\n", "\n", 6,
	  "dns: dnssec: expected trust_anchor with \"require\", found none" },
	{ "dnssec = \"require\"", "dnssec = \"yes\"", 6, "dnssec: expected check|require, found" },
	{ "1500ms", "0s", 7, "timeout: expected a duration from 10ms to 1m, found \"0s\"" },
	{ "1500ms", "61s", 7, "found \"61s\"" },
	{ "\"12h\"", "\"never\"", 10, "session_age: expected none or a duration like" },
	{ "\"12h\"", "\"0s\"", 10, "expected none or a duration from 10ms to 366d, found \"0s\"" },
	{ "\"12h\"", "\"367d\"", 10, "found \"367d\"" },
	{ "\"12h\"", "\"366d\"", 10, NULL },
	{ "\"1d\"", "\"none\"", 11, "identity_drain: expected never or a duration like" },
	{ "\"1d\"", "\"1 d\"", 11, "\"1h\" or \"14d\", found \"1 d\"" },
	{ "\"90s\"", "\"never\"", 12, "trust_grace: expected a duration like" },
	{ "\"30d\"", "30", 13, "expiry_warning: expected a duration like" },
	{ "\"30d\"", "\"213503982335d\"", 13, "expected a duration like" },
	{ "a.ocsp", "missing", 18, "identity \"main\": ocsp: no file /etc/siptls/missing" },
	{ "\"a.ocsp\"", "\"\"", 18, "ocsp: expected a file name" },
	{ "contoso.example", "guests", 22,
	  "peer: expected an entry of the topology or a member of one (what is discovered cannot "
	  "be dialled), found \"guests\"" },
	{ "contoso.example", "a.example", 22, "found \"a.example\"" },
};

static const struct mistake topology_mistakes[] = {
	/* the block list */
	{ "Edge.bad.example", "*.bad.example", 2,
	  "block: expected a host name, or \".\" and a domain for all names in it, found \"*.bad" },
	{ "Edge.bad.example", "..bad.example", 2, "block: expected a host name" },
	{ "Edge.bad.example", ".", 2, "found \".\"" },
	{ "Edge.bad.example", "", 2, "found \"\"" },
	{ "Edge.bad.example", "192.0.2.1", 2, "found \"192.0.2.1\"" },
	{ "\"" HEX64 "\"", "\"0" HEX64 "\"", 3, "block_certificate: expected the SHA-256" },
	{ "\"" HEX64 "\"", "\"" HEX64 ":\"", 3, "expected the SHA-256 fingerprint" },
	{ "\"" HEX64 "\"", "\":" HEX64 "\"", 3, "64 hexadecimal digits" },
	{ "\"" HEX64 "\"", "\"\"", 3, "found \"\"" },
	{ "\"00112233", "\"0011223", 3, "expected the SHA-256" },
	{ "\"00112233", "\"0011::2233", 3, "expected the SHA-256" },
	{ "\"00112233", "\"001:12233", 3, "expected the SHA-256" },
	{ "\"00112233", "\"0011223g", 3, "expected the SHA-256" },
	/* rates */
	{ "bytes = 20000", "bytes = 0", 6, "rate \"guests\": bytes: expected a number from 1 to" },
	{ "bytes = 20000", "", 5, "rate \"guests\": bytes: missing" },
	{ "burst = 1500", "burst = 1499", 7, "burst: expected a number from 1500 to 1000000000" },
	{ "bytes = 10000000000", "bytes = 10000000001", 9, "bytes: expected a number from 1" },
	{ "rate \"usual\" {", "rate \"guests\" {", 9, "found again \"guests\"" },
	{ "rate = \"usual\"", "rate = \"Usual\"", 21,
	  "pool \"pool.example\": rate: expected the title of a rate section, found \"Usual\"" },
	/* revocation */
	{ "\"require\"", "\"must\"", 12, "revocation: expected off|check|require, found \"must\"" },
	{ "{\"hq.crl\", ", "{\"\", ", 13, "crl: expected a file name, found \"\"" },
	{ "/var/crls", "/" A512 A512, 13, "crl: expected a path of at most 1023 bytes" },
	{ "hq.crl", "missing", 13, NULL }, /* who watches it deals with that */
	{ "http://ca", "ldap://ca", 14,
	  "crl_url: expected a URL of http: or https:, found \"ldap" },
	{ "http://ca", "ca", 14, "expected a URL" },
	{ "http://ca.example/", "http:///", 14, "expected a URL" },
	{ "http://ca.example/hq.crl", "http://", 14, "expected a URL" },
	{ "http://ca.example/hq.crl", "file:///etc/passwd", 14, "expected a URL" },
	{ "ca.example/", "ca example/", 14, "expected a URL" },
	{ "ca.example/", "ca.example/\xc3\xa4", 14, "expected a URL" },
	/* 7 + 505 and 7 + 506 bytes */
	{ "http://ca.example/hq.crl", "http://a" A64 A64 A64 A64 A64 A64 A64 A56, 14, NULL },
	{ "http://ca.example/hq.crl", "http://aa" A64 A64 A64 A64 A64 A64 A64 A56, 14,
	  "expected a URL of at most 512 bytes, found 513 bytes" },
	{ "crl_fetch = true", "crl_fetch = yes", 15, "crl_fetch: expected true or false" },
	{ "crl_grace = \"1500ms\"", "crl_grace = \"none\"", 16, "crl_grace: expected a duration" },
	/* entries */
	{ "port = 5062", "port = 0", 20, "port: expected a number from 1 to 65535" },
	{ "port = 5062", "port = 65536", 20, "port: expected a number from 1 to 65535" },
	{ "\"Example.com\"", "\"*.example.com\"", 22, "domains: expected a host name" },
	{ "domain \"contoso.example\" { }", "domain \"contoso.example\" { address = \"[::1]:1\" }",
	  29, "domain \"contoso.example\": expected an option of this section, found \"address\"" },
	{ "domain \"contoso.example\" { }", "domain \"contoso.example\" { port = 1 }", 29,
	  "expected an option of this section, found \"port\"" },
	{ "domain \"contoso.example\" { }",
	  "domain \"contoso.example\" { member \"a.contoso.example\" { } }", 29,
	  "expected an option of this section, found \"member\"" },
	{ "domain \"contoso.example\"", "domain \"contoso_example\"", 29, "expected a host name" },
	{ "srv = \"sips\"", "srv = \"sip\"", 31, "srv: expected sips|sipfederationtls, found" },
	{ "srv = \"sips\"", "srv = \"host\"", 31, "srv: expected sips|sipfederationtls, found" },
	{ "domains = {\"a.example\"}", "", 35,
	  "provider \"edge.provider.example\": domains: missing: expected at least one" },
	{ "application \"app.example\"", "domain \"app.example\"", 24,
	  "site \"hq\": expected an option of this section, found \"domain\"" },
	{ "server \"edge.contoso.example\"", "server \"contoso.example\"", 39,
	  "found again after" },
	/* discovered */
	{ "	rate = \"guests\"\n	key", "	key", 41,
	  "rate: missing: expected one, found none" },
	{ "	rate = \"guests\"\n	key", "	rate = \"gusts\"\n	key", 43,
	  "discovered \"Anybody with a certificate\": rate: expected the title of a rate section" },
	{ "{\"public.pem\", \"other.pem\"}", "\"missing\"", 42, "anchors: no file" },
	{ "key_usage = \"tls-any\"", "direction = \"both\"", 44, "found \"direction\"" },
	{ "key_usage = \"tls-any\"", "address = \"[::1]:1\"", 44, "found \"address\"" },
	{ "key_usage = \"tls-any\"", "domains = \"a.example\"", 44, "found \"domains\"" },
	{ "key_usage = \"tls-any\"", "wildcard = true", 44, "found \"wildcard\"" },
	{ "key_usage = \"tls-any\"", "server \"a.example\" { }", 44, "found \"server\"" },
	{ "discovered \"guests\"", "discovered \"Anybody with a certificate\"", 46, "found again" },
	{ "discovered \"guests\"", "discovered \"ANYBODY with a certificate\"", 46,
	  "expected a name that is not in use, found again after line 41" },
	{ "discovered \"guests\"", "discovered \"Contoso.example\"", 46, "found again after line" },
	{ "discovered \"guests\"", "discovered \"" A64 "a\"", 46, "expected a title of 1 to 64" },
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

/* A domain whose SRV name would not fit into DNS: one label more than the other service takes. */
static void test_long_domain(void **state _unused_)
{
	char domain[240], buf[400];
	struct mistake m = { "long domain", "", 1,
			     "expected a domain of at most 230 characters, as the name of its SRV "
			     "records has to fit into 253" };

	for (size_t i = 0; i < sizeof(domain); i++)
		domain[i] = i % 60 == 59 ? '.' : 'a';
	domain[230] = '\0';
	snprintf(buf, sizeof(buf), "serial = 1 partner p { anchors = a domain \"%s\" { } }",
		 domain);
	conf_free(
		load_good("topology = \"net/topology.conf\" identity i { certificate = c key = k }",
			  buf));
	domain[230] = 'a';
	domain[231] = '\0';
	snprintf(buf, sizeof(buf), "serial = 1 partner p { anchors = a domain \"%s\" { } }",
		 domain);
	check_mistake(&m, TOPOLOGY,
		      "topology = \"net/topology.conf\" identity i { certificate = c key = k }",
		      buf);
	snprintf(buf, sizeof(buf),
		 "serial = 1 partner p { anchors = a domain \"%s\" { srv = sips } }", domain);
	conf_free(
		load_good("topology = \"net/topology.conf\" identity i { certificate = c key = k }",
			  buf));
}

static void test_durations(void **state _unused_)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0s" },	    { 1, "1ms" },	 { 1500, "1500ms" },
		{ 60000, "1m" },    { 61000, "61s" },	 { 3600000, "1h" },
		{ 86400000, "1d" }, { 90000000, "25h" }, { 14 * UINT64_C(86400000), "14d" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[32];
		struct text text = TEXT_INIT(buf);
		uint64_t ms;

		conf_duration_format(cases[i].ms, &text);
		assert_string_equal(buf, cases[i].text);
		assert_true(conf_duration_parse(buf, &ms) && ms == cases[i].ms);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_words_of_durations),
		cmocka_unit_test(test_blocks_and_rates),
		cmocka_unit_test(test_revocation),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_mentioned_files),
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_dial_find),
		cmocka_unit_test(test_member_with_address),
		cmocka_unit_test(test_daemon_mistakes),
		cmocka_unit_test(test_topology_mistakes),
		cmocka_unit_test(test_long_domain),
		cmocka_unit_test(test_durations),
	};

	return cmocka_run_group_tests_name("conf-network", tests, NULL, NULL);
}
