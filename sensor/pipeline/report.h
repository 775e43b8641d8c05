/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h -- what other threads may read of a judge while it works: its figures as of the last tick, the
 * counted UPDATEs, and the ledger when somebody asks for it.
 *
 * Owner:    report_new/report_free.
 * Threads:  functions marked [judge] only from the thread that drives the judge, which publishes once a
 *           tick; all others from any thread, or as marked. One mutex, taken once a second.
 */
#ifndef SENSOR_PIPELINE_REPORT_H
#define SENSOR_PIPELINE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/judge.h"
#include "rules/tally.h"
#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/base/text.h"

/* How old the rows of counted UPDATEs may be, in capture time: they are many, and seldom others. */
#define REPORT_TALLY_NS (15 * NS_PER_S)

struct report;

/* NULL when out of memory. */
struct report *report_new(size_t tenant_count);
void report_free(struct report *report);

/* [judge] At a tick of `ts_ns`; JUDGE_END_NS: nothing more will come. */
void report_update(struct report *report, struct judge *judge, int64_t ts_ns);

/* Copy the figures. `tenant_messages` (tenant_count entries) is added to. */
void report_read(struct report *report, struct judge_stats *stats, uint64_t *tenant_messages,
	size_t tenant_count);
/* Append the rows of counted UPDATEs to *row (realloc). False when out of memory. */
NODISCARD bool report_tally(struct report *report, struct tally_row **row, size_t *count);

/*
 * [main] Have the ledger's records (ledger_state.h) written down at the next tick; are they; and append
 * them to `out` (which must have room in memory, or has failed) and forget them.
 */
void report_state_ask(struct report *report);
bool report_state_ready(struct report *report);
void report_state_take(struct report *report, struct text *out);

#endif
