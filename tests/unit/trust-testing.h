/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A small network in which everything is in order, for tests of trust to break one thing in: a
 * site with a pool and an application, two partners, and a peer with a leaf and an intermediate.
 * Every set of anchors wants to know about revocation, and all of it is known.
 */

#include <siptls/trust.h>

#define NOW  INT64_C(1800000000)
#define DAY  INT64_C(86400)
#define YEAR (365 * DAY)

enum { SITE, CONTOSO, FABRIKAM, N_ANCHORS, GUESTS = N_ANCHORS };
enum { POOL, GATEWAY, PARTNER, OTHER, N_ENTRIES, GUEST = N_ENTRIES };

struct world {
	struct trust_anchors anchors[N_ANCHORS + 1];
	struct trust_member members[2], gateway, partner, other;
	struct trust_entry entries[N_ENTRIES + 1];
	struct trust_policy policy;
	char *blocked[2];
	uint8_t blocked_fingerprints[2][32];
	struct trust_certificate certs[3];
	struct trust_name names[4];
	struct trust_path paths[6];
	struct trust_facts facts;
	struct trust_question question;
	struct trust_verdict verdict;
};

/* The structures own their strings; those of a test are literals and never freed. */
static inline char *text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

static inline struct trust_name name_of(enum trust_name_type type, const char *value, size_t len)
{
	return (struct trust_name){ .type = type, .len = (uint32_t)len, .value = text(value) };
}

static inline void world_entry(struct world *w, uint32_t entry, const char *name,
			       enum trust_kind kind, uint32_t anchors, struct trust_member *members,
			       size_t n_members)
{
	w->entries[entry] = (struct trust_entry){
		.name = text(name),
		.kind = kind,
		.anchors = anchors,
		.members = members,
		.n_members = n_members,
		.port = 5061,
		.rate = TRUST_RATE_NONE,
		.profile = kind == TRUST_POOL ? TRUST_POOL_NAMES : TRUST_RFC9525,
		.usage = TRUST_USAGE_TLS,
		.directions = TRUST_INBOUND | TRUST_OUTBOUND,
	};
}

/* A list that tells that its certificate is good, and will for another day. */
static inline struct trust_link link_good(void)
{
	return (struct trust_link){
		.status = TRUST_STATUS_GOOD,
		.this_update = NOW - DAY,
		.next_update = NOW + DAY,
	};
}

static inline void world_peer(struct world *w, uint32_t anchors)
{
	w->certs[0] = (struct trust_certificate){
		.subject = text("CN=peer"),
		.issuer = text("CN=issuing"),
		.serial = text("0A"),
		.fingerprint = { 0xab, 0xcd },
		.not_before = NOW - DAY,
		.not_after = NOW + DAY,
		.version = 3,
		.key = TRUST_KEY_EC,
		.key_bits = 256,
		.usage = TRUST_EKU_PRESENT | TRUST_EKU_SERVER | TRUST_EKU_CLIENT,
	};
	w->certs[1] = (struct trust_certificate){
		.subject = text("CN=issuing"),
		.issuer = text("CN=root"),
		.serial = text("0B"),
		.not_before = NOW - YEAR,
		.not_after = NOW + YEAR,
		.version = 3,
		.key = TRUST_KEY_RSA,
		.key_bits = 2048,
		.is_ca = true,
	};
	w->certs[2] = w->certs[1];
	w->paths[0] = (struct trust_path){
		.anchors = anchors,
		.outcome = TRUST_CHAIN_OK,
		.certs = { 0, 1 },
		.n_certs = 2,
		.links = { link_good(), link_good() },
		.anchor_subject = text("CN=root"),
		.anchor_not_before = NOW - 2 * YEAR,
		.anchor_not_after = NOW + 2 * YEAR,
	};
	w->facts = (struct trust_facts){
		.certs = w->certs,
		.n_certs = 2,
		.names = w->names,
		.n_names = 1,
		.has_san = true,
		.paths = w->paths,
		.n_paths = 1,
	};
}

/* A partner's server calls, over TLS 1.3, with a certificate that is right. */
static inline void world_make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->anchors[SITE] = (struct trust_anchors){ .name = text("headquarters"), .internal = true };
	w->anchors[CONTOSO] = (struct trust_anchors){ .name = text("contoso") };
	w->anchors[FABRIKAM] = (struct trust_anchors){ .name = text("fabrikam") };
	w->anchors[GUESTS] = (struct trust_anchors){ .name = text("guests") };
	for (size_t i = 0; i < ARRAY_SIZE(w->anchors); i++)
		w->anchors[i].revocation = TRUST_REVOCATION_REQUIRE;
	w->members[0].name = text("a.hq.example");
	w->members[1].name = text("b.hq.example");
	w->gateway.name = text("gw.hq.example");
	w->partner.name = text("sip.contoso.example");
	w->other.name = text("sip.fabrikam.example");
	world_entry(w, POOL, "pool.hq.example", TRUST_POOL, SITE, w->members, 2);
	world_entry(w, GATEWAY, "gw.hq.example", TRUST_APPLICATION, SITE, &w->gateway, 1);
	world_entry(w, PARTNER, "sip.contoso.example", TRUST_SERVER, CONTOSO, &w->partner, 1);
	world_entry(w, OTHER, "sip.fabrikam.example", TRUST_SERVER, FABRIKAM, &w->other, 1);
	w->policy = (struct trust_policy){
		.anchors = w->anchors,
		.n_anchors = N_ANCHORS,
		.entries = w->entries,
		.n_entries = N_ENTRIES,
		.depth = 2,
	};
	world_peer(w, CONTOSO);
	w->names[0] = name_of(TRUST_NAME_DNS, "sip.contoso.example", 19);
	w->question = (struct trust_question){
		.version = KTLS_TLS13,
		.entry = TRUST_ENTRY_ANY,
		.now = NOW,
	};
}

/* From now on whoever the guests' CA vouches for may call; the caller is one of them. */
static inline void world_open(struct world *w)
{
	w->policy.n_anchors++;
	w->policy.n_entries++;
	world_entry(w, GUEST, "guests", TRUST_DISCOVERED, GUESTS, NULL, 0);
	w->entries[GUEST].directions = TRUST_INBOUND;
	w->paths[0].anchors = GUESTS;
	w->names[0] = name_of(TRUST_NAME_DNS, "sip.guest.example", 17);
}

static inline void world_block(struct world *w, const char *name)
{
	w->policy.blocked = w->blocked;
	w->blocked[w->policy.n_blocked++] = text(name);
}

static inline enum reason world_judge(struct world *w)
{
	trust_judge(&w->policy, &w->facts, &w->question, &w->verdict);
	return w->verdict.reason;
}

static inline void world_dial(struct world *w, uint32_t entry, uint32_t member)
{
	w->question.dialled = true;
	w->question.entry = entry;
	w->question.member = member;
}
