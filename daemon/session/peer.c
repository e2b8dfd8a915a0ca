/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Peers: what a live session was admitted on, once for all sessions with the same chain. The facts
 * are kept packed, as they came over the wire; unpacked they are only while someone judges. What is
 * known of revocation changes with every board and is therefore never part of them.
 */

#include "session.h"

/* FNV-1a: the bytes come from a peer, but a chain of ours has to vouch for each before it is here.
 */
static size_t bucket_index(const uint8_t *bytes, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return (hash ^ hash >> 32) % PEER_BUCKETS;
}

/* Without what the next board may tell otherwise. */
static int pack(const struct trust_facts *facts, uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ struct trust_path *paths = calloc(facts->n_paths + 1, sizeof(*paths));
	struct trust_facts plain = *facts;

	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < facts->n_paths; i++) {
		paths[i] = facts->paths[i];
		memset(paths[i].links, 0, sizeof(paths[i].links));
	}
	plain.paths = paths;
	return worker_facts_pack(&plain, ret, ret_size);
}

static int texts_make(const struct trust_facts *facts, const struct trust_verdict *verdict,
		      char **ret)
{
	const struct trust_certificate *leaf = &facts->certs[0];
	char fingerprint[2 * sizeof(leaf->fingerprint) + 1];
	const char *texts[_PEER_TEXT_MAX] = {
		[PEER_TEXT_SUBJECT] = leaf->subject,
		[PEER_TEXT_ISSUER] = leaf->issuer,
		[PEER_TEXT_SERIAL] = leaf->serial,
		[PEER_TEXT_FINGERPRINT] = fingerprint,
		[PEER_TEXT_ANCHOR] = verdict->path ? verdict->path->anchor_subject : NULL,
	};
	size_t size = 0;
	char *p;

	hex_format(leaf->fingerprint, sizeof(leaf->fingerprint), fingerprint);
	for (int i = 0; i < _PEER_TEXT_MAX; i++)
		size += (texts[i] ? strlen(texts[i]) : 0) + 1;
	p = *ret = malloc(size);
	if (!p)
		return -ENOMEM;
	for (int i = 0; i < _PEER_TEXT_MAX; i++)
		p = stpcpy(p, texts[i] ? texts[i] : "") + 1;
	return 0;
}

/* ---- issuers ---- */

/* An intermediate that live peers rest on, once for all of them. */
struct issuer {
	struct list node;
	uint32_t refs;
	uint32_t len;
	char der[];
};

static struct issuer *issuer_get(struct sessions *sessions, const struct worker_der *from)
{
	struct issuer *issuer;

	list_foreach (node, &sessions->issuers) {
		issuer = container_of(node, struct issuer, node);
		if (issuer->len == from->len && memcmp(issuer->der, from->der, from->len) == 0) {
			issuer->refs++;
			return issuer;
		}
	}
	issuer = malloc(sizeof(*issuer) + from->len);
	if (!issuer)
		return NULL;
	issuer->refs = 1;
	issuer->len = from->len;
	memcpy(issuer->der, from->der, from->len);
	list_append(&sessions->issuers, &issuer->node);
	return issuer;
}

static void issuer_unref(struct issuer *issuer)
{
	if (--issuer->refs > 0)
		return;
	list_remove(&issuer->node);
	free(issuer);
}

static int issuers_take(struct peer *peer, const struct worker_result *result)
{
	if (result->n_issuers == 0)
		return 0;
	peer->issuers = calloc(result->n_issuers, sizeof(struct issuer *));
	if (!peer->issuers)
		return -ENOMEM;
	for (size_t i = 0; i < result->n_issuers; i++) {
		struct issuer *issuer = issuer_get(peer->sessions, &result->issuers[i]);

		if (!issuer)
			return -ENOMEM;
		peer->issuers[peer->n_issuers++] = issuer;
	}
	return 0;
}

/*
 * siptls-fetch forgets issuers when others bring too many. One that a live peer rests on is told
 * again as soon as nothing is known of the peer's revocation; what it knows costs nothing.
 */
void peer_teach(const struct peer *peer)
{
	for (uint32_t i = 0; i < peer->n_issuers; i++)
		(void)!fetch_learn_issuer(peer->sessions->fetch, peer->issuers[i]->der,
					  peer->issuers[i]->len);
}

/* ---- peers ---- */

int peer_get(struct sessions *sessions, const struct worker_result *result,
	     const struct trust_verdict *verdict, struct peer **ret)
{
	const struct trust_facts *facts = &result->facts;
	_cleanup_free_ uint8_t *packed = NULL;
	struct list *bucket;
	struct peer *peer;
	size_t size;
	int r;

	r = pack(facts, &packed, &size);
	if (r < 0)
		return r;
	bucket = &sessions->peers[bucket_index(packed, size)];
	list_foreach (node, bucket) {
		peer = container_of(node, struct peer, node);
		if (peer->packed_size == size && memcmp(peer->packed, packed, size) == 0) {
			peer->refs++;
			*ret = peer;
			return 0;
		}
	}
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->sessions = sessions;
	peer->refs = 1;
	peer->packed = steal_ptr(packed);
	peer->packed_size = (uint32_t)size;
	list_append(bucket, &peer->node);
	sessions->n_peers++;
	r = texts_make(facts, verdict, &peer->texts);
	if (r == 0)
		r = issuers_take(peer, result);
	if (r == 0)
		*ret = peer;
	else
		peer_unref(peer);
	return r;
}

struct peer *peer_unref(struct peer *peer)
{
	if (!peer || --peer->refs > 0)
		return NULL;
	list_remove(&peer->node);
	peer->sessions->n_peers--;
	for (uint32_t i = 0; i < peer->n_issuers; i++)
		issuer_unref(peer->issuers[i]);
	free(peer->issuers);
	free(peer->packed);
	free(peer->texts);
	free(peer);
	return NULL;
}

const char *peer_text(const struct peer *peer, enum peer_text which)
{
	const char *p;

	if (!peer)
		return NULL;
	p = peer->texts;
	for (int i = 0; i < (int)which; i++)
		p += strlen(p) + 1;
	return *p ? p : NULL;
}
