/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * captures.h -- which capture files the operator means: files, and directories of files.
 *
 * Of a directory those files count that begin like a capture, compressed or not, whatever their
 * names; others are named in a warning. Not looked at: hidden files, and directories in it.
 *
 * Owner:    zero-initialised is valid and empty; captures_deinit frees.  Threads: no shared state.
 * Input:    untrusted names and files.
 */
#ifndef SENSOR_CAPTURE_CAPTURES_H
#define SENSOR_CAPTURE_CAPTURES_H

#include <stddef.h>

#include "sensor/base/error.h"

struct captures {
	char **path;
	size_t count;
};

/*
 * Add a file, "-", or what a directory holds, sorted by name. Whether a file can be read is told
 * when it is opened. ERR_INPUT: the directory cannot be read or has no capture in it.
 */
NODISCARD enum err captures_add(struct captures *c, const char *path, struct err_ctx *why);
void captures_deinit(struct captures *c);

#endif
