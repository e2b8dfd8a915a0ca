/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sources that are files and folders: which of them changed, and what is in them. */

#include <revocation/cache.h>
#include <revocation/name.h>
#include <revocation/sources.h>
#include <revocation/store.h>

#include <dirent.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* A file that changed so recently may change again without a trace in its times. */
#define SETTLED_S 2

#define PATH_TEXT_MAX REVOCATION_SOURCE_MAX

static struct source_file *find_file(struct source *source, const char *path)
{
	list_foreach (node, &source->files) {
		struct source_file *file = container_of(node, struct source_file, node);

		if (strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

static int get_file(struct source *source, const char *path, struct source_file **ret)
{
	struct source_file *file = find_file(source, path);

	if (!file) {
		file = calloc(1, sizeof(*file));
		if (!file)
			return -ENOMEM;
		file->path = strdup(path);
		if (!file->path) {
			free(file);
			return -ENOMEM;
		}
		list_append(&source->files, &file->node);
	}
	*ret = file;
	return 0;
}

void revocation_sources_unread(struct revocation_sources *sources, const char *path)
{
	list_foreach (node, &sources->list) {
		struct source_file *file = find_file(container_of(node, struct source, node), path);

		if (file) {
			file->good = false;
			file->read_at = 0;
		}
	}
}

bool revocation_source_forget_files(struct source *source, bool all)
{
	bool any = false;

	list_foreach_safe (node, &source->files) {
		struct source_file *file = container_of(node, struct source_file, node);

		if (!all && file->seen)
			continue;
		list_remove(node);
		revocation_store_drop(source->sources->store, file->path);
		revocation_sources_unread(source->sources, file->path);
		free(file->path);
		free(file);
		any = true;
	}
	return any;
}

/* ---- one file ---- */

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_as_read(const struct source_file *file, const struct stat *st)
{
	return file->read_at != 0 && file->device == st->st_dev && file->inode == st->st_ino &&
	       file->size == (uint64_t)st->st_size && same_time(file->modified, st->st_mtim) &&
	       same_time(file->changed, st->st_ctim) &&
	       file->changed.tv_sec + SETTLED_S < file->read_at;
}

static void note(struct source_file *file, const struct stat *st)
{
	file->device = st->st_dev;
	file->inode = st->st_ino;
	file->size = (uint64_t)st->st_size;
	file->modified = st->st_mtim;
	file->changed = st->st_ctim;
	file->read_at = time_realtime_s();
}

static void tell_file(const struct source *source, struct source_file *file, const char *detail)
{
	file->failures = detail ? file->failures + 1 : 0;
	revocation_source_tell(source->sources, file->path, detail, file->failures, 0);
}

static int take(struct source *source, struct source_file *file, const void *data, size_t size)
{
	struct revocation_sources *sources = source->sources;
	uint8_t digest[SOURCE_DIGEST_SIZE];
	char buf[256] = "";
	struct text why = TEXT_INIT(buf);
	int r;

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, size, digest) < 0)
		return -EIO;
	if (file->good && memcmp(digest, file->digest, sizeof(digest)) == 0)
		return 0;
	r = revocation_store_put(sources->store, file->path, data, size, &why);
	if (r < 0)
		return r;
	file->good = r == 0;
	memcpy(file->digest, digest, sizeof(digest));
	tell_file(source, file, buf[0] ? buf : NULL);
	return r == 0 ? revocation_sources_changed(sources) : 0;
}

/* 0, or -errno of this process; what is wrong with the file is told. */
static int read_file(struct source *source, const char *path, int fd, const struct stat *st,
		     bool anew)
{
	_cleanup_free_ void *data = NULL;
	struct source_file *file;
	size_t size;
	int r;

	r = get_file(source, path, &file);
	if (r)
		return r;
	file->seen = true;
	if (!anew && is_as_read(file, st))
		return 0;
	r = revocation_file_read(fd, REVOCATION_CRL_SIZE_MAX, &data, &size);
	if (r == -ENOMEM)
		return r;
	note(file, st);
	if (r < 0) {
		tell_file(source, file, strerror(-r));
		return 0;
	}
	return take(source, file, data, size);
}

/* ---- files and folders ---- */

static int open_file(int dir, const char *name, struct stat *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd >= 0 && fstat(fd, ret) == 0)
		return fd;
	r = -errno;
	fd_close(fd);
	return r;
}

