/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The types of sessions and of the daemon as a whole. Names and descriptions are what clients rely
 * on: add, never rename.
 */

#include "types.h"

/* A view with its state as a word: siptlsctl links the table of kinds, and no session module. */
struct control_session {
	struct session_view view;
	const char *state;
};

#define SESSION(member) offsetof(struct control_session, view.member)
#define PEER(member)	offsetof(struct session_peer_view, member)
#define PORT(member)	offsetof(struct control_port, member)
#define SUMMARY(member) offsetof(struct sessions_summary, member)

static const struct control_field session_fields[] = {
	CONTROL_ALWAYS("id", FIELD_UINT64, SESSION(id), "Handle of the session, in logs too"),
	CONTROL_ALWAYS("state", FIELD_WORD, offsetof(struct control_session, state),
		       "resolving, connecting, handshaking, backend, probing, relaying or "
		       "closing"),
	CONTROL_ALWAYS("direction", FIELD_DIRECTION, SESSION(dialled),
		       "in: the peer connected, out: we did"),
	CONTROL_ALWAYS("authenticated", FIELD_BOOL, SESSION(authenticated),
		       "The peer showed a certificate and matched an entry of the topology"),
	CONTROL_ALWAYS("via", FIELD_STRING, SESSION(via), "Name of the listener or dial-out"),
	CONTROL_ALWAYS("peer", FIELD_STRING, SESSION(peer), "Topology entry"),
	CONTROL_ALWAYS("owner", FIELD_STRING, SESSION(owner), "Site or partner of that entry"),
	CONTROL_ALWAYS("name", FIELD_STRING, SESSION(name),
		       "The name in the certificate that matched"),
	CONTROL_ALWAYS("subject", FIELD_STRING, SESSION(subject),
		       "Subject of the peer's certificate"),
	CONTROL_ALWAYS("issuer", FIELD_STRING, SESSION(issuer), "Its issuer"),
	CONTROL_ALWAYS("serial", FIELD_STRING, SESSION(serial), "Its serial number, in hex"),
	CONTROL_ALWAYS("fingerprint", FIELD_STRING, SESSION(fingerprint), "Its SHA-256, in hex"),
	CONTROL_ALWAYS("anchor", FIELD_STRING, SESSION(anchor), "Subject of the CA that vouched"),
	CONTROL_ALWAYS("expires", FIELD_TIME, SESSION(expires),
		       "Earliest end of validity in the chain, seconds since 1970"),
	CONTROL_ALWAYS("revocation", FIELD_STRING, SESSION(revocation),
		       "What is known of the chain's revocation: off, good, stale, unsupported, "
		       "unknown or revoked"),
	CONTROL_STRINGS("domains", SESSION(domains), SESSION(n_domains),
			"SIP domains that the peer may speak for"),
	CONTROL_ALWAYS("ends", FIELD_TIME, SESSION(ends),
		       "When the session will be ended, seconds since 1970"),
	CONTROL_ALWAYS("ends_reason", FIELD_REASON, SESSION(ends_reason),
		       "Reason code of that end"),
	CONTROL_ALWAYS("remote", FIELD_ADDRESS, SESSION(remote), "The peer's address"),
	CONTROL_ALWAYS("local", FIELD_ADDRESS, SESSION(local), "Our address towards the peer"),
	CONTROL_ALWAYS("backend", FIELD_ADDRESS, SESSION(backend),
		       "The SIP server's address; of a dialled session its own for this one"),
	CONTROL_ALWAYS("backend_local", FIELD_ADDRESS, SESSION(backend_local),
		       "Our address towards the SIP server: who accepted sessions are to it"),
	CONTROL_KEYED("version", FIELD_VERSION, SESSION(version), "TLS 1.2 or TLS 1.3"),
	CONTROL_KEYED("cipher", FIELD_CIPHER, SESSION(cipher), "Record cipher"),
	CONTROL_KEYED("group", FIELD_STRING, SESSION(group), "Key exchange group"),
	CONTROL_KEYED("sni", FIELD_STRING, SESSION(sni), "Server name that was asked for"),
	CONTROL_KEYED("identity", FIELD_STRING, SESSION(identity),
		      "Which of our identities was shown"),
	CONTROL_KEYED("mode", FIELD_MODE, SESSION(kernel),
		      "kernel: the kernel encrypts, user: a process does"),
	CONTROL_KEYED("kernel_why", FIELD_STRING, SESSION(kernel_why),
		      "Why the kernel does not encrypt"),
	CONTROL_ALWAYS("cookie", FIELD_DECIMAL, SESSION(cookie),
		       "Of the TLS socket, as sock_diag shows it; decimal, 64 bits"),
	CONTROL_ALWAYS("age_s", FIELD_SINCE, SESSION(started_ms), "Seconds since accept or dial"),
	CONTROL_ALWAYS("established_s", FIELD_SINCE, SESSION(established_ms),
		       "Seconds since the session was established"),
	CONTROL_ALWAYS("generation", FIELD_UINT32, SESSION(generation),
		       "Of the configuration it was admitted under"),
	CONTROL_KEYED("bytes_in", FIELD_UINT64, SESSION(relay.bytes_in), "From peer to SIP server"),
	CONTROL_KEYED("bytes_out", FIELD_UINT64, SESSION(relay.bytes_out),
		      "From SIP server to peer"),
	CONTROL_KEYED("reads_in", FIELD_UINT64, SESSION(relay.reads_in),
		      "Reads that gave data, close to the number of messages"),
	CONTROL_KEYED("reads_out", FIELD_UINT64, SESSION(relay.reads_out),
		      "The same, the other way"),
	CONTROL_KEYED("tickets", FIELD_UINT64, SESSION(relay.tickets), "Session tickets not used"),
	CONTROL_KEYED("key_updates_in", FIELD_UINT64, SESSION(relay.key_updates_in),
		      "Key changes by the peer"),
	CONTROL_KEYED("key_updates_out", FIELD_UINT64, SESSION(relay.key_updates_out),
		      "Key changes by us"),
	CONTROL_KEYED("stalls", FIELD_UINT64, SESSION(relay.stalls),
		      "Times a slow reader stopped the other side"),
	CONTROL_KEYED("throttles", FIELD_UINT64, SESSION(relay.throttles),
		      "Times the peer was not read because of its rate"),
	CONTROL_KEYED("idle_s", FIELD_SINCE, SESSION(relay.active_ms),
		      "Seconds since the last data"),
	{ 0 },
};

