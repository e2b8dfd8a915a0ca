/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* types - what the interface org.siptls shows, as tables of fields. */

#include <siptls/session.h>

#include "fields.h"

/* Rows of a table: name, kind, offset of the member, description. */
#define CONTROL_ALWAYS(n, k, o, t)                                                                 \
	{                                                                                          \
		.name = n, .kind = k, .offset = o, .text = t                                       \
	}
/* Of a member that is known only in some states. */
#define CONTROL_KEYED(n, k, o, t)                                                                  \
	{                                                                                          \
		.name = n, .kind = k, .offset = o, .text = t, .keyed = true                        \
	}
#define CONTROL_PART(n, p, t)                                                                      \
	{                                                                                          \
		.name = n, .kind = FIELD_PART, .part = p, .text = t                                \
	}
#define CONTROL_STRINGS(n, o, c, t)                                                                \
	{                                                                                          \
		.name = n, .kind = FIELD_STRINGS, .offset = o, .count = c, .text = t               \
	}
#define CONTROL_PARTS(n, p, s, o, c, t)                                                            \
	{                                                                                          \
		.name = n, .kind = FIELD_PARTS, .part = p, .stride = s, .offset = o, .count = c,   \
		.text = t                                                                          \
	}

extern const struct control_type control_type_session, control_type_peer, control_type_port,
	control_type_summary, control_type_counts, control_type_totals, control_type_kernel,
	control_type_refusal, control_type_ending, control_type_entry, control_type_member,
	control_type_block, control_type_certificate, control_type_crl, control_type_source;

struct control_port {
	const char *via;
	const char *kind; /* "listen", "dial" */
	struct net_addr address;
};

/* A session that would end. */
struct control_ending {
	struct session_view session;
	enum reason reason;
};

/* A struct trust_rule_view with words in the place of numbers. */
struct control_rule {
	const char *entry, *rule, *outcome, *detail;
	enum reason reason;
};

/* What is never trusted: one of the two. */
struct control_block {
	const char *name, *fingerprint;
};

/* Views whose members are words: filled by these functions, and borrowed from what they are of. */
struct control_entry {
	const struct trust_entry *entry;
	const char *name, *owner, *kind, *revocation, *profile, *usage, *direction, *locate, *rate;
	const char *const *anchor_files, *const *crl_files, *const *crl_urls, *const *domains;
	size_t n_anchor_files, n_crl_files, n_crl_urls, n_domains;
	const struct trust_member *members;
	size_t n_members;
	bool self, internal, wildcard, tls12, crl_fetch;
	uint32_t anchors, port, crl_grace_s, sessions_in, sessions_out, line;
	uint64_t rate_bytes, rate_burst;
};

struct control_certificate {
	const char *kind, *owner, *subject, *issuer, *serial;
	char fingerprint[2 * 32 + 1];
	const char *fingerprint_text;
	int64_t not_before, not_after, left_s;
	bool warned;
};

struct control_crl {
	struct revocation_crl_view crl;
	const char *state;
};

void control_entry_fill(const struct session_entry_view *view, struct control_entry *ret);
/* @name is the entry's or that of a member. */
bool control_entry_is(const struct trust_entry *entry, const char *name);
void control_certificate_fill(const struct session_certificate_view *view,
			      struct control_certificate *ret);

int control_session_make(const struct session_view *view, uint64_t now_ms,
			 json_t **ret) _must_check_;
int control_summary_make(const struct sessions_summary *summary, uint64_t now_ms,
			 json_t **ret) _must_check_;
