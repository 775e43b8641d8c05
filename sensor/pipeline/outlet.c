/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/outlet.h"

#include <stdint.h>

#include "sensor/base/clock.h"

/* Sleep while every ring is empty; bounds how late another lane's alert is seen. */
#define OUTLET_WAIT_MS 20
/* Sleep while an alert is there whose turn has not come. */
#define OUTLET_TURN_MS 1
#define OUTLET_IDLE_NS NS_PER_S

static const struct alert *head(struct lane *lane)
{
	size_t bytes;
	return spsc_peek(lane->out, &bytes);
}

/* What one look at all lanes found. */
struct look {
	struct lane *next;     /* whose alert comes first of all that are there */
	struct lane *waiting;  /* one that is open and has none */
	uint64_t silent_until; /* no alert of a record up to this one is still to come */
	bool open;             /* some lane is not drained */
};

static void look_at_lane(struct look *look, const struct outlet *o, struct lane *lane)
{
	/* Before the last look at the ring, or what it says would not hold. */
	uint64_t silent_until = UINT64_MAX;
	if (o->ordered && !head(lane))
		silent_until = lane_silent_until(lane);

	const struct alert *a = head(lane);
	if (a) {
		look->open = true;
		if (!look->next || a->seq < head(look->next)->seq)
			look->next = lane;
	} else if (!spsc_drained(lane->out)) {
		look->open = true;
		look->waiting = lane;
		if (silent_until < look->silent_until)
			look->silent_until = silent_until;
	}
}

static struct look look_at_lanes(const struct outlet *o)
{
	struct look look = { .silent_until = UINT64_MAX };
	for (size_t i = 0; i < o->lane_count; i++)
		look_at_lane(&look, o, &o->lane[i]);
	return look;
}

static void accept_head(const struct outlet *o, struct lane *lane)
{
	output_accept(o->output, head(lane));
	spsc_release(lane->out);
}

void *outlet_run(void *arg)
{
	const struct outlet *o = arg;
	pthread_setname_np(pthread_self(), "dw-output");
	int64_t idle_at = clock_monotonic_ns() + OUTLET_IDLE_NS;
	unsigned since_retire = 0;

	for (;;) {
		struct look look = look_at_lanes(o);
		if (!look.open)
			return NULL;
		if (look.next && head(look.next)->seq <= look.silent_until) {
			accept_head(o, look.next);
			/* Room goes back in batches, at the latest when the lane falls silent. */
			if (++since_retire % 16 == 0 || !head(look.next))
				spsc_retire(look.next->out);
		} else {
			if (o->idle) /* live: an alert does not wait for the next one */
				output_idle(o->output);
			(void)!spsc_wait_record(
				look.waiting->out, look.next ? OUTLET_TURN_MS : OUTLET_WAIT_MS);
		}
		if (o->idle && clock_monotonic_ns() >= idle_at) {
			o->idle(o->idle_arg);
			idle_at = clock_monotonic_ns() + OUTLET_IDLE_NS;
		}
	}
}
