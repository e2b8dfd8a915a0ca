/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Revocation: what is known of a link, by how much has to be known, by whether the peer is new;
 * times on both sides of every limit and at the ends of the numbers; the stapled response.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

#define GRACE 3600

static const char *code(enum reason reason)
{
	return reason_info(reason)->code;
}

/* ---- status of a link, mode of the anchors, a new peer and one that was admitted ---- */

static struct trust_link link_stale(void)
{
	struct trust_link link = link_good();

	link.next_update = NOW - 1;
	return link;
}

static struct trust_link link_of(enum trust_status status)
{
	return (struct trust_link){ .status = status };
}

static struct trust_link link_revoked(void)
{
	struct trust_link link = link_good();

	link.status = TRUST_STATUS_REVOKED;
	return link;
}

static void test_modes(void **state)
{
	const struct {
		struct trust_link link;
		enum reason off, check, require, require_live;
		enum trust_standing standing;
	} rows[] = {
		{ link_good(), REASON_OK, REASON_OK, REASON_OK, REASON_OK, TRUST_STANDING_GOOD },
		{ link_stale(), REASON_OK, REASON_OK, REASON_REVOCATION_STALE, REASON_OK,
		  TRUST_STANDING_STALE },
		{ link_of(TRUST_STATUS_UNKNOWN), REASON_OK, REASON_OK, REASON_REVOCATION_UNKNOWN,
		  REASON_OK, TRUST_STANDING_UNKNOWN },
		{ link_of(TRUST_STATUS_UNSUPPORTED), REASON_OK, REASON_OK,
		  REASON_REVOCATION_UNSUPPORTED, REASON_OK, TRUST_STANDING_UNSUPPORTED },
		{ link_revoked(), REASON_OK, REASON_REVOKED, REASON_REVOKED, REASON_REVOKED,
		  TRUST_STANDING_REVOKED },
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const enum reason wanted[] = { rows[i / 2].off, rows[i / 2].check,
					       rows[i / 2].require };

		for (size_t k = 0; k < 2 * ARRAY_SIZE(wanted); k++) {
			enum trust_revocation mode = (enum trust_revocation)(k / 2);
			bool live = k % 2 > 0;
			enum reason reason = live && mode == TRUST_REVOCATION_REQUIRE
						     ? rows[i / 2].require_live
						     : wanted[k / 2];
			struct world w;

			world_make(&w);
			w.anchors[CONTOSO].revocation = mode;
			w.question.live = live;
			w.paths[0].links[i % 2] = rows[i / 2].link;
			if (world_judge(&w) != reason)
				fail_msg("row %zu, link %zu, %s%s: %s, expected %s", i / 2, i % 2,
					 trust_revocation_names[mode], live ? ", live" : "",
					 code(w.verdict.reason), code(reason));
			assert_int_equal(w.verdict.standing, mode == TRUST_REVOCATION_OFF
								     ? TRUST_STANDING_OFF
								     : rows[i / 2].standing);
		}
	}
}

/* The mode that counts is that of the anchors that vouch, not of the first or the strictest. */
static void test_mode_of_the_anchors(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.paths[0].links[0].status = TRUST_STATUS_UNKNOWN;
	w.anchors[CONTOSO].revocation = TRUST_REVOCATION_CHECK;
	assert_int_equal(world_judge(&w), REASON_OK);
	world_make(&w);
	w.paths[0].links[0].status = TRUST_STATUS_UNKNOWN;
	w.anchors[SITE].revocation = w.anchors[FABRIKAM].revocation = TRUST_REVOCATION_OFF;
	assert_int_equal(world_judge(&w), REASON_REVOCATION_UNKNOWN);
}

