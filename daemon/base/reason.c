/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of reasons as a table, made from the one place where it is written. */

#include <siptls/reason.h>

static const struct reason_info reasons[_REASON_MAX] = {
#define X(id, code, alert, text, cure) [REASON_##id] = { code, text, cure, alert },
	SIPTLS_REASONS(X)
#undef X
};

const struct reason_info *reason_info(enum reason r)
{
	return &reasons[(unsigned int)r < _REASON_MAX ? r : REASON_INTERNAL];
}

int reason_from_code(const char *code)
{
	for (int r = 0; r < _REASON_MAX; r++) {
		if (strcmp(reasons[r].code, code) == 0)
			return r;
	}
	return -1;
}
