/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * presented - a look at a Certificate message before GnuTLS works on it. GnuTLS verifies the
 * peer's CertificateVerify before it asks us about the certificate, with whatever key that has: an
 * RSA modulus of 65536 bits would keep a process busy for minutes.
 */

#include <siptls/base.h>
#include <siptls/reason.h>

#define TLS_PRESENTED_DER_MAX (32 * 1024) /* one certificate: more than a thousand names */
#define TLS_PRESENTED_KEY_MAX 1100	  /* bytes of a public key: RSA of 8192 bits */

enum { TLS_PRESENTED_MESSAGE = 11 }; /* RFC 8446 4 */

/*
 * @body: the message without its header, in the form of TLS 1.3 (RFC 8446 4.4.2) or TLS 1.2.
 * REASON_OK also for a message that is cut off, which GnuTLS will refuse; else what to refuse it
 * for.
 */
enum reason tls_presented_check(const uint8_t *body, size_t len, bool tls13, struct text *why);
