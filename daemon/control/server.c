/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The listening socket of control, and the clients on it: a bounded number, each with a deadline.
 */

#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <poll.h>
#include <siptls/control.h>
#include <siptls/log.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "exchange.h"

#define READ_SIZE	 4096
#define READ_DEADLINE_MS 10000 /* for a client to read what waits for it */
#define ACCEPT_PAUSE_MS	 1000  /* when out of descriptors */

struct control {
	struct loop *loop;
	struct sessions *sessions;
	gid_t group;
	int fd;
	struct loop_source *io, *pause;
	char *path; /* NULL: not bound yet */
	dev_t device;
	ino_t inode;
	struct list clients; /* longest silent first */
	unsigned int n_clients;
};

struct client {
	struct list node;
	struct control *control;
	int fd;
	uid_t uid;
	pid_t pid;
	bool ended; /* it sends no more, but may still read */
	struct loop_source *io, *deadline;
	struct control_exchange exchange;
};

/* ---- clients ---- */

static void client_free(struct client *client)
{
	list_remove(&client->node);
	client->control->n_clients--;
	loop_source_free(client->deadline);
	loop_source_free(client->io);
	control_exchange_done(&client->exchange);
	fd_close(client->fd);
	free(client);
	/* A list of thousands of sessions leaves its holes between memory that stays. */
	malloc_trim(0);
}

static int on_deadline(void *userdata)
{
	client_free(userdata);
	return 0;
}

/*
 * One deadline for each answer or part of a stream as a whole: trickling does not prolong it, and a
 * stream that cannot go on because the socket is full has one too.
 */
static int deadline_update(struct client *client, bool fresh)
{
	const struct control_exchange *x = &client->exchange;

	if (control_output_empty(&x->out) && !control_exchange_ready(x)) {
		client->deadline = loop_source_free(client->deadline);
		return 0;
	}
	if (client->deadline)
		return fresh ? loop_timer_set(client->deadline, READ_DEADLINE_MS) : 0;
	return loop_timer_add(client->control->loop, READ_DEADLINE_MS, on_deadline, client,
			      &client->deadline);
}

/* What to wait for next; nothing is read while an answer waits, so a client paces itself. */
static int events_update(struct client *client)
{
	const struct control_exchange *x = &client->exchange;
	unsigned int events = 0;

	if (!control_output_empty(&x->out) || control_exchange_ready(x))
		events = LOOP_WRITE;
	else if (!client->ended && control_input_room(&x->in) > 0)
		events = LOOP_READ;
	return loop_io_set(client->io, events);
}

/* 0, CONTROL_E_BROKEN (the client is gone) or -errno. */
static int client_read(struct client *client)
{
	size_t room = control_input_room(&client->exchange.in);
	char buf[READ_SIZE];
	ssize_t n = recv(client->fd, buf, room < sizeof(buf) ? room : sizeof(buf), 0);
	struct pollfd gone = { .fd = client->fd };

	if (n > 0)
		return control_input_push(&client->exchange.in, buf, (size_t)n);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* Closed, or only shut down for writing? The second still waits for its answer. */
	client->ended = true;
	return poll(&gone, 1, 0) > 0 && (gone.revents & POLLHUP) ? CONTROL_E_BROKEN : 0;
}

