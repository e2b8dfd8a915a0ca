/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where lists come from: files that come, go and are replaced, and servers that are slow, wrong,
 * too generous or hostile. Each test is a row of steps: do something, wait for what is told, look.
 */

#include "revocation-testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <revocation/sources.h>
#include <revocation/store.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct test_cert ca, leaf;
static struct piece old_crl, revoked_crl, newer_crl, expired_crl;
static char folder[] = "/tmp/test-revocation-XXXXXX";

static int setup(void **state)
{
	(void)state;
	ca = test_cert_make((struct test_spec){ .cn = "CA", .ca = true });
	leaf = test_cert_make((struct test_spec){ .cn = "leaf", .issuer = &ca, .serial = 77 });
	expired_crl = test_crl_make(
		(struct test_crl){ .issuer = &ca, .this_update = -30, .next_update = -2 });
	old_crl = test_crl_make(
		(struct test_crl){ .issuer = &ca, .this_update = -9, .next_update = 90 });
	revoked_crl = test_crl_make((struct test_crl){
		.issuer = &ca, .entries = { LISTED(77) }, .this_update = -5, .next_update = 95 });
	newer_crl = test_crl_make(
		(struct test_crl){ .issuer = &ca, .this_update = -1, .next_update = 99 });
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_tree(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir))) {
		char name[512];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%.200s", path, entry->d_name);
		if (unlink(name) < 0)
			remove_tree(name);
	}
	if (dir)
		closedir(dir);
	return rmdir(path);
}

static int teardown(void **state)
{
	(void)state;
	test_cert_done(&ca);
	test_cert_done(&leaf);
	return remove_tree(folder);
}

/* ---- a world with one list of sources, and steps ---- */

#define CHANGED "changed"
#define WAIT_MS 20000

struct world;

struct step {
	void (*act)(struct world *w);
	const char *location; /* end of what is told of; CHANGED: the store, to @status */
	bool ok;
	const char *detail; /* part of it */
	int status;	    /* of the leaf afterwards; -1: do not look */
};

struct world {
	struct loop *loop;
	struct loop_source *late, *next;
	struct revocation_store *store;
	struct revocation_sources *sources;
	const struct step *steps;
	size_t at, n, n_changed;
	int64_t next_s;
	uint32_t failures;
	char told[1024]; /* the last event, for whoever reads why a test failed */
};

static int status_of(struct world *w)
{
	struct revocation_board *board = test_publish(w->store);
	int status = (int)test_lookup(board, &leaf, &ca).status;

	revocation_board_unref(board);
	return status;
}

/* Not from inside an op. */
static int on_next(void *userdata)
{
	struct world *w = userdata;

	w->next = loop_source_free(w->next);
	if (++w->at == w->n)
		loop_exit(w->loop, 0);
	else
		w->steps[w->at].act(w);
	return 0;
}

static void step_done(struct world *w)
{
	assert_int_equal(loop_defer(w->loop, on_next, w, &w->next), 0);
}

static void on_changed(void *userdata)
{
	struct world *w = userdata;
	const struct step *step = &w->steps[w->at];

	w->n_changed++;
	if (!w->next && strcmp(step->location, CHANGED) == 0 && status_of(w) == step->status)
		step_done(w);
}

static bool ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a >= b && strcmp(text + a - b, end) == 0;
}

static void on_event(void *userdata, const struct revocation_source_event *event)
{
	struct world *w = userdata;
	const struct step *step = &w->steps[w->at];

	snprintf(w->told, sizeof(w->told), "last told: %s %s (%s)", event->location,
		 event->ok ? "ok" : "failed", event->detail);
	assert_int_equal(event->ok, event->detail[0] == '\0');
	assert_int_equal(event->ok, event->failures == 0);
	if (w->next || !ends_with(event->location, step->location))
		return;
	if (event->ok != step->ok || (step->detail && !strstr(event->detail, step->detail)))
		fail_msg("step %zu: %s", w->at, w->told);
	if (step->status >= 0 && status_of(w) != step->status)
		fail_msg("step %zu: status %d; %s", w->at, status_of(w), w->told);
	w->next_s = event->next_s;
	w->failures = event->failures;
	step_done(w);
}

