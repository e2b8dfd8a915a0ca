/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The priority string, from nothing up: a later GnuTLS or a system default adds no algorithm to
 * it. A system-wide crypto policy may still take some away, which is looked for once at start.
 */

#include <tls/priority.h>

static const struct {
	gnutls_cipher_algorithm_t gnutls;
	const char *word;
} ciphers[_KTLS_CIPHER_MAX] = {
	[KTLS_AES_128_GCM] = { GNUTLS_CIPHER_AES_128_GCM, ":+AES-128-GCM" },
	[KTLS_AES_256_GCM] = { GNUTLS_CIPHER_AES_256_GCM, ":+AES-256-GCM" },
	[KTLS_CHACHA20_POLY1305] = { GNUTLS_CIPHER_CHACHA20_POLY1305, ":+CHACHA20-POLY1305" },
};

static const struct {
	gnutls_protocol_t gnutls;
	const char *word;
} versions[_KTLS_VERSION_MAX] = {
	[KTLS_TLS12] = { GNUTLS_TLS1_2, ":+VERS-TLS1.2" },
	[KTLS_TLS13] = { GNUTLS_TLS1_3, ":+VERS-TLS1.3" },
};

/* Our order of preference. */
static const enum ktls_cipher cipher_order[] = { KTLS_AES_256_GCM, KTLS_CHACHA20_POLY1305,
						 KTLS_AES_128_GCM };

/* No SHA-1, no DSA; RSA PKCS #1 is for TLS 1.2 and for certificates (RFC 8446 4.2.3). */
#define PRIORITY_REST                                                                              \
	":+AEAD:+ECDHE-ECDSA:+ECDHE-RSA:+COMP-NULL:+CTYPE-X509"                                    \
	":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-X448:+GROUP-SECP521R1"            \
	":+SIGN-EDDSA-ED25519:+SIGN-EDDSA-ED448"                                                   \
	":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SECP521R1-SHA512"  \
	":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA512"                                \
	":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-RSAE-SHA512"           \
	":+SIGN-RSA-PSS-SHA256:+SIGN-RSA-PSS-SHA384:+SIGN-RSA-PSS-SHA512"                          \
	":+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512"                                      \
	":%NO_TICKETS:%SAFE_RENEGOTIATION:%SERVER_PRECEDENCE"

#define PRIORITY_SIZE 1024

struct tls_suites tls_suites_choose(const struct tls_job *job)
{
	uint8_t mask12 = job->kernel_ciphers[KTLS_TLS12] & TLS_CIPHERS_ALL;
	uint8_t mask13 = job->kernel_ciphers[KTLS_TLS13] & TLS_CIPHERS_ALL;
	struct tls_suites suites = { .versions = TLS_VERSION_BIT(KTLS_TLS13) };

	/*
	 * GnuTLS has one list of ciphers for both versions. Without the fallback a cipher that the
	 * kernel takes in one of them only must not be offered; TLS 1.3 goes first where that
	 * leaves nothing in common.
	 */
	if (job->tls12 && (job->fallback || (mask12 && (!mask13 || (mask12 & mask13)))))
		suites.versions |= TLS_VERSION_BIT(KTLS_TLS12);
	if (!job->fallback && !mask13)
		suites.versions &= (uint8_t)~TLS_VERSION_BIT(KTLS_TLS13);

	if (!(suites.versions & TLS_VERSION_BIT(KTLS_TLS12)))
		suites.preferred = mask13;
	else if (!(suites.versions & TLS_VERSION_BIT(KTLS_TLS13)))
		suites.preferred = mask12;
	else
		suites.preferred = mask12 & mask13;
	suites.ciphers = job->fallback ? TLS_CIPHERS_ALL : suites.preferred;
	return suites;
}

static void add_ciphers(struct text *t, uint8_t mask)
{
	for (size_t i = 0; i < ARRAY_SIZE(cipher_order); i++) {
		if (mask & TLS_CIPHER_BIT(cipher_order[i]))
			text_addf(t, "%s", ciphers[cipher_order[i]].word);
	}
}

int tls_priority_new(struct tls_suites suites, gnutls_priority_t *ret)
{
	char buf[PRIORITY_SIZE];
	struct text text = TEXT_INIT(buf);
	const unsigned int *list;
	gnutls_priority_t priority;
	int r;

	if (!suites.ciphers || !suites.versions)
		return TLS_PRIORITY_E_EMPTY;
	text_addf(&text, "NONE");
	for (size_t v = _KTLS_VERSION_MAX; v-- > 0;) {
		if (suites.versions & TLS_VERSION_BIT(v))
			text_addf(&text, "%s", versions[v].word);
	}
	add_ciphers(&text, suites.ciphers & suites.preferred);
	add_ciphers(&text, suites.ciphers & (uint8_t)~suites.preferred);
	text_addf(&text, "%s", PRIORITY_REST);

	r = gnutls_priority_init(&priority, buf, NULL);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	if (r < 0)
		return TLS_PRIORITY_E_EMPTY;
	if (gnutls_priority_cipher_list(priority, &list) <= 0 ||
	    gnutls_priority_protocol_list(priority, &list) <= 0) {
		gnutls_priority_deinit(priority);
		return TLS_PRIORITY_E_EMPTY;
	}
	*ret = priority;
	return 0;
}

bool tls_cipher_from_gnutls(gnutls_cipher_algorithm_t cipher, enum ktls_cipher *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++) {
		if (ciphers[i].gnutls == cipher) {
			*ret = (enum ktls_cipher)i;
			return true;
		}
	}
	return false;
}

bool tls_version_from_gnutls(gnutls_protocol_t version, enum ktls_version *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		if (versions[i].gnutls == version) {
			*ret = (enum ktls_version)i;
			return true;
		}
	}
	return false;
}
