/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race_spsc -- stress of the byte ring, for ThreadSanitizer (make race).
 *
 * Each scenario runs a producer and a consumer over one ring and checks the sequence, length
 * and every byte of what arrives; a third thread reads the gauges meanwhile. A missed wake-up
 * would sleep for ever: the alarm at the top ends the program then.
 */
#include "sensor/ring/spsc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/base/hash.h"

#define ALARM_S 120

struct scenario {
	const char *name;
	size_t capacity_bytes;
	size_t len_max; /* 0: as long as the ring allows */
	uint64_t record_count;
	uint64_t publish_every, retire_every; /* records of a batch */
	uint64_t producer_rests_every;        /* records; 0: never */
	uint64_t consumer_rests_every;
	int timeout_ms;      /* of the consumer's waits */
	uint64_t hang_up_at; /* the consumer stops after so many records; 0: never */
	bool drops;          /* the producer drops when full, as live capture does */
	int64_t nap_ns;      /* of the consumer */
};

static const struct scenario scenarios[] = {
	{ "both at full speed", 4096, 300, 60000, 8, 8, 0, 0, -1, 0, false, 0 },
	{ "every record handed over alone", 4096, 100, 30000, 1, 1, 0, 0, -1, 0, false, 0 },
	{ "roomy ring, long batches", 1 << 20, 1000, 30000, 256, 64, 0, 0, -1, 0, false, 0 },
	{ "the longest records", 8192, 0, 8000, 1, 1, 0, 0, -1, 0, false, 0 },
	{ "a consumer that naps", 4096, 300, 30000, 8, 8, 0, 0, -1, 0, false, 50000 },
	{ "slow producer, the consumer naps", 4096, 200, 2000, 4, 4, 10, 0, 1, 0, false,
		50000 },
	{ "slow producer", 4096, 200, 4000, 4, 4, 10, 0, -1, 0, false, 0 },
	{ "slow producer, waits with a timeout", 4096, 200, 2000, 4, 4, 10, 0, 1, 0, false, 0 },
	{ "slow consumer", 4096, 200, 4000, 4, 4, 0, 10, -1, 0, false, 0 },
	{ "slow consumer, the producer drops", 4096, 200, 100000, 4, 4, 0, 10, -1, 0, true, 0 },
	{ "hang-up", 4096, 200, 50000, 4, 4, 0, 0, -1, 1000, false, 0 },
	{ "hang-up by a slow consumer", 4096, 200, 50000, 4, 4, 0, 10, -1, 1000, false, 0 },
};

struct run {
	const struct scenario *scenario;
	struct spsc *ring;
	_Atomic bool over;
	uint64_t dropped;  /* by the producer, read after it was joined */
	bool gave_up;      /* the same */
	uint64_t received; /* by the consumer */
};

static void fail(const struct scenario *scenario, const char *what, uint64_t sequence)
{
	fprintf(stderr, "race_spsc: %s: %s (record %llu)\n", scenario->name, what,
		(unsigned long long)sequence);
	exit(1);
}

