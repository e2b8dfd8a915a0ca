/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sd-event behind the face of loop.h. */

#include <siptls/loop.h>

#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

struct loop {
	sd_event *event;
};

struct loop_source {
	sd_event_source *source;
	void *userdata;
	union {
		loop_io_fn io;
		loop_timer_fn timer;
		loop_signal_fn signal;
		loop_child_fn child;
	} fn;
};

static int never(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata _unused_)
{
	return 0;
}

int loop_new(struct loop **ret)
{
	_cleanup_free_ struct loop *loop = calloc(1, sizeof(*loop));
	sd_event_source *timer = NULL;
	int r;

	if (!loop)
		return -ENOMEM;
	r = sd_event_new(&loop->event);
	if (r < 0)
		return r;
	/* The first timer opens a descriptor that stays: have it now, where running out of them is
	 * an error of the start and not of a session's. */
	r = sd_event_add_time(loop->event, &timer, CLOCK_MONOTONIC, UINT64_MAX, 10000, never, NULL);
	sd_event_source_unref(timer);
	if (r < 0) {
		sd_event_unref(loop->event);
		return r;
	}
	*ret = steal_ptr(loop);
	return 0;
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	sd_event_unref(loop->event);
	free(loop);
	return NULL;
}

int loop_run(struct loop *loop)
{
	return sd_event_loop(loop->event);
}

void loop_exit(struct loop *loop, int code)
{
	(void)sd_event_exit(loop->event, code);
}

/* sd-event switches a failing source off and goes on; here an error is the end of the loop. */
static int finish(sd_event_source *source, int r)
{
	if (r < 0)
		(void)sd_event_exit(sd_event_source_get_event(source), r);
	return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct loop_source *s = userdata;
	unsigned int events = 0;

	/* Errors and hang-ups wake whoever waits for either direction: the next call tells. */
	if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		events |= LOOP_READ;
	if (revents & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		events |= LOOP_WRITE;
	if (revents & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		events |= LOOP_HANGUP;
	return finish(source, s->fn.io(s->userdata, fd, events));
}

static int on_timer(sd_event_source *source, uint64_t usec _unused_, void *userdata)
{
	struct loop_source *s = userdata;

	return finish(source, s->fn.timer(s->userdata));
}

static int on_defer(sd_event_source *source, void *userdata)
{
	struct loop_source *s = userdata;

	return finish(source, s->fn.timer(s->userdata));
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct loop_source *s = userdata;

	return finish(source, s->fn.signal(s->userdata, (int)info->ssi_signo));
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct loop_source *s = userdata;
	int status = info->si_code == CLD_EXITED ? W_EXITCODE(info->si_status, 0)
						 : W_EXITCODE(0, info->si_status);

	return finish(source, s->fn.child(s->userdata, info->si_pid, status));
}

static uint32_t epoll_events(unsigned int events)
{
	return ((events & LOOP_READ) ? EPOLLIN | EPOLLRDHUP : 0) |
	       ((events & LOOP_WRITE) ? EPOLLOUT : 0) | ((events & LOOP_HANGUP) ? EPOLLRDHUP : 0);
}

/* Room for one source; completed by source_done() with what sd-event said. */
static struct loop_source *source_new(void *userdata)
{
	struct loop_source *s = calloc(1, sizeof(*s));

	if (s)
		s->userdata = userdata;
	return s;
}

static int source_done(struct loop_source *s, int r, struct loop_source **ret)
{
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

int loop_io_add(struct loop *loop, int fd, unsigned int events, loop_io_fn fn, void *userdata,
		struct loop_source **ret)
{
	struct loop_source *s = source_new(userdata);
	int r;

	if (!s)
		return -ENOMEM;
	s->fn.io = fn;
	r = sd_event_add_io(loop->event, &s->source, fd, epoll_events(events), on_io, s);
	if (r >= 0 && events == 0)
		r = sd_event_source_set_enabled(s->source, SD_EVENT_OFF);
	if (r < 0)
		sd_event_source_unref(s->source);
	return source_done(s, r, ret);
}

int loop_io_set(struct loop_source *s, unsigned int events)
{
	int r;

	/* Off, not an empty mask: epoll reports hang-ups even when nothing was asked for. */
	r = sd_event_source_set_enabled(s->source, events ? SD_EVENT_ON : SD_EVENT_OFF);
	if (r < 0 || !events)
		return r;
	return sd_event_source_set_io_events(s->source, epoll_events(events));
}

int loop_timer_add(struct loop *loop, uint64_t ms, loop_timer_fn fn, void *userdata,
		   struct loop_source **ret)
{
	struct loop_source *s = source_new(userdata);

	if (!s)
		return -ENOMEM;
	s->fn.timer = fn;
	return source_done(s,
			   sd_event_add_time_relative(loop->event, &s->source, CLOCK_MONOTONIC,
						      ms * 1000, 10000, on_timer, s),
			   ret);
}

int loop_timer_set(struct loop_source *s, uint64_t ms)
{
	int r = sd_event_source_set_time_relative(s->source, ms * 1000);

	return r < 0 ? r : sd_event_source_set_enabled(s->source, SD_EVENT_ONESHOT);
}

int loop_signal_add(struct loop *loop, int signal, loop_signal_fn fn, void *userdata,
		    struct loop_source **ret)
{
	struct loop_source *s = source_new(userdata);

	if (!s)
		return -ENOMEM;
	s->fn.signal = fn;
	return source_done(s, sd_event_add_signal(loop->event, &s->source, signal, on_signal, s),
			   ret);
}

int loop_child_add(struct loop *loop, pid_t pid, loop_child_fn fn, void *userdata,
		   struct loop_source **ret)
{
	struct loop_source *s = source_new(userdata);

	if (!s)
		return -ENOMEM;
	s->fn.child = fn;
	return source_done(s,
			   sd_event_add_child(loop->event, &s->source, pid, WEXITED, on_child, s),
			   ret);
}

int loop_defer(struct loop *loop, loop_timer_fn fn, void *userdata, struct loop_source **ret)
{
	struct loop_source *s = source_new(userdata);

	if (!s)
		return -ENOMEM;
	s->fn.timer = fn;
	return source_done(s, sd_event_add_defer(loop->event, &s->source, on_defer, s), ret);
}

struct loop_source *loop_source_free(struct loop_source *s)
{
	if (!s)
		return NULL;
	/* Disabled first: sd-event keeps a source that is being dispatched alive until it returns.
	 */
	sd_event_source_disable_unref(s->source);
	free(s);
	return NULL;
}

int loop_watchdog_enable(struct loop *loop)
{
	int r = sd_event_set_watchdog(loop->event, true);

	return r < 0 ? r : 0;
}

void loop_notify(const char *format, ...)
{
	char state[512];
	va_list args;

	va_start(args, format);
	vsnprintf(state, sizeof(state), format, args);
	va_end(args);
	(void)sd_notify(/* unset_environment= */ false, state);
}
