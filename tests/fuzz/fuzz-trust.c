/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The judgement, on facts made from the input: whole and broken ones. It must not crash, must say
 * the same twice, and whom it accepts must fulfil every rule, checked here once more in other
 * words.
 *
 * Input: options of the policy (3 bytes), question (3), certificates (count, 8 each), paths (count,
 * 6 and the indices each), then names until the end (type, length, bytes). What is missing is 0.
 */

#include <siptls/trust.h>
#include <strings.h>

#define NOW INT64_C(1800000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t take(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* ---- from bytes to a question ---- */

static char site_name[] = "site", partner_name[] = "partner", pool_name[] = "pool.hq.example",
	    a_name[] = "a.hq.example", b_name[] = "b.hq.example",
	    sip_name[] = "sip.partner.example";

static struct trust_anchors anchors[] = { { .name = site_name, .internal = true },
					  { .name = partner_name } };
static struct trust_member pool_members[] = { { .name = a_name }, { .name = b_name } },
			   own_member[] = { { .name = sip_name } };
static struct trust_entry entries[] = {
	{ .name = pool_name, .anchors = 0, .members = pool_members, .n_members = 2 },
	{ .name = sip_name,
	  .kind = TRUST_PARTNER,
	  .anchors = 1,
	  .members = own_member,
	  .n_members = 1 },
	{ .name = a_name,
	  .kind = TRUST_APPLICATION,
	  .anchors = 1,
	  .members = pool_members,
	  .n_members = 1 },
};

static void make_policy(struct input *in, struct trust_policy *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		uint8_t options = take(in);

		entries[i].profile = options % _TRUST_PROFILE_MAX;
		entries[i].usage = options / 4 % _TRUST_USAGE_MAX;
		entries[i].wildcard = options & 16;
		entries[i].tls12 = options & 32;
		entries[i].directions = options >> 6;
	}
	*ret = (struct trust_policy){
		.anchors = anchors,
		.n_anchors = ARRAY_SIZE(anchors),
		.entries = entries,
		.n_entries = ARRAY_SIZE(entries),
		.depth = 3,
	};
}

static void make_question(struct input *in, struct trust_question *ret)
{
	uint8_t how = take(in), entry = take(in), member = take(in);

	*ret = (struct trust_question){
		.dialled = how & 1,
		.version = how >> 1 & 3, /* none that there is included */
		.entry = how & 1 ? entry : TRUST_ENTRY_ANY,
		.member = member,
		.now = NOW,
	};
}

/* Texts are shared or missing, names are copied: a read beyond their end shall be seen. */
static void make_certificates(struct input *in, struct trust_facts *facts)
{
	facts->n_certs = take(in) % (TRUST_CHAIN_MAX + 2);
	facts->certs = calloc(TRUST_CHAIN_MAX + 1, sizeof(*facts->certs));
	check(facts->certs);
	for (size_t i = 0; i < facts->n_certs && i < TRUST_CHAIN_MAX; i++) {
		struct trust_certificate *cert = &facts->certs[i];
		uint8_t text = take(in);

		cert->subject = text & 1 ? strdup("CN=s") : NULL;
		cert->issuer = text & 2 ? strdup("CN=\x1b") : NULL;
		cert->serial = text & 4 ? strdup("01") : NULL;
		cert->version = take(in);
		cert->key = take(in) % (_TRUST_KEY_MAX + 1);
		cert->key_bits = (uint16_t)(take(in) * 16);
		cert->hash = take(in) % (_TRUST_HASH_MAX + 1);
		cert->usage = take(in);
		cert->not_before = NOW + (int8_t)take(in);
		cert->not_after = NOW + (int8_t)take(in);
		cert->is_ca = text & 8;
		cert->unsupported = text & 16;
	}
}

static void make_paths(struct input *in, struct trust_facts *facts)
{
	facts->n_paths = take(in) % 4;
	facts->paths = calloc(facts->n_paths + 1, sizeof(*facts->paths));
	check(facts->paths);
	for (size_t i = 0; i < facts->n_paths; i++) {
		struct trust_path *path = &facts->paths[i];

		path->anchors = take(in) % 3;
		path->outcome = take(in) % (_TRUST_CHAIN_MAX + 1);
		path->anchor_subject = take(in) & 1 ? strdup("CN=root") : NULL;
		path->anchor_not_before = NOW + (int8_t)take(in);
		path->anchor_not_after = NOW + (int8_t)take(in);
		path->n_certs = take(in) % (TRUST_CHAIN_MAX + 2);
		for (size_t k = 0; k < path->n_certs && k < TRUST_CHAIN_MAX; k++)
			path->certs[k] = take(in);
	}
}

static void make_names(struct input *in, struct trust_facts *facts)
{
	facts->names = calloc(TRUST_NAMES_MAX + 1, sizeof(*facts->names));
	check(facts->names);
	facts->has_san = take(in) & 1;
	while (in->size > 0 && facts->n_names <= TRUST_NAMES_MAX) {
		struct trust_name *name = &facts->names[facts->n_names++];

		name->type = take(in) % (_TRUST_NAME_TYPE_MAX + 1);
		name->len = take(in);
		if (name->len > in->size)
			name->len = (uint32_t)in->size;
		name->value = malloc(name->len + (name->len == 0));
		check(name->value);
		memcpy(name->value, in->data, name->len);
		in->data += name->len;
		in->size -= name->len;
	}
}

