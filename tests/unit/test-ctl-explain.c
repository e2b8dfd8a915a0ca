/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* siptlsctl explain --chain: a whole configuration, certificates and lists in files. */

#include "ctl-files-testing.h"

enum { CA, PARTNER_CA, OURS, POOL, EDGE, REVOKED, OTHER, STRANGER, N_CERTS };

static struct {
	char directory[32];
	struct test_cert certs[N_CERTS];
	struct output output;
} t = { .directory = "/tmp/test-explain.XXXXXX" };

static const char *const names[N_CERTS] = { "ca.pem",	 "partner-ca.pem", "ours.pem",
					    "pool.pem",	 "edge.pem",	   "revoked.pem",
					    "other.pem", "stranger.pem" };

static void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

static void write_configuration(void)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "topology = \"topology.conf\"\n"
		 "state = \"%s/state\"\n"
		 "identity \"main\" { certificate = \"ours.pem\" key = \"ours.key\" }\n"
		 "listen \"servers\" { address = {\"127.0.0.1:5061\"} backend = \"127.0.0.1:5060\" "
		 "}\n",
		 t.directory);
	write_text("siptlsd.conf", text);
	write_text("topology.conf",
		   "serial = 1\n"
		   "site \"example\" {\n"
		   "  anchors = {\"ca.pem\"}\n"
		   "  revocation = \"require\"\n"
		   "  crl = {\"crls\"}\n"
		   "  pool \"pool.example.org\" {\n"
		   "    member \"fe1.example.org\" { address = \"192.0.2.1:5061\" }\n"
		   "    member \"fe2.example.org\" { address = \"192.0.2.2:5061\" }\n"
		   "  }\n"
		   "  application \"other.example.org\" { address = \"192.0.2.3:5061\" }\n"
		   "}\n"
		   "partner \"contoso\" {\n"
		   "  anchors = {\"partner-ca.pem\"}\n"
		   "  revocation = \"require\"\n"
		   "  crl_url = {\"http://crl.contoso.example/\"}\n"
		   "  server \"edge.contoso.example\" { address = \"192.0.2.4:5061\" }\n"
		   "}\n");
}

static struct test_cert issue(int ca, const char *name)
{
	return test_cert_make(
		(struct test_spec){ .issuer = &t.certs[ca], .cn = name, .dns = { name } });
}

static int setup(void **state _unused_)
{
	t.certs[CA] = test_cert_make((struct test_spec){ .cn = "Example CA", .ca = true });
	t.certs[PARTNER_CA] = test_cert_make((struct test_spec){ .cn = "Contoso CA", .ca = true });
	t.certs[OURS] = issue(CA, "sip.example.org");
	t.certs[POOL] = issue(CA, "fe2.example.org");
	t.certs[EDGE] = issue(PARTNER_CA, "edge.contoso.example");
	t.certs[REVOKED] = issue(CA, "fe1.example.org");
	t.certs[OTHER] = issue(CA, "other.example.org");
	t.certs[STRANGER] = issue(CA, "stranger.example.org");
	if (folder_enter(t.directory) < 0)
		return -1;
	for (size_t i = 0; i < N_CERTS; i++)
		write_certificate(names[i], &t.certs[i]);
	write_key("ours.key", &t.certs[OURS]);
	if (mkdir("crls", 0700) < 0 || mkdir("state", 0700) < 0 || mkdir("state/crl", 0700) < 0)
		return -1;
	write_crl("crls/example.crl", &t.certs[CA], &t.certs[REVOKED], -1, 7, GNUTLS_X509_FMT_PEM);
	write_text("crls/README", "what else lies here does not matter");
	write_configuration();
	return 0;
}

static int teardown(void **state _unused_)
{
	for (size_t i = 0; i < N_CERTS; i++)
		test_cert_done(&t.certs[i]);
	return folder_remove(t.directory);
}

#define EXPLAIN "explain --config siptlsd.conf "

static void expect(const char *arguments, int status, const char *out, const char *err)
{
	const struct ctl_context context = { 0 };
	char line[512];

	snprintf(line, sizeof(line), EXPLAIN "%s", arguments);
	if (command(ctl_explain, &context, line, &t.output) != status ||
	    !strstr(t.output.out, out) || !strstr(t.output.err, err))
		fail_msg("%s: expected %d, '%s' and '%s', got '%s' and '%s'", line, status, out,
			 err, t.output.out, t.output.err);
}

