/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Credentials of a connected Unix socket, and the one rule that turns them into rights. */

#include "rights.h"

#include <sys/socket.h>

static int groups_read(int fd, struct control_credentials *credentials)
{
	socklen_t size = 0;

	/* Asked with no room first: the kernel answers ERANGE and how much it takes. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0)
		return 0;
	if (errno != ERANGE)
		return -errno;
	credentials->groups = malloc(size);
	if (!credentials->groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, credentials->groups, &size) < 0)
		return -errno;
	credentials->n_groups = size / sizeof(gid_t);
	return 0;
}

int control_credentials_read(int fd, struct control_credentials *ret)
{
	_cleanup_(control_credentials_done) struct control_credentials credentials = { 0 };
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	credentials.uid = peer.uid;
	credentials.gid = peer.gid;
	credentials.pid = peer.pid;
	r = groups_read(fd, &credentials);
	if (r < 0)
		return r;
	*ret = credentials;
	credentials.groups = NULL;
	return 0;
}

void control_credentials_done(struct control_credentials *credentials)
{
	free(credentials->groups);
	credentials->groups = NULL;
	credentials->n_groups = 0;
}

static bool has_group(const struct control_credentials *credentials, gid_t group)
{
	if (credentials->gid == group)
		return true;
	for (size_t i = 0; i < credentials->n_groups; i++) {
		if (credentials->groups[i] == group)
			return true;
	}
	return false;
}

enum control_right control_rights(const struct control_credentials *credentials, uid_t own,
				  gid_t group)
{
	if (credentials->uid == 0 || credentials->uid == own)
		return CONTROL_ADMINISTER;
	if (group != CONTROL_NO_GROUP && has_group(credentials, group))
		return CONTROL_OPERATE;
	return CONTROL_LOOK;
}
