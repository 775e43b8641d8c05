/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outlet.h -- the output thread: takes alerts from all lanes in order of capture and gives them to
 * the output.
 *
 * Ordered (replay): records are merged by sequence number; a lane that has nothing to say tells by its
 * mark how far that goes, which keeps the merge moving. Not ordered (live with several inputs): as they come.
 *
 * Threads: outlet_run is the thread.
 */
#ifndef SENSOR_PIPELINE_OUTLET_H
#define SENSOR_PIPELINE_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/output/output.h"
#include "sensor/pipeline/tracker.h"

struct outlet {
	struct lane *lane;
	size_t lane_count;
	bool ordered;
	struct output *output;
	void (*idle)(void *arg); /* NULL, or called about once a second of wall clock */
	void *idle_arg;
};

void *outlet_run(void *outlet);

#endif
