/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How much may come from a peer: a token bucket, one token a byte, shared by all its links.
 *
 * A read is taken as it comes, so that what came in one record leaves in one piece: the bucket may
 * go into debt by one read for each thread, and nobody reads until the debt is paid. Links that
 * wait stand in one line over all threads. Each turn is one read; a portion is put aside for it, so
 * that the next in line is not called up for the same tokens.
 */

#include <limits.h>

#include "bucket.h"
#include "link.h"

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/* Product of a time and a rate, both of 64 bits. */
typedef unsigned __int128 wide;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static int64_t portion(const struct relay_bucket *bucket)
{
	return bucket->burst < RELAY_BUCKET_PORTION ? (int64_t)bucket->burst : RELAY_BUCKET_PORTION;
}

static bool ready(const struct relay_bucket *bucket)
{
	return bucket->rate == 0 || bucket->tokens >= portion(bucket);
}

/* The clock is read under the lock: it must never be behind what another thread has seen. */
static uint64_t refill(struct relay_bucket *bucket)
{
	uint64_t now = now_ns();
	uint64_t room = (uint64_t)((int64_t)bucket->burst - bucket->tokens);
	wide gain;

	if (bucket->rate == 0)
		return now;
	gain = (wide)(now - bucket->filled_ns) * bucket->rate / NS_PER_S;
	if (gain >= room) {
		bucket->tokens = (int64_t)bucket->burst;
		bucket->filled_ns = now;
	} else {
		bucket->tokens += (int64_t)gain;
		/* The fraction of a token that has come so far is not lost. */
		bucket->filled_ns += (uint64_t)(gain * NS_PER_S / bucket->rate);
	}
	return now;
}

/* When there will be a portion: @now or later. */
static uint64_t ready_ns(const struct relay_bucket *bucket, uint64_t now)
{
	wide missing, at;

	if (ready(bucket))
		return now;
	missing = (wide)(portion(bucket) - bucket->tokens);
	at = bucket->filled_ns + (missing * NS_PER_S + bucket->rate - 1) / bucket->rate;
	return at < now ? now : at < UINT64_MAX ? (uint64_t)at : UINT64_MAX - 1;
}

/* Before the lock is given back, by everybody who has changed something. */
static void publish(struct relay_bucket *bucket, uint64_t now)
{
	uint64_t at = ready_ns(bucket, now);
	bool line = !list_empty(&bucket->line);

	bucket->open_ns = bucket->rate == 0 ? 0 : line ? UINT64_MAX : at;
	bucket->due_ns = line ? at : 0;
}

static void limits_set(struct relay_bucket *bucket, uint64_t rate, uint64_t burst)
{
	/* A bucket that holds nothing would never open; a signed number has to hold it. */
	burst = burst == 0 ? 1 : burst > INT64_MAX / 2 ? INT64_MAX / 2 : burst;
	if (bucket->rate == 0 || bucket->tokens > (int64_t)burst)
		bucket->tokens = (int64_t)burst;
	bucket->rate = rate;
	bucket->burst = burst;
}

struct relay_bucket *relay_bucket_new(uint64_t bytes_per_second, uint64_t burst)
{
	struct relay_bucket *bucket = calloc(1, sizeof(*bucket));

	if (!bucket)
		return NULL;
	bucket->refs = 1;
	pthread_mutex_init(&bucket->lock, NULL);
	list_init(&bucket->line);
	list_init(&bucket->owned);
	limits_set(bucket, bytes_per_second, burst);
	bucket->filled_ns = now_ns();
	publish(bucket, bucket->filled_ns);
	return bucket;
}

void relay_bucket_set(struct relay_bucket *bucket, uint64_t bytes_per_second, uint64_t burst)
{
	pthread_mutex_lock(&bucket->lock);
	bucket->filled_ns = refill(bucket);
	limits_set(bucket, bytes_per_second, burst);
	publish(bucket, bucket->filled_ns);
	if (bucket->owner)
		relay_thread_wake(bucket->owner);
	pthread_mutex_unlock(&bucket->lock);
}

struct relay_bucket *relay_bucket_ref(struct relay_bucket *bucket)
{
	if (bucket)
		bucket->refs++;
	return bucket;
}

struct relay_bucket *relay_bucket_unref(struct relay_bucket *bucket)
{
	if (bucket && --bucket->refs == 0) {
		pthread_mutex_destroy(&bucket->lock);
		free(bucket);
	}
	return NULL;
}

/* ---- links ---- */