/* How the file or folder itself fares, when that changes: not again each minute. */
static void tell(struct source *source, int error, const char *detail)
{
	if (error == source->told)
		return;
	source->told = error;
	source->failures = error ? source->failures + 1 : 0;
	revocation_source_tell(source->sources, source->location, error ? detail : NULL,
			       source->failures, 0);
}

/* *ret_error: why an entry cannot be read; what it said before stays. */
static int scan_entry(struct source *source, int dir, const char *name, bool anew, int *ret_error)
{
	_cleanup_fd_ int fd = -1;
	struct source_file *file;
	char path[PATH_MAX];
	struct stat st;

	if (name[0] == '.') /* also what is written beside its place before it is renamed */
		return 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", source->location, name) > PATH_TEXT_MAX) {
		*ret_error = ENAMETOOLONG;
		return 0;
	}
	fd = open_file(dir, name, &st);
	if (fd >= 0)
		return S_ISREG(st.st_mode) ? read_file(source, path, fd, &st, anew) : 0;
	if (fd == -ENOENT || fd == -ENXIO) /* gone meanwhile; a socket */
		return 0;
	*ret_error = -fd;
	file = find_file(source, path);
	if (file)
		file->seen = true;
	return 0;
}

static int scan_entries(struct source *source, int dir, DIR *stream, bool anew, int *ret_error)
{
	struct dirent *entry;

	for (size_t n = 0; (entry = readdir(stream)); n++) {
		int r;

		if (n == REVOCATION_CRLS_MAX) {
			*ret_error = E2BIG;
			return 0;
		}
		r = scan_entry(source, dir, entry->d_name, anew, ret_error);
		if (r)
			return r;
	}
	return 0;
}

static int scan_folder(struct source *source, int *fd, bool anew)
{
	DIR *stream = fdopendir(*fd);
	int r, error = 0;

	if (!stream)
		return -errno;
	r = scan_entries(source, steal_fd(fd), stream, anew, &error);
	closedir(stream);
	tell(source, error, strerror(error));
	return r;
}

int revocation_source_scan(struct source *source, bool anew)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r;

	fd = open_file(AT_FDCWD, source->location, &st);
	if (fd < 0) { /* what it said stays: whoever wants it gone takes it off the list */
		tell(source, -fd, strerror(-fd));
		return 0;
	}
	list_foreach (node, &source->files)
		container_of(node, struct source_file, node)->seen = false;
	if (S_ISDIR(st.st_mode)) {
		r = scan_folder(source, &fd, anew);
	} else if (S_ISREG(st.st_mode)) {
		anew = anew || source->told > 0;
		source->told = source->told < 0 ? 0 : source->told;
		tell(source, 0, NULL);
		r = read_file(source, source->location, fd, &st, anew);
	} else {
		tell(source, EINVAL, "neither a file nor a folder");
		return 0;
	}
	if (r == 0 && revocation_source_forget_files(source, false))
		r = revocation_sources_changed(source->sources);
	return r;
}

/* A file by the folder in which it can be replaced; a folder by itself, and where it can appear. */
void revocation_source_watch(struct source *source)
{
	_cleanup_free_ char *folder = strdup(source->location);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	revocation_watch_folder(source->sources->watch, source->location);
	if (!slash)
		return;
	slash[slash == folder] = '\0';
	revocation_watch_folder(source->sources->watch, folder);
}
