/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watermark.h -- how far one thread has come, for others that act on it.
 *
 * One writer sets it, any thread reads it: whoever reads a number also sees everything that the
 * writer did before it set the mark to that number. (A gauge promises only the number.)
 */
#ifndef SENSOR_RING_WATERMARK_H
#define SENSOR_RING_WATERMARK_H

#include <stdatomic.h>
#include <stdint.h>

struct watermark {
	_Atomic uint64_t value;
};

static inline void watermark_set(struct watermark *w, uint64_t n)
{
	/* Pairs with the load in watermark_read. */
	atomic_store_explicit(&w->value, n, memory_order_release);
}

static inline uint64_t watermark_read(const struct watermark *w)
{
	/* Pairs with the store in watermark_set. */
	return atomic_load_explicit(&w->value, memory_order_acquire);
}

#endif
