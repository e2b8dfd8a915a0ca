/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * method - the table of methods: what each is called, takes, gives, whom it is for and what carries
 * it out. Parameters are checked by the table before the method runs, and the interface description
 * is made of the same rows.
 */

#include "exchange.h"
#include "fields.h"

enum control_parameter_type {
	PARAMETER_ID,	  /* integer, not negative */
	PARAMETER_IDS,	  /* array of them */
	PARAMETER_STRING, /* not empty */
	PARAMETER_BOOL,
	_PARAMETER_TYPE_MAX,
};

struct control_parameter {
	const char *name; /* NULL: none */
	enum control_parameter_type type;
	bool optional;
};

#define CONTROL_PARAMETERS_MAX 3

struct control_method {
	const char *name; /* with its interface: "org.siptls.GetSession" */
	enum control_right right;
	int (*run)(struct control_exchange *x); /* again for each part of a stream */
	struct control_parameter parameters[CONTROL_PARAMETERS_MAX];
	const char *returns; /* "session: Session" */
	const char *text;
};

extern const struct control_method control_methods[]; /* ends with a NULL name */

const struct control_method *control_method_find(const char *name);

/* The name of the first parameter that is wrong, missing or unknown; NULL: all in order. */
const char *control_method_check(const struct control_method *method, json_t *parameters);

/* ---- what the methods are built of ---- */

int control_get_info(struct control_exchange *x);
int control_get_interface_description(struct control_exchange *x);

int control_get_summary(struct control_exchange *x);
int control_list_warnings(struct control_exchange *x);
int control_list_sessions(struct control_exchange *x);
int control_get_session(struct control_exchange *x);
int control_close_sessions(struct control_exchange *x);
int control_list_peers(struct control_exchange *x);
int control_list_ports(struct control_exchange *x);
int control_lookup_backend(struct control_exchange *x);
int control_list_refusals(struct control_exchange *x);
int control_explain(struct control_exchange *x);
int control_probe(struct control_exchange *x);

int control_list_entries(struct control_exchange *x);
int control_get_entry(struct control_exchange *x);
int control_list_blocks(struct control_exchange *x);
int control_list_certificates(struct control_exchange *x);
int control_list_crls(struct control_exchange *x);
int control_list_sources(struct control_exchange *x);
int control_refresh_revocation(struct control_exchange *x);

int control_reload(struct control_exchange *x);
int control_stage(struct control_exchange *x);
int control_commit(struct control_exchange *x);
int control_abort(struct control_exchange *x);
int control_preview(struct control_exchange *x);

/* What a call keeps while its answer is made. */
struct control_preview *control_preview_free(struct control_preview *preview); /* NULL is fine */
struct control_probe *control_probe_free(struct control_probe *probe);	       /* NULL is fine */

/* ---- interfaces ---- */

struct control_error {
	const char *name; /* without the interface */
	const char *parameters;
	const char *text;
};

struct control_interface {
	const char *name;
	const char *text;
	const struct control_type *const *types;
	const struct control_error *errors;
};

extern const struct control_interface control_interfaces[]; /* ends with a NULL name */

/* NULL: no such interface. @name need not end after @len bytes. */
const struct control_interface *control_interface_find(const char *name, size_t len);

/* The description in the Varlink language. 0 or -ENOMEM. */
int control_interface_describe(const struct control_interface *interface, char **ret) _must_check_;
const char *control_parameter_type_name(const struct control_parameter *parameter);
