/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turns.h -- whose record is judged next, where a lane has several inputs.
 *
 * A query and its response may come in by different inputs: a tap has a port for each direction, and
 * a tunnel's two directions may be hashed to two members of a fanout. So the records of all inputs are
 * judged in order of capture. They do not arrive in that order, since each kernel buffer hands over its
 * frames in blocks of up to 100 ms: a record waits until every other input has come as far
 * (lane_reached), but
 *
 *	not longer than TURNS_HOLD_MS of our own clock: an input may lag, or its clock be wrong
 *	not when half of its ring is used: under load order gives way, packets do not
 *
 * Owner:    zero-initialised is valid.  Threads: the lane's tracker.
 */
#ifndef SENSOR_PIPELINE_TURNS_H
#define SENSOR_PIPELINE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/pipeline/tracker.h"

#define TURNS_HOLD_MS 250

struct turns {
	struct turns_head {
		const struct observation *record; /* NULL: none was there */
		int64_t since_ns;                 /* it waits; 0: it does not */
	} head[LANE_INPUTS_MAX];
	size_t taken; /* the input of the record last given */
	/* no record to judge now: wait for this ring; NULL: all drained */
	struct spsc *wait_for;
};

/* The next record, released but not retired; NULL when none may be judged now. */
const struct observation *turns_next(struct turns *t, struct lane *lane);

#endif
