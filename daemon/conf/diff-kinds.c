/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a difference is made of: every kind of object with its values, as tables. */

#include <conf/diff.h>

/* ---- how values are shown ---- */

static const void *value_of(const struct diff_field *field, const void *object)
{
	return (const char *)object + field->offset;
}

/* Numbers, switches and words of whatever width. */
static uint64_t number_of(const struct diff_field *field, const void *object)
{
	const void *value = value_of(field, object);
	uint64_t n64;
	uint32_t n32;
	uint16_t n16;

	switch (field->size) {
	case sizeof(n64):
		memcpy(&n64, value, sizeof(n64));
		return n64;
	case sizeof(n32):
		memcpy(&n32, value, sizeof(n32));
		return n32;
	case sizeof(n16):
		memcpy(&n16, value, sizeof(n16));
		return n16;
	}
	return *(const uint8_t *)value;
}

static void show_number(const struct conf *conf _unused_, const struct diff_field *field,
			const void *object, struct text *ret)
{
	text_addf(ret, "%ju", (uintmax_t)number_of(field, object));
}

static void show_bool(const struct conf *conf _unused_, const struct diff_field *field,
		      const void *object, struct text *ret)
{
	text_addf(ret, "%s", number_of(field, object) ? "true" : "false");
}

static void show_word(const struct conf *conf _unused_, const struct diff_field *field,
		      const void *object, struct text *ret)
{
	text_addf(ret, "%s", field->words[number_of(field, object)]);
}

static void show_directions(const struct conf *conf _unused_, const struct diff_field *field,
			    const void *object, struct text *ret)
{
	text_addf(ret, "%s", conf_direction_words[number_of(field, object) - 1]);
}

/* @words: how no time at all is written. */
static void show_ms(const struct conf *conf _unused_, const struct diff_field *field,
		    const void *object, struct text *ret)
{
	uint64_t ms = number_of(field, object);

	if (ms == CONF_NEVER)
		text_addf(ret, "never");
	else if (ms == 0 && field->words)
		text_addf(ret, "%s", field->words[0]);
	else
		conf_duration_format(ms, ret);
}

static void show_seconds(const struct conf *conf _unused_, const struct diff_field *field,
			 const void *object, struct text *ret)
{
	conf_duration_format(number_of(field, object) * 1000, ret);
}

static void show_text(const struct conf *conf _unused_, const struct diff_field *field,
		      const void *object, struct text *ret)
{
	const char *const *text = value_of(field, object);

	text_addf(ret, "%s", *text ? *text : "none");
}

static void show_address(const struct conf *conf _unused_, const struct diff_field *field,
			 const void *object, struct text *ret)
{
	char buf[NET_ADDR_STRLEN];

	text_addf(ret, "%s", net_addr_format(value_of(field, object), buf));
}

static void show_identity(const struct conf *conf, const struct diff_field *field,
			  const void *object, struct text *ret)
{
	text_addf(ret, "%s", conf->identities[number_of(field, object)].name);
}

/* The first of a listener's identities is the one for clients that name no server. */
static void show_default_identity(const struct conf *conf, const struct diff_field *field,
				  const void *object, struct text *ret)
{
	const uint32_t *const *identities = value_of(field, object);

	text_addf(ret, "%s", conf->identities[(*identities)[0]].name);
}

static void show_rate(const struct conf *conf, const struct diff_field *field, const void *object,
		      struct text *ret)
{
	uint64_t i = number_of(field, object);

	text_addf(ret, "%s", i == TRUST_RATE_NONE ? "none" : conf->trust.rates[i].name);
}

static void show_peer(const struct conf *conf, const struct diff_field *field _unused_,
		      const void *object, struct text *ret)
{
	const struct conf_dial *dial = object;
	const struct trust_entry *entry = &conf->trust.entries[dial->entry];
	const char *member = entry->members[dial->member].name;

	text_addf(ret, "%s", entry->name);
	if (strcmp(member, entry->name) != 0)
		text_addf(ret, " (%s)", member);
}

static void show_target(const struct conf *conf, const struct diff_field *field, const void *object,
			struct text *ret)
{
	const struct conf_dial *dial = object;

