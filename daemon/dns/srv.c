/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SRV records; see srv.h. Knows nothing of the resolver. */

#include "dns/srv.h"

#include <sys/random.h>

#define LABEL_MAX 63  /* RFC 1035 2.3.4 */
#define WIRE_MAX  255 /* bytes of a name, length bytes and the root's included */

static bool is_host_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/*
 * The name at @wire, which fills all of @size: SRV targets are not compressed (RFC 2782), so that
 * a label longer than LABEL_MAX is malformed, whatever its upper bits mean elsewhere.
 */
static int parse_name(const uint8_t *wire, size_t size, struct dns_srv *ret)
{
	struct text shown = TEXT_INIT(ret->target);
	char name[WIRE_MAX];
	size_t len = 0, at = 0;
	bool is_host = true;

	if (size > WIRE_MAX)
		return DNS_SRV_E_MALFORMED;
	while (at < size && wire[at] != 0) {
		size_t label = wire[at++];

		if (label > LABEL_MAX || label >= size - at)
			return DNS_SRV_E_MALFORMED;
		if (len > 0)
			name[len++] = '.';
		for (size_t i = 0; i < label; i++) {
			char c = (char)wire[at++];

			if (c >= 'A' && c <= 'Z')
				c = (char)(c - 'A' + 'a');
			is_host = is_host && is_host_character(c);
			name[len++] = c;
		}
	}
	if (size == 0 || at != size - 1)
		return DNS_SRV_E_MALFORMED;
	shown.buf[0] = '\0';
	text_add_foreign(&shown, name, len);
	return is_host ? 0 : DNS_SRV_E_NAME;
}

int dns_srv_parse(const uint8_t *rdata, size_t size, struct dns_srv *ret)
{
	struct dns_srv srv = {};
	int r;

	if (size < 6)
		return DNS_SRV_E_MALFORMED;
	srv.priority = (uint16_t)(rdata[0] << 8 | rdata[1]);
	srv.weight = (uint16_t)(rdata[2] << 8 | rdata[3]);
	srv.port = (uint16_t)(rdata[4] << 8 | rdata[5]);
	r = parse_name(rdata + 6, size - 6, &srv);
	if (r != DNS_SRV_E_MALFORMED)
		*ret = srv;
	return r;
}

/* By priority; those of weight 0 before the others; chance among equals. */
static int compare(const void *one, const void *other)
{
	const struct dns_srv *a = one, *b = other;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	if ((a->weight == 0) != (b->weight == 0))
		return a->weight == 0 ? -1 : 1;
	return a->chance < b->chance ? -1 : a->chance > b->chance;
}

static int random_bytes(void *ret, size_t size)
{
	ssize_t n = getrandom(ret, size, 0);

	return n < 0 ? -errno : (size_t)n == size ? 0 : -EIO;
}

/* RFC 2782, "Weight": which of the @n records of one priority is the next. */
static int choose(const struct dns_srv *records, size_t n, size_t *ret)
{
	uint64_t sum = 0, running = 0, chosen;
	size_t i = 0;
	int r;

	for (size_t k = 0; k < n; k++)
		sum += records[k].weight;
	/* The sum has at most 32 bits, so what the remainder prefers cannot be noticed. */
	r = random_bytes(&chosen, sizeof(chosen));
	if (r < 0)
		return r;
	chosen %= sum + 1;
	while (i < n - 1) {
		running += records[i].weight;
		if (running >= chosen)
			break;
		i++;
	}
	*ret = i;
	return 0;
}

int dns_srv_order(struct dns_srv *records, size_t n, size_t wanted)
{
	size_t end = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		r = random_bytes(&records[i].chance, sizeof(records[i].chance));
		if (r < 0)
			return r;
	}
	qsort(records, n, sizeof(*records), compare);
	for (size_t i = 0; i < n && i < wanted; i++) {
		struct dns_srv picked;
		size_t k;

		while (end < n && records[end].priority == records[i].priority)
			end++;
		r = choose(records + i, end - i, &k);
		if (r < 0)
			return r;
		picked = records[i + k];
		memmove(&records[i + 1], &records[i], k * sizeof(*records));
		records[i] = picked;
	}
	return 0;
}
