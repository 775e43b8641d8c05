/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracker.h -- the tracker thread: takes observations from its lanes, judges them, passes alerts on.
 *
 * A lane is the way of one shard of tenants: the ring from the input, the judge, the ring to the
 * output. Each lane has a tracker thread of its own: one that served several could sleep on the full
 * alert ring of the first while the output waits for the second. Without the first ring (sensor.trackers:
 * 0) the same judge is called on the input's thread, and without the second one (--threads 1) the output,
 * too.
 *
 * Threads:  lane_offer/lane_push/lane_close belong to the input's thread, tracker_run is the
 *           tracker's, lane_silent_until and the alert ring's other end are outlet.c's.
 */
#ifndef SENSOR_PIPELINE_TRACKER_H
#define SENSOR_PIPELINE_TRACKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "rules/alert.h"
#include "rules/judge.h"
#include "sensor/pipeline/report.h"
#include "sensor/pipeline/turns.h"
#include "sensor/pipeline/unread.h"
#include "sensor/ring/gauge.h"
#include "sensor/ring/snapshot.h"
#include "sensor/ring/spsc.h"
#include "sensor/ring/watermark.h"

#define LANE_INPUTS_MAX       TURNS_INPUTS_MAX
#define LANE_RING_BYTES       (8u << 20)
#define LANE_ALERT_RING_BYTES (1u << 20)

struct lane {
	size_t number; /* of the shard */
	bool is_only;
	size_t input_count;
	/* observations, one ring per input; in[0] NULL: inline */
	struct spsc *in[LANE_INPUTS_MAX];
	struct spsc *out; /* alerts; NULL: inline */
	struct judge *judge;
	emit_sink *inline_sink; /* where alerts go without the ring */
	void *inline_arg;
	struct tracker_batch *batch; /* without rings: shared by all lanes, owned by lane 0 */
	struct gauge *alerts;        /* raised, for progress; written by the lane's thread */
	/* how far each of several inputs has come, in capture time: nothing before it will come */
	struct watermark reached[LANE_INPUTS_MAX];
	struct watermark pushed; /* the only input: nothing up to here is still to come */
	struct watermark judged; /* the tracker: no alert up to here is still to come */
	/* the tracker's own: the version of what is known that each input is at, and the judge's */
	const struct knowledge *known[LANE_INPUTS_MAX], *judged_by;
	/* where it is said which one is no longer used; NULL: nowhere */
	struct snapshot *versions;
	size_t reader;         /* our slot there */
	struct report *report; /* the judge's figures as of the last tick, for others */
	unsigned unheard; /* batches whose alerts the output has not heard of (tracker's own) */
	/* Reads what the input left unread (tracker's own); NULL: it reads everything. */
	struct unread_batch *unread;
	bool finished; /* every input closed and drained (tracker's own) */
};

struct lane_options {
	size_t number;
	bool is_only; /* there is no other lane, whose alerts might wait for this one's */
	size_t input_count;
	bool threaded;               /* a tracker thread judges */
	struct tracker_batch *batch; /* !threaded: that of lane 0, or NULL for lane 0 itself */
	emit_sink *inline_sink; /* takes alerts in place of the ring to the output; or NULL */
	void *inline_arg;
	size_t memory_bytes;
	uint64_t seed;
	unsigned kinds; /* that the output takes: see judge_options */
	/* For messages that the only input leaves to the tracker's thread; NULL: it may leave none. */
	const struct port_set *ports;
	struct reading_counters *readings;
	struct gauge *alerts;
	struct snapshot *versions; /* of what is known; NULL: never another one */
	size_t reader;
};

/*
 * Nothing more will come: queries still open are unanswered, and the figures are brought up to date.
 * A tracker thread has done so at its end; this is for lanes without one, and only when no thread
 * serves the lane any more.
 */
void lane_end(struct lane *lane);

NODISCARD bool lane_init(
	struct lane *lane, const struct lane_options *options, const struct knowledge *known);
void lane_deinit(struct lane *lane);

/*
 * Observations are judged in batches, so that the memory each will touch can be asked for ahead.
 * From a ring they are judged where they lie; without one they are collected here, in order of
 * capture over all lanes, and judged at the latest at lane_flush.
 */
#define TRACKER_BATCH       64
#define TRACKER_BATCH_BYTES (512u * 1024)

/* [input] Room for an observation of up to `bytes`; NULL when the ring is full now. */
struct observation *lane_offer(struct lane *lane, uint16_t input, size_t bytes);
/* [input] May it leave messages unread (unread.h): is little waiting for the tracker? */
bool lane_has_time(const struct lane *lane, uint16_t input);
/*
 * [input] Sleep until there may be room or `timeout_ms` passed (negative: no limit); the caller first
 * flushes every lane, since the output may be waiting for one of the others. False: there is none, and
 * without a limit: nothing will ever be read again.
 */
NODISCARD bool lane_wait(struct lane *lane, uint16_t input, size_t bytes, int timeout_ms);
/* [input] Hand over what lane_offer returned (size is in the observation). */
void lane_push(struct lane *lane, uint16_t input, const struct observation *o);
/*
 * [input] Make everything pushed visible; at the end of a batch. `seq`: every record of this input up
 * to that number has been pushed, into whichever lane.
 */
void lane_flush(struct lane *lane, uint16_t input, uint64_t seq);
/* [input] Everything of this input up to that capture time was flushed. */
void lane_reached(struct lane *lane, uint16_t input, int64_t ts_ns);
/*
 * [input] What this input pushes from now on was made with `known`. The lane goes over to it when it
 * comes there, and says in options.versions when no input's records need the one before.
 * False: the ring is full now, nothing was done.
 */
NODISCARD bool lane_push_knowledge(
	struct lane *lane, uint16_t input, uint64_t seq, const struct knowledge *known);
/*
 * [input] Nothing more will come from this input. Without a tracker thread it is the end of the lane; the
 * output's thread must be there to take what closing raises.
 */
void lane_close(struct lane *lane, uint16_t input);

/*
 * [output] A number such that the lane, whose alert ring was found empty after this call, will have
 * no alert of a record up to it any more. One input only.
 */
uint64_t lane_silent_until(const struct lane *lane);

/* The tracker thread of one lane, until all its rings have drained. */
void *tracker_run(void *lane);

#endif