static void sleep_ns(int64_t ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

static void rest(void)
{
	sleep_ns(100 * NS_PER_US);
}

/* A record is its sequence number and then bytes that follow from it. */
static size_t length_of(const struct run *run, uint64_t sequence)
{
	size_t max = run->scenario->len_max;

	if (!max)
		max = spsc_record_max(run->ring);
	return sizeof(sequence) + hash_word(HASH_K2, sequence) % (max - sizeof(sequence) + 1);
}

static void fill(uint8_t *at, size_t len, uint64_t sequence)
{
	memcpy(at, &sequence, sizeof(sequence));
	memset(at + sizeof(sequence), (int)(sequence * 37 & 0xff), len - sizeof(sequence));
}

static bool is_filled(const uint8_t *at, size_t len, uint64_t sequence)
{
	for (size_t i = sizeof(sequence); i < len; i++) {
		if (at[i] != (sequence * 37 & 0xff))
			return false;
	}
	return true;
}

/* False when the record is not to be written: dropped, or nobody reads any more. */
static uint8_t *find_room(struct run *run, size_t len)
{
	uint8_t *room;

	while (!(room = spsc_reserve(run->ring, len))) {
		if (run->scenario->drops) {
			run->dropped++;
			return NULL;
		}
		if (!spsc_wait_room(run->ring, len, -1)) {
			run->gave_up = true;
			return NULL;
		}
	}
	return room;
}

static void *produce(void *arg)
{
	struct run *run = arg;
	const struct scenario *scenario = run->scenario;

	for (uint64_t i = 0; i < scenario->record_count && !run->gave_up; i++) {
		size_t len = length_of(run, i);
		uint8_t *room = find_room(run, len);
		if (room) {
			fill(room, len, i);
			spsc_commit(run->ring, len);
		}
		if (i % scenario->publish_every == 0)
			spsc_publish(run->ring);
		if (scenario->producer_rests_every && i % scenario->producer_rests_every == 0)
			rest();
	}
	spsc_close(run->ring);
	return NULL;
}

/* Check the record; returns its sequence number, which may skip ahead only past drops. */
static uint64_t check_record(struct run *run, const uint8_t *at, size_t len, uint64_t next)
{
	uint64_t sequence;

	memcpy(&sequence, at, sizeof(sequence));
	if (sequence != next && !(run->scenario->drops && sequence > next))
		fail(run->scenario, "out of sequence", next);
	if (len != length_of(run, sequence))
		fail(run->scenario, "wrong length", sequence);
	if (!is_filled(at, len, sequence))
		fail(run->scenario, "wrong bytes", sequence);
	return sequence;
}

static void *consume(void *arg)
{
	struct run *run = arg;
	const struct scenario *scenario = run->scenario;
	uint64_t next = 0;
	const uint8_t *at;
	size_t len;

	while (!spsc_drained(run->ring)) {
		if (!spsc_wait_record(run->ring, scenario->timeout_ms))
			continue;
		while ((at = spsc_peek(run->ring, &len))) {
			next = check_record(run, at, len, next) + 1;
			spsc_release(run->ring);
			run->received++;
			if (run->received % scenario->retire_every == 0)
				spsc_retire(run->ring);
			if (run->received == scenario->hang_up_at) {
				sleep_ns(
					5 *
					NS_PER_MS); /* the producer fills the ring and sleeps */
				spsc_hang_up(run->ring);
				return NULL;
			}
			if (scenario->consumer_rests_every &&
				run->received % scenario->consumer_rests_every == 0)
				rest();
		}
	}
	return NULL;
}

static void *watch(void *arg)
{
	struct run *run = arg;
	size_t capacity = spsc_capacity(run->ring);

	while (!atomic_load(&run->over)) {
		if (spsc_used(run->ring) > capacity || spsc_high_water(run->ring) > capacity)
			fail(run->scenario, "a gauge exceeds the capacity", 0);
		rest();
	}
	return NULL;
}

static void check_totals(const struct run *run)
{
	const struct scenario *scenario = run->scenario;

	if (scenario->hang_up_at) {
		if (!run->gave_up || run->received != scenario->hang_up_at)
			fail(scenario, "the producer did not notice the hang-up",
				run->received);
		return;
	}
	if (run->gave_up)
		fail(scenario, "the producer gave up", run->received);
	if (run->received + run->dropped != scenario->record_count)
		fail(scenario, "received and dropped do not add up", run->received);
	if (scenario->drops && !run->dropped)
		fail(scenario, "the ring was never full", run->received);
}

static void run_scenario(const struct scenario *scenario)
{
	struct run run = {
		.scenario = scenario,
		.ring = spsc_new(scenario->capacity_bytes),
	};
	pthread_t producer, consumer, watcher;
	int64_t start_ns = clock_monotonic_ns();

	if (run.ring)
		spsc_set_nap(run.ring, scenario->nap_ns);
	if (!run.ring || pthread_create(&watcher, NULL, watch, &run) != 0 ||
		pthread_create(&consumer, NULL, consume, &run) != 0 ||
		pthread_create(&producer, NULL, produce, &run) != 0)
		fail(scenario, "cannot start", 0);
	pthread_join(producer, NULL);
	pthread_join(consumer, NULL);
	atomic_store(&run.over, true);
	pthread_join(watcher, NULL);
	check_totals(&run);
	printf("%-40s %7llu records, %llu dropped, %lld ms\n", scenario->name,
		(unsigned long long)run.received, (unsigned long long)run.dropped,
		(long long)((clock_monotonic_ns() - start_ns) / NS_PER_MS));
	spsc_free(run.ring);
}

/* --- ping-pong: both sides sleep for every single record ----------------------------- */

#define PING_PONG_ROUNDS 20000

struct table {
	struct spsc *there, *back;
};

static void send_number(struct spsc *ring, uint64_t number)
{
	uint64_t *room = spsc_reserve(ring, sizeof(number));

	if (!room)
		abort(); /* one number at a time always fits */
	*room = number;
	spsc_commit(ring, sizeof(number));
	spsc_publish(ring);
}

static bool receive_number(struct spsc *ring, uint64_t *number)
{
	size_t len;

	if (!spsc_wait_record(ring, -1))
		return false;
	memcpy(number, spsc_peek(ring, &len), sizeof(*number));
	spsc_release(ring);
	spsc_retire(ring);
	return true;
}

static void *return_numbers(void *arg)
{
	struct table *table = arg;
	uint64_t number;

	while (receive_number(table->there, &number))
		send_number(table->back, number + 1);
	spsc_close(table->back);
	return NULL;
}

static void ping_pong(void)
{
	static const struct scenario name = { .name = "ping-pong" };
	struct table table = { spsc_new(0), spsc_new(0) };
	uint64_t number = 0, got;
	pthread_t thread;

	if (!table.there || !table.back ||
		pthread_create(&thread, NULL, return_numbers, &table) != 0)
		fail(&name, "cannot start", 0);
	for (uint64_t i = 0; i < PING_PONG_ROUNDS; i++) {
		send_number(table.there, number);
		if (!receive_number(table.back, &got) || got != number + 1)
			fail(&name, "wrong answer", i);
		number = got;
	}
	spsc_close(table.there);
	if (receive_number(table.back, &got))
		fail(&name, "an answer to nothing", number);
	pthread_join(thread, NULL);
	spsc_free(table.there);
	spsc_free(table.back);
	printf("%-40s %7d rounds\n", name.name, PING_PONG_ROUNDS);
}

int main(void)
{
	alarm(ALARM_S);
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
		run_scenario(&scenarios[i]);
	ping_pong();
	return 0;
}
