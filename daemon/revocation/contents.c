/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a source says, as bytes: one list in DER, or PEM with any number and certificates. */

#include <revocation/store.h>

#include <gnutls/x509.h>

void revocation_contents_init(struct store_contents *contents)
{
	*contents = (struct store_contents){};
	list_init(&contents->lists);
	list_init(&contents->given);
}

void revocation_lists_free(struct list *head)
{
	list_foreach_safe (node, head) {
		struct store_list *list = container_of(node, struct store_list, node);

		revocation_crl_done(&list->crl);
		free(list);
	}
	list_init(head);
}

void revocation_contents_done(struct store_contents *contents)
{
	revocation_lists_free(&contents->lists);
	list_foreach_safe (node, &contents->given)
		free(container_of(node, struct store_given, node));
	revocation_contents_init(contents);
}

/* ---- one of each ---- */

static int read_list(struct der der, struct store_contents *contents, struct text *why)
{
	struct store_list *list = calloc(1, sizeof(*list));
	int r;

	if (!list)
		return -ENOMEM;
	r = revocation_crl_read(der, &list->crl, why);
	if (r)
		free(list);
	else
		list_append(&contents->lists, &list->node);
	return r;
}

static int read_certificate(struct der der, struct store_contents *contents, struct text *why)
{
	struct revocation_issuer issuer;
	struct store_given *given;
	int r;

	if (der.len > REVOCATION_CERTIFICATE_SIZE_MAX) {
		text_addf(why, "%zu bytes, at most %d are taken", der.len,
			  REVOCATION_CERTIFICATE_SIZE_MAX);
		return REVOCATION_E_MALFORMED;
	}
	r = revocation_issuer_read(der, &issuer);
	if (r > 0)
		text_addf(why, "not a certificate");
	if (r)
		return r;
	revocation_issuer_done(&issuer);
	given = malloc(sizeof(*given) + der.len);
	if (!given)
		return -ENOMEM;
	given->size = der.len;
	memcpy(given->der, der.p, der.len);
	list_append(&contents->given, &given->node);
	contents->n_given++;
	return 0;
}

/* ---- PEM (RFC 7468) ---- */

#define PEM_BEGIN "-----BEGIN "

static const struct pem_kind {
	const char *label, *begin, *end;
	const char *name; /* for people */
	size_t max;	  /* of a source */
	int (*read)(struct der der, struct store_contents *contents, struct text *why);
} kinds[] = {
	{ "X509 CRL", PEM_BEGIN "X509 CRL-----", "-----END X509 CRL-----", "CRL",
	  REVOCATION_CRLS_MAX, read_list },
	/* the last: of no account where certificates are not taken */
	{ "CERTIFICATE", PEM_BEGIN "CERTIFICATE-----", "-----END CERTIFICATE-----", "certificate",
	  REVOCATION_CERTIFICATES_MAX, read_certificate },
};

struct pem_reader {
	struct der rest;
	size_t n_kinds; /* that are taken */
	size_t n[ARRAY_SIZE(kinds)];
	struct store_contents *contents;
	struct text *why;
};

/* Up to the next block of a kind that is taken; NULL: there is none. One pass over the bytes. */
static const struct pem_kind *find_block(struct pem_reader *reader)
{
	struct der *rest = &reader->rest;
	const uint8_t *begin;

	while ((begin = memmem(rest->p, rest->len, PEM_BEGIN, strlen(PEM_BEGIN)))) {
		rest->len -= (size_t)(begin - rest->p);
		rest->p = begin;
		for (size_t i = 0; i < reader->n_kinds; i++) {
			size_t len = strlen(kinds[i].begin);

			if (rest->len >= len && memcmp(rest->p, kinds[i].begin, len) == 0)
				return &kinds[i];
		}
		rest->p += strlen(PEM_BEGIN);
		rest->len -= strlen(PEM_BEGIN);
	}
	return NULL;
}

static int read_block(const struct pem_kind *kind, struct der block,
		      struct store_contents *contents, struct text *why)
{
	gnutls_datum_t pem = name_datum(block), der = {};
	int r;

	r = gnutls_pem_base64_decode2(kind->label, &pem, &der);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	if (r < 0) {
		text_addf(why, "its PEM encoding cannot be read");
		return REVOCATION_E_MALFORMED;
	}
	r = kind->read((struct der){ der.data, der.size }, contents, why);
	gnutls_free(der.data);
	return r;
}

static int read_next(struct pem_reader *reader, const struct pem_kind *kind)
{
	struct der *rest = &reader->rest;
	size_t n = ++reader->n[kind - kinds], len;
	struct text *why = reader->why;
	const uint8_t *end;
	int r;

	if (n > kind->max) {
		text_addf(why, "more than %zu %ss", kind->max, kind->name);
		return REVOCATION_E_MALFORMED;
	}
	text_addf(why, "%s %zu: ", kind->name, n);
	end = memmem(rest->p, rest->len, kind->end, strlen(kind->end));
	if (!end) {
		text_addf(why, "it has no end");
		return REVOCATION_E_MALFORMED;
	}
	len = (size_t)(end - rest->p) + strlen(kind->end);
	r = read_block(kind, (struct der){ rest->p, len }, reader->contents, why);
	if (r)
		return r;
	why->buf[why->len = 0] = '\0';
	rest->p += len;
	rest->len -= len;
	return 0;
}

static int read_pem(struct pem_reader *reader)
{
	const struct pem_kind *kind;
	bool any = false;
	int r;

	while ((kind = find_block(reader))) {
		r = read_next(reader, kind);
		if (r)
			return r;
		any = true;
	}
	if (any)
		return 0;
	text_addf(reader->why, "there is no CRL in it");
	return REVOCATION_E_MALFORMED;
}

int revocation_contents_read(struct der in, bool certificates, struct store_contents *contents,
			     struct text *why)
{
	struct pem_reader reader = { .rest = in,
				     .n_kinds = ARRAY_SIZE(kinds) - !certificates,
				     .contents = contents,
				     .why = why };
	struct der rest = in;

	if (in.len > REVOCATION_CRL_SIZE_MAX) {
		text_addf(why, "%zu bytes, at most %d are taken", in.len, REVOCATION_CRL_SIZE_MAX);
		return REVOCATION_E_MALFORMED;
	}
	if (revocation_der_take(&rest, DER_SEQUENCE, NULL) && rest.len == 0)
		return read_list(in, contents, why);
	return read_pem(&reader);
}
