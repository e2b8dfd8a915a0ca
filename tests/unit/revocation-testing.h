/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the tests of module revocation share: certificates, and CRLs and OCSP responses put together
 * element by element, so that they can be wrong in any way. Each test uses a part of it.
 */

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <revocation/board.h>
#include <revocation/issuer.h>

#define DAY 86400

/* ---- DER, in memory that is never given back ---- */

struct piece {
	const uint8_t *p;
	size_t n;
};

static _unused_ uint8_t *test_room(size_t n)
{
	static _Alignas(8) uint8_t arena[64 * 1024 * 1024];
	static size_t used;
	uint8_t *p = arena + used;

	assert_true(n <= sizeof(arena) - used);
	used += (n + 7) / 8 * 8;
	return p;
}

static _unused_ struct piece raw(const void *bytes, size_t n)
{
	uint8_t *p = test_room(n + 1);

	if (n > 0)
		memcpy(p, bytes, n);
	return (struct piece){ p, n };
}

#define NOTHING	    ((struct piece){ 0 })
#define END	    ((struct piece){ NULL, SIZE_MAX })
#define BYTES(text) raw(text, sizeof(text) - 1)

static _unused_ struct piece join(const struct piece *pieces)
{
	size_t n = 0, at = 0;
	uint8_t *p;

	for (size_t i = 0; pieces[i].n != SIZE_MAX; i++)
		n += pieces[i].n;
	p = test_room(n + 1);
	for (size_t i = 0; pieces[i].n != SIZE_MAX; i++) {
		if (pieces[i].n > 0)
			memcpy(p + at, pieces[i].p, pieces[i].n);
		at += pieces[i].n;
	}
	return (struct piece){ p, n };
}

static _unused_ struct piece wrap(uint8_t tag, const struct piece *pieces)
{
	struct piece contents = join(pieces);
	uint8_t head[6] = { tag };
	size_t n = 2;

	if (contents.n < 0x80) {
		head[1] = (uint8_t)contents.n;
	} else {
		size_t bytes = contents.n > 0xffffff ? 4
			       : contents.n > 0xffff ? 3
			       : contents.n > 0xff   ? 2
						     : 1;

		head[1] = (uint8_t)(0x80 | bytes);
		for (size_t i = 0; i < bytes; i++)
			head[n++] = (uint8_t)(contents.n >> 8 * (bytes - 1 - i));
	}
	return join((const struct piece[]){ raw(head, n), contents, END });
}

#define WRAP(tag, ...) wrap(tag, (const struct piece[]){ __VA_ARGS__, END })
#define JOIN(...)      join((const struct piece[]){ __VA_ARGS__, END })
#define SEQ(...)       WRAP(0x30, __VA_ARGS__)
#define OID(bytes)     WRAP(0x06, BYTES(bytes))

static _unused_ struct piece integer(uint8_t value)
{
	return value < 0x80 ? WRAP(0x02, raw(&value, 1)) : WRAP(0x02, raw("", 1), raw(&value, 1));
}

static _unused_ struct piece test_time(int64_t when)
{
	time_t t = when;
	struct tm tm;
	char text[64];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	return WRAP(0x18, raw(text, strlen(text)));
}

static _unused_ struct piece test_utc_time(int64_t when)
{
	time_t t = when;
	struct tm tm;
	char text[64];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	return WRAP(0x17, raw(text + 2, strlen(text) - 2));
}

/* id-ce @id */
static _unused_ struct piece test_extension(uint8_t id, bool critical, struct piece value)
{
	const uint8_t oid[] = { 0x55, 0x1d, id };

	return SEQ(WRAP(0x06, raw(oid, sizeof(oid))), critical ? BYTES("\x01\x01\xff") : NOTHING,
		   WRAP(0x04, value));
}

/* DistributionPointName with one URI. */
static _unused_ struct piece test_uri_name(const char *uri)
{
	return WRAP(0xa0, WRAP(0xa0, WRAP(0x86, raw(uri, strlen(uri)))));
}

