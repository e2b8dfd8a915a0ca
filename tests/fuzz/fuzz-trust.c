/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The judgement, on facts made from the input: whole and broken ones. It must not crash, must say
 * the same twice and the same when it explains itself, and whom it accepts must fulfil every rule,
 * checked here once more in other words.
 *
 * Input: options of the policy (9 bytes), question (3), certificates (count, 11 each), paths
 * (count, 7 each, and 4 for each certificate on it), the stapled response (3), then names until the
 * end (type, length, bytes). What is missing is 0.
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

static char site_name[] = "site", partner_name[] = "partner", guests_name[] = "guests",
	    pool_name[] = "pool.hq.example", a_name[] = "a.hq.example", b_name[] = "b.hq.example",
	    sip_name[] = "sip.partner.example", domain_name[] = "b.example",
	    bad_name[] = "edge.bad.example", bad_domain[] = ".evil.example";

static struct trust_anchors anchors[] = { { .name = site_name, .internal = true },
					  { .name = partner_name },
					  { .name = guests_name } };
static struct trust_member pool_members[] = { { .name = a_name }, { .name = b_name } },
			   own_member[] = { { .name = sip_name } };
static char *domains[] = { domain_name };
static struct trust_entry entries[] = {
	{ .name = pool_name, .anchors = 0, .members = pool_members, .n_members = 2 },
	{ .name = sip_name,
	  .kind = TRUST_PROVIDER,
	  .anchors = 1,
	  .members = own_member,
	  .n_members = 1,
	  .domains = domains,
	  .n_domains = 1 },
	{ .name = a_name,
	  .kind = TRUST_APPLICATION,
	  .anchors = 1,
	  .members = pool_members,
	  .n_members = 1 },
	{ .name = guests_name, .kind = TRUST_DISCOVERED, .anchors = 2 },
};
static char *blocked[] = { bad_name, bad_domain };
static uint8_t blocked_fingerprints[][32] = { { 3 } };

static void make_policy(struct input *in, struct trust_policy *ret)
{
	uint8_t modes, lists;

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		uint8_t options = take(in);

		entries[i].profile = options % _TRUST_PROFILE_MAX;
		entries[i].usage = options / 4 % _TRUST_USAGE_MAX;
		entries[i].wildcard = options & 16;
		entries[i].tls12 = options & 32;
		entries[i].directions = options >> 6;
	}
	modes = take(in);
	lists = take(in);
	for (size_t i = 0; i < ARRAY_SIZE(anchors); i++) {
		anchors[i].revocation = (modes >> 2 * i & 3) % _TRUST_REVOCATION_MAX;
		anchors[i].crl_grace_s = take(in);
	}
	*ret = (struct trust_policy){
		.anchors = anchors,
		.n_anchors = ARRAY_SIZE(anchors),
		.entries = entries,
		.n_entries = ARRAY_SIZE(entries) - (lists & 1),
		.blocked = blocked,
		.n_blocked = lists & 2 ? ARRAY_SIZE(blocked) : 0,
		.blocked_fingerprints = blocked_fingerprints,
		.n_blocked_fingerprints = lists & 4 ? ARRAY_SIZE(blocked_fingerprints) : 0,
		.depth = 3,
	};
}

static void make_question(struct input *in, struct trust_question *ret)
{
	uint8_t how = take(in), entry = take(in), member = take(in);

	*ret = (struct trust_question){
		.dialled = how & 1,
		.version = how >> 1 & 3, /* none that there is included */
		.entry = how & 1 && !(how & 16) ? entry : TRUST_ENTRY_ANY,
		.member = member,
		.now = NOW,
		.live = how & 8,
	};
}

static void make_urls(struct input *in, struct trust_certificate *cert)
{
	static const char *const urls[] = { NULL, "http://crl.example/a", "HTTPS://crl.example",
					    "file:///a", "http://a b" };

	cert->n_scopes = take(in) % (TRUST_SCOPES_MAX + 2);
	cert->n_crl_urls = take(in) % (TRUST_URLS_MAX + 2);
	for (size_t i = 0; i < cert->n_crl_urls && i < TRUST_URLS_MAX; i++) {
		const char *url = urls[cert->n_scopes / 2];

		cert->crl_urls[i] = url ? strdup(url) : NULL;
	}
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
		cert->key_bits = (uint16_t)(take(in) * 40);
		cert->hash = take(in) % (_TRUST_HASH_MAX + 1);
		cert->usage = take(in);
		cert->not_before = NOW + (int8_t)take(in);
		cert->not_after = NOW + (int8_t)take(in);
		cert->fingerprint[0] = take(in) % 4;
		cert->is_ca = text & 8;
		cert->unsupported = text & 16;
		cert->must_staple = text & 32;
		make_urls(in, cert);
	}
}

