/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Members of views as JSON values: one small function for each kind. */

#include "fields.h"

#include "codec.h"

#include <inttypes.h>
#include <siptls/ktls.h>
#include <siptls/net.h>
#include <siptls/reason.h>
#include <siptls/version.h>
#include <stdio.h>

/* A value, or NULL with *ret_missing if there is none; NULL alone is want of memory. */
typedef json_t *(*field_fn)(const void *member, const struct control_moment *moment,
			    bool *ret_missing);

#define MEMBER(type, p) (*(const type *)(p))

static json_t *missing(bool *ret_missing)
{
	*ret_missing = true;
	return NULL;
}

static json_t *make_uint32(const void *p, const struct control_moment *m _unused_,
			   bool *gone _unused_)
{
	return json_integer(MEMBER(uint32_t, p));
}

static json_t *make_uint64(const void *p, const struct control_moment *m _unused_,
			   bool *gone _unused_)
{
	uint64_t value = MEMBER(uint64_t, p);

	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *make_amount(const void *p, const struct control_moment *m, bool *gone)
{
	return MEMBER(uint64_t, p) ? make_uint64(p, m, gone) : missing(gone);
}

static json_t *make_bool(const void *p, const struct control_moment *m _unused_,
			 bool *gone _unused_)
{
	return json_boolean(MEMBER(bool, p));
}

json_t *control_text_make(const char *text)
{
	size_t len = strlen(text), size = 4 * len + 1;
	_cleanup_free_ char *buf = NULL;
	json_t *value = json_string(text);
	struct text escaped;

	if (value)
		return value;
	buf = calloc(1, size);
	if (!buf)
		return NULL;
	escaped = (struct text){ .buf = buf, .size = size };
	text_add_foreign(&escaped, text, len);
	return json_string(buf);
}

static json_t *make_string(const void *p, const struct control_moment *m _unused_, bool *gone)
{
	const char *text = MEMBER(char *const, p);

	return text && *text ? control_text_make(text) : missing(gone);
}

static json_t *make_word(const void *p, const struct control_moment *m _unused_,
			 bool *gone _unused_)
{
	return json_string(MEMBER(char *const, p));
}

static json_t *make_time(const void *p, const struct control_moment *m _unused_, bool *gone)
{
	int64_t value = MEMBER(int64_t, p);

	return value && value != INT64_MAX ? json_integer(value) : missing(gone);
}

static json_t *make_left(const void *p, const struct control_moment *m _unused_, bool *gone)
{
	int64_t value = MEMBER(int64_t, p);

	return value != INT64_MAX ? json_integer(value) : missing(gone);
}

static json_t *make_since(const void *p, const struct control_moment *m, bool *gone)
{
	uint64_t then = MEMBER(uint64_t, p);

	if (then == 0)
		return missing(gone);
	/* A relay thread may have stamped it after this answer took its own time. */
	return json_integer(m->now_ms > then ? (json_int_t)((m->now_ms - then) / 1000) : 0);
}

static json_t *make_decimal(const void *p, const struct control_moment *m _unused_, bool *gone)
{
	uint64_t value = MEMBER(uint64_t, p);
	char text[24];

	if (value == 0)
		return missing(gone);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

static json_t *make_address(const void *p, const struct control_moment *m _unused_, bool *gone)
{
	const struct net_addr *addr = p;
	char text[NET_ADDR_STRLEN];

	return addr->len ? json_string(net_addr_format(addr, text)) : missing(gone);
}

static json_t *make_direction(const void *p, const struct control_moment *m _unused_,
			      bool *gone _unused_)
{
	return json_string(MEMBER(bool, p) ? "out" : "in");
}

static json_t *make_outcome(const void *p, const struct control_moment *m _unused_,
			    bool *gone _unused_)
{
	return json_string(MEMBER(bool, p) ? "ended" : "refused");
}

static json_t *make_mode(const void *p, const struct control_moment *m _unused_,
			 bool *gone _unused_)
{
	return json_string(MEMBER(bool, p) ? "kernel" : "user");
}

static json_t *make_version(const void *p, const struct control_moment *m _unused_,
			    bool *gone _unused_)
{
	return json_string(ktls_version_name(MEMBER(enum ktls_version, p)));
}

static json_t *make_cipher(const void *p, const struct control_moment *m _unused_,
			   bool *gone _unused_)
{
	return json_string(ktls_cipher_info(MEMBER(enum ktls_cipher, p))->name);
}

static json_t *make_ciphers(const void *p, const struct control_moment *m _unused_,
			    bool *gone _unused_)
{
	unsigned int bits = MEMBER(uint8_t, p);
	_cleanup_json_ json_t *names = json_array();

	for (unsigned int c = 0; names && c < _KTLS_CIPHER_MAX; c++) {
		if ((bits & (1U << c)) &&
		    json_array_append_new(names, json_string(ktls_cipher_info(c)->name)) < 0)
			return NULL;
	}
	return steal_ptr(names);
}

static json_t *make_reason(const void *p, const struct control_moment *m _unused_, bool *gone)
{
	enum reason reason = MEMBER(enum reason, p);

	return reason == REASON_OK ? missing(gone) : json_string(reason_info(reason)->code);
}

static json_t *make_verdict(const void *p, const struct control_moment *m _unused_,
			    bool *gone _unused_)
{
	return json_string(reason_info(MEMBER(enum reason, p))->code);
}

static json_t *make_ended(const void *p, const struct control_moment *m _unused_,
			  bool *gone _unused_)
{
	const uint64_t *counts = p;
	_cleanup_json_ json_t *ended = json_object();

	for (unsigned int r = 0; ended && r < _REASON_MAX; r++) {
		if (counts[r] && json_object_set_new(ended, reason_info(r)->code,
						     json_integer((json_int_t)counts[r])) < 0)
			return NULL;
	}
	return steal_ptr(ended);
}

static json_t *make_program(const void *p _unused_, const struct control_moment *m _unused_,
			    bool *gone _unused_)
{
	return json_string(SIPTLS_VERSION);
}

static const struct {
	const char *type, *keyed_type;
	field_fn make;
} kinds[_FIELD_KIND_MAX] = {
	[FIELD_UINT32] = { "int", "?int", make_uint32 },
	[FIELD_UINT64] = { "int", "?int", make_uint64 },
	[FIELD_AMOUNT] = { "?int", "?int", make_amount },
	[FIELD_BOOL] = { "bool", "?bool", make_bool },
	[FIELD_STRING] = { "?string", "?string", make_string },
	[FIELD_WORD] = { "string", "?string", make_word },
	[FIELD_STRINGS] = { "?[]string", "?[]string", NULL },
	[FIELD_TIME] = { "?int", "?int", make_time },
	[FIELD_LEFT] = { "?int", "?int", make_left },
	[FIELD_SINCE] = { "?int", "?int", make_since },
	[FIELD_DECIMAL] = { "?string", "?string", make_decimal },
	[FIELD_ADDRESS] = { "?string", "?string", make_address },
	[FIELD_DIRECTION] = { "string", "?string", make_direction },
	[FIELD_OUTCOME] = { "string", "?string", make_outcome },
	[FIELD_MODE] = { "string", "?string", make_mode },
	[FIELD_VERSION] = { "string", "?string", make_version },
	[FIELD_CIPHER] = { "string", "?string", make_cipher },
	[FIELD_CIPHERS] = { "[]string", "?[]string", make_ciphers },
	[FIELD_REASON] = { "?string", "?string", make_reason },
	[FIELD_VERDICT] = { "string", "?string", make_verdict },
	[FIELD_ENDED] = { "[string]int", "?[string]int", make_ended },
	[FIELD_PROGRAM] = { "string", "string", make_program },
	[FIELD_PART] = { "", "?", NULL },
	[FIELD_PARTS] = { "?[]", "?[]", NULL },
};

const char *control_field_type(const struct control_field *field,
			       char ret[static CONTROL_FIELD_TYPE_SIZE])
{
	snprintf(ret, CONTROL_FIELD_TYPE_SIZE, "%s%s",
		 field->keyed ? kinds[field->kind].keyed_type : kinds[field->kind].type,
		 field->part ? field->part->name : "");
	return ret;
}

/* ---- members that are made of several ---- */

static int make_strings(const char *const *strings, size_t n, json_t **ret)
{
	_cleanup_json_ json_t *array = json_array();

	if (!array)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(array, control_text_make(strings[i])) < 0)
			return -ENOMEM;
	}
	*ret = steal_ptr(array);
	return 0;
}

