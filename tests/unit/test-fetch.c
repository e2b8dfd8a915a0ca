/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The daemon's side against fetch processes of several characters, one of which is the real one.
 */

#include "tls-status-testing.h"

#include "fetch-testing.h"

/* ---- the process ---- */

static uint8_t buf[FETCH_MESSAGE_MAX];
static struct fetch_message in;

/* A message with @n descriptors. */
static void say_bytes(const void *bytes, size_t size, int fd, size_t n)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(2 * sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(n * sizeof(int)) } };
	struct iovec vector = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
	struct msghdr msg = { .msg_iov = &vector, .msg_iovlen = 1 };

	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fd, sizeof(fd));
	if (n > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	if (sendmsg(CHANNEL_FD, &msg, MSG_NOSIGNAL) < 0)
		_exit(101);
}

static void say(struct fetch_message m, int fd, size_t n)
{
	size_t size;

	if (fetch_message_encode(&m, buf, &size) != 0)
		_exit(100);
	say_bytes(buf, size, fd, n);
}

/* The next message of @type; the end when the channel closes. */
static void hear(enum fetch_message_type type)
{
	do {
		struct pollfd p = { .fd = CHANNEL_FD, .events = POLLIN };
		ssize_t n;

		(void)poll(&p, 1, -1);
		n = recv(CHANNEL_FD, buf, sizeof(buf), 0);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			_exit(0);
		fetch_message_done(&in);
		if (fetch_message_decode(buf, (size_t)n, &in) != 0)
			_exit(102);
	} while (in.type != type);
}

static int junk(bool sealed)
{
	int fd = memfd_create("junk", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, 8192) < 0 ||
	    (sealed &&
	     fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0))
		_exit(103);
	return fd;
}

static const char *const hostile[] = {
	"garbage",	     "board-without-fd", "board-of-junk", "board-unsealed",
	"board-twice-fd",    "event-with-fd",	 "unowed-answer", "unowed-preview",
	"unowed-pong",	     "daemons-message",	 "answer-twice",  "preview-without-fd",
	"answer-to-preview",
};

/* What no honest process says. */
static int hostile_main(const char *character)
{
	struct fetch_message answer = { .type = FETCH_MSG_ANSWER };
	struct fetch_message previewed = { .type = FETCH_MSG_PREVIEWED };
	struct fetch_message event = { .type = FETCH_MSG_EVENT };

	answer.answer.dns.reason = REASON_DNS_FAILED;
	event.event.location = (char[]){ "x" };
	hear(FETCH_MSG_PLAN_END);
	if (strcmp(character, "garbage") == 0) {
		say_bytes("\xff\xff", 2, -1, 0);
	} else if (strcmp(character, "board-without-fd") == 0) {
		say((struct fetch_message){ .type = FETCH_MSG_BOARD }, -1, 0);
	} else if (strcmp(character, "board-of-junk") == 0) {
		say((struct fetch_message){ .type = FETCH_MSG_BOARD }, junk(true), 1);
	} else if (strcmp(character, "board-unsealed") == 0) {
		say((struct fetch_message){ .type = FETCH_MSG_BOARD }, junk(false), 1);
	} else if (strcmp(character, "board-twice-fd") == 0) {
		say((struct fetch_message){ .type = FETCH_MSG_BOARD }, junk(true), 2);
	} else if (strcmp(character, "event-with-fd") == 0) {
		say(event, junk(true), 1);
	} else if (strcmp(character, "unowed-answer") == 0) {
		answer.answer.id = 999;
		say(answer, -1, 0);
	} else if (strcmp(character, "unowed-preview") == 0) {
		say(previewed, -1, 0);
	} else if (strcmp(character, "unowed-pong") == 0) {
		say((struct fetch_message){ .type = FETCH_MSG_PONG }, -1, 0);
	} else if (strcmp(character, "daemons-message") == 0) {
		say((struct fetch_message){ .type = FETCH_MSG_REFRESH }, -1, 0);
	} else if (strcmp(character, "answer-twice") == 0) {
		hear(FETCH_MSG_RESOLVE);
		answer.answer.id = in.resolve.id;
		say(answer, -1, 0);
		say(answer, -1, 0);
	} else {
		hear(FETCH_MSG_PREVIEW);
		answer.answer.id = previewed.previewed.id = in.preview.id;
		previewed.previewed.ok = true;
		say(character[0] == 'a' ? answer : previewed, -1, 0);
	}
	hear(_FETCH_MSG_MAX);
	return 0;
}

