/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every option of both files: what it is called, what it may be, what it is if it is not there.
 * A new option is a row here and the line that reads it in load.c or topology.c.
 */

#include <conf/conf-private.h>

#define SECOND UINT64_C(1000) /* milliseconds */
#define HOUR   (3600 * SECOND)

static const char *const kernel_words[] = {
	[CONF_KERNEL_PREFER] = "prefer",
	[CONF_KERNEL_REQUIRE] = "require",
	[_CONF_KERNEL_MAX] = NULL,
};

static const char *const kind_words[] = {
	[CONF_LISTENER_MUTUAL] = "mutual",
	[CONF_LISTENER_CLIENT] = "client",
	[_CONF_LISTENER_KIND_MAX] = NULL,
};

static const char *const proxy_words[] = {
	[NET_PROXY_NONE] = "none",
	[NET_PROXY_V1] = "v1",
	[NET_PROXY_V2] = "v2",
	[_NET_PROXY_MAX] = NULL,
};

/* The index is the set of directions less one: there is no word for no direction at all. */
static const char *const direction_words[] = {
	[TRUST_INBOUND - 1] = "inbound",
	[TRUST_OUTBOUND - 1] = "outbound",
	[(TRUST_INBOUND | TRUST_OUTBOUND) - 1] = "both",
	NULL,
};

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
	{ 0 },
};

static const struct conf_option identity_options[] = {
	{ "certificate", CONF_FILE, CONF_REQUIRED, .fallback = NULL },
	{ "key", CONF_FILE, CONF_REQUIRED, .fallback = NULL },
	{ 0 },
};

static const struct conf_option listen_options[] = {
	{ "kind", CONF_WORD, .fallback = "mutual", .words = kind_words },
	{ "address", CONF_ADDRESS, CONF_REQUIRED | CONF_LIST | CONF_PORT_ZERO, .fallback = NULL },
	{ "identity", CONF_NAME, CONF_LIST, .fallback = NULL },
	{ "backend", CONF_ADDRESS, CONF_REQUIRED, .fallback = NULL },
	{ "proxy_protocol", CONF_WORD, .fallback = "none", .words = proxy_words },
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
	{ "kernel", CONF_WORD, .fallback = "prefer", .words = kernel_words },
	{ "workers", CONF_NUMBER, .fallback = "2", .min = 1, .max = 64 },
	{ "relay_threads", CONF_NUMBER, .fallback = "1", .min = 1, .max = 16 },
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

/* What all kinds of entries have in common. */
#define ENTRY_OPTIONS(default_profile)                                                             \
	{ "profile", CONF_WORD, .fallback = (default_profile), .words = trust_profile_names },     \
		{ "key_usage", CONF_WORD, .fallback = "tls", .words = trust_usage_names },         \
		{ "wildcard", CONF_BOOL, .fallback = "false" },                                    \
		{ "tls12", CONF_BOOL, .fallback = "false" },                                       \
	{                                                                                          \
		"direction", CONF_WORD, .fallback = "both", .words = direction_words               \
	}

static const struct conf_option pool_options[] = {
	MEMBERS(CONF_REQUIRED),
	ENTRY_OPTIONS("pool"),
	{ 0 },
};

static const struct conf_option application_options[] = {
	MEMBERS(0),
	{ "address", CONF_ADDRESS, .fallback = NULL },
	ENTRY_OPTIONS("pool"),
	{ 0 },
};

static const struct conf_option server_options[] = {
	MEMBERS(0),
	{ "address", CONF_ADDRESS, .fallback = NULL },
	ENTRY_OPTIONS("rfc5922"),
	{ 0 },
};

#define ENTRIES(name_, options_)                                                                   \
	{                                                                                          \
		name_, CONF_SECTION, CONF_LIST | CONF_TITLED | CONF_HOST_TITLE,                    \
			.options = (options_)                                                      \
	}

static const struct conf_option site_options[] = {
	{ "anchors", CONF_FILE, CONF_REQUIRED | CONF_LIST, .fallback = NULL },
	ENTRIES("pool", pool_options),
	ENTRIES("application", application_options),
	{ 0 },
};

static const struct conf_option partner_options[] = {
	{ "anchors", CONF_FILE, CONF_REQUIRED | CONF_LIST, .fallback = NULL },
	ENTRIES("server", server_options),
	{ 0 },
};

const struct conf_option conf_options_topology[] = {
	{ "serial", CONF_NUMBER, CONF_REQUIRED, .min = 1, .max = INT64_MAX },
	{ "depth", CONF_NUMBER, .fallback = "5", .min = 1, .max = TRUST_CHAIN_MAX },
	{ "site", CONF_SECTION, CONF_LIST | CONF_TITLED, .options = site_options },
	{ "partner", CONF_SECTION, CONF_LIST | CONF_TITLED, .options = partner_options },
	{ 0 },
};
