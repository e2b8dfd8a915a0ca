/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Facts as a value: their end, and the check that they are whole before anybody judges them. */

#include <strings.h>
#include <trust/names.h>

void trust_facts_done(struct trust_facts *facts)
{
	for (size_t i = 0; facts->certs && i < facts->n_certs; i++) {
		free(facts->certs[i].subject);
		free(facts->certs[i].issuer);
		free(facts->certs[i].serial);
		for (size_t k = 0; k < TRUST_URLS_MAX; k++)
			free(facts->certs[i].crl_urls[k]);
	}
	for (size_t i = 0; facts->names && i < facts->n_names; i++)
		free(facts->names[i].value);
	for (size_t i = 0; facts->paths && i < facts->n_paths; i++)
		free(facts->paths[i].anchor_subject);
	free(facts->certs);
	free(facts->names);
	free(facts->paths);
	*facts = (struct trust_facts){};
}

/* An enum that came from outside may hold any number. */
static bool in_range(unsigned int value, unsigned int end)
{
	return value < end;
}

/* What it names will be fetched: a file on this machine or a second request in it will not. */
static bool url_is_whole(const char *url)
{
	if (!url || strnlen(url, TRUST_URL_MAX + 1) > TRUST_URL_MAX)
		return false;
	for (const char *p = url; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return strncasecmp(url, "http:", 5) == 0 || strncasecmp(url, "https:", 6) == 0;
}

static bool certificate_is_whole(const struct trust_certificate *cert)
{
	if (!in_range(cert->key, _TRUST_KEY_MAX) || !in_range(cert->hash, _TRUST_HASH_MAX) ||
	    cert->n_scopes > TRUST_SCOPES_MAX || cert->n_crl_urls > TRUST_URLS_MAX)
		return false;
	for (size_t i = 0; i < cert->n_crl_urls; i++) {
		if (!url_is_whole(cert->crl_urls[i]))
			return false;
	}
	return true;
}

static bool name_is_whole(const struct trust_name *name)
{
	return in_range(name->type, _TRUST_NAME_TYPE_MAX) && name->value;
}

/* A path starts at the leaf and passes no certificate twice; one that holds ends at an anchor. */
static bool path_is_whole(const struct trust_policy *policy, const struct trust_facts *facts,
			  const struct trust_path *path)
{
	uint32_t seen = 0;

	if (path->anchors >= policy->n_anchors || !in_range(path->outcome, _TRUST_CHAIN_MAX) ||
	    path->n_certs > TRUST_CHAIN_MAX)
		return false;
	for (size_t i = 0; i < path->n_certs; i++) {
		uint8_t cert = path->certs[i];

		if (cert >= facts->n_certs || (i == 0 && cert != 0) || seen & 1U << cert ||
		    !in_range(path->links[i].status, _TRUST_STATUS_MAX))
			return false;
		seen |= 1U << cert;
	}
	return path->outcome != TRUST_CHAIN_OK || (path->n_certs > 0 && path->anchor_subject);
}

static bool names_fit(const struct trust_facts *facts)
{
	size_t size = 0;

	if (facts->n_names > TRUST_NAMES_MAX)
		return false;
	for (size_t i = 0; i < facts->n_names; i++)
		size += facts->names[i].len;
	return size <= TRUST_NAMES_SIZE;
}

enum reason trust_facts_check(const struct trust_policy *policy, const struct trust_facts *facts)
{
	if ((facts->n_certs && !facts->certs) || (facts->n_names && !facts->names) ||
	    (facts->n_paths && !facts->paths))
		return REASON_CERTIFICATE_MALFORMED;
	if (facts->n_certs > TRUST_CHAIN_MAX || !names_fit(facts))
		return REASON_CERTIFICATE_TOO_LARGE;
	if (facts->n_paths > policy->n_anchors * TRUST_PATHS_MAX ||
	    !in_range(facts->staple.status, _TRUST_STATUS_MAX))
		return REASON_CERTIFICATE_MALFORMED;
	for (size_t i = 0; i < facts->n_certs; i++) {
		if (!certificate_is_whole(&facts->certs[i]))
			return REASON_CERTIFICATE_MALFORMED;
	}
	for (size_t i = 0; i < facts->n_names; i++) {
		if (!name_is_whole(&facts->names[i]))
			return REASON_CERTIFICATE_MALFORMED;
	}
	for (size_t i = 0; i < facts->n_paths; i++) {
		if (!path_is_whole(policy, facts, &facts->paths[i]))
			return REASON_CERTIFICATE_MALFORMED;
	}
	return REASON_OK;
}
