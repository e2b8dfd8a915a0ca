/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One client's calls: taken from the input, checked, carried out, answered. */

#include "exchange.h"

#include <siptls/control.h>

#include "method.h"

void control_exchange_init(struct control_exchange *x, struct sessions *sessions,
			   enum control_right right, const struct control_exchange_ops *ops,
			   void *userdata)
{
	*x = (struct control_exchange){
		.sessions = sessions,
		.right = right,
		.ops = ops,
		.userdata = userdata,
		.in.max = CONTROL_REQUEST_MAX,
		.out.max = CONTROL_ANSWER_MAX,
	};
}

static void call_over(struct control_exchange *x)
{
	x->preview = control_preview_free(x->preview);
	x->probe = control_probe_free(x->probe);
	json_decref(x->message);
	x->message = NULL;
	x->method = NULL;
	x->call = (struct control_call){ 0 };
	x->phase = CONTROL_IDLE;
}

void control_exchange_done(struct control_exchange *x)
{
	if (x->phase == CONTROL_WAITING)
		sessions_reload_forget(x->sessions, x);
	call_over(x);
	control_input_done(&x->in);
	control_output_done(&x->out);
}

/* ---- answers ---- */

static int answer_push(struct control_exchange *x, const char *error, json_t *parameters,
		       bool continues)
{
	_cleanup_json_ json_t *message = json_object();
	int r = 0;

	if (!message || json_object_set_new(message, "parameters", parameters) < 0)
		return -ENOMEM;
	if (error && json_object_set_new(message, "error", json_string(error)) < 0)
		return -ENOMEM;
	if (continues && json_object_set_new(message, "continues", json_true()) < 0)
		return -ENOMEM;
	if (!x->call.oneway)
		r = control_output_push(&x->out, message);
	if (r == 0 && !continues)
		call_over(x);
	return r;
}

int control_answer(struct control_exchange *x, json_t *parameters)
{
	int r = answer_push(x, NULL, parameters, /* continues= */ false);

	if (r == CONTROL_E_TOO_LARGE)
		r = control_fail(x, "org.varlink.service.ExpectedMore", json_object());
	return r;
}

int control_answer_part(struct control_exchange *x, json_t *parameters)
{
	x->phase = CONTROL_STREAMING;
	return answer_push(x, NULL, parameters, /* continues= */ true);
}

int control_fail(struct control_exchange *x, const char *error, json_t *parameters)
{
	return answer_push(x, error, parameters, /* continues= */ false);
}

void control_answer_later(struct control_exchange *x)
{
	x->phase = CONTROL_WAITING;
}

void control_answered(struct control_exchange *x, int r)
{
	x->broken = r != 0;
	x->ops->wake(x->userdata);
}

/* ---- calls ---- */

json_t *control_parameter(const struct control_exchange *x, const char *name)
{
	json_t *value = json_object_get(x->call.parameters, name);

	return json_is_null(value) ? NULL : value;
}

static int call_refuse(struct control_exchange *x, const char *error, const char *key,
		       const char *value)
{
	return control_fail(x, error, json_pack("{s:s}", key, value));
}

static int method_unknown(struct control_exchange *x)
{
	const char *name = x->call.method, *dot = strrchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : 0;

	if (control_interface_find(name, len))
		return call_refuse(x, "org.varlink.service.MethodNotFound", "method", name);
	return control_fail(x, "org.varlink.service.InterfaceNotFound",
			    json_pack("{s:s%}", "interface", name, len));
}

static int call_carry_out(struct control_exchange *x)
{
	const char *wrong;

	x->method = control_method_find(x->call.method);
	if (!x->method)
		return method_unknown(x);
	if (x->right < x->method->right)
		return control_fail(x, "org.varlink.service.PermissionDenied", json_object());
	wrong = control_method_check(x->method, x->call.parameters);
	if (wrong)
		return call_refuse(x, "org.varlink.service.InvalidParameter", "parameter", wrong);
	if (x->method->right > CONTROL_LOOK)
		x->ops->operates(x->userdata, x->method->name);
	x->cursor = 0;
	return x->method->run(x);
}

static int call_next(struct control_exchange *x)
{
	int r = control_input_next(&x->in, &x->message);

	if (r != 0)
		return r;
	x->phase = CONTROL_RUNNING;
	r = control_call_parse(x->message, &x->call);
	return r == 0 ? call_carry_out(x) : r;
}

int control_exchange_run(struct control_exchange *x)
{
	int r = 0;

	while (r == 0 && !x->broken && x->phase != CONTROL_WAITING && control_output_empty(&x->out))
		r = x->phase == CONTROL_STREAMING ? x->method->run(x) : call_next(x);
	if (r == CONTROL_E_INCOMPLETE)
		r = 0;
	if (r > 0 || x->broken)
		return CONTROL_E_BROKEN;
	return r;
}

bool control_exchange_ready(const struct control_exchange *x)
{
	if (x->phase == CONTROL_IDLE)
		return x->in.len > x->in.scanned &&
		       memchr(x->in.bytes + x->in.scanned, '\0', x->in.len - x->in.scanned);
	return x->phase == CONTROL_STREAMING;
}
