/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The block list. Its names are looked for in everything that anybody could read as a host in a
 * name of the leaf, right or wrong: what is strictly no name (names.c) could still be taken for one
 * elsewhere, and a peer must not leave the list by the way it is spelled. Bytes beyond ASCII are no
 * host name in any reading and are not converted: IDN is listed as A-labels.
 */

#include <strings.h>
#include <trust/names.h>

/*
 * A piece of a name that could be a host, lower case, and only its end if it is long: no name that
 * is listed is longer than half of this.
 */
#define PIECE_SIZE 512

/*
 * Every piece is compared with the whole list. The most names there can be make three pieces each,
 * or one with a '*', which takes the longest to compare.
 */
#define WORK_MAX     (8 * TRUST_NAMES_MAX)
#define WORK_PATTERN 8

/* How a name is cut into pieces; each way is somebody's. */
struct reading {
	bool skip_gaps; /* bytes that do not show are overlooked; else they end a piece */
	bool colons;	/* belong to a piece: an IPv6 address; else they end it: a scheme, a port */
};

struct search {
	const struct trust_policy *policy;
	size_t work;
	const char *by; /* the name on the list that was found */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A blank, a control character, above all NUL. */
static bool is_gap(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

static bool is_host_byte(char c, bool colons)
{
	return !strchr("@;?/\\[]<>()&=,\"'", c) && (c != ':' || colons);
}

/*
 * A '*' anywhere in @pattern stands for any part of one label: wider than RFC 9525 6.3, as wide as
 * any program has ever taken it.
 */
static bool pattern_covers(const char *pattern, size_t len, const char *host)
{
	const char *resume = NULL; /* where the last '*' may yet take one byte more */
	size_t i = 0, star = 0;

	while (*host) {
		if (i < len && pattern[i] == '*') {
			star = ++i;
			resume = host;
		} else if (i < len && pattern[i] == lower(*host)) {
			i++;
			host++;
		} else if (resume && *resume != '.') {
			i = star;
			host = ++resume;
		} else {
			return false;
		}
	}
	while (i < len && pattern[i] == '*')
		i++;
	return i == len;
}

/* The end of @piece that has as many labels as @domain; the whole if it has not more. */
static size_t tail_start(const char *piece, size_t len, const char *domain)
{
	size_t dots = 0, start = len;

	for (const char *p = domain; *p; p++)
		dots += *p == '.';
	while (start > 0 && (piece[start - 1] != '.' || dots > 0)) {
		start--;
		dots -= piece[start] == '.';
	}
	return start;
}

static bool item_covers(const char *item, const char *piece, size_t len, bool pattern)
{
	bool domain = item[0] == '.';
	size_t size, start;

	item += domain;
	if (pattern) {
		start = domain ? tail_start(piece, len, item) : 0;
		return pattern_covers(piece + start, len - start, item);
	}
	size = strlen(item);
	if (len < size || (len > size && (!domain || piece[len - size - 1] != '.')))
		return false;
	return strncasecmp(piece + len - size, item, size) == 0;
}

static const char *find_item(const struct trust_policy *policy, const char *piece, size_t len)
{
	bool pattern = memchr(piece, '*', len);

	for (size_t i = 0; i < policy->n_blocked; i++) {
		if (item_covers(policy->blocked[i], piece, len, pattern))
			return policy->blocked[i];
	}
	return NULL;
}

static enum reason judge_piece(struct search *search, const char *piece, size_t len)
{
	while (len > 0 && piece[len - 1] == '.')
		len--;
	while (len > 0 && piece[0] == '.') {
		piece++;
		len--;
	}
	if (len == 0)
		return REASON_OK;
	search->work += memchr(piece, '*', len) ? WORK_PATTERN : 1;
	if (search->work > WORK_MAX)
		return REASON_CERTIFICATE_TOO_LARGE;
	search->by = find_item(search->policy, piece, len);
	return search->by ? REASON_BLOCKED : REASON_OK;
}

static enum reason judge_reading(struct search *search, struct reading reading,
				 const struct trust_name *name)
{
	enum reason reason = REASON_OK;
	char piece[PIECE_SIZE];
	size_t len = 0;

	for (size_t i = 0; i < name->len && reason == REASON_OK; i++) {
		char c = lower(name->value[i]);

		if (is_gap(c) && reading.skip_gaps)
			continue;
		if (is_gap(c) || !is_host_byte(c, reading.colons)) {
			reason = judge_piece(search, piece, len);
			len = 0;
			continue;
		}
		if (len == sizeof(piece)) {
			len /= 2;
			memmove(piece, piece + len, len);
		}
		piece[len++] = c;
	}
	return reason == REASON_OK ? judge_piece(search, piece, len) : reason;
}

static bool has_gap(const struct trust_name *name)
{
	for (size_t i = 0; i < name->len; i++) {
		if (is_gap(name->value[i]))
			return true;
	}
	return false;
}

static enum reason judge_name(struct search *search, const struct trust_name *name)
{
	enum reason reason;

	if (name->type == TRUST_NAME_OTHER)
		return REASON_OK;
	reason = judge_reading(search, (struct reading){ false, false }, name);
	if (reason == REASON_OK && has_gap(name))
		reason = judge_reading(search, (struct reading){ true, false }, name);
	if (reason == REASON_OK && memchr(name->value, ':', name->len))
		reason = judge_reading(search, (struct reading){ true, true }, name);
	return reason;
}

static enum reason judge_names(const struct trust_policy *policy, const struct trust_facts *facts,
			       struct trust_block *ret)
{
	struct search search = { .policy = policy };

	for (size_t i = 0; i < facts->n_names; i++) {
		enum reason reason = judge_name(&search, &facts->names[i]);

		if (reason == REASON_OK)
			continue;
		*ret = (struct trust_block){ .by = search.by, .name = &facts->names[i] };
		return reason;
	}
	return REASON_OK;
}

static enum reason judge_host(const struct trust_policy *policy, const char *host,
			      struct trust_block *ret)
{
	const char *by = find_item(policy, host, strlen(host));

	if (!by)
		return REASON_OK;
	*ret = (struct trust_block){ .by = by, .entry = host };
	return REASON_BLOCKED;
}

/* Whom we dialled, by both its names; who calls, by the entry that its leaf claims to be. */
static enum reason judge_entries(const struct trust_policy *policy, const struct trust_facts *facts,
				 const struct trust_question *question, struct trust_block *ret)
{
	for (uint32_t i = 0; i < policy->n_entries; i++) {
		const struct trust_entry *entry = &policy->entries[i];
		bool dialled = i == question->entry;
		enum reason reason;

		if (!dialled &&
		    (question->entry != TRUST_ENTRY_ANY || !trust_entry_claims(entry, facts)))
			continue;
		reason = judge_host(policy, entry->name, ret);
		if (reason == REASON_OK && dialled && question->member < entry->n_members)
			reason = judge_host(policy, entry->members[question->member].name, ret);
		if (reason != REASON_OK)
			return reason;
	}
	return REASON_OK;
}

static const uint8_t *find_fingerprint(const struct trust_policy *policy,
				       const uint8_t fingerprint[static 32])
{
	for (size_t i = 0; i < policy->n_blocked_fingerprints; i++) {
		if (memcmp(policy->blocked_fingerprints[i], fingerprint, 32) == 0)
			return policy->blocked_fingerprints[i];
	}
	return NULL;
}

/* Every certificate that was presented, on a path or not, and every anchor that was reached. */
static const uint8_t *find_certificate(const struct trust_policy *policy,
				       const struct trust_facts *facts)
{
	const uint8_t *found = NULL;

	for (size_t i = 0; i < facts->n_certs && !found; i++)
		found = find_fingerprint(policy, facts->certs[i].fingerprint);
	for (size_t i = 0; i < facts->n_paths && !found; i++) {
		if (facts->paths[i].anchor_subject)
			found = find_fingerprint(policy, facts->paths[i].anchor_fingerprint);
	}
	return found;
}

enum reason trust_block_find(const struct trust_policy *policy, const struct trust_facts *facts,
			     const struct trust_question *question, struct trust_block *ret)
{
	const uint8_t *fingerprint = find_certificate(policy, facts);
	enum reason reason;

	if (fingerprint) {
		*ret = (struct trust_block){ .fingerprint = fingerprint };
		return REASON_BLOCKED;
	}
	if (policy->n_blocked == 0)
		return REASON_OK;
	reason = judge_entries(policy, facts, question, ret);
	return reason == REASON_OK ? judge_names(policy, facts, ret) : reason;
}
