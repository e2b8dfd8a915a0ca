/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon's side with a fetch process that the test itself is: it is executed by a name that
 * tells which. "serve" is the real one, in its sandbox, with a real name server, real lists and a
 * web server of one page. Included after tls-status-testing.h.
 */

#include "dns-testing.h"

#include <fetch/message.h>
#include <libgen.h>
#include <poll.h>
#include <pthread.h>
#include <siptls/fetch.h>
#include <siptls/sandbox.h>
#include <sys/mman.h>

#define TICK_MS	 2
#define LIMIT_MS 60000 /* for one test; generous, for builds with sanitizers on a busy machine */

static struct name_server server;
static _unused_ bool have_server;
static _unused_ char folder[] = "/tmp/siptls-fetch-XXXXXX";
static _unused_ struct test_cert ca, other_ca, leaf;

/* ---- a web server ---- */

static struct {
	int fd;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	gnutls_datum_t page;
	unsigned int requests;
} web = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *web_serve(void *unused _unused_)
{
	char request[4096], head[128];
	int fd, n;

	while ((fd = accept4(web.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		(void)!recv(fd, request, sizeof(request), 0);
		pthread_mutex_lock(&web.lock);
		n = snprintf(head, sizeof(head),
			     "HTTP/1.1 200 OK\r\nContent-Length: %u\r\nConnection: close\r\n\r\n",
			     web.page.size);
		(void)!send(fd, head, (size_t)n, MSG_NOSIGNAL);
		(void)!send(fd, web.page.data, web.page.size, MSG_NOSIGNAL);
		web.requests++;
		pthread_mutex_unlock(&web.lock);
		close(fd);
	}
	return NULL;
}

static _unused_ void web_start(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);

	web.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(web.fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(web.fd, 16), 0);
	assert_int_equal(getsockname(web.fd, (struct sockaddr *)&addr, &len), 0);
	web.port = ntohs(addr.sin_port);
	assert_int_equal(pthread_create(&web.thread, NULL, web_serve, NULL), 0);
}

static _unused_ void web_stop(void)
{
	shutdown(web.fd, SHUT_RDWR);
	pthread_join(web.thread, NULL);
	fd_close(web.fd);
	gnutls_free(web.page.data);
	web.page = (gnutls_datum_t){};
}

static _unused_ void web_page(const struct test_cert *issuer, const struct test_cert *revoked)
{
	pthread_mutex_lock(&web.lock);
	gnutls_free(web.page.data);
	web.page = test_crl_make((struct test_status){ .issuer = issuer, .revoked = revoked });
	pthread_mutex_unlock(&web.lock);
}

/* ---- the daemon ---- */

struct fixture;
/* What a test does next; called again and again until it calls done(). */
typedef void (*script_fn)(struct fixture *f);

struct fixture {
	struct loop *loop;
	struct loop_source *tick;
	struct fetch *fetch;
	script_fn script;
	uint64_t deadline;
	int step;
	bool free_in_op;
	uint64_t mark;
	/* what the ops said */
	unsigned int n_boards, n_resolved, n_previews, n_events, n_died;
	struct revocation_board *board, *preview;
	uint64_t id;
	struct dns_answer answer;
	char detail[256], event_location[256], event_detail[256];
	bool event_ok;
	int status;
	pid_t pid;
};

static _unused_ void done(struct fixture *f)
{
	loop_exit(f->loop, 0);
}

static void op_called(struct fixture *f)
{
	if (f->free_in_op)
		f->fetch = fetch_free(f->fetch);
}

static void on_board(void *userdata, struct revocation_board *board)
{
	struct fixture *f = userdata;

	f->n_boards++;
	revocation_board_unref(f->board);
	f->board = revocation_board_ref(board);
	op_called(f);
}

static void on_resolved(void *userdata, uint64_t id, const struct dns_answer *answer)
{
	struct fixture *f = userdata;

	f->n_resolved++;
	f->id = id;
	f->answer = *answer;
	op_called(f);
}

static void on_preview(void *userdata, uint64_t id, struct revocation_board *board,
		       const char *detail)
{
	struct fixture *f = userdata;

	f->n_previews++;
	f->id = id;
	revocation_board_unref(f->preview);
	f->preview = board ? revocation_board_ref(board) : NULL;
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
	op_called(f);
}

static void on_source(void *userdata, const struct revocation_source_event *event)
{
	struct fixture *f = userdata;

	f->n_events++;
	f->event_ok = event->ok;
	snprintf(f->event_location, sizeof(f->event_location), "%s", event->location);
	snprintf(f->event_detail, sizeof(f->event_detail), "%s", event->detail);
	op_called(f);
}

static void on_died(void *userdata, pid_t pid, int status)
{
	struct fixture *f = userdata;

	assert_true(pid > 0);
	f->n_died++;
	f->status = status;
	op_called(f);
}

static const struct fetch_ops ops = { on_board, on_resolved, on_preview, on_source, on_died };

static int on_tick(void *userdata)
{
	struct fixture *f = userdata;

	if (time_monotonic_ms() > f->deadline)
		fail_msg("step %d: boards %u (crls %u) resolved %u previews %u events %u (%s: %s) "
			 "died %u (%x)",
			 f->step, f->n_boards, revocation_board_crls(f->board), f->n_resolved,
			 f->n_previews, f->n_events, f->event_location, f->event_detail, f->n_died,
			 f->status);
	f->script(f);
	return loop_timer_set(f->tick, TICK_MS);
}

/* The test is executed by a name that tells its character. */
static _unused_ void run(struct fixture *f, const char *character, script_fn script)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, character);
	if (access(path, F_OK) < 0)
		assert_int_equal(symlink("/proc/self/exe", path), 0);
	f->script = script;
	f->deadline = time_monotonic_ms() + LIMIT_MS;
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(loop_timer_add(f->loop, TICK_MS, on_tick, f, &f->tick), 0);
	assert_int_equal(fetch_new(f->loop, path, &ops, f, &f->fetch), 0);
	assert_int_equal(loop_run(f->loop), 0);
	fetch_free(f->fetch);
	loop_source_free(f->tick);
	loop_free(f->loop);
	revocation_board_unref(f->board);
	revocation_board_unref(f->preview);
	/* no process may be left, nor the corpse of one, but for the name server */
	if (waitpid(-1, NULL, WNOHANG) != (have_server ? 0 : -1))
		fail_msg("a process is left");
}

