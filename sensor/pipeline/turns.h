/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turns.h -- whose record is next, where a thread is fed by several inputs.
 *
 * A query and its response may come in by different inputs: a tap has a port for each direction, and
 * a tunnel's two directions may be hashed to two members of a fanout. So the records of all inputs are
 * taken in order of capture. They do not arrive in that order, since each kernel buffer hands over its
 * frames in blocks of up to 100 ms: a record waits until every other input has come as far
 * (`reached`), but
 *
 *	not longer than TURNS_HOLD_MS of our own clock: an input may lag (dnstap tells late), or its clock
 *	be wrong. What came while the record before it waited may wait as long once more, all together.
 *	not when half of its ring is used: under load order gives way, packets do not
 *
 * Owner:    the rings and marks are the caller's.  Threads: the rings' consumer.
 */
#ifndef SENSOR_PIPELINE_TURNS_H
#define SENSOR_PIPELINE_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/ring/spsc.h"
#include "sensor/ring/watermark.h"

#define TURNS_HOLD_MS    250
#define TURNS_INPUTS_MAX 64

/* How every record begins. */
struct turns_record {
	uint64_t seq;
	int64_t ts_ns;
};

struct turns {
	/* set by the caller, the rest zero: one ring per input, and up to when nothing more will come of it */
	struct spsc *const *ring;
	const struct watermark *reached;
	size_t input_count;
	struct turns_head {
		const struct turns_record *record; /* NULL: none was there */
		int64_t since_ns;                  /* it waits; 0: it does not */
		uint64_t there;  /* end of what was in the ring when it began to */
		uint64_t waited; /* what is before this place has waited enough */
	} head[TURNS_INPUTS_MAX];
	size_t taken; /* the input of the record last given */
	/* no record to take now: wait for this ring; NULL: all drained */
	struct spsc *wait_for;
};

/* The next record, released but not retired; NULL when none may be taken now. */
const struct turns_record *turns_next(struct turns *t);
/* Give the room of all records back that were given. */
void turns_retire(struct turns *t);

#endif
