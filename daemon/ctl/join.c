/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two lists joined by socket cookie. */

#include "join.h"

#include <stdio.h>

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* {cookie: row}; rows without a cookie are left out. */
static json_t *index_by_cookie(const json_t *rows)
{
	_cleanup_json_ json_t *index = json_object();

	for (size_t i = 0; index && i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		const char *cookie = text_at(row, "cookie");

		if (*cookie && json_object_set(index, cookie, row) < 0)
			return NULL;
	}
	return steal_ptr(index);
}

/* Established and neither coming nor going. */
static bool is_steady(const json_t *session)
{
	return strcmp(text_at(session, "state"), "relaying") == 0 &&
	       json_object_get(session, "mode");
}

static bool conf_encrypts(const json_t *socket, const char *direction)
{
	const char *conf = text_at(socket, direction);

	return strcmp(conf, "sw") == 0 || strcmp(conf, "hw") == 0;
}

static json_t *difference(const char *what, const char *found)
{
	return json_sprintf("no: %s is %s in the kernel", what, *found ? found : "not set");
}

/* "yes", or "no: " and what the kernel shows instead. */
static json_t *compare(const json_t *session, const json_t *socket)
{
	static const char *const same[] = { "version", "cipher" };
	static const char *const directions[] = { "tx", "rx" };

	if (!socket)
		return json_string("no: the kernel has no such TLS socket");
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		if (!conf_encrypts(socket, directions[i]))
			return difference(directions[i], text_at(socket, directions[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		if (strcmp(text_at(session, same[i]), text_at(socket, same[i])) != 0)
			return difference(same[i], text_at(socket, same[i]));
	}
	return json_string("yes");
}

/* The verdict on one session that was in both lists; *ret NULL: not to be judged now. */
static int judge(struct ctl_join *join, const json_t *earlier, const json_t *session,
		 const json_t *socket, json_t **ret)
{
	*ret = NULL;
	if (!is_steady(earlier) || !is_steady(session))
		return 0;
	if (strcmp(text_at(session, "mode"), "kernel") != 0) {
		*ret = json_string("no: user space encrypts");
		return *ret ? 0 : -ENOMEM;
	}
	*ret = compare(session, socket);
	if (!*ret)
		return -ENOMEM;
	if (strcmp(json_string_value(*ret), "yes") == 0)
		join->kernel++;
	else
		join->disagree++;
	return 0;
}

static int add_session(struct ctl_join *join, const json_t *earlier, json_t *session,
		       const json_t *socket)
{
	_cleanup_json_ json_t *row = json_copy(session);
	json_t *verdict = NULL;
	int r = judge(join, earlier, session, socket, &verdict);

	if (r == 0 && verdict && json_object_set_new(row, "kernel_verified", verdict) < 0)
		r = -ENOMEM;
	if (r < 0 || json_array_append(join->rows, row) < 0)
		return -ENOMEM;
	join->sessions++;
	return 0;
}

/* Both lists are in order of id. */
static int add_sessions(struct ctl_join *join, const json_t *before, const json_t *after,
			const json_t *by_cookie)
{
	size_t a = 0, b = 0;
	int r = 0;

	while (r == 0 && a < json_array_size(before) && b < json_array_size(after)) {
		const json_t *earlier = json_array_get(before, a);
		json_t *session = json_array_get(after, b);
		json_int_t id_a = json_integer_value(json_object_get(earlier, "id"));
		json_int_t id_b = json_integer_value(json_object_get(session, "id"));

		if (id_a == id_b)
			r = add_session(join, earlier, session,
					json_object_get(by_cookie, text_at(session, "cookie")));
		a += id_a <= id_b;
		b += id_b <= id_a;
	}
	return r;
}

static int add_stranger(struct ctl_join *join, const json_t *socket)
{
	static const char *const keys[] = { "cookie", "local", "remote", "version", "cipher" };
	_cleanup_json_ json_t *row =
		json_pack("{s:s}", "kernel_verified", "no: not in the table of siptlsd");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *value = json_object_get(socket, keys[i]);

		if (value && json_object_set(row, keys[i], value) < 0)
			return -ENOMEM;
	}
	return json_array_append(join->rows, row) < 0 ? -ENOMEM : 0;
}

static int add_strangers(struct ctl_join *join, const json_t *before, const json_t *after,
			 const json_t *sockets, uid_t uid)
{
	_cleanup_json_ json_t *known = index_by_cookie(before), *later = index_by_cookie(after);
	int r = 0;

	if (!known || !later || json_object_update(known, later) < 0)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(sockets); i++) {
		const json_t *socket = json_array_get(sockets, i);
		const json_t *owner = json_object_get(socket, "uid");

		/* Inode 0: closed by its process, the kernel is only waiting for the peer. */
		if (json_is_integer(owner) && json_integer_value(owner) == (json_int_t)uid &&
		    json_integer_value(json_object_get(socket, "inode")) != 0 &&
		    !json_object_get(known, text_at(socket, "cookie")))
			r = add_stranger(join, socket);
	}
	return r;
}

int ctl_join_make(const json_t *before, const json_t *after, const json_t *sockets,
		  const uid_t *uid, struct ctl_join *ret)
{
	_cleanup_json_ json_t *by_cookie = index_by_cookie(sockets), *rows = json_array();
	struct ctl_join join = { .rows = rows };
	int r;

	if (!by_cookie || !rows)
		return -ENOMEM;
	r = add_sessions(&join, before, after, by_cookie);
	if (r == 0 && uid)
		r = add_strangers(&join, before, after, sockets, *uid);
	if (r < 0)
		return r;
	*ret = join;
	rows = NULL;
	return 0;
}
