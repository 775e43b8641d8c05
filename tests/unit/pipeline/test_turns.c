/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/turns.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/pipeline/tracker.h"

#define INPUTS 3

/* A lane of three inputs without a judge; what it gives is only looked at. */
static struct lane lane;
static struct turns turns;

static void start(void)
{
	lane = (struct lane){ .input_count = INPUTS };
	turns = (struct turns){
		.ring = lane.in, .reached = lane.reached, .input_count = INPUTS
	};
	for (size_t i = 0; i < INPUTS; i++) {
		lane.in[i] = spsc_new(1 << 16);
		cr_assert_not_null(lane.in[i]);
	}
}

static void end(void)
{
	for (size_t i = 0; i < INPUTS; i++)
		spsc_free(lane.in[i]);
}

TestSuite(turns, .init = start, .fini = end);

static void push(uint16_t input, int64_t ts_ns)
{
	struct observation *o = lane_offer(&lane, input, sizeof(*o));

	cr_assert_not_null(o);
	memset(o, 0, sizeof(*o));
	o->size = sizeof(*o);
	o->ts_ns = ts_ns;
	lane_push(&lane, input, o);
	lane_flush(&lane, input, 0);
}

/* The time of the next record; 0: none has its turn. */
static int64_t next(void)
{
	const struct turns_record *record = turns_next(&turns);

	return record ? record->ts_ns : 0;
}

Test(turns, records_of_all_inputs_are_in_order_of_capture)
{
	static const int64_t times[INPUTS][4] = { { 10, 40, 70, 80 }, { 20, 50, 55, 100 },
		{ 30, 31, 32, 90 } };
	int64_t last = 0;

	for (uint16_t i = 0; i < INPUTS; i++) {
		for (unsigned k = 0; k < 4; k++)
			push(i, times[i][k]);
		lane_close(&lane, i);
	}
	for (unsigned k = 0; k < INPUTS * 4; k++) {
		int64_t now = next();
		cr_assert_gt(now, last, "record %u", k);
		last = now;
	}
	cr_assert_eq(last, 100);
	cr_assert_eq(next(), 0);
	cr_assert_null(turns.wait_for, "all are drained");
}

Test(turns, a_record_waits_until_the_others_have_come_as_far)
{
	push(0, 100);
	lane_reached(&lane, 1, 99);
	lane_reached(&lane, 2, 500);
	cr_assert_eq(next(), 0);
	cr_assert_eq(turns.wait_for, lane.in[1], "the input that lags is waited for");
	push(1, 60);
	cr_assert_eq(next(), 60, "what comes late has its turn first");
	cr_assert_eq(next(), 0);
	lane_reached(&lane, 1, 100);
	cr_assert_eq(next(), 100);
}

Test(turns, an_input_that_has_ended_is_not_waited_for)
{
	push(0, 100);
	lane_reached(&lane, 1, 100);
	cr_assert_eq(next(), 0);
	lane_close(&lane, 2);
	cr_assert_eq(next(), 100);
}

Test(turns, an_input_that_lags_is_not_waited_for_without_end)
{
	push(0, 100);
	int64_t start_ns = clock_monotonic_ns();
	cr_assert_eq(next(), 0);
	while (next() == 0 && clock_monotonic_ns() - start_ns < 5 * NS_PER_S)
		usleep(5000);
	int64_t waited_ns = clock_monotonic_ns() - start_ns;
	cr_assert_geq(waited_ns, TURNS_HOLD_MS * NS_PER_MS);
	cr_assert_lt(waited_ns, 5 * NS_PER_S);
}

Test(turns, what_was_there_with_a_record_has_waited_with_it)
{
	for (int64_t ts = 100; ts < 110; ts++)
		push(0, ts);
	cr_assert_eq(next(), 0);
	push(0, 110);
	usleep(TURNS_HOLD_MS * 1000);
	for (int64_t ts = 100; ts < 110; ts++)
		cr_assert_eq(next(), ts);
	cr_assert_eq(next(), 0, "what came later waits");
	lane_reached(&lane, 1, 110);
	lane_reached(&lane, 2, 110);
	cr_assert_eq(next(), 110);
}

Test(turns, a_ring_that_fills_is_emptied_without_waiting)
{
	unsigned pushed = 0, judged = 0;

	while (spsc_used(lane.in[0]) <= spsc_capacity(lane.in[0]) / 2)
		push(0, 100 + pushed++);
	while (next() != 0) {
		spsc_retire(lane.in[0]);
		judged++;
	}
	cr_assert_gt(judged, 0);
	cr_assert_lt(judged, pushed, "only down to a half");
	cr_assert_leq(spsc_used(lane.in[0]), spsc_capacity(lane.in[0]) / 2);
}
