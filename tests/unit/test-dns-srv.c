/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SRV records: what rdata is refused, what of a name is shown, and the order of RFC 2782. With a
 * directory as argument, some rdata is written there as seeds of the fuzzer instead.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <dns/srv.h>

#define RDATA(bytes)                                                                               \
	{                                                                                          \
		(const uint8_t *)(bytes), sizeof(bytes) - 1                                        \
	}

struct sample {
	const char *name;
	struct {
		const uint8_t *data;
		size_t size;
	} rdata;
	int expected;
	const char *target; /* unless malformed */
};

static const struct sample samples[] = {
	{ "plain", RDATA("\0\12\0\x3c\x13\xc5\1a\7example\0"), 0, "a.example" },
	{ "capitals", RDATA("\0\1\0\2\0\3\3SIP\7EXAMPLE\0"), 0, "sip.example" },
	{ "root", RDATA("\0\0\0\0\0\0\0"), 0, "" },
	{ "digits", RDATA("\0\0\0\0\0\1\003\06127\1-\0"), 0, "127.-" },
	{ "space", RDATA("\0\0\0\0\0\1\3a b\0"), DNS_SRV_E_NAME, "a b" },
	{ "dot-inside", RDATA("\0\0\0\0\0\1\3a.b\0"), DNS_SRV_E_NAME, "a.b" },
	{ "escape", RDATA("\0\0\0\0\0\1\4\33[2J\0"), DNS_SRV_E_NAME, "\\x1b[2j" },
	{ "nul", RDATA("\0\0\0\0\0\1\3a\0b\0"), DNS_SRV_E_NAME, "a\\x00b" },
	{ "underscore", RDATA("\0\0\0\0\0\1\2_a\0"), DNS_SRV_E_NAME, "_a" },
	{ "empty", { (const uint8_t *)"", 0 }, DNS_SRV_E_MALFORMED, NULL },
	{ "short", RDATA("\0\0\0\0\0"), DNS_SRV_E_MALFORMED, NULL },
	{ "no-name", RDATA("\0\0\0\0\0\1"), DNS_SRV_E_MALFORMED, NULL },
	{ "no-root", RDATA("\0\0\0\0\0\1\1a"), DNS_SRV_E_MALFORMED, NULL },
	{ "label-too-long", RDATA("\0\0\0\0\0\1\5abc\0"), DNS_SRV_E_MALFORMED, NULL },
	{ "compressed", RDATA("\0\0\0\0\0\1\1a\xc0\x0c"), DNS_SRV_E_MALFORMED, NULL },
	{ "bytes-after", RDATA("\0\0\0\0\0\1\1a\0\0"), DNS_SRV_E_MALFORMED, NULL },
};

static void test_parse(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		/* of exactly its size, so that a sanitizer sees what is read beyond it */
		_cleanup_free_ uint8_t *rdata =
			malloc(samples[i].rdata.size + !samples[i].rdata.size);
		struct dns_srv srv = { .port = 7 };

		memcpy(rdata, samples[i].rdata.data, samples[i].rdata.size);
		if (dns_srv_parse(rdata, samples[i].rdata.size, &srv) != samples[i].expected)
			fail_msg("%s", samples[i].name);
		if (samples[i].target)
			assert_string_equal(srv.target, samples[i].target);
		else
			assert_int_equal(srv.port, 7);
	}
}

static void test_fields(void **state _unused_)
{
	struct dns_srv srv;

	assert_int_equal(dns_srv_parse(samples[0].rdata.data, samples[0].rdata.size, &srv), 0);
	assert_int_equal(srv.priority, 10);
	assert_int_equal(srv.weight, 60);
	assert_int_equal(srv.port, 5061);
}

