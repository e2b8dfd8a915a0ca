/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two modules read the same certificates: tls those that peers show, revocation those that sign
 * lists. What revocation is looked up by must be the same of both.
 */

#include "revocation-testing.h"

#include <tls/facts.h>

static void compare(const struct test_cert *cert)
{
	gnutls_datum_t der = { (unsigned char *)(uintptr_t)cert->der.p, (unsigned int)cert->der.n };
	struct trust_facts facts;
	struct tls_chain chain;
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	const struct trust_certificate *other;

	assert_int_equal(tls_facts_read(&der, 1, &facts, &chain, &why), 0);
	other = &facts.certs[0];
	assert_memory_equal(other->id, cert->facts.id, TRUST_ID_SIZE);
	assert_memory_equal(other->serial_id, cert->facts.serial_id, TRUST_DIGEST_SIZE);
	assert_int_equal(other->is_ca, cert->facts.is_ca);
	assert_int_equal(other->n_scopes, cert->facts.n_scopes);
	assert_memory_equal(other->scopes, cert->facts.scopes, sizeof(other->scopes));
	trust_facts_done(&facts);
	tls_chain_done(&chain);
}

static void test_same_ids(void **state)
{
	const struct test_spec specs[] = {
		{ .cn = "plain" },
		{ .cn = "ca", .ca = true },
		{ .cn = "signs", .usage = GNUTLS_KEY_KEY_CERT_SIGN },
		{ .cn = "lists", .usage = GNUTLS_KEY_CRL_SIGN },
		{ .cn = "scoped", .uri = "http://crl.example/a" },
		{ .cn = "serial", .serial = 200 },
		{ .cn = "rsa", .pk = GNUTLS_PK_RSA },
		{ .cn = "ed", .pk = GNUTLS_PK_EDDSA_ED25519 },
		{ .name = test_name(0x13, "Printable  Name") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct test_cert cert = test_cert_make(specs[i]);

		assert_int_equal(cert.facts.n_scopes, specs[i].uri ? 1 : 0);
		compare(&cert);
		test_cert_done(&cert);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
