/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Chains that were verified before: which are kept, for how long, and that what comes back is what
 * was put there and nobody else's. */

#include <tls/chain-cache.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct tls_chain_cache cache;

static int setup(void **state _unused_)
{
	tls_chain_cache_init(&cache);
	return 0;
}

static int teardown(void **state _unused_)
{
	tls_chain_cache_clear(&cache);
	return 0;
}

static char *copy(const char *text)
{
	char *s = strdup(text);

	assert_non_null(s);
	return s;
}

/* One of everything that is allocated; @mark tells it from others. */
static struct trust_facts facts_make(uint8_t mark, enum trust_chain outcome)
{
	struct trust_facts f = {
		.certs = calloc(2, sizeof(*f.certs)),
		.n_certs = 2,
		.names = calloc(2, sizeof(*f.names)),
		.n_names = 2,
		.has_san = true,
		.paths = calloc(2, sizeof(*f.paths)),
		.n_paths = 2,
	};

	assert_true(f.certs && f.names && f.paths);
	for (size_t i = 0; i < 2; i++) {
		f.certs[i].subject = copy("CN=x");
		f.certs[i].issuer = copy("CN=y");
		f.certs[i].serial = copy("0A");
		f.certs[i].fingerprint[0] = mark;
	}
	f.certs[1].crl_urls[0] = copy("http://a.example/1.crl");
	f.certs[1].crl_urls[1] = copy("http://a.example/2.crl");
	f.certs[1].n_crl_urls = 2;
	f.names[0] = (struct trust_name){ .type = TRUST_NAME_DNS, .len = 3, .value = malloc(4) };
	memcpy(f.names[0].value, "a\0b", 4);
	f.names[1] = (struct trust_name){ .type = TRUST_NAME_CN, .value = copy("") };
	f.paths[0].outcome = TRUST_CHAIN_UNKNOWN_CA;
	f.paths[1].outcome = outcome;
	f.paths[1].anchor_subject = copy("CN=root");
	f.paths[1].certs[1] = 1;
	f.paths[1].n_certs = 2;
	return f;
}

static void key_make(uint32_t number, uint8_t ret[TLS_CHAIN_KEY_SIZE])
{
	memset(ret, 0, TLS_CHAIN_KEY_SIZE);
	memcpy(ret, &number, sizeof(number));
}

static void put(uint32_t number, uint8_t mark, enum trust_chain outcome)
{
	uint8_t key[TLS_CHAIN_KEY_SIZE];
	struct trust_facts f = facts_make(mark, outcome);

	key_make(number, key);
	tls_chain_cache_put(&cache, key, &f);
	trust_facts_done(&f);
}

static bool has(uint32_t number, uint8_t mark)
{
	uint8_t key[TLS_CHAIN_KEY_SIZE];
	struct trust_facts f = {};
	int r;

	key_make(number, key);
	r = tls_chain_cache_get(&cache, key, &f);
	assert_true(r == 0 || r == TLS_CHAIN_CACHE_E_MISS);
	if (r == 0)
		assert_int_equal(f.certs[0].fingerprint[0], mark);
	trust_facts_done(&f);
	return r == 0;
}

/* The original and the cache are gone by the time the copy is read (for sanitizers). */
static void test_copies(void **state _unused_)
{
	uint8_t key[TLS_CHAIN_KEY_SIZE];
	struct trust_facts f;

	put(1, 7, TRUST_CHAIN_OK);
	key_make(1, key);
	assert_int_equal(tls_chain_cache_get(&cache, key, &f), 0);
	tls_chain_cache_clear(&cache);
	assert_int_equal(f.n_certs, 2);
	assert_string_equal(f.certs[1].subject, "CN=x");
	assert_string_equal(f.certs[1].issuer, "CN=y");
	assert_string_equal(f.certs[1].serial, "0A");
	assert_int_equal(f.certs[1].n_crl_urls, 2);
	assert_string_equal(f.certs[1].crl_urls[1], "http://a.example/2.crl");
	assert_null(f.certs[1].crl_urls[2]);
	assert_int_equal(f.n_names, 2);
	assert_memory_equal(f.names[0].value, "a\0b", 4);
	assert_int_equal(f.names[1].type, TRUST_NAME_CN);
	assert_string_equal(f.names[1].value, "");
	assert_true(f.has_san);
	assert_int_equal(f.n_paths, 2);
	assert_null(f.paths[0].anchor_subject);
	assert_string_equal(f.paths[1].anchor_subject, "CN=root");
	assert_int_equal(f.paths[1].certs[1], 1);
	trust_facts_done(&f);
	assert_false(has(1, 7));
}

static void test_only_what_holds(void **state _unused_)
{
	put(1, 1, TRUST_CHAIN_UNKNOWN_CA);
	put(2, 2, TRUST_CHAIN_BAD_SIGNATURE);
	put(3, 3, TRUST_CHAIN_CONSTRAINT);
	put(4, 4, TRUST_CHAIN_OK);
	assert_false(has(1, 1) || has(2, 2) || has(3, 3));
	assert_true(has(4, 4));
	assert_int_equal(cache.n, 1);
}

static void test_least_recently_used(void **state _unused_)
{
	for (uint32_t i = 0; i < TLS_CHAIN_CACHE_MAX; i++)
		put(i, (uint8_t)i, TRUST_CHAIN_OK);
	assert_true(has(0, 0)); /* and is the youngest now */
	put(1000, 9, TRUST_CHAIN_OK);
	assert_int_equal(cache.n, TLS_CHAIN_CACHE_MAX);
	assert_true(has(0, 0));
	assert_false(has(1, 1));
	assert_true(has(2, 2));
	assert_true(has(1000, 9));
	for (uint32_t i = 2000; i < 2000 + TLS_CHAIN_CACHE_MAX; i++)
		put(i, 5, TRUST_CHAIN_OK);
	assert_false(has(0, 0) || has(2, 2) || has(1000, 9));
	assert_true(has(2000, 5));
	assert_int_equal(cache.n, TLS_CHAIN_CACHE_MAX);
}

/* Every part of what was presented tells, and where one part ends. */
static void test_keys(void **state _unused_)
{
	static unsigned char ab[] = "ab", a[] = "a", b[] = "b", abc[] = "abc", bc[] = "bc";
	const gnutls_datum_t chains[][2] = {
		{ { a, 1 }, { b, 1 } },	 { { b, 1 }, { a, 1 } },  { { ab, 2 }, { a, 0 } },
		{ { a, 0 }, { ab, 2 } }, { { a, 1 }, { bc, 2 } }, { { ab, 2 }, { abc + 2, 1 } },
	};
	uint8_t keys[ARRAY_SIZE(chains) + 3][TLS_CHAIN_KEY_SIZE], again[TLS_CHAIN_KEY_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		assert_int_equal(tls_chain_key(chains[i], 2, TRUST_ENTRY_ANY, keys[n++]), 0);
	assert_int_equal(tls_chain_key(chains[0], 1, TRUST_ENTRY_ANY, keys[n++]), 0);
	assert_int_equal(tls_chain_key(chains[0], 2, 0, keys[n++]), 0);
	assert_int_equal(tls_chain_key(chains[0], 2, 1, keys[n++]), 0);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j], TLS_CHAIN_KEY_SIZE);
	}
	assert_int_equal(tls_chain_key(chains[0], 2, TRUST_ENTRY_ANY, again), 0);
	assert_memory_equal(again, keys[0], sizeof(again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_what_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_least_recently_used, setup, teardown),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
