/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A stapled response with the certificates it should be about: two bytes of length and the leaf,
 * two bytes of length and the issuer, the rest is the response.
 */

#include <siptls/revocation.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

struct part {
	const uint8_t *p;
	size_t size;
};

static struct part take(const uint8_t **data, size_t *size)
{
	struct part part = { *data, 0 };

	if (*size < 2)
		return part;
	part.p = *data + 2;
	part.size = (size_t)((*data)[0] << 8 | (*data)[1]);
	if (part.size > *size - 2)
		part.size = *size - 2;
	*data = part.p + part.size;
	*size -= 2 + part.size;
	return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part leaf = take(&data, &size), issuer = take(&data, &size);
	struct trust_link link;
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);

	demand(revocation_staple_check(data, size, leaf.p, leaf.size, issuer.p, issuer.size, &link,
				       &why) == 0);
	demand(link.status == TRUST_STATUS_GOOD || link.status == TRUST_STATUS_REVOKED ||
	       link.status == TRUST_STATUS_UNKNOWN);
	demand(link.ocsp == (link.status != TRUST_STATUS_UNKNOWN));
	demand((buf[0] == '\0') == link.ocsp);
	return 0;
}
