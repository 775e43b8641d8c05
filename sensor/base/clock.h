/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.h -- points in time and spans of it.
 *
 * Everything that judges runs on capture time: nanoseconds since 1970 UTC in an int64_t, read
 * from packets (valid until 2262). The wall clock is for reconnect timers and progress only.
 */
#ifndef SENSOR_BASE_CLOCK_H
#define SENSOR_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

#define CLOCK_TEXT_MAX 40
#define CLOCK_TEXT_LEN 30

/* "2026-11-22T13:25:36.123456789Z": RFC 3339, UTC, always nine digits. Returns text. */
const char *clock_format(int64_t ts_ns, char text[CLOCK_TEXT_MAX]);

/*
 * The same in the middle of a text, for times that follow each other closely: what the times of a
 * second begin with is made once. Zero-initialised holds no second. Writes CLOCK_TEXT_LEN octets,
 * no NUL, and returns what follows; `at` has room for CLOCK_TEXT_MAX.
 */
struct clock_second {
	/* modulo 2^64: the first second that a time can hold begins before it */
	uint64_t start_ns;
	char text[CLOCK_TEXT_MAX]; /* of a time within it; "" while there is none */
};

char *clock_put(struct clock_second *s, char *at, int64_t ts_ns);

/*
 * "YYYY-MM-DD" to the last nanosecond of that day in UTC (`until` is inclusive). Days beyond
 * what a time can hold (9999-12-31, meaning forever) become INT64_MAX or INT64_MIN.
 */
NODISCARD bool clock_parse_day_end(int64_t *out_ns, const char *text);

/* Wall clock since 1970 and monotonic clock, in nanoseconds. */
int64_t clock_wall_ns(void);
int64_t clock_monotonic_ns(void);
/* Processor time that all threads of this process have taken so far. */
int64_t clock_cpu_ns(void);

#endif
