/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.h -- large zeroed memory that is looked at in random places.
 *
 * From PAGES_HUGE bytes on it comes straight from the kernel, aligned so that huge pages can back
 * it, and huge pages are asked for: a random look at 400 MB then misses the cache, but no longer
 * the TLB as well. Only what was touched is resident. Smaller pieces come from the heap, where the
 * sanitizers watch their ends.
 *
 * Owner:    whoever called pages_new; sizes are the caller's to remember.
 * Threads:  no shared state.
 */
#ifndef SENSOR_BASE_PAGES_H
#define SENSOR_BASE_PAGES_H

#include <stddef.h>

#include "sensor/base/attribute.h"

#define PAGES_HUGE ((size_t)2 << 20)

/* `bytes` (1 at least) zero bytes; NULL when out of memory. */
NODISCARD void *pages_new(size_t bytes);
/*
 * The same content in another size, what is new is zero. Pages move, not bytes, once both sizes
 * are large. NULL when out of memory: the old piece is as it was.
 */
NODISCARD void *pages_resize(void *at, size_t bytes, size_t new_bytes);
/* NULL is allowed. */
void pages_free(void *at, size_t bytes);

#endif
