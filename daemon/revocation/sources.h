/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* sources - what files.c and urls.c share: one source each, and what it tells. */

#include <revocation/http.h>
#include <revocation/watch.h>
#include <siptls/revocation.h>

#define SOURCE_DIGEST_SIZE 32

/* One file of a source: the file itself, or one in its folder. */
struct source_file {
	struct list node;
	char *path;
	/* as of when it was read */
	uint64_t device, inode, size;
	struct timespec modified, changed;
	int64_t read_at;
	uint8_t digest[SOURCE_DIGEST_SIZE];
	uint32_t failures;
	bool good; /* @digest is of what the store has */
	bool seen; /* in this scan */
};

struct source {
	struct list node;
	struct revocation_sources *sources;
	enum revocation_source_kind kind;
	char *location;
	bool configured, learnt;
	uint32_t failures;
	/* REVOCATION_SOURCE_PATH */
	struct list files;
	int told; /* errno that was told last; -1: nothing was */
	/* REVOCATION_SOURCE_URL */
	bool started;
	struct loop_source *timer;
	struct http_request *request;
	char etag[HTTP_TAG_MAX], modified[HTTP_TAG_MAX];
	uint8_t digest[SOURCE_DIGEST_SIZE];
};

struct revocation_sources {
	struct loop *loop;
	struct revocation_store *store;
	char *cache;
	const struct revocation_sources_ops *ops;
	void *userdata;
	struct list list;
	size_t n;
	struct revocation_watch *watch;
	struct revocation_http *http;
	struct loop_source *defer; /* changed() is going to be called */
	int cache_told;		   /* errno */
	bool anew;		   /* read files also if they seem not to have changed */
};

/* The store has no lists of the file @path any more: whoever else reads it has to do so anew. */
void revocation_sources_unread(struct revocation_sources *sources, const char *path);
/* The store has changed. */
int revocation_sources_changed(struct revocation_sources *sources) _must_check_;
void revocation_source_tell(const struct revocation_sources *sources, const char *location,
			    const char *detail, uint32_t failures, int64_t next_s);

/* ---- files ---- */

/* Look at the source's file or folder, read what is new. 0 or -errno. */
int revocation_source_scan(struct source *source, bool anew) _must_check_;
void revocation_source_watch(struct source *source);
/* All, or those that the last scan did not see: was there any? */
bool revocation_source_forget_files(struct source *source, bool all);

/* ---- URLs ---- */

int revocation_source_start(struct source *source) _must_check_;
int revocation_source_fetch(struct source *source) _must_check_;
void revocation_source_stop(struct source *source);

/* Seconds until the next attempt, without chance in it (urls.c). */
int64_t revocation_source_delay(int64_t now, int64_t fetched_at, int64_t this_update,
				int64_t next_update);
int64_t revocation_source_backoff(uint32_t failures);
