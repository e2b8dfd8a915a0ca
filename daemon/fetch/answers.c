/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What siptls-fetch says, checked like a stranger's words: an answer must be owed, and come with
 * exactly the descriptor it needs. A process that says anything else is killed.
 */

#include "fetch/process.h"

#include <stdio.h>

#define RECEIVE_MAX 32 /* messages in one round of the loop */

/* ---- requests ---- */

struct fetch_request *fetch_request_new(struct fetch *fetch, enum fetch_request_kind kind,
					uint64_t id, uint64_t ms)
{
	struct fetch_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->kind = kind;
	request->number = ++fetch->next_number;
	request->id = id;
	request->deadline = time_monotonic_ms() + ms;
	request->fd = -1;
	list_append(fetch->running || fetch->restarting ? &fetch->requests : &fetch->lost,
		    &request->link);
	return request;
}

void fetch_request_free(struct fetch_request *request)
{
	list_remove(&request->link);
	fd_close(request->fd);
	free(request->question);
	free(request);
}

/* Their deadlines stay: no process gains time by asking for the next. */
void fetch_ask_again(struct fetch *fetch)
{
	list_foreach_safe (link, &fetch->requests) {
		struct fetch_request *request = container_of(link, struct fetch_request, link);

		if (request->question && !request->cancelled)
			fetch_process_post(fetch, request->question, request->question_size,
					   request->fd);
		else
			fetch_request_free(request);
	}
}

/* Answers come more or less in order, so what is looked for stands near the front. */
static struct fetch_request *find(struct fetch *fetch, enum fetch_request_kind kind,
				  uint64_t number)
{
	list_foreach (link, &fetch->requests) {
		struct fetch_request *request = container_of(link, struct fetch_request, link);

		if (request->number == number)
			return request->kind == kind ? request : NULL;
	}
	return NULL;
}

/* It has been answered: *ret_id is whose question it was. false: nobody is interested any more. */
static bool request_end(struct fetch *fetch, struct fetch_request *request, uint64_t *ret_id)
{
	bool wanted = !request->cancelled && !fetch->dead;

	*ret_id = request->id;
	fetch_request_free(request);
	return wanted;
}

void fetch_answer_lost(struct fetch *fetch)
{
	static const char *const why = "the fetch process ended";

	while (!list_empty(&fetch->lost)) {
		struct fetch_request *request =
			container_of(fetch->lost.next, struct fetch_request, link);
		enum fetch_request_kind kind = request->kind;
		struct dns_answer answer = { .reason = REASON_DNS_FAILED };
		uint64_t id;

		if (!request_end(fetch, request, &id))
			continue;
		if (kind == FETCH_REQUEST_RESOLVE) {
			snprintf(answer.detail, sizeof(answer.detail), "%s", why);
			fetch->ops->resolved(fetch->userdata, id, &answer);
		} else if (kind == FETCH_REQUEST_PREVIEW) {
			fetch->ops->preview(fetch->userdata, id, NULL, why);
		}
	}
}

/* ---- messages ---- */

/* @fd is taken over. false: no honest process sends this. */
static bool on_board(struct fetch *fetch, int fd)
{
	struct revocation_board *board;

	if (fd < 0 || revocation_board_open(fd, &board) != 0) {
		fd_close(fd);
		return false;
	}
	fetch->ops->board(fetch->userdata, board);
	revocation_board_unref(board);
	return true;
}

/* @fd is taken over. */
static bool on_previewed(struct fetch *fetch, const struct fetch_previewed *previewed, int fd)
{
	struct fetch_request *request = find(fetch, FETCH_REQUEST_PREVIEW, previewed->id);
	struct revocation_board *board = NULL;
	uint64_t id;

	if (!request || previewed->ok != (fd >= 0) ||
	    (fd >= 0 && revocation_board_open(fd, &board) != 0)) {
		fd_close(fd);
		return false;
	}
	if (request_end(fetch, request, &id))
		fetch->ops->preview(fetch->userdata, id, board, previewed->detail);
	revocation_board_unref(board);
	return true;
}

