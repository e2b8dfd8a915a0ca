/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A snapshot out of the last good copy. What is ours alone (keys, certificates, responses) comes
 * from where the configuration says; siptlsd.conf does, too, as long as it and the copied topology
 * make a configuration.
 */

#include <conf/last-good.h>

#include <fcntl.h>
#include <sys/stat.h>

struct copied {
	char *path; /* in the configuration */
	uint64_t size;
	enum snapshot_kind kind;
};

struct copy {
	int slot;
	char *index;
	struct copied *files;
	size_t n_files;
};

static void copy_done(struct copy *copy)
{
	copy->slot = fd_close(copy->slot);
	free(copy->index);
	free(copy->files);
}

/* ---- the index ---- */

static int read_index(int slot, char **ret)
{
	_cleanup_fd_ int fd = openat(slot, LAST_GOOD_INDEX, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? CONF_E_INVALID : -errno;
	text = malloc(SNAPSHOT_INDEX_MAX + 1);
	if (!text)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, text + len, SNAPSHOT_INDEX_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > SNAPSHOT_INDEX_MAX)
			return CONF_E_INVALID;
	}
	text[len] = '\0';
	if (strlen(text) != len || len == 0 || text[len - 1] != '\n')
		return CONF_E_INVALID;
	*ret = steal_ptr(text);
	return 0;
}

/* "KIND SIZE PATH", cut into its parts in place. */
static bool parse_line(char *line, struct copied *ret)
{
	const char *kind = strsep(&line, " "), *size = strsep(&line, " ");
	int64_t i = conf_word_find(conf_last_good_kinds, kind);

	if (i < SNAPSHOT_CONFIGURATION || !line || line[0] != '/' ||
	    !conf_number_parse(size, &ret->size) || ret->size > CONF_FILE_SIZE_MAX)
		return false;
	ret->kind = (enum snapshot_kind)i;
	ret->path = line;
	return true;
}

static bool parse_index(struct copy *copy, char *text)
{
	const char *first = strsep(&text, "\n");
	char *line;

	if (!first || strcmp(first, LAST_GOOD_FIRST) != 0)
		return false;
	while ((line = strsep(&text, "\n")) && strncmp(line, "end ", 4) != 0) {
		if (copy->n_files == SNAPSHOT_FILES_MAX ||
		    !parse_line(line, &copy->files[copy->n_files]))
			return false;
		copy->n_files++;
	}
	if (line) {
		uint64_t n;

		if (!conf_number_parse(line + 4, &n) || n != copy->n_files)
			return false;
	}
	return line && copy->n_files >= 2 && copy->files[0].kind == SNAPSHOT_CONFIGURATION &&
	       copy->files[1].kind == SNAPSHOT_CONFIGURATION;
}

static int fail(const char *folder, struct conf_error *reterr, const char *what)
{
	conf_error_set(reterr, folder, 0, "%s", what);
	return CONF_E_INVALID;
}