static int on_late(void *userdata)
{
	struct world *w = userdata;

	fail_msg("step %zu: nothing came; %s", w->at, w->told);
	return 0;
}

static const struct revocation_sources_ops ops = { on_changed, on_event };

static void run(const struct step *steps, size_t n, const char *cache)
{
	struct world w = { .steps = steps, .n = n };

	assert_int_equal(loop_new(&w.loop), 0);
	assert_int_equal(loop_timer_add(w.loop, WAIT_MS, on_late, &w, &w.late), 0);
	assert_int_equal(revocation_store_new(&w.store), 0);
	test_issuer(w.store, &ca);
	assert_int_equal(revocation_sources_new(w.loop, w.store, cache, &ops, &w, &w.sources), 0);
	steps[0].act(&w);
	assert_int_equal(loop_run(w.loop), 0);
	assert_true(w.n_changed > 0 || status_of(&w) == TRUST_STATUS_UNKNOWN);
	revocation_sources_free(w.sources);
	revocation_store_free(w.store);
	loop_source_free(w.late);
	loop_free(w.loop);
}

#define RUN(cache, ...)                                                                            \
	run((const struct step[]){ __VA_ARGS__ },                                                  \
	    sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step), cache)

static void set(struct world *w, enum revocation_source_kind kind, const char *const locations[])
{
	struct revocation_source list[8] = {};
	size_t n = 0;

	for (; locations[n]; n++)
		list[n] = (struct revocation_source){ kind, (char *)(uintptr_t)locations[n] };
	assert_int_equal(revocation_sources_set(w->sources, list, n), 0);
}

/* ---- files ---- */

static const char *in_folder(const char *name)
{
	static char paths[8][256];
	static size_t next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, struct piece bytes)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
	close(fd);
}

/* As editors and configuration tools do it. */
static void replace_file(const char *name, struct piece bytes)
{
	write_file(".new", bytes);
	assert_int_equal(rename(in_folder(".new"), in_folder(name)), 0);
}

static void set_file(struct world *w)
{
	set(w, REVOCATION_SOURCE_PATH, (const char *const[]){ in_folder("a.crl"), NULL });
}

static void write_garbage(struct world *w)
{
	(void)w;
	write_file("a.crl", BYTES("garbage"));
}

static void write_old(struct world *w)
{
	(void)w;
	replace_file("a.crl", old_crl);
}

static void write_revoked(struct world *w)
{
	(void)w;
	replace_file("a.crl", revoked_crl);
}

static void write_newer(struct world *w)
{
	(void)w;
	write_file("a.crl", newer_crl); /* in place */
}

static void remove_file(struct world *w)
{
	(void)w;
	assert_int_equal(unlink(in_folder("a.crl")), 0);
}

static void set_nothing(struct world *w)
{
	set(w, REVOCATION_SOURCE_PATH, (const char *const[]){ NULL });
}

static void test_file(void **state)
{
	(void)state;
	RUN(NULL, { set_file, "a.crl", false, "No such file", TRUST_STATUS_UNKNOWN },
	    { write_garbage, "a.crl", true, NULL, TRUST_STATUS_UNKNOWN }, /* it is there */
	    { write_garbage, "a.crl", false, "no CRL", TRUST_STATUS_UNKNOWN },
	    { write_old, "a.crl", true, NULL, TRUST_STATUS_GOOD },
	    { write_revoked, "a.crl", true, NULL, TRUST_STATUS_REVOKED },
	    { write_garbage, "a.crl", false, "no CRL", TRUST_STATUS_REVOKED },
	    { write_old, "a.crl", false, "older", TRUST_STATUS_REVOKED },
	    { write_newer, "a.crl", true, NULL, TRUST_STATUS_GOOD },
	    { remove_file, "a.crl", false, "No such file", TRUST_STATUS_GOOD },
	    { set_nothing, CHANGED, false, NULL, TRUST_STATUS_UNKNOWN });
}

