/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gauge.h -- a number with one writer that other threads may read at any time (progress,
 * metrics, heartbeats). Relaxed: a reader sees some recent value, never a torn one, and nothing
 * else is ordered by it.
 */
#ifndef SENSOR_RING_GAUGE_H
#define SENSOR_RING_GAUGE_H

#include <stdatomic.h>
#include <stdint.h>

struct gauge {
	_Atomic uint64_t value;
};

/* Only the one writer adds: a load and a store, no locked instruction. */
static inline void gauge_add(struct gauge *g, uint64_t n)
{
	uint64_t now = atomic_load_explicit(&g->value, memory_order_relaxed);
	atomic_store_explicit(&g->value, now + n, memory_order_relaxed);
}

static inline void gauge_set(struct gauge *g, uint64_t n)
{
	atomic_store_explicit(&g->value, n, memory_order_relaxed);
}

static inline uint64_t gauge_read(const struct gauge *g)
{
	return atomic_load_explicit(&g->value, memory_order_relaxed);
}

#endif
