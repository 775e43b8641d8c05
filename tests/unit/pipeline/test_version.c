/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new version of what is known, while records are under way: each is judged by the version it was
 * made with, and the old one is left when nothing needs it any more.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/pipeline/input.h"
#include "sensor/pipeline/outlet.h"
#include "sensor/pipeline/tracker.h"
#include "tests/unit/pipeline/fake_source.h"
#include "tests/unit/pipeline/known.h"

#define START      KNOWN_START_NS
#define LANES_MAX  3
#define INPUTS_MAX 2

/* Two versions: the first lists old.test, the second new.test and has a tenant more. */
struct rig {
	struct known version[2];
	struct snapshot *versions;
	struct output *output;
	struct lane lane[LANES_MAX];
	struct input input[INPUTS_MAX];
	struct gauge alerts[LANES_MAX];
	struct reading_counters readings;
	size_t lane_count, input_count;
	bool threaded;
	unsigned batches, publish_at; /* the second version comes after that many batches */
};

static void known_open(struct known *k, const char *listed, bool more_tenants)
{
	known_init(k);
	/* The same name stands at another entry in each version. */
	if (more_tenants)
		known_list(k, "first.test", SCOPE_SUFFIX);
	known_tenant(k, "t1", "10.1.0.0/16");
	known_tenant(k, "t2", "10.2.0.0/16");
	if (more_tenants)
		known_tenant(k, "t3", "10.3.0.0/16");
	known_list(k, listed, SCOPE_SUFFIX);
	known_freeze(k);
}

static void accept_inline(void *arg, const struct alert *a)
{
	output_accept(arg, a);
}

static void open_lane(struct rig *r, size_t i)
{
	struct lane_options lane = {
		.number = i,
		.is_only = r->lane_count == 1,
		.input_count = r->input_count,
		.threaded = r->threaded,
		.batch = i > 0 ? r->lane[0].batch : NULL,
		.inline_sink = r->threaded ? NULL : accept_inline,
		.inline_arg = r->output,
		.memory_bytes = 8 << 20,
		.seed = 1,
		/* the only tracker of an only input reads by the version that is its turn, too */
		.ports = &r->version[0].packet.ports,
		.readings = &r->readings,
		.alerts = &r->alerts[i],
		.versions = r->versions,
		.reader = r->input_count + i,
	};

	cr_assert(lane_init(&r->lane[i], &lane, &r->version[0].knowledge));
}

static void publish_in_time(void *arg)
{
	struct rig *r = arg;

	if (++r->batches == r->publish_at)
		snapshot_publish(r->versions, &r->version[1].knowledge);
}

static void open_input(struct rig *r, size_t i)
{
	struct known *k = &r->version[i]; /* its decoder, streams and cache serve one input */

	r->input[i] = (struct input){
		.number = (uint16_t)i,
		.lane = r->lane,
		.lane_count = r->lane_count,
		.tenants = r->version[0].knowledge.policies,
		.versions = r->versions,
		.reader = i,
		.each_batch = publish_in_time,
		.each_batch_arg = r,
		.observer = { .known = &r->version[0].knowledge,
			.ports = &k->packet.ports,
			.tenants = k->cache },
		.decoder = k->decoder,
		.streams = k->streams,
		.counters = calloc(1, sizeof(struct input_counters)),
		.clock_s = INT64_MIN,
	};
	cr_assert(input_init(&r->input[i]));
	cr_assert_not_null(r->input[i].counters);
}

static struct rig *rig_new(size_t input_count, size_t lane_count, bool threaded)
{
	static const struct output_options options = { "test", "0", { 0, 0 } };
	struct rig *r = calloc(1, sizeof(*r));

