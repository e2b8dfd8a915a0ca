/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ends of handshakes and pumps: every GnuTLS error becomes one reason, one detail, one alert. */

#include <stdarg.h>
#include <stdio.h>
#include <tls/handshake.h>

static const struct {
	int error;
	enum reason handshake, pump;
} errors[] = {
	{ GNUTLS_E_UNSUPPORTED_VERSION_PACKET, REASON_TLS_VERSION, REASON_RECORD_CORRUPT },
	{ GNUTLS_E_INAPPROPRIATE_FALLBACK, REASON_TLS_VERSION, REASON_RECORD_UNEXPECTED },
	{ GNUTLS_E_NO_CIPHER_SUITES, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_NO_COMMON_KEY_SHARE, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_INSUFFICIENT_SECURITY, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_INSUFFICIENT_CREDENTIALS, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_ECC_NO_SUPPORTED_CURVES, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_ECC_UNSUPPORTED_CURVE, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_NO_COMPRESSION_ALGORITHMS, REASON_TLS_CIPHER, REASON_INTERNAL },
	{ GNUTLS_E_FATAL_ALERT_RECEIVED, REASON_PEER_ALERT, REASON_PEER_ALERT },
	{ GNUTLS_E_PREMATURE_TERMINATION, REASON_PEER_CLOSED, REASON_PEER_TRUNCATED },
	{ GNUTLS_E_SESSION_EOF, REASON_PEER_CLOSED, REASON_PEER_TRUNCATED },
	{ GNUTLS_E_PULL_ERROR, REASON_PEER_RESET, REASON_PEER_RESET },
	{ GNUTLS_E_PUSH_ERROR, REASON_PEER_RESET, REASON_PEER_RESET },
	{ GNUTLS_E_NO_CERTIFICATE_FOUND, REASON_NO_CERTIFICATE, REASON_RECORD_UNEXPECTED },
	{ GNUTLS_E_CERTIFICATE_REQUIRED, REASON_NO_CERTIFICATE, REASON_RECORD_UNEXPECTED },
	{ GNUTLS_E_HANDSHAKE_TOO_LARGE, REASON_CERTIFICATE_TOO_LARGE, REASON_RECORD_UNEXPECTED },
	{ GNUTLS_E_KEY_USAGE_VIOLATION, REASON_KEY_USAGE, REASON_INTERNAL },
	{ GNUTLS_E_CERTIFICATE_ERROR, REASON_CERTIFICATE_MALFORMED, REASON_INTERNAL },
	{ GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE, REASON_CERTIFICATE_MALFORMED, REASON_INTERNAL },
	{ GNUTLS_E_X509_DUPLICATE_EXTENSION, REASON_CERTIFICATE_MALFORMED, REASON_INTERNAL },
	{ GNUTLS_E_X509_UNSUPPORTED_EXTENSION, REASON_CERTIFICATE_MALFORMED, REASON_INTERNAL },
	{ GNUTLS_E_UNKNOWN_PK_ALGORITHM, REASON_CERTIFICATE_MALFORMED, REASON_INTERNAL },
	{ GNUTLS_E_PK_INVALID_PUBKEY, REASON_CERTIFICATE_MALFORMED, REASON_INTERNAL },
	{ GNUTLS_E_PK_INVALID_PUBKEY_PARAMS, REASON_CERTIFICATE_MALFORMED, REASON_INTERNAL },
	{ GNUTLS_E_MEMORY_ERROR, REASON_RESOURCES, REASON_RESOURCES },
	{ GNUTLS_E_INTERNAL_ERROR, REASON_INTERNAL, REASON_INTERNAL },
	{ GNUTLS_E_INVALID_REQUEST, REASON_INTERNAL, REASON_INTERNAL },
	{ GNUTLS_E_RANDOM_FAILED, REASON_INTERNAL, REASON_INTERNAL },
	{ GNUTLS_E_LIB_IN_ERROR_STATE, REASON_INTERNAL, REASON_INTERNAL },
	{ GNUTLS_E_PK_SIGN_FAILED, REASON_INTERNAL, REASON_INTERNAL },
	{ GNUTLS_E_ENCRYPTION_FAILED, REASON_INTERNAL, REASON_INTERNAL },
	{ GNUTLS_E_HASH_FAILED, REASON_INTERNAL, REASON_INTERNAL },
	{ GNUTLS_E_DECRYPTION_FAILED, REASON_TLS_PROTOCOL, REASON_RECORD_CORRUPT },
	{ GNUTLS_E_RECORD_OVERFLOW, REASON_TLS_PROTOCOL, REASON_RECORD_CORRUPT },
	{ GNUTLS_E_UNEXPECTED_PACKET_LENGTH, REASON_TLS_PROTOCOL, REASON_RECORD_CORRUPT },
	{ GNUTLS_E_RECORD_LIMIT_REACHED, REASON_TLS_PROTOCOL, REASON_RECORD_CORRUPT },
	{ GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS, REASON_TLS_PROTOCOL, REASON_KEY_UPDATE_FLOOD },
};

/* Errors of libtasn1 come from nothing but certificates. */
static bool is_asn1_error(int error)
{
	return (error <= GNUTLS_E_ASN1_ELEMENT_NOT_FOUND && error >= GNUTLS_E_ASN1_DER_OVERFLOW) ||
	       error == GNUTLS_E_ASN1_TIME_ERROR || error == GNUTLS_E_ASN1_EMBEDDED_NULL_IN_STRING;
}

