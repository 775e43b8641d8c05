/* SPDX-License-Identifier: BSD-2-Clause */
/* draw.h -- chance for mkpcap: the same seed gives the same numbers on every machine. */
#ifndef TOOLS_MKPCAP_DRAW_H
#define TOOLS_MKPCAP_DRAW_H

#include "sensor/base/hash.h"

/* Initialised with a seed. */
struct draw {
	uint64_t state;
};

static inline uint64_t draw_u64(struct draw *d)
{
	d->state += HASH_K0;
	return hash_fold(d->state ^ HASH_K2, HASH_K1);
}

/* 0 .. limit - 1 */
static inline uint64_t draw_below(struct draw *d, uint64_t limit)
{
	return (uint64_t)(((__uint128_t)draw_u64(d) * limit) >> 64);
}

/* 0 up to, not including, 1 */
static inline double draw_unit(struct draw *d)
{
	return (double)(draw_u64(d) >> 11) * 0x1p-53;
}

#endif
