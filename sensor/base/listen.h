/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen.h -- a place in the file system where other programs connect: a unix stream socket that is
 * there while we listen.
 *
 * What a process left behind that is no more is replaced; a socket that somebody listens on, or
 * anything else of that name, is an error.
 *
 * Owner: listener_open/close; close removes the path if it is still ours.  Threads: one.
 */
#ifndef SENSOR_BASE_LISTEN_H
#define SENSOR_BASE_LISTEN_H

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include "sensor/base/attribute.h"
#include "sensor/base/error.h"

struct listener_options {
	const char *path;
	/* Nobody can connect before these are in force; (uid_t)-1, (gid_t)-1: as we are. */
	uid_t owner;
	gid_t group;
	mode_t mode;
};

struct listener {
	int fd; /* -1: closed; does not block */
	struct sockaddr_un address;
	dev_t device; /* of the path that we made */
	ino_t inode;
};

NODISCARD enum err listener_open(
	struct listener *l, const struct listener_options *options, struct err_ctx *why);
void listener_close(struct listener *l);

#endif
