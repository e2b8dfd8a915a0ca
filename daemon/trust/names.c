/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Names of a certificate against names of the topology.
 *
 * All comparison is of ASCII host names, whole and case-insensitive. What is no host name (a NUL
 * inside, bytes beyond ASCII, an empty label, a trailing dot, an address) equals nothing, not even
 * itself: a certificate must not gain a name by a spelling that two programs read differently.
 */

#include <trust/names.h>

#define HOST_MAX  253 /* RFC 1035 2.3.4, without the root's dot */
#define LABEL_MAX 63

struct host {
	const char *bytes;
	size_t len;
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_label_char(char c)
{
	return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '-';
}

static bool label_is_valid(const char *label, size_t len)
{
	if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_label_char(label[i]))
			return false;
	}
	return true;
}

/* A name whose last label is a number is an address, or will be taken for one (RFC 1123 2.1). */
static bool host_is_valid(struct host host)
{
	const char *label = host.bytes, *dot;
	size_t left = host.len;

	if (left > HOST_MAX)
		return false;
	while ((dot = memchr(label, '.', left))) {
		if (!label_is_valid(label, (size_t)(dot - label)))
			return false;
		left -= (size_t)(dot - label) + 1;
		label = dot + 1;
	}
	if (!label_is_valid(label, left))
		return false;
	for (size_t i = 0; i < left; i++) {
		if (!is_digit(label[i]))
			return true;
	}
	return false;
}

static bool host_equals(struct host host, const char *expected)
{
	for (size_t i = 0; i < host.len; i++) {
		if (lower(host.bytes[i]) != lower(expected[i]) || expected[i] == '\0')
			return false;
	}
	return expected[host.len] == '\0' && host_is_valid(host);
}

/* "*.example.org" covers "sip.example.org": the complete left-most label, one label deep. */
static bool wildcard_covers(struct host host, const char *expected)
{
	const char *dot = strchr(expected, '.');

	if (!dot || host.len < 3 || host.bytes[0] != '*' || host.bytes[1] != '.')
		return false;
	return host_equals((struct host){ host.bytes + 2, host.len - 2 }, dot + 1);
}

/* A wildcard right below a top-level domain would speak for strangers. */
static bool wildcard_is_narrow(struct host host)
{
	return memchr(host.bytes + 2, '.', host.len - 2);
}

static bool has_scheme(const struct trust_name *name, const char *scheme)
{
	size_t len = strlen(scheme);

	if (name->type != TRUST_NAME_URI || name->len < len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (lower(name->value[i]) != scheme[i])
			return false;
	}
	return true;
}

/*
 * RFC 5922 7.1: the scheme is sip ("sips:" is never an identity), and a user part would name a
 * person, not a server.
 */
static bool is_sip_identity(const struct trust_name *name)
{
	return has_scheme(name, "sip:") && !memchr(name->value, '@', name->len);
}

static struct host whole_name(const struct trust_name *name)
{
	return (struct host){ name->value, name->len };
}

/* From behind the scheme, or behind the user part, to the port, the parameters or the headers. */
static struct host host_part(const struct trust_name *name, size_t start)
{
	size_t end = start;

	while (end < name->len && !memchr(":;?", name->value[end], 3))
		end++;
	return (struct host){ name->value + start, end - start };
}

static bool has_name(const struct trust_facts *facts, bool (*is)(const struct trust_name *name))
{
	for (size_t i = 0; i < facts->n_names; i++) {
		if (is(&facts->names[i]))
			return true;
	}
	return false;
}

static bool is_alternative_name(const struct trust_name *name)
{
	return name->type != TRUST_NAME_CN;
}

static bool is_dns_or_cn(const struct trust_name *name)
{
	return name->type == TRUST_NAME_DNS || name->type == TRUST_NAME_CN;
}

/* ---- profiles: which names stand for a server, and which part of them ---- */

/* What a leaf shows, in the terms in which the profiles speak. */
struct leaf_kind {
	bool has_san, has_sip_identity;
};

/* RFC 5922 7.1. Of a URI only the host is compared (7.2): scheme, port and parameters are not. */
static bool rfc5922_host(const struct leaf_kind *leaf, const struct trust_name *name,
			 struct host *ret)
{
	if (is_sip_identity(name)) {
		*ret = host_part(name, strlen("sip:"));
		return true;
	}
	*ret = whole_name(name);
	if (name->type == TRUST_NAME_DNS)
		return !leaf->has_sip_identity;
	return name->type == TRUST_NAME_CN && !leaf->has_san;
}

static bool rfc9525_host(const struct leaf_kind *leaf, const struct trust_name *name,
			 struct host *ret)
{
	(void)leaf;
	*ret = whole_name(name);
	return name->type == TRUST_NAME_DNS;
}

static bool pool_host(const struct leaf_kind *leaf, const struct trust_name *name, struct host *ret)
{
	(void)leaf;
	*ret = whole_name(name);
	return is_dns_or_cn(name);
}

