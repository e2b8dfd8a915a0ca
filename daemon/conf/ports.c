/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sections listen and dial of siptlsd.conf: everything that has a listening port. */

#include <conf/conf-private.h>

#include <arpa/inet.h>

static int find_identity(struct conf_reader *r, const cfg_t *section,
			 const struct conf_value *value, uint32_t *ret)
{
	for (size_t i = 0; i < r->conf->n_identities; i++) {
		if (strcmp(r->conf->identities[i].name, value->text) == 0) {
			*ret = (uint32_t)i;
			return 0;
		}
	}
	return conf_tree_fail(r->tree, section, "identity", value->line,
			      "expected the title of an identity, found \"%s\"", value->text);
}

/* ---- listening addresses ---- */

static int note_address(struct conf_reader *r, const cfg_t *section, const struct conf_value *value)
{
	for (size_t i = 0; i < r->n_addresses && net_addr_port(&value->address) != 0; i++) {
		if (net_addr_equal(&r->addresses[i]->address, &value->address))
			return conf_tree_fail(r->tree, section, "address", value->line,
					      "expected an address that is not in use, found "
					      "\"%s\" again after line %u",
					      value->text, r->addresses[i]->line);
	}
	if (r->n_addresses == CONF_ADDRESSES_MAX)
		return conf_tree_fail(r->tree, section, "address", value->line,
				      "expected at most %d addresses in all", CONF_ADDRESSES_MAX);
	r->addresses[r->n_addresses++] = value;
	return 0;
}

static int read_addresses(struct conf_reader *r, cfg_t *section, struct net_addr **ret,
			  size_t *ret_n)
{
	size_t n = conf_tree_count(section, "address");
	_cleanup_free_ struct net_addr *addresses = conf_array_new(n, sizeof(*addresses));

	if (!addresses)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct conf_value *value = conf_tree_value(section, "address", i);
		int e;

		e = note_address(r, section, value);
		if (e)
			return e;
		addresses[i] = value->address;
	}
	*ret = steal_ptr(addresses);
	*ret_n = n;
	return 0;
}

/* ---- listen ---- */

static int read_listener_identities(struct conf_reader *r, cfg_t *section,
				    struct conf_listener *listener)
{
	size_t n = conf_tree_count(section, "identity");

	listener->identities = conf_array_new(n, sizeof(*listener->identities));
	if (!listener->identities)
		return -ENOMEM;
	/* Without the option it is the first identity, whose index is what the array holds. */
	listener->n_identities = n ? n : 1;
	for (size_t i = 0; i < n; i++) {
		const struct conf_value *value = conf_tree_value(section, "identity", i);
		int e;

		e = find_identity(r, section, value, &listener->identities[i]);
		if (e)
			return e;
		for (size_t k = 0; k < i; k++) {
			if (listener->identities[k] == listener->identities[i])
				return conf_tree_fail(r->tree, section, "identity", value->line,
						      "expected each identity once, found \"%s\" "
						      "again",
						      value->text);
		}
	}
	return 0;
}

static int read_listener(struct conf_reader *r, cfg_t *section, struct conf_listener *listener)
{
	const struct conf_value *tls12 = conf_tree_value(section, "tls12", 0);
	int e;

	listener->name = strdup(section->title);
	if (!listener->name)
		return -ENOMEM;
	listener->line = (uint32_t)section->line;
	listener->kind = (enum conf_listener_kind)conf_tree_number(section, "kind");
	listener->proxy = (enum net_proxy)conf_tree_number(section, "proxy_protocol");
	listener->backend = conf_tree_value(section, "backend", 0)->address;
	listener->tls12 = tls12->number;
	if (listener->tls12 && listener->kind != CONF_LISTENER_CLIENT)
		return conf_tree_fail(r->tree, section, "tls12", tls12->line,
				      "expected true only with kind \"client\", found it with "
				      "\"mutual\" (there the entries of the topology tell)");
	e = read_addresses(r, section, &listener->addresses, &listener->n_addresses);
	if (e)
		return e;
	return read_listener_identities(r, section, listener);
}

int conf_read_listeners(struct conf_reader *r)
{
	struct conf *conf = r->conf;
	size_t n = conf_tree_count(r->tree->root, "listen");

	conf->listeners = conf_array_new(n, sizeof(*conf->listeners));
	if (!conf->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int e;

		e = read_listener(r, conf_tree_section(r->tree->root, "listen", i),
				  &conf->listeners[conf->n_listeners++]);
		if (e)
			return e;
	}
	return 0;
}

/* ---- dial ---- */

static bool is_loopback(const struct net_addr *addr)
{
	if (addr->any.sa_family == AF_INET)
		return ntohl(addr->in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return addr->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&addr->in6.sin6_addr);
}

/* Whoever reaches the plain port speaks with our certificate. */
static int check_private(struct conf_reader *r, cfg_t *section)
{
	for (size_t i = 0; i < conf_tree_count(section, "address"); i++) {
		const struct conf_value *value = conf_tree_value(section, "address", i);

		if (!is_loopback(&value->address))
			return conf_tree_fail(r->tree, section, "address", value->line,
					      "expected a loopback address, or public = true; "
					      "found \"%s\"",
					      value->text);
	}
	return 0;
}

