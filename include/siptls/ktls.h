/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ktls - kernel TLS sockets: the upper-layer protocol, key install, records, key change, probe.
 *
 * Called by session (ULP, install), relay (records, key change) and kmod-tools (probe). Knows no
 * TLS library. The only module besides kmod-tools that includes <linux/tls.h>.
 *
 * The order that session keeps: ktls_ulp_set() right after accept/connect (from then on the only
 * ends are "both directions installed" and "closed": a socket with the ULP and without keys would
 * carry plaintext), handshake, verdict, ktls_install(). After a successful ktls_install() nothing
 * that can fail stands between the session and its relay.
 */

#include <siptls/base.h>
#include <siptls/secret.h>

enum ktls_cipher {
	KTLS_AES_128_GCM,
	KTLS_AES_256_GCM,
	KTLS_CHACHA20_POLY1305,
	_KTLS_CIPHER_MAX,
};

enum ktls_version { KTLS_TLS12, KTLS_TLS13, _KTLS_VERSION_MAX };

enum ktls_direction { KTLS_TX, KTLS_RX, _KTLS_DIRECTION_MAX };

/* One row per cipher; everything about it that anyone needs to know. */
struct ktls_cipher_info {
	const char *name;    /* "AES-256-GCM" */
	const char *suite13; /* "TLS_AES_256_GCM_SHA384" (RFC 8446 B.4) */
	uint16_t kernel_id;  /* TLS_CIPHER_* of <linux/tls.h> */
	uint8_t key_size;    /* bytes */
	uint8_t hash_size;   /* of the TLS 1.3 key schedule: 32 SHA-256, 48 SHA-384 */
};

const struct ktls_cipher_info *ktls_cipher_info(enum ktls_cipher cipher);
const char *ktls_version_name(enum ktls_version version); /* "TLS 1.3" */

/* Record content types, RFC 8446 5.1. */
enum {
	KTLS_RECORD_CCS = 20,
	KTLS_RECORD_ALERT = 21,
	KTLS_RECORD_HANDSHAKE = 22,
	KTLS_RECORD_DATA = 23
};

enum {
	KTLS_E_NO_ULP = 1,    /* the kernel has no "tls" protocol; the socket is untouched */
	KTLS_E_NOT_CONNECTED, /* the peer is gone already (the ULP wants ESTABLISHED) */
	KTLS_E_NO_CIPHER,     /* the kernel cannot do this cipher or version; nothing installed */
	KTLS_E_NO_REKEY,      /* the kernel cannot change keys (before Linux 6.14) */
	KTLS_E_AGAIN,	      /* would block */
	KTLS_E_EOF,	      /* end of the TCP stream */
	KTLS_E_RESET,	      /* connection reset or timed out */
	KTLS_E_CORRUPT,	      /* a record failed authentication or framing: sticky, fatal */
	KTLS_E_KEY_EXPIRED,   /* a KeyUpdate was read: install the next RX key first */
};

/* 0, KTLS_E_NO_ULP, KTLS_E_NOT_CONNECTED or -errno. */
int ktls_ulp_set(int fd) _must_check_;

/*
 * Install both directions and read them back. 0: the kernel owns the records.
 * KTLS_E_NO_CIPHER: nothing was installed; the ULP is set, so the only legal next call is close().
 * -errno: one direction may be installed; the only legal next call is close(). The caller keeps
 * and wipes @tx and @rx.
 */
int ktls_install(int fd, enum ktls_version version, enum ktls_cipher cipher,
		 const struct traffic_keys *tx, const struct traffic_keys *rx) _must_check_;

/*
 * Change the key of one direction (TLS 1.3). 0, KTLS_E_NO_REKEY or -errno. The caller has consumed
 * the peer's KeyUpdate (RX) or just sent its own (TX) and sends nothing in between.
 */
int ktls_rekey(int fd, enum ktls_direction direction, enum ktls_cipher cipher,
	       const struct traffic_keys *next) _must_check_;

/*
 * Read one run of records of one type: consecutive data records may be merged, types never are.
 * 0 with *ret_len and *ret_type, or KTLS_E_AGAIN, _EOF, _RESET, _CORRUPT, _KEY_EXPIRED, -errno.
 *
 * Read on until KTLS_E_AGAIN before waiting: while reading data the kernel may decrypt a KeyUpdate
 * behind it, and from then on poll reports nothing although the KeyUpdate is queued (seen on 7.2).
 */
int ktls_recv(int fd, void *buf, size_t size, size_t *ret_len, uint8_t *ret_type) _must_check_;

/* Send one record of a type other than data. 0, KTLS_E_AGAIN, KTLS_E_RESET or -errno. */
int ktls_send_control(int fd, uint8_t type, const void *buf, size_t len) _must_check_;

/* Number of the next record of @direction, as the kernel counts; 0 or -errno. */
int ktls_sequence(int fd, enum ktls_direction direction, uint64_t *ret) _must_check_;

/* What this kernel can do, found by trying on a loopback pair (never by its version number). */
struct ktls_support {
	bool ulp;
	bool rekey;
	uint8_t ciphers[_KTLS_VERSION_MAX]; /* bit 1 << enum ktls_cipher */
};

int ktls_probe(struct ktls_support *ret) _must_check_;

/*
 * The system calls this module makes on sockets, replaceable in unit tests so that the exact level,
 * option and bytes handed to the kernel can be asserted on a machine whose kernel has no TLS.
 */
struct ktls_kernel {
	int (*setsockopt)(int fd, int level, int name, const void *value, unsigned int len);
	int (*getsockopt)(int fd, int level, int name, void *value, unsigned int *len);
};

/* NULL: back to the real ones. For tests only; not thread safe. */
void ktls_kernel_replace(const struct ktls_kernel *kernel);
