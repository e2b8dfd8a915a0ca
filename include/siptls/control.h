/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * control - the server side of the control socket, and the codec it shares with siptlsctl.
 *
 * The Varlink wire format (JSON objects, each ended by a NUL; "more" asks for a stream, "continues"
 * marks its parts), so `varlinkctl` works too. Who may do what follows from the peer credentials of
 * the socket: everyone who can connect may look; root, the daemon's user and members of
 * control_group may operate (close, probe, refresh) and root and the daemon's user may administer
 * (reload, stage, commit, abort, preview).
 * Requests are bounded in size and depth, clients in number, answers in memory: a client that does
 * not read is dropped.
 *
 * Called by the main of siptlsd; reads session through its views. Uses jansson, as only ctl does
 * besides it.
 */

#include <siptls/base.h>
#include <siptls/loop.h>
#include <siptls/session.h>

#define CONTROL_DEFAULT_PATH "/run/siptls/control"
#define CONTROL_REQUEST_MAX  (64 * 1024) /* bytes */
#define CONTROL_CLIENTS_MAX  64

struct control;

/* Binds @path (a stale socket is replaced), mode 0660 with @group, 0600 without. */
int control_new(struct loop *loop, struct sessions *sessions, const char *path, const char *group,
		struct control **ret) _must_check_;
struct control *control_free(struct control *control); /* NULL is fine; removes the socket */
