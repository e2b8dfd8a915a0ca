/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is kept of an admitted peer: a few strings in one block of exactly their size. The chain,
 * the facts and everything of the TLS library are gone by then.
 */

#include <stdio.h>

#include "session.h"

int session_remember(struct session *session, const struct worker_result *result,
		     const struct trust_verdict *verdict)
{
	const struct trust_certificate *leaf =
		result->facts.n_certs > 0 ? &result->facts.certs[0] : NULL;
	const struct conf *conf = session->generation->conf;
	const char *texts[_SESSION_TEXT_MAX] = {
		[SESSION_TEXT_GROUP] = result->group,
		[SESSION_TEXT_SNI] = result->sni,
		[SESSION_TEXT_IDENTITY] = result->identity < conf->n_identities
						  ? conf->identities[result->identity].name
						  : NULL,
	};
	char fingerprint[65], name_buf[256] = "";
	struct text name = TEXT_INIT(name_buf);
	size_t size = 0;
	char *p;

	if (leaf) {
		hex_format(leaf->fingerprint, sizeof(leaf->fingerprint), fingerprint);
		texts[SESSION_TEXT_SUBJECT] = leaf->subject;
		texts[SESSION_TEXT_ISSUER] = leaf->issuer;
		texts[SESSION_TEXT_SERIAL] = leaf->serial;
		texts[SESSION_TEXT_FINGERPRINT] = fingerprint;
	}
	if (verdict && verdict->name) {
		text_add_foreign(&name, verdict->name->value, verdict->name->len);
		texts[SESSION_TEXT_NAME] = name_buf;
	}
	if (verdict && verdict->path)
		texts[SESSION_TEXT_ANCHOR] = verdict->path->anchor_subject;

	for (int i = 0; i < _SESSION_TEXT_MAX; i++)
		size += (texts[i] ? strlen(texts[i]) : 0) + 1;
	p = session->texts = malloc(size);
	if (!p)
		return -ENOMEM;
	for (int i = 0; i < _SESSION_TEXT_MAX; i++)
		p = stpcpy(p, texts[i] ? texts[i] : "") + 1;
	return 0;
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
