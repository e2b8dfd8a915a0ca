/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trust that lasts: the verdict over a session is taken when its handshake ends, and again whenever
 * something changes that it rests on - the topology, the anchors, what is known of revocation, the
 * time. Whoever would not be admitted any more is ended with the reason of the new verdict, in
 * order of id.
 *
 * Live sessions are walked in slices, so that thousands of them delay no handshake; the relay has
 * threads of its own and notices nothing. Sessions with one chain and one question share a
 * judgement.
 */

#include <siptls/log.h>

#include <stdio.h>

#include "session.h"

#define SLICE_MS 5

/* Of names of a refused peer with names of the topology: about a millisecond. */
#define COMPARISONS_MAX 20000

/* Clocks are set: an end that is far away is looked at again now and then. */
#define LOOK_MS 60000

static const struct conf_limits *limits_of(const struct sessions *sessions)
{
	return &sessions->generation->conf->limits;
}

/* ---- the first verdict ---- */

bool judge_is_cheap(const struct session *session, const struct worker_result *result)
{
	return result->facts.n_certs > 0 &&
	       result->facts.n_names * session->generation->names <= COMPARISONS_MAX;
}

enum reason judge_result(struct session *session, const struct worker_result *result,
			 struct trust_verdict *ret_verdict, struct text *ret_why)
{
	const struct trust_policy *policy = &session_conf(session)->trust;
	struct trust_question question = {
		.dialled = session->dialled,
		.version = result->version,
		.entry = session->dialled ? session_dial(session)->entry : TRUST_ENTRY_ANY,
		.member = session->dialled ? session_dial(session)->member : 0,
		.now = time_realtime_s(),
	};

	trust_judge(policy, &result->facts, &question, ret_verdict);
	trust_verdict_text(policy, &result->facts, &question, ret_verdict, ret_why);
	return ret_verdict->reason;
}

/* ---- judging again ---- */

int judge_facts(const uint8_t *packed, size_t size, const struct generation *generation,
		const struct revocation_board *board, struct trust_facts *ret)
{
	int r;

	r = worker_facts_unpack(packed, size, ret);
	if (r != 0)
		return r < 0 ? r : -EBADMSG;
	r = inventory_renumber(&generation->inventory, ret);
	if (r < 0) {
		trust_facts_done(ret);
		return r;
	}
	revocation_facts_fill(board, ret);
	return 0;
}

static uint32_t member_find(const struct trust_entry *entry, const char *name)
{
	for (uint32_t i = 0; name && i < entry->n_members; i++) {
		if (strcasecmp(entry->members[i].name, name) == 0)
			return i;
	}
	return UINT32_MAX;
}

struct trust_question judge_question(const struct generation *generation,
				     const struct judge_whom *whom, int64_t now)
{
	const struct trust_policy *policy = &generation->conf->trust;
	struct trust_question question = {
		.dialled = whom->dialled,
		.version = whom->version,
		.entry = TRUST_ENTRY_ANY,
		.now = now,
		.live = whom->live,
	};
	int64_t entry;

	if (!whom->dialled)
		return question;
	entry = whom->entry ? trust_entry_find(policy, whom->entry) : -1;
	/* An entry or member that is gone is a number that no policy has. */
	question.entry = entry < 0 ? (uint32_t)policy->n_entries : (uint32_t)entry;
	question.member = entry < 0 ? 0 : member_find(&policy->entries[entry], whom->member);
	return question;
}

static struct trust_question question_of(const struct session *session,
					 const struct generation *generation, int64_t now)
{
	const struct judge_whom whom = {
		.entry = session->account ? session->account->name : NULL,
		.member = session_text(session, SESSION_TEXT_MEMBER),
		.version = session->version,
		.dialled = session->dialled,
		.live = true,
	};

	return judge_question(generation, &whom, now);
}

/* Of a peer that was admitted, a chain that leads nowhere tells that the anchor is gone. */
static enum reason live_reason(const struct trust_verdict *verdict)
{
	if (verdict->reason != REASON_UNKNOWN_CA && verdict->reason != REASON_FOREIGN_CA_INTERNAL &&
	    verdict->reason != REASON_FOREIGN_CA_PARTNER)
		return verdict->reason;
	return verdict->entry == TRUST_ENTRY_ANY ? REASON_NOT_IN_TOPOLOGY : REASON_ANCHOR_REMOVED;
}

