/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The types of org.siptls: names and descriptions are what clients rely on; add, never rename. */

#include "types.h"

#define SESSION(member) offsetof(struct session_view, member)
#define PEER(member)	offsetof(struct session_peer_view, member)
#define PORT(member)	offsetof(struct control_port, member)
#define SUMMARY(member) offsetof(struct sessions_summary, member)

#define ALWAYS(n, k, o, t)                                                                         \
	{                                                                                          \
		.name = n, .kind = k, .offset = o, .text = t                                       \
	}
#define KEYED(n, k, o, t)                                                                          \
	{                                                                                          \
		.name = n, .kind = k, .offset = o, .text = t, .keyed = true                        \
	}
#define PART(n, p, t)                                                                              \
	{                                                                                          \
		.name = n, .kind = FIELD_PART, .part = p, .text = t                                \
	}

static const struct control_field session_fields[] = {
	ALWAYS("id", FIELD_UINT64, SESSION(id), "Handle of the session, in logs too"),
	ALWAYS("state", FIELD_STATE, SESSION(state),
	       "connecting, handshaking, backend, relaying or closing"),
	ALWAYS("direction", FIELD_DIRECTION, SESSION(dialled),
	       "in: the peer connected, out: we did"),
	ALWAYS("authenticated", FIELD_BOOL, SESSION(authenticated),
	       "The peer showed a certificate and matched an entry of the topology"),
	ALWAYS("via", FIELD_STRING, SESSION(via), "Name of the listener or dial-out"),
	ALWAYS("peer", FIELD_STRING, SESSION(peer), "Topology entry"),
	ALWAYS("owner", FIELD_STRING, SESSION(owner), "Site or partner of that entry"),
	ALWAYS("name", FIELD_STRING, SESSION(name), "The name in the certificate that matched"),
	ALWAYS("subject", FIELD_STRING, SESSION(subject), "Subject of the peer's certificate"),
	ALWAYS("issuer", FIELD_STRING, SESSION(issuer), "Its issuer"),
	ALWAYS("serial", FIELD_STRING, SESSION(serial), "Its serial number, in hex"),
	ALWAYS("fingerprint", FIELD_STRING, SESSION(fingerprint), "Its SHA-256, in hex"),
	ALWAYS("anchor", FIELD_STRING, SESSION(anchor), "Subject of the CA that vouched"),
	ALWAYS("expires", FIELD_TIME, SESSION(expires),
	       "Earliest end of validity in the chain, seconds since 1970"),
	ALWAYS("remote", FIELD_ADDRESS, SESSION(remote), "The peer's address"),
	ALWAYS("local", FIELD_ADDRESS, SESSION(local), "Our address towards the peer"),
	ALWAYS("backend", FIELD_ADDRESS, SESSION(backend), "The SIP server's address"),
	ALWAYS("backend_local", FIELD_ADDRESS, SESSION(backend_local),
	       "Our address towards the SIP server: what it sees as the peer"),
	KEYED("version", FIELD_VERSION, SESSION(version), "TLS 1.2 or TLS 1.3"),
	KEYED("cipher", FIELD_CIPHER, SESSION(cipher), "Record cipher"),
	KEYED("group", FIELD_STRING, SESSION(group), "Key exchange group"),
	KEYED("sni", FIELD_STRING, SESSION(sni), "Server name that was asked for"),
	KEYED("identity", FIELD_STRING, SESSION(identity), "Which of our identities was shown"),
	KEYED("mode", FIELD_MODE, SESSION(kernel),
	      "kernel: the kernel encrypts, user: a process does"),
	KEYED("kernel_why", FIELD_STRING, SESSION(kernel_why), "Why the kernel does not encrypt"),
	ALWAYS("cookie", FIELD_DECIMAL, SESSION(cookie),
	       "Of the TLS socket, as sock_diag shows it; decimal, 64 bits"),
	ALWAYS("age_s", FIELD_SINCE, SESSION(started_ms), "Seconds since accept or dial"),
	ALWAYS("established_s", FIELD_SINCE, SESSION(established_ms),
	       "Seconds since the session was established"),
	ALWAYS("generation", FIELD_UINT32, SESSION(generation),
	       "Of the configuration it was admitted under"),
	KEYED("bytes_in", FIELD_UINT64, SESSION(relay.bytes_in), "From peer to SIP server"),
	KEYED("bytes_out", FIELD_UINT64, SESSION(relay.bytes_out), "From SIP server to peer"),
	KEYED("reads_in", FIELD_UINT64, SESSION(relay.reads_in),
	      "Reads that gave data, close to the number of messages"),
	KEYED("reads_out", FIELD_UINT64, SESSION(relay.reads_out), "The same, the other way"),
	KEYED("tickets", FIELD_UINT64, SESSION(relay.tickets), "Session tickets not used"),
	KEYED("key_updates_in", FIELD_UINT64, SESSION(relay.key_updates_in),
	      "Key changes by the peer"),
	KEYED("key_updates_out", FIELD_UINT64, SESSION(relay.key_updates_out), "Key changes by us"),
	KEYED("stalls", FIELD_UINT64, SESSION(relay.stalls),
	      "Times a slow reader stopped the other side"),
	KEYED("idle_s", FIELD_SINCE, SESSION(relay.active_ms), "Seconds since the last data"),
	{ 0 },
};

