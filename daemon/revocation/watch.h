/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * watch - tells that something in a folder may have changed: at once by inotify, and each minute
 * in case inotify does not see it (network file systems, targets of symbolic links, no inotify).
 */

#include <siptls/loop.h>

#define WATCH_POLL_MS 60000

struct revocation_watch;

int revocation_watch_new(struct loop *loop, int (*fn)(void *userdata), void *userdata,
			 struct revocation_watch **ret) _must_check_;
struct revocation_watch *revocation_watch_free(struct revocation_watch *watch);
/* Again and again is fine, and so is a folder that is not there. */
void revocation_watch_folder(struct revocation_watch *watch, const char *path);
void revocation_watch_clear(struct revocation_watch *watch);
/* Call @fn from the loop soon; if that cannot be arranged, within the minute. */
void revocation_watch_poke(struct revocation_watch *watch);
