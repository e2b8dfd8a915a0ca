/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fields - session's views as tables: one row is a member of a view, its name and type on the
 * control socket, and the sentence that describes it there. The same rows make the answers and the
 * interface description, so these cannot disagree.
 */

#include <jansson.h>
#include <siptls/session.h>

enum control_field_kind {
	FIELD_UINT32,
	FIELD_UINT64,
	FIELD_AMOUNT, /* uint64_t; 0, which stands for none, is left out */
	FIELD_BOOL,
	FIELD_STRING,  /* NULL and "" are left out */
	FIELD_WORD,    /* never NULL */
	FIELD_STRINGS, /* array of them with @count; left out if there is none */
	FIELD_TIME,    /* seconds since 1970; 0 and INT64_MAX, which stand for none, are left out */
	FIELD_LEFT,    /* seconds, negative in the past; INT64_MAX is left out */
	FIELD_SINCE, /* time_monotonic_ms() in the past, given as seconds from then; 0: left out */
	FIELD_DECIMAL,	 /* 64 bits as decimal text, for readers whose numbers are floating; 0: left
			    out */
	FIELD_ADDRESS,	 /* left out if none */
	FIELD_DIRECTION, /* bool dialled: "out", "in" */
	FIELD_OUTCOME,	 /* bool ended: "ended", "refused" */
	FIELD_MODE,	 /* bool kernel: "kernel", "user" */
	FIELD_VERSION,	 /* enum ktls_version */
	FIELD_CIPHER,	 /* enum ktls_cipher */
	FIELD_CIPHERS,	 /* uint8_t bits 1 << enum ktls_cipher */
	FIELD_REASON,	 /* enum reason; OK is left out */
	FIELD_VERDICT,	 /* enum reason; OK is told */
	FIELD_ENDED,	 /* uint64_t[_REASON_MAX], those not 0 */
	FIELD_PROGRAM,	 /* our own version; no member */
	FIELD_PART,	 /* an object of its own, made of the same view */
	FIELD_PARTS,	 /* array of objects, made of @count structs of @stride bytes each */
	_FIELD_KIND_MAX,
};

struct control_type;

struct control_field {
	const char *name;
	enum control_field_kind kind;
	size_t offset;
	bool keyed; /* known only once keys are installed */
	const char *text;
	const struct control_type *part; /* FIELD_PART, FIELD_PARTS */
	size_t count;			 /* offset of a size_t */
	size_t stride;
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

/* "?string": the row's type in the interface description. */
#define CONTROL_FIELD_TYPE_SIZE 64
const char *control_field_type(const struct control_field *field,
			       char ret[static CONTROL_FIELD_TYPE_SIZE]);

/* Text that may be no UTF-8, which JSON cannot: then it is escaped. NULL is want of memory. */
json_t *control_text_make(const char *text);

/* ---- explanations: of the daemon about its sessions, of siptlsctl about files ---- */

/* Collects what sessions_explain() and sessions_probe() tell, as objects of these types. */
extern const struct control_type control_type_explanation, control_type_link, control_type_rule;

struct control_explanation {
	json_t *verdict;   /* Explanation; NULL: not told */
	json_t *links;	   /* []Link */
	json_t *rules;	   /* []Rule */
	uint64_t left_out; /* rules, because there are too many for one answer */
	int error;	   /* -ENOMEM */
};

extern const struct session_explain_ops control_explanation_ops; /* userdata: the collection */

int control_explanation_begin(struct control_explanation *ret) _must_check_;
/* Everything as parameters of an answer; takes what was collected. 0 or -ENOMEM. */
int control_explanation_end(struct control_explanation *explanation, json_t **ret) _must_check_;
void control_explanation_done(struct control_explanation *explanation);
