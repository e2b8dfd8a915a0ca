/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The life of one link: read a side, write the other, keep what does not fit, pass each end on.
 *
 * Level-triggered: a side is watched for reading while its flow has no backlog and its bucket does
 * not hold it, and for writing while something waits for it. A side that waits for nothing leaves
 * epoll altogether, because epoll reports hang-ups even to those who did not ask and would spin.
 */

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "bucket.h"
#include "link.h"

/* Reads per wake-up: a busy link must not starve its neighbours in the thread. */
#define READS_PER_RUN 8

static enum relay_side other(enum relay_side side)
{
	return side == RELAY_PEER ? RELAY_BACKEND : RELAY_PEER;
}

static enum reason reset_reason(enum relay_side side)
{
	return side == RELAY_PEER ? REASON_PEER_RESET : REASON_BACKEND_RESET;
}

static uint32_t flow_backlog(const struct relay_flow *flow)
{
	return flow->backlog_len - flow->backlog_done;
}

static void backlog_drop(struct relay_flow *flow)
{
	free(flow->backlog);
	flow->backlog = NULL;
	flow->backlog_len = flow->backlog_done = 0;
}

/* ---- reading ---- */

enum { READ_DATA, READ_NOTHING, READ_CONTROL, READ_OVER };

static int read_failed(struct relay_link *link, enum reason reason, uint8_t alert)
{
	relay_link_finish(link, reason, alert);
	return READ_OVER;
}

static int read_ended(struct relay_link *link, enum relay_side side)
{
	link->flow[side].ended = true;
	return READ_CONTROL;
}

/*
 * A worker's pump that has closed its socket altogether takes nothing more: the peer is gone, as
 * after a reset, and waiting for the SIP server to finish would serve nobody.
 */
static void pump_gone(struct relay_link *link)
{
	struct pollfd pump = { .fd = link->end[RELAY_PEER].fd };
	struct relay_flow *flow = &link->flow[RELAY_BACKEND];

	if (poll(&pump, 1, 0) != 1 || !(pump.revents & POLLHUP))
		return;
	link->result.lost += flow_backlog(flow);
	backlog_drop(flow);
	flow->ended = flow->forwarded = true;
}

static int read_plain(struct relay_link *link, enum relay_side side, uint8_t *buf, size_t *ret_len)
{
	ssize_t n = recv(link->end[side].fd, buf, RELAY_BUFFER_SIZE, MSG_DONTWAIT);

	if (n > 0) {
		*ret_len = (size_t)n;
		return READ_DATA;
	}
	if (n == 0) {
		if (side == RELAY_PEER)
			pump_gone(link);
		return read_ended(link, side);
	}
	if (errno == EAGAIN || errno == EINTR)
		return READ_NOTHING;
	return read_failed(link, reset_reason(side), ALERT_NONE);
}

static int read_kernel(struct relay_link *link, uint8_t *buf, size_t *ret_len)
{
	uint8_t type, alert = ALERT_NONE;
	enum reason reason;
	int r;

	r = ktls_recv(link->end[RELAY_PEER].fd, buf, RELAY_BUFFER_SIZE, ret_len, &type);
	switch (r) {
	case 0:
		if (type == KTLS_RECORD_DATA)
			return *ret_len > 0 ? READ_DATA : READ_CONTROL;
		reason = relay_record_handle(link, type, buf, *ret_len, &alert);
		return reason == REASON_OK ? READ_CONTROL : read_failed(link, reason, alert);
	case KTLS_E_AGAIN:
		return READ_NOTHING;
	case KTLS_E_EOF:
		link->truncated = true;
		return read_ended(link, RELAY_PEER);
	case KTLS_E_RESET:
		return read_failed(link, REASON_PEER_RESET, ALERT_NONE);
	case KTLS_E_CORRUPT:
		return read_failed(link, REASON_RECORD_CORRUPT, ALERT_NONE);
	case KTLS_E_KEY_EXPIRED:
		/* A KeyUpdate cut over two records pauses the kernel after the first piece. */
		return read_failed(link, REASON_RECORD_UNEXPECTED, ALERT_NONE);
	default:
		return read_failed(link, REASON_INTERNAL, ALERT_NONE);
	}
}

static int read_side(struct relay_link *link, enum relay_side side, uint8_t *buf, size_t *ret_len)
{
	return side == RELAY_PEER && link->kernel ? read_kernel(link, buf, ret_len)
						  : read_plain(link, side, buf, ret_len);
}

