/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One value against its row of the schema, and how to tell what was expected there. */

#include <conf/conf-private.h>

#include <stdarg.h>
#include <stdio.h>

int conf_check_fail(const struct conf_check *c, uint32_t line, const char *format, ...)
{
	char text[sizeof(c->tree->error->text)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return conf_tree_fail(c->tree, c->section, c->row->name, line, "%s", text);
}

static int check_word(const struct conf_check *c, struct conf_value *value)
{
	const char *const *words = c->row->words;
	int64_t i = conf_word_find(words, value->text);
	char buf[128] = "";
	struct text list = TEXT_INIT(buf);

	if (i >= 0) {
		value->number = (uint64_t)i;
		return 0;
	}
	for (; *words; words++)
		text_addf(&list, "%s%s", list.len ? "|" : "", *words);
	return conf_check_fail(c, value->line, "expected %s, found \"%s\"", buf, value->text);
}

static int check_number(const struct conf_check *c, struct conf_value *value)
{
	uint64_t number;

	if (conf_number_parse(value->text, &number) && number >= c->row->min &&
	    number <= c->row->max) {
		value->number = number;
		return 0;
	}
	return conf_check_fail(c, value->line, "expected a number from %ju to %ju, found \"%s\"",
			       (uintmax_t)c->row->min, (uintmax_t)c->row->max, value->text);
}

static int check_duration(const struct conf_check *c, struct conf_value *value)
{
	const char *word = c->row->words ? c->row->words[0] : NULL;
	char buf[128] = "";
	struct text range = TEXT_INIT(buf);
	uint64_t ms;

	if (word && strcmp(value->text, word) == 0) {
		value->number = c->row->word;
		return 0;
	}
	if (word)
		text_addf(&range, "%s or ", word);
	text_addf(&range, "a duration");
	if (!conf_duration_parse(value->text, &ms))
		return conf_check_fail(c, value->line,
				       "expected %s like \"500ms\", \"10s\", \"2m\", \"1h\" or "
				       "\"14d\", found \"%s\"",
				       buf, value->text);
	if (ms < c->row->min || ms > c->row->max) {
		text_addf(&range, " from ");
		conf_duration_format(c->row->min, &range);
		text_addf(&range, " to ");
		conf_duration_format(c->row->max, &range);
		return conf_check_fail(c, value->line, "expected %s, found \"%s\"", buf,
				       value->text);
	}
	value->number = ms;
	return 0;
}

static int check_bool(const struct conf_check *c, struct conf_value *value)
{
	bool yes;

	if (!conf_bool_parse(value->text, &yes))
		return conf_check_fail(c, value->line, "expected true or false, found \"%s\"",
				       value->text);
	value->number = yes;
	return 0;
}

static int check_address(const struct conf_check *c, struct conf_value *value)
{
	bool port_zero = c->row->flags & CONF_PORT_ZERO;
	int r;

	r = net_addr_parse(value->text, port_zero, &value->address);
	if (r <= 0)
		return r;
	if (!port_zero && net_addr_parse(value->text, true, &value->address) == 0)
		return conf_check_fail(c, value->line,
				       "expected a port from 1 to 65535, found \"%s\"",
				       value->text);
	return conf_check_fail(c, value->line, "expected ADDRESS:PORT, found \"%s\"", value->text);
}

static int check_url(const struct conf_check *c, const struct conf_value *value)
{
	if (strlen(value->text) > TRUST_URL_MAX)
		return conf_check_fail(c, value->line,
				       "expected a URL of at most %d bytes, found %zu bytes",
				       TRUST_URL_MAX, strlen(value->text));
	if (!conf_url_is_sane(value->text))
		return conf_check_fail(c, value->line,
				       "expected a URL of http: or https:, found \"%s\"",
				       value->text);
	return 0;
}

static int check_block(const struct conf_check *c, struct conf_value *value)
{
	if (conf_hostname_normalize(value->text + (value->text[0] == '.')))
		return 0;
	return conf_check_fail(c, value->line,
			       "expected a host name, or \".\" and a domain for all names in it, "
			       "found \"%s\"",
			       value->text);
}

static int check_fingerprint(const struct conf_check *c, struct conf_value *value)
{
	if (conf_fingerprint_parse(value->text, value->fingerprint))
		return 0;
	return conf_check_fail(c, value->line,
			       "expected the SHA-256 fingerprint of a certificate, 64 hexadecimal "
			       "digits, found \"%s\"",
			       value->text);
}

int conf_check_value(const struct conf_check *c, struct conf_value *value)
{
	if (value->first_line)
		return conf_check_fail(c, value->line, "expected once, found again after line %u",
				       value->first_line);

	switch (c->row->type) {
	case CONF_SECTION:
		return -EINVAL;
	case CONF_FILE:
		if (!value->text[0])
			return conf_check_fail(c, value->line, "expected a file name, found \"\"");
		return 0;
	case CONF_NAME:
		if (!value->text[0] || strlen(value->text) > CONF_TITLE_MAX)
			return conf_check_fail(c, value->line,
					       "expected a name of 1 to %d bytes, found \"%s\"",
					       CONF_TITLE_MAX, value->text);
		return 0;
	case CONF_HOST:
		if (!conf_hostname_normalize(value->text))
			return conf_check_fail(c, value->line, "expected a host name, found \"%s\"",
					       value->text);
		return 0;
	case CONF_WORD:
		return check_word(c, value);
	case CONF_NUMBER:
		return check_number(c, value);
	case CONF_DURATION:
		return check_duration(c, value);
	case CONF_BOOL:
		return check_bool(c, value);
	case CONF_ADDRESS:
		return check_address(c, value);
	case CONF_URL:
		return check_url(c, value);
	case CONF_BLOCK:
		return check_block(c, value);
	case CONF_FINGERPRINT:
		return check_fingerprint(c, value);
	}
	return -EINVAL;
}
