/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h -- the pipeline put together: inputs, lanes, tracker threads, output thread, logging thread.
 *
 *	engine_init(...);            // lanes and counters
 *	engine_start(...);           // tracker, output and logging threads (threaded engines)
 *	... input_run(engine_input(...)) on the caller's threads ...
 *	engine_finish(...);          // close, drain, join
 *	engine_deinit(...);
 *
 * The number of lanes (shards of tenants) decides what comes out, the number of threads never does:
 * with --threads 1 everything runs on the caller's thread, through the same functions.
 *
 * Owner:    the caller owns knowledge, output and DNS log, which outlive the engine; of the knowledge the
 *           version in force does (engine_publish).
 * Threads:  the caller's main thread calls everything; engine_input's inputs run where it likes.
 */
#ifndef SENSOR_APP_ENGINE_H
#define SENSOR_APP_ENGINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "rules/knowledge.h"
#include "sensor/output/output.h"
#include "sensor/pipeline/input.h"
#include "sensor/pipeline/logger.h"
#include "sensor/pipeline/outlet.h"
#include "sensor/pipeline/tracker.h"

struct engine_options {
	size_t shard_count; /* sensor.trackers; 0: one, which its only input judges */
	size_t input_count;
	/* One tracker thread a shard, if there are trackers, and one for the output; else all on the input's. */
	bool threaded;
	size_t memory_bytes;
	uint64_t seed; /* of all tables; fixed in a replay */
	bool live;
	const struct knowledge *known;
	const struct packet_options *packet;
	const enum dedup_mode *dedup; /* of each input; NULL: off */
	struct output *output;
	struct dnslog *dnslog;   /* gets every message; NULL: none */
	void (*idle)(void *arg); /* about once a second on the output thread; may be NULL */
	void *idle_arg;
};

struct engine {
	struct engine_options options; /* shard_count: one at least */
	bool has_trackers;
	struct lane *lane;
	struct gauge *alerts; /* raised, one per lane */
	struct input *input;
	struct input_counters *counters;   /* one per input */
	struct reading_counters *readings; /* one per lane: messages that its tracker reads */
	pthread_t *tracker_thread, outlet_thread;
	struct outlet outlet;
	struct logger *logger; /* NULL: no DNS log */
	struct spsc *held;     /* alerts on their way to the output, when all is one thread */
	struct snapshot *versions; /* readers: inputs, then lanes */
	size_t started;            /* tracker threads running */
	bool outlet_started;
};

NODISCARD enum err engine_init(
	struct engine *e, const struct engine_options *options, struct err_ctx *why);
NODISCARD enum err engine_start(struct engine *e, struct err_ctx *why);

/* Input number i, ready but for its source (and each_batch). */
struct input *engine_input(struct engine *e, size_t i);

/* Nothing more will be read: drain every lane, join the threads, raise closing alerts. */
void engine_finish(struct engine *e);
void engine_deinit(struct engine *e);

/*
 * From now on `next` is what is known, without a pause: every record is judged by the version it was
 * made with. Returns the version before, still in use until engine_wait_adopted is true: only then may
 * it be freed, and only then the next one published. One thread at a time.
 */
const struct knowledge *engine_publish(struct engine *e, const struct knowledge *next);
NODISCARD bool engine_wait_adopted(struct engine *e, int timeout_ms);

/* For progress, from any thread, at any time. */
struct engine_progress {
	uint64_t packets, alerts, position_bytes;
};
struct engine_progress engine_progress(const struct engine *e);

#endif
