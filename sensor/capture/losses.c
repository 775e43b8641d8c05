/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/losses.h"

static uint64_t step(uint32_t last, uint32_t now)
{
	uint32_t delta = now - last;

	return delta <= INT32_MAX ? delta : 0;
}

void losses_update(struct losses *l, const struct losses_reading *now)
{
	l->total.received += step(l->last.received, now->received);
	l->total.dropped_kernel += step(l->last.dropped_kernel, now->dropped_kernel);
	l->total.dropped_interface += step(l->last.dropped_interface, now->dropped_interface);
	l->last = *now;
}

void losses_restart(struct losses *l)
{
	l->last = (struct losses_reading){ 0 };
}
