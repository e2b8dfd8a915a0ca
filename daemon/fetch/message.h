/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The messages between the daemon and siptls-fetch. One function describes both directions of each,
 * see wire.h.
 */

#include <siptls/channel.h>
#include <siptls/dns.h>
#include <siptls/revocation.h>

#define FETCH_MESSAGE_MAX CHANNEL_MESSAGE_MAX
#define FETCH_DER_MAX	  (32 * 1024) /* bytes of one issuer */
#define FETCH_PATH_MAX	  4096

/*
 * A plan is what stands between PLAN and PLAN_END; it takes the place of the one before as a whole,
 * with what was learned. In it SOURCE and DNS stand first: they name the files that may be read,
 * which are the same in each plan of one process, as is the cache. ISSUER and URL come outside of
 * it too, when they are learned. Each RESOLVE, PREVIEW and PING is answered exactly once with its
 * id, a cancelled RESOLVE as well, unless RENEW comes first: then the next process is asked.
 */
enum fetch_message_type {
	FETCH_MSG_PLAN = 1,  /* daemon: what follows is to be got */
	FETCH_MSG_ISSUER,    /* daemon */
	FETCH_MSG_SOURCE,    /* daemon */
	FETCH_MSG_URL,	     /* daemon: a source that was learned */
	FETCH_MSG_DNS,	     /* daemon: how to look up names */
	FETCH_MSG_PLAN_END,  /* daemon */
	FETCH_MSG_REFRESH,   /* daemon */
	FETCH_MSG_RESOLVE,   /* daemon */
	FETCH_MSG_CANCEL,    /* daemon: answer RESOLVE @id now */
	FETCH_MSG_PREVIEW,   /* daemon, with the file's descriptor */
	FETCH_MSG_PING,	     /* daemon */
	FETCH_MSG_BOARD,     /* process, with a revocation board's descriptor */
	FETCH_MSG_EVENT,     /* process: how a source fares */
	FETCH_MSG_ANSWER,    /* process: to RESOLVE */
	FETCH_MSG_PREVIEWED, /* process, with a board's descriptor if it is ok */
	FETCH_MSG_PONG,	     /* process */
	FETCH_MSG_RENEW,     /* process: the next one can read what this one cannot */
	_FETCH_MSG_MAX,
};

struct fetch_issuer {
	char *der;
	uint32_t len;
};

struct fetch_resolve {
	uint64_t id;
	struct dns_question question;
};

struct fetch_preview {
	uint64_t id;
	char *path; /* its name, for people */
};

struct fetch_event {
	char *location;
	bool ok;
	char detail[256];
	int64_t next_s;
	uint32_t failures;
};

struct fetch_answer {
	uint64_t id;
	struct dns_answer dns;
};

struct fetch_previewed {
	uint64_t id;
	bool ok;
	char detail[256]; /* !ok: why */
};

/* Pointers are owned by a message that was decoded, and borrowed by one that is encoded. */
struct fetch_message {
	enum fetch_message_type type;
	union {
		char *cache; /* PLAN: "" if there is none */
		struct fetch_issuer issuer;
		struct revocation_source source; /* SOURCE and URL, the latter always _URL */
		struct dns_config dns;
		struct fetch_resolve resolve;
		struct fetch_preview preview;
		struct fetch_event event;
		struct fetch_answer answer;
		struct fetch_previewed previewed;
		uint64_t id; /* CANCEL, PING, PONG */
	};
};

/*
 * @buf has FETCH_MESSAGE_MAX bytes. Encoding: 0 with the size, or -EMSGSIZE (a limit). Decoding: 0,
 * -ENOMEM, or FETCH_E_MALFORMED for anything that no encoder makes; then nothing is left allocated.
 */
enum { FETCH_E_MALFORMED = 1 };

int fetch_message_encode(struct fetch_message *message, uint8_t *buf,
			 size_t *ret_size) _must_check_;
int fetch_message_decode(const uint8_t *buf, size_t size, struct fetch_message *ret) _must_check_;
void fetch_message_done(struct fetch_message *message);
