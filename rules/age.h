/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * age.h -- spans between points of capture time. Captures may carry any time at all and may
 * step back, so a plain subtraction can overflow.
 */
#ifndef RULES_AGE_H
#define RULES_AGE_H

#include <stdbool.h>
#include <stdint.h>

/* How long ago `since_ns` was at `now_ns`; negative when it is still to come. */
static inline int64_t age_of(int64_t since_ns, int64_t now_ns)
{
	int64_t age;

	if (__builtin_sub_overflow(now_ns, since_ns, &age))
		return now_ns > since_ns ? INT64_MAX : INT64_MIN;
	return age;
}

/* The point `span_ns` (not negative) after another one. */
static inline int64_t age_later(int64_t since_ns, int64_t span_ns)
{
	int64_t then;

	return __builtin_add_overflow(since_ns, span_ns, &then) ? INT64_MAX : then;
}

#endif
