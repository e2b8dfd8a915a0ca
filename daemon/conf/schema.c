/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every option of both files: what it is called, what it may be, what it is if it is not there.
 * A new option is a row here and the line that reads it in load.c, topology.c or entries.c.
 */

#include <conf/conf-private.h>

#define SECOND UINT64_C(1000) /* milliseconds */
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (366 * DAY)

/* A smaller burst would not let a whole packet pass; beyond the larger ones nothing is a limit. */
#define BURST_MIN 1500
#define BURST_MAX 1000000000
#define RATE_MAX  10000000000

const char *const conf_kernel_words[] = {
	[CONF_KERNEL_PREFER] = "prefer",
	[CONF_KERNEL_REQUIRE] = "require",
	[_CONF_KERNEL_MAX] = NULL,
};

const char *const conf_kind_words[] = {
	[CONF_LISTENER_MUTUAL] = "mutual",
	[CONF_LISTENER_CLIENT] = "client",
	[_CONF_LISTENER_KIND_MAX] = NULL,
};

const char *const conf_proxy_words[] = {
	[NET_PROXY_NONE] = "none",
	[NET_PROXY_V1] = "v1",
	[NET_PROXY_V2] = "v2",
	[_NET_PROXY_MAX] = NULL,
};

const char *const conf_dnssec_words[] = { "check", "require", NULL };

const char *const conf_direction_words[] = {
	[TRUST_INBOUND - 1] = "inbound",
	[TRUST_OUTBOUND - 1] = "outbound",
	[(TRUST_INBOUND | TRUST_OUTBOUND) - 1] = "both",
	NULL,
};

static const char *const none_words[] = { "none", NULL };
static const char *const never_words[] = { "never", NULL };

/* ---- siptlsd.conf ---- */

static const struct conf_option control_options[] = {
	{ "socket", CONF_FILE, .fallback = "/run/siptls/control" },
	{ "group", CONF_NAME, .fallback = NULL },
	{ 0 },
};

static const struct conf_option limits_options[] = {
	{ "handshake_timeout", CONF_DURATION, .fallback = "10s", .min = 10, .max = HOUR },
	{ "connect_timeout", CONF_DURATION, .fallback = "5s", .min = 10, .max = HOUR },
	{ "half_close_timeout", CONF_DURATION, .fallback = "60s", .min = 10, .max = 24 * HOUR },
	{ "unauthenticated", CONF_NUMBER, .fallback = "1000", .min = 1, .max = 1000000 },
	{ "unauthenticated_per_source", CONF_NUMBER, .fallback = "100", .min = 1, .max = 1000000 },
	{ "sessions", CONF_NUMBER, .fallback = "20000", .min = 1, .max = 1000000 },
	{ "session_age", CONF_DURATION, .fallback = "none", .min = 10, .max = YEAR,
	  .words = none_words, .word = 0 },
	{ "identity_drain", CONF_DURATION, .fallback = "never", .min = 0, .max = YEAR,
	  .words = never_words, .word = CONF_NEVER },
	{ "trust_grace", CONF_DURATION, .fallback = "0s", .min = 0, .max = YEAR },
	{ "expiry_warning", CONF_DURATION, .fallback = "14d", .min = 0, .max = YEAR },
	{ 0 },
};

static const struct conf_option dns_options[] = {
	{ "server", CONF_ADDRESS, CONF_LIST, .fallback = NULL },
	{ "trust_anchor", CONF_FILE, .fallback = NULL },
	{ "dnssec", CONF_WORD, .fallback = "check", .words = conf_dnssec_words },
	{ "timeout", CONF_DURATION, .fallback = "5s", .min = 10, .max = MINUTE },
	{ 0 },
};

static const struct conf_option identity_options[] = {
	{ "certificate", CONF_FILE, CONF_REQUIRED, .fallback = NULL },
	{ "key", CONF_FILE, CONF_REQUIRED, .fallback = NULL },
	{ "ocsp", CONF_FILE, .fallback = NULL },
	{ 0 },
};

