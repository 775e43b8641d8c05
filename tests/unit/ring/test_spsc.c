/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ring/spsc.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "tests/unit/ring/mutex_queue.h"

#define CAP    4096
#define LINE   64
#define HEADER 16

/* Reproducible: the same numbers in every run. */
static uint64_t random_next(uint64_t *state)
{
	return hash_word(HASH_K2, ++*state);
}

/* Bytes that name the record and the place in it. */
static void fill(uint8_t *at, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(seed * 31 + i * 7);
}

static bool is_filled(const uint8_t *at, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++) {
		if (at[i] != (uint8_t)(seed * 31 + i * 7))
			return false;
	}
	return true;
}

static bool push(struct spsc *ring, size_t len, uint64_t seed)
{
	uint8_t *room = spsc_reserve(ring, len);

	if (!room)
		return false;
	fill(room, len, seed);
	spsc_commit(ring, len);
	return true;
}

static void expect_pop(struct spsc *ring, size_t len, uint64_t seed)
{
	size_t got_len = SIZE_MAX;
	const uint8_t *got = spsc_peek(ring, &got_len);

	cr_assert_not_null(got, "record %lu is missing", (unsigned long)seed);
	cr_assert_eq(got_len, len, "record %lu: %zu bytes, not %zu", (unsigned long)seed,
		got_len, len);
	cr_assert(is_filled(got, len, seed), "record %lu has other bytes", (unsigned long)seed);
	spsc_release(ring);
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * NS_PER_MS }, NULL);
}

