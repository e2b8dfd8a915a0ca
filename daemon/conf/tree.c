/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libconfuse at work: our tables become its tables, every value it reads is kept as text with its
 * line, and when it has finished, each value is checked against its row.
 *
 * All options are CFGT_PTR to libconfuse: its own types take octal numbers and "yes", and forget
 * the line. All sections are CFGF_MULTI: a section that may come only once would otherwise
 * be merged with its repetition. libconfuse has no user pointer for its callbacks, so each of them
 * leaves what it has to tell in the tree: a value its line, a section a mistake in @comment.
 */

#include <conf/conf-private.h>

#include <stdarg.h>
#include <stdio.h>

/* ---- our tables to libconfuse's ---- */

static int value_read(cfg_t *section, cfg_opt_t *option, const char *text, void *ret)
{
	size_t size = strlen(text) + 1;
	struct conf_value *value;

	value = calloc(1, sizeof(*value) + size);
	if (!value)
		return -1;
	value->line = (uint32_t)section->line;
	memcpy(value->text, text, size);
	/*
	 * A second assignment drops the values of the first before it comes here. libconfuse has
	 * no use for @def of a CFGT_PTR, so it remembers the line of the first.
	 */
	if (option->nvalues == 1) {
		value->first_line = (uint32_t)option->def.number;
		option->def.number = section->line;
	}
	*(void **)ret = value;
	return 0;
}

static void options_free(cfg_opt_t *options)
{
	for (size_t i = 0; options && options[i].name; i++)
		options_free(options[i].subopts);
	free(options);
}

static cfg_opt_t *options_new(const struct conf_option *rows)
{
	cfg_opt_t *options;
	size_t n = 0;

	while (rows[n].name)
		n++;
	options = calloc(n + 1, sizeof(*options));
	for (size_t i = 0; options && i < n; i++) {
		cfg_opt_t *option = &options[i];

		option->name = rows[i].name;
		if (rows[i].type != CONF_SECTION) {
			option->type = CFGT_PTR;
			option->flags = rows[i].flags & CONF_LIST ? CFGF_LIST : CFGF_NONE;
			option->parsecb = value_read;
			option->freecb = free;
			continue;
		}
		option->type = CFGT_SEC;
		option->flags = CFGF_MULTI;
		if (rows[i].flags & CONF_TITLED)
			option->flags |= CFGF_TITLE | CFGF_NO_TITLE_DUPES;
		option->subopts = options_new(rows[i].options);
		if (!option->subopts) {
			options_free(options);
			return NULL;
		}
	}
	return options;
}

/* ---- mistakes ---- */

int conf_tree_fail(const struct conf_tree *tree, const cfg_t *section, const char *option,
		   uint32_t line, const char *format, ...)
{
	char buf[sizeof(tree->error->text)] = "";
	struct text where = TEXT_INIT(buf);
	va_list args;

	if (section != tree->root) {
		text_addf(&where, "%s", section->name);
		if (section->title)
			text_addf(&where, " \"%.253s\"", section->title);
		text_addf(&where, ": ");
	}
	if (option)
		text_addf(&where, "%s: ", option);
	va_start(args, format);
	(void)vsnprintf(buf + where.len, sizeof(buf) - where.len, format, args);
	va_end(args);
	conf_error_set(tree->error, tree->file, line, "%s", buf);
	return CONF_E_INVALID;
}

/* After the syntax check these are all the mistakes that libconfuse can find; each tells a word. */
static const struct {
	const char *theirs, *ours;
} phrases[] = {
	{ "no such option '%s'", "expected an option of this section, found \"" },
	{ "found duplicate title '%s'", "expected a title that is not in use, found again \"" },
	{ "unexpected token '%s'", "expected a single value, found \"" },
	{ "missing equal sign after option '%s'", "expected \"=\" after the option \"" },
	{ "missing opening brace for section '%s'", "expected \"{\" after the section \"" },
	{ "missing title for section '%s'", "expected a title after the section \"" },
};

_printf_(2, 0) static void on_error(cfg_t *section, const char *format, va_list args)
{
	char *text = NULL;

	if (section->comment)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
		if (strcmp(format, phrases[i].theirs) != 0)
			continue;
		if (asprintf(&text, "%s%s\"", phrases[i].ours, va_arg(args, const char *)) >= 0)
			section->comment = text;
		return;
	}
	if (vasprintf(&text, format, args) >= 0)
		section->comment = text;
}

static const cfg_t *find_mistake(const cfg_t *section)
{
	const cfg_t *found = section->comment ? section : NULL;

	for (const cfg_opt_t *option = section->opts; !found && option->name; option++) {
		if (option->type != CFGT_SEC)
			continue;
		for (unsigned int i = 0; !found && i < option->nvalues; i++)
			found = find_mistake(option->values[i]->section);
	}
	return found;
}

/* ---- checks ---- */

static int check_title(const struct conf_check *c, cfg_t *section)
{
	uint32_t line = (uint32_t)section->line;

	if (c->row->flags & CONF_HOST_TITLE) {
		if (!conf_hostname_normalize(section->title))
			return conf_check_fail(c, line, "expected a host name, found \"%s\"",
					       section->title);
	} else if (c->row->flags & CONF_TITLED) {
		if (!section->title[0] || strlen(section->title) > CONF_TITLE_MAX)
			return conf_check_fail(c, line,
					       "expected a title of 1 to %d bytes, found \"%s\"",
					       CONF_TITLE_MAX, section->title);
	}
	return 0;
}

static int check_section(const struct conf_tree *tree, cfg_t *section,
			 const struct conf_option *rows, const uint32_t *lines);

