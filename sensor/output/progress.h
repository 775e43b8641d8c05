/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h -- how far a replay is: one line on standard error.
 *
 *	 42%  1.3 GB of 3.1 GB  3,120,000 packets/s  17 alerts  5s left
 *
 * On a terminal the line is redrawn in place some times a second and wiped at the end; elsewhere
 * (only when asked for: PROGRESS_ALWAYS) a line is written every two seconds. Runs on the wall
 * clock, which the caller passes in.
 *
 * Threads: one. The numbers are read from wherever they are by the caller.
 */
#ifndef SENSOR_OUTPUT_PROGRESS_H
#define SENSOR_OUTPUT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

#define PROGRESS_REDRAW_MS 200
#define PROGRESS_LINE_MS   2000

enum progress_mode {
	PROGRESS_AUTO, /* on a terminal only */
	PROGRESS_ALWAYS,
	PROGRESS_NEVER,
};

struct progress_facts {
	uint64_t bytes_done,
		bytes_total; /* of the inputs; total 0: not known (standard input) */
	uint64_t packets, alerts;
};

struct progress {
	int fd;
	bool enabled, in_place;
	bool drawn; /* there is a line to wipe */
	int64_t started_ns, drawn_ns;
};

NODISCARD bool progress_mode_parse(enum progress_mode *out, const char *text);

void progress_init(struct progress *p, enum progress_mode mode, int fd, int64_t now_ns);
/* Draw if it is time to. Cheap otherwise. */
void progress_update(struct progress *p, const struct progress_facts *facts, int64_t now_ns);
/* The last word: wipes the line, or writes the final one when lines are written. */
void progress_end(struct progress *p, const struct progress_facts *facts, int64_t now_ns);

#endif
