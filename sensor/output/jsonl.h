/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jsonl.h -- the sink that writes alerts to a file or standard output, one JSON object a line;
 * the change log and the explanations of UPDATEs, too.
 *
 * Lines are buffered and written at least once a second. A file that was renamed or removed
 * (logrotate) is noticed within a second and opened anew. A line is never torn: what a full
 * disk did not take is kept and written when there is room, up to JSONL_PENDING_MAX bytes; what
 * goes beyond is lost and counted.
 *
 * Threads: as sink.h.
 */
#ifndef SENSOR_OUTPUT_JSONL_H
#define SENSOR_OUTPUT_JSONL_H

#include "sensor/base/attribute.h"
#include "sensor/base/error.h"
#include "sensor/output/sink.h"

#define JSONL_BUFFER_BYTES ((size_t)64 << 10)
#define JSONL_PENDING_MAX  ((size_t)8 << 20)

enum jsonl_mode {
	JSONL_APPEND,   /* a sensor's log */
	JSONL_TRUNCATE, /* the result of a replay */
};

/* "-" is standard output. The file is made with mode 0640. */
NODISCARD enum err jsonl_open(
	struct sink **out, const char *path, enum jsonl_mode mode, struct err_ctx *why);

#endif
