/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink.h -- where alerts end up: one small table of functions, one file per kind (jsonl,
 * console, redis).
 *
 * A sink never holds up its caller for longer than a local write: what is slow (Redis) has its
 * own thread behind a bounded queue. What a sink could not deliver it counts, says once per
 * change of state, and tells by sink_lost().
 *
 * Owner:    whoever opened it, until output_add_sink; then the output, which frees it.
 * Threads:  all calls come from the one thread that drives the output; sink_lost from any
 * thread.
 */
#ifndef SENSOR_OUTPUT_SINK_H
#define SENSOR_OUTPUT_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "rules/alert.h"
#include "sensor/ring/gauge.h"

/* One alert ready to go out. Everything is the caller's and valid during the call only. */
struct sink_record {
	const struct alert *alert;
	const char *id;   /* event.id */
	const char *json; /* the alert as one line, without newline */
	size_t json_len;
};

struct sink;

struct sink_api {
	void (*write)(struct sink *s, const struct sink_record *record);
	/* Called some times a second (wall clock): write what is buffered, follow rotation. */
	void (*flush)(struct sink *s);
	/* Open what lies behind it anew (SIGHUP); NULL: nothing to do. */
	void (*reopen)(struct sink *s);
	/*
	 * Deliver what is left within `timeout_ms`, then stop. Nothing may be written after it.
	 * What remains undelivered is added to `lost`.
	 */
	void (*close)(struct sink *s, int timeout_ms);
	/* After close. */
	void (*free)(struct sink *s);
};

struct sink {
	const struct sink_api *api;
	const char *name; /* for messages: kind and place, never a password */
	struct gauge lost;
};

/* Alerts given to this sink that will never arrive. */
static inline uint64_t sink_lost(const struct sink *s)
{
	return gauge_read(&s->lost);
}

#endif