static const struct control_field peer_fields[] = {
	CONTROL_ALWAYS("name", FIELD_STRING, PEER(name), "Topology entry"),
	CONTROL_ALWAYS("owner", FIELD_STRING, PEER(owner), "Its site or partner"),
	CONTROL_ALWAYS(
		"kind", FIELD_STRING, PEER(kind),
		"pool, application, server, domain, provider, discovered; removed: no longer in "
		"the topology"),
	CONTROL_ALWAYS("sessions_in", FIELD_UINT32, PEER(sessions_in), "Sessions they opened, now"),
	CONTROL_ALWAYS("sessions_out", FIELD_UINT32, PEER(sessions_out), "Sessions we opened, now"),
	CONTROL_ALWAYS("admitted", FIELD_UINT64, PEER(admitted), "Since start"),
	CONTROL_ALWAYS("refused", FIELD_UINT64, PEER(refused), "Since start"),
	CONTROL_ALWAYS("last_refusal", FIELD_REASON, PEER(last_refusal), "Reason code"),
	CONTROL_ALWAYS("last_refusal_time", FIELD_TIME, PEER(last_refusal_time),
		       "Seconds since 1970"),
	{ 0 },
};

static const struct control_field port_fields[] = {
	CONTROL_ALWAYS("via", FIELD_STRING, PORT(via), "Name of the listener or dial-out"),
	CONTROL_ALWAYS("kind", FIELD_STRING, PORT(kind),
		       "listen: peers connect here, dial: the SIP server does"),
	CONTROL_ALWAYS("address", FIELD_ADDRESS, PORT(address), "As bound"),
	{ 0 },
};

static const struct control_field count_fields[] = {
	CONTROL_ALWAYS("handshaking", FIELD_UINT32, SUMMARY(handshaking), "Not established yet"),
	CONTROL_ALWAYS("relaying", FIELD_UINT32, SUMMARY(relaying), "Established"),
	CONTROL_ALWAYS("kernel", FIELD_UINT32, SUMMARY(kernel), "Established, the kernel encrypts"),
	CONTROL_ALWAYS("user", FIELD_UINT32, SUMMARY(user_space),
		       "Established, a process encrypts"),
	CONTROL_ALWAYS("unauthenticated", FIELD_UINT32, SUMMARY(unauthenticated),
		       "Established on client listeners"),
	CONTROL_ALWAYS("handles", FIELD_UINT32, SUMMARY(handles), "In whatever state"),
	{ 0 },
};

