/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The last good copy: what is in it and what never is, that files that break later are made up for
 * by it, that a copy is there as a whole or not at all, and that a damaged one is told.
 */

#include <conf/last-good.h>

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KEY_TEXT "-----BEGIN PRIVATE KEY-----\nnot a real one\n"

static const char daemon_text[] =
	"identity \"main\" { certificate = \"own.pem\" key = \"own.key\" ocsp = \"own.ocsp\" }\n"
	"dial \"d\" { address = \"127.0.0.1:5070\" peer = \"gw.example.com\" }\n";

static const char topology_text[] = "serial = 12\n"
				    "site \"hq\" {\n"
				    "	anchors = {\"net/ca.pem\", \"own.pem\"}\n"
				    "	crl = \"ca.crl\"\n"
				    "	application \"gw.example.com\" { }\n"
				    "}\n";

struct place {
	char path[64];
	char conf[96], folder[96];
	int dir;
};

static void put(const struct place *place, const char *name, const char *text)
{
	_cleanup_fd_ int fd =
		openat(place->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void drop(const struct place *place, const char *name)
{
	assert_int_equal(unlinkat(place->dir, name, 0), 0);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->path, "/tmp/siptls-test-last-good.XXXXXX");
	assert_non_null(mkdtemp(place->path));
	snprintf(place->conf, sizeof(place->conf), "%s/siptlsd.conf", place->path);
	snprintf(place->folder, sizeof(place->folder), "%s/last-good", place->path);
	place->dir = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->dir >= 0);
	assert_int_equal(mkdirat(place->dir, "net", 0700), 0);
	put(place, "siptlsd.conf", daemon_text);
	put(place, "topology.conf", topology_text);
	put(place, "own.pem", "our certificate\n");
	put(place, "own.key", KEY_TEXT);
	put(place, "own.ocsp", "our response\n");
	put(place, "net/ca.pem", "first anchor\n");
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", place->path);
	assert_int_equal(system(command), 0);
	fd_close(place->dir);
	free(place);
	return 0;
}

static void save(const struct place *place)
{
	struct conf_snapshot *snapshot = NULL;
	struct conf_error error = { 0 };

	if (conf_snapshot_take(place->conf, &snapshot, &error))
		fail_msg("%s:%u: %s", error.file, error.line, error.text);
	assert_int_equal(conf_last_good_save(snapshot, place->folder), 0);
	conf_snapshot_free(snapshot);
}

static struct conf_snapshot *restore(const struct place *place)
{
	struct conf_snapshot *snapshot = NULL;
	struct conf_error error = { 0 };
	int r = conf_last_good_take(place->conf, place->folder, &snapshot, &error);

	if (r)
		fail_msg("%d %s:%u: %s", r, error.file, error.line, error.text);
	return snapshot;
}

static void assert_refused(const struct place *place, const char *needle)
{
	struct conf_snapshot *snapshot = NULL;
	struct conf_error error = { 0 };
	int r = conf_last_good_take(place->conf, place->folder, &snapshot, &error);

	if (r != CONF_E_INVALID || snapshot || !error.file[0] || !strstr(error.text, needle))
		fail_msg("%d %s:%u: %s; expected %s", r, error.file, error.line, error.text,
			 needle);
}

/* What a worker would read, whatever the daemon maps. */
static void assert_holds(const struct conf_snapshot *snapshot, const struct place *place,
			 const char *name, const char *text)
{
	struct conf_snapshot *worker = NULL;
	_cleanup_free_ char *path = NULL;
	const char *data;
	size_t size;

	assert_int_equal(conf_snapshot_open(dup(conf_snapshot_fd(snapshot)), &worker), 0);
	assert_true(asprintf(&path, "%s/%s", place->path, name) > 0);
	assert_true(conf_snapshot_file(worker, path, &data, &size));
	if (size != strlen(text) || memcmp(data, text, size) != 0)
		fail_msg("%s: \"%.*s\", expected \"%s\"", name, (int)size, data, text);
	conf_snapshot_free(worker);
}

static uint64_t serial_of(const struct conf_snapshot *snapshot)
{
	struct conf_error error = { 0 };
	struct conf *conf = NULL;
	uint64_t serial;

	assert_int_equal(conf_load(snapshot, &conf, &error), 0);
	serial = conf->trust.serial;
	conf_free(conf);
	return serial;
}

