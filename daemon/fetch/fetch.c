/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What session asks of siptls-fetch; see fetch.h. */

#include "fetch/process.h"

#include <fcntl.h>
#include <sys/stat.h>

#define ANSWER_MS  10000 /* beyond the lookup's own deadline */
#define PREVIEW_MS 60000

/* ---- life ---- */

static void requests_free(struct list *requests)
{
	list_foreach_safe (link, requests)
		fetch_request_free(container_of(link, struct fetch_request, link));
}

static void destroy(struct fetch *fetch)
{
	fetch_process_done(fetch);
	loop_source_free(fetch->respawn_timer);
	loop_source_free(fetch->watch_timer);
	loop_source_free(fetch->lost_timer);
	requests_free(&fetch->requests);
	requests_free(&fetch->lost);
	fetch_bytes_done(&fetch->plan);
	fetch_learned_done(&fetch->issuers);
	fetch_learned_done(&fetch->urls);
	fetch_names_done(&fetch->names);
	fetch_reach_done(&fetch->reach);
	free(fetch->executable);
	free(fetch);
}

void fetch_enter(struct fetch *fetch)
{
	fetch->busy++;
}

int fetch_leave(struct fetch *fetch)
{
	if (--fetch->busy == 0 && fetch->dead)
		destroy(fetch);
	return 0;
}

struct fetch *fetch_free(struct fetch *fetch)
{
	if (!fetch)
		return NULL;
	fetch->dead = true;
	fetch_enter(fetch);
	fetch_leave(fetch);
	return NULL;
}

static int on_lost(void *userdata)
{
	struct fetch *fetch = userdata;

	fetch_enter(fetch);
	fetch_answer_lost(fetch);
	return fetch_leave(fetch);
}

int fetch_new(struct loop *loop, const char *executable, const struct fetch_ops *ops,
	      void *userdata, struct fetch **ret)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	int r;

	if (!fetch)
		return -ENOMEM;
	fetch->loop = loop;
	fetch->ops = ops;
	fetch->userdata = userdata;
	list_init(&fetch->requests);
	list_init(&fetch->lost);
	fetch->executable = strdup(executable);
	r = fetch->executable ? loop_timer_add(loop, 0, on_lost, fetch, &fetch->lost_timer)
			      : -ENOMEM;
	if (r >= 0)
		r = fetch_process_watch(fetch);
	if (r >= 0)
		r = fetch_process_start(fetch);
	if (r < 0) {
		destroy(fetch);
		return r;
	}
	*ret = fetch;
	return 0;
}

pid_t fetch_pid(const struct fetch *fetch)
{
	return fetch->pid;
}

/* ---- what to get ---- */

int fetch_plan(struct fetch *fetch, const struct fetch_plan *plan)
{
	struct fetch_reach reach;
	struct fetch_bytes bytes;
	bool moved;
	int r;

	r = fetch_bytes_plan(plan, &bytes);
	if (r < 0)
		return r;
	if (fetch->has_plan && fetch_bytes_equal(&bytes, &fetch->plan)) {
		fetch_bytes_done(&bytes);
		return FETCH_E_UNCHANGED;
	}
	r = fetch_names_plan(&fetch->names, plan);
	if (r == 0)
		r = fetch_reach_make(plan->cache, plan->dns, plan->sources, plan->n_sources,
				     &reach);
	if (r < 0) {
		fetch_bytes_done(&bytes);
		return r;
	}
	moved = fetch->has_plan && !fetch_reach_equal(&reach, &fetch->reach);
	fetch_bytes_done(&fetch->plan);
	fetch->plan = bytes;
	fetch_reach_done(&fetch->reach);
	fetch->reach = reach;
	fetch->dns_timeout_ms = plan->dns ? plan->dns->timeout_ms : 0;
	fetch->has_plan = true;
	/* It has given up all files but the old plan's: the next one is told the new ones. */
	if (moved && fetch->running)
		fetch_process_restart(fetch);
	else
		fetch_process_send_plan(fetch);
	return 0;
}

