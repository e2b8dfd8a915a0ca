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
#define TRUST_PATHS_MAX	     16		 /* paths to one anchor set */

/* ---- policy: what the administrator wrote ---- */

enum trust_kind {
	TRUST_POOL,
	TRUST_APPLICATION,
	TRUST_SERVER,	  /* a partner's, named by the administrator */
	TRUST_DOMAIN,	  /* a partner's SIP domain, found by SRV; its own name is the reference */
	TRUST_PROVIDER,	  /* one edge that speaks for many SIP domains */
	TRUST_DISCOVERED, /* whoever the anchors vouch for and no other entry claims; inbound only
			   */
	_TRUST_KIND_MAX,
};

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

/* How much must be known of the revocation of each certificate of a chain. */
enum trust_revocation {
	TRUST_REVOCATION_OFF,	  /* nothing is asked */
	TRUST_REVOCATION_CHECK,	  /* refuse what is revoked; what is unknown is told, not refused */
	TRUST_REVOCATION_REQUIRE, /* a fresh, verified answer for every link, or refuse */
	_TRUST_REVOCATION_MAX,
};

/* A set of CA certificates that vouches for one site or one partner. */
struct trust_anchors {
	char *name;    /* of the site or partner */
	bool internal; /* a site's enterprise CA, not a partner's */
	char **files;  /* PEM files */
	size_t n_files;
	enum trust_revocation revocation;
	char **crl_files; /* absolute; a folder stands for the files in it */
	size_t n_crl_files;
	char **crl_urls; /* http: or https: */
	size_t n_crl_urls;
	bool crl_fetch;	      /* from the distribution points that certificates name, too */
	uint32_t crl_grace_s; /* how long a list may be used after its nextUpdate */
	uint32_t line;	      /* of the list of files, in the topology file */
};

/* How much a peer may send: bytes a second on the average, and at once. */
struct trust_rate {
	char *name;
	uint64_t bytes_per_second;
	uint64_t burst; /* bytes */
	uint32_t line;
};

#define TRUST_RATE_NONE UINT32_MAX

/* Where the servers of an entry are found when no address is given. */
enum trust_locate {
	TRUST_LOCATE_HOST,	 /* A and AAAA of the member's name, and the entry's port */
	TRUST_LOCATE_SIPS,	 /* SRV _sips._tcp of the entry's name */
	TRUST_LOCATE_FEDERATION, /* SRV _sipfederationtls._tcp */
	_TRUST_LOCATE_MAX,
};

struct trust_member {
	char *name;    /* FQDN, lower case */
	char *address; /* ADDRESS:PORT to dial, or NULL */
};

/* A pool, a trusted application, a partner's server...: what may be on the other end. */
struct trust_entry {
	char *name; /* FQDN, lower case; of TRUST_DISCOVERED: its title, which is no host name */
	enum trust_kind kind;
	uint32_t anchors; /* index into the policy's anchor sets */
	struct trust_member *members;
	size_t n_members; /* at least one; an entry without members of its own is its only member;
			     TRUST_DISCOVERED has none */
	char **domains;	  /* SIP domains it may speak for, lower case; for the SIP server to ask */
	size_t n_domains;
	enum trust_locate locate;
	uint16_t port; /* of members without an address; 5061 unless it is said */
	uint32_t rate; /* index into the policy's rates, or TRUST_RATE_NONE */
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
	struct trust_rate *rates;
	size_t n_rates;
	/* Never trusted, whatever else is said: names, ".example" for a domain with all below it.
	 */
	char **blocked;
	size_t n_blocked;
	uint8_t (*blocked_fingerprints)[32]; /* SHA-256 of certificates, of whatever place in a
						chain */
	size_t n_blocked_fingerprints;
	uint8_t depth; /* certificates in a chain, leaf included, anchor not */
};

/* Index of the entry with this name (any case), or -1. */
int64_t trust_entry_find(const struct trust_policy *policy, const char *name);

/* The words the configuration uses for each enum, NULL-terminated tables; -1: no such word. */
extern const char *const trust_kind_names[], *const trust_profile_names[],
						     *const trust_usage_names[],
							     *const trust_revocation_names[],
								     *const trust_locate_names[];

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

#define TRUST_ID_SIZE	  32
#define TRUST_DIGEST_SIZE 16
#define TRUST_SCOPES_MAX  8   /* names of distribution points in one certificate */
#define TRUST_URLS_MAX	  4   /* of them to fetch from */
#define TRUST_URL_MAX	  512 /* bytes */