Test(spsc, capacity_is_rounded_up_to_a_power_of_two)
{
	static const struct {
		size_t asked, got;
	} rows[] = { { 0, 4096 }, { 4096, 4096 }, { 4097, 8192 }, { 100000, 131072 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spsc *ring = spsc_new(rows[i].asked);
		cr_assert_eq(spsc_capacity(ring), rows[i].got, "asked %zu", rows[i].asked);
		spsc_free(ring);
	}
	cr_assert_null(spsc_new(SIZE_MAX));
	spsc_free(NULL);
}

Test(spsc, a_record_is_not_visible_before_it_is_published)
{
	struct spsc *ring = spsc_new(CAP);
	size_t len;

	cr_assert_null(spsc_peek(ring, &len));
	cr_assert(push(ring, 5, 1));
	cr_assert_null(spsc_peek(ring, &len));
	spsc_publish(ring);
	expect_pop(ring, 5, 1);
	cr_assert_null(spsc_peek(ring, &len));
	spsc_free(ring);
}

Test(spsc, peeking_twice_gives_the_same_record)
{
	struct spsc *ring = spsc_new(CAP);
	size_t first_len = 0, second_len = 0;

	cr_assert(push(ring, 3, 1));
	cr_assert(push(ring, 4, 2));
	spsc_publish(ring);
	const void *first = spsc_peek(ring, &first_len);
	cr_assert_eq(spsc_peek(ring, &second_len), first);
	cr_assert_eq(first_len, second_len);
	expect_pop(ring, 3, 1);
	expect_pop(ring, 4, 2);
	spsc_free(ring);
}

Test(spsc, a_reservation_that_is_not_committed_leaves_no_trace)
{
	struct spsc *ring = spsc_new(CAP);
	size_t len;

	for (int i = 0; i < 1000; i++)
		cr_assert_not_null(spsc_reserve(ring, 1000));
	spsc_publish(ring);
	cr_assert_null(spsc_peek(ring, &len));
	cr_assert(push(ring, 9, 1));
	spsc_publish(ring);
	expect_pop(ring, 9, 1);
	spsc_free(ring);
}

Test(spsc, a_record_may_be_committed_shorter_than_reserved)
{
	struct spsc *ring = spsc_new(CAP);

	fill(spsc_reserve(ring, 2000), 10, 1);
	spsc_commit(ring, 10);
	cr_assert(push(ring, 20, 2));
	spsc_publish(ring);
	cr_assert_eq(spsc_used(ring), 2 * LINE);
	expect_pop(ring, 10, 1);
	expect_pop(ring, 20, 2);
	spsc_free(ring);
}

Test(spsc, committing_more_than_reserved_is_a_bug, .signal = SIGABRT)
{
	struct spsc *ring = spsc_new(CAP);

	cr_assert_not_null(spsc_reserve(ring, LINE - HEADER));
	spsc_commit(ring, LINE - HEADER + 1);
}

Test(spsc, records_of_every_size_come_out_whole_and_aligned)
{
	struct spsc *ring = spsc_new(CAP);
	size_t max = spsc_record_max(ring), got_len;

	cr_assert_eq(max, CAP / 2 - HEADER);
	for (size_t len = 0; len <= max; len++) {
		cr_assert(push(ring, len, len), "length %zu does not fit an empty ring", len);
		spsc_publish(ring);
		cr_assert_eq((uintptr_t)spsc_peek(ring, &got_len) % 16, 0);
		expect_pop(ring, len, len);
		spsc_retire(ring);
	}
	cr_assert_null(spsc_reserve(ring, max + 1));
	cr_assert_not(spsc_wait_room(ring, max + 1, -1), "waiting for it would never end");
	spsc_free(ring);
}

/* The longest record must find room in an empty ring wherever the last one ended. */
Test(spsc, the_longest_record_fits_at_every_position)
{
	struct spsc *ring = spsc_new(CAP);
	size_t max = spsc_record_max(ring);

	for (uint64_t i = 0; i < 4 * CAP / LINE; i++) {
		cr_assert(push(ring, max, i), "round %lu", (unsigned long)i);
		spsc_publish(ring);
		expect_pop(ring, max, i);
		spsc_retire(ring);
		cr_assert(push(ring, 1, i)); /* moves the next round by a line */
		spsc_publish(ring);
		expect_pop(ring, 1, i);
		spsc_retire(ring);
	}
	spsc_free(ring);
}

Test(spsc, a_full_ring_says_so_and_loses_nothing)
{
	struct spsc *ring = spsc_new(CAP);
	uint64_t pushed = 0;

	while (push(ring, LINE - HEADER, pushed))
		pushed++;
	cr_assert_eq(pushed, CAP / LINE);
	cr_assert_eq(spsc_used(ring), CAP, "a full ring publishes what was committed");
	cr_assert_eq(spsc_high_water(ring), CAP);
	expect_pop(ring, LINE - HEADER, 0);
	cr_assert_not(push(ring, 1, 0), "a released record keeps its room until retired");
	spsc_retire(ring);
	cr_assert(push(ring, LINE - HEADER, pushed));
	cr_assert_not(push(ring, 1, 0));
	spsc_publish(ring);
	for (uint64_t i = 1; i <= pushed; i++)
		expect_pop(ring, LINE - HEADER, i);
	spsc_free(ring);
}

Test(spsc, released_records_stay_readable_until_retired)
{
	struct spsc *ring = spsc_new(CAP);
	const uint8_t *kept[CAP / LINE];
	size_t len;

	for (uint64_t i = 0; i < ARRAY_LEN(kept); i++)
		cr_assert(push(ring, 8, i));
	spsc_publish(ring);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		kept[i] = spsc_peek(ring, &len);
		spsc_release(ring);
	}
	cr_assert_not(push(ring, 8, 999));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		cr_assert(is_filled(kept[i], 8, i), "record %zu", i);
	spsc_free(ring);
}

Test(spsc, high_water_is_the_most_ever_used)
{
	struct spsc *ring = spsc_new(CAP);

	for (uint64_t round = 0; round < 100; round++) {
		uint64_t burst = round == 50 ? 7 : 3;
		for (uint64_t i = 0; i < burst; i++)
			cr_assert(push(ring, 1, i));
		spsc_publish(ring);
		for (uint64_t i = 0; i < burst; i++)
			expect_pop(ring, 1, i);
		spsc_retire(ring);
		cr_assert_eq(spsc_used(ring), 0);
	}
	cr_assert_eq(spsc_high_water(ring), 7 * LINE);
	spsc_free(ring);
}

Test(spsc, closing_publishes_and_drains)
{
	struct spsc *ring = spsc_new(CAP);

	cr_assert(push(ring, 6, 1));
	cr_assert_not(spsc_drained(ring));
	spsc_close(ring);
	cr_assert_not(spsc_drained(ring), "there is a record left");
	cr_assert(spsc_wait_record(ring, -1));
	expect_pop(ring, 6, 1);
	cr_assert(spsc_drained(ring));
	cr_assert_not(spsc_wait_record(ring, -1), "a closed ring does not let its reader wait");
	spsc_free(ring);
}

