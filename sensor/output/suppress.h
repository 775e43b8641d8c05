/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suppress.h -- repeats of one alert are held back and counted.
 *
 * The first alert of a key passes and opens a window of its suppress_ns. Repeats inside the
 * window (its end is outside) are held. When the window ends and something was held, one
 * closing alert tells the total. A repeat of higher severity than the last alert that passed is
 * let through at once, with the number held so far, and opens the window anew.
 *
 * All on capture time, and windows close in order of their ends (then of their beginnings), so
 * that equal input gives equal output.
 *
 * The id of an alert is made from its window's start; within one key no two are equal, even
 * when two alerts carry the same time: the later one's window then counts as begun a nanosecond
 * later.
 *
 * Owner:    copies what it keeps.  Threads: one.
 * Limits:   windows_max and bytes_max; when they are reached the window that would end first
 *           closes early, which is counted.
 */
#ifndef SENSOR_OUTPUT_SUPPRESS_H
#define SENSOR_OUTPUT_SUPPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "rules/alert.h"

struct suppress_options {
	size_t windows_max; /* 0: SUPPRESS_WINDOWS_DEFAULT */
	size_t bytes_max;   /* 0: SUPPRESS_BYTES_DEFAULT */
};

#define SUPPRESS_WINDOWS_DEFAULT 65536
#define SUPPRESS_BYTES_DEFAULT   ((size_t)64 << 20)

struct suppress_stats {
	uint64_t raised;       /* alerts accepted */
	uint64_t held;         /* of them: held back */
	uint64_t closings;     /* closing alerts */
	uint64_t closed_early; /* windows ended before their time to stay within the limits */
	size_t windows, bytes; /* now */
};

/* Takes an alert that goes out; window_ns is what its id is made from. */
typedef void suppress_sink(void *arg, const struct alert *a, int64_t window_ns);

struct suppress;

/* NULL when out of memory. */
struct suppress *suppress_new(
	const struct suppress_options *options, suppress_sink *sink, void *arg);
void suppress_free(struct suppress *s);

/* An alert: passes to the sink now, or is held. */
void suppress_accept(struct suppress *s, const struct alert *a);
/* Capture time has reached ts_ns: close the windows that have ended. */
void suppress_tick(struct suppress *s, int64_t ts_ns);
/* Nothing more will come: close all windows. */
void suppress_finish(struct suppress *s);

struct suppress_stats suppress_stats(const struct suppress *s);

#endif