static void set_folder(struct world *w)
{
	set(w, REVOCATION_SOURCE_PATH,
	    (const char *const[]){ in_folder("crls"), in_folder("crls/b.crl"), NULL });
}

static void make_folder(struct world *w)
{
	(void)w;
	assert_int_equal(mkdir(in_folder("crls"), 0700), 0);
}

static void add_two(struct world *w)
{
	(void)w;
	assert_int_equal(mkdir(in_folder("crls/sub"), 0700), 0);
	assert_int_equal(mkfifo(in_folder("crls/fifo"), 0600), 0);
	write_file("crls/.hidden", newer_crl);
	write_file("crls/b.crl", old_crl);
	replace_file("crls/c.crl", revoked_crl);
}

static void remove_one(struct world *w)
{
	(void)w;
	assert_int_equal(unlink(in_folder("crls/c.crl")), 0);
}

static void set_one(struct world *w)
{
	set(w, REVOCATION_SOURCE_PATH, (const char *const[]){ in_folder("crls/b.crl"), NULL });
}

static void test_folder(void **state)
{
	(void)state;
	RUN(NULL, { set_folder, "crls", false, "No such file", TRUST_STATUS_UNKNOWN },
	    { make_folder, "crls", true, NULL, TRUST_STATUS_UNKNOWN },
	    { add_two, "c.crl", true, NULL, TRUST_STATUS_REVOKED },
	    { remove_one, CHANGED, false, NULL, TRUST_STATUS_GOOD },
	    /* the folder goes, the file in it stays on the list */
	    { set_one, "b.crl", true, NULL, TRUST_STATUS_GOOD });
}

/* ---- a server ---- */

static uint16_t port;
static pid_t server_pid;

static void answer(int fd, const char *head, struct piece body)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nConnection: close\r\n\r\n", head);

	if (write(fd, text, (size_t)n) == n)
		for (size_t at = 0; at < body.n;) {
			ssize_t wrote = write(fd, body.p + at, body.n - at);

			if (wrote <= 0)
				return;
			at += (size_t)wrote;
		}
}

static void answer_without_end(int fd)
{
	static char zeros[64 * 1024];

	answer(fd, "200 OK", NOTHING);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
}

static bool asks(const char *request, const char *path)
{
	size_t n = strlen(path);

	return strncmp(request, "GET ", 4) == 0 && strncmp(request + 4, path, n) == 0 &&
	       request[4 + n] == ' ';
}

static void serve(int fd)
{
	char request[4096] = "";
	size_t n = 0;

	while (n < sizeof(request) - 1 && !strstr(request, "\r\n\r\n")) {
		ssize_t got = read(fd, request + n, sizeof(request) - 1 - n);

		if (got <= 0)
			return;
		n += (size_t)got;
	}
	if (!strstr(request, "\r\nUser-Agent: siptlsd/") || strstr(request, "\r\nCookie:") ||
	    strstr(request, "\r\nAuthorization:"))
		answer(fd, "400 Bad", NOTHING);
	else if (asks(request, "/good") && strstr(request, "\r\nIf-None-Match: \"1\"\r\n") &&
		 strstr(request, "\r\nIf-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n"))
		answer(fd, "304 Not Modified", NOTHING);
	else if (asks(request, "/good"))
		answer(fd,
		       "200 OK\r\nETag: \"1\"\r\nSet-Cookie: a=b\r\n"
		       "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT",
		       revoked_crl);
	else if (asks(request, "/newer"))
		answer(fd, "200 OK", newer_crl);
	else if (asks(request, "/expired"))
		answer(fd, "200 OK", expired_crl);
	else if (asks(request, "/garbage"))
		answer(fd, "200 OK", BYTES("<html>Welcome!</html>"));
	else if (asks(request, "/empty"))
		answer(fd, "200 OK", NOTHING);
	else if (asks(request, "/redirect"))
		answer(fd, "302 Found\r\nLocation: /good", NOTHING);
	else if (asks(request, "/loop"))
		answer(fd, "302 Found\r\nLocation: /loop", NOTHING);
	else if (asks(request, "/file"))
		answer(fd, "302 Found\r\nLocation: file:///etc/hostname", NOTHING);
	else if (asks(request, "/ftp"))
		answer(fd, "302 Found\r\nLocation: ftp://127.0.0.1:1/", NOTHING);
	else if (asks(request, "/endless"))
		answer_without_end(fd);
	else if (asks(request, "/huge"))
		answer(fd, "200 OK\r\nContent-Length: 99999999999", NOTHING);
	else if (asks(request, "/cut"))
		answer(fd, "200 OK\r\nContent-Length: 100000", revoked_crl);
	else if (asks(request, "/slow"))
		sleep(60);
	else
		answer(fd, "404 Not Found", BYTES("nothing here"));
}