/* Of ever more sources, then of one that is in the plan, then of one that was told of before. */
static int talk(void)
{
	struct fetch_message event = { .type = FETCH_MSG_EVENT };
	char name[32];

	event.event.location = name;
	event.event.ok = true;
	/* the daemon reads when it can */
	if (fcntl(CHANNEL_FD, F_SETFL, 0) < 0)
		return 104;
	hear(FETCH_MSG_PLAN_END);
	for (size_t i = 0; i < REVOCATION_CRLS_MAX + 1000; i++) {
		snprintf(name, sizeof(name), "/%zu", i);
		say(event, -1, 0);
	}
	event.event.location = (char[]){ "/planned" };
	say(event, -1, 0);
	event.event.location = (char[]){ "/0" };
	say(event, -1, 0);
	hear(_FETCH_MSG_MAX);
	return 0;
}

static int process_main(const char *character)
{
	if (getenv("PATH") || fcntl(CHANNEL_FD_EXTRA, F_GETFD) >= 0)
		return 106;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return 107;
	if (strcmp(character, "serve") == 0)
		return serve();
	if (strcmp(character, "dies") == 0)
		return 3;
	if (strcmp(character, "talks") == 0)
		return talk();
	while (strcmp(character, "renews") == 0) {
		hear(FETCH_MSG_RESOLVE);
		say((struct fetch_message){ .type = FETCH_MSG_RENEW }, -1, 0);
	}
	if (strcmp(character, "silent") == 0) /* until it is asked for a lookup */
		hear(FETCH_MSG_RESOLVE);
	else
		return hostile_main(character);
	return 4;
}

/* ---- characters ---- */

static void script_hostile(struct fixture *f)
{
	const char *character = hostile[f->step];
	bool previews = strstr(character, "preview") && strcmp(character, "unowed-preview") != 0;

	if (f->mark == 0) {
		struct dns_config dns = dns_config();

		f->mark = 1;
		plan(f, &ca, NULL, &dns, NULL);
		resolve(f, 1, "a.test");
		if (previews)
			assert_int_equal(fetch_preview(f->fetch, 2, "/etc/passwd"), 0);
	} else if (f->n_died == 1) {
		assert_true(WIFSIGNALED(f->status));
		assert_int_equal(WTERMSIG(f->status), SIGKILL);
		assert_int_equal(f->n_boards + f->n_events, 0);
		assert_int_equal(f->n_resolved, 1);
		assert_int_equal(f->id, previews ? 2 : 1);
		assert_int_equal(f->n_previews, previews);
		assert_null(f->preview);
		if (strcmp(character, "answer-twice") != 0)
			assert_string_equal(f->answer.detail, "the fetch process ended");
		done(f);
	}
}

static void script_talks(struct fixture *f)
{
	if (f->step++ == 0)
		plan(f, &ca, "/planned", NULL, NULL);
	if (f->n_events >= REVOCATION_CRLS_MAX + 2)
		done(f);
}

/* What it says of sources does not fill our memory, and the administrator's are still heard of. */
static void test_talkative_process(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "talks", script_talks);
	assert_int_equal(f.n_events, REVOCATION_CRLS_MAX + 2);
	assert_string_equal(f.event_location, "/0");
	assert_int_equal(f.n_died, 0);
}

/* Each is killed, told of, and replaced; what it owed is answered. */
static void test_hostile_processes(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct fixture f = { .step = (int)i };

		run(&f, hostile[i], script_hostile);
	}
}

