/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_ring -- nanoseconds per record of the byte ring across two threads.
 *
 * Records of 128 bytes; the producer writes and the consumer reads every byte of each. Printed
 * for a person to compare, never judged. Usage: bench_ring [RECORDS]
 */
#include "sensor/ring/spsc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"

#define RECORD_BYTES 128

struct bench {
	struct spsc *ring;
	uint64_t record_count;
	uint64_t batch;
	uint64_t waits; /* for room, by the producer */
};

static void *produce(void *arg)
{
	struct bench *bench = arg;

	for (uint64_t i = 0; i < bench->record_count; i++) {
		void *room;
		while (!(room = spsc_reserve(bench->ring, RECORD_BYTES))) {
			bench->waits++;
			if (!spsc_wait_room(bench->ring, RECORD_BYTES, -1))
				abort(); /* the consumer never hangs up */
		}
		memset(room, (int)(i & 0xff), RECORD_BYTES);
		spsc_commit(bench->ring, RECORD_BYTES);
		if (i % bench->batch == 0)
			spsc_publish(bench->ring);
	}
	spsc_close(bench->ring);
	return NULL;
}

/* Returns a sum that depends on every record, so that reading is not optimised away. */
static uint64_t consume(struct bench *bench, uint64_t *sleeps)
{
	uint64_t sum = 0, word[RECORD_BYTES / 8];
	const void *at;
	size_t len;

	while (spsc_wait_record(bench->ring, -1)) {
		++*sleeps;
		for (uint64_t i = 0; i < bench->batch && (at = spsc_peek(bench->ring, &len));
			i++) {
			memcpy(word, at, RECORD_BYTES);
			for (size_t w = 0; w < RECORD_BYTES / 8; w++)
				sum += word[w];
			spsc_release(bench->ring);
		}
	}
	return sum;
}

static void run(size_t capacity_bytes, uint64_t record_count, uint64_t batch)
{
	struct bench bench = { spsc_new(capacity_bytes), record_count, batch, 0 };
	uint64_t batches = 0;
	pthread_t producer;

	if (!bench.ring)
		abort();
	int64_t start_ns = clock_monotonic_ns();
	if (pthread_create(&producer, NULL, produce, &bench) != 0)
		abort();
	uint64_t sum = consume(&bench, &batches);
	pthread_join(producer, NULL);
	double took_ns = (double)(clock_monotonic_ns() - start_ns);
	printf("ring %5zu kB, batches of %4llu: %6.1f ns/record (%llu waits for room, %llu "
	       "batches "
	       "read, sum %llx)\n",
		spsc_capacity(bench.ring) / 1024, (unsigned long long)batch,
		took_ns / (double)record_count, (unsigned long long)bench.waits,
		(unsigned long long)batches, (unsigned long long)sum);
	spsc_free(bench.ring);
}

int main(int argc, char **argv)
{
	static const size_t capacities[] = { 64 << 10, 1 << 20, 8 << 20 };
	static const uint64_t batches[] = { 1, 64, 1024 };
	uint64_t record_count = argc > 1 ? strtoull(argv[1], NULL, 10) : 3000000;

	for (size_t c = 0; c < ARRAY_LEN(capacities); c++) {
		for (size_t b = 0; b < ARRAY_LEN(batches); b++)
			run(capacities[c], record_count ? record_count : 1, batches[b]);
	}
	return 0;
}
