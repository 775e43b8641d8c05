/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ring/spsc.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/base/prefetch.h"

/*
 * What it is. A byte ring whose indices count bytes since the start and never go back: 64 bits
 * do not wrap in the life of a machine, so "full", "empty" and "how much" are plain
 * subtractions.
 *
 *	       retired          head          published         tail
 *	----------|---------------|---------------|---------------|----------
 *	  free    |   released,   |   visible,    |  committed,   |   free
 *	          |  still valid  |  to be read   |  not visible  |
 *	          '-- consumer ---'               '-- producer ---'
 *
 *	always:  retired <= head <= published <= tail <= retired + capacity
 *	         all four are multiples of LINE
 *
 * Each index has one writer: the producer moves tail and published, the consumer head and
 * retired. Only published and retired are shared; moving them is publishing and retiring, once
 * per batch, so that a record costs no shared write. Each side keeps the last value it has
 * seen of the other's index and looks again only when that value is not good enough. It can
 * only be too old, that is, too careful.
 *
 * Records. A record is a header and its bytes, rounded up to whole lines, never divided. When
 * one does not fit before the end of the memory, its commit first writes a header that says
 * "go on at the start" into the rest (at least a line, since everything is a multiple of a
 * line). That header is published together with the record behind it, so the consumer never
 * finds it last. A record of at most half the capacity fits into an empty ring wherever the
 * end falls: the rest that is skipped is shorter than the record.
 *
 * Order. Publishing is a store of `published` (release): the bytes of all records before it
 * are visible to whoever loads it (acquire) in spsc_peek. Retiring is a store of `retired`
 * (release): the consumer's reads of those records are finished before the producer, having
 * loaded it (acquire) in has_room, writes there again.
 *
 * Sleep. A side that has nothing to do sets its `asleep` word, looks once more, and lets the
 * kernel put it to sleep only if the word is still set. The other side first moves its index,
 * then looks at the word, and if it is set clears it and wakes. These four accesses are
 * seq_cst, so they stand in one order that all threads agree on:
 *
 *	sleeper:  S1 asleep = 1      S2 load index       S3 futex_wait(asleep, 1)
 *	mover:    M1 store index     M2 load asleep      M3 asleep = 0, futex_wake
 *
 * Either S1 is before M2, and the mover sees the word and wakes; or M2 is before S1, then M1
 * is before S2, and the sleeper sees the index and does not sleep. A wake between S2 and S3 is
 * not lost, since it cleared the word and futex_wait compares it. A late M3 of an earlier
 * round may clear a word that was set again: the sleeper then wakes for nothing, finds that,
 * and sets it anew. Closing and hanging up are moves of the same kind.
 *
 * A producer that finds the ring full waits until a quarter of it is free: otherwise the two
 * would go on in step, a record at a time, with a wake for each. It says how far `retired`
 * must come for that (`wanted`). The consumer that reads `wanted` has seen asleep == 1, hence
 * the `wanted` stored before it or a newer one; if newer, the producer has yet to do S1 and S2
 * and looks for itself. A consumer that has read everything has head == published >= wanted,
 * so it never sleeps without waking its producer. But it may be waiting for something else
 * that only this producer can bring (a record of another ring): therefore the quarter is a
 * wish that ends after AMPLE_NS, and from then on the room for the one record is enough.
 */

#define LINE        64
#define CAP_MIN     4096
#define WRITE_AHEAD 4
#define READ_AHEAD  24
#define AHEAD_LINES 4         /* nearly every record has no more */
#define SPIN_COUNT  50        /* a microsecond or two */
#define AMPLE_NS    NS_PER_MS /* how long a producer waits for more room than it needs */

#define NO_DEADLINE INT64_MAX

struct record {
	uint64_t bytes; /* what the producer committed, or SKIP */
	uint64_t step;  /* from this record to the next, a multiple of LINE */
};
#define SKIP UINT64_MAX /* no record: go on at the start of the memory */

static_assert(sizeof(struct record) == 16, "records are 16-byte aligned after their header");
static_assert(
	LINE % alignof(max_align_t) == 0 && LINE == CACHE_LINE, "a record is on its lines");