/* Times near the limits, and the ends of the numbers. */
static int64_t take_time(struct input *in)
{
	uint8_t byte = take(in);

	if (byte == 0)
		return 0;
	if (byte == 1)
		return INT64_MIN;
	return byte == 2 ? INT64_MAX : NOW + 4 * (int8_t)byte;
}

static void make_link(struct input *in, struct trust_link *ret)
{
	uint8_t status = take(in);

	ret->status = status % (_TRUST_STATUS_MAX + 1);
	ret->ocsp = status & 128;
	ret->revoked_why = status / 8;
	ret->this_update = take_time(in);
	ret->next_update = ret->revoked_at = take_time(in);
}

static void make_paths(struct input *in, struct trust_facts *facts)
{
	facts->n_paths = take(in) % 8;
	facts->paths = calloc(facts->n_paths + 1, sizeof(*facts->paths));
	check(facts->paths);
	for (size_t i = 0; i < facts->n_paths; i++) {
		struct trust_path *path = &facts->paths[i];

		path->anchors = take(in) % 4;
		path->outcome = take(in) % (_TRUST_CHAIN_MAX + 1);
		path->anchor_subject = take(in) & 1 ? strdup("CN=root") : NULL;
		path->anchor_fingerprint[0] = take(in) % 4;
		path->anchor_not_before = NOW + (int8_t)take(in);
		path->anchor_not_after = NOW + (int8_t)take(in);
		path->n_certs = take(in) % (TRUST_CHAIN_MAX + 2);
		for (size_t k = 0; k < path->n_certs && k < TRUST_CHAIN_MAX; k++) {
			path->certs[k] = take(in);
			make_link(in, &path->links[k]);
		}
	}
	make_link(in, &facts->staple);
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
		if (name->type == TRUST_NAME_URI) {
			size_t len = 4;

			check(name->len > 4 && strncasecmp(name->value, "sip:", 4) == 0);
			while (len < name->len && !memchr(":;?", name->value[len], 3))
				len++;
			return !memchr(name->value, '@', name->len) &&
			       host_is(name->value + 4, len - 4, expected);
		}
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

/* Nobody's name, as far as it is a name of its own. */
static bool is_stranger(const struct trust_question *question, const struct trust_name *name)
{
	static const char *const listed[] = { pool_name, a_name, b_name, sip_name, domain_name };

	for (size_t i = 0; i < ARRAY_SIZE(listed); i++)
		check(!host_is(name->value, name->len, listed[i]));
	check(memchr(name->value, '.', name->len) && !memchr(name->value, '*', name->len));
	check(!memchr(name->value, '\0', name->len));
	return !question->dialled;
}

static bool is_named(const struct trust_entry *entry, const struct trust_question *question,
		     const struct trust_name *name)
{
	if (entry->kind == TRUST_DISCOVERED)
		return is_stranger(question, name);
	if (name_is(entry, name, entry->name))
		return true;
	for (uint32_t i = 0; i < entry->n_members; i++) {
		if ((question->entry == TRUST_ENTRY_ANY || i == question->member) &&
		    name_is(entry, name, entry->members[i].name))
			return true;
	}
	return false;
}

static bool period_holds(int64_t not_before, int64_t not_after, int64_t expires)
{
	return not_before <= NOW && not_after >= NOW && not_after >= expires;
}

static void check_link(const struct trust_link *link, const struct trust_anchors *set, bool live)
{
	if (set->revocation == TRUST_REVOCATION_OFF)
		return;
	check(link->status != TRUST_STATUS_REVOKED);
	if (set->revocation == TRUST_REVOCATION_CHECK || live)
		return;
	check(link->status == TRUST_STATUS_GOOD && link->next_update > 0);
	check(link->next_update >= NOW - (int64_t)set->crl_grace_s);
	check(link->this_update <= NOW + 300);
}

static void check_path(const struct trust_policy *policy, const struct trust_facts *facts,
		       const struct trust_question *question, const struct trust_verdict *verdict)
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
		check_link(&path->links[i], &policy->anchors[path->anchors], question->live);
		check((cert->key == TRUST_KEY_RSA && cert->key_bits >= 2048 &&
		       cert->key_bits <= 8192) ||
		      (cert->key == TRUST_KEY_EC && cert->key_bits >= 224) ||
		      cert->key == TRUST_KEY_EDDSA);
	}
}

