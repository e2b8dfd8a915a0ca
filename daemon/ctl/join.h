/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * join - the daemon's table of sessions against the kernel's own list of sockets, by socket cookie:
 * the proof that the kernel encrypts what siptlsd says it does.
 */

#include <control/codec.h>
#include <sys/types.h>

struct ctl_join {
	json_t *rows;	     /* sessions with "kernel_verified", then sockets without a session */
	json_int_t sessions; /* of @rows */
	json_int_t kernel;   /* of them, seen in the kernel as told */
	json_int_t disagree;
};

/*
 * @before and @after are the sessions as listed before and after the kernel was asked for
 * @sockets: only sessions in both lived all the while, and only these are judged. Sockets of user
 * *@uid that neither list knows are told (NULL: are not), and are no disagreement: another daemon
 * may own them.
 * 0 or -ENOMEM.
 */
int ctl_join_make(const json_t *before, const json_t *after, const json_t *sockets,
		  const uid_t *uid, struct ctl_join *ret) _must_check_;

/* The sockets, told by `siptls-kmod sockets --json`. 0, CTL_FAILED or -errno. */
int ctl_kernel_sockets(json_t **ret) _must_check_;
