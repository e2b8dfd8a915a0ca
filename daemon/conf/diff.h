/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How two configurations are compared: each becomes a list of objects (an entry, an address of a
 * listener, a CA file...), which tables describe; objects of the same kind, owner and name are the
 * same object, and what differs is told field by field.
 */

#include <conf/conf-private.h>

/* A value that is told when it changes: where it is in its struct, and how it is shown. */
struct diff_field {
	const char *name;
	size_t offset, size;
	void (*show)(const struct conf *conf, const struct diff_field *field, const void *object,
		     struct text *ret);
	const char *const *words;
};

struct diff_kind {
	const char *word;	    /* what an object of this kind is called; NULL: as its owner */
	const char *adds, *removes; /* verbs in the place of "adds" and "removes" with the word */
	const struct diff_field *fields;
	bool settings; /* there is always one: it comes and goes unsaid */
	bool always;   /* told also when its owner comes or goes with it */
};

/* In this order they are told; owners stand before what they own. */
enum diff_kind_index {
	DIFF_SETTINGS,
	DIFF_LIMITS,
	DIFF_DNS,
	DIFF_DNS_SERVER,
	DIFF_CONTROL,
	DIFF_IDENTITY,
	DIFF_LISTEN,
	DIFF_LISTEN_ADDRESS,
	DIFF_LISTEN_IDENTITY,
	DIFF_DIAL,
	DIFF_DIAL_ADDRESS,
	DIFF_TOPOLOGY,
	DIFF_BLOCK,
	DIFF_BLOCK_CERTIFICATE,
	DIFF_RATE,
	DIFF_SITE,
	DIFF_PARTNER,
	DIFF_DISCOVERED,
	DIFF_ANCHOR_FILE,
	DIFF_CRL_FILE,
	DIFF_CRL_URL,
	DIFF_ENTRY, /* and one for each enum trust_kind from here on */
	DIFF_MEMBER = DIFF_ENTRY + _TRUST_KIND_MAX,
	DIFF_OWN_MEMBER, /* the entry itself */
	DIFF_SIP_DOMAIN,
	_DIFF_MAX,
};

extern const struct diff_kind conf_diff_kinds[];
