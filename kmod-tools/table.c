/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Output in three forms from one table definition. The rows are JSON objects whatever the form:
 * --json prints them as they are, the others pick the columns by their keys.
 */

#include "kmod.h"

#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>

#define CELL_SIZE 256

/* A value as text; @buf is used for numbers. */
static const char *cell_text(const json_t *value, char buf[static CELL_SIZE])
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		snprintf(buf, CELL_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return buf;
	case JSON_TRUE:
		return "yes";
	case JSON_FALSE:
		return "no";
	case JSON_NULL:
	case JSON_REAL:
	case JSON_OBJECT:
	case JSON_ARRAY:
		return "-";
	}
	return "-";
}

static const char *row_cell(const struct kmod_column *column, const json_t *row,
			    char buf[static CELL_SIZE])
{
	const json_t *value = json_object_get(row, column->key);

	return value ? cell_text(value, buf) : "-";
}

static int print_json(const struct kmod_table *table, json_t *rows, json_t *beside)
{
	_cleanup_json_ json_t *object = json_object();

	if (!object || json_object_set(object, table->name, rows) < 0 ||
	    (beside && json_object_update(object, beside) < 0))
		return -ENOMEM;
	if (json_dumpf(object, stdout, JSON_COMPACT) < 0)
		return -EIO;
	putchar('\n');
	return 0;
}

static void print_raw(const struct kmod_table *table, json_t *rows)
{
	char buf[CELL_SIZE];
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		for (size_t c = 0; c < table->n_columns; c++)
			printf("%s%s", c ? "\t" : "", row_cell(&table->columns[c], row, buf));
		putchar('\n');
	}
}

static int text_fill(struct libscols_table *text, const struct kmod_table *table, json_t *rows)
{
	char buf[CELL_SIZE];
	json_t *row;
	size_t i;

	for (size_t c = 0; c < table->n_columns; c++)
		if (!scols_table_new_column(text, table->columns[c].title, 0,
					    table->columns[c].right ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	json_array_foreach (rows, i, row) {
		struct libscols_line *line = scols_table_new_line(text, NULL);

		if (!line)
			return -ENOMEM;
		for (size_t c = 0; c < table->n_columns; c++) {
			int r = scols_line_set_data(line, c,
						    row_cell(&table->columns[c], row, buf));

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int print_text(const struct kmod_table *table, json_t *rows)
{
	struct libscols_table *text;
	int r;

	if (json_array_size(rows) == 0) {
		puts(table->empty);
		return 0;
	}
	text = scols_new_table();
	if (!text)
		return -ENOMEM;
	r = text_fill(text, table, rows);
	if (r == 0)
		r = scols_print_table(text);
	scols_unref_table(text);
	return r;
}

int kmod_table_print(const struct kmod_table *table, enum kmod_format format, json_t *rows,
		     json_t *beside)
{
	int r = 0;

	switch (format) {
	case KMOD_TEXT:
		r = print_text(table, rows);
		break;
	case KMOD_JSON:
		r = print_json(table, rows, beside);
		break;
	case KMOD_RAW:
		print_raw(table, rows);
		break;
	}
	if (r < 0)
		return r;
	/* A full disk behind a redirection must not look like success. */
	if (fflush(stdout) == EOF || ferror(stdout))
		return -EIO;
	return 0;
}