struct trust_certificate {
	char *subject, *issuer;	 /* RFC 4514 text, for people */
	char *serial;		 /* hex, as `openssl x509 -serial` prints it */
	uint8_t fingerprint[32]; /* SHA-256 of the DER */
	/* What revocation is looked up by, in place of names and numbers of any length. */
	uint8_t id[TRUST_ID_SIZE];	      /* as an issuer: SHA-256 of subject and public key */
	uint8_t serial_id[TRUST_DIGEST_SIZE]; /* head of the SHA-256 of the serial's bytes */
	uint8_t scopes[TRUST_SCOPES_MAX][TRUST_DIGEST_SIZE]; /* of each distribution point's name */
	uint8_t n_scopes;
	char *crl_urls[TRUST_URLS_MAX]; /* http: and https: distribution points */
	uint8_t n_crl_urls;
	bool must_staple;	       /* TLS feature status_request (RFC 7633) */
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

/* What is known of the revocation of one certificate. */
enum trust_status {
	TRUST_STATUS_UNKNOWN, /* no list and no answer of its issuer that holds */
	TRUST_STATUS_GOOD,
	TRUST_STATUS_REVOKED,
	TRUST_STATUS_UNSUPPORTED, /* there is one, of a kind that cannot be evaluated here */
	_TRUST_STATUS_MAX,
};

struct trust_link {
	enum trust_status status;
	bool ocsp;			  /* told by a stapled response, not by a list */
	int64_t this_update, next_update; /* of list or response; 0: none, or it does not say */
	int64_t revoked_at;		  /* TRUST_STATUS_REVOKED: seconds since 1970 */
	uint8_t revoked_why;		  /* CRLReason (RFC 5280 5.3.1) */
};

struct trust_path {
	uint32_t anchors; /* index into the policy's anchor sets */
	enum trust_chain outcome;
	uint8_t certs[TRUST_CHAIN_MAX]; /* indices into the facts' certificates, leaf first */
	uint8_t n_certs;
	struct trust_link links[TRUST_CHAIN_MAX]; /* of @certs; the anchor has none */
	/* the anchor, if one was reached */
	char *anchor_subject; /* NULL: none */
	uint8_t anchor_fingerprint[32];
	uint8_t anchor_id[TRUST_ID_SIZE];
	int64_t anchor_not_before, anchor_not_after;
};

/* Memory: every pointer is owned by the facts; trust_facts_done() frees all and is safe on {}. */
struct trust_facts {
	struct trust_certificate *certs; /* as presented, leaf first */
	size_t n_certs;			 /* 0: the peer showed none */
	struct trust_name *names;	 /* of the leaf */
	size_t n_names;
	bool has_san;		  /* the leaf has a subjectAltName extension, of whatever kind */
	struct trust_path *paths; /* of one anchor set: one that failed, or all that hold */
	size_t n_paths;
	struct trust_link staple; /* of the leaf, as stapled to the handshake; UNKNOWN: none */
};

void trust_facts_done(struct trust_facts *facts);

/* A key that no chain may rest on: RSA under 2048 or over 8192 bits, EC under 224, other kinds. */
bool trust_key_is_weak(const struct trust_certificate *certificate);

/* ---- verdict ---- */

#define TRUST_ENTRY_ANY UINT32_MAX

struct trust_question {
	bool dialled; /* we are the TLS client, the peer is the server */
	enum ktls_version version;
	uint32_t entry;	 /* the entry that was dialled; TRUST_ENTRY_ANY when they dialled us */
	uint32_t member; /* its member that was dialled; ignored with TRUST_ENTRY_ANY */
	int64_t now;	 /* seconds since 1970 */
	/*
	 * The peer was admitted earlier and is judged again. What has become known ends its
	 * session; that a list has become old or a response is missing does not.
	 */
	bool live;
};

struct trust_candidate {
	uint32_t entry;
	enum reason reason;
};

/* What is known of revocation, for people: the worst of a path's links. */
enum trust_standing {
	TRUST_STANDING_OFF, /* not asked */
	TRUST_STANDING_GOOD,
	TRUST_STANDING_STALE, /* good, by a list or response past its nextUpdate and the grace */
	TRUST_STANDING_UNSUPPORTED,
	TRUST_STANDING_UNKNOWN,
	TRUST_STANDING_REVOKED,
	_TRUST_STANDING_MAX,
};

extern const char *const trust_standing_names[];

/* Of one link by itself, or of a stapled response, which has no grace. */
enum trust_standing trust_link_standing(const struct trust_link *link, uint32_t grace_s,
					int64_t now);

struct trust_verdict {
	enum reason reason; /* REASON_OK: accepted */
	uint32_t entry;	    /* the entry that admitted, or the one closest to it; or _ANY */
	const struct trust_path *path; /* in the facts; NULL if none */
	const struct trust_name *name; /* in the facts: the name that matched; NULL if none */
	int64_t expires;	       /* earliest not_after on the path, anchor included */
	enum trust_standing standing;  /* of revocation, over the whole path */
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

/* ---- explanation ---- */

enum trust_rule_outcome { TRUST_RULE_HOLDS, TRUST_RULE_FAILS, TRUST_RULE_NOT_REACHED };

struct trust_rule_view {
	uint32_t entry;	  /* TRUST_ENTRY_ANY: a rule of the leaf, before any entry */
	const char *rule; /* its stable name: "chain", "name", ... */
	enum trust_rule_outcome outcome;
	enum reason reason; /* REASON_OK unless it fails */
	const char *detail; /* expected and found, "" if there is nothing to tell */
};

typedef void (*trust_explain_fn)(void *userdata, const struct trust_rule_view *rule);

/*
 * The judgement of trust_judge() once more, rule by rule: those of the leaf, then those of every
 * entry that was a candidate (claims the leaf, or was dialled), in the order they are judged. Not
 * bounded by TRUST_CANDIDATES_MAX. Strings are valid until @fn returns.
 */
void trust_explain(const struct trust_policy *policy, const struct trust_facts *facts,
		   const struct trust_question *question, trust_explain_fn fn, void *userdata);
