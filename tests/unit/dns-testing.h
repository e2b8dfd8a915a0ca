/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A real name server for tests: NSD on a port of 127.0.0.1 with zones that the test writes, signed
 * by ldns-signzone where it wants them to be. Included after cmocka.h.
 */

#include <arpa/inet.h>
#include <ftw.h>
#include <signal.h>
#include <siptls/base.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct name_server {
	char dir[64];
	char anchors[128]; /* file of the signed zones' keys, as a trust anchor */
	uint16_t port;
	pid_t pid;
	size_t n_zones;
	char zones[8][64];
};

/* How a zone is signed: periods as ldns-signzone takes them, NULL: from now on, for a while. */
struct zone_signing {
	const char *inception, *expiration;
	const char *broken; /* "OWNER\tTYPE": whose signature is changed afterwards */
};

static _unused_ bool name_server_available(void)
{
	return system("command -v nsd ldns-signzone ldns-keygen >/dev/null 2>&1 || "
		      "PATH=$PATH:/usr/sbin command -v nsd ldns-signzone ldns-keygen "
		      ">/dev/null 2>&1") == 0;
}

/* One line to the shell, in the server's directory. */
__attribute__((format(printf, 2, 3))) static _unused_ void
name_server_run(const struct name_server *server, const char *format, ...)
{
	char line[1024];
	int at = snprintf(line, sizeof(line), "cd '%s' && PATH=$PATH:/usr/sbin && ", server->dir);
	va_list args;

	va_start(args, format);
	vsnprintf(line + at, sizeof(line) - (size_t)at, format, args);
	va_end(args);
	if (system(line) != 0)
		fail_msg("%s", line);
}

static _unused_ void name_server_write(const struct name_server *server, const char *name,
				       const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", server->dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static _unused_ char *name_server_read(const struct name_server *server, const char *name)
{
	char path[256];
	char *text = calloc(1, 1 << 20);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", server->dir, name);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(text);
	(void)!fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return text;
}

/* Change one character in the middle of the signature over @broken. */
static _unused_ void name_server_break(const struct name_server *server, const char *zone,
				       const char *broken)
{
	_cleanup_free_ char *text = name_server_read(server, zone);
	char owner[128], type[128], *line;

	assert_int_equal(sscanf(broken, "%127s %127s", owner, type), 2);
	for (line = text; line; line = strchr(line, '\n')) {
		char *end, *rrsig;

		line += *line == '\n';
		end = strchr(line, '\n');
		rrsig = strstr(line, "\tRRSIG\t");
		if (!end || !rrsig || rrsig > end)
			continue;
		if (strncmp(line, owner, strlen(owner)) == 0 && line[strlen(owner)] == '.' &&
		    strncmp(rrsig + 7, type, strlen(type)) == 0 && rrsig[7 + strlen(type)] == ' ') {
			end[-40] = end[-40] == 'A' ? 'B' : 'A';
			name_server_write(server, zone, text);
			return;
		}
	}
	fail_msg("no signature of %s", broken);
}

/* A zone of the server, from the lines after its SOA; NULL @signing: unsigned. Again: replaced. */
static _unused_ void name_server_zone(struct name_server *server, const char *zone,
				      const char *lines, const struct zone_signing *signing)
{
	static unsigned int serial;
	_cleanup_free_ char *text = NULL;
	bool known = false;

	assert_true(asprintf(&text,
			     "$ORIGIN %s.\n$TTL 3600\n@ SOA ns hostmaster %u 60 60 3600 1\n"
			     "@ NS ns\nns A 127.0.0.1\n%s",
			     zone, ++serial, lines) > 0);
	name_server_write(server, zone, text);
	if (signing) {
		name_server_run(server,
				"K=$(ldns-keygen -r /dev/urandom -k -a ECDSAP256SHA256 %s) && "
				"ldns-signzone %s %s %s %s -f %s.new %s $K && mv %s.new %s && "
				"cat $K.key >>anchors && rm $K.*",
				zone, signing->inception ? "-i" : "",
				signing->inception ? signing->inception : "",
				signing->expiration ? "-e" : "",
				signing->expiration ? signing->expiration : "", zone, zone, zone,
				zone);
		if (signing->broken)
			name_server_break(server, zone, signing->broken);
	}
	for (size_t i = 0; i < server->n_zones; i++)
		known = known || strcmp(server->zones[i], zone) == 0;
	if (known)
		return;
	assert_true(server->n_zones < ARRAY_SIZE(server->zones));
	snprintf(server->zones[server->n_zones++], sizeof(server->zones[0]), "%s", zone);
}

static _unused_ void name_server_init(struct name_server *server)
{
	*server = (struct name_server){ .dir = "/tmp/siptls-names-XXXXXX" };
	assert_non_null(mkdtemp(server->dir));
	snprintf(server->anchors, sizeof(server->anchors), "%s/anchors", server->dir);
	name_server_write(server, "anchors", "");
}

static _unused_ bool name_server_can_bind(uint16_t port, int type)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	_cleanup_fd_ int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
}