static int client_write(struct client *client)
{
	struct control_output *out = &client->exchange.out;

	while (!control_output_empty(out)) {
		size_t len;
		const char *bytes = control_output_peek(out, &len);
		ssize_t n = send(client->fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		control_output_written(out, (size_t)n);
	}
	return 0;
}

/* One call, or one part of a stream, for each wake-up: clients take turns. */
static int client_go_on(struct client *client, unsigned int events)
{
	const struct control_exchange *x = &client->exchange;
	bool reads =
		control_output_empty(&x->out) && !client->ended && control_input_room(&x->in) > 0;
	bool fresh = control_output_empty(&x->out);
	int r = 0;

	if ((events & LOOP_READ) && reads)
		r = client_read(client);
	if (r == 0)
		r = control_exchange_run(&client->exchange);
	fresh &= !control_output_empty(&x->out);
	if (r == 0)
		r = client_write(client);
	if (r == 0 && client->ended && x->phase == CONTROL_IDLE && control_output_empty(&x->out) &&
	    !control_exchange_ready(x))
		r = CONTROL_E_BROKEN;
	if (r == 0)
		r = deadline_update(client, fresh);
	return r == 0 ? events_update(client) : r;
}

static int on_client_io(void *userdata, int fd _unused_, unsigned int events)
{
	struct client *client = userdata;

	list_remove(&client->node);
	list_append(&client->control->clients, &client->node);
	/* Whatever it was, it concerns this client alone. */
	if (client_go_on(client, events) != 0)
		client_free(client);
	return 0;
}

/* ---- what exchange asks for ---- */

static void on_wake(void *userdata)
{
	struct client *client = userdata;

	/* Writing, or finding out that nobody reads, happens from the loop. */
	if (loop_io_set(client->io, LOOP_WRITE) < 0)
		log_warning("control: an answer to process %d is lost", (int)client->pid);
}

static void on_operates(void *userdata, const char *method)
{
	const struct client *client = userdata;

	log_info("control: %s by user %u, process %d", method, (unsigned int)client->uid,
		 (int)client->pid);
}

static const struct control_exchange_ops exchange_ops = { .wake = on_wake,
							  .operates = on_operates };

/* ---- accepting ---- */

/* @fd is taken over on success. */
static int client_new(struct control *control, int fd)
{
	_cleanup_(control_credentials_done) struct control_credentials credentials = { 0 };
	struct client *client;
	int r;

	r = control_credentials_read(fd, &credentials);
	if (r < 0)
		return r;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	r = loop_io_add(control->loop, fd, LOOP_READ, on_client_io, client, &client->io);
	if (r < 0) {
		free(client);
		return r;
	}
	client->control = control;
	client->fd = fd;
	client->uid = credentials.uid;
	client->pid = credentials.pid;
	control_exchange_init(&client->exchange, control->sessions,
			      control_rights(&credentials, geteuid(), control->group),
			      &exchange_ops, client);
	list_append(&control->clients, &client->node);
	control->n_clients++;
	return 0;
}

/* When all places are taken, the client that has been silent longest between calls makes room. */
static bool room_make(struct control *control)
{
	if (control->n_clients < CONTROL_CLIENTS_MAX)
		return true;
	list_foreach (node, &control->clients) {
		struct client *client = container_of(node, struct client, node);

		if (client->exchange.phase == CONTROL_IDLE &&
		    control_output_empty(&client->exchange.out)) {
			client_free(client);
			return true;
		}
	}
	return false;
}

static int on_pause_over(void *userdata)
{
	struct control *control = userdata;

	control->pause = loop_source_free(control->pause);
	return loop_io_set(control->io, LOOP_READ);
}

static int accept_pause(struct control *control)
{
	int r = loop_io_set(control->io, 0);

	return r < 0 ? r
		     : loop_timer_add(control->loop, ACCEPT_PAUSE_MS, on_pause_over, control,
				      &control->pause);
}

static int on_accept(void *userdata, int listen_fd, unsigned int events _unused_)
{
	struct control *control = userdata;
	_cleanup_fd_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		bool exhausted =
			errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;

		return exhausted ? accept_pause(control) : 0;
	}
	if (room_make(control) && client_new(control, fd) == 0)
		(void)steal_fd(&fd);
	return 0;
}

/* ---- the socket ---- */

static int group_find(const char *name, gid_t *ret)
{
	char buf[16384];
	struct group group, *found = NULL;
	int r = getgrnam_r(name, &group, buf, sizeof(buf), &found);

	if (r != 0)
		return -r;
	if (!found)
		return -ESRCH;
	*ret = group.gr_gid;
	return 0;
}

/* A socket that nobody listens on was left behind by a daemon that could not clean up. */
static int stale_remove(const struct sockaddr_un *address)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int socket_bind(struct control *control, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	r = stale_remove(&address);
	if (r < 0)
		return r;
	/* The file takes over the mode of the socket, so there is no moment in which it is open. */
	if (fchmod(control->fd, 0600) < 0 ||
	    bind(control->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (lstat(path, &st) < 0)
		return -errno;
	control->path = strdup(path);
	if (!control->path) {
		(void)unlink(path);
		return -ENOMEM;
	}
	control->device = st.st_dev;
	control->inode = st.st_ino;
	/* Its own group it has already; a service may not be allowed any chown() at all. */
	if (control->group != CONTROL_NO_GROUP && control->group != st.st_gid &&
	    chown(path, (uid_t)-1, control->group) < 0)
		return -errno;
	if (control->group != CONTROL_NO_GROUP && chmod(path, 0660) < 0)
		return -errno;
	return listen(control->fd, SOMAXCONN) < 0 ? -errno : 0;
}

static void control_freep(struct control **control)
{
	control_free(*control);
}

int control_new(struct loop *loop, struct sessions *sessions, const char *path, const char *group,
		struct control **ret)
{
	_cleanup_(control_freep) struct control *control = calloc(1, sizeof(*control));
	int r = 0;

	if (!control)
		return -ENOMEM;
	control->loop = loop;
	control->sessions = sessions;
	control->group = CONTROL_NO_GROUP;
	list_init(&control->clients);
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0)
		return -errno;
	if (group)
		r = group_find(group, &control->group);
	if (r == 0)
		r = socket_bind(control, path);
	if (r == 0)
		r = loop_io_add(loop, control->fd, LOOP_READ, on_accept, control, &control->io);
	if (r < 0)
		return r;
	*ret = steal_ptr(control);
	return 0;
}

struct control *control_free(struct control *control)
{
	struct stat st;

	if (!control)
		return NULL;
	list_foreach_safe (node, &control->clients)
		client_free(container_of(node, struct client, node));
	loop_source_free(control->pause);
	loop_source_free(control->io);
	/* Only the file we made: another daemon may have taken the path. */
	if (control->path && lstat(control->path, &st) == 0 && st.st_dev == control->device &&
	    st.st_ino == control->inode)
		(void)unlink(control->path);
	fd_close(control->fd);
	free(control->path);
	free(control);
	return NULL;
}
