/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Methods about the daemon as a whole and about single sessions. */

#include <siptls/net.h>

#include "method.h"
#include "types.h"

static int not_found(struct control_exchange *x, const char *key)
{
	return control_fail(x, "org.siptls.SessionNotFound",
			    json_pack("{s:O}", key, control_parameter(x, key)));
}

int control_get_summary(struct control_exchange *x)
{
	struct sessions_summary summary;
	json_t *object;
	int r;

	sessions_summary(x->sessions, &summary);
	r = control_summary_make(&summary, time_monotonic_ms(), &object);
	return r < 0 ? r : control_answer(x, json_pack("{s:o}", "summary", object));
}

/* ---- one session ---- */

/* What a walk over sessions looks for and finds. */
struct search {
	const struct net_addr *address;
	json_t *found;
	int error;
};

static bool search_take(void *userdata, const struct session_view *view)
{
	struct search *search = userdata;

	search->error = control_session_make(view, time_monotonic_ms(), &search->found);
	return false;
}

static bool search_backend(void *userdata, const struct session_view *view)
{
	struct search *search = userdata;
	/* All that the SIP server dials through one port share our end of it, not its own. */
	const struct net_addr *unique = view->dialled ? &view->backend : &view->backend_local;

	if (!unique->len || !net_addr_equal(unique, search->address))
		return true;
	return search_take(userdata, view);
}

static int search_answer(struct control_exchange *x, const struct search *search, const char *key)
{
	if (search->error < 0)
		return search->error;
	if (!search->found)
		return not_found(x, key);
	return control_answer(x, json_pack("{s:o}", "session", search->found));
}

int control_get_session(struct control_exchange *x)
{
	const json_t *id = control_parameter(x, "id");
	struct search search = { 0 };

	(void)sessions_view(x->sessions, (uint64_t)json_integer_value(id), search_take, &search);
	return search_answer(x, &search, "id");
}

int control_lookup_backend(struct control_exchange *x)
{
	const char *text = json_string_value(control_parameter(x, "address"));
	struct net_addr address;
	struct search search = { .address = &address };

	if (net_addr_parse(text, /* allow_port_zero= */ false, &address) != 0)
		return control_fail(x, "org.varlink.service.InvalidParameter",
				    json_pack("{s:s}", "parameter", "address"));
	sessions_foreach(x->sessions, search_backend, &search);
	return search_answer(x, &search, "address");
}

int control_close_sessions(struct control_exchange *x)
{
	const json_t *ids = control_parameter(x, "ids");
	_cleanup_json_ json_t *closed = json_array(), *unknown = json_array();

	for (size_t i = 0; i < json_array_size(ids); i++) {
		json_t *id = json_array_get(ids, i);
		bool done = sessions_close(x->sessions, (uint64_t)json_integer_value(id),
					   REASON_ADMIN_CLOSED);

		if (json_array_append(done ? closed : unknown, id) < 0)
			return -ENOMEM;
	}
	return control_answer(x, json_pack("{s:O, s:O}", "closed", closed, "unknown", unknown));
}
