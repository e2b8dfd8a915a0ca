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
static bool host_is_valid(const char *host, size_t len)
{
	const char *label = host, *dot;
	size_t left = len;

	if (len == 0 || len > HOST_MAX)
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

static bool host_equals(const char *host, size_t len, const char *expected)
{
	for (size_t i = 0; i < len; i++) {
		if (lower(host[i]) != lower(expected[i]) || expected[i] == '\0')
			return false;
	}
	return expected[len] == '\0' && host_is_valid(host, len);
}

static bool name_equals(const struct trust_name *name, const char *expected)
{
	return host_equals(name->value, name->len, expected);
}

/* "*.example.org" covers "sip.example.org": the complete left-most label, one label deep. */
static bool wildcard_covers(const struct trust_name *name, const char *expected)
{
	const char *dot;

	if (name->len < 3 || name->value[0] != '*' || name->value[1] != '.')
		return false;
	dot = strchr(expected, '.');
	return dot && dot > expected && host_equals(name->value + 2, name->len - 2, dot + 1);
}

/* A wildcard right below a top-level domain would speak for strangers. */
static bool wildcard_is_narrow(const struct trust_name *name)
{
	return name->len > 2 && memchr(name->value + 2, '.', name->len - 2);
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

/*
 * The host must be all there is behind the scheme. A port, parameter or header narrows what the CA
 * has vouched for, so such a URI matches nothing here; it is an identity all the same and keeps DNS
 * names from counting. That is stricter than RFC 5922 7.1, which takes the host part, and accepts
 * nothing that the RFC refuses. (A user part is no host either: no further check is needed.)
 */
static bool sip_identity_equals(const struct trust_name *name, const char *expected)
{
	return has_scheme(name, "sip:") && host_equals(name->value + 4, name->len - 4, expected);
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

/* ---- profiles ---- */

/* What a leaf shows, in the terms in which the profiles speak. */
struct leaf_kind {
	bool has_san, has_sip_identity, wildcard;
};

static bool rfc5922_accepts(const struct leaf_kind *leaf, const struct trust_name *name,
			    const char *expected)
{
	switch (name->type) {
	case TRUST_NAME_URI:
		return sip_identity_equals(name, expected);
	case TRUST_NAME_DNS:
		return !leaf->has_sip_identity && name_equals(name, expected);
	case TRUST_NAME_CN:
		return !leaf->has_san && name_equals(name, expected);
	case TRUST_NAME_IP:
	case TRUST_NAME_OTHER:
	case _TRUST_NAME_TYPE_MAX:
		break;
	}
	return false;
}

static bool rfc9525_accepts(const struct leaf_kind *leaf, const struct trust_name *name,
			    const char *expected)
{
	if (name->type != TRUST_NAME_DNS)
		return false;
	return name_equals(name, expected) ||
	       (leaf->wildcard && wildcard_is_narrow(name) && wildcard_covers(name, expected));
}

static bool pool_accepts(const struct leaf_kind *leaf, const struct trust_name *name,
			 const char *expected)
{
	(void)leaf;
	return (name->type == TRUST_NAME_CN || name->type == TRUST_NAME_DNS) &&
	       name_equals(name, expected);
}

static bool (*const profile_accepts[_TRUST_PROFILE_MAX])(const struct leaf_kind *leaf,
							 const struct trust_name *name,
							 const char *expected) = {
	[TRUST_RFC5922] = rfc5922_accepts,
	[TRUST_RFC9525] = rfc9525_accepts,
	[TRUST_POOL_NAMES] = pool_accepts,
};

/* ---- expected names ---- */

struct trust_expected trust_expected_names(const struct trust_entry *entry,
					   const struct trust_question *question)
{
	if (question->entry == TRUST_ENTRY_ANY)
		return (struct trust_expected){ entry, 0, entry->n_members };
	return (struct trust_expected){ entry, question->member, (size_t)question->member + 1 };
}

static bool covers_wildcard(const struct trust_name *name, const char *expected)
{
	return (name->type == TRUST_NAME_DNS || name->type == TRUST_NAME_CN) &&
	       wildcard_covers(name, expected);
}

static bool covers_cn(const struct trust_name *name, const char *expected)
{
	return name->type == TRUST_NAME_CN && name_equals(name, expected);
}

/* Any sip: or sips: URI, whatever stands before and behind the host. */
static bool covers_uri(const struct trust_name *name, const char *expected)
{
	const char *host, *user, *end = name->value + name->len;
	size_t len = strlen(expected);

	if (has_scheme(name, "sip:"))
		host = name->value + 4;
	else if (has_scheme(name, "sips:"))
		host = name->value + 5;
	else
		return false;
	user = memrchr(host, '@', (size_t)(end - host));
	if (user)
		host = user + 1;
	if ((size_t)(end - host) < len || (host + len < end && !memchr(":;?", host[len], 3)))
		return false;
	return host_equals(host, len, expected);
}

static bool covers_somehow(const struct trust_name *name, const char *expected)
{
	switch (name->type) {
	case TRUST_NAME_CN:
	case TRUST_NAME_DNS:
		return name_equals(name, expected) || wildcard_covers(name, expected);
	case TRUST_NAME_URI:
		return covers_uri(name, expected);
	case TRUST_NAME_IP:
	case TRUST_NAME_OTHER:
	case _TRUST_NAME_TYPE_MAX:
		break;
	}
	return false;
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

	return find_name(&all, facts, covers_somehow);
}

enum reason trust_names_judge(const struct trust_expected *expected,
			      const struct trust_facts *facts, const struct trust_name **ret_name)
{
	bool (*accepts)(const struct leaf_kind *, const struct trust_name *, const char *) =
		profile_accepts[expected->entry->profile];
	struct leaf_kind leaf = {
		/* Both must agree that there is none before a common name may count. */
		.has_san = facts->has_san || has_name(facts, is_alternative_name),
		.has_sip_identity = has_name(facts, is_sip_identity),
		.wildcard = expected->entry->wildcard,
	};

	for (size_t i = 0; i < facts->n_names; i++) {
		const struct trust_name *name = &facts->names[i];
		bool accepted = accepts(&leaf, name, expected->entry->name);

		for (size_t k = expected->first; k < expected->end && !accepted; k++)
			accepted = accepts(&leaf, name, expected->entry->members[k].name);
		if (accepted) {
			*ret_name = name;
			return REASON_OK;
		}
	}
	if (find_name(expected, facts, covers_wildcard))
		return REASON_NAME_WILDCARD;
	return find_name(expected, facts, covers_cn) ? REASON_NAME_CN : REASON_NAME_MISMATCH;
}
