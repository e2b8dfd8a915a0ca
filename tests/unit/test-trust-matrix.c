/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Name profiles against shapes of certificates, times key usages, times directions. What is
 * expected is written from the documents' words, the clause beside it: RFC 5922 7.1 (which names of
 * a certificate are identities) and 7.2 (how they are compared), RFC 9525 6.3 (DNS names and
 * wildcards), 6.4 (addresses) and 6.5 (URIs), RFC 5280 4.2.1.6 (what the kinds of name may hold),
 * and Lync's rule that subject or subjectAltName equals the pool's or the server's full name. To
 * all of them MISS, WILD and COMMON are one "no"; the word that is told for it is ours.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "trust-testing.h"

#define EXPECTED "sip.example.org"

enum outcome { MISS, YES, WILD, COMMON };

static const enum reason reasons[] = {
	[MISS] = REASON_NAME_MISMATCH,
	[YES] = REASON_OK,
	[WILD] = REASON_NAME_WILDCARD,
	[COMMON] = REASON_NAME_CN,
};

/* Columns of the table of shapes. */
static const struct {
	enum trust_profile profile;
	bool wildcard;
	const char *name;
} columns[] = {
	{ TRUST_RFC5922, false, "rfc5922" },
	{ TRUST_RFC9525, false, "rfc9525" },
	{ TRUST_RFC9525, true, "rfc9525 with wildcard" },
	{ TRUST_POOL_NAMES, false, "pool" },
};

struct shape {
	struct {
		enum trust_name_type type;
		const char *value;
		size_t len;
	} names[3];
	size_t others;	       /* DNS names of other servers that stand before these */
	bool no_san;	       /* the extension is not there */
	const char *reference; /* in the place of EXPECTED */
	enum outcome outcomes[ARRAY_SIZE(columns)];
};

/* clang-format off */
#define OF(type, v) { type, v, sizeof(v) - 1 }
#define CN(v) OF(TRUST_NAME_CN, v)
#define DNS(v) OF(TRUST_NAME_DNS, v)
#define URI(v) OF(TRUST_NAME_URI, v)
#define IP(v) OF(TRUST_NAME_IP, v)
#define OTHER(v) OF(TRUST_NAME_OTHER, v)
#define NAMES(...) .names = { __VA_ARGS__ }
#define ALL(o) .outcomes = { o, o, o, o }
#define EACH(sip, dns, wildcard, pool) .outcomes = { sip, dns, wildcard, pool }
#define ONLY_URI EACH(YES, MISS, MISS, MISS)
#define NOT_FOR_URI EACH(MISS, YES, YES, YES)
#define ONLY_WILDCARD EACH(WILD, WILD, YES, WILD)
#define ONLY_POOL EACH(COMMON, COMMON, COMMON, YES)

