/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Threads, queues and the face that session sees. The main thread puts a link into a thread's inbox
 * (new, or asked to end); the thread puts it into the ended list when it is over. Between the two
 * the thread alone touches it.
 */

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "bucket.h"
#include "link.h"

#define EVENTS_PER_WAIT 64

struct relay_thread {
	struct relay *relay;
	pthread_t thread;
	bool running;
	int epoll_fd;
	int wake_fd;
	pthread_mutex_t lock;
	struct list inbox; /* under the lock */
	bool stop;	   /* under the lock */
	struct list links;
	struct list dead;	 /* over in this round; reported when its events are done with */
	struct list half_closed; /* by deadline */
	struct list busy;
	struct list buckets; /* owned: links wait for them */
	uint8_t *buffer;
};

struct relay {
	struct relay_thread *threads;
	unsigned int n_threads, next;
	_Atomic uint32_t half_close_timeout_ms;
	relay_ended_fn ended;
	void *userdata;
	int event_fd;
	pthread_mutex_t lock;
	struct list ended_links; /* under the lock */
};

static void eventfd_signal(int fd)
{
	uint64_t one = 1;

	/* Fails only when the counter is full, and then it is readable already. */
	(void)!write(fd, &one, sizeof(one));
}

static void eventfd_clear(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

/* ---- the thread's services to its links ---- */

uint8_t *relay_thread_buffer(struct relay_thread *thread)
{
	return thread->buffer;
}

int relay_thread_watch(struct relay_thread *thread, struct relay_end_point *end, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = end };
	int op = !end->events ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

	if (events == end->events || end->fd < 0)
		return 0;
	if (epoll_ctl(thread->epoll_fd, op, end->fd, &event) < 0)
		return -errno;
	end->events = events;
	return 0;
}

void relay_thread_busy(struct relay_thread *thread, struct relay_link *link)
{
	list_remove(&link->turn);
	list_append(&thread->busy, &link->turn);
}

void relay_thread_half_closed(struct relay_thread *thread, struct relay_link *link)
{
	link->deadline_ms = time_monotonic_ms() + thread->relay->half_close_timeout_ms;
	list_append(&thread->half_closed, &link->half_closed);
}

void relay_thread_over(struct relay_thread *thread, struct relay_link *link)
{
	list_remove(&link->turn);
	list_remove(&link->half_closed);
	list_remove(&link->node);
	list_append(&thread->dead, &link->node);
}

static void inbox_put(struct relay_link *link, enum reason end)
{
	struct relay_thread *thread = link->thread;

	pthread_mutex_lock(&thread->lock);
	if (link->end_requested == REASON_OK)
		link->end_requested = end;
	list_remove(&link->inbox);
	list_append(&thread->inbox, &link->inbox);
	pthread_mutex_unlock(&thread->lock);
	eventfd_signal(thread->wake_fd);
}

void relay_thread_call(struct relay_link *link)
{
	inbox_put(link, REASON_OK);
}

void relay_thread_wake(struct relay_thread *thread)
{
	eventfd_signal(thread->wake_fd);
}

void relay_thread_own(struct relay_thread *thread, struct relay_bucket *bucket)
{
	list_append(&thread->buckets, &bucket->owned);
}

/* ---- the thread ---- */

/*
 * Under the lock also the look at link->over: the main thread may ask for the end of a link that is
 * over, and frees it when it has taken it back out of the inbox under the same lock.
 */
static struct relay_link *inbox_take(struct relay_thread *thread, enum reason *ret_end,
				     bool *ret_stop)
{
	struct relay_link *link = NULL;

	pthread_mutex_lock(&thread->lock);
	*ret_stop = thread->stop;
	while (!link && !list_empty(&thread->inbox)) {
		struct relay_link *first =
			container_of(thread->inbox.next, struct relay_link, inbox);

		list_remove(&first->inbox);
		if (first->over)
			continue;
		link = first;
		*ret_end = first->end_requested;
	}
	pthread_mutex_unlock(&thread->lock);
	return link;
}

/* false: the thread is to stop. */
static bool inbox_process(struct relay_thread *thread)
{
	struct relay_link *link;
	enum reason end;
	bool stop;

	while ((link = inbox_take(thread, &end, &stop))) {
		if (list_empty(&link->node))
			list_append(&thread->links, &link->node);
		if (end != REASON_OK)
			relay_link_finish(link, end, ALERT_NONE);
		else
			relay_link_run(link);
	}
	return !stop;
}

/* One more turn for those who were not finished; whoever still is not waits for the next round. */
static void busy_run(struct relay_thread *thread)
{
	struct list busy;

	list_init(&busy);
	list_take_all(&thread->busy, &busy);
	while (!list_empty(&busy)) {
		struct relay_link *link = container_of(busy.next, struct relay_link, turn);

		list_remove(&link->turn);
		relay_link_run(link);
	}
}

