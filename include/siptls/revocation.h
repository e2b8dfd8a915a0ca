/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * revocation - which certificates have been taken back, and how fresh that knowledge is.
 *
 * Two sides. The *store* reads CRLs: it parses them, verifies each with the public key of an issuer
 * it was told of, and publishes what holds as a *board*, a sealed memory file. It lives in
 * siptls-fetch, the process that reads what strangers publish, and in `siptlsctl verify`. The
 * *board* is read without a certificate library, by worker processes during a handshake and by the
 * daemon over its live sessions: both look up the same answer by digests, without a copy.
 *
 * Here it is only established what is known; whether that suffices trust decides (trust_link in
 * facts -> verdict). GnuTLS is used by the store and for CRLs of issuers that are first met in a
 * handshake; no GnuTLS type appears here.
 *
 * Supported: complete CRLs signed by the issuer's own key, or by another key of its name that it
 * or its own issuer on the path certified for that; issuingDistributionPoint with a full name and
 * onlyContains*. Delta and indirect CRLs, scopes by reason and unknown critical extensions make an
 * answer UNSUPPORTED; but what a delta CRL or one for some reasons lists is revoked.
 */

#include <siptls/base.h>
#include <siptls/trust.h>

#define REVOCATION_CRL_SIZE_MAX	  (16 * 1024 * 1024) /* bytes of one list */
#define REVOCATION_BOARD_SIZE_MAX (256 * 1024 * 1024)
#define REVOCATION_CRLS_MAX	  4096
#define REVOCATION_ISSUERS_MAX	  4096
#define REVOCATION_LEARNED_MAX	  1024 /* URLs that certificates named */
#define REVOCATION_SOURCE_MAX	  1024 /* bytes of a file name or URL */
/* Certificates that may stand beside the lists of one file, and bytes of each in DER. */
#define REVOCATION_CERTIFICATES_MAX	16
#define REVOCATION_CERTIFICATE_SIZE_MAX (32 * 1024)

enum { REVOCATION_E_MALFORMED = 1 };

/* ---- board: the reading side ---- */

struct revocation_board;

/*
 * Map and check the board behind @fd, which is taken over on success. 0, REVOCATION_E_MALFORMED or
 * -errno. Counted: every ref needs an unref; a board without any CRL is fine.
 */
int revocation_board_open(int fd, struct revocation_board **ret) _must_check_;
struct revocation_board *revocation_board_ref(struct revocation_board *board);
struct revocation_board *revocation_board_unref(struct revocation_board *board); /* NULL is fine */
int revocation_board_fd(const struct revocation_board *board); /* borrowed; pass to a worker */
/* Counts publications; 0 for NULL. */
uint64_t revocation_board_number(const struct revocation_board *board);

/*
 * What the board knows of @cert, whose issuer has @issuer_id: the newest list of that issuer that
 * was verified and whose scope holds the certificate. *ret_crl (may be NULL) is its index for
 * revocation_board_crl(), UINT32_MAX if there is none. No board (NULL) knows nothing.
 */
void revocation_board_lookup(const struct revocation_board *board,
			     const struct trust_certificate *cert,
			     const uint8_t issuer_id[static TRUST_ID_SIZE], struct trust_link *ret,
			     uint32_t *ret_crl);

/*
 * Fill the links of every path of @facts anew. The leaf's stapled response (facts->staple) wins
 * over a list when it tells of revocation, or is good and as fresh or fresher; but what a list
 * says is revoked for good stays so. Here alone lists count that another key of an issuer's name
 * signed, for which it takes the whole path.
 */
void revocation_facts_fill(const struct revocation_board *board, struct trust_facts *facts);

/*
 * The issuer certificate @der of a path that leads to an anchor: CRLs on the board that nobody has
 * verified yet and that bear its name are verified with its key now, and the answer kept with this
 * mapping of the board. For workers, whose peers bring intermediates that the store has not seen.
 */
int revocation_board_learn(struct revocation_board *board, const void *der,
			   size_t size) _must_check_;

/* One list, for people. Pointers are valid while the board is. */
enum revocation_crl_state {
	REVOCATION_CRL_VERIFIED,
	REVOCATION_CRL_NO_ISSUER, /* no certificate of its issuer has been met yet */
	REVOCATION_CRL_BAD_SIGNATURE,
	REVOCATION_CRL_UNSUPPORTED, /* delta, indirect, unknown critical extension... */
	_REVOCATION_CRL_STATE_MAX,
};

extern const char *const revocation_crl_state_names[];

struct revocation_crl_view {
	const char *source; /* file or URL */
	const char *issuer; /* RFC 4514 text */
	const char *number; /* cRLNumber in hex; "" if it has none */
	const char *detail; /* why it is unsupported; "" otherwise */
	enum revocation_crl_state state;
	int64_t this_update, next_update; /* next_update 0: it has none */
	uint64_t entries;
};

