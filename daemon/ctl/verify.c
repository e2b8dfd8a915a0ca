/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * siptlsctl verify: the daemon's own decision about a certificate, on files alone. One anchor set,
 * one entry, one question, and the code that judges handshakes.
 */

#include <control/fields.h>
#include <getopt.h>
#include <siptls/tls.h>
#include <siptls/trust.h>
#include <stdio.h>

#include "view.h"
#include "words.h"

#define FILES_MAX	   64
#define HOST_NAME_SIZE_MAX 253 /* of a host name, RFC 1035 2.3.4 without the root */
#define DEPTH		   5 /* certificates in a chain, as configurations that do not say otherwise */

struct files {
	char *names[FILES_MAX];
	size_t n;
};

struct question {
	struct files anchors, chain, crls;
	char name[HOST_NAME_SIZE_MAX + 1];
	bool from_client; /* the peer is the TLS client */
	int profile, usage, revocation;
	int64_t at;
	bool json;
};

static const char *const purposes[] = { "server", "client", NULL };
static const char *const revocations[] = { "off", "check", "require", NULL };

/* ---- arguments ------------------------------------------------------------------------------- */

static int file_add(struct files *files, char *name)
{
	if (files->n == FILES_MAX) {
		ctl_complain("verify: too many files");
		return CTL_USAGE;
	}
	files->names[files->n++] = name;
	return 0;
}

static int word_parse(const char *option, const char *const *words, const char *text, int *ret)
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
	ctl_complain("verify: --%s: expected %s; found '%s'", option, buf, text);
	return CTL_USAGE;
}

