/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Run a command of siptlsctl inside a test and keep what it prints. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <siptls/ctl.h>
#include <stdio.h>
#include <sys/mman.h>

#define OUTPUT_SIZE (256 * 1024)

struct output {
	char out[OUTPUT_SIZE], err[OUTPUT_SIZE];
};

static inline int stream_swap(FILE *stream, int fd)
{
	int saved = dup(fileno(stream));

	fflush(stream);
	assert_true(saved >= 0 && fd >= 0);
	assert_true(dup2(fd, fileno(stream)) >= 0);
	return saved;
}

static inline void stream_restore(FILE *stream, int saved, int fd, char ret[OUTPUT_SIZE])
{
	ssize_t n;

	fflush(stream);
	assert_true(dup2(saved, fileno(stream)) >= 0);
	close(saved);
	n = pread(fd, ret, OUTPUT_SIZE - 1, 0);
	assert_true(n >= 0);
	ret[n] = '\0';
	close(fd);
}

/* @line is split at spaces. */
static inline int command(ctl_command_fn fn, const struct ctl_context *context, const char *line,
			  struct output *ret)
{
	char copy[4096], *argv[64], *rest = copy;
	int argc = 0, r, out, err, saved_out, saved_err;

	assert_true(snprintf(copy, sizeof(copy), "%s", line) < (int)sizeof(copy));
	while ((argv[argc] = strsep(&rest, " ")))
		assert_true(++argc < 64);
	out = memfd_create("out", MFD_CLOEXEC);
	err = memfd_create("err", MFD_CLOEXEC);
	saved_out = stream_swap(stdout, out);
	saved_err = stream_swap(stderr, err);
	r = fn(context, argc, argv);
	stream_restore(stdout, saved_out, out, ret->out);
	stream_restore(stderr, saved_err, err, ret->err);
	return r;
}
