/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Taking a snapshot: read the configuration, and put it and every file that it names into a memory
 * file, which is then sealed.
 *
 * The kernel copies from file to file (sendfile), so that a private key never passes through the
 * daemon's memory; the daemon maps the two configuration files alone.
 */

#include <conf/conf-private.h>
#include <conf/snapshot.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

static int create_memfd(void)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd;

	fd = memfd_create("siptls-configuration", flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("siptls-configuration", flags);
	return fd < 0 ? -errno : fd;
}

/* Want of memory or descriptors is our trouble; all else is to be told of the file. */
static int cannot(const char *what, const char *path, struct text *reason)
{
	int e = errno;

	if (e == ENOMEM || e == EMFILE || e == ENFILE)
		return -e;
	text_addf(reason, "cannot %s %s: %s", what, path, strerror(e));
	return CONF_E_INVALID;
}

static int too_large(const char *path, struct text *reason)
{
	text_addf(reason, "expected at most %d bytes, found more in %s", CONF_FILE_SIZE_MAX, path);
	return CONF_E_INVALID;
}

static int open_regular(const struct snapshot_origin *origin, int *ret_fd, struct stat *ret_st,
			struct text *reason)
{
	const char *name = origin->folder == AT_FDCWD ? origin->path : origin->name;
	/* Not to wait for the writer of a FIFO. */
	_cleanup_fd_ int fd =
		openat(origin->folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return cannot("open", origin->path, reason);
	if (fstat(fd, ret_st) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode)) {
		text_addf(reason, "expected a regular file, found something else at %s",
			  origin->path);
		return CONF_E_INVALID;
	}
	if (ret_st->st_size > CONF_FILE_SIZE_MAX)
		return too_large(origin->path, reason);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Until the end and not to the size of before: the file may be growing. */
static int copy(struct conf_snapshot *snapshot, int from, struct snapshot_file *file,
		struct text *reason)
{
	if (lseek(snapshot->fd, (off_t)file->offset, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		ssize_t n = sendfile(snapshot->fd, from, NULL,
				     (size_t)(CONF_FILE_SIZE_MAX + 1 - file->size));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot("read", file->path, reason);
		if (n == 0)
			return 0;
		file->size += (uint64_t)n;
		if (file->size > CONF_FILE_SIZE_MAX)
			return too_large(file->path, reason);
	}
}

/* A file of ours that is named as a CA, too, by this or another name, stays a file of ours. */
static void mark_identity(struct conf_snapshot *snapshot, const struct snapshot_file *named,
			  enum snapshot_kind kind)
{
	for (size_t i = 0; i < snapshot->n_files; i++) {
		const struct snapshot_file *file = &snapshot->files[i];

		if (file->device == named->device && file->inode == named->inode &&
		    file->kind == SNAPSHOT_IDENTITY)
			kind = SNAPSHOT_IDENTITY;
	}
	for (size_t i = 0; i < snapshot->n_files && kind == SNAPSHOT_IDENTITY; i++) {
		struct snapshot_file *file = &snapshot->files[i];

		if (file->device == named->device && file->inode == named->inode &&
		    file->kind == SNAPSHOT_MATERIAL)
			file->kind = SNAPSHOT_IDENTITY;
	}
}

int snapshot_add(struct conf_snapshot *snapshot, const struct snapshot_origin *origin,
		 struct text *reason)
{
	const char *path = origin->path;
	_cleanup_fd_ int from = -1;
	struct snapshot_file *file;
	struct stat st;
	int r;

	file = snapshot_find(snapshot, path);
	if (file) {
		mark_identity(snapshot, file, origin->kind);
		return 0;
	}
	if (snapshot->n_files == SNAPSHOT_FILES_MAX) {
		text_addf(reason, "expected at most %d files in all", SNAPSHOT_FILES_MAX);
		return CONF_E_INVALID;
	}
	r = open_regular(origin, &from, &st, reason);
	if (r)
		return r;

