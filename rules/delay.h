/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delay.h -- how long something took, many times: quantiles from a sketch of fixed size.
 *
 * Eight bins for each doubling, from a microsecond to half a year, so that a quantile is right to 6 %.
 * The same spans in any order give the same sketch.
 *
 * Owner: the caller; zero is the start.  Threads: one.
 */
#ifndef RULES_DELAY_H
#define RULES_DELAY_H

#include <stdint.h>

#define DELAY_BINS 353

struct delay {
	uint64_t count;
	int64_t max_ns; /* exact */
	uint32_t bin[DELAY_BINS];
};

/* A negative span counts as none. */
void delay_add(struct delay *d, int64_t span_ns);
/* The span that `share` (0..1) of all are not longer than; 0 when there is none. */
int64_t delay_quantile(const struct delay *d, double share);

#endif
