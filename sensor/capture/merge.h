/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * merge.h -- several capture files as one source, in one time line.
 *
 * Frames of different files come in the order of their timestamps, those with the same time in
 * the order of the paths. Frames of one file keep their order, also where its times jump back.
 *
 * Each file is looked into when the source is opened: for the time of its first frame, and for its
 * link type. Then it is closed, and opened again when that time has come; so only those files are
 * open together that overlap in time. A thousand rotated files are read with one descriptor.
 * What is no regular file (a pipe) cannot be opened twice and stays open.
 *
 * A file that cannot be read, or not to its end, costs its rest and is said in the log at once;
 * the others go on. The source then ends with SOURCE_ERROR, which says how many there were.
 *
 * One path: the file's own source, with nothing in between.
 *
 * Owner:    the paths may go after opening. Threads, Input: as source.h has it.
 * Limits:   files that overlap in time: the limit of open files (ulimit -n).
 */
#ifndef SENSOR_CAPTURE_MERGE_H
#define SENSOR_CAPTURE_MERGE_H

#include "sensor/capture/source.h"

/*
 * Open `count` (at least 1) captures. `ahead`: compressed ones may be decompressed by a thread each while
 * what came before is worked on. `interfaces`: NULL, or used until the source is closed. Standard input ("-") only alone: ERR_USAGE otherwise.
 * ERR_INPUT only with one path; ERR_FAILED: out of memory or descriptors. *out is NULL then.
 */
NODISCARD enum err source_open_merged(struct source **out, char *const path[], size_t count,
	bool ahead, const struct source_interfaces *interfaces, struct err_ctx *why);

#endif
