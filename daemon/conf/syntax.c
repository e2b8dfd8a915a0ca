/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The first look at a configuration file, before libconfuse sees it.
 *
 * libconfuse 3.3 is generous where a security daemon must not be: it puts environment variables
 * into strings, drops bytes it does not know, lets an option name be a quoted path into another
 * section, counts one line too many for each block comment, reads one byte past a comment that
 * fills its buffer, and does not tell where a section begins. So the small grammar is checked here
 * (one table), and libconfuse gets the bare tokens, one on each line: what it says of a line is
 * then exact to the token. What is left to it are the names and shapes of options.
 */

#include <conf/conf-private.h>

#define TOKEN_SHOWN 64 /* bytes of a token in a message */

enum token {
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_EQUALS,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_END,
	_TOKEN_MAX,
};

enum state {
	STATE_BAD, /* zero, so that what the table does not name is wrong */
	STATE_STATEMENT,
	STATE_NAMED,
	STATE_TITLED,
	STATE_VALUE,
	STATE_FIRST_ITEM,
	STATE_ITEM,
	STATE_SEPARATOR,
	STATE_DONE,
	_STATE_MAX,
};

static const struct {
	const char *expected;
	enum state next[_TOKEN_MAX];
} grammar[_STATE_MAX] = {
	[STATE_STATEMENT] = { "an option or \"}\"",
			      { [TOKEN_WORD] = STATE_NAMED,
				[TOKEN_CLOSE] = STATE_STATEMENT,
				[TOKEN_END] = STATE_DONE } },
	[STATE_NAMED] = { "\"=\" or \"{\" after the name of an option",
			  { [TOKEN_EQUALS] = STATE_VALUE,
			    [TOKEN_WORD] = STATE_TITLED,
			    [TOKEN_STRING] = STATE_TITLED,
			    [TOKEN_OPEN] = STATE_STATEMENT } },
	[STATE_TITLED] = { "\"{\" after the title of a section",
			   { [TOKEN_OPEN] = STATE_STATEMENT } },
	[STATE_VALUE] = { "a value after \"=\"",
			  { [TOKEN_WORD] = STATE_STATEMENT,
			    [TOKEN_STRING] = STATE_STATEMENT,
			    [TOKEN_OPEN] = STATE_FIRST_ITEM } },
	[STATE_FIRST_ITEM] = { "at least one value in the list",
			       { [TOKEN_WORD] = STATE_SEPARATOR,
				 [TOKEN_STRING] = STATE_SEPARATOR } },
	[STATE_ITEM] = { "a value or \"}\" after \",\"",
			 { [TOKEN_WORD] = STATE_SEPARATOR,
			   [TOKEN_STRING] = STATE_SEPARATOR,
			   [TOKEN_CLOSE] = STATE_STATEMENT } },
	[STATE_SEPARATOR] = { "\",\" or \"}\" after a value of the list",
			      { [TOKEN_COMMA] = STATE_ITEM, [TOKEN_CLOSE] = STATE_STATEMENT } },
};

struct scanner {
	const char *file;
	struct conf_error *error;
	const char *pos, *end; /* @end: the terminator */
	uint32_t line;
	/* the token read last */
	const char *token;
	size_t token_len;
	/* the option whose name was read last, and the sections it is in */
	uint32_t option_line;
	uint32_t open_lines[CONF_DEPTH_MAX];
	size_t depth;
	size_t n_sections;
	size_t n_items;
	/* what libconfuse will read */
	struct conf_syntax *out;
	size_t out_len;
};

static int fail_found(const struct scanner *s, uint32_t line, const char *expected)
{
	size_t len = s->token_len < TOKEN_SHOWN ? s->token_len : TOKEN_SHOWN;

	if (s->token == s->end)
		conf_error_set(s->error, s->file, line, "expected %s, found the end of the file",
			       expected);
	else
		conf_error_set(s->error, s->file, line, "expected %s, found \"%.*s\"", expected,
			       (int)len, s->token);
	return CONF_E_INVALID;
}

