/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * degraded.h -- sensor.degraded: the sensor tells of its own losses, so that silence is never taken
 * for peace. Looked at once a second, on the thread that drives the output.
 *
 * Losses are counted over the last DEGRADED_WINDOW_S seconds, for each input, and held against the
 * rule's options: one lost packet wakes nobody. While they go on, it is said again once a window;
 * a recovery is silent.
 *
 * Owner:    degraded_new/degraded_free; labels are the caller's and outlive it.
 * Threads:  the one that drives the output.
 */
#ifndef SENSOR_APP_DEGRADED_H
#define SENSOR_APP_DEGRADED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/policy.h"
#include "sensor/output/output.h"

#define DEGRADED_WINDOW_S 60

/* Totals since the start: how many there were, the lost ones included. */
struct degraded_count {
	uint64_t all, lost;
};

struct degraded_input {
	struct degraded_count packets;  /* lost: by the kernel or the interface */
	struct degraded_count messages; /* lost: a tracker was behind */
};

struct degraded_outputs {
	struct degraded_count alerts; /* lost: an output could not deliver them */
	struct degraded_count logged; /* lost: messages that the DNS log lacks */
};

struct degraded;

/* NULL when out of memory. `label` (input_count of them) names the inputs in alerts. */
struct degraded *degraded_new(const char *const *label, size_t input_count);
void degraded_free(struct degraded *d);

/*
 * Once a second: `input` (as many as in degraded_new) and `outputs` as they are now. Raises what is over the
 * limits of sensor.degraded.
 */
void degraded_check(struct degraded *d, const struct degraded_input *input,
	const struct degraded_outputs *outputs, const struct policy *unmapped,
	struct output *output, int64_t ts_ns);

/* What else is not as it should be. */
struct degraded_finding {
	const char *key;     /* tells it from other findings */
	const char *message; /* one sentence */
	int64_t start_ns;    /* since when, as far as is known */
	uint64_t count;
	struct degraded_reason {
		const char *feature; /* static text; NULL: not there */
		double value;
		bool has_threshold;
		double threshold;
	} why[2];
};

/* Raise it at once, unless the rule is off for `unmapped`; repeats of one key are held back by the
 * rule's suppress. */
void degraded_raise(const struct degraded_finding *finding, const struct policy *unmapped,
	struct output *output, int64_t ts_ns);

#endif
