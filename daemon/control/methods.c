/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of org.siptls: thin translations of session's views and verbs. */

#include <siptls/net.h>

#include "method.h"
#include "types.h"

static int not_found(struct control_exchange *x, const char *key)
{
	return control_fail(x, "org.siptls.SessionNotFound",
			    json_pack("{s:O}", key, json_object_get(x->call.parameters, key)));
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
	const struct net_addr *backend_local;
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

	if (!view->backend_local.len ||
	    !net_addr_equal(&view->backend_local, search->backend_local))
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
	const json_t *id = json_object_get(x->call.parameters, "id");
	struct search search = { 0 };

	(void)sessions_view(x->sessions, (uint64_t)json_integer_value(id), search_take, &search);
	return search_answer(x, &search, "id");
}

int control_lookup_backend(struct control_exchange *x)
{
	const char *text = json_string_value(json_object_get(x->call.parameters, "address"));
	struct net_addr address;
	struct search search = { .backend_local = &address };

	if (net_addr_parse(text, /* allow_port_zero= */ false, &address) != 0)
		return control_fail(x, "org.varlink.service.InvalidParameter",
				    json_pack("{s:s}", "parameter", "address"));
	sessions_foreach(x->sessions, search_backend, &search);
	return search_answer(x, &search, "address");
}

int control_close_sessions(struct control_exchange *x)
{
	const json_t *ids = json_object_get(x->call.parameters, "ids");
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

/* ---- lists ---- */

/*
 * One part of a list: items whose key is the cursor or higher, until the part is full. Sessions
 * have their id as key, so a list goes on where it was whatever has come or gone in between; peers
 * and ports their place.
 */
struct part {
	struct control_exchange *x;
	const char *peer; /* only sessions of this one; NULL: all */
	uint64_t now_ms;
	uint64_t place; /* of the next peer or port */
	json_t *items;
	size_t size, max; /* bytes */
	bool full;
	int error;
};

/* Takes @item over. false: enough. */
static bool part_take(struct part *part, uint64_t key, json_t *item)
{
	size_t size = json_dumpb(item, NULL, 0, JSON_COMPACT) + 1;

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

static bool part_session(void *userdata, const struct session_view *view)
{
	struct part *part = userdata;
	json_t *item;

	if (view->id < part->x->cursor ||
	    (part->peer && (!view->peer || strcasecmp(view->peer, part->peer) != 0)))
		return true;
	part->error = control_session_make(view, part->now_ms, &item);
	return part->error == 0 && part_take(part, view->id, item);
}

static void part_add(struct part *part, const struct control_type *type, const void *view)
{
	const struct control_moment moment = { .now_ms = part->now_ms };
	uint64_t key = part->place++;
	json_t *item;

	if (key < part->x->cursor || part->full || part->error < 0)
		return;
	part->error = control_fields_make(type, view, &moment, &item);
	if (part->error == 0)
		(void)part_take(part, key, item);
}

static void part_peer(void *userdata, const struct session_peer_view *view)
{
	part_add(userdata, &control_type_peer, view);
}

static void part_port(void *userdata, const char *via, bool dial, const struct net_addr *address)
{
	const struct control_port port = { .via = via,
					   .kind = dial ? "dial" : "listen",
					   .address = *address };

	part_add(userdata, &control_type_port, &port);
}

static int part_begin(struct control_exchange *x, struct part *ret)
{
	*ret = (struct part){
		.x = x,
		.now_ms = time_monotonic_ms(),
		.items = json_array(),
		.max = x->call.more ? CONTROL_BATCH_SIZE : CONTROL_ANSWER_MAX,
	};
	return ret->items ? 0 : -ENOMEM;
}

static int part_end(struct part *part, const char *name)
{
	json_t *parameters;

	if (part->error < 0) {
		json_decref(part->items);
		return part->error;
	}
	parameters = json_pack("{s:o}", name, part->items);
	if (part->full && part->x->call.more)
		return control_answer_part(part->x, parameters);
	if (!part->full)
		return control_answer(part->x, parameters);
	json_decref(parameters);
	return control_fail(part->x, "org.varlink.service.ExpectedMore", json_object());
}

int control_list_sessions(struct control_exchange *x)
{
	struct part part;
	int r = part_begin(x, &part);

	if (r < 0)
		return r;
	part.peer = json_string_value(json_object_get(x->call.parameters, "peer"));
	sessions_foreach(x->sessions, part_session, &part);
	return part_end(&part, "sessions");
}

int control_list_peers(struct control_exchange *x)
{
	struct part part;
	int r = part_begin(x, &part);

	if (r < 0)
		return r;
	sessions_foreach_peer(x->sessions, part_peer, &part);
	return part_end(&part, "peers");
}

int control_list_ports(struct control_exchange *x)
{
	struct part part;
	int r = part_begin(x, &part);

	if (r < 0)
		return r;
	sessions_foreach_port(x->sessions, part_port, &part);
	return part_end(&part, "ports");
}

/* ---- reload ---- */

static void on_reloaded(void *userdata, const struct conf_error *error, const char *summary)
{
	struct control_exchange *x = userdata;
	int r;

	x->phase = CONTROL_RUNNING;
	if (error)
		r = control_fail(x, "org.siptls.ConfigurationInvalid",
				 json_pack("{s:o, s:I, s:o}", "file",
					   control_text_make(error->file), "line",
					   (json_int_t)error->line, "text",
					   control_text_make(error->text)));
	else
		r = control_answer(x, json_pack("{s:o}", "summary", control_text_make(summary)));
	x->broken = r != 0;
	x->ops->wake(x->userdata);
}

int control_reload(struct control_exchange *x)
{
	x->phase = CONTROL_WAITING;
	sessions_reload(x->sessions, on_reloaded, x);
	return 0;
}
