/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commands about the daemon as a whole: summary, peers, reload. */

#include <siptls/reason.h>
#include <stdio.h>

#include "client.h"
#include "view.h"
#include "words.h"

static const struct ctl_column peer_columns[] = {
	{ "name", "PEER", "name", FORMAT_PLAIN, true, NULL, NULL },
	{ "kind", "KIND", "kind", FORMAT_PLAIN, true, "removed", NULL },
	{ "owner", "OWNER", "owner", FORMAT_PLAIN, true, NULL, NULL },
	{ "sessions_in", "IN", "sessions in", FORMAT_COUNT, true, NULL, NULL },
	{ "sessions_out", "OUT", "sessions out", FORMAT_COUNT, true, NULL, NULL },
	{ "admitted", "ADMITTED", "admitted", FORMAT_COUNT, true, NULL, NULL },
	{ "refused", "REFUSED", "refused", FORMAT_COUNT, true, NULL, NULL },
	{ "last_refusal", "LAST-REFUSAL", "last refusal", FORMAT_PLAIN, true, NULL, NULL },
	{ "last_refusal_time", "WHEN", "when", FORMAT_TIME, true, NULL, NULL },
};

static const struct ctl_view peer_view = { "peers", "no peers in the topology", peer_columns,
					   ARRAY_SIZE(peer_columns) };

int ctl_peers(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *rows = NULL;
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST, 0, 0, &options);
	if (r == 0)
		r = ctl_view_select(&peer_view, options.output, &selection);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = ctl_call_list(client, "ListPeers", json_object(), "peers", &rows);
	return r == 0 ? ctl_view_print(&peer_view, &selection, &options, rows, NULL) : r;
}

/* ---- summary ---- */

static json_int_t int_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_figures(const json_t *summary)
{
	const json_t *sessions = json_object_get(summary, "sessions");
	const json_t *totals = json_object_get(summary, "totals");
	char words[CTL_WORDS_SIZE];

	printf("  running: %s\n", ctl_words_span(int_at(summary, "uptime_s"), words));
	printf("  configuration: generation %" JSON_INTEGER_FORMAT
	       ", topology serial %" JSON_INTEGER_FORMAT ", in force since %s\n",
	       int_at(summary, "generation"), int_at(summary, "serial"),
	       ctl_words_time(int_at(summary, "loaded"), time_realtime_s(), words));
	printf("  sessions: %" JSON_INTEGER_FORMAT " (%" JSON_INTEGER_FORMAT
	       " in the kernel, %" JSON_INTEGER_FORMAT " in user space), %" JSON_INTEGER_FORMAT
	       " in handshake, %" JSON_INTEGER_FORMAT " unauthenticated\n",
	       int_at(sessions, "relaying"), int_at(sessions, "kernel"), int_at(sessions, "user"),
	       int_at(sessions, "handshaking"), int_at(sessions, "unauthenticated"));
	printf("  connections: %" JSON_INTEGER_FORMAT " accepted, %" JSON_INTEGER_FORMAT
	       " dialled, %" JSON_INTEGER_FORMAT " admitted\n",
	       int_at(totals, "accepted"), int_at(totals, "dialled"), int_at(totals, "admitted"));
	printf("  handshake processes: %" JSON_INTEGER_FORMAT, int_at(summary, "workers"));
	if (int_at(summary, "worker_respawns") > 0)
		printf(", %" JSON_INTEGER_FORMAT " replaced", int_at(summary, "worker_respawns"));
	printf("\n");
}

static void print_ciphers(const json_t *kernel, const char *key, const char *version)
{
	const json_t *names = json_object_get(kernel, key);

	for (size_t i = 0; i < json_array_size(names); i++)
		printf("%s %s", i ? "," : version, json_string_value(json_array_get(names, i)));
	if (json_array_size(names) > 0)
		printf("; ");
}

static void print_kernel(const json_t *kernel)
{
	printf("  kernel: ");
	if (!json_is_true(json_object_get(kernel, "ulp"))) {
		printf("no tls module, sessions are carried in user space\n");
		return;
	}
	print_ciphers(kernel, "tls12", "TLS 1.2 with");
	print_ciphers(kernel, "tls13", "TLS 1.3 with");
	printf("key change %s\n", json_is_true(json_object_get(kernel, "rekey")) ? "yes" : "no");
}

static void print_ports(const json_t *ports)
{
	for (size_t i = 0; i < json_array_size(ports); i++) {
		const json_t *port = json_array_get(ports, i);
		const char *kind = json_string_value(json_object_get(port, "kind"));
		_cleanup_free_ char *via =
			ctl_value_text(json_object_get(port, "via"), FORMAT_PLAIN, false);
		_cleanup_free_ char *address =
			ctl_value_text(json_object_get(port, "address"), FORMAT_PLAIN, false);

		printf("%s: %s\n  address: %s\n",
		       kind && strcmp(kind, "dial") == 0 ? "dial" : "listen", via ? via : "-",
		       address ? address : "-");
	}
}

/* Refusals and ends, with the words of this program's own list. */
static void print_ended(json_t *ended)
{
	const char *code;
	json_t *count;

	if (json_object_size(ended) > 0)
		printf("ended:\n");
	json_object_foreach (ended, code, count) {
		int reason = reason_from_code(code);

		printf("  %s: %" JSON_INTEGER_FORMAT, code, json_integer_value(count));
		if (reason >= 0)
			printf(" (%s)", reason_info((enum reason)reason)->text);
		printf("\n");
	}
}

static int print_summary(const json_t *summary, const json_t *ports)
{
	_cleanup_free_ char *version =
		ctl_value_text(json_object_get(summary, "version"), FORMAT_PLAIN, false);

	printf("siptlsd: %s\n", version ? version : "-");
	print_figures(summary);
	print_kernel(json_object_get(summary, "kernel"));
	print_ports(ports);
	print_ended(json_object_get(summary, "ended"));
	return fflush(stdout) != 0 ? -EIO : 0;
}

int ctl_summary(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL, *ports = NULL;
	struct ctl_options options;
	json_t *summary;
	int r;

	r = ctl_options_parse(context, argc, argv, 0, 0, 0, &options);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = ctl_call(client, "GetSummary", json_object(), &answer);
	if (r == 0)
		r = ctl_call_list(client, "ListPorts", json_object(), "ports", &ports);
	if (r != 0)
		return r;
	summary = json_object_get(answer, "summary");
	if (!options.json)
		return print_summary(summary, ports);
	return json_object_set(summary, "ports", ports) < 0 ? -ENOMEM : ctl_json_print(summary);
}

/* ---- reload ---- */

int ctl_reload(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_free_ char *text = NULL;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, 0, 0, 0, &options);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = ctl_call(client, "Reload", json_object(), &answer);
	if (r != 0)
		return r;
	if (options.json)
		return ctl_json_print(answer);
	text = ctl_value_text(json_object_get(answer, "summary"), FORMAT_PLAIN, false);
	return text && puts(text) >= 0 ? 0 : -ENOMEM;
}
