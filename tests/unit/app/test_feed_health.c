/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/feed_health.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "tests/unit/app/kept.h"

#define NOW_NS (INT64_C(1795348800) * NS_PER_S)
#define DAY_NS (86400 * NS_PER_S)

/* One feed, and what is said of it. */
static struct {
	struct kept kept;
	struct output *output;
	struct policy_set *policies;
	struct knowledge_feed feed;
	struct load_feed loaded;
} rig;

static void start(void)
{
	const struct output_options options = { .sensor = "test", .version = "0" };

	rig.kept = kept_start();
	rig.output = output_new(&options);
	rig.policies = policy_set_new();
	cr_assert(rig.output && rig.policies);
	cr_assert(output_add_sink(rig.output, &rig.kept.sink));
	rig.feed = (struct knowledge_feed){ .name = (char *)"urlhaus", .kind = MARK_MALICIOUS };
	rig.loaded = (struct load_feed){
		.report = { .accepted = { 100 }, .modified_s = NOW_NS / NS_PER_S - 3 * 86400 },
		.at = { 3, 5 },
	};
}

static void end(void)
{
	output_free(rig.output);
	policy_set_free(rig.policies);
}

TestSuite(feed_health, .init = start, .fini = end);

static void check(void)
{
	struct knowledge known = {
		.policies = rig.policies, .feed = &rig.feed, .feed_count = 1
	};
	struct load_report loaded = { .feed = &rig.loaded, .feed_count = 1 };

	feed_health_check(&known, &loaded, rig.output, NOW_NS);
}

static void expect_said(const char *text)
{
	check();
	cr_assert_eq(rig.kept.count, 1, "%u", rig.kept.count);
	cr_assert(strstr(rig.kept.line, text), "%s", rig.kept.line);
}

Test(feed_health, a_feed_that_is_well_is_silent)
{
	check();
	rig.loaded.max_age_ns = 4 * DAY_NS;
	check();
	cr_assert_eq(rig.kept.count, 0, "%s", rig.kept.line);
}

Test(feed_health, a_file_older_than_max_age_is_told_with_both_ages)
{
	rig.loaded.max_age_ns = 2 * DAY_NS;
	expect_said("the feed urlhaus is 3d old; its max_age is 2d");
	cr_assert(strstr(rig.kept.line, "\"feature\":\"feed_age_s\",\"value\":259200,"
					"\"threshold\":172800"),
		"%s", rig.kept.line);
	cr_assert(strstr(rig.kept.line, "sensor.degraded"), "%s", rig.kept.line);
}

Test(feed_health, what_is_kept_from_before_is_told_with_the_reason)
{
	rig.loaded.kept = true;
	rig.loaded.doubt = (struct guard_finding){ .reason = GUARD_SHRUNK,
		.value = 80,
		.limit = 50,
		.why = "it shrank from 100 entries to 20 (max_shrink: 50 %)" };
	expect_said("the feed urlhaus is not to be believed: it shrank from 100 entries to 20 "
		    "(max_shrink: 50 %); what was loaded before stays in force");
	cr_assert(strstr(rig.kept.line, "\"feature\":\"feed_shrunk_percent\",\"value\":80,"
					"\"threshold\":50"),
		"%s", rig.kept.line);
}

Test(feed_health, a_malicious_feed_with_nothing_in_it_is_told)
{
	rig.loaded.report.accepted[0] = 0;
	expect_said("the feed urlhaus has nothing in it");
}

Test(feed_health, an_allow_feed_may_be_empty)
{
	rig.loaded.report.accepted[0] = 0;
	rig.feed.kind = MARK_ALLOW;
	check();
	cr_assert_eq(rig.kept.count, 0, "%s", rig.kept.line);
}

Test(feed_health, shipped_lists_have_no_age)
{
	rig.loaded.at.line = 0;
	rig.loaded.max_age_ns = 1;
	check();
	cr_assert_eq(rig.kept.count, 0, "%s", rig.kept.line);
}

Test(feed_health, a_rule_that_is_off_says_nothing)
{
	struct err_ctx why;

	rig.loaded.max_age_ns = 2 * DAY_NS;
	cr_assert(rule_settings_set(&rig.policies->tenant[POLICY_UNMAPPED].rules,
		RULE_SENSOR_DEGRADED, "enabled", "false", &why));
	check();
	cr_assert_eq(rig.kept.count, 0, "%s", rig.kept.line);
}

Test(feed_health, the_same_feed_is_not_told_twice_within_suppress)
{
	rig.loaded.max_age_ns = 2 * DAY_NS;
	check();
	check();
	cr_assert_eq(rig.kept.count, 1);
}