/* @detail: what to tell of a refusal; may be NULL. */
static int peer_judge(const struct peer *peer, const struct generation *generation,
		      const struct revocation_board *board, const struct trust_question *question,
		      struct peer_judgement *ret, struct text *detail)
{
	_cleanup_(trust_facts_done) struct trust_facts facts = {};
	struct trust_verdict verdict;
	int r;

	r = judge_facts(peer->packed, peer->packed_size, generation, board, &facts);
	if (r < 0)
		return r;
	trust_judge(&generation->conf->trust, &facts, question, &verdict);
	if (detail && verdict.reason != REASON_OK)
		trust_verdict_text(&generation->conf->trust, &facts, question, &verdict, detail);
	*ret = (struct peer_judgement){
		.dialled = question->dialled,
		.version = question->version,
		.entry = question->entry,
		.member = question->member,
		.reason = live_reason(&verdict),
		.standing = verdict.standing,
		.expires = verdict.expires,
		.by = verdict.entry,
	};
	return 0;
}

static bool judgement_answers(const struct peer_judgement *judgement,
			      const struct trust_question *question)
{
	return judgement->dialled == question->dialled && judgement->version == question->version &&
	       judgement->entry == question->entry && judgement->member == question->member;
}

/* Whoever was listed and is not any more may come again as discovered, on those terms. */
static bool becomes_stranger(const struct session *session, const struct generation *generation,
			     const struct peer_judgement *judgement)
{
	const struct trust_policy *policy = &generation->conf->trust;
	const struct trust_entry *entry;

	if (judgement->by >= policy->n_entries || !session->account)
		return false;
	entry = &policy->entries[judgement->by];
	return entry->kind == TRUST_DISCOVERED && strcmp(entry->name, session->account->name) != 0;
}

enum reason judge_preview(struct session *session, const struct generation *generation,
			  const struct revocation_board *board, int64_t now)
{
	struct trust_question question = question_of(session, generation, now);
	struct peer_judgement judgement;

	if (peer_judge(session->peer, generation, board, &question, &judgement, NULL) < 0)
		return REASON_RESOURCES;
	if (judgement.reason == REASON_OK && becomes_stranger(session, generation, &judgement))
		return REASON_NOT_IN_TOPOLOGY;
	return judgement.reason;
}

/* ---- ends that are planned ---- */

static bool reason_is_planned(enum reason reason)
{
	return reason == REASON_SESSION_AGE || reason == REASON_IDENTITY_CHANGED;
}

static int64_t session_deadline(const struct session *session)
{
	int64_t expires = INT64_MAX;

	if (session->state != SESSION_RELAYING)
		return INT64_MAX;
	if (session->ends && !reason_is_planned(session->ends_reason))
		return session->ends;
	/* RFC 5280 4.1.2.5: the last second belongs to the period. */
	if (session->expires > 0 && session->expires < INT64_MAX)
		expires = session->expires + 1;
	return session->ends && session->ends < expires ? session->ends : expires;
}

static int on_deadline(void *userdata);

/* Come back at @deadline, unless something earlier brings us back anyway. */
static void deadline_watch(struct sessions *sessions, int64_t deadline)
{
	struct timespec now;
	int64_t ms = LOOK_MS;
	int r;

	if (deadline >= sessions->judge.earliest)
		return;
	sessions->judge.earliest = deadline;
	clock_gettime(CLOCK_REALTIME, &now);
	if (deadline - now.tv_sec < LOOK_MS / 1000)
		ms = (deadline - now.tv_sec) * 1000 - now.tv_nsec / 1000000;
	ms = ms < 0 ? 0 : ms + 1;
	if (sessions->judge.timer)
		r = loop_timer_set(sessions->judge.timer, (uint64_t)ms);
	else
		r = loop_timer_add(sessions->loop, (uint64_t)ms, on_deadline, sessions,
				   &sessions->judge.timer);
	if (r < 0)
		log_error("no timer for the end of sessions: %s", strerror(-r));
}

void judge_plan_end(struct session *session, int64_t at, enum reason reason)
{
	if (session->ends && session->ends <= at)
		return;
	session->ends = at;
	session->ends_reason = (uint8_t)reason;
	deadline_watch(session->sessions, session_deadline(session));
}

