/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is kept of an admitted session: a few strings in one block of exactly their size, and its
 * peer, which it shares with all sessions of the same chain. Everything of the TLS library is gone
 * by then.
 */

#include "session.h"

static int texts_make(struct session *session, const char *const texts[_SESSION_TEXT_MAX])
{
	size_t size = 0;
	char *p;

	for (int i = 0; i < _SESSION_TEXT_MAX; i++)
		size += (texts[i] ? strlen(texts[i]) : 0) + 1;
	p = session->texts = malloc(size);
	if (!p)
		return -ENOMEM;
	for (int i = 0; i < _SESSION_TEXT_MAX; i++)
		p = stpcpy(p, texts[i] ? texts[i] : "") + 1;
	return 0;
}

int session_remember(struct session *session, const struct worker_result *result,
		     const struct trust_verdict *verdict)
{
	const struct conf *conf = session_conf(session);
	const char *texts[_SESSION_TEXT_MAX] = {
		[SESSION_TEXT_GROUP] = result->group,
		[SESSION_TEXT_SNI] = result->sni,
		[SESSION_TEXT_IDENTITY] = result->identity < conf->n_identities
						  ? conf->identities[result->identity].name
						  : NULL,
	};
	char name_buf[256] = "";
	struct text name = TEXT_INIT(name_buf);
	int r;

	if (verdict && verdict->name) {
		text_add_foreign(&name, verdict->name->value, verdict->name->len);
		texts[SESSION_TEXT_NAME] = name_buf;
	}
	if (session->dialled) {
		const struct conf_dial *dial = session_dial(session);

		texts[SESSION_TEXT_MEMBER] =
			conf->trust.entries[dial->entry].members[dial->member].name;
	}
	r = texts_make(session, texts);
	if (r == 0 && verdict)
		r = peer_get(session->sessions, result, verdict, &session->peer);
	return r;
}

const char *session_text(const struct session *session, enum session_text which)
{
	const char *p = session->texts;

	if (!p)
		return NULL;
	for (int i = 0; i < (int)which; i++)
		p += strlen(p) + 1;
	return *p ? p : NULL;
}
