/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots: taken from real files, sealed, opened as a worker does, and refused when a file cannot
 * be had or the memory file is not what the daemon makes.
 */

#include <conf/conf-private.h>
#include <conf/snapshot.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KEY_TEXT "-----BEGIN PRIVATE KEY-----\nnot a real one\n"

static const char daemon_text[] =
	"identity \"main\" {\n"
	"	certificate = \"a.pem\"\n"
	"	key = \"keys/a.key\"\n"
	"}\n"
	"identity \"again\" { certificate = \"a.pem\" key = \"empty\" }\n"
	"dial \"d\" { address = \"127.0.0.1:5070\" peer = \"gw.example.com\" }\n";

static const char topology_text[] =
	"serial = 12\n"
	"site \"hq\" {\n"
	"	anchors = {\"ca.pem\",\n"
	"		   \"a.pem\"}\n"
	"	application \"gw.example.com\" { address = \"192.0.2.1:1\" }\n"
	"}\n";

/* ---- a directory with a configuration ---- */

static void put(int dir, const char *name, const void *data, size_t size)
{
	_cleanup_fd_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
}

static void put_text(int dir, const char *name, const char *text)
{
	put(dir, name, text, strlen(text));
}

struct place {
	char path[64]; /* of the directory */
	char conf[96];
	int dir;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->path, "/tmp/siptls-test-conf.XXXXXX");
	assert_non_null(mkdtemp(place->path));
	snprintf(place->conf, sizeof(place->conf), "%s/siptlsd.conf", place->path);
	place->dir = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->dir >= 0);
	assert_int_equal(mkdirat(place->dir, "keys", 0700), 0);
	put_text(place->dir, "siptlsd.conf", daemon_text);
	put_text(place->dir, "topology.conf", topology_text);
	put_text(place->dir, "a.pem", "certificate\n");
	put_text(place->dir, "ca.pem", "anchor\n");
	put_text(place->dir, "keys/a.key", KEY_TEXT);
	put_text(place->dir, "empty", "");
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "siptlsd.conf", "topology.conf", "a.pem",
					     "ca.pem",	     "keys/a.key",    "empty" };
	struct place *place = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlinkat(place->dir, names[i], 0);
	(void)unlinkat(place->dir, "ca.pem", AT_REMOVEDIR);
	(void)unlinkat(place->dir, "keys", AT_REMOVEDIR);
	assert_int_equal(rmdir(place->path), 0);
	fd_close(place->dir);
	free(place);
	return 0;
}

static struct conf_snapshot *take(const struct place *place)
{
	struct conf_snapshot *snapshot = NULL;
	struct conf_error error = { 0 };
	int r = conf_snapshot_take(place->conf, &snapshot, &error);

	if (r)
		fail_msg("%d: %s:%u: %s", r, error.file, error.line, error.text);
	return snapshot;
}

static bool has(const struct conf_snapshot *snapshot, const struct place *place, const char *name,
		const char *text)
{
	_cleanup_free_ char *path = NULL;
	const char *data;
	size_t size;

	assert_true(asprintf(&path, "%s/%s", place->path, name) > 0);
	return conf_snapshot_file(snapshot, path, &data, &size) && size == strlen(text) &&
	       memcmp(data, text, size) == 0;
}

/* Is @text in a memory file of ours that this process has mapped? */
static bool is_mapped(const char *text)
{
	_cleanup_free_ char *line = NULL;
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;
	size_t size = 0;

	assert_non_null(maps);
	while (getline(&line, &size, maps) > 0) {
		unsigned long start, end;

		if (strstr(line, "memfd:siptls") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			found |= memmem((void *)start, end - start, text, strlen(text)) != NULL;
	}
	fclose(maps);
	return found;
}

/* ---- taking and opening ---- */

static void test_take(void **state)
{
	struct conf_snapshot *snapshot = take(*state);
	int fd = conf_snapshot_fd(snapshot);
	struct conf_error error = { 0 };
	struct conf *conf = NULL;
	struct stat st;

	assert_true(has(snapshot, *state, "siptlsd.conf", daemon_text));
	assert_true(has(snapshot, *state, "topology.conf", topology_text));
	/* The daemon sees no more than these two. */
	assert_false(has(snapshot, *state, "a.pem", "certificate\n"));
	assert_false(has(snapshot, *state, "keys/a.key", KEY_TEXT));
	assert_false(is_mapped(KEY_TEXT));
	assert_int_equal(conf_load(snapshot, &conf, &error), 0);
	assert_int_equal(conf->trust.serial, 12);
	assert_false(is_mapped(KEY_TEXT));
	conf_free(conf);

	assert_int_equal(fcntl(fd, F_GET_SEALS) & SNAPSHOT_SEALS, SNAPSHOT_SEALS);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, st.st_size + 1), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_null(conf_snapshot_free(snapshot));
}

