/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commands about sessions: list, show, look up, close. */

#include <limits.h>
#include <siptls/net.h>
#include <stdio.h>

#include "client.h"
#include "join.h"
#include "session-view.h"

static int sessions_fetch(struct ctl_client *client, const char *peer, json_t **ret)
{
	json_t *parameters = peer ? json_pack("{s:s}", "peer", peer) : json_object();

	return ctl_call_list(client, "ListSessions", parameters, "sessions", ret);
}

static int print_verified(const struct ctl_join *join, const struct ctl_selection *selection,
			  const struct ctl_options *options)
{
	_cleanup_json_ json_t *totals =
		json_pack("{s:{s:I, s:I, s:I}}", "verified", "sessions", join->sessions, "kernel",
			  join->kernel, "disagree", join->disagree);
	int r;

	if (!totals)
		return -ENOMEM;
	r = ctl_view_print(&ctl_verified_view, selection, options, join->rows, totals);
	if (r < 0)
		return r;
	/* A script that reads columns gets columns alone. */
	if (!options->json)
		fprintf(options->raw ? stderr : stdout,
			"sessions=%" JSON_INTEGER_FORMAT " kernel=%" JSON_INTEGER_FORMAT
			" disagree=%" JSON_INTEGER_FORMAT "\n",
			join->sessions, join->kernel, join->disagree);
	return join->disagree > 0 ? CTL_FAILED : 0;
}

static int sessions_verify(struct ctl_client *client, const struct ctl_selection *selection,
			   const struct ctl_options *options)
{
	_cleanup_json_ json_t *before = NULL, *sockets = NULL, *after = NULL, *rows = NULL;
	struct ctl_join join;
	uid_t uid;
	int r;

	r = ctl_client_server(client, &uid);
	if (r == 0)
		r = sessions_fetch(client, options->peer, &before);
	if (r == 0)
		r = ctl_kernel_sockets(&sockets);
	if (r == 0)
		r = sessions_fetch(client, options->peer, &after);
	/* That a socket belongs to no session can only be said when all sessions are known. */
	if (r == 0)
		r = ctl_join_make(before, after, sockets, options->peer ? NULL : &uid, &join);
	if (r != 0)
		return r;
	rows = join.rows;
	return print_verified(&join, selection, options);
}

int ctl_sessions(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *rows = NULL;
	struct ctl_selection selection;
	const struct ctl_view *view;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST | OPTION_PEER | OPTION_VERIFY, 0, 0,
			      &options);
	if (r != 0)
		return r;
	view = options.verify ? &ctl_verified_view : &ctl_session_view;
	r = ctl_view_select(view, options.output, &selection);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r != 0)
		return r;
	if (options.verify)
		return sessions_verify(client, &selection, &options);
	r = sessions_fetch(client, options.peer, &rows);
	return r == 0 ? ctl_view_print(view, &selection, &options, rows, NULL) : r;
}

/* ---- one session ---- */

static int session_print(const struct ctl_options *options, const char *method, json_t *parameters)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *question = parameters, *answer = NULL;
	json_t *session;
	int r;

	if (!question)
		return -ENOMEM;
	r = ctl_client_open(options->socket, &client);
	if (r == 0)
		r = ctl_call(client, method, json_incref(question), &answer);
	if (r != 0)
		return r;
	session = json_object_get(answer, "session");
	return options->json ? ctl_json_print(session)
			     : ctl_view_block(&ctl_session_view, "session", session);
}

int ctl_show(const struct ctl_context *context, int argc, char **argv)
{
	struct ctl_options options;
	int64_t id;
	int r = ctl_options_parse(context, argc, argv, 0, 1, 1, &options);

	if (r == 0)
		r = ctl_options_id(argv[0], options.operands[0], &id);
	if (r != 0)
		return r;
	return session_print(&options, "GetSession", json_pack("{s:I}", "id", (json_int_t)id));
}

int ctl_lookup(const struct ctl_context *context, int argc, char **argv)
{
	struct ctl_options options;
	struct net_addr address;
	int r = ctl_options_parse(context, argc, argv, 0, 1, 1, &options);

	if (r != 0)
		return r;
	if (net_addr_parse(options.operands[0], /* allow_port_zero= */ false, &address) != 0) {
		ctl_complain(
			"%s: expected ADDRESS:PORT as the SIP server sees its peer, or its own "
			"of a connection it dialled, like 127.0.0.1:40122 or [::1]:40122, "
			"found \"%s\"; siptlsctl sessions --output "
			"id,direction,backend_local,backend lists them",
			argv[0], options.operands[0]);
		return CTL_USAGE;
	}
	return session_print(&options, "LookupBackend",
			     json_pack("{s:s}", "address", options.operands[0]));
}

/* ---- closing ---- */

static int ids_parse(const char *command, const struct ctl_options *options, json_t **ret)
{
	_cleanup_json_ json_t *ids = json_array();

	for (int i = 0; i < options->n_operands; i++) {
		int64_t id;
		int r = ctl_options_id(command, options->operands[i], &id);

		if (r != 0)
			return r;
		if (json_array_append_new(ids, json_integer(id)) < 0)
			return -ENOMEM;
	}
	*ret = steal_ptr(ids);
	return 0;
}

static void print_ids(const char *word, const json_t *ids)
{
	for (size_t i = 0; i < json_array_size(ids); i++)
		printf("%s %" JSON_INTEGER_FORMAT "\n", word,
		       json_integer_value(json_array_get(ids, i)));
}

int ctl_close(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *ids = NULL, *answer = NULL;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, 0, 1, INT_MAX, &options);
	if (r == 0)
		r = ids_parse(argv[0], &options, &ids);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = ctl_call(client, "CloseSessions", json_pack("{s:O}", "ids", ids), &answer);
	if (r != 0)
		return r;
	if (options.json) {
		r = ctl_json_print(answer);
	} else {
		print_ids("closed", json_object_get(answer, "closed"));
		print_ids("unknown", json_object_get(answer, "unknown"));
	}
	if (r == 0 && json_array_size(json_object_get(answer, "unknown")) > 0)
		r = CTL_FAILED;
	return r;
}
