/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The last refusals, and ends that are no everyday's, so that "why was this peer refused?" has an
 * answer an hour later. A ring of fixed length; whoever is refused again and again for the same
 * reason has one place in it, so that a flood from one source does not push out what others need.
 */

#include "session.h"

#define FACTS_MAX 16384 /* bytes of facts that are worth keeping */

static struct refusal *refusal_free(struct refusal *refusal)
{
	if (!refusal)
		return NULL;
	place_unref(refusal->place);
	free(refusal->peer);
	free(refusal->member);
	free(refusal->detail);
	free(refusal->subject);
	free(refusal->packed);
	free(refusal);
	return NULL;
}

static bool refusal_is_same(const struct refusal *a, const struct refusal *b)
{
	return a->reason == b->reason && a->dialled == b->dialled && a->ended == b->ended &&
	       a->place == b->place && net_addr_same_source(&a->remote, &b->remote) &&
	       memcmp(a->fingerprint, b->fingerprint, sizeof(a->fingerprint)) == 0;
}

/* Out of its place, if there is one like it. */
static void refusal_replace(struct sessions *sessions, struct refusal *refusal)
{
	for (size_t i = 0; i < SESSION_REFUSALS_MAX; i++) {
		struct refusal *old = sessions->refusals[i];

		if (!old || !refusal_is_same(old, refusal))
			continue;
		refusal->repeated = old->repeated + 1;
		sessions->refusals[i] = refusal_free(old);
		return;
	}
}

static char *text_copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

/* Packed facts of the peer, if it was judged and they are not too many. */
static void refusal_take_facts(struct refusal *refusal, const struct session *session)
{
	const struct trust_facts *facts = session->facts;
	size_t size = 0;

	if (session->peer && session->peer->packed_size <= FACTS_MAX) {
		refusal->packed = malloc(session->peer->packed_size);
		if (!refusal->packed)
			return;
		refusal->packed_size = session->peer->packed_size;
		memcpy(refusal->packed, session->peer->packed, refusal->packed_size);
		return;
	}
	if (!facts || facts->n_certs == 0 || worker_facts_pack(facts, &refusal->packed, &size) < 0)
		return;
	if (size > FACTS_MAX) {
		free(refusal->packed);
		refusal->packed = NULL;
		return;
	}
	refusal->packed_size = (uint32_t)size;
}

/* Whom we dialled: while it is not established its dial-out knows, afterwards itself. */
static const char *member_of(const struct session *session)
{
	const struct conf_dial *dial;

	if (!session->dialled)
		return NULL;
	if (!session->generation)
		return session_text(session, SESSION_TEXT_MEMBER);
	dial = session_dial(session);
	return session_conf(session)->trust.entries[dial->entry].members[dial->member].name;
}

/* What cannot be kept for want of memory is not kept; the log has it all. */
static void refusal_fill(struct refusal *refusal, const struct session *session, const char *detail)
{
	const struct trust_facts *facts = session->facts;

	refusal->peer = text_copy(session->account ? session->account->name : NULL);
	refusal->detail = text_copy(detail);
	refusal->member = text_copy(member_of(session));
	refusal_take_facts(refusal, session);
	if (facts && facts->n_certs > 0) {
		refusal->subject = text_copy(facts->certs[0].subject);
		memcpy(refusal->fingerprint, facts->certs[0].fingerprint,
		       sizeof(refusal->fingerprint));
	} else {
		refusal->subject = text_copy(peer_text(session->peer, PEER_TEXT_SUBJECT));
	}
}

void refusal_add(const struct session *session, enum reason reason, const char *detail)
{
	struct sessions *sessions = session->sessions;
	struct refusal **slot = &sessions->refusals[sessions->refusals_next];
	struct refusal *refusal = calloc(1, sizeof(*refusal));

	if (!refusal)
		return;
	refusal->id = session->id;
	refusal->time = time_realtime_s();
	refusal->dialled = session->dialled;
	refusal->ended = session->established_ms != 0;
	refusal->reason = reason;
	/* Which version it was is not told of a refused peer, unless that was why. */
	refusal->version = reason == REASON_TLS_VERSION_PEER ? KTLS_TLS12 : KTLS_TLS13;
	if (refusal->ended)
		refusal->version = session->version;
	refusal->remote = session->remote;
	refusal->place = session->place;
	refusal->place->refs++;
	refusal_fill(refusal, session, detail);
	refusal_replace(sessions, refusal);
	refusal_free(*slot);
	*slot = refusal;
	sessions->refusals_next = (sessions->refusals_next + 1) % SESSION_REFUSALS_MAX;
}

const struct refusal *refusal_find(const struct sessions *sessions, uint64_t id)
{
	for (size_t i = 0; i < SESSION_REFUSALS_MAX; i++) {
		if (sessions->refusals[i] && sessions->refusals[i]->id == id)
			return sessions->refusals[i];
	}
	return NULL;
}

void refusals_free(struct sessions *sessions)
{
	for (size_t i = 0; i < SESSION_REFUSALS_MAX; i++)
		sessions->refusals[i] = refusal_free(sessions->refusals[i]);
}

void sessions_foreach_refusal(struct sessions *sessions, session_refusal_fn fn, void *userdata)
{
	for (uint32_t i = 1; i <= SESSION_REFUSALS_MAX; i++) {
		uint32_t place =
			(sessions->refusals_next + SESSION_REFUSALS_MAX - i) % SESSION_REFUSALS_MAX;
		const struct refusal *refusal = sessions->refusals[place];

		if (refusal &&
		    !fn(userdata, &(struct session_refusal_view){
					  .id = refusal->id,
					  .time = refusal->time,
					  .repeated = refusal->repeated,
					  .dialled = refusal->dialled,
					  .ended = refusal->ended,
					  .via = refusal->place->name,
					  .peer = refusal->peer,
					  .remote = refusal->remote,
					  .reason = refusal->reason,
					  .detail = refusal->detail ? refusal->detail : "",
					  .subject = refusal->subject,
				  }))
			return;
	}
}
