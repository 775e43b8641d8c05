/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lanes, tracker threads and the output thread together: what comes out never depends on threads, and
 * no burst makes them wait for each other for ever.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/ledger_state.h"
#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/pipeline/input.h"
#include "sensor/pipeline/outlet.h"
#include "sensor/pipeline/tracker.h"
#include "tests/unit/pipeline/fake_source.h"
#include "tests/unit/pipeline/known.h"

#define START     KNOWN_START_NS
#define LANES_MAX 4

/* --- what comes out -------------------------------------------------------------------------------- */

/* All lines that were written, as their number and one hash over them in order. */
struct heard {
	struct sink sink;
	size_t count;
	uint64_t hash;
};

static void heard_write(struct sink *s, const struct sink_record *record)
{
	struct heard *h = (struct heard *)s;

	h->count++;
	h->hash = hash_bytes(h->hash, record->json, record->json_len);
}

static void heard_nothing(struct sink *s)
{
	(void)s;
}

static void heard_close(struct sink *s, int timeout_ms)
{
	(void)s;
	(void)timeout_ms;
}

static const struct sink_api heard_api = {
	.write = heard_write,
	.flush = heard_nothing,
	.close = heard_close,
	.free = heard_nothing,
};

/* --- a pipeline --------------------------------------------------------------------------------------- */

struct rig {
	struct known known;
	struct output *output;
	struct heard heard;
	struct lane lane[LANES_MAX];
	size_t lane_count;
	struct gauge alerts[LANES_MAX];
	struct input input;
	struct input_counters counters;
	struct reading_counters readings; /* of messages that a tracker read */
};

static void accept_inline(void *arg, const struct alert *a)
{
	output_accept(arg, a);
}

/* Who does the work: the input's thread all of it, all but what the output does, or only its own. */
enum way {
	ALONE,
	INPUT_JUDGES,
	TRACKERS,
};

static void rig_open(struct rig *r, size_t lane_count, enum way way)
{
	static const struct output_options options = { "test", "0", { 0, 0 } };

	known_init(&r->known);
	known_tenant(&r->known, "t1", "10.1.0.0/16");
	known_tenant(&r->known, "t2", "10.2.0.0/16");
	known_tenant(&r->known, "t3", "10.3.0.0/16");
	known_list(&r->known, "evil.test", SCOPE_SUFFIX);
	known_freeze(&r->known);
	r->output = output_new(&options);
	cr_assert_not_null(r->output);
	r->heard.sink = (struct sink){ .api = &heard_api, .name = "heard" };
	cr_assert(output_add_sink(r->output, &r->heard.sink));
	r->lane_count = lane_count;
	for (size_t i = 0; i < lane_count; i++) {
		struct lane_options lane = {
			.number = i,
			.is_only = lane_count == 1,
			.input_count = 1,
			.threaded = way == TRACKERS,
			.batch = i > 0 ? r->lane[0].batch : NULL,
			.inline_sink = way == ALONE ? accept_inline : NULL,
			.inline_arg = r->output,
			.memory_bytes = 8 << 20,
			.seed = 1,
			.ports = &r->known.packet.ports,
			.readings = &r->readings,
			.alerts = &r->alerts[i],
		};
		cr_assert(lane_init(&r->lane[i], &lane, &r->known.knowledge));
	}
	r->input = (struct input){
		.lane = r->lane,
		.lane_count = lane_count,
		.tenants = r->known.knowledge.policies,
		.observer = known_observer(&r->known),
		.decoder = r->known.decoder,
		.streams = r->known.streams,
		.counters = &r->counters,
		.clock_s = INT64_MIN,
	};
	cr_assert(input_init(&r->input));
}

static void rig_close(struct rig *r)
{
	for (size_t i = 0; i < r->lane_count; i++)
		lane_deinit(&r->lane[i]);
	input_deinit(&r->input);
	output_free(r->output);
	known_deinit(&r->known);
	free(r);
}

