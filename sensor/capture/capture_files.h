/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_files.h -- which capture files the operator means: files, and directories of files.
 *
 * Of a directory those files count that begin like a capture, compressed or not, whatever their
 * names; others are named in a warning. Not looked at: hidden files, and directories in it.
 *
 * Owner:    zero-initialised is valid and empty; capture_files_deinit frees.  Threads: no shared state.
 * Input:    untrusted names and files.
 */
#ifndef SENSOR_CAPTURE_CAPTURE_FILES_H
#define SENSOR_CAPTURE_CAPTURE_FILES_H

#include <stddef.h>

#include "sensor/base/error.h"

struct capture_files {
	char **path;
	size_t count;
};

/*
 * Add a file, "-", or what a directory holds, sorted by name. Whether a file can be read is told
 * when it is opened. ERR_INPUT: the directory cannot be read or has no capture in it.
 */
NODISCARD enum err capture_files_add(
	struct capture_files *c, const char *path, struct err_ctx *why);
void capture_files_deinit(struct capture_files *c);

#endif
