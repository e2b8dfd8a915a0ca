/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The serving side: serve.c (the channel and its messages), serve-plan.c (what to get, and the
 * boards that come of it), serve-reach.c (the files it may read) and serve-requests.c (lookups and
 * previews).
 */

#include "fetch/message.h"
#include "fetch/reach.h"

#include <siptls/loop.h>

struct fetch_sources {
	struct revocation_source *items;
	size_t n;
};

struct fetch_server {
	struct loop *loop;
	struct channel channel;

	/* what to get */
	char *cache; /* "" if there is none; NULL before the first plan */
	bool in_plan;
	struct fetch_sources listed, learned; /* of the plan that is coming in */
	struct revocation_store *store;
	struct revocation_sources *sources;

	/* what it may read; of the first plan, for good */
	struct fetch_reach reach;
	struct fetch_place *places;
	size_t n_places;
	bool renewing; /* the daemon has been asked for the next process */

	/* boards */
	struct loop_source *publish_timer;
	bool publish_due;
	uint64_t published; /* when */

	/* lookups */
	struct dns_config dns_config;
	bool has_dns;
	struct dns *dns; /* NULL: dns_config cannot be used now */
	struct list lookups;

	struct fetch_message message; /* one at a time */
	uint8_t buf[FETCH_MESSAGE_MAX];
};

/* ---- serve.c ---- */

int fetch_server_post(struct fetch_server *s, struct fetch_message *m, int fd) _must_check_;

/* ---- serve-plan.c: each takes what it needs out of the message ---- */

int fetch_server_on_plan(struct fetch_server *s, const char *cache) _must_check_;
int fetch_server_on_issuer(struct fetch_server *s, const struct fetch_issuer *issuer) _must_check_;
int fetch_server_on_source(struct fetch_server *s, struct revocation_source *source) _must_check_;
int fetch_server_on_url(struct fetch_server *s, struct revocation_source *source) _must_check_;
int fetch_server_on_plan_end(struct fetch_server *s) _must_check_;
void fetch_server_plan_done(struct fetch_server *s);

/* ---- serve-reach.c ---- */

/* Enter the sandbox with what s->reach names; @cache (NULL: none) can be used. */
int fetch_server_confine(struct fetch_server *s, const char *cache) _must_check_;
/* Something that the libraries read, or @path (may be NULL), is out of reach but need not be. */
bool fetch_server_has_lost(const struct fetch_server *s, const char *path);
/* Ask for the next process. What is not answered before is asked of that one. */
int fetch_server_renew(struct fetch_server *s) _must_check_;
void fetch_server_reach_done(struct fetch_server *s);

/* ---- serve-requests.c ---- */

int fetch_server_on_dns(struct fetch_server *s, struct dns_config *config) _must_check_;
int fetch_server_on_resolve(struct fetch_server *s, const struct fetch_resolve *m) _must_check_;
int fetch_server_on_cancel(struct fetch_server *s, uint64_t id) _must_check_;
/* @fd: the file, borrowed. */
int fetch_server_on_preview(struct fetch_server *s, const struct fetch_preview *m,
			    int fd) _must_check_;
void fetch_server_requests_done(struct fetch_server *s);
