/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * siptlsctl verify: the daemon's own decision about a certificate, on files alone. One anchor set,
 * one entry, one question, and the code that judges handshakes.
 */

#include <control/fields.h>
#include <getopt.h>
#include <siptls/conf.h>
#include <siptls/trust.h>
#include <stdio.h>

#include "files.h"
#include "view.h"
#include "words.h"

#define HOST_NAME_SIZE_MAX 253 /* of a host name, RFC 1035 2.3.4 without the root */
#define DEPTH		   5 /* certificates in a chain, as configurations that do not say otherwise */

/* With --any-name the leaf's names are set aside, and this one is asked for and found. */
#define ANY_NAME "any-name"

struct question {
	const char *command;
	struct ctl_files anchors, chain, crls;
	char name[HOST_NAME_SIZE_MAX + 1];
	bool any_name;
	bool from_client;		/* the peer is the TLS client */
	int profile, usage, revocation; /* revocation -1: not said */
	uint32_t grace_s;
	int64_t at;
	bool json;
};

static const char *const purposes[] = { "server", "client", NULL };

/* ---- arguments ------------------------------------------------------------------------------- */

static int word_parse(const char *command, const char *option, const char *const *words,
		      const char *text, int *ret)
{
	char buf[256] = "";
	struct text expected = TEXT_INIT(buf);

	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*ret = i;
			return 0;
		}
		text_addf(&expected, "%s%s", i ? ", " : "", words[i]);
	}
	ctl_complain("%s: --%s: expected %s, found \"%s\"", command, option, buf, text);
	return CTL_USAGE;
}

/* Lower case, as names are in a topology. */
static int name_parse(const char *command, const char *text,
		      char ret[static HOST_NAME_SIZE_MAX + 1])
{
	size_t len = strlen(text);

	if (len == 0 || len > HOST_NAME_SIZE_MAX) {
		ctl_complain("%s: --name: expected a host name, found \"%s\"", command, text);
		return CTL_USAGE;
	}
	for (size_t i = 0; i <= len; i++)
		ret[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	return 0;
}

static int grace_parse(const char *command, const char *text, uint32_t *ret)
{
	if (ctl_span_parse(text, ret))
		return 0;
	ctl_complain("%s: --grace: expected a time like 90s, 5m, 2h or 14d, found \"%s\"", command,
		     text);
	return CTL_USAGE;
}

static int purpose_parse(const char *command, const char *text, bool *ret_from_client)
{
	int purpose, r = word_parse(command, "purpose", purposes, text, &purpose);

	if (r == 0)
		*ret_from_client = purpose == 1;
	return r;
}

static int take(struct question *q, int option, char *value)
{
	switch (option) {
	case 'a':
		return ctl_files_add(q->command, &q->anchors, value);
	case 'c':
		return ctl_files_add(q->command, &q->chain, value);
	case 'C':
		return ctl_files_add(q->command, &q->crls, value);
	case 'n':
		return name_parse(q->command, value, q->name);
	case 'N':
		q->any_name = true;
		return 0;
	case 'p':
		return word_parse(q->command, "profile", trust_profile_names, value, &q->profile);
	case 'P':
		return purpose_parse(q->command, value, &q->from_client);
	case 'u':
		return word_parse(q->command, "usage", trust_usage_names, value, &q->usage);
	case 'r':
		return word_parse(q->command, "revocation", trust_revocation_names, value,
				  &q->revocation);
	case 'g':
		return grace_parse(q->command, value, &q->grace_s);
	case 't':
		return ctl_options_time(q->command, value, &q->at);
	case 'j':
		q->json = true;
		return 0;
	default:
		return CTL_USAGE;
	}
}

static int question_check(struct question *q)
{
	if (q->anchors.n == 0 || q->chain.n == 0 || (!q->name[0] && !q->any_name)) {
		ctl_complain("%s: --anchor, --chain and --name are needed, see --help", q->command);
		return CTL_USAGE;
	}
	if (q->name[0] && q->any_name) {
		ctl_complain("%s: either --name or --any-name", q->command);
		return CTL_USAGE;
	}
	if (q->any_name)
		snprintf(q->name, sizeof(q->name), "%s", ANY_NAME);
	if (q->revocation < 0)
		q->revocation = q->crls.n > 0 ? TRUST_REVOCATION_REQUIRE : TRUST_REVOCATION_OFF;
	return 0;
}

static int bare_word(const struct question *q, const char *word)
{
	ctl_complain("%s: \"%s\" belongs to no option", q->command, word);
	return CTL_USAGE;
}

static int question_parse(int argc, char **argv, struct question *q)
{
	static const struct option table[] = {
		{ "anchor", required_argument, NULL, 'a' },
		{ "chain", required_argument, NULL, 'c' },
		{ "crl", required_argument, NULL, 'C' },
		{ "name", required_argument, NULL, 'n' },
		{ "any-name", no_argument, NULL, 'N' },
		{ "profile", required_argument, NULL, 'p' },
		{ "purpose", required_argument, NULL, 'P' },
		{ "usage", required_argument, NULL, 'u' },
		{ "revocation", required_argument, NULL, 'r' },
		{ "grace", required_argument, NULL, 'g' },
		{ "at", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option, list = 0;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "-:", table, NULL)) >= 0) {
		/* "--anchor A B": a bare word is one more file of the list before it. */
		bool bare = option == 1;
		int r;

		if (option == '?' || option == ':')
			return ctl_options_wrong(q->command, option, argv);
		if (!bare)
			list = strchr("acC", option) ? option : 0;
		if (bare && !list)
			return bare_word(q, optarg);
		r = take(q, bare ? list : option, optarg);
		if (r != 0)
			return r;
	}
	if (optind < argc)
		return bare_word(q, argv[optind]);
	return question_check(q);
}

