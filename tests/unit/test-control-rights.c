/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may do what: the rule itself, the rights in the table of methods, and the kernel's answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <control/method.h>
#include <control/rights.h>
#include <grp.h>
#include <sys/socket.h>

#include "fake-sessions.h"

#define OWN   990
#define GROUP 991

static void test_rule(void **state _unused_)
{
	static gid_t groups[] = { 7, GROUP, 8 };
	static const struct {
		uid_t uid;
		gid_t gid;
		size_t n_groups; /* of @groups */
		gid_t group;
		enum control_right right;
	} cases[] = {
		{ 0, 0, 0, CONTROL_NO_GROUP, CONTROL_ADMINISTER },
		{ 0, 5, 0, GROUP, CONTROL_ADMINISTER },
		{ OWN, OWN, 0, CONTROL_NO_GROUP, CONTROL_ADMINISTER },
		{ 1000, GROUP, 0, GROUP, CONTROL_OPERATE },
		{ 1000, 1000, 2, GROUP, CONTROL_OPERATE },
		{ 1000, 1000, 3, GROUP, CONTROL_OPERATE },
		{ 1000, 1000, 1, GROUP, CONTROL_LOOK },
		{ 1000, 1000, 0, GROUP, CONTROL_LOOK },
		{ 1000, GROUP, 3, CONTROL_NO_GROUP, CONTROL_LOOK },
		/* being in root's group, or a group with the daemon's number, is nothing */
		{ 1000, 0, 0, GROUP, CONTROL_LOOK },
		{ 1000, OWN, 0, GROUP, CONTROL_LOOK },
		/* an overflow id is not "no group configured" */
		{ 1000, CONTROL_NO_GROUP, 0, CONTROL_NO_GROUP, CONTROL_LOOK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct control_credentials credentials = { .uid = cases[i].uid,
								 .gid = cases[i].gid,
								 .groups = groups,
								 .n_groups = cases[i].n_groups };

		assert_int_equal(control_rights(&credentials, OWN, cases[i].group), cases[i].right);
	}
}

/* Whatever is not on this list must be harmless enough for everyone. */
static void test_methods(void **state _unused_)
{
	static const struct {
		const char *name;
		enum control_right right;
	} list[] = {
		{ "org.siptls.CloseSessions", CONTROL_OPERATE },
		{ "org.siptls.Probe", CONTROL_OPERATE },
		{ "org.siptls.RefreshRevocation", CONTROL_OPERATE },
		{ "org.siptls.Reload", CONTROL_ADMINISTER },
		{ "org.siptls.Stage", CONTROL_ADMINISTER },
		{ "org.siptls.Commit", CONTROL_ADMINISTER },
		{ "org.siptls.Abort", CONTROL_ADMINISTER },
		{ "org.siptls.Preview", CONTROL_ADMINISTER },
	};
	size_t found = 0;

	for (const struct control_method *m = control_methods; m->name; m++) {
		enum control_right expected = CONTROL_LOOK;

		for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
			if (strcmp(m->name, list[i].name) != 0)
				continue;
			expected = list[i].right;
			found++;
		}
		if (m->right != expected)
			fail_msg("%s has not its right", m->name);
	}
	assert_int_equal(found, ARRAY_SIZE(list));
}

static void test_kernel(void **state _unused_)
{
	struct control_credentials credentials;
	int pair[2], n = getgroups(0, NULL);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(control_credentials_read(pair[0], &credentials), 0);
	assert_int_equal(credentials.uid, geteuid());
	assert_int_equal(credentials.gid, getegid());
	assert_int_equal(credentials.pid, getpid());
	assert_int_equal(credentials.n_groups, n);
	control_credentials_done(&credentials);
	close(pair[0]);
	close(pair[1]);
	assert_true(control_credentials_read(pair[0], &credentials) < 0);
}

/* More groups than any fixed buffer would hold; takes root to have them. */
static void test_many_groups(void **state _unused_)
{
	struct control_credentials credentials;
	gid_t groups[300], before[1024];
	int pair[2], n = getgroups(ARRAY_SIZE(before), before);

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i] = (gid_t)(5000 + i);
	assert_int_equal(setgroups(ARRAY_SIZE(groups), groups), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setgroups((size_t)n, before), 0);
	assert_int_equal(control_credentials_read(pair[0], &credentials), 0);
	assert_int_equal(credentials.n_groups, ARRAY_SIZE(groups));
	credentials.uid = 1000;
	assert_int_equal(control_rights(&credentials, OWN, 5299), CONTROL_OPERATE);
	assert_int_equal(control_rights(&credentials, OWN, 5300), CONTROL_LOOK);
	control_credentials_done(&credentials);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_many_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
