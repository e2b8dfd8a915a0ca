/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Why: verdicts of sessions and refusals, and of a peer that is dialled now. */

#include "method.h"
#include "types.h"

int control_explain(struct control_exchange *x)
{
	_cleanup_(control_explanation_done) struct control_explanation explanation = { 0 };
	json_t *id = control_parameter(x, "id"), *answer;
	int r = control_explanation_begin(&explanation);

	if (r == 0)
		r = sessions_explain(x->sessions, (uint64_t)json_integer_value(id),
				     &control_explanation_ops, &explanation);
	if (r == SESSION_E_UNKNOWN)
		return control_fail(x, "org.siptls.SessionNotFound", json_pack("{s:O}", "id", id));
	if (r == 0)
		r = control_explanation_end(&explanation, &answer);
	return r == 0 ? control_answer(x, answer) : r;
}

/* ---- probe ---- */

struct control_probe {
	struct control_explanation chain;
};

struct control_probe *control_probe_free(struct control_probe *probe)
{
	if (!probe)
		return NULL;
	control_explanation_done(&probe->chain);
	free(probe);
	return NULL;
}

static void on_probe_link(void *userdata, const struct session_link_view *link)
{
	struct control_exchange *x = userdata;

	control_explanation_ops.link(&x->probe->chain, link);
}

static int probe_answer(struct control_exchange *x, const struct session_probe_view *view)
{
	const struct control_explanation *chain = &x->probe->chain;
	_cleanup_json_ json_t *answer = NULL;
	json_t *session;
	int r = chain->error;

	if (r == 0)
		r = control_session_make(&view->session, time_monotonic_ms(), &session);
	if (r < 0)
		return r;
	answer = json_pack("{s:b, s:s, s:o, s:O}", "admitted", (int)view->admitted, "reason",
			   reason_info(view->reason)->code, "session", session, "links",
			   chain->links);
	if (!answer || (view->detail && *view->detail &&
			json_object_set_new(answer, "detail", control_text_make(view->detail)) < 0))
		return -ENOMEM;
	return control_answer(x, steal_ptr(answer));
}

static void on_probed(void *userdata, const struct session_probe_view *view)
{
	struct control_exchange *x = userdata;

	control_answered(x, probe_answer(x, view));
}

int control_probe(struct control_exchange *x)
{
	static const struct session_probe_ops ops = { .link = on_probe_link, .done = on_probed };
	const char *peer = json_string_value(control_parameter(x, "peer"));
	int r;

	x->probe = calloc(1, sizeof(*x->probe));
	if (!x->probe)
		return -ENOMEM;
	r = control_explanation_begin(&x->probe->chain);
	if (r < 0)
		return r;
	control_answer_later(x);
	r = sessions_probe(x->sessions, peer, &ops, x);
	if (r == 0)
		return 0;
	x->phase = CONTROL_RUNNING;
	if (r == SESSION_E_UNKNOWN)
		return control_fail(x, "org.siptls.PeerNotFound", json_pack("{s:s}", "peer", peer));
	return r;
}
