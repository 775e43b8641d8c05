/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary_updates.h -- the summary's part about DNS updates: per zone and per key how many there
 * were, how they ended, and when the last one succeeded (README, "Summary").
 *
 * Threads: no shared state.
 */
#ifndef SENSOR_OUTPUT_SUMMARY_UPDATES_H
#define SENSOR_OUTPUT_SUMMARY_UPDATES_H

#include "rules/tally.h"
#include "sensor/base/json.h"

/*
 * Write "updates": {"zones": [...], "keys": [...]}: the rows of one tenant as tally_rank leaves
 * them. Times since are up to `now_ns`.
 */
void summary_put_updates(
	struct json *j, const struct tally_row *row, size_t count, int64_t now_ns);

#endif