static void script_silent(struct fixture *f)
{
	struct dns_config dns = dns_config();

	if (f->step == 0) {
		plan(f, &ca, NULL, &dns, NULL);
		resolve(f, 7, "a.test");
		resolve(f, 8, "b.test");
		fetch_cancel(f->fetch, 8);
		f->pid = fetch_pid(f->fetch);
		f->step = 1;
	} else if (f->step == 1 && f->n_died == 1) {
		assert_int_equal(WEXITSTATUS(f->status), 4);
		assert_int_equal(f->n_resolved, 1);
		assert_int_equal(f->id, 7);
		assert_int_equal(f->answer.reason, REASON_DNS_FAILED);
		assert_string_equal(f->answer.detail, "the fetch process ended");
		assert_true(fetch_pid(f->fetch) > 0 && fetch_pid(f->fetch) != f->pid);
		done(f);
	}
}

static void test_lookups_are_lost(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "silent", script_silent);
}

/* Ten are replaced at once, then there is none for a while; questions are answered all the same. */
static void script_dies(struct fixture *f)
{
	if (f->step == 0 && f->n_died == 11) {
		f->mark = time_monotonic_ms();
		f->step = 1;
	} else if (f->step == 1 && time_monotonic_ms() > f->mark + 300) {
		assert_int_equal(f->n_died, 11);
		assert_int_equal(fetch_pid(f->fetch), 0);
		resolve(f, 1, "a.test");
		resolve(f, 2, "b.test");
		fetch_cancel(f->fetch, 1);
		assert_int_equal(fetch_preview(f->fetch, 3, "/etc/passwd"), 0);
		f->step = 2;
	} else if (f->step == 2 && f->n_previews == 1) {
		assert_int_equal(f->n_resolved, 1);
		assert_string_equal(f->detail, "the fetch process ended");
		f->step = 3;
	} else if (f->step == 3 && f->n_died > 11) {
		assert_true(time_monotonic_ms() > f->mark + 5000);
		done(f);
	}
}

static void test_respawn_limit(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "dies", script_dies);
	assert_int_equal(WEXITSTATUS(f.status), 3);
}

/* Asked for the next process again and again, the daemon gives up, and not later than it would. */
static void script_renews(struct fixture *f)
{
	struct dns_config dns = dns_config();

	if (f->step == 0) {
		f->step = 1;
		f->pid = fetch_pid(f->fetch);
		plan(f, &ca, NULL, &dns, NULL);
		resolve(f, 1, "a.test");
		resolve(f, 2, "b.test");
		fetch_cancel(f->fetch, 2);
	} else if (f->step == 1 && f->n_resolved == 1) {
		assert_int_equal(f->id, 1);
		assert_string_equal(f->answer.detail, "the fetch process ended");
		assert_int_equal(fetch_pid(f->fetch), 0);
		assert_int_equal(f->n_died, 0);
		done(f);
	}
}

static void test_endless_renewal(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "renews", script_renews);
}

static void test_no_executable(void **state _unused_)
{
	struct fixture f = {};

	assert_int_equal(loop_new(&f.loop), 0);
	assert_int_equal(fetch_new(f.loop, "/no/such/file", &ops, &f, &f.fetch), -ENOENT);
	assert_null(f.fetch);
	assert_null(fetch_free(NULL));
	loop_free(f.loop);
}

/* ---- plans and boards ---- */

