/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A bounded codec in which one function describes both directions: every call either writes the
 * field it is given or reads into it, depending on the mode. Errors stick, so that a description
 * needs no checks of its own and one wire_end() tells how it went.
 *
 * Integers are little endian and of fixed size. Each value has exactly one encoding: what is
 * decoded and encoded again gives the same bytes.
 */

#include <siptls/base.h>

struct wire {
	bool encoding;
	bool failed;	   /* a limit was exceeded, or the bytes end early or are out of range */
	bool no_memory;	   /* decoding only; failed is set too */
	uint8_t *out;	   /* when encoding */
	const uint8_t *in; /* when decoding */
	size_t pos, size;
};

void wire_encode_begin(struct wire *w, uint8_t *buf, size_t size);
void wire_decode_begin(struct wire *w, const uint8_t *buf, size_t size);
/*
 * Encoding: 0 with the size, or -EMSGSIZE. Decoding: 0, -ENOMEM or WIRE_E_MALFORMED, also for bytes
 * left over; @ret_size may be NULL.
 */
enum { WIRE_E_MALFORMED = 1 };
int wire_end(const struct wire *w, size_t *ret_size) _must_check_;

void wire_fail(struct wire *w);

void wire_u8(struct wire *w, uint8_t *value);
void wire_u16(struct wire *w, uint16_t *value);
void wire_u32(struct wire *w, uint32_t *value);
void wire_u64(struct wire *w, uint64_t *value);
void wire_i64(struct wire *w, int64_t *value);
void wire_bool(struct wire *w, bool *value);
void wire_bytes(struct wire *w, void *bytes, size_t size);

/* A number below @limit, in one byte; returned, because enums have no common pointer type. */
uint32_t wire_below(struct wire *w, uint32_t value, uint32_t limit);
#define wire_enum(w, field, limit)                                                                 \
	((field) = (__typeof__(field))wire_below((w), (uint32_t)(field), (limit)))

/* Text in an array of @size bytes, terminated there; no NUL on the wire. */
void wire_text(struct wire *w, char *text, size_t size);
/* Text on the heap, at most @max bytes; NULL is encoded as "". */
void wire_string(struct wire *w, char **string, size_t max);
/* Counted bytes on the heap, of any value; *len at most @max. */
void wire_blob(struct wire *w, char **bytes, uint32_t *len, size_t max);

/*
 * The count of an array of at most @max elements of @element bytes. Encoding returns @array;
 * decoding returns zeroed memory for *n elements, or NULL with *n = 0. Every element takes at least
 * one byte, so a count larger than the rest of the message allocates nothing.
 */
void *wire_array(struct wire *w, void *array, size_t *n, size_t element, size_t max);
