/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Names of a leaf, byte for byte. The subjectAltName extension is read from its DER, because a
 * name that a library shortens, converts or skips is a name that is judged as another one.
 */

#include <arpa/inet.h>
#include <gnutls/x509-ext.h>
#include <siptls/tls.h>
#include <tls/der.h>
#include <tls/facts.h>

struct name_list {
	struct trust_name *names;
	size_t n, capacity, bytes;
};

static void name_list_done(struct name_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i].value);
	free(list->names);
}

static int name_list_add(struct name_list *list, enum trust_name_type type, const void *value,
			 size_t len)
{
	char *copy;

	if (list->n == TRUST_NAMES_MAX || len > TRUST_NAMES_SIZE - list->bytes)
		return TLS_FACTS_E_TOO_LARGE;
	if (list->n == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 8;
		struct trust_name *grown;

		grown = reallocarray(list->names, capacity, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->names = grown;
		list->capacity = capacity;
	}
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	if (len > 0)
		memcpy(copy, value, len);
	copy[len] = '\0';
	list->names[list->n++] =
		(struct trust_name){ .type = type, .len = (uint32_t)len, .value = copy };
	list->bytes += len;
	return 0;
}

static int add_address(struct name_list *list, struct tls_slice value)
{
	char text[INET6_ADDRSTRLEN];

	if (value.len != 4 && value.len != 16)
		return TLS_FACTS_E_MALFORMED;
	if (!inet_ntop(value.len == 4 ? AF_INET : AF_INET6, value.p, text, sizeof(text)))
		return TLS_FACTS_E_MALFORMED;
	return name_list_add(list, TRUST_NAME_IP, text, strlen(text));
}

/* GeneralName ::= CHOICE (RFC 5280 4.2.1.6): the tag tells the kind. */
static int add_general_name(struct name_list *list, uint8_t tag, struct tls_slice value)
{
	switch (tag) {
	case 0x82: /* dNSName */
		return name_list_add(list, TRUST_NAME_DNS, value.p, value.len);
	case 0x86: /* uniformResourceIdentifier */
		return name_list_add(list, TRUST_NAME_URI, value.p, value.len);
	case 0x87: /* iPAddress */
		return add_address(list, value);
	case 0xa0: /* otherName */
	case 0x81: /* rfc822Name */
	case 0xa3: /* x400Address */
	case 0xa4: /* directoryName */
	case 0xa5: /* ediPartyName */
	case 0x88: /* registeredID */
		return name_list_add(list, TRUST_NAME_OTHER, value.p, value.len);
	default:
		return TLS_FACTS_E_MALFORMED;
	}
}

static int add_alternative_names(struct name_list *list, struct tls_slice extension)
{
	struct tls_slice names, value;
	uint8_t tag;
	int r;

	if (!tls_der_only(extension, TLS_DER_SEQUENCE, &names))
		return TLS_FACTS_E_MALFORMED;
	while (names.len > 0) {
		if (!tls_der_next(&names, &tag, &value))
			return TLS_FACTS_E_MALFORMED;
		r = add_general_name(list, tag, value);
		if (r != 0)
			return r;
	}
	return 0;
}

/* GnuTLS gives the identifier as text and counts a terminator into it, or does not. */
static bool is_common_name(const gnutls_datum_t *oid)
{
	static const char text[] = GNUTLS_OID_X520_COMMON_NAME;

	return strnlen((const char *)oid->data, oid->size) == strlen(text) &&
	       memcmp(oid->data, text, strlen(text)) == 0;
}

/* Every common name of the subject, however many relative names hold one. */
static int add_common_names(struct name_list *list, gnutls_x509_crt_t crt)
{
	gnutls_x509_dn_t subject;
	gnutls_x509_ava_st ava;
	int r;

	if (gnutls_x509_crt_get_subject(crt, &subject) < 0)
		return TLS_FACTS_E_MALFORMED;
	for (int rdn = 0; rdn <= TLS_RDN_MAX; rdn++) {
		for (int i = 0; i <= TLS_RDN_MAX; i++) {
			r = gnutls_x509_dn_get_rdn_ava(subject, rdn, i, &ava);
			if (r == GNUTLS_E_ASN1_ELEMENT_NOT_FOUND && i == 0)
				return 0;
			if (r == GNUTLS_E_ASN1_ELEMENT_NOT_FOUND)
				break;
			if (r < 0)
				return TLS_FACTS_E_MALFORMED;
			if (!is_common_name(&ava.oid))
				continue;
			r = name_list_add(list, TRUST_NAME_CN, ava.value.data, ava.value.size);
			if (r != 0)
				return r;
		}
	}
	return TLS_FACTS_E_TOO_LARGE;
}

static const char *outcome_text(int outcome)
{
	return outcome == TLS_FACTS_E_TOO_LARGE
		       ? "more than " STR(TRUST_NAMES_MAX) " names, or names of more than " STR(
				 TRUST_NAMES_SIZE) " bytes"
		       : "its names cannot be read";
}

int tls_names_read(gnutls_x509_crt_t crt, struct trust_facts *facts, struct text *why)
{
	_cleanup_(name_list_done) struct name_list list = {};
	gnutls_datum_t extension = {};
	bool has_san;
	int r = 0;

	has_san = tls_extension_get(crt, GNUTLS_X509EXT_OID_SAN, &extension);
	if (has_san)
		r = add_alternative_names(&list,
					  (struct tls_slice){ extension.data, extension.size });
	gnutls_free(extension.data);
	if (r == 0)
		r = add_common_names(&list, crt);
	if (r > 0)
		text_addf(why, "%s", outcome_text(r));
	if (r != 0)
		return r;
	facts->names = steal_ptr(list.names);
	facts->n_names = list.n;
	facts->has_san = has_san;
	list = (struct name_list){};
	return 0;
}
