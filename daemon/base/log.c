/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One event is one journal entry with fields when stderr is the journal (systemd sets
 * JOURNAL_STREAM to its device and inode), else one line of text with the same fields behind it.
 */

#include <siptls/log.h>

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#define FIELDS_MAX 32

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static void log_to_journal(int priority, const char *message_id, const struct log_field *fields,
			   const char *text)
{
	struct iovec iov[FIELDS_MAX];
	char *lines[FIELDS_MAX] = { 0 };
	int n = 0;

	if (asprintf(&lines[n], "MESSAGE=%s", text) >= 0)
		n++;
	if (asprintf(&lines[n], "PRIORITY=%d", priority) >= 0)
		n++;
	if (message_id && asprintf(&lines[n], "MESSAGE_ID=%s", message_id) >= 0)
		n++;
	for (; fields && fields->name && n < FIELDS_MAX; fields++) {
		if (fields->value && asprintf(&lines[n], "%s=%s", fields->name, fields->value) >= 0)
			n++;
	}
	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){ .iov_base = lines[i], .iov_len = strlen(lines[i]) };
	(void)sd_journal_sendv(iov, n);
	for (int i = 0; i < n; i++)
		free(lines[i]);
}

/*
 * A value may come from a peer, by way of a worker that it has taken over. What has been made
 * printable before (text_add_foreign()) is not made so twice.
 */
static void add_value(struct text *line, const char *value)
{
	bool quoted = value[strcspn(value, " \"=")] != '\0';

	text_addf(line, quoted ? "\"" : "");
	for (; *value; value++) {
		if (*value == '"')
			text_addf(line, "\\\"");
		else if (*value >= 0x20 && *value < 0x7f)
			text_addf(line, "%c", *value);
		else
			text_addf(line, "\\x%02x", (unsigned char)*value);
	}
	text_addf(line, quoted ? "\"" : "");
}

/* "SIPTLS_PEER" is "peer=" to a person. */
static void add_field(struct text *line, const struct log_field *field)
{
	const char *name = field->name;

	if (strncmp(name, "SIPTLS_", 7) == 0)
		name += 7;
	text_addf(line, " ");
	for (; *name; name++)
		text_addf(line, "%c", *name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
	text_addf(line, "=");
	add_value(line, field->value);
}

void log_event(int priority, const char *message_id, const struct log_field *fields,
	       const char *format, ...)
{
	static const char *const words[] = { "emergency", "alert",  "critical", "error",
					     "warning",	  "notice", "info",	"debug" };
	char text[2048], buf[4096];
	struct text line = TEXT_INIT(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	if (stderr_is_journal()) {
		log_to_journal(priority, message_id, fields, text);
		return;
	}
	text_addf(&line, "siptlsd: %s: %s", words[priority & 7], text);
	for (; fields && fields->name; fields++) {
		if (fields->value)
			add_field(&line, fields);
	}
	fprintf(stderr, "%s\n", buf);
}
