/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The last good copy on disk:
 *
 *	current		symbolic link to "a" or "b", the copy that holds
 *	a/, b/		a copy each; the one that does not hold is being written or left over
 *	a/index		what the files are called in the configuration
 *	a/0000...	the files, by their place in the index
 *
 * The link is replaced by rename() when the copy behind it is complete and on the disk, so that
 * there is a whole copy at any time. The index:
 *
 *	siptls-last-good 1
 *	KIND SIZE PATH		one line each; the first is siptlsd.conf, the second the topology
 *	end N
 *
 * Files of kind "identity" are in the index only, so that it is known that they are not missing.
 */

#include <conf/snapshot.h>

#define LAST_GOOD_LINK	"current"
#define LAST_GOOD_INDEX "index"
#define LAST_GOOD_FIRST "siptls-last-good 1"

extern const char *const conf_last_good_kinds[]; /* by enum snapshot_kind, which counts from 1 */

/* "a" or "b" in *ret, which holds 2 characters; false: there is no copy. */
bool conf_last_good_current(int folder, char ret[static 2]);

/* Name of file @i. */
#define LAST_GOOD_NAME_SIZE 16
void conf_last_good_name(size_t i, char ret[static LAST_GOOD_NAME_SIZE]);