/* The worst link gives the reason and the standing, wherever it is. */
static void test_worst(void **state)
{
	static const struct {
		enum trust_status status;
		enum reason reason;
	} order[] = {
		{ TRUST_STATUS_GOOD, REASON_OK },
		{ TRUST_STATUS_UNSUPPORTED, REASON_REVOCATION_UNSUPPORTED },
		{ TRUST_STATUS_UNKNOWN, REASON_REVOCATION_UNKNOWN },
		{ TRUST_STATUS_REVOKED, REASON_REVOKED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
			struct world w;

			world_make(&w);
			w.paths[0].links[0].status = order[i].status;
			w.paths[0].links[1].status = order[k].status;
			assert_int_equal(world_judge(&w), order[i > k ? i : k].reason);
		}
	}
}

/* ---- times ---- */

static void test_times(void **state)
{
	static const struct {
		int64_t this_update, next_update;
		uint32_t grace;
		enum reason reason;
	} rows[] = {
		{ NOW - DAY, NOW, 0, REASON_OK },
		{ NOW - DAY, NOW - 1, 0, REASON_REVOCATION_STALE },
		{ NOW - DAY, NOW - GRACE, GRACE, REASON_OK },
		{ NOW - DAY, NOW - GRACE - 1, GRACE, REASON_REVOCATION_STALE },
		{ NOW - DAY, NOW - UINT32_MAX, UINT32_MAX, REASON_OK },
		{ NOW - DAY, NOW - UINT32_MAX - 1, UINT32_MAX, REASON_REVOCATION_STALE },
		/* no next update: nobody knows how old the list is */
		{ NOW - DAY, 0, 0, REASON_REVOCATION_STALE },
		{ NOW - DAY, 0, UINT32_MAX, REASON_REVOCATION_STALE },
		/* the CA's clock may be ahead by five minutes, whatever the grace */
		{ NOW, NOW + DAY, 0, REASON_OK },
		{ NOW + 300, NOW + DAY, 0, REASON_OK },
		{ NOW + 301, NOW + DAY, 0, REASON_REVOCATION_STALE },
		{ NOW + 301, NOW + DAY, GRACE, REASON_REVOCATION_STALE },
		/* no this update, but a next one */
		{ 0, NOW + DAY, 0, REASON_OK },
		/* what no honest process sends */
		{ INT64_MIN, INT64_MAX, 0, REASON_OK },
		{ INT64_MAX, INT64_MAX, 0, REASON_REVOCATION_STALE },
		{ INT64_MAX, INT64_MIN, UINT32_MAX, REASON_REVOCATION_STALE },
		{ NOW, INT64_MIN, UINT32_MAX, REASON_REVOCATION_STALE },
		{ NOW, -1, 0, REASON_REVOCATION_STALE },
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		struct world w;

		world_make(&w);
		w.anchors[CONTOSO].crl_grace_s = rows[i / 2].grace;
		w.paths[0].links[i % 2].this_update = rows[i / 2].this_update;
		w.paths[0].links[i % 2].next_update = rows[i / 2].next_update;
		if (world_judge(&w) != rows[i / 2].reason)
			fail_msg("row %zu, link %zu: %s", i / 2, i % 2, code(w.verdict.reason));
	}
}

/* Old or not, a list that revokes does. */
static void test_old_list_revokes(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.paths[0].links[0] = link_revoked();
	w.paths[0].links[0].next_update = NOW - YEAR;
	assert_int_equal(world_judge(&w), REASON_REVOKED);
	w.question.live = true;
	assert_int_equal(world_judge(&w), REASON_REVOKED);
}

/* ---- the stapled response ---- */

