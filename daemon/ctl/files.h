/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * files - a certificate in files, judged: what `verify` and `explain --chain` have in common. The
 * facts come from the tls module, what is known of revocation from CRLs that are read here, and
 * the verdict from trust.
 */

#include <siptls/session.h>

#include "options.h"

#define CTL_FILES_MAX 64

struct ctl_files {
	char *names[CTL_FILES_MAX];
	size_t n;
};

/* 0 or CTL_USAGE. */
int ctl_files_add(const char *command, struct ctl_files *files, char *name) _must_check_;

struct ctl_case {
	const struct trust_policy *policy; /* borrowed */
	struct revocation_store *store;
	struct revocation_board *board;
	struct trust_facts facts;
};

int ctl_case_new(const struct trust_policy *policy, struct ctl_case *ret) _must_check_;
void ctl_case_done(struct ctl_case *c);

/*
 * The CRLs in the file @path, or with @folder in those of the folder, DER or PEM. 0, CTL_FAILED
 * with one line in @why, or -errno. Of a folder everything that can be read is taken.
 */
int ctl_case_crl(struct ctl_case *c, const char *path, struct text *why) _must_check_;
int ctl_case_crl_folder(struct ctl_case *c, const char *folder, struct text *why) _must_check_;

/* Read the certificates and find what is known of them. 0, CONF_E_INVALID or -errno. */
int ctl_case_read(struct ctl_case *c, const struct ctl_files *chain,
		  struct conf_error *reterr) _must_check_;

/* The verdict's chain, or as far as one was found, from the leaf to the anchor. */
void ctl_case_links(const struct ctl_case *c, const struct trust_verdict *verdict, int64_t now,
		    void (*fn)(void *userdata, const struct session_link_view *link),
		    void *userdata);
