/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * worker - handshakes in processes of their own: the messages, the pool that session asks, and the
 * serving side inside siptls-handshake.
 *
 * A worker is forked and executed with two descriptors, the channel (CHANNEL_FD) and the
 * configuration snapshot (CHANNEL_FD_EXTRA). It says hello when it
 * has read certificates and keys, then takes jobs (with the peer's socket) and answers each with
 * one result. It sees no session table, no control socket and no other worker. What it sends is
 * checked like a peer's bytes: a worker may have been taken over by the peer it talks to.
 *
 * Keys cross the channel once, in one message that is wiped on both sides.
 */

#include <siptls/base.h>
#include <siptls/channel.h>
#include <siptls/conf.h>
#include <siptls/loop.h>
#include <siptls/reason.h>
#include <siptls/revocation.h>
#include <siptls/secret.h>
#include <siptls/tls.h>
#include <siptls/trust.h>

#define WORKER_MESSAGE_MAX CHANNEL_MESSAGE_MAX

/* ---- results ---- */

struct worker_result {
	uint64_t id;
	enum reason reason;
	uint8_t alert_received;
	char detail[256];
	struct trust_facts facts; /* owned */
	/* DER of the issuers on the paths that hold, anchors left out; owned */
	struct worker_der {
		char *der;
		uint32_t len;
	} * issuers;
	size_t n_issuers;
	/* below: only with REASON_OK */
	enum ktls_version version;
	enum ktls_cipher cipher;
	char group[24];
	char sni[256];
	uint32_t identity;
	bool cached; /* the chain had been verified before; the verdict is of now all the same */
	bool kernel; /* keys below are valid; false: pump_fd is */
	struct traffic_keys tx, rx;
	uint8_t early[TLS_EARLY_MAX]; /* decrypted already; goes to the SIP server first */
	uint32_t early_len;
	int pump_fd; /* plain stream of a session the worker pumps; -1: none */
};

void worker_result_done(struct worker_result *result); /* frees, closes, wipes */

/* ---- messages: one function describes both directions of each, see wire.h ---- */

enum worker_message_type {
	WORKER_MSG_HELLO = 1,	/* worker: ready, or the mistake in the configuration */
	WORKER_MSG_CERTIFICATE, /* worker: one of the configuration, before hello */
	WORKER_MSG_BOARD,    /* daemon, with a revocation board's descriptor; replaces the last */
	WORKER_MSG_JOB,	     /* daemon, with the socket */
	WORKER_MSG_CANCEL,   /* daemon: end job @id, handshake or pump */
	WORKER_MSG_RESULT,   /* worker, with the pump's socket if there is one; exactly one per job,
				cancelled or not */
	WORKER_MSG_PUMP_END, /* worker: why pumped session @id ended; exactly one per pump */
	WORKER_MSG_RETIRE,   /* daemon: no more jobs come; exit when the last pump has ended */
	_WORKER_MSG_MAX,
};

struct worker_hello {
	bool valid;
	struct conf_error error; /* !valid */
};

/*
 * One certificate of the configuration, as read: the daemon knows no certificate library. Each
 * worker sends all of them before its hello; the pool hands on those of the first.
 */
#define WORKER_DER_MAX (32 * 1024) /* bytes */

struct worker_certificate {
	bool anchor;	/* of an anchor set; else of an identity */
	uint32_t index; /* of the anchor set or identity */
	uint32_t place; /* in the identity's chain: 0 is the leaf */
	char *der;	/* owned */
	uint32_t der_len;
	struct trust_facts
		facts; /* owned: this certificate alone; names only of an identity's leaf */
};

struct worker_job {
	uint64_t id;
	struct tls_job tls;
};

struct worker_pump_end {
	uint64_t id;
	enum reason reason;
	uint8_t alert_received;
	char detail[256];
};

struct worker_message {
	enum worker_message_type type;
	union {
		struct worker_hello hello;
		struct worker_certificate certificate;
		struct worker_job job;
		uint64_t cancel_id;
		struct worker_result result;
		struct worker_pump_end pump_end;
	};
};

/*
 * @buf has WORKER_MESSAGE_MAX bytes. Encoding: 0 with the size, or -EMSGSIZE (a limit). Decoding:
 * 0, -ENOMEM, or WORKER_E_MALFORMED for anything that no encoder makes; on failure *ret is wiped
 * and nothing is left allocated. The caller wipes @buf. Indices into the configuration (identity, a
 * path's anchors) are numbers here: whoever uses them checks them.
 */
enum { WORKER_E_MALFORMED = 1 };

int worker_message_encode(struct worker_message *message, uint8_t *buf,
			  size_t *ret_size) _must_check_;
int worker_message_decode(const uint8_t *buf, size_t size, struct worker_message *ret) _must_check_;
void worker_message_done(struct worker_message *message);

/* ---- pool: the daemon's side ---- */

struct worker_pool;

struct worker_pool_ops {
	/* A certificate of the configuration; before ready(), each once. Taken fields are cleared
	 * by the callee. */
	void (*certificate)(void *userdata, struct worker_certificate *certificate);
	/* The configuration was accepted (@error NULL) by the first worker, or not. Called once. */
	void (*ready)(void *userdata, struct worker_pool *pool, const struct conf_error *error);
	/* Job @result->id is over. Taken fields are cleared by the callee; the rest is freed and
	 * wiped when it returns. */
	void (*result)(void *userdata, struct worker_result *result);
	void (*pump_end)(void *userdata, const struct worker_pump_end *end);
	/* The worker that had job or pump @id died. */
	void (*lost)(void *userdata, uint64_t id);
	/* A worker ended unexpectedly (@status as of waitpid; killed if it broke the protocol); it
	 * is replaced unless the pool is retiring. For the log; may be NULL. */
	void (*died)(void *userdata, pid_t pid, int status);
	/* The pool was retired and has freed itself: the last op; may be NULL. */
	void (*gone)(void *userdata);
};

struct worker_pool_stats {
	uint32_t workers; /* running */
	uint32_t jobs;	  /* handshakes and pumps */
	uint64_t respawns;
};

/*
 * Start @n workers of @executable on @snapshot. The first must say hello before the others are
 * started, so that a mistake in a certificate file costs one process. A worker that dies is
 * replaced, at most ten times in ten seconds. The pool is one generation of the configuration: a
 * reload makes a new pool and retires the old one.
 */
int worker_pool_new(struct loop *loop, const char *executable, uint32_t n,
		    const struct conf_snapshot *snapshot, const struct worker_pool_ops *ops,
		    void *userdata, struct worker_pool **ret) _must_check_;
/* Give a job to the worker with the fewest; @fd stays the caller's. 0, WORKER_E_UNAVAILABLE, -errno
 */
enum { WORKER_E_UNAVAILABLE = 1 };
int worker_pool_submit(struct worker_pool *pool, const struct worker_job *job, int fd) _must_check_;
/*
 * End a handshake or pump; no op is called for it any more. Also to be called when a pumped session
 * ended on our side. A worker that does not react within 30 s is killed. Unknown ids are fine.
 */
void worker_pool_cancel(struct worker_pool *pool, uint64_t id);
/* No more jobs; each worker exits when its last handshake or pump ends, then the pool frees itself.
 */
void worker_pool_retire(struct worker_pool *pool);
/* At once, without an op being called; also from inside an op. NULL is fine. */
struct worker_pool *worker_pool_free(struct worker_pool *pool);
void worker_pool_stats(const struct worker_pool *pool, struct worker_pool_stats *ret);
/* Give every worker, also those that are started later, this board. The pool takes a ref. */
void worker_pool_board(struct worker_pool *pool, struct revocation_board *board);

/*
 * Facts in the encoding of a message: what is remembered of a live peer, or of one that was
 * refused. Only paths that hold are kept. Encoding: 0 with a malloc()ed block, or -errno; decoding
 * as worker_message_decode().
 */
int worker_facts_pack(const struct trust_facts *facts, uint8_t **ret,
		      size_t *ret_size) _must_check_;
int worker_facts_unpack(const uint8_t *data, size_t size, struct trust_facts *ret) _must_check_;

/* ---- serving side: the whole of siptls-handshake ---- */

int worker_serve(int channel_fd, int snapshot_fd) _must_check_; /* until the channel closes */