/* ---- plans ---- */

static _unused_ char *in_folder(const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	return path;
}

static _unused_ struct dns_config dns_config(void)
{
	return (struct dns_config){
		.servers = { { .in4 = { .sin_family = AF_INET,
					.sin_port = htons(server.port),
					.sin_addr = { htonl(INADDR_LOOPBACK) } },
			       .len = sizeof(struct sockaddr_in) } },
		.n_servers = 1,
		.trust_anchor = server.anchors,
		.timeout_ms = 20000
	};
}

/* A plan with the CA, at most one source, and the test's resolver. */
static _unused_ int try_plan(struct fixture *f, const struct test_cert *anchor,
			     const char *location, const struct dns_config *dns, const char *cache)
{
	struct revocation_source source = { .location = (char *)(uintptr_t)location };
	gnutls_datum_t der = test_cert_der(anchor);
	struct fetch_blob issuer = { der.data, der.size };
	struct fetch_plan p = { &issuer, 1, &source, location != NULL, dns, cache };
	int r;

	if (location && strncmp(location, "http", 4) == 0)
		source.kind = REVOCATION_SOURCE_URL;
	r = fetch_plan(f->fetch, &p);
	gnutls_free(der.data);
	return r;
}

static _unused_ void plan(struct fixture *f, const struct test_cert *anchor, const char *location,
			  const struct dns_config *dns, const char *cache)
{
	assert_int_equal(try_plan(f, anchor, location, dns, cache), 0);
}

static _unused_ void learn_issuer(struct fixture *f, const struct test_cert *cert)
{
	gnutls_datum_t der = test_cert_der(cert);

	assert_int_equal(fetch_learn_issuer(f->fetch, der.data, der.size), 0);
	gnutls_free(der.data);
}

static _unused_ void resolve(struct fixture *f, uint64_t id, const char *name)
{
	struct dns_question question = { .kind = name[0] == '_' ? DNS_SRV : DNS_HOST, .port = 1 };
	unsigned int before = f->n_resolved;

	snprintf(question.name, sizeof(question.name), "%s", name);
	assert_int_equal(fetch_resolve(f->fetch, id, &question), 0);
	assert_int_equal(f->n_resolved, before);
}

/* A list of @issuer's that revokes @revoked, as a file that appears at once. */
static _unused_ void write_crl(const char *name, const struct test_cert *issuer,
			       const struct test_cert *revoked)
{
	_cleanup_free_ char *path = in_folder(name), *beside = in_folder("beside");
	gnutls_datum_t der =
		test_crl_make((struct test_status){ .issuer = issuer, .revoked = revoked });
	FILE *file = fopen(beside, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(der.data, der.size, 1, file), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(beside, path), 0);
	gnutls_free(der.data);
}

static _unused_ struct revocation_crl_view crl(const struct revocation_board *board, uint32_t index)
{
	struct revocation_crl_view view;

	revocation_board_crl(board, index, &view);
	return view;
}

static _unused_ int start(void **state _unused_)
{
	assert_non_null(mkdtemp(folder));
	gnutls_global_init();
	ca = test_cert_make((struct test_spec){ .ca = true, .cn = "CA" });
	other_ca = test_cert_make((struct test_spec){ .ca = true, .cn = "Other CA" });
	leaf = test_cert_make((struct test_spec){ .issuer = &ca, .cn = "leaf" });
	have_server = name_server_available();
	if (!have_server)
		return 0;
	name_server_init(&server);
	name_server_zone(&server, "signed.test",
			 "a A 127.0.0.1\nb A 127.0.0.2\n_s._tcp SRV 1 0 5061 a\n",
			 &(struct zone_signing){});
	name_server_start(&server);
	return 0;
}

static _unused_ int stop(void **state _unused_)
{
	if (have_server)
		name_server_stop(&server);
	nftw(folder, name_server_remove, 8, FTW_DEPTH | FTW_PHYS);
	test_cert_done(&ca);
	test_cert_done(&other_ca);
	test_cert_done(&leaf);
	return 0;
}

static _unused_ bool is_process(void)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_SEQPACKET;
}

/* The real one. */
static int serve(void)
{
	int r = fetch_serve(CHANNEL_FD);

	if (r < 0)
		fprintf(stderr, "fetch_serve: %s\n", strerror(-r));
	return r < 0;
}

static void block_child_signals(void)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_BLOCK, &child, NULL), 0);
}