static void run_threads(struct rig *r, enum way way)
{
	struct outlet outlet = { r->lane, r->lane_count, true, r->output, NULL, NULL };
	pthread_t thread[LANES_MAX], outlet_thread;
	struct err_ctx why;

	cr_assert_eq(pthread_create(&outlet_thread, NULL, outlet_run, &outlet), 0);
	for (size_t i = 0; way == TRACKERS && i < r->lane_count; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, tracker_run, &r->lane[i]), 0);
	cr_assert_eq(input_run(&r->input, &why), SOURCE_END);
	for (size_t i = 0; i < r->lane_count; i++)
		lane_close(&r->lane[i], 0);
	for (size_t i = 0; way == TRACKERS && i < r->lane_count; i++)
		pthread_join(thread[i], NULL);
	pthread_join(outlet_thread, NULL);
}

struct outcome {
	size_t written, raised;
	uint64_t hash;
};

/* Run the source through so many lanes. */
static struct outcome run(struct fake_source *f, size_t lane_count, enum way way)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct err_ctx why;

	cr_assert_not_null(r);
	rig_open(r, lane_count, way);
	f->next = 0;
	r->input.source = &f->base;
	if (way != ALONE)
		run_threads(r, way);
	else
		cr_assert_eq(input_run(&r->input, &why), SOURCE_END);
	output_finish(r->output);
	struct output_stats stats;
	output_stats(r->output, &stats);
	struct outcome outcome = { r->heard.count, stats.raised, r->heard.hash };
	size_t counted = 0;
	for (size_t i = 0; i < lane_count; i++)
		counted += gauge_read(&r->alerts[i]);
	cr_assert_eq(counted, outcome.raised, "every alert raised has come out");
	rig_close(r);
	return outcome;
}

static void check_same(const struct outcome *one, const struct outcome *other, const char *what)
{
	cr_assert_eq(one->raised, other->raised, "%s: %zu and %zu raised", what, one->raised,
		other->raised);
	cr_assert_eq(one->written, other->written, "%s: %zu and %zu written", what,
		one->written, other->written);
	cr_assert_eq(one->hash, other->hash, "%s: the same lines in the same order", what);
}

/* Look-ups of listed names by `clients` hosts of one tenant, all different. */
static void lookups(struct fake_source *f, int64_t ts_ns, unsigned tenant, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char client[32], name[32];
		snprintf(client, sizeof(client), "10.%u.%u.%u", tenant, i / 250 % 250,
			i % 250 + 1);
		snprintf(name, sizeof(name), "n%u.evil.test", i);
		fake_message(f, ts_ns + i, client, "192.0.2.53", name, false);
	}
}

static void check_threads(struct fake_source *f)
{
	for (size_t lanes = 1; lanes <= LANES_MAX; lanes++) {
		char what[64];
		snprintf(what, sizeof(what), "%zu lanes", lanes);
		struct outcome alone = run(f, lanes, ALONE);
		struct outcome judging = run(f, lanes, INPUT_JUDGES);
		struct outcome threads = run(f, lanes, TRACKERS);
		cr_assert_gt(alone.raised, 0, "%s", what);
		check_same(&alone, &judging, what);
		check_same(&alone, &threads, what);
	}
}

Test(tracker, alerts_are_the_same_with_and_without_threads, .timeout = 60)
{
	struct fake_source f;

	fake_init(&f, SOURCE_END);
	for (int second = 0; second < 20; second++)
		for (unsigned tenant = 0; tenant <= 3; tenant++)
			lookups(&f, START + second * NS_PER_S + tenant * NS_PER_MS, tenant, 20);
	check_threads(&f);
	fake_deinit(&f);
}

