/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/capture/paced.h"

/* --- a source with frames at given times ------------------------------------------------------ */

struct script {
	struct source base;
	const int64_t *ts_ns;
	size_t count, next, batch_max;
	enum source_status end;
	bool interrupted;
	bool *closed;
};

static enum source_status script_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct script *script = (struct script *)s;

	*count = 0;
	while (script->next < script->count && *count < script->batch_max) {
		/* wire_len says which frame it is */
		batch[(*count)++] = (struct frame){
			.ts_ns = script->ts_ns[script->next],
			.wire_len = (uint32_t)script->next,
		};
		script->next++;
	}
	s->position_bytes = script->next * 100;
	if (script->next < script->count)
		return SOURCE_OK;
	if (script->end == SOURCE_ERROR)
		err_set(why, ERR_INPUT, "the script ends in the middle");
	return script->end;
}

static void script_losses(struct source *s, struct source_losses *out)
{
	(void)s;
	*out = (struct source_losses){ 3, 2, 1 };
}

static void script_interrupt(struct source *s)
{
	((struct script *)s)->interrupted = true;
}

static void script_close(struct source *s)
{
	*((struct script *)s)->closed = true;
}

static const struct source_ops script_ops = {
	.next_batch = script_next_batch,
	.losses = script_losses,
	.interrupt = script_interrupt,
	.close = script_close,
};

static struct script script_of(
	const int64_t *ts_ns, size_t count, enum source_status end, bool *closed)
{
	*closed = false;
	return (struct script){
		.base = { &script_ops, "script", 12345, 0 },
		.ts_ns = ts_ns,
		.count = count,
		.batch_max = 7,
		.end = end,
		.closed = closed,
	};
}

static struct source *paced(struct script *script, double factor)
{
	struct source *s;
	struct err_ctx why;

	cr_assert_eq(
		source_open_paced(&s, &script->base, factor, &why), ERR_OK, "%s", why.text);
	return s;
}

/* Read to the end; every frame has to come once and in order. */
static enum source_status read_all(struct source *s, size_t expected, struct err_ctx *why)
{
	struct frame batch[SOURCE_BATCH_MAX];
	enum source_status status;
	size_t seen = 0, count;

	do {
		status = source_next_batch(s, batch, &count, why);
		for (size_t i = 0; i < count; i++)
			cr_assert_eq(batch[i].wire_len, seen++);
	} while (status == SOURCE_OK);
	cr_assert_eq(seen, expected, "%zu frames", seen);
	return status;
}

#define MS NS_PER_MS

static const int64_t half_second[] = { 5000 * MS, 5000 * MS, 5001 * MS, 5100 * MS, 5300 * MS,
	5299 * MS, 5450 * MS, 5451 * MS, 5452 * MS, 5499 * MS, 5500 * MS };

Test(paced, releases_every_frame_in_order_and_no_faster_than_captured)
{
	bool closed;
	struct script script =
		script_of(half_second, ARRAY_LEN(half_second), SOURCE_END, &closed);
	struct source *s = paced(&script, 1);
	struct err_ctx why;
	int64_t start = clock_monotonic_ns();

	cr_assert_eq(read_all(s, ARRAY_LEN(half_second), &why), SOURCE_END);
	cr_assert_geq(clock_monotonic_ns() - start, 500 * MS);
	source_close(s);
	cr_assert(closed);
}

Test(paced, a_factor_divides_the_time)
{
	bool closed;
	struct script script =
		script_of(half_second, ARRAY_LEN(half_second), SOURCE_END, &closed);
	struct source *s = paced(&script, 0.5);
	struct err_ctx why;
	int64_t start = clock_monotonic_ns();

	cr_assert_eq(read_all(s, ARRAY_LEN(half_second), &why), SOURCE_END);
	cr_assert_geq(clock_monotonic_ns() - start, 1000 * MS);
	source_close(s);
}

Test(paced, a_day_at_a_great_factor_is_read_whole)
{
	static int64_t ts_ns[24 * 60];
	for (size_t i = 0; i < ARRAY_LEN(ts_ns); i++)
		ts_ns[i] = (int64_t)i * 60 * NS_PER_S;
	bool closed;
	struct script script = script_of(ts_ns, ARRAY_LEN(ts_ns), SOURCE_END, &closed);
	script.batch_max = SOURCE_BATCH_MAX;
	struct source *s = paced(&script, 1e6);
	struct err_ctx why;

	cr_assert_eq(read_all(s, ARRAY_LEN(ts_ns), &why), SOURCE_END);
	source_close(s);
}

