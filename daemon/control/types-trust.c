/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The types of the topology, of revocation and of decisions: add, never rename. */

#include "types.h"

#define REFUSAL(member)	    offsetof(struct session_refusal_view, member)
#define EXPLANATION(member) offsetof(struct session_explanation, member)
#define LINK(member)	    offsetof(struct session_link_view, member)
#define RULE(member)	    offsetof(struct control_rule, member)
#define ENDING(member)	    offsetof(struct control_ending, member)
#define MEMBER(member)	    offsetof(struct trust_member, member)
#define ENTRY(member)	    offsetof(struct control_entry, member)
#define BLOCK(member)	    offsetof(struct control_block, member)
#define CERTIFICATE(member) offsetof(struct control_certificate, member)
#define CRL(member)	    offsetof(struct control_crl, member)
#define SOURCE(member)	    offsetof(struct revocation_source_event, member)

/* ---- decisions ---- */

static const struct control_field refusal_fields[] = {
	CONTROL_ALWAYS("id", FIELD_UINT64, REFUSAL(id), "Of the session that was refused or ended"),
	CONTROL_ALWAYS("time", FIELD_TIME, REFUSAL(time), "When, seconds since 1970"),
	CONTROL_ALWAYS("what", FIELD_OUTCOME, REFUSAL(ended),
		       "refused: it never became a session, ended: an established one did"),
	CONTROL_ALWAYS("repeated", FIELD_UINT32, REFUSAL(repeated),
		       "How often the same happened before, from the same source"),
	CONTROL_ALWAYS("direction", FIELD_DIRECTION, REFUSAL(dialled),
		       "in: the peer connected, out: we did"),
	CONTROL_ALWAYS("via", FIELD_STRING, REFUSAL(via), "Name of the listener or dial-out"),
	CONTROL_ALWAYS("peer", FIELD_STRING, REFUSAL(peer), "Topology entry, if one was found"),
	CONTROL_ALWAYS("remote", FIELD_ADDRESS, REFUSAL(remote), "The peer's address"),
	CONTROL_ALWAYS("reason", FIELD_VERDICT, REFUSAL(reason), "Reason code"),
	CONTROL_ALWAYS("detail", FIELD_STRING, REFUSAL(detail), "What exactly"),
	CONTROL_ALWAYS("subject", FIELD_STRING, REFUSAL(subject), "Of the certificate shown"),
	{ 0 },
};

static const struct control_field explanation_fields[] = {
	CONTROL_ALWAYS("id", FIELD_UINT64, EXPLANATION(id), "Of the session or refusal"),
	CONTROL_ALWAYS("live", FIELD_BOOL, EXPLANATION(live),
		       "An established session; else a refusal"),
	CONTROL_ALWAYS(
		"judged", FIELD_BOOL, EXPLANATION(judged),
		"It can be judged once more; else only then and detail of a refusal are told"),
	CONTROL_KEYED("then", FIELD_VERDICT, EXPLANATION(then), "The verdict at that time"),
	CONTROL_KEYED("now", FIELD_VERDICT, EXPLANATION(now), "The verdict under what is in force"),
	CONTROL_KEYED("entry", FIELD_STRING, EXPLANATION(entry),
		      "Topology entry that admits now, or comes closest"),
	CONTROL_KEYED("name", FIELD_STRING, EXPLANATION(name),
		      "The name in the certificate that matched"),
	CONTROL_KEYED("detail", FIELD_STRING, EXPLANATION(detail), "The verdict in one line"),
	{ 0 },
};

static const struct control_field link_fields[] = {
	CONTROL_ALWAYS("subject", FIELD_STRING, LINK(subject), "Of the certificate"),
	CONTROL_ALWAYS("issuer", FIELD_STRING, LINK(issuer), "Who signed it"),
	CONTROL_ALWAYS("serial", FIELD_STRING, LINK(serial), "Its serial number, in hex"),
	CONTROL_ALWAYS("fingerprint", FIELD_STRING, LINK(fingerprint), "Its SHA-256, in hex"),
	CONTROL_ALWAYS("anchor", FIELD_BOOL, LINK(anchor),
		       "The anchor: nothing is asked of its revocation"),
	CONTROL_ALWAYS("not_before", FIELD_TIME, LINK(not_before), "Valid from"),
	CONTROL_ALWAYS("not_after", FIELD_TIME, LINK(not_after), "Valid until"),
	CONTROL_ALWAYS("status", FIELD_STRING, LINK(status),
		       "What is known of its revocation: good, stale, unsupported, unknown or "
		       "revoked"),
	CONTROL_ALWAYS("ocsp", FIELD_BOOL, LINK(ocsp), "A stapled response told, not a list"),
	CONTROL_ALWAYS("this_update", FIELD_TIME, LINK(this_update), "Of list or response"),
	CONTROL_ALWAYS("next_update", FIELD_TIME, LINK(next_update), "Of list or response"),
	CONTROL_ALWAYS("revoked_at", FIELD_TIME, LINK(revoked_at), "Since when it is revoked"),
	CONTROL_ALWAYS("crl", FIELD_STRING, LINK(crl), "File or URL of the list that told"),
	{ 0 },
};