static void script_plan(struct fixture *f)
{
	struct dns_config dns = dns_config();
	_cleanup_free_ char *file = in_folder("list.crl"), *cache = in_folder("cache");
	_cleanup_free_ char *other_cache = in_folder("other-cache");

	if (f->step == 0) {
		/* before a plan nothing can be done */
		resolve(f, 1, "a.signed.test");
		assert_int_equal(fetch_preview(f->fetch, 2, "/etc/passwd"), 0);
		fetch_refresh(f->fetch);
		f->step = 1;
	} else if (f->step == 1 && f->n_resolved == 1 && f->n_previews == 1) {
		assert_string_equal(f->answer.detail, "no resolver is configured");
		assert_string_equal(f->detail, "nothing is configured yet");
		assert_int_equal(f->n_boards, 0);
		plan(f, &ca, NULL, NULL, cache);
		f->step = 2;
	} else if (f->step == 2 && f->n_boards == 1) {
		/* a board without lists tells that revocation is up */
		assert_int_equal(revocation_board_crls(f->board), 0);
		write_crl("list.crl", &ca, NULL);
		plan(f, &ca, file, NULL, cache);
		f->step = 3;
	} else if (f->step == 3 && revocation_board_crls(f->board) == 1) {
		/* the first after the plan has it; a slow machine may send one before it has read
		 * it */
		assert_in_range(f->n_boards, 2, 3);
		assert_int_equal(crl(f->board, 0).state, REVOCATION_CRL_VERIFIED);
		assert_int_equal(crl(f->board, 0).entries, 0);
		assert_true(f->event_ok);
		assert_string_equal(f->event_location, file);
		/* the same again: nothing happens */
		assert_int_equal(try_plan(f, &ca, file, NULL, cache), FETCH_E_UNCHANGED);
		f->mark = time_monotonic_ms();
		f->step = 4;
	} else if (f->step == 4 && time_monotonic_ms() > f->mark + 400) {
		assert_in_range(f->n_boards, 2, 3);
		/* a new list is on a new board within the second */
		write_crl("list.crl", &ca, &leaf);
		f->mark = time_monotonic_ms();
		f->step = 5;
	} else if (f->step == 5 && crl(f->board, 0).entries == 1) {
		if (SANDBOX_AVAILABLE)
			assert_true(time_monotonic_ms() - f->mark < 1000);
		/* another CA: the list is nobody's until its issuer is learned */
		plan(f, &other_ca, file, &dns, cache);
		f->step = 6;
	} else if (f->step == 6 && crl(f->board, 0).state == REVOCATION_CRL_NO_ISSUER) {
		learn_issuer(f, &ca);
		f->step = 7;
	} else if (f->step == 7 && crl(f->board, 0).state == REVOCATION_CRL_VERIFIED) {
		/* known: nothing is sent */
		f->mark = f->n_boards;
		learn_issuer(f, &ca);
		assert_int_equal(fetch_learn_issuer(f->fetch, buf, sizeof(buf)), 0);
		assert_int_equal(fetch_learn_issuer(f->fetch, buf, 0), 0);
		/* what was learned outlives the plan */
		plan(f, &other_ca, file, NULL, cache);
		f->step = 8;
	} else if (f->step == 8 && f->n_boards >= f->mark + 1) {
		assert_int_equal(crl(f->board, 0).state, REVOCATION_CRL_VERIFIED);
		/* and the process */
		f->pid = fetch_pid(f->fetch);
		kill(f->pid, SIGKILL);
		f->step = 9;
	} else if (f->step == 9 && f->n_died == 1 && f->n_boards > f->mark + 1) {
		assert_int_not_equal(fetch_pid(f->fetch), f->pid);
		assert_int_equal(crl(f->board, 0).state, REVOCATION_CRL_VERIFIED);
		/* another cache takes another process, which is nobody's death */
		f->mark = f->n_boards;
		f->pid = fetch_pid(f->fetch);
		plan(f, &other_ca, file, NULL, other_cache);
		f->step = 10;
	} else if (f->step == 10 && f->n_boards > f->mark) {
		assert_int_not_equal(fetch_pid(f->fetch), f->pid);
		assert_int_equal(f->n_died, 1);
		assert_int_equal(access(other_cache, F_OK), 0);
		done(f);
	}
}

static void test_plan(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "serve", script_plan);
}

/* A cache that cannot be is told, and the rest goes on. */
static void script_no_cache(struct fixture *f)
{
	_cleanup_free_ char *cache = in_folder("list.crl/cache");

	if (f->step == 0) {
		write_crl("list.crl", &ca, NULL);
		plan(f, &ca, NULL, NULL, cache);
		f->step = 1;
	} else if (f->n_boards == 1) {
		assert_int_equal(f->n_events, 1);
		assert_string_equal(f->event_location, cache);
		assert_string_equal(f->event_detail, strerror(ENOTDIR));
		assert_false(f->event_ok);
		done(f);
	}
}

static void test_no_cache(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "serve", script_no_cache);
}

/* ---- previews ---- */