	cr_assert_not_null(r);
	*r = (struct rig){
		.input_count = input_count, .lane_count = lane_count, .threaded = threaded
	};
	known_open(&r->version[0], "old.test", false);
	known_open(&r->version[1], "new.test", true);
	r->versions = snapshot_new(&r->version[0].knowledge, input_count + lane_count);
	r->output = output_new(&options);
	cr_assert(r->versions && r->output);
	for (size_t i = 0; i < lane_count; i++)
		open_lane(r, i);
	for (size_t i = 0; i < input_count; i++)
		open_input(r, i);
	return r;
}

static void rig_free(struct rig *r)
{
	for (size_t i = 0; i < r->lane_count; i++)
		lane_deinit(&r->lane[i]);
	for (size_t i = 0; i < r->input_count; i++) {
		input_deinit(&r->input[i]);
		free(r->input[i].counters);
	}
	output_free(r->output);
	snapshot_free(r->versions);
	known_deinit(&r->version[0]);
	known_deinit(&r->version[1]);
	free(r);
}

static void read_all(struct rig *r, size_t input, struct fake_source *f)
{
	struct err_ctx why;

	r->input[input].source = &f->base;
	cr_assert_eq(input_run(&r->input[input], &why), SOURCE_END);
}

/* The inputs have ended: judge what they left in the rings. */
static void drain(struct rig *r)
{
	struct outlet outlet = { r->lane, r->lane_count, r->input_count == 1, r->output, NULL,
		NULL };
	pthread_t thread[LANES_MAX], outlet_thread;

	if (!r->threaded)
		return;
	for (size_t i = 0; i < r->lane_count; i++)
		for (uint16_t k = 0; k < r->input_count; k++)
			lane_close(&r->lane[i], k);
	cr_assert_eq(pthread_create(&outlet_thread, NULL, outlet_run, &outlet), 0);
	for (size_t i = 0; i < r->lane_count; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, tracker_run, &r->lane[i]), 0);
	for (size_t i = 0; i < r->lane_count; i++)
		pthread_join(thread[i], NULL);
	pthread_join(outlet_thread, NULL);
}

static uint64_t raised(const struct rig *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->lane_count; i++)
		sum += gauge_read(&r->alerts[i]);
	return sum;
}

/* From `from` on, `count` clients of all tenants look up names below `suffix`. */
static void lookups(struct fake_source *f, int64_t from, unsigned count, const char *suffix)
{
	for (unsigned i = 0; i < count; i++) {
		char client[32], name[64];
		snprintf(client, sizeof(client), "10.%u.0.%u", i % 4, i % 250 + 1);
		snprintf(name, sizeof(name), "n%lld.%s", (long long)(from + i), suffix);
		fake_message(
			f, START + (from + i) * NS_PER_MS, client, "192.0.2.53", name, false);
	}
}

/* 5 batches of ten under the first version, 7 under the second. */
static void check_change(size_t lanes, bool threaded, const char *suffix, uint64_t want)
{
	struct rig *r = rig_new(1, lanes, threaded);
	struct fake_source f;

	fake_init(&f, SOURCE_END);
	f.batch_max = 10;
	lookups(&f, 0, 120, suffix);
	r->publish_at = 5;
	read_all(r, 0, &f);
	drain(r);
	cr_assert_eq(raised(r), want, "%s: %zu lanes%s: %llu alerts, not %llu", suffix, lanes,
		threaded ? ", threads" : "", (unsigned long long)raised(r),
		(unsigned long long)want);
	cr_assert(snapshot_wait_adopted(r->versions, 0), "everybody has left the old version");
	fake_deinit(&f);
	rig_free(r);
}

Test(version, each_record_is_judged_by_the_version_it_was_made_with, .timeout = 60)
{
	for (size_t lanes = 1; lanes <= LANES_MAX; lanes++) {
		for (int threaded = 0; threaded <= 1; threaded++) {
			check_change(lanes, threaded, "old.test", 50);
			check_change(lanes, threaded, "new.test", 70);
			check_change(lanes, threaded, "fine.test", 0);
		}
	}
}

