/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fetch - the process that goes out and gets what others publish: CRLs, DNS answers.
 *
 * One siptls-fetch runs beside the workers. It holds no key and sees no session; what it reads
 * comes from strangers, and what it sends is checked like a stranger's bytes. It is told what to
 * get (a plan: issuers, sources, resolver), answers lookups, and sends a new revocation board
 * whenever something changed. It dies without harm: it is started again, the last board stays,
 * lookups that were under way fail.
 *
 * Called by session. The serving side is the whole of siptls-fetch.
 */

#include <siptls/base.h>
#include <siptls/dns.h>
#include <siptls/loop.h>
#include <siptls/revocation.h>

struct fetch;

struct fetch_ops {
	/* A new board; the callee takes a ref if it keeps it. */
	void (*board)(void *userdata, struct revocation_board *board);
	/* The answer to fetch_resolve(); once, never from inside it. */
	void (*resolved)(void *userdata, uint64_t id, const struct dns_answer *answer);
	/*
	 * The answer to fetch_preview(): a board as it would be, or NULL and why not. Not to be
	 * given to workers.
	 */
	void (*preview)(void *userdata, uint64_t id, struct revocation_board *board,
			const char *detail);
	/* How a source of CRLs fares. */
	void (*source)(void *userdata, const struct revocation_source_event *event);
	/* The process ended unexpectedly (@status as of waitpid) and is started again. */
	void (*died)(void *userdata, pid_t pid, int status);
};

/* What to get. Borrowed; fetch keeps a copy, to tell the next process if this one dies. */
struct fetch_plan {
	const struct fetch_blob {
		const void *data;
		size_t size;
	} * issuers; /* DER: all anchors */
	size_t n_issuers;
	const struct revocation_source *sources;
	size_t n_sources;
	const struct dns_config *dns;
	const char *cache; /* folder for what was fetched; NULL: none */
};

int fetch_new(struct loop *loop, const char *executable, const struct fetch_ops *ops,
	      void *userdata, struct fetch **ret) _must_check_;
struct fetch *fetch_free(struct fetch *fetch); /* NULL is fine */
pid_t fetch_pid(const struct fetch *fetch);    /* 0: not running just now */

/*
 * From now on this is to be got. 0: a board that was made under it will come, as soon as files and
 * cache are read. FETCH_E_UNCHANGED: it is in force already, and no board comes because of it.
 *
 * The process can read the files and folders of its plan alone, and of a file the folder it is in.
 * A plan with others is carried out by another process, which is asked what is still unanswered.
 */
enum { FETCH_E_UNCHANGED = 1 };
int fetch_plan(struct fetch *fetch, const struct fetch_plan *plan) _must_check_;
/*
 * An intermediate of a chain that was verified, and where it says its issuer's and its own
 * revocations are published. Known ones cost nothing. At most FETCH_LEARNED_MAX are kept.
 */
#define FETCH_LEARNED_MAX 1024
int fetch_learn_issuer(struct fetch *fetch, const void *der, size_t size) _must_check_;
int fetch_learn_url(struct fetch *fetch, const char *url) _must_check_;
void fetch_refresh(struct fetch *fetch); /* get everything anew now */

/* resolved() is called with @id, unless fetch_cancel() was called first. */
int fetch_resolve(struct fetch *fetch, uint64_t id,
		  const struct dns_question *question) _must_check_;
void fetch_cancel(struct fetch *fetch, uint64_t id);

/*
 * What the board would be if the CRLs in the file @path (absolute) were known too. It is opened
 * here, so that the process need not be able to: -errno if it cannot be, -EINVAL for what is no
 * regular file, -EFBIG.
 */
int fetch_preview(struct fetch *fetch, uint64_t id, const char *path) _must_check_;

int fetch_serve(int channel_fd) _must_check_; /* until the channel closes */
