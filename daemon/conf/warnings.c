/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a configuration may say and probably does not mean. */

#include <conf/conf-private.h>
#include <grp.h>

#include <stdarg.h>
#include <stdio.h>

struct warner {
	const struct conf *conf;
	bool kernel;
	conf_line_fn fn;
	void *userdata;
};

/* @line 0: the file as a whole. */
_printf_(4, 5) static void warn(const struct warner *w, const char *file, uint32_t line,
				const char *format, ...)
{
	char text[1024], buf[sizeof(text) + CONF_STRING_MAX];
	struct text all = TEXT_INIT(buf);
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	text_add_foreign(&all, file, strlen(file));
	if (line)
		text_addf(&all, ":%u", line);
	text_addf(&all, ": ");
	text_add_foreign(&all, text, strlen(text));
	w->fn(w->userdata, buf);
}

/* ---- the kernel ---- */

static void check_kernel(const struct warner *w)
{
	if (w->conf->kernel == CONF_KERNEL_REQUIRE && !w->kernel)
		warn(w, w->conf->path, 0,
		     "kernel = \"require\", but this kernel takes no TLS: every session will be "
		     "refused (siptls-kmod probe tells what is missing)");
}

/* ---- the block list ---- */

/* The element of the block list that says @name, or NULL. */
static const char *find_block(const struct trust_policy *policy, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < policy->n_blocked; i++) {
		const char *block = policy->blocked[i], *domain = block + (block[0] == '.');
		size_t n = strlen(block);

		if (strcmp(domain, name) == 0)
			return block;
		if (domain != block && len > n && strcmp(name + len - n, block) == 0)
			return block;
	}
	return NULL;
}

static void check_blocks(const struct warner *w)
{
	const struct trust_policy *policy = &w->conf->trust;

	for (size_t i = 0; i < policy->n_entries; i++) {
		const struct trust_entry *entry = &policy->entries[i];
		const char *block = find_block(policy, entry->name);

		/* The title of what is discovered is no host name. */
		if (entry->kind == TRUST_DISCOVERED)
			continue;
		if (block)
			warn(w, policy->path, entry->line,
			     "%s \"%s\" is listed, and blocked by \"%s\"",
			     trust_kind_names[entry->kind], entry->name, block);
		for (size_t m = 0; m < entry->n_members; m++) {
			const char *name = entry->members[m].name;

			block = strcmp(name, entry->name) ? find_block(policy, name) : NULL;
			if (block)
				warn(w, policy->path, entry->line,
				     "member \"%s\" of %s \"%s\" is listed, and blocked by \"%s\"",
				     name, trust_kind_names[entry->kind], entry->name, block);
		}
	}
}

/* ---- who meets whom ---- */

static void check_dials(const struct warner *w)
{
	for (size_t i = 0; i < w->conf->n_dials; i++) {
		const struct conf_dial *dial = &w->conf->dials[i];
		const struct trust_entry *entry = &w->conf->trust.entries[dial->entry];

		if (!(entry->directions & TRUST_OUTBOUND))
			warn(w, w->conf->path, dial->line,
			     "dial \"%s\" leads to \"%s\", whose direction is inbound: every "
			     "connection will be refused",
			     dial->name, entry->name);
	}
}

/* ---- revocation ---- */

static void check_revocation(const struct warner *w)
{
	const struct trust_policy *policy = &w->conf->trust;
	size_t n_blind = 0;

	for (size_t i = 0; i < policy->n_anchors; i++) {
		const struct trust_anchors *anchors = &policy->anchors[i];
		bool sources = anchors->n_crl_files || anchors->n_crl_urls || anchors->crl_fetch;

		switch (anchors->revocation) {
		case TRUST_REVOCATION_OFF:
			if (sources)
				warn(w, policy->path, anchors->line,
				     "\"%s\" names CRLs, which nobody looks at: revocation = "
				     "\"off\"",
				     anchors->name);
			break;
		case TRUST_REVOCATION_CHECK:
			n_blind += !sources;
			break;
		case TRUST_REVOCATION_REQUIRE:
			if (!sources)
				warn(w, policy->path, anchors->line,
				     "\"%s\" has revocation = \"require\" and no crl, crl_url or "
				     "crl_fetch: only what stapled responses tell will be known",
				     anchors->name);
			break;
		case _TRUST_REVOCATION_MAX:
			break;
		}
	}
	if (n_blind > 0)
		warn(w, policy->path, 0,
		     "%zu of %zu sections with anchors have revocation = \"check\" and no crl, "
		     "crl_url or crl_fetch: what their CAs revoke will not be known",
		     n_blind, policy->n_anchors);
}

/* ---- the rest ---- */

static void check_dns(const struct warner *w)
{
	const struct trust_policy *policy = &w->conf->trust;
	bool looked_up = false;

	for (size_t i = 0; i < policy->n_entries; i++)
		looked_up |= policy->entries[i].kind == TRUST_DOMAIN;
	for (size_t i = 0; i < w->conf->n_dials; i++)
		looked_up |= w->conf->dials[i].to.len == 0;
	if (looked_up && !w->conf->dns.trust_anchor)
		warn(w, w->conf->path, 0,
		     "peers are looked up without dns { trust_anchor }: answers are not "
		     "protected; the certificate still decides");
}

static void check_rates(const struct warner *w)
{
	const struct trust_policy *policy = &w->conf->trust;

	for (size_t i = 0; i < policy->n_rates; i++) {
		bool used = false;

		for (size_t e = 0; e < policy->n_entries; e++)
			used |= policy->entries[e].rate == i;
		if (!used)
			warn(w, policy->path, policy->rates[i].line, "no entry has rate \"%s\"",
			     policy->rates[i].name);
	}
}

void conf_warnings(const struct conf *conf, bool kernel, conf_line_fn fn, void *userdata)
{
	static void (*const checks[])(const struct warner *) = {
		check_kernel, check_blocks, check_dials, check_revocation, check_dns, check_rates,
	};
	const struct warner w = { conf, kernel, fn, userdata };

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](&w);
}

/* ---- this machine ---- */

int conf_machine_check(const struct conf *conf, struct conf_error *reterr)
{
	if (!conf->control_group || getgrnam(conf->control_group))
		return 0;
	conf_error_set(reterr, conf->path, 0,
		       "section control: group: expected a group of this machine, found \"%s\"",
		       conf->control_group);
	return CONF_E_INVALID;
}
