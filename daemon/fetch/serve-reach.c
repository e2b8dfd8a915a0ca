/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From names to the sandbox's rules, which hold for files and folders as they are now. What takes
 * the place of one of them, or appears where nothing was, is out of reach for good: then the daemon
 * is asked for the next process, which finds it.
 */

#include "fetch/serve.h"

#include <fcntl.h>
#include <siptls/sandbox.h>
#include <sys/stat.h>

/*
 * What the libraries read by themselves while they work, under the names they use. No folder in
 * which keys may lie: /etc/ssl and /etc/pki/tls have one each. Shared objects, locales and time
 * zones are not here: nothing is loaded any more, and nothing asks for the others.
 */
static const char *const needed[] = {
	/* the C library's resolver, and libunbound without servers of its own; the folders are
	 * where the first is a link to, and replaced whenever the network changes */
	"/etc/resolv.conf",
	"/run/systemd/resolve",
	"/run/resolvconf",
	"/etc/nsswitch.conf",
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/gai.conf",
	/* who may vouch for a web server: Debian and Arch, Red Hat, SUSE */
	"/etc/ssl/certs",
	"/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates",
	"/etc/ca-certificates",
	"/etc/pki/tls/certs",
	"/etc/pki/ca-trust",
	"/var/lib/ca-certificates",
	/* which algorithms GnuTLS may use, looked at before each connection */
	"/etc/gnutls",
	"/etc/crypto-policies",
	"/usr/share/crypto-policies",
};

/* A name, and the up to two rules that it takes: for itself, and for the folder in which it is. */
struct fetch_place {
	const char *path; /* borrowed */
	bool is_replaced; /* if it is a file: another may be renamed into its place */
	bool itself;
	char *folder;
	/* what is there, in that order; zero: nothing */
	dev_t devices[2];
	ino_t inodes[2];
};

/* ---- names ---- */

/* NULL: there is none, or it is the root, beneath which is everything. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static void note(struct fetch_place *place, size_t at, const struct stat *st)
{
	place->devices[at] = st->st_dev;
	place->inodes[at] = st->st_ino;
}

/*
 * A link needs what it leads to besides the folder. What is not there gets no rule at all: where it
 * would be, keys may be.
 */
static struct fetch_place place_find(const char *path, bool is_replaced)
{
	struct fetch_place place = { .path = path, .is_replaced = is_replaced };
	struct stat st;

	if (stat(path, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return place;
	if (is_replaced && S_ISREG(st.st_mode))
		place.folder = folder_of(path);
	place.itself = !place.folder || is_link(path);
	if (place.itself)
		note(&place, 0, &st);
	if (place.folder && stat(place.folder, &st) == 0)
		note(&place, 1, &st);
	return place;
}

/* The name leads elsewhere now, and it is the sandbox that stands before it. */
static bool place_is_lost(const struct fetch_place *place)
{
	struct fetch_place now = place_find(place->path, place->is_replaced);
	bool same = memcmp(now.devices, place->devices, sizeof(now.devices)) == 0 &&
		    memcmp(now.inodes, place->inodes, sizeof(now.inodes)) == 0;
	_cleanup_fd_ int fd = -1;

	free(now.folder);
	if (same)
		return false;
	fd = open(place->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 && errno == EACCES;
}

/* ---- the process ---- */

static int find_places(struct fetch_server *s)
{
	size_t n = ARRAY_SIZE(needed) + s->reach.n;

	s->places = calloc(n, sizeof(*s->places));
	if (!s->places)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		s->places[s->n_places++] = place_find(needed[i], false);
	for (size_t i = FETCH_REACH_TRUST_ANCHOR; i < s->reach.n; i++)
		if (s->reach.paths[i][0])
			s->places[s->n_places++] =
				place_find(s->reach.paths[i], i >= FETCH_REACH_SOURCES);
	return 0;
}

int fetch_server_confine(struct fetch_server *s, const char *cache)
{
	_cleanup_free_ const char **paths = NULL;
	size_t n = 0;
	int r = find_places(s);

	if (r < 0)
		return r;
	paths = calloc(2 * s->n_places, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_places; i++) {
		if (s->places[i].itself)
			paths[n++] = s->places[i].path;
		if (s->places[i].folder)
			paths[n++] = s->places[i].folder;
	}
	return sandbox_enter_fetch(cache, paths, n);
}

bool fetch_server_has_lost(const struct fetch_server *s, const char *path)
{
	for (size_t i = 0; i < s->n_places; i++)
		if ((i < ARRAY_SIZE(needed) || (path && strcmp(s->places[i].path, path) == 0)) &&
		    place_is_lost(&s->places[i]))
			return true;
	return false;
}

int fetch_server_renew(struct fetch_server *s)
{
	struct fetch_message m = { .type = FETCH_MSG_RENEW };

	if (s->renewing)
		return 0;
	s->renewing = true;
	return fetch_server_post(s, &m, -1);
}

void fetch_server_reach_done(struct fetch_server *s)
{
	for (size_t i = 0; i < s->n_places; i++)
		free(s->places[i].folder);
	free(s->places);
	fetch_reach_done(&s->reach);
}