static bool is_connection_errno(int error)
{
	static const int lost[] = { ECONNRESET,	  EPIPE,    ETIMEDOUT, EHOSTUNREACH,
				    ENETUNREACH,  ENETDOWN, EHOSTDOWN, ECONNABORTED,
				    ECONNREFUSED, ENOTCONN, EPROTO };

	for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
		if (lost[i] == error)
			return true;
	}
	return false;
}

static enum reason table_reason(const struct tls_handshake *hs, int error)
{
	bool pump = hs->state == TLS_STATE_DONE;

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].error == error)
			return pump ? errors[i].pump : errors[i].handshake;
	}
	if (pump)
		return REASON_RECORD_UNEXPECTED;
	return is_asn1_error(error) ? REASON_CERTIFICATE_MALFORMED : REASON_TLS_PROTOCOL;
}

static enum reason error_reason(const struct tls_handshake *hs, int error)
{
	enum reason reason = table_reason(hs, error);

	if (error == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR && hs->verdict != REASON_OK)
		return hs->verdict;
	if (hs->state == TLS_STATE_RUNNING && hs->alert_in_clear != ALERT_NONE &&
	    error == GNUTLS_E_DECRYPTION_FAILED)
		return REASON_PEER_ALERT;
	if (hs->io_errno != 0 && is_connection_errno(hs->io_errno))
		return REASON_PEER_RESET;
	if (hs->io_errno != 0)
		return REASON_INTERNAL;
	/* GnuTLS has several errors for a stream that ends in the middle. */
	if (hs->eof && hs->verdict == REASON_OK && reason != REASON_PEER_ALERT)
		return hs->state == TLS_STATE_DONE ? REASON_PEER_TRUNCATED : REASON_PEER_CLOSED;
	/* Without a hello these speak of garbage, not of versions or certificates. */
	if (!hs->hello && (reason == REASON_TLS_VERSION || reason == REASON_CERTIFICATE_TOO_LARGE))
		return REASON_TLS_PROTOCOL;
	return reason;
}

/*
 * The reason's alert, but for two cases: RFC 8446 6.2 knows certificate_required, TLS 1.2 does not;
 * and where the peer broke the protocol GnuTLS knows which alert each breach wants.
 */
static uint8_t choose_alert(const struct tls_handshake *hs, int error)
{
	int level;

	if (hs->reason == REASON_NO_CERTIFICATE &&
	    gnutls_protocol_get_version(hs->session) != GNUTLS_TLS1_3)
		return GNUTLS_A_HANDSHAKE_FAILURE;
	if (hs->reason == REASON_TLS_PROTOCOL && error < 0)
		return (uint8_t)gnutls_error_to_alert(error, &level);
	return reason_info(hs->reason)->alert;
}

static int refuse(struct tls_handshake *hs, enum reason reason, int error)
{
	uint8_t alert;

	if (hs->state == TLS_STATE_REFUSED)
		return TLS_E_REFUSED;
	hs->reason = reason;
	hs->state = TLS_STATE_REFUSED;
	for (size_t i = 0; i < ARRAY_SIZE(hs->secrets); i++)
		secret_wipe(&hs->secrets[i]);
	if (!hs->session)
		return TLS_E_REFUSED;
	alert = choose_alert(hs, error);
	if (alert != ALERT_NONE) {
		(void)gnutls_alert_send(hs->session, GNUTLS_AL_FATAL,
					(gnutls_alert_description_t)alert);
		tls_io_drain(hs->fd);
	}
	return TLS_E_REFUSED;
}

int tls_refuse(struct tls_handshake *hs, enum reason reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(hs->detail, sizeof(hs->detail), format, args);
	va_end(args);
	return refuse(hs, reason, 0);
}

int tls_refuse_error(struct tls_handshake *hs, int gnutls_error)
{
	enum reason reason = error_reason(hs, gnutls_error);
	struct text detail = TEXT_INIT(hs->detail);

	if (gnutls_error == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR && hs->verdict != REASON_OK)
		return refuse(hs, reason, 0); /* the verdict has left its own detail */
	hs->detail[0] = '\0';
	if (reason == REASON_PEER_ALERT) {
		hs->alert_received = gnutls_error == GNUTLS_E_DECRYPTION_FAILED
					     ? hs->alert_in_clear
					     : (uint8_t)gnutls_alert_get(hs->session);
		text_addf(&detail, "the peer sent alert %s (%u)",
			  tls_alert_name(hs->alert_received), hs->alert_received);
	} else if (hs->io_errno != 0) {
		text_addf(&detail, "%s", strerror(hs->io_errno));
	} else {
		text_addf(&detail, "%s", gnutls_strerror(gnutls_error));
		if (detail.len > 0 && hs->detail[detail.len - 1] == '.')
			hs->detail[--detail.len] = '\0'; /* something may follow */
	}
	if ((reason == REASON_TLS_VERSION || reason == REASON_TLS_CIPHER) && hs->offer[0])
		text_addf(&detail, "; %s", hs->offer);
	return refuse(hs, reason, gnutls_error);
}
