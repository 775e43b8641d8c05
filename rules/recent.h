/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recent.h -- how often within the last while: a window that slides in RECENT_SLOTS steps.
 *
 * Owner: a value; zero is the start.  Threads: one.
 */
#ifndef RULES_RECENT_H
#define RULES_RECENT_H

#include <stdint.h>

#define RECENT_SLOTS 5

struct recent {
	int64_t slot; /* number of the newest */
	uint32_t count[RECENT_SLOTS];
};

/* The number of the slot that a point of time is in, for a window of this length. */
static inline int64_t recent_slot(int64_t window_ns, int64_t ts_ns)
{
	/* A capture may carry any time; one before 1970 is as good as 1970. */
	return ts_ns > 0 ? ts_ns / (window_ns / RECENT_SLOTS) : 0;
}

/* Let time go on; a capture that steps back is taken for standing still. */
static inline void recent_roll(struct recent *r, int64_t slot)
{
	if (slot - r->slot >= RECENT_SLOTS)
		*r = (struct recent){ .slot = slot };
	while (r->slot < slot)
		r->count[++r->slot % RECENT_SLOTS] = 0;
}

static inline void recent_add(struct recent *r, int64_t window_ns, int64_t ts_ns)
{
	recent_roll(r, recent_slot(window_ns, ts_ns));
	r->count[r->slot % RECENT_SLOTS]++;
}

static inline uint32_t recent_sum(struct recent *r, int64_t window_ns, int64_t ts_ns)
{
	uint32_t sum = 0;

	recent_roll(r, recent_slot(window_ns, ts_ns));
	for (unsigned i = 0; i < RECENT_SLOTS; i++)
		sum += r->count[i];
	return sum;
}

#endif
