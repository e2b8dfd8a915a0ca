/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * trust - the decision: is this peer a server that the administrator has listed?
 *
 * A pure function, (policy, facts, question) -> verdict with reasons. No I/O, no clock, no TLS
 * library: whoever asks brings the time. Called by worker processes during a handshake (to send the
 * right alert), by session with the worker's facts (the verdict that counts) and by `siptlsctl
 * verify`. conf makes the policy, tls makes the facts.
 *
 * The rule: read the names in the leaf, find the entries that claim one of them, and accept by the
 * first entry for which the chain leads to *that entry's* anchors and every other rule holds. A CA
 * listed for a partner can thereby vouch for that partner's names and for nothing else.
 */

#include <siptls/base.h>
#include <siptls/ktls.h>
#include <siptls/reason.h>

#define TRUST_CHAIN_MAX	     16		 /* certificates a peer may present */
#define TRUST_NAMES_MAX	     1024	 /* names in a leaf */
#define TRUST_NAMES_SIZE     (64 * 1024) /* bytes of all names together */
#define TRUST_CANDIDATES_MAX 8		 /* entries a verdict tells about; all are judged */

/* ---- policy: what the administrator wrote ---- */

enum trust_kind { TRUST_POOL, TRUST_APPLICATION, TRUST_PARTNER, _TRUST_KIND_MAX };

/* Which names of a certificate count, and how (RFC 5922 7.1; RFC 9525 6; the Lync pool rule). */
enum trust_profile {
	TRUST_RFC5922,	  /* sip: URIs without user part; DNS names only if there is no such URI; CN
			     only if there is no subjectAltName at all; never a wildcard */
	TRUST_RFC9525,	  /* DNS names, a single-label wildcard if the entry allows it; never CN */
	TRUST_POOL_NAMES, /* subject CN or DNS name equals the pool or a member */
	_TRUST_PROFILE_MAX,
};

/* Which extended key usage a leaf must have when it has that extension at all. */
enum trust_usage {
	TRUST_USAGE_TLS,     /* serverAuth when we dialled, clientAuth when they did */
	TRUST_USAGE_TLS_ANY, /* either of the two: public CAs issue no clientAuth any more */
	TRUST_USAGE_SIP,     /* id-kp-sipDomain (RFC 5924 4) */
	TRUST_USAGE_IGNORE,
	_TRUST_USAGE_MAX,
};

/* Directions in which connections with a peer are allowed, as seen from here. */
enum { TRUST_INBOUND = 1, TRUST_OUTBOUND = 2 };

/* A set of CA certificates that vouches for one site or one partner. */
struct trust_anchors {
	char *name;    /* of the site or partner */
	bool internal; /* a site's enterprise CA, not a partner's */
	char **files;  /* PEM files */
	size_t n_files;
	uint32_t line; /* of the list of files, in the topology file */
};

struct trust_member {
	char *name;    /* FQDN, lower case */
	char *address; /* ADDRESS:PORT to dial, or NULL */
};

/* A pool, a trusted application or a partner's server: what may be on the other end. */
struct trust_entry {
	char *name; /* FQDN, lower case: the pool, the application, the partner's server */
	enum trust_kind kind;
	uint32_t anchors; /* index into the policy's anchor sets */
	struct trust_member *members;
	size_t n_members; /* at least one; an entry without members of its own is its only member */
	enum trust_profile profile;
	enum trust_usage usage;
	bool wildcard;	    /* TRUST_RFC9525 only */
	bool tls12;	    /* TLS 1.2 is allowed with this peer */
	uint8_t directions; /* TRUST_INBOUND | TRUST_OUTBOUND */
	uint32_t line;	    /* in the topology file */
};

struct trust_policy {
	char *path; /* the topology file; NULL: made from a command line */
	uint64_t serial;
	struct trust_anchors *anchors;
	size_t n_anchors;
	struct trust_entry *entries;
	size_t n_entries;
	uint8_t depth; /* certificates in a chain, leaf included, anchor not */
};

/* Index of the entry with this name (any case), or -1. */
int64_t trust_entry_find(const struct trust_policy *policy, const char *name);

/* The words the configuration uses for each enum, NULL-terminated tables; -1: no such word. */
extern const char *const trust_kind_names[], *const trust_profile_names[],
						     *const trust_usage_names[];

/* ---- facts: what the peer showed, as the tls module read it ---- */

enum trust_name_type {
	TRUST_NAME_CN,
	TRUST_NAME_DNS,
	TRUST_NAME_URI,
	TRUST_NAME_IP,	  /* printable form */
	TRUST_NAME_OTHER, /* a kind that never identifies a server */
	_TRUST_NAME_TYPE_MAX,
};

/* Bytes as they stand in the certificate: may hold NULs, upper case, anything. Not terminated. */
struct trust_name {
	enum trust_name_type type;
	uint32_t len;
	char *value;
};

enum trust_key { TRUST_KEY_RSA, TRUST_KEY_EC, TRUST_KEY_EDDSA, TRUST_KEY_OTHER, _TRUST_KEY_MAX };

/* Hash of the signature on a certificate; EdDSA counts as strong. */
enum trust_hash { TRUST_HASH_STRONG, TRUST_HASH_WEAK, _TRUST_HASH_MAX };

enum {
	TRUST_EKU_PRESENT = 1, /* the extension is there */
	TRUST_EKU_SERVER = 2,
	TRUST_EKU_CLIENT = 4,
	TRUST_EKU_SIP = 8,
	TRUST_EKU_ANY = 16,
};

struct trust_certificate {
	char *subject, *issuer;	       /* RFC 4514 text, for people */
	char *serial;		       /* hex, as `openssl x509 -serial` prints it */
	uint8_t fingerprint[32];       /* SHA-256 of the DER */
	int64_t not_before, not_after; /* seconds since 1970; INT64_MAX: no well-defined end */
	uint8_t version;	       /* 1, 2 or 3 */
	enum trust_key key;
	uint16_t key_bits;
	enum trust_hash hash;
	bool is_ca;	  /* basicConstraints CA, or keyUsage keyCertSign */
	uint8_t usage;	  /* TRUST_EKU_* */
	bool unsupported; /* critical extension or name-constraint kind we cannot evaluate */
};

/* How the chain fared against one set of anchors, times and strength left aside. */
enum trust_chain {
	TRUST_CHAIN_OK,
	TRUST_CHAIN_UNKNOWN_CA,
	TRUST_CHAIN_BAD_SIGNATURE,
	TRUST_CHAIN_CONSTRAINT,
	_TRUST_CHAIN_MAX,
};

struct trust_path {
	uint32_t anchors; /* index into the policy's anchor sets */
	enum trust_chain outcome;
	uint8_t certs[TRUST_CHAIN_MAX]; /* indices into the facts' certificates, leaf first */
	uint8_t n_certs;
	/* the anchor, if one was reached */
	char *anchor_subject; /* NULL: none */
	uint8_t anchor_fingerprint[32];
	int64_t anchor_not_before, anchor_not_after;
};

/* Memory: every pointer is owned by the facts; trust_facts_done() frees all and is safe on {}. */
struct trust_facts {
	struct trust_certificate *certs; /* as presented, leaf first */
	size_t n_certs;			 /* 0: the peer showed none */
	struct trust_name *names;	 /* of the leaf */
	size_t n_names;
	bool has_san;		  /* the leaf has a subjectAltName extension, of whatever kind */
	struct trust_path *paths; /* one per anchor set tried */
	size_t n_paths;
};

void trust_facts_done(struct trust_facts *facts);

/* ---- verdict ---- */

#define TRUST_ENTRY_ANY UINT32_MAX

struct trust_question {
	bool dialled; /* we are the TLS client, the peer is the server */
	enum ktls_version version;
	uint32_t entry;	 /* the entry that was dialled; TRUST_ENTRY_ANY when they dialled us */
	uint32_t member; /* its member that was dialled; ignored with TRUST_ENTRY_ANY */
	int64_t now;	 /* seconds since 1970 */
};

struct trust_candidate {
	uint32_t entry;
	enum reason reason;
};

struct trust_verdict {
	enum reason reason; /* REASON_OK: accepted */
	uint32_t entry;	    /* the entry that admitted, or the one closest to it; or _ANY */
	const struct trust_path *path; /* in the facts; NULL if none */
	const struct trust_name *name; /* in the facts: the name that matched; NULL if none */
	int64_t expires;	       /* earliest not_after on the path, anchor included */
	struct trust_candidate candidates[TRUST_CANDIDATES_MAX]; /* why each entry failed */
	size_t n_candidates;
};

/*
 * Does @entry possibly mean this leaf? Lenient (wildcards, CN, any case), so that the verdict can
 * tell the exact rule that failed. The tls module verifies the chain against the anchors of every
 * entry that claims it; if none does or none verifies, against all sets, so that the verdict can
 * tell whose CA it was.
 */
bool trust_entry_claims(const struct trust_entry *entry, const struct trust_facts *facts);

void trust_judge(const struct trust_policy *policy, const struct trust_facts *facts,
		 const struct trust_question *question, struct trust_verdict *ret);

/*
 * One line for the operator: expected names, names found, issuer, fingerprint, entry, and the
 * failed rule of each candidate. Foreign bytes are escaped.
 */
void trust_verdict_text(const struct trust_policy *policy, const struct trust_facts *facts,
			const struct trust_question *question, const struct trust_verdict *verdict,
			struct text *ret);
