/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * explain --chain: what the daemon would say to a certificate in files, by a configuration in
 * files and the CRLs that lie where it says, without a daemon.
 */

#include <fcntl.h>
#include <stdio.h>

#include "explain.h"
#include "files.h"
#include "view.h"

struct inquiry {
	const char *command;
	const struct ctl_options *options;
	struct conf *conf;
	struct trust_question question;
	uint32_t entry; /* that --as-peer names */
	int64_t now;
};

static void conf_freep(struct conf **conf)
{
	conf_free(*conf);
}

static void snapshot_freep(struct conf_snapshot **snapshot)
{
	conf_snapshot_free(*snapshot);
}

static void complain_about_file(const char *command, const struct conf_error *error)
{
	char line[32] = "";

	if (error->line > 0)
		snprintf(line, sizeof(line), ":%u", (unsigned int)error->line);
	ctl_complain("%s: %s%s: %s", command, error->file, line, error->text);
}

/* ---- the configuration ---- */

static int conf_read(const char *command, const char *path, struct conf **ret)
{
	_cleanup_(snapshot_freep) struct conf_snapshot *snapshot = NULL;
	struct conf_error error = { 0 };
	int r = conf_snapshot_take(path, &snapshot, &error);

	if (r == 0)
		r = conf_load(snapshot, ret, &error);
	if (r <= 0)
		return r;
	complain_about_file(command, &error);
	return CTL_USAGE;
}

/* A list that cannot be read is what the daemon would meet as well: told, and then unknown. */
static int tell_about_crl(const char *command, const char *path, const char *why, int r)
{
	if (r == CTL_FAILED)
		ctl_complain("%s: %s: %s, ignoring", command, path, why);
	return r < 0 ? r : 0;
}

static bool is_folder(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0;
}

static int crls_read(const struct inquiry *q, struct ctl_case *c)
{
	const struct trust_policy *policy = &q->conf->trust;
	_cleanup_free_ char *cache = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < policy->n_anchors; i++) {
		for (size_t k = 0; r == 0 && k < policy->anchors[i].n_crl_files; k++) {
			const char *path = policy->anchors[i].crl_files[k];
			char buf[512] = "";
			struct text why = TEXT_INIT(buf);

			r = is_folder(path) ? ctl_case_crl_folder(c, path, &why)
					    : ctl_case_crl(c, path, &why);
			r = tell_about_crl(q->command, path, buf, r);
		}
	}
	if (r == 0 && asprintf(&cache, "%s/crl", q->conf->state) < 0)
		r = -ENOMEM;
	/* What the daemon has fetched; a machine without a daemon has nothing there. */
	if (r == 0 && is_folder(cache)) {
		char buf[512] = "";
		struct text why = TEXT_INIT(buf);

		r = ctl_case_crl_folder(c, cache, &why);
		r = tell_about_crl(q->command, cache, buf, r);
	}
	return r;
}

/* ---- the question ---- */

/* An entry by its name, else by that of a member. */
static bool peer_find(const struct trust_policy *policy, const char *name, uint32_t *ret_entry,
		      uint32_t *ret_member)
{
	int64_t found = trust_entry_find(policy, name);

	if (found >= 0) {
		*ret_entry = (uint32_t)found;
		*ret_member = 0;
		return true;
	}
	for (uint32_t i = 0; i < policy->n_entries; i++) {
		for (uint32_t k = 0; k < policy->entries[i].n_members; k++) {
			if (strcasecmp(policy->entries[i].members[k].name, name) != 0)
				continue;
			*ret_entry = i;
			*ret_member = k;
			return true;
		}
	}
	return false;
}

static int question_make(struct inquiry *q)
{
	const struct ctl_options *options = q->options;
	bool out = strcmp(options->direction, "out") == 0;
	uint32_t member;

	if (!peer_find(&q->conf->trust, options->as_peer, &q->entry, &member)) {
		ctl_complain("%s: --as-peer: expected an entry of %s or a member of one, found "
			     "\"%s\"",
			     q->command, q->conf->topology_path, options->as_peer);
		return CTL_USAGE;
	}
	q->question = (struct trust_question){
		.dialled = out,
		.version = KTLS_TLS13,
		.entry = out ? q->entry : TRUST_ENTRY_ANY,
		.member = out ? member : 0,
		.now = q->now,
	};
	return 0;
}

/* ---- the answer ---- */

struct rules {
	const struct trust_policy *policy;
	struct control_explanation *explanation;
	uint32_t wanted;
	bool met; /* the entry that was asked for was a candidate */
};

static void on_rule(void *userdata, const struct trust_rule_view *rule)
{
	struct rules *rules = userdata;
	bool of_entry = rule->entry < rules->policy->n_entries;

	rules->met |= rule->entry == rules->wanted;
	control_explanation_ops.rule(rules->explanation,
				     of_entry ? rules->policy->entries[rule->entry].name : NULL,
				     rule);
}