static int fail(const struct scanner *s, uint32_t line, const char *message)
{
	conf_error_set(s->error, s->file, line, "%s", message);
	return CONF_E_INVALID;
}

static int skip_line_comment(struct scanner *s)
{
	for (; s->pos < s->end && *s->pos != '\n'; s->pos++) {
		if (*s->pos == '\0')
			return fail(s, s->line, "expected text, found a NUL byte");
	}
	return 0;
}

static int skip_block_comment(struct scanner *s)
{
	uint32_t start = s->line;

	for (s->pos += 2; s->pos < s->end; s->pos++) {
		if (s->pos[0] == '*' && s->pos[1] == '/') {
			s->pos += 2;
			return 0;
		}
		if (*s->pos == '\0')
			return fail(s, s->line, "expected text, found a NUL byte");
		if (*s->pos == '\n')
			s->line++;
	}
	return fail(s, start,
		    "expected \"*/\" at the end of the comment that begins here, found "
		    "the end of the file");
}

static int skip_blanks(struct scanner *s)
{
	int r = 0;

	while (r == 0) {
		if (*s->pos == '\n') {
			s->line++;
			s->pos++;
		} else if (*s->pos == ' ' || *s->pos == '\t') {
			s->pos++;
		} else if (s->pos[0] == '\r' && s->pos[1] == '\n') {
			s->pos++;
		} else if (*s->pos == '#' || (s->pos[0] == '/' && s->pos[1] == '/')) {
			r = skip_line_comment(s);
		} else if (s->pos[0] == '/' && s->pos[1] == '*') {
			r = skip_block_comment(s);
		} else {
			break;
		}
	}
	return r;
}

/* A string holds what it shows: no escapes, no variables, one line. */
static int scan_string(struct scanner *s)
{
	s->token = ++s->pos;
	for (; *s->pos != '"'; s->pos++) {
		unsigned char c = (unsigned char)*s->pos;

		if (s->pos == s->end || c == '\n')
			return fail(s, s->line, "expected a closing quote on the same line");
		if (c == '\0')
			return fail(s, s->line, "expected text, found a NUL byte");
		if (c < 0x20 || c == 0x7f)
			return fail(s, s->line,
				    "expected text, found a control character in a "
				    "string");
		if (c == '\\')
			return fail(s, s->line, "expected text without escapes, found a backslash");
		if (c == '$' && s->pos[1] == '{')
			return fail(s, s->line,
				    "expected text, found \"${\": environment variables "
				    "are not replaced");
		if (s->pos - s->token >= CONF_STRING_MAX)
			return fail(s, s->line,
				    "expected at most " STR(CONF_STRING_MAX) " bytes in a string");
	}
	s->token_len = (size_t)(s->pos - s->token);
	s->pos++;
	return 0;
}

