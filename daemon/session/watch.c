/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What ends soon - our certificates, anchors, CRLs, certificates of peers - and what was probably
 * not meant. Looked at after every change and once an hour; each warning is logged when it arises,
 * and shown as long as it holds.
 */

#include <siptls/log.h>

#include <stdio.h>

#include "session.h"

#define LOOK_MS	      (3600 * 1000)
#define DAY_S	      (24 * 3600)
#define CRL_PART_LEFT 10 /* warn when this part of a CRL's period is left */
#define WARNINGS_MAX  1024

/* "3 days", "5 hours": as exact as a reader wants it. */
static void add_span(struct text *text, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *word;
	} units[] = { { DAY_S, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && seconds < 2 * units[i].seconds)
		i++;
	text_addf(text, "%lld %s%s", (long long)(seconds / units[i].seconds), units[i].word,
		  seconds / units[i].seconds == 1 ? "" : "s");
}

static void add_end(struct text *text, int64_t left)
{
	text_addf(text, left < 0 ? "ended " : "ends in ");
	add_span(text, left < 0 ? -left : left);
	if (left < 0)
		text_addf(text, " ago");
}

/* ---- certificates ---- */

static bool certificate_is_due(const struct sessions *sessions, int64_t left)
{
	return left < (int64_t)sessions->generation->conf->limits.expiry_warning_s;
}

void sessions_foreach_certificate(struct sessions *sessions, session_certificate_fn fn,
				  void *userdata)
{
	const struct generation *generation = sessions->generation;
	int64_t now = time_realtime_s();

	for (size_t i = 0; generation && i < generation->inventory.n; i++) {
		const struct inventory_certificate *cert = &generation->inventory.certs[i];
		const struct trust_certificate *certificate = &cert->facts.certs[0];
		int64_t left = certificate->not_after - now;

		fn(userdata,
		   &(struct session_certificate_view){
			   .anchor = cert->anchor,
			   .owner = cert->anchor ? generation->conf->trust.anchors[cert->index].name
						 : generation->conf->identities[cert->index].name,
			   .certificate = certificate,
			   .left_s = left,
			   .warned = certificate_is_due(sessions, left),
		   });
	}
}

struct lines {
	struct sessions *sessions;
	conf_line_fn fn;
	void *userdata;
};

static void warn_certificate(void *userdata, const struct session_certificate_view *view)
{
	const struct lines *lines = userdata;
	char buf[768];
	struct text text = TEXT_INIT(buf);

	if (!view->warned)
		return;
	text_addf(&text, "certificate of %s \"%s\" (%s, serial %s) ",
		  view->anchor ? "anchor" : "identity", view->owner, view->certificate->subject,
		  view->certificate->serial);
	add_end(&text, view->left_s);
	lines->fn(lines->userdata, buf);
}

/* ---- CRLs ---- */

static void warn_crl(void *userdata, const struct revocation_crl_view *view)
{
	const struct lines *lines = userdata;
	int64_t left = view->next_update - time_realtime_s();
	int64_t period = view->next_update - view->this_update;
	char buf[1536];
	struct text text = TEXT_INIT(buf);

	if (view->state == REVOCATION_CRL_VERIFIED && left >= period / CRL_PART_LEFT)
		return;
	text_addf(&text, "CRL of %s from %s ", view->issuer, view->source);
	switch (view->state) {
	case REVOCATION_CRL_VERIFIED:
		if (view->next_update == 0)
			text_addf(&text, "does not say when the next one comes");
		else
			add_end(&text, left);
		break;
	case REVOCATION_CRL_NO_ISSUER:
		text_addf(&text, "waits for the certificate of its issuer");
		break;
	case REVOCATION_CRL_BAD_SIGNATURE:
		text_addf(&text, "has a wrong signature");
		break;
	case REVOCATION_CRL_UNSUPPORTED:
		text_addf(&text, "cannot be used: %s", view->detail);
		break;
	case _REVOCATION_CRL_STATE_MAX:
		break;
	}
	lines->fn(lines->userdata, buf);
}

/*
 * Whoever requires what is not there refuses everybody: told before the first call is lost. The
 * look-up is for a server's and a CA's certificate that say nothing of where their lists are.
 */
static bool issuer_is_known(const struct revocation_board *board, const uint8_t *id)
{
	struct trust_certificate cert = {};
	struct trust_link link;

	for (int ca = 0; ca < 2; ca++) {
		cert.is_ca = ca;
		revocation_board_lookup(board, &cert, id, &link, NULL);
		if (link.status != TRUST_STATUS_UNKNOWN)
			return true;
	}
	return false;
}