/* The verdict as the daemon would tell it, without what only sessions have. */
static int verdict_tell(const struct inquiry *q, const struct ctl_case *c,
			const struct trust_verdict *verdict,
			struct control_explanation *explanation)
{
	char name_buf[1024] = "", detail_buf[4096] = "";
	struct text name = TEXT_INIT(name_buf), detail = TEXT_INIT(detail_buf);
	struct session_explanation view = {
		.judged = true, .now = verdict->reason, .name = name_buf, .detail = detail_buf
	};

	if (verdict->name)
		text_add_foreign(&name, verdict->name->value, verdict->name->len);
	trust_verdict_text(c->policy, &c->facts, &q->question, verdict, &detail);
	if (verdict->entry < c->policy->n_entries)
		view.entry = c->policy->entries[verdict->entry].name;
	control_explanation_ops.verdict(explanation, &view);
	if (explanation->error < 0)
		return explanation->error;
	(void)json_object_del(explanation->verdict, "id");
	(void)json_object_del(explanation->verdict, "live");
	(void)json_object_del(explanation->verdict, "then");
	return 0;
}

/* 0 if the peer would be admitted, and as the one that was asked for. */
static int outcome_tell(const struct inquiry *q, const struct trust_verdict *verdict, bool met)
{
	const struct trust_entry *entries = q->conf->trust.entries;
	const char *wanted = entries[q->entry].name;

	if (verdict->reason == REASON_OK && verdict->entry == q->entry)
		return 0;
	if (verdict->reason == REASON_OK)
		ctl_complain("%s: it would be admitted, but as %s and not as %s", q->command,
			     entries[verdict->entry].name, wanted);
	else if (!met && !q->question.dialled)
		ctl_complain("%s: %s was not considered: the certificate has none of its names",
			     q->command, wanted);
	return CTL_FAILED;
}

static int answer_print(const struct inquiry *q, const struct ctl_case *c,
			struct control_explanation *explanation)
{
	_cleanup_json_ json_t *answer = NULL;
	char buf[512] = "";
	struct text title = TEXT_INIT(buf);
	int r = control_explanation_end(explanation, &answer);

	if (r < 0)
		return r;
	if (q->options->json)
		return ctl_json_print(answer);
	text_addf(&title, "certificate: ");
	if (c->facts.n_certs > 0)
		text_add_foreign(&title, c->facts.certs[0].subject,
				 strlen(c->facts.certs[0].subject));
	return ctl_explanation_print(buf, answer);
}

static int explain(const struct inquiry *q, const struct ctl_case *c)
{
	_cleanup_(control_explanation_done) struct control_explanation explanation = { 0 };
	struct rules rules = { .policy = c->policy,
			       .explanation = &explanation,
			       .wanted = q->entry };
	struct trust_verdict verdict;
	int r = control_explanation_begin(&explanation);

	if (r < 0)
		return r;
	trust_judge(c->policy, &c->facts, &q->question, &verdict);
	r = verdict_tell(q, c, &verdict, &explanation);
	if (r < 0)
		return r;
	ctl_case_links(c, &verdict, q->now, control_explanation_ops.link, &explanation);
	trust_explain(c->policy, &c->facts, &q->question, on_rule, &rules);
	r = answer_print(q, c, &explanation);
	return r == 0 ? outcome_tell(q, &verdict, rules.met) : r;
}

/* ---- all of it ---- */

static int options_check(const char *command, const struct ctl_options *options,
			 struct ctl_files *chain)
{
	int r;

	if (!options->as_peer || !options->direction ||
	    (strcmp(options->direction, "in") != 0 && strcmp(options->direction, "out") != 0)) {
		ctl_complain("%s: --chain needs --as-peer NAME and --direction in|out", command);
		return CTL_USAGE;
	}
	r = ctl_files_add(command, chain, options->chain);
	for (int i = 0; r == 0 && i < options->n_operands; i++)
		r = ctl_files_add(command, chain, options->operands[i]);
	return r;
}

static int judge(struct inquiry *q, const struct ctl_files *chain)
{
	_cleanup_(ctl_case_done) struct ctl_case c = { 0 };
	struct conf_error error = { 0 };
	int r = ctl_case_new(&q->conf->trust, &c);

	if (r == 0)
		r = crls_read(q, &c);
	if (r == 0)
		r = ctl_case_read(&c, chain, &error);
	if (r > 0) {
		complain_about_file(q->command, &error);
		return CTL_USAGE;
	}
	return r == 0 ? explain(q, &c) : r;
}

int ctl_explain_files(const char *command, const struct ctl_options *options)
{
	_cleanup_(conf_freep) struct conf *conf = NULL;
	struct inquiry q = { .command = command,
			     .options = options,
			     .now = options->at_given ? options->at : time_realtime_s() };
	struct ctl_files chain = { .n = 0 };
	int r = options_check(command, options, &chain);

	if (r == 0)
		r = conf_read(command, options->config ? options->config : CONF_DEFAULT_PATH,
			      &conf);
	if (r != 0)
		return r;
	q.conf = conf;
	r = question_make(&q);
	return r == 0 ? judge(&q, &chain) : r;
}
