/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SRV rdata of any bytes, and a set of records cut from them in the order of RFC 2782. The seeds
 * are written by `test-dns-srv DIRECTORY`.
 */

#include <dns/srv.h>

#define RECORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Only what a host name may hold, dots not at its ends and not one after the other. */
static void check_host(const char *name)
{
	size_t len = strlen(name);

	if (len > DNS_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len ||
	    strstr(name, "..") || (len > 0 && (name[0] == '.' || name[len - 1] == '.')))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_srv records[RECORDS_MAX];
	size_t n = 0;
	struct dns_srv srv;
	int r = dns_srv_parse(data, size, &srv);

	if (r == 0)
		check_host(srv.target);
	/* the shown name of a refused one is printable */
	for (const char *c = srv.target; r == DNS_SRV_E_NAME && *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			abort();

	for (size_t at = 0; at + 4 <= size && n < RECORDS_MAX; at += 4, n++)
		records[n] = (struct dns_srv){
			.priority = (uint16_t)(data[at] << 8 | data[at + 1]),
			.weight = (uint16_t)(data[at + 2] << 8 | data[at + 3]),
		};
	if (dns_srv_order(records, n, RECORDS_MAX) != 0)
		abort();
	for (size_t i = 1; i < n; i++)
		if (records[i - 1].priority > records[i].priority)
			abort();
	return 0;
}
