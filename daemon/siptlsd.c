/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * siptlsd - the daemon. Parse the arguments, start the manager of sessions and the control socket,
 * tell systemd, run the loop.
 */

#include <siptls/conf.h>
#include <siptls/control.h>
#include <siptls/log.h>
#include <siptls/loop.h>
#include <siptls/session.h>
#include <siptls/version.h>
#include <siptls/worker.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const char *arg_config = CONF_DEFAULT_PATH;
static const char *arg_worker = SIPTLS_LIBEXECDIR "/siptls-handshake";
static const char *arg_fetch = SIPTLS_LIBEXECDIR "/siptls-fetch";
static bool arg_check;

struct daemon {
	struct loop *loop;
	struct sessions *sessions;
	struct control *control;
	struct loop_source *signals[3];
};

static int usage(FILE *to, int status)
{
	fprintf(to,
		"usage: siptlsd [--config FILE] [--check] [--worker PROGRAM] [--fetch PROGRAM]\n"
		"               [--version]\n"
		"\n"
		"  --config FILE     configuration (" CONF_DEFAULT_PATH ")\n"
		"  --check           read and check everything, start nothing, exit 0 or 1\n"
		"  --worker PROGRAM  handshake program (" SIPTLS_LIBEXECDIR "/siptls-handshake)\n"
		"  --fetch PROGRAM   gets CRLs and DNS answers (" SIPTLS_LIBEXECDIR
		"/siptls-fetch)\n"
		"  --version\n");
	return status;
}

/* 0: go on; else exit with *ret_status. */
static int arguments_parse(int argc, char **argv, int *ret_status)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "worker", required_argument, NULL, 'w' },
		{ "fetch", required_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) >= 0) {
		switch (option) {
		case 'c':
			arg_config = optarg;
			break;
		case 'k':
			arg_check = true;
			break;
		case 'w':
			arg_worker = optarg;
			break;
		case 'f':
			arg_fetch = optarg;
			break;
		case 'v':
			*ret_status = printf("siptlsd %s\n", SIPTLS_VERSION) < 0;
			return 1;
		case 'h':
			*ret_status = usage(stdout, 0);
			return 1;
		default:
			*ret_status = usage(stderr, 2);
			return 1;
		}
	}
	if (optind < argc) {
		*ret_status = usage(stderr, 2);
		return 1;
	}
	return 0;
}

/* ---- siptlsd --check ---- */

struct check {
	struct loop *loop;
	const struct conf *conf;
	struct conf_error error;
	bool refused;
};

static void check_warn(void *userdata _unused_, const char *line)
{
	fprintf(stderr, "warning: %s\n", line);
}

/* Allowed, because the peer's clock may be right and ours wrong; but hardly meant. */
static void check_certificate(void *userdata, struct worker_certificate *certificate)
{
	const struct check *check = userdata;
	const struct conf *conf = check->conf;
	const struct trust_certificate *read = certificate->facts.certs;
	int64_t left;

	if (certificate->facts.n_certs != 1 ||
	    certificate->index >=
		    (certificate->anchor ? conf->trust.n_anchors : conf->n_identities))
		return;
	left = read->not_after - time_realtime_s();
	if (left >= (int64_t)conf->limits.expiry_warning_s)
		return;
	fprintf(stderr, "warning: certificate of %s \"%s\" (%s, serial %s) %s %lld days%s\n",
		certificate->anchor ? "anchor" : "identity",
		certificate->anchor ? conf->trust.anchors[certificate->index].name
				    : conf->identities[certificate->index].name,
		read->subject, read->serial, left < 0 ? "ended" : "ends in",
		(long long)(left < 0 ? -left : left) / (24 * 3600), left < 0 ? " ago" : "");
}

static void check_ready(void *userdata, struct worker_pool *pool _unused_,
			const struct conf_error *error)
{
	struct check *check = userdata;

	check->refused = error != NULL;
	if (error)
		check->error = *error;
	loop_exit(check->loop, 0);
}

static int check_worker(struct check *check, const struct conf_snapshot *snapshot,
			struct worker_pool **ret_pool)
{
	static const struct worker_pool_ops ops = { .ready = check_ready,
						    .certificate = check_certificate };
	int r = worker_pool_new(check->loop, arg_worker, /* n= */ 1, snapshot, &ops, check,
				ret_pool);

	if (r == 0)
		return loop_run(check->loop);
	conf_error_set(&check->error, arg_worker, 0, "cannot start the handshake process: %s",
		       strerror(-r));
	return CONF_E_INVALID;
}

/* Parsing finds mistakes in the words; one worker finds those in certificates and keys. */
static int check_files(struct check *check)
{
	struct conf_snapshot *snapshot = NULL;
	struct worker_pool *pool = NULL;
	struct ktls_support support = { 0 };
	struct conf *conf = NULL;
	int r;

	r = conf_snapshot_take(arg_config, &snapshot, &check->error);
	if (r == 0)
		r = conf_load(snapshot, &conf, &check->error);
	if (r == 0)
		r = conf_machine_check(conf, &check->error);
	if (r == 0)
		r = ktls_probe(&support);
	if (r == 0) {
		conf_warnings(conf, support.ulp, check_warn, NULL);
		check->conf = conf;
		r = check_worker(check, snapshot, &pool);
	}
	worker_pool_free(pool);
	conf_free(conf);
	conf_snapshot_free(snapshot);
	return r == 0 && check->refused ? CONF_E_INVALID : r;
}

