/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replace.h -- a file that takes the place of another when it is complete.
 *
 * It is written beside the other one, as PATH.new, and renamed when all of it is on the disk: a crash
 * or an error leaves the old file or the new one, never a part. A PATH.new that a crash left is
 * nobody's and goes; who may write one file at the same time as others needs a lock for that.
 *
 * Errors are sticky: writing goes on doing nothing, and replace_commit fails with the first of them.
 *
 * Owner:    replace_open .. replace_commit or replace_cancel; the latter takes the zero state too.
 * Threads:  no shared state.
 */
#ifndef SENSOR_BASE_REPLACE_H
#define SENSOR_BASE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sensor/base/attribute.h"

struct replace {
	char *path, *new_path; /* NULL: nothing is open */
	int fd;                /* of new_path, for reading and writing */
	int failed;            /* errno of the first failure; 0: none */
};

/* False with errno when it cannot be written. `mode` is that of open(2). */
NODISCARD bool replace_open(struct replace *r, const char *path, mode_t mode);
void replace_write(struct replace *r, const void *bytes, size_t bytes_len);
/* False with errno: the old file stays, the new one is gone. */
NODISCARD bool replace_commit(struct replace *r);
void replace_cancel(struct replace *r);

#endif
