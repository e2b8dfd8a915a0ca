/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Revocation: from what is known of each link to one standing of the path, and the three rules that
 * rest on it. What is revoked is refused unless nobody asks; how much must be known is up to the
 * anchors; what a certificate demands of itself (RFC 7633) holds whatever the anchors say.
 */

#include <trust/rules.h>

#define FUTURE_MAX_S 300 /* how far the clock of a CA may be ahead of ours */

/* Is @later more than @margin seconds after @earlier? Both may be any number. */
static bool is_beyond(int64_t later, int64_t earlier, uint32_t margin)
{
	return later > earlier && (uint64_t)later - (uint64_t)earlier > margin;
}

static bool link_is_fresh(const struct trust_link *link, uint32_t grace_s, int64_t now)
{
	return link->next_update != 0 && !is_beyond(now, link->next_update, grace_s) &&
	       !is_beyond(link->this_update, now, FUTURE_MAX_S);
}

enum trust_standing trust_link_standing(const struct trust_link *link, uint32_t grace_s,
					int64_t now)
{
	static const enum trust_standing standings[_TRUST_STATUS_MAX] = {
		[TRUST_STATUS_UNKNOWN] = TRUST_STANDING_UNKNOWN,
		[TRUST_STATUS_GOOD] = TRUST_STANDING_GOOD,
		[TRUST_STATUS_REVOKED] = TRUST_STANDING_REVOKED,
		[TRUST_STATUS_UNSUPPORTED] = TRUST_STANDING_UNSUPPORTED,
	};

	if (link->status == TRUST_STATUS_GOOD && !link_is_fresh(link, grace_s, now))
		return TRUST_STANDING_STALE;
	return standings[link->status];
}

struct trust_knowledge trust_path_knowledge(const struct trust_judgement *j)
{
	const struct trust_anchors *anchors = trust_path_anchors(j);
	struct trust_knowledge worst = { TRUST_STANDING_OFF, NULL, 0 };

	if (j->facts->staple.status == TRUST_STATUS_REVOKED)
		return (struct trust_knowledge){ TRUST_STANDING_REVOKED, &j->facts->staple, 0 };
	if (anchors->revocation == TRUST_REVOCATION_OFF)
		return worst;
	for (size_t i = 0; i < j->path->n_certs; i++) {
		const struct trust_link *link = &j->path->links[i];
		enum trust_standing standing =
			trust_link_standing(link, anchors->crl_grace_s, j->question->now);

		if (standing > worst.standing)
			worst = (struct trust_knowledge){ standing, link, i };
	}
	return worst;
}

enum reason trust_judge_revocation(struct trust_judgement *j)
{
	return trust_path_knowledge(j).standing == TRUST_STANDING_REVOKED ? REASON_REVOKED
									  : REASON_OK;
}

enum reason trust_judge_staple(struct trust_judgement *j)
{
	if (!j->facts->certs[0].must_staple || j->question->live)
		return REASON_OK;
	return trust_link_standing(&j->facts->staple, 0, j->question->now) == TRUST_STANDING_GOOD
		       ? REASON_OK
		       : REASON_STAPLE_MISSING;
}

enum reason trust_judge_freshness(struct trust_judgement *j)
{
	static const enum reason reasons[_TRUST_STANDING_MAX] = {
		[TRUST_STANDING_STALE] = REASON_REVOCATION_STALE,
		[TRUST_STANDING_UNSUPPORTED] = REASON_REVOCATION_UNSUPPORTED,
		[TRUST_STANDING_UNKNOWN] = REASON_REVOCATION_UNKNOWN,
		[TRUST_STANDING_REVOKED] = REASON_REVOKED, /* by an earlier rule */
	};

	if (trust_path_anchors(j)->revocation != TRUST_REVOCATION_REQUIRE || j->question->live)
		return REASON_OK;
	return reasons[trust_path_knowledge(j).standing];
}
