/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* siptlsctl verify: verdicts on real certificates in real files, and every wrong command line. */

#include "ctl-files-testing.h"

enum { CA, OTHER_CA, SUB_CA, LEAF, EXPIRED, CLIENT_ONLY, NO_HOST, REVOKED, BELOW, N_CERTS };

static struct {
	char directory[32];
	struct test_cert certs[N_CERTS];
	struct output output;
} t = { .directory = "/tmp/test-verify.XXXXXX" };

static const char *const names[N_CERTS] = { "ca",     "other",	 "sub",	    "leaf", "expired",
					    "client", "no-host", "revoked", "below" };

static int setup(void **state _unused_)
{
	struct test_cert *ca = &t.certs[CA], *sub = &t.certs[SUB_CA];

	*ca = test_cert_make((struct test_spec){ .cn = "Example CA", .ca = true });
	*sub = test_cert_make((struct test_spec){ .issuer = ca, .cn = "Sub CA", .ca = true });
	t.certs[OTHER_CA] = test_cert_make((struct test_spec){ .cn = "Other CA", .ca = true });
	t.certs[LEAF] = test_cert_make((struct test_spec){
		.issuer = ca, .cn = "sip", .dns = { "sip.example.org", "*.wild.example.org" } });
	t.certs[EXPIRED] = test_cert_make((struct test_spec){
		.issuer = ca, .cn = "sip", .dns = { "sip.example.org" }, .from = -20, .to = -10 });
	t.certs[CLIENT_ONLY] =
		test_cert_make((struct test_spec){ .issuer = ca,
						   .cn = "sip",
						   .dns = { "sip.example.org" },
						   .purposes = { GNUTLS_KP_TLS_WWW_CLIENT } });
	t.certs[NO_HOST] = test_cert_make(
		(struct test_spec){ .issuer = ca, .cn = "Valid EE Certificate Test1" });
	t.certs[REVOKED] = test_cert_make(
		(struct test_spec){ .issuer = ca, .cn = "sip", .dns = { "sip.example.org" } });
	t.certs[BELOW] = test_cert_make(
		(struct test_spec){ .issuer = sub, .cn = "sip", .dns = { "sip.example.org" } });
	if (folder_enter(t.directory) < 0)
		return -1;
	for (size_t i = 0; i < N_CERTS; i++)
		write_certificate(names[i], &t.certs[i]);
	write_crl("crl", ca, &t.certs[REVOKED], -1, 7, GNUTLS_X509_FMT_PEM);
	write_crl("crl.der", ca, &t.certs[REVOKED], -1, 7, GNUTLS_X509_FMT_DER);
	write_crl("sub.crl", sub, NULL, -1, 7, GNUTLS_X509_FMT_PEM);
	write_crl("old.crl", ca, NULL, -5, -2, GNUTLS_X509_FMT_PEM);
	write_crl("other.crl", &t.certs[OTHER_CA], NULL, -1, 7, GNUTLS_X509_FMT_PEM);
	return 0;
}

static int teardown(void **state _unused_)
{
	for (size_t i = 0; i < N_CERTS; i++)
		test_cert_done(&t.certs[i]);
	return folder_remove(t.directory);
}

