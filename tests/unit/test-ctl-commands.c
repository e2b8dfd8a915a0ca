/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands of siptlsctl against a control socket in a process of its own. */

#include "ctl-server-testing.h"

static void test_sessions(void **state)
{
	struct fixture *f = *state;
	json_t *all = json_of(f, ctl_sessions, "sessions --output id");
	const json_t *rows = json_object_get(all, "sessions");

	assert_int_equal(json_array_size(rows), SESSIONS);
	for (size_t i = 0; i < SESSIONS; i++)
		assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, i), "id")),
				 i + 1);
	json_decref(all);
	expect(f, ctl_sessions, "sessions --raw --output id,mode --peer other.example.org", 0,
	       "id\tmode\n2\tkernel\n", "");
	assert_string_equal(f->output.out, "id\tmode\n2\tkernel\n");
	/* A member stands for its entry. */
	expect(f, ctl_sessions, "sessions --raw --output id --peer SIP1.pool2.example.org", 0,
	       "id\n1\n3\n", "");
	expect(f, ctl_sessions, "sessions --peer nobody", CTL_FAILED, "", "no entry \"nobody\"");
	expect(f, ctl_sessions, "sessions --output id,ends,domains", 0, "example.org, example.net",
	       "");
}

static void test_show(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_show, "show 122", 0, "session: 122\n", "");
	expect(f, ctl_show, "show 122", 0, "  seen there as: 127.0.0.1:40122\n", "");
	expect(f, ctl_lookup, "lookup 127.0.0.1:40122", 0, "session: 122\n", "");
	expect(f, ctl_show, "show 99999", CTL_FAILED, "", "no session 99999");
	expect(f, ctl_lookup, "lookup 127.0.0.1:1", CTL_FAILED, "", "no session is behind");
	expect(f, ctl_lookup, "lookup nonsense", CTL_USAGE, "",
	       "lookup: expected ADDRESS:PORT as the SIP server sees its peer, or its own of a "
	       "connection it dialled, like 127.0.0.1:40122 or [::1]:40122, found \"nonsense\"");
	expect(f, ctl_lookup, "lookup 127.0.0.1:0", CTL_USAGE, "", "found \"127.0.0.1:0\"");
	expect(f, ctl_show, "show 122", 0, "  SIP domains: example.org, example.net\n", "");
	expect(f, ctl_show, "show 122", 0, "  revocation: good\n", "");
	expect(f, ctl_show, "show 122", 0, "  held back by its rate: 6\n", "");
}

static void test_close(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_close, "close 5 6", 0, "closed 5\nclosed 6\n", "");
	expect(f, ctl_close, "close 7 5", CTL_FAILED, "closed 7\nunknown 5\n", "");
	/* All or nothing when the command line is wrong. */
	expect(f, ctl_close, "close 8 x", CTL_USAGE, "", "expected an id as in the first column");
	expect(f, ctl_show, "show 8", 0, "session: 8\n", "");
}

static void test_summary(void **state)
{
	struct fixture *f = *state;
	json_t *summary = json_of(f, ctl_summary, "summary");

	assert_int_equal(json_integer_value(json_object_get(summary, "serial")), 42);
	assert_int_equal(json_array_size(json_object_get(summary, "ports")), 2);
	json_decref(summary);
	expect(f, ctl_summary, "summary", 0, "  expired: 3 (", "");
	expect(f, ctl_summary, "summary", 0, "  revocation: 3 CRLs on board 7\n", "");
	expect(f, ctl_summary, "summary", 0,
	       "  chains: 5 handshakes found theirs verified already; live sessions rest on 2\n",
	       "");
	expect(f, ctl_summary, "summary", 0,
	       "warnings: 2\n  /etc/siptls/topology.conf:7: nobody can dial", "");
	assert_null(strstr(f->output.out, "LAST GOOD"));
	assert_null(strstr(f->output.out, "staged"));
	expect(f, ctl_summary, "summary", 0, "listen: servers\n  address: 0.0.0.0:5061\n", "");
	expect(f, ctl_peers, "peers --raw --output name,last_refusal", 0,
	       "pool2.example.org\t-\npool2.example.org\texpired\n", "");
}

