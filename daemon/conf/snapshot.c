/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A snapshot once it is there: opened by a worker, which maps all of it, and read by both. */

#include <conf/conf-private.h>
#include <conf/snapshot.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct snapshot_file *snapshot_find(const struct conf_snapshot *snapshot, const char *path)
{
	for (size_t i = 0; i < snapshot->n_files; i++) {
		if (strcmp(snapshot->files[i].path, path) == 0)
			return &snapshot->files[i];
	}
	return NULL;
}

uint64_t snapshot_page_align(uint64_t offset)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (offset + page - 1) / page * page;
}

int snapshot_file_map(const struct conf_snapshot *snapshot, struct snapshot_file *file)
{
	void *map;

	if (file->map)
		return 0;
	if (file->size == 0) {
		file->map = "";
		return 0;
	}
	/* Private: a shared mapping, even a read-only one, keeps the file from being sealed. */
	map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, snapshot->fd, (off_t)file->offset);
	if (map == MAP_FAILED)
		return -errno;
	file->map = map;
	return 0;
}

int snapshot_new(struct conf_snapshot **ret)
{
	struct conf_snapshot *snapshot;

	snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return -ENOMEM;
	snapshot->fd = -1;
	*ret = snapshot;
	return 0;
}

void snapshot_freep(struct conf_snapshot **snapshot)
{
	*snapshot = conf_snapshot_free(*snapshot);
}

struct conf_snapshot *conf_snapshot_free(struct conf_snapshot *snapshot)
{
	if (!snapshot)
		return NULL;
	for (size_t i = 0; i < snapshot->n_files; i++) {
		struct snapshot_file *file = &snapshot->files[i];

		if (file->map && file->size > 0)
			munmap((void *)(uintptr_t)file->map, file->size);
		free(file->path);
	}
	free(snapshot->files);
	fd_close(snapshot->fd);
	free(snapshot);
	return NULL;
}

/* ---- opening ---- */

static int read_all(int fd, void *data, size_t size, uint64_t offset)
{
	char *p = data;

	while (size > 0) {
		ssize_t n = pread(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int read_header(int fd, struct snapshot_header *ret)
{
	int seals = fcntl(fd, F_GET_SEALS), r;
	struct stat st;

	if (seals < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((seals & SNAPSHOT_SEALS) != SNAPSHOT_SEALS)
		return -EBADMSG;
	r = read_all(fd, ret, sizeof(*ret), 0);
	if (r)
		return r;
	if (memcmp(ret->magic, SNAPSHOT_MAGIC, sizeof(ret->magic)) != 0 ||
	    ret->version != SNAPSHOT_VERSION || ret->n_files < 2 ||
	    ret->n_files > SNAPSHOT_FILES_MAX || ret->index_size > SNAPSHOT_INDEX_MAX ||
	    ret->index_offset < sizeof(*ret) || ret->index_offset > SNAPSHOT_SIZE_MAX ||
	    ret->index_offset + ret->index_size != (uint64_t)st.st_size)
		return -EBADMSG;
	return 0;
}

static bool record_is_sane(const struct snapshot_header *header,
			   const struct snapshot_record *record, size_t left, const char *path)
{
	return record->path_len > 0 && record->path_len < PATH_MAX && record->path_len <= left &&
	       path[0] == '/' && !memchr(path, '\0', record->path_len) &&
	       record->kind >= SNAPSHOT_CONFIGURATION && record->kind <= SNAPSHOT_IDENTITY &&
	       record->offset >= sizeof(*header) && record->offset <= header->index_offset &&
	       record->offset == snapshot_page_align(record->offset) &&
	       record->size <= CONF_FILE_SIZE_MAX &&
	       record->size <= header->index_offset - record->offset;
}

static int read_index(struct conf_snapshot *snapshot, const struct snapshot_header *header)
{
	_cleanup_free_ char *index = malloc(header->index_size + 1);
	const char *p = index;
	size_t left = header->index_size;
	int r;

	if (!index)
		return -ENOMEM;
	r = read_all(snapshot->fd, index, left, header->index_offset);
	if (r)
		return r;
	for (uint32_t i = 0; i < header->n_files; i++) {
		struct snapshot_file *file = &snapshot->files[i];
		struct snapshot_record record;

		if (left < sizeof(record))
			return -EBADMSG;
		memcpy(&record, p, sizeof(record));
		p += sizeof(record);
		left -= sizeof(record);
		if (!record_is_sane(header, &record, left, p))
			return -EBADMSG;
		*file = (struct snapshot_file){ .offset = record.offset,
						.size = record.size,
						.kind = (enum snapshot_kind)record.kind };
		file->path = strndup(p, record.path_len);
		if (!file->path)
			return -ENOMEM;
		snapshot->n_files++;
		p += record.path_len;
		left -= record.path_len;
		if (snapshot_find(snapshot, file->path) != file)
			return -EBADMSG;
		r = snapshot_file_map(snapshot, file);
		if (r)
			return r;
	}
	return left == 0 ? 0 : -EBADMSG;
}

int conf_snapshot_open(int fd, struct conf_snapshot **ret)
{
	_cleanup_(snapshot_freep) struct conf_snapshot *snapshot = NULL;
	struct snapshot_header header;
	int r;

	r = read_header(fd, &header);
	if (r)
		return r;
	r = snapshot_new(&snapshot);
	if (r)
		return r;
	snapshot->files = calloc(header.n_files, sizeof(*snapshot->files));
	if (!snapshot->files)
		return -ENOMEM;
	snapshot->fd = fd;
	r = read_index(snapshot, &header);
	if (r) {
		snapshot->fd = -1; /* stays the caller's */
		return r;
	}
	*ret = steal_ptr(snapshot);
	return 0;
}

/* ---- reading ---- */

int conf_snapshot_fd(const struct conf_snapshot *snapshot)
{
	return snapshot->fd;
}

bool conf_snapshot_file(const struct conf_snapshot *snapshot, const char *path, const char **ret,
			size_t *ret_size)
{
	const struct snapshot_file *file = snapshot_find(snapshot, path);

	if (!file || !file->map)
		return false;
	*ret = file->map;
	*ret_size = file->size;
	return true;
}

/* A file that the configuration names and the snapshot lacks is a broken snapshot, not a mistake.
 */
static int stored_text(void *userdata, const char *path, const char **ret, size_t *ret_size,
		       struct text *reason _unused_)
{
	return conf_snapshot_file(userdata, path, ret, ret_size) ? 0 : -EBADMSG;
}

static int stored_material(void *userdata, const char *path, enum snapshot_kind kind _unused_,
			   struct text *reason _unused_)
{
	return snapshot_find(userdata, path) ? 0 : -EBADMSG;
}

int conf_load(const struct conf_snapshot *snapshot, struct conf **ret, struct conf_error *reterr)
{
	struct conf_source source = {
		.path = snapshot->files[0].path,
		.userdata = (void *)(uintptr_t)snapshot,
		.text = stored_text,
		.mention = stored_material,
	};

	return conf_read(&source, ret, reterr);
}
