/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificates from PEM files, and the CAs among them that become anchors. */

#include <tls/presented.h>
#include <tls/store.h>

void tls_pem_done(struct tls_pem *pem)
{
	for (unsigned int i = 0; i < pem->n; i++)
		gnutls_x509_crt_deinit(pem->crts[i]);
	gnutls_free(pem->crts);
	*pem = (struct tls_pem){};
}

/* What we read of others is bounded the same way; messages between our processes rely on it. */
static int check_size(const struct tls_pem *pem, struct text *why)
{
	for (unsigned int i = 0; i < pem->n; i++) {
		gnutls_datum_t der;
		bool fits;

		if (gnutls_x509_crt_export2(pem->crts[i], GNUTLS_X509_FMT_DER, &der) < 0)
			return -ENOMEM;
		fits = der.size <= TLS_PRESENTED_DER_MAX;
		if (!fits)
			text_addf(why, "certificate %u: %u bytes, expected at most %d", i + 1,
				  der.size, TLS_PRESENTED_DER_MAX);
		gnutls_free(der.data);
		if (!fits)
			return CONF_E_INVALID;
	}
	return 0;
}

int tls_pem_load(struct tls_pem *pem, struct tls_files files, const char *path, struct text *why)
{
	const char *bytes;
	gnutls_datum_t data;
	size_t size;
	int r;

	if (!files.read(files.userdata, path, &bytes, &size) || size > UINT32_MAX) {
		text_addf(why, "cannot be read");
		return CONF_E_INVALID;
	}
	data = tls_datum(bytes, size);
	r = gnutls_x509_crt_list_import2(&pem->crts, &pem->n, &data, GNUTLS_X509_FMT_PEM, 0);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	if (r < 0)
		*pem = (struct tls_pem){};
	if (r == GNUTLS_E_NO_CERTIFICATE_FOUND || (r >= 0 && pem->n == 0)) {
		text_addf(why, "no certificate in it; expected PEM (-----BEGIN CERTIFICATE-----)");
		return CONF_E_INVALID;
	}
	if (r < 0) {
		text_addf(why, "not readable as PEM certificates: %s", gnutls_strerror(r));
		return CONF_E_INVALID;
	}
	return check_size(pem, why);
}

/* An anchor is a CA whose key and constraints can be relied on; self-signed it need not be. */
static int check_anchor(gnutls_x509_crt_t crt, struct text *why)
{
	struct trust_certificate certificate;
	unsigned int ca = 0;
	int r, path_length;

	r = tls_certificate_read(crt, &certificate, why);
	if (r != 0)
		return r < 0 ? r : CONF_E_INVALID;
	text_add_foreign(why, certificate.subject, strlen(certificate.subject));
	if (gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, &path_length) < 0 || !ca) {
		text_addf(why, ": is no CA certificate (basicConstraints CA:TRUE expected)");
		r = CONF_E_INVALID;
	} else if (trust_key_is_weak(&certificate)) {
		text_addf(why,
			  ": weak key of %u bits, expected RSA of 2048 bits or more, ECDSA or "
			  "EdDSA",
			  certificate.key_bits);
		r = CONF_E_INVALID;
	} else if (certificate.unsupported) {
		text_addf(why, ": a critical extension or a kind of name constraint that cannot be "
			       "evaluated here");
		r = CONF_E_INVALID;
	}
	tls_certificate_done(&certificate);
	return r;
}

static int add_file(struct tls_anchors *set, struct tls_files files, const char *path,
		    struct text *why)
{
	_cleanup_(tls_pem_done) struct tls_pem pem = {};
	gnutls_x509_crt_t *grown;
	int r;

	r = tls_pem_load(&pem, files, path, why);
	for (unsigned int i = 0; r == 0 && i < pem.n; i++) {
		text_addf(why, "certificate %u: ", i + 1);
		r = check_anchor(pem.crts[i], why);
		if (r == 0)
			why->buf[why->len = 0] = '\0';
	}
	if (r != 0)
		return r;
	grown = reallocarray(set->crts, (size_t)set->n + pem.n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	set->crts = grown;
	memcpy(set->crts + set->n, pem.crts, pem.n * sizeof(*grown));
	set->n += pem.n;
	pem.n = 0; /* the certificates have moved */
	return 0;
}

int tls_anchors_load(struct tls_anchors *set, const struct trust_policy *policy, size_t index,
		     struct tls_files files, struct conf_error *reterr)
{
	const struct trust_anchors *from = &policy->anchors[index];
	char buf[sizeof(reterr->text)];
	struct text why;
	int r;

	for (size_t i = 0; i < from->n_files; i++) {
		why = TEXT_INIT(buf);
		buf[0] = '\0';
		r = add_file(set, files, from->files[i], &why);
		if (r == CONF_E_INVALID)
			conf_error_set(reterr, policy->path ? policy->path : from->files[i],
				       from->line, "anchors of %s '%s': %s: %s",
				       from->internal ? "site" : "partner", from->name,
				       from->files[i], buf);
		if (r != 0)
			return r;
	}
	return 0;
}

void tls_anchors_done(struct tls_anchors *set)
{
	for (unsigned int i = 0; i < set->n; i++)
		gnutls_x509_crt_deinit(set->crts[i]);
	free(set->crts);
	*set = (struct tls_anchors){};
}

int tls_anchors_load_all(const struct trust_policy *policy, struct tls_files files,
			 struct tls_anchors **ret, struct conf_error *reterr)
{
	struct tls_anchors *sets = calloc(policy->n_anchors + 1, sizeof(*sets));
	int r = 0;

	if (!sets)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < policy->n_anchors; i++)
		r = tls_anchors_load(&sets[i], policy, i, files, reterr);
	if (r == 0)
		*ret = sets;
	else
		tls_anchors_free_all(sets, policy->n_anchors);
	return r;
}

struct tls_anchors *tls_anchors_free_all(struct tls_anchors *sets, size_t n)
{
	for (size_t i = 0; sets && i < n; i++)
		tls_anchors_done(&sets[i]);
	free(sets);
	return NULL;
}
