/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* inotify on folders, never on files: a file that is replaced is another one afterwards. */

#include <revocation/watch.h>

#include <sys/inotify.h>

#define SETTLE_MS 100 /* several files are often replaced together */
#define EVENTS                                                                                     \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |        \
	 IN_DELETE_SELF | IN_MOVE_SELF)

struct revocation_watch {
	struct loop *loop;
	int fd; /* -1: polling alone */
	struct loop_source *io, *timer;
	int (*fn)(void *userdata);
	void *userdata;
};

static int on_timer(void *userdata)
{
	struct revocation_watch *watch = userdata;
	int r;

	r = loop_timer_set(watch->timer, WATCH_POLL_MS);
	return r < 0 ? r : watch->fn(watch->userdata);
}

/* What happened is of no interest: whoever is told looks at everything. */
static int on_io(void *userdata, int fd, unsigned int events _unused_)
{
	struct revocation_watch *watch = userdata;
	char buf[16 * 1024];
	bool any = false;

	while (read(fd, buf, sizeof(buf)) > 0)
		any = true;
	return any ? loop_timer_set(watch->timer, SETTLE_MS) : 0;
}

/* Without inotify there is the minute. */
static void open_inotify(struct revocation_watch *watch)
{
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd >= 0 &&
	    loop_io_add(watch->loop, watch->fd, LOOP_READ, on_io, watch, &watch->io) < 0)
		watch->fd = fd_close(watch->fd);
}

static void close_inotify(struct revocation_watch *watch)
{
	watch->io = loop_source_free(watch->io);
	watch->fd = fd_close(watch->fd);
}

int revocation_watch_new(struct loop *loop, int (*fn)(void *userdata), void *userdata,
			 struct revocation_watch **ret)
{
	struct revocation_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	*watch =
		(struct revocation_watch){ .loop = loop, .fd = -1, .fn = fn, .userdata = userdata };
	r = loop_timer_add(loop, WATCH_POLL_MS, on_timer, watch, &watch->timer);
	if (r) {
		free(watch);
		return r;
	}
	open_inotify(watch);
	*ret = watch;
	return 0;
}

struct revocation_watch *revocation_watch_free(struct revocation_watch *watch)
{
	if (!watch)
		return NULL;
	close_inotify(watch);
	loop_source_free(watch->timer);
	free(watch);
	return NULL;
}

void revocation_watch_folder(struct revocation_watch *watch, const char *path)
{
	if (watch->fd >= 0)
		(void)inotify_add_watch(watch->fd, path, EVENTS | IN_ONLYDIR);
}

void revocation_watch_clear(struct revocation_watch *watch)
{
	close_inotify(watch);
	open_inotify(watch);
}

void revocation_watch_poke(struct revocation_watch *watch)
{
	if (loop_timer_set(watch->timer, 0) < 0)
		return;
}
