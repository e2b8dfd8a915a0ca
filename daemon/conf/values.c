/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the text of one value to what it means. Nothing here knows of options or files. */

#include <conf/conf-private.h>

#include <stdio.h>

#define HOSTNAME_MAX	   253 /* RFC 1035 2.3.4, without the root's dot */
#define HOSTNAME_LABEL_MAX 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at the start of *@text, which is moved behind them; none or too many: false. */
static bool take_number(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t number = 0;

	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++) {
		if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*p - '0'), &number))
			return false;
	}
	*text = p;
	*ret = number;
	return true;
}

bool conf_number_parse(const char *text, uint64_t *ret)
{
	uint64_t number;

	if (!take_number(&text, &number) || *text)
		return false;
	*ret = number;
	return true;
}

static const struct {
	const char *name;
	uint64_t ms;
} units[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "h", 3600 * 1000 },
	{ "d", 24 * 3600 * 1000 },
};

bool conf_duration_parse(const char *text, uint64_t *ret_ms)
{
	uint64_t number;

	if (!take_number(&text, &number))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(text, units[i].name) == 0)
			return !__builtin_mul_overflow(number, units[i].ms, ret_ms);
	}
	return false;
}

/* In the largest unit that tells it exactly. */
void conf_duration_format(uint64_t ms, struct text *ret)
{
	size_t i = ms ? ARRAY_SIZE(units) - 1 : 1;

	while (ms % units[i].ms != 0)
		i--;
	text_addf(ret, "%ju%s", (uintmax_t)(ms / units[i].ms), units[i].name);
}

int64_t conf_word_find(const char *const *words, const char *text)
{
	for (int64_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
	}
	return -1;
}

bool conf_bool_parse(const char *text, bool *ret)
{
	static const char *const words[] = { "false", "true", NULL };
	int64_t i = conf_word_find(words, text);

	if (i < 0)
		return false;
	*ret = i == 1;
	return true;
}

/* RFC 1123 2.1: letters, digits and inner hyphens. */
static bool is_label(const char *label, size_t len)
{
	if (len == 0 || len > HOSTNAME_LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(label[i]) && !(label[i] >= 'a' && label[i] <= 'z') && label[i] != '-')
			return false;
	}
	return true;
}

bool conf_hostname_normalize(char *name)
{
	const char *label = name;
	size_t len;

	if (strlen(name) > HOSTNAME_MAX)
		return false;
	/* Not tolower(): the locale has no say in what a host name is. */
	for (char *p = name; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	for (;;) {
		len = strcspn(label, ".");
		if (!is_label(label, len))
			return false;
		if (!label[len])
			break;
		label += len + 1;
	}
	/* RFC 1123 2.1: a last label of digits alone is what tells an address from a name. */
	return strspn(label, "0123456789") != len;
}

bool conf_url_is_sane(const char *text)
{
	static const char *const schemes[] = { "http://", "https://" };
	const char *host = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			host = text + strlen(schemes[i]);
	}
	if (!host || !*host || strchr("/?#:", *host))
		return false;
	for (; *host; host++) {
		if (*host <= ' ' || *host > '~')
			return false;
	}
	return true;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) & 15 : -1;
}

bool conf_fingerprint_parse(const char *text, uint8_t ret[static 32])
{
	uint8_t bytes[32];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		int high, low;

		if (i > 0 && *text == ':')
			text++;
		high = hex_digit(*text);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text)
		return false;
	memcpy(ret, bytes, sizeof(bytes));
	return true;
}

int conf_path_resolve(const char *file, const char *name, char **ret)
{
	const char *slash = strrchr(file, '/');
	int dir = name[0] == '/' || !slash ? 0 : (int)(slash - file) + 1;
	char *path;

	if (asprintf(&path, "%.*s%s", dir, file, name) < 0)
		return -ENOMEM;
	*ret = path;
	return 0;
}

void *conf_array_new(size_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}
