/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One chain against one set of anchors. The path is built here, from the leaf over whatever the
 * peer presented (any order, certificates that do not belong, cross-signed CAs) to an anchor;
 * GnuTLS then verifies exactly that path against exactly that anchor. Times, strength and unknown
 * critical extensions are left to trust, which knows them for every certificate of the path.
 */

#include <siptls/tls.h>
#include <tls/verify.h>

#define VERIFY_FLAGS                                                                               \
	(GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |           \
	 GNUTLS_VERIFY_DISABLE_CRL_CHECKS | GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT |            \
	 GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN | GNUTLS_VERIFY_IGNORE_UNKNOWN_CRIT_EXTENSIONS)

struct search {
	const struct tls_anchors *anchors;
	uint32_t index; /* of the set */
	const struct trust_facts *facts;
	const struct tls_chain *chain;
	uint8_t stack[TRUST_CHAIN_MAX]; /* indices into @chain, leaf first */
	uint8_t n;
	unsigned int nodes;
	struct trust_path failed; /* the best of those that do not hold */
	struct tls_paths *found;  /* those that do */
	int error;		  /* -errno: the search is broken off */
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

static void record_certs(const struct search *s, struct trust_path *path)
{
	memcpy(path->certs, s->stack, s->n);
	path->n_certs = s->n;
}

/* The stack with @anchor above it, as a path; its old contents are freed. */
static int record(const struct search *s, gnutls_x509_crt_t anchor, enum trust_chain outcome,
		  struct trust_path *path)
{
	char buf[256];
	struct text ignored = TEXT_INIT(buf);
	struct trust_certificate certificate;
	int r;

