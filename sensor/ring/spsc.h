/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spsc.h -- ring of variable-length records between exactly two threads.
 *
 * One producer writes records in place (reserve, fill, commit), one consumer reads them in
 * place (peek, release). Nothing is copied by the ring. Records start on 64-byte lines and are
 * handed over in batches: committed records become visible at spsc_publish, released room
 * becomes free at spsc_retire (both are also done for you when the own side would otherwise
 * have to wait).
 *
 * What to do when the ring is full is the caller's policy: spsc_wait_room sleeps (futex) and never
 * spins without bound. Replay waits as long as it takes, live capture for a moment; then it counts
 * and drops.
 *
 * Owner:    spsc_new allocates, spsc_free frees when both threads are done.
 * Threads:  functions marked [producer] only from the producer, [consumer] only from the
 *           consumer; spsc_used from any thread (approximate).
 * Limits:   a record is at most spsc_record_max bytes: half the capacity, less its header.
 */
#ifndef SENSOR_RING_SPSC_H
#define SENSOR_RING_SPSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

struct spsc;

/* Capacity is rounded up to a power of two of at least 4096 bytes. NULL when out of memory. */
struct spsc *spsc_new(size_t capacity_bytes);
void spsc_free(struct spsc *ring);

/*
 * Before the two threads begin: so long (below a second) the consumer sleeps, when it finds the ring empty,
 * before it asks to be woken. To be woken costs the producer a system call for every few records whenever
 * the consumer is a little faster (an eighth of all CPU of a replay: make bench); and where both share a
 * processor each turn should be worth the change (a quarter of a live sensor's tracker: make bench-live).
 * A new ring has no nap.
 */
void spsc_set_nap(struct spsc *ring, int64_t nap_ns);

/* The longest record: with it an empty ring has room wherever its end falls. Any thread. */
size_t spsc_record_max(const struct spsc *ring);

/*
 * [producer] Room for a record of up to `bytes`, 16-byte aligned. NULL when the ring is full
 * now (what was committed is then published) or `bytes` is more than spsc_record_max. A
 * reservation that is not committed is forgotten by the next one.
 */
NODISCARD void *spsc_reserve(struct spsc *ring, size_t bytes);
/* [producer] Keep the first `bytes` (<= reserved) of the reserved record. */
void spsc_commit(struct spsc *ring, size_t bytes);
/* [producer] Make all committed records visible; wakes a sleeping consumer. */
void spsc_publish(struct spsc *ring);
/*
 * [producer] Publish, then sleep until a record of `bytes` fits, or `timeout_ms` passed (negative: no
 * limit). False when it does not; when the consumer has hung up (spsc_hang_up), since then nothing
 * will ever be read again; and when `bytes` is more than spsc_record_max, which would never fit.
 * To be woken rarely it waits up to a millisecond for a quarter of the ring.
 */
NODISCARD bool spsc_wait_room(struct spsc *ring, size_t bytes, int timeout_ms);
/* [producer] Publish and say that nothing more will come. */
void spsc_close(struct spsc *ring);

/* [consumer] The next record, or NULL when none is visible now. Successive calls without
 * spsc_release return the same record. The record stays valid until spsc_retire. */
NODISCARD const void *spsc_peek(struct spsc *ring, size_t *bytes);
/* [consumer] Step past the record last peeked. */
void spsc_release(struct spsc *ring);
/* [consumer] Give the room of all released records back; wakes a sleeping producer. */
void spsc_retire(struct spsc *ring);
/*
 * [consumer] Retire, then sleep until a record is visible, the producer closed, or
 * `timeout_ms` passed (negative: no limit). True when a record is visible. May come back later by the
 * ring's nap.
 */
NODISCARD bool spsc_wait_record(struct spsc *ring, int timeout_ms);
/* [consumer] True when the producer closed and every record was released. */
bool spsc_drained(struct spsc *ring);
/*
 * [consumer] Places in all that ever goes through the ring: of the record last peeked, and of the end of
 * what has been published. A record whose place is before an end was there when that was the end.
 */
uint64_t spsc_place(const struct spsc *ring);
uint64_t spsc_end(const struct spsc *ring);
/* [consumer] Stop reading for good; a waiting producer wakes and gives up. */
void spsc_hang_up(struct spsc *ring);

/* Bytes in use now and the most ever seen by the producer: for gauges. */
size_t spsc_used(const struct spsc *ring);
size_t spsc_high_water(const struct spsc *ring);
size_t spsc_capacity(const struct spsc *ring);

#endif
