/* SPDX-License-Identifier: BSD-2-Clause */
/* entry_time.h -- times as feeds write them (private to feeds/). */
#ifndef FEEDS_ENTRY_TIME_H
#define FEEDS_ENTRY_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/span.h"
#include "sensor/base/attribute.h"

/*
 * Seconds since 1970 of "2026-12-31", "2026-12-31 10:00:00", "2026-12-31T10:00:00.000Z" (all UTC) and
 * "1798711200". With `at_end`, a day alone is meant to its end. False when it is none of these.
 */
NODISCARD bool entry_time_parse(struct span text, bool at_end, int64_t *out);

#endif