Test(spsc, an_empty_open_ring_is_not_drained)
{
	struct spsc *ring = spsc_new(CAP);

	cr_assert_not(spsc_drained(ring));
	spsc_close(ring);
	cr_assert(spsc_drained(ring));
	spsc_free(ring);
}

Test(spsc, hanging_up_ends_every_wait_for_room)
{
	struct spsc *ring = spsc_new(CAP);

	cr_assert(spsc_wait_room(ring, 10, -1));
	spsc_hang_up(ring);
	cr_assert_not(spsc_wait_room(ring, 10, -1), "nobody will read it, room or not");
	while (push(ring, 10, 0))
		;
	cr_assert_not(spsc_wait_room(ring, 10, -1));
	spsc_free(ring);
}

Test(spsc, waiting_for_room_ends_at_its_time)
{
	static const int timeouts_ms[] = { 0, 1, 20 };
	struct spsc *ring = spsc_new(CAP);
	size_t len;

	while (push(ring, 100, 0))
		;
	for (size_t i = 0; i < ARRAY_LEN(timeouts_ms); i++) {
		int64_t start_ns = clock_monotonic_ns();
		cr_assert_not(spsc_wait_room(ring, 100, timeouts_ms[i]));
		int64_t took_ns = clock_monotonic_ns() - start_ns;
		cr_assert_geq(took_ns, timeouts_ms[i] * NS_PER_MS, "%d ms", timeouts_ms[i]);
	}
	cr_assert_not_null(spsc_peek(ring, &len));
	spsc_release(ring);
	spsc_retire(ring);
	cr_assert(spsc_wait_room(ring, 100, 20), "less than ample is enough in the end");
	spsc_free(ring);
}

Test(spsc, waiting_for_a_record_ends_at_its_time)
{
	static const int timeouts_ms[] = { 0, 1, 20 };
	struct spsc *ring = spsc_new(CAP);

	for (size_t i = 0; i < ARRAY_LEN(timeouts_ms); i++) {
		int64_t start_ns = clock_monotonic_ns();
		cr_assert_not(spsc_wait_record(ring, timeouts_ms[i]));
		int64_t took_ns = clock_monotonic_ns() - start_ns;
		cr_assert_geq(took_ns, timeouts_ms[i] * NS_PER_MS, "%d ms", timeouts_ms[i]);
	}
	cr_assert(push(ring, 1, 1));
	spsc_publish(ring);
	cr_assert(spsc_wait_record(ring, 0));
	spsc_free(ring);
}

Test(spsc, a_nap_comes_before_waiting_and_loses_nothing)
{
	struct spsc *ring = spsc_new(CAP);
	size_t bytes;

	spsc_set_nap(ring, 3 * NS_PER_MS);
	int64_t start_ns = clock_monotonic_ns();
	cr_assert_not(spsc_wait_record(ring, 2));
	cr_assert_geq(clock_monotonic_ns() - start_ns, 5 * NS_PER_MS);
	cr_assert(push(ring, 1, 1));
	spsc_close(ring);
	cr_assert(spsc_wait_record(ring, -1), "what is there is not slept for");
	cr_assert_not_null(spsc_peek(ring, &bytes));
	spsc_release(ring);
	cr_assert_not(spsc_wait_record(ring, -1), "a closed ring ends behind its nap");
	spsc_free(ring);
}

Test(spsc, waiting_gives_back_and_hands_over_what_is_due)
{
	struct spsc *ring = spsc_new(CAP);

	while (push(ring, LINE, 0))
		;
	while (spsc_used(ring) && spsc_wait_record(ring, 0))
		expect_pop(ring, LINE, 0);
	cr_assert_eq(spsc_used(ring), 0, "waiting for a record retires");
	cr_assert(push(ring, LINE, 1));
	cr_assert(spsc_wait_room(ring, LINE, -1));
	cr_assert_eq(spsc_used(ring), 2 * LINE, "waiting for room publishes");
	spsc_free(ring);
}

/* --- against the mutex queue --------------------------------------------------------- */

struct model {
	struct spsc *ring;
	struct mutex_queue *twin;
	uint64_t random;
	uint64_t sequence;
	uint64_t reserve_failed;
	/* Bytes that each unretired record takes at least, oldest first. */
	uint64_t steps[CAP / LINE];
	uint64_t first, released, last;
};