	file = &snapshot->files[snapshot->n_files];
	*file = (struct snapshot_file){ .offset = snapshot_page_align(snapshot->size),
					.kind = origin->kind,
					.device = st.st_dev,
					.inode = st.st_ino };
	file->path = strdup(path);
	if (!file->path)
		return -ENOMEM;
	snapshot->n_files++;
	mark_identity(snapshot, file, file->kind);
	r = copy(snapshot, from, file, reason);
	if (r)
		return r;
	snapshot->size = file->offset + file->size;
	if (snapshot->size > SNAPSHOT_SIZE_MAX) {
		text_addf(reason, "expected at most %d bytes in all files, found more with %s",
			  SNAPSHOT_SIZE_MAX, path);
		return CONF_E_INVALID;
	}
	return 0;
}

int snapshot_add_text(struct conf_snapshot *snapshot, const struct snapshot_origin *origin,
		      const char **ret, size_t *ret_size, struct text *reason)
{
	struct snapshot_file *file;
	int r;

	r = snapshot_add(snapshot, origin, reason);
	if (r)
		return r;
	file = snapshot_find(snapshot, origin->path);
	r = snapshot_file_map(snapshot, file);
	if (r)
		return r;
	*ret = file->map;
	*ret_size = file->size;
	return 0;
}

static int take_text(void *userdata, const char *path, const char **ret, size_t *ret_size,
		     struct text *reason)
{
	const struct snapshot_origin origin = { path, SNAPSHOT_CONFIGURATION, AT_FDCWD, NULL };

	return snapshot_add_text(userdata, &origin, ret, ret_size, reason);
}

static int take_material(void *userdata, const char *path, enum snapshot_kind kind,
			 struct text *reason)
{
	return snapshot_add(userdata, &(struct snapshot_origin){ path, kind, AT_FDCWD, NULL },
			    reason);
}

static int write_all(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = pwrite(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int write_index(struct conf_snapshot *snapshot, struct conf_error *reterr)
{
	struct snapshot_header header = {
		.magic = SNAPSHOT_MAGIC,
		.version = SNAPSHOT_VERSION,
		.n_files = (uint32_t)snapshot->n_files,
		.index_offset = snapshot->size,
	};
	_cleanup_free_ char *index = malloc(SNAPSHOT_INDEX_MAX);
	int r;

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->n_files; i++) {
		const struct snapshot_file *file = &snapshot->files[i];
		struct snapshot_record record = { .offset = file->offset,
						  .size = file->size,
						  .kind = file->kind,
						  .path_len = (uint32_t)strlen(file->path) };

		if (header.index_size + sizeof(record) + record.path_len > SNAPSHOT_INDEX_MAX) {
			conf_error_set(reterr, snapshot->files[0].path, 0,
				       "expected fewer or shorter file names, found more than %d "
				       "bytes of them",
				       SNAPSHOT_INDEX_MAX);
			return CONF_E_INVALID;
		}
		memcpy(index + header.index_size, &record, sizeof(record));
		header.index_size += sizeof(record);
		memcpy(index + header.index_size, file->path, record.path_len);
		header.index_size += record.path_len;
	}
	r = write_all(snapshot->fd, index, header.index_size, header.index_offset);
	if (r)
		return r;
	return write_all(snapshot->fd, &header, sizeof(header), 0);
}

int snapshot_absolute_path(const char *path, char **ret)
{
	_cleanup_free_ char *cwd = NULL;

	if (path[0] == '/') {
		*ret = strdup(path);
		return *ret ? 0 : -ENOMEM;
	}
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return -errno;
	return asprintf(ret, "%s/%s", cwd, path) < 0 ? -ENOMEM : 0;
}

int snapshot_create(struct conf_snapshot **ret)
{
	_cleanup_(snapshot_freep) struct conf_snapshot *snapshot = NULL;
	int r;

	r = snapshot_new(&snapshot);
	if (r)
		return r;
	snapshot->files = calloc(SNAPSHOT_FILES_MAX, sizeof(*snapshot->files));
	if (!snapshot->files)
		return -ENOMEM;
	snapshot->size = sizeof(struct snapshot_header);
	snapshot->fd = create_memfd();
	if (snapshot->fd < 0)
		return snapshot->fd;
	*ret = steal_ptr(snapshot);
	return 0;
}

int snapshot_seal(struct conf_snapshot *snapshot, struct conf_error *reterr)
{
	int r;

	r = write_index(snapshot, reterr);
	if (r)
		return r;
	return fcntl(snapshot->fd, F_ADD_SEALS, SNAPSHOT_SEALS) < 0 ? -errno : 0;
}

int conf_snapshot_take(const char *path, struct conf_snapshot **ret, struct conf_error *reterr)
{
	_cleanup_(snapshot_freep) struct conf_snapshot *snapshot = NULL;
	_cleanup_(conf_freep) struct conf *conf = NULL;
	_cleanup_free_ char *absolute = NULL;
	int r;

	r = snapshot_absolute_path(path, &absolute);
	if (r)
		return r;
	r = snapshot_create(&snapshot);
	if (r)
		return r;
	r = conf_read(&(struct conf_source){ absolute, snapshot, take_text, take_material }, &conf,
		      reterr);
	if (r)
		return r;
	r = snapshot_seal(snapshot, reterr);
	if (r)
		return r;
	*ret = steal_ptr(snapshot);
	return 0;
}
