/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the messages share: facts, which travel in results and certificates and are remembered in
 * the same form (facts.c), and destructors.
 */

#include <siptls/wire.h>
#include <siptls/worker.h>

void worker_wire_facts(struct wire *w, struct trust_facts *facts);

void worker_certificate_done(struct worker_certificate *certificate);