static const struct conf_option listen_options[] = {
	{ "kind", CONF_WORD, .fallback = "mutual", .words = conf_kind_words },
	{ "address", CONF_ADDRESS, CONF_REQUIRED | CONF_LIST | CONF_PORT_ZERO, .fallback = NULL },
	{ "identity", CONF_NAME, CONF_LIST, .fallback = NULL },
	{ "backend", CONF_ADDRESS, CONF_REQUIRED, .fallback = NULL },
	{ "proxy_protocol", CONF_WORD, .fallback = "none", .words = conf_proxy_words },
	{ "tls12", CONF_BOOL, .fallback = "false" },
	{ 0 },
};

static const struct conf_option dial_options[] = {
	{ "address", CONF_ADDRESS, CONF_REQUIRED | CONF_LIST | CONF_PORT_ZERO, .fallback = NULL },
	{ "public", CONF_BOOL, .fallback = "false" },
	{ "peer", CONF_HOST, CONF_REQUIRED, .fallback = NULL },
	{ "connect", CONF_ADDRESS, .fallback = NULL },
	{ "identity", CONF_NAME, .fallback = NULL },
	{ 0 },
};

const struct conf_option conf_options_daemon[] = {
	{ "topology", CONF_FILE, .fallback = "topology.conf" },
	{ "kernel", CONF_WORD, .fallback = "prefer", .words = conf_kernel_words },
	{ "workers", CONF_NUMBER, .fallback = "2", .min = 1, .max = 64 },
	{ "relay_threads", CONF_NUMBER, .fallback = "1", .min = 1, .max = 16 },
	{ "state", CONF_FILE, .fallback = CONF_DEFAULT_STATE },
	{ "dns", CONF_SECTION, .options = dns_options },
	{ "control", CONF_SECTION, .options = control_options },
	{ "limits", CONF_SECTION, .options = limits_options },
	{ "identity", CONF_SECTION, CONF_REQUIRED | CONF_LIST | CONF_TITLED,
	  .options = identity_options },
	{ "listen", CONF_SECTION, CONF_LIST | CONF_TITLED, .options = listen_options },
	{ "dial", CONF_SECTION, CONF_LIST | CONF_TITLED, .options = dial_options },
	{ 0 },
};

/* ---- topology.conf ---- */

static const struct conf_option member_options[] = {
	{ "address", CONF_ADDRESS, .fallback = NULL },
	{ 0 },
};

#define MEMBERS(more)                                                                              \
	{                                                                                          \
		"member", CONF_SECTION, CONF_LIST | CONF_TITLED | CONF_HOST_TITLE | (more),        \
			.options = member_options                                                  \
	}

/* What all kinds of entries have in common, also those that nobody has named. */
#define PEER_OPTIONS(default_profile)                                                              \
	{ "profile", CONF_WORD, .fallback = (default_profile), .words = trust_profile_names },     \
		{ "key_usage", CONF_WORD, .fallback = "tls", .words = trust_usage_names },         \
	{                                                                                          \
		"tls12", CONF_BOOL, .fallback = "false"                                            \
	}

#define RATE(flags_)                                                                               \
	{                                                                                          \
		"rate", CONF_NAME, (flags_), .fallback = NULL                                      \
	}

#define DOMAINS(flags_)                                                                            \
	{                                                                                          \
		"domains", CONF_HOST, CONF_LIST | (flags_), .fallback = NULL                       \
	}

#define ENTRY_OPTIONS(default_profile)                                                             \
	PEER_OPTIONS(default_profile), RATE(0), { "wildcard", CONF_BOOL, .fallback = "false" },    \
	{                                                                                          \
		"direction", CONF_WORD, .fallback = "both", .words = conf_direction_words          \
	}

/* Servers with host names of their own. */
#define HOST_OPTIONS(default_profile)                                                              \
	ENTRY_OPTIONS(default_profile),                                                            \
	{                                                                                          \
		"port", CONF_NUMBER, .fallback = "5061", .min = 1, .max = UINT16_MAX               \
	}