/* In the plainest spelling, and by fingerprint. */
static void check_blocked(const struct trust_policy *policy, const struct trust_facts *facts)
{
	for (size_t i = 0; i < facts->n_names && policy->n_blocked > 0; i++) {
		const struct trust_name *name = &facts->names[i];
		size_t tail = strlen(bad_domain);

		if (name->type == TRUST_NAME_OTHER)
			continue;
		check(!host_is(name->value, name->len, bad_name));
		check(name->len < tail ||
		      !host_is(name->value + name->len - tail, tail, bad_domain));
	}
	if (policy->n_blocked_fingerprints == 0)
		return;
	for (size_t i = 0; i < facts->n_certs; i++)
		check(facts->certs[i].fingerprint[0] != blocked_fingerprints[0][0]);
	for (size_t i = 0; i < facts->n_paths; i++)
		check(!facts->paths[i].anchor_subject ||
		      facts->paths[i].anchor_fingerprint[0] != blocked_fingerprints[0][0]);
}

static void check_accepted(const struct trust_policy *policy, const struct trust_facts *facts,
			   const struct trust_question *question,
			   const struct trust_verdict *verdict)
{
	const struct trust_entry *entry;
	uint8_t usage;

	check(verdict->entry < policy->n_entries && facts->n_certs > 0);
	check(question->entry == TRUST_ENTRY_ANY || verdict->entry == question->entry);
	entry = &policy->entries[verdict->entry];
	check(facts->certs[0].version == 3 && !facts->certs[0].is_ca);
	check_path(policy, facts, question, verdict);
	check_blocked(policy, facts);
	check(facts->staple.status != TRUST_STATUS_REVOKED);
	check(!facts->certs[0].must_staple || question->live ||
	      facts->staple.status == TRUST_STATUS_GOOD);
	check(verdict->name >= facts->names && verdict->name < facts->names + facts->n_names);
	check(is_named(entry, question, verdict->name));
	check(entry->directions & (question->dialled ? TRUST_OUTBOUND : TRUST_INBOUND));
	check(question->version == KTLS_TLS13 || (question->version == KTLS_TLS12 && entry->tls12));
	usage = facts->certs[0].usage;
	check(usage == 0 || usage & ~TRUST_EKU_PRESENT || entry->usage == TRUST_USAGE_IGNORE);
}

/* What failed for the entry of the verdict, or before any entry. */
struct explanation {
	uint32_t entry;
	enum reason reason;
	size_t n;
};

static void on_rule(void *userdata, const struct trust_rule_view *rule)
{
	struct explanation *explanation = userdata;

	for (const char *p = rule->detail; *p; p++)
		check(*p >= 0x20 && *p < 0x7f);
	check((rule->outcome == TRUST_RULE_FAILS) == (rule->reason != REASON_OK));
	if (rule->entry != explanation->entry)
		return;
	explanation->n++;
	if (rule->reason != REASON_OK)
		explanation->reason = rule->reason;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct explanation explanation = { .reason = REASON_OK };
	struct input in = { data, size };
	struct trust_policy policy;
	struct trust_question question;
	struct trust_facts facts = { 0 };
	struct trust_verdict verdict, again;
	char line[1024] = "";
	struct text t = TEXT_INIT(line);

	make_policy(&in, &policy);
	make_question(&in, &question);
	make_certificates(&in, &facts);
	make_paths(&in, &facts);
	make_names(&in, &facts);

	trust_judge(&policy, &facts, &question, &verdict);
	trust_judge(&policy, &facts, &question, &again);
	check(verdict.reason == again.reason && verdict.entry == again.entry &&
	      verdict.path == again.path && verdict.name == again.name &&
	      verdict.standing == again.standing);
	if (verdict.reason == REASON_OK)
		check_accepted(&policy, &facts, &question, &verdict);
	trust_verdict_text(&policy, &facts, &question, &verdict, &t);
	for (const char *p = line; *p; p++)
		check(*p >= 0x20 && *p < 0x7f);

	explanation.entry = verdict.entry;
	trust_explain(&policy, &facts, &question, on_rule, &explanation);
	check(explanation.n > 0 && explanation.reason == verdict.reason);

	/* The counts may be beyond what was made. */
	if (facts.n_certs > TRUST_CHAIN_MAX)
		facts.n_certs = TRUST_CHAIN_MAX;
	trust_facts_done(&facts);
	return 0;
}
