/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.h -- capture files as merge.c needs them; not for other modules, which have source.h.
 *
 * Owner, Threads, Input: as source.h has it.
 */
#ifndef SENSOR_CAPTURE_FILE_H
#define SENSOR_CAPTURE_FILE_H

#include "sensor/capture/source.h"

/*
 * source_open_file; but the source ends when `wake_fd` becomes readable, so that many files can
 * be interrupted at once. It stays the caller's. -1: the source has one of its own.
 */
NODISCARD enum err file_open(
	struct source **out, const char *path, int wake_fd, struct err_ctx *why);

/*
 * Does this regular file begin like a capture, compressed or not? Also true of one that cannot be
 * told, since it is compressed in a way that is not read: opening it gives the error that says so.
 * False with errno: it cannot be read.
 */
bool file_is_capture(const char *path);

#endif