static void line_join(struct relay_bucket *bucket, struct relay_link *link)
{
	bool first = list_empty(&bucket->line);

	link->held = true;
	link->counters.throttles++;
	list_remove(&link->turn); /* from the thread's list of busy links */
	list_append(&bucket->line, &link->turn);
	if (!bucket->owner) {
		bucket->owner = link->thread;
		relay_thread_own(link->thread, relay_bucket_ref(bucket));
	} else if (first) {
		/* It keeps the time for a line that is gone. */
		relay_thread_wake(bucket->owner);
	}
}

bool relay_bucket_admit(struct relay_link *link)
{
	struct relay_bucket *bucket = link->bucket;
	uint64_t now, open;
	bool fine;

	if (!bucket)
		return true;
	open = bucket->open_ns;
	if (open == 0 || (open != UINT64_MAX && open <= now_ns()))
		return true;

	pthread_mutex_lock(&bucket->lock);
	now = refill(bucket);
	if (link->held) {
		fine = list_empty(&link->turn); /* it has been called up */
	} else {
		fine = list_empty(&bucket->line) && ready(bucket);
		if (!fine)
			line_join(bucket, link);
	}
	publish(bucket, now);
	pthread_mutex_unlock(&bucket->lock);
	return fine;
}

static void take(struct relay_bucket *bucket, size_t len, size_t prepaid)
{
	uint64_t now = refill(bucket);

	if (bucket->rate != 0)
		bucket->tokens += (int64_t)prepaid - (int64_t)len;
	/* The portion may have been put aside from a bigger bucket than this has become. */
	if (bucket->tokens > (int64_t)bucket->burst)
		bucket->tokens = (int64_t)bucket->burst;
	publish(bucket, now);
	/* What came back may be enough for the next, earlier than the owner thinks. */
	if (prepaid > len && bucket->owner && !list_empty(&bucket->line) && ready(bucket))
		relay_thread_wake(bucket->owner);
}

void relay_bucket_take(struct relay_link *link, size_t len)
{
	struct relay_bucket *bucket = link->bucket;

	if (!bucket || (!link->held && (len == 0 || bucket->open_ns == 0)))
		return;
	pthread_mutex_lock(&bucket->lock);
	if (link->held)
		list_remove(&link->turn); /* it may read before its turn once the limit is gone */
	take(bucket, len, link->prepaid);
	link->held = false;
	link->prepaid = 0;
	pthread_mutex_unlock(&bucket->lock);
}

void relay_bucket_take_early(struct relay_bucket *bucket, size_t len)
{
	if (!bucket)
		return;
	pthread_mutex_lock(&bucket->lock);
	take(bucket, len, 0);
	pthread_mutex_unlock(&bucket->lock);
}

void relay_bucket_leave(struct relay_link *link)
{
	if (link->held)
		relay_bucket_take(link, 0);
}

/* ---- the owner ---- */

/* Under the lock: from then on the next who has to wait makes its thread the owner. */
static void owner_clear(struct relay_bucket *bucket)
{
	list_remove(&bucket->owned);
	bucket->owner = NULL;
}

/* The line's first may read: put a portion aside for it and have its thread run it. */
static void call_up(struct relay_bucket *bucket)
{
	struct relay_link *link = container_of(bucket->line.next, struct relay_link, turn);

	list_remove(&link->turn);
	if (bucket->rate != 0) {
		link->prepaid = (uint16_t)portion(bucket);
		bucket->tokens -= link->prepaid;
	}
	/* Under the lock, which the link needs to end: it is still there. */
	relay_thread_call(link);
}

int relay_bucket_serve(struct relay_bucket *bucket)
{
	uint64_t now = now_ns(), due = bucket->due_ns;

	if (due <= now) {
		pthread_mutex_lock(&bucket->lock);
		now = refill(bucket);
		while (!list_empty(&bucket->line) && ready(bucket))
			call_up(bucket);
		publish(bucket, now);
		due = bucket->due_ns;
		if (due == 0)
			owner_clear(bucket);
		pthread_mutex_unlock(&bucket->lock);
	}
	if (due == 0) {
		relay_bucket_unref(bucket);
		return -1;
	}
	/* Rounded up: what comes in the meantime stays in the bucket. */
	due = (due - now + NS_PER_MS - 1) / NS_PER_MS;
	return due < INT_MAX ? (int)due : INT_MAX;
}

void relay_bucket_disown(struct relay_bucket *bucket)
{
	pthread_mutex_lock(&bucket->lock);
	owner_clear(bucket);
	pthread_mutex_unlock(&bucket->lock);
	relay_bucket_unref(bucket);
}