/* ---- judgement ------------------------------------------------------------------------------- */

/* A policy of one entry that borrows all its strings. */
struct policy {
	struct trust_anchors anchors;
	struct trust_member member;
	struct trust_entry entry;
	struct trust_policy policy;
};

static void policy_make(struct question *q, struct policy *ret)
{
	bool pool = q->profile == TRUST_POOL_NAMES;

	ret->anchors = (struct trust_anchors){
		.name = q->name,
		.internal = pool,
		.files = q->anchors.names,
		.n_files = q->anchors.n,
		.revocation = (enum trust_revocation)q->revocation,
		.crl_grace_s = q->grace_s,
	};
	ret->member = (struct trust_member){ .name = q->name };
	ret->entry = (struct trust_entry){
		.name = q->name,
		.kind = pool ? TRUST_POOL : TRUST_SERVER,
		.members = &ret->member,
		.n_members = 1,
		.rate = TRUST_RATE_NONE,
		/* The name that stands for any is a common name. */
		.profile = q->any_name ? TRUST_POOL_NAMES : (enum trust_profile)q->profile,
		.usage = (enum trust_usage)q->usage,
		.directions = TRUST_INBOUND | TRUST_OUTBOUND,
	};
	ret->policy = (struct trust_policy){
		.anchors = &ret->anchors,
		.n_anchors = 1,
		.entries = &ret->entry,
		.n_entries = 1,
		.depth = DEPTH,
	};
}

/*
 * No name is asked: the leaf's own are set aside for one that matches. Everything else of the
 * judgement is as it always is; a topology cannot say this.
 */