static int learn(struct fetch *fetch, struct fetch_learned *learned, struct fetch_message *message)
{
	const struct fetch_bytes *item;
	const uint8_t *bytes;
	size_t at = 0, size;
	int r = fetch_learned_add(learned, message, &item);

	/* Strangers' certificates say what is learned: what no message holds is passed over. */
	if (r == -EMSGSIZE)
		return 0;
	if (r != FETCH_LEARNED_NEW)
		return r;
	/* The process cannot forget a single one: now and then all is told anew, without what was
	 * forgotten here. */
	if (++fetch->learned_since_plan > FETCH_LEARNED_MAX && fetch->has_plan)
		fetch_process_send_plan(fetch);
	else if (fetch->has_plan && fetch_bytes_next(item, &at, &bytes, &size))
		fetch_process_post(fetch, bytes, size, -1);
	return 0;
}

int fetch_learn_issuer(struct fetch *fetch, const void *der, size_t size)
{
	struct fetch_message m = { .type = FETCH_MSG_ISSUER };

	if (size > FETCH_DER_MAX)
		return 0;
	m.issuer.der = (char *)(uintptr_t)der;
	m.issuer.len = (uint32_t)size;
	return learn(fetch, &fetch->issuers, &m);
}

int fetch_learn_url(struct fetch *fetch, const char *url)
{
	struct fetch_message m = { .type = FETCH_MSG_URL };

	m.source.kind = REVOCATION_SOURCE_URL;
	m.source.location = (char *)(uintptr_t)url;
	return learn(fetch, &fetch->urls, &m);
}

void fetch_refresh(struct fetch *fetch)
{
	struct fetch_message m = { .type = FETCH_MSG_REFRESH };

	fetch_process_send(fetch, &m);
}

/* ---- questions ---- */

/* Send what asks for the answer to @request; if there is nobody to ask, that is the answer. */
static int ask(struct fetch *fetch, struct fetch_request *request, struct fetch_message *m)
{
	size_t size;
	int r = fetch_message_encode(m, fetch->buf, &size);

	if (r < 0)
		return r;
	request->question = malloc(size);
	if (!request->question)
		return -ENOMEM;
	memcpy(request->question, fetch->buf, size);
	request->question_size = size;
	if (!fetch->running && !fetch->restarting)
		return loop_timer_set(fetch->lost_timer, 0);
	fetch_process_post(fetch, request->question, size, request->fd);
	return 0;
}

int fetch_resolve(struct fetch *fetch, uint64_t id, const struct dns_question *question)
{
	struct fetch_message m = { .type = FETCH_MSG_RESOLVE };
	struct fetch_request *request =
		fetch_request_new(fetch, FETCH_REQUEST_RESOLVE, id,
				  (uint64_t)fetch->dns_timeout_ms + ANSWER_MS);
	int r;

	if (!request)
		return -ENOMEM;
	m.resolve.id = request->number;
	m.resolve.question = *question;
	r = ask(fetch, request, &m);
	if (r < 0)
		fetch_request_free(request);
	return r;
}

/* Also one that is lost and whose answer has not been given yet. */
static struct fetch_request *find_wanted(struct list *requests, uint64_t id)
{
	list_foreach (link, requests) {
		struct fetch_request *request = container_of(link, struct fetch_request, link);

		if (request->kind == FETCH_REQUEST_RESOLVE && request->id == id &&
		    !request->cancelled)
			return request;
	}
	return NULL;
}

void fetch_cancel(struct fetch *fetch, uint64_t id)
{
	struct fetch_message m = { .type = FETCH_MSG_CANCEL };
	struct fetch_request *request = find_wanted(&fetch->requests, id);

	if (request) {
		m.id = request->number;
		fetch_process_send(fetch, &m);
	} else {
		request = find_wanted(&fetch->lost, id);
	}
	if (request)
		request->cancelled = true;
}

/* The file may be anything: only a regular one is read, and not more than a list. */
static int open_file(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return st.st_size > REVOCATION_CRL_SIZE_MAX ? -EFBIG : steal_fd(&fd);
}

int fetch_preview(struct fetch *fetch, uint64_t id, const char *path)
{
	struct fetch_message m = { .type = FETCH_MSG_PREVIEW };
	struct fetch_request *request;
	int r, fd = open_file(path);

	if (fd < 0)
		return fd;
	request = fetch_request_new(fetch, FETCH_REQUEST_PREVIEW, id, PREVIEW_MS);
	if (!request) {
		fd_close(fd);
		return -ENOMEM;
	}
	request->fd = fd;
	m.preview.id = request->number;
	m.preview.path = (char *)(uintptr_t)path;
	r = ask(fetch, request, &m);
	if (r < 0)
		fetch_request_free(request);
	return r;
}