static void test_staple(void **state)
{
	const struct {
		struct trust_link staple;
		enum reason reason; /* when it is demanded */
	} rows[] = {
		{ link_good(), REASON_OK },
		{ link_stale(), REASON_STAPLE_MISSING },
		{ link_of(TRUST_STATUS_UNKNOWN), REASON_STAPLE_MISSING },
		{ link_of(TRUST_STATUS_UNSUPPORTED), REASON_STAPLE_MISSING },
		{ link_of(TRUST_STATUS_GOOD), REASON_STAPLE_MISSING }, /* no next update */
		{ link_revoked(), REASON_REVOKED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (enum trust_revocation mode = 0; mode < _TRUST_REVOCATION_MAX; mode++) {
			bool revokes = rows[i].reason == REASON_REVOKED;
			struct world w;

			world_make(&w);
			w.anchors[CONTOSO].revocation = mode;
			w.anchors[CONTOSO].crl_grace_s = UINT32_MAX; /* for lists, not for this */
			w.facts.staple = rows[i].staple;
			assert_int_equal(world_judge(&w), revokes ? REASON_REVOKED : REASON_OK);
			w.certs[0].must_staple = true;
			if (world_judge(&w) != rows[i].reason)
				fail_msg("row %zu, %s: %s", i, trust_revocation_names[mode],
					 code(w.verdict.reason));
			if (revokes)
				assert_int_equal(w.verdict.standing, TRUST_STANDING_REVOKED);
			w.question.live = true;
			assert_int_equal(world_judge(&w), revokes ? REASON_REVOKED : REASON_OK);
		}
	}
}

/* ---- what is told ---- */

static const char *line(struct world *w)
{
	static char buf[4096];
	struct text t = TEXT_INIT(buf);

	buf[0] = '\0';
	(void)world_judge(w);
	trust_verdict_text(&w->policy, &w->facts, &w->question, &w->verdict, &t);
	return buf;
}

static void assert_tells(struct world *w, const char *what)
{
	if (!strstr(line(w), what))
		fail_msg("\"%s\" is not in: %s", what, line(w));
}

static void test_text(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	assert_tells(&w, "; revocation good, by a list of 2027-01-14T08:00:00Z, next update "
			 "2027-01-16T08:00:00Z;");

	w.paths[0].links[1].next_update = NOW - 1;
	assert_tells(&w, "; revocation of certificate 2 of 2 \"CN=issuing\" stale, by a list of "
			 "2027-01-14T08:00:00Z, next update 2027-01-15T07:59:59Z");

	w.paths[0].links[1].next_update = 0;
	assert_tells(&w, "stale, by a list of 2027-01-14T08:00:00Z that names no next update;");

	w.paths[0].links[1] = (struct trust_link){ .status = TRUST_STATUS_UNKNOWN };
	assert_tells(&w, "whether a certificate in the chain is revoked is not known");
	assert_tells(&w, "; revocation of certificate 2 of 2 \"CN=issuing\" unknown;");

	w.paths[0].links[0] = link_revoked();
	w.paths[0].links[0].ocsp = true;
	w.paths[0].links[0].revoked_at = NOW - YEAR;
	w.paths[0].links[0].revoked_why = 1;
	assert_tells(&w, "; revocation of certificate 1 of 2 \"CN=peer\" revoked since "
			 "2026-01-15T08:00:00Z (keyCompromise), by a stapled response of "
			 "2027-01-14T08:00:00Z");
	w.paths[0].links[0].revoked_why = 10;
	assert_tells(&w, "(aACompromise)");
	w.paths[0].links[0].revoked_why = 11;
	assert_tells(&w, "(unknown reason)");
	w.paths[0].links[0].revoked_at = INT64_MIN;
	assert_tells(&w, "since second -9223372036854775808 (");
	w.paths[0].links[0].revoked_at = INT64_MAX;
	assert_tells(&w, "since never (");

	/* By the response, though no list is asked. */
	world_make(&w);
	w.anchors[CONTOSO].revocation = TRUST_REVOCATION_OFF;
	assert_null(strstr(line(&w), "revocation"));
	w.facts.staple = link_revoked();
	w.facts.staple.ocsp = true;
	assert_tells(&w,
		     "; revocation of certificate 1 of 2 \"CN=peer\" revoked since 1970-01-01T");

	world_make(&w);
	w.certs[0].must_staple = true;
	assert_tells(&w, "; stapled response unknown; revocation good");
	w.facts.staple = link_stale();
	w.facts.staple.ocsp = true;
	assert_tells(&w, "; stapled response stale, by a stapled response of 2027-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_mode_of_the_anchors),
		cmocka_unit_test(test_worst),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_old_list_revokes),
		cmocka_unit_test(test_staple),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