static int half_closed_expire(struct relay_thread *thread)
{
	uint64_t now = time_monotonic_ms();

	list_foreach_safe (node, &thread->half_closed) {
		struct relay_link *link = container_of(node, struct relay_link, half_closed);

		if (link->deadline_ms > now)
			return (int)(link->deadline_ms - now);
		relay_link_finish(link, REASON_HALF_CLOSE_TIMEOUT, ALERT_NONE);
	}
	return -1;
}

/* Of two waiting times, each perhaps -1: for ever. */
static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

/* Milliseconds until the next bucket has to be looked at, or -1. */
static int buckets_serve(struct relay_thread *thread)
{
	int wait_ms = -1;

	list_foreach_safe (node, &thread->buckets) {
		struct relay_bucket *bucket = container_of(node, struct relay_bucket, owned);

		wait_ms = sooner(wait_ms, relay_bucket_serve(bucket));
	}
	return wait_ms;
}

/*
 * Links that ended are told only after the round: the same round may hold another event of the
 * same link, and once the main thread knows of the end it frees it.
 */
static void dead_report(struct relay_thread *thread)
{
	struct relay *relay = thread->relay;
	if (list_empty(&thread->dead))
		return;
	/* An end that was asked for meanwhile must not find a freed link. */
	pthread_mutex_lock(&thread->lock);
	list_foreach (node, &thread->dead)
		list_remove(&container_of(node, struct relay_link, node)->inbox);
	pthread_mutex_unlock(&thread->lock);

	pthread_mutex_lock(&relay->lock);
	list_take_all(&thread->dead, &relay->ended_links);
	pthread_mutex_unlock(&relay->lock);
	eventfd_signal(relay->event_fd);
}

static void *thread_main(void *userdata)
{
	struct relay_thread *thread = userdata;
	struct epoll_event events[EVENTS_PER_WAIT];
	int timeout = -1;

	for (;;) {
		int n = epoll_wait(thread->epoll_fd, events, EVENTS_PER_WAIT, timeout);

		for (int i = 0; i < n; i++) {
			struct relay_end_point *end = events[i].data.ptr;

			if (!end)
				eventfd_clear(thread->wake_fd);
			else if (!end->link->over)
				relay_link_run(end->link);
		}
		busy_run(thread);
		if (!inbox_process(thread))
			return NULL;
		timeout = sooner(half_closed_expire(thread), buckets_serve(thread));
		if (!list_empty(&thread->busy))
			timeout = 0;
		dead_report(thread);
	}
}

static int thread_start(struct relay_thread *thread, struct relay *relay)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t all, before;
	int r;

	thread->relay = relay;
	pthread_mutex_init(&thread->lock, NULL);
	list_init(&thread->inbox);
	list_init(&thread->links);
	list_init(&thread->dead);
	list_init(&thread->half_closed);
	list_init(&thread->busy);
	list_init(&thread->buckets);
	thread->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	thread->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	thread->buffer = malloc(RELAY_BUFFER_SIZE);
	if (thread->epoll_fd < 0 || thread->wake_fd < 0)
		return -errno;
	if (!thread->buffer)
		return -ENOMEM;
	if (epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, thread->wake_fd, &event) < 0)
		return -errno;

	/* Signals are the main thread's, through signalfd. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread->thread, NULL, thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	thread->running = true;
	return 0;
}

static void link_destroy(struct relay_link *link)
{
	for (enum relay_side side = 0; side < _RELAY_SIDE_MAX; side++) {
		fd_close(link->end[side].fd);
		free(link->flow[side].backlog);
	}
	secret_wipe(&link->tx);
	secret_wipe(&link->rx);
	relay_bucket_leave(link);
	relay_bucket_unref(link->bucket);
	free(link);
}

static void links_destroy(struct list *links)
{
	while (!list_empty(links)) {
		struct list *node = links->next;

		list_remove(node);
		link_destroy(container_of(node, struct relay_link, node));
	}
}

static void thread_stop(struct relay_thread *thread)
{
	if (!thread->running)
		return;
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pthread_mutex_unlock(&thread->lock);
	eventfd_signal(thread->wake_fd);
	pthread_join(thread->thread, NULL);
	/* Links that are destroyed later, here or in another thread, must not wake this one. */
	while (!list_empty(&thread->buckets))
		relay_bucket_disown(container_of(thread->buckets.next, struct relay_bucket, owned));
}

/* When all threads have stopped: up to then another may call up a link of this one. */
static void thread_destroy(struct relay_thread *thread)
{
	/* inbox_process() has moved every new link into the lists below before it saw the stop. */
	links_destroy(&thread->links);
	links_destroy(&thread->dead);
	pthread_mutex_destroy(&thread->lock);
	fd_close(thread->epoll_fd);
	fd_close(thread->wake_fd);
	free(thread->buffer);
}

/* ---- the main thread's face ---- */

