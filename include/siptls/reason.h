/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * reason - the stable list of why a connection was refused or a session ended.
 *
 * Every connection ends with exactly one of these; the code is what logs, control socket and
 * command line show, and what scripts may match on. Codes are never renamed or reused.
 * Columns: identifier, code, TLS alert that tells the peer (RFC 8446 6.2; ALERT_NONE: the
 * connection is just closed), what happened, what the operator can do about it.
 */

#include <siptls/base.h>

#define ALERT_NONE 255

#define SIPTLS_REASONS(X)                                                                          \
	X(OK, "ok", ALERT_NONE, "no reason to refuse", "")                                         \
	/* before and during the handshake */                                                      \
	X(LIMIT_UNAUTHENTICATED, "limit-unauthenticated", ALERT_NONE,                              \
	  "too many connections are in their handshake",                                           \
	  "a flood, or limits { unauthenticated } is too low for this network")                    \
	X(LIMIT_SOURCE, "limit-source", ALERT_NONE,                                                \
	  "too many handshakes from this source address",                                          \
	  "look at the source; raise limits { unauthenticated_per_source } if it is in order")     \
	X(LIMIT_SESSIONS, "limit-sessions", ALERT_NONE, "the session table is full",               \
	  "raise limits { sessions } and the unit's LimitNOFILE=")                                 \
	X(HANDSHAKE_TIMEOUT, "handshake-timeout", ALERT_NONE,                                      \
	  "the handshake was not finished in time",                                                \
	  "peer or network is slow, or the peer is not a TLS client; see limits { "                \
	  "handshake_timeout }")                                                                   \
	X(PLAIN_SIP, "plain-sip", ALERT_NONE, "the peer sent SIP without TLS",                     \
	  "set the peer's transport to TLS for this port")                                         \
	X(NOT_TLS, "not-tls", ALERT_NONE, "the peer's first bytes are no TLS handshake",           \
	  "find out what connects here: a health check, a scanner, a wrong port")                  \
	X(TLS_VERSION, "tls-version", 70, "no TLS version in common",                              \
	  "the peer must offer TLS 1.3, or TLS 1.2 where its entry says tls12 = true")             \
	X(TLS_CIPHER, "tls-cipher", 40, "no cipher suite, group or signature scheme in common",    \
	  "the peer must offer an ECDHE suite with AES-GCM or CHACHA20-POLY1305")                  \
	X(TLS_PROTOCOL, "tls-protocol", 10, "the peer broke the TLS protocol",                     \
	  "capture the connection; look for a middle box or a broken TLS library")                 \
	X(PEER_ALERT, "peer-alert", ALERT_NONE, "the peer refused with a TLS alert",               \
	  "read the alert's name, then the peer's own log: it did not accept us")                  \
	X(PEER_CLOSED, "peer-closed", ALERT_NONE, "the peer closed during the handshake",          \
	  "read the peer's log; a health check that only opens the port looks like this too")      \
	X(PEER_RESET, "peer-reset", ALERT_NONE, "the peer reset the connection",                   \
	  "read the peer's log; look for firewalls that time out connections")                     \
	/* the peer's certificate and its place in the topology */                                 \
	X(NO_CERTIFICATE, "no-certificate", 116, "the peer showed no certificate",                 \
	  "give the peer a certificate and make it send it: mutual TLS is required here")          \
	X(CERTIFICATE_MALFORMED, "certificate-malformed", 42,                                      \
	  "the peer's certificate cannot be read", "issue a new certificate for the peer")         \
	X(CERTIFICATE_TOO_LARGE, "certificate-too-large", 42,                                      \
	  "the peer's certificate holds too many or too long names or its chain is too long",      \
	  "issue the peer a certificate with fewer names and a shorter chain")                     \
	X(CERTIFICATE_VERSION, "certificate-version", 43,                                          \
	  "the certificate is not X.509 version 3", "issue a version 3 certificate")               \
	X(CA_AS_LEAF, "ca-as-leaf", 42, "the peer identifies itself with a CA certificate",        \
	  "issue an end-entity certificate for the peer")                                          \
	X(WEAK_KEY, "weak-key", 42, "a key in the chain is too short or of an unsafe kind",        \
	  "issue certificates with RSA of 2048 bits or more, ECDSA or EdDSA")                      \
	X(REVOKED, "revoked", 44, "a certificate in the chain is revoked",                         \
	  "give the peer a new certificate; ask its CA why the old one was revoked")               \
	X(REVOCATION_UNKNOWN, "revocation-unknown", 46,                                            \
	  "whether a certificate in the chain is revoked is not known, and its anchors require "   \
	  "it",                                                                                    \
	  "siptlsctl revocation: give the issuer's CRL by crl or crl_url, or let it be fetched")   \
	X(REVOCATION_STALE, "revocation-stale", 46,                                                \
	  "the newest CRL or OCSP response for a certificate in the chain is out of date",         \
	  "siptlsctl revocation: why is there no newer one? crl_grace lengthens the time")         \
	X(REVOCATION_UNSUPPORTED, "revocation-unsupported", 46,                                    \
	  "the CRL for a certificate in the chain is of a kind that is not supported (delta, "     \
	  "indirect, unknown critical extension)",                                                 \
	  "let the CA issue complete CRLs of its own, or set revocation = check")                  \
	X(STAPLE_MISSING, "staple-missing", 113,                                                   \
	  "the certificate demands a stapled OCSP response and none that holds came with it",      \
	  "switch on OCSP stapling at the peer, or issue its certificate without must-staple")     \
	X(WEAK_SIGNATURE, "weak-signature", 42,                                                    \
	  "a certificate in the chain is signed with SHA-1 "                                       \
	  "or weaker",                                                                             \
	  "issue certificates signed with SHA-256 or better")                                      \
	X(BLOCKED, "blocked", 49, "the topology's block list names this peer",                     \
	  "nothing, if that is meant; else take the name or fingerprint out of block")             \
	X(NOT_IN_TOPOLOGY, "not-in-topology", 49,                                                  \
	  "no topology entry claims a name of this certificate",                                   \
	  "add the server to the topology, or correct the name in its certificate")                \
	X(UNKNOWN_CA, "unknown-ca", 48, "the chain leads to no CA trusted for this peer",          \
	  "add the issuing CA to the entry's anchors, or let the peer send its intermediates")     \
	X(FOREIGN_CA_INTERNAL, "foreign-ca-internal-name", 48,                                     \
	  "a partner's CA vouches for an internal name",                                           \
	  "a mistake or an attack by that CA: ask the partner which certificate this is")          \
	X(FOREIGN_CA_PARTNER, "foreign-ca-partner-name", 48,                                       \
	  "a CA trusted for somebody else vouches for this partner's name",                        \
	  "a mistake or an attack by that CA; list the CA in this partner's anchors only if the "  \
	  "partner says so")                                                                       \
	X(CHAIN_SIGNATURE, "chain-signature", 42, "a signature in the chain is wrong",             \
	  "issue the certificate again; two CAs with one name and different keys look like this")  \
	X(CHAIN_CONSTRAINT, "chain-constraint", 42,                                                \
	  "a CA in the chain may not issue this certificate (path length, CA flag, key usage or "  \
	  "name constraints)",                                                                     \
	  "look at the CA certificates' constraints")                                              \
	X(CHAIN_UNSUPPORTED, "chain-unsupported", 42,                                              \
	  "the chain carries a constraint that cannot be evaluated here",                          \
	  "issue the chain without that extension")                                                \
	X(CHAIN_TOO_LONG, "chain-too-long", 42,                                                    \
	  "the chain is longer than the topology's depth allows",                                  \
	  "shorten the chain or raise the limit")                                                  \
	X(EXPIRED, "expired", 45, "a certificate in the chain has expired",                        \
	  "renew it; check the clock of this machine")                                             \
	X(NOT_YET_VALID, "not-yet-valid", 42, "a certificate in the chain is not valid yet",       \
	  "check the clocks of this machine and of the CA")                                        \
	X(KEY_USAGE, "key-usage", 42, "the certificate may not be used in this direction",         \
	  "issue it with clientAuth and serverAuth, or set key_usage of the entry")                \
	X(NAME_MISMATCH, "name-mismatch", 42, "the certificate does not name the expected peer",   \
	  "compare expected and found names: wrong address, forged DNS, or the certificate lacks " \
	  "the name")                                                                              \
	X(NAME_WILDCARD, "name-wildcard", 42,                                                      \
	  "only a wildcard covers the peer's name and its profile forbids that",                   \
	  "issue a certificate with the full name, or profile rfc9525 with wildcard = true")       \
	X(NAME_CN, "name-cn", 42,                                                                  \
	  "only the common name covers the peer and its profile forbids that",                     \
	  "issue a certificate with the name as subjectAltName")                                   \
	X(TLS_VERSION_PEER, "tls-version-peer", 70, "TLS 1.2 is not allowed for this peer",        \
	  "upgrade the peer, or set tls12 = true in its entry")                                    \
	X(NOT_MUTUAL, "not-mutual", 40, "the server did not ask for our certificate",              \
	  "switch on client certificates at the peer: it would accept anybody")                    \
	X(DIRECTION, "direction", 49,                                                              \
	  "the topology does not let this peer connect in this direction",                         \
	  "set direction of the entry")                                                            \
	/* ours: kernel, workers, backend */                                                       \
	X(KERNEL_UNAVAILABLE, "kernel-unavailable", ALERT_NONE,                                    \
	  "the kernel cannot take the session and kernel = require forbids user space",            \
	  "load the tls module (siptls-kmod probe tells what is missing)")                         \
	X(KERNEL_INSTALL, "kernel-install", ALERT_NONE, "the kernel refused the session's keys",   \
	  "siptls-kmod probe; read the kernel's log")                                              \
	X(WORKER_DIED, "worker-died", ALERT_NONE, "the handshake process ended unexpectedly",      \
	  "report it with the core dump; other sessions are not affected")                         \
	X(WORKER_UNAVAILABLE, "worker-unavailable", ALERT_NONE, "no handshake process is running", \
	  "read the daemon's log for why workers do not start")                                    \
	X(BACKEND_CONNECT, "backend-connect", 80, "the SIP server does not accept connections",    \
	  "start the SIP server, or correct backend")                                              \
	X(BACKEND_RESET, "backend-reset", 80, "the SIP server reset the connection",               \
	  "read the SIP server's log; does it expect a PROXY header?")                             \
	X(DIAL_CONNECT, "dial-connect", ALERT_NONE,                                                \
	  "the peer's address does not accept connections",                                        \
	  "is the peer running, is the address in the topology right, is a firewall in the way?")  \
	X(DNS_FAILED, "dns-failed", ALERT_NONE, "the peer's address could not be looked up",       \
	  "read the detail; is the name right, does the name server answer?")                      \
	X(DNS_BOGUS, "dns-bogus", ALERT_NONE, "the name server's answer failed DNSSEC validation", \
	  "an attack, or a zone that is signed wrongly: ask whoever runs the zone")                \
	X(DNS_INSECURE, "dns-insecure", ALERT_NONE,                                                \
	  "the answer is not protected by DNSSEC and dns { dnssec = require } wants it",           \
	  "sign the zone, or give the peer's address in the topology")                             \
	X(LOCAL_CLOSED, "local-closed", ALERT_NONE,                                                \
	  "the local SIP server went away before the peer was reached",                            \
	  "nothing, unless it happens often: then the peer is slow or the server impatient")       \
	/* ends of established sessions */                                                         \
	X(CLOSED_BY_PEER, "closed-by-peer", ALERT_NONE, "the peer closed cleanly", "")             \
	X(CLOSED_BY_BACKEND, "closed-by-backend", ALERT_NONE, "the SIP server closed", "")         \
	X(PEER_TRUNCATED, "peer-truncated", ALERT_NONE,                                            \
	  "the peer ended the connection without close_notify",                                    \
	  "common with Kamailio's default settings; otherwise look for a firewall or an attack")   \
	X(HALF_CLOSE_TIMEOUT, "half-close-timeout", ALERT_NONE,                                    \
	  "one side had closed and the other did not follow in time", "")                          \
	X(RECORD_CORRUPT, "record-corrupt", 20, "a record could not be decrypted",                 \
	  "the network or a middle box changes data, or an attack")                                \
	X(RECORD_UNEXPECTED, "record-unexpected", 10,                                              \
	  "the peer sent a TLS message that has no place after the handshake",                     \
	  "switch off renegotiation and post-handshake authentication at the peer")                \
	X(KEY_UPDATE_UNSUPPORTED, "key-update-unsupported", ALERT_NONE,                            \
	  "the peer changed its key and this kernel cannot follow",                                \
	  "Linux 6.14 or newer, or let the peer change keys less often; the peer will reconnect")  \
	X(KEY_UPDATE_FLOOD, "key-update-flood", 10, "the peer changes its keys far too often",     \
	  "look at the peer: an attack, or a broken TLS library")                                  \
	X(ANCHOR_REMOVED, "anchor-removed", ALERT_NONE,                                            \
	  "the CA that vouched for the peer is no longer an anchor for it",                        \
	  "nothing, if that is meant; else put the CA back into the entry's anchors")              \
	X(SESSION_AGE, "session-age", ALERT_NONE, "the session reached its maximum age",           \
	  "nothing: the peer connects again; see limits { session_age }")                          \
	X(IDENTITY_CHANGED, "identity-changed", ALERT_NONE,                                        \
	  "our own certificate was replaced and the session rested on the old one",                \
	  "nothing: the peer connects again; see limits { identity_drain }")                       \
	X(PROBE, "probe", ALERT_NONE, "a probe asked for by an administrator is over", "")         \
	X(ADMIN_CLOSED, "admin-closed", ALERT_NONE, "closed by an administrator", "")              \
	X(SHUTDOWN, "shutdown", ALERT_NONE, "siptlsd is stopping", "")                             \
	X(RESOURCES, "resources", ALERT_NONE, "out of memory or descriptors",                      \
	  "raise LimitNOFILE= or MemoryMax= of the unit")                                          \
	X(INTERNAL, "internal-error", 80, "an unexpected error of siptlsd itself",                 \
	  "report it with the log line's detail")

enum reason {
#define X(id, code, alert, text, cure) REASON_##id,
	SIPTLS_REASONS(X)
#undef X
		_REASON_MAX
};

struct reason_info {
	const char *code;
	const char *text; /* what happened */
	const char *cure; /* what to do; "" if nothing */
	uint8_t alert;
};

/* Never NULL; a value outside the list (from a broken message) gives the row of INTERNAL. */
const struct reason_info *reason_info(enum reason r);

/* -1 if there is no such code. */
int reason_from_code(const char *code);