static void test_reload(void **state)
{
	static const char warning[] =
		"warning: /etc/siptls/topology.conf:7: nobody can dial this entry\n";
	struct fixture *f = *state;

	expect(f, ctl_reload, "reload", 0, "generation 4\n", warning);
	assert_string_equal(f->output.out, "generation 4\n");
	json_decref(json_of(f, ctl_reload, "reload"));
	assert_non_null(strstr(f->output.err, warning));
}

static void test_reload_refused(void **state)
{
	struct fixture *f = *state;

	expect(f, ctl_reload, "reload", CTL_FAILED, "", "/etc/siptls/topology.conf:12: expected");
	expect(f, ctl_reload, "reload", CTL_FAILED, "", "nothing has changed");
	expect(f, ctl_summary, "summary", 0, "RUNNING ON THE LAST GOOD CONFIGURATION", "");
	assert_int_equal(strncmp(f->output.out, "RUNNING", 7), 0);
}

static void test_usage(void **state)
{
	static const struct {
		ctl_command_fn fn;
		const char *line;
	} wrong[] = {
		{ ctl_sessions, "sessions x" },
		{ ctl_sessions, "sessions --nothing" },
		{ ctl_sessions, "sessions --json --raw" },
		{ ctl_sessions, "sessions --output" },
		{ ctl_sessions, "sessions --output nothing" },
		{ ctl_show, "show" },
		{ ctl_show, "show 1 2" },
		{ ctl_show, "show -1" },
		{ ctl_show, "show 0x1" },
		{ ctl_show, "show 99999999999999999999" },
		{ ctl_show, "show 1 --raw" },
		{ ctl_close, "close" },
		{ ctl_peers, "peers --peer x" },
		{ ctl_reload, "reload --verify" },
		{ ctl_lookup, "lookup" },
		{ ctl_reload, "reload --raw" },
		{ ctl_reload, "reload --output id" },
		{ ctl_reload, "reload x" },
		{ ctl_reasons, "reasons a b" },
		{ ctl_reasons, "reasons expired --raw" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(command(wrong[i].fn, &f->context, wrong[i].line, &f->output),
				 CTL_USAGE);
		assert_string_equal(f->output.out, "");
		assert_string_not_equal(f->output.err, "");
	}
}

/* ---- --verify, with a program in PATH that plays siptls-kmod ----------------------------------
 */

static void kmod_is(const struct fixture *f, const char *says, int status)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/siptls-kmod", f->directory);
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\ntest \"$*\" = 'sockets --json' && echo '%s'\nexit %d\n", says,
		status);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

/* The socket of session 2 and one that is nobody's, both of our own user. */
static void kmod_says(const struct fixture *f, const char *rx, const char *details, int status)
{
	char says[1024];

	snprintf(says, sizeof(says),
		 "{\"sockets\":[{\"cookie\":\"18446744073709551613\",\"version\":\"TLS 1.3\","
		 "\"cipher\":\"AES-256-GCM\",\"tx\":\"sw\",\"rx\":\"%s\",\"uid\":%u,\"inode\":5},"
		 "{\"cookie\":\"77\",\"uid\":%u,\"inode\":5}],\"details\":%s}",
		 rx, geteuid(), geteuid(), details);
	kmod_is(f, says, status);
}

