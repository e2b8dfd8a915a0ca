/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One chain against one set of anchors. The path is built here, from the leaf over whatever the
 * peer presented (any order, certificates that do not belong, cross-signed CAs) to an anchor;
 * GnuTLS then verifies exactly that path against exactly that anchor. Times, strength and unknown
 * critical extensions are left to trust, which knows them for every certificate of the path.
 */

#include <siptls/tls.h>
#include <strings.h>
#include <tls/verify.h>

#define VERIFY_FLAGS                                                                               \
	(GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |           \
	 GNUTLS_VERIFY_DISABLE_CRL_CHECKS | GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT |            \
	 GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN | GNUTLS_VERIFY_IGNORE_UNKNOWN_CRIT_EXTENSIONS)

struct search {
	const struct tls_anchors *anchors;
	const struct trust_facts *facts;
	const struct tls_chain *chain;
	uint8_t stack[TRUST_CHAIN_MAX]; /* indices into @chain, leaf first */
	uint8_t n;
	unsigned int nodes, checks;
	struct trust_path *best;
	int error; /* -errno: the search is broken off */
};

/* An outcome that tells more replaces one that tells less. */
static bool outcome_is_better(enum trust_chain a, enum trust_chain b)
{
	static const uint8_t rank[_TRUST_CHAIN_MAX] = {
		[TRUST_CHAIN_UNKNOWN_CA] = 0,
		[TRUST_CHAIN_BAD_SIGNATURE] = 1,
		[TRUST_CHAIN_CONSTRAINT] = 2,
		[TRUST_CHAIN_OK] = 3,
	};

	return rank[a] > rank[b];
}

static void record_certs(struct search *s)
{
	memcpy(s->best->certs, s->stack, s->n);
	s->best->n_certs = s->n;
}

static int record_anchor(struct search *s, gnutls_x509_crt_t anchor)
{
	char buf[256];
	struct text ignored = TEXT_INIT(buf);
	struct trust_certificate certificate;
	int r;

	r = tls_certificate_read(anchor, &certificate, &ignored);
	if (r != 0)
		return r < 0 ? r : -EBADMSG; /* it was read when the store was made */
	free(s->best->anchor_subject);
	s->best->anchor_subject = steal_ptr(certificate.subject);
	memcpy(s->best->anchor_fingerprint, certificate.fingerprint,
	       sizeof(certificate.fingerprint));
	s->best->anchor_not_before = certificate.not_before;
	s->best->anchor_not_after = certificate.not_after;
	tls_certificate_done(&certificate);
	return 0;
}

/* GnuTLS calls an algorithm insecure: trust must have a fact on this path to refuse it by. */
static bool path_is_known_weak(const struct search *s)
{
	for (uint8_t i = 0; i < s->n; i++) {
		const struct trust_certificate *certificate = &s->facts->certs[s->stack[i]];

		if (certificate->hash == TRUST_HASH_WEAK ||
		    tls_certificate_is_weak_key(certificate))
			return true;
	}
	return false;
}

static enum trust_chain status_outcome(const struct search *s, unsigned int status)
{
	if (status == 0)
		return TRUST_CHAIN_OK;
	if (status & GNUTLS_CERT_SIGNATURE_FAILURE)
		return TRUST_CHAIN_BAD_SIGNATURE;
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return TRUST_CHAIN_UNKNOWN_CA;
	if ((status & ~(unsigned int)GNUTLS_CERT_INVALID) == GNUTLS_CERT_INSECURE_ALGORITHM &&
	    path_is_known_weak(s))
		return TRUST_CHAIN_OK;
	return TRUST_CHAIN_CONSTRAINT;
}

/* The host of a sip: URI without user part, which is what RFC 5922 7.1 takes as a name. */
static bool sip_host(const struct trust_name *name, gnutls_datum_t *ret)
{
	size_t end = 4;

	if (name->len <= 4 || strncasecmp(name->value, "sip:", 4) != 0 ||
	    memchr(name->value, '@', name->len))
		return false;
	while (end < name->len && !strchr(":;?", name->value[end]))
		end++;
	*ret = tls_datum(name->value + 4, end - 4);
	return true;
}

/*
 * A common name and the host of a sip: URI identify servers here just as DNS names do, so
 * constraints on DNS names bind them too (RFC 5280 alone leaves both free).
 */
static bool names_permitted(const struct search *s, gnutls_x509_name_constraints_t constraints)
{
	for (size_t i = 0; i < s->facts->n_names; i++) {
		const struct trust_name *name = &s->facts->names[i];
		gnutls_datum_t host;

		if (name->type == TRUST_NAME_CN)
			host = tls_datum(name->value, name->len);
		else if (name->type != TRUST_NAME_URI || !sip_host(name, &host))
			continue;
		if (!gnutls_x509_name_constraints_check(constraints, GNUTLS_SAN_DNSNAME, &host))
			return false;
	}
	return true;
}

