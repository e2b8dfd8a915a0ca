/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * stats - /proc/net/tls_stat. Counters are known by name: kernels differ in which of them they
 * have, and one that this table does not know is shown all the same.
 */

#include "kmod.h"

#include <stdio.h>

#define STAT_PATH     "/proc/net/tls_stat"
#define STAT_LINE_MAX 256

static const struct kmod_column columns[] = {
	{ "name", "COUNTER", false },
	{ "value", "VALUE", true },
	{ "meaning", "MEANING", false },
};

static const struct kmod_table table = {
	.name = "stats",
	.empty = "the tls module has no counters",
	.n_columns = ARRAY_SIZE(columns),
	.columns = columns,
};

/* Documentation/networking/tls.rst of the kernel, "Statistics". */
static const struct {
	const char *name, *meaning;
} meanings[] = {
	{ "TlsCurrTxSw", "sockets that send now, encrypted by the processor" },
	{ "TlsCurrRxSw", "sockets that receive now, decrypted by the processor" },
	{ "TlsCurrTxDevice", "sockets that send now, encrypted by a network card" },
	{ "TlsCurrRxDevice", "sockets that receive now, decrypted by a network card" },
	{ "TlsTxSw", "sockets ever set up to send, processor" },
	{ "TlsRxSw", "sockets ever set up to receive, processor" },
	{ "TlsTxDevice", "sockets ever set up to send, network card" },
	{ "TlsRxDevice", "sockets ever set up to receive, network card" },
	{ "TlsDecryptError", "records that failed authentication" },
	{ "TlsRxDeviceResync", "resynchronisations asked of network cards" },
	{ "TlsDecryptRetry", "records decrypted twice, because padded against expectation" },
	{ "TlsRxNoPadViolation", "data records that were padded against expectation" },
	{ "TlsRxRekeyOk", "receive keys changed" },
	{ "TlsRxRekeyError", "receive key changes that failed" },
	{ "TlsTxRekeyOk", "send keys changed" },
	{ "TlsTxRekeyError", "send key changes that failed" },
	{ "TlsRxRekeyReceived", "KeyUpdate messages received" },
};

static const char *meaning_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (strcmp(meanings[i].name, name) == 0)
			return meanings[i].meaning;
	return NULL;
}

static int rows_read(FILE *file, json_t *rows)
{
	char line[STAT_LINE_MAX];
	struct kmod_stat stat;

	while (fgets(line, sizeof(line), file)) {
		json_t *row;

		if (kmod_stat_parse(line, &stat) != 0)
			return KMOD_E_MALFORMED;
		row = json_pack("{s:s, s:I, s:s?}", "name", stat.name, "value",
				(json_int_t)stat.value, "meaning", meaning_find(stat.name));
		if (!row || json_array_append_new(rows, row) < 0)
			return -ENOMEM;
	}
	return ferror(file) ? -EIO : 0;
}

static int counters_read(json_t *rows)
{
	FILE *file;
	int r;

	file = fopen(STAT_PATH, "re");
	if (!file && errno == ENOENT) {
		kmod_tell("tls module not loaded: modprobe tls");
		return KMOD_E_UNAVAILABLE;
	}
	if (!file)
		return -errno;
	r = rows_read(file, rows);
	fclose(file);
	if (r != KMOD_E_MALFORMED)
		return r;
	kmod_tell("%s: not a list of counters", STAT_PATH);
	return KMOD_E_UNAVAILABLE;
}

int kmod_stats(enum kmod_format format)
{
	_cleanup_json_ json_t *rows = json_array(), *beside = NULL;
	int found, r;

	if (!rows)
		return -ENOMEM;
	found = counters_read(rows);
	if (found < 0)
		return found;
	beside = json_pack("{s:b}", "available", found == 0);
	if (!beside)
		return -ENOMEM;
	if (found == 0 || format == KMOD_JSON) {
		r = kmod_table_print(&table, format, rows, beside);
		if (r < 0)
			return r;
	}
	return found;
}
