/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Commands of siptlsctl against a control socket in a process of its own. */

#include "ctl-testing.h"

#include <jansson.h>
#include <signal.h>
#include <siptls/control.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "fake-sessions.h"

struct fixture {
	char directory[32], path[64];
	pid_t server;
	struct ctl_context context, json;
	struct output output;
};

/* What the daemon at the other end is in. */
enum trouble { NONE, BROKEN_CONFIGURATION, STAGED_BEFORE, REFUSING };

#define SESSIONS 1200 /* more than one part of a stream */

static inline int serve(const char *path, int ready, enum trouble trouble)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));
	struct control *control = NULL;
	struct loop *loop = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!sessions || loop_new(&loop) < 0 ||
	    control_new(loop, sessions, path, NULL, &control) < 0)
		return EXIT_FAILURE;
	for (uint64_t id = 1; id <= SESSIONS; id++)
		(void)fake_add(sessions, id);
	sessions->views[1].peer = "other.example.org";
	sessions->n_peers = 2;
	sessions->n_refusals = 4;
	sessions->newest_refusal = 9;
	sessions->n_warnings = 2;
	sessions->n_lines = 2;
	sessions->last_good = trouble == BROKEN_CONFIGURATION;
	sessions->is_staged = trouble == STAGED_BEFORE;
	if (trouble == REFUSING)
		sessions->probe_reason = REASON_EXPIRED;
	if (trouble == REFUSING)
		sessions->preview_error = "cannot be read \x1b[2J";
	if (trouble == BROKEN_CONFIGURATION)
		conf_error_set(&sessions->reload_error, "/etc/siptls/topology.conf", 12,
			       "expected a host name; found \"\x1b[2J\"");
	if (write(ready, "", 1) != 1)
		return EXIT_FAILURE;
	return loop_run(loop) < 0;
}

static inline int setup_server(void **state, enum trouble trouble)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int ready[2];
	char byte;

	if (!f || pipe(ready) < 0)
		return -1;
	snprintf(f->directory, sizeof(f->directory), "/tmp/test-ctl.XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/control", f->directory);
	f->context = (struct ctl_context){ .socket = f->path };
	f->json = (struct ctl_context){ .socket = f->path, .json = true };
	*state = f;
	fflush(NULL);
	f->server = fork();
	if (f->server == 0)
		_exit(serve(f->path, ready[1], trouble));
	close(ready[1]);
	if (f->server < 0 || read(ready[0], &byte, 1) != 1)
		return -1;
	close(ready[0]);
	return 0;
}

static inline int setup(void **state)
{
	return setup_server(state, NONE);
}

static inline int setup_broken(void **state)
{
	return setup_server(state, BROKEN_CONFIGURATION);
}

static inline int setup_staged(void **state)
{
	return setup_server(state, STAGED_BEFORE);
}

static inline int setup_refusing(void **state)
{
	return setup_server(state, REFUSING);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	kill(f->server, SIGKILL);
	waitpid(f->server, NULL, 0);
	(void)unlink(f->path);
	(void)rmdir(f->directory);
	free(f);
	return 0;
}

static inline json_t *json_of(struct fixture *f, ctl_command_fn fn, const char *line)
{
	json_t *document;

	assert_int_equal(command(fn, &f->json, line, &f->output), 0);
	document = json_loads(f->output.out, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(document);
	return document;
}

static inline void expect(struct fixture *f, ctl_command_fn fn, const char *line, int status,
			  const char *out, const char *err)
{
	assert_int_equal(command(fn, &f->context, line, &f->output), status);
	if (!strstr(f->output.out, out) || !strstr(f->output.err, err))
		fail_msg("%s: expected '%s' and '%s', got '%s' and '%s'", line, out, err,
			 f->output.out, f->output.err);
	assert_null(strchr(f->output.out, '\x1b'));
	assert_null(strchr(f->output.err, '\x1b'));
}
