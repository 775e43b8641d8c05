/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnstap_listen.h -- the place in the file system where DNS servers connect: a unix stream socket,
 * mode 0660, that is there while we listen.
 *
 * Owner: dnstap_listener_open/close; close removes the path if it is still ours.
 */
#ifndef SENSOR_CAPTURE_DNSTAP_LISTEN_H
#define SENSOR_CAPTURE_DNSTAP_LISTEN_H

#include <sys/stat.h>
#include <sys/un.h>

#include "sensor/capture/dnstap.h"

struct dnstap_listener {
	int fd; /* -1: closed; does not block */
	struct sockaddr_un address;
	dev_t device; /* of the path that we made */
	ino_t inode;
};

NODISCARD enum err dnstap_listener_open(
	struct dnstap_listener *l, const struct dnstap_options *options, struct err_ctx *why);
void dnstap_listener_close(struct dnstap_listener *l);

#endif