static bool on_event(struct fetch *fetch, const struct fetch_event *event)
{
	struct revocation_source_event view = { .location = event->location,
						.ok = event->ok,
						.detail = event->detail,
						.next_s = event->next_s,
						.failures = event->failures };

	/* One too many is passed over, as is one that there is no memory for. */
	if (fetch_names_add(&fetch->names, event->location, false) == 0)
		fetch->ops->source(fetch->userdata, &view);
	return true;
}

static bool on_answer(struct fetch *fetch, const struct fetch_answer *answer)
{
	struct fetch_request *request = find(fetch, FETCH_REQUEST_RESOLVE, answer->id);
	uint64_t id;

	if (!request)
		return false;
	if (request_end(fetch, request, &id))
		fetch->ops->resolved(fetch->userdata, id, &answer->dns);
	return true;
}

static bool on_pong(struct fetch *fetch, uint64_t number)
{
	struct fetch_request *request = find(fetch, FETCH_REQUEST_PING, number);
	uint64_t id;

	if (!request)
		return false;
	(void)request_end(fetch, request, &id);
	return true;
}

/* false: no honest process sends this. @fd is taken over. */
static bool dispatch(struct fetch *fetch, const struct fetch_message *m, int fd)
{
	if (m->type == FETCH_MSG_BOARD)
		return on_board(fetch, fd);
	if (m->type == FETCH_MSG_PREVIEWED)
		return on_previewed(fetch, &m->previewed, fd);
	if (fd >= 0) {
		fd_close(fd);
		return false;
	}
	switch (m->type) {
	case FETCH_MSG_EVENT:
		return on_event(fetch, &m->event);
	case FETCH_MSG_ANSWER:
		return on_answer(fetch, &m->answer);
	case FETCH_MSG_PONG:
		return on_pong(fetch, m->id);
	case FETCH_MSG_RENEW:
		fetch_process_restart(fetch);
		return true;
	case FETCH_MSG_BOARD:
	case FETCH_MSG_PREVIEWED:
	case FETCH_MSG_PLAN:
	case FETCH_MSG_ISSUER:
	case FETCH_MSG_SOURCE:
	case FETCH_MSG_URL:
	case FETCH_MSG_DNS:
	case FETCH_MSG_PLAN_END:
	case FETCH_MSG_REFRESH:
	case FETCH_MSG_RESOLVE:
	case FETCH_MSG_CANCEL:
	case FETCH_MSG_PREVIEW:
	case FETCH_MSG_PING:
	case _FETCH_MSG_MAX:
		break;
	}
	return false;
}

/* One message. false: there is none, or none will be read any more. */
static bool receive(struct fetch *fetch)
{
	bool good = false;
	size_t size;
	int r, fd;

	if (!fetch->running || fetch->dead)
		return false;
	r = channel_receive(&fetch->channel, fetch->buf, sizeof(fetch->buf), &size, &fd);
	if (r == CHANNEL_E_AGAIN)
		return false;
	if (r == 0) {
		/* An op may call us and so need the message's place. */
		struct fetch_message message;

		r = fetch_message_decode(fetch->buf, size, &message);
		if (r == 0)
			good = dispatch(fetch, &message, fd);
		else
			fd_close(fd);
		if (r == 0)
			fetch_message_done(&message);
	}
	if (!good)
		fetch_process_end(fetch);
	return good;
}

void fetch_receive_rest(struct fetch *fetch)
{
	while (receive(fetch))
		;
}

int fetch_on_channel(void *userdata, int fd _unused_, unsigned int events)
{
	struct fetch *fetch = userdata;

	fetch_enter(fetch);
	if ((events & LOOP_WRITE) && channel_flush(&fetch->channel) < 0)
		fetch_process_end(fetch);
	if (events & (LOOP_READ | LOOP_HANGUP))
		for (int i = 0; i < RECEIVE_MAX && receive(fetch); i++)
			;
	return fetch_leave(fetch);
}
