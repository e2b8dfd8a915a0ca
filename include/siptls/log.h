/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * log - the operator's lines: structured journal fields, or plain text on stderr elsewhere.
 *
 * Called by mains, session and control only (libraries do not log); each event is logged once. No
 * field can hold a secret. Message ids are explained in systemd/siptls.catalog.
 */

#include <siptls/base.h>
#include <syslog.h>

/* One id per kind of event, for `journalctl MESSAGE_ID=`. */
#define LOG_ID_STARTED	     "7b5d3a6e1c0f4f0e9d1a3b5c7e9f1a2b"
#define LOG_ID_STOPPING	     "0c8e2f4a6b1d4c3e8f5a7b9d1e3f5a7c"
#define LOG_ID_RELOADED	     "5e1f3a5b7c9d4e2f8a1b3c5d7e9f0b2d"
#define LOG_ID_RELOAD_FAILED "9a2c4e6f8b1d4f3a8c5e7b9d2f4a6c8e"
#define LOG_ID_SESSION_OPEN  "2f4b6d8e0a1c4e5f9b3d5f7a8c0e2b4d"
#define LOG_ID_SESSION_END   "6d8f0b2e4c1a4b7d8e9f1a3c5b7d9f0e"
#define LOG_ID_REFUSED	     "c1e3a5b7d9f04a2c8e4b6d8f0a1c3e5d"
#define LOG_ID_FALLBACK	     "e7a9c1d3f5b04c6e9d8f0a2b4c6e8d0f"
#define LOG_ID_WORKER	     "b3d5f7a9c1e04d8f8a0b2c4d6e8f0a1b"
#define LOG_ID_LAST_GOOD     "4a6c8e0f2b4d4f6a8c1e3a5b7d9f1c3e"
#define LOG_ID_EXPIRY	     "8c0e2a4b6d8f4a1c9e3b5d7f9a1c3e5b"
#define LOG_ID_REVOCATION    "d5f7b9c1a3e54b6d8f0a2c4e6b8d0f2a"
#define LOG_ID_TRUST_LOST    "a1c3e5b7d9f14c3e8b5d7f9a1c3e5b7d"

struct log_field {
	const char *name;  /* "SIPTLS_SESSION" */
	const char *value; /* NULL: the field is left out */
};

/* @fields ends with a NULL name, or is NULL. @message_id may be NULL. */
void log_event(int priority, const char *message_id, const struct log_field *fields,
	       const char *format, ...) _printf_(4, 5);

#define log_error(...)	 log_event(LOG_ERR, NULL, NULL, __VA_ARGS__)
#define log_warning(...) log_event(LOG_WARNING, NULL, NULL, __VA_ARGS__)
#define log_info(...)	 log_event(LOG_INFO, NULL, NULL, __VA_ARGS__)