static uint64_t model_used(const struct model *m)
{
	uint64_t used = 0;

	for (uint64_t i = m->first; i < m->last; i++)
		used += m->steps[i % ARRAY_LEN(m->steps)];
	return used;
}

static void model_push(struct model *m)
{
	uint8_t bytes[CAP];
	size_t asked = random_next(&m->random) % (spsc_record_max(m->ring) + 1);
	/* Mostly short, so that many are inside at once. */
	if (random_next(&m->random) % 8)
		asked %= 200;
	size_t kept = random_next(&m->random) % 4 ? asked : asked / 2;
	uint64_t step = (HEADER + asked + LINE - 1) / LINE * LINE;
	uint64_t used = model_used(m);

	uint8_t *room = spsc_reserve(m->ring, asked);
	if (!room) {
		m->reserve_failed++;
		/* Right only when there is none, what the end of the memory wastes included:
		 * twice at most what does not fit there. */
		cr_assert_gt(used + 2 * step + spsc_record_max(m->ring), CAP);
		cr_assert_neq(used, 0, "an empty ring has room for any record");
		mutex_queue_publish(m->twin);
		return;
	}
	cr_assert_leq(used + step, CAP, "room was given twice");
	if (random_next(&m->random) % 16 == 0)
		return; /* forget the reservation */
	fill(bytes, kept, m->sequence);
	memcpy(room, bytes, kept);
	spsc_commit(m->ring, kept);
	mutex_queue_commit(m->twin, bytes, kept);
	m->steps[m->last++ % ARRAY_LEN(m->steps)] = (HEADER + kept + LINE - 1) / LINE * LINE;
	m->sequence++;
}

/* Compare what both show next; true when it was a record. */
static bool same_record(struct spsc *ring, struct mutex_queue *twin)
{
	size_t got_len = 0, want_len = 0;
	const void *got = spsc_peek(ring, &got_len);
	const void *want = mutex_queue_peek(twin, &want_len);

	cr_assert_eq(got != NULL, want != NULL, "one has a record and the other has not");
	if (!got)
		return false;
	cr_assert_eq(got_len, want_len);
	cr_assert_eq(memcmp(got, want, got_len), 0);
	return true;
}

static void model_pop(struct model *m)
{
	if (same_record(m->ring, m->twin)) {
		spsc_release(m->ring);
		mutex_queue_release(m->twin);
		m->released++;
	}
}

Test(spsc, one_thread_agrees_with_the_mutex_queue_on_random_operations)
{
	struct model m = { .ring = spsc_new(CAP), .twin = mutex_queue_new() };

	for (int i = 0; i < 200000; i++) {
		/* Long spells of more pushing than popping, and the other way round. */
		uint64_t pushes = i / 500 % 2 ? 5 : 3;
		switch (random_next(&m.random) % 10) {
		default:
			if (random_next(&m.random) % 8 < pushes)
				model_push(&m);
			else
				model_pop(&m);
			break;
		case 0:
			spsc_publish(m.ring);
			mutex_queue_publish(m.twin);
			break;
		case 1:
			spsc_retire(m.ring);
			m.first = m.released;
			break;
		}
	}
	cr_assert_gt(m.sequence, 30000);
	cr_assert_gt(m.reserve_failed, 1000, "the ring was never full");
	mutex_queue_free(m.twin);
	spsc_free(m.ring);
}

#define TWO_THREADS_RECORDS 100000

struct pair {
	struct spsc *ring;
	struct mutex_queue *twin;
};

/* The twin gets each record first, so that it has it when the ring shows it. */
static void *produce(void *arg)
{
	struct pair *pair = arg;
	uint8_t bytes[CAP];
	uint64_t random = 1;

	for (uint64_t i = 0; i < TWO_THREADS_RECORDS; i++) {
		size_t len = random_next(&random) % (random_next(&random) % 8 ? 100 : 2000);
		fill(bytes, len, i);
		mutex_queue_commit(pair->twin, bytes, len);
		mutex_queue_publish(pair->twin);
		uint8_t *room;
		while (!(room = spsc_reserve(pair->ring, len))) {
			if (!spsc_wait_room(pair->ring, len, -1))
				return NULL;
		}
		memcpy(room, bytes, len);
		spsc_commit(pair->ring, len);
		if (random_next(&random) % 16 == 0)
			spsc_publish(pair->ring);
	}
	spsc_close(pair->ring);
	return NULL;
}