static void test_longest_name(void **state _unused_)
{
	uint8_t rdata[6 + 256] = {};
	struct dns_srv srv;

	/* three labels of 63 and one of 61 are 255 bytes; one more is too many */
	for (size_t i = 0; i < 4; i++) {
		rdata[6 + 64 * i] = i < 3 ? 63 : 61;
		memset(rdata + 6 + 64 * i + 1, 'a', i < 3 ? 63 : 61);
	}
	assert_int_equal(dns_srv_parse(rdata, 6 + 255, &srv), 0);
	assert_int_equal(strlen(srv.target), DNS_NAME_MAX);
	rdata[6 + 64 * 3] = 62;
	rdata[6 + 64 * 3 + 62] = 'a';
	assert_int_equal(dns_srv_parse(rdata, 6 + 256, &srv), DNS_SRV_E_MALFORMED);
	/* a name of bytes that are shown as four each is cut, not overrun */
	memset(rdata + 7, 0xff, 63);
	rdata[6 + 64 * 3] = 61;
	rdata[6 + 255 - 1] = 0;
	assert_int_equal(dns_srv_parse(rdata, 6 + 255, &srv), DNS_SRV_E_NAME);
	assert_true(strlen(srv.target) <= DNS_NAME_MAX);
}

static struct dns_srv record(uint16_t priority, uint16_t weight, const char *target)
{
	struct dns_srv srv = { .priority = priority, .weight = weight };

	snprintf(srv.target, sizeof(srv.target), "%s", target);
	return srv;
}

static void test_order(void **state _unused_)
{
	unsigned int first_b = 0, first_z = 0, second_z = 0;

	for (int round = 0; round < 4000; round++) {
		struct dns_srv r[] = { record(20, 0, "last"), record(10, 1, "a"),
				       record(10, 3, "b"), record(30, 9, "never"),
				       record(10, 0, "z") };

		assert_int_equal(dns_srv_order(r, ARRAY_SIZE(r), 4), 0);
		assert_string_equal(r[3].target, "last");
		first_b += r[0].target[0] == 'b';
		first_z += r[0].target[0] == 'z';
		second_z += r[1].target[0] == 'z';
	}
	/* RFC 2782: a number from 0 to 4; 0 takes z, 1 takes a, the rest b. Within 8 sigma. */
	assert_in_range(first_z, 800 - 210, 800 + 210);
	assert_in_range(first_b, 2400 - 250, 2400 + 250);
	assert_true(second_z > 200);
}

/* Without weights chance decides, or the first of a zone file would carry all. */
static void test_order_without_weights(void **state _unused_)
{
	unsigned int first[3] = {};

	for (int round = 0; round < 3000; round++) {
		struct dns_srv r[] = { record(1, 0, "0"), record(1, 0, "1"), record(1, 0, "2") };

		assert_int_equal(dns_srv_order(r, ARRAY_SIZE(r), 3), 0);
		first[r[0].target[0] - '0']++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		assert_in_range(first[i], 1000 - 210, 1000 + 210);
}

static void test_order_of_many(void **state _unused_)
{
	static struct dns_srv r[4096];

	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		r[i] = record((uint16_t)(i / 1024), UINT16_MAX, "x");
	assert_int_equal(dns_srv_order(r, ARRAY_SIZE(r), DNS_TARGETS_MAX), 0);
	for (size_t i = 0; i < DNS_TARGETS_MAX; i++)
		assert_int_equal(r[i].priority, 0);
	assert_int_equal(dns_srv_order(r, 0, DNS_TARGETS_MAX), 0);
	assert_int_equal(dns_srv_order(r, 1, DNS_TARGETS_MAX), 0);
}

static int write_seeds(const char *directory)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		char path[4096];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", directory, samples[i].name);
		f = fopen(path, "we");
		if (!f ||
		    fwrite(samples[i].rdata.data, 1, samples[i].rdata.size, f) !=
			    samples[i].rdata.size ||
		    fclose(f) != 0) {
			perror(path);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_without_weights),
		cmocka_unit_test(test_order_of_many),
	};

	if (argc == 2)
		return write_seeds(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
