/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ring/snapshot.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "sensor/base/clock.h"

/*
 * What it is. `current` is the version that readers should use; slot[i] is the version that
 * reader i does use, or LEFT. A reader moves from one to the other only where it adopts, and uses
 * none there. A version that is not current and stands in no slot is used by nobody.
 *
 * Why the wait is enough. The writer stores `current` (release) and then waits until every slot
 * holds that very version. A reader that still used an older one would have the older one in
 * its slot; its store of the slot (release) comes after its last read of the old version, so
 * the writer that loads the slot (acquire) frees the old one after that read. A reader caught
 * between loading `current` and storing its slot holds an older version in its slot, and is
 * waited for. This is why a version is published once: were an old one published again, a
 * reader caught there could have it in its slot already while about to use the one in between.
 *
 * Cost. Adopting an unchanged version is one load of a line that nobody writes. The writer is a
 * reload, a matter of seconds, so it polls.
 */

#define POLL_NS NS_PER_MS

static const char left_marker;
#define LEFT ((const void *)&left_marker)

struct slot {
	/* Written by its reader, read by the writer. */
	alignas(CACHE_LINE) _Atomic(const void *) version;
};

struct snapshot {
	/* Written by the writer, read by all. */
	alignas(CACHE_LINE) _Atomic(const void *) current;
	size_t reader_count; /* set by snapshot_new only */
	struct slot slot[];
};

static_assert(sizeof(struct slot) == CACHE_LINE, "one line for each reader");
static_assert(offsetof(struct snapshot, slot) == CACHE_LINE, "and one for the writer");

struct snapshot *snapshot_new(const void *first, size_t reader_count)
{
	assert(reader_count <= SNAPSHOT_READERS_MAX);
	struct snapshot *s =
		aligned_alloc(CACHE_LINE, sizeof(*s) + reader_count * sizeof(struct slot));

	if (!s)
		return NULL;
	atomic_init(&s->current, first);
	s->reader_count = reader_count;
	for (size_t i = 0; i < reader_count; i++)
		atomic_init(&s->slot[i].version, first);
	return s;
}

void snapshot_free(struct snapshot *s)
{
	free(s);
}

const void *snapshot_publish(struct snapshot *s, const void *next)
{
	/* Relaxed: the writer is the only one that stores it. */
	const void *before = atomic_load_explicit(&s->current, memory_order_relaxed);

	/* Pairs with the load in snapshot_current: the version is whole. */
	atomic_store_explicit(&s->current, next, memory_order_release);
	return before;
}

static bool is_adopted(struct snapshot *s)
{
	const void *current = atomic_load_explicit(&s->current, memory_order_relaxed);

	for (size_t i = 0; i < s->reader_count; i++) {
		/* Pairs with the stores in snapshot_adopt_version and snapshot_leave. */
		const void *used =
			atomic_load_explicit(&s->slot[i].version, memory_order_acquire);
		if (used != current && used != LEFT)
			return false;
	}
	return true;
}

bool snapshot_wait_adopted(struct snapshot *s, int timeout_ms)
{
	const struct timespec poll = { .tv_nsec = POLL_NS };
	int64_t deadline_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;

	while (!is_adopted(s)) {
		if (clock_monotonic_ns() >= deadline_ns)
			return false;
		nanosleep(&poll, NULL);
	}
	return true;
}

const void *snapshot_adopt(struct snapshot *s, size_t reader)
{
	assert(reader < s->reader_count);
	const void *current = snapshot_current(s);
	/* Relaxed: this reader is the only one that stores its slot. */
	const void *used = atomic_load_explicit(&s->slot[reader].version, memory_order_relaxed);

	if (UNLIKELY(current != used))
		snapshot_adopt_version(s, reader, current);
	return current;
}

const void *snapshot_current(struct snapshot *s)
{
	/* Pairs with the store in snapshot_publish. */
	return atomic_load_explicit(&s->current, memory_order_acquire);
}

void snapshot_adopt_version(struct snapshot *s, size_t reader, const void *version)
{
	assert(reader < s->reader_count);
	/* Pairs with the load in is_adopted: the old version is not read any more. */
	atomic_store_explicit(&s->slot[reader].version, version, memory_order_release);
}

void snapshot_leave(struct snapshot *s, size_t reader)
{
	assert(reader < s->reader_count);
	/* Pairs with the load in is_adopted, as in snapshot_adopt_version. */
	atomic_store_explicit(&s->slot[reader].version, LEFT, memory_order_release);
}