static const struct shape shapes[] = {
	/* ---- DNS names. 5922 7.1 "DNS"; 9525 6.3; Lync: SAN equals ---- */
	{ NAMES(DNS("sip.example.org")), ALL(YES) },
	{ NAMES(DNS("other.example.org"), DNS("sip.example.org")), ALL(YES) }, /* any of them */
	/* 5922 7.2, 9525 6.3: case does not count (RFC 4343) */
	{ NAMES(DNS("SIP.Example.ORG")), ALL(YES) },
	/* 5922 7.2: in their entirety, no suffix; 9525 6.3: every label */
	{ NAMES(DNS("example.org")), ALL(MISS) },
	{ NAMES(DNS("a.sip.example.org")), ALL(MISS) },
	{ NAMES(DNS("evilsip.example.org")), ALL(MISS) },
	{ NAMES(DNS("sip.example.orgs")), ALL(MISS) },
	{ NAMES(DNS("sip.example.or")), ALL(MISS) },
	{ NAMES(DNS("sip.example.org.evil.example")), ALL(MISS) },
	{ NAMES(DNS(".example.org")), ALL(MISS) }, /* 7.2 says so of this very form */
	/* 5280 4.2.1.6: preferred name syntax (RFC 1034 3.5), which all below do not have */
	{ NAMES(DNS("sip.example.org.")), ALL(MISS) }, /* trailing dot */
	{ NAMES(DNS(".sip.example.org")), ALL(MISS) },
	{ NAMES(DNS("sip..example.org")), ALL(MISS) },
	{ NAMES(DNS("sip.example.org\0")), ALL(MISS) }, /* embedded NUL */
	{ NAMES(DNS("sip.example.org\0.evil.example")), ALL(MISS) },
	{ NAMES(DNS("sip\0.example.org")), ALL(MISS) },
	{ NAMES(DNS("\0sip.example.org")), ALL(MISS) },
	{ NAMES(DNS("sip.example.org ")), ALL(MISS) },
	{ NAMES(DNS(" sip.example.org")), ALL(MISS) },
	{ NAMES(DNS("sip.example.org\n")), ALL(MISS) },
	{ NAMES(DNS("")), ALL(MISS) },
	{ NAMES(DNS(" ")), ALL(MISS) }, /* forbidden by name */
	{ NAMES(DNS("sip:sip.example.org")), ALL(MISS) },
	{ NAMES(DNS("sip.example.org:5061")), ALL(MISS) },

	/* ---- IDN. 5280 7.2, 5922 7.2, 9525 6.3: A-labels on both sides ---- */
	{ NAMES(DNS("xn--bcher-kva.example.org")), .reference = "xn--bcher-kva.example.org", ALL(YES) },
	{ NAMES(DNS("XN--BCHER-KVA.example.org")), .reference = "xn--bcher-kva.example.org", ALL(YES) },
	{ NAMES(DNS("b\xc3\xbc""cher.example.org")), .reference = "xn--bcher-kva.example.org", ALL(MISS) },
	{ NAMES(DNS("b\xfc""cher.example.org")), .reference = "xn--bcher-kva.example.org", ALL(MISS) },
	{ NAMES(CN("b\xc3\xbc""cher.example.org")), .no_san = true, .reference = "xn--bcher-kva.example.org", ALL(MISS) },
	{ NAMES(URI("sip:xn--bcher-kva.example.org")), .reference = "xn--bcher-kva.example.org", ONLY_URI },
	{ NAMES(URI("sip:b\xc3\xbc""cher.example.org")), .reference = "xn--bcher-kva.example.org", ALL(MISS) },
	{ NAMES(DNS("s\xc3\xadp.example.org")), ALL(MISS) }, /* looks like it */
	{ NAMES(DNS("sip\xe3\x80\x82""example.org")), ALL(MISS) }, /* U+3002 for a dot */

	/* ---- wildcards. 5922 7.2: none; 9525 6.3: complete left-most label, one label deep;
	 *      Lync: not for SIP ---- */
	{ NAMES(DNS("*.example.org")), ONLY_WILDCARD },
	{ NAMES(DNS("*.EXAMPLE.org")), ONLY_WILDCARD },
	{ NAMES(DNS("*.example.org")), .reference = "xn--bcher-kva.example.org", ONLY_WILDCARD },
	{ NAMES(DNS("*.example.org"), DNS("sip.example.org")), ALL(YES) },
	{ NAMES(DNS("*.example.org")), .reference = "a.sip.example.org", ALL(MISS) }, /* two deep */
	{ NAMES(DNS("*.example.org")), .reference = "example.org", ALL(MISS) }, /* no label for it */
	{ NAMES(DNS("s*.example.org")), ALL(MISS) }, /* part of a label */
	{ NAMES(DNS("*p.example.org")), ALL(MISS) },
	{ NAMES(DNS("s*p.example.org")), ALL(MISS) },
	{ NAMES(DNS("**.example.org")), ALL(MISS) },
	{ NAMES(DNS("xn--*.example.org")), .reference = "xn--bcher-kva.example.org", ALL(MISS) },
	{ NAMES(DNS("sip.*.org")), ALL(MISS) }, /* not the left-most */
	{ NAMES(DNS("sip.example.*")), ALL(MISS) },
	{ NAMES(DNS("*.*.org")), ALL(MISS) }, /* more than one */
	{ NAMES(DNS("*.sip.example.org")), ALL(MISS) },
	{ NAMES(DNS("*.org")), ALL(MISS) },
	{ NAMES(DNS("*")), ALL(MISS) },
	{ NAMES(DNS("*.")), ALL(MISS) },
	{ NAMES(DNS("*.example.org.")), ALL(MISS) },
	{ NAMES(DNS("*.example.org\0")), ALL(MISS) },
	{ NAMES(URI("sip:*.example.org")), ALL(MISS) },

	/* ---- sip: URIs. 5922 7.1 "URI"; 9525 6.5: no answer to a DNS name asked for ---- */
	{ NAMES(URI("sip:sip.example.org")), ONLY_URI },
	{ NAMES(URI("SIP:SIP.EXAMPLE.ORG")), ONLY_URI }, /* scheme and host in any case */
	{ NAMES(URI("sip:a.example.org"), URI("sip:sip.example.org")), ONLY_URI },
	/* 7.1: MUST accept the hostpart; 7.2: MUST NOT use scheme or parameters */
	{ NAMES(URI("sip:sip.example.org:5061")), ONLY_URI },
	{ NAMES(URI("sip:sip.example.org;transport=tls")), ONLY_URI },
	{ NAMES(URI("sip:sip.example.org:5061;transport=tls?x=y")), ONLY_URI },
	{ NAMES(URI("sip:sip.example.org?x=y")), ONLY_URI },
	/* 7.1: a user part names a person */
	{ NAMES(URI("sip:user@sip.example.org")), ALL(MISS) },
	{ NAMES(URI("sip:user:password@sip.example.org:5061")), ALL(MISS) },
	{ NAMES(URI("sip:@sip.example.org")), ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org@evil.example")), ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org;x=@evil.example")), ALL(MISS) },
	/* 7.1: a scheme other than "sip" is no identity */
	{ NAMES(URI("sips:sip.example.org")), ALL(MISS) },
	{ NAMES(URI("https://sip.example.org/")), ALL(MISS) },
	{ NAMES(URI("tel:sip.example.org")), ALL(MISS) },
	{ NAMES(URI("sip.example.org")), ALL(MISS) },
	/* no host name in its hostpart */
	{ NAMES(URI("sip:sip%2eexample.org")), ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org\0")), ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org\0:5061")), ALL(MISS) },
	{ NAMES(URI("sip:sip.example.org.")), ALL(MISS) },
	{ NAMES(URI("sip://sip.example.org")), ALL(MISS) },
	{ NAMES(URI("sip:[2001:db8::1]")), ALL(MISS) },
	{ NAMES(URI("sip:")), ALL(MISS) },
	{ NAMES(URI("sip")), ALL(MISS) },
	{ NAMES(URI("")), ALL(MISS) },

	/* ---- two kinds together. 5922 7.1: DNS if and only if there is no sip: identity ---- */
	{ NAMES(URI("sip:sip.example.org"), DNS("sip.example.org")), ALL(YES) },
	{ NAMES(URI("sip:sip.example.org"), DNS("a.example.org")), ONLY_URI },
	{ NAMES(URI("sip:a.example.org"), DNS("sip.example.org")), NOT_FOR_URI },
	{ NAMES(DNS("sip.example.org"), URI("sip:a.example.org")), NOT_FOR_URI },
	{ NAMES(URI("sip:a.example.org:5061"), DNS("sip.example.org")), NOT_FOR_URI },
	{ NAMES(URI("sip:"), DNS("sip.example.org")), NOT_FOR_URI }, /* sip, and no user part */
	{ NAMES(URI("sip:u@a.example.org"), DNS("sip.example.org")), ALL(YES) },
	{ NAMES(URI("sips:a.example.org"), DNS("sip.example.org")), ALL(YES) },
	{ NAMES(URI("https://a.example.org"), DNS("sip.example.org")), ALL(YES) },
	{ NAMES(URI("sip:a.example.org"), DNS("*.example.org")), ONLY_WILDCARD },
	{ NAMES(IP("192.0.2.1"), DNS("sip.example.org")), ALL(YES) },
	{ NAMES(OTHER("ops@example.org"), DNS("sip.example.org")), ALL(YES) },

	/* ---- common names. 5922 7.1 step 2: only without subjectAltName, and a valid DNS name;
	 *      9525 2: never; Lync: the subject counts ---- */
	{ NAMES(CN("sip.example.org")), .no_san = true, EACH(YES, COMMON, COMMON, YES) },
	{ NAMES(CN("Sip.Example.Org")), .no_san = true, EACH(YES, COMMON, COMMON, YES) },
	{ NAMES(CN("sip.example.org"), DNS("sip.example.org")), ALL(YES) },
	{ NAMES(CN("sip.example.org"), DNS("a.example.org")), ONLY_POOL },
	{ NAMES(CN("sip.example.org"), URI("sip:a.example.org")), ONLY_POOL },
	{ NAMES(CN("sip.example.org"), IP("192.0.2.1")), ONLY_POOL },
	{ NAMES(CN("sip.example.org"), OTHER("ops@example.org")), ONLY_POOL },
	{ NAMES(CN("sip.example.org")), ONLY_POOL }, /* an empty subjectAltName appears, too */
	{ NAMES(CN("sip.example.org"), IP("192.0.2.1")), .no_san = true, ONLY_POOL }, /* facts at odds */
	{ NAMES(CN("sip.example.org"), DNS("*.example.org")), EACH(WILD, WILD, YES, YES) },
	{ NAMES(CN("a.example.org"), CN("sip.example.org")), .no_san = true, EACH(YES, COMMON, COMMON, YES) },
	{ NAMES(CN("a.example.org"), DNS("sip.example.org")), ALL(YES) },
	{ NAMES(CN("sip.example.org\0")), .no_san = true, ALL(MISS) },
	{ NAMES(CN("sip.example.org.")), .no_san = true, ALL(MISS) },
	{ NAMES(CN("My SIP server sip.example.org")), .no_san = true, ALL(MISS) },
	{ NAMES(CN("sip:sip.example.org")), .no_san = true, ALL(MISS) },
	{ NAMES(CN("*.example.org")), .no_san = true, ALL(WILD) }, /* 9525 2: no CN, so no wildcard */

	/* ---- kinds that never name a server asked for by a DNS name ---- */
	{ NAMES(IP("192.0.2.1")), ALL(MISS) }, /* 9525 6.4: an address answers for an address */
	{ NAMES(IP("sip.example.org")), ALL(MISS) },
	{ NAMES(DNS("192.0.2.1")), .reference = "192.0.2.1", ALL(MISS) },
	{ NAMES(OTHER("sip.example.org")), ALL(MISS) },
	{ NAMES(OTHER("_sips.sip.example.org")), ALL(MISS) }, /* 9525 6.5: SRV-ID, not asked for */
	{ ALL(MISS) },			  /* an empty subjectAltName */
	{ .no_san = true, ALL(MISS) },	  /* no name at all */

	/* ---- 1,000 names in the subjectAltName: the number changes nothing ---- */
	{ NAMES(DNS("sip.example.org")), .others = 999, ALL(YES) },
	{ NAMES(URI("sip:sip.example.org")), .others = 999, ONLY_URI },
	{ NAMES(URI("sip:a.example.org"), DNS("sip.example.org")), .others = 998, NOT_FOR_URI },
	{ NAMES(DNS("*.example.org")), .others = 999, ONLY_WILDCARD },
	{ NAMES(CN("sip.example.org")), .others = 1000, ONLY_POOL },
	{ .others = 1000, ALL(MISS) },
};