static void error_print(const struct conf_error *error)
{
	if (error->line)
		fprintf(stderr, "%s:%u: %s\n", error->file, error->line, error->text);
	else
		fprintf(stderr, "%s: %s\n", error->file, error->text);
}

static int check_run(struct loop *loop)
{
	struct check check = { .loop = loop };
	int r = check_files(&check);

	if (r == 0) {
		printf("%s: in order\n", arg_config);
		return EXIT_SUCCESS;
	}
	if (r < 0)
		fprintf(stderr, "%s: %s\n", arg_config, strerror(-r));
	else
		error_print(&check.error);
	return EXIT_FAILURE;
}

/* ---- the daemon ---- */

static int on_stop(void *userdata, int signal _unused_)
{
	struct daemon *daemon = userdata;
	const struct log_field none = { 0 };

	log_event(LOG_NOTICE, LOG_ID_STOPPING, &none, "stopping");
	loop_notify("STOPPING=1");
	loop_exit(daemon->loop, 0);
	return 0;
}

static void on_reloaded(void *userdata _unused_, const struct conf_error *error,
			const char *summary _unused_)
{
	loop_notify("READY=1");
	/* The status line tells of a failure too: a signal has no answer. */
	if (error)
		loop_notify("STATUS=reload refused, the configuration in force stays: %s",
			    error->text);
}

static int on_hup(void *userdata, int signal _unused_)
{
	struct daemon *daemon = userdata;

	loop_notify("RELOADING=1");
	sessions_reload(daemon->sessions, on_reloaded, daemon);
	return 0;
}

static void on_started(void *userdata, const struct conf_error *error, const char *summary)
{
	struct daemon *daemon = userdata;
	const struct log_field none = { 0 };
	const struct conf *conf;
	int r;

	if (error) {
		loop_notify("STATUS=%s:%u: %s", error->file, error->line, error->text);
		loop_exit(daemon->loop, EXIT_FAILURE);
		return;
	}
	conf = sessions_conf(daemon->sessions);
	r = control_new(daemon->loop, daemon->sessions, conf->control_path, conf->control_group,
			&daemon->control);
	if (r == -ESRCH) {
		log_error("control { group }: there is no group \"%s\"", conf->control_group);
		loop_exit(daemon->loop, EXIT_FAILURE);
		return;
	}
	if (r < 0) {
		log_error("control socket %s: %s", conf->control_path, strerror(-r));
		loop_exit(daemon->loop, EXIT_FAILURE);
		return;
	}
	log_event(LOG_NOTICE, LOG_ID_STARTED, &none, "siptlsd " SIPTLS_VERSION " is ready, %s",
		  summary);
	loop_notify("READY=1");
}

static void kernel_report(const struct sessions *sessions)
{
	struct sessions_summary summary;
	const struct log_field none = { 0 };

	sessions_summary(sessions, &summary);
	if (!summary.support.ulp)
		log_event(LOG_WARNING, LOG_ID_FALLBACK, &none,
			  "this kernel has no tls module: sessions are carried in user space where "
			  "the configuration allows it (siptls-kmod probe tells more)");
}

static int daemon_setup(struct daemon *daemon)
{
	static const struct {
		int signal;
		loop_signal_fn fn;
	} handlers[] = { { SIGTERM, on_stop }, { SIGINT, on_stop }, { SIGHUP, on_hup } };
	struct sessions_config config = { .conf_path = arg_config,
					  .worker_executable = arg_worker,
					  .fetch_executable = arg_fetch };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		r = loop_signal_add(daemon->loop, handlers[i].signal, handlers[i].fn, daemon,
				    &daemon->signals[i]);
		if (r < 0)
			return r;
	}
	r = loop_watchdog_enable(daemon->loop);
	if (r < 0)
		return r;
	r = sessions_new(daemon->loop, &config, &daemon->sessions);
	if (r < 0)
		return r;
	sessions_reload(daemon->sessions, on_started, daemon);
	kernel_report(daemon->sessions);
	return 0;
}

static void daemon_done(struct daemon *daemon)
{
	control_free(daemon->control);
	sessions_free(daemon->sessions);
	for (size_t i = 0; i < ARRAY_SIZE(daemon->signals); i++)
		loop_source_free(daemon->signals[i]);
}

static int daemon_run(struct loop *loop)
{
	struct daemon daemon = { .loop = loop };
	int r = daemon_setup(&daemon);

	if (r == 0)
		r = loop_run(loop);
	daemon_done(&daemon);
	if (r < 0)
		log_error("ending: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : r;
}

/* Keys pass through this process: no core, no ptrace by other processes of the same user. */
static int process_prepare(void)
{
	const struct rlimit no_core = { 0 };
	struct rlimit files;
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGHUP);
	sigaddset(&blocked, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0 ||
	    getrlimit(RLIMIT_NOFILE, &files) < 0 || sigprocmask(SIG_BLOCK, &blocked, NULL) < 0)
		return -errno;
	/* A session is two descriptors: take what the unit's LimitNOFILE= allows at most. */
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) < 0 ? -errno : 0;
}

int main(int argc, char **argv)
{
	struct loop *loop = NULL;
	int status, r;

	if (arguments_parse(argc, argv, &status) != 0)
		return status;
	r = process_prepare();
	if (r == 0)
		r = loop_new(&loop);
	if (r < 0) {
		log_error("cannot start: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	status = arg_check ? check_run(loop) : daemon_run(loop);
	loop_free(loop);
	return status;
}