static void test_verify(void **state)
{
	static const char one[] =
		"sessions --verify --raw --output id,kernel_verified --peer other.example.org";
	struct fixture *f = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", f->directory);
	assert_int_equal(setenv("PATH", f->directory, 1), 0);
	expect(f, ctl_sessions, one, CTL_FAILED, "", "siptls-kmod is neither");
	assert_int_equal(setenv("PATH", path, 1), 0);

	kmod_says(f, "sw", "true", 0);
	expect(f, ctl_sessions, one, 0, "id\tkernel_verified\n2\tyes\n",
	       "sessions=1 kernel=1 disagree=0");
	expect(f, ctl_sessions, "sessions --verify --output cookie,kernel_verified", CTL_FAILED,
	       "no: not in the table of siptlsd", "");
	expect(f, ctl_sessions, "sessions --verify --output id", CTL_FAILED,
	       "sessions=1200 kernel=1 disagree=1199\n", "");
	kmod_says(f, "base", "true", 0);
	expect(f, ctl_sessions, one, CTL_FAILED, "2\tno: rx is base in the kernel\n",
	       "sessions=1 kernel=0 disagree=1");

	/* What the kernel hides is no proof of anything. */
	kmod_says(f, "sw", "false", 1);
	expect(f, ctl_sessions, one, CTL_FAILED, "", "CAP_NET_ADMIN");
	assert_string_equal(f->output.out, "");
	kmod_is(f, "", 1);
	expect(f, ctl_sessions, one, CTL_FAILED, "", "did not list");
	kmod_is(f, "{\"sockets\":1,\"details\":true}", 0);
	expect(f, ctl_sessions, one, CTL_FAILED, "", "did not list");
	snprintf(path, sizeof(path), "%s/siptls-kmod", f->directory);
	assert_int_equal(unlink(path), 0);
}

static void test_nobody_there(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	kill(f->server, SIGKILL);
	waitpid(f->server, NULL, 0);
	expect(f, ctl_summary, "summary", CTL_FAILED, "", "is siptlsd running?");
	assert_int_equal(unlink(f->path), 0);
	expect(f, ctl_summary, "summary", CTL_FAILED, "", "is siptlsd running?");

	/* Somebody else, who closes at once. */
	memcpy(address.sun_path, f->path, strlen(f->path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	f->server = fork();
	if (f->server == 0) {
		close(accept(fd, NULL, NULL));
		_exit(0);
	}
	expect(f, ctl_summary, "summary", CTL_FAILED, "", "has closed the connection");
	waitpid(f->server, NULL, 0);

	/* Somebody else, who talks nonsense. */
	f->server = fork();
	if (f->server == 0) {
		int client = accept(fd, NULL, NULL);

		_exit(send(client, "SSH-2.0-x\r\n", 12, 0) != 12 || sleep(10));
	}
	expect(f, ctl_summary, "summary", CTL_FAILED, "", "not an answer of siptlsd");
	close(fd);
}

static void test_reasons(void **state)
{
	struct fixture *f = *state;
	json_t *document = json_of(f, ctl_reasons, "reasons");
	const json_t *rows = json_object_get(document, "reasons");

	assert_int_equal(json_array_size(rows), _REASON_MAX - 1);
	for (size_t i = 0; i < json_array_size(rows); i++)
		assert_int_equal(reason_from_code(json_string_value(
					 json_object_get(json_array_get(rows, i), "code"))),
				 i + 1);
	json_decref(document);
	expect(f, ctl_reasons, "reasons", 0, "name-mismatch", "");
	assert_null(strstr(f->output.out, "WHAT TO DO"));
	/* Narrow enough for a terminal of any size, if lines are. */
	for (char *rest = f->output.out, *line; (line = strsep(&rest, "\n"));)
		assert_in_range(strlen(line), 0, 160);
	expect(f, ctl_reasons, "reasons expired", 0,
	       "reason: expired\n  meaning: a certificate in the chain has expired\n  what to do: ",
	       "");
	expect(f, ctl_reasons, "reasons Expired", CTL_FAILED, "", "no reason \"Expired\"");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_sessions),
		TEST(test_show),
		TEST(test_close),
		TEST(test_summary),
		TEST(test_reload),
		cmocka_unit_test_setup_teardown(test_reload_refused, setup_broken, teardown),
		TEST(test_usage),
		TEST(test_verify),
		TEST(test_nobody_there),
		TEST(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