static const struct control_field peer_fields[] = {
	ALWAYS("name", FIELD_STRING, PEER(name), "Topology entry"),
	ALWAYS("owner", FIELD_STRING, PEER(owner), "Its site or partner"),
	ALWAYS("kind", FIELD_STRING, PEER(kind),
	       "pool, application, partner; removed: no longer in the topology"),
	ALWAYS("sessions_in", FIELD_UINT32, PEER(sessions_in), "Sessions they opened, now"),
	ALWAYS("sessions_out", FIELD_UINT32, PEER(sessions_out), "Sessions we opened, now"),
	ALWAYS("admitted", FIELD_UINT64, PEER(admitted), "Since start"),
	ALWAYS("refused", FIELD_UINT64, PEER(refused), "Since start"),
	ALWAYS("last_refusal", FIELD_REASON, PEER(last_refusal), "Reason code"),
	ALWAYS("last_refusal_time", FIELD_TIME, PEER(last_refusal_time), "Seconds since 1970"),
	{ 0 },
};

static const struct control_field port_fields[] = {
	ALWAYS("via", FIELD_STRING, PORT(via), "Name of the listener or dial-out"),
	ALWAYS("kind", FIELD_STRING, PORT(kind),
	       "listen: peers connect here, dial: the SIP server does"),
	ALWAYS("address", FIELD_ADDRESS, PORT(address), "As bound"),
	{ 0 },
};

static const struct control_field count_fields[] = {
	ALWAYS("handshaking", FIELD_UINT32, SUMMARY(handshaking), "Not established yet"),
	ALWAYS("relaying", FIELD_UINT32, SUMMARY(relaying), "Established"),
	ALWAYS("kernel", FIELD_UINT32, SUMMARY(kernel), "Established, the kernel encrypts"),
	ALWAYS("user", FIELD_UINT32, SUMMARY(user_space), "Established, a process encrypts"),
	ALWAYS("unauthenticated", FIELD_UINT32, SUMMARY(unauthenticated),
	       "Established on client listeners"),
	ALWAYS("handles", FIELD_UINT32, SUMMARY(handles), "In whatever state"),
	{ 0 },
};

static const struct control_field total_fields[] = {
	ALWAYS("accepted", FIELD_UINT64, SUMMARY(accepted), "Connections from peers"),
	ALWAYS("dialled", FIELD_UINT64, SUMMARY(dialled), "Connections to peers"),
	ALWAYS("admitted", FIELD_UINT64, SUMMARY(admitted), "Of both, those let in"),
	{ 0 },
};

static const struct control_field kernel_fields[] = {
	ALWAYS("ulp", FIELD_BOOL, SUMMARY(support.ulp), "The tls module is there"),
	ALWAYS("rekey", FIELD_BOOL, SUMMARY(support.rekey), "Keys can be changed"),
	ALWAYS("tls12", FIELD_CIPHERS, SUMMARY(support.ciphers[KTLS_TLS12]), "Ciphers it takes"),
	ALWAYS("tls13", FIELD_CIPHERS, SUMMARY(support.ciphers[KTLS_TLS13]), "Ciphers it takes"),
	{ 0 },
};

static const struct control_field summary_fields[] = {
	ALWAYS("version", FIELD_PROGRAM, 0, "Of siptlsd"),
	ALWAYS("generation", FIELD_UINT32, SUMMARY(generation), "Counts configurations in force"),
	ALWAYS("serial", FIELD_UINT64, SUMMARY(serial), "Of the topology"),
	ALWAYS("loaded", FIELD_TIME, SUMMARY(loaded), "When, seconds since 1970"),
	ALWAYS("uptime_s", FIELD_SINCE, SUMMARY(started_ms), "Seconds since start"),
	PART("sessions", &control_type_counts, "Sessions now"),
	PART("totals", &control_type_totals, "Connections since start"),
	ALWAYS("ended", FIELD_ENDED, SUMMARY(ended), "Refusals and ends by reason code"),
	ALWAYS("workers", FIELD_UINT32, SUMMARY(workers), "Handshake processes"),
	ALWAYS("worker_respawns", FIELD_UINT64, SUMMARY(worker_respawns),
	       "That had to be replaced"),
	PART("kernel", &control_type_kernel, "What this kernel can do"),
	{ 0 },
};

const struct control_type control_type_session = { "Session", session_fields };
const struct control_type control_type_peer = { "Peer", peer_fields };
const struct control_type control_type_port = { "Port", port_fields };
const struct control_type control_type_summary = { "Summary", summary_fields };
const struct control_type control_type_counts = { "Counts", count_fields };
const struct control_type control_type_totals = { "Totals", total_fields };
const struct control_type control_type_kernel = { "Kernel", kernel_fields };

int control_session_make(const struct session_view *view, uint64_t now_ms, json_t **ret)
{
	const struct control_moment moment = { .now_ms = now_ms,
					       .keyed = view->state >= SESSION_BACKEND };

	return control_fields_make(&control_type_session, view, &moment, ret);
}

int control_summary_make(const struct sessions_summary *summary, uint64_t now_ms, json_t **ret)
{
	const struct control_moment moment = { .now_ms = now_ms, .keyed = true };

	return control_fields_make(&control_type_summary, summary, &moment, ret);
}
