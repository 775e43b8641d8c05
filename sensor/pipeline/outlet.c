/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/outlet.h"

#include <stdint.h>

#include "sensor/base/clock.h"

/* Sleep while every ring is empty; bounds how late another lane's alert is seen. */
#define OUTLET_WAIT_MS 20
#define OUTLET_IDLE_NS NS_PER_S

static const struct alert *head(struct lane *lane)
{
	size_t bytes;
	return spsc_peek(lane->out, &bytes);
}

/*
 * The lane whose record comes next. In order: the lowest sequence number of all heads, and none
 * while a lane that may still say something has no head. `*waiting` gets a lane to sleep on,
 * `*open` counts the lanes that are not drained.
 */
static struct lane *next_lane(const struct outlet *o, struct lane **waiting, size_t *open)
{
	struct lane *best = NULL;
	*waiting = NULL;
	*open = 0;
	for (size_t i = 0; i < o->lane_count; i++) {
		struct lane *lane = &o->lane[i];
		const struct alert *a = head(lane);
		if (!a) {
			if (spsc_drained(lane->out))
				continue;
			*waiting = lane;
			(*open)++;
			continue;
		}
		(*open)++;
		if (!best || a->seq < head(best)->seq)
			best = lane;
	}
	return o->ordered && *waiting ? NULL : best;
}

static void accept_head(const struct outlet *o, struct lane *lane)
{
	const struct alert *a = head(lane);
	/* Every lane passes each tick on; the output needs it once. */
	if (a->kind != ALERT_TICK || lane->number == 0)
		output_accept(o->output, a);
	spsc_release(lane->out);
}

void *outlet_run(void *arg)
{
	const struct outlet *o = arg;
	int64_t idle_at = clock_monotonic_ns() + OUTLET_IDLE_NS;
	unsigned since_retire = 0;

	for (;;) {
		struct lane *waiting;
		size_t open;
		struct lane *lane = next_lane(o, &waiting, &open);
		if (lane) {
			accept_head(o, lane);
			/* Room goes back in batches, at the latest when the lane falls silent. */
			if (++since_retire % 16 == 0 || !head(lane))
				spsc_retire(lane->out);
		} else if (open == 0) {
			return NULL;
		} else {
			(void)!spsc_wait_record(waiting->out, OUTLET_WAIT_MS);
		}
		if (o->idle && clock_monotonic_ns() >= idle_at) {
			o->idle(o->idle_arg);
			idle_at = clock_monotonic_ns() + OUTLET_IDLE_NS;
		}
	}
}
