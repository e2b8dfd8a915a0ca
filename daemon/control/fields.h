/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fields - session's views as tables: one row is a member of a view, its name and type on the
 * control socket, and the sentence that describes it there. The same rows make the answers and the
 * interface description, so these cannot disagree.
 */

#include <jansson.h>
#include <siptls/base.h>

enum control_field_kind {
	FIELD_UINT32,
	FIELD_UINT64,
	FIELD_BOOL,
	FIELD_STRING, /* NULL and "" are left out */
	FIELD_TIME,   /* seconds since 1970; 0 is left out */
	FIELD_SINCE,  /* time_monotonic_ms() in the past, given as seconds from then; 0: left out */
	FIELD_DECIMAL,	 /* 64 bits as decimal text, for readers whose numbers are floating; 0: left
			    out */
	FIELD_ADDRESS,	 /* left out if none */
	FIELD_STATE,	 /* enum session_state */
	FIELD_DIRECTION, /* bool dialled: "out", "in" */
	FIELD_MODE,	 /* bool kernel: "kernel", "user" */
	FIELD_VERSION,	 /* enum ktls_version */
	FIELD_CIPHER,	 /* enum ktls_cipher */
	FIELD_CIPHERS,	 /* uint8_t bits 1 << enum ktls_cipher */
	FIELD_REASON,	 /* enum reason; OK is left out */
	FIELD_ENDED,	 /* uint64_t[_REASON_MAX], those not 0 */
	FIELD_PROGRAM,	 /* our own version; no member */
	FIELD_PART,	 /* an object of its own, made of the same view */
	_FIELD_KIND_MAX,
};

struct control_type;

struct control_field {
	const char *name;
	enum control_field_kind kind;
	size_t offset;
	bool keyed; /* known only once keys are installed */
	const char *text;
	const struct control_type *part; /* FIELD_PART */
};

/* A type of the interface: its rows end with a NULL name. */
struct control_type {
	const char *name;
	const struct control_field *fields;
};

struct control_moment {
	uint64_t now_ms; /* time_monotonic_ms() */
	bool keyed;	 /* rows marked keyed are known */
};

/* The object that the rows of @type make of @view. 0 or -ENOMEM. */
int control_fields_make(const struct control_type *type, const void *view,
			const struct control_moment *moment, json_t **ret) _must_check_;

/* "?string": the row's type in the interface description; never NULL. */
const char *control_field_type(const struct control_field *field);

/* Text that may be no UTF-8, which JSON cannot: then it is escaped. NULL is want of memory. */
json_t *control_text_make(const char *text);
