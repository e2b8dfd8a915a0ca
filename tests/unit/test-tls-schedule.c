/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Known answers for the step from one traffic secret to the next. The SHA-256 rows begin with the
 * client's application traffic secret of RFC 8448 3; the answers come from an independent
 * implementation that gives the key and iv which that RFC prints.
 */

#include <setjmp.h>
#include <siptls/tls.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
	enum ktls_cipher cipher;
	const char *secret, *next, *key, *iv;
} rows[] = {
	{ KTLS_AES_128_GCM, "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
	  "fcdfcc72725aaee48bf64e4fd8b749cdbdbab39d90da0b26e2245ca6ea167207",
	  "3879d82f5f14056e623f2ce5bfc66fce", "5dfb2c5938c3379b6cc5d1f2" },
	{ KTLS_CHACHA20_POLY1305,
	  "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
	  "fcdfcc72725aaee48bf64e4fd8b749cdbdbab39d90da0b26e2245ca6ea167207",
	  "e94818cd08e6071fae4cf6b04d62e583b7a04ea41aebd72044aa5f1f11919816",
	  "5dfb2c5938c3379b6cc5d1f2" },
	{ KTLS_AES_256_GCM,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
	  "28292a2b2c2d2e2f",
	  "401331b63e9d59f202e8f041042d9516f4cd7fa2e2ee14631d3b49fc340d7af37fc2c0c9f252d803"
	  "6f81ec5b85cbe5db",
	  "eb354f3b48924ed78de34dd8aa6a6a0a51d857ddad1454d5cfa7b69f60712911",
	  "8478ffbe4f2e5450789775b3" },
};

static size_t unhex(const char *hex, uint8_t *ret)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned int byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		ret[i] = (uint8_t)byte;
	}
	return n;
}

static void test_known_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct traffic_keys keys = { .seq = 77 };
		uint8_t expected[64];
		size_t n;

		memset(keys.key, 0xee, sizeof(keys.key));
		keys.secret.len = (uint8_t)unhex(rows[i].secret, keys.secret.bytes);
		assert_int_equal(tls_keys_update(rows[i].cipher, &keys), 0);
		n = unhex(rows[i].next, expected);
		assert_int_equal(keys.secret.len, n);
		assert_memory_equal(keys.secret.bytes, expected, n);
		n = unhex(rows[i].key, expected);
		assert_memory_equal(keys.key, expected, n);
		for (; n < sizeof(keys.key); n++)
			assert_int_equal(keys.key[n], 0);
		assert_memory_equal(keys.iv, expected, unhex(rows[i].iv, expected));
		assert_int_equal(keys.seq, 0);
	}
}

/* TLS 1.2 has no traffic secret; another cipher's secret is no secret of this one. */
static void test_wrong_secret(void **state)
{
	struct traffic_keys keys = { .seq = 5 };

	(void)state;
	assert_int_equal(tls_keys_update(KTLS_AES_128_GCM, &keys), -EINVAL);
	keys.secret.len = 32;
	assert_int_equal(tls_keys_update(KTLS_AES_256_GCM, &keys), -EINVAL);
	assert_int_equal(keys.seq, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_wrong_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
