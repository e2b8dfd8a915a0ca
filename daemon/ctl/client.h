/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* client - calls to siptlsd, one after the other, each with a time limit. Complains by itself. */

#include <control/codec.h>
#include <siptls/ctl.h>

#include <sys/types.h>

struct ctl_client;

/* 0, CTL_FAILED or -errno. */
int ctl_client_open(const char *path, struct ctl_client **ret) _must_check_;
struct ctl_client *ctl_client_free(struct ctl_client *client); /* NULL is fine */
void ctl_client_freep(struct ctl_client **client);

/* The user that listens at the other end. 0 or -errno. */
int ctl_client_server(const struct ctl_client *client, uid_t *ret) _must_check_;

/*
 * Call @method ("GetSummary", of org.siptls); @parameters is taken over, NULL stands for want of
 * memory. *ret are the parameters of the answer. 0, CTL_FAILED or -errno.
 */
int ctl_call(struct ctl_client *client, const char *method, json_t *parameters,
	     json_t **ret) _must_check_;

/* The same for a list that may come in parts: *ret is the whole array @name. */
int ctl_call_list(struct ctl_client *client, const char *method, json_t *parameters,
		  const char *name, json_t **ret) _must_check_;

/*
 * For an answer with several lists: *ret has the array of each of @names (up to a NULL) whole, and
 * nothing else.
 */
int ctl_call_lists(struct ctl_client *client, const char *method, json_t *parameters,
		   const char *const *names, json_t **ret) _must_check_;
