/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox - what a process gives up before it reads strangers' bytes.
 *
 * Called by worker, inside siptls-handshake, and by fetch, inside siptls-fetch. Uses libseccomp and
 * Landlock, which no other module includes.
 */

#include <siptls/base.h>

/*
 * Sanitizers' runtimes open files, map memory and trace their own process at any time: in such
 * builds the filters are not entered and the process stays traceable. Coverage writes its files at
 * the end and cannot be seen here: build it with -DSANDBOX_AVAILABLE=0.
 */
#ifndef SANDBOX_AVAILABLE
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_AVAILABLE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define SANDBOX_AVAILABLE 0
#else
#define SANDBOX_AVAILABLE 1
#endif
#else
#define SANDBOX_AVAILABLE 1
#endif
#endif

/* At the start of a process that will hold keys: no core dumps, no ptrace by others, no gain of
 * privileges by execution. */
int sandbox_protect_memory(void) _must_check_;

/*
 * For a handshake process, after it has read its configuration: no file system, no new network
 * connections, no new processes; only what handshakes on given sockets need. For good.
 */
int sandbox_enter_handshake(void) _must_check_;

/*
 * For the fetch process, before it has threads and before it reads what strangers publish: no
 * execution, no new processes, nothing loaded, sockets of the internet alone. As far as
 * the kernel has Landlock, files are read and written in @folder (NULL: nowhere), which must be
 * there, and read where @read says: files, and folders with all beneath them, as they are now. What
 * is not there is passed over. For good.
 */
int sandbox_enter_fetch(const char *folder, const char *const *read, size_t n_read) _must_check_;
