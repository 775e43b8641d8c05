/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A full ring: replay waits and loses nothing; live waits as long as it may, then counts what it
 * drops, and the other lanes go on.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "tests/unit/pipeline/input_rig.h"

#define START KNOWN_START_NS

Test(input_ring, live_counts_what_a_full_ring_does_not_take_and_the_books_balance)
{
	struct bench *b = bench_new(1, BENCH_RING_SMALL, true);

	for (int i = 0; i < 1000; i++)
		bench_query(b, START + i);
	cr_assert_eq(bench_run(b), SOURCE_END);
	struct bench_tally t = bench_drain(b, 0);
	cr_assert_gt(t.messages, 0);
	cr_assert_lt(t.messages, 1000);
	cr_assert_eq(bench_packets(b, PACKET_DNS), t.messages);
	cr_assert_eq(bench_packets(b, PACKET_REJECT_RING_FULL), 1000 - t.messages);
	cr_assert_eq(gauge_read(&b->counters.read), 1000);
	bench_check_books(b);
	bench_free(b);
}

Test(input_ring, live_goes_on_in_other_lanes_when_one_is_full)
{
	struct bench *b = bench_new(BENCH_LANES_MAX, BENCH_RING_SMALL, true);

	for (int i = 0; i < 500; i++)
		bench_query(b, START + i);
	fake_message(&b->source, START + 500, "10.2.0.7", "10.2.0.53", "b.example", false);
	bench_run(b);
	cr_assert_gt(bench_packets(b, PACKET_REJECT_RING_FULL), 0);
	cr_assert_eq(bench_drain(b, 2).messages, 1);
	bench_check_books(b);
	bench_free(b);
}

/* Reads a lane slowly until it is closed. */
struct reader {
	struct lane *lane;
	size_t messages, ticks;
	bool in_order;
};

static void *read_slowly(void *arg)
{
	struct reader *r = arg;
	struct spsc *ring = r->lane->in[0];
	uint64_t last_seq = 0;
	size_t bytes;

	r->in_order = true;
	while (spsc_wait_record(ring, -1)) {
		const struct observation *o;
		while ((o = spsc_peek(ring, &bytes)) != NULL) {
			r->in_order &= o->seq > last_seq;
			last_seq = o->seq;
			if (o->kind == OBSERVATION_TICK)
				r->ticks++;
			else if (++r->messages % 100 == 0)
				usleep(1000);
			spsc_release(ring);
		}
	}
	return NULL;
}

Test(input_ring, replay_waits_for_a_full_ring_and_loses_nothing)
{
	struct bench *b = bench_new(2, BENCH_RING_SMALL, false);
	struct reader reader[2] = { { .lane = &b->lane[0] }, { .lane = &b->lane[1] } };
	pthread_t thread[2];

	for (int i = 0; i < 3000; i++)
		fake_message(&b->source, START + i * NS_PER_MS, i % 3 ? "10.1.0.7" : "10.2.0.7",
			"192.0.2.53", "www.example.com", false);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, read_slowly, &reader[i]), 0);
	cr_assert_eq(bench_run(b), SOURCE_END);
	for (uint16_t i = 0; i < 2; i++) {
		lane_close(&b->lane[i], 0);
		pthread_join(thread[i], NULL);
		cr_assert(reader[i].in_order);
		cr_assert_eq(reader[i].ticks, 3);
	}
	cr_assert_eq(reader[0].messages, 1000);
	cr_assert_eq(reader[1].messages, 2000);
	cr_assert_eq(bench_packets(b, PACKET_DNS), 3000);
	bench_check_books(b);
	bench_free(b);
}

Test(input_ring, live_waits_for_a_full_ring_as_long_as_it_may, .timeout = 60)
{
	struct bench *b = bench_new(1, BENCH_RING_SMALL, true);
	struct reader reader = { .lane = &b->lane[0] };
	pthread_t thread;

	b->input.room_wait_ms = 20000;
	for (int i = 0; i < 1000; i++)
		bench_query(b, START + i);
	cr_assert_eq(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	cr_assert_eq(bench_run(b), SOURCE_END);
	lane_close(&b->lane[0], 0);
	pthread_join(thread, NULL);
	cr_assert(reader.in_order);
	cr_assert_eq(reader.messages, 1000);
	cr_assert_eq(bench_packets(b, PACKET_REJECT_RING_FULL), 0);
	bench_check_books(b);
	bench_free(b);
}

Test(input_ring, live_waits_once_for_a_lane_that_nobody_reads, .timeout = 60)
{
	struct bench *b = bench_new(1, BENCH_RING_SMALL, true);

	b->input.room_wait_ms = 200; /* for each of a thousand this would take minutes */
	for (int i = 0; i < 1000; i++)
		bench_query(b, START + i);
	cr_assert_eq(bench_run(b), SOURCE_END);
	uint64_t taken = bench_drain(b, 0).messages;
	uint64_t lost = bench_packets(b, PACKET_REJECT_RING_FULL);
	cr_assert_eq(taken + lost, 1000);
	cr_assert_eq(b->input.stuck, 1);
	spsc_retire(b->lane[0].in[0]);
	bench_query(b, START + 1000);
	cr_assert_eq(bench_run(b), SOURCE_END);
	cr_assert_eq(b->input.stuck, 0);
	cr_assert_eq(bench_drain(b, 0).messages, 1);
	cr_assert_eq(bench_packets(b, PACKET_REJECT_RING_FULL), lost);
	bench_free(b);
}
