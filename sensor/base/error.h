/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error.h -- how the slow path (start, configuration, feeds, files) reports what went wrong.
 *
 * A function that can fail for the operator's reasons returns enum err and writes one sentence
 * with its place (file:line:column, key) into the caller's err_ctx. Only the commands in app/
 * print it and turn it into an exit code. The hot path never uses this: it returns enums that
 * are counters (packet/reject.def, dns/malformed.def).
 *
 * Owner:   the caller owns the err_ctx. Threads: no shared state.
 */
#ifndef SENSOR_BASE_ERROR_H
#define SENSOR_BASE_ERROR_H

#include "sensor/base/attribute.h"

/* The values of ERR_FAILED, ERR_USAGE and ERR_INPUT are exit codes (CONTRACT: 1, 2, 3). */
enum err {
	ERR_OK = 0,
	ERR_FAILED = 1, /* failed while running: system call, out of memory, server away */
	ERR_USAGE = 2,  /* bad usage or configuration, feed that cannot be loaded */
	ERR_INPUT = 3,  /* an input could not be read or ended in the middle */
};

struct err_ctx {
	char text[768]; /* one line without newline; empty: nothing reported */
};

/* Write the sentence and return `code`, so that a caller can say: return err_set(...). */
enum err err_set(struct err_ctx *why, enum err code, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
