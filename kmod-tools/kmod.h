/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of siptls-kmod share: one function for each subcommand, one table definition for
 * each output, and the parsers of what the kernel tells, kept free of libraries and of printing so
 * that they can be tested on crafted bytes. Private to kmod-tools.
 */

#include <jansson.h>
#include <siptls/base.h>
#include <siptls/ktls.h>
#include <siptls/net.h>

enum kmod_format { KMOD_TEXT, KMOD_JSON, KMOD_RAW };

enum {
	KMOD_E_UNAVAILABLE = 1, /* the kernel cannot or does not tell; the user was told why */
	KMOD_E_MALFORMED,	/* not what this interface of the kernel looks like */
};

/* The subcommands: 0, KMOD_E_UNAVAILABLE or -errno. */
int kmod_probe(enum kmod_format format) _must_check_;
int kmod_stats(enum kmod_format format) _must_check_;
int kmod_sockets(enum kmod_format format) _must_check_;
int kmod_offload(enum kmod_format format) _must_check_;

/* To standard error, as "siptls-kmod: ..." and a line end. */
void kmod_tell(const char *format, ...) _printf_(1, 2);

/* ---- output ---- */

struct kmod_column {
	const char *key;   /* member of a row's object, as --json shows it */
	const char *title; /* heading of the text */
	bool right;	   /* aligned to the right: numbers */
};

struct kmod_table {
	const char *name;  /* member that holds the rows in --json */
	const char *empty; /* what the text says instead of no rows */
	size_t n_columns;
	const struct kmod_column *columns;
};

/*
 * Print @rows, an array of objects with the members that @table names: aligned text; or one line
 * of tab-separated columns for each row; or one JSON object, which also has the members of
 * @beside, if any. Text shows booleans as yes and no, and null as "-".
 */
int kmod_table_print(const struct kmod_table *table, enum kmod_format format, json_t *rows,
		     json_t *beside) _must_check_;

static inline void kmod_json_unref(json_t **json)
{
	json_decref(*json);
}

#define _cleanup_json_ _cleanup_(kmod_json_unref)

/* ---- what the kernel tells ---- */

#define KMOD_ULP_SIZE 16 /* TCP_ULP_NAME_MAX of the kernel, terminator included */

struct kmod_socket {
	uint64_t cookie;
	struct net_addr local, remote;
	uint32_t uid, inode;
	uint8_t state;		 /* TCP_ESTABLISHED ... */
	char ulp[KMOD_ULP_SIZE]; /* "": none, or hidden from us */
	uint16_t version;	 /* as in the record header, 0: no keys yet */
	uint16_t cipher;	 /* TLS_CIPHER_*, 0: no keys yet */
	uint16_t tx, rx;	 /* TLS_CONF_* */
};

/* Payload of one SOCK_DIAG_BY_FAMILY answer. 0 or KMOD_E_MALFORMED. */
int kmod_socket_parse(const void *payload, size_t size, struct kmod_socket *ret) _must_check_;

/*
 * Every TCP socket of this network namespace, IPv4 then IPv6. @take returns 0 or -errno, which ends
 * the dump. The kernel may have to be asked again: @restart then comes before the first socket.
 */
struct kmod_dump_ops {
	void (*restart)(void *userdata);
	int (*take)(void *userdata, const struct kmod_socket *socket);
};

/* 0, KMOD_E_MALFORMED or -errno: -ENOENT if the kernel has no tcp_diag, -EINTR see dump.c. */
int kmod_dump(const struct kmod_dump_ops *ops, void *userdata) _must_check_;

#define KMOD_STAT_NAME_SIZE 64

struct kmod_stat {
	char name[KMOD_STAT_NAME_SIZE];
	uint64_t value;
};

/* One line of /proc/net/tls_stat, with or without its line end. 0 or KMOD_E_MALFORMED. */
int kmod_stat_parse(const char *line, struct kmod_stat *ret) _must_check_;