int relay_new(unsigned int threads, uint32_t half_close_timeout_ms, relay_ended_fn ended,
	      void *userdata, struct relay **ret)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int r = 0;

	if (!relay)
		return -ENOMEM;
	relay->half_close_timeout_ms = half_close_timeout_ms;
	relay->ended = ended;
	relay->userdata = userdata;
	pthread_mutex_init(&relay->lock, NULL);
	list_init(&relay->ended_links);
	relay->threads = calloc(threads, sizeof(*relay->threads));
	relay->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (relay->event_fd < 0)
		r = -errno;
	else if (!relay->threads)
		r = -ENOMEM;
	for (unsigned int i = 0; r == 0 && i < threads; i++) {
		relay->n_threads++;
		r = thread_start(&relay->threads[i], relay);
	}
	if (r < 0) {
		relay_free(relay);
		return r;
	}
	*ret = relay;
	return 0;
}

struct relay *relay_free(struct relay *relay)
{
	if (!relay)
		return NULL;
	for (unsigned int i = 0; i < relay->n_threads; i++)
		thread_stop(&relay->threads[i]);
	for (unsigned int i = 0; i < relay->n_threads; i++)
		thread_destroy(&relay->threads[i]);
	links_destroy(&relay->ended_links);
	pthread_mutex_destroy(&relay->lock);
	fd_close(relay->event_fd);
	free(relay->threads);
	free(relay);
	return NULL;
}

int relay_event_fd(const struct relay *relay)
{
	return relay->event_fd;
}

void relay_dispatch(struct relay *relay)
{
	struct list ended;

	list_init(&ended);
	eventfd_clear(relay->event_fd);
	pthread_mutex_lock(&relay->lock);
	list_take_all(&relay->ended_links, &ended);
	pthread_mutex_unlock(&relay->lock);
	while (!list_empty(&ended)) {
		struct relay_link *link = container_of(ended.next, struct relay_link, node);

		list_remove(&link->node);
		pthread_mutex_lock(&link->thread->lock);
		list_remove(&link->inbox);
		pthread_mutex_unlock(&link->thread->lock);
		relay->ended(relay->userdata, link, link->userdata, &link->result);
	}
}

void relay_half_close_timeout_set(struct relay *relay, uint32_t ms)
{
	relay->half_close_timeout_ms = ms;
}

int relay_link_new(struct relay *relay, const struct relay_spec *spec, void *link_userdata,
		   struct relay_link **ret)
{
	struct relay_link *link = calloc(1, sizeof(*link));

	if (!link)
		return -ENOMEM;
	if (spec->early_len > 0) {
		struct relay_flow *flow = &link->flow[RELAY_PEER];

		flow->backlog = malloc(spec->early_len);
		if (!flow->backlog) {
			free(link);
			return -ENOMEM;
		}
		memcpy(flow->backlog, spec->early, spec->early_len);
		flow->backlog_len = (uint32_t)spec->early_len;
		link->counters.bytes[RELAY_PEER] = spec->early_len;
	}
	link->thread = &relay->threads[relay->next++ % relay->n_threads];
	link->userdata = link_userdata;
	link->end[RELAY_PEER] = (struct relay_end_point){ .link = link, .fd = spec->tls_fd };
	link->end[RELAY_BACKEND] = (struct relay_end_point){ .link = link, .fd = spec->plain_fd };
	link->kernel = spec->kernel;
	link->dialled = spec->dialled;
	link->rekey = spec->rekey && spec->version == KTLS_TLS13;
	link->version = spec->version;
	link->cipher = spec->cipher;
	if (spec->kernel) {
		link->tx = spec->tx->secret;
		link->rx = spec->rx->secret;
	}
	link->bucket = relay_bucket_ref(spec->bucket);
	relay_bucket_take_early(link->bucket, spec->early_len);
	link->result.alert = ALERT_NONE;
	list_init(&link->node);
	list_init(&link->inbox);
	list_init(&link->half_closed);
	list_init(&link->turn);
	inbox_put(link, REASON_OK);
	*ret = link;
	return 0;
}

void relay_link_end(struct relay_link *link, enum reason reason)
{
	inbox_put(link, reason);
}

void relay_link_stats(const struct relay_link *link, struct relay_stats *ret)
{
	const struct relay_counters *c = &link->counters;

	*ret = (struct relay_stats){
		.bytes_in = c->bytes[RELAY_PEER],
		.bytes_out = c->bytes[RELAY_BACKEND],
		.reads_in = c->reads[RELAY_PEER],
		.reads_out = c->reads[RELAY_BACKEND],
		.tickets = c->tickets,
		.key_updates_in = c->key_updates_in,
		.key_updates_out = c->key_updates_out,
		.throttles = c->throttles,
		.stalls = c->stalls,
		.active_ms = c->active_ms,
		.peer_done = c->done[RELAY_PEER],
		.backend_done = c->done[RELAY_BACKEND],
	};
}

struct relay_link *relay_link_free(struct relay_link *link)
{
	if (link)
		link_destroy(link);
	return NULL;
}
