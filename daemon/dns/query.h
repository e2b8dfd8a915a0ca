/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A query in progress: dns.c asks libunbound for the parts of it, answer.c makes of what came what
 * the caller gets.
 */

#include <siptls/dns.h>
#include <sys/stat.h>
#include <unbound.h>

/* Record types of RFC 1035, 2782 and 3596; all of class IN. */
enum { DNS_TYPE_A = 1, DNS_TYPE_AAAA = 28, DNS_TYPE_SRV = 33 };
#define DNS_CLASS_IN 1

/* One question to libunbound. */
struct dns_lookup {
	struct dns_query *query;
	int type;
	int async_id;
	bool asked, done;
	int error;		  /* of libunbound, if done */
	struct ub_result *result; /* if done without error */
};

/* A host whose addresses are part of the answer. */
struct dns_place {
	char host[DNS_NAME_MAX + 1];
	uint16_t port;
	struct dns_lookup lookups[2]; /* AAAA, A */
};

struct dns_query {
	struct list link;
	struct dns *dns;
	struct dns_question question;
	dns_fn fn;
	void *userdata;
	struct loop_source *timer; /* the deadline, or now when it is finished */
	bool finished;		   /* nothing more is waited for */
	uint32_t pending;	   /* lookups that were asked and are not done */
	struct dns_lookup srv;
	struct dns_place *places; /* in the order to try them */
	size_t n_places;
	struct dns_answer answer;
	struct text detail; /* of the answer */
};

/*
 * The SRV records have come: fill in places, in order. 0, or -errno; a refusal is in the answer,
 * with a reason other than OK.
 */
int dns_answer_places(struct dns_query *query, bool require) _must_check_;
/* All that will come has come: fill in the rest of the answer. */
void dns_answer_complete(struct dns_query *query, bool require);