static int scan_token(struct scanner *s, enum token *ret)
{
	static const char punctuation[] = "={},";
	static const enum token tokens[] = { TOKEN_EQUALS, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA };
	const char *p;
	int r;

	r = skip_blanks(s);
	if (r)
		return r;
	s->token = s->pos;
	s->token_len = 1;
	if (s->pos == s->end) {
		*ret = TOKEN_END;
		return 0;
	}
	if (*s->pos == '\0')
		return fail(s, s->line, "expected text, found a NUL byte");
	if (*s->pos == '"') {
		*ret = TOKEN_STRING;
		return scan_string(s);
	}
	p = strchr(punctuation, *s->pos);
	if (p) {
		s->pos++;
		*ret = tokens[p - punctuation];
		return 0;
	}
	s->token_len = strspn(s->pos, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.:");
	if (s->token_len == 0) {
		s->token_len = 1;
		return fail_found(s, s->line, "a name, a value or a string in double quotes");
	}
	if (s->token_len > CONF_STRING_MAX)
		return fail(s, s->line,
			    "expected at most " STR(CONF_STRING_MAX) " bytes in a value");
	s->pos += s->token_len;
	*ret = TOKEN_WORD;
	return 0;
}

static int open_section(struct scanner *s)
{
	if (s->depth == CONF_DEPTH_MAX)
		return fail(s, s->line,
			    "expected at most " STR(CONF_DEPTH_MAX) " sections in one another");
	if (s->n_sections++ == CONF_SECTIONS_MAX)
		return fail(s, s->line, "expected at most " STR(CONF_SECTIONS_MAX) " sections");
	s->open_lines[s->depth++] = s->option_line;
	return 0;
}

/*
 * What the step from @state by @token means for sections and lists, beyond the grammar. *@line is
 * the line under which the token will be known.
 */
static int follow(struct scanner *s, enum state state, enum token token, uint32_t *line)
{
	if (state == STATE_STATEMENT && token == TOKEN_WORD) {
		s->option_line = s->line;
	} else if ((state == STATE_NAMED || state == STATE_TITLED) && token == TOKEN_OPEN) {
		return open_section(s);
	} else if (state == STATE_STATEMENT && token == TOKEN_CLOSE) {
		if (s->depth == 0)
			return fail_found(s, s->line, "an option");
		*line = s->open_lines[--s->depth];
	} else if (state == STATE_STATEMENT && token == TOKEN_END && s->depth > 0) {
		return fail_found(s, s->open_lines[s->depth - 1],
				  "\"}\" at the end of the section that begins here");
	} else if (state == STATE_VALUE) {
		s->n_items = 0;
	} else if (state == STATE_SEPARATOR && token == TOKEN_COMMA) {
		if (++s->n_items >= CONF_LIST_MAX)
			return fail(s, s->line,
				    "expected at most " STR(CONF_LIST_MAX) " values in a list");
	}
	return 0;
}

static void emit(struct scanner *s, enum token token, uint32_t line)
{
	size_t quote = token == TOKEN_STRING;

	s->out->lines[++s->out->n] = line;
	if (token == TOKEN_END)
		return;
	memcpy(s->out->text + s->out_len, s->token - quote, s->token_len + 2 * quote);
	s->out_len += s->token_len + 2 * quote;
	s->out->text[s->out_len++] = '\n';
}

static int check(struct scanner *s)
{
	enum state state = STATE_STATEMENT;

	while (state != STATE_DONE) {
		enum token token = 0;
		enum state next;
		uint32_t line;
		int r;

		r = scan_token(s, &token);
		if (r)
			return r;
		next = grammar[state].next[token];
		if (next == STATE_BAD)
			return fail_found(s, s->line, grammar[state].expected);
		line = s->line;
		r = follow(s, state, token, &line);
		if (r)
			return r;
		emit(s, token, line);
		state = next;
	}
	return 0;
}

int conf_syntax_check(const char *file, const char *text, size_t size, struct conf_syntax *ret,
		      struct conf_error *reterr)
{
	_cleanup_(conf_syntax_done) struct conf_syntax out = { 0 };
	struct scanner s = { .file = file, .error = reterr, .line = 1, .out = &out };
	_cleanup_free_ char *copy = NULL;
	int r;

	if (size > CONF_FILE_SIZE_MAX) {
		conf_error_set(reterr, file, 0,
			       "expected at most %d bytes in a configuration file, found %zu",
			       CONF_FILE_SIZE_MAX, size);
		return CONF_E_INVALID;
	}
	copy = malloc(size + 1);
	/* At worst each byte is a token and gets a line feed; lines count from 1, and the end of
	 * the file has one. */
	out.text = calloc(2 * size + 1, 1);
	out.lines = calloc(size + 2, sizeof(*out.lines));
	if (!copy || !out.text || !out.lines)
		return -ENOMEM;
	if (size > 0)
		memcpy(copy, text, size);
	copy[size] = '\0';
	s.pos = copy;
	s.end = copy + size;

	r = check(&s);
	if (r)
		return r;
	*ret = out;
	out = (struct conf_syntax){ 0 };
	return 0;
}

void conf_syntax_done(struct conf_syntax *syntax)
{
	free(syntax->text);
	free(syntax->lines);
	*syntax = (struct conf_syntax){ 0 };
}