/* Any of these, waited for, would take hours: the test's own time limit would end it. */
Test(paced, does_not_wait_for_jumps, .timeout = 60)
{
	static const int64_t hour = 3600 * NS_PER_S;
	const int64_t ts_ns[] = { 10 * hour, 12 * hour, 3 * hour, 3 * hour + 1, 900 * hour, 0,
		INT64_MAX - 1, 5 * hour, 5 * hour };
	bool closed;
	struct script script = script_of(ts_ns, ARRAY_LEN(ts_ns), SOURCE_END, &closed);
	struct source *s = paced(&script, 1);
	struct err_ctx why;

	cr_assert_eq(read_all(s, ARRAY_LEN(ts_ns), &why), SOURCE_END);
	source_close(s);
}

Test(paced, keeps_the_pace_after_a_jump)
{
	const int64_t ts_ns[] = { 90000 * NS_PER_S, 0, 200 * MS };
	bool closed;
	struct script script = script_of(ts_ns, ARRAY_LEN(ts_ns), SOURCE_END, &closed);
	struct source *s = paced(&script, 1);
	struct err_ctx why;
	int64_t start = clock_monotonic_ns();

	cr_assert_eq(read_all(s, ARRAY_LEN(ts_ns), &why), SOURCE_END);
	cr_assert_geq(clock_monotonic_ns() - start, 200 * MS);
	source_close(s);
}

Test(paced, waits_in_steps_and_gives_nothing_meanwhile)
{
	const int64_t ts_ns[] = { 0, 350 * MS };
	bool closed;
	struct script script = script_of(ts_ns, 2, SOURCE_END, &closed);
	struct source *s = paced(&script, 1);
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why;
	size_t count, empty = 0;

	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
	cr_assert_eq(count, 1);
	while (source_next_batch(s, batch, &count, &why) == SOURCE_OK && count == 0)
		empty++;
	cr_assert_geq(empty, 3, "350 ms in %zu steps", empty);
	source_close(s);
}

Test(paced, an_error_comes_after_the_frames_before_it)
{
	bool closed;
	struct script script =
		script_of(half_second, ARRAY_LEN(half_second), SOURCE_ERROR, &closed);
	struct source *s = paced(&script, 100);
	struct err_ctx why = { { 0 } };
	size_t count;
	struct frame batch[SOURCE_BATCH_MAX];

	cr_assert_eq(read_all(s, ARRAY_LEN(half_second), &why), SOURCE_ERROR);
	cr_assert_str_eq(why.text, "the script ends in the middle");
	why.text[0] = '\0';
	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_ERROR, "and stays");
	cr_assert_str_eq(why.text, "the script ends in the middle");
	source_close(s);
}

static void *interrupt(void *source)
{
	source_interrupt(source);
	return NULL;
}

Test(paced, an_interruption_ends_a_long_wait, .timeout = 60)
{
	const int64_t ts_ns[] = { 0, 3000 * NS_PER_S };
	bool closed;
	struct script script = script_of(ts_ns, 2, SOURCE_END, &closed);
	struct source *s = paced(&script, 1);
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why;
	pthread_t thread;
	size_t count;

	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
	cr_assert_eq(count, 1);
	cr_assert_eq(pthread_create(&thread, NULL, interrupt, s), 0);
	while (source_next_batch(s, batch, &count, &why) == SOURCE_OK)
		cr_assert_eq(count, 0);
	pthread_join(thread, NULL);
	cr_assert(script.interrupted, "the inner source is told too");
	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_END, "and stays");
	source_close(s);
}

Test(paced, passes_on_what_the_inner_source_says_of_itself)
{
	bool closed;
	struct script script = script_of(half_second, 7, SOURCE_END, &closed);
	struct source *s = paced(&script, 100);
	struct source_losses losses;
	struct err_ctx why;

	source_losses(s, &losses);
	cr_assert_eq(losses.received, 3);
	cr_assert_eq(losses.dropped_kernel, 2);
	cr_assert_eq(losses.dropped_interface, 1);
	cr_assert_str_eq(s->name, "script");
	cr_assert_eq(s->size_bytes, 12345);
	cr_assert_eq(read_all(s, 7, &why), SOURCE_END);
	cr_assert_eq(s->position_bytes, 700);
	source_close(s);
}

Test(paced, a_speed_that_is_none_is_refused_and_the_inner_source_closed)
{
	const double factor[] = { 0, -1, NAN, INFINITY };
	for (size_t i = 0; i < ARRAY_LEN(factor); i++) {
		bool closed;
		struct script script = script_of(half_second, 1, SOURCE_END, &closed);
		struct source *s = &script.base;
		struct err_ctx why;
		cr_assert_eq(
			source_open_paced(&s, s, factor[i], &why), ERR_USAGE, "%g", factor[i]);
		cr_assert_null(s, "%g", factor[i]);
		cr_assert(closed, "%g", factor[i]);
	}
}
