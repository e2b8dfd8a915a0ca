/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Words for people about facts, shared by the line of a verdict (text.c) and the details of its
 * rules (detail.c). What a peer chose is escaped and cut.
 */

#include <trust/rules.h>

/* The text of a distinguished name or a serial number, in quotes; NULL is an empty one. */
void trust_text_quoted(struct text *t, const char *string);

/* "2026-11-23T20:59:37Z"; INT64_MAX, which no certificate can name, is "never". */
void trust_text_time(struct text *t, int64_t when);

void trust_text_fingerprint(struct text *t, const uint8_t fingerprint[static 32]);
void trust_text_name(struct text *t, const struct trust_name *name);
void trust_text_found(struct text *t, const struct trust_facts *facts);
void trust_text_expected(struct text *t, const struct trust_entry *entry,
			 const struct trust_question *question);

/* "partner contoso" */
void trust_text_anchors(struct text *t, const struct trust_policy *policy, uint32_t anchors);

/* "certificate 1 of 2 \"CN=...\"", by its place in the path. */
void trust_text_place(struct text *t, const struct trust_judgement *j, size_t place);

/* "revoked since 2026-... (keyCompromise), by a list of 2026-..." */
void trust_text_link(struct text *t, const struct trust_link *link, enum trust_standing standing);

void trust_text_leaf(struct text *t, const struct trust_certificate *leaf);

/* What on the list met what of the peer. */
void trust_text_block(struct text *t, const struct trust_block *block);