static void script_preview(struct fixture *f)
{
	_cleanup_free_ char *file = in_folder("list.crl"), *next = in_folder("next.crl");
	_cleanup_free_ char *junk_file = in_folder("junk"), *big = in_folder("big");

	switch (f->step) {
	case 0:
		write_crl("list.crl", &ca, NULL);
		write_crl("next.crl", &ca, &leaf);
		plan(f, &ca, file, NULL, NULL);
		assert_int_equal(fetch_preview(f->fetch, 10, next), 0);
		break;
	case 1: {
		bool revoked = false;

		if (f->n_previews < 1 || f->n_boards < 1)
			return;
		assert_int_equal(f->id, 10);
		assert_non_null(f->preview);
		assert_string_equal(f->detail, "");
		for (uint32_t i = 0; i < revocation_board_crls(f->preview); i++)
			revoked = revoked || crl(f->preview, i).entries == 1;
		assert_true(revoked);
		/* it was a preview: what is published is as before */
		f->mark = f->n_boards;
		fetch_refresh(f->fetch);
		/* what cannot be a list is not even asked about */
		name_server_write(&(struct name_server){ .dir = "/" }, big, "x");
		assert_int_equal(truncate(big, REVOCATION_CRL_SIZE_MAX + 1), 0);
		assert_int_equal(fetch_preview(f->fetch, 11, "/no/such/file"), -ENOENT);
		assert_int_equal(fetch_preview(f->fetch, 11, folder), -EINVAL);
		assert_int_equal(fetch_preview(f->fetch, 11, "/dev/null"), -EINVAL);
		assert_int_equal(fetch_preview(f->fetch, 11, big), -EFBIG);
		name_server_write(&(struct name_server){ .dir = "/" }, junk_file, "no list");
		assert_int_equal(fetch_preview(f->fetch, 12, junk_file), 0);
		break;
	}
	default:
		if (f->n_previews < 2)
			return;
		assert_int_equal(f->id, 12);
		assert_int_equal(revocation_board_crls(f->board), 1);
		assert_int_equal(crl(f->board, 0).entries, 0);
		assert_null(f->preview);
		assert_true(strlen(f->detail) > 0);
		assert_int_equal(f->n_died, 0);
		done(f);
	}
	f->step++;
}

static void test_preview(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "serve", script_preview);
}

/* ---- URLs ---- */

/* By name, so that the C library's resolver works in the sandbox too; and into the cache. */
static void script_url(struct fixture *f)
{
	_cleanup_free_ char *cache = in_folder("url-cache");
	char url[64], learned[64];

	snprintf(url, sizeof(url), "http://localhost:%u/a.crl", web.port);
	snprintf(learned, sizeof(learned), "http://127.0.0.1:%u/b.crl", web.port);
	if (f->step == 0) {
		web_page(&ca, NULL);
		plan(f, &ca, url, NULL, cache);
		f->step = 1;
	} else if (f->step == 1 && revocation_board_crls(f->board) == 1) {
		assert_int_equal(crl(f->board, 0).state, REVOCATION_CRL_VERIFIED);
		assert_string_equal(crl(f->board, 0).source, url);
		/* a newer one replaces it, when it is asked for */
		web_page(&ca, &leaf);
		fetch_refresh(f->fetch);
		f->step = 2;
	} else if (f->step == 2 && crl(f->board, 0).entries == 1) {
		assert_int_equal(fetch_learn_url(f->fetch, learned), 0);
		assert_int_equal(fetch_learn_url(f->fetch, ""), 0);
		f->step = 3;
	} else if (f->step == 3 && strcmp(f->event_location, learned) == 0) {
		assert_true(f->event_ok);
		/* without the web the next process has the cache */
		pthread_mutex_lock(&web.lock);
		web.page.size = 0;
		pthread_mutex_unlock(&web.lock);
		f->mark = f->n_boards;
		kill(fetch_pid(f->fetch), SIGKILL);
		f->step = 4;
	} else if (f->step == 4 && f->n_boards > f->mark) {
		assert_true(revocation_board_crls(f->board) >= 1);
		assert_int_equal(crl(f->board, 0).entries, 1);
		done(f);
	}
}

