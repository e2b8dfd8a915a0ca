/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* rights - who is at the other end of a client's socket, and what that allows. */

#include <siptls/base.h>
#include <sys/types.h>

/* Each includes the ones before it. */
enum control_right {
	CONTROL_LOOK,	    /* everyone who can connect */
	CONTROL_OPERATE,    /* close sessions */
	CONTROL_ADMINISTER, /* reload */
	_CONTROL_RIGHT_MAX,
};

#define CONTROL_NO_GROUP ((gid_t)-1)

struct control_credentials {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *groups; /* supplementary */
	size_t n_groups;
};

/* As the peer was when it connected, told by the kernel. 0 or -errno. */
int control_credentials_read(int fd, struct control_credentials *ret) _must_check_;
void control_credentials_done(struct control_credentials *credentials);

/* @own is the daemon's user, @group the configured group or CONTROL_NO_GROUP. */
enum control_right control_rights(const struct control_credentials *credentials, uid_t own,
				  gid_t group);
