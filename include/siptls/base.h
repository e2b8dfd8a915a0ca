/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * base - what every module stands on: return conventions, cleanup, wiping, lists, time.
 *
 * Return values, everywhere in this project:
 *   0         done
 *   negative  -errno: we or the system are broken; callers forward it and never match on it
 *   positive  a named outcome, <MODULE>_E_*, declared by the function's header; the caller must
 *             handle it and may not pass it on
 *
 * Called by everyone; calls nothing of ours.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define _must_check_   __attribute__((warn_unused_result))
#define _cleanup_(fn)  __attribute__((cleanup(fn)))
#define _printf_(f, a) __attribute__((format(printf, f, a)))
#define _unused_       __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define STR_(x)	      #x
#define STR(x)	      STR_(x)

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Descriptors: -1 is "none". fd_close() keeps errno and returns -1, so `fd = fd_close(fd)`. */
int fd_close(int fd);

static inline void fd_closep(int *fd)
{
	*fd = fd_close(*fd);
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_fd_   _cleanup_(fd_closep)

/* Take the value out of a cleanup variable: the caller owns it from here on. */
#define steal_ptr(p)                                                                               \
	({                                                                                         \
		__typeof__(p) stolen_ = (p);                                                       \
		(p) = NULL;                                                                        \
		stolen_;                                                                           \
	})

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* Intrusive doubly linked list; a head is a node that points to itself. */
struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Safe on a node that is in no list, if that node was initialised with list_init(). */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Move every node of @from to the end of @to. */
static inline void list_take_all(struct list *from, struct list *to)
{
	while (!list_empty(from)) {
		struct list *node = from->next;

		list_remove(node);
		list_append(to, node);
	}
}

#define list_foreach(pos, head)                                                                    \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)

#define list_foreach_safe(pos, head)                                                               \
	for (struct list *pos = (head)->next, *next_ = pos->next; pos != (head);                   \
	     pos = next_, next_ = pos->next)

/* Milliseconds of CLOCK_MONOTONIC, for deadlines; seconds of CLOCK_REALTIME, for certificates. */
uint64_t time_monotonic_ms(void);
int64_t time_realtime_s(void);

/* Lower-case hex of @size bytes into @ret, which holds 2 * @size + 1 characters. */
void hex_format(const void *data, size_t size, char *ret);

/*
 * Build human-readable text in a fixed buffer, for messages: never overruns, always terminated,
 * bytes that are not printable ASCII are shown as \xNN so that a peer's certificate cannot draw on
 * the operator's terminal.
 */
struct text {
	char *buf;
	size_t size; /* of @buf, terminator included */
	size_t len;  /* written, terminator not included */
};

#define TEXT_INIT(array) ((struct text){ .buf = (array), .size = sizeof(array) })

void text_addf(struct text *t, const char *format, ...) _printf_(2, 3);
void text_add_foreign(struct text *t, const char *bytes, size_t len);