/* The entry of that name, else the member of that name: *ret_member is -1 with an entry. */
static bool find_peer(const struct trust_policy *policy, const char *name, uint32_t *ret_entry,
		      int64_t *ret_member)
{
	for (size_t e = 0; e < policy->n_entries; e++) {
		if (strcmp(policy->entries[e].name, name) == 0) {
			*ret_entry = (uint32_t)e;
			*ret_member = -1;
			return true;
		}
	}
	for (size_t e = 0; e < policy->n_entries; e++) {
		for (size_t m = 0; m < policy->entries[e].n_members; m++) {
			if (strcmp(policy->entries[e].members[m].name, name) == 0) {
				*ret_entry = (uint32_t)e;
				*ret_member = (int64_t)m;
				return true;
			}
		}
	}
	return false;
}

static bool member_address(const struct trust_member *member, struct net_addr *ret)
{
	return member->address && net_addr_parse(member->address, false, ret) == 0;
}

/*
 * The member of a dialled entry: the one at the address that is dialled; if none is known to be
 * there (an address translator may be between), or no address is given, the first with an address;
 * if there is none, the first.
 */
static uint32_t choose_member(const struct trust_entry *entry, const struct net_addr *to)
{
	uint32_t first = UINT32_MAX;
	struct net_addr addr;

	for (uint32_t m = 0; m < entry->n_members; m++) {
		if (!member_address(&entry->members[m], &addr))
			continue;
		if (to && net_addr_equal(&addr, to))
			return m;
		if (first == UINT32_MAX)
			first = m;
	}
	return first == UINT32_MAX ? 0 : first;
}

/* What to ask of DNS for a member without an address. Names always fit, see read_entry(). */
static struct dns_question lookup_of(const struct trust_entry *entry, uint32_t member)
{
	struct dns_question question = { 0 };
	struct text name = TEXT_INIT(question.name);

	if (entry->locate == TRUST_LOCATE_HOST) {
		question.kind = DNS_HOST;
		question.port = entry->port;
		text_addf(&name, "%s", entry->members[member].name);
	} else {
		question.kind = DNS_SRV;
		text_addf(&name, "_%s._tcp.%s", trust_locate_names[entry->locate], entry->name);
	}
	return question;
}

static bool dial_find(const struct trust_policy *policy, const char *name,
		      const struct net_addr *to, struct conf_dial *ret)
{
	const struct trust_entry *entry;
	uint32_t index;
	int64_t member;

	if (!find_peer(policy, name, &index, &member))
		return false;
	entry = &policy->entries[index];
	if (entry->kind == TRUST_DISCOVERED)
		return false;
	ret->entry = index;
	ret->member = member >= 0 ? (uint32_t)member : choose_member(entry, to);
	ret->to = to ? *to : (struct net_addr){ 0 };
	ret->lookup = (struct dns_question){ 0 };
	if (!to && !member_address(&entry->members[ret->member], &ret->to))
		ret->lookup = lookup_of(entry, ret->member);
	return true;
}

bool conf_dial_find(const struct conf *conf, const char *peer, struct conf_dial *ret)
{
	char name[DNS_NAME_MAX + 1];
	struct conf_dial dial = { 0 };
	size_t len = strlen(peer);

	if (len >= sizeof(name))
		return false;
	memcpy(name, peer, len + 1);
	if (!conf_hostname_normalize(name) || !dial_find(&conf->trust, name, NULL, &dial))
		return false;
	*ret = dial;
	return true;
}

static int read_dial_peer(struct conf_reader *r, cfg_t *section, struct conf_dial *dial)
{
	const struct conf_value *peer = conf_tree_value(section, "peer", 0);
	const struct conf_value *to = conf_tree_value(section, "connect", 0);

	if (dial_find(&r->conf->trust, peer->text, to ? &to->address : NULL, dial))
		return 0;
	return conf_tree_fail(r->tree, section, "peer", peer->line,
			      "expected an entry of the topology or a member of one (what is "
			      "discovered cannot be dialled), found \"%s\"",
			      peer->text);
}

static int check_title_unused(struct conf_reader *r, const cfg_t *section)
{
	for (size_t i = 0; i < r->conf->n_listeners; i++) {
		if (strcmp(r->conf->listeners[i].name, section->title) == 0)
			return conf_tree_fail(r->tree, section, NULL, (uint32_t)section->line,
					      "expected a title that no listen section has, found "
					      "the one of line %u",
					      r->conf->listeners[i].line);
	}
	return 0;
}

static int read_dial(struct conf_reader *r, cfg_t *section, struct conf_dial *dial)
{
	const struct conf_value *identity = conf_tree_value(section, "identity", 0);
	int e;

	dial->name = strdup(section->title);
	if (!dial->name)
		return -ENOMEM;
	dial->line = (uint32_t)section->line;
	e = check_title_unused(r, section);
	if (e)
		return e;
	if (!conf_tree_number(section, "public")) {
		e = check_private(r, section);
		if (e)
			return e;
	}
	e = read_addresses(r, section, &dial->addresses, &dial->n_addresses);
	if (e)
		return e;
	if (identity) {
		e = find_identity(r, section, identity, &dial->identity);
		if (e)
			return e;
	}
	return read_dial_peer(r, section, dial);
}

int conf_read_dials(struct conf_reader *r)
{
	struct conf *conf = r->conf;
	size_t n = conf_tree_count(r->tree->root, "dial");

	conf->dials = conf_array_new(n, sizeof(*conf->dials));
	if (!conf->dials)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int e;

		e = read_dial(r, conf_tree_section(r->tree->root, "dial", i),
			      &conf->dials[conf->n_dials++]);
		if (e)
			return e;
	}
	return 0;
}
