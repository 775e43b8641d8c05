/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quantity.h -- the quantities people write in configuration and read in messages.
 *
 * Durations take s m h d ("90s", "5m", "7d", "1h30m"; also ms; "0" is zero); sizes take k M G
 * (powers of 1024); counts are whole numbers; numbers may have a fraction; booleans are
 * true/false. The whole text must be the quantity; false (and *out untouched) when it is not,
 * or overflows.
 */
#ifndef SENSOR_BASE_QUANTITY_H
#define SENSOR_BASE_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

#define QUANTITY_TEXT_MAX 32

NODISCARD bool quantity_parse_duration(int64_t *out_ns, const char *text);
NODISCARD bool quantity_parse_size(uint64_t *out_bytes, const char *text);
NODISCARD bool quantity_parse_count(uint64_t *out, const char *text);
NODISCARD bool quantity_parse_number(double *out, const char *text);
NODISCARD bool quantity_parse_bool(bool *out, const char *text);

/*
 * "5m", "1h30m", "250ms": what quantity_parse_duration reads back, to the millisecond. Shorter
 * spans and negative ones are for people only ("17us", "-5m").
 */
const char *quantity_format_duration(int64_t ns, char text[QUANTITY_TEXT_MAX]);
/* "1.5 MB" for people. */
const char *quantity_format_size(uint64_t bytes, char text[QUANTITY_TEXT_MAX]);

#endif