	r = tls_certificate_read(anchor, &certificate, &ignored);
	if (r != 0)
		return r < 0 ? r : -EBADMSG; /* it was read when the store was made */
	free(path->anchor_subject);
	*path = (struct trust_path){
		.anchors = s->index,
		.outcome = outcome,
		.anchor_subject = steal_ptr(certificate.subject),
		.anchor_not_before = certificate.not_before,
		.anchor_not_after = certificate.not_after,
	};
	record_certs(s, path);
	memcpy(path->anchor_fingerprint, certificate.fingerprint, sizeof(certificate.fingerprint));
	memcpy(path->anchor_id, certificate.id, sizeof(certificate.id));
	tls_certificate_done(&certificate);
	return 0;
}

/* GnuTLS calls an algorithm insecure: trust must have a fact on this path to refuse it by. */
static bool path_is_known_weak(const struct search *s)
{
	for (uint8_t i = 0; i < s->n; i++) {
		const struct trust_certificate *certificate = &s->facts->certs[s->stack[i]];

		if (certificate->hash == TRUST_HASH_WEAK || trust_key_is_weak(certificate))
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
		ok = tls_names_permitted(s->facts, constraints);
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

/* The stack ends below @anchor. true: the search is over. */
static bool try_anchor(struct search *s, gnutls_x509_crt_t anchor)
{
	struct tls_paths *found = s->found;
	enum trust_chain outcome;

	if (found->checks == TLS_PATH_CHECKS_MAX)
		return true;
	found->checks++;
	s->error = verify_path(s, anchor, &outcome);
	if (s->error < 0)
		return true;
	if (outcome == TRUST_CHAIN_OK) {
		s->error = record(s, anchor, outcome, &found->list[found->n]);
		if (s->error == 0)
			found->n++;
	} else if (!s->failed.anchor_subject || outcome_is_better(outcome, s->failed.outcome)) {
		s->error = record(s, anchor, outcome, &s->failed);
	}
	return s->error < 0 || found->n == TLS_PATHS_MAX;
}

/*
 * Again the same anchor adds nothing: listed twice, or presented by the peer as well and on the
 * stack already. (The leaf itself may be an anchor; that is for trust to refuse.)
 */
static bool anchor_is_repeated(const struct search *s, unsigned int anchor)
{
	gnutls_x509_crt_t crt = s->anchors->crts[anchor];

	for (unsigned int i = 0; i < anchor; i++) {
		if (gnutls_x509_crt_equals(crt, s->anchors->crts[i]))
			return true;
	}
	return s->n > 1 && gnutls_x509_crt_equals(crt, s->chain->crts[s->stack[s->n - 1]]);
}

/* true: the search is over. */
static bool try_anchors(struct search *s, gnutls_x509_crt_t last)
{
	for (unsigned int i = 0; i < s->anchors->n; i++) {
		if (gnutls_x509_crt_check_issuer(last, s->anchors->crts[i]) &&
		    !anchor_is_repeated(s, i) && try_anchor(s, s->anchors->crts[i]))
			return true;
	}
	return false;
}

/*
 * Name and key of a CA occur once on a path (RFC 4158 2.4.2); a certificate that is presented twice
 * is tried once.
 */
static bool is_repeated(const struct search *s, size_t index)
{
	const struct trust_certificate *certs = s->facts->certs;

	for (uint8_t i = 0; i < s->n; i++) {
		if (memcmp(certs[s->stack[i]].id, certs[index].id, sizeof(certs->id)) == 0)
			return true;
	}
	for (size_t i = 1; i < index; i++) {
		if (memcmp(certs[i].fingerprint, certs[index].fingerprint,
			   sizeof(certs->fingerprint)) == 0)
			return true;
	}
	return false;
}

/* Depth first, anchors before intermediates: the shortest way up is tried first. */
static bool extend(struct search *s)
{
	gnutls_x509_crt_t last = s->chain->crts[s->stack[s->n - 1]];

	if (s->nodes++ == TLS_PATH_NODES_MAX)
		return true;
	if (!s->failed.anchor_subject && s->n > s->failed.n_certs)
		record_certs(s, &s->failed); /* shown when no anchor is reached */
	if (try_anchors(s, last))
		return true;
	if (s->n == TRUST_CHAIN_MAX)
		return false;
	for (size_t i = 1; i < s->chain->n; i++) {
		if (is_repeated(s, i) || !gnutls_x509_crt_check_issuer(last, s->chain->crts[i]))
			continue;
		s->stack[s->n++] = (uint8_t)i;
		if (extend(s))
			return true;
		s->n--;
	}
	return false;
}

void tls_paths_done(struct tls_paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->list[i].anchor_subject);
	*paths = (struct tls_paths){};
}

int tls_path_find(const struct tls_anchors *anchors, uint32_t index,
		  const struct trust_facts *facts, const struct tls_chain *chain,
		  struct tls_paths *ret)
{
	struct tls_paths found = {};
	struct search search = {
		.anchors = anchors,
		.index = index,
		.facts = facts,
		.chain = chain,
		.n = 1,
		.failed = { .anchors = index, .outcome = TRUST_CHAIN_UNKNOWN_CA },
		.found = &found,
	};

	if (chain->n > 0)
		(void)extend(&search);
	if (search.error == 0 && found.n == 0)
		found.list[found.n++] = search.failed;
	else
		free(search.failed.anchor_subject);
	if (search.error < 0) {
		tls_paths_done(&found);
		return search.error;
	}
	*ret = found;
	return 0;
}

gnutls_x509_crt_t tls_path_anchor(const struct tls_anchors *anchors, const struct trust_path *path)
{
	for (unsigned int i = 0; i < anchors->n; i++) {
		uint8_t fingerprint[sizeof(path->anchor_fingerprint)];
		size_t size = sizeof(fingerprint);

		if (gnutls_x509_crt_get_fingerprint(anchors->crts[i], GNUTLS_DIG_SHA256,
						    fingerprint, &size) >= 0 &&
		    memcmp(fingerprint, path->anchor_fingerprint, sizeof(fingerprint)) == 0)
			return anchors->crts[i];
	}
	return NULL;
}
