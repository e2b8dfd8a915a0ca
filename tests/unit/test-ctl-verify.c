/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* siptlsctl verify: verdicts on real certificates in real files, and every wrong command line. */

#include "tls-testing.h"

#include "ctl-testing.h"
#include <jansson.h>

enum { CA, OTHER_CA, LEAF, EXPIRED, CLIENT_ONLY, N_CERTS };

static struct {
	char directory[32];
	struct test_cert certs[N_CERTS];
	struct output output;
} t;

static void write_pem(const char *name, const struct test_cert *cert)
{
	char path[64];
	gnutls_datum_t pem;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", t.directory, name);
	assert_int_equal(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(pem.data, 1, pem.size, file), pem.size);
	assert_int_equal(fclose(file), 0);
	gnutls_free(pem.data);
}

static const char *const names[N_CERTS] = { "ca", "other", "leaf", "expired", "client" };

static int setup(void **state _unused_)
{
	struct test_cert *ca = &t.certs[CA];

	snprintf(t.directory, sizeof(t.directory), "/tmp/test-verify.XXXXXX");
	if (!mkdtemp(t.directory))
		return -1;
	*ca = test_cert_make((struct test_spec){ .cn = "Example CA", .ca = true });
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
	for (size_t i = 0; i < N_CERTS; i++)
		write_pem(names[i], &t.certs[i]);
	return chdir(t.directory);
}

static int teardown(void **state _unused_)
{
	for (size_t i = 0; i < N_CERTS; i++) {
		(void)unlink(names[i]);
		test_cert_done(&t.certs[i]);
	}
	return chdir("/") < 0 || rmdir(t.directory) < 0;
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
		{ FILES " --name ", "host name" },
		{ FILES NAME " --profile x", "expected rfc5922, rfc9525, pool; found 'x'" },
		{ FILES NAME " --purpose both", "expected server, client" },
		{ FILES NAME " --usage any", "expected tls" },
		{ FILES NAME " --at yesterday", "expected 2027" },
		{ FILES NAME " more", "belongs to no option" },
		{ FILES " more" NAME, "belongs to no option" },
		{ FILES NAME " -- more", "belongs to no option" },
		{ FILES NAME " --nothing", "" },
		{ "--anchor nowhere --chain leaf" NAME, "nowhere" },
		{ "--anchor ca --chain nowhere" NAME, "nowhere" },
		{ "--anchor leaf --chain leaf" NAME, "leaf" },
		{ "--anchor /dev/zero --chain leaf" NAME, "/dev/zero" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		expect(wrong[i][0], CTL_USAGE, wrong[i][1]);
}

/* What is not decided must not look decided. */
static void test_revocation(void **state _unused_)
{
	static const char says[] = "revocation is not decided by this version";

	expect(FILES NAME " --revocation off", 0, "ok");
	expect(FILES NAME " --revocation check", CTL_USAGE, says);
	expect(FILES NAME " --revocation require", CTL_USAGE, says);
	expect(FILES NAME " --crl ca", CTL_USAGE, says);
	expect(FILES NAME " --crl ca leaf --revocation off", CTL_USAGE, says);
	expect(FILES NAME " --revocation yes", CTL_USAGE, "expected off, check, require");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts), cmocka_unit_test(test_purpose),
		cmocka_unit_test(test_at),	 cmocka_unit_test(test_text),
		cmocka_unit_test(test_usage),	 cmocka_unit_test(test_revocation),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
