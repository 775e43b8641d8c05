/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h -- alerts leave the sensor: repeats are suppressed, the rest becomes ECS JSON and
 * goes to every sink.
 *
 *	struct output *o = output_new(&options);
 *	output_add_sink(o, sink);             // before the first alert
 *	output_accept(o, alert);              // for each record of the tracker's ring, in order
 *	output_idle(o);                       // often when nothing comes
 *	output_finish(o);                     // closing alerts
 *	undelivered = output_close(o, 5000);  // sinks drain
 *	output_free(o);
 *
 * Owner:    output_free frees the sinks too.
 * Threads:  one drives it (Redis has a thread of its own behind its sink); output_written may
 *           be read from any thread.
 */
#ifndef SENSOR_OUTPUT_OUTPUT_H
#define SENSOR_OUTPUT_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "rules/alert.h"
#include "rules/rule.h"
#include "sensor/base/attribute.h"
#include "sensor/output/sink.h"
#include "sensor/output/suppress.h"

#define OUTPUT_SINKS_MAX 16

struct output_options {
	const char *sensor;  /* observer.name */
	const char *version; /* observer.version */
	struct suppress_options suppress;
};

struct output_stats {
	uint64_t raised;     /* alerts accepted */
	uint64_t suppressed; /* of them held back; raised = suppressed + written - closings */
	uint64_t closings;   /* closing alerts, among the written */
	uint64_t written;    /* lines given to each sink */
	uint64_t changes;    /* lines of the change log */
	uint64_t unwritten;  /* out of memory while writing one: lost for every sink */
	uint64_t closed_early;
	uint64_t by_rule[RULE_COUNT]; /* of the written */
	const uint64_t *by_tenant;    /* of the written, by tenant number; lives as long as o */
	size_t tenant_count;          /* of that array; tenants beyond it have none */
};

struct output;

/* NULL when out of memory. The option's texts are copied. */
struct output *output_new(const struct output_options *options);
void output_free(struct output *o);
/* Takes the sink over; false (and it stays the caller's) beyond OUTPUT_SINKS_MAX. */
NODISCARD bool output_add_sink(struct output *o, struct sink *sink);
/* The same for a sink that gets the change log (ALERT_CHANGE) or the explanations. */
NODISCARD bool output_add_sink_for(struct output *o, enum alert_kind kind, struct sink *sink);
/* Bits 1u << kind: what the sinks take. Nobody needs to make records of another kind. */
unsigned output_kinds(const struct output *o);

/*
 * ALERT_RAISED: suppress or write. ALERT_TICK: windows that have ended close. ALERT_CHANGE,
 * ALERT_EXPLANATION: written at once to the sinks of that kind.
 */
void output_accept(struct output *o, const struct alert *a);
/* Let sinks write what they buffer and follow rotated files. Cheap when called often. */
void output_idle(struct output *o);
/* SIGHUP: files are opened anew. */
void output_reopen(struct output *o);
/* Nothing more will come: closing alerts for all that is still suppressed, in order of time. */
void output_finish(struct output *o);
/* Drain the sinks, each within timeout_ms. Returns how many alerts (and lines of the change log)
 * were lost, over all sinks. */
uint64_t output_close(struct output *o, int timeout_ms);

void output_stats(const struct output *o, struct output_stats *out);
/* Lost so far, over all sinks; on the thread that drives the output. */
uint64_t output_lost(const struct output *o);
/* Alerts written so far: any thread. */
uint64_t output_written(const struct output *o);

#endif