/*
 * A port that is free for UDP and TCP, below those the kernel gives to connections: whoever
 * connects to one of these before anybody listens may be connected to itself.
 */
static _unused_ uint16_t name_server_free_port(void)
{
	uint16_t port;

	do {
		assert_int_equal(getrandom(&port, sizeof(port), 0), sizeof(port));
		port = (uint16_t)(20000 + port % 12000);
	} while (!name_server_can_bind(port, SOCK_DGRAM) ||
		 !name_server_can_bind(port, SOCK_STREAM));
	return port;
}

static _unused_ bool name_server_listens(const struct name_server *server)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(server->port),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
}

/* Start, on @port if that is set, and wait until it answers; 10 s for a slow machine. */
static _unused_ void name_server_start(struct name_server *server)
{
	char conf[4096], path[128];
	int at;

	if (server->port == 0)
		server->port = name_server_free_port();
	at = snprintf(conf, sizeof(conf),
		      "server:\n ip-address: 127.0.0.1@%u\n username: \"\"\n chroot: \"\"\n"
		      " zonesdir: \"%s\"\n database: \"\"\n pidfile: \"\"\n"
		      " zonelistfile: \"%s/zone.list\"\n xfrdfile: \"%s/xfrd\"\n xfrdir: \"%s\"\n"
		      " logfile: \"%s/log\"\n server-count: 1\nremote-control:\n"
		      " control-enable: no\n",
		      server->port, server->dir, server->dir, server->dir, server->dir,
		      server->dir);
	for (size_t i = 0; i < server->n_zones; i++)
		at += snprintf(conf + at, sizeof(conf) - (size_t)at,
			       "zone:\n name: %s\n zonefile: %s\n", server->zones[i],
			       server->zones[i]);
	name_server_write(server, "nsd.conf", conf);
	snprintf(path, sizeof(path), "%s/nsd.conf", server->dir);
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		/* it must not outlive a test that is killed */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execlp("nsd", "nsd", "-d", "-c", path, (char *)NULL);
		execl("/usr/sbin/nsd", "nsd", "-d", "-c", path, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && !name_server_listens(server); i++) {
		assert_int_equal(waitpid(server->pid, NULL, WNOHANG), 0);
		usleep(10000);
	}
	assert_true(name_server_listens(server));
}

/* Read changed zone files; takes effect a little later. */
static _unused_ void name_server_reload(const struct name_server *server)
{
	assert_int_equal(kill(server->pid, SIGHUP), 0);
}

static _unused_ int name_server_remove(const char *path, const struct stat *st _unused_,
				       int type _unused_, struct FTW *ftw _unused_)
{
	return remove(path);
}

static _unused_ void name_server_stop(struct name_server *server)
{
	if (server->pid > 0) {
		kill(server->pid, SIGTERM);
		waitpid(server->pid, NULL, 0);
	}
	server->pid = 0;
	if (server->dir[0])
		nftw(server->dir, name_server_remove, 8, FTW_DEPTH | FTW_PHYS);
}
