/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operator's lines about sessions: one when a session is established, one when it ends. */

#include <siptls/log.h>
#include <siptls/tls.h>

#include <stdio.h>

#include "session.h"

/* Refusals by a limit come in floods: this many lines a second, the rest as a number. */
#define LIMIT_LINES_PER_SECOND 5

#define STATUS_MS 1000

static const char *direction_of(const struct session *session)
{
	return session->dialled ? "out" : "in";
}

static const char *peer_of(const struct session *session)
{
	if (session->account)
		return session->account->name;
	return session->mutual ? NULL : "unauthenticated";
}

void report_open(const struct session *session)
{
	char id[24], remote[NET_ADDR_STRLEN], behind[NET_ADDR_STRLEN];
	const struct log_field fields[] = {
		{ "SIPTLS_SESSION", id },
		{ "SIPTLS_PEER", peer_of(session) },
		{ "SIPTLS_VIA", session->place->name },
		{ "SIPTLS_DIRECTION", direction_of(session) },
		{ "SIPTLS_REMOTE", net_addr_format(&session->remote, remote) },
		{ "SIPTLS_BACKEND_LOCAL", net_addr_format(&session->backend_local, behind) },
		{ "SIPTLS_NAME", session_text(session, SESSION_TEXT_NAME) },
		{ "SIPTLS_VERSION", ktls_version_name(session->version) },
		{ "SIPTLS_CIPHER", ktls_cipher_info(session->cipher)->name },
		{ "SIPTLS_RECORDS", session->kernel ? "kernel" : "user" },
		{ "SIPTLS_RECORDS_WHY", session->kernel ? NULL : session->kernel_why },
		{ 0 },
	};

	snprintf(id, sizeof(id), "%llu", (unsigned long long)session->id);
	log_event(LOG_INFO, LOG_ID_SESSION_OPEN, fields, "session established");
	report_status(session->sessions);
}

/* A clean end is no news, our own trouble is an error, everything else is for the operator to see.
 */
static const uint8_t priorities[_REASON_MAX] = {
	[REASON_CLOSED_BY_PEER] = LOG_INFO,    [REASON_CLOSED_BY_BACKEND] = LOG_INFO,
	[REASON_PEER_TRUNCATED] = LOG_INFO,    [REASON_ADMIN_CLOSED] = LOG_INFO,
	[REASON_SESSION_AGE] = LOG_INFO,       [REASON_IDENTITY_CHANGED] = LOG_INFO,
	[REASON_SHUTDOWN] = LOG_INFO,	       [REASON_INTERNAL] = LOG_ERR,
	[REASON_RESOURCES] = LOG_ERR,	       [REASON_KERNEL_INSTALL] = LOG_ERR,
	[REASON_WORKER_UNAVAILABLE] = LOG_ERR, [REASON_BACKEND_CONNECT] = LOG_ERR,
};

bool report_is_news(enum reason reason)
{
	return priorities[reason] != LOG_INFO;
}

