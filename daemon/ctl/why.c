/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Why a connection was refused, why a session stands, and what a peer would meet now. */

#include <siptls/reason.h>
#include <stdio.h>

#include "explain.h"
#include "trust-view.h"

/* ---- refusals ---- */

static const struct ctl_column refusal_columns[] = {
	{ "id", "ID", "id", FORMAT_COUNT, true, NULL, NULL },
	{ "time", "WHEN", "when", FORMAT_WHEN, true, NULL, NULL },
	{ "what", "WHAT", "what", FORMAT_PLAIN, true, NULL, NULL },
	{ "direction", "DIR", "direction", FORMAT_PLAIN, true, NULL, NULL },
	{ "peer", "PEER", "peer", FORMAT_PLAIN, true, NULL, "unknown" },
	{ "remote", "REMOTE", "remote", FORMAT_PLAIN, true, NULL, NULL },
	{ "reason", "REASON", "reason", FORMAT_PLAIN, true, NULL, NULL },
	{ "via", "VIA", "via", FORMAT_PLAIN, false, NULL, NULL },
	{ "repeated", "REPEATED", "the same before", FORMAT_COUNT, false, NULL, NULL },
	{ "detail", "DETAIL", "in detail", FORMAT_PROSE, false, NULL, NULL },
	{ "subject", "SUBJECT", "certificate", FORMAT_PLAIN, true, NULL, NULL },
};

static const struct ctl_view refusal_view = { "refusals", "no refusals are remembered",
					      refusal_columns, ARRAY_SIZE(refusal_columns) };

int ctl_refusals(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *rows = NULL;
	struct ctl_selection selection;
	struct ctl_options options;
	json_t *parameters;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST | OPTION_PEER, 0, 0, &options);
	if (r == 0)
		r = ctl_view_select(&refusal_view, options.output, &selection);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r != 0)
		return r;
	parameters = options.peer ? json_pack("{s:s}", "peer", options.peer) : json_object();
	r = ctl_call_list(client, "ListRefusals", parameters, "refusals", &rows);
	return r == 0 ? ctl_view_print(&refusal_view, &selection, &options, rows, NULL) : r;
}

/* ---- explain ---- */

/*
 * "revoked (a certificate in the chain is revoked)", with the words of this program's own list, and
 * the @cure if it is wanted.
 */
static int print_reason(const char *label, const json_t *explanation, const char *key, bool cure)
{
	json_t *value = json_object_get(explanation, key);
	_cleanup_free_ char *code = ctl_value_text(value, FORMAT_PLAIN, false);
	int reason = json_is_string(value) ? reason_from_code(json_string_value(value)) : -1;

	if (!code)
		return -ENOMEM;
	if (!value)
		return 0;
	printf("  %s: %s", label, code);
	if (reason > REASON_OK)
		printf(" (%s)", reason_info((enum reason)reason)->text);
	putchar('\n');
	if (cure && reason > REASON_OK && *reason_info((enum reason)reason)->cure)
		printf("  what to do: %s\n", reason_info((enum reason)reason)->cure);
	return 0;
}

int ctl_explanation_print(const char *title, const json_t *answer)
{
	static const struct {
		const char *key, *label;
	} lines[] = { { "entry", "entry" }, { "name", "matched name" }, { "detail", "in detail" } };
	const json_t *explanation = json_object_get(answer, "explanation");
	bool judged = !json_is_false(json_object_get(explanation, "judged"));
	int r;

	printf("%s\n", title);
	if (!judged && json_is_true(json_object_get(explanation, "live")))
		puts("  no certificate of its peer has been judged");
	/* What was refused without one stays as it was. */
	r = print_reason(judged ? "verdict then" : "reason", explanation, "then", !judged);
	if (r == 0)
		r = print_reason("verdict now", explanation, "now", true);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lines); i++) {
		json_t *value = json_object_get(explanation, lines[i].key);
		_cleanup_free_ char *text = ctl_value_text(value, FORMAT_PLAIN, false);

		if (!text)
			return -ENOMEM;
		if (value)
			printf("  %s: %s\n", lines[i].label, text);
	}
	if (r == 0)
		r = ctl_chain_print(json_object_get(answer, "links"));
	if (r == 0)
		r = ctl_rules_print(json_object_get(answer, "rules"),
				    json_integer_value(json_object_get(answer, "left_out")));
	return r;
}

static int explain_session(const char *command, const struct ctl_options *options)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL;
	char title[64];
	int64_t id;
	bool live;
	int r;

	r = ctl_options_id(command, options->operands[0], &id);
	if (r == 0)
		r = ctl_client_open(options->socket, &client);
	if (r == 0)
		r = ctl_call(client, "Explain", json_pack("{s:I}", "id", (json_int_t)id), &answer);
	if (r != 0)
		return r;
	if (options->json)
		return ctl_json_print(answer);
	live = json_is_true(json_object_get(json_object_get(answer, "explanation"), "live"));
	snprintf(title, sizeof(title), "%s: %lld", live ? "session" : "refusal", (long long)id);
	return ctl_explanation_print(title, answer);
}