static int64_t after_ms(uint64_t ms)
{
	return time_realtime_s() + (int64_t)((ms + 999) / 1000);
}

static void session_close_for(struct session *session, enum reason reason)
{
	session_dispatch(session,
			 &(struct session_event){ .type = EVENT_CLOSE, .close_reason = reason });
}

static int on_deadline(void *userdata)
{
	struct sessions *sessions = userdata;
	int64_t now = time_realtime_s(), earliest = INT64_MAX;

	list_foreach_safe (node, &sessions->list) {
		struct session *session = container_of(node, struct session, node);
		int64_t deadline = session_deadline(session);

		if (deadline <= now) {
			if (session->ends && session->ends <= now)
				session_close_for(session, session->ends_reason);
			else
				judge_session(session);
			deadline = session_deadline(session);
		}
		if (deadline < earliest)
			earliest = deadline;
	}
	sessions->judge.earliest = INT64_MAX;
	deadline_watch(sessions, earliest);
	return 0;
}

/* ---- what follows from a judgement ---- */

/* Once more, with words: few lose their trust, and only they are told about. */
static void session_tell_loss(struct session *session)
{
	struct trust_question question =
		question_of(session, session->sessions->generation, time_realtime_s());
	struct peer_judgement judgement;
	char buf[1024] = "";
	struct text detail = TEXT_INIT(buf);

	if (peer_judge(session->peer, session->sessions->generation, session->sessions->board,
		       &question, &judgement, &detail) < 0)
		return;
	free(session->ends_detail);
	session->ends_detail = strdup(buf);
}

static void session_lose(struct session *session, enum reason reason)
{
	uint64_t grace = limits_of(session->sessions)->trust_grace_ms;

	session->sessions->judge.lost++;
	if (!session->ends || reason_is_planned(session->ends_reason))
		session_tell_loss(session);
	if (grace == 0) {
		session->ends_reason = (uint8_t)reason;
		session_close_for(session, reason);
	} else if (!session->ends || reason_is_planned(session->ends_reason)) {
		judge_plan_end(session, after_ms(grace), reason);
	}
}

/* Trust is there again, or still. */
static void session_keep(struct session *session, const struct peer_judgement *judgement)
{
	const struct trust_policy *policy = &session->sessions->generation->conf->trust;

	session->expires = judgement->expires;
	session->standing = (uint8_t)judgement->standing;
	if (judgement->standing == TRUST_STANDING_UNKNOWN)
		peer_teach(session->peer);
	if (session->ends && !reason_is_planned(session->ends_reason))
		session->ends = session->ends_reason = 0;
	if (judgement->by < policy->n_entries)
		account_move(session, policy->entries[judgement->by].name);
	deadline_watch(session->sessions, session_deadline(session));
}

static void session_judge(struct session *session, bool share)
{
	struct sessions *sessions = session->sessions;
	struct peer *peer = session->peer;
	struct trust_question question;
	struct peer_judgement judgement;

	/* Before RELAYING it is judged by its own generation, and again when it gets there. */
	if (session->state != SESSION_RELAYING || !peer)
		return;
	question = question_of(session, sessions->generation, time_realtime_s());
	if (share && peer->judged == sessions->judge.round &&
	    judgement_answers(&peer->judgement, &question)) {
		judgement = peer->judgement;
	} else {
		int r = peer_judge(peer, sessions->generation, sessions->board, &question,
				   &judgement, NULL);

		if (r < 0) {
			/* Trust that cannot be shown is none. */
			session_close_for(session, REASON_RESOURCES);
			return;
		}
		peer->judgement = judgement;
		peer->judged = sessions->judge.round;
	}
	if (judgement.reason == REASON_OK &&
	    becomes_stranger(session, sessions->generation, &judgement))
		judgement.reason = REASON_NOT_IN_TOPOLOGY;
	if (judgement.reason == REASON_OK)
		session_keep(session, &judgement);
	else
		session_lose(session, judgement.reason);
}

void judge_session(struct session *session)
{
	session_judge(session, /* share= */ false);
}