static int server_start(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	port = ntohs(addr.sin_port);
	/* a proxy of the environment, which is not to be asked */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	server_pid = fork();
	assert_true(server_pid >= 0);
	if (server_pid > 0) {
		close(listener);
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(fd);
			_exit(0);
		}
		close(fd);
	}
}

static int server_stop(void **state)
{
	(void)state;
	kill(server_pid, SIGKILL);
	return waitpid(server_pid, NULL, 0) == server_pid ? 0 : -1;
}

static const char *url(const char *path)
{
	static char urls[8][128];
	static size_t next;
	char *text = urls[next++ % 8];

	snprintf(text, sizeof(urls[0]), "http://127.0.0.1:%u%s", port, path);
	return text;
}

/* ---- URLs ---- */

static void set_good(struct world *w)
{
	set(w, REVOCATION_SOURCE_URL, (const char *const[]){ url("/good"), url("/slow"), NULL });
}

static void refresh(struct world *w)
{
	/* the list has life for days: once a day is enough */
	assert_in_range(w->next_s, time_realtime_s() + 70000, time_realtime_s() + 86400);
	revocation_sources_refresh(w->sources);
}

static void refused(struct world *w, const char *path)
{
	assert_int_equal(revocation_sources_learn(w->sources, url(path)), 0);
}

static void learn_404(struct world *w)
{
	refused(w, "/404");
}

static void learn_garbage(struct world *w)
{
	/* the first failure of another one: in half a minute again */
	assert_int_equal(w->failures, 1);
	assert_in_range(w->next_s, time_realtime_s() + 20, time_realtime_s() + 31);
	refused(w, "/garbage");
}

static void learn_empty(struct world *w)
{
	refused(w, "/empty");
}

static void learn_loop(struct world *w)
{
	refused(w, "/loop");
}

static void learn_file(struct world *w)
{
	refused(w, "/file");
}

static void learn_ftp(struct world *w)
{
	refused(w, "/ftp");
}

static void learn_endless(struct world *w)
{
	refused(w, "/endless");
}

static void learn_huge(struct world *w)
{
	refused(w, "/huge");
}

static void learn_cut(struct world *w)
{
	refused(w, "/cut");
}

static void learn_expired(struct world *w)
{
	refused(w, "/expired");
}

static void learn_redirect(struct world *w)
{
	refused(w, "/redirect");
}

static void learn_newer(struct world *w)
{
	/* what is not for fetching is not fetched, and does no harm */
	assert_int_equal(revocation_sources_learn(w->sources, "file:///etc/hostname"), 0);
	assert_int_equal(revocation_sources_learn(w->sources, "ldap://127.0.0.1/"), 0);
	assert_int_equal(revocation_sources_learn(w->sources, "http://a b/"), 0);
	assert_int_equal(revocation_sources_learn(w->sources, url("/newer")), 0);
	assert_int_equal(revocation_sources_learn(w->sources, url("/newer")), 0);
}

/* What a certificate named stays when the configuration changes, what it named does not. */
static void forget(struct world *w)
{
	set(w, REVOCATION_SOURCE_URL, (const char *const[]){ NULL });
}

