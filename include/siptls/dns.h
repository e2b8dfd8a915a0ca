/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * dns - where a server is: A and AAAA, SRV in the order of RFC 2782, and whether DNSSEC protects
 * the answer.
 *
 * Runs in siptls-fetch, the process that reads strangers' answers; the daemon asks through fetch.
 * Uses libunbound, which no other module includes, and its cache (by TTL). What is found is where
 * to connect, never a name to trust: the certificate is judged by the name in the topology.
 */

#include <siptls/base.h>
#include <siptls/loop.h>
#include <siptls/net.h>
#include <siptls/reason.h>

#define DNS_NAME_MAX	253 /* characters */
#define DNS_TARGETS_MAX 32
#define DNS_SERVERS_MAX 8

struct dns_config {
	struct net_addr servers[DNS_SERVERS_MAX]; /* none: those of /etc/resolv.conf */
	size_t n_servers;
	char *trust_anchor;  /* file of DS or DNSKEY records; NULL: answers count as insecure */
	bool require;	     /* refuse answers that DNSSEC does not protect */
	uint32_t timeout_ms; /* of a whole lookup */
};

enum dns_kind {
	DNS_HOST, /* addresses of @name, all with @port */
	DNS_SRV,  /* servers of the SRV name @name, and their addresses */
	_DNS_KIND_MAX,
};

struct dns_question {
	enum dns_kind kind;
	uint16_t port;
	char name[DNS_NAME_MAX + 1]; /* with service and protocol for DNS_SRV */
};

struct dns_target {
	struct net_addr addr;
	char host[DNS_NAME_MAX + 1]; /* for the log alone */
};

/*
 * reason is REASON_OK, _DNS_FAILED, _DNS_BOGUS or _DNS_INSECURE. Targets stand in the order in
 * which to try them: by priority, weighted chance among equals, IPv6 and IPv4 as they come. An SRV
 * target
 * "." means that there is no such service.
 */
struct dns_answer {
	enum reason reason;
	char detail[256];
	bool secure;  /* DNSSEC protects all of it */
	uint32_t ttl; /* seconds; the shortest of all parts */
	struct dns_target targets[DNS_TARGETS_MAX];
	uint32_t n_targets; /* at least one with REASON_OK */
};

struct dns;
struct dns_query;

typedef void (*dns_fn)(void *userdata, const struct dns_answer *answer);

int dns_new(struct loop *loop, const struct dns_config *config, struct dns **ret) _must_check_;
struct dns *dns_free(struct dns *dns); /* forgets its queries; NULL is fine */
/* @fn is called once, from the loop, never from here; not after dns_cancel(). */
int dns_resolve(struct dns *dns, const struct dns_question *question, dns_fn fn, void *userdata,
		struct dns_query **ret) _must_check_;
struct dns_query *dns_cancel(struct dns_query *query); /* NULL is fine */
