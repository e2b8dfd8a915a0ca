/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * loop - the daemon's event loop: a thin face over sd-event, the only module that includes it.
 *
 * One loop per thread; callbacks return 0 or -errno, and an error ends the loop with it. A source
 * is freed by its owner with loop_source_free(), also from inside its own callback.
 */

#include <siptls/base.h>
#include <sys/types.h>

struct loop;
struct loop_source;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

typedef int (*loop_io_fn)(void *userdata, int fd, unsigned int events);
typedef int (*loop_timer_fn)(void *userdata);
typedef int (*loop_signal_fn)(void *userdata, int signal);
typedef int (*loop_child_fn)(void *userdata, pid_t pid, int status);

int loop_new(struct loop **ret) _must_check_;
struct loop *loop_free(struct loop *loop);
int loop_run(struct loop *loop) _must_check_; /* until loop_exit(): its code, or -errno */
void loop_exit(struct loop *loop, int code);

int loop_io_add(struct loop *loop, int fd, unsigned int events, loop_io_fn fn, void *userdata,
		struct loop_source **ret) _must_check_;
int loop_io_set(struct loop_source *source, unsigned int events) _must_check_; /* 0: paused */
/* One shot, @ms from now; loop_timer_set() arms it again, also after it fired. */
int loop_timer_add(struct loop *loop, uint64_t ms, loop_timer_fn fn, void *userdata,
		   struct loop_source **ret) _must_check_;
int loop_timer_set(struct loop_source *source, uint64_t ms) _must_check_;
/* The signal must be blocked in every thread. */
int loop_signal_add(struct loop *loop, int signal, loop_signal_fn fn, void *userdata,
		    struct loop_source **ret) _must_check_;
int loop_child_add(struct loop *loop, pid_t pid, loop_child_fn fn, void *userdata,
		   struct loop_source **ret) _must_check_;
/* Runs once, after the events of this round. */
int loop_defer(struct loop *loop, loop_timer_fn fn, void *userdata,
	       struct loop_source **ret) _must_check_;
struct loop_source *loop_source_free(struct loop_source *source); /* NULL is fine; returns NULL */

/* systemd: readiness, status line, watchdog. No-ops when not started by systemd. */
int loop_watchdog_enable(struct loop *loop) _must_check_;
void loop_notify(const char *format, ...) _printf_(1, 2);