static enum trust_chain check_constrained_names(const struct search *s, gnutls_x509_crt_t anchor)
{
	gnutls_x509_name_constraints_t constraints;
	bool any = false, ok = true;

	if (gnutls_x509_name_constraints_init(&constraints) < 0)
		return TRUST_CHAIN_CONSTRAINT;
	for (uint8_t i = s->n; i > 0 && ok; i--) {
		gnutls_x509_crt_t crt = i == s->n ? anchor : s->chain->crts[s->stack[i]];
		int r = gnutls_x509_crt_get_name_constraints(
			crt, constraints, any ? GNUTLS_NAME_CONSTRAINTS_FLAG_APPEND : 0, NULL);

		if (r >= 0)
			any = true;
		else
			ok = r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
	}
	if (any && ok)
		ok = names_permitted(s, constraints);
	gnutls_x509_name_constraints_deinit(constraints);
	return ok ? TRUST_CHAIN_OK : TRUST_CHAIN_CONSTRAINT;
}

static int verify_path(const struct search *s, gnutls_x509_crt_t anchor, enum trust_chain *ret)
{
	gnutls_x509_crt_t crts[TRUST_CHAIN_MAX];
	gnutls_x509_trust_list_t list;
	enum trust_chain outcome = TRUST_CHAIN_CONSTRAINT;
	unsigned int status = 0;

	for (uint8_t i = 0; i < s->n; i++)
		crts[i] = s->chain->crts[s->stack[i]];
	if (gnutls_x509_trust_list_init(&list, 1) < 0)
		return -ENOMEM;
	if (gnutls_x509_trust_list_add_cas(list, &anchor, 1, 0) == 1 &&
	    gnutls_x509_trust_list_verify_crt2(list, crts, s->n, NULL, 0, VERIFY_FLAGS, &status,
					       NULL) >= 0)
		outcome = status_outcome(s, status);
	gnutls_x509_trust_list_deinit(list, 0);
	if (outcome == TRUST_CHAIN_OK)
		outcome = check_constrained_names(s, anchor);
	*ret = outcome;
	return 0;
}

/* The stack ends below @anchor. true: a path that holds, or the search is over. */
static bool try_anchor(struct search *s, gnutls_x509_crt_t anchor)
{
	enum trust_chain outcome;

	if (s->checks++ == TLS_PATH_CHECKS_MAX)
		return true;
	s->error = verify_path(s, anchor, &outcome);
	if (s->error < 0)
		return true;
	if (!s->best->anchor_subject || outcome_is_better(outcome, s->best->outcome)) {
		s->best->outcome = outcome;
		record_certs(s);
		s->error = record_anchor(s, anchor);
	}
	return s->error < 0 || outcome == TRUST_CHAIN_OK;
}

static bool on_stack(const struct search *s, size_t index)
{
	return memchr(s->stack, (int)index, s->n);
}

/* Depth first, anchors before intermediates: the shortest way up is tried first. */
static bool extend(struct search *s)
{
	gnutls_x509_crt_t last = s->chain->crts[s->stack[s->n - 1]];

	if (s->nodes++ == TLS_PATH_NODES_MAX)
		return true;
	if (!s->best->anchor_subject && s->n > s->best->n_certs)
		record_certs(s); /* shown when no anchor is reached */
	for (unsigned int i = 0; i < s->anchors->n; i++) {
		gnutls_x509_crt_t anchor = s->anchors->crts[i];

		if (gnutls_x509_crt_check_issuer(last, anchor) && try_anchor(s, anchor))
			return true;
	}
	if (s->n == TRUST_CHAIN_MAX)
		return false;
	for (size_t i = 1; i < s->chain->n; i++) {
		if (on_stack(s, i) || !gnutls_x509_crt_check_issuer(last, s->chain->crts[i]))
			continue;
		s->stack[s->n++] = (uint8_t)i;
		if (extend(s))
			return true;
		s->n--;
	}
	return false;
}

int tls_path_find(const struct tls_anchors *anchors, uint32_t index,
		  const struct trust_facts *facts, const struct tls_chain *chain,
		  struct trust_path *ret)
{
	struct trust_path path = { .anchors = index, .outcome = TRUST_CHAIN_UNKNOWN_CA };
	struct search search = {
		.anchors = anchors,
		.facts = facts,
		.chain = chain,
		.n = 1,
		.best = &path,
	};

	if (chain->n > 0)
		(void)extend(&search);
	if (search.error < 0) {
		free(path.anchor_subject);
		return search.error;
	}
	*ret = path;
	return 0;
}
