/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Records that are not data, as a kernel-TLS socket delivers them: alerts (RFC 8446 6), session
 * tickets (4.6.1) and key updates (4.6.3). Anything else after the handshake ends the session.
 */

#include <siptls/tls.h>

#include "link.h"

enum { ALERT_CLOSE_NOTIFY = 0, ALERT_USER_CANCELED = 90, ALERT_NO_RENEGOTIATION = 100 };
enum { MESSAGE_HELLO_REQUEST = 0, MESSAGE_NEW_SESSION_TICKET = 4, MESSAGE_KEY_UPDATE = 24 };
enum { LEVEL_WARNING = 1 };

/*
 * GnuTLS allows eight key updates a second; honest peers send one in hours. Twice that tells a
 * flood from a test.
 */
#define KEY_UPDATES_PER_SECOND 16

static enum reason alert_handle(struct relay_link *link, const uint8_t *data, size_t len,
				uint8_t *ret_alert)
{
	if (len != 2)
		return REASON_RECORD_UNEXPECTED;
	if (data[1] == ALERT_CLOSE_NOTIFY) {
		link->flow[RELAY_PEER].ended = true;
		return REASON_OK;
	}
	/* TLS 1.3 knows no warnings but these (RFC 8446 6.1); TLS 1.2 peers may decline to
	 * renegotiate. */
	if (data[1] == ALERT_USER_CANCELED ||
	    (link->version == KTLS_TLS12 && data[0] == LEVEL_WARNING &&
	     data[1] == ALERT_NO_RENEGOTIATION))
		return REASON_OK;
	*ret_alert = data[1];
	return REASON_PEER_ALERT;
}

static bool key_update_flood(struct relay_link *link)
{
	uint64_t now = time_monotonic_ms();

	if (now - link->key_update_window_ms >= 1000) {
		link->key_update_window_ms = now;
		link->key_updates_in_window = 0;
	}
	return ++link->key_updates_in_window > KEY_UPDATES_PER_SECOND;
}

/* The next key of one direction: derived from its secret alone, given to the kernel, secret
 * replaced. */
static enum reason key_change(struct relay_link *link, enum ktls_direction direction,
			      struct secret *secret)
{
	_cleanup_traffic_keys_ struct traffic_keys keys = { .secret = *secret };
	int r;

	r = tls_keys_update(link->cipher, &keys);
	if (r < 0)
		return REASON_INTERNAL;
	r = ktls_rekey(link->end[RELAY_PEER].fd, direction, link->cipher, &keys);
	if (r == KTLS_E_NO_REKEY)
		return REASON_KEY_UPDATE_UNSUPPORTED;
	if (r < 0)
		return REASON_KERNEL_INSTALL;
	*secret = keys.secret;
	return REASON_OK;
}

enum reason relay_key_update_send(struct relay_link *link)
{
	static const uint8_t update_not_requested[] = { MESSAGE_KEY_UPDATE, 0, 0, 1, 0 };
	int r;

	r = ktls_send_control(link->end[RELAY_PEER].fd, KTLS_RECORD_HANDSHAKE, update_not_requested,
			      sizeof(update_not_requested));
	if (r == KTLS_E_AGAIN)
		return REASON_OK;
	if (r != 0)
		return REASON_PEER_RESET;
	/* From here to the new key nothing may be sent: this thread is the socket's only writer. */
	link->key_update_owed = false;
	link->counters.key_updates_out++;
	return key_change(link, KTLS_TX, &link->tx);
}

static enum reason key_update_handle(struct relay_link *link, uint8_t requested)
{
	enum reason reason;

	if (requested > 1)
		return REASON_RECORD_UNEXPECTED;
	if (key_update_flood(link))
		return REASON_KEY_UPDATE_FLOOD;
	if (!link->rekey)
		return REASON_KEY_UPDATE_UNSUPPORTED;
	reason = key_change(link, KTLS_RX, &link->rx);
	if (reason != REASON_OK)
		return reason;
	link->counters.key_updates_in++;
	/* After our close_notify nothing of ours may follow (RFC 8446 6.1). */
	if (!requested || link->flow[RELAY_BACKEND].forwarded)
		return REASON_OK;
	link->key_update_owed = true;
	return relay_key_update_send(link);
}

/* The header of a message is complete: may this message come here at all? */
static enum reason message_begin(struct relay_link *link, uint8_t type, uint32_t size)
{
	if (link->version == KTLS_TLS12) {
		/* Declining by silence is allowed (RFC 5246 7.4.1.1). */
		return type == MESSAGE_HELLO_REQUEST && size == 0 && link->dialled
			       ? REASON_OK
			       : REASON_RECORD_UNEXPECTED;
	}
	if (type == MESSAGE_NEW_SESSION_TICKET && link->dialled) {
		link->counters.tickets++;
		return REASON_OK;
	}
	if (type == MESSAGE_KEY_UPDATE && size == 1)
		return REASON_OK;
	return REASON_RECORD_UNEXPECTED;
}

static enum reason handshake_handle(struct relay_link *link, const uint8_t *data, size_t len)
{
	struct relay_messages *m = &link->messages;

	while (len > 0) {
		if (m->skip > 0) {
			size_t n = m->skip < len ? m->skip : len;

			m->skip -= (uint32_t)n;
			/* A key change ends its record (RFC 8446 5.1): what follows has the new
			 * key. */
			if (m->header[0] == MESSAGE_KEY_UPDATE)
				return n == len ? key_update_handle(link, data[0])
						: REASON_RECORD_UNEXPECTED;
			data += n;
			len -= n;
			continue;
		}
		m->header[m->have++] = *data++;
		len--;
		if (m->have == sizeof(m->header)) {
			uint32_t size = (uint32_t)m->header[1] << 16 | (uint32_t)m->header[2] << 8 |
					m->header[3];
			enum reason reason = message_begin(link, m->header[0], size);

			if (reason != REASON_OK)
				return reason;
			m->have = 0;
			m->skip = size;
		}
	}
	return REASON_OK;
}

enum reason relay_record_handle(struct relay_link *link, uint8_t type, const uint8_t *data,
				size_t len, uint8_t *ret_alert)
{
	switch (type) {
	case KTLS_RECORD_ALERT:
		return alert_handle(link, data, len, ret_alert);
	case KTLS_RECORD_HANDSHAKE:
		return handshake_handle(link, data, len);
	default:
		return REASON_RECORD_UNEXPECTED;
	}
}