static const struct conf_option pool_options[] = {
	MEMBERS(CONF_REQUIRED),
	DOMAINS(0),
	HOST_OPTIONS("pool"),
	{ 0 },
};

static const struct conf_option application_options[] = {
	MEMBERS(0), { "address", CONF_ADDRESS, .fallback = NULL }, DOMAINS(0), HOST_OPTIONS("pool"),
	{ 0 },
};

static const struct conf_option server_options[] = {
	MEMBERS(0), { "address", CONF_ADDRESS, .fallback = NULL },
	DOMAINS(0), HOST_OPTIONS("rfc5922"),
	{ 0 },
};

static const struct conf_option provider_options[] = {
	MEMBERS(0),
	{ "address", CONF_ADDRESS, .fallback = NULL },
	DOMAINS(CONF_REQUIRED),
	HOST_OPTIONS("rfc5922"),
	{ 0 },
};

/* Where its servers are and at which port, SRV tells. */
static const struct conf_option domain_options[] = {
	{ "srv", CONF_WORD, .fallback = "sipfederationtls",
	  .words = trust_locate_names + TRUST_LOCATE_SIPS },
	DOMAINS(0),
	ENTRY_OPTIONS("rfc5922"),
	{ 0 },
};

#define ENTRIES(name_, options_)                                                                   \
	{                                                                                          \
		name_, CONF_SECTION, CONF_LIST | CONF_TITLED | CONF_HOST_TITLE,                    \
			.options = (options_)                                                      \
	}

/* CAs, and how it is known what they have revoked. */
#define ANCHOR_OPTIONS                                                                             \
	{ "anchors", CONF_FILE, CONF_REQUIRED | CONF_LIST, .fallback = NULL },                     \
		{ "revocation", CONF_WORD, .fallback = "check", .words = trust_revocation_names }, \
		{ "crl", CONF_FILE, CONF_LIST, .fallback = NULL },                                 \
		{ "crl_url", CONF_URL, CONF_LIST, .fallback = NULL },                              \
		{ "crl_fetch", CONF_BOOL, .fallback = "false" },                                   \
	{                                                                                          \
		"crl_grace", CONF_DURATION, .fallback = "0s", .min = 0, .max = YEAR                \
	}

static const struct conf_option site_options[] = {
	ANCHOR_OPTIONS,
	ENTRIES("pool", pool_options),
	ENTRIES("application", application_options),
	{ 0 },
};

static const struct conf_option partner_options[] = {
	ANCHOR_OPTIONS,
	ENTRIES("server", server_options),
	ENTRIES("domain", domain_options),
	ENTRIES("provider", provider_options),
	{ 0 },
};

static const struct conf_option discovered_options[] = {
	ANCHOR_OPTIONS,
	RATE(CONF_REQUIRED),
	PEER_OPTIONS("rfc5922"),
	{ 0 },
};

static const struct conf_option rate_options[] = {
	{ "bytes", CONF_NUMBER, CONF_REQUIRED, .min = 1, .max = RATE_MAX },
	{ "burst", CONF_NUMBER, .fallback = "65536", .min = BURST_MIN, .max = BURST_MAX },
	{ 0 },
};

const struct conf_option conf_options_topology[] = {
	{ "serial", CONF_NUMBER, CONF_REQUIRED, .min = 1, .max = INT64_MAX },
	{ "depth", CONF_NUMBER, .fallback = "5", .min = 1, .max = TRUST_CHAIN_MAX },
	{ "block", CONF_BLOCK, CONF_LIST, .fallback = NULL },
	{ "block_certificate", CONF_FINGERPRINT, CONF_LIST, .fallback = NULL },
	{ "rate", CONF_SECTION, CONF_LIST | CONF_TITLED, .options = rate_options },
	{ "site", CONF_SECTION, CONF_LIST | CONF_TITLED, .options = site_options },
	{ "partner", CONF_SECTION, CONF_LIST | CONF_TITLED, .options = partner_options },
	{ "discovered", CONF_SECTION, CONF_LIST | CONF_TITLED, .options = discovered_options },
	{ 0 },
};