	if (dial->to.len)
		show_address(conf, field, object, ret);
	else if (dial->lookup.kind == DNS_SRV)
		text_addf(ret, "SRV %s", dial->lookup.name);
	else
		text_addf(ret, "%s:%u", dial->lookup.name, dial->lookup.port);
}

/* ---- the values of each kind ---- */

#define FIELD(type, member, name_, show_, words_)                                                  \
	{                                                                                          \
		name_, offsetof(type, member), sizeof(((type *)NULL)->member), show_, words_       \
	}

static const char *const none_words[] = { "none", NULL };

static const struct diff_field settings_fields[] = {
	FIELD(struct conf, topology_path, "topology", show_text, NULL),
	FIELD(struct conf, kernel, "kernel", show_word, conf_kernel_words),
	FIELD(struct conf, workers, "workers", show_number, NULL),
	FIELD(struct conf, relay_threads, "relay_threads", show_number, NULL),
	FIELD(struct conf, state, "state", show_text, NULL),
	{ 0 },
};

#define LIMIT(member, name, show, words) FIELD(struct conf_limits, member, name, show, words)

static const struct diff_field limits_fields[] = {
	LIMIT(handshake_timeout_ms, "handshake_timeout", show_ms, NULL),
	LIMIT(connect_timeout_ms, "connect_timeout", show_ms, NULL),
	LIMIT(half_close_timeout_ms, "half_close_timeout", show_ms, NULL),
	LIMIT(unauthenticated, "unauthenticated", show_number, NULL),
	LIMIT(unauthenticated_per_source, "unauthenticated_per_source", show_number, NULL),
	LIMIT(sessions, "sessions", show_number, NULL),
	LIMIT(session_age_ms, "session_age", show_ms, none_words),
	LIMIT(identity_drain_ms, "identity_drain", show_ms, NULL),
	LIMIT(trust_grace_ms, "trust_grace", show_ms, NULL),
	LIMIT(expiry_warning_s, "expiry_warning", show_seconds, NULL),
	{ 0 },
};

static const struct diff_field dns_fields[] = {
	FIELD(struct dns_config, trust_anchor, "trust_anchor", show_text, NULL),
	FIELD(struct dns_config, require, "dnssec", show_word, conf_dnssec_words),
	FIELD(struct dns_config, timeout_ms, "timeout", show_ms, NULL),
	{ 0 },
};

static const struct diff_field control_fields[] = {
	FIELD(struct conf, control_path, "socket", show_text, NULL),
	FIELD(struct conf, control_group, "group", show_text, NULL),
	{ 0 },
};

static const struct diff_field identity_fields[] = {
	FIELD(struct conf_identity, certificate, "certificate", show_text, NULL),
	FIELD(struct conf_identity, key, "key", show_text, NULL),
	FIELD(struct conf_identity, ocsp, "ocsp", show_text, NULL),
	{ 0 },
};

static const struct diff_field listen_fields[] = {
	FIELD(struct conf_listener, kind, "kind", show_word, conf_kind_words),
	FIELD(struct conf_listener, identities, "default identity", show_default_identity, NULL),
	FIELD(struct conf_listener, backend, "backend", show_address, NULL),
	FIELD(struct conf_listener, proxy, "proxy_protocol", show_word, conf_proxy_words),
	FIELD(struct conf_listener, tls12, "tls12", show_bool, NULL),
	{ 0 },
};

static const struct diff_field dial_fields[] = {
	FIELD(struct conf_dial, entry, "peer", show_peer, NULL),
	FIELD(struct conf_dial, to, "connect", show_target, NULL),
	FIELD(struct conf_dial, identity, "identity", show_identity, NULL),
	{ 0 },
};

static const struct diff_field topology_fields[] = {
	FIELD(struct trust_policy, serial, "serial", show_number, NULL),
	FIELD(struct trust_policy, depth, "depth", show_number, NULL),
	{ 0 },
};

static const struct diff_field rate_fields[] = {
	FIELD(struct trust_rate, bytes_per_second, "bytes", show_number, NULL),
	FIELD(struct trust_rate, burst, "burst", show_number, NULL),
	{ 0 },
};

