/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/degraded.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rules/rule.h"
#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "tests/unit/app/kept.h"

#define START_NS (INT64_C(1795348800) * NS_PER_S)

/* A sensor with two inputs, looked at second by second. */
static struct rig {
	struct kept kept;
	struct output *output;
	struct policy unmapped;
	struct degraded *degraded;
	struct degraded_input input[2];
	struct degraded_outputs outputs;
	int64_t now_ns;
} rig;

static void set(const char *key, const char *value)
{
	struct err_ctx why = { 0 };

	cr_assert(
		rule_settings_set(&rig.unmapped.rules, RULE_SENSOR_DEGRADED, key, value, &why),
		"%s", why.text);
}

static void start(void)
{
	static const char *const labels[] = { "eth1", "eth2 (input 1 of 2)" };
	const struct output_options options = { .sensor = "test", .version = "0" };

	rig = (struct rig){ .kept = kept_start(), .now_ns = START_NS };
	rig.unmapped.id = (char *)"unmapped";
	rule_settings_init(&rig.unmapped.rules);
	set("suppress", "0");
	rig.output = output_new(&options);
	rig.degraded = degraded_new(labels, ARRAY_LEN(labels));
	cr_assert(rig.output && rig.degraded);
	cr_assert(output_add_sink(rig.output, &rig.kept.sink));
}

static void end(void)
{
	degraded_free(rig.degraded);
	output_free(rig.output);
}

TestSuite(degraded, .init = start, .fini = end);

/* One second in which so much was seen, and so much of it lost. */
static void add(struct degraded_count *count, uint64_t all, uint64_t lost)
{
	count->all += all;
	count->lost += lost;
}

static void look(void)
{
	rig.now_ns += NS_PER_S;
	degraded_check(
		rig.degraded, rig.input, &rig.outputs, &rig.unmapped, rig.output, rig.now_ns);
}

Test(degraded, nothing_lost_is_nothing_said)
{
	for (unsigned i = 0; i < 200; i++) {
		add(&rig.input[0].packets, 1000, 0);
		add(&rig.input[0].messages, 900, 0);
		add(&rig.outputs.alerts, 1, 0);
		look();
	}
	cr_assert_eq(rig.kept.count, 0, "%s", rig.kept.line);
}

Test(degraded, a_share_and_a_number_must_both_be_passed)
{
	static const struct {
		const char *name;
		uint64_t all, lost;
		unsigned alerts;
	} rows[] = {
		{ "one lost packet", 1000, 1, 0 },
		{ "nine of a hundred", 100, 9, 0 },
		{ "ten of a hundred", 100, 10, 1 },
		{ "a thousandth is allowed", 100000, 100, 0 },
		{ "more than a thousandth is not", 100000, 101, 1 },
		{ "all of it", 50, 50, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		end();
		start();
		add(&rig.input[0].packets, rows[i].all, rows[i].lost);
		look();
		cr_assert_eq(rig.kept.count, rows[i].alerts, "%s", rows[i].name);
	}
}

Test(degraded, losses_are_added_up_over_a_minute)
{
	for (unsigned i = 0; i < 9; i++) {
		add(&rig.input[0].packets, 100, 1);
		look();
	}
	cr_assert_eq(rig.kept.count, 0);
	add(&rig.input[0].packets, 100, 1);
	look();
	cr_assert_eq(rig.kept.count, 1);
	cr_assert_not_null(strstr(rig.kept.line, "the sensor lost 10 of 1000 packets of eth1"),
		"%s", rig.kept.line);
	cr_assert_not_null(
		strstr(rig.kept.line, "\"packets_dropped_share\""), "%s", rig.kept.line);
}

Test(degraded, what_is_older_than_a_minute_is_forgotten)
{
	for (unsigned i = 0; i < 9; i++)
		add(&rig.input[0].packets, 10, 1);
	look();
	for (unsigned i = 0; i < DEGRADED_WINDOW_S - 1; i++)
		look();
	add(&rig.input[0].packets, 10, 9);
	look();
	cr_assert_eq(rig.kept.count, 0, "%s", rig.kept.line);
	add(&rig.input[0].packets, 10, 1);
	look();
	cr_assert_eq(rig.kept.count, 1, "nine and one within a minute");
}

Test(degraded, while_it_goes_on_it_is_said_once_a_minute)
{
	for (unsigned i = 0; i < 3 * DEGRADED_WINDOW_S; i++) {
		add(&rig.input[0].packets, 1000, 100);
		look();
	}
	cr_assert_eq(rig.kept.count, 3);
}

Test(degraded, a_recovery_is_silent_and_the_next_loss_is_said_at_once)
{
	add(&rig.input[0].packets, 1000, 100);
	look();
	cr_assert_eq(rig.kept.count, 1);
	for (unsigned i = 0; i < 2 * DEGRADED_WINDOW_S; i++) {
		add(&rig.input[0].packets, 1000, 0);
		look();
	}
	cr_assert_eq(rig.kept.count, 1, "%s", rig.kept.line);
	add(&rig.input[0].packets, 1000, 100);
	look();
	cr_assert_eq(rig.kept.count, 2);
}

Test(degraded, each_input_is_judged_by_itself)
{
	add(&rig.input[0].packets, 10000000, 0);
	add(&rig.input[1].packets, 1000, 100);
	look();
	cr_assert_eq(rig.kept.count, 1, "the busy one must not hide the other");
	cr_assert_not_null(strstr(rig.kept.line, "eth2 (input 1 of 2)"), "%s", rig.kept.line);
	add(&rig.input[0].messages, 1000, 100);
	look();
	cr_assert_eq(rig.kept.count, 2);
	cr_assert_not_null(
		strstr(rig.kept.line, "100 of 1000 messages of eth1"), "%s", rig.kept.line);
	cr_assert_not_null(strstr(rig.kept.line, "messages_dropped"), "%s", rig.kept.line);
}

Test(degraded, one_lost_alert_is_enough)
{
	add(&rig.outputs.alerts, 500, 1);
	look();
	cr_assert_eq(rig.kept.count, 1);
	cr_assert_not_null(strstr(rig.kept.line, "alerts_lost"), "%s", rig.kept.line);
}

Test(degraded, alerts_lost_before_any_was_written_count_as_well)
{
	add(&rig.outputs.alerts, 0, 1);
	look();
	cr_assert_eq(rig.kept.count, 1);
}

Test(degraded, what_the_dns_log_lacks_is_told_within_the_limits)
{
	add(&rig.outputs.logged, 1000, 9);
	look();
	cr_assert_eq(rig.kept.count, 0);
	add(&rig.outputs.logged, 1000, 91);
	look();
	cr_assert_eq(rig.kept.count, 1);
	cr_assert_not_null(
		strstr(rig.kept.line, "the sensor lost 100 of 2000 messages for the DNS log, "
				      "which cannot be written, or not as fast as they come"),
		"%s", rig.kept.line);
	cr_assert_not_null(strstr(rig.kept.line, "messages_not_logged"), "%s", rig.kept.line);
}

Test(degraded, the_limits_are_options)
{
	set("min_lost", "1");
	set("max_loss", "0.5");
	add(&rig.input[0].packets, 10, 5);
	look();
	cr_assert_eq(rig.kept.count, 0);
	add(&rig.input[0].packets, 1, 1);
	look();
	cr_assert_eq(rig.kept.count, 1);
}

Test(degraded, a_rule_that_is_off_says_nothing)
{
	set("enabled", "false");
	add(&rig.input[0].packets, 10, 10);
	add(&rig.outputs.alerts, 10, 10);
	look();
	cr_assert_eq(rig.kept.count, 0);
}
