/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SRV records (RFC 2782): from rdata to a struct, and the order in which to try them. */

#include <siptls/dns.h>

struct dns_srv {
	uint16_t priority, weight, port;
	uint32_t chance;	       /* of dns_srv_order() */
	char target[DNS_NAME_MAX + 1]; /* lower case, no final dot; "" is the root: no service */
};

/*
 * DNS_SRV_E_NAME: the record is well-formed, but its target holds other characters than letters,
 * digits, hyphens and dots; *ret is set, with the target escaped for people.
 */
enum { DNS_SRV_E_MALFORMED = 1, DNS_SRV_E_NAME };
int dns_srv_parse(const uint8_t *rdata, size_t size, struct dns_srv *ret) _must_check_;

/* Put the first @wanted records in the order to try them; what follows them is in no order. */
int dns_srv_order(struct dns_srv *records, size_t n, size_t wanted) _must_check_;