/*
 * Extended key usages, and which of them satisfy: tls (serverAuth of who is dialled, clientAuth of
 * who dials; RFC 5280 4.2.1.12: any stands for all, and no extension restricts nothing), tls-any,
 * sip (RFC 5924 4: MUST NOT be accepted without id-kp-sipDomain; any is left to local policy, which
 * is no), ignore.
 */
enum { P = TRUST_EKU_PRESENT };

static const struct usage {
	uint8_t usage;
	bool inbound, outbound, any, sip;
} usages[] = {
	{ 0, true, true, true, true },
	{ P, false, false, false, false },
	{ P | TRUST_EKU_SERVER, false, true, true, false },
	{ P | TRUST_EKU_CLIENT, true, false, true, false },
	{ P | TRUST_EKU_SERVER | TRUST_EKU_CLIENT, true, true, true, false },
	{ P | TRUST_EKU_SIP, false, false, false, true },
	{ P | TRUST_EKU_SIP | TRUST_EKU_CLIENT, true, false, true, true },
	{ P | TRUST_EKU_ANY, true, true, true, false },
};
/* clang-format on */

static bool usage_holds(const struct usage *usage, enum trust_usage wanted, bool dialled)
{
	switch (wanted) {
	case TRUST_USAGE_TLS:
		return dialled ? usage->outbound : usage->inbound;
	case TRUST_USAGE_TLS_ANY:
		return usage->any;
	case TRUST_USAGE_SIP:
		return usage->sip;
	case TRUST_USAGE_IGNORE:
	case _TRUST_USAGE_MAX:
		break;
	}
	return true;
}

