/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * exchange - the protocol state of one client, without its socket: bytes in, calls carried out one
 * after the other, bytes out. A call is taken up only when the answer before it has left, so what
 * waits in memory is one answer, or one batch of a stream.
 */

#include <siptls/session.h>

#include "codec.h"
#include "rights.h"

#define CONTROL_ANSWER_MAX (2 * 1024 * 1024) /* bytes of one answer; a whole topology is 1 MiB */
#define CONTROL_BATCH_SIZE (128 * 1024)	     /* bytes after which a part of a stream is sent */

enum {
	CONTROL_E_BROKEN = 16, /* the client broke the protocol: drop it */
};

struct control_exchange;
struct control_method;
struct control_preview;
struct control_probe;

struct control_exchange_ops {
	/* An answer came while nobody was calling: run and write. Frees nothing. */
	void (*wake)(void *userdata);
	/* A call that changes something is about to be carried out. */
	void (*operates)(void *userdata, const char *method);
};

enum control_phase {
	CONTROL_IDLE,
	CONTROL_RUNNING,   /* inside the method */
	CONTROL_STREAMING, /* the method has more to tell */
	CONTROL_WAITING,   /* the answer comes later */
};

struct control_exchange {
	struct sessions *sessions;
	enum control_right right;
	const struct control_exchange_ops *ops;
	void *userdata;
	struct control_input in;
	struct control_output out;
	bool broken;
	/* the call under way */
	enum control_phase phase;
	json_t *message;
	struct control_call call;
	const struct control_method *method;
	uint64_t cursor; /* of a stream: the first key that was not told yet */
	struct control_preview *preview;
	struct control_probe *probe;
};

void control_exchange_init(struct control_exchange *x, struct sessions *sessions,
			   enum control_right right, const struct control_exchange_ops *ops,
			   void *userdata);
void control_exchange_done(struct control_exchange *x);

/* Go on until something has to be written or read. 0, CONTROL_E_BROKEN or -errno: drop the client.
 */
int control_exchange_run(struct control_exchange *x) _must_check_;

/* There is something to do that waits only for the output to be empty. */
bool control_exchange_ready(const struct control_exchange *x);

/* ---- for methods: each call is answered exactly once, or by parts of which the last does not
 * continue. @parameters is taken over; NULL stands for want of memory. ------------------------- */

/* A parameter of the call; NULL if it was not given. */
json_t *control_parameter(const struct control_exchange *x, const char *name);

int control_answer(struct control_exchange *x, json_t *parameters) _must_check_;
int control_answer_part(struct control_exchange *x, json_t *parameters) _must_check_;
int control_fail(struct control_exchange *x, const char *error, json_t *parameters) _must_check_;

/* "The call is under way": what is answered later, from a callback, ends with @r of that answer. */
void control_answer_later(struct control_exchange *x);
void control_answered(struct control_exchange *x, int r);
