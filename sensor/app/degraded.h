/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * degraded.h -- sensor.degraded: the sensor tells of its own losses, so that silence is never taken
 * for peace. Looked at once a second, on the thread that drives the output.
 */
#ifndef SENSOR_APP_DEGRADED_H
#define SENSOR_APP_DEGRADED_H

#include <stdint.h>

#include "rules/policy.h"
#include "sensor/output/output.h"

/* Everything lost so far, by where. */
struct degraded_losses {
	uint64_t kernel; /* packets dropped by the kernel or the interface */
	uint64_t ring;   /* messages dropped because a tracker was behind */
	uint64_t alerts; /* alerts that a sink could not deliver */
};

struct degraded {
	struct degraded_losses told;
};

/* Raise an alert for each kind of loss that has grown since the last one. */
void degraded_check(struct degraded *d, const struct degraded_losses *now,
	const struct policy *unmapped, struct output *output, int64_t ts_ns);

#endif