static void test_fetch(void **state)
{
	(void)state;
	RUN(NULL, { set_good, "/good", true, NULL, TRUST_STATUS_REVOKED },
	    { refresh, "/good", true, NULL, TRUST_STATUS_REVOKED },
	    { learn_404, "/404", false, "HTTP status 404", -1 },
	    { learn_garbage, "/garbage", false, "no CRL", -1 },
	    { learn_empty, "/empty", false, "no CRL", -1 },
	    { learn_loop, "/loop", false, "redirect", -1 },
	    { learn_file, "/file", false, "file", -1 }, { learn_ftp, "/ftp", false, "\"ftp\"", -1 },
	    { learn_endless, "/endless", false, "more than 16777216 bytes", -1 },
	    { learn_huge, "/huge", false, "more than 16777216 bytes", -1 },
	    { learn_cut, "/cut", false, NULL, -1 },
	    { learn_expired, "/expired", false, "out of date", TRUST_STATUS_REVOKED },
	    { learn_redirect, "/redirect", true, NULL, TRUST_STATUS_REVOKED },
	    { learn_newer, "/newer", true, NULL, TRUST_STATUS_GOOD },
	    { forget, CHANGED, false, NULL, TRUST_STATUS_GOOD });
}

static size_t count_files(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strlen(entry->d_name) == 64;
	closedir(dir);
	return n;
}

static void set_only_good(struct world *w)
{
	set(w, REVOCATION_SOURCE_URL, (const char *const[]){ url("/good"), NULL });
}

/* What was fetched is known after a restart, also when nobody answers; junk in its place is not. */
static void test_cache(void **state)
{
	const char *cache = in_folder("cache");
	struct dirent *entry;
	char name[512];
	DIR *dir;

	(void)state;
	RUN(cache, { set_only_good, "/good", true, NULL, TRUST_STATUS_REVOKED });
	assert_int_equal(count_files(cache), 1);
	assert_int_equal(server_stop(NULL), 0);
	RUN(cache, { set_only_good, "/good", true, NULL, TRUST_STATUS_REVOKED },
	    { refresh, "/good", false, NULL, TRUST_STATUS_REVOKED });
	dir = opendir(cache);
	while ((entry = readdir(dir))) {
		if (strlen(entry->d_name) != 64)
			continue;
		snprintf(name, sizeof(name), "cache/%s", entry->d_name);
		write_file(name, (struct piece){ revoked_crl.p, revoked_crl.n / 2 });
	}
	closedir(dir);
	RUN(cache, { set_only_good, "/good", false, NULL, TRUST_STATUS_UNKNOWN },
	    { forget, CHANGED, false, NULL, TRUST_STATUS_UNKNOWN });
	assert_int_equal(count_files(cache), 0);
	assert_int_equal(server_start(NULL), 0);
	/* a folder that cannot be written: told, and no reason to do without the list */
	RUN("/proc/nowhere", { set_only_good, "nowhere", false, NULL, TRUST_STATUS_REVOKED });
}

/* ---- transfers ---- */

struct transfers {
	struct loop *loop;
	size_t left;
	char error[256];
};

static int on_result(void *userdata, const struct http_result *result)
{
	struct transfers *t = userdata;

	snprintf(t->error, sizeof(t->error), "%s", result->error ? result->error : "");
	if (--t->left == 0)
		loop_exit(t->loop, 0);
	return 0;
}

static uint32_t rank_wanted(const void *userdata _unused_)
{
	return 0;
}

