/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From what libunbound found to what the caller gets: which results may be used, which servers are
 * asked for their addresses, and one line on what is missing and why.
 */

#include "dns/query.h"

#include "dns/srv.h"

/* ---- one lookup ---- */

/* What is wrong with what @lookup brought, as a phrase about the name; REASON_OK: nothing. */
static enum reason judge(const struct dns_lookup *lookup, bool require, struct text *why)
{
	const struct ub_result *result = lookup->result;

	if (!lookup->done) {
		text_addf(why, "no answer in time");
	} else if (lookup->error || !result) {
		text_addf(why, "%s", ub_strerror(lookup->error));
	} else if (result->bogus) {
		const char *told = result->why_bogus ? result->why_bogus : "validation failed";

		text_add_foreign(why, told, strlen(told));
		return REASON_DNS_BOGUS;
	} else if (result->nxdomain) {
		text_addf(why, "the name does not exist");
	} else if (result->rcode != 0) {
		text_addf(why, "the name server failed (rcode %d)", result->rcode);
	} else if (!result->havedata) {
		text_addf(why, "no %s record",
			  lookup->type == DNS_TYPE_SRV	  ? "SRV"
			  : lookup->type == DNS_TYPE_AAAA ? "AAAA"
							  : "A");
	} else if (require && !result->secure) {
		text_addf(why, "the answer is not protected by DNSSEC");
		return REASON_DNS_INSECURE;
	} else {
		return REASON_OK;
	}
	return REASON_DNS_FAILED;
}

/* All that is used of an answer counts for how long and how safely it is known. */
static void use(struct dns_answer *answer, const struct ub_result *result)
{
	uint32_t ttl = result->ttl > 0 ? (uint32_t)result->ttl : 0;

	answer->secure = answer->secure && result->secure;
	if (ttl < answer->ttl)
		answer->ttl = ttl;
}

/* One more remark on the line. No name gets here with characters that need to be escaped. */
static void remark(struct text *detail, const char *name, const char *phrase)
{
	if (detail->len > 0)
		text_addf(detail, "; ");
	text_addf(detail, "%s: %s", name, phrase);
}

static void refuse(struct dns_query *query, enum reason reason, const char *phrase)
{
	query->answer.reason = reason;
	remark(&query->detail, query->question.name, phrase);
}

/* ---- SRV ---- */

/* Records that can be used; *ret_none: one of them says that there is no such service. */
static size_t parse_records(struct dns_query *query, struct dns_srv *records, bool *ret_none)
{
	const struct ub_result *result = query->srv.result;
	size_t n = 0;

	*ret_none = false;
	for (size_t i = 0; result->data[i]; i++) {
		struct dns_srv *srv = &records[n];
		int r = dns_srv_parse((const uint8_t *)result->data[i], (size_t)result->len[i],
				      srv);

		if (r == DNS_SRV_E_MALFORMED)
			remark(&query->detail, query->question.name, "malformed SRV record");
		else if (r == DNS_SRV_E_NAME)
			remark(&query->detail, srv->target, "not a host name");
		else if (srv->target[0] == '\0')
			*ret_none = true;
		else if (srv->port == 0)
			remark(&query->detail, srv->target, "port 0");
		else
			n++;
	}
	return n;
}

static size_t count_records(const struct ub_result *result)
{
	size_t n = 0;

	while (result->data[n])
		n++;
	return n;
}

int dns_answer_places(struct dns_query *query, bool require)
{
	_cleanup_free_ struct dns_srv *records = NULL;
	char phrase[192] = "";
	struct text why = TEXT_INIT(phrase);
	enum reason reason = judge(&query->srv, require, &why);
	bool none;
	size_t n;
	int r;

	if (reason != REASON_OK) {
		refuse(query, reason, phrase);
		return 0;
	}
	records = calloc(count_records(query->srv.result) + 1, sizeof(*records));
	if (!records)
		return -ENOMEM;
	n = parse_records(query, records, &none);
	if (n == 0) {
		refuse(query, REASON_DNS_FAILED,
		       none ? "no such service (SRV target \".\")" : "no usable SRV record");
		return 0;
	}
	r = dns_srv_order(records, n, DNS_TARGETS_MAX);
	if (r < 0)
		return r;
	if (n > DNS_TARGETS_MAX)
		n = DNS_TARGETS_MAX;
	query->places = calloc(n, sizeof(*query->places));
	if (!query->places)
		return -ENOMEM;
	query->n_places = n;
	for (size_t i = 0; i < n; i++) {
		memcpy(query->places[i].host, records[i].target, sizeof(records[i].target));
		query->places[i].port = records[i].port;
	}
	return 0;
}

/* ---- addresses ---- */

/* An address of one host. What names no host or many would be dialled in vain, or reach this
 * machine where another was meant. */