static int check_sections(const struct conf_check *c, const cfg_opt_t *option,
			  const uint32_t *lines)
{
	for (unsigned int i = 0; i < option->nvalues; i++) {
		cfg_t *child = option->values[i]->section;
		int r;

		/* libconfuse leaves here the number of the section's last token. */
		child->line = (int)lines[child->line];
		if (i > 0 && !(c->row->flags & CONF_LIST))
			return conf_check_fail(c, (uint32_t)child->line,
					       "expected once, found again after line %d",
					       option->values[0]->section->line);
		r = check_title(c, child);
		if (r)
			return r;
		r = check_section(c->tree, child, c->row->options, lines);
		if (r)
			return r;
	}
	return 0;
}

static int check_values(const struct conf_check *c, const cfg_opt_t *option, const uint32_t *lines)
{
	for (unsigned int i = 0; i < option->nvalues; i++) {
		struct conf_value *value = option->values[i]->ptr;
		int r;

		value->line = lines[value->line];
		value->first_line = lines[value->first_line];
		r = conf_check_value(c, value);
		if (r)
			return r;
	}
	return 0;
}

/* Depth is that of the tables. */
static int check_section(const struct conf_tree *tree, cfg_t *section,
			 const struct conf_option *rows, const uint32_t *lines)
{
	for (const struct conf_option *row = rows; row->name; row++) {
		struct conf_check c = { tree, section, row };
		cfg_opt_t *option = cfg_getopt(section, row->name);
		bool optional = row->type == CONF_SECTION && !(row->flags & CONF_LIST);
		int line = section->line, r;

		if (option->nvalues == 0 && (row->flags & CONF_REQUIRED))
			return conf_check_fail(&c, (uint32_t)line,
					       "missing: expected %s, found none",
					       row->flags & CONF_LIST ? "at least one" : "one");
		if (option->nvalues == 0 && (row->fallback || optional)) {
			/* What is made now is at no line, which lines[0] says. */
			section->line = 0;
			if (!cfg_setopt(section, option, row->fallback))
				return -ENOMEM;
			section->line = line;
		}
		r = row->type == CONF_SECTION ? check_sections(&c, option, lines)
					      : check_values(&c, option, lines);
		if (r)
			return r;
	}
	return 0;
}

/* ---- the whole ---- */

static int parse(struct conf_tree *tree, const struct conf_option *rows,
		 const struct conf_syntax *syntax)
{
	const cfg_t *mistake;
	cfg_opt_t *options;

	options = options_new(rows);
	if (!options)
		return -ENOMEM;
	tree->root = cfg_init(options, CFGF_NONE);
	options_free(options);
	if (!tree->root)
		return -ENOMEM;
	cfg_set_error_function(tree->root, on_error);
	if (cfg_parse_buf(tree->root, syntax->text) != CFG_SUCCESS) {
		mistake = find_mistake(tree->root);
		if (!mistake)
			return -ENOMEM;
		return conf_tree_fail(tree, mistake, NULL, syntax->lines[mistake->line], "%s",
				      mistake->comment);
	}
	tree->root->line = 0; /* the file as a whole */
	return check_section(tree, tree->root, rows, syntax->lines);
}

int conf_tree_parse(const struct conf_option *options, const char *file, const char *text,
		    size_t size, struct conf_tree *ret, struct conf_error *error)
{
	_cleanup_(conf_syntax_done) struct conf_syntax syntax = { 0 };
	_cleanup_(conf_tree_done) struct conf_tree tree = { .file = file, .error = error };
	int r;

	r = conf_syntax_check(file, text, size, &syntax, error);
	if (r)
		return r;
	r = parse(&tree, options, &syntax);
	if (r)
		return r;
	*ret = tree;
	tree.root = NULL;
	return 0;
}

void conf_tree_done(struct conf_tree *tree)
{
	if (tree->root)
		cfg_free(tree->root);
	tree->root = NULL;
}

static cfg_opt_t *find_option(const cfg_t *section, const char *name)
{
	for (cfg_opt_t *option = section->opts; option->name; option++) {
		if (strcmp(option->name, name) == 0)
			return option;
	}
	return NULL;
}

size_t conf_tree_count(cfg_t *section, const char *option)
{
	const cfg_opt_t *found = find_option(section, option);

	return found ? found->nvalues : 0;
}

cfg_t *conf_tree_section(cfg_t *section, const char *option, size_t i)
{
	return cfg_getnsec(section, option, (unsigned int)i);
}

struct conf_value *conf_tree_value(cfg_t *section, const char *option, size_t i)
{
	const cfg_opt_t *found = find_option(section, option);

	return found && i < found->nvalues ? found->values[i]->ptr : NULL;
}

uint64_t conf_tree_number(cfg_t *section, const char *option)
{
	const struct conf_value *value = conf_tree_value(section, option, 0);

	return value ? value->number : 0;
}

int conf_tree_text(cfg_t *section, const char *option, char **ret)
{
	const struct conf_value *value = conf_tree_value(section, option, 0);
	char *text = NULL;

	if (value) {
		text = strdup(value->text);
		if (!text)
			return -ENOMEM;
	}
	*ret = text;
	return 0;
}

int conf_tree_texts(cfg_t *section, const char *option, char ***ret, size_t *ret_n)
{
	size_t n = conf_tree_count(section, option);

	*ret_n = 0;
	*ret = conf_array_new(n, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		(*ret)[i] = strdup(conf_tree_value(section, option, i)->text);
		if (!(*ret)[i])
			return -ENOMEM;
		(*ret_n)++;
	}
	return 0;
}