static void test_open(void **state)
{
	struct conf_snapshot *daemon = take(*state), *worker = NULL;
	struct conf_error error = { 0 };
	struct conf *conf = NULL;
	const char *data;
	size_t size;
	int fd = dup(conf_snapshot_fd(daemon));

	/* What happens to the files afterwards is of no interest any more. */
	put_text(((struct place *)*state)->dir, "siptlsd.conf", "broken");
	put_text(((struct place *)*state)->dir, "keys/a.key", "other");
	assert_int_equal(conf_snapshot_open(fd, &worker), 0);
	assert_int_equal(conf_snapshot_fd(worker), fd);
	conf_snapshot_free(daemon);
	assert_true(has(worker, *state, "siptlsd.conf", daemon_text));
	assert_true(has(worker, *state, "a.pem", "certificate\n"));
	assert_true(has(worker, *state, "ca.pem", "anchor\n"));
	assert_true(has(worker, *state, "keys/a.key", KEY_TEXT));
	assert_true(has(worker, *state, "empty", ""));
	assert_true(is_mapped(KEY_TEXT));
	assert_false(conf_snapshot_file(worker, "a.pem", &data, &size));
	assert_false(conf_snapshot_file(worker, "/etc/passwd", &data, &size));
	assert_int_equal(worker->n_files, 6); /* a.pem, named three times, is there once */

	assert_int_equal(conf_load(worker, &conf, &error), 0);
	assert_int_equal(conf->n_identities, 2);
	conf_free(conf);
	conf_snapshot_free(worker);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* was the snapshot's */
}

static void test_relative_path(void **state)
{
	const struct place *place = *state;
	struct conf_snapshot *snapshot = NULL;
	struct conf_error error = { 0 };
	_cleanup_fd_ int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	assert_int_equal(fchdir(place->dir), 0);
	r = conf_snapshot_take("siptlsd.conf", &snapshot, &error);
	assert_int_equal(fchdir(before), 0);
	assert_int_equal(r, 0);
	assert_true(has(snapshot, place, "siptlsd.conf", daemon_text));
	conf_snapshot_free(snapshot);
}

/* ---- files that cannot be had ---- */

static void assert_refused(const struct place *place, const char *file, uint32_t line,
			   const char *needle)
{
	struct conf_snapshot *snapshot = NULL;
	struct conf_error error = { 0 };
	int r = conf_snapshot_take(place->conf, &snapshot, &error);
	const char *slash = strrchr(error.file, '/');

	if (r != CONF_E_INVALID || snapshot || !slash || strcmp(slash + 1, file) != 0 ||
	    error.line != line || !strstr(error.text, needle))
		fail_msg("%d %s:%u: %s; expected %s:%u: %s", r, error.file, error.line, error.text,
			 file, line, needle);
}

static void test_missing(void **state)
{
	const struct place *place = *state;

	assert_int_equal(unlinkat(place->dir, "keys/a.key", 0), 0);
	assert_refused(place, "siptlsd.conf", 3, "identity \"main\": key: cannot open /tmp/");
	assert_refused(place, "siptlsd.conf", 3, "/keys/a.key: No such file or directory");
	assert_int_equal(unlinkat(place->dir, "ca.pem", 0), 0);
	assert_refused(place, "topology.conf", 3, "site \"hq\": anchors: cannot open");
	assert_int_equal(unlinkat(place->dir, "topology.conf", 0), 0);
	assert_refused(place, "siptlsd.conf", 0, "topology: cannot open");
	assert_int_equal(unlinkat(place->dir, "siptlsd.conf", 0), 0);
	assert_refused(place, "siptlsd.conf", 0, "No such file or directory");
}