/* Name with a common name of the string type @tag. */
static _unused_ struct piece test_name(uint8_t tag, const char *cn)
{
	return SEQ(WRAP(0x31, SEQ(OID("\x55\x04\x03"), WRAP(tag, raw(cn, strlen(cn))))));
}

/* ---- certificates ---- */

struct test_cert {
	gnutls_privkey_t key;
	gnutls_pubkey_t pubkey;
	struct piece der, name;
	uint8_t id[TRUST_ID_SIZE];
	struct trust_certificate facts;
};

struct test_spec {
	const char *cn;
	struct piece name;		/* instead of @cn */
	const struct test_cert *issuer; /* NULL: itself */
	struct piece issuer_name;	/* another than the issuer's own */
	const struct test_cert *same_key;
	bool ca;
	unsigned int usage; /* 0: no keyUsage */
	const char *uri;    /* of a distribution point */
	bool ocsp;	    /* extended key usage OCSPSigning */
	uint8_t serial;	    /* 0: the next */
	int64_t from, to;   /* days from now; both 0: -1 and 30 */
	gnutls_pk_algorithm_t pk;
};

static _unused_ struct piece test_datum(gnutls_datum_t datum)
{
	struct piece piece = raw(datum.data, datum.size);

	gnutls_free(datum.data);
	return piece;
}

/* SEQUENCE { @tbs, algorithm, signature, @rest } */
static _unused_ struct piece test_sign_as(const struct test_cert *signer, struct piece tbs,
					  struct piece algorithm, gnutls_sign_algorithm_t sign,
					  struct piece rest)
{
	gnutls_datum_t data = { (unsigned char *)(uintptr_t)tbs.p, (unsigned int)tbs.n };
	gnutls_datum_t signature;

	assert_int_equal(gnutls_privkey_sign_data2(signer->key, sign, 0, &data, &signature), 0);
	return SEQ(tbs, algorithm, WRAP(0x03, raw("", 1), test_datum(signature)), rest);
}

#define ECDSA_SHA256 SEQ(OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"))
#define ED25519	     SEQ(OID("\x2b\x65\x70"))
#define RSA_SHA256   SEQ(OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), BYTES("\x05\x00"))
#define RSA_PSS_SHA256                                                                             \
	SEQ(OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"),                                           \
	    SEQ(WRAP(0xa0, SEQ(OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), BYTES("\x05\x00"))),   \
		WRAP(0xa1,                                                                         \
		     SEQ(OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"),                              \
			 SEQ(OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), BYTES("\x05\x00")))),    \
		WRAP(0xa2, integer(32))))

static _unused_ struct piece test_algorithm(const struct test_cert *signer,
					    gnutls_sign_algorithm_t *ret)
{
	switch ((int)gnutls_privkey_get_pk_algorithm(signer->key, NULL)) {
	case GNUTLS_PK_EDDSA_ED25519:
		*ret = GNUTLS_SIGN_EDDSA_ED25519;
		return ED25519;
	case GNUTLS_PK_RSA:
		*ret = GNUTLS_SIGN_RSA_SHA256;
		return RSA_SHA256;
	default:
		*ret = GNUTLS_SIGN_ECDSA_SHA256;
		return ECDSA_SHA256;
	}
}

static _unused_ struct piece test_sign(const struct test_cert *signer, struct piece tbs)
{
	gnutls_sign_algorithm_t sign;
	struct piece algorithm = test_algorithm(signer, &sign);

	return test_sign_as(signer, tbs, algorithm, sign, NOTHING);
}

