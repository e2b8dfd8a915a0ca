/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The life of siptls-fetch as the daemon sees it: started, told what to get, watched, and started
 * again when it has ended.
 */

#include "fetch/process.h"

#include <signal.h>
#include <sys/wait.h>

#define RESPAWN_WINDOW_MS 10000
#define SPAWN_RETRY_MS	  1000	/* after the system refused a process */
#define WATCH_MS	  10000 /* between pings */
#define PING_MS		  60000 /* a list of the largest size may take seconds to read */
#define QUEUE_MAX	  32768 /* messages it may leave unread; some plans are that long */

/* ---- messages to it ---- */

void fetch_process_post(struct fetch *fetch, const uint8_t *bytes, size_t size, int fd)
{
	if (!fetch->running)
		return;
	if (fetch->channel.n_queued >= QUEUE_MAX ||
	    channel_post(&fetch->channel, bytes, size, fd) < 0)
		fetch_process_end(fetch);
}

void fetch_process_send(struct fetch *fetch, struct fetch_message *message)
{
	size_t size;

	if (fetch_message_encode(message, fetch->buf, &size) == 0)
		fetch_process_post(fetch, fetch->buf, size, -1);
}

static void send_all(struct fetch *fetch, const struct fetch_bytes *bytes)
{
	const uint8_t *message;
	size_t at = 0, size;

	while (fetch_bytes_next(bytes, &at, &message, &size))
		fetch_process_post(fetch, message, size, -1);
}

void fetch_process_send_plan(struct fetch *fetch)
{
	struct fetch_message end = { .type = FETCH_MSG_PLAN_END };

	if (!fetch->has_plan)
		return;
	send_all(fetch, &fetch->plan);
	for (size_t i = 0; i < fetch->issuers.n; i++)
		send_all(fetch, &fetch->issuers.items[i]);
	for (size_t i = 0; i < fetch->urls.n; i++)
		send_all(fetch, &fetch->urls.items[i]);
	fetch_process_send(fetch, &end);
	fetch->learned_since_plan = 0;
}

/* ---- end ---- */

void fetch_process_end(struct fetch *fetch)
{
	if (!fetch->running)
		return;
	fetch->running = false;
	if (fetch->pid > 0)
		(void)kill(fetch->pid, SIGKILL);
	channel_done(&fetch->channel);
}

void fetch_process_restart(struct fetch *fetch)
{
	fetch->restarting = fetch->running;
	fetch_process_end(fetch);
}

void fetch_process_done(struct fetch *fetch)
{
	fetch->running = false;
	fetch->child = loop_source_free(fetch->child);
	channel_done(&fetch->channel);
	if (fetch->pid <= 0)
		return;
	(void)kill(fetch->pid, SIGKILL);
	while (waitpid(fetch->pid, NULL, 0) < 0 && errno == EINTR)
		;
	fetch->pid = 0;
}

/* ---- start ---- */

static void respawn(struct fetch *fetch);

static int on_respawn(void *userdata)
{
	respawn(userdata);
	return 0;
}

static void respawn_later(struct fetch *fetch, uint64_t ms)
{
	int r;

	if (fetch->respawn_timer)
		r = loop_timer_set(fetch->respawn_timer, ms);
	else
		r = loop_timer_add(fetch->loop, ms, on_respawn, fetch, &fetch->respawn_timer);
	/* Without memory for it the watch does it. */
	(void)r;
}

/* Milliseconds until the rate limit allows one more; 0: now. */
static uint64_t respawn_wait(const struct fetch *fetch, uint64_t now)
{
	uint64_t oldest = fetch->respawn_times[fetch->respawns % FETCH_RESPAWN_MAX];

	if (fetch->respawns < FETCH_RESPAWN_MAX || now - oldest >= RESPAWN_WINDOW_MS)
		return 0;
	return RESPAWN_WINDOW_MS - (now - oldest);
}

static void respawn(struct fetch *fetch)
{
	uint64_t now = time_monotonic_ms();
	uint64_t wait = respawn_wait(fetch, now);

	if (fetch->pid > 0 || fetch->dead)
		return;
	if (wait == 0 && fetch_process_start(fetch) < 0)
		wait = SPAWN_RETRY_MS;
	if (wait > 0)
		respawn_later(fetch, wait);
	else
		fetch->respawn_times[fetch->respawns++ % FETCH_RESPAWN_MAX] = now;
}

/* Nobody will answer what was asked. */
static void lose(struct fetch *fetch)
{
	list_take_all(&fetch->requests, &fetch->lost);
	fetch_answer_lost(fetch);
}

static int on_child(void *userdata, pid_t pid, int status)
{
	struct fetch *fetch = userdata;
	bool expected = fetch->restarting;

	fetch_enter(fetch);
	fetch->pid = 0; /* the loop reaps it */
	fetch->child = loop_source_free(fetch->child);
	fetch_receive_rest(fetch);
	fetch->restarting = false;
	fetch_process_end(fetch);
	if (!expected)
		lose(fetch);
	if (!expected && !fetch->dead)
		fetch->ops->died(fetch->userdata, pid, status);
	respawn(fetch);
	if (expected && !fetch->running)
		lose(fetch);
	return fetch_leave(fetch);
}

int fetch_process_start(struct fetch *fetch)
{
	int fd, r;

	r = channel_spawn(fetch->executable, -1, &fd, &fetch->pid);
	if (r < 0) {
		fetch->pid = 0;
		return r;
	}
	r = channel_init(&fetch->channel, fetch->loop, fd, fetch_on_channel, fetch);
	if (r < 0)
		fd_close(fd);
	else
		r = loop_child_add(fetch->loop, fetch->pid, on_child, fetch, &fetch->child);
	if (r < 0) {
		fetch_process_done(fetch);
		return r;
	}
	fetch->running = true;
	fetch_process_send_plan(fetch);
	fetch_ask_again(fetch);
	return 0;
}

/* ---- watch ---- */

/*
 * A process that hangs, or answers whom it likes, is not to be told from one that is busy but by
 * time. The ping is answered by its loop, so that its lateness shows even when nobody asks it
 * anything else.
 */
static int on_watch(void *userdata)
{
	struct fetch *fetch = userdata;
	uint64_t now = time_monotonic_ms();
	bool pinged = false;

	list_foreach_safe (link, &fetch->requests) {
		struct fetch_request *request = container_of(link, struct fetch_request, link);

		pinged = pinged || request->kind == FETCH_REQUEST_PING;
		if (now < request->deadline)
			continue;
		fetch_process_end(fetch);
		break;
	}
	if (fetch->pid == 0)
		respawn(fetch);
	if (fetch->running && !pinged) {
		struct fetch_message ping = { .type = FETCH_MSG_PING };
		struct fetch_request *request =
			fetch_request_new(fetch, FETCH_REQUEST_PING, 0, PING_MS);

		if (request) {
			ping.id = request->number;
			fetch_process_send(fetch, &ping);
		}
	}
	return loop_timer_set(fetch->watch_timer, WATCH_MS);
}

int fetch_process_watch(struct fetch *fetch)
{
	return loop_timer_add(fetch->loop, WATCH_MS, on_watch, fetch, &fetch->watch_timer);
}