static const struct control_field rule_fields[] = {
	CONTROL_ALWAYS("entry", FIELD_STRING, RULE(entry),
		       "Topology entry; missing: a rule of the certificate"),
	CONTROL_ALWAYS("rule", FIELD_WORD, RULE(rule), "Its stable name"),
	CONTROL_ALWAYS("outcome", FIELD_WORD, RULE(outcome), "holds, fails or not-reached"),
	CONTROL_ALWAYS("reason", FIELD_REASON, RULE(reason), "Reason code, if it fails"),
	CONTROL_ALWAYS("detail", FIELD_STRING, RULE(detail), "Expected and found"),
	{ 0 },
};

static const struct control_field ending_fields[] = {
	CONTROL_ALWAYS("id", FIELD_UINT64, ENDING(session.id), "Handle of the session"),
	CONTROL_ALWAYS("direction", FIELD_DIRECTION, ENDING(session.dialled),
		       "in: the peer connected, out: we did"),
	CONTROL_ALWAYS("via", FIELD_STRING, ENDING(session.via),
		       "Name of the listener or dial-out"),
	CONTROL_ALWAYS("peer", FIELD_STRING, ENDING(session.peer), "Topology entry"),
	CONTROL_ALWAYS("owner", FIELD_STRING, ENDING(session.owner), "Its site or partner"),
	CONTROL_ALWAYS("name", FIELD_STRING, ENDING(session.name),
		       "The name in the certificate that matched"),
	CONTROL_ALWAYS("remote", FIELD_ADDRESS, ENDING(session.remote), "The peer's address"),
	CONTROL_ALWAYS("expires", FIELD_TIME, ENDING(session.expires),
		       "Earliest end of validity in the chain, seconds since 1970"),
	CONTROL_ALWAYS("reason", FIELD_VERDICT, ENDING(reason), "Why it would end: reason code"),
	{ 0 },
};

/* ---- topology ---- */

static const struct control_field member_fields[] = {
	CONTROL_ALWAYS("name", FIELD_STRING, MEMBER(name), "Host name"),
	CONTROL_ALWAYS("address", FIELD_STRING, MEMBER(address),
		       "Where it is dialled; missing: it is looked up"),
	{ 0 },
};

