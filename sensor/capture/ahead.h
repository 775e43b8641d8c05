/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ahead.h -- a stream that a thread of its own reads ahead: a compressed capture is decompressed while what
 * came before is decoded and judged. For what is not compressed it is of no use: fetching from another
 * processor's cache what that has read takes as long as reading it.
 *
 * Owner:    ahead_new/ahead_free.
 * Threads:  from ahead_new to ahead_free `read` is called by the thread alone; all else by one other thread.
 *           Signals are blocked in it.
 * Limits:   AHEAD_BYTES of what nobody has taken yet.
 */
#ifndef SENSOR_CAPTURE_AHEAD_H
#define SENSOR_CAPTURE_AHEAD_H

#include <stddef.h>
#include <sys/types.h>

#include "sensor/base/attribute.h"

#define AHEAD_BYTES ((size_t)1 << 20)

/* As read(2). After the end or a failure it is not called again. */
typedef ssize_t ahead_read_fn(void *arg, void *buf, size_t size);

struct ahead;

/* Begins to read at once. NULL: no memory, or no thread. */
NODISCARD struct ahead *ahead_new(ahead_read_fn *read, void *arg);

/*
 * As read(2): up to `size` bytes as soon as there are some; 0 at the end; -1 with errno once all that came
 * before the failure was taken. Both stay.
 */
ssize_t ahead_read(struct ahead *a, void *buf, size_t size);

/* Stops; waits until `read` returns, if it is in there. NULL is ignored. */
void ahead_free(struct ahead *a);

#endif
