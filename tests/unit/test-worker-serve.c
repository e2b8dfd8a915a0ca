/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The serving side as the daemon sees it: a process with a real configuration, in its sandbox, that
 * says what certificates it has, takes boards and jobs, and tells what came of them. The peer is
 * plain GnuTLS.
 */

#include "tls-status-testing.h"

#include <poll.h>
#include <siptls/worker.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define LIMIT_MS 20000

static const char daemon_text[] = "identity \"b\" {\n"
				  "	certificate = \"b.pem\"\n"
				  "	key = \"b.key\"\n"
				  "	ocsp = \"b.ocsp\"\n"
				  "}\n"
				  "listen \"in\" {\n"
				  "	address = \"127.0.0.1:5061\"\n"
				  "	backend = \"127.0.0.1:5060\"\n"
				  "}\n";
static const char topology_text[] = "serial = 1\n"
				    "partner \"acme\" {\n"
				    "	anchors = {\"ca.pem\"}\n"
				    "	revocation = \"%s\"\n"
				    "	server \"a.example\" { profile = \"rfc9525\" }\n"
				    "}\n";

static struct test_cert ca, issuing, cert_a, cert_b;
static struct test_der staple;
static char folder[] = "/tmp/test-worker-serve.XXXXXX";

static void put_file(const char *name, const void *bytes, size_t size)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static int setup(void **state)
{
	struct test_files files = { .n = 0 };

	(void)state;
	assert_int_equal(tls_global_init(), 0);
	ca = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	issuing =
		test_cert_make((struct test_spec){ .cn = "Issuing CA", .issuer = &ca, .ca = true });
	cert_a = test_cert_make((struct test_spec){ .issuer = &issuing, .dns = { "a.example" } });
	cert_b = test_cert_make((struct test_spec){ .issuer = &ca, .dns = { "b.example" } });
	assert_non_null(mkdtemp(folder));
	test_files_add_certs(&files, "ca.pem", &ca, NULL);
	test_files_add_certs(&files, "b.pem", &cert_b, &ca, NULL);
	test_files_add_key(&files, "b.key", &cert_b);
	for (size_t i = 0; i < files.n; i++)
		put_file(files.files[i].path, files.files[i].bytes, files.files[i].size);
	test_files_done(&files);
	test_ocsp_make((struct test_status){ .issuer = &ca, .cert = &cert_b }, &staple);
	put_file("b.ocsp", staple.bytes, staple.len);
	put_file("siptlsd.conf", daemon_text, strlen(daemon_text));
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "ca.pem", "b.pem",	       "b.key",
					     "b.ocsp", "siptlsd.conf", "topology.conf" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	test_cert_done(&ca);
	test_cert_done(&issuing);
	test_cert_done(&cert_a);
	test_cert_done(&cert_b);
	return 0;
}

/* ---- the worker ---- */

struct worker_process {
	pid_t pid;
	struct channel channel; /* without a loop: what is sent here fits into the socket */
	uint64_t next_id;
};

static uint8_t buf[WORKER_MESSAGE_MAX];
static struct worker_message message;

static void start(struct worker_process *w, const char *revocation)
{
	char text[512], path[128];
	struct conf_snapshot *snapshot;
	struct conf_error error;
	int fds[2];

	snprintf(text, sizeof(text), topology_text, revocation);
	put_file("topology.conf", text, strlen(text));
	snprintf(path, sizeof(path), "%s/siptlsd.conf", folder);
	if (conf_snapshot_take(path, &snapshot, &error) != 0)
		fail_msg("%s:%u: %s", error.file, error.line, error.text);
	*w = (struct worker_process){ .next_id = 1 };
	assert_int_equal(channel_pair(fds), 0);
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0) {
		close(fds[0]);
		_exit(worker_serve(fds[1], fcntl(conf_snapshot_fd(snapshot), F_DUPFD, 0)) < 0);
	}
	close(fds[1]);
	w->channel.fd = fds[0];
	list_init(&w->channel.queue);
	conf_snapshot_free(snapshot);
}