/* With one tracker, which has time before it has begun: what is well-formed and what is not. */
Test(tracker, reads_what_its_input_leaves_unread, .timeout = 60)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct fake_source f;
	struct frame_spec cut = {
		.link = 1, .payload = FRAMES_QUERY, .payload_len = FRAMES_QUERY_LEN - 3
	};

	cr_assert_not_null(r);
	fake_init(&f, SOURCE_END);
	lookups(&f, START, 1, 500);
	fake_built(&f, START + NS_PER_S, &cut);
	rig_open(r, 1, TRACKERS);
	r->input.source = &f.base;
	run_threads(r, TRACKERS);
	cr_assert_eq(gauge_read(&r->counters.packets[PACKET_DNS]), 501);
	cr_assert_eq(gauge_read(&r->counters.messages.malformed[DNS_OK]) +
			     gauge_read(&r->readings.malformed[DNS_OK]),
		500);
	cr_assert_gt(gauge_read(&r->readings.malformed[DNS_OK]), 0, "it read some of them");
	cr_assert_eq(gauge_read(&r->counters.messages.malformed[DNS_QUESTION_TRUNCATED]) +
			     gauge_read(&r->readings.malformed[DNS_QUESTION_TRUNCATED]),
		1);
	cr_assert_eq(gauge_read(&r->alerts[0]), 500);
	fake_deinit(&f);
	rig_close(r);
}

/*
 * More alerts within a second of capture time than an alert ring holds, and more messages behind
 * them than an observation ring holds: the output must not wait for a lane that has nothing to say
 * while everything else waits for the output.
 */
Test(tracker, a_burst_in_one_lane_does_not_wait_for_silent_ones, .timeout = 60)
{
	struct fake_source f;

	fake_init(&f, SOURCE_END);
	lookups(&f, START, 1, 60000);
	lookups(&f, START + 2 * NS_PER_S, 2, 100);
	check_threads(&f);
	fake_deinit(&f);
}

/* The output hears of several batches together; but not of the last one only with the next. */
Test(tracker, an_alert_does_not_wait_for_the_next_message, .timeout = 60)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct fake_source f;
	struct err_ctx why;
	pthread_t thread;
	size_t bytes, alerts = 0;
	const struct alert *a;

	cr_assert_not_null(r);
	fake_init(&f, SOURCE_END);
	lookups(&f, START, 1, 1);
	rig_open(r, 1, TRACKERS);
	r->input.source = &f.base;
	struct spsc *out = r->lane[0].out;
	cr_assert_eq(pthread_create(&thread, NULL, tracker_run, &r->lane[0]), 0);
	cr_assert_eq(input_run(&r->input, &why), SOURCE_END);
	/* the input is still open, and silent */
	while (alerts == 0 && spsc_wait_record(out, 30000)) {
		a = spsc_peek(out, &bytes);
		alerts += a->kind == ALERT_RAISED;
		spsc_release(out);
	}
	cr_expect_eq(alerts, 1);
	lane_close(&r->lane[0], 0);
	while (spsc_wait_record(out, -1))
		for (; spsc_peek(out, &bytes); spsc_release(out))
			;
	pthread_join(thread, NULL);
	rig_close(r);
	fake_deinit(&f);
}

/* --- the ledger's state -------------------------------------------------------------------------- */

static void check_state(enum way way)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct fake_source f;
	struct text state = { 0 };
	struct err_ctx why;

	cr_assert_not_null(r);
	fake_init(&f, SOURCE_END);
	for (int second = 0; second < 5; second++)
		lookups(&f, START + second * NS_PER_S, 1, 10);
	rig_open(r, 2, way);
	r->input.source = &f.base;
	for (size_t i = 0; i < r->lane_count; i++) {
		report_state_ask(r->lane[i].report);
		cr_expect_not(report_state_ready(r->lane[i].report));
	}
	run_threads(r, way);
	ledger_state_begin(&state);
	size_t empty = state.len;
	for (size_t i = 0; i < r->lane_count; i++) {
		cr_expect(report_state_ready(r->lane[i].report), "lane %zu", i);
		size_t before = state.len;
		report_state_take(r->lane[i].report, &state);
		cr_expect_gt(state.len, before, "lane %zu", i);
	}
	ledger_state_end(&state);
	cr_expect_gt(state.len, empty);
	cr_expect_eq(ledger_state_check((const uint8_t *)state.at, state.len, &why), ERR_OK);
	text_deinit(&state);
	rig_close(r);
	fake_deinit(&f);
}

Test(tracker, writes_its_ledger_down_while_it_works_when_it_is_asked_to, .timeout = 60)
{
	check_state(TRACKERS);
}

Test(tracker, an_input_that_judges_writes_the_ledger_down, .timeout = 60)
{
	check_state(INPUT_JUDGES);
}
