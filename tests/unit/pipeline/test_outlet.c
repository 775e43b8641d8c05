/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/pipeline/outlet.h"

#define LANES_MAX 4
#define SEEN_MAX  4096

/* --- what the output got -------------------------------------------------------------------------- */

struct seen {
	struct sink sink;
	size_t count;
	struct {
		uint64_t seq;
		uint16_t lane; /* as the alert's tenant */
	} at[SEEN_MAX];
};

static void seen_write(struct sink *s, const struct sink_record *record)
{
	struct seen *seen = (struct seen *)s;

	if (seen->count == SEEN_MAX)
		return;
	seen->at[seen->count].seq = record->alert->seq;
	seen->at[seen->count++].lane = record->alert->tenant;
}

static void seen_nothing(struct sink *s)
{
	(void)s;
}

static void seen_close(struct sink *s, int timeout_ms)
{
	(void)s;
	(void)timeout_ms;
}

static const struct sink_api seen_api = {
	.write = seen_write,
	.flush = seen_nothing,
	.close = seen_close,
	.free = seen_nothing,
};

/* --- lanes without trackers: the test plays input and tracker ---------------------------------------- */

struct stage {
	struct seen seen;
	struct output *output;
	struct lane lane[LANES_MAX];
	struct outlet outlet;
	pthread_t thread;
};

static struct stage *stage_new(size_t lane_count, bool ordered)
{
	static const struct output_options options = { "test", "0", { 0, 0 } };
	struct stage *s = calloc(1, sizeof(*s));

	cr_assert_not_null(s);
	s->output = output_new(&options);
	cr_assert_not_null(s->output);
	s->seen.sink = (struct sink){ .api = &seen_api, .name = "seen" };
	cr_assert(output_add_sink(s->output, &s->seen.sink));
	for (size_t i = 0; i < lane_count; i++) {
		s->lane[i] = (struct lane){ .number = i, .input_count = 1 };
		s->lane[i].in[0] = spsc_new(4096);
		s->lane[i].out = spsc_new(1 << 20);
		cr_assert(s->lane[i].in[0] && s->lane[i].out);
	}
	s->outlet = (struct outlet){
		.lane = s->lane,
		.lane_count = lane_count,
		.ordered = ordered,
		.output = s->output,
	};
	return s;
}

static void stage_free(struct stage *s)
{
	for (size_t i = 0; i < s->outlet.lane_count; i++) {
		spsc_free(s->lane[i].in[0]);
		spsc_free(s->lane[i].out);
	}
	output_free(s->output);
	free(s);
}

static void put(struct stage *s, size_t lane, const struct alert *a)
{
	struct spsc *ring = s->lane[lane].out;
	void *room = spsc_reserve(ring, alert_size(a));

	cr_assert_not_null(room);
	alert_copy(room, a);
	spsc_commit(ring, alert_size(a));
	spsc_publish(ring);
}

/* An alert that says which lane and record it is of; no two have the same key. */
static void put_alert(struct stage *s, size_t lane, uint64_t seq)
{
	static unsigned number;
	static struct alert a;

	memset(&a, 0, offsetof(struct alert, pool) + 1);
	a.pool_len = 1;
	a.kind = ALERT_RAISED;
	a.rule = RULE_LOOKUP_MALICIOUS;
	a.severity = SEVERITY_HIGH;
	a.score = -1;
	a.seq = seq;
	a.ts_ns = a.start_ns = a.end_ns = (int64_t)seq * NS_PER_MS;
	a.suppress_ns = NS_PER_S;
	a.count = 1;
	a.tenant = (uint16_t)lane;
	a.tenant_id = alert_put(&a, "acme");
	a.key = alert_printf(&a, "key %u", number++);
	a.message = alert_put(&a, "a message");
	a.allow_hint = alert_put(&a, "a hint");
	alert_why(&a, "reason", alert_number(1), alert_none(), alert_none());
	put(s, lane, &a);
}

static void put_tick(struct stage *s, size_t lane, uint64_t seq, int64_t ts_ns)
{
	static struct alert a;

	memset(&a, 0, offsetof(struct alert, pool) + 1);
	a.pool_len = 1;
	a.kind = ALERT_TICK;
	a.seq = seq;
	a.ts_ns = ts_ns;
	put(s, lane, &a);
}