static void expect(const char *arguments, int status, const char *reason)
{
	const struct ctl_context context = { .json = true };
	_cleanup_free_ char *line = NULL;
	json_t *verdict;

	assert_true(asprintf(&line, "verify %s", arguments) > 0);
	if (command(ctl_verify, &context, line, &t.output) != status)
		fail_msg("%s: expected %d: %s%s", line, status, t.output.out, t.output.err);
	if (status == CTL_USAGE) {
		assert_string_equal(t.output.out, "");
		assert_non_null(strstr(t.output.err, reason));
		return;
	}
	verdict = json_loads(t.output.out, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(verdict);
	assert_string_equal(json_string_value(json_object_get(verdict, "verdict")),
			    status ? "refuse" : "accept");
	assert_string_equal(json_string_value(json_object_get(verdict, "reason")), reason);
	assert_non_null(json_object_get(verdict, "fingerprint"));
	assert_true(json_is_array(json_object_get(verdict, "links")));
	json_decref(verdict);
}

#define FILES "--anchor ca --chain leaf"
#define NAME  " --name sip.example.org"

static void test_verdicts(void **state _unused_)
{
	expect(FILES NAME, 0, "ok");
	expect(FILES " --name SIP.Example.ORG", 0, "ok");
	expect("--anchor other ca --chain leaf" NAME, 0, "ok");
	expect("--anchor other --anchor ca --chain leaf" NAME, 0, "ok");
	expect("--anchor other --chain leaf" NAME, CTL_FAILED, "unknown-ca");
	expect(FILES " --name other.example.org", CTL_FAILED, "name-mismatch");
	expect(FILES " --name other.example.org --purpose client", CTL_FAILED, "not-in-topology");
	expect(FILES " --name a.wild.example.org", CTL_FAILED, "name-wildcard");
	expect("--anchor ca --chain ca" NAME, CTL_FAILED, "ca-as-leaf");
	expect("--anchor ca --chain expired" NAME, CTL_FAILED, "expired");
	for (int i = 0; trust_profile_names[i]; i++) {
		char line[256];

		snprintf(line, sizeof(line), FILES NAME " --profile %s", trust_profile_names[i]);
		expect(line, 0, "ok");
	}
}

static void test_purpose(void **state _unused_)
{
	expect("--anchor ca --chain client" NAME, CTL_FAILED, "key-usage");
	expect("--anchor ca --chain client --purpose server" NAME, CTL_FAILED, "key-usage");
	expect("--anchor ca --chain client --purpose client" NAME, 0, "ok");
	expect("--anchor ca --chain client --usage tls-any" NAME, 0, "ok");
	expect("--anchor ca --chain client --usage sip" NAME, CTL_FAILED, "key-usage");
	expect("--anchor ca --chain client --usage ignore" NAME, 0, "ok");
}

static void test_at(void **state _unused_)
{
	char line[256];

	snprintf(line, sizeof(line), "--anchor ca --chain expired" NAME " --at @%lld",
		 (long long)time(NULL) - 15 * DAY);
	/* Then the leaf was valid, but its CA was not yet. */
	expect(line, CTL_FAILED, "not-yet-valid");
	expect(FILES NAME " --at 2100-01-01T00:00:00Z", CTL_FAILED, "expired");
	expect(FILES NAME " --at @1", CTL_FAILED, "not-yet-valid");
}

static void test_text(void **state _unused_)
{
	const struct ctl_context context = { 0 };

	assert_int_equal(command(ctl_verify, &context, "verify " FILES NAME, &t.output), 0);
	assert_non_null(strstr(t.output.out, "verdict: accept\n"));
	assert_non_null(strstr(t.output.out, "  matched name: sip.example.org\n"));
	assert_int_equal(command(ctl_verify, &context, "verify " FILES " --name x.example.org",
				 &t.output),
			 CTL_FAILED);
	assert_non_null(strstr(t.output.out, "verdict: refuse\n  reason: name-mismatch\n"));
}

static void test_usage(void **state _unused_)
{
	static const char *const wrong[][2] = {
		{ "--chain leaf" NAME, "are needed" },
		{ "--anchor ca" NAME, "are needed" },
		{ FILES, "are needed" },
		{ FILES NAME " --any-name", "either --name or --any-name" },
		{ FILES " --any-name=x", "no such option" },
		{ FILES NAME " --grace 5", "expected a time like 90s" },
		{ FILES NAME " --grace -5s", "found \"-5s\"" },
		{ FILES NAME " --revocation yes", "expected off, check, require, found \"yes\"" },
		{ FILES NAME " --crl nowhere",
		  "--crl nowhere: cannot be read: No such file or directory; expected a file of" },
		{ FILES NAME " --crl /proc/version", "there is no CRL in it" },
		{ FILES NAME " --crl /tmp", "--crl /tmp: is no file" },
		{ FILES NAME " --crl /dev/zero", "--crl /dev/zero: is no file" },
		{ FILES NAME " --crl", "\"--crl\" needs a value" },
		{ FILES " --name ", "host name" },
		{ FILES NAME " --profile x", "expected rfc5922, rfc9525, pool, found \"x\"" },
		{ FILES NAME " --purpose both", "expected server, client" },
		{ FILES NAME " --usage any", "expected tls" },
		{ FILES NAME " --at yesterday", "expected 2027" },
		{ FILES NAME " more", "belongs to no option" },
		{ FILES " --at @5 more" NAME, "\"more\" belongs to no option" },
		{ FILES NAME " -- more", "belongs to no option" },
		{ FILES NAME " --nothing", "" },
		{ "--anchor nowhere --chain leaf" NAME, "--anchor nowhere: " },
		{ "--anchor nowhere --chain leaf" NAME, "expected a file of CA certificates" },
		{ "--anchor ca --chain nowhere" NAME, "--chain nowhere: " },
		{ FILES " nowhere" NAME, "--chain nowhere: " },
		{ "--anchor leaf --chain leaf" NAME, "leaf" },
		{ "--anchor /dev/zero --chain leaf" NAME, "/dev/zero" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		expect(wrong[i][0], CTL_USAGE, wrong[i][1]);
}

/* The status of each link of the chain, leaf first, with commas; "-" is the anchor. */
static void expect_links(const char *arguments, int status, const char *reason, const char *links)
{
	json_t *verdict;
	char buf[256] = "";
	struct text text = TEXT_INIT(buf);
	const json_t *list;

	expect(arguments, status, reason);
	verdict = json_loads(t.output.out, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(verdict, "links");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *link = json_array_get(list, i);
		const char *word = json_string_value(json_object_get(link, "status"));

		text_addf(&text, "%s%s", i ? "," : "", word ? word : "-");
		assert_int_equal(!word, json_is_true(json_object_get(link, "anchor")));
	}
	json_decref(verdict);
	assert_string_equal(buf, links);
}

static void test_revocation(void **state _unused_)
{
	expect_links(FILES NAME, 0, "ok", "off,-");
	expect_links(FILES NAME " --revocation check", 0, "ok", "unknown,-");
	expect_links(FILES NAME " --revocation require", CTL_FAILED, "revocation-unknown",
		     "unknown,-");
	/* A list alone asks for all there is to ask. */
	expect_links(FILES NAME " --crl crl", 0, "ok", "good,-");
	expect_links(FILES NAME " --crl crl.der", 0, "ok", "good,-");
	expect_links(FILES NAME " --crl other.crl", CTL_FAILED, "revocation-unknown", "unknown,-");
	expect_links(FILES NAME " --crl other.crl crl", 0, "ok", "good,-");
	expect_links("--anchor ca --chain revoked" NAME, 0, "ok", "off,-");
	expect_links("--anchor ca --chain revoked --crl crl" NAME, CTL_FAILED, "revoked",
		     "revoked,-");
	expect_links("--anchor ca --chain revoked --crl crl --revocation check" NAME, CTL_FAILED,
		     "revoked", "revoked,-");
	expect_links("--anchor ca --chain revoked --crl crl --revocation off" NAME, 0, "ok",
		     "off,-");
}

static void test_revocation_stale(void **state _unused_)
{
	expect_links(FILES NAME " --crl old.crl", CTL_FAILED, "revocation-stale", "stale,-");
	expect_links(FILES NAME " --crl old.crl --revocation check", 0, "ok", "stale,-");
	expect_links(FILES NAME " --crl old.crl --grace 3d", 0, "ok", "good,-");
	expect_links(FILES NAME " --crl old.crl --grace 1d", CTL_FAILED, "revocation-stale",
		     "stale,-");
	/* The older of two lists does not bring anything back. */
	expect_links("--anchor ca --chain revoked --crl crl old.crl --grace 3d" NAME, CTL_FAILED,
		     "revoked", "revoked,-");
}

/* Intermediates stand behind the leaf, and each link needs its own list. */
static void test_revocation_chain(void **state _unused_)
{
	static const char chain[] = "--anchor ca --chain below sub" NAME;
	char line[256];

	expect_links(chain, 0, "ok", "off,off,-");
	expect("--anchor ca --chain below" NAME, CTL_FAILED, "unknown-ca");
	snprintf(line, sizeof(line), "%s --crl crl", chain);
	expect_links(line, CTL_FAILED, "revocation-unknown", "unknown,good,-");
	snprintf(line, sizeof(line), "%s --crl sub.crl crl", chain);
	expect_links(line, 0, "ok", "good,good,-");
	assert_non_null(strstr(t.output.out, "\"crl\": \"sub.crl\""));
}

/* Only the name is not asked; and what was put in its place is not told as a name. */
static void test_any_name(void **state _unused_)
{
	static const char chain[] = "--anchor ca --chain no-host";
	char line[256];

	for (int i = 0; trust_profile_names[i]; i++) {
		snprintf(line, sizeof(line), "%s --any-name --profile %s", chain,
			 trust_profile_names[i]);
		expect(line, 0, "ok");
		assert_null(strstr(t.output.out, "\"name\""));
	}
	snprintf(line, sizeof(line), "%s --any-name --purpose client", chain);
	expect(line, 0, "ok");
	snprintf(line, sizeof(line), "%s --name valid", chain);
	expect(line, CTL_FAILED, "name-mismatch");
	expect("--anchor other --chain no-host --any-name", CTL_FAILED, "unknown-ca");
	expect("--anchor ca --chain expired --any-name", CTL_FAILED, "expired");
	expect("--anchor ca --chain client --any-name", CTL_FAILED, "key-usage");
	expect("--anchor ca --chain ca --any-name", CTL_FAILED, "ca-as-leaf");
	expect("--anchor ca --chain revoked --any-name --crl crl", CTL_FAILED, "revoked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_purpose),
		cmocka_unit_test(test_at),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_revocation),
		cmocka_unit_test(test_revocation_stale),
		cmocka_unit_test(test_revocation_chain),
		cmocka_unit_test(test_any_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
