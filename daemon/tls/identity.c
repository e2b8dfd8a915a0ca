/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One identity of ours: certificate chain, private key, and the names it may be asked for by. */

#include <strings.h>
#include <tls/store.h>

#define KEY_ID_SIZE 32 /* SHA-256 of the SubjectPublicKeyInfo */

void tls_identity_done(struct tls_identity *identity)
{
	for (unsigned int i = 0; i < identity->n_certs; i++)
		gnutls_pcert_deinit(&identity->certs[i]);
	if (identity->key)
		gnutls_privkey_deinit(identity->key);
	gnutls_free(identity->staple.response.data);
	trust_facts_done(&identity->facts);
	*identity = (struct tls_identity){};
}

/* Facts about ourselves: a chain that this very module would call unreadable is no identity. */
static int read_facts(struct tls_identity *identity, struct text *why)
{
	gnutls_datum_t ders[TRUST_CHAIN_MAX];
	struct tls_chain chain;
	int r;

	for (unsigned int i = 0; i < identity->n_certs; i++)
		ders[i] = identity->certs[i].cert;
	r = tls_facts_read(ders, identity->n_certs, &identity->facts, &chain, why);
	if (r != 0)
		return r < 0 ? r : CONF_E_INVALID;
	tls_chain_done(&chain);
	if (trust_key_is_weak(&identity->facts.certs[0])) {
		text_addf(why,
			  "weak key of %u bits, expected RSA of 2048 bits or more, ECDSA or EdDSA",
			  identity->facts.certs[0].key_bits);
		return CONF_E_INVALID;
	}
	return 0;
}

static int load_certificates(struct tls_identity *identity, struct tls_files files,
			     const char *path, struct text *why)
{
	_cleanup_(tls_pem_done) struct tls_pem pem = {};
	int r;

	r = tls_pem_load(&pem, files, path, why);
	if (r != 0)
		return r;
	if (pem.n > TRUST_CHAIN_MAX) {
		text_addf(why, "%u certificates, at most " STR(TRUST_CHAIN_MAX) " are taken",
			  pem.n);
		return CONF_E_INVALID;
	}
	for (unsigned int i = 0; i < pem.n; i++) {
		r = gnutls_pcert_import_x509(&identity->certs[i], pem.crts[i], 0);
		if (r < 0) {
			text_addf(why, "certificate %u: %s", i + 1, gnutls_strerror(r));
			return CONF_E_INVALID;
		}
		identity->n_certs = i + 1;
	}
	return read_facts(identity, why);
}

/* The key must be that of the first certificate; both key identifiers tell what was mixed up. */
static int check_key(gnutls_x509_privkey_t key, gnutls_pcert_st *leaf, struct text *why)
{
	uint8_t of_key[KEY_ID_SIZE], of_cert[KEY_ID_SIZE];
	char hex_key[2 * KEY_ID_SIZE + 1], hex_cert[2 * KEY_ID_SIZE + 1];
	size_t size_key = sizeof(of_key), size_cert = sizeof(of_cert);

	if (gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &size_key) < 0 ||
	    gnutls_pubkey_get_key_id(leaf->pubkey, GNUTLS_KEYID_USE_SHA256, of_cert, &size_cert) <
		    0)
		return -EIO;
	if (size_key == size_cert && memcmp(of_key, of_cert, size_key) == 0)
		return 0;
	hex_format(of_key, size_key, hex_key);
	hex_format(of_cert, size_cert, hex_cert);
	text_addf(why,
		  "does not belong to the first certificate: key identifier (SHA-256) of the "
		  "key %s, of the certificate %s",
		  hex_key, hex_cert);
	return CONF_E_INVALID;
}

static int import_key(gnutls_x509_privkey_t key, const char *bytes, size_t size, struct text *why)
{
	gnutls_datum_t data = tls_datum(bytes, size);
	int r;

	r = gnutls_x509_privkey_import2(key, &data, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);
	if (r >= 0)
		return 0;
	if (r == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	if (memmem(bytes, size, "ENCRYPTED", strlen("ENCRYPTED")))
		text_addf(why,
			  "is encrypted with a password; expected a plain private key, guarded "
			  "by the file's permissions");
	else
		text_addf(why, "not readable as a PEM private key: %s", gnutls_strerror(r));
	return CONF_E_INVALID;
}

static int load_key(struct tls_identity *identity, struct tls_files files, const char *path,
		    struct text *why)
{
	gnutls_x509_privkey_t key;
	const char *bytes;
	size_t size;
	int r;

	if (!files.read(files.userdata, path, &bytes, &size) || size > UINT32_MAX) {
		text_addf(why, "cannot be read");
		return CONF_E_INVALID;
	}
	if (gnutls_x509_privkey_init(&key) < 0)
		return -ENOMEM;
	r = import_key(key, bytes, size, why);
	if (r == 0)
		r = check_key(key, &identity->certs[0], why);
	if (r == 0 && gnutls_privkey_init(&identity->key) < 0)
		r = -ENOMEM;
	if (r != 0) {
		gnutls_x509_privkey_deinit(key);
		return r;
	}
	if (gnutls_privkey_import_x509(identity->key, key, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE) <
	    0) {
		gnutls_x509_privkey_deinit(key);
		return -EIO;
	}
	return 0;
}

/* The files of an identity in the order in which they are read, and the lines that name them. */
int tls_identity_load(struct tls_identity *identity, const struct conf *conf,
		      const struct conf_identity *from, struct tls_files files,
		      struct conf_error *reterr)
{
	const struct {
		int (*load)(struct tls_identity *identity, struct tls_files files, const char *path,
			    struct text *why);
		const char *path;
		uint32_t line;
	} parts[] = {
		{ load_certificates, from->certificate, from->line_certificate },
		{ load_key, from->key, from->line_key },
		{ tls_identity_load_staple, from->ocsp, from->line_ocsp },
	};
	char buf[sizeof(reterr->text)];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++) {
		struct text why = TEXT_INIT(buf);

		if (!parts[i].path)
			continue;
		buf[0] = '\0';
		r = parts[i].load(identity, files, parts[i].path, &why);
		if (r == CONF_E_INVALID)
			conf_error_set(reterr, conf->path, parts[i].line, "identity '%s': %s: %s",
				       from->name, parts[i].path, buf);
	}
	return r;
}

static bool name_covers(const struct trust_name *name, const char *sni)
{
	const char *value = name->value;
	size_t len = name->len, sni_len = strlen(sni);
	const char *dot;

	if (len > 2 && value[0] == '*' && value[1] == '.') {
		dot = strchr(sni, '.'); /* one label (RFC 9525 6.3) */
		if (!dot || dot == sni)
			return false;
		value++, len--;
		sni_len -= (size_t)(dot - sni);
		sni = dot;
	}
	return len == sni_len && strncasecmp(value, sni, len) == 0;
}

bool tls_identity_serves(const struct tls_identity *identity, const char *sni)
{
	for (size_t i = 0; i < identity->facts.n_names; i++) {
		const struct trust_name *name = &identity->facts.names[i];

		if (name->type == TRUST_NAME_CN && identity->facts.has_san)
			continue;
		if (name->type != TRUST_NAME_DNS && name->type != TRUST_NAME_CN)
			continue;
		if (name_covers(name, sni))
			return true;
	}
	return false;
}
