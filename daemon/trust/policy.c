/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words of a policy and the look-up of its entries. */

#include <siptls/trust.h>
#include <strings.h>

const char *const trust_kind_names[] = {
	[TRUST_POOL] = "pool",
	[TRUST_APPLICATION] = "application",
	[TRUST_PARTNER] = "partner",
	[_TRUST_KIND_MAX] = NULL,
};

const char *const trust_profile_names[] = {
	[TRUST_RFC5922] = "rfc5922",
	[TRUST_RFC9525] = "rfc9525",
	[TRUST_POOL_NAMES] = "pool",
	[_TRUST_PROFILE_MAX] = NULL,
};

const char *const trust_usage_names[] = {
	[TRUST_USAGE_TLS] = "tls", [TRUST_USAGE_TLS_ANY] = "tls-any",
	[TRUST_USAGE_SIP] = "sip", [TRUST_USAGE_IGNORE] = "ignore",
	[_TRUST_USAGE_MAX] = NULL,
};

int64_t trust_entry_find(const struct trust_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_entries; i++) {
		if (strcasecmp(policy->entries[i].name, name) == 0)
			return (int64_t)i;
	}
	return -1;
}
