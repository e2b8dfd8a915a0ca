/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How sessions look. */

#include "session-view.h"

static const struct ctl_column columns[] = {
	{ "id", "ID", "id", FORMAT_COUNT, true, NULL, NULL },
	{ "state", "STATE", "state", FORMAT_PLAIN, true, NULL, NULL },
	{ "direction", "DIR", "direction", FORMAT_PLAIN, true, NULL, NULL },
	{ "peer", "PEER", "peer", FORMAT_PLAIN, true, NULL, "unauthenticated" },
	{ "remote", "REMOTE", "remote", FORMAT_PLAIN, true, NULL, NULL },
	{ "mode", "MODE", "encrypted by", FORMAT_PLAIN, true, "user", NULL },
	{ "cipher", "CIPHER", "cipher", FORMAT_PLAIN, true, NULL, NULL },
	{ "age_s", "AGE", "age", FORMAT_SPAN, true, NULL, NULL },
	{ "bytes_in", "IN", "received from peer", FORMAT_SIZE, true, NULL, NULL },
	{ "bytes_out", "OUT", "sent to peer", FORMAT_SIZE, true, NULL, NULL },
	{ "idle_s", "IDLE", "last data", FORMAT_AGO, true, NULL, NULL },
	{ "authenticated", "AUTHENTICATED", "authenticated", FORMAT_PLAIN, false, "no", NULL },
	{ "via", "VIA", "via", FORMAT_PLAIN, false, NULL, NULL },
	{ "owner", "OWNER", "owner", FORMAT_PLAIN, false, NULL, NULL },
	{ "name", "NAME", "matched name", FORMAT_PLAIN, false, NULL, NULL },
	{ "subject", "SUBJECT", "certificate", FORMAT_PLAIN, false, NULL, NULL },
	{ "issuer", "ISSUER", "issuer", FORMAT_PLAIN, false, NULL, NULL },
	{ "serial", "SERIAL", "serial", FORMAT_PLAIN, false, NULL, NULL },
	{ "fingerprint", "FINGERPRINT", "SHA-256", FORMAT_PLAIN, false, NULL, NULL },
	{ "anchor", "ANCHOR", "vouched for by", FORMAT_PLAIN, false, NULL, NULL },
	{ "expires", "EXPIRES", "expires", FORMAT_TIME, false, NULL, NULL },
	{ "revocation", "REVOCATION", "revocation", FORMAT_PLAIN, false, "revoked", NULL },
	{ "domains", "DOMAINS", "SIP domains", FORMAT_PLAIN, false, NULL, NULL },
	{ "ends", "ENDS", "will be ended", FORMAT_TIME, false, NULL, NULL },
	{ "ends_reason", "ENDS-REASON", "because of", FORMAT_PLAIN, false, NULL, NULL },
	{ "local", "LOCAL", "local", FORMAT_PLAIN, false, NULL, NULL },
	{ "backend", "BACKEND", "SIP server", FORMAT_PLAIN, false, NULL, NULL },
	{ "backend_local", "BACKEND-LOCAL", "seen there as", FORMAT_PLAIN, false, NULL, NULL },
	{ "version", "VERSION", "version", FORMAT_PLAIN, false, NULL, NULL },
	{ "group", "GROUP", "key exchange", FORMAT_PLAIN, false, NULL, NULL },
	{ "sni", "SNI", "server name", FORMAT_PLAIN, false, NULL, NULL },
	{ "identity", "IDENTITY", "identity", FORMAT_PLAIN, false, NULL, NULL },
	{ "kernel_why", "KERNEL-WHY", "not by the kernel because", FORMAT_PLAIN, false, NULL,
	  NULL },
	{ "cookie", "COOKIE", "socket cookie", FORMAT_PLAIN, false, NULL, NULL },
	{ "established_s", "ESTABLISHED", "established", FORMAT_AGO, false, NULL, NULL },
	{ "generation", "GENERATION", "configuration", FORMAT_COUNT, false, NULL, NULL },
	{ "reads_in", "READS-IN", "reads from peer", FORMAT_COUNT, false, NULL, NULL },
	{ "reads_out", "READS-OUT", "reads from SIP server", FORMAT_COUNT, false, NULL, NULL },
	{ "tickets", "TICKETS", "tickets not used", FORMAT_COUNT, false, NULL, NULL },
	{ "key_updates_in", "KEYS-IN", "key changes by peer", FORMAT_COUNT, false, NULL, NULL },
	{ "key_updates_out", "KEYS-OUT", "key changes by us", FORMAT_COUNT, false, NULL, NULL },
	{ "stalls", "STALLS", "stalls", FORMAT_COUNT, false, NULL, NULL },
	{ "throttles", "THROTTLES", "held back by its rate", FORMAT_COUNT, false, NULL, NULL },
	{ "kernel_verified", "KERNEL-VERIFIED", "seen in the kernel", FORMAT_PLAIN, true, "no",
	  NULL },
};

static const char empty[] = "no sessions";

const struct ctl_view ctl_session_view = { "sessions", empty, columns, ARRAY_SIZE(columns) - 1 };
const struct ctl_view ctl_verified_view = { "sessions", empty, columns, ARRAY_SIZE(columns) };