static void test_admitted(void **state _unused_)
{
	static const char in[] = "--chain pool.pem --as-peer pool.example.org --direction in";
	static const char out[] = "--chain pool.pem --as-peer fe2.example.org --direction out";

	expect(in, 0, "certificate: CN=fe2.example.org\n  verdict now: ok\n", "");
	expect(in, 0, "  entry: pool.example.org\n  matched name: fe2.example.org\n", "");
	expect(in, 0, "    revocation: good, told by ", "");
	expect(in, 0, "crls/example.crl of 1 day ago, next update in ", "");
	expect(in, 0, "  anchor CN=Example CA\n", "");
	assert_null(strstr(t.output.out, "FAILS"));
	expect(out, 0, "verdict now: ok\n", "");
}

static void test_refused(void **state _unused_)
{
	expect("--chain revoked.pem --as-peer pool.example.org --direction in", CTL_FAILED,
	       "verdict now: revoked (", "");
	assert_non_null(strstr(t.output.out, "    FAILS  "));
	assert_non_null(strstr(t.output.out, "    revocation: revoked since "));
	/* Another server of the topology, and nobody. */
	expect("--chain other.pem --as-peer pool.example.org --direction in", CTL_FAILED,
	       "verdict now: ok\n", "but as other.example.org and not as pool.example.org");
	expect("--chain other.pem --as-peer pool.example.org --direction out", CTL_FAILED,
	       "verdict now: name-mismatch (", "");
	expect("--chain stranger.pem --as-peer pool.example.org --direction in", CTL_FAILED,
	       "verdict now: not-in-topology (", "pool.example.org was not considered");
	/* The certificate of one member when the other was dialled. */
	expect("--chain pool.pem --as-peer fe1.example.org --direction out", CTL_FAILED,
	       "    FAILS  ", "");
	expect("--chain pool.pem --as-peer pool.example.org --direction in --at @4000000000",
	       CTL_FAILED, "verdict now: expired", "");
}

/* Of the partner nothing has been fetched; then it has. */
static void test_fetched(void **state _unused_)
{
	static const char edge[] = "--chain edge.pem --as-peer edge.contoso.example --direction in";

	expect(edge, CTL_FAILED, "verdict now: revocation-unknown (", "");
	write_crl("state/crl/0123", &t.certs[PARTNER_CA], NULL, -1, 7, GNUTLS_X509_FMT_DER);
	expect(edge, 0, "verdict now: ok\n", "");
	assert_int_equal(unlink("state/crl/0123"), 0);
}

static void test_json(void **state _unused_)
{
	const struct ctl_context context = { .json = true };
	json_t *document;

	assert_int_equal(command(ctl_explain, &context,
				 EXPLAIN "--chain revoked.pem --as-peer pool.example.org "
					 "--direction in",
				 &t.output),
			 CTL_FAILED);
	document = json_loads(t.output.out, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(document);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(document, "explanation"), "now")),
		"revoked");
	assert_null(json_object_get(json_object_get(document, "explanation"), "id"));
	assert_true(json_array_size(json_object_get(document, "rules")) > 5);
	assert_int_equal(json_array_size(json_object_get(document, "links")), 2);
	json_decref(document);
}

static void test_wrong(void **state _unused_)
{
	expect("--chain nowhere --as-peer pool.example.org --direction in", CTL_USAGE, "",
	       "nowhere");
	expect("--chain pool.pem --as-peer nobody --direction in", CTL_USAGE, "",
	       "or a member of one, found \"nobody\"");
	expect("--config nowhere --chain pool.pem --as-peer x --direction in", CTL_USAGE, "",
	       "nowhere");
	write_text("broken.conf", "topology = \"topology.conf\"\nnonsense = 5\n");
	expect("--config broken.conf --chain pool.pem --as-peer x --direction in", CTL_USAGE, "",
	       "broken.conf:2: expected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admitted), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_fetched),	 cmocka_unit_test(test_json),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
