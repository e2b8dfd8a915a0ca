/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How the parts of conf stand on one another:
 *
 *	values		text of one value -> number, duration, host name, path
 *	syntax		bytes of a file -> tokens, if it is our language at all
 *	schema		which options there are, as tables
 *	tree		libconfuse, driven by syntax and schema -> a tree of checked values with
 *lines topology	tree of topology.conf -> struct trust_policy
 *	entries		pools, servers... of it
 *	ports		listen and dial sections -> struct conf
 *	load		all else of siptlsd.conf -> struct conf
 *	take		files -> a snapshot, by reading them as above
 *	snapshot	a snapshot -> its files, and conf_load()
 *	last-good	a snapshot -> a folder of files, and back
 *	diff, warnings	struct conf -> lines for people
 */

#include <confuse.h>
#include <siptls/conf.h>

#define CONF_FILE_SIZE_MAX (1024 * 1024) /* bytes of any file that takes part */
#define CONF_SECTIONS_MAX  16384	 /* of one configuration file */
#define CONF_DEPTH_MAX	   8		 /* sections in sections */
#define CONF_STRING_MAX	   4095		 /* bytes of one value; of a path, too (PATH_MAX) */
#define CONF_LIST_MAX	   4096		 /* values of one list */
#define CONF_ADDRESSES_MAX 1024		 /* listening addresses, all sections together */
#define CONF_TITLE_MAX	   64		 /* bytes; host names have a limit of their own */
#define CONF_FOLDER_MAX	   1023		 /* bytes of the path of a CRL and of the state folder */

/* ---- values ---- */

bool conf_number_parse(const char *text, uint64_t *ret);      /* decimal digits, nothing else */
bool conf_duration_parse(const char *text, uint64_t *ret_ms); /* "500ms", "10s", ... "14d" */
void conf_duration_format(uint64_t ms, struct text *ret);
bool conf_bool_parse(const char *text, bool *ret);		    /* true, false */
int64_t conf_word_find(const char *const *words, const char *text); /* index or -1 */

/* Is it a host name? Then it is in lower case afterwards. */
bool conf_hostname_normalize(char *name);
bool conf_url_is_sane(const char *text);			       /* http: or https: */
bool conf_fingerprint_parse(const char *text, uint8_t ret[static 32]); /* hex, colons allowed */

void *conf_array_new(size_t n, size_t size); /* zeroed; NULL is want of memory, even with n 0 */

/* @name as seen from the directory that @file is in; 0 or -ENOMEM. */
int conf_path_resolve(const char *file, const char *name, char **ret) _must_check_;

/* ---- syntax ---- */

/* The tokens of a file, each on a line of its own, so that a line number is a token's number. */
struct conf_syntax {
	char *text; /* terminated */
	uint32_t
		*lines; /* [line in @text]: line in the file; of a section's "}": where it begins */
	uint32_t n;	/* tokens */
};

/* 0, CONF_E_INVALID with *reterr, or -errno. */
int conf_syntax_check(const char *file, const char *text, size_t size, struct conf_syntax *ret,
		      struct conf_error *reterr) _must_check_;
void conf_syntax_done(struct conf_syntax *syntax);

/* ---- schema ---- */

enum conf_type {
	CONF_SECTION,
	CONF_FILE,
	CONF_NAME,
	CONF_HOST,
	CONF_WORD,
	CONF_NUMBER,
	CONF_DURATION,
	CONF_BOOL,
	CONF_ADDRESS,
	CONF_URL,
	CONF_BLOCK, /* a host name, or one after a dot for the domain with all below it */
	CONF_FINGERPRINT,
};

enum {
	CONF_REQUIRED = 1,   /* at least one */
	CONF_LIST = 2,	     /* more than one value; sections: may come more than once */
	CONF_TITLED = 4,     /* sections: have a title, unique among their kind */
	CONF_HOST_TITLE = 8, /* the title is a host name */
	CONF_PORT_ZERO = 16, /* addresses: the kernel may choose the port */
};

struct conf_option {
	const char *name; /* NULL ends a table */
	enum conf_type type;
	uint8_t flags;
	const char *fallback; /* what is meant when the option is not there; NULL: nothing */
	uint64_t min, max;    /* numbers; durations in milliseconds */
	const char *const *words;
	const struct conf_option *options; /* of a section */
	uint64_t word;			   /* durations: what the only one of @words means */
};

extern const struct conf_option conf_options_daemon[], conf_options_topology[];

extern const char *const conf_kernel_words[],
	*const conf_kind_words[], *const conf_proxy_words[], *const conf_dnssec_words[];
/* The index is the set of directions less one: there is no word for no direction at all. */
extern const char *const conf_direction_words[];