void report_end(struct session *session, enum reason reason, uint8_t alert, uint64_t lost,
		const char *detail)
{
	const struct reason_info *info = reason_info(reason);
	bool established = session->established_ms != 0;
	char id[24], remote[NET_ADDR_STRLEN], lost_text[24], seconds[24], bytes_in[24],
		bytes_out[24];
	struct relay_stats stats = { 0 };
	const struct log_field fields[] = {
		{ "SIPTLS_SESSION", id },
		{ "SIPTLS_REASON", info->code },
		{ "SIPTLS_PEER", peer_of(session) },
		{ "SIPTLS_VIA", session->place->name },
		{ "SIPTLS_DIRECTION", direction_of(session) },
		{ "SIPTLS_REMOTE", net_addr_format(&session->remote, remote) },
		{ "SIPTLS_ALERT", alert != ALERT_NONE && reason == REASON_PEER_ALERT
					  ? tls_alert_name(alert)
					  : NULL },
		{ "SIPTLS_SECONDS", established ? seconds : NULL },
		{ "SIPTLS_BYTES_IN", established ? bytes_in : NULL },
		{ "SIPTLS_BYTES_OUT", established ? bytes_out : NULL },
		{ "SIPTLS_BYTES_LOST", lost > 0 ? lost_text : NULL },
		{ "SIPTLS_DETAIL", detail && *detail ? detail : NULL },
		{ "SIPTLS_CURE", report_is_news(reason) && *info->cure ? info->cure : NULL },
		{ 0 },
	};

	if (established)
		report_status(session->sessions);
	if (session->link)
		relay_link_stats(session->link, &stats);
	snprintf(id, sizeof(id), "%llu", (unsigned long long)session->id);
	snprintf(lost_text, sizeof(lost_text), "%llu", (unsigned long long)lost);
	snprintf(bytes_in, sizeof(bytes_in), "%llu", (unsigned long long)stats.bytes_in);
	snprintf(bytes_out, sizeof(bytes_out), "%llu", (unsigned long long)stats.bytes_out);
	snprintf(seconds, sizeof(seconds), "%llu",
		 (unsigned long long)(time_monotonic_ms() - session->started_ms) / 1000);
	log_event(priorities[reason] ? priorities[reason] : LOG_WARNING,
		  established ? LOG_ID_SESSION_END : LOG_ID_REFUSED, fields, "%s: %s",
		  established ? "session ended" : "refused", info->text);
}

void report_refused(struct sessions *sessions, const struct port *port,
		    const struct net_addr *remote, enum reason reason)
{
	const struct reason_info *info = reason_info(reason);
	uint64_t now = time_monotonic_ms();
	char text[NET_ADDR_STRLEN], suppressed[24];
	const struct log_field fields[] = {
		{ "SIPTLS_REASON", info->code },
		{ "SIPTLS_VIA", port->place->name },
		{ "SIPTLS_REMOTE", net_addr_format(remote, text) },
		{ "SIPTLS_SUPPRESSED", sessions->log_limit.suppressed ? suppressed : NULL },
		{ "SIPTLS_CURE", info->cure },
		{ 0 },
	};

	if (port->dial)
		sessions->totals.dialled++;
	else
		sessions->totals.accepted++;
	sessions->totals.ended[reason]++;
	if (now - sessions->log_limit.window_ms >= 1000) {
		sessions->log_limit.window_ms = now;
		sessions->log_limit.lines = 0;
	}
	if (++sessions->log_limit.lines > LIMIT_LINES_PER_SECOND) {
		sessions->log_limit.suppressed++;
		return;
	}
	snprintf(suppressed, sizeof(suppressed), "%u", sessions->log_limit.suppressed);
	sessions->log_limit.suppressed = 0;
	log_event(LOG_WARNING, LOG_ID_REFUSED, fields, "refused: %s", info->text);
}

static void status_tell(struct sessions *sessions)
{
	struct sessions_summary s;

	sessions_summary(sessions, &s);
	loop_notify("STATUS=%s%u sessions (%u in the kernel, %u in user space), %u in handshake; "
		    "topology serial %llu",
		    s.last_good ? "LAST GOOD COPY, the configuration is broken: " : "", s.relaying,
		    s.kernel, s.user_space, s.handshaking, (unsigned long long)s.serial);
}

static int on_status(void *userdata)
{
	struct sessions *sessions = userdata;

	sessions->status_timer = loop_source_free(sessions->status_timer);
	if (sessions->status_due)
		report_status(sessions);
	return 0;
}

/* At once, but not with every session: a thousand in a second are two lines. */
void report_status(struct sessions *sessions)
{
	sessions->status_due = sessions->status_timer != NULL;
	if (sessions->status_due)
		return;
	status_tell(sessions);
	(void)!loop_timer_add(sessions->loop, STATUS_MS, on_status, sessions,
			      &sessions->status_timer);
}