/* ---- writing ---- */

/* Write what the socket takes; *ret_len tells how much. false: the link is over. */
static bool write_side(struct relay_link *link, enum relay_side side, const uint8_t *buf,
		       size_t len, size_t *ret_len)
{
	*ret_len = 0;
	if (side == RELAY_PEER && link->key_update_owed) {
		enum reason reason = relay_key_update_send(link);

		if (reason != REASON_OK) {
			relay_link_finish(link, reason, ALERT_NONE);
			return false;
		}
		if (link->key_update_owed)
			return true;
	}
	while (*ret_len < len) {
		ssize_t n = send(link->end[side].fd, buf + *ret_len, len - *ret_len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			*ret_len += (size_t)n;
		} else if (errno == EAGAIN) {
			return true;
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

/* Tell @side that no more comes: close_notify (RFC 8446 6.1) and FIN. false: not yet, or over. */
static bool end_write(struct relay_link *link, enum relay_side side)
{
	static const uint8_t close_notify[] = { 1, 0 };

	/* Nothing of ours may follow a close_notify, so what is owed comes first. */
	if (side == RELAY_PEER && link->key_update_owed)
		return false;
	if (side == RELAY_PEER && link->kernel) {
		int r = ktls_send_control(link->end[side].fd, KTLS_RECORD_ALERT, close_notify,
					  sizeof(close_notify));

		if (r == KTLS_E_AGAIN)
			return false;
		/* A peer that is gone needs no farewell; its own end tells the reason. */
	}
	(void)shutdown(link->end[side].fd, SHUT_WR);
	return true;
}

/* ---- flows ---- */

static bool backlog_keep(struct relay_link *link, struct relay_flow *flow, const uint8_t *buf,
			 size_t len)
{
	flow->backlog = malloc(len);
	if (!flow->backlog) {
		link->result.lost += len;
		relay_link_finish(link, REASON_RESOURCES, ALERT_NONE);
		return false;
	}
	memcpy(flow->backlog, buf, len);
	flow->backlog_len = (uint32_t)len;
	flow->backlog_done = 0;
	link->counters.stalls++;
	return true;
}

static bool flow_move(struct relay_link *link, enum relay_side from);

/*
 * A peer that refuses us, or ends, may have sent more before our write failed: an alert that tells
 * the reason, and data that is the SIP server's.
 */
static void write_failed(struct relay_link *link, enum relay_side side)
{
	if (side == RELAY_PEER) {
		for (int i = 0; i < READS_PER_RUN && !link->flow[side].backlog; i++) {
			if (link->over || link->flow[side].ended || !flow_move(link, side))
				break;
		}
	}
	relay_link_finish(link, reset_reason(side), ALERT_NONE);
}

/* false: the link is over. */
static bool backlog_flush(struct relay_link *link, enum relay_side from)
{
	struct relay_flow *flow = &link->flow[from];
	size_t n;
	bool fine;

	if (!flow->backlog)
		return true;
	fine = write_side(link, other(from), flow->backlog + flow->backlog_done, flow_backlog(flow),
			  &n);
	flow->backlog_done += (uint32_t)n;
	if (!fine) {
		write_failed(link, other(from));
		return false;
	}
	if (flow_backlog(flow) == 0)
		backlog_drop(flow);
	return true;
}

/* One read from @from, one write to the other side. false: stop for now, or over. */
static bool flow_move(struct relay_link *link, enum relay_side from)
{
	uint8_t *buf = relay_thread_buffer(link->thread);
	struct relay_flow *flow = &link->flow[from];
	size_t len = 0, n;
	int r;

	r = read_side(link, from, buf, &len);
	if (from == RELAY_PEER && r != READ_OVER)
		relay_bucket_take(link, len);
	if (r != READ_DATA)
		return r == READ_CONTROL;
	link->counters.bytes[from] += len;
	link->counters.reads[from]++;
	link->counters.active_ms = time_monotonic_ms();
	if (!write_side(link, other(from), buf, len, &n)) {
		link->result.lost += len - n;
		write_failed(link, other(from));
		return false;
	}
	return n == len || (backlog_keep(link, flow, buf + n, len - n) && false);
}

static void flow_end(struct relay_link *link, enum relay_side from)
{
	struct relay_flow *flow = &link->flow[from];

	if (!link->counters.done[from]) {
		link->counters.done[from] = true;
		if (!link->flow[other(from)].ended) {
			link->first_ended = from;
			relay_thread_half_closed(link->thread, link);
		}
	}
	if (!flow->backlog && !flow->forwarded)
		flow->forwarded = end_write(link, other(from));
}

static void flow_run(struct relay_link *link, enum relay_side from)
{
	struct relay_flow *flow = &link->flow[from];
	int reads = 0;

	if (!backlog_flush(link, from))
		return;
	while (!flow->backlog && !flow->ended && !link->over) {
		if (reads++ == READS_PER_RUN) {
			/* Of the SIP server's data epoll tells again. */
			if (from == RELAY_PEER)
				relay_thread_busy(link->thread, link);
			break;
		}
		if (from == RELAY_PEER && !relay_bucket_admit(link))
			break;
		if (!flow_move(link, from))
			break;
	}
	if (!link->over && flow->ended)
		flow_end(link, from);
}

/* What each side waits for now. 0 or -errno. */
static int link_watch(struct relay_link *link)
{
	for (enum relay_side side = 0; side < _RELAY_SIDE_MAX; side++) {
		const struct relay_flow *from = &link->flow[side], *to = &link->flow[other(side)];
		uint32_t events = 0;
		int r;

		if (!from->ended && !from->backlog && !(side == RELAY_PEER && link->held))
			events |= EPOLLIN;
		if (to->backlog || (to->ended && !to->forwarded) ||
		    (side == RELAY_PEER && link->key_update_owed))
			events |= EPOLLOUT;
		r = relay_thread_watch(link->thread, &link->end[side], events);
		if (r < 0)
			return r;
	}
	return 0;
}

static enum reason clean_end_reason(const struct relay_link *link)
{
	if (link->truncated && link->first_ended == RELAY_PEER)
		return REASON_PEER_TRUNCATED;
	return link->first_ended == RELAY_PEER ? REASON_CLOSED_BY_PEER : REASON_CLOSED_BY_BACKEND;
}

void relay_link_run(struct relay_link *link)
{
	if (link->key_update_owed && !link->flow[RELAY_BACKEND].backlog) {
		enum reason reason = relay_key_update_send(link);

		if (reason != REASON_OK)
			relay_link_finish(link, reason, ALERT_NONE);
	}
	for (enum relay_side from = 0; from < _RELAY_SIDE_MAX && !link->over; from++)
		flow_run(link, from);
	if (link->over)
		return;
	if (link->flow[RELAY_PEER].forwarded && link->flow[RELAY_BACKEND].forwarded)
		relay_link_finish(link, clean_end_reason(link), ALERT_NONE);
	else if (link_watch(link) < 0)
		relay_link_finish(link, REASON_RESOURCES, ALERT_NONE);
}

void relay_link_finish(struct relay_link *link, enum reason reason, uint8_t alert)
{
	if (link->over)
		return;
	link->over = true;
	link->result.reason = reason;
	link->result.alert = alert;

	if (link->kernel && !link->flow[RELAY_BACKEND].forwarded) {
		uint8_t why = reason_info(reason)->alert;
		int error;
		socklen_t len = sizeof(error);
		const uint8_t farewell[] = { why == ALERT_NONE ? 1 : 2,
					     why == ALERT_NONE ? 0 : why };

		/* A record that failed leaves its error on the socket; asking for it lets us write.
		 */
		(void)getsockopt(link->end[RELAY_PEER].fd, SOL_SOCKET, SO_ERROR, &error, &len);
		/* Best effort: on a dead or full socket there is nobody to tell. */
		(void)!ktls_send_control(link->end[RELAY_PEER].fd, KTLS_RECORD_ALERT, farewell,
					 sizeof(farewell));
	}
	for (enum relay_side side = 0; side < _RELAY_SIDE_MAX; side++) {
		link->result.lost += flow_backlog(&link->flow[side]);
		backlog_drop(&link->flow[side]);
		(void)!relay_thread_watch(link->thread, &link->end[side], 0);
		link->end[side].fd = fd_close(link->end[side].fd);
	}
	secret_wipe(&link->tx);
	secret_wipe(&link->rx);
	relay_bucket_leave(link);
	relay_thread_over(link->thread, link);
}