/* Lower case, as names are in a topology. */
static int name_parse(const char *text, char ret[static HOST_NAME_SIZE_MAX + 1])
{
	size_t len = strlen(text);

	if (len == 0 || len > HOST_NAME_SIZE_MAX) {
		ctl_complain("verify: --name: expected a host name");
		return CTL_USAGE;
	}
	for (size_t i = 0; i <= len; i++)
		ret[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	return 0;
}

static int take(struct question *q, int option)
{
	int purpose, r;

	switch (option) {
	case 'a':
		return file_add(&q->anchors, optarg);
	case 'c':
		return file_add(&q->chain, optarg);
	case 'C':
		return file_add(&q->crls, optarg);
	case 'n':
		return name_parse(optarg, q->name);
	case 'p':
		return word_parse("profile", trust_profile_names, optarg, &q->profile);
	case 'P':
		r = word_parse("purpose", purposes, optarg, &purpose);
		if (r == 0)
			q->from_client = purpose == 1;
		return r;
	case 'u':
		return word_parse("usage", trust_usage_names, optarg, &q->usage);
	case 'r':
		return word_parse("revocation", revocations, optarg, &q->revocation);
	case 't':
		if (ctl_time_parse(optarg, &q->at))
			return 0;
		ctl_complain("verify: --at: expected 2027-01-31T12:00:00Z or @SECONDS; found '%s'",
			     optarg);
		return CTL_USAGE;
	case 'j':
		q->json = true;
		return 0;
	default:
		return CTL_USAGE;
	}
}

static int question_check(const struct question *q)
{
	if (q->crls.n > 0 || q->revocation != 0) {
		ctl_complain("verify: revocation is not decided by this version");
		return CTL_USAGE;
	}
	if (q->anchors.n > 0 && q->chain.n > 0 && q->name[0])
		return 0;
	ctl_complain("verify: --anchor, --chain and --name are needed, see --help");
	return CTL_USAGE;
}

static int question_parse(int argc, char **argv, struct question *q)
{
	static const struct option table[] = {
		{ "anchor", required_argument, NULL, 'a' },
		{ "chain", required_argument, NULL, 'c' },
		{ "crl", required_argument, NULL, 'C' },
		{ "name", required_argument, NULL, 'n' },
		{ "profile", required_argument, NULL, 'p' },
		{ "purpose", required_argument, NULL, 'P' },
		{ "usage", required_argument, NULL, 'u' },
		{ "revocation", required_argument, NULL, 'r' },
		{ "at", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option, list = 0;

	optind = 0;
	while ((option = getopt_long(argc, argv, "-", table, NULL)) >= 0) {
		/* "--anchor A B": a bare word is one more file of the list before it. */
		bool bare = option == 1;
		int r = CTL_USAGE;

		if (!bare)
			list = option == 'a' || option == 'C' ? option : 0;
		if (!bare || list)
			r = take(q, bare ? list : option);
		else
			ctl_complain("verify: '%s' belongs to no option", optarg);
		if (r != 0)
			return r;
	}
	if (optind < argc) {
		ctl_complain("verify: '%s' belongs to no option", argv[optind]);
		return CTL_USAGE;
	}
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
	};
	ret->member = (struct trust_member){ .name = q->name };
	ret->entry = (struct trust_entry){
		.name = q->name,
		.kind = pool ? TRUST_POOL : TRUST_PARTNER,
		.members = &ret->member,
		.n_members = 1,
		.profile = (enum trust_profile)q->profile,
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

static bool set_acceptance(json_t *object, const struct trust_verdict *verdict)
{
	char buf[1024] = "";
	struct text name = TEXT_INIT(buf);

	if (verdict->reason != REASON_OK)
		return true;
	if (verdict->name)
		text_add_foreign(&name, verdict->name->value, verdict->name->len);
	return set_text(object, "name", buf) &&
	       set_text(object, "anchor", verdict->path ? verdict->path->anchor_subject : NULL) &&
	       set_time(object, "expires", verdict->expires);
}

static int tell(const struct question *q, const struct trust_verdict *verdict,
		const struct trust_facts *facts, const char *detail)
{
	const struct reason_info *info = reason_info(verdict->reason);
	bool accepted = verdict->reason == REASON_OK;
	_cleanup_json_ json_t *object = json_object();
	int r;

	if (!set_text(object, "verdict", accepted ? "accept" : "refuse") ||
	    !set_text(object, "reason", info->code) ||
	    !set_text(object, "meaning", accepted ? NULL : info->text) ||
	    !set_text(object, "cure", info->cure) || !set_text(object, "detail", detail) ||
	    !set_time(object, "at", q->at) || !set_leaf(object, facts) ||
	    !set_acceptance(object, verdict))
		return -ENOMEM;
	r = q->json ? ctl_json_print(object) : ctl_view_block(&view, "verdict", object);
	return r == 0 && !accepted ? CTL_FAILED : r;
}

static int judge(struct question *q)
{
	_cleanup_(trust_facts_done) struct trust_facts facts = { 0 };
	const struct trust_question question = {
		.dialled = !q->from_client,
		.version = KTLS_TLS13,
		.entry = q->from_client ? TRUST_ENTRY_ANY : 0,
		.now = q->at,
	};
	struct trust_verdict verdict;
	struct conf_error error = { 0 };
	char buf[4096] = "";
	struct text detail = TEXT_INIT(buf);
	struct policy policy;
	int r;

	policy_make(q, &policy);
	r = tls_global_init();
	if (r == 0)
		r = tls_facts_from_files(&policy.policy, (const char *const *)q->chain.names,
					 q->chain.n, &facts, &error);
	if (r < 0)
		return r;
	if (r > 0) {
		ctl_complain("verify: %s: %s", error.file, error.text);
		return CTL_USAGE;
	}
	trust_judge(&policy.policy, &facts, &question, &verdict);
	trust_verdict_text(&policy.policy, &facts, &question, &verdict, &detail);
	return tell(q, &verdict, &facts, buf);
}

int ctl_verify(const struct ctl_context *context, int argc, char **argv)
{
	struct question q = { .at = time_realtime_s(), .json = context->json };
	int r = question_parse(argc, argv, &q);

	return r == 0 ? judge(&q) : r;
}
