/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_report.h -- what the operator hears of a Redis server: each change of state once, never
 * a line per alert.
 *
 * A server that comes and goes faster than REDIS_REPORT_NS is told of at that pace, with whatever
 * state it is in then; so redis_report_tell is to be called now and then.
 *
 * Threads: that of the sink.
 */
#ifndef SENSOR_OUTPUT_REDIS_REPORT_H
#define SENSOR_OUTPUT_REDIS_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "sensor/base/clock.h"
#include "sensor/output/redis_link.h"

#define REDIS_REPORT_NS       (2 * NS_PER_S)
#define REDIS_REPORT_REFUSALS 8

struct redis_report {
	const char *name;         /* of the sink */
	struct redis_fault state; /* now; without a code when all is well */
	struct redis_fault told;  /* as last told */
	int64_t told_ns;          /* 0: never */
	/* Kinds of refusals told since the connection was made. */
	char refusal[REDIS_REPORT_REFUSALS][sizeof(((struct redis_fault *)0)->code)];
	size_t refusal_count;
	char beat[sizeof(((struct redis_fault *)0)->code)]; /* refusal of the heartbeat told */
};

/* Say the state if it is not the one last told and the time for it has come. */
void redis_report_tell(struct redis_report *report);
void redis_report_up(struct redis_report *report);
/* Alerts have to wait. */
void redis_report_fault(struct redis_report *report, const struct redis_fault *fault);
/* Alerts are lost. */
void redis_report_refused(struct redis_report *report, const struct redis_fault *fault);
void redis_report_beat(
	struct redis_report *report, const char *key, const struct redis_fault *fault);
/* A new connection: refusals are told again. */
void redis_report_connected(struct redis_report *report);

#endif
