/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bounded two-way codec of wire.h. */

#include <siptls/wire.h>

void wire_encode_begin(struct wire *w, uint8_t *buf, size_t size)
{
	*w = (struct wire){ .encoding = true, .out = buf, .size = size };
}

void wire_decode_begin(struct wire *w, const uint8_t *buf, size_t size)
{
	*w = (struct wire){ .in = buf, .size = size };
}

int wire_end(const struct wire *w, size_t *ret_size)
{
	if (w->encoding && w->failed)
		return -EMSGSIZE;
	if (w->no_memory)
		return -ENOMEM;
	if (w->failed || (!w->encoding && w->pos != w->size))
		return WIRE_E_MALFORMED;
	if (ret_size)
		*ret_size = w->pos;
	return 0;
}

void wire_fail(struct wire *w)
{
	w->failed = true;
}

/* Is there room for, or are there, @size more bytes? */
static bool wire_has(struct wire *w, size_t size)
{
	if (!w->failed && w->size - w->pos < size)
		w->failed = true;
	return !w->failed;
}

void wire_bytes(struct wire *w, void *bytes, size_t size)
{
	if (!wire_has(w, size) || size == 0)
		return;
	if (w->encoding)
		memcpy(w->out + w->pos, bytes, size);
	else
		memcpy(bytes, w->in + w->pos, size);
	w->pos += size;
}

/* @size bytes of an integer; after a failure the value stays as it is. */
static uint64_t wire_integer(struct wire *w, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	wire_bytes(w, bytes, size);
	value = 0;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

void wire_u8(struct wire *w, uint8_t *value)
{
	*value = (uint8_t)wire_integer(w, *value, sizeof(*value));
}

void wire_u16(struct wire *w, uint16_t *value)
{
	*value = (uint16_t)wire_integer(w, *value, sizeof(*value));
}

void wire_u32(struct wire *w, uint32_t *value)
{
	*value = (uint32_t)wire_integer(w, *value, sizeof(*value));
}

void wire_u64(struct wire *w, uint64_t *value)
{
	*value = wire_integer(w, *value, sizeof(*value));
}

void wire_i64(struct wire *w, int64_t *value)
{
	*value = (int64_t)wire_integer(w, (uint64_t)*value, sizeof(*value));
}

uint32_t wire_below(struct wire *w, uint32_t value, uint32_t limit)
{
	uint8_t byte = (uint8_t)value;

	if (w->encoding && value > UINT8_MAX)
		wire_fail(w);
	wire_u8(w, &byte);
	if (byte >= limit) {
		wire_fail(w);
		return 0;
	}
	return byte;
}

void wire_bool(struct wire *w, bool *value)
{
	*value = wire_below(w, *value, 2) != 0;
}

/* A length or count up to @max; 0 after a failure, so that loops over it end. */
static size_t wire_length(struct wire *w, size_t length, size_t max)
{
	uint32_t value = (uint32_t)length;

	if (length > max)
		wire_fail(w);
	wire_u32(w, &value);
	if (value > max)
		wire_fail(w);
	return w->failed ? 0 : value;
}

/* Text of @len bytes has no NUL: it would end earlier for the reader than for the writer. */
static void wire_characters(struct wire *w, char *text, size_t len)
{
	wire_bytes(w, text, len);
	if (!w->encoding && !w->failed && memchr(text, '\0', len))
		wire_fail(w);
}

void wire_text(struct wire *w, char *text, size_t size)
{
	size_t len = wire_length(w, w->encoding ? strnlen(text, size) : 0, size - 1);

	if (!w->encoding)
		memset(text, 0, size);
	wire_characters(w, text, len);
}

/* Room for @len bytes and a terminator, if the message is long enough to fill it. */
static char *wire_room(struct wire *w, size_t len)
{
	char *room;

	if (!wire_has(w, len))
		return NULL;
	room = calloc(1, len + 1);
	if (!room) {
		w->no_memory = true;
		wire_fail(w);
	}
	return room;
}

void wire_string(struct wire *w, char **string, size_t max)
{
	size_t len = wire_length(w, w->encoding && *string ? strnlen(*string, max + 1) : 0, max);

	if (!w->encoding)
		*string = wire_room(w, len);
	if (*string)
		wire_characters(w, *string, len);
}

void wire_blob(struct wire *w, char **bytes, uint32_t *len, size_t max)
{
	size_t length = wire_length(w, *len, max);

	if (!w->encoding) {
		*bytes = wire_room(w, length);
		*len = *bytes ? (uint32_t)length : 0;
	}
	if (*bytes)
		wire_bytes(w, *bytes, length);
}

void *wire_array(struct wire *w, void *array, size_t *n, size_t element, size_t max)
{
	size_t length = wire_length(w, *n, max);

	if (w->encoding)
		return array;
	*n = 0;
	if (length == 0 || !wire_has(w, length))
		return NULL;
	array = calloc(length, element);
	if (!array) {
		w->no_memory = true;
		wire_fail(w);
		return NULL;
	}
	*n = length;
	return array;
}