struct spsc {
	/* Written by spsc_new only. */
	alignas(CACHE_LINE) uint8_t *memory;
	uint64_t capacity; /* a power of two */
	unsigned spins;
	int64_t nap_ns; /* 0: none */

	/* Written by the producer, read by the consumer. */
	alignas(CACHE_LINE) _Atomic uint64_t published;
	_Atomic bool closed;

	/* The producer's own; high_water is read by gauges. */
	alignas(CACHE_LINE) uint64_t tail;
	uint64_t reserved; /* where the reserved record will start: tail, or after a skip */
	uint64_t reserved_step; /* the step it may have at most; 0: nothing is reserved */
	uint64_t retired_seen;
	_Atomic uint64_t high_water;

	/* Written by the consumer, read by the producer. */
	alignas(CACHE_LINE) _Atomic uint64_t retired;
	_Atomic bool hung_up;

	/* The consumer's own. */
	alignas(CACHE_LINE) uint64_t head;
	uint64_t published_seen;

	/* Written when somebody sleeps or is woken, read at every publish and retire. */
	alignas(CACHE_LINE) _Atomic uint32_t consumer_asleep;
	_Atomic uint32_t producer_asleep;
	_Atomic uint64_t wanted; /* by the sleeping producer: wake it when retired is here */
};

static_assert(offsetof(struct spsc, published) % CACHE_LINE == 0, "producer's shared line");
static_assert(offsetof(struct spsc, tail) % CACHE_LINE == 0, "producer's own line");
static_assert(offsetof(struct spsc, retired) % CACHE_LINE == 0, "consumer's shared line");
static_assert(offsetof(struct spsc, head) % CACHE_LINE == 0, "consumer's own line");
static_assert(offsetof(struct spsc, consumer_asleep) % CACHE_LINE == 0, "sleepers' line");
static_assert(sizeof(struct spsc) == 6 * CACHE_LINE, "six lines, none shared by accident");

/* With one CPU the other side cannot move while this one spins. */
static bool has_one_cpu(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) == 1;
}

struct spsc *spsc_new(size_t capacity_bytes)
{
	uint64_t capacity = CAP_MIN;

	if (capacity_bytes > SIZE_MAX / 4)
		return NULL;
	while (capacity < capacity_bytes)
		capacity *= 2;
	struct spsc *ring = aligned_alloc(CACHE_LINE, sizeof(*ring));
	uint8_t *memory = aligned_alloc(LINE, capacity);
	if (!ring || !memory) {
		free(ring);
		free(memory);
		return NULL;
	}
	*ring = (struct spsc){
		.memory = memory,
		.capacity = capacity,
		.spins = has_one_cpu() ? 0 : SPIN_COUNT,
	};
	return ring;
}

void spsc_set_nap(struct spsc *ring, int64_t nap_ns)
{
	assert(nap_ns >= 0 && nap_ns < NS_PER_S);
	ring->nap_ns = nap_ns;
}

void spsc_free(struct spsc *ring)
{
	if (!ring)
		return;
	free(ring->memory);
	free(ring);
}

size_t spsc_capacity(const struct spsc *ring)
{
	return ring->capacity;
}

size_t spsc_record_max(const struct spsc *ring)
{
	return ring->capacity / 2 - sizeof(struct record);
}

static struct record *record_at(const struct spsc *ring, uint64_t index)
{
	return (struct record *)(void *)(ring->memory + (index & (ring->capacity - 1)));
}

static uint64_t step_of(uint64_t bytes)
{
	return (sizeof(struct record) + bytes + LINE - 1) / LINE * LINE;
}

/* What must be skipped at `tail` so that `step` bytes are in one piece. */
static uint64_t skip_before(const struct spsc *ring, uint64_t step)
{
	uint64_t rest = ring->capacity - (ring->tail & (ring->capacity - 1));
	return step <= rest ? 0 : rest;
}

/* --- sleeping and waking ------------------------------------------------------------- */