static void test_unreadable(void **state)
{
	const struct place *place = *state;

	if (geteuid() == 0) {
		/* Root may read all; a loop of links stops it as well. */
		assert_int_equal(unlinkat(place->dir, "keys/a.key", 0), 0);
		assert_int_equal(symlinkat("a.key", place->dir, "keys/a.key"), 0);
		assert_refused(place, "siptlsd.conf", 3, "Too many levels of symbolic links");
	} else {
		assert_int_equal(fchmodat(place->dir, "keys/a.key", 0, 0), 0);
		assert_refused(place, "siptlsd.conf", 3, "Permission denied");
	}
}

static void test_not_regular(void **state)
{
	const struct place *place = *state;

	assert_int_equal(unlinkat(place->dir, "ca.pem", 0), 0);
	assert_int_equal(mkfifoat(place->dir, "ca.pem", 0600), 0);
	assert_refused(place, "topology.conf", 3, "expected a regular file");
	assert_int_equal(unlinkat(place->dir, "ca.pem", 0), 0);
	assert_int_equal(mkdirat(place->dir, "ca.pem", 0700), 0);
	assert_refused(place, "topology.conf", 3, "expected a regular file");
	put_text(place->dir, "topology.conf", "serial = 1 site s { anchors = \"/dev/zero\" }");
	assert_refused(place, "topology.conf", 1, "expected a regular file");
}

static void test_sizes(void **state)
{
	const struct place *place = *state;
	char *bytes = malloc(CONF_FILE_SIZE_MAX + 1);

	assert_non_null(bytes);
	memset(bytes, '#', CONF_FILE_SIZE_MAX + 1);
	put(place->dir, "a.pem", bytes, CONF_FILE_SIZE_MAX);
	conf_snapshot_free(take(place));
	put(place->dir, "a.pem", bytes, CONF_FILE_SIZE_MAX + 1);
	assert_refused(place, "topology.conf", 4, "expected at most 1048576 bytes");
	put(place->dir, "siptlsd.conf", bytes, CONF_FILE_SIZE_MAX + 1);
	assert_refused(place, "siptlsd.conf", 0, "expected at most 1048576 bytes");
	free(bytes);
}

/* All files together: as many names for the same large file as it takes. */
static void test_total_size(void **state)
{
	const struct place *place = *state;
	size_t n = SNAPSHOT_SIZE_MAX / CONF_FILE_SIZE_MAX;
	char *bytes = malloc(CONF_FILE_SIZE_MAX), *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(bytes);
	assert_non_null(f);
	memset(bytes, 'x', CONF_FILE_SIZE_MAX);
	put(place->dir, "a.pem", bytes, CONF_FILE_SIZE_MAX);
	fprintf(f, "serial = 1 site s { anchors = {\n");
	for (size_t i = 0; i < n; i++) {
		fprintf(f, "\"");
		for (size_t k = 0; k <= i; k++)
			fprintf(f, "./");
		fprintf(f, "a.pem\",\n");
	}
	fprintf(f, "} }\n");
	fclose(f);
	put(place->dir, "topology.conf", text, size);
	assert_refused(place, "topology.conf", (uint32_t)n + 1, "expected at most 67108864 bytes");
	free(text);
	free(bytes);
}

/* ---- memory files that are not ours ---- */

/* A copy of @snapshot's file, not sealed yet. */
static int copy_memfd(const struct conf_snapshot *snapshot, char **ret, size_t *ret_size)
{
	int fd = memfd_create("siptls-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	char *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(conf_snapshot_fd(snapshot), &st), 0);
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(pread(conf_snapshot_fd(snapshot), bytes, (size_t)st.st_size, 0),
			 st.st_size);
	*ret = bytes;
	*ret_size = (size_t)st.st_size;
	return fd;
}

static int open_bytes(int fd, const char *bytes, size_t size, bool seal)
{
	struct conf_snapshot *snapshot = NULL;
	int r;

	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	if (seal)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, SNAPSHOT_SEALS), 0);
	r = conf_snapshot_open(fd, &snapshot);
	if (r == 0)
		conf_snapshot_free(snapshot);
	else
		fd_close(fd); /* a refused descriptor stays the caller's */
	return r;
}

struct damage {
	size_t offset; /* in the header, or with @record in the record of the last file */
	size_t size;
	uint64_t value;
	bool record;
};

#define HEADER(field, v)                                                                           \
	{                                                                                          \
		offsetof(struct snapshot_header, field),                                           \
			sizeof(((struct snapshot_header *)0)->field), v, false                     \
	}