/* ---- what an accepted peer must be ---- */

static bool host_is(const char *host, size_t len, const char *expected)
{
	return len == strlen(expected) && strncasecmp(host, expected, len) == 0;
}

static bool name_is(const struct trust_entry *entry, const struct trust_name *name,
		    const char *expected)
{
	const char *dot = strchr(expected, '.');

	switch (entry->profile) {
	case TRUST_RFC5922:
		if (name->type == TRUST_NAME_URI)
			return name->len > 4 && strncasecmp(name->value, "sip:", 4) == 0 &&
			       host_is(name->value + 4, name->len - 4, expected);
		break;
	case TRUST_RFC9525:
		if (entry->wildcard && name->len > 1 && name->value[0] == '*')
			return name->type == TRUST_NAME_DNS &&
			       host_is(name->value + 1, name->len - 1, dot);
		check(name->type == TRUST_NAME_DNS);
		break;
	case TRUST_POOL_NAMES:
		break;
	case _TRUST_PROFILE_MAX:
		return false;
	}
	return (name->type == TRUST_NAME_DNS || name->type == TRUST_NAME_CN) &&
	       host_is(name->value, name->len, expected);
}

static bool is_named(const struct trust_entry *entry, const struct trust_question *question,
		     const struct trust_name *name)
{
	if (name_is(entry, name, entry->name))
		return true;
	for (uint32_t i = 0; i < entry->n_members; i++) {
		if ((!question->dialled || i == question->member) &&
		    name_is(entry, name, entry->members[i].name))
			return true;
	}
	return false;
}

static bool period_holds(int64_t not_before, int64_t not_after, int64_t expires)
{
	return not_before <= NOW && not_after >= NOW && not_after >= expires;
}

static void check_path(const struct trust_policy *policy, const struct trust_facts *facts,
		       const struct trust_verdict *verdict)
{
	const struct trust_path *path = verdict->path;

	check(path >= facts->paths && path < facts->paths + facts->n_paths);
	check(path->outcome == TRUST_CHAIN_OK && path->anchor_subject);
	check(path->anchors == policy->entries[verdict->entry].anchors);
	check(path->n_certs >= 1 && path->n_certs <= policy->depth && path->certs[0] == 0);
	check(period_holds(path->anchor_not_before, path->anchor_not_after, verdict->expires));
	for (size_t i = 0; i < path->n_certs; i++) {
		const struct trust_certificate *cert = &facts->certs[path->certs[i]];

		check(path->certs[i] < facts->n_certs);
		check(period_holds(cert->not_before, cert->not_after, verdict->expires));
		check(cert->hash == TRUST_HASH_STRONG && !cert->unsupported);
		check((cert->key == TRUST_KEY_RSA && cert->key_bits >= 2048) ||
		      (cert->key == TRUST_KEY_EC && cert->key_bits >= 224) ||
		      cert->key == TRUST_KEY_EDDSA);
	}
}

static void check_accepted(const struct trust_policy *policy, const struct trust_facts *facts,
			   const struct trust_question *question,
			   const struct trust_verdict *verdict)
{
	const struct trust_entry *entry;
	uint8_t usage;

	check(verdict->entry < policy->n_entries && facts->n_certs > 0);
	check(!question->dialled || verdict->entry == question->entry);
	entry = &policy->entries[verdict->entry];
	check(facts->certs[0].version == 3 && !facts->certs[0].is_ca);
	check_path(policy, facts, verdict);
	check(verdict->name >= facts->names && verdict->name < facts->names + facts->n_names);
	check(is_named(entry, question, verdict->name));
	check(entry->directions & (question->dialled ? TRUST_OUTBOUND : TRUST_INBOUND));
	check(question->version == KTLS_TLS13 || (question->version == KTLS_TLS12 && entry->tls12));
	usage = facts->certs[0].usage;
	check(usage == 0 || usage & ~TRUST_EKU_PRESENT || entry->usage == TRUST_USAGE_IGNORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct trust_policy policy;
	struct trust_question question;
	struct trust_facts facts = { 0 };
	struct trust_verdict verdict, again;
	char line[512] = "";
	struct text t = TEXT_INIT(line);

	make_policy(&in, &policy);
	make_question(&in, &question);
	make_certificates(&in, &facts);
	make_paths(&in, &facts);
	make_names(&in, &facts);

	trust_judge(&policy, &facts, &question, &verdict);
	trust_judge(&policy, &facts, &question, &again);
	check(verdict.reason == again.reason && verdict.entry == again.entry &&
	      verdict.path == again.path && verdict.name == again.name);
	if (verdict.reason == REASON_OK)
		check_accepted(&policy, &facts, &question, &verdict);
	trust_verdict_text(&policy, &facts, &question, &verdict, &t);
	for (const char *p = line; *p; p++)
		check(*p >= 0x20 && *p < 0x7f);

	/* The counts may be beyond what was made. */
	if (facts.n_certs > TRUST_CHAIN_MAX)
		facts.n_certs = TRUST_CHAIN_MAX;
	trust_facts_done(&facts);
	return 0;
}
