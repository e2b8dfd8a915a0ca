/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mistakes in the configuration, in words that are safe to print on a terminal. */

#include <conf/conf-private.h>

#include <stdarg.h>
#include <stdio.h>

void conf_error_set(struct conf_error *error, const char *file, uint32_t line, const char *format,
		    ...)
{
	struct text name = TEXT_INIT(error->file), text = TEXT_INIT(error->text);
	char message[sizeof(error->text)];
	size_t len = strlen(file);
	va_list args;

	va_start(args, format);
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		message[0] = '\0';
	va_end(args);

	*error = (struct conf_error){ .line = line };
	/* Of a path that is too long its end tells more than its beginning. */
	if (len >= sizeof(error->file)) {
		text_addf(&name, "...");
		file += len + sizeof("...") - sizeof(error->file);
	}
	text_add_foreign(&name, file, strlen(file));
	text_add_foreign(&text, message, strlen(message));
}