static void start(struct stage *s)
{
	cr_assert_eq(pthread_create(&s->thread, NULL, outlet_run, &s->outlet), 0);
}

static void close_all(struct stage *s)
{
	for (size_t i = 0; i < s->outlet.lane_count; i++)
		spsc_close(s->lane[i].out);
	pthread_join(s->thread, NULL);
}

/* Wait until so many alerts or more have been written; with more than enough patience. */
static void await_written(struct stage *s, uint64_t count)
{
	for (int i = 0; i < 10000 && output_written(s->output) < count; i++)
		usleep(1000);
	cr_assert_geq(output_written(s->output), count, "%llu written",
		(unsigned long long)output_written(s->output));
}

/* --- in order ------------------------------------------------------------------------------------------ */

Test(outlet, merges_lanes_by_record_and_ties_by_lane, .timeout = 60)
{
	struct stage *s = stage_new(3, true);
	static const struct {
		size_t lane;
		uint64_t seq;
	} put_in[] = { { 0, 5 }, { 0, 9 }, { 0, 9 }, { 1, 2 }, { 1, 9 }, { 1, 10 }, { 2, 1 },
		{ 2, 9 }, { 2, 11 } };
	static const struct {
		uint64_t seq;
		size_t lane;
	} expected[] = { { 1, 2 }, { 2, 1 }, { 5, 0 }, { 9, 0 }, { 9, 0 }, { 9, 1 }, { 9, 2 },
		{ 10, 1 }, { 11, 2 } };

	for (size_t i = 0; i < ARRAY_LEN(put_in); i++)
		put_alert(s, put_in[i].lane, put_in[i].seq);
	start(s);
	close_all(s);
	cr_assert_eq(s->seen.count, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		cr_assert_eq(s->seen.at[i].seq, expected[i].seq, "alert %zu", i);
		cr_assert_eq(s->seen.at[i].lane, expected[i].lane, "alert %zu", i);
	}
	stage_free(s);
}

Test(outlet, an_alert_waits_while_another_lane_may_have_an_older_one, .timeout = 60)
{
	struct stage *s = stage_new(2, true);

	start(s);
	put_alert(s, 0, 100);
	usleep(100000);
	cr_assert_eq(output_written(s->output), 0, "record 50 of lane 1 may be on its way");
	put_alert(s, 1, 50);
	await_written(s, 1);
	put_alert(s, 1, 200);
	await_written(s, 2);
	close_all(s);
	cr_assert_eq(s->seen.count, 3);
	cr_assert_eq(s->seen.at[0].seq, 50);
	cr_assert_eq(s->seen.at[1].seq, 100);
	cr_assert_eq(s->seen.at[2].seq, 200);
	stage_free(s);
}

Test(outlet, a_lane_that_got_nothing_up_to_there_holds_up_nobody, .timeout = 60)
{
	struct stage *s = stage_new(2, true);

	start(s);
	put_alert(s, 0, 100);
	lane_flush(&s->lane[1], 0, 99);
	usleep(50000);
	cr_assert_eq(output_written(s->output), 0, "record 100 may be a tick, which both get");
	lane_flush(&s->lane[1], 0, 100);
	await_written(s, 1);
	close_all(s);
	stage_free(s);
}

Test(outlet, a_lane_holds_up_the_others_until_it_has_judged_what_it_got, .timeout = 60)
{
	struct stage *s = stage_new(2, true);
	struct lane *busy = &s->lane[1];

	cr_assert_not_null(spsc_reserve(busy->in[0], 100));
	spsc_commit(busy->in[0], 100);
	lane_flush(busy, 0, 200);
	start(s);
	put_alert(s, 0, 100);
	usleep(50000);
	cr_assert_eq(output_written(s->output), 0, "it has a record that is not judged");
	watermark_set(&busy->judged, 99);
	usleep(50000);
	cr_assert_eq(output_written(s->output), 0, "it has come to 99");
	watermark_set(&busy->judged, 100);
	await_written(s, 1);
	close_all(s);
	stage_free(s);
}

