/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The judgement: the rules of the leaf, then those of one entry after the other until one admits
 * the peer. When none does, the verdict is that of the entry that got furthest, the first in the
 * topology if they are level. A chain that leads to an entry's anchors in several ways
 * (cross-signed CAs) is judged by the way that serves it best. Explaining is judging with somebody
 * who listens.
 */

#include <trust/rules.h>

#define DETAIL_SIZE 4096

struct listener {
	trust_explain_fn fn;
	void *userdata;
};

/* ---- the walk along a table ---- */

static void tell(const struct listener *listener, const struct trust_judgement *j,
		 const struct trust_rule *rule, enum trust_rule_outcome outcome, enum reason reason)
{
	char buf[DETAIL_SIZE] = "";
	struct text detail = TEXT_INIT(buf);
	struct trust_rule_view view = {
		.entry = j->entry ? (uint32_t)(j->entry - j->policy->entries) : TRUST_ENTRY_ANY,
		.rule = rule->name,
		.outcome = outcome,
		.reason = reason,
		.detail = buf,
	};

	if (outcome != TRUST_RULE_NOT_REACHED)
		rule->tell(j, &detail);
	listener->fn(listener->userdata, &view);
}

/* Returns how many rules hold. @listener may be NULL. */
static size_t walk(const struct trust_rules *rules, struct trust_judgement *j,
		   const struct listener *listener, enum reason *ret_reason)
{
	enum reason reason = REASON_OK;
	size_t n;

	for (n = 0; n < rules->n; n++) {
		reason = rules->rows[n].judge(j);
		if (reason != REASON_OK)
			break;
		if (listener)
			tell(listener, j, &rules->rows[n], TRUST_RULE_HOLDS, REASON_OK);
	}
	*ret_reason = reason;
	if (listener && n < rules->n) {
		tell(listener, j, &rules->rows[n], TRUST_RULE_FAILS, reason);
		for (size_t i = n + 1; i < rules->n; i++)
			tell(listener, j, &rules->rows[i], TRUST_RULE_NOT_REACHED, REASON_OK);
	}
	return n;
}

/* ---- one entry ---- */

/* The next path behind @path that was tried against the entry's anchors; NULL: the first. */
static const struct trust_path *next_path(const struct trust_judgement *j,
					  const struct trust_path *path)
{
	const struct trust_facts *facts = j->facts;

	for (size_t i = path ? (size_t)(path - facts->paths) + 1 : 0; i < facts->n_paths; i++) {
		if (facts->paths[i].anchors == j->entry->anchors)
			return &facts->paths[i];
	}
	return NULL;
}

/* The path by which the entry's rules get furthest. */
static const struct trust_path *choose_path(const struct trust_judgement *j)
{
	const struct trust_path *first = next_path(j, NULL), *best = first;
	size_t furthest = 0;

	if (!first || !next_path(j, first))
		return first;
	for (const struct trust_path *path = first; path; path = next_path(j, path)) {
		struct trust_judgement attempt = *j;
		enum reason reason;
		size_t n;

		attempt.path = path;
		n = walk(&trust_entry_rules, &attempt, NULL, &reason);
		if (n > furthest) {
			best = path;
			furthest = n;
		}
	}
	return best;
}

static bool is_candidate(const struct trust_judgement *j, uint32_t entry)
{
	const struct trust_entry *candidate = &j->policy->entries[entry];

	if (j->question->entry != TRUST_ENTRY_ANY)
		return entry == j->question->entry;
	return j->claimed ? trust_entry_claims(candidate, j->facts)
			  : candidate->kind == TRUST_DISCOVERED;
}

/* ---- the verdict ---- */

static int64_t path_expires(const struct trust_judgement *j)
{
	int64_t expires = j->path->anchor_subject ? j->path->anchor_not_after : INT64_MAX;

	for (size_t i = 0; i < j->path->n_certs; i++) {
		if (trust_path_cert(j, i)->not_after < expires)
			expires = trust_path_cert(j, i)->not_after;
	}
	return expires;
}

static void verdict_set(struct trust_verdict *verdict, const struct trust_judgement *j,
			uint32_t entry, enum reason reason)
{
	bool holds = j->path && j->path->outcome == TRUST_CHAIN_OK;

	verdict->reason = reason;
	verdict->entry = entry;
	verdict->path = j->path;
	verdict->name = j->name;
	verdict->expires = j->path ? path_expires(j) : 0;
	verdict->standing = holds ? trust_path_knowledge(j).standing : TRUST_STANDING_OFF;
}

static void judge_entries(struct trust_judgement *j, const struct listener *listener,
			  struct trust_verdict *verdict)
{
	size_t furthest = 0;

	for (uint32_t i = 0; i < j->policy->n_entries; i++) {
		enum reason reason;
		size_t n;

		if (!is_candidate(j, i))
			continue;
		j->entry = &j->policy->entries[i];
		j->path = choose_path(j);
		j->name = NULL;
		n = walk(&trust_entry_rules, j, listener, &reason);
		if (verdict->entry == TRUST_ENTRY_ANY || n > furthest) {
			verdict_set(verdict, j, i, reason);
			furthest = n;
		}
		if (reason == REASON_OK)
			return;
		if (verdict->n_candidates < TRUST_CANDIDATES_MAX)
			verdict->candidates[verdict->n_candidates++] =
				(struct trust_candidate){ i, reason };
	}
}

static void judge(const struct trust_policy *policy, const struct trust_facts *facts,
		  const struct trust_question *question, const struct listener *listener,
		  struct trust_verdict *ret)
{
	struct trust_judgement j = { .policy = policy, .facts = facts, .question = question };
	struct trust_verdict verdict = {};
	enum reason reason;

	(void)walk(&trust_leaf_rules, &j, listener, &reason);
	verdict_set(&verdict, &j, TRUST_ENTRY_ANY, reason);
	if (reason == REASON_OK)
		judge_entries(&j, listener, &verdict);
	*ret = verdict;
}

void trust_judge(const struct trust_policy *policy, const struct trust_facts *facts,
		 const struct trust_question *question, struct trust_verdict *ret)
{
	judge(policy, facts, question, NULL, ret);
}

void trust_explain(const struct trust_policy *policy, const struct trust_facts *facts,
		   const struct trust_question *question, trust_explain_fn fn, void *userdata)
{
	const struct listener listener = { fn, userdata };
	struct trust_verdict verdict;

	judge(policy, facts, question, &listener, &verdict);
}
