/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* version - what --version and the control socket tell. */

#define SIPTLS_VERSION "0.1.0"
