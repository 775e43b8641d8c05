/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paced.h -- a source that gives another one's frames at the speed of their capture, or at a
 * multiple of it (`replay --speed FACTOR`).
 *
 * Each frame is released when as much time has passed since the first one as lies between their
 * timestamps, divided by the factor. A consumer that falls behind gets what is overdue at once.
 * Not waited for: a timestamp more than PACED_BACK_NS before the one before it, and one more
 * than PACED_GAP_NS after it (captures put together, a clock set right). From such a frame on
 * the pace is counted anew. Timestamps out of order by less than that keep the pace.
 *
 * Owner:    takes the inner source over, also when opening fails; frames are the inner source's.
 * Threads:  as every source: one input thread, source_interrupt from anywhere.
 * Limits:   sleeps 100 ms at most at a time, then returns without frames.
 */
#ifndef SENSOR_CAPTURE_PACED_H
#define SENSOR_CAPTURE_PACED_H

#include "sensor/base/clock.h"
#include "sensor/capture/source.h"

#define PACED_GAP_NS  (3600 * NS_PER_S)
#define PACED_BACK_NS NS_PER_S

/*
 * `factor` is how many times faster than it was captured: 1 as it was, 0.5 half as fast.
 * ERR_USAGE when it is not a positive finite number. *out is NULL on failure.
 */
NODISCARD enum err source_open_paced(
	struct source **out, struct source *inner, double factor, struct err_ctx *why);

#endif
