/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which files the real fetch process can read: those of its plan, also when they are replaced, move
 * or appear later, and no others. What is tried are CRLs, so that what was read shows on the board.
 */

#include "tls-status-testing.h"

#include "fetch-testing.h"

#include <linux/landlock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

/* Without it all can be read, and what is replaced is found without another process. */
static bool confined(void)
{
	return SANDBOX_AVAILABLE &&
	       syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static void make_folder(const char *name)
{
	_cleanup_free_ char *path = in_folder(name);

	assert_int_equal(mkdir(path, 0700), 0);
}

static void make_link(const char *to, const char *name)
{
	_cleanup_free_ char *path = in_folder(name), *beside = in_folder("beside");

	assert_int_equal(symlink(to, beside), 0);
	assert_int_equal(rename(beside, path), 0);
}

static void move(const char *from, const char *to)
{
	_cleanup_free_ char *old = in_folder(from), *new = in_folder(to);

	assert_int_equal(rename(old, new), 0);
}

/* A plan with the test's sources, all of them files and folders. */
static void plan_paths(struct fixture *f, const char *const *names, size_t n,
		       const struct dns_config *dns)
{
	struct revocation_source sources[4];
	gnutls_datum_t der = test_cert_der(&ca);
	struct fetch_blob issuer = { der.data, der.size };
	_cleanup_free_ char *cache = in_folder("cache");

	for (size_t i = 0; i < n; i++)
		sources[i] =
			(struct revocation_source){ REVOCATION_SOURCE_PATH, in_folder(names[i]) };
	assert_int_equal(fetch_plan(f->fetch,
				    &(struct fetch_plan){ &issuer, 1, sources, n, dns, cache }),
			 0);
	for (size_t i = 0; i < n; i++)
		free(sources[i].location);
	gnutls_free(der.data);
}

static void plan_path(struct fixture *f, const char *name)
{
	plan_paths(f, &name, 1, NULL);
}

/* The same process goes on, or another one does without that any has died. */
static void check_process(struct fixture *f, bool same)
{
	if (same)
		assert_int_equal(fetch_pid(f->fetch), f->pid);
	else
		assert_int_not_equal(fetch_pid(f->fetch), f->pid);
	assert_int_equal(f->n_died, 0);
	f->pid = fetch_pid(f->fetch);
}

static bool told(const struct fixture *f, const char *name, int error)
{
	_cleanup_free_ char *path = in_folder(name);

	return !f->event_ok && strcmp(f->event_location, path) == 0 &&
	       strcmp(f->event_detail, strerror(error)) == 0;
}

/* ---- what is outside ---- */

/* Two lists in a folder, one of which is a link to where the keys are. */
static void script_outside(struct fixture *f)
{
	_cleanup_free_ char *key = in_folder("keys/key"), *deep = in_folder("crls/deep.crl");

	if (f->step == 0) {
		make_folder("keys");
		make_folder("crls");
		write_crl("keys/key", &other_ca, NULL);
		write_crl("crls/list.crl", &ca, NULL);
		make_link("../keys/key", "crls/deep.crl");
		plan_path(f, "crls");
		f->step = 1;
	} else if (f->step == 1 && f->n_boards == 1 && f->n_events >= (confined() ? 1 : 2)) {
		assert_int_equal(revocation_board_crls(f->board), confined() ? 1 : 2);
		if (confined()) {
			assert_true(told(f, "crls", EACCES));
			assert_int_equal(crl(f->board, 0).state, REVOCATION_CRL_VERIFIED);
		}
		f->pid = fetch_pid(f->fetch);
		/* it is no reason for another process, but can be looked at */
		assert_int_equal(fetch_preview(f->fetch, 1, key), 0);
		f->step = 2;
	} else if (f->step == 2 && f->n_previews == 1) {
		assert_non_null(f->preview);
		assert_true(revocation_board_crls(f->preview) >= 2);
		check_process(f, true);
		assert_int_equal(unlink(deep), 0);
		f->step = 3;
	} else if (f->step == 3 && f->event_ok) {
		/* in the folder all is followed that comes and goes */
		write_crl("crls/list.crl", &ca, &leaf);
		f->step = 4;
	} else if (f->step == 4 && crl(f->board, 0).entries == 1) {
		check_process(f, true);
		done(f);
	}
}

static void test_outside(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "serve", script_outside);
}

/* ---- plans ---- */

