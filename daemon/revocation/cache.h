/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * cache - what was fetched, by URL, in a folder: so that a restart knows it before the network
 * answers, and an old list that the network gives then is known to be old.
 */

#include <siptls/base.h>

/* The file of @url in @folder (NULL: there is no cache): 0, or -errno; the caller frees. */
int revocation_cache_read(const char *folder, const char *url, void **ret, size_t *ret_size,
			  int64_t *ret_written_s) _must_check_;
int revocation_cache_write(const char *folder, const char *url, const void *data,
			   size_t size) _must_check_;
void revocation_cache_drop(const char *folder, const char *url);

/* A regular file, at most @max bytes of it: -EFBIG if it has more. */
int revocation_file_read(int fd, size_t max, void **ret, size_t *ret_size) _must_check_;