/* @status: what it must exit with. */
static void stop(struct worker_process *w, int expected)
{
	int status;

	close(w->channel.fd);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

static void hear(struct worker_process *w, enum worker_message_type type)
{
	struct pollfd p = { .fd = w->channel.fd, .events = POLLIN };
	size_t size;
	int fd;

	assert_int_equal(poll(&p, 1, LIMIT_MS), 1);
	assert_int_equal(channel_receive(&w->channel, buf, sizeof(buf), &size, &fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(worker_message_decode(buf, size, &message), 0);
	assert_int_equal(message.type, type);
}

static void say(struct worker_process *w, struct worker_message *m, int fd)
{
	size_t size;

	assert_int_equal(worker_message_encode(m, buf, &size), 0);
	assert_int_equal(channel_post(&w->channel, buf, size, fd), 0);
}

/* ---- what it says ---- */

static void assert_der(const char *bytes, size_t size, const struct test_cert *cert)
{
	gnutls_datum_t der = test_cert_der(cert);

	assert_int_equal(size, der.size);
	assert_memory_equal(bytes, der.data, size);
	gnutls_free(der.data);
}

static void hear_certificate(struct worker_process *w, bool anchor, uint32_t place,
			     const struct test_cert *cert, size_t n_names)
{
	const struct worker_certificate *c = &message.certificate;

	hear(w, WORKER_MSG_CERTIFICATE);
	assert_int_equal(c->anchor, anchor);
	assert_int_equal(c->index, 0);
	assert_int_equal(c->place, place);
	assert_der(c->der, c->der_len, cert);
	assert_int_equal(c->facts.n_certs, 1);
	assert_int_equal(c->facts.n_names, n_names);
	worker_message_done(&message);
}

static void hear_start(struct worker_process *w)
{
	hear_certificate(w, true, 0, &ca, 0);
	hear_certificate(w, false, 0, &cert_b, 1);
	hear_certificate(w, false, 1, &ca, 0);
	hear(w, WORKER_MSG_HELLO);
	assert_true(message.hello.valid);
	worker_message_done(&message);
}

static void say_board(struct worker_process *w, const struct test_cert *revoked)
{
	struct worker_message m = { .type = WORKER_MSG_BOARD };
	gnutls_datum_t der = test_cert_der(&ca);
	struct revocation_store *store;
	char why_buf[256] = "";
	struct text why = TEXT_INIT(why_buf);
	int fd;

	assert_int_equal(revocation_store_new(&store), 0);
	assert_int_equal(revocation_store_add_issuer(store, der.data, der.size), 0);
	gnutls_free(der.data);
	der = test_crl_make((struct test_status){ .issuer = &issuing, .revoked = revoked });
	assert_int_equal(revocation_store_put(store, "issuing", der.data, der.size, &why), 0);
	gnutls_free(der.data);
	assert_int_equal(revocation_store_publish(store, &fd), 0);
	revocation_store_free(store);
	say(w, &m, fd);
	close(fd);
}

/* A peer with the chain of a: the result is in @message. */
static void connect_a(struct worker_process *w, enum reason reason)
{
	gnutls_x509_crt_t chain[] = { cert_a.crt, issuing.crt };
	struct worker_message m = {
		.type = WORKER_MSG_JOB,
		.job = { .id = w->next_id++,
			 .tls = { .mutual = true,
				  .kernel_ciphers = { 7, 7 },
				  .entry = TRUST_ENTRY_ANY } },
	};
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	gnutls_datum_t shown;
	int fds[2];

	test_connect(fds);
	say(w, &m, fds[1]);
	close(fds[1]);
	assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_certificate_set_x509_key(credentials, chain, 2, cert_a.key);
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_priority_set_direct(session, test_versions[0], NULL);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fds[0]);
	assert_int_equal(gnutls_handshake(session), 0); /* its end comes before the verdict */
	assert_int_equal(gnutls_ocsp_status_request_get2(session, 0, &shown), 0);
	assert_int_equal(shown.size, staple.len);
	assert_memory_equal(shown.data, staple.bytes, staple.len);
	hear(w, WORKER_MSG_RESULT);
	if (message.result.reason != reason)
		print_error("%s: %s\n", reason_info(message.result.reason)->code,
			    message.result.detail);
	assert_int_equal(message.result.reason, reason);
	assert_int_equal(message.result.facts.n_certs, 2);
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	close(fds[0]);
}

static enum trust_status leaf_status(void)
{
	assert_int_equal(message.result.facts.n_paths, 1);
	assert_int_equal(message.result.facts.paths[0].outcome, TRUST_CHAIN_OK);
	return message.result.facts.paths[0].links[0].status;
}

static void expect_issuers(size_t n)
{
	assert_int_equal(message.result.n_issuers, n);
	if (n > 0)
		assert_der(message.result.issuers[0].der, message.result.issuers[0].len, &issuing);
	worker_message_done(&message);
}

/* ---- tests ---- */

static void test_boards(void **state)
{
	struct worker_process w;

	(void)state;
	start(&w, "check");
	hear_start(&w);
	connect_a(&w, REASON_OK);
	assert_int_equal(leaf_status(), TRUST_STATUS_UNKNOWN);
	assert_true(message.result.kernel);
	expect_issuers(1);
	say_board(&w, NULL);
	connect_a(&w, REASON_OK);
	assert_int_equal(leaf_status(), TRUST_STATUS_GOOD);
	expect_issuers(1);
	say_board(&w, &cert_a);
	connect_a(&w, REASON_REVOKED);
	assert_int_equal(leaf_status(), TRUST_STATUS_REVOKED);
	expect_issuers(1); /* so that its list is verified where it is kept */
	stop(&w, 0);
}

static void test_required(void **state)
{
	struct worker_process w;

	(void)state;
	start(&w, "require");
	hear_start(&w);
	/* nobody could fetch or verify a list of an issuer that was never heard of */
	connect_a(&w, REASON_REVOCATION_UNKNOWN);
	expect_issuers(1);
	stop(&w, 0);
}

/* The daemon makes no such board: one of us is broken. */
static void test_bad_board(void **state)
{
	struct worker_message m = { .type = WORKER_MSG_BOARD };
	struct worker_process w;
	int fd = memfd_create("board", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, "junk", 4), 4);
	start(&w, "check");
	hear_start(&w);
	say(&w, &m, fd);
	close(fd);
	stop(&w, 1);
	/* nor does one come without its file */
	start(&w, "check");
	hear_start(&w);
	say(&w, &m, -1);
	stop(&w, 1);
}

static void test_retire(void **state)
{
	struct worker_message m = { .type = WORKER_MSG_RETIRE };
	struct worker_process w;

	(void)state;
	start(&w, "off");
	hear_start(&w);
	connect_a(&w, REASON_OK);
	expect_issuers(1);
	say(&w, &m, -1);
	stop(&w, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boards),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_bad_board),
		cmocka_unit_test(test_retire),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
