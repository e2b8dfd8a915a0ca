/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Name constraints beyond what GnuTLS checks by itself: they bind every name that identifies a
 * server here, and a wildcard is all the names it stands for.
 */

#include <siptls/tls.h>
#include <strings.h>
#include <tls/verify.h>

#define SUBTREES_MAX 1024 /* excluded ones of all certificates of a path */

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

static bool could_be_host(const struct trust_name *name)
{
	for (uint32_t i = 0; i < name->len; i++) {
		unsigned char c = (unsigned char)name->value[i];

		if (c == ' ' || c == ',')
			return false;
	}
	return name->len > 0;
}

/* The host that @name stands for, if it is of a kind that identifies a server. */
static bool name_host(const struct trust_name *name, gnutls_datum_t *ret)
{
	switch (name->type) {
	case TRUST_NAME_CN:
		/* "Example Ltd, edge" is nobody's host name and identifies nobody here. */
		if (!could_be_host(name))
			return false;
		*ret = tls_datum(name->value, name->len);
		return true;
	case TRUST_NAME_DNS:
		*ret = tls_datum(name->value, name->len);
		return true;
	case TRUST_NAME_URI:
		return sip_host(name, ret);
	case TRUST_NAME_IP:
	case TRUST_NAME_OTHER:
	case _TRUST_NAME_TYPE_MAX:
		break;
	}
	return false;
}

/* What follows the first label, if that has an asterisk. */
static bool wildcard_parent(const gnutls_datum_t *host, gnutls_datum_t *ret)
{
	const unsigned char *dot = memchr(host->data, '.', host->size);
	size_t label = dot ? (size_t)(dot - host->data) : host->size;

	if (!dot || !memchr(host->data, '*', label))
		return false;
	*ret = tls_datum(dot + 1, host->size - label - 1);
	return true;
}

/*
 * "*.example" stands for bad.example too. GnuTLS compares the name as it is written, which finds
 * a subtree that the wildcard lies in but not one that lies right below the wildcard's parent.
 */
static bool subtree_touches(const gnutls_datum_t *subtree, const gnutls_datum_t *parent)
{
	const char *name = (const char *)subtree->data;
	size_t len = subtree->size, label;

	if (len > 0 && name[0] == '.')
		name++, len--;
	if (len <= parent->size)
		return false;
	label = len - parent->size - 1;
	return label > 0 && name[label] == '.' && !memchr(name, '.', label) &&
	       strncasecmp(name + label + 1, (const char *)parent->data, parent->size) == 0;
}

struct subtrees {
	gnutls_datum_t list[SUBTREES_MAX]; /* of DNS names, excluded */
	size_t n;
	bool all; /* and there are no more */
};

static void subtrees_read(gnutls_x509_name_constraints_t constraints, struct subtrees *ret)
{
	ret->n = 0;
	ret->all = false;
	for (unsigned int i = 0; i < SUBTREES_MAX; i++) {
		gnutls_datum_t subtree;
		unsigned int type;
		int r;

		r = gnutls_x509_name_constraints_get_excluded(constraints, i, &type, &subtree);
		ret->all = r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
		if (r < 0)
			return;
		if (type == GNUTLS_SAN_DNSNAME)
			ret->list[ret->n++] = subtree;
	}
}

static bool wildcard_permitted(const struct subtrees *excluded, const gnutls_datum_t *parent)
{
	for (size_t i = 0; i < excluded->n; i++) {
		if (subtree_touches(&excluded->list[i], parent))
			return false;
	}
	return excluded->all;
}

/*
 * A common name and the host of a sip: URI identify servers here just as DNS names do, so
 * constraints on DNS names bind them too (RFC 5280 alone leaves both free).
 */
bool tls_names_permitted(const struct trust_facts *facts,
			 gnutls_x509_name_constraints_t constraints)
{
	struct subtrees excluded;

	subtrees_read(constraints, &excluded);
	for (size_t i = 0; i < facts->n_names; i++) {
		gnutls_datum_t host, parent;

		if (!name_host(&facts->names[i], &host))
			continue;
		if (!gnutls_x509_name_constraints_check(constraints, GNUTLS_SAN_DNSNAME, &host))
			return false;
		if (wildcard_parent(&host, &parent) && !wildcard_permitted(&excluded, &parent))
			return false;
	}
	return true;
}