static bool (*const profile_hosts[_TRUST_PROFILE_MAX])(const struct leaf_kind *leaf,
						       const struct trust_name *name,
						       struct host *ret) = {
	[TRUST_RFC5922] = rfc5922_host,
	[TRUST_RFC9525] = rfc9525_host,
	[TRUST_POOL_NAMES] = pool_host,
};

/* ---- lenient: could this name be meant for that host? ---- */

static bool covers_wildcard(const struct trust_name *name, const char *expected)
{
	return is_dns_or_cn(name) && wildcard_covers(whole_name(name), expected);
}

static bool covers_cn(const struct trust_name *name, const char *expected)
{
	return name->type == TRUST_NAME_CN && host_equals(whole_name(name), expected);
}

/* Any sip: or sips: URI, whatever stands before and behind the host. */
static bool covers_uri(const struct trust_name *name, const char *expected)
{
	const char *user = memrchr(name->value, '@', name->len);

	if (!has_scheme(name, "sip:") && !has_scheme(name, "sips:"))
		return false;
	if (!user)
		user = memchr(name->value, ':', name->len);
	return host_equals(host_part(name, (size_t)(user - name->value) + 1), expected);
}

static bool covers_somehow(const struct trust_name *name, const char *expected)
{
	return covers_uri(name, expected) || covers_wildcard(name, expected) ||
	       (is_dns_or_cn(name) && host_equals(whole_name(name), expected));
}

/* The first name of the leaf that @covers one of the expected names. */
static const struct trust_name *
find_name(const struct trust_expected *expected, const struct trust_facts *facts,
	  bool (*covers)(const struct trust_name *name, const char *expected))
{
	for (size_t i = 0; i < facts->n_names; i++) {
		const struct trust_name *name = &facts->names[i];

		if (covers(name, expected->entry->name))
			return name;
		for (size_t k = expected->first; k < expected->end; k++) {
			if (covers(name, expected->entry->members[k].name))
				return name;
		}
	}
	return NULL;
}

bool trust_entry_claims(const struct trust_entry *entry, const struct trust_facts *facts)
{
	struct trust_expected all = { entry, 0, entry->n_members };

	/* The name of a discovered entry is a title; it takes whom nobody claims. */
	return entry->kind != TRUST_DISCOVERED && find_name(&all, facts, covers_somehow);
}

bool trust_domain_claims(const struct trust_entry *entry, const struct trust_facts *facts)
{
	for (size_t i = 0; i < facts->n_names; i++) {
		for (size_t k = 0; k < entry->n_domains; k++) {
			if (covers_somehow(&facts->names[i], entry->domains[k]))
				return true;
		}
	}
	return false;
}

/* ---- the judgement of names ---- */

struct trust_expected trust_expected_names(const struct trust_entry *entry,
					   const struct trust_question *question)
{
	if (question->entry == TRUST_ENTRY_ANY)
		return (struct trust_expected){ entry, 0, entry->n_members };
	return (struct trust_expected){ entry, question->member, (size_t)question->member + 1 };
}

static bool host_is_expected(const struct trust_expected *expected, struct host host,
			     bool (*is)(struct host host, const char *expected))
{
	if (is(host, expected->entry->name))
		return true;
	for (size_t i = expected->first; i < expected->end; i++) {
		if (is(host, expected->entry->members[i].name))
			return true;
	}
	return false;
}

/* A name of one label is local to whoever made it up, not a name between strangers. */
static bool host_is_identity(struct host host)
{
	return host_is_valid(host) && memchr(host.bytes, '.', host.len);
}

static bool host_is_accepted(const struct trust_expected *expected, struct host host)
{
	const struct trust_entry *entry = expected->entry;

	if (entry->kind == TRUST_DISCOVERED)
		return host_is_identity(host);
	if (host_is_expected(expected, host, host_equals))
		return true;
	return entry->profile == TRUST_RFC9525 && entry->wildcard &&
	       host_is_expected(expected, host, wildcard_covers) && wildcard_is_narrow(host);
}

static enum reason why_mismatch(const struct trust_expected *expected,
				const struct trust_facts *facts)
{
	if (expected->entry->kind == TRUST_DISCOVERED)
		return REASON_NAME_MISMATCH;
	if (find_name(expected, facts, covers_wildcard))
		return REASON_NAME_WILDCARD;
	return find_name(expected, facts, covers_cn) ? REASON_NAME_CN : REASON_NAME_MISMATCH;
}

enum reason trust_names_judge(const struct trust_expected *expected,
			      const struct trust_facts *facts, const struct trust_name **ret_name)
{
	struct leaf_kind leaf = {
		/* Both must agree that there is none before a common name may count. */
		.has_san = facts->has_san || has_name(facts, is_alternative_name),
		.has_sip_identity = has_name(facts, is_sip_identity),
	};

	for (size_t i = 0; i < facts->n_names; i++) {
		const struct trust_name *name = &facts->names[i];
		struct host host;

		if (profile_hosts[expected->entry->profile](&leaf, name, &host) &&
		    host_is_accepted(expected, host)) {
			*ret_name = name;
			return REASON_OK;
		}
	}
	return why_mismatch(expected, facts);
}
