/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The columns of a session, for the list and for the block; the last one is for --verify alone. */

#include "view.h"

extern const struct ctl_view ctl_session_view, ctl_verified_view;
