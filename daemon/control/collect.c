/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Verdicts link by link and rule by rule, collected as objects: for the daemon and for siptlsctl.
 */

#include "codec.h"
#include "types.h"

/* A topology may have thousands of entries that claim one leaf; nobody reads that. */
#define RULES_MAX 4096

int control_explanation_begin(struct control_explanation *ret)
{
	*ret = (struct control_explanation){ .links = json_array(), .rules = json_array() };
	if (ret->links && ret->rules)
		return 0;
	control_explanation_done(ret);
	return -ENOMEM;
}

void control_explanation_done(struct control_explanation *explanation)
{
	json_decref(explanation->verdict);
	json_decref(explanation->links);
	json_decref(explanation->rules);
	*explanation = (struct control_explanation){ 0 };
}

static void on_verdict(void *userdata, const struct session_explanation *view)
{
	/* Of a refusal it is always known what was decided then. */
	const struct control_moment moment = { .keyed = view->judged || !view->live };
	struct control_explanation *e = userdata;

	if (e->error == 0 && !e->verdict)
		e->error =
			control_fields_make(&control_type_explanation, view, &moment, &e->verdict);
	if (e->error == 0 && !view->judged)
		(void)json_object_del(e->verdict, "now");
}

static void append(struct control_explanation *e, json_t *list, const struct control_type *type,
		   const void *view)
{
	const struct control_moment moment = { .keyed = true };
	json_t *item;

	if (e->error == 0)
		e->error = control_fields_make(type, view, &moment, &item);
	if (e->error == 0 && json_array_append_new(list, item) < 0)
		e->error = -ENOMEM;
}

static void on_link(void *userdata, const struct session_link_view *link)
{
	struct control_explanation *e = userdata;

	append(e, e->links, &control_type_link, link);
}

static void on_rule(void *userdata, const char *entry, const struct trust_rule_view *view)
{
	static const char *const outcomes[] = {
		[TRUST_RULE_HOLDS] = "holds",
		[TRUST_RULE_FAILS] = "fails",
		[TRUST_RULE_NOT_REACHED] = "not-reached",
	};
	const struct control_rule rule = {
		.entry = entry,
		.rule = view->rule,
		.outcome = outcomes[view->outcome],
		.reason = view->reason,
		.detail = view->detail,
	};
	struct control_explanation *e = userdata;

	if (json_array_size(e->rules) == RULES_MAX)
		e->left_out++;
	else
		append(e, e->rules, &control_type_rule, &rule);
}

const struct session_explain_ops control_explanation_ops = { .verdict = on_verdict,
							     .link = on_link,
							     .rule = on_rule };

int control_explanation_end(struct control_explanation *e, json_t **ret)
{
	_cleanup_json_ json_t *answer = NULL;

	if (e->error < 0)
		return e->error;
	answer = json_pack("{s:O, s:O, s:O}", "explanation", e->verdict, "links", e->links, "rules",
			   e->rules);
	if (!answer ||
	    (e->left_out &&
	     json_object_set_new(answer, "left_out", json_integer((json_int_t)e->left_out)) < 0))
		return -ENOMEM;
	*ret = steal_ptr(answer);
	return 0;
}