/* ---- one cell ---- */

struct cell {
	const struct shape *shape;
	size_t column;
	const struct usage *usage;
	enum trust_usage wanted;
	bool dialled;
	uint8_t directions;
};

static void world_of(const struct cell *cell, struct world *w, struct trust_name *names)
{
	const struct shape *shape = cell->shape;
	size_t n = 0;

	world_make(w);
	w->entries[PARTNER].name = w->partner.name =
		text(shape->reference ? shape->reference : EXPECTED);
	w->entries[PARTNER].profile = columns[cell->column].profile;
	w->entries[PARTNER].wildcard = columns[cell->column].wildcard;
	w->entries[PARTNER].usage = cell->wanted;
	w->entries[PARTNER].directions = cell->directions;
	w->certs[0].usage = cell->usage->usage;
	if (cell->dialled)
		world_dial(w, PARTNER, 0);
	for (size_t i = 0; i < shape->others; i++)
		names[n++] = name_of(TRUST_NAME_DNS, "other.example.net", 17);
	for (size_t i = 0; i < ARRAY_SIZE(shape->names) && shape->names[i].value; i++)
		names[n++] =
			name_of(shape->names[i].type, shape->names[i].value, shape->names[i].len);
	w->facts.names = names;
	w->facts.n_names = n;
	w->facts.has_san = !shape->no_san;
}

