/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Keeping the last good configuration: out of the snapshot into a folder. The kernel copies the
 * bytes; nothing is mapped here.
 */

#include <conf/last-good.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define NEW_LINK LAST_GOOD_LINK ".new"

const char *const conf_last_good_kinds[] = {
	[0] = "",
	[SNAPSHOT_CONFIGURATION] = "configuration",
	[SNAPSHOT_MATERIAL] = "material",
	[SNAPSHOT_IDENTITY] = "identity",
	NULL,
};

bool conf_last_good_current(int folder, char ret[static 2])
{
	char target[2];

	if (readlinkat(folder, LAST_GOOD_LINK, target, sizeof(target)) != 1 ||
	    (target[0] != 'a' && target[0] != 'b'))
		return false;
	ret[0] = target[0];
	ret[1] = '\0';
	return true;
}

void conf_last_good_name(size_t i, char ret[static LAST_GOOD_NAME_SIZE])
{
	snprintf(ret, LAST_GOOD_NAME_SIZE, "%04u", (unsigned int)i);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* A copy is flat, so there is no folder in it to go into. */
static int remove_slot(int folder, const char *slot)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	int fd;

	fd = openat(folder, slot, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return unlinkat(folder, slot, 0) < 0 ? -errno : 0;
	dir = fdopendir(fd);
	if (!dir) {
		int e = errno;

		fd_close(fd);
		return -e;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0)
			return -errno;
	}
	return unlinkat(folder, slot, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int create(int slot, const char *name)
{
	int fd = openat(slot, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int save_file(const struct conf_snapshot *snapshot, const struct snapshot_file *file,
		     int slot, const char *name)
{
	off_t offset = (off_t)file->offset;
	uint64_t left = file->size;
	_cleanup_fd_ int fd = create(slot, name);

	if (fd < 0)
		return fd;
	while (left > 0) {
		ssize_t n = sendfile(fd, snapshot->fd, &offset, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= (uint64_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int save_index(const struct conf_snapshot *snapshot, int slot)
{
	int fd = create(slot, LAST_GOOD_INDEX), r = 0;
	FILE *index;

	if (fd < 0)
		return fd;
	index = fdopen(fd, "w");
	if (!index) {
		fd_close(fd);
		return -ENOMEM;
	}
	fprintf(index, LAST_GOOD_FIRST "\n");
	for (size_t i = 0; i < snapshot->n_files; i++) {
		const struct snapshot_file *file = &snapshot->files[i];

		fprintf(index, "%s %ju %s\n", conf_last_good_kinds[file->kind],
			(uintmax_t)file->size, file->path);
	}
	fprintf(index, "end %zu\n", snapshot->n_files);
	if (fflush(index) != 0 || fsync(fd) < 0)
		r = -errno;
	return fclose(index) != 0 && r == 0 ? -errno : r;
}

static int save_slot(const struct conf_snapshot *snapshot, int folder, const char *name)
{
	_cleanup_fd_ int slot = -1;
	int r;

	r = remove_slot(folder, name);
	if (r)
		return r;
	if (mkdirat(folder, name, 0700) < 0)
		return -errno;
	slot = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (slot < 0)
		return -errno;
	for (size_t i = 0; i < snapshot->n_files; i++) {
		char file[LAST_GOOD_NAME_SIZE];

		/* A line of the index ends with the path. */
		if (strchr(snapshot->files[i].path, '\n'))
			return -EINVAL;
		if (snapshot->files[i].kind == SNAPSHOT_IDENTITY)
			continue;
		conf_last_good_name(i, file);
		r = save_file(snapshot, &snapshot->files[i], slot, file);
		if (r)
			return r;
	}
	r = save_index(snapshot, slot);
	if (r)
		return r;
	return fsync(slot) < 0 ? -errno : 0;
}

static int open_folder(const char *path)
{
	_cleanup_fd_ int folder = -1;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &st) < 0)
		return -errno;
	if ((st.st_mode & 07777) != 0700 && fchmod(folder, 0700) < 0)
		return -errno;
	return steal_fd(&folder);
}

static int put_in_place(int folder, const char *slot)
{
	/* The slot's own entry has to be on the disk before the link that names it. */
	if (fsync(folder) < 0)
		return -errno;
	if (unlinkat(folder, NEW_LINK, 0) < 0 && errno != ENOENT)
		return -errno;
	if (symlinkat(slot, folder, NEW_LINK) < 0 ||
	    renameat(folder, NEW_LINK, folder, LAST_GOOD_LINK) < 0 || fsync(folder) < 0)
		return -errno;
	return 0;
}

int conf_last_good_save(const struct conf_snapshot *snapshot, const char *path)
{
	char old[2] = "b";
	const char *new;
	_cleanup_fd_ int folder = open_folder(path);
	int r;

	if (folder < 0)
		return folder;
	(void)conf_last_good_current(folder, old);
	new = old[0] == 'a' ? "b" : "a";
	r = save_slot(snapshot, folder, new);
	if (r)
		return r;
	r = put_in_place(folder, new);
	if (r)
		return r;
	/* What cannot be removed now is removed before the next copy is written, or fails that. */
	(void)remove_slot(folder, old);
	return 0;
}
