/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Versions and cipher suites of a ClientHello, version and choice of a ServerHello (RFC 8446 4.1.2,
 * 4.1.3). Nothing here decides anything: GnuTLS reads the same message by itself.
 */

#include <gnutls/gnutls.h>
#include <siptls/ktls.h>
#include <tls/hello.h>

#define SUITES_SHOWN   6
#define VERSIONS_SHOWN 8
#define RANDOM_SIZE    32
#define TLS12	       0x0303
#define TLS13	       0x0304

enum { /* IANA TLS ExtensionType values */
       EXTENSION_MAX_FRAGMENT_LENGTH = 1,
       EXTENSION_RECORD_SIZE_LIMIT = 28,
       EXTENSION_SUPPORTED_VERSIONS = 43,
};

struct reader {
	const uint8_t *p;
	size_t len;
	bool bad; /* sticky: once the message is cut off, all reads give 0 */
};

static struct reader read_bytes(struct reader *in, size_t len)
{
	struct reader part = { .p = in->p, .len = len };

	if (in->bad || len > in->len) {
		in->bad = true;
		return (struct reader){ .bad = true };
	}
	in->p += len;
	in->len -= len;
	return part;
}

static uint16_t read_uint(struct reader *in, size_t size)
{
	struct reader bytes = read_bytes(in, size);
	unsigned int value = 0;

	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | bytes.p[i];
	return (uint16_t)value;
}

/* A vector: its length in @size bytes, then its contents. */
static struct reader read_vector(struct reader *in, size_t size)
{
	return read_bytes(in, read_uint(in, size));
}

/* GREASE values (RFC 8701) stand for nothing. */
static bool is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

static void add_version(struct text *t, uint16_t version)
{
	if (version == 0x0300)
		text_addf(t, "SSL 3.0");
	else if (version > 0x0300 && version <= 0x0304)
		text_addf(t, "TLS 1.%d", version - 0x0301);
	else
		text_addf(t, "version 0x%04x", version);
}

static void add_suite(struct text *t, uint16_t suite)
{
	uint8_t id[2];
	const char *name;

	for (size_t i = 0; (name = gnutls_cipher_suite_info(i, id, NULL, NULL, NULL, NULL)); i++) {
		if (id[0] == suite >> 8 && id[1] == (suite & 0xff)) {
			text_addf(t, "%s", name);
			return;
		}
	}
	text_addf(t, "0x%04x", suite);
}

static void add_versions(struct text *t, struct reader list)
{
	const char *separator = "";

	for (int shown = 0; list.len >= 2 && shown < VERSIONS_SHOWN;) {
		uint16_t version = read_uint(&list, 2);

		if (is_grease(version))
			continue;
		text_addf(t, "%s", separator);
		add_version(t, version);
		separator = ", ";
		shown++;
	}
}

static void add_suites(struct text *t, struct reader list)
{
	const char *separator = "";
	int shown = 0;

	while (list.len >= 2) {
		uint16_t suite = read_uint(&list, 2);

		if (is_grease(suite) || suite == 0x00ff || suite == 0x5600)
			continue; /* the signalling values of RFC 5746 and RFC 7507 are no suites */
		if (shown == SUITES_SHOWN) {
			text_addf(t, " and %zu more", list.len / 2 + 1);
			return;
		}
		text_addf(t, "%s", separator);
		add_suite(t, suite);
		separator = ", ";
		shown++;
	}
}

/* The contents of extension @type, or nothing. */
static struct reader find_extension(struct reader extensions, uint16_t type)
{
	while (extensions.len > 0 && !extensions.bad) {
		uint16_t found = read_uint(&extensions, 2);
		struct reader data = read_vector(&extensions, 2);

		if (found == type && !data.bad)
			return data;
	}
	return (struct reader){ .bad = true };
}

struct hello {
	uint16_t version;
	struct reader suites;	  /* of a client */
	uint16_t suite;		  /* of a server */
	struct reader extensions; /* bad: there are none */
};