/* All bytes of all files of the copy, one after the other, and how many files there are. */
static char *read_copy(const struct place *place, size_t *ret_files)
{
	char *text = NULL, name[320];
	size_t size;
	FILE *all = open_memstream(&text, &size);
	const struct dirent *entry;
	DIR *dir;

	snprintf(name, sizeof(name), "%s/current", place->folder);
	dir = opendir(name);
	assert_non_null(all);
	assert_non_null(dir);
	*ret_files = 0;
	while ((entry = readdir(dir))) {
		struct stat st;
		FILE *file;
		int c;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/current/%.200s", place->folder, entry->d_name);
		file = fopen(name, "re");
		assert_non_null(file);
		assert_int_equal(fstat(fileno(file), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		while ((c = getc(file)) != EOF)
			putc(c, all);
		fclose(file);
		(*ret_files)++;
	}
	closedir(dir);
	fclose(all);
	return text;
}

/* ---- what is kept ---- */

static void test_contents(void **state)
{
	const struct place *place = *state;
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t n;

	save(place);
	text = read_copy(place, &n);
	assert_int_equal(n, 4); /* the two configuration files, one CA, the index */
	assert_non_null(strstr(text, daemon_text));
	assert_non_null(strstr(text, topology_text));
	assert_non_null(strstr(text, "first anchor\n"));
	assert_null(strstr(text, "not a real one"));
	assert_null(strstr(text, "our certificate"));
	assert_null(strstr(text, "our response"));
	assert_int_equal(stat(place->folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* A key that somebody lists as a CA stays a key, under another name of the same file, too. */
static void test_no_key(void **state)
{
	const struct place *place = *state;
	_cleanup_free_ char *text = NULL;
	size_t n;

	assert_int_equal(symlinkat("../own.key", place->dir, "net/link.pem"), 0);
	put(place, "topology.conf",
	    "serial = 1 site s { anchors = {\"net/ca.pem\", \"net/../own.key\", \"net/link.pem\"}\n"
	    "application gw.example.com { } }");
	save(place);
	text = read_copy(place, &n);
	assert_int_equal(n, 4);
	assert_null(strstr(text, "not a real one"));
	/* And it is had from its place again. */
	put(place, "topology.conf", "broken");
	{
		struct conf_snapshot *snapshot = restore(place);

		assert_holds(snapshot, place, "net/link.pem", KEY_TEXT);
		assert_holds(snapshot, place, "net/../own.key", KEY_TEXT);
		conf_snapshot_free(snapshot);
	}
}

/* ---- what it is good for ---- */

static void test_broken_topology(void **state)
{
	const struct place *place = *state;
	struct conf_snapshot *snapshot;
	_cleanup_free_ char *daemon = NULL;

	save(place);
	assert_true(asprintf(&daemon, "workers = 3 %s", daemon_text) > 0);
	put(place, "siptlsd.conf", daemon);
	put(place, "topology.conf", "serial = 13 site \"hq\" {");
	drop(place, "net/ca.pem");
	put(place, "own.key", "a newer key\n");
	put(place, "own.pem", "a newer certificate\n");
	snapshot = restore(place);
	assert_int_equal(serial_of(snapshot), 12);
	assert_holds(snapshot, place, "siptlsd.conf", daemon);
	assert_holds(snapshot, place, "topology.conf", topology_text);
	assert_holds(snapshot, place, "net/ca.pem", "first anchor\n");
	assert_holds(snapshot, place, "own.key", "a newer key\n");
	assert_holds(snapshot, place, "own.pem", "a newer certificate\n");
	assert_holds(snapshot, place, "own.ocsp", "our response\n");
	/* It is as good a snapshot as any, also to be saved. */
	assert_int_equal(conf_last_good_save(snapshot, place->folder), 0);
	conf_snapshot_free(snapshot);
	conf_snapshot_free(restore(place));
}

static void test_broken_daemon(void **state)
{
	static const char *const broken[] = {
		"identity \"main\" {",
		"nonsense = 1",
		"", /* no identity */
		/* in order by itself, but not with the topology that was good */
		"identity \"main\" { certificate = \"own.pem\" key = \"own.key\" }\n"
		"dial \"d\" { address = \"127.0.0.1:5070\" peer = \"new.example.com\" }\n",
		"topology = \"other.conf\" identity \"main\" { certificate = \"own.pem\" key = "
		"\"own.key\" }\n",
		"identity \"main\" { certificate = \"no-such-file\" key = \"own.key\" }\n",
	};
	const struct place *place = *state;

	save(place);
	put(place, "topology.conf", "broken");
	for (size_t i = 0; i <= ARRAY_SIZE(broken); i++) {
		struct conf_snapshot *snapshot;

		if (i < ARRAY_SIZE(broken))
			put(place, "siptlsd.conf", broken[i]);
		else
			drop(place, "siptlsd.conf");
		snapshot = restore(place);
		assert_holds(snapshot, place, "siptlsd.conf", daemon_text);
		assert_int_equal(serial_of(snapshot), 12);
		conf_snapshot_free(snapshot);
	}
}

static void test_not_ours_to_give(void **state)
{
	const struct place *place = *state;

	save(place);
	drop(place, "own.key");
	assert_refused(place, "with the last good copy (/tmp/siptls-test-last-good.");
	assert_refused(place, "identity \"main\": key: cannot open");
}

static void test_none(void **state)
{
	const struct place *place = *state;

	assert_refused(place, "expected a last good copy of the configuration, found none");
	assert_int_equal(mkdirat(place->dir, "last-good", 0755), 0);
	assert_refused(place, "found none");
	put(place, "last-good/current", "a");
	assert_refused(place, "found none");
	drop(place, "last-good/current");
	assert_int_equal(symlinkat("..", place->dir, "last-good/current"), 0);
	assert_refused(place, "found none");
	drop(place, "last-good/current");
	assert_int_equal(symlinkat("a", place->dir, "last-good/current"), 0);
	assert_refused(place, "found one without a good index");
	/* All this is no obstacle to a copy. */
	put(place, "last-good/a", "a file");
	put(place, "last-good/b", "a file");
	save(place);
	conf_snapshot_free(restore(place));
}

/* ---- one copy after the other ---- */

static void put_serial(const struct place *place, unsigned int serial)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "serial = %u site s { anchors = \"net/ca.pem\" application gw.example.com { } }",
		 serial);
	put(place, "topology.conf", text);
}

static uint64_t saved_serial(const struct place *place)
{
	struct conf_snapshot *snapshot = restore(place);
	uint64_t serial = serial_of(snapshot);

	conf_snapshot_free(snapshot);
	return serial;
}

static void test_again_and_again(void **state)
{
	const struct place *place = *state;
	size_t n;

	for (unsigned int i = 1; i < 6; i++) {
		put_serial(place, i);
		save(place);
		assert_int_equal(saved_serial(place), i);
		free(read_copy(place, &n));
		assert_int_equal(n, 4);
		/* What was before it is gone. */
		assert_int_equal(faccessat(place->dir, i % 2 ? "last-good/b" : "last-good/a", F_OK,
					   0),
				 -1);
	}
}

/* Wherever writing a new copy stops, the old one is there as a whole, and the next is written. */
static void test_half_written(void **state)
{
	static const struct {
		const char *what, *name, *text;
	} steps[] = {
		{ "a folder", "last-good/b", NULL },
		{ "a file", "last-good/b/0000", "serial = 99" },
		{ "half a file", "last-good/b/0001", "ser" },
		{ "half an index", "last-good/b/index", LAST_GOOD_FIRST "\nconfigurat" },
		{ "a whole index", "last-good/b/index",
		  LAST_GOOD_FIRST "\nconfiguration 11 /x\nconfiguration 3 /y\nend 2\n" },
		{ "a link", "last-good/current.new", "b" },
	};
	const struct place *place = *state;

	save(place);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (!steps[i].text)
			assert_int_equal(mkdirat(place->dir, steps[i].name, 0700), 0);
		else if (strstr(steps[i].name, "current"))
			assert_int_equal(symlinkat(steps[i].text, place->dir, steps[i].name), 0);
		else
			put(place, steps[i].name, steps[i].text);
		print_message("stopped after %s\n", steps[i].what);
		assert_int_equal(saved_serial(place), 12);
	}
	put_serial(place, 13);
	save(place);
	assert_int_equal(saved_serial(place), 13);
}

/* A copy that cannot be written leaves the old one, and the old one only. */
static void test_cannot_write(void **state)
{
	const struct place *place = *state;
	struct conf_snapshot *snapshot = NULL;
	struct conf_error error = { 0 };
	char folder[128];

	save(place);
	put_serial(place, 13);
	assert_int_equal(conf_snapshot_take(place->conf, &snapshot, &error), 0);
	/* A folder inside the slot cannot be there by us, and is not removed. */
	assert_int_equal(mkdirat(place->dir, "last-good/b", 0700), 0);
	assert_int_equal(mkdirat(place->dir, "last-good/b/inner", 0700), 0);
	assert_true(conf_last_good_save(snapshot, place->folder) < 0);
	assert_int_equal(saved_serial(place), 12);
	snprintf(folder, sizeof(folder), "%s/no/such/folder", place->path);
	assert_int_equal(conf_last_good_save(snapshot, folder), -ENOENT);
	snprintf(folder, sizeof(folder), "%s/own.pem", place->path);
	assert_true(conf_last_good_save(snapshot, folder) < 0);
	conf_snapshot_free(snapshot);
}

/* ---- damaged copies ---- */

static void test_damaged(void **state)
{
	static const struct {
		const char *name, *text; /* NULL: the file is gone */
		const char *needle;
	} cases[] = {
		{ "index", NULL, "found one without a good index" },
		{ "index", "", "without a good index" },
		{ "index", "something else\n", "without a good index" },
		{ "index", LAST_GOOD_FIRST "\n", "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nend 0\n", "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nconfiguration 1 /a\nconfiguration 1 /b\n",
		  "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nconfiguration 1 /a\nconfiguration 1 /b\nend 3\n",
		  "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nconfiguration 1 /a\nconfiguration 1 /b\nend 2",
		  "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nmaterial 1 /a\nconfiguration 1 /b\nend 2\n",
		  "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nconfiguration 1 /a\nmaterial 1 /b\nend 2\n",
		  "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nconfiguration 1 /a\nconfiguration x /b\nend 2\n",
		  "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nconfiguration 1 /a\nconfiguration 1 b\nend 2\n",
		  "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nconfiguration 1 /a\nconfiguration\nend 2\n",
		  "without a good index" },
		{ "index",
		  LAST_GOOD_FIRST "\nconfiguration 1 /a\nconfiguration 9999999 /b\nend 2\n",
		  "without a good index" },
		{ "index", LAST_GOOD_FIRST "\n 1 /a\n\nend 2\n", "without a good index" },
		{ "index", LAST_GOOD_FIRST "\nconfiguration 1 /a\nconfiguration 1 /b\nend 2\n",
		  "expected a copy of 1 bytes, found " },
		{ "0001", NULL, "topology: cannot open" },
		{ "0001", "serial = 12\n", "expected a copy of " },
		{ "0001", "", "expected a copy of " },
		{ "0002", NULL, "site \"hq\": anchors: cannot open" },
		{ "0002", "first\n", "expected a copy of 13 bytes, found 6 of " },
	};
	const struct place *place = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[64];

		save(place);
		snprintf(name, sizeof(name), "last-good/current/%s", cases[i].name);
		if (cases[i].text)
			put(place, name, cases[i].text);
		else
			drop(place, name);
		print_message("case %zu\n", i);
		assert_refused(place, cases[i].needle);
	}
}

/* The size is right, the text is not. */
static void test_corrupt(void **state)
{
	const struct place *place = *state;
	_cleanup_free_ char *text = strdup(topology_text);

	save(place);
	assert_non_null(text);
	memset(text, '{', 6);
	put(place, "last-good/current/0001", text);
	assert_refused(place, "with the last good copy (");
	assert_refused(place, "expected an option");
	/* A damaged copy of siptlsd.conf does not matter as long as the real one is there. */
	save(place);
	put(place, "last-good/current/0000", "");
	conf_snapshot_free(restore(place));
	put(place, "siptlsd.conf", "");
	assert_refused(place, "expected a copy of ");
}

/* ---- where it is ---- */

static void assert_state(const struct place *place, const char *expected)
{
	char *state = NULL;

	assert_int_equal(conf_state_find(place->conf, &state), 0);
	assert_string_equal(state, expected);
	free(state);
}

static void test_state(void **state)
{
	const struct place *place = *state;
	char expected[128];

	assert_state(place, CONF_DEFAULT_STATE);
	put(place, "siptlsd.conf",
	    "state = \"/elsewhere\"\ntopology = missing\n"
	    "identity \"main\" { certificate = \"own.pem\" key = \"gone\" }");
	assert_state(place, "/elsewhere");
	put(place, "siptlsd.conf", "state = \"in/here\"\nidentity i { certificate = c key = k }");
	snprintf(expected, sizeof(expected), "%s/in/here", place->path);
	assert_state(place, expected);
	put(place, "siptlsd.conf", "state = \"/elsewhere\"\nidentity {");
	assert_state(place, CONF_DEFAULT_STATE);
	drop(place, "siptlsd.conf");
	assert_state(place, CONF_DEFAULT_STATE);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(test_contents),	    test(test_no_key),		 test(test_broken_topology),
		test(test_broken_daemon),   test(test_not_ours_to_give), test(test_none),
		test(test_again_and_again), test(test_half_written),	 test(test_cannot_write),
		test(test_damaged),	    test(test_corrupt),		 test(test_state),
	};

	return cmocka_run_group_tests_name("conf-last-good", tests, NULL, NULL);
}
