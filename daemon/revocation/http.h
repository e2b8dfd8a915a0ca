/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* http - GET over http: and https:, a few at a time, within limits; libcurl on our loop. */

#include <siptls/loop.h>

#define HTTP_PARALLEL_MAX 4
#define HTTP_TIMEOUT_MS	  30000 /* of a whole transfer */
/* Of these, those that strangers make us ask for; and one of a host at a time. */
#define HTTP_LEARNED_PARALLEL_MAX 2
#define HTTP_LEARNED_TIMEOUT_MS	  10000
#define HTTP_TAG_MAX		  256 /* bytes of an ETag or a date that is sent back */

struct revocation_http;
struct http_request;

struct http_result {
	const char *error; /* NULL: it went well */
	bool unchanged;	   /* 304: what was fetched earlier still holds */
	const void *data;  /* of a 200 */
	size_t size;
	const char *etag, *modified; /* "" if the server gave none */
};

/* The request is over; it is freed after @fn. -errno ends the loop. */
typedef int (*http_fn)(void *userdata, const struct http_result *result);

/*
 * Which request goes first, asked when one can be started: 0 is what the administrator wants,
 * anything else was learned from strangers, and the smaller the sooner.
 */
typedef uint32_t (*http_rank_fn)(const void *userdata);

struct http_rules {
	uint32_t timeout_ms, learned_timeout_ms;
	http_rank_fn rank;
};

int revocation_http_new(struct loop *loop, const struct http_rules *rules,
			struct revocation_http **ret) _must_check_;
struct revocation_http *revocation_http_free(struct revocation_http *http); /* cancels all */

/* @etag and @modified as of the last time, "" if unknown. @fn is called from the loop, once. */
int revocation_http_get(struct revocation_http *http, const char *url, const char *etag,
			const char *modified, http_fn fn, void *userdata,
			struct http_request **ret) _must_check_;
/* @fn is not called any more. NULL is fine; returns NULL. */
struct http_request *revocation_http_cancel(struct http_request *request);