#define RECORD(field, v)                                                                           \
	{                                                                                          \
		offsetof(struct snapshot_record, field),                                           \
			sizeof(((struct snapshot_record *)0)->field), v, true                      \
	}

static const struct damage damages[] = {
	HEADER(magic, 0),
	HEADER(version, SNAPSHOT_VERSION + 1),
	HEADER(n_files, 0),
	HEADER(n_files, 1),
	HEADER(n_files, 5),
	HEADER(n_files, 7),
	HEADER(n_files, UINT32_MAX),
	HEADER(index_offset, 0),
	HEADER(index_offset, 4096),
	HEADER(index_offset, UINT64_MAX),
	HEADER(index_size, 0),
	HEADER(index_size, UINT64_MAX),
	RECORD(offset, 0),
	RECORD(offset, 4097),
	RECORD(offset, UINT64_MAX),
	RECORD(offset, UINT64_MAX - 4095),
	RECORD(size, UINT64_MAX),
	RECORD(size, CONF_FILE_SIZE_MAX),
	RECORD(kind, 0),
	RECORD(kind, 4),
	RECORD(path_len, 0),
	RECORD(path_len, UINT32_MAX),
	RECORD(path_len, 1),
	RECORD(path_len, 200),
};

static void test_damaged(void **state)
{
	struct conf_snapshot *snapshot = take(*state);
	const struct snapshot_file *last = &snapshot->files[snapshot->n_files - 1];
	size_t record = sizeof(struct snapshot_record) + strlen(last->path);

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage *d = &damages[i];
		_cleanup_free_ char *bytes = NULL;
		size_t size;
		int fd = copy_memfd(snapshot, &bytes, &size), r;

		memcpy(bytes + (d->record ? size - record : 0) + d->offset, &d->value, d->size);
		r = open_bytes(fd, bytes, size, true);
		if (r != -EBADMSG)
			fail_msg("damage %zu: %d", i, r);
	}
	conf_snapshot_free(snapshot);
}

static void test_not_a_snapshot(void **state)
{
	struct conf_snapshot *snapshot = take(*state), *other = NULL;
	_cleanup_free_ char *bytes = NULL, *bytes2 = NULL;
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t size, first;
	int fd;

	fd = copy_memfd(snapshot, &bytes, &size);
	assert_int_equal(open_bytes(fd, bytes, size, false), -EBADMSG); /* not sealed */
	free(bytes);
	fd = copy_memfd(snapshot, &bytes, &size);
	assert_int_equal(open_bytes(fd, bytes, sizeof(struct snapshot_header) - 1, true), -EBADMSG);
	free(bytes);
	fd = copy_memfd(snapshot, &bytes, &size);
	assert_int_equal(open_bytes(fd, bytes, size - 1, true), -EBADMSG);
	free(bytes);
	fd = copy_memfd(snapshot, &bytes, &size);
	assert_int_equal(open_bytes(fd, bytes, size, true), 0); /* nothing wrong with it */

	/* A path that ends early, and one that is relative. */
	first = snapshot->size + sizeof(struct snapshot_record);
	for (int i = 0; i < 2; i++) {
		free(bytes2);
		fd = copy_memfd(snapshot, &bytes2, &size);
		bytes2[first + (i ? 0 : 3)] = i ? '.' : '\0';
		assert_int_equal(open_bytes(fd, bytes2, size, true), -EBADMSG);
	}
	assert_true(conf_snapshot_open(null, &other) < 0);
	assert_true(conf_snapshot_open(-1, &other) < 0);
	assert_null(other);
	conf_snapshot_free(snapshot);
}

