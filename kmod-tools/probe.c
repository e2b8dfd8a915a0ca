/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* probe - what this kernel can do with TLS, found by ktls_probe(), and what to do about the rest.
 */

#include "kmod.h"

#include <stdio.h>
#include <sys/utsname.h>

static const struct kmod_column columns[] = {
	{ "feature", "FEATURE", false }, { "version", "VERSION", false },
	{ "cipher", "CIPHER", false },	 { "supported", "SUPPORTED", false },
	{ "note", "NOTE", false },
};

static const struct kmod_table table = {
	.name = "probe",
	.n_columns = ARRAY_SIZE(columns),
	.columns = columns,
};

/* The kernel's crypto module behind each cipher. */
static const char *const cipher_modules[_KTLS_CIPHER_MAX] = {
	[KTLS_AES_128_GCM] = "gcm",
	[KTLS_AES_256_GCM] = "gcm",
	[KTLS_CHACHA20_POLY1305] = "chacha20poly1305",
};

static int row_add(json_t *rows, const char *feature, const char *version, const char *cipher,
		   bool supported, const char *note)
{
	json_t *row = json_pack("{s:s, s:s?, s:s?, s:b, s:s?}", "feature", feature, "version",
				version, "cipher", cipher, "supported", (int)supported, "note",
				supported ? NULL : note);

	return row && json_array_append_new(rows, row) == 0 ? 0 : -ENOMEM;
}

static int cipher_row_add(json_t *rows, const struct ktls_support *support,
			  enum ktls_version version, enum ktls_cipher cipher)
{
	const char *name = ktls_cipher_info(cipher)->name;
	char buf[128];
	struct text note = TEXT_INIT(buf);

	text_addf(&note, "no cipher module for %s: modprobe %s", name, cipher_modules[cipher]);
	return row_add(rows, "cipher", ktls_version_name(version), name,
		       support->ciphers[version] & 1 << cipher, support->ulp ? buf : NULL);
}

static int rows_fill(json_t *rows, const struct ktls_support *support)
{
	const char *rekey_note = NULL;
	int r;

	/* Rekey is tried with a TLS 1.3 cipher: without one nothing is known about it. */
	if (support->ciphers[KTLS_TLS13])
		rekey_note = "kernels before Linux 6.14: a session ends at a peer's KeyUpdate";
	r = row_add(rows, "ulp", NULL, NULL, support->ulp, "no tls module: modprobe tls");
	if (r == 0)
		r = row_add(rows, "rekey", ktls_version_name(KTLS_TLS13), NULL, support->rekey,
			    rekey_note);
	for (enum ktls_version v = 0; r == 0 && v < _KTLS_VERSION_MAX; v++)
		for (enum ktls_cipher c = 0; r == 0 && c < _KTLS_CIPHER_MAX; c++)
			r = cipher_row_add(rows, support, v, c);
	return r;
}

static void verdict_print(const struct ktls_support *support, const char *release)
{
	const char *verdict = "can carry TLS 1.3 sessions";

	if (!support->ulp)
		verdict = "cannot carry TLS sessions: no tls module";
	else if (!support->ciphers[KTLS_TLS13])
		verdict = "cannot carry TLS 1.3 sessions: no cipher for them";
	printf("\nkernel %s %s\n", release, verdict);
}

int kmod_probe(enum kmod_format format)
{
	_cleanup_json_ json_t *rows = json_array(), *beside = NULL;
	struct ktls_support support;
	struct utsname kernel;
	bool tls13;
	int r;

	r = ktls_probe(&support);
	if (r < 0)
		return r;
	if (uname(&kernel) < 0)
		return -errno;
	tls13 = support.ciphers[KTLS_TLS13] != 0;
	beside = json_pack("{s:b, s:s}", "tls13", (int)tls13, "kernel", kernel.release);
	if (!rows || !beside)
		return -ENOMEM;
	r = rows_fill(rows, &support);
	if (r < 0)
		return r;
	r = kmod_table_print(&table, format, rows, beside);
	if (r < 0)
		return r;
	if (format == KMOD_TEXT)
		verdict_print(&support, kernel.release);
	return tls13 ? 0 : KMOD_E_UNAVAILABLE;
}
