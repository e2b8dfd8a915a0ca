/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists in parts. */

#include "part.h"

int control_part_begin(struct control_exchange *x, struct control_part *ret)
{
	*ret = (struct control_part){
		.x = x,
		.now_ms = time_monotonic_ms(),
		.items = json_array(),
		.max = x->call.more ? CONTROL_BATCH_SIZE : CONTROL_ANSWER_MAX,
	};
	return ret->items ? 0 : -ENOMEM;
}

bool control_part_take(struct control_part *part, uint64_t key, json_t *item)
{
	size_t size = item ? json_dumpb(item, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) + 1 : 0;

	part->full = part->size > 0 && part->size + size > part->max;
	if (part->full) {
		json_decref(item);
		return false;
	}
	if (json_array_append_new(part->items, item) < 0)
		part->error = -ENOMEM;
	part->size += size;
	part->x->cursor = key + 1;
	return part->error == 0;
}

bool control_part_wants(struct control_part *part, uint64_t *ret_key)
{
	*ret_key = part->place++;
	return *ret_key >= part->x->cursor && !part->full && part->error == 0;
}

void control_part_add(struct control_part *part, const struct control_type *type, const void *view)
{
	const struct control_moment moment = { .now_ms = part->now_ms };
	uint64_t key;
	json_t *item;

	if (!control_part_wants(part, &key))
		return;
	part->error = control_fields_make(type, view, &moment, &item);
	if (part->error == 0)
		(void)control_part_take(part, key, item);
}

int control_part_answer(struct control_part *part, json_t *parameters)
{
	if (part->error < 0) {
		json_decref(parameters);
		return part->error;
	}
	if (part->full && part->x->call.more)
		return control_answer_part(part->x, parameters);
	if (!part->full)
		return control_answer(part->x, parameters);
	json_decref(parameters);
	return control_fail(part->x, "org.varlink.service.ExpectedMore", json_object());
}

int control_part_end(struct control_part *part, const char *name)
{
	return control_part_answer(part, json_pack("{s:o}", name, part->items));
}
