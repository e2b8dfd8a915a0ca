/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * part - one part of a list that is told: items whose key is the exchange's cursor or higher, until
 * the part is full. Sessions have their id as key, so a list goes on where it was whatever has come
 * or gone in between; most other items have their place.
 */

#include "exchange.h"
#include "fields.h"

struct control_part {
	struct control_exchange *x;
	uint64_t now_ms;
	uint64_t place; /* of the next item, where that is the key */
	json_t *items;
	size_t size, max; /* bytes */
	bool full;
	int error;
};

int control_part_begin(struct control_exchange *x, struct control_part *ret) _must_check_;

/* Takes @item over (NULL: no memory); the key after it is the cursor. false: enough. */
bool control_part_take(struct control_part *part, uint64_t key, json_t *item);

/* The item at the next place is due now, not told before and not left to the next part. */
bool control_part_wants(struct control_part *part, uint64_t *ret_key);
/* That item, if it is due. */
void control_part_add(struct control_part *part, const struct control_type *type, const void *view);

/* Answer with the items as @name: the last, or to be continued. */
int control_part_end(struct control_part *part, const char *name) _must_check_;
/* The same with @parameters, taken over, in which they stand already. */
int control_part_answer(struct control_part *part, json_t *parameters) _must_check_;
