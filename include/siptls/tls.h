/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tls - one handshake in, facts and keys out; and the record pump of the user-space fallback.
 *
 * Called by worker processes (store, handshake, pump), relay (next traffic secret) and
 * siptlsctl's `verify` (chain facts of files). The only user of GnuTLS besides revocation. Logs
 * nothing and decides nothing but what trust_judge() tells it.
 *
 * TLS 1.3, and TLS 1.2 where asked; ECDHE with the AEAD ciphers of ktls; client certificate
 * required on mutual listeners; no tickets, resumption, early data, renegotiation or post-handshake
 * authentication; no CA list in the CertificateRequest (it would tell partners about one another).
 */

#include <siptls/base.h>
#include <siptls/conf.h>
#include <siptls/ktls.h>
#include <siptls/reason.h>
#include <siptls/revocation.h>
#include <siptls/secret.h>
#include <siptls/trust.h>

/* Once per process, before anything else of this module. */
int tls_global_init(void) _must_check_;

/* ---- store: identities and anchor sets of one snapshot, shared by all its handshakes ---- */

struct tls_store;

/*
 * Read every certificate, key and CA of @conf from @snapshot and check them: key belongs to the
 * certificate, anchors are CAs, nothing expired (a warning, not an error, for anchors and
 * identities). 0, CONF_E_INVALID with *reterr (file, and the line that names it), or -errno.
 * @conf must outlive the store.
 */
int tls_store_new(const struct conf *conf, const struct conf_snapshot *snapshot,
		  struct tls_store **ret, struct conf_error *reterr) _must_check_;
struct tls_store *tls_store_free(struct tls_store *store); /* NULL is fine */
/* Handshakes from now on look revocation up here. The store takes a ref; NULL: nothing is known. */
void tls_store_board(struct tls_store *store, struct revocation_board *board);

/*
 * The certificates of the store, for people and for the daemon's own checks: every anchor, then
 * every identity's chain. @facts holds that one certificate (and an identity leaf's names); both
 * are borrowed until @fn returns. An error from @fn ends the walk and is returned.
 */
struct tls_certificate_view {
	bool anchor;
	uint32_t index, place;
	const void *der;
	size_t der_size;
	const struct trust_facts *facts;
};
typedef int (*tls_certificate_fn)(void *userdata, const struct tls_certificate_view *view);
int tls_store_certificates(struct tls_store *store, tls_certificate_fn fn,
			   void *userdata) _must_check_;

/* ---- handshake ---- */

struct tls_job {
	bool dial;   /* we are the TLS client */
	bool mutual; /* a certificate of the peer is required and judged */
	bool tls12;  /* offer TLS 1.2 too */
	uint8_t kernel_ciphers[_KTLS_VERSION_MAX]; /* what the kernel takes: bit 1 << ktls_cipher */
	bool fallback;		/* user space may carry what the kernel does not take */
	uint32_t listener;	/* index; identities come from it when !dial */
	uint32_t identity;	/* index; when dial */
	uint32_t entry, member; /* whom we dial; TRUST_ENTRY_ANY when !dial */
};

enum {
	TLS_E_WANT_READ = 1,
	TLS_E_WANT_WRITE,
	TLS_E_REFUSED, /* over: tls_handshake_outcome() tells why; an alert has been sent if the
			  reason has one */
	TLS_E_EOF,     /* pump: the peer closed cleanly */
};

struct tls_handshake;

/* @fd is borrowed and must outlive the handshake; non-blocking. */
int tls_handshake_new(struct tls_store *store, const struct tls_job *job, int fd,
		      struct tls_handshake **ret) _must_check_;
struct tls_handshake *tls_handshake_free(struct tls_handshake *hs); /* NULL is fine; wipes */

/* 0: finished and accepted. TLS_E_WANT_*: call again when the socket is ready. TLS_E_REFUSED. */
int tls_handshake_step(struct tls_handshake *hs) _must_check_;

/* What came of it. All pointers are the handshake's, valid until it is freed. */
struct tls_outcome {
	enum reason reason;	/* REASON_OK: accepted */
	uint8_t alert_received; /* REASON_PEER_ALERT: its number; else ALERT_NONE */
	bool cached; /* the chain was verified before, under the same anchors; nothing else is kept:
			links and verdict are of now */
	const char *detail; /* one line for the operator: what exactly; "" if nothing */
	const struct trust_facts *facts; /* NULL before the peer's certificate was read */
	/* DER of the peer's certificates, in the facts' order; as many as facts->n_certs */
	const struct tls_der {
		const void *data;
		size_t size;
	} * ders;
	/* below: only with REASON_OK */
	enum ktls_version version;
	enum ktls_cipher cipher;
	const char *group; /* "X25519" */
	const char *sni;   /* server name asked for or sent; "" if none */
	uint32_t identity; /* which of ours was shown */
	bool kernel;	   /* keys are for the kernel; false: keep the handshake and pump */
};

void tls_handshake_outcome(struct tls_handshake *hs, struct tls_outcome *ret);

/*
 * Take the keys for the kernel (outcome.kernel only) and whatever the library had decrypted
 * already, which must reach the SIP server first. @early holds at least TLS_EARLY_MAX bytes.
 * After it the handshake can only be freed. 0, or TLS_E_REFUSED (library not drained: close).
 */
#define TLS_EARLY_MAX 16384
int tls_handshake_export(struct tls_handshake *hs, struct traffic_keys *ret_tx,
			 struct traffic_keys *ret_rx, uint8_t *early,
			 size_t *ret_early_len) _must_check_;

/* ---- pump: records in user space after a handshake with !outcome.kernel ---- */

/*
 * 0 with *ret_len, TLS_E_WANT_READ/WRITE, TLS_E_EOF, TLS_E_REFUSED (then tls_handshake_outcome()
 * tells why: REASON_PEER_TRUNCATED, _PEER_RESET, _PEER_ALERT, _RECORD_CORRUPT, ...). A write is
 * repeated with the same bytes after TLS_E_WANT_*, as GnuTLS demands.
 */
int tls_pump_read(struct tls_handshake *hs, void *buf, size_t size, size_t *ret_len) _must_check_;
int tls_pump_write(struct tls_handshake *hs, const void *buf, size_t len,
		   size_t *ret_len) _must_check_;
int tls_pump_close(struct tls_handshake *hs) _must_check_; /* send close_notify */

/* ---- key schedule ---- */

/*
 * The next generation after a KeyUpdate (RFC 8446 7.2, 7.3): secret, key and iv replaced in place,
 * sequence number 0.
 */
int tls_keys_update(enum ktls_cipher cipher, struct traffic_keys *keys) _must_check_;

const char *tls_alert_name(uint8_t alert); /* "unknown_ca"; never NULL */

/* ---- facts of files, for `siptlsctl verify` ---- */

/*
 * Facts of a chain in PEM (leaf first) against the anchor sets of @policy, whose files are read
 * from disk. With @store (may be NULL) the CRLs in it are verified by the chain's and the anchors'
 * certificates and fill the links. 0, CONF_E_INVALID with *reterr, or -errno.
 */
int tls_facts_from_files(const struct trust_policy *policy, const char *const *chain_files,
			 size_t n_chain_files, struct revocation_store *store,
			 struct trust_facts *ret, struct conf_error *reterr) _must_check_;