Test(version, the_old_one_is_not_left_while_records_of_it_wait)
{
	struct rig *r = rig_new(1, 1, true);
	struct fake_source f;

	fake_init(&f, SOURCE_END);
	f.batch_max = 10;
	lookups(&f, 0, 20, "old.test");
	r->publish_at = 1;
	read_all(r, 0, &f);
	cr_assert_not(snapshot_wait_adopted(r->versions, 0));
	drain(r);
	cr_assert(snapshot_wait_adopted(r->versions, 0));
	cr_assert_eq(raised(r), 10);
	fake_deinit(&f);
	rig_free(r);
}

/*
 * The second input is behind: its records of the old version stand, in capture time, among the first
 * one's of the new version.
 */
Test(version, inputs_may_change_over_at_different_times, .timeout = 60)
{
	static const struct {
		const char *suffix;
		uint64_t want;
	} rows[] = { { "old.test", 10 + 30 }, { "new.test", 40 + 20 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_new(2, 2, true);
		struct fake_source first, behind, caught_up;
		fake_init(&first, SOURCE_END);
		fake_init(&behind, SOURCE_END);
		fake_init(&caught_up, SOURCE_END);
		first.batch_max = 10;
		lookups(&behind, 20, 30, rows[i].suffix);
		lookups(&first, 0, 50, rows[i].suffix);
		lookups(&caught_up, 50, 20, rows[i].suffix);
		read_all(r, 1, &behind);
		r->publish_at = r->batches + 1;
		read_all(r, 0, &first);
		read_all(r, 1, &caught_up);
		cr_assert_not(snapshot_wait_adopted(r->versions, 0), "nothing is judged yet");
		drain(r);
		cr_assert_eq(raised(r), rows[i].want, "%s: %llu", rows[i].suffix,
			(unsigned long long)raised(r));
		cr_assert(snapshot_wait_adopted(r->versions, 0));
		fake_deinit(&first);
		fake_deinit(&behind);
		fake_deinit(&caught_up);
		rig_free(r);
	}
}

Test(version, a_new_tenant_is_counted_from_then_on, .timeout = 60)
{
	for (int threaded = 0; threaded <= 1; threaded++) {
		struct rig *r = rig_new(1, 2, threaded);
		struct fake_source f;
		struct judge_stats stats;
		uint64_t messages[4] = { 0 };
		fake_init(&f, SOURCE_END);
		f.batch_max = 40;
		lookups(&f, 0, 120, "fine.test");
		r->publish_at = 1;
		read_all(r, 0, &f);
		drain(r);
		for (size_t i = 0; i < r->lane_count; i++) {
			lane_end(&r->lane[i]);
			report_read(r->lane[i].report, &stats, messages, ARRAY_LEN(messages));
		}
		static const uint64_t want[] = { 40, 30, 30, 20 };
		for (size_t i = 0; i < ARRAY_LEN(want); i++)
			cr_assert_eq(messages[i], want[i], "tenant %zu: %llu", i,
				(unsigned long long)messages[i]);
		fake_deinit(&f);
		rig_free(r);
	}
}

Test(version, an_input_that_has_ended_holds_nobody_up, .timeout = 60)
{
	struct rig *r = rig_new(2, 1, true);
	struct fake_source ended, other;

	fake_init(&ended, SOURCE_END);
	fake_init(&other, SOURCE_END);
	other.batch_max = 10;
	lookups(&ended, 0, 10, "old.test");
	lookups(&other, 10, 30, "old.test");
	read_all(r, 0, &ended);
	r->publish_at = r->batches + 1;
	read_all(r, 1, &other);
	input_keep_up(&r->input[0]);
	input_keep_up(&r->input[0]);
	cr_assert_eq((int64_t)watermark_read(&r->lane[0].reached[0]), INT64_MAX,
		"no record waits for one of this input");
	drain(r);
	cr_assert(snapshot_wait_adopted(r->versions, 0));
	cr_assert_eq(raised(r), 10 + 10);
	fake_deinit(&ended);
	fake_deinit(&other);
	rig_free(r);
}
