/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Look at the first byte without taking it; if it cannot begin TLS, take what comes: GnuTLS will
 * never want it, and bytes left in the socket would keep a level-triggered poller awake.
 */

#include <strings.h>
#include <sys/socket.h>
#include <tls/sniff.h>

/* As far as there are bytes to compare. */
static bool begins(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	return memcmp(text, word, len < n ? len : n) == 0;
}

static bool begins_any_case(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(text, word, len < n ? len : n) == 0;
}

/* After "METHOD ": the URI schemes of RFC 3261 19.1 and RFC 3966. */
static enum tls_sniff_kind classify_uri(const char *text, size_t len)
{
	static const char *const schemes[] = { "sip:", "sips:", "tel:" };
	enum tls_sniff_kind kind = TLS_SNIFF_OTHER;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (!begins_any_case(text, len, schemes[i]))
			continue;
		if (len >= strlen(schemes[i]))
			return TLS_SNIFF_SIP;
		kind = TLS_SNIFF_UNDECIDED;
	}
	return kind;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

enum tls_sniff_kind tls_sniff_classify(const uint8_t *bytes, size_t len)
{
	static const char status[] = "SIP/2.0", keepalive[] = "\r\n";
	const char *text = (const char *)bytes;
	size_t method = 0;

	if (len == 0)
		return TLS_SNIFF_UNDECIDED;
	if (begins(text, len, keepalive))
		return len >= strlen(keepalive) ? TLS_SNIFF_SIP : TLS_SNIFF_UNDECIDED;
	if (len >= 4 && begins(text, len, status))
		return len >= strlen(status) ? TLS_SNIFF_SIP : TLS_SNIFF_UNDECIDED;
	while (method < len && is_upper(text[method]))
		method++;
	if (method == len)
		return len < TLS_SNIFF_SIZE ? TLS_SNIFF_UNDECIDED : TLS_SNIFF_OTHER;
	if (method == 0 || text[method] != ' ')
		return TLS_SNIFF_OTHER;
	return classify_uri(text + method + 1, len - method - 1);
}

static bool begins_record(uint8_t byte, bool dialled)
{
	return byte == KTLS_RECORD_HANDSHAKE || (dialled && byte == KTLS_RECORD_ALERT);
}

/* The rest of something that is no TLS, until it is known what it is. */
static int take(struct tls_sniff *sniff, int fd, enum reason *ret)
{
	enum tls_sniff_kind kind;
	ssize_t n = 0;

	n = recv(fd, sniff->bytes + sniff->len, sizeof(sniff->bytes) - sniff->len, MSG_DONTWAIT);
	if (n > 0)
		sniff->len = (uint8_t)(sniff->len + n);
	kind = tls_sniff_classify(sniff->bytes, sniff->len);
	if (kind == TLS_SNIFF_UNDECIDED && n != 0 && sniff->len < sizeof(sniff->bytes))
		return TLS_E_WANT_READ; /* errors come back with the next look */
	*ret = kind == TLS_SNIFF_SIP ? REASON_PLAIN_SIP : REASON_NOT_TLS;
	return TLS_E_REFUSED;
}

int tls_sniff_step(struct tls_sniff *sniff, int fd, bool dialled, enum reason *ret, int *ret_errno)
{
	uint8_t first;
	ssize_t n;

	if (sniff->done)
		return 0;
	n = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return TLS_E_WANT_READ;
	if (n < 0) {
		*ret_errno = errno;
		*ret = REASON_PEER_RESET;
		return TLS_E_REFUSED;
	}
	if (n == 0 && sniff->len == 0) {
		*ret = REASON_PEER_CLOSED;
		return TLS_E_REFUSED;
	}
	if (n > 0 && sniff->len == 0 && begins_record(first, dialled)) {
		sniff->done = true;
		return 0;
	}
	return take(sniff, fd, ret);
}
