/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client of the control socket: codec, dispatch and every method over a small table of sessions.
 * The first byte of the input says which rights the client has and how the bytes are cut; what
 * comes out has to be whole messages that the client's own half of the codec takes.
 */

#include <control/exchange.h>
#include <siptls/control.h>

#include "../unit/fake-sessions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_wake(void *userdata _unused_)
{
}

static void on_operates(void *userdata _unused_, const char *method _unused_)
{
}

static const struct control_exchange_ops ops = { .wake = on_wake, .operates = on_operates };

static void sessions_fill(struct sessions *sessions, bool later)
{
	sessions->n = sessions->n_closed = 0;
	sessions->n_peers = 2;
	sessions->reload_later = sessions->ask_later = later;
	sessions->reload_fn = NULL;
	sessions->reload_userdata = sessions->ask_userdata = NULL;
	sessions->preview_ops = NULL;
	sessions->probe_ops = NULL;
	sessions->is_staged = later;
	sessions->n_lines = 3;
	sessions->n_rules = sessions->n_warnings = 2;
	sessions->n_refusals = sessions->newest_refusal = 4;
	for (uint64_t id = 1; id <= 4; id++)
		(void)fake_add(sessions, id);
	sessions->views[1].state = SESSION_HANDSHAKING;
	sessions->views[2].subject = "CN=\xff\x01";
	sessions->views[3].kernel = false;
}

/* Everything that was said is a well-formed answer; then the output is empty. */
static void answers_check(struct control_exchange *x)
{
	struct control_input in = { .max = CONTROL_ANSWER_MAX };
	json_t *message = NULL;
	const char *bytes;
	size_t len;

	if (control_output_empty(&x->out))
		return;
	bytes = control_output_peek(&x->out, &len);
	if (control_input_push(&in, bytes, len) != 0)
		abort();
	while (in.len > 0) {
		struct control_answer answer;

		if (control_input_next(&in, &message) != 0 ||
		    control_answer_parse(message, &answer) != 0 || !answer.parameters)
			abort();
		json_decref(message);
	}
	control_input_done(&in);
	control_output_written(&x->out, len);
}

static bool run(struct control_exchange *x)
{
	do {
		if (control_exchange_run(x) != 0)
			return false;
		answers_check(x);
	} while (control_exchange_ready(x));
	return true;
}

/* What was asked of the sessions, and answered while nobody called. */
static void answer_late(struct sessions *sessions)
{
	void *userdata = sessions->ask_userdata;

	sessions->ask_userdata = NULL;
	if (sessions->preview_ops)
		fake_preview_answer(sessions, sessions->preview_ops, userdata);
	else if (sessions->probe_ops)
		fake_probe_answer(sessions, sessions->probe_ops, userdata);
	else
		sessions->reload_fn(sessions->reload_userdata, NULL, "generation 4");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sessions sessions;
	struct control_exchange x;
	uint8_t mode = size ? data[0] : 0;
	size_t step = (size_t)1 << (mode >> 4), i = 1;
	bool alive = true;

	sessions_fill(&sessions, mode & 8);
	control_exchange_init(&x, &sessions, (mode & 3) % _CONTROL_RIGHT_MAX, &ops, NULL);
	while (alive && i < size && x.phase != CONTROL_WAITING) {
		size_t len = size - i < step ? size - i : step;

		alive = control_input_push(&x.in, data + i, len) == 0 && run(&x);
		i += len;
	}
	if (x.phase == CONTROL_WAITING && (mode & 4)) {
		answer_late(&sessions);
		(void)run(&x);
	}
	control_exchange_done(&x);
	if ((sessions.reload_userdata == &x && !(mode & 4)) || sessions.ask_userdata == &x)
		abort();
	return 0;
}