/* Who calls without a name that anybody claims is told so first, whatever else is wrong. */
static bool is_expected(const struct cell *cell, enum reason reason)
{
	enum outcome outcome = cell->shape->outcomes[cell->column];
	uint8_t direction = cell->dialled ? TRUST_OUTBOUND : TRUST_INBOUND;

	if (!cell->dialled && outcome == MISS && reason == REASON_NOT_IN_TOPOLOGY)
		return true;
	if (!usage_holds(cell->usage, cell->wanted, cell->dialled))
		return reason == REASON_KEY_USAGE;
	if (outcome == YES && !(cell->directions & direction))
		return reason == REASON_DIRECTION;
	return reason == reasons[outcome];
}

static void check_cell(const struct cell *cell)
{
	static struct trust_name names[TRUST_NAMES_MAX];
	struct world w;

	world_of(cell, &w, names);
	if (!is_expected(cell, world_judge(&w)))
		fail_msg("shape %td (\"%s\"), %s, usage %#x for %s, %s of %u: %s",
			 cell->shape - shapes, cell->shape->names[0].value,
			 columns[cell->column].name, cell->usage->usage,
			 trust_usage_names[cell->wanted], cell->dialled ? "dialled" : "called",
			 cell->directions, reason_info(w.verdict.reason)->code);
	if (w.verdict.reason == REASON_OK)
		assert_in_range(w.verdict.name - names, cell->shape->others, w.facts.n_names - 1);
}

/* ---- the tests ---- */

/* Every shape by every profile, in both directions. */
static void test_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		for (size_t k = 0; k < 2 * ARRAY_SIZE(columns); k++)
			check_cell(&(struct cell){
				.shape = &shapes[i],
				.column = k / 2,
				.usage = &usages[0],
				.dialled = k % 2 > 0,
				.directions = TRUST_INBOUND | TRUST_OUTBOUND,
			});
	}
}

/* And each of these with every key usage under every rule for it, where it may come and may not. */
static void test_product(void **state)
{
	enum { N = 2 * 4 * _TRUST_USAGE_MAX * ARRAY_SIZE(usages) * ARRAY_SIZE(columns) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		for (size_t k = 0; k < N; k++) {
			size_t rest = k / 2 / 4 / _TRUST_USAGE_MAX;

			check_cell(&(struct cell){
				.shape = &shapes[i],
				.dialled = k % 2 > 0,
				.directions = k / 2 % 4,
				.wanted = (enum trust_usage)(k / 2 / 4 % _TRUST_USAGE_MAX),
				.usage = &usages[rest % ARRAY_SIZE(usages)],
				.column = rest / ARRAY_SIZE(usages),
			});
		}
	}
}

/* What a profile accepts has to be claimed, or who calls would never be judged by it. */
static void test_accepted_is_claimed(void **state)
{
	static struct trust_name names[TRUST_NAMES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct cell cell = { .shape = &shapes[i], .usage = &usages[0] };
		bool covered = false;
		struct world w;

		world_of(&cell, &w, names);
		for (size_t k = 0; k < ARRAY_SIZE(columns); k++)
			covered |= shapes[i].outcomes[k] != MISS;
		if (covered)
			assert_true(trust_entry_claims(&w.entries[PARTNER], &w.facts));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_accepted_is_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
