/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One table of columns, three kinds of output. */

#include "view.h"

#include <libsmartcols.h>
#include <stdio.h>

#include "words.h"

static int flush_result(void)
{
	return fflush(stdout) != 0 || ferror(stdout) ? -EIO : 0;
}

int ctl_json_print(const json_t *value)
{
	if (json_dumpf(value, stdout, JSON_INDENT(2)) < 0)
		return -EIO;
	putchar('\n');
	return flush_result();
}

/* ---- values ---- */

/* Never a byte that a terminal or a reader of columns could take for something else. */
static char *escape(const char *text, size_t len)
{
	char *buf = calloc(4, len + 1);
	struct text safe = { .buf = buf, .size = 4 * (len + 1) };

	if (buf)
		ctl_text_add(&safe, text, len);
	return buf;
}

static char *number_text(int64_t number, enum ctl_format format)
{
	char words[CTL_WORDS_SIZE];
	char *text = NULL;
	int n = 0;

	switch (format) {
	case FORMAT_SIZE:
		n = asprintf(&text, "%s", ctl_words_size((uint64_t)number, words));
		break;
	case FORMAT_SPAN:
		n = asprintf(&text, "%s", ctl_words_span(number, words));
		break;
	case FORMAT_AGO:
		n = asprintf(&text, "%s ago", ctl_words_span(number, words));
		break;
	case FORMAT_TIME:
		n = asprintf(&text, "%s", ctl_words_time(number, time_realtime_s(), words));
		break;
	case FORMAT_WHEN:
		n = asprintf(&text, "%s", ctl_words_when(number, time_realtime_s(), words));
		break;
	case FORMAT_PLAIN:
	case FORMAT_COUNT:
	case FORMAT_PROSE:
		n = asprintf(&text, "%lld", (long long)number);
		break;
	}
	return n < 0 ? NULL : text;
}

/* false: no memory. */
static bool item_write(FILE *to, const char *separator, json_t *item, enum ctl_format format,
		       bool raw)
{
	_cleanup_free_ char *text = ctl_value_text(item, format, raw);

	return text && fprintf(to, "%s%s", separator, text) >= 0;
}

static bool items_write(FILE *to, json_t *value, enum ctl_format format, bool raw)
{
	const char *comma = raw ? "," : ", ", *key;
	bool first = true, done = true;
	json_t *item;

	for (size_t i = 0; done && i < json_array_size(value); i++, first = false)
		done = item_write(to, first ? "" : comma, json_array_get(value, i), format, raw);
	json_object_foreach (value, key, item) {
		done = done && item_write(to, first ? "" : " ", item, format, raw);
		first = false;
	}
	return done;
}

static char *items_text(json_t *value, enum ctl_format format, bool raw)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	bool done;

	if (!to)
		return NULL;
	done = items_write(to, value, format, raw);
	if (fclose(to) != 0 || !done)
		return NULL;
	return size > 0 ? steal_ptr(text) : strdup("-");
}

char *ctl_value_text(json_t *value, enum ctl_format format, bool raw)
{
	if (json_is_array(value) || json_is_object(value))
		return items_text(value, format, raw);
	if (json_is_integer(value))
		return number_text(json_integer_value(value), raw ? FORMAT_PLAIN : format);
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (json_is_string(value) && json_string_length(value) > 0)
		return escape(json_string_value(value), json_string_length(value));
	return strdup("-");
}

/* ---- columns ---- */

static const struct ctl_column *column_find(const struct ctl_view *view, const char *name,
					    size_t len)
{
	for (size_t i = 0; i < view->n_columns; i++) {
		if (strlen(view->columns[i].name) == len &&
		    strncasecmp(view->columns[i].name, name, len) == 0)
			return &view->columns[i];
	}
	return NULL;
}

static void complain_about_column(const struct ctl_view *view, const char *name, size_t len)
{
	char buf[1024] = "";
	struct text names = TEXT_INIT(buf);

	for (size_t i = 0; i < view->n_columns; i++)
		text_addf(&names, " %s", view->columns[i].name);
	ctl_complain("no column \"%.*s\"; there are:%s", (int)len, name, buf);
}

int ctl_view_select(const struct ctl_view *view, const char *output, struct ctl_selection *ret)
{
	struct ctl_selection selection = { .n = 0 };

	for (size_t i = 0; !output && i < view->n_columns; i++) {
		if (view->columns[i].shown)
			selection.columns[selection.n++] = &view->columns[i];
	}
	while (output) {
		const char *end = strchrnul(output, ',');
		size_t len = (size_t)(end - output);
		const struct ctl_column *column = column_find(view, output, len);

		if (!column) {
			complain_about_column(view, output, len);
			return CTL_USAGE;
		}
		if (selection.n == CTL_COLUMNS_MAX) {
			ctl_complain("too many columns");
			return CTL_USAGE;
		}
		selection.columns[selection.n++] = column;
		output = *end ? end + 1 : NULL;
	}
	*ret = selection;
	return 0;
}

/* ---- JSON ---- */