static const struct control_field entry_fields[] = {
	CONTROL_ALWAYS("name", FIELD_STRING, ENTRY(name), "Host name, or title of a discovered"),
	CONTROL_ALWAYS("kind", FIELD_WORD, ENTRY(kind),
		       "pool, application, server, domain, provider or discovered"),
	CONTROL_ALWAYS("owner", FIELD_STRING, ENTRY(owner), "Its site or partner"),
	CONTROL_ALWAYS("self", FIELD_BOOL, ENTRY(self),
		       "This server: an identity of ours bears the name"),
	CONTROL_ALWAYS("internal", FIELD_BOOL, ENTRY(internal),
		       "A site's, vouched for by the enterprise's own CA"),
	CONTROL_ALWAYS("direction", FIELD_WORD, ENTRY(direction), "in, out or both"),
	CONTROL_ALWAYS("profile", FIELD_WORD, ENTRY(profile), "Which names of a certificate count"),
	CONTROL_ALWAYS("wildcard", FIELD_BOOL, ENTRY(wildcard), "A wildcard may cover the name"),
	CONTROL_ALWAYS("key_usage", FIELD_WORD, ENTRY(usage),
		       "Extended key usage that is asked for"),
	CONTROL_ALWAYS("tls12", FIELD_BOOL, ENTRY(tls12), "TLS 1.2 is allowed"),
	CONTROL_PARTS("members", &control_type_member, sizeof(struct trust_member), ENTRY(members),
		      ENTRY(n_members), "Servers that may be on the other end"),
	CONTROL_ALWAYS("locate", FIELD_WORD, ENTRY(locate),
		       "How members without an address are found"),
	CONTROL_ALWAYS("port", FIELD_UINT32, ENTRY(port), "Of members without an address"),
	CONTROL_STRINGS("domains", ENTRY(domains), ENTRY(n_domains),
			"SIP domains that it may speak for"),
	CONTROL_ALWAYS("rate", FIELD_STRING, ENTRY(rate), "Title of its rate limit"),
	CONTROL_ALWAYS("rate_bytes", FIELD_AMOUNT, ENTRY(rate_bytes), "Bytes a second it may send"),
	CONTROL_ALWAYS("rate_burst", FIELD_AMOUNT, ENTRY(rate_burst), "Bytes at once"),
	CONTROL_ALWAYS("anchors", FIELD_UINT32, ENTRY(anchors), "Number of files of anchors"),
	CONTROL_STRINGS("anchor_files", ENTRY(anchor_files), ENTRY(n_anchor_files),
			"CA certificates that vouch for it"),
	CONTROL_ALWAYS("revocation", FIELD_WORD, ENTRY(revocation), "off, check or require"),
	CONTROL_STRINGS("crl_files", ENTRY(crl_files), ENTRY(n_crl_files),
			"Files and folders of revocation lists"),
	CONTROL_STRINGS("crl_urls", ENTRY(crl_urls), ENTRY(n_crl_urls),
			"Where revocation lists are fetched"),
	CONTROL_ALWAYS("crl_fetch", FIELD_BOOL, ENTRY(crl_fetch),
		       "From the distribution points of certificates, too"),
	CONTROL_ALWAYS("crl_grace_s", FIELD_UINT32, ENTRY(crl_grace_s),
		       "Seconds a list may be used after its next update"),
	CONTROL_ALWAYS("sessions_in", FIELD_UINT32, ENTRY(sessions_in),
		       "Sessions they opened, now"),
	CONTROL_ALWAYS("sessions_out", FIELD_UINT32, ENTRY(sessions_out),
		       "Sessions we opened, now"),
	CONTROL_ALWAYS("line", FIELD_UINT32, ENTRY(line), "Of the topology file"),
	{ 0 },
};

static const struct control_field block_fields[] = {
	CONTROL_ALWAYS("name", FIELD_STRING, BLOCK(name),
		       "A name; with a dot before it, a domain with all below it"),
	CONTROL_ALWAYS("fingerprint", FIELD_STRING, BLOCK(fingerprint),
		       "SHA-256 of a certificate, in hex"),
	{ 0 },
};

static const char *direction_name(uint8_t directions)
{
	static const char *const names[] = {
		[0] = "none",
		[TRUST_INBOUND] = "in",
		[TRUST_OUTBOUND] = "out",
		[TRUST_INBOUND | TRUST_OUTBOUND] = "both",
	};

	return names[directions & (TRUST_INBOUND | TRUST_OUTBOUND)];
}

void control_entry_fill(const struct session_entry_view *view, struct control_entry *ret)
{
	const struct trust_entry *entry = view->entry;
	const struct trust_anchors *anchors = &view->policy->anchors[entry->anchors];

	*ret = (struct control_entry){
		.entry = entry,
		.name = entry->name,
		.owner = anchors->name,
		.kind = trust_kind_names[entry->kind],
		.revocation = trust_revocation_names[anchors->revocation],
		.profile = trust_profile_names[entry->profile],
		.usage = trust_usage_names[entry->usage],
		.direction = direction_name(entry->directions),
		.locate = trust_locate_names[entry->locate],
		.anchor_files = (const char *const *)anchors->files,
		.n_anchor_files = anchors->n_files,
		.crl_files = (const char *const *)anchors->crl_files,
		.n_crl_files = anchors->n_crl_files,
		.crl_urls = (const char *const *)anchors->crl_urls,
		.n_crl_urls = anchors->n_crl_urls,
		.domains = (const char *const *)entry->domains,
		.n_domains = entry->n_domains,
		.members = entry->members,
		.n_members = entry->n_members,
		.self = view->self,
		.internal = anchors->internal,
		.wildcard = entry->wildcard,
		.tls12 = entry->tls12,
		.crl_fetch = anchors->crl_fetch,
		.anchors = (uint32_t)anchors->n_files,
		.port = entry->port,
		.crl_grace_s = anchors->crl_grace_s,
		.line = entry->line,
	};
	if (entry->rate != TRUST_RATE_NONE) {
		const struct trust_rate *rate = &view->policy->rates[entry->rate];

		ret->rate = rate->name;
		ret->rate_bytes = rate->bytes_per_second;
		ret->rate_burst = rate->burst;
	}
}

/* ---- certificates and revocation lists ---- */