void judge_register(struct session *session)
{
	struct sessions *sessions = session->sessions;
	uint64_t age = limits_of(sessions)->session_age_ms;

	if (age > 0)
		judge_plan_end(session, after_ms(age), REASON_SESSION_AGE);
	deadline_watch(sessions, session_deadline(session));
	/* A change between its handshake and now has not seen it. */
	if (session->generation_number != sessions->generation->number ||
	    session->board != sessions->boards)
		judge_session(session);
}

/* ---- all of them ---- */

static void walk_over(struct sessions *sessions)
{
	const struct log_field none = { 0 };

	sessions->judge.next = NULL;
	if (sessions->judge.lost > 0)
		log_event(LOG_NOTICE, LOG_ID_TRUST_LOST, &none,
			  "%u live sessions lost their trust by a change and are ended",
			  sessions->judge.lost);
	sessions->judge.lost = 0;
}

static void walk_begin(struct sessions *sessions)
{
	sessions->judge.walking = sessions->judge.round;
	sessions->judge.next = sessions->list.next;
}

static int walk_step(void *userdata)
{
	struct sessions *sessions = userdata;
	uint64_t until = time_monotonic_ms() + SLICE_MS;

	sessions->judge.step = loop_source_free(sessions->judge.step);
	do {
		struct list *node = sessions->judge.next;

		if (node == &sessions->list) {
			/* Changed again meanwhile: those at the front have not seen that. */
			if (sessions->judge.walking == sessions->judge.round) {
				walk_over(sessions);
				return 0;
			}
			walk_begin(sessions);
			continue;
		}
		sessions->judge.next = node->next;
		session_judge(container_of(node, struct session, node), /* share= */ true);
	} while (time_monotonic_ms() < until);
	return loop_defer(sessions->loop, walk_step, sessions, &sessions->judge.step);
}

void judge_all(struct sessions *sessions)
{
	sessions->judge.round++;
	if (sessions->judge.next || !sessions->generation)
		return;
	walk_begin(sessions);
	if (!sessions->judge.step &&
	    loop_defer(sessions->loop, walk_step, sessions, &sessions->judge.step) < 0)
		loop_exit(sessions->loop, -ENOMEM);
}

void judge_forget(struct session *session)
{
	struct sessions *sessions = session->sessions;

	if (sessions->judge.next == &session->node)
		sessions->judge.next = session->node.next;
}

void judge_stop(struct sessions *sessions)
{
	sessions->judge.step = loop_source_free(sessions->judge.step);
	sessions->judge.timer = loop_source_free(sessions->judge.timer);
}

/* ---- our own certificates ---- */

static bool identity_is_same(const struct generation *a, const struct generation *b,
			     const char *name)
{
	const struct generation *of[2] = { a, b };
	const struct inventory_certificate *leaf[2] = { NULL, NULL };

	for (int i = 0; i < 2; i++) {
		for (uint32_t k = 0; k < of[i]->conf->n_identities; k++) {
			if (strcmp(of[i]->conf->identities[k].name, name) == 0)
				leaf[i] = inventory_identity(&of[i]->inventory, k);
		}
	}
	return leaf[0] && leaf[1] &&
	       memcmp(leaf[0]->facts.certs[0].fingerprint, leaf[1]->facts.certs[0].fingerprint,
		      sizeof(leaf[0]->facts.certs[0].fingerprint)) == 0;
}

bool judge_identity_changes(const struct session *session, const struct generation *new)
{
	const char *identity = session_text(session, SESSION_TEXT_IDENTITY);

	return new->conf->limits.identity_drain_ms != CONF_NEVER &&identity &&
	       !identity_is_same(session->sessions->generation, new, identity);
}

void judge_identities(struct sessions *sessions, const struct generation *old)
{
	uint64_t drain = limits_of(sessions)->identity_drain_ms;

	if (drain == CONF_NEVER)
		return;
	for (size_t i = 0; i < old->conf->n_identities; i++) {
		const char *name = old->conf->identities[i].name;

		if (identity_is_same(old, sessions->generation, name))
			continue;
		list_foreach (node, &sessions->list) {
			struct session *session = container_of(node, struct session, node);
			const char *identity = session_text(session, SESSION_TEXT_IDENTITY);

			if (session->state == SESSION_RELAYING && identity &&
			    strcmp(identity, name) == 0)
				judge_plan_end(session, after_ms(drain), REASON_IDENTITY_CHANGED);
		}
	}
}
