/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <siptls/base.h>
#include <sys/types.h>

/*
 * Start @executable as a worker: its channel and @snapshot_fd at their fixed numbers, no
 * environment, default signals. *ret_channel is our end.
 */
int worker_spawn(const char *executable, int snapshot_fd, int *ret_channel,
		 pid_t *ret_pid) _must_check_;