/* More than run at a time, all of a server that says nothing: each ends when its time is over. */
static void test_timeout(void **state)
{
	struct transfers t = { .left = HTTP_PARALLEL_MAX + 2 };
	struct http_request *request, *cancelled;
	struct revocation_http *http;
	uint64_t begin = time_monotonic_ms();

	(void)state;
	assert_int_equal(loop_new(&t.loop), 0);
	assert_int_equal(revocation_http_new(t.loop, &(struct http_rules){ 300, 1, rank_wanted },
					     &http),
			 0);
	assert_int_equal(revocation_http_get(http, url("/slow"), "", "", on_result, &t, &cancelled),
			 0);
	for (size_t i = 0; i < t.left; i++)
		assert_int_equal(revocation_http_get(http, url("/slow"), "", "", on_result, &t,
						     &request),
				 0);
	assert_null(revocation_http_cancel(cancelled));
	assert_null(revocation_http_cancel(NULL));
	assert_int_equal(loop_run(t.loop), 0);
	assert_non_null(strstr(t.error, "timed out"));
	assert_in_range(time_monotonic_ms() - begin, 550, 10000);
	assert_null(revocation_http_free(http));
	assert_null(revocation_http_free(NULL));
	loop_free(t.loop);
}

/* Each takes down when it ended, and in what place. */
struct transfer {
	struct race *race;
	uint32_t rank;
	size_t place;
	uint64_t ms;
	bool ok;
};

struct race {
	struct loop *loop;
	uint64_t begin;
	size_t n, ended;
	struct transfer transfers[16];
};

static uint32_t rank_of(const void *userdata)
{
	return ((const struct transfer *)userdata)->rank;
}

static int on_ended(void *userdata, const struct http_result *result)
{
	struct transfer *transfer = userdata;
	struct race *race = transfer->race;

	transfer->ok = !result->error;
	transfer->place = race->ended++;
	transfer->ms = time_monotonic_ms() - race->begin;
	if (race->ended == race->n)
		loop_exit(race->loop, 0);
	return 0;
}

static void enter_race(struct race *race, struct revocation_http *http, uint32_t rank,
		       const char *host, const char *path)
{
	struct transfer *transfer = &race->transfers[race->n++];
	struct http_request *request;
	char text[128];

	*transfer = (struct transfer){ .race = race, .rank = rank };
	snprintf(text, sizeof(text), "http://%s:%u%s", host, port, path);
	assert_int_equal(revocation_http_get(http, text, "", "", on_ended, transfer, &request), 0);
}

/* Servers that strangers named and that say nothing hold up nobody's but their own. */
static void test_learned_wait(void **state)
{
	struct race race = { .begin = time_monotonic_ms() };
	const struct transfer *t = race.transfers;
	struct revocation_http *http;

	(void)state;
	assert_int_equal(loop_new(&race.loop), 0);
	assert_int_equal(revocation_http_new(race.loop, &(struct http_rules){ 5000, 400, rank_of },
					     &http),
			 0);
	for (size_t i = 0; i < 3; i++)
		enter_race(&race, http, 1, "a.localhost", "/slow");
	enter_race(&race, http, 1, "b.localhost", "/slow");
	enter_race(&race, http, 7, "c.localhost", "/good"); /* has failed often */
	enter_race(&race, http, 1, "d.localhost", "/good");
	enter_race(&race, http, 0, "a.localhost", "/good");
	assert_int_equal(loop_run(race.loop), 0);
	/* what is wanted goes at once, though four slow ones were there before it */
	assert_true(t[6].ok && t[6].place == 0 && t[6].ms < 400);
	/* one of a host, two at a time */
	for (size_t i = 0; i < 4; i++)
		assert_false(t[i].ok);
	assert_in_range(t[0].ms, 390, 790);
	assert_in_range(t[3].ms, 390, 790);
	assert_in_range(t[1].ms, 790, 5000);
	assert_in_range(t[2].ms, 1190, 5000);
	/* the one that failed less before the one that failed more */
	assert_true(t[5].ok && t[4].ok && t[5].place < t[4].place && t[5].place < t[2].place);
	assert_null(revocation_http_free(http));
	loop_free(race.loop);
}

/* ---- how many are learned ---- */

static size_t count_learned(const struct revocation_sources *sources, const char *location)
{
	size_t n = 0;

	list_foreach (node, &sources->list) {
		const struct source *source = container_of(node, struct source, node);

		n += !location || strcmp(source->location, location) == 0;
	}
	return n;
}