static int make_parts(const struct control_field *field, const char *items, size_t n,
		      const struct control_moment *moment, json_t **ret)
{
	_cleanup_json_ json_t *array = json_array();

	if (!array)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		json_t *item;
		int r = control_fields_make(field->part, items + i * field->stride, moment, &item);

		if (r < 0)
			return r;
		if (json_array_append_new(array, item) < 0)
			return -ENOMEM;
	}
	*ret = steal_ptr(array);
	return 0;
}

static size_t count_of(const struct control_field *field, const void *view)
{
	return MEMBER(size_t, (const char *)view + field->count);
}

/* *ret is NULL when there is nothing to tell. */
static int make_member(const struct control_field *field, const void *view,
		       const struct control_moment *moment, json_t **ret)
{
	const void *member = (const char *)view + field->offset;
	const char *const *const *strings = member;
	bool gone = false;
	size_t n;

	*ret = NULL;
	if (field->kind == FIELD_PART)
		return control_fields_make(field->part, member, moment, ret);
	if (field->kind == FIELD_PARTS) {
		n = count_of(field, view);
		return n ? make_parts(field, MEMBER(char *const, member), n, moment, ret) : 0;
	}
	if (field->kind == FIELD_STRINGS) {
		n = count_of(field, view);
		return n ? make_strings(*strings, n, ret) : 0;
	}
	*ret = kinds[field->kind].make(member, moment, &gone);
	return *ret || gone ? 0 : -ENOMEM;
}

int control_fields_make(const struct control_type *type, const void *view,
			const struct control_moment *moment, json_t **ret)
{
	_cleanup_json_ json_t *object = json_object();

	if (!object)
		return -ENOMEM;
	for (const struct control_field *f = type->fields; f->name; f++) {
		json_t *value;
		int r;

		if (f->keyed && !moment->keyed)
			continue;
		r = make_member(f, view, moment, &value);
		if (r < 0)
			return r;
		if (value && json_object_set_new(object, f->name, value) < 0)
			return -ENOMEM;
	}
	*ret = steal_ptr(object);
	return 0;
}