uint32_t revocation_board_crls(const struct revocation_board *board); /* 0 for NULL */
void revocation_board_crl(const struct revocation_board *board, uint32_t index,
			  struct revocation_crl_view *ret);

/* ---- store: the writing side ---- */

struct revocation_store;

int revocation_store_new(struct revocation_store **ret) _must_check_;
struct revocation_store *revocation_store_free(struct revocation_store *store); /* NULL is fine */

/* A certificate that may have signed CRLs: an anchor, or an intermediate of a verified path. */
int revocation_store_add_issuer(struct revocation_store *store, const void *der,
				size_t size) _must_check_;
/*
 * Forget all issuers, before the anchors of a new configuration are added. Those that came with
 * lists are added again, after them, when a list or a board is next asked for.
 */
void revocation_store_clear_issuers(struct revocation_store *store);

/*
 * All CRLs in @data (one in DER, or any number in PEM) in the place of what came from @source
 * before. In PEM certificates may stand beside or instead of them, as those of separate signers of
 * lists: they are issuers like any other, whose signatures must show for whom they may answer, and
 * they go at once when @source is dropped or gives others. So @source must be an administrator's
 * file; of what is fetched from a URL certificates are passed over. A list of the same issuer and
 * scope that is older than one the store has (by thisUpdate, then cRLNumber) does not replace it:
 * whoever can serve old lists must not bring back revoked certificates. 0, REVOCATION_E_MALFORMED
 * with one line in @why (what came before stays), or -errno.
 */
int revocation_store_put(struct revocation_store *store, const char *source, const void *data,
			 size_t size, struct text *why) _must_check_;
/* The source is gone, and what it gave. */
void revocation_store_drop(struct revocation_store *store, const char *source);

/* Seal what is known now into a new board; *ret_fd is the caller's. */
int revocation_store_publish(struct revocation_store *store, int *ret_fd) _must_check_;

/* ---- sources: where lists come from (files, folders, URLs) ---- */

struct loop;
struct revocation_sources;

enum revocation_source_kind {
	REVOCATION_SOURCE_PATH, /* a file or a folder, watched */
	REVOCATION_SOURCE_URL,	/* http: or https:, fetched before its nextUpdate */
	_REVOCATION_SOURCE_KIND_MAX,
};

struct revocation_source {
	enum revocation_source_kind kind;
	char *location;
};

/* How a source fares; for the log and `siptlsctl revocation`. */
struct revocation_source_event {
	const char *location;
	bool ok;
	const char *detail; /* !ok: why */
	int64_t next_s;	    /* seconds since 1970 of the next attempt; 0: none is planned */
	uint32_t failures;  /* one after the other, until now */
};

/* From inside these no source may be set or freed. */
struct revocation_sources_ops {
	/* The store has changed: publish. Called at most once a round of the loop. */
	void (*changed)(void *userdata);
	void (*event)(void *userdata, const struct revocation_source_event *event);
};

/*
 * @cache: a folder for what was fetched, so that a restart knows it at once; NULL: none. Fetching
 * goes on in the background: at most REVOCATION_CRL_SIZE_MAX bytes and 30 s each (10 s what was
 * learnt), what is configured before what was learnt, redirects only to http: and https:, failures
 * backing off from 30 s to one hour.
 */
int revocation_sources_new(struct loop *loop, struct revocation_store *store, const char *cache,
			   const struct revocation_sources_ops *ops, void *userdata,
			   struct revocation_sources **ret) _must_check_;
struct revocation_sources *revocation_sources_free(struct revocation_sources *sources);
/*
 * Exactly these, and what was learnt, from now on: what is new is read or fetched, what is gone is
 * dropped.
 */
int revocation_sources_set(struct revocation_sources *sources, const struct revocation_source *list,
			   size_t n) _must_check_;
/*
 * A distribution point of a verified certificate. At most REVOCATION_LEARNED_MAX are kept: when
 * there are more, one that gives nothing goes, and if all give something the new one.
 */
int revocation_sources_learn(struct revocation_sources *sources, const char *url) _must_check_;
/* Fetch and read everything now, whatever the timers say. */
void revocation_sources_refresh(struct revocation_sources *sources);

/* ---- stapled OCSP responses ---- */

/*
 * What the response @der says of the certificate @leaf issued by @issuer (both DER): signed by the
 * issuer itself or by a responder that the issuer certified for it (RFC 6960 4.2.2.2). A response
 * that does not hold, or tells of another certificate, leaves *ret UNKNOWN with one line in @why.
 */
int revocation_staple_check(const void *der, size_t size, const void *leaf, size_t leaf_size,
			    const void *issuer, size_t issuer_size, struct trust_link *ret,
			    struct text *why) _must_check_;