static const struct control_field certificate_fields[] = {
	CONTROL_ALWAYS("kind", FIELD_WORD, CERTIFICATE(kind), "identity or anchor"),
	CONTROL_ALWAYS("owner", FIELD_STRING, CERTIFICATE(owner),
		       "The identity, or the site or partner"),
	CONTROL_ALWAYS("subject", FIELD_STRING, CERTIFICATE(subject), "Of the certificate"),
	CONTROL_ALWAYS("issuer", FIELD_STRING, CERTIFICATE(issuer), "Who signed it"),
	CONTROL_ALWAYS("serial", FIELD_STRING, CERTIFICATE(serial), "Its serial number, in hex"),
	CONTROL_ALWAYS("fingerprint", FIELD_STRING, CERTIFICATE(fingerprint_text),
		       "Its SHA-256, in hex"),
	CONTROL_ALWAYS("not_before", FIELD_TIME, CERTIFICATE(not_before), "Valid from"),
	CONTROL_ALWAYS("not_after", FIELD_TIME, CERTIFICATE(not_after), "Valid until"),
	CONTROL_ALWAYS("left_s", FIELD_LEFT, CERTIFICATE(left_s),
		       "Seconds until it ends; negative: since"),
	CONTROL_ALWAYS("warned", FIELD_BOOL, CERTIFICATE(warned),
		       "Less is left than limits { expiry_warning }"),
	{ 0 },
};

void control_certificate_fill(const struct session_certificate_view *view,
			      struct control_certificate *ret)
{
	const struct trust_certificate *certificate = view->certificate;
	bool endless = certificate->not_after == INT64_MAX;

	*ret = (struct control_certificate){
		.kind = view->anchor ? "anchor" : "identity",
		.owner = view->owner,
		.subject = certificate->subject,
		.issuer = certificate->issuer,
		.serial = certificate->serial,
		.not_before = certificate->not_before,
		.not_after = certificate->not_after,
		.left_s = endless ? INT64_MAX : view->left_s,
		.warned = view->warned,
	};
	hex_format(certificate->fingerprint, sizeof(certificate->fingerprint), ret->fingerprint);
	ret->fingerprint_text = ret->fingerprint;
}

static const struct control_field crl_fields[] = {
	CONTROL_ALWAYS("source", FIELD_STRING, CRL(crl.source), "File or URL"),
	CONTROL_ALWAYS("issuer", FIELD_STRING, CRL(crl.issuer), "Who signed it"),
	CONTROL_ALWAYS("state", FIELD_WORD, CRL(state),
		       "Whether its signature was verified, or why it does not count"),
	CONTROL_ALWAYS("detail", FIELD_STRING, CRL(crl.detail), "What is not supported"),
	CONTROL_ALWAYS("number", FIELD_STRING, CRL(crl.number), "CRL number, in hex"),
	CONTROL_ALWAYS("this_update", FIELD_TIME, CRL(crl.this_update), "Issued"),
	CONTROL_ALWAYS("next_update", FIELD_TIME, CRL(crl.next_update), "To be followed by then"),
	CONTROL_ALWAYS("entries", FIELD_UINT64, CRL(crl.entries), "Revoked certificates"),
	{ 0 },
};

static const struct control_field source_fields[] = {
	CONTROL_ALWAYS("location", FIELD_STRING, SOURCE(location), "File, folder or URL"),
	CONTROL_ALWAYS("ok", FIELD_BOOL, SOURCE(ok), "The last attempt succeeded"),
	CONTROL_ALWAYS("detail", FIELD_STRING, SOURCE(detail), "Why it did not"),
	CONTROL_ALWAYS("failures", FIELD_UINT32, SOURCE(failures),
		       "One after the other, until now"),
	CONTROL_ALWAYS("next", FIELD_TIME, SOURCE(next_s), "The next attempt, seconds since 1970"),
	{ 0 },
};

const struct control_type control_type_refusal = { "Refusal", refusal_fields };
const struct control_type control_type_explanation = { "Explanation", explanation_fields };
const struct control_type control_type_link = { "Link", link_fields };
const struct control_type control_type_rule = { "Rule", rule_fields };
const struct control_type control_type_ending = { "Ending", ending_fields };
const struct control_type control_type_member = { "Member", member_fields };
const struct control_type control_type_entry = { "Entry", entry_fields };
const struct control_type control_type_block = { "Block", block_fields };
const struct control_type control_type_certificate = { "Certificate", certificate_fields };
const struct control_type control_type_crl = { "Crl", crl_fields };
const struct control_type control_type_source = { "Source", source_fields };
