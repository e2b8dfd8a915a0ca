/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Descriptors, clocks, hex and bounded text: the small things that every module needs. */

#include <siptls/base.h>

#include <stdarg.h>
#include <stdio.h>

int fd_close(int fd)
{
	int saved = errno;

	/* EINTR leaves the descriptor closed on Linux: never retry. */
	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

uint64_t time_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t time_realtime_s(void)
{
	return (int64_t)time(NULL);
}

void hex_format(const void *data, size_t size, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++) {
		*ret++ = digits[bytes[i] >> 4];
		*ret++ = digits[bytes[i] & 15];
	}
	*ret = '\0';
}

void text_addf(struct text *t, const char *format, ...)
{
	size_t room = t->size - t->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->buf + t->len, room, format, args);
	va_end(args);
	if (n < 0)
		t->buf[t->len] = '\0';
	else
		t->len += (size_t)n < room ? (size_t)n : room - 1;
}

void text_add_foreign(struct text *t, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && t->len + 1 < t->size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= 0x20 && c < 0x7f && c != '\\')
			text_addf(t, "%c", c);
		else
			text_addf(t, "\\x%02x", c);
	}
}