static inline void pause_cpu(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * Sleep while *asleep is 1, until the monotonic clock shows `deadline_ns` (NO_DEADLINE: as long as
 * it takes). False when it does; true means no more than "look again".
 */
static bool sleep_on(_Atomic uint32_t *asleep, int64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = deadline_ns / NS_PER_S,
		.tv_nsec = deadline_ns % NS_PER_S,
	};
	long rc = syscall(SYS_futex, asleep, FUTEX_WAIT_BITSET_PRIVATE, 1,
		deadline_ns == NO_DEADLINE ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
	return rc == 0 || errno != ETIMEDOUT;
}

/* Negative: as long as it takes. */
static int64_t deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? NO_DEADLINE : clock_monotonic_ns() + timeout_ms * NS_PER_MS;
}

static void wake(_Atomic uint32_t *asleep)
{
	/* Relaxed: the sleeper takes nothing from this word but to look again. */
	atomic_store_explicit(asleep, 0, memory_order_relaxed);
	syscall(SYS_futex, asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wake_consumer(struct spsc *ring)
{
	/* M2; pairs with S1 in spsc_wait_record. */
	if (UNLIKELY(atomic_load_explicit(&ring->consumer_asleep, memory_order_seq_cst)))
		wake(&ring->consumer_asleep);
}

/* --- producer ------------------------------------------------------------------------ */

/* Whether `needed` bytes are free after tail, by the last value seen or else by a new one. */
static bool has_room(struct spsc *ring, uint64_t needed)
{
	if (LIKELY(needed <= ring->capacity - (ring->tail - ring->retired_seen)))
		return true;
	/* Pairs with the store in spsc_retire: the consumer is done with that room. */
	ring->retired_seen = atomic_load_explicit(&ring->retired, memory_order_acquire);
	return needed <= ring->capacity - (ring->tail - ring->retired_seen);
}

/* Look for a short while before sleeping: the consumer is often about to retire. */
static bool spin_for_room(struct spsc *ring, uint64_t needed)
{
	for (unsigned i = 0; i < ring->spins; i++) {
		if (has_room(ring, needed))
			return true;
		pause_cpu();
	}
	return false;
}

INLINE_BY_LINKER void *spsc_reserve(struct spsc *ring, size_t bytes)
{
	if (UNLIKELY(bytes > spsc_record_max(ring)))
		return NULL;
	uint64_t step = step_of(bytes);
	uint64_t skip = skip_before(ring, step);
	if (UNLIKELY(!has_room(ring, skip + step))) {
		spsc_publish(ring);
		return NULL;
	}
	ring->reserved = ring->tail + skip;
	ring->reserved_step = step;
	return record_at(ring, ring->reserved) + 1;
}

INLINE_BY_LINKER void spsc_commit(struct spsc *ring, size_t bytes)
{
	uint64_t step = step_of(bytes);

	assert(step <= ring->reserved_step);
	if (UNLIKELY(ring->reserved != ring->tail))
		*record_at(ring, ring->tail) =
			(struct record){ .bytes = SKIP, .step = ring->reserved - ring->tail };
	*record_at(ring, ring->reserved) = (struct record){ .bytes = bytes, .step = step };
	ring->tail = ring->reserved + step;
	ring->reserved_step = 0;
	/* The lines that the next records will be written to are still the consumer's. */
	for (unsigned line = 0; line < AHEAD_LINES; line++)
		prefetch_write(record_at(ring, ring->tail + (WRITE_AHEAD + line) * LINE));
}

/*
 * The fill seen with an old `retired` is too high, so look again before believing a new record.
 * That costs a shared load only once per high water of bytes.
 */
static void note_high_water(struct spsc *ring)
{
	uint64_t highest = atomic_load_explicit(&ring->high_water, memory_order_relaxed);

	if (LIKELY(ring->tail - ring->retired_seen <= highest))
		return;
	/* Acquire, since has_room trusts retired_seen: pairs with the store in spsc_retire. */
	ring->retired_seen = atomic_load_explicit(&ring->retired, memory_order_acquire);
	if (ring->tail - ring->retired_seen > highest)
		atomic_store_explicit(&ring->high_water, ring->tail - ring->retired_seen,
			memory_order_relaxed);
}

void spsc_publish(struct spsc *ring)
{
	/* Relaxed: the producer is the only writer. */
	if (atomic_load_explicit(&ring->published, memory_order_relaxed) == ring->tail)
		return;
	note_high_water(ring);
	/* M1, and release: pairs with the loads in spsc_peek and (S2) spsc_wait_record. */
	atomic_store_explicit(&ring->published, ring->tail, memory_order_seq_cst);
	wake_consumer(ring);
}

/*
 * Sleep until `target` bytes are free, or, once AMPLE_NS have passed, the `needed` ones. False when
 * the consumer has hung up, or when even those are not free at `end_ns`.
 */
static bool sleep_for_room(struct spsc *ring, uint64_t target, uint64_t needed, int64_t end_ns)
{
	int64_t ample_ns = clock_monotonic_ns() + AMPLE_NS;
	int64_t deadline_ns = ample_ns < end_ns ? ample_ns : end_ns;
	bool gone, room, late = false;

	for (;;) {
		/* Relaxed: in order by S1 after it. */
		atomic_store_explicit(&ring->wanted, ring->tail + target - ring->capacity,
			memory_order_relaxed);
		/* S1; pairs with M2 in spsc_retire and spsc_hang_up. */
		atomic_store_explicit(&ring->producer_asleep, 1, memory_order_seq_cst);
		/* S2; pair with M1 in spsc_hang_up and spsc_retire. */
		gone = atomic_load_explicit(&ring->hung_up, memory_order_seq_cst);
		ring->retired_seen = atomic_load_explicit(&ring->retired, memory_order_seq_cst);
		room = target <= ring->capacity - (ring->tail - ring->retired_seen);
		if (room || gone || late)
			break;
		if (!sleep_on(&ring->producer_asleep, deadline_ns)) {
			late = deadline_ns == end_ns;
			target = needed;
			deadline_ns = end_ns;
		}
	}
	/* Relaxed: who still sees 1 wakes nobody, which harms nobody. */
	atomic_store_explicit(&ring->producer_asleep, 0, memory_order_relaxed);
	return room && !gone;
}

bool spsc_wait_room(struct spsc *ring, size_t bytes, int timeout_ms)
{
	if (bytes > spsc_record_max(ring))
		return false;
	spsc_publish(ring);
	/* Relaxed: nothing of the consumer's is read because of it. */
	if (atomic_load_explicit(&ring->hung_up, memory_order_relaxed))
		return false;
	uint64_t step = step_of(bytes);
	uint64_t needed = skip_before(ring, step) + step;
	if (has_room(ring, needed))
		return true;
	uint64_t ample = needed > ring->capacity / 4 ? needed : ring->capacity / 4;
	return spin_for_room(ring, ample) ||
	       sleep_for_room(ring, ample, needed, deadline_after(timeout_ms));
}

void spsc_close(struct spsc *ring)
{
	spsc_publish(ring);
	/* M1, and release: spsc_drained or (S2) spsc_wait_record then see the last publish. */
	atomic_store_explicit(&ring->closed, true, memory_order_seq_cst);
	wake_consumer(ring);
}

/* --- consumer ------------------------------------------------------------------------ */

INLINE_BY_LINKER const void *spsc_peek(struct spsc *ring, size_t *bytes)
{
	if (ring->head == ring->published_seen) {
		/* Pairs with the store in spsc_publish: the records before it are whole. */
		ring->published_seen =
			atomic_load_explicit(&ring->published, memory_order_acquire);
		if (ring->head == ring->published_seen)
			return NULL;
	}
	const struct record *record = record_at(ring, ring->head);
	if (UNLIKELY(record->bytes == SKIP)) {
		ring->head += record->step;
		record = record_at(ring, ring->head);
	}
	*bytes = record->bytes;
	return record + 1;
}

INLINE_BY_LINKER void spsc_release(struct spsc *ring)
{
	assert(ring->head != ring->published_seen);
	/*
	 * Further records are still in the producer's cache. As many lines each time: how many a record
	 * has nobody can guess.
	 */
	for (unsigned line = 0; line < AHEAD_LINES; line++)
		prefetch_read(record_at(ring, ring->head + (READ_AHEAD + line) * LINE));
	ring->head += record_at(ring, ring->head)->step;
}

void spsc_retire(struct spsc *ring)
{
	/* Relaxed: the consumer is the only writer. */
	if (atomic_load_explicit(&ring->retired, memory_order_relaxed) == ring->head)
		return;
	/* M1, and release: pairs with the loads in has_room and (S2) spsc_wait_room. */
	atomic_store_explicit(&ring->retired, ring->head, memory_order_seq_cst);
	/* M2; pairs with S1 in spsc_wait_room. */
	if (LIKELY(!atomic_load_explicit(&ring->producer_asleep, memory_order_seq_cst)))
		return;
	if (ring->head >= atomic_load_explicit(&ring->wanted, memory_order_relaxed))
		wake(&ring->producer_asleep);
}

/* Look for a short while before sleeping: the producer is often about to publish. */
static bool spin_for_record(struct spsc *ring)
{
	size_t bytes;

	for (unsigned i = 0; i < ring->spins; i++) {
		if (spsc_peek(ring, &bytes))
			return true;
		pause_cpu();
	}
	return false;
}

/* Then for a moment that ends by itself: see spsc_set_nap. */
static bool nap_for_record(struct spsc *ring)
{
	const struct timespec moment = { .tv_nsec = ring->nap_ns };
	size_t bytes;

	/* Relaxed: behind a close that is not seen yet it naps once for nothing. */
	if (ring->nap_ns == 0 || atomic_load_explicit(&ring->closed, memory_order_relaxed))
		return false;
	(void)nanosleep(&moment, NULL); /* a signal may end it early */
	return spsc_peek(ring, &bytes) != NULL;
}

bool spsc_wait_record(struct spsc *ring, int timeout_ms)
{
	bool visible, last_look = false;

	spsc_retire(ring);
	if (ring->head != ring->published_seen || spin_for_record(ring) || nap_for_record(ring))
		return true;
	int64_t deadline_ns = deadline_after(timeout_ms);
	for (;;) {
		/* S1; pairs with M2 in wake_consumer. */
		atomic_store_explicit(&ring->consumer_asleep, 1, memory_order_seq_cst);
		/*
		 * S2; pair with M1 in spsc_close and spsc_publish. In this order: who sees the
		 * close sees all that was published before it.
		 */
		last_look |= atomic_load_explicit(&ring->closed, memory_order_seq_cst);
		ring->published_seen =
			atomic_load_explicit(&ring->published, memory_order_seq_cst);
		visible = ring->head != ring->published_seen;
		if (visible || last_look)
			break;
		last_look = !sleep_on(&ring->consumer_asleep, deadline_ns);
	}
	/* Relaxed: who still sees 1 wakes nobody, which harms nobody. */
	atomic_store_explicit(&ring->consumer_asleep, 0, memory_order_relaxed);
	return visible;
}

bool spsc_drained(struct spsc *ring)
{
	/* Pairs with the store in spsc_close; then `published` is the last one. */
	if (!atomic_load_explicit(&ring->closed, memory_order_acquire))
		return false;
	return ring->head == atomic_load_explicit(&ring->published, memory_order_acquire);
}

uint64_t spsc_place(const struct spsc *ring)
{
	return ring->head;
}

uint64_t spsc_end(const struct spsc *ring)
{
	/* Relaxed: nothing is read there because of it. */
	return atomic_load_explicit(&ring->published, memory_order_relaxed);
}

void spsc_hang_up(struct spsc *ring)
{
	/* M1; pairs with S2 in spsc_wait_room. */
	atomic_store_explicit(&ring->hung_up, true, memory_order_seq_cst);
	/* M2; pairs with S1 there. */
	if (atomic_load_explicit(&ring->producer_asleep, memory_order_seq_cst))
		wake(&ring->producer_asleep);
}

/* --- any thread ---------------------------------------------------------------------- */

size_t spsc_used(const struct spsc *ring)
{
	/* `retired` first (acquire keeps it first), so that the difference is not negative. */
	uint64_t retired = atomic_load_explicit(&ring->retired, memory_order_acquire);
	uint64_t published = atomic_load_explicit(&ring->published, memory_order_relaxed);
	uint64_t used = published - retired;

	return used < ring->capacity ? used : ring->capacity;
}

size_t spsc_high_water(const struct spsc *ring)
{
	return atomic_load_explicit(&ring->high_water, memory_order_relaxed);
}
