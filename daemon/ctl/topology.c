/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The network as it is in force: entries with their policy, and with their figures. */

#include <stdio.h>

#include "client.h"
#include "view.h"

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

/* ---- topology ---- */

static const struct ctl_column entry_columns[] = {
	{ "name", "NAME", "name", FORMAT_PLAIN, true, NULL, NULL },
	{ "kind", "KIND", "kind", FORMAT_PLAIN, true, NULL, NULL },
	{ "owner", "OWNER", "owner", FORMAT_PLAIN, true, NULL, NULL },
	{ "self", "SELF", "this server", FORMAT_PLAIN, true, NULL, NULL },
	{ "direction", "DIR", "direction", FORMAT_PLAIN, true, "none", NULL },
	{ "revocation", "REVOCATION", "revocation", FORMAT_PLAIN, true, "off", NULL },
	{ "anchors", "ANCHORS", "anchor files", FORMAT_COUNT, true, NULL, NULL },
	{ "profile", "PROFILE", "names that count", FORMAT_PLAIN, true, NULL, NULL },
	{ "sessions_in", "IN", "sessions in", FORMAT_COUNT, true, NULL, NULL },
	{ "sessions_out", "OUT", "sessions out", FORMAT_COUNT, true, NULL, NULL },
	{ "members", "MEMBERS", "members", FORMAT_PROSE, true, NULL, NULL },
	{ "internal", "INTERNAL", "internal", FORMAT_PLAIN, false, NULL, NULL },
	{ "wildcard", "WILDCARD", "wildcard", FORMAT_PLAIN, false, NULL, NULL },
	{ "key_usage", "KEY-USAGE", "key usage", FORMAT_PLAIN, false, NULL, NULL },
	{ "tls12", "TLS12", "TLS 1.2", FORMAT_PLAIN, false, NULL, NULL },
	{ "locate", "LOCATE", "located by", FORMAT_PLAIN, false, NULL, NULL },
	{ "port", "PORT", "port", FORMAT_COUNT, false, NULL, NULL },
	{ "domains", "DOMAINS", "SIP domains", FORMAT_PROSE, false, NULL, NULL },
	{ "rate", "RATE", "rate", FORMAT_PLAIN, false, NULL, NULL },
	{ "rate_bytes", "RATE-BYTES", "a second", FORMAT_SIZE, false, NULL, NULL },
	{ "rate_burst", "RATE-BURST", "at once", FORMAT_SIZE, false, NULL, NULL },
	{ "anchor_files", "ANCHOR-FILES", "anchors", FORMAT_PLAIN, false, NULL, NULL },
	{ "crl_files", "CRL-FILES", "CRLs", FORMAT_PLAIN, false, NULL, NULL },
	{ "crl_urls", "CRL-URLS", "CRLs fetched from", FORMAT_PLAIN, false, NULL, NULL },
	{ "crl_fetch", "CRL-FETCH", "fetched as certificates say", FORMAT_PLAIN, false, NULL,
	  NULL },
	{ "crl_grace_s", "CRL-GRACE", "grace after next update", FORMAT_SPAN, false, NULL, NULL },
	{ "line", "LINE", "line of the topology", FORMAT_COUNT, false, NULL, NULL },
};

const struct ctl_view ctl_entry_view = { "entries", "no entries in the topology", entry_columns,
					 ARRAY_SIZE(entry_columns) };

static void print_blocks(const struct ctl_options *options, const json_t *blocks)
{
	static const char *const members[] = { "name", "fingerprint" };

	for (size_t i = 0; i < json_array_size(blocks); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(members); k++) {
			json_t *value = json_object_get(json_array_get(blocks, i), members[k]);
			_cleanup_free_ char *text = ctl_value_text(value, FORMAT_PLAIN, false);

			if (value)
				fprintf(options->raw ? stderr : stdout, "blocked: %s%s\n",
					k ? "certificate " : "", text ? text : "-");
		}
	}
}

static int print_all(struct ctl_client *client, const struct ctl_selection *selection,
		     const struct ctl_options *options)
{
	_cleanup_json_ json_t *rows = NULL, *blocks = NULL, *beside = NULL;
	int r = ctl_call_list(client, "ListEntries", json_object(), "entries", &rows);

	if (r == 0)
		r = ctl_call_list(client, "ListBlocks", json_object(), "blocks", &blocks);
	if (r != 0)
		return r;
	beside = json_pack("{s:O}", "blocks", blocks);
	if (!beside)
		return -ENOMEM;
	r = ctl_view_print(&ctl_entry_view, selection, options, rows, beside);
	if (r == 0 && !options->json)
		print_blocks(options, blocks);
	return r;
}

static int print_one(struct ctl_client *client, const struct ctl_options *options)
{
	_cleanup_json_ json_t *answer = NULL;
	json_t *entry;
	int r = ctl_call(client, "GetEntry", json_pack("{s:s}", "name", options->operands[0]),
			 &answer);

	if (r != 0)
		return r;
	entry = json_object_get(answer, "entry");
	return options->json ? ctl_json_print(entry)
			     : ctl_view_block(&ctl_entry_view, "entry", entry);
}

int ctl_topology(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST, 0, 1, &options);
	if (r == 0)
		r = ctl_view_select(&ctl_entry_view, options.output, &selection);
	if (r != 0)
		return r;
	if (options.n_operands > 0 && (options.raw || options.output)) {
		ctl_complain("%s: --raw and --output are for the whole list", argv[0]);
		return CTL_USAGE;
	}
	r = ctl_client_open(options.socket, &client);
	if (r != 0)
		return r;
	return options.n_operands > 0 ? print_one(client, &options)
				      : print_all(client, &selection, &options);
}