static void warn_blind(const struct lines *lines)
{
	const struct sessions *sessions = lines->sessions;
	const struct generation *generation = sessions->generation;

	for (size_t i = 0; i < generation->inventory.n_anchors; i++) {
		const struct inventory_certificate *cert = &generation->inventory.certs[i];
		const struct trust_anchors *set = &generation->conf->trust.anchors[cert->index];
		char buf[768];
		struct text text = TEXT_INIT(buf);

		if (set->revocation != TRUST_REVOCATION_REQUIRE ||
		    issuer_is_known(sessions->board, cert->facts.certs[0].id))
			continue;
		text_addf(&text,
			  "\"%s\" has revocation = \"require\", and no complete CRL of its anchor "
			  "%s is known: certificates of that CA are refused",
			  set->name, cert->facts.certs[0].subject);
		lines->fn(lines->userdata, buf);
	}
}

/* ---- all of them ---- */

void sessions_foreach_warning(struct sessions *sessions, conf_line_fn fn, void *userdata)
{
	struct lines lines = { sessions, fn, userdata };

	if (!sessions->generation)
		return;
	if (sessions->generation->last_good)
		fn(userdata, "running on the last good copy: the configuration files are broken");
	conf_warnings(sessions->generation->conf, sessions->support.ulp, fn, userdata);
	sessions_foreach_certificate(sessions, warn_certificate, &lines);
	sessions_foreach_crl(sessions, warn_crl, &lines);
	warn_blind(&lines);
}

/*
 * A warning is the same as long as the thing is: spans of time change with every look, so that only
 * what stands before them is compared.
 */
static size_t sameness(const char *line)
{
	const char *span = strstr(line, " ends in ");

	return span ? (size_t)(span - line) : strlen(line);
}

struct news {
	struct sessions *sessions;
	char **lines;
	size_t n;
};

static bool warned_before(const struct sessions *sessions, const char *line)
{
	for (size_t i = 0; i < sessions->n_warned; i++) {
		if (sameness(sessions->warned[i]) == sameness(line) &&
		    strncmp(sessions->warned[i], line, sameness(line)) == 0)
			return true;
	}
	return false;
}

static void news_take(void *userdata, const char *line)
{
	struct news *news = userdata;
	const struct log_field none = { 0 };

	if (news->n == WARNINGS_MAX)
		return;
	if (!warned_before(news->sessions, line))
		log_event(LOG_WARNING, LOG_ID_EXPIRY, &none, "%s", line);
	news->lines[news->n] = strdup(line);
	if (news->lines[news->n])
		news->n++;
}

static void warned_free(struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->n_warned; i++)
		free(sessions->warned[i]);
	free(sessions->warned);
	sessions->warned = NULL;
	sessions->n_warned = 0;
}

static int on_hour(void *userdata)
{
	watch_now(userdata);
	return 0;
}

void watch_now(struct sessions *sessions)
{
	struct news news = { .sessions = sessions,
			     .lines = calloc(WARNINGS_MAX, sizeof(*news.lines)) };

	if (!news.lines)
		return;
	sessions_foreach_warning(sessions, news_take, &news);
	warned_free(sessions);
	sessions->warned = reallocarray(news.lines, news.n + 1, sizeof(*news.lines));
	if (!sessions->warned)
		sessions->warned = news.lines;
	sessions->n_warned = news.n;
	if (!sessions->watch_timer)
		(void)!loop_timer_add(sessions->loop, LOOK_MS, on_hour, sessions,
				      &sessions->watch_timer);
	else
		(void)!loop_timer_set(sessions->watch_timer, LOOK_MS);
}

void watch_stop(struct sessions *sessions)
{
	sessions->watch_timer = loop_source_free(sessions->watch_timer);
	warned_free(sessions);
}

void watch_peer(struct session *session)
{
	int64_t now = time_realtime_s(), left = session->expires - now;
	char buf[128];
	struct text text = TEXT_INIT(buf);
	const struct log_field fields[] = {
		{ "SIPTLS_PEER", session->account ? session->account->name : NULL },
		{ "SIPTLS_NAME", session_text(session, SESSION_TEXT_NAME) },
		{ 0 },
	};

	if (!session->account || session->expires == 0 || session->expires == INT64_MAX ||
	    !certificate_is_due(session->sessions, left) || session->account->warned + DAY_S > now)
		return;
	session->account->warned = now;
	add_end(&text, left);
	log_event(LOG_WARNING, LOG_ID_EXPIRY, fields,
		  "the chain of certificates of a peer %s: tell the peer", buf);
}
