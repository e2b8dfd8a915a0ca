/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificates and CRLs in files. */

#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <siptls/tls.h>
#include <stdio.h>
#include <sys/stat.h>

int ctl_files_add(const char *command, struct ctl_files *files, char *name)
{
	if (files->n == CTL_FILES_MAX) {
		ctl_complain("%s: more than " STR(CTL_FILES_MAX) " files of one kind", command);
		return CTL_USAGE;
	}
	files->names[files->n++] = name;
	return 0;
}

int ctl_case_new(const struct trust_policy *policy, struct ctl_case *ret)
{
	struct ctl_case c = { .policy = policy };
	int r;

	r = tls_global_init();
	if (r == 0)
		r = revocation_store_new(&c.store);
	if (r == 0)
		*ret = c;
	return r;
}

void ctl_case_done(struct ctl_case *c)
{
	trust_facts_done(&c->facts);
	c->board = revocation_board_unref(c->board);
	c->store = revocation_store_free(c->store);
}

/* ---- CRLs ---- */

static int read_whole(int fd, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

/* Not @ret_fd of a folder, a device or a pipe: reading these may never end. */
static int file_open(const char *path, int *ret_fd, size_t *ret_size, struct text *why)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		text_addf(why, "cannot be read: %s", strerror(errno));
		return CTL_FAILED;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > REVOCATION_CRL_SIZE_MAX) {
		text_addf(why, S_ISREG(st.st_mode) ? "is too large" : "is no file");
		return CTL_FAILED;
	}
	*ret_size = (size_t)st.st_size;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int ctl_case_crl(struct ctl_case *c, const char *path, struct text *why)
{
	_cleanup_free_ char *bytes = NULL;
	_cleanup_fd_ int fd = -1;
	size_t size, len;
	int r = file_open(path, &fd, &size, why);

	if (r != 0)
		return r;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	r = read_whole(fd, bytes, size, &len);
	if (r < 0) {
		text_addf(why, "cannot be read: %s", strerror(-r));
		return CTL_FAILED;
	}
	r = revocation_store_put(c->store, path, bytes, len, why);
	return r == REVOCATION_E_MALFORMED ? CTL_FAILED : r;
}

int ctl_case_crl_folder(struct ctl_case *c, const char *folder, struct text *why)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		text_addf(why, "cannot be read: %s", strerror(errno));
		return CTL_FAILED;
	}
	while (r >= 0 && (entry = readdir(dir))) {
		_cleanup_free_ char *path = NULL;
		char buf[256];
		struct text ignored = TEXT_INIT(buf);

		if (entry->d_name[0] == '.')
			continue;
		r = asprintf(&path, "%s/%s", folder, entry->d_name) < 0
			    ? -ENOMEM
			    : ctl_case_crl(c, path, &ignored);
	}
	closedir(dir);
	return r < 0 ? r : 0;
}

/* ---- facts ---- */

static int board_open(struct ctl_case *c)
{
	_cleanup_fd_ int fd = -1;
	int r = revocation_store_publish(c->store, &fd);

	if (r < 0)
		return r;
	r = revocation_board_open(fd, &c->board);
	if (r == 0)
		(void)steal_fd(&fd);
	return r > 0 ? -EBADMSG : r;
}

int ctl_case_read(struct ctl_case *c, const struct ctl_files *chain, struct conf_error *reterr)
{
	int r = tls_facts_from_files(c->policy, (const char *const *)chain->names, chain->n,
				     c->store, &c->facts, reterr);

	/* The same board once more, to tell which list it was. */
	return r == 0 ? board_open(c) : r;
}

/* ---- the chain ---- */

static const struct trust_path *path_choose(const struct ctl_case *c,
					    const struct trust_verdict *verdict)
{
	if (verdict->path)
		return verdict->path;
	for (size_t i = 0; i < c->facts.n_paths; i++) {
		if (c->facts.paths[i].outcome == TRUST_CHAIN_OK)
			return &c->facts.paths[i];
	}
	return c->facts.n_paths > 0 ? c->facts.paths : NULL;
}

/* The list that told of certificate @place; NULL if none did. */
static const char *crl_of(const struct ctl_case *c, const struct trust_path *path, size_t place,
			  struct revocation_crl_view *crl)
{
	const struct trust_certificate *certs = c->facts.certs;
	bool last = place + 1 == path->n_certs;
	const uint8_t *issuer = last ? path->anchor_id : certs[path->certs[place + 1]].id;
	struct trust_link link;
	uint32_t index;

	if (path->links[place].ocsp || (last && !path->anchor_subject))
		return NULL;
	revocation_board_lookup(c->board, &certs[path->certs[place]], issuer, &link, &index);
	if (index == UINT32_MAX)
		return NULL;
	revocation_board_crl(c->board, index, crl);
	return crl->source;
}

static void link_of(const struct ctl_case *c, const struct trust_path *path, size_t place,
		    int64_t now, struct session_link_view *ret, char *fingerprint)
{
	const struct trust_certificate *cert = &c->facts.certs[path->certs[place]];
	const struct trust_link *link = &path->links[place];
	const struct trust_anchors *anchors = &c->policy->anchors[path->anchors];
	enum trust_standing standing =
		anchors->revocation == TRUST_REVOCATION_OFF
			? TRUST_STANDING_OFF
			: trust_link_standing(link, anchors->crl_grace_s, now);

	hex_format(cert->fingerprint, sizeof(cert->fingerprint), fingerprint);
	*ret = (struct session_link_view){
		.subject = cert->subject,
		.issuer = cert->issuer,
		.serial = cert->serial,
		.fingerprint = fingerprint,
		.not_before = cert->not_before,
		.not_after = cert->not_after,
		.status = trust_standing_names[standing],
		.ocsp = link->ocsp,
		.this_update = link->this_update,
		.next_update = link->next_update,
		.revoked_at = link->revoked_at,
	};
}

void ctl_case_links(const struct ctl_case *c, const struct trust_verdict *verdict, int64_t now,
		    void (*fn)(void *userdata, const struct session_link_view *link),
		    void *userdata)
{
	const struct trust_path *path = path_choose(c, verdict);
	char fingerprint[2 * sizeof(path->anchor_fingerprint) + 1];
	struct session_link_view link;

	if (!path)
		return;
	for (size_t i = 0; i < path->n_certs; i++) {
		struct revocation_crl_view crl;

		link_of(c, path, i, now, &link, fingerprint);
		link.crl = crl_of(c, path, i, &crl);
		fn(userdata, &link);
	}
	if (!path->anchor_subject)
		return;
	hex_format(path->anchor_fingerprint, sizeof(path->anchor_fingerprint), fingerprint);
	link = (struct session_link_view){
		.subject = path->anchor_subject,
		.fingerprint = fingerprint,
		.anchor = true,
		.not_before = path->anchor_not_before,
		.not_after = path->anchor_not_after,
	};
	fn(userdata, &link);
}
