/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Revocation lists and where they come from; certificates and how long they last. */

#include <stdio.h>

#include "client.h"
#include "view.h"

static const struct ctl_column crl_columns[] = {
	{ "source", "SOURCE", "source", FORMAT_PLAIN, true, NULL, NULL },
	{ "issuer", "ISSUER", "issuer", FORMAT_PLAIN, true, NULL, NULL },
	{ "state", "STATE", "state", FORMAT_PLAIN, true, "bad", NULL },
	{ "this_update", "THIS-UPDATE", "this update", FORMAT_WHEN, true, NULL, NULL },
	{ "next_update", "NEXT-UPDATE", "next update", FORMAT_WHEN, true, NULL, "none" },
	{ "entries", "ENTRIES", "entries", FORMAT_COUNT, true, NULL, NULL },
	{ "number", "NUMBER", "number", FORMAT_PLAIN, true, NULL, NULL },
	{ "detail", "DETAIL", "detail", FORMAT_PROSE, false, NULL, NULL },
};

static const struct ctl_column source_columns[] = {
	{ "location", "SOURCE", "source", FORMAT_PLAIN, true, NULL, NULL },
	{ "ok", "OK", "ok", FORMAT_PLAIN, true, "no", NULL },
	{ "failures", "FAILURES", "failures", FORMAT_COUNT, true, NULL, NULL },
	{ "next", "NEXT-ATTEMPT", "next attempt", FORMAT_WHEN, true, NULL, NULL },
	{ "detail", "DETAIL", "detail", FORMAT_PROSE, true, NULL, NULL },
};

static const struct ctl_view crl_view = { "crls", "no CRLs", crl_columns, ARRAY_SIZE(crl_columns) };
static const struct ctl_view source_view = { "sources", "no sources of CRLs", source_columns,
					     ARRAY_SIZE(source_columns) };

static int print_both(const struct ctl_options *options, const struct ctl_selection *selection,
		      const json_t *crls, json_t *sources)
{
	_cleanup_json_ json_t *beside = json_pack("{s:O}", "sources", sources);
	struct ctl_selection all;
	int r;

	if (!beside)
		return -ENOMEM;
	r = ctl_view_print(&crl_view, selection, options, crls, beside);
	/* A script that reads columns gets those of one list alone. */
	if (r != 0 || options->json || options->raw)
		return r;
	putchar('\n');
	r = ctl_view_select(&source_view, NULL, &all);
	return r == 0 ? ctl_view_print(&source_view, &all, options, sources, NULL) : r;
}

static int refresh(struct ctl_client *client)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = ctl_call(client, "RefreshRevocation", json_object(), &answer);

	if (r == 0)
		fprintf(stderr, "siptlsctl: every source is being read and fetched; what is "
				"listed is known so far\n");
	return r;
}

int ctl_revocation(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *crls = NULL, *sources = NULL;
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST | OPTION_REFRESH, 0, 0, &options);
	if (r == 0)
		r = ctl_view_select(&crl_view, options.output, &selection);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0 && options.refresh)
		r = refresh(client);
	if (r == 0)
		r = ctl_call_list(client, "ListCrls", json_object(), "crls", &crls);
	if (r == 0)
		r = ctl_call_list(client, "ListSources", json_object(), "sources", &sources);
	return r == 0 ? print_both(&options, &selection, crls, sources) : r;
}

/* ---- certificates ---- */

static const struct ctl_column certificate_columns[] = {
	{ "kind", "KIND", "kind", FORMAT_PLAIN, true, NULL, NULL },
	{ "owner", "OWNER", "owner", FORMAT_PLAIN, true, NULL, NULL },
	{ "subject", "SUBJECT", "subject", FORMAT_PLAIN, true, NULL, NULL },
	{ "not_after", "ENDS", "ends", FORMAT_WHEN, true, NULL, "never" },
	{ "warned", "WARNED", "warned", FORMAT_PLAIN, true, "yes", NULL },
	{ "issuer", "ISSUER", "issuer", FORMAT_PLAIN, false, NULL, NULL },
	{ "serial", "SERIAL", "serial", FORMAT_PLAIN, true, NULL, NULL },
	{ "fingerprint", "FINGERPRINT", "SHA-256", FORMAT_PLAIN, false, NULL, NULL },
	{ "not_before", "BEGINS", "begins", FORMAT_TIME, false, NULL, NULL },
	{ "left_s", "LEFT", "left", FORMAT_SPAN, false, NULL, NULL },
};

static const struct ctl_view certificate_view = { "certificates", "no certificates",
						  certificate_columns,
						  ARRAY_SIZE(certificate_columns) };

int ctl_certificates(const struct ctl_context *context, int argc, char **argv)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = NULL;
	_cleanup_json_ json_t *rows = NULL;
	struct ctl_selection selection;
	struct ctl_options options;
	int r;

	r = ctl_options_parse(context, argc, argv, OPTION_LIST, 0, 0, &options);
	if (r == 0)
		r = ctl_view_select(&certificate_view, options.output, &selection);
	if (r == 0)
		r = ctl_client_open(options.socket, &client);
	if (r == 0)
		r = ctl_call_list(client, "ListCertificates", json_object(), "certificates", &rows);
	return r == 0 ? ctl_view_print(&certificate_view, &selection, &options, rows, NULL) : r;
}
