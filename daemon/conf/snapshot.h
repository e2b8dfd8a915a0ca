/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a snapshot looks like in its memory file. Everything is in the byte order of the machine:
 * it goes from a daemon to its own workers, and both check the version.
 *
 *	header
 *	files, each at the start of a page, so that each can be mapped without its neighbours
 *	index: one record for each file, each followed by the path
 *
 * The first file is siptlsd.conf, the second the topology.
 */

#include <conf/conf-private.h>
#include <fcntl.h>
#include <sys/types.h>

#define SNAPSHOT_MAGIC	   "siptlsdC"
#define SNAPSHOT_VERSION   2
#define SNAPSHOT_FILES_MAX 4096
#define SNAPSHOT_SIZE_MAX  (64 * 1024 * 1024)
#define SNAPSHOT_INDEX_MAX (1024 * 1024) /* bytes */
#define SNAPSHOT_SEALS	   (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct snapshot_header {
	char magic[8];
	uint32_t version;
	uint32_t n_files;
	uint64_t index_offset;
	uint64_t index_size;
};

struct snapshot_record {
	uint64_t offset;
	uint64_t size;
	uint32_t kind;	   /* enum snapshot_kind */
	uint32_t path_len; /* of the path that follows, not terminated */
};

/* ---- in this process ---- */

struct snapshot_file {
	char *path;
	const char *map; /* NULL: not mapped here */
	uint64_t offset, size;
	enum snapshot_kind kind;
	/* Of the file it was taken from, to know one that has two names; only where it was taken.
	 */
	dev_t device;
	ino_t inode;
};

struct conf_snapshot {
	int fd;
	struct snapshot_file *files;
	size_t n_files;
	uint64_t size; /* where the next file or the index begins */
};

int snapshot_new(struct conf_snapshot **ret) _must_check_;
int snapshot_create(struct conf_snapshot **ret) _must_check_; /* one to add files to */

/* Which file becomes which of the snapshot. */
struct snapshot_origin {
	const char *path; /* in the snapshot, and for messages; absolute */
	enum snapshot_kind kind;
	int folder;	  /* AT_FDCWD: the file is at @path */
	const char *name; /* else it is this one in @folder */
};

/* What is there already is not added again. Both: 0, -errno or CONF_E_INVALID with *reason. */
int snapshot_add(struct conf_snapshot *snapshot, const struct snapshot_origin *origin,
		 struct text *reason) _must_check_;
/* The same for a configuration file, and its text. */
int snapshot_add_text(struct conf_snapshot *snapshot, const struct snapshot_origin *origin,
		      const char **ret, size_t *ret_size, struct text *reason) _must_check_;
/* Write the index and seal. 0, -errno or CONF_E_INVALID. */
int snapshot_seal(struct conf_snapshot *snapshot, struct conf_error *reterr) _must_check_;
int snapshot_absolute_path(const char *path, char **ret) _must_check_;
void snapshot_freep(struct conf_snapshot **snapshot);
uint64_t snapshot_page_align(uint64_t offset); /* the next start of a page */
struct snapshot_file *snapshot_find(const struct conf_snapshot *snapshot, const char *path);
int snapshot_file_map(const struct conf_snapshot *snapshot,
		      struct snapshot_file *file) _must_check_;
