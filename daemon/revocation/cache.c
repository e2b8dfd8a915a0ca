/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files named by the digest of a URL; written beside, then renamed. */

#include <revocation/cache.h>

#include <dirent.h>
#include <fcntl.h>
#include <revocation/name.h>
#include <stdio.h>
#include <sys/stat.h>

#include <gnutls/crypto.h>

/* What strangers can make us keep on disk. */
#define CACHE_SIZE_MAX ((off_t)REVOCATION_BOARD_SIZE_MAX)
#define CACHE_AGE_MAX  (90 * 86400) /* seconds; for URLs that nobody asks for any more */

#define FILE_NAME_SIZE (2 * 32 + 1)
#define TEMPORARY      "new"

static int file_name(const char *url, char ret[FILE_NAME_SIZE])
{
	uint8_t digest[32];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, url, strlen(url), digest) < 0)
		return -EIO;
	hex_format(digest, sizeof(digest), ret);
	return 0;
}

static int open_folder(const char *folder)
{
	int fd;

	if (!folder)
		return -ENOENT;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdir(folder, 0750) == 0)
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int revocation_file_read(int fd, size_t max, void **ret, size_t *ret_size)
{
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t n = 0, size;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;
	size = (size_t)st.st_size;
	data = malloc(size + 1);
	if (!data)
		return -ENOMEM;
	while (n < size) { /* what is appended meanwhile comes with the next look */
		ssize_t got = read(fd, data + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret = steal_ptr(data);
	*ret_size = n;
	return 0;
}

int revocation_cache_read(const char *folder, const char *url, void **ret, size_t *ret_size,
			  int64_t *ret_written_s)
{
	_cleanup_fd_ int dir = open_folder(folder), fd = -1;
	char name[FILE_NAME_SIZE];
	struct stat st;
	int r;

	if (dir < 0)
		return steal_fd(&dir);
	r = file_name(url, name);
	if (r)
		return r;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADF;
	r = revocation_file_read(fd, REVOCATION_CRL_SIZE_MAX, ret, ret_size);
	if (r == 0)
		*ret_written_s = st.st_mtim.tv_sec;
	return r;
}

/* Forget what nobody renewed for long, and sum up the rest. */
static int tidy(int dir, off_t *ret_size)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t oldest = time_realtime_s() - CACHE_AGE_MAX;
	struct dirent *entry;
	DIR *stream;

	*ret_size = 0;
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		fd_close(fd);
		return -errno;
	}
	while ((entry = readdir(stream))) {
		struct stat st;

		if (strlen(entry->d_name) != FILE_NAME_SIZE - 1 ||
		    fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (st.st_mtim.tv_sec < oldest)
			(void)unlinkat(dir, entry->d_name, 0);
		else
			*ret_size += st.st_size;
	}
	closedir(stream);
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int replace(int dir, const char *name, const void *data, size_t size)
{
	_cleanup_fd_ int fd = -1;
	int r;

	(void)unlinkat(dir, TEMPORARY, 0);
	fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, size);
	/* Not synced: what a crash leaves does not parse, and is fetched again. */
	if (r == 0 && renameat(dir, TEMPORARY, dir, name) < 0)
		r = -errno;
	if (r)
		(void)unlinkat(dir, TEMPORARY, 0);
	return r;
}

int revocation_cache_write(const char *folder, const char *url, const void *data, size_t size)
{
	_cleanup_fd_ int dir = -1;
	char name[FILE_NAME_SIZE];
	off_t used;
	int r;

	if (!folder)
		return 0;
	dir = open_folder(folder);
	if (dir < 0)
		return steal_fd(&dir);
	r = file_name(url, name);
	if (r == 0)
		r = tidy(dir, &used);
	if (r)
		return r;
	if (used + (off_t)size > CACHE_SIZE_MAX)
		return -ENOSPC;
	return replace(dir, name, data, size);
}

void revocation_cache_drop(const char *folder, const char *url)
{
	_cleanup_fd_ int dir = open_folder(folder);
	char name[FILE_NAME_SIZE];

	if (dir >= 0 && file_name(url, name) == 0)
		(void)unlinkat(dir, name, 0);
}
