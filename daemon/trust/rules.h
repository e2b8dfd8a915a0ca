/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules and what they have in common. Each is a row with a stable name, a judge and a teller;
 * judging and explaining walk the same two tables (judge.c), so they cannot disagree.
 */

#include <trust/names.h>

struct trust_judgement {
	const struct trust_policy *policy;
	const struct trust_facts *facts;
	const struct trust_question *question;
	bool claimed; /* by a listed entry; else the discovered ones have their turn */
	/* per entry; NULL while the leaf is judged */
	const struct trust_entry *entry;
	const struct trust_path *path; /* to the entry's anchors; NULL: none was tried */
	const struct trust_name *name; /* that matched */
};

struct trust_rule {
	const char *name;
	enum reason (*judge)(struct trust_judgement *j);
	/* Expected and found, of a rule that was judged; often there is nothing to tell. */
	void (*tell)(const struct trust_judgement *j, struct text *t);
};

struct trust_rules {
	const struct trust_rule *rows;
	size_t n;
};

/* No entry can change the rules of the leaf. */
extern const struct trust_rules trust_leaf_rules, trust_entry_rules;

static inline const struct trust_anchors *trust_path_anchors(const struct trust_judgement *j)
{
	return &j->policy->anchors[j->path->anchors];
}

static inline const struct trust_certificate *trust_path_cert(const struct trust_judgement *j,
							      size_t place)
{
	return &j->facts->certs[j->path->certs[place]];
}

/* ---- revocation (standing.c) ---- */

/* What is known of the revocation of a path that holds, and the link that makes it so. */
struct trust_knowledge {
	enum trust_standing standing;
	const struct trust_link *link; /* NULL: nothing was asked */
	size_t place;		       /* of its certificate in the path */
};

/* The worst of the path's links; a stapled response that revokes counts in every mode. */
struct trust_knowledge trust_path_knowledge(const struct trust_judgement *j);

enum reason trust_judge_revocation(struct trust_judgement *j);
enum reason trust_judge_staple(struct trust_judgement *j);
enum reason trust_judge_freshness(struct trust_judgement *j);

/* ---- tellers (detail.c) ---- */

void trust_tell_facts(const struct trust_judgement *j, struct text *t);
void trust_tell_block(const struct trust_judgement *j, struct text *t);
void trust_tell_certificate(const struct trust_judgement *j, struct text *t);
void trust_tell_version(const struct trust_judgement *j, struct text *t);
void trust_tell_end_entity(const struct trust_judgement *j, struct text *t);
void trust_tell_topology(const struct trust_judgement *j, struct text *t);
void trust_tell_chain(const struct trust_judgement *j, struct text *t);
void trust_tell_constraints(const struct trust_judgement *j, struct text *t);
void trust_tell_depth(const struct trust_judgement *j, struct text *t);
void trust_tell_revocation(const struct trust_judgement *j, struct text *t);
void trust_tell_keys(const struct trust_judgement *j, struct text *t);
void trust_tell_signatures(const struct trust_judgement *j, struct text *t);
void trust_tell_validity(const struct trust_judgement *j, struct text *t);
void trust_tell_staple(const struct trust_judgement *j, struct text *t);
void trust_tell_freshness(const struct trust_judgement *j, struct text *t);
void trust_tell_usage(const struct trust_judgement *j, struct text *t);
void trust_tell_name(const struct trust_judgement *j, struct text *t);
void trust_tell_tls(const struct trust_judgement *j, struct text *t);
void trust_tell_direction(const struct trust_judgement *j, struct text *t);
