/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words of a policy and the look-up of its entries. */

#include <siptls/trust.h>
#include <strings.h>

const char *const trust_kind_names[] = {
	[TRUST_POOL] = "pool",	       [TRUST_APPLICATION] = "application",
	[TRUST_SERVER] = "server",     [TRUST_DOMAIN] = "domain",
	[TRUST_PROVIDER] = "provider", [TRUST_DISCOVERED] = "discovered",
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

const char *const trust_revocation_names[] = {
	[TRUST_REVOCATION_OFF] = "off",
	[TRUST_REVOCATION_CHECK] = "check",
	[TRUST_REVOCATION_REQUIRE] = "require",
	[_TRUST_REVOCATION_MAX] = NULL,
};

const char *const trust_locate_names[] = {
	[TRUST_LOCATE_HOST] = "host",
	[TRUST_LOCATE_SIPS] = "sips",
	[TRUST_LOCATE_FEDERATION] = "sipfederationtls",
	[_TRUST_LOCATE_MAX] = NULL,
};

const char *const trust_standing_names[] = {
	[TRUST_STANDING_OFF] = "off",	      [TRUST_STANDING_GOOD] = "good",
	[TRUST_STANDING_STALE] = "stale",     [TRUST_STANDING_UNSUPPORTED] = "unsupported",
	[TRUST_STANDING_UNKNOWN] = "unknown", [TRUST_STANDING_REVOKED] = "revoked",
	[_TRUST_STANDING_MAX] = NULL,
};

int64_t trust_entry_find(const struct trust_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_entries; i++) {
		if (strcasecmp(policy->entries[i].name, name) == 0)
			return (int64_t)i;
	}
	return -1;
}
