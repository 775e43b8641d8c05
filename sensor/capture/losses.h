/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * losses.h -- libpcap's 32-bit counters, which wrap, added up to 64 bits.
 *
 * Right as long as fewer than 2^31 packets pass between two updates (live.c updates every
 * second). A step backwards is a counter that was reset: it adds nothing.
 *
 * Owner: values.  Threads: the input thread of the source.
 */
#ifndef SENSOR_CAPTURE_LOSSES_H
#define SENSOR_CAPTURE_LOSSES_H

#include <stdint.h>

#include "sensor/capture/source.h"

struct losses_reading {
	uint32_t received;
	uint32_t dropped_kernel;
	uint32_t dropped_interface;
};

/* Zero-initialised is valid. */
struct losses {
	struct source_losses total;
	struct losses_reading last;
};

void losses_update(struct losses *l, const struct losses_reading *now);

/* The next reading comes from a new handle, which counts from zero; the totals stay. */
void losses_restart(struct losses *l);

#endif
