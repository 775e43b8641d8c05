/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefetch.h -- ask the memory for a cache line that will be needed soon.
 *
 * Not __builtin_prefetch alone: to GCC a function that only asks has no effect, so calls of it that
 * were not inlined are taken out, without a word, and with them all that they would have saved.
 */
#ifndef SENSOR_BASE_PREFETCH_H
#define SENSOR_BASE_PREFETCH_H

#include "sensor/base/attribute.h"

/* What the compiler takes for an effect, and what costs nothing. */
static inline ALWAYS_INLINE void prefetch_keep(void)
{
	__asm__ volatile("");
}

/* The line will be read. */
static inline ALWAYS_INLINE void prefetch_read(const void *at)
{
	__builtin_prefetch(at);
	prefetch_keep();
}

/* It will be read and written. */
static inline ALWAYS_INLINE void prefetch_write(const void *at)
{
	__builtin_prefetch(at, 1);
	prefetch_keep();
}

#endif