static const struct diff_field anchors_fields[] = {
	FIELD(struct trust_anchors, revocation, "revocation", show_word, trust_revocation_names),
	FIELD(struct trust_anchors, crl_fetch, "crl_fetch", show_bool, NULL),
	FIELD(struct trust_anchors, crl_grace_s, "crl_grace", show_seconds, NULL),
	{ 0 },
};

static const struct diff_field entry_fields[] = {
	FIELD(struct trust_entry, profile, "profile", show_word, trust_profile_names),
	FIELD(struct trust_entry, usage, "key_usage", show_word, trust_usage_names),
	FIELD(struct trust_entry, wildcard, "wildcard", show_bool, NULL),
	FIELD(struct trust_entry, tls12, "tls12", show_bool, NULL),
	FIELD(struct trust_entry, directions, "direction", show_directions, NULL),
	FIELD(struct trust_entry, locate, "srv", show_word, trust_locate_names),
	FIELD(struct trust_entry, port, "port", show_number, NULL),
	FIELD(struct trust_entry, rate, "rate", show_rate, NULL),
	{ 0 },
};

static const struct diff_field member_fields[] = {
	FIELD(struct trust_member, address, "address", show_text, NULL),
	{ 0 },
};

/* ---- the kinds ---- */

const struct diff_kind conf_diff_kinds[] = {
	[DIFF_SETTINGS] = { .word = "settings", .fields = settings_fields, .settings = true },
	[DIFF_LIMITS] = { .word = "limits", .fields = limits_fields, .settings = true },
	[DIFF_DNS] = { .word = "dns", .fields = dns_fields, .settings = true },
	[DIFF_DNS_SERVER] = { .word = "name server" },
	[DIFF_CONTROL] = { .word = "control", .fields = control_fields, .settings = true },
	[DIFF_IDENTITY] = { .word = "identity", .fields = identity_fields },
	[DIFF_LISTEN] = { .word = "listen", .fields = listen_fields },
	[DIFF_LISTEN_ADDRESS] = { .word = "address" },
	[DIFF_LISTEN_IDENTITY] = { .word = "choice of identity" },
	[DIFF_DIAL] = { .word = "dial", .fields = dial_fields },
	[DIFF_DIAL_ADDRESS] = { .word = "address" },
	[DIFF_TOPOLOGY] = { .word = "topology", .fields = topology_fields, .settings = true },
	[DIFF_BLOCK] = { .adds = "blocks", .removes = "no longer blocks" },
	[DIFF_BLOCK_CERTIFICATE] = { .adds = "blocks certificate",
				     .removes = "no longer blocks certificate" },
	[DIFF_RATE] = { .word = "rate", .fields = rate_fields },
	[DIFF_SITE] = { .word = "site", .fields = anchors_fields },
	[DIFF_PARTNER] = { .word = "partner", .fields = anchors_fields },
	[DIFF_DISCOVERED] = { .word = "discovered", .fields = anchors_fields },
	[DIFF_ANCHOR_FILE] = { .word = "anchor file" },
	[DIFF_CRL_FILE] = { .word = "CRL" },
	[DIFF_CRL_URL] = { .word = "CRL" },
	[DIFF_ENTRY + TRUST_POOL] = { .word = "pool", .fields = entry_fields, .always = true },
	[DIFF_ENTRY + TRUST_APPLICATION] = { .word = "application",
					     .fields = entry_fields,
					     .always = true },
	[DIFF_ENTRY + TRUST_SERVER] = { .word = "server", .fields = entry_fields, .always = true },
	[DIFF_ENTRY + TRUST_DOMAIN] = { .word = "domain", .fields = entry_fields, .always = true },
	[DIFF_ENTRY +
		TRUST_PROVIDER] = { .word = "provider", .fields = entry_fields, .always = true },
	[DIFF_ENTRY + TRUST_DISCOVERED] = { .word = "discovered",
					    .fields = entry_fields,
					    .always = true },
	[DIFF_MEMBER] = { .word = "member", .fields = member_fields },
	[DIFF_OWN_MEMBER] = { .word = NULL, .fields = member_fields, .settings = true },
	[DIFF_SIP_DOMAIN] = { .word = "SIP domain" },
};