static const struct control_field total_fields[] = {
	CONTROL_ALWAYS("accepted", FIELD_UINT64, SUMMARY(accepted), "Connections from peers"),
	CONTROL_ALWAYS("dialled", FIELD_UINT64, SUMMARY(dialled), "Connections to peers"),
	CONTROL_ALWAYS("admitted", FIELD_UINT64, SUMMARY(admitted), "Of both, those let in"),
	{ 0 },
};

static const struct control_field kernel_fields[] = {
	CONTROL_ALWAYS("ulp", FIELD_BOOL, SUMMARY(support.ulp), "The tls module is there"),
	CONTROL_ALWAYS("rekey", FIELD_BOOL, SUMMARY(support.rekey), "Keys can be changed"),
	CONTROL_ALWAYS("tls12", FIELD_CIPHERS, SUMMARY(support.ciphers[KTLS_TLS12]),
		       "Ciphers it takes"),
	CONTROL_ALWAYS("tls13", FIELD_CIPHERS, SUMMARY(support.ciphers[KTLS_TLS13]),
		       "Ciphers it takes"),
	{ 0 },
};

static const struct control_field summary_fields[] = {
	CONTROL_ALWAYS("version", FIELD_PROGRAM, 0, "Of siptlsd"),
	CONTROL_ALWAYS("generation", FIELD_UINT32, SUMMARY(generation),
		       "Counts configurations in force"),
	CONTROL_ALWAYS("serial", FIELD_UINT64, SUMMARY(serial), "Of the topology"),
	CONTROL_ALWAYS("loaded", FIELD_TIME, SUMMARY(loaded), "When, seconds since 1970"),
	CONTROL_ALWAYS("uptime_s", FIELD_SINCE, SUMMARY(started_ms), "Seconds since start"),
	CONTROL_PART("sessions", &control_type_counts, "Sessions now"),
	CONTROL_PART("totals", &control_type_totals, "Connections since start"),
	CONTROL_ALWAYS("ended", FIELD_ENDED, SUMMARY(ended), "Refusals and ends by reason code"),
	CONTROL_ALWAYS("workers", FIELD_UINT32, SUMMARY(workers), "Handshake processes"),
	CONTROL_ALWAYS("worker_respawns", FIELD_UINT64, SUMMARY(worker_respawns),
		       "That had to be replaced"),
	CONTROL_ALWAYS("last_good", FIELD_BOOL, SUMMARY(last_good),
		       "The configuration in force is the last good copy: the files are broken"),
	CONTROL_ALWAYS("staged", FIELD_BOOL, SUMMARY(staged),
		       "A configuration is prepared and waits for commit or abort"),
	CONTROL_ALWAYS("commit_at", FIELD_TIME, SUMMARY(commit_at),
		       "When it will be put in force by itself, seconds since 1970"),
	CONTROL_ALWAYS("board", FIELD_UINT64, SUMMARY(board),
		       "Number of the revocation board in force; 0: none yet"),
	CONTROL_ALWAYS("crls", FIELD_UINT32, SUMMARY(crls), "Revocation lists on it"),
	CONTROL_ALWAYS("chains_cached", FIELD_UINT64, SUMMARY(chains_cached),
		       "Handshakes whose chain had been verified before"),
	CONTROL_ALWAYS("peers_known", FIELD_UINT32, SUMMARY(peers_known),
		       "Distinct chains of live sessions"),
	CONTROL_PART("kernel", &control_type_kernel, "What this kernel can do"),
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

	const struct control_session session = { .view = *view,
						 .state = session_state_name(view->state) };

	return control_fields_make(&control_type_session, &session, &moment, ret);
}

int control_summary_make(const struct sessions_summary *summary, uint64_t now_ms, json_t **ret)
{
	const struct control_moment moment = { .now_ms = now_ms, .keyed = true };

	return control_fields_make(&control_type_summary, summary, &moment, ret);
}
