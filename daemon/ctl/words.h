/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* words - ages, sizes and times as people say them, and back. */

#include <siptls/base.h>

#define CTL_WORDS_SIZE 64

/* "2 hours, 5 minutes": the two largest units. */
const char *ctl_words_span(int64_t seconds, char ret[static CTL_WORDS_SIZE]);
/* "1.21 MiB" */
const char *ctl_words_size(uint64_t bytes, char ret[static CTL_WORDS_SIZE]);
/* "2027-01-31 12:00:00 UTC (in 30 days)" */
const char *ctl_words_time(int64_t when, int64_t now, char ret[static CTL_WORDS_SIZE]);
/* "in 3 days", "2 hours ago" */
const char *ctl_words_when(int64_t when, int64_t now, char ret[static CTL_WORDS_SIZE]);

/* RFC 3339 ("2027-01-31T12:00:00Z", "...+01:00") or "@SECONDS" since 1970. false: neither. */
bool ctl_time_parse(const char *text, int64_t *ret);
/* "90s", "5m", "2h", "14d", up to UINT32_MAX seconds. false: none of these. */
bool ctl_span_parse(const char *text, uint32_t *ret_seconds);