static void ignore_changed(void *userdata _unused_)
{
}

static void ignore_event(void *userdata _unused_,
			 const struct revocation_source_event *event _unused_)
{
}

static struct source *nth(const struct revocation_sources *sources, size_t n)
{
	struct list *node = sources->list.next;

	while (n-- > 0)
		node = node->next;
	return container_of(node, struct source, node);
}

static void learn(struct revocation_sources *sources, const char *location)
{
	assert_int_equal(revocation_sources_learn(sources, location), 0);
}

/* When there are too many what is useless goes, what works and what is configured stays. */
static void test_learned_are_limited(void **state)
{
	static const struct revocation_sources_ops silent = { ignore_changed, ignore_event };
	struct revocation_source configured = { REVOCATION_SOURCE_URL, (char[]){ "http://c/" } };
	struct revocation_sources *sources;
	struct revocation_store *store;
	struct loop *loop;
	char text[64];

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(revocation_store_new(&store), 0);
	assert_int_equal(revocation_sources_new(loop, store, NULL, &silent, NULL, &sources), 0);
	assert_int_equal(revocation_sources_set(sources, &configured, 1), 0);
	for (size_t i = 0; i < REVOCATION_LEARNED_MAX; i++) {
		snprintf(text, sizeof(text), "http://h/%zu", i);
		learn(sources, text);
	}
	assert_int_equal(count_learned(sources, NULL), REVOCATION_LEARNED_MAX + 1);
	/* the oldest that has given nothing; a known one takes no place */
	learn(sources, "http://h/7");
	learn(sources, "http://new/1");
	assert_int_equal(count_learned(sources, NULL), REVOCATION_LEARNED_MAX + 1);
	assert_int_equal(count_learned(sources, "http://h/0"), 0);
	assert_int_equal(count_learned(sources, "http://c/"), 1);
	/* the one that has failed most */
	nth(sources, 5)->failures = 3;
	nth(sources, 9)->failures = 4;
	nth(sources, 10)->failures = 9;
	nth(sources, 10)->digest[0] = 1; /* but what it gave is there */
	learn(sources, "http://new/2");
	assert_int_equal(count_learned(sources, "http://h/9"), 0);
	assert_int_equal(count_learned(sources, "http://h/10"), 1);
	assert_int_equal(count_learned(sources, "http://h/5"), 1);
	/* of those that all gave something the one that fails, then none */
	for (size_t i = 1; i <= REVOCATION_LEARNED_MAX; i++)
		nth(sources, i)->digest[0] = 1;
	nth(sources, 5)->failures = 0;
	learn(sources, "http://new/3");
	assert_int_equal(count_learned(sources, "http://h/10"), 0);
	nth(sources, REVOCATION_LEARNED_MAX)->digest[0] = 1;
	learn(sources, "http://new/4");
	assert_int_equal(count_learned(sources, "http://new/3"), 1);
	assert_int_equal(count_learned(sources, "http://new/4"), 0);
	assert_int_equal(count_learned(sources, NULL), REVOCATION_LEARNED_MAX + 1);
	revocation_sources_free(sources);
	revocation_store_free(store);
	loop_free(loop);
}

/* ---- when ---- */

static void test_schedule(void **state)
{
	(void)state;
	/* a tenth of its life before a list ends */
	assert_int_equal(revocation_source_delay(1000, 1000, 0, 10000), 8000);
	assert_int_equal(revocation_source_delay(2000, 1000, 0, 10000), 7000);
	/* once a day at least, once a minute at most */
	assert_int_equal(revocation_source_delay(1000, 1000, 0, 9000000), 86400);
	assert_int_equal(revocation_source_delay(1000, 1000, 0, 0), 86400);
	assert_int_equal(revocation_source_delay(1000, 1000, 2000, 1000), 86400);
	assert_int_equal(revocation_source_delay(1000, 1000, 900, 1100), 80);
	assert_int_equal(revocation_source_delay(1000, 1000, 990, 1010), 60);
	assert_int_equal(revocation_source_delay(999999, 1000, 0, 9000000), 60);
	assert_int_equal(revocation_source_backoff(1), 30);
	assert_int_equal(revocation_source_backoff(2), 60);
	assert_int_equal(revocation_source_backoff(7), 1920);
	assert_int_equal(revocation_source_backoff(8), 3600);
	assert_int_equal(revocation_source_backoff(UINT32_MAX), 3600);
}