static void script_plans(struct fixture *f)
{
	static const char *const both[] = { "one", "two/list.crl" };
	struct dns_config dns = dns_config(), mute = dns_config();
	_cleanup_free_ char *file = in_folder("three");

	mute.servers[0].in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 99);
	if (f->step == 0) {
		make_folder("one");
		make_folder("two");
		write_crl("one/list.crl", &ca, NULL);
		write_crl("two/list.crl", &other_ca, NULL);
		write_crl("three", &ca, NULL);
		plan_paths(f, both, 1, &mute);
		f->pid = fetch_pid(f->fetch);
		f->step = 1;
	} else if (f->step == 1 && f->n_boards == 1) {
		check_process(f, true);
		assert_int_equal(revocation_board_crls(f->board), 1);
		/* more files: another process, which is asked what this one was asked */
		if (have_server)
			resolve(f, 1, "a.signed.test");
		assert_int_equal(fetch_preview(f->fetch, 2, file), 0);
		plan_paths(f, both, 2, &dns);
		if (have_server)
			resolve(f, 3, "b.signed.test");
		f->step = 2;
	} else if (f->step == 2 && revocation_board_crls(f->board) == 2 &&
		   f->n_resolved == (have_server ? 2 : 0) && f->n_previews == 1) {
		check_process(f, false);
		assert_non_null(f->preview);
		if (have_server)
			assert_int_equal(f->answer.reason, REASON_OK);
		/* the file is followed through its folder */
		write_crl("two/list.crl", &other_ca, &leaf);
		f->step = 3;
	} else if (f->step == 3 && crl(f->board, 0).entries + crl(f->board, 1).entries == 1) {
		check_process(f, true);
		/* fewer */
		plan_paths(f, both + 1, 1, &dns);
		f->step = 4;
	} else if (f->step == 4 && revocation_board_crls(f->board) == 1) {
		check_process(f, false);
		/* the same with other servers */
		plan_paths(f, both + 1, 1, &mute);
		f->mark = f->n_boards;
		f->step = 5;
	} else if (f->step == 5 && f->n_boards > f->mark) {
		check_process(f, true);
		done(f);
	}
}

static void test_plans(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "serve", script_plans);
}

/* ---- what appears, moves and is replaced ---- */

static void script_later(struct fixture *f)
{
	static const char *const names[] = { "later", "files/late.crl", "current/list.crl",
					     "files/link.crl" };

	if (f->step == 0) {
		make_folder("files");
		make_folder("v1");
		make_folder("v2");
		write_crl("v1/list.crl", &other_ca, NULL);
		write_crl("v2/list.crl", &other_ca, &leaf);
		make_link("v1", "current");
		plan_paths(f, names, 2, NULL);
		f->pid = fetch_pid(f->fetch);
		f->step = 1;
	} else if (f->step == 1 && f->n_boards == 1 && told(f, "files/late.crl", ENOENT)) {
		make_folder("new");
		write_crl("new/list.crl", &ca, NULL);
		move("new", "later");
		f->step = 2;
	} else if (f->step == 2 && revocation_board_crls(f->board) == 1) {
		check_process(f, !confined());
		write_crl("files/late.crl", &other_ca, NULL);
		f->step = 3;
	} else if (f->step == 3 && revocation_board_crls(f->board) == 2) {
		check_process(f, !confined());
		/* another folder in the place of the first */
		make_folder("new");
		write_crl("new/list.crl", &ca, &leaf);
		move("later", "old");
		move("new", "later");
		f->step = 4;
	} else if (f->step == 4 && crl(f->board, 0).entries + crl(f->board, 1).entries == 1) {
		check_process(f, !confined());
		assert_int_equal(revocation_board_crls(f->board), 2);
		/* a link on the way that leads elsewhere */
		plan_paths(f, names + 2, 1, NULL);
		f->step = 5;
	} else if (f->step == 5 && revocation_board_crls(f->board) == 1) {
		check_process(f, false);
		make_link("v2", "current");
		fetch_refresh(f->fetch);
		f->step = 6;
	} else if (f->step == 6 && crl(f->board, 0).entries == 1) {
		check_process(f, !confined());
		/* a link to a file, which is another one then */
		make_link("../v1/list.crl", "files/link.crl");
		plan_paths(f, names + 3, 1, NULL);
		f->step = 7;
	} else if (f->step == 7 && revocation_board_crls(f->board) == 1 &&
		   crl(f->board, 0).entries == 0) {
		check_process(f, false);
		write_crl("v1/list.crl", &other_ca, &leaf);
		fetch_refresh(f->fetch);
		f->step = 8;
	} else if (f->step == 8 && crl(f->board, 0).entries == 1) {
		check_process(f, !confined());
		done(f);
	}
}

static void test_later(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "serve", script_later);
}

/* ---- the trust anchor ---- */

static void copy_anchors(const char *name)
{
	_cleanup_free_ char *text = name_server_read(&server, "anchors");
	_cleanup_free_ char *path = in_folder(name), *beside = in_folder("beside");

	name_server_write(&(struct name_server){ .dir = "/" }, beside, text);
	assert_int_equal(rename(beside, path), 0);
}

