/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon as a whole. */

#include <siptls/reason.h>
#include <stdio.h>

#include "client.h"
#include "view.h"
#include "words.h"

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static json_int_t int_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Whatever is not as the files say, before everything else. */
static void print_alarms(const json_t *summary)
{
	const char *red = ctl_colours_wanted() ? "\x1b[31m" : "", *plain = *red ? "\x1b[0m" : "";

	if (is_true(summary, "last_good"))
		printf("%sRUNNING ON THE LAST GOOD CONFIGURATION: the files are broken, siptlsctl "
		       "reload tells where%s\n",
		       red, plain);
}

static void print_staged(const json_t *summary)
{
	json_int_t at = int_at(summary, "commit_at");
	char words[CTL_WORDS_SIZE];

	if (!is_true(summary, "staged"))
		return;
	printf("  staged: a configuration waits for siptlsctl commit or abort");
	if (at)
		printf("; it will be put in force %s",
		       ctl_words_time(at, time_realtime_s(), words));
	printf("\n");
}

static void print_revocation(const json_t *summary)
{
	if (int_at(summary, "board") == 0)
		printf("  revocation: nothing is known yet\n");
	else
		printf("  revocation: %" JSON_INTEGER_FORMAT " CRL%s on board %" JSON_INTEGER_FORMAT
		       "\n",
		       int_at(summary, "crls"), int_at(summary, "crls") == 1 ? "" : "s",
		       int_at(summary, "board"));
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
	print_staged(summary);
	printf("  sessions: %" JSON_INTEGER_FORMAT " (%" JSON_INTEGER_FORMAT
	       " in the kernel, %" JSON_INTEGER_FORMAT " in user space), %" JSON_INTEGER_FORMAT
	       " in handshake, %" JSON_INTEGER_FORMAT " unauthenticated\n",
	       int_at(sessions, "relaying"), int_at(sessions, "kernel"), int_at(sessions, "user"),
	       int_at(sessions, "handshaking"), int_at(sessions, "unauthenticated"));
	printf("  connections: %" JSON_INTEGER_FORMAT " accepted, %" JSON_INTEGER_FORMAT
	       " dialled, %" JSON_INTEGER_FORMAT " admitted\n",
	       int_at(totals, "accepted"), int_at(totals, "dialled"), int_at(totals, "admitted"));
	printf("  chains: %" JSON_INTEGER_FORMAT
	       " handshake%s found theirs verified already; live sessions rest on "
	       "%" JSON_INTEGER_FORMAT "\n",
	       int_at(summary, "chains_cached"), int_at(summary, "chains_cached") == 1 ? "" : "s",
	       int_at(summary, "peers_known"));
	print_revocation(summary);
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

static void print_warnings(const json_t *warnings)
{
	if (json_array_size(warnings) > 0)
		printf("warnings: %zu\n", json_array_size(warnings));
	for (size_t i = 0; i < json_array_size(warnings); i++) {
		_cleanup_free_ char *line =
			ctl_value_text(json_array_get(warnings, i), FORMAT_PLAIN, false);

		printf("  %s\n", line ? line : "-");
	}
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

static int print_summary(const json_t *summary, const json_t *ports, const json_t *warnings)
{
	_cleanup_free_ char *version =
		ctl_value_text(json_object_get(summary, "version"), FORMAT_PLAIN, false);

	print_alarms(summary);
	printf("siptlsd: %s\n", version ? version : "-");
	print_figures(summary);
	print_kernel(json_object_get(summary, "kernel"));
	print_warnings(warnings);
	print_ports(ports);
	print_ended(json_object_get(summary, "ended"));
	return fflush(stdout) != 0 ? -EIO : 0;
}

int ctl_summary(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL, *ports = NULL, *warnings = NULL;
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
	if (r == 0)
		r = ctl_call_list(client, "ListWarnings", json_object(), "warnings", &warnings);
	if (r != 0)
		return r;
	summary = json_object_get(answer, "summary");
	if (!options.json)
		return print_summary(summary, ports, warnings);
	if (json_object_set(summary, "ports", ports) < 0 ||
	    json_object_set(summary, "warnings", warnings) < 0)
		return -ENOMEM;
	return ctl_json_print(summary);
}
