/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * hello - say what a peer's hello offers, for the operator who has to find out why it failed; and
 * find out whether the peer takes records of full size, which GnuTLS does not tell.
 */

#include <siptls/base.h>

/* @body: the message without its handshake header. A cut-off message gives no text. */
void tls_hello_describe_client(const uint8_t *body, size_t len, struct text *ret);
void tls_hello_describe_server(const uint8_t *body, size_t len, struct text *ret);

/*
 * Does this ClientHello offer one of @versions (1 << enum ktls_version)? True for a message that
 * cannot be read, which is left to GnuTLS to refuse.
 */
bool tls_hello_offers(const uint8_t *body, size_t len, uint8_t versions);

/*
 * The largest plaintext of a record that the peer takes (RFC 8449 4, RFC 6066 4), by the extensions
 * of its ClientHello, ServerHello or EncryptedExtensions. 0: it has not said.
 */
size_t tls_hello_record_limit(uint8_t message_type, const uint8_t *body, size_t len);

enum { /* RFC 8446 4 */
       TLS_HELLO_CLIENT = 1,
       TLS_HELLO_SERVER = 2,
       TLS_HELLO_ENCRYPTED_EXTENSIONS = 8,
};