static void test_url(void **state _unused_)
{
	struct fixture f = {};

	web_start();
	run(&f, "serve", script_url);
	web_stop();
}

/* ---- lookups ---- */

static void script_resolve(struct fixture *f)
{
	struct dns_config dns = dns_config(), mute = dns_config(), bad = dns_config();

	if (!have_server)
		skip();
	mute.servers[0].in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 99);
	bad.trust_anchor = (char[]){ "/no/such/file" };
	if (f->step == 0) {
		plan(f, &ca, NULL, &dns, NULL);
		resolve(f, 41, "_s._tcp.signed.test");
		f->step = 1;
	} else if (f->step == 1 && f->n_resolved == 1) {
		assert_int_equal(f->id, 41);
		assert_int_equal(f->answer.reason, REASON_OK);
		assert_int_equal(f->answer.n_targets, 1);
		assert_string_equal(f->answer.targets[0].host, "a.signed.test");
		assert_int_equal(net_addr_port(&f->answer.targets[0].addr), 5061);
		assert_true(f->answer.secure);
		/* the same id again, one of which is cancelled */
		resolve(f, 41, "b.signed.test");
		fetch_cancel(f->fetch, 41);
		fetch_cancel(f->fetch, 41);
		fetch_cancel(f->fetch, 9999);
		resolve(f, 41, "a.signed.test");
		f->step = 2;
	} else if (f->step == 2 && f->n_resolved == 2) {
		assert_int_equal(f->answer.reason, REASON_OK);
		plan(f, &ca, NULL, &bad, NULL);
		resolve(f, 42, "a.signed.test");
		f->step = 3;
	} else if (f->step == 3 && f->n_resolved == 3) {
		assert_int_equal(f->answer.reason, REASON_DNS_FAILED);
		assert_non_null(strstr(f->answer.detail, "/no/such/file"));
		assert_non_null(strstr(f->answer.detail, strerror(ENOENT)));
		/* what waits for one resolver is asked of the next */
		plan(f, &ca, NULL, &mute, NULL);
		resolve(f, 43, "a.signed.test");
		plan(f, &ca, NULL, &dns, NULL);
		f->step = 4;
	} else if (f->step == 4 && f->n_resolved == 4) {
		assert_int_equal(f->id, 43);
		assert_int_equal(f->answer.reason, REASON_OK);
		assert_int_equal(f->n_died, 0);
		done(f);
	}
}

static void test_resolve(void **state _unused_)
{
	struct fixture f = {};

	run(&f, "serve", script_resolve);
}

/* ---- freed inside an op ---- */

static void script_free(struct fixture *f)
{
	struct dns_config dns = dns_config();

	if (!f->fetch) {
		done(f);
	} else if (f->step == 0) {
		plan(f, &ca, NULL, &dns, NULL);
		resolve(f, 1, "a.test");
		resolve(f, 2, "b.test");
		f->free_in_op = true;
		f->step = 1;
	}
}

static void test_free_inside_ops(void **state _unused_)
{
	struct fixture in_resolved = {}, in_board = {}, in_died = { .free_in_op = true };

	run(&in_resolved, "silent", script_free);
	assert_int_equal(in_resolved.n_resolved, 1); /* and nothing after it */
	assert_int_equal(in_resolved.n_died, 0);
	run(&in_board, "serve", script_free);
	assert_int_equal(in_board.n_boards + in_board.n_resolved, 1);
	in_died.step = 1;
	run(&in_died, "dies", script_free);
	assert_int_equal(in_died.n_died, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_processes),
		cmocka_unit_test(test_talkative_process),
		cmocka_unit_test(test_lookups_are_lost),
		cmocka_unit_test(test_respawn_limit),
		cmocka_unit_test(test_endless_renewal),
		cmocka_unit_test(test_no_executable),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_no_cache),
		cmocka_unit_test(test_preview),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_free_inside_ops),
	};

	if (argc == 1 && is_process())
		return process_main(basename(argv[0]));
	block_child_signals();
	return cmocka_run_group_tests(tests, start, stop);
}