int ctl_explain(const struct ctl_context *context, int argc, char **argv)
{
	struct ctl_options options;
	int r = ctl_options_parse(context, argc, argv, OPTION_FILES | OPTION_AT, 0,
				  CTL_CHAIN_FILES_MAX, &options);

	if (r != 0)
		return r;
	if (options.chain)
		return ctl_explain_files(argv[0], &options);
	if (options.n_operands == 1 && !options.as_peer && !options.direction && !options.config &&
	    !options.at_given)
		return explain_session(argv[0], &options);
	ctl_complain("%s: expected one ID, or --chain FILE --as-peer NAME --direction in|out",
		     argv[0]);
	return CTL_USAGE;
}

/* ---- probe ---- */

static const struct ctl_column probe_columns[] = {
	{ "verdict", "VERDICT", "verdict", FORMAT_PLAIN, true, NULL, NULL },
	{ "reason", "REASON", "reason", FORMAT_PLAIN, true, NULL, NULL },
	{ "meaning", "MEANING", "meaning", FORMAT_PLAIN, true, NULL, NULL },
	{ "cure", "CURE", "what to do", FORMAT_PLAIN, true, NULL, NULL },
	{ "detail", "DETAIL", "in detail", FORMAT_PLAIN, true, NULL, NULL },
	{ "peer", "PEER", "peer", FORMAT_PLAIN, true, NULL, NULL },
	{ "remote", "REMOTE", "remote", FORMAT_PLAIN, true, NULL, NULL },
	{ "name", "NAME", "matched name", FORMAT_PLAIN, true, NULL, NULL },
	{ "identity", "IDENTITY", "identity shown", FORMAT_PLAIN, true, NULL, NULL },
	{ "version", "VERSION", "version", FORMAT_PLAIN, true, NULL, NULL },
	{ "cipher", "CIPHER", "cipher", FORMAT_PLAIN, true, NULL, NULL },
	{ "group", "GROUP", "key exchange", FORMAT_PLAIN, true, NULL, NULL },
	{ "mode", "MODE", "encrypted by", FORMAT_PLAIN, true, NULL, NULL },
	{ "kernel_why", "KERNEL-WHY", "not by the kernel because", FORMAT_PLAIN, true, NULL, NULL },
	{ "revocation", "REVOCATION", "revocation", FORMAT_PLAIN, true, NULL, NULL },
	{ "expires", "EXPIRES", "expires", FORMAT_TIME, true, NULL, NULL },
};

static const struct ctl_view probe_view = { "probe", "", probe_columns, ARRAY_SIZE(probe_columns) };

/* The block's row: what the session came to, below the verdict. */
static json_t *probe_row(json_t *answer, bool admitted)
{
	json_t *reason = json_object_get(answer, "reason"),
	       *detail = json_object_get(answer, "detail");
	int known = json_is_string(reason) ? reason_from_code(json_string_value(reason)) : -1;
	const struct reason_info *info = known > REASON_OK ? reason_info((enum reason)known) : NULL;
	_cleanup_json_ json_t *row = json_copy(json_object_get(answer, "session"));

	if (json_object_set_new(row, "verdict", json_string(admitted ? "admitted" : "refused")) <
		    0 ||
	    (reason && json_object_set(row, "reason", reason) < 0) ||
	    (detail && json_object_set(row, "detail", detail) < 0) ||
	    (info && json_object_set_new(row, "meaning", json_string(info->text)) < 0) ||
	    (info && *info->cure && json_object_set_new(row, "cure", json_string(info->cure)) < 0))
		return NULL;
	return steal_ptr(row);
}

static int probe_print(json_t *answer, bool admitted)
{
	_cleanup_json_ json_t *row = probe_row(answer, admitted);
	int r = row ? ctl_view_block(&probe_view, "probe", row) : -ENOMEM;

	return r == 0 ? ctl_chain_print(json_object_get(answer, "links")) : r;
}

int ctl_probe(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *answer = NULL;
	struct ctl_options options;
	bool admitted;
	int r;

	r = ctl_options_parse(context, argc, argv, 0, 1, 1, &options);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = ctl_call(client, "Probe", json_pack("{s:s}", "peer", options.operands[0]),
			     &answer);
	if (r != 0)
		return r;
	admitted = json_is_true(json_object_get(answer, "admitted"));
	r = options.json ? ctl_json_print(answer) : probe_print(answer, admitted);
	return r == 0 && !admitted ? CTL_FAILED : r;
}