static void script_anchor(struct fixture *f)
{
	struct dns_config dns = dns_config();
	_cleanup_free_ char *anchors = in_folder("keys-and-anchors");

	dns.trust_anchor = anchors;
	if (f->step == 0) {
		plan_paths(f, NULL, 0, &dns);
		f->pid = fetch_pid(f->fetch);
		resolve(f, 1, "a.signed.test");
		f->step = 1;
	} else if (f->step == 1 && f->n_resolved == 1) {
		assert_non_null(strstr(f->answer.detail, strerror(ENOENT)));
		/* each question tries again, if it takes another process */
		copy_anchors("keys-and-anchors");
		resolve(f, 2, "a.signed.test");
		f->step = 2;
	} else if (f->step == 2 && f->n_resolved == 2) {
		assert_int_equal(f->answer.reason, REASON_OK);
		assert_true(f->answer.secure);
		check_process(f, !confined());
		/* while it is in use it may be replaced, as by whoever keeps it up to date */
		copy_anchors("keys-and-anchors");
		resolve(f, 3, "b.signed.test");
		f->step = 3;
	} else if (f->step == 3 && f->n_resolved == 3) {
		assert_int_equal(f->answer.reason, REASON_OK);
		check_process(f, true);
		done(f);
	}
}

static void test_anchor(void **state _unused_)
{
	struct fixture f = {};

	if (!have_server)
		skip();
	run(&f, "serve", script_anchor);
}

/* ---- what the libraries need ---- */

/* The web server speaks no TLS: this is how far one gets who has found the CAs to trust. */
static void script_https(struct fixture *f)
{
	char url[64];

	snprintf(url, sizeof(url), "https://localhost:%u/a.crl", web.port);
	if (f->step == 0) {
		plan(f, &ca, url, NULL, NULL);
		f->step = 1;
	} else if (f->step == 1 && f->n_events > 0) {
		assert_false(f->event_ok);
		if (!strstr(f->event_detail, "packet"))
			fail_msg("%s", f->event_detail);
		done(f);
	}
}

static void test_https(void **state _unused_)
{
	struct fixture f = {};

	if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) < 0)
		skip();
	web_start();
	web_page(&ca, NULL);
	run(&f, "serve", script_https);
	web_stop();
}

/* As who manages a network or edits a file does: another file takes the place of the old. */
static void write_etc(const char *name, const char *text)
{
	const struct name_server etc = { .dir = "/etc" };
	char path[64];

	snprintf(path, sizeof(path), "/etc/%s", name);
	name_server_write(&etc, "beside", text);
	assert_int_equal(rename("/etc/beside", path), 0);
}

/* From now on this process and those it starts have an /etc of their own. */
static bool own_etc(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/etc", "tmpfs", 0, NULL) < 0)
		return false;
	write_etc("nsswitch.conf", "hosts: files\n");
	write_etc("resolv.conf", "nameserver 127.0.0.1\n");
	write_etc("hosts", "127.0.0.1 localhost\n");
	return true;
}

static void script_libraries(struct fixture *f)
{
	struct dns_config dns = dns_config();
	char url[64];

	snprintf(url, sizeof(url), "http://web.example:%u/a.crl", web.port);
	if (f->step == 0) {
		plan(f, &ca, url, &dns, NULL);
		f->pid = fetch_pid(f->fetch);
		f->step = 1;
	} else if (f->step == 1 && f->n_events == 1) {
		assert_false(f->event_ok); /* nobody knows that host */
		check_process(f, true);
		write_etc("hosts", "127.0.0.1 localhost web.example\n");
		fetch_refresh(f->fetch);
		f->step = 2;
	} else if (f->step == 2 && revocation_board_crls(f->board) == 1) {
		check_process(f, !confined());
		/* a lookup is not left to what is asked without this file: this machine */
		write_etc("resolv.conf", "nameserver 127.0.0.2\n");
		if (have_server)
			resolve(f, 1, "a.signed.test");
		f->step = have_server ? 3 : 4;
	} else if (f->step == 3 && f->n_resolved == 1) {
		assert_int_equal(f->answer.reason, REASON_OK);
		check_process(f, !confined());
		f->step = 4;
	} else if (f->step == 4) {
		done(f);
	}
}

static void test_libraries(void **state _unused_)
{
	struct fixture f = {};

	if (!own_etc())
		skip();
	web_start();
	web_page(&ca, NULL);
	run(&f, "serve", script_libraries);
	web_stop();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outside), cmocka_unit_test(test_plans),
		cmocka_unit_test(test_later),	cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_https),	cmocka_unit_test(test_libraries),
	};

	if (argc == 1 && is_process())
		return strcmp(basename(argv[0]), "serve") == 0 ? serve() : 1;
	block_child_signals();
	return cmocka_run_group_tests(tests, start, stop);
}
