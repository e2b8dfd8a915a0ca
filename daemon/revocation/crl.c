/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CertificateList (RFC 5280 5) in one pass over its bytes. What RFC 5280 forbids to pass over, and
 * is not done here, makes a list unsupported; what is no CertificateList is malformed.
 */

#include <revocation/crl.h>

#include <stdio.h>

#define REASON_REMOVE_FROM_CRL 8
#define REASON_MAX	       10

struct reader {
	struct revocation_crl *crl;
	struct text *why;
	size_t capacity; /* of crl->entries */
	int error;
	/* of the entry being read */
	uint8_t reason;
};

static int malformed(struct text *why, const char *what)
{
	text_addf(why, "not a CRL: %s cannot be read", what);
	return REVOCATION_E_MALFORMED;
}

/* The first reason is told. */
static void unsupported(struct revocation_crl *crl, const char *detail)
{
	crl->flags &= ~(uint32_t)BOARD_SUPPORTED;
	if (!crl->detail)
		crl->detail = detail;
}

/* Delta CRLs and those for some reasons: a certificate that is listed is revoked none the less. */
static void partial(struct revocation_crl *crl, uint32_t partly, const char *detail)
{
	crl->flags |= BOARD_PARTIAL;
	crl->partly |= partly;
	if (!crl->detail)
		crl->detail = detail;
}

/* ---- issuingDistributionPoint (RFC 5280 5.2.5) ---- */

static bool read_point_name(struct der point, struct revocation_crl *crl)
{
	struct der full;
	size_t n = 0;
	int r;

	if (der_follows(point, DER_CONSTRUCTED(1))) {
		unsupported(crl, "a distribution point named relative to the issuer");
		return true;
	}
	if (!revocation_der_only(point, DER_CONSTRUCTED(0), &full))
		return false;
	r = revocation_name_scopes(full, crl->points, BOARD_POINTS_MAX, &n);
	if (r && n < BOARD_POINTS_MAX)
		return false;
	if (r)
		unsupported(crl, "more than " STR(BOARD_POINTS_MAX) " distribution point names");
	crl->n_points = (uint32_t)n;
	return true;
}

static bool take_flag(struct der *in, uint8_t n, bool *ret)
{
	struct der value;

	*ret = false;
	if (!der_follows(*in, DER_CONTEXT(n)))
		return true;
	if (!revocation_der_take(in, DER_CONTEXT(n), &value) || value.len != 1)
		return false;
	*ret = value.p[0] != 0;
	return true;
}

static bool take_reasons(struct der *in, struct revocation_crl *crl)
{
	struct der bits;
	uint32_t reasons = 0;

	if (!der_follows(*in, DER_CONTEXT(3)))
		return true;
	/* ReasonFlags has nine bits, after the byte that tells how many are unused */
	if (!revocation_der_take(in, DER_CONTEXT(3), &bits) || bits.len < 2 || bits.len > 3)
		return false;
	for (size_t i = 1; i < bits.len; i++)
		reasons = reasons << 8 | bits.p[i];
	partial(crl, PARTLY_REASONS(reasons), "it covers some reasons only");
	return true;
}

static int compare_points(const void *a, const void *b)
{
	return memcmp(a, b, TRUST_DIGEST_SIZE);
}

static bool read_point(struct der value, struct revocation_crl *crl)
{
	bool users, cas, indirect, attributes;
	struct der point, name;

	if (!revocation_der_only(value, DER_SEQUENCE, &point))
		return false;
	if (der_follows(point, DER_CONSTRUCTED(0)) &&
	    (!revocation_der_take(&point, DER_CONSTRUCTED(0), &name) ||
	     !read_point_name(name, crl)))
		return false;
	if (!take_flag(&point, 1, &users) || !take_flag(&point, 2, &cas))
		return false;
	if (!take_reasons(&point, crl) || !take_flag(&point, 4, &indirect) ||
	    !take_flag(&point, 5, &attributes) || point.len > 0)
		return false;
	if (indirect)
		unsupported(crl, "an indirect CRL");
	crl->flags |= (users ? BOARD_USERS_ONLY : 0u) | (cas ? BOARD_CAS_ONLY : 0u) |
		      (attributes ? BOARD_NOBODY : 0u);
	qsort(crl->points, crl->n_points, TRUST_DIGEST_SIZE, compare_points);
	return true;
}

/* ---- extensions of the list ---- */