/* false: cut off before the extensions. */
static bool read_client(const uint8_t *body, size_t len, struct hello *ret)
{
	struct reader in = { .p = body, .len = len };

	ret->version = read_uint(&in, 2);
	(void)read_bytes(&in, RANDOM_SIZE);
	(void)read_vector(&in, 1); /* legacy_session_id */
	ret->suites = read_vector(&in, 2);
	(void)read_vector(&in, 1); /* legacy_compression_methods */
	if (in.bad)
		return false;
	ret->extensions = read_vector(&in, 2);
	return true;
}

static bool read_server(const uint8_t *body, size_t len, struct hello *ret)
{
	struct reader in = { .p = body, .len = len };

	ret->version = read_uint(&in, 2);
	(void)read_bytes(&in, RANDOM_SIZE);
	(void)read_vector(&in, 1); /* legacy_session_id_echo */
	ret->suite = read_uint(&in, 2);
	(void)read_uint(&in, 1); /* legacy_compression_method */
	if (in.bad)
		return false;
	ret->extensions = read_vector(&in, 2);
	return true;
}

/* The supported_versions of a client. false: it has none, legacy_version counts. */
static bool client_versions(const struct hello *hello, struct reader *ret)
{
	struct reader extension = find_extension(hello->extensions, EXTENSION_SUPPORTED_VERSIONS);

	*ret = read_vector(&extension, 1);
	return !ret->bad;
}

bool tls_hello_offers(const uint8_t *body, size_t len, uint8_t versions)
{
	struct reader list;
	struct hello hello;

	if (!read_client(body, len, &hello))
		return true;
	/* TLS 1.3 is offered in supported_versions alone (RFC 8446 4.2.1). */
	if (!client_versions(&hello, &list))
		return hello.version >= TLS12 && (versions & 1 << KTLS_TLS12);
	while (list.len >= 2) {
		uint16_t version = read_uint(&list, 2);

		if ((version == TLS12 && (versions & 1 << KTLS_TLS12)) ||
		    (version == TLS13 && (versions & 1 << KTLS_TLS13)))
			return true;
	}
	return false;
}

void tls_hello_describe_client(const uint8_t *body, size_t len, struct text *ret)
{
	struct reader list;
	struct hello hello;

	if (!read_client(body, len, &hello))
		return;
	text_addf(ret, "the peer offers ");
	if (client_versions(&hello, &list)) {
		add_versions(ret, list);
	} else {
		add_version(ret, hello.version);
		text_addf(ret, " and below");
	}
	text_addf(ret, " with ");
	add_suites(ret, hello.suites);
}

void tls_hello_describe_server(const uint8_t *body, size_t len, struct text *ret)
{
	struct reader supported;
	struct hello hello;

	if (!read_server(body, len, &hello))
		return;
	supported = find_extension(hello.extensions, EXTENSION_SUPPORTED_VERSIONS);
	if (!supported.bad && supported.len == 2)
		hello.version = read_uint(&supported, 2);
	text_addf(ret, "the peer chose ");
	add_version(ret, hello.version);
	text_addf(ret, " with ");
	add_suite(ret, hello.suite);
}

size_t tls_hello_record_limit(uint8_t message_type, const uint8_t *body, size_t len)
{
	struct reader in = { .p = body, .len = len }, limit;
	struct hello hello = { .extensions = { .bad = true } };
	uint16_t code;

	if (message_type == TLS_HELLO_CLIENT)
		(void)read_client(body, len, &hello);
	else if (message_type == TLS_HELLO_SERVER)
		(void)read_server(body, len, &hello);
	else
		hello.extensions = read_vector(&in, 2);

	limit = find_extension(hello.extensions, EXTENSION_RECORD_SIZE_LIMIT);
	if (limit.len == 2)
		return read_uint(&limit, 2);
	limit = find_extension(hello.extensions, EXTENSION_MAX_FRAGMENT_LENGTH);
	if (limit.len != 1)
		return 0;
	code = read_uint(&limit, 1);
	return code >= 1 && code <= 4 ? (size_t)256 << code : 0;
}