static int copy_open(const char *path, struct copy *ret, struct conf_error *reterr)
{
	_cleanup_(copy_done) struct copy copy = { .slot = -1 };
	_cleanup_fd_ int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[2];
	int r;

	if (folder < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	if (folder < 0 || !conf_last_good_current(folder, name))
		return fail(path, reterr,
			    "expected a last good copy of the configuration, found none");
	copy.slot = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (copy.slot < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	r = copy.slot < 0 ? CONF_E_INVALID : read_index(copy.slot, &copy.index);
	if (r < 0)
		return r;
	copy.files = calloc(SNAPSHOT_FILES_MAX, sizeof(*copy.files));
	if (!copy.files)
		return -ENOMEM;
	if (r > 0 || !parse_index(&copy, copy.index))
		return fail(path, reterr,
			    "expected a whole last good copy of the configuration, found one "
			    "without a good index");
	*ret = copy;
	copy = (struct copy){ .slot = -1 };
	return 0;
}

/* ---- the source ---- */

struct taking {
	struct conf_snapshot *snapshot;
	const struct copy *copy;
	const char *path; /* of siptlsd.conf */
	bool copied;	  /* take siptlsd.conf from the copy, too */
};

/* File @i of the copy as what it is a copy of, under the name @path. */
static int from_copy(const struct taking *t, size_t i, const char *path, const char **ret_text,
		     struct text *reason)
{
	const struct copied *copied = &t->copy->files[i];
	char name[LAST_GOOD_NAME_SIZE];
	const struct snapshot_origin origin = { path, copied->kind, t->copy->slot, name };
	const struct snapshot_file *file;
	size_t size;
	int r;

	conf_last_good_name(i, name);
	r = ret_text ? snapshot_add_text(t->snapshot, &origin, ret_text, &size, reason)
		     : snapshot_add(t->snapshot, &origin, reason);
	if (r)
		return r;
	file = snapshot_find(t->snapshot, path);
	if (file->size == copied->size)
		return 0;
	text_addf(reason, "expected a copy of %ju bytes, found %ju of %s", (uintmax_t)copied->size,
		  (uintmax_t)file->size, path);
	return CONF_E_INVALID;
}

static int take_text(void *userdata, const char *path, const char **ret, size_t *ret_size,
		     struct text *reason)
{
	const struct taking *t = userdata;
	size_t i = strcmp(path, t->path) == 0 ? 0 : 1;
	int r;

	if (i == 0 && !t->copied) {
		const struct snapshot_origin origin = { path, SNAPSHOT_CONFIGURATION, AT_FDCWD,
							NULL };

		return snapshot_add_text(t->snapshot, &origin, ret, ret_size, reason);
	}
	if (i == 1 && strcmp(path, t->copy->files[1].path) != 0) {
		text_addf(reason, "expected the topology that was copied, %s, found %s",
			  t->copy->files[1].path, path);
		return CONF_E_INVALID;
	}
	r = from_copy(t, i, path, ret, reason);
	if (r)
		return r;
	*ret_size = t->copy->files[i].size;
	return 0;
}

static int take_material(void *userdata, const char *path, enum snapshot_kind kind,
			 struct text *reason)
{
	const struct taking *t = userdata;
	const struct snapshot_file *file = snapshot_find(t->snapshot, path);
	size_t i = 0;

	while (i < t->copy->n_files && strcmp(t->copy->files[i].path, path) != 0)
		i++;
	if (kind == SNAPSHOT_IDENTITY ||
	    (i < t->copy->n_files && t->copy->files[i].kind == SNAPSHOT_IDENTITY)) {
		/* One name cannot have two contents. */
		if (file && file->kind == SNAPSHOT_MATERIAL && i < t->copy->n_files &&
		    t->copy->files[i].kind == SNAPSHOT_MATERIAL) {
			text_addf(reason, "expected a file of ours, found a copied CA, too, in %s",
				  path);
			return CONF_E_INVALID;
		}
		return snapshot_add(t->snapshot,
				    &(struct snapshot_origin){ path, kind, AT_FDCWD, NULL },
				    reason);
	}
	if (i == t->copy->n_files) {
		text_addf(reason, "expected a copied file, found none of %s", path);
		return CONF_E_INVALID;
	}
	return from_copy(t, i, path, NULL, reason);
}

static int attempt(const char *path, const struct copy *copy, bool copied,
		   struct conf_snapshot **ret, struct conf_error *reterr)
{
	_cleanup_(snapshot_freep) struct conf_snapshot *snapshot = NULL;
	_cleanup_(conf_freep) struct conf *conf = NULL;
	struct taking taking = { .copy = copy, .path = path, .copied = copied };
	int r;

	r = snapshot_create(&snapshot);
	if (r)
		return r;
	taking.snapshot = snapshot;
	r = conf_read(&(struct conf_source){ path, &taking, take_text, take_material }, &conf,
		      reterr);
	if (r)
		return r;
	r = snapshot_seal(snapshot, reterr);
	if (r)
		return r;
	*ret = steal_ptr(snapshot);
	return 0;
}

/* File and line are those of the originals; that it is about their copies has to be said. */
static void tell_copy(const char *folder, struct conf_error *error)
{
	struct conf_error told = *error;
	struct text text = TEXT_INIT(error->text);

	text_addf(&text, "with the last good copy (");
	text_add_foreign(&text, folder, strlen(folder));
	text_addf(&text, "): %s", told.text);
}

int conf_last_good_take(const char *path, const char *folder, struct conf_snapshot **ret,
			struct conf_error *reterr)
{
	_cleanup_(copy_done) struct copy copy = { .slot = -1 };
	_cleanup_free_ char *absolute = NULL;
	int r;

	r = snapshot_absolute_path(path, &absolute);
	if (r)
		return r;
	r = copy_open(folder, &copy, reterr);
	if (r)
		return r;
	r = attempt(absolute, &copy, false, ret, reterr);
	if (r == CONF_E_INVALID)
		r = attempt(absolute, &copy, true, ret, reterr);
	if (r == CONF_E_INVALID)
		tell_copy(folder, reterr);
	return r;
}

/* ---- where it is ---- */

/* Of a file that is in order, if only by itself. */
static int read_state(const char *path, char **ret)
{
	_cleanup_(snapshot_freep) struct conf_snapshot *snapshot = NULL;
	_cleanup_(conf_tree_done) struct conf_tree tree = { 0 };
	const struct snapshot_origin origin = { path, SNAPSHOT_CONFIGURATION, AT_FDCWD, NULL };
	struct conf_error error = { 0 };
	char buf[sizeof(error.text)] = "";
	struct text reason = TEXT_INIT(buf);
	const char *text;
	size_t size;
	int r;

	r = snapshot_create(&snapshot);
	if (r)
		return r;
	r = snapshot_add_text(snapshot, &origin, &text, &size, &reason);
	if (r)
		return r;
	r = conf_tree_parse(conf_options_daemon, path, text, size, &tree, &error);
	if (r)
		return r;
	return conf_read_path(&(struct conf_name){ &tree, tree.root, "state",
						   conf_tree_value(tree.root, "state", 0) },
			      CONF_FOLDER_MAX, ret);
}

int conf_state_find(const char *path, char **ret)
{
	_cleanup_free_ char *absolute = NULL;
	char *state;
	int r;

	r = snapshot_absolute_path(path, &absolute);
	if (r)
		return r;
	r = read_state(absolute, ret);
	if (r <= 0)
		return r;
	state = strdup(CONF_DEFAULT_STATE);
	if (!state)
		return -ENOMEM;
	*ret = state;
	return 0;
}
