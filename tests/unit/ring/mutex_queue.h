/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutex_queue.h -- the twin of spsc.h with nothing clever in it: a list under a mutex. What it
 * says comes out is what must come out of the ring.
 *
 * Committed records become visible with publish; there is no limit of capacity.
 */
#ifndef TESTS_UNIT_RING_MUTEX_QUEUE_H
#define TESTS_UNIT_RING_MUTEX_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mutex_queue;

struct mutex_queue *mutex_queue_new(void);
void mutex_queue_free(struct mutex_queue *q);
void mutex_queue_commit(struct mutex_queue *q, const void *bytes, size_t bytes_len);
void mutex_queue_publish(struct mutex_queue *q);
/* The oldest visible record, owned by the queue until mutex_queue_release; NULL: none. */
const void *mutex_queue_peek(struct mutex_queue *q, size_t *bytes_len);
void mutex_queue_release(struct mutex_queue *q);

#endif