Test(outlet, a_lane_that_has_ended_holds_up_nobody, .timeout = 60)
{
	struct stage *s = stage_new(3, true);

	spsc_close(s->lane[1].out);
	put_alert(s, 2, 7);
	spsc_close(s->lane[2].out);
	start(s);
	put_alert(s, 0, 5);
	put_alert(s, 0, 9);
	await_written(s, 3);
	cr_assert_eq(s->seen.at[0].seq, 5);
	cr_assert_eq(s->seen.at[1].seq, 7);
	cr_assert_eq(s->seen.at[2].seq, 9);
	close_all(s);
	stage_free(s);
}

Test(outlet, one_lane_alone_is_never_held_up, .timeout = 60)
{
	struct stage *s = stage_new(1, true);

	start(s);
	for (uint64_t i = 1; i <= 5; i++) {
		put_alert(s, 0, i);
		await_written(s, i);
	}
	close_all(s);
	stage_free(s);
}

Test(outlet, a_tick_closes_suppression_windows_in_its_turn, .timeout = 60)
{
	struct stage *s = stage_new(1, true);
	struct output_stats stats;

	put_alert(s, 0, 1);
	put_tick(s, 0, 2, 5 * NS_PER_S);
	start(s);
	close_all(s);
	output_stats(s->output, &stats);
	cr_assert_eq(stats.raised, 1, "a tick is no alert");
	cr_assert_eq(s->seen.count, 1);
	stage_free(s);
}

/* Every lane's alerts of rising records, in any interleaving: one rising sequence comes out. */
static void feed(struct stage *s)
{
	uint64_t seq = 0;

	for (int i = 0; i < 1000; i++) {
		size_t lane = (size_t)(i * 7 % 5) % s->outlet.lane_count;
		put_alert(s, lane, ++seq);
		for (size_t k = 0; i % 8 == 7 && k < s->outlet.lane_count; k++)
			lane_flush(&s->lane[k], 0, seq);
		if (i % 100 == 99) /* the rings hold some 300 alerts */
			await_written(s, seq - 8);
	}
}

Test(outlet, what_rises_in_each_lane_rises_over_all, .timeout = 60)
{
	struct stage *s = stage_new(LANES_MAX, true);

	start(s);
	feed(s);
	close_all(s);
	cr_assert_eq(s->seen.count, 1000);
	for (size_t i = 0; i < s->seen.count; i++)
		cr_assert_eq(s->seen.at[i].seq, i + 1);
	stage_free(s);
}

/* --- as it comes ------------------------------------------------------------------------------------------ */

Test(outlet, without_order_nobody_waits, .timeout = 60)
{
	struct stage *s = stage_new(2, false);

	start(s);
	put_alert(s, 0, 100);
	await_written(s, 1);
	put_alert(s, 1, 50);
	await_written(s, 2);
	put_alert(s, 0, 10);
	await_written(s, 3);
	close_all(s);
	stage_free(s);
}

/* --- housekeeping --------------------------------------------------------------------------------------------- */

static void count_call(void *arg)
{
	gauge_add(arg, 1);
}

Test(outlet, its_caller_is_called_while_nothing_comes, .timeout = 60)
{
	struct stage *s = stage_new(2, true);
	struct gauge calls = { 0 };

	s->outlet.idle = count_call;
	s->outlet.idle_arg = &calls;
	start(s);
	for (int i = 0; i < 10000 && gauge_read(&calls) == 0; i++)
		usleep(1000);
	cr_assert_geq(gauge_read(&calls), 1);
	close_all(s);
	stage_free(s);
}

Test(outlet, ends_when_every_lane_has_ended_and_given_all, .timeout = 60)
{
	struct stage *s = stage_new(LANES_MAX, true);

	for (size_t i = 0; i < LANES_MAX; i++)
		for (uint64_t seq = 1; seq <= 20; seq++)
			put_alert(s, i, seq * 10 + i);
	start(s);
	close_all(s);
	cr_assert_eq(s->seen.count, 20 * LANES_MAX);
	stage_free(s);
}
