/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ecs.h -- an alert as one JSON object of the Elastic Common Schema, version 8.
 *
 * Fields and their meaning are fixed (README, "Alerts"); the order in which they are written
 * is too, so that equal alerts are equal bytes.
 *
 * Owner:   ecs_free frees.  Threads: one.  Input: an alert of our own; its texts may hold anything that was
 * on the wire and come out as valid JSON whatever they are.
 */
#ifndef SENSOR_OUTPUT_ECS_H
#define SENSOR_OUTPUT_ECS_H

#include <stdint.h>

#include "rules/alert.h"
#include "sensor/base/text.h"

#define ECS_VERSION "8.11.0"
#define ECS_ID_LEN  32 /* hexadecimal digits */

/* Who reports. */
struct ecs_observer {
	const char *name;    /* of the sensor */
	const char *version; /* of the program */
};

/* What the alerts of one sensor have in common, prepared. The texts are copied. NULL: out of memory. */
struct ecs *ecs_new(const struct ecs_observer *observer);
void ecs_free(struct ecs *e);

/*
 * event.id: depends on sensor, rule, tenant, key and the start of the alert's suppression
 * window, and on nothing else, so that one capture gives the same ids each time. Not for
 * secrets.
 */
void ecs_id(
	const struct ecs *e, char id[ECS_ID_LEN + 1], const struct alert *a, int64_t window_ns);

/* Append the object, without newline. Out of memory shows as out->failed. */
void ecs_write(struct ecs *e, struct text *out, const struct alert *a, const char *id);

#endif
