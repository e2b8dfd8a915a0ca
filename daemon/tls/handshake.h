/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * handshake - what the files of one handshake share: life (handshake.c), the peer's certificate
 * and ours (peer.c), revocation and staples (staple.c), ends (refuse.c), records in user space
 * (pump.c).
 */

#include <gnutls/gnutls.h>
#include <siptls/tls.h>
#include <tls/sniff.h>
#include <tls/store.h>

#define TLS_HANDSHAKE_MESSAGE_MAX (128 * 1024) /* bytes of one message: a chain with its names */
#define TLS_PULLED_MAX		  (192 * 1024) /* bytes that may come to nothing: GnuTLS buffers them */
#define TLS_PULLS_MAX		  256	       /* reads in one step, before others get their turn */
#define TLS_WARNINGS_MAX	  4	       /* warning alerts taken in a row */
#define TLS_SNI_SIZE		  256	       /* a DNS name, terminator included */
#define TLS_DETAIL_SIZE		  1024
#define TLS_OFFER_SIZE		  320
#define TLS_STAPLE_WHY_SIZE	  160

enum tls_state {
	TLS_STATE_RUNNING,
	TLS_STATE_DONE,	    /* accepted; keys not yet taken, or pumping */
	TLS_STATE_EXPORTED, /* keys taken: only to be freed */
	TLS_STATE_REFUSED,
};

struct tls_handshake {
	struct tls_store *store;
	struct tls_job job;
	int fd;
	gnutls_session_t session; /* NULL: there is nothing to offer */
	enum tls_state state;
	struct tls_suites suites;
	struct tls_sniff sniff;
	int io_errno;	 /* of the last failed system call under GnuTLS */
	bool eof;	 /* the stream has ended */
	bool started;	 /* GnuTLS has been at work */
	bool received;	 /* and has read from the socket */
	bool asked;	 /* the peer has asked for our certificate */
	uint32_t pulls;	 /* reads of the socket in this step */
	uint32_t pulled; /* bytes of them since the handshake began, or since a pump last gave data
			  */
	uint8_t record_header[5]; /* of the last record read */
	uint8_t alert_in_clear;	  /* ALERT_NONE, or what came without encryption */
	bool hello;		  /* the peer's hello has been read */
	bool judged;		  /* the peer's certificate was judged and accepted */
	bool has_facts;
	bool cached; /* the facts come from the store's cache */
	struct trust_facts facts;
	struct tls_der ders[TRUST_CHAIN_MAX]; /* GnuTLS's, of the certificates in @facts */
	struct secret secrets[_KTLS_DIRECTION_MAX];
	enum reason reason;
	enum reason verdict; /* of the certificate, while GnuTLS unwinds; REASON_OK: none */
	uint8_t alert_received;
	size_t record_limit; /* plaintext of a record the peer takes; 0: full size */
	enum ktls_version version;
	enum ktls_cipher cipher;
	bool kernel;
	uint32_t identity;
	char sni[TLS_SNI_SIZE];
	char offer[TLS_OFFER_SIZE];	      /* what the peer's hello offers, for the operator */
	char staple_why[TLS_STAPLE_WHY_SIZE]; /* what is wrong with the peer's stapled response */
	char detail[TLS_DETAIL_SIZE];
};

static inline void tls_handshake_freep(struct tls_handshake **hs)
{
	*hs = tls_handshake_free(*hs);
}

/* handshake.c */
int tls_direction_want(const struct tls_handshake *hs); /* TLS_E_WANT_* after GNUTLS_E_AGAIN */

/* peer.c: GnuTLS calls these */
int tls_handshake_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			   gnutls_pcert_st **certs, unsigned int *n_certs,
			   gnutls_ocsp_data_st **ocsp, unsigned int *n_ocsp, gnutls_privkey_t *key,
			   unsigned int *flags);
int tls_handshake_verify(gnutls_session_t session);
void tls_handshake_read_sni(struct tls_handshake *hs);

/*
 * staple.c: what is known of the revocation of the peer's certificates, into its facts. 0 or
 * -errno.
 */
int tls_handshake_look_up(struct tls_handshake *hs) _must_check_;

/*
 * refuse.c: end it, once: reason, detail, alert. Both return TLS_E_REFUSED. What an error of GnuTLS
 * means depends on whether the handshake was still running.
 */
int tls_refuse(struct tls_handshake *hs, enum reason reason, const char *format, ...)
	_printf_(3, 4);
int tls_refuse_error(struct tls_handshake *hs, int gnutls_error);

/* io.c: the socket under GnuTLS */
void tls_io_attach(struct tls_handshake *hs);
/* Throw away what came in: closing with unread bytes is a reset, which overtakes our alert. */
void tls_io_drain(int fd);
