/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export_file.h -- where an export goes: standard output, or a file that is replaced when all is
 * written, and only if it would change.
 *
 * Owner:    export_file_open .. export_file_finish or export_file_cancel.
 * Limits:   others that write into the same folder are waited for, EXPORT_FILE_WAIT_S at most.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_EXPORT_FILE_H
#define TOOLS_DYNWATCH_FEEDS_EXPORT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sensor/base/error.h"
#include "sensor/base/replace.h"

#define EXPORT_FILE_WAIT_S 60

struct export_file {
	FILE *out;
	char *path; /* with links followed; NULL: standard output */
	int lock;   /* on its folder; -1: none */
	struct replace replace;
};

/* `path`: "-" is standard output. ERR_FAILED with the path and the reason. */
NODISCARD enum err export_file_open(
	struct export_file *f, const char *path, struct err_ctx *why);
/*
 * The serial of the zone that is there, if it was written by this program; false: there is none.
 */
NODISCARD bool export_file_serial(const struct export_file *f, uint32_t *serial);
/*
 * All is written. A file that is equal stays as it is: *unchanged. Otherwise `serial` comes to
 * `serial_at` (0: nowhere), and the file into its place.
 */
NODISCARD enum err export_file_finish(struct export_file *f, long serial_at, uint32_t serial,
	bool *unchanged, struct err_ctx *why);
void export_file_cancel(struct export_file *f);

/* The serial after `last` (RFC 1982), `wanted` if that is one. */
uint32_t export_file_next_serial(uint32_t last, uint32_t wanted);

#endif