/* The same path under two records. */
static void test_repeated_path(void **state)
{
	struct place *place = *state;
	struct conf_snapshot *snapshot;
	_cleanup_free_ char *bytes = NULL;
	char *path;
	size_t size;
	int fd;

	put_text(place->dir, "siptlsd.conf",
		 "identity i { certificate = \"ca.pem\" key = \"./a.pem\" }");
	put_text(place->dir, "topology.conf", "serial = 1");
	snapshot = take(place);
	fd = copy_memfd(snapshot, &bytes, &size);
	path = memmem(bytes + snapshot->size, size - snapshot->size, "./a.pem", 7);
	assert_non_null(path);
	/* The other has one byte less: cut this one, which is the last, to the same. */
	{
		struct snapshot_header header;
		struct snapshot_record record;
		char *at = path - strlen(place->path) - 1 - sizeof(record);

		memcpy(&record, at, sizeof(record));
		record.path_len--;
		memcpy(at, &record, sizeof(record));
		memcpy(path, "ca.pem", 6);
		memcpy(&header, bytes, sizeof(header));
		header.index_size--;
		memcpy(bytes, &header, sizeof(header));
	}
	assert_int_equal(open_bytes(fd, bytes, size - 1, true), -EBADMSG);
	conf_snapshot_free(snapshot);
}

/* A sealed snapshot whose configuration names a file that it does not have. */
static void test_incomplete(void **state)
{
	struct conf_snapshot *snapshot = take(*state), *worker = NULL;
	_cleanup_free_ char *bytes = NULL;
	struct conf_error error = { 0 };
	struct conf *conf = NULL;
	size_t size;
	char *name;
	int fd;

	fd = copy_memfd(snapshot, &bytes, &size);
	name = memmem(bytes, size, "keys/a.key", 10);
	memcpy(name, "keys/b.key", 10);
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, SNAPSHOT_SEALS), 0);
	assert_int_equal(conf_snapshot_open(fd, &worker), 0);
	assert_int_equal(conf_load(worker, &conf, &error), -EBADMSG);
	assert_null(conf);
	conf_snapshot_free(worker);
	conf_snapshot_free(snapshot);
}

static enum snapshot_kind kind_of(const struct conf_snapshot *snapshot, const struct place *place,
				  const char *name)
{
	_cleanup_free_ char *path = NULL;
	const struct snapshot_file *file;

	assert_true(asprintf(&path, "%s/%s", place->path, name) > 0);
	file = snapshot_find(snapshot, path);
	assert_non_null(file);
	return file->kind;
}

/* What is ours is known by the file, whatever it is called, and whoever names it first. */
static void test_kinds(void **state)
{
	struct place *place = *state;
	struct conf_snapshot *snapshot = take(place);

	assert_int_equal(kind_of(snapshot, place, "siptlsd.conf"), SNAPSHOT_CONFIGURATION);
	assert_int_equal(kind_of(snapshot, place, "topology.conf"), SNAPSHOT_CONFIGURATION);
	assert_int_equal(kind_of(snapshot, place, "ca.pem"), SNAPSHOT_MATERIAL);
	assert_int_equal(kind_of(snapshot, place, "a.pem"), SNAPSHOT_IDENTITY);
	assert_int_equal(kind_of(snapshot, place, "keys/a.key"), SNAPSHOT_IDENTITY);
	conf_snapshot_free(snapshot);

	put_text(place->dir, "topology.conf",
		 "serial = 1 site s { anchors = {\"ca.pem\", \"./a.pem\", \"keys/../keys/a.key\"}\n"
		 "crl = \"no-such-file\"\n"
		 "application gw.example.com { } }");
	put_text(place->dir, "siptlsd.conf",
		 "identity i { certificate = \"a.pem\" key = \"keys/a.key\" ocsp = \"empty\" }");
	snapshot = take(place);
	assert_int_equal(kind_of(snapshot, place, "./a.pem"), SNAPSHOT_IDENTITY);
	assert_int_equal(kind_of(snapshot, place, "keys/../keys/a.key"), SNAPSHOT_IDENTITY);
	assert_int_equal(kind_of(snapshot, place, "empty"), SNAPSHOT_IDENTITY);
	assert_int_equal(kind_of(snapshot, place, "ca.pem"), SNAPSHOT_MATERIAL);
	conf_snapshot_free(snapshot);

	assert_int_equal(unlinkat(place->dir, "empty", 0), 0);
	assert_refused(place, "siptlsd.conf", 1, "identity \"i\": ocsp: cannot open");
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(test_take),	   test(test_open),	     test(test_relative_path),
		test(test_missing),	   test(test_unreadable),    test(test_not_regular),
		test(test_sizes),	   test(test_total_size),    test(test_damaged),
		test(test_not_a_snapshot), test(test_repeated_path), test(test_incomplete),
		test(test_kinds),
	};

	return cmocka_run_group_tests_name("conf-snapshot", tests, NULL, NULL);
}
