/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The body of a peer's hello message, whatever kind it says it is (first byte), and its first
 * bytes. */

#include <tls/hello.h>
#include <tls/sniff.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char buf[320] = "";
	struct text text = TEXT_INIT(buf);

	if (size == 0)
		return 0;
	tls_hello_describe_client(data + 1, size - 1, &text);
	tls_hello_describe_server(data + 1, size - 1, &text);
	(void)tls_hello_offers(data + 1, size - 1, data[0]);
	if (tls_hello_record_limit(data[0], data + 1, size - 1) > UINT16_MAX)
		abort();
	if (strlen(buf) != text.len)
		abort();
	/* what is decided on a part of the bytes stays decided when more come */
	for (size_t n = 1, decided = 0; n <= size && n <= TLS_SNIFF_SIZE; n++) {
		enum tls_sniff_kind kind = tls_sniff_classify(data, n);

		if (decided && kind != (enum tls_sniff_kind)decided)
			abort();
		decided = kind;
	}
	return 0;
}
