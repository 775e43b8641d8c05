/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.h -- capture files as merge.c needs them; not for other modules, which have source.h.
 *
 * Owner, Threads, Input: as source.h has it.
 */
#ifndef SENSOR_CAPTURE_FILE_H
#define SENSOR_CAPTURE_FILE_H

#include "sensor/capture/source.h"

struct file_options {
	/*
	 * The source ends when this becomes readable, so that many files can be interrupted at once. It
	 * stays the caller's. -1: the source has one of its own.
	 */
	int wake_fd;
	bool ahead; /* a thread may decompress ahead (ahead.h) */
	/* NULL: every frame has 0. Used until the source is closed. */
	const struct source_interfaces *interfaces;
};

/* source_open_file, with options. */
NODISCARD enum err file_open(struct source **out, const char *path,
	const struct file_options *options, struct err_ctx *why);

/*
 * Does this regular file begin like a capture, compressed or not? Also true of one that cannot be
 * told, since it is compressed in a way that is not read: opening it gives the error that says so.
 * False with errno: it cannot be read.
 */
bool file_is_capture(const char *path);

#endif