Test(spsc, two_threads_agree_with_the_mutex_queue)
{
	struct pair pair = { .ring = spsc_new(CAP), .twin = mutex_queue_new() };
	pthread_t producer;
	uint64_t random = 2, count = 0;
	size_t len;

	cr_assert_eq(pthread_create(&producer, NULL, produce, &pair), 0);
	while (spsc_wait_record(pair.ring, -1)) {
		while (spsc_peek(pair.ring, &len)) {
			cr_assert(same_record(pair.ring, pair.twin), "record %lu",
				(unsigned long)count);
			spsc_release(pair.ring);
			mutex_queue_release(pair.twin);
			count++;
			if (random_next(&random) % 8 == 0)
				spsc_retire(pair.ring);
		}
	}
	cr_assert_eq(count, TWO_THREADS_RECORDS);
	cr_assert(spsc_drained(pair.ring));
	pthread_join(producer, NULL);
	mutex_queue_free(pair.twin);
	spsc_free(pair.ring);
}

/* --- waiting across threads ---------------------------------------------------------- */

static void *close_later(void *arg)
{
	sleep_ms(20);
	spsc_close(arg);
	return NULL;
}

Test(spsc, closing_wakes_a_consumer_that_sleeps, .timeout = 20)
{
	struct spsc *ring = spsc_new(CAP);
	pthread_t thread;

	pthread_create(&thread, NULL, close_later, ring);
	cr_assert_not(spsc_wait_record(ring, -1));
	cr_assert(spsc_drained(ring));
	pthread_join(thread, NULL);
	spsc_free(ring);
}

static void *hang_up_later(void *arg)
{
	sleep_ms(20);
	spsc_hang_up(arg);
	return NULL;
}

Test(spsc, hanging_up_wakes_a_producer_that_sleeps, .timeout = 20)
{
	struct spsc *ring = spsc_new(CAP);
	pthread_t thread;

	while (push(ring, 100, 0))
		;
	pthread_create(&thread, NULL, hang_up_later, ring);
	cr_assert_not(spsc_wait_room(ring, 100, -1));
	pthread_join(thread, NULL);
	spsc_free(ring);
}

static void *read_one_later(void *arg)
{
	struct spsc *ring = arg;
	size_t len;

	sleep_ms(20);
	while (spsc_peek(ring, &len))
		spsc_release(ring);
	/* Asks for more, as a consumer does; the room goes back before it sleeps. */
	return spsc_wait_record(ring, 10000) ? ring : NULL;
}

Test(spsc, a_consumer_that_waits_makes_room_for_a_producer_that_sleeps, .timeout = 20)
{
	struct spsc *ring = spsc_new(CAP);
	pthread_t thread;
	void *seen;

	while (push(ring, 100, 0))
		;
	pthread_create(&thread, NULL, read_one_later, ring);
	cr_assert(spsc_wait_room(ring, spsc_record_max(ring), -1));
	cr_assert(push(ring, 1, 0));
	spsc_publish(ring);
	pthread_join(thread, &seen);
	cr_assert_eq(seen, ring);
	spsc_free(ring);
}

static void *retire_one_later(void *arg)
{
	struct spsc *ring = arg;
	size_t len;

	sleep_ms(20);
	if (spsc_peek(ring, &len)) {
		spsc_release(ring);
		spsc_retire(ring);
	}
	return NULL;
}

/* The consumer may be waiting for another ring that only this producer fills. */
Test(spsc, room_for_the_one_record_is_enough_in_the_end, .timeout = 20)
{
	struct spsc *ring = spsc_new(CAP);
	pthread_t thread;

	while (push(ring, LINE - HEADER, 0))
		;
	pthread_create(&thread, NULL, retire_one_later, ring);
	cr_assert(spsc_wait_room(ring, LINE - HEADER, -1));
	cr_assert(push(ring, LINE - HEADER, 0));
	cr_assert_not(push(ring, LINE - HEADER, 0));
	pthread_join(thread, NULL);
	spsc_free(ring);
}
