/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of sessions, of what the daemon knows about peers, and of what it knows about itself. */

#include "method.h"
#include "part.h"
#include "types.h"

/* Lists that are a walk over views: each takes its place as the key. */
static int walk(struct control_exchange *x, const char *name,
		void (*foreach)(struct sessions *sessions, struct control_part *part))
{
	struct control_part part;
	int r = control_part_begin(x, &part);

	if (r < 0)
		return r;
	foreach(x->sessions, &part);
	return control_part_end(&part, name);
}

/* ---- the peer that is asked for ---- */

struct peer_search {
	const char *name;
	bool found;
};

static void peer_compare(void *userdata, const struct session_peer_view *view)
{
	struct peer_search *search = userdata;

	search->found |= strcasecmp(view->name, search->name) == 0;
}

/* An entry, or one that sessions are left of. */
static bool peer_is_known(struct sessions *sessions, const char *name)
{
	struct peer_search search = { .name = name };

	sessions_foreach_peer(sessions, peer_compare, &search);
	return search.found;
}

struct entry_search {
	const char *name;
	const char *entry;
};

static void entry_compare(void *userdata, const struct session_entry_view *view)
{
	struct entry_search *search = userdata;

	if (!search->entry && control_entry_is(view->entry, search->name))
		search->entry = view->entry->name;
}

/* Sessions are an entry's: who asks for a member of one means it. NULL: none is asked for. */
static const char *peer_wanted(const struct control_exchange *x)
{
	struct entry_search search = { .name = json_string_value(control_parameter(x, "peer")) };

	if (search.name && !peer_is_known(x->sessions, search.name))
		sessions_foreach_entry(x->sessions, entry_compare, &search);
	return search.entry ? search.entry : search.name;
}

static bool peer_is_wanted(const char *wanted, const char *peer)
{
	return !wanted || (peer && strcasecmp(peer, wanted) == 0);
}

/* @found: something of it has been told already. */
static int peer_list_end(struct control_part *part, const char *name, const char *peer, bool found)
{
	if (!peer || found || part->error < 0 || peer_is_known(part->x->sessions, peer))
		return control_part_end(part, name);
	json_decref(part->items);
	return control_fail(part->x, "org.siptls.PeerNotFound", json_pack("{s:s}", "peer", peer));
}

/* ---- sessions ---- */

struct peer_list {
	struct control_part part;
	const char *peer; /* only those of this one; NULL: all */
	uint64_t after;	  /* refusals: id of the last one that was told, and one; 0: begin */
	bool begun;
};

static bool take_session(void *userdata, const struct session_view *view)
{
	struct peer_list *list = userdata;
	json_t *item;

	if (view->id < list->part.x->cursor || !peer_is_wanted(list->peer, view->peer))
		return true;
	list->part.error = control_session_make(view, list->part.now_ms, &item);
	return list->part.error == 0 && control_part_take(&list->part, view->id, item);
}

int control_list_sessions(struct control_exchange *x)
{
	struct peer_list list = { .peer = peer_wanted(x) };
	bool begins = x->cursor == 0;
	int r = control_part_begin(x, &list.part);

	if (r < 0)
		return r;
	sessions_foreach(x->sessions, take_session, &list);
	return peer_list_end(&list.part, "sessions", list.peer, !begins || list.part.size > 0);
}

/* ---- refusals ---- */

/*
 * Newest first, and new ones may have come before the last that was told: the list goes on behind
 * it. When it has been forgotten, so has everything older.
 */
static bool take_refusal(void *userdata, const struct session_refusal_view *view)
{
	struct peer_list *list = userdata;
	const struct control_moment moment = { .now_ms = list->part.now_ms };
	json_t *item;

	if (!list->begun) {
		list->begun = view->id == list->after - 1;
		return true;
	}
	if (!peer_is_wanted(list->peer, view->peer))
		return true;
	list->part.error = control_fields_make(&control_type_refusal, view, &moment, &item);
	return list->part.error == 0 && control_part_take(&list->part, view->id, item);
}

int control_list_refusals(struct control_exchange *x)
{
	struct peer_list list = { .peer = peer_wanted(x),
				  .after = x->cursor,
				  .begun = x->cursor == 0 };
	int r = control_part_begin(x, &list.part);

	if (r < 0)
		return r;
	sessions_foreach_refusal(x->sessions, take_refusal, &list);
	return peer_list_end(&list.part, "refusals", list.peer,
			     list.after > 0 || list.part.size > 0);
}

/* ---- peers, ports, warnings ---- */

static void add_peer(void *userdata, const struct session_peer_view *view)
{
	control_part_add(userdata, &control_type_peer, view);
}

static void walk_peers(struct sessions *sessions, struct control_part *part)
{
	sessions_foreach_peer(sessions, add_peer, part);
}

int control_list_peers(struct control_exchange *x)
{
	return walk(x, "peers", walk_peers);
}

static void add_port(void *userdata, const char *via, bool dial, const struct net_addr *address)
{
	const struct control_port port = { .via = via,
					   .kind = dial ? "dial" : "listen",
					   .address = *address };

	control_part_add(userdata, &control_type_port, &port);
}

static void walk_ports(struct sessions *sessions, struct control_part *part)
{
	sessions_foreach_port(sessions, add_port, part);
}

int control_list_ports(struct control_exchange *x)
{
	return walk(x, "ports", walk_ports);
}

static void add_warning(void *userdata, const char *line)
{
	uint64_t key;

	if (control_part_wants(userdata, &key))
		(void)control_part_take(userdata, key, control_text_make(line));
}

static void walk_warnings(struct sessions *sessions, struct control_part *part)
{
	sessions_foreach_warning(sessions, add_warning, part);
}

int control_list_warnings(struct control_exchange *x)
{
	return walk(x, "warnings", walk_warnings);
}

/* ---- certificates and revocation lists ---- */

static void add_certificate(void *userdata, const struct session_certificate_view *view)
{
	struct control_certificate certificate;

	control_certificate_fill(view, &certificate);
	control_part_add(userdata, &control_type_certificate, &certificate);
}

static void walk_certificates(struct sessions *sessions, struct control_part *part)
{
	sessions_foreach_certificate(sessions, add_certificate, part);
}

int control_list_certificates(struct control_exchange *x)
{
	return walk(x, "certificates", walk_certificates);
}

static void add_crl(void *userdata, const struct revocation_crl_view *view)
{
	const struct control_crl crl = { .crl = *view,
					 .state = revocation_crl_state_names[view->state] };

	control_part_add(userdata, &control_type_crl, &crl);
}

static void walk_crls(struct sessions *sessions, struct control_part *part)
{
	sessions_foreach_crl(sessions, add_crl, part);
}

int control_list_crls(struct control_exchange *x)
{
	return walk(x, "crls", walk_crls);
}

static void add_source(void *userdata, const struct revocation_source_event *last)
{
	control_part_add(userdata, &control_type_source, last);
}

static void walk_sources(struct sessions *sessions, struct control_part *part)
{
	sessions_foreach_source(sessions, add_source, part);
}

int control_list_sources(struct control_exchange *x)
{
	return walk(x, "sources", walk_sources);
}

int control_refresh_revocation(struct control_exchange *x)
{
	sessions_revocation_refresh(x->sessions);
	return control_answer(x, json_object());
}
