/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * book - what siptls-fetch has been told to get, as the messages that tell it: so that it can be
 * told again when it was started anew, and two plans are the same when their bytes are.
 */

#include "fetch/message.h"

#include <siptls/fetch.h>

/* One message after the other, each after its length. */
struct fetch_bytes {
	uint8_t *data;
	size_t size;
};

/* Messages of one kind, each once; when there are too many the newest takes the oldest's place. */
struct fetch_learned {
	struct fetch_bytes items[FETCH_LEARNED_MAX];
	size_t n;
	size_t oldest; /* when it is full */
};

/*
 * Of what siptls-fetch may speak. It says which files there are in a folder, so that not all names
 * are known beforehand; but it must not fill our memory with names.
 */
#define FETCH_NAMES_MAX REVOCATION_CRLS_MAX /* that no plan gave */

struct fetch_names {
	void *tree;
	size_t n; /* that no plan gave */
};

/* 0, 1: there are too many that no plan gave, or -errno. */
enum { FETCH_NAMES_FULL = 1 };
int fetch_names_add(struct fetch_names *names, const char *name, bool planned) _must_check_;
int fetch_names_plan(struct fetch_names *names, const struct fetch_plan *plan) _must_check_;
void fetch_names_done(struct fetch_names *names);

/* The messages of a plan but for its end. 0 or -errno; -EMSGSIZE: something in it is too long. */
int fetch_bytes_plan(const struct fetch_plan *plan, struct fetch_bytes *ret) _must_check_;
bool fetch_bytes_equal(const struct fetch_bytes *a, const struct fetch_bytes *b);
void fetch_bytes_done(struct fetch_bytes *bytes);
/* The next message from *at on; false: there is none. */
bool fetch_bytes_next(const struct fetch_bytes *bytes, size_t *at, const uint8_t **ret,
		      size_t *ret_size);

/* 0: it is known already; 1: it is now, and in *ret; or -errno. */
enum { FETCH_LEARNED_NEW = 1 };
int fetch_learned_add(struct fetch_learned *learned, struct fetch_message *message,
		      const struct fetch_bytes **ret) _must_check_;
void fetch_learned_done(struct fetch_learned *learned);