static bool address_of(const struct dns_lookup *lookup, size_t i, uint16_t port,
		       struct net_addr *ret)
{
	const char *bytes = lookup->result->data[i];
	size_t len = (size_t)lookup->result->len[i];

	memset(ret, 0, sizeof(*ret));
	if (lookup->type == DNS_TYPE_A && len == sizeof(ret->in4.sin_addr)) {
		memcpy(&ret->in4.sin_addr, bytes, len);
		ret->in4.sin_family = AF_INET;
		ret->in4.sin_port = htons(port);
		ret->len = sizeof(ret->in4);
		return ret->in4.sin_addr.s_addr != htonl(INADDR_ANY) &&
		       !IN_MULTICAST(ntohl(ret->in4.sin_addr.s_addr)) &&
		       ret->in4.sin_addr.s_addr != htonl(INADDR_BROADCAST);
	}
	if (lookup->type != DNS_TYPE_AAAA || len != sizeof(ret->in6.sin6_addr))
		return false;
	memcpy(&ret->in6.sin6_addr, bytes, len);
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	ret->len = sizeof(ret->in6);
	return !IN6_IS_ADDR_UNSPECIFIED(&ret->in6.sin6_addr) &&
	       !IN6_IS_ADDR_MULTICAST(&ret->in6.sin6_addr);
}

/* Put the addresses of one lookup into the answer; false: it has none that can be used. */
static bool add_addresses(struct dns_answer *answer, const struct dns_place *place,
			  const struct dns_lookup *lookup)
{
	bool any = false;

	for (size_t i = 0; lookup->result->data[i] && answer->n_targets < DNS_TARGETS_MAX; i++) {
		struct dns_target *target = &answer->targets[answer->n_targets];

		if (!address_of(lookup, i, place->port, &target->addr))
			continue;
		memcpy(target->host, place->host, sizeof(target->host));
		answer->n_targets++;
		any = true;
	}
	if (any)
		use(answer, lookup->result);
	return any;
}

/* Which of two reasons says more about why a host has no address. */
static enum reason worse(enum reason a, enum reason b)
{
	if (a == REASON_DNS_BOGUS || b == REASON_DNS_BOGUS)
		return REASON_DNS_BOGUS;
	if (a == REASON_DNS_INSECURE || b == REASON_DNS_INSECURE)
		return REASON_DNS_INSECURE;
	return REASON_DNS_FAILED;
}

/*
 * The addresses of one host. A family that a zone does not have is no mistake; one that failed is
 * told, also when the other suffices. Without any address @failed says why.
 */
static void add_place(struct dns_query *query, const struct dns_place *place, bool require,
		      enum reason *failed)
{
	char phrases[ARRAY_SIZE(place->lookups)][192] = {};
	bool found = false, full = query->answer.n_targets == DNS_TARGETS_MAX;

	if (full)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(place->lookups); i++) {
		const struct dns_lookup *lookup = &place->lookups[i];
		struct text why = TEXT_INIT(phrases[i]);
		enum reason reason = judge(lookup, require, &why);

		if (reason == REASON_OK) {
			full = query->answer.n_targets == DNS_TARGETS_MAX;
			if (full || add_addresses(&query->answer, place, lookup)) {
				found = true;
				continue;
			}
			text_addf(&why, "its addresses are not a host's");
			reason = REASON_DNS_FAILED;
		}
		*failed = worse(*failed, reason);
	}
	for (size_t i = 0; i < ARRAY_SIZE(place->lookups); i++) {
		const struct ub_result *result = place->lookups[i].result;
		bool missing = result && !result->bogus && result->rcode == 0 && !result->havedata;

		if (phrases[i][0] == '\0' || (found && missing) ||
		    (i > 0 && strcmp(phrases[i], phrases[i - 1]) == 0))
			continue;
		remark(&query->detail, place->host, phrases[i]);
	}
}

void dns_answer_complete(struct dns_query *query, bool require)
{
	struct dns_answer *answer = &query->answer;
	enum reason failed = REASON_DNS_FAILED;

	if (answer->reason != REASON_OK)
		return;
	answer->secure = true;
	answer->ttl = UINT32_MAX;
	for (size_t i = 0; i < query->n_places; i++)
		add_place(query, &query->places[i], require, &failed);
	if (query->n_places == 0) {
		char phrase[192] = "";
		struct text why = TEXT_INIT(phrase);

		/* The deadline came before the SRV records, or they could not even be asked for. */
		failed = judge(&query->srv, require, &why);
		refuse(query, failed, phrase);
	}
	if (answer->n_targets == 0) {
		answer->reason = failed;
		answer->secure = false;
		answer->ttl = 0;
		return;
	}
	if (query->question.kind == DNS_SRV)
		use(answer, query->srv.result);
}