/* ---- what an untrusted source may replace ---- */

/* A list of somebody else in its place makes none vanish, whether verified or in date or not. */
static void test_untrusted_source(void **state)
{
	struct piece foreign = test_crl_make((struct test_crl){ .issuer = &leaf });
	struct piece ended = test_crl_make((struct test_crl){
		.issuer = &ca, .entries = { LISTED(77) }, .this_update = -5, .next_update = -1 });
	struct test_cert nobody = test_cert_make((struct test_spec){ .cn = "Nobody" });
	struct piece older = old_crl;
	struct piece named = test_crl_make((struct test_crl){ .issuer = &leaf, .name = ca.name });
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	struct world w = {};

	(void)state;
	assert_int_equal(revocation_store_new(&w.store), 0);
	test_issuer(w.store, &ca);
#define ADD(crl)                                                                                   \
	assert_int_equal(revocation_store_add(w.store, "http://x/", (crl).p, (crl).n, &why), 0)
	ADD(revoked_crl);
	ADD(foreign);
	assert_int_equal(status_of(&w), TRUST_STATUS_REVOKED);
	assert_string_equal(buf, "");
	ADD(newer_crl);
	assert_int_equal(status_of(&w), TRUST_STATUS_GOOD);
	revocation_store_drop(w.store, "http://x/");
	ADD(ended);
	assert_int_equal(status_of(&w), TRUST_STATUS_REVOKED);
	ADD(foreign);
	ADD(foreign);
	assert_int_equal(status_of(&w), TRUST_STATUS_REVOKED); /* out of date, and the newest */
	assert_false(revocation_store_says_all(w.store, "http://x/"));
	assert_int_equal(w.store->n_lists, 2);
	assert_int_equal(revocation_store_add(w.store, "http://x/", older.p, older.n, &why), 0);
	assert_string_not_equal(buf, "");
	assert_int_equal(status_of(&w), TRUST_STATUS_REVOKED);
	/* one whose issuer has not been met */
	revocation_store_drop(w.store, "http://x/");
	revocation_store_clear_issuers(w.store);
	ADD(revoked_crl);
	assert_true(revocation_store_says_all(w.store, "http://x/"));
	ADD(named);
	for (uint8_t i = 0; i < STORE_KEPT_OPEN_MAX + 5; i++) {
		struct piece junk =
			test_crl_make((struct test_crl){ .issuer = &nobody, .number = i });

		ADD(junk);
	}
	ADD(foreign);
	assert_int_equal(w.store->n_lists, STORE_KEPT_OPEN_MAX + 1);
	assert_false(revocation_store_says_all(w.store, "http://x/"));
	test_issuer(w.store, &ca);
	assert_int_equal(status_of(&w), TRUST_STATUS_REVOKED);
	revocation_store_drop(w.store, "http://x/");
	/* of a file the administrator's word counts */
	test_put(w.store, "/file", revoked_crl);
	test_put(w.store, "/file", foreign);
	assert_int_equal(status_of(&w), TRUST_STATUS_UNKNOWN);
#undef ADD
	revocation_store_free(w.store);
	test_cert_done(&nobody);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_folder),
		cmocka_unit_test_setup_teardown(test_fetch, server_start, server_stop),
		cmocka_unit_test_setup_teardown(test_cache, server_start, server_stop),
		cmocka_unit_test_setup_teardown(test_timeout, server_start, server_stop),
		cmocka_unit_test_setup_teardown(test_learned_wait, server_start, server_stop),
		cmocka_unit_test(test_learned_are_limited),
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_untrusted_source),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