static json_t *row_filter(const json_t *row, const struct ctl_selection *selection)
{
	_cleanup_json_ json_t *filtered = json_object();

	for (size_t i = 0; filtered && i < selection->n; i++) {
		json_t *value = json_object_get(row, selection->columns[i]->name);

		if (value && json_object_set(filtered, selection->columns[i]->name, value) < 0)
			return NULL;
	}
	return steal_ptr(filtered);
}

static int print_json(const struct ctl_view *view, const struct ctl_selection *selection,
		      bool filter, const json_t *rows, json_t *beside)
{
	_cleanup_json_ json_t *document = json_object(), *list = json_array();

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		if (json_array_append_new(list, filter ? row_filter(row, selection)
						       : json_incref(row)) < 0)
			return -ENOMEM;
	}
	if (json_object_set(document, view->name, list) < 0 ||
	    (beside && json_object_update_missing(document, beside) < 0))
		return -ENOMEM;
	return ctl_json_print(document);
}

/* ---- tab-separated ---- */

static int print_raw(const struct ctl_selection *selection, const json_t *rows)
{
	for (size_t c = 0; c < selection->n; c++)
		printf("%s%s", c ? "\t" : "", selection->columns[c]->name);
	putchar('\n');
	for (size_t i = 0; i < json_array_size(rows); i++) {
		for (size_t c = 0; c < selection->n; c++) {
			const struct ctl_column *column = selection->columns[c];
			_cleanup_free_ char *text =
				ctl_value_text(json_object_get(json_array_get(rows, i),
							       column->name),
					       column->format, /* raw= */ true);

			if (!text)
				return -ENOMEM;
			printf("%s%s", c ? "\t" : "", text);
		}
		putchar('\n');
	}
	return flush_result();
}

/* ---- aligned text ---- */

bool ctl_colours_wanted(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no);
}

static void table_unrefp(struct libscols_table **table)
{
	scols_unref_table(*table);
}

static int add_row(struct libscols_table *table, const struct ctl_selection *selection,
		   const json_t *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line)
		return -ENOMEM;
	for (size_t c = 0; c < selection->n; c++) {
		const struct ctl_column *column = selection->columns[c];
		json_t *value = json_object_get(row, column->name);
		char *text = column->absent && !value
				     ? strdup(column->absent)
				     : ctl_value_text(value, column->format, /* raw= */ false);
		bool alarm = text && column->alarm &&
			     strncmp(text, column->alarm, strlen(column->alarm)) == 0;

		/* The table takes the text over. */
		if (!text || scols_line_refer_data(line, c, text) < 0) {
			free(text);
			return -ENOMEM;
		}
		if (alarm && scols_cell_set_color(scols_line_get_cell(line, c), "red") < 0)
			return -ENOMEM;
	}
	return 0;
}

static int print_text(const struct ctl_view *view, const struct ctl_selection *selection,
		      const json_t *rows)
{
	_cleanup_(table_unrefp) struct libscols_table *table = NULL;
	int r = 0;

	if (json_array_size(rows) == 0) {
		puts(view->empty);
		return flush_result();
	}
	table = scols_new_table();
	/* Values are escaped already, and are not to be once more. */
	if (!table || scols_table_enable_colors(table, ctl_colours_wanted()) < 0 ||
	    scols_table_enable_noencoding(table, 1) < 0)
		return -ENOMEM;
	for (size_t c = 0; c < selection->n; c++) {
		const struct ctl_column *column = selection->columns[c];
		int flags = column->format == FORMAT_COUNT || column->format == FORMAT_SIZE
				    ? SCOLS_FL_RIGHT
				    : 0;

		if (column->format == FORMAT_PROSE)
			flags = SCOLS_FL_WRAP;
		if (!scols_table_new_column(table, column->heading, 0, flags))
			return -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
		r = add_row(table, selection, json_array_get(rows, i));
	if (r == 0 && scols_print_table(table) < 0)
		r = -ENOMEM;
	return r < 0 ? r : flush_result();
}

int ctl_view_print(const struct ctl_view *view, const struct ctl_selection *selection,
		   const struct ctl_options *options, const json_t *rows, json_t *beside)
{
	if (options->json)
		return print_json(view, selection, options->output != NULL, rows, beside);
	if (options->raw)
		return print_raw(selection, rows);
	return print_text(view, selection, rows);
}

int ctl_view_block(const struct ctl_view *view, const char *title, const json_t *row)
{
	const char *bold = ctl_colours_wanted() ? "\x1b[1m" : "", *plain = *bold ? "\x1b[0m" : "";

	for (size_t c = 0; c < view->n_columns; c++) {
		const struct ctl_column *column = &view->columns[c];
		json_t *value = json_object_get(row, column->name);
		_cleanup_free_ char *text = ctl_value_text(value, column->format, /* raw= */ false);

		if (!text)
			return -ENOMEM;
		if (c == 0)
			printf("%s%s: %s%s\n", bold, title, text, plain);
		else if (value)
			printf("  %s: %s\n", column->label, text);
	}
	return flush_result();
}
