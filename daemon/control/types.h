/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* types - what the interface org.siptls shows, as tables of fields. */

#include <siptls/session.h>

#include "fields.h"

extern const struct control_type control_type_session, control_type_peer, control_type_port,
	control_type_summary, control_type_counts, control_type_totals, control_type_kernel;

struct control_port {
	const char *via;
	const char *kind; /* "listen", "dial" */
	struct net_addr address;
};

int control_session_make(const struct session_view *view, uint64_t now_ms,
			 json_t **ret) _must_check_;
int control_summary_make(const struct sessions_summary *summary, uint64_t now_ms,
			 json_t **ret) _must_check_;