static bool read_number(struct der value, struct revocation_crl *crl)
{
	struct der number;

	if (!revocation_der_integer(&value, &number) || value.len > 0 || (number.p[0] & 0x80))
		return false;
	if (number.p[0] == 0)
		number.p++, number.len--;
	if (number.len > CRL_NUMBER_MAX)
		return false;
	memcpy(crl->number, number.p, number.len);
	crl->number_size = number.len;
	crl->has_number = true;
	return true;
}

static bool on_extension(void *userdata, const struct der_extension *extension)
{
	struct revocation_crl *crl = userdata;

	switch (revocation_der_id_ce(extension->oid)) {
	case 18: /* issuerAltName */
	case 35: /* authorityKeyIdentifier: the keys of the name are tried */
		return true;
	case 20:
		return read_number(extension->value, crl);
	case 27:
		partial(crl, PARTLY_DELTA, "a delta CRL");
		return true;
	case 28:
		return read_point(extension->value, crl);
	default:
		if (extension->critical)
			unsupported(crl, "an unknown critical extension");
		return true;
	}
}

/* ---- entries ---- */

static bool read_reason(struct der value, struct reader *reader)
{
	struct der reason;

	if (!revocation_der_only(value, DER_ENUMERATED, &reason) || reason.len != 1 ||
	    reason.p[0] > REASON_MAX)
		return false;
	reader->reason = reason.p[0];
	return true;
}

static bool on_entry_extension(void *userdata, const struct der_extension *extension)
{
	struct reader *reader = userdata;

	switch (revocation_der_id_ce(extension->oid)) {
	case 21:
		return read_reason(extension->value, reader);
	case 23: /* holdInstructionCode: a certificate on hold is refused */
	case 24: /* invalidityDate */
		return true;
	case 29:
		unsupported(reader->crl, "entries of other issuers");
		return true;
	default:
		if (extension->critical)
			unsupported(reader->crl, "an entry with an unknown critical extension");
		return true;
	}
}