static _unused_ void test_key_make(const struct test_spec *spec, struct test_cert *cert)
{
	gnutls_pk_algorithm_t pk = spec->pk ? spec->pk : GNUTLS_PK_ECDSA;
	unsigned int bits =
		pk == GNUTLS_PK_RSA
			? 2048
			: GNUTLS_CURVE_TO_BITS(pk == GNUTLS_PK_ECDSA ? GNUTLS_ECC_CURVE_SECP256R1
								     : GNUTLS_ECC_CURVE_ED25519);
	gnutls_x509_privkey_t key;

	if (spec->same_key) {
		assert_int_equal(gnutls_privkey_export_x509(spec->same_key->key, &key), 0);
	} else {
		assert_int_equal(gnutls_x509_privkey_init(&key), 0);
		assert_int_equal(gnutls_x509_privkey_generate(key, pk, bits, 0), 0);
	}
	assert_int_equal(gnutls_privkey_init(&cert->key), 0);
	assert_int_equal(gnutls_privkey_import_x509(cert->key, key,
						    GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE),
			 0);
	assert_int_equal(gnutls_pubkey_init(&cert->pubkey), 0);
	assert_int_equal(gnutls_pubkey_import_privkey(cert->pubkey, cert->key, 0, 0), 0);
}

static _unused_ struct piece test_usage(unsigned int usage)
{
	const uint8_t bits[] = { 1, (uint8_t)usage };

	return test_extension(15, true, WRAP(0x03, raw(bits, sizeof(bits))));
}

/* What the tls module would have read. */
static _unused_ void test_facts(struct test_cert *cert)
{
	struct revocation_issuer issuer;

	assert_int_equal(revocation_issuer_read((struct der){ cert->der.p, cert->der.n }, &issuer),
			 0);
	memcpy(cert->id, issuer.id, sizeof(cert->id));
	memcpy(cert->facts.id, issuer.id, sizeof(cert->id));
	memcpy(cert->facts.serial_id, issuer.serial_id, sizeof(issuer.serial_id));
	memcpy(cert->facts.scopes, issuer.scopes, sizeof(issuer.scopes));
	cert->facts.n_scopes = (uint8_t)issuer.n_scopes;
	cert->facts.is_ca = issuer.is_ca;
	revocation_issuer_done(&issuer);
}

static _unused_ struct test_cert test_cert_make(struct test_spec spec)
{
	static uint8_t counter;
	const struct test_cert *signer = spec.issuer;
	bool dated = spec.from || spec.to;
	int64_t now = time_realtime_s();
	struct test_cert cert = {};
	gnutls_sign_algorithm_t sign;
	struct piece extensions;
	gnutls_datum_t key;

	test_key_make(&spec, &cert);
	if (!signer)
		signer = &cert;
	assert_int_equal(gnutls_pubkey_export2(cert.pubkey, GNUTLS_X509_FMT_DER, &key), 0);
	cert.name = spec.name.n ? spec.name : test_name(0x0c, spec.cn);
	extensions = JOIN(spec.ca ? test_extension(19, true, SEQ(BYTES("\x01\x01\xff"))) : NOTHING,
			  spec.usage ? test_usage(spec.usage) : NOTHING,
			  spec.uri ? test_extension(31, false, SEQ(SEQ(test_uri_name(spec.uri))))
				   : NOTHING,
			  spec.ocsp ? test_extension(37, false,
						     SEQ(OID("\x2b\x06\x01\x05\x05\x07\x03\x09")))
				    : NOTHING);
	cert.der = SEQ(WRAP(0xa0, integer(2)), integer(spec.serial ? spec.serial : ++counter),
		       test_algorithm(signer, &sign),
		       spec.issuer_name.n ? spec.issuer_name : signer->name,
		       SEQ(test_time(now + DAY * (dated ? spec.from : -1)),
			   test_time(now + DAY * (dated ? spec.to : 30))),
		       cert.name, test_datum(key), WRAP(0xa3, SEQ(extensions)));
	cert.der = test_sign(signer, cert.der);
	test_facts(&cert);
	return cert;
}

static _unused_ void test_cert_done(struct test_cert *cert)
{
	gnutls_privkey_deinit(cert->key);
	gnutls_pubkey_deinit(cert->pubkey);
}

/* ---- CRLs ---- */

struct test_entry {
	uint8_t serial; /* 0: the end */
	uint8_t reason;
	bool extended; /* with a reason */
	struct piece extension;
};