/* ---- tree ---- */

struct conf_tree {
	const char *file; /* absolute path, borrowed */
	cfg_t *root;
	struct conf_error *error;
};

struct conf_value {
	uint32_t line;	     /* 0: the option is not in the file */
	uint32_t first_line; /* where the option stands already, if it does */
	union {
		uint64_t number; /* numbers, milliseconds, index of the word, 0 or 1 */
		struct net_addr address;
		uint8_t fingerprint[32];
	};
	char text[]; /* as written */
};

/*
 * Parse and check against @options, whatever needs no knowledge of other options included. @ret
 * keeps @file and @error by reference, so that later mistakes can be told with conf_tree_fail().
 */
int conf_tree_parse(const struct conf_option *options, const char *file, const char *text,
		    size_t size, struct conf_tree *ret, struct conf_error *error) _must_check_;
void conf_tree_done(struct conf_tree *tree);

/* An option that this kind of section cannot have is one that is not there. */
size_t conf_tree_count(cfg_t *section, const char *option);
cfg_t *conf_tree_section(cfg_t *section, const char *option, size_t i);
struct conf_value *conf_tree_value(cfg_t *section, const char *option, size_t i); /* or NULL */
uint64_t conf_tree_number(cfg_t *section, const char *option); /* 0 if it is not there */
int conf_tree_text(cfg_t *section, const char *option, char **ret) _must_check_; /* NULL: none */
/* All values of a list, as written; *ret_n counts what has to be freed, also on failure. */
int conf_tree_texts(cfg_t *section, const char *option, char ***ret, size_t *ret_n) _must_check_;

/* Tell a mistake in @option (may be NULL) of @section; returns CONF_E_INVALID. */
int conf_tree_fail(const struct conf_tree *tree, const cfg_t *section, const char *option,
		   uint32_t line, const char *format, ...) _printf_(5, 6);

/* ---- check ---- */

/* An option of a section of a tree, and its row. */
struct conf_check {
	const struct conf_tree *tree;
	cfg_t *section;
	const struct conf_option *row;
};

/* What the text of @value means goes into @value. 0, CONF_E_INVALID or -errno. */
int conf_check_value(const struct conf_check *c, struct conf_value *value) _must_check_;
int conf_check_fail(const struct conf_check *c, uint32_t line, const char *format, ...)
	_printf_(3, 4); /* returns CONF_E_INVALID */

/* ---- reading ---- */

enum snapshot_kind {
	SNAPSHOT_CONFIGURATION = 1, /* the daemon reads it */
	SNAPSHOT_MATERIAL,	    /* CAs: for workers only */
	SNAPSHOT_IDENTITY, /* certificates, keys and responses of ours: kept nowhere else */
};

/*
 * Where the bytes come from: files, a snapshot, memory. Both functions return 0, -errno, or
 * CONF_E_INVALID with one line in @reason on why the file cannot be had.
 */
struct conf_source {
	const char *path; /* absolute, of siptlsd.conf */
	void *userdata;
	/* The text of a configuration file, valid until the source is gone. */
	int (*text)(void *userdata, const char *path, const char **ret, size_t *ret_size,
		    struct text *reason);
	/* The configuration names this file, which is not a configuration file itself. */
	int (*mention)(void *userdata, const char *path, enum snapshot_kind kind,
		       struct text *reason);
};

static inline void conf_freep(struct conf **conf)
{
	*conf = conf_free(*conf);
}

int conf_read(const struct conf_source *source, struct conf **ret,
	      struct conf_error *reterr) _must_check_;

struct conf_reader {
	const struct conf_source *source;
	struct conf_tree *tree; /* of siptlsd.conf */
	struct conf *conf;
	/* all listening addresses so far */
	const struct conf_value *addresses[CONF_ADDRESSES_MAX];
	size_t n_addresses;
};

int conf_read_listeners(struct conf_reader *r) _must_check_;
int conf_read_dials(struct conf_reader *r) _must_check_; /* after listeners and topology */

/* A value that names a file. */
struct conf_name {
	const struct conf_tree *tree;
	const cfg_t *section;
	const char *option;
	const struct conf_value *value;
};

/* Its absolute path, of at most @max bytes. */
int conf_read_path(const struct conf_name *name, size_t max, char **ret) _must_check_;
/* The same, and let the source know of the file. */
int conf_read_file(const struct conf_source *source, const struct conf_name *name,
		   enum snapshot_kind kind, char **ret) _must_check_;

int conf_topology_read(const struct conf_source *source, const char *path, const char *text,
		       size_t size, struct trust_policy *ret,
		       struct conf_error *reterr) _must_check_;
void conf_topology_done(struct trust_policy *policy);