static int add_entry(struct reader *reader, struct der serial, int64_t revoked_at)
{
	struct revocation_crl *crl = reader->crl;
	struct board_entry *entry;

	if (crl->n_entries == reader->capacity) {
		size_t capacity = reader->capacity ? reader->capacity * 2 : 16;
		struct board_entry *entries = realloc(crl->entries, capacity * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		crl->entries = entries;
		reader->capacity = capacity;
	}
	entry = &crl->entries[crl->n_entries++];
	entry->when_why = (revoked_at < 0 ? 0 : (uint64_t)revoked_at << 8) | reader->reason;
	return revocation_name_digest(serial, entry->serial_id);
}

static bool read_entry(struct der entry, struct reader *reader)
{
	struct der serial, extensions;
	int64_t revoked_at;

	reader->reason = 0;
	if (!revocation_der_integer(&entry, &serial) || !revocation_der_time(&entry, &revoked_at))
		return false;
	if (entry.len > 0 && (!revocation_der_only(entry, DER_SEQUENCE, &extensions) ||
			      !revocation_der_extensions(extensions, on_entry_extension, reader)))
		return false;
	if (reader->reason != REASON_REMOVE_FROM_CRL && (reader->crl->flags & BOARD_SUPPORTED))
		reader->error = add_entry(reader, serial, revoked_at);
	return true;
}

static int read_entries(struct der list, struct reader *reader)
{
	struct revocation_crl *crl = reader->crl;
	struct der entry;

	while (list.len > 0) {
		if (!revocation_der_take(&list, DER_SEQUENCE, &entry) ||
		    !read_entry(entry, reader)) {
			text_addf(reader->why, "not a CRL: entry %zu cannot be read",
				  crl->n_listed + 1);
			return REVOCATION_E_MALFORMED;
		}
		if (reader->error)
			return reader->error;
		crl->n_listed++;
	}
	if (crl->n_entries > 0)
		qsort(crl->entries, crl->n_entries, sizeof(*crl->entries),
		      revocation_entry_compare);
	return 0;
}

/* ---- the whole ---- */

static int read_issuer(struct der name, struct revocation_crl *crl, struct text *why)
{
	struct der contents;
	int r;

	if (!revocation_der_only(name, DER_SEQUENCE, &contents) || contents.len == 0)
		return malformed(why, "its issuer");
	r = revocation_name_id(contents, crl->name_id);
	if (r > 0)
		return malformed(why, "its issuer");
	if (r < 0)
		return r;
	crl->issuer = revocation_name_text(name);
	return crl->issuer ? 0 : -ENOMEM;
}

static bool read_times(struct der *tbs, struct revocation_crl *crl)
{
	if (!revocation_der_time(tbs, &crl->this_update))
		return false;
	if (!der_follows(*tbs, DER_UTC_TIME) && !der_follows(*tbs, DER_GENERALIZED_TIME))
		return true;
	/* 0 says that there is none */
	return revocation_der_time(tbs, &crl->next_update) && crl->next_update != 0;
}

/* The version 2 of RFC 5280 5.1.2.1, or none for version 1. */
static bool take_version(struct der *tbs, bool *ret_extended)
{
	struct der version;

	*ret_extended = der_follows(*tbs, DER_INTEGER);
	return !*ret_extended ||
	       (revocation_der_integer(tbs, &version) && version.len == 1 && version.p[0] == 1);
}

static int read_tbs(const struct signed_der *in, struct revocation_crl *crl, struct text *why)
{
	struct reader reader = { .crl = crl, .why = why };
	struct der tbs, algorithm, issuer, entries = {}, wrapped, extensions;
	bool extended;
	uint8_t tag;
	int r;

	if (!revocation_der_only(in->message, DER_SEQUENCE, &tbs) ||
	    !take_version(&tbs, &extended) || !revocation_der_next(&tbs, &tag, &algorithm, NULL) ||
	    !der_equal(algorithm, in->algorithm) || /* RFC 5280 5.1.1.2 */
	    !revocation_der_next(&tbs, &tag, &issuer, NULL))
		return malformed(why, "its head");
	r = read_issuer(issuer, crl, why);
	if (r)
		return r;
	if (!read_times(&tbs, crl))
		return malformed(why, "thisUpdate or nextUpdate");
	if (der_follows(tbs, DER_SEQUENCE) && !revocation_der_take(&tbs, DER_SEQUENCE, &entries))
		return malformed(why, "its list of entries");
	if (tbs.len > 0 &&
	    (!extended || !revocation_der_take(&tbs, DER_CONSTRUCTED(0), &wrapped) || tbs.len > 0 ||
	     !revocation_der_only(wrapped, DER_SEQUENCE, &extensions) ||
	     !revocation_der_extensions(extensions, on_extension, crl)))
		return malformed(why, "its extensions");
	return read_entries(entries, &reader);
}

static int read_crl(struct der in, struct revocation_crl *crl, struct text *why)
{
	const char *refused;
	struct signed_der s;
	int r;

	if (!revocation_signed_read(in, &s) || s.rest.len > 0) {
		text_addf(why, "not a CRL");
		return REVOCATION_E_MALFORMED;
	}
	r = read_tbs(&s, crl, why);
	if (r == 0)
		r = revocation_proof_read(&s, &crl->proof, &refused);
	if (r == 0 && refused)
		unsupported(crl, refused);
	return r;
}

int revocation_crl_read(struct der in, struct revocation_crl *ret, struct text *why)
{
	struct revocation_crl crl = { .flags = BOARD_SUPPORTED,
				      .proof = { .algorithm = PROOF_NONE } };
	int r;

	r = read_crl(in, &crl, why);
	if (r) {
		revocation_crl_done(&crl);
		return r;
	}
	if (!(crl.flags & BOARD_SUPPORTED)) { /* nobody will look */
		free(crl.entries);
		crl.entries = NULL;
		crl.n_entries = 0;
	} else if (crl.n_entries > 0) {
		struct board_entry *fit = realloc(crl.entries, crl.n_entries * sizeof(*fit));

		if (fit)
			crl.entries = fit;
	}
	*ret = crl;
	return 0;
}

void revocation_crl_done(struct revocation_crl *crl)
{
	free(crl->issuer);
	free(crl->entries);
	revocation_proof_done(&crl->proof);
	*crl = (struct revocation_crl){ .proof = { .algorithm = PROOF_NONE } };
}

bool revocation_crl_same_scope(const struct revocation_crl *a, const struct revocation_crl *b)
{
	return a->flags == b->flags && a->partly == b->partly && a->n_points == b->n_points &&
	       memcmp(a->points, b->points, a->n_points * TRUST_DIGEST_SIZE) == 0;
}

int revocation_crl_compare_age(const struct revocation_crl *a, const struct revocation_crl *b)
{
	if (a->this_update != b->this_update)
		return a->this_update < b->this_update ? -1 : 1;
	if (a->number_size != b->number_size)
		return a->number_size < b->number_size ? -1 : 1;
	return memcmp(a->number, b->number, a->number_size);
}