#define LISTED(n)                                                                                  \
	{                                                                                          \
		.serial = (n)                                                                      \
	}
#define LISTED_WHY(n, why)                                                                         \
	{                                                                                          \
		.serial = (n), .reason = (why), .extended = true                                   \
	}

struct test_crl {
	const struct test_cert *issuer;
	const struct test_cert *signer;	  /* NULL: the issuer */
	struct piece name;		  /* instead of the issuer's */
	int64_t this_update, next_update; /* hours from now; both 0: -1 and 24 */
	bool no_next_update;
	uint8_t number; /* 0: none */
	struct test_entry entries[8];
	struct piece extensions; /* more of them */
	struct piece algorithm;
	gnutls_sign_algorithm_t sign;
	bool version1;
};

static _unused_ struct piece test_entries(const struct test_crl *spec)
{
	struct piece list = NOTHING;

	for (size_t i = 0; i < ARRAY_SIZE(spec->entries) && spec->entries[i].serial; i++) {
		const struct test_entry *entry = &spec->entries[i];
		struct piece extensions = entry->extension;

		if (entry->extended)
			extensions =
				JOIN(extensions,
				     test_extension(21, false, WRAP(0x0a, raw(&entry->reason, 1))));
		list = JOIN(list, SEQ(integer(entry->serial), test_utc_time(1700000000),
				      extensions.n ? SEQ(extensions) : NOTHING));
	}
	return list.n ? SEQ(list) : NOTHING;
}

static _unused_ struct piece test_crl_make(struct test_crl spec)
{
	const struct test_cert *signer = spec.signer ? spec.signer : spec.issuer;
	bool dated = spec.this_update || spec.next_update;
	int64_t now = time_realtime_s();
	gnutls_sign_algorithm_t sign;
	struct piece algorithm = test_algorithm(signer, &sign);
	struct piece extensions = spec.extensions, tbs;

	if (spec.number)
		extensions = JOIN(extensions, test_extension(20, false, integer(spec.number)));
	if (spec.algorithm.n) {
		algorithm = spec.algorithm;
		sign = spec.sign;
	}
	tbs = SEQ(spec.version1 ? NOTHING : integer(1), algorithm,
		  spec.name.n ? spec.name : spec.issuer->name,
		  test_time(now + 3600 * (dated ? spec.this_update : -1)),
		  spec.no_next_update ? NOTHING
				      : test_time(now + 3600 * (dated ? spec.next_update : 24)),
		  test_entries(&spec), extensions.n ? WRAP(0xa0, SEQ(extensions)) : NOTHING);
	return test_sign_as(signer, tbs, algorithm, sign, NOTHING);
}

static _unused_ struct piece test_pem_block(const char *label, struct piece der)
{
	gnutls_datum_t in = { (unsigned char *)(uintptr_t)der.p, (unsigned int)der.n }, out;

	assert_int_equal(gnutls_pem_base64_encode2(label, &in, &out), 0);
	return test_datum(out);
}

/* ---- store and board ---- */

static _unused_ void test_put(struct revocation_store *store, const char *source, struct piece data)
{
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	int r = revocation_store_put(store, source, data.p, data.n, &why);

	if (r > 0)
		fail_msg("%s: %s", source, buf);
	assert_int_equal(r, 0);
}

static _unused_ void test_issuer(struct revocation_store *store, const struct test_cert *cert)
{
	assert_int_equal(revocation_store_add_issuer(store, cert->der.p, cert->der.n), 0);
}

static _unused_ struct revocation_board *test_publish(struct revocation_store *store)
{
	struct revocation_board *board;
	int fd;

	assert_int_equal(revocation_store_publish(store, &fd), 0);
	assert_int_equal(revocation_board_open(fd, &board), 0);
	return board;
}

static _unused_ struct trust_link test_lookup(const struct revocation_board *board,
					      const struct test_cert *cert,
					      const struct test_cert *issuer)
{
	struct trust_link link;

	revocation_board_lookup(board, &cert->facts, issuer->id, &link, NULL);
	return link;
}
