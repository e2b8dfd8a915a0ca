/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Why: one session or refusal, judged once more under what is in force, with every step told. */

#include "session.h"

static const char *status_name(const struct trust_link *link)
{
	static const char *const names[_TRUST_STATUS_MAX] = {
		[TRUST_STATUS_UNKNOWN] = "unknown",
		[TRUST_STATUS_GOOD] = "good",
		[TRUST_STATUS_REVOKED] = "revoked",
		[TRUST_STATUS_UNSUPPORTED] = "unsupported",
	};

	return names[link->status];
}

static const char *link_crl(const struct sessions *sessions, const struct trust_certificate *cert,
			    const uint8_t *issuer_id)
{
	struct revocation_crl_view crl;
	struct trust_link link;
	uint32_t index;

	revocation_board_lookup(sessions->board, cert, issuer_id, &link, &index);
	if (index >= revocation_board_crls(sessions->board))
		return NULL;
	revocation_board_crl(sessions->board, index, &crl);
	return crl.source;
}

static void explain_link(const struct sessions *sessions, const struct trust_facts *facts,
			 const struct trust_path *path, size_t i, struct session_link_view *ret)
{
	const struct trust_certificate *cert = &facts->certs[path->certs[i]];
	const uint8_t *issuer_id =
		i + 1 < path->n_certs ? facts->certs[path->certs[i + 1]].id : path->anchor_id;
	const struct trust_link *link = &path->links[i];

	ret->status = status_name(link);
	ret->ocsp = link->ocsp;
	ret->this_update = link->this_update;
	ret->next_update = link->next_update;
	ret->revoked_at = link->revoked_at;
	ret->crl = link->ocsp ? NULL : link_crl(sessions, cert, issuer_id);
}

static void view_certificate(const struct trust_certificate *cert, char fingerprint[static 65],
			     struct session_link_view *ret)
{
	hex_format(cert->fingerprint, sizeof(cert->fingerprint), fingerprint);
	*ret = (struct session_link_view){
		.subject = cert->subject,
		.issuer = cert->issuer,
		.serial = cert->serial,
		.fingerprint = fingerprint,
		.not_before = cert->not_before,
		.not_after = cert->not_after,
		.status = "unknown",
	};
}

void explain_links(const struct sessions *sessions, const struct trust_facts *facts,
		   const struct trust_verdict *verdict,
		   void (*fn)(void *userdata, const struct session_link_view *link), void *userdata)
{
	const struct trust_path *path = verdict->path;
	struct session_link_view view;
	char fingerprint[65];

	/* Without a path: what was shown, in the order it was. */
	for (size_t i = 0; i < (path ? path->n_certs : facts->n_certs); i++) {
		view_certificate(&facts->certs[path ? path->certs[i] : i], fingerprint, &view);
		if (path)
			explain_link(sessions, facts, path, i, &view);
		fn(userdata, &view);
	}
	if (!path || !path->anchor_subject)
		return;
	hex_format(path->anchor_fingerprint, sizeof(path->anchor_fingerprint), fingerprint);
	fn(userdata, &(struct session_link_view){
			     .subject = path->anchor_subject,
			     .issuer = path->anchor_subject,
			     .serial = "",
			     .fingerprint = fingerprint,
			     .anchor = true,
			     .not_before = path->anchor_not_before,
			     .not_after = path->anchor_not_after,
		     });
}

/* ---- rules ---- */

struct rules {
	const struct trust_policy *policy;
	const struct session_explain_ops *ops;
	void *userdata;
};

static void on_rule(void *userdata, const struct trust_rule_view *rule)
{
	const struct rules *rules = userdata;
	const char *entry = rule->entry < rules->policy->n_entries
				    ? rules->policy->entries[rule->entry].name
				    : NULL;

	rules->ops->rule(rules->userdata, entry, rule);
}

/* What is to be explained: a live session's peer, or a remembered refusal. */
struct subject {
	const uint8_t *packed;
	size_t packed_size;
	struct judge_whom whom;
	enum reason then;
	const char *detail;
};

static bool subject_find(struct sessions *sessions, uint64_t id, struct subject *ret)
{
	const struct session *session = session_find(sessions, id);
	const struct refusal *refusal = session ? NULL : refusal_find(sessions, id);

	if (session && session->peer)
		*ret = (struct subject){
			.packed = session->peer->packed,
			.packed_size = session->peer->packed_size,
			.whom = { .entry = session->account ? session->account->name : NULL,
				  .member = session_text(session, SESSION_TEXT_MEMBER),
				  .version = session->version,
				  .dialled = session->dialled,
				  .live = true },
		};
	else if (refusal)
		*ret = (struct subject){
			.packed = refusal->packed,
			.packed_size = refusal->packed_size,
			.whom = { .entry = refusal->peer,
				  .member = refusal->member,
				  .version = refusal->version,
				  .dialled = refusal->dialled },
			.then = refusal->reason,
			.detail = refusal->detail,
		};
	else
		*ret = (struct subject){ .whom.live = session != NULL };
	return session || refusal;
}

static void explain_verdict(const struct rules *rules, const struct trust_facts *facts,
			    const struct trust_question *question,
			    const struct trust_verdict *verdict,
			    struct session_explanation *explanation)
{
	char name_buf[256] = "", detail_buf[2048] = "";
	struct text name = TEXT_INIT(name_buf), detail = TEXT_INIT(detail_buf);

	trust_verdict_text(rules->policy, facts, question, verdict, &detail);
	if (verdict->name)
		text_add_foreign(&name, verdict->name->value, verdict->name->len);
	explanation->judged = true;
	explanation->now = verdict->reason;
	explanation->entry = verdict->entry < rules->policy->n_entries
				     ? rules->policy->entries[verdict->entry].name
				     : NULL;
	explanation->name = name_buf;
	explanation->detail = detail_buf;
	rules->ops->verdict(rules->userdata, explanation);
}

int sessions_explain(struct sessions *sessions, uint64_t id, const struct session_explain_ops *ops,
		     void *userdata)
{
	_cleanup_(trust_facts_done) struct trust_facts facts = {};
	const struct generation *generation = sessions->generation;
	struct rules rules = { &generation->conf->trust, ops, userdata };
	struct session_explanation explanation = { .id = id, .detail = "" };
	struct trust_question question;
	struct trust_verdict verdict;
	struct subject subject;
	int r;

	if (!subject_find(sessions, id, &subject))
		return SESSION_E_UNKNOWN;
	explanation.live = subject.whom.live;
	explanation.then = explanation.now = subject.then;
	if (!subject.packed) {
		explanation.detail = subject.detail ? subject.detail : "";
		ops->verdict(userdata, &explanation);
		return 0;
	}
	r = judge_facts(subject.packed, subject.packed_size, generation, sessions->board, &facts);
	if (r < 0)
		return r;
	question = judge_question(generation, &subject.whom, time_realtime_s());
	trust_judge(rules.policy, &facts, &question, &verdict);
	explain_verdict(&rules, &facts, &question, &verdict, &explanation);
	explain_links(sessions, &facts, &verdict, ops->link, userdata);
	trust_explain(rules.policy, &facts, &question, on_rule, &rules);
	return 0;
}