static int names_replace(struct trust_facts *facts)
{
	struct trust_name *names = calloc(1, sizeof(*names));
	char *value = strdup(ANY_NAME);

	if (!names || !value) {
		free(names);
		free(value);
		return -ENOMEM;
	}
	for (size_t i = 0; i < facts->n_names; i++)
		free(facts->names[i].value);
	free(facts->names);
	*names = (struct trust_name){ TRUST_NAME_CN, (uint32_t)strlen(value), value };
	facts->names = names;
	facts->n_names = 1;
	return 0;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static const struct ctl_column columns[] = {
	{ "verdict", "VERDICT", "verdict", FORMAT_PLAIN, true, NULL, NULL },
	{ "reason", "REASON", "reason", FORMAT_PLAIN, true, NULL, NULL },
	{ "meaning", "MEANING", "meaning", FORMAT_PLAIN, true, NULL, NULL },
	{ "cure", "CURE", "what to do", FORMAT_PLAIN, true, NULL, NULL },
	{ "detail", "DETAIL", "in detail", FORMAT_PLAIN, true, NULL, NULL },
	{ "at", "AT", "judged for", FORMAT_TIME, true, NULL, NULL },
	{ "name", "NAME", "matched name", FORMAT_PLAIN, true, NULL, NULL },
	{ "subject", "SUBJECT", "certificate", FORMAT_PLAIN, true, NULL, NULL },
	{ "issuer", "ISSUER", "issuer", FORMAT_PLAIN, true, NULL, NULL },
	{ "serial", "SERIAL", "serial", FORMAT_PLAIN, true, NULL, NULL },
	{ "fingerprint", "FINGERPRINT", "SHA-256", FORMAT_PLAIN, true, NULL, NULL },
	{ "anchor", "ANCHOR", "vouched for by", FORMAT_PLAIN, true, NULL, NULL },
	{ "expires", "EXPIRES", "expires", FORMAT_TIME, true, NULL, NULL },
	{ "revocation", "REVOCATION", "revocation", FORMAT_PLAIN, true, NULL, NULL },
};

static const struct ctl_view view = { "verdict", "", columns, ARRAY_SIZE(columns) };

static bool set_text(json_t *object, const char *key, const char *text)
{
	return !text || !*text || json_object_set_new(object, key, control_text_make(text)) == 0;
}

static bool set_time(json_t *object, const char *key, int64_t when)
{
	return when == INT64_MAX || json_object_set_new(object, key, json_integer(when)) == 0;
}

static bool set_leaf(json_t *object, const struct trust_facts *facts)
{
	const struct trust_certificate *leaf = facts->certs;
	char fingerprint[2 * sizeof(leaf->fingerprint) + 1];

	if (facts->n_certs == 0)
		return true;
	hex_format(leaf->fingerprint, sizeof(leaf->fingerprint), fingerprint);
	return set_text(object, "subject", leaf->subject) &&
	       set_text(object, "issuer", leaf->issuer) &&
	       set_text(object, "serial", leaf->serial) &&
	       set_text(object, "fingerprint", fingerprint);
}

static bool set_acceptance(json_t *object, const struct question *q,
			   const struct trust_verdict *verdict)
{
	char buf[1024] = "";
	struct text name = TEXT_INIT(buf);

	if (verdict->reason != REASON_OK)
		return true;
	if (verdict->name && !q->any_name)
		text_add_foreign(&name, verdict->name->value, verdict->name->len);
	return set_text(object, "name", buf) &&
	       set_text(object, "anchor", verdict->path ? verdict->path->anchor_subject : NULL) &&
	       set_time(object, "expires", verdict->expires);
}

/* "links": every certificate of the chain with what is known of its revocation. */
static int set_links(json_t *object, const struct ctl_case *c, const struct trust_verdict *verdict,
		     int64_t now)
{
	_cleanup_(control_explanation_done) struct control_explanation links = { 0 };
	int r = control_explanation_begin(&links);

	if (r < 0)
		return r;
	ctl_case_links(c, verdict, now, control_explanation_ops.link, &links);
	if (links.error < 0)
		return links.error;
	return json_object_set(object, "links", links.links) < 0 ? -ENOMEM : 0;
}

static int tell(const struct question *q, const struct trust_verdict *verdict,
		const struct ctl_case *c, const char *detail)
{
	const struct reason_info *info = reason_info(verdict->reason);
	bool accepted = verdict->reason == REASON_OK;
	_cleanup_json_ json_t *object = json_object();
	int r;

	if (!set_text(object, "verdict", accepted ? "accept" : "refuse") ||
	    !set_text(object, "reason", info->code) ||
	    !set_text(object, "meaning", accepted ? NULL : info->text) ||
	    !set_text(object, "cure", info->cure) || !set_text(object, "detail", detail) ||
	    !set_time(object, "at", q->at) || !set_leaf(object, &c->facts) ||
	    !set_acceptance(object, q, verdict) ||
	    !set_text(object, "revocation", trust_standing_names[verdict->standing]))
		return -ENOMEM;
	r = set_links(object, c, verdict, q->at);
	if (r == 0)
		r = q->json ? ctl_json_print(object) : ctl_view_block(&view, "verdict", object);
	return r == 0 && !accepted ? CTL_FAILED : r;
}

static int crls_read(const struct question *q, struct ctl_case *c)
{
	for (size_t i = 0; i < q->crls.n; i++) {
		char buf[512] = "";
		struct text why = TEXT_INIT(buf);
		int r = ctl_case_crl(c, q->crls.names[i], &why);

		if (r < 0)
			return r;
		if (r > 0) {
			ctl_complain("%s: --crl %s: %s; expected a file of CRLs in PEM, or of one "
				     "in DER",
				     q->command, q->crls.names[i], buf);
			return CTL_USAGE;
		}
	}
	return 0;
}

static bool is_among(const struct ctl_files *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++) {
		if (strcmp(files->names[i], name) == 0)
			return true;
	}
	return false;
}

static int complain_about_file(const struct question *q, const struct conf_error *error)
{
	bool anchor = is_among(&q->anchors, error->file);

	ctl_complain("%s: --%s %s: %s; expected a file of %s", q->command,
		     anchor ? "anchor" : "chain", error->file, error->text,
		     anchor ? "CA certificates in PEM"
			    : "certificates in PEM, the peer's own first");
	return CTL_USAGE;
}

static int facts_read(struct question *q, struct ctl_case *c)
{
	struct conf_error error = { 0 };
	int r = crls_read(q, c);

	if (r != 0)
		return r;
	r = ctl_case_read(c, &q->chain, &error);
	if (r > 0)
		return complain_about_file(q, &error);
	return r == 0 && q->any_name ? names_replace(&c->facts) : r;
}

static int judge(struct question *q)
{
	_cleanup_(ctl_case_done) struct ctl_case c = { 0 };
	const struct trust_question question = {
		.dialled = !q->from_client,
		.version = KTLS_TLS13,
		.entry = q->from_client ? TRUST_ENTRY_ANY : 0,
		.now = q->at,
	};
	struct trust_verdict verdict;
	char buf[4096] = "";
	struct text detail = TEXT_INIT(buf);
	struct policy policy;
	int r;

	policy_make(q, &policy);
	r = ctl_case_new(&policy.policy, &c);
	if (r == 0)
		r = facts_read(q, &c);
	if (r != 0)
		return r;
	trust_judge(&policy.policy, &c.facts, &question, &verdict);
	trust_verdict_text(&policy.policy, &c.facts, &question, &verdict, &detail);
	return tell(q, &verdict, &c, buf);
}

int ctl_verify(const struct ctl_context *context, int argc, char **argv)
{
	struct question q = {
		.command = argv[0], .revocation = -1, .at = time_realtime_s(), .json = context->json
	};
	int r = question_parse(argc, argv, &q);

	return r == 0 ? judge(&q) : r;
}
