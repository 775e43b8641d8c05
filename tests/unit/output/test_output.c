/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/output.h"

#include "sensor/base/attribute.h"
#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static struct output *fresh(struct sample_sink *sink)
{
	struct output_options options = { .sensor = "edge-1", .version = "0.1.0" };
	struct output *o = output_new(&options);

	cr_assert_not_null(o);
	sample_sink_init(sink);
	cr_assert(output_add_sink(o, &sink->sink));
	return o;
}

static void raise_for(struct output *o, uint16_t tenant, const char *key, int64_t ts_ns)
{
	struct alert a;

	sample_plain(&a, key, ts_ns);
	a.tenant = tenant;
	output_accept(o, &a);
}

static unsigned count_lines(const struct text *t)
{
	unsigned lines = 0;

	for (size_t i = 0; i < t->len; i++)
		lines += t->at[i] == '\n';
	return lines;
}

Test(output, every_written_alert_is_a_line_and_is_counted)
{
	struct sample_sink sink;
	struct output *o = fresh(&sink);
	struct output_stats stats;
	struct alert tick;

	raise_for(o, 3, "a", SAMPLE_NOON_NS);
	raise_for(o, 3, "a", SAMPLE_NOON_NS + 1);
	raise_for(o, 3, "a", SAMPLE_NOON_NS + 2);
	raise_for(o, 1000, "b", SAMPLE_NOON_NS + 3);
	sample_tick(&tick, SAMPLE_NOON_NS + 3600 * SAMPLE_S);
	output_accept(o, &tick);
	output_finish(o);
	output_stats(o, &stats);
	cr_expect_eq(stats.raised, 4);
	cr_expect_eq(stats.suppressed, 2);
	cr_expect_eq(stats.closings, 1);
	cr_expect_eq(stats.written, 3);
	cr_expect_eq(stats.written, stats.raised - stats.suppressed + stats.closings);
	cr_expect_eq(output_written(o), 3);
	cr_expect_eq(count_lines(&sink.lines), 3);
	cr_expect_eq(stats.by_rule[RULE_LOOKUP_UNAPPROVED], 3);
	cr_expect_gt(stats.tenant_count, 1000);
	cr_expect_eq(stats.by_tenant[3], 2);
	cr_expect_eq(stats.by_tenant[1000], 1);
	cr_expect_eq(stats.by_tenant[999], 0);
	output_free(o);
	sample_sink_deinit(&sink);
}

Test(output, closing_alert_has_its_own_id_and_the_same_rule)
{
	struct sample_sink sink;
	struct output *o = fresh(&sink);
	const char *id[2], *rule[2];

	raise_for(o, 1, "a", SAMPLE_NOON_NS);
	raise_for(o, 1, "a", SAMPLE_NOON_NS);
	output_finish(o);
	json_t *first = json_loads(sink.lines.at, JSON_DISABLE_EOF_CHECK, NULL);
	json_t *closing = json_loads(strchr(sink.lines.at, '\n'), 0, NULL);
	cr_assert(first && closing, "%s", sink.lines.at);
	json_t *both[] = { first, closing };
	for (int i = 0; i < 2; i++) {
		id[i] = json_string_value(
			json_object_get(json_object_get(both[i], "event"), "id"));
		rule[i] = json_string_value(
			json_object_get(json_object_get(both[i], "rule"), "id"));
	}
	cr_expect_str_neq(id[0], id[1]);
	cr_expect_str_eq(rule[0], rule[1]);
	json_t *own = json_object_get(closing, "dynwatch");
	cr_expect_eq(json_integer_value(json_object_get(own, "suppressed")), 1);
	cr_expect_eq(json_integer_value(json_object_get(own, "count")), 2);
	cr_expect_null(json_object_get(json_object_get(first, "dynwatch"), "suppressed"));
	json_decref(first);
	json_decref(closing);
	output_free(o);
	sample_sink_deinit(&sink);
}

Test(output, sinks_are_flushed_at_most_once_a_second_reopened_closed_and_freed)
{
	struct sample_sink sink;
	struct output *o = fresh(&sink);

	for (int i = 0; i < 1000; i++)
		output_idle(o);
	cr_expect_leq(sink.flushed, 3, "%u in a moment", sink.flushed);
	unsigned before = sink.flushed;
	output_finish(o);
	cr_expect_eq(sink.flushed, before + 1);
	output_reopen(o);
	cr_expect_eq(sink.reopened, 1);
	gauge_add(&sink.sink.lost, 7);
	cr_expect_eq(output_close(o, 1234), 7);
	cr_expect_eq(sink.closed, 1);
	cr_expect_eq(sink.close_timeout_ms, 1234);
	output_free(o);
	cr_expect_eq(sink.freed, 1);
	sample_sink_deinit(&sink);
}

Test(output, all_sinks_get_the_same_and_there_is_a_limit_to_them)
{
	struct sample_sink sink[OUTPUT_SINKS_MAX + 1];
	struct output *o = fresh(&sink[0]);

	for (size_t i = 1; i < ARRAY_LEN(sink); i++) {
		sample_sink_init(&sink[i]);
		cr_expect_eq(output_add_sink(o, &sink[i].sink), i < OUTPUT_SINKS_MAX, "%zu", i);
	}
	raise_for(o, 1, "a", SAMPLE_NOON_NS);
	cr_expect_str_eq(sink[0].lines.at, sink[OUTPUT_SINKS_MAX - 1].lines.at);
	cr_expect_eq(sink[OUTPUT_SINKS_MAX].written, 0);
	output_free(o);
	for (size_t i = 0; i < ARRAY_LEN(sink); i++)
		sample_sink_deinit(&sink[i]);
}

Test(output, sinks_get_records_of_their_kind_only_and_only_those_are_asked_for)
{
	struct sample_sink alerts, changes, words;
	struct output *o = fresh(&alerts);
	struct output_stats stats;
	struct alert a;

	cr_expect_eq(output_kinds(o), 1u << ALERT_RAISED);
	sample_sink_init(&changes);
	sample_sink_init(&words);
	cr_assert(output_add_sink_for(o, ALERT_CHANGE, &changes.sink));
	cr_assert(output_add_sink_for(o, ALERT_EXPLANATION, &words.sink));
	cr_expect_eq(output_kinds(o),
		1u << ALERT_RAISED | 1u << ALERT_CHANGE | 1u << ALERT_EXPLANATION);
	raise_for(o, 1, "a", SAMPLE_NOON_NS);
	sample_plain(&a, "", SAMPLE_NOON_NS);
	for (int i = 0; i < 3; i++) {
		a.kind = ALERT_CHANGE;
		output_accept(o, &a);
	}
	a.kind = ALERT_EXPLANATION;
	a.message = alert_put(&a, "one\ntwo\n");
	output_accept(o, &a);
	output_finish(o);
	output_stats(o, &stats);
	cr_expect_eq(alerts.written, 1);
	cr_expect_eq(changes.written, 3);
	cr_expect_str_eq(words.lines.at, "one\ntwo\n\n");
	cr_expect_eq(stats.written, 1);
	cr_expect_eq(stats.changes, 3);
	cr_expect_eq(stats.raised, 1);
	output_free(o);
	sample_sink_deinit(&alerts);
	sample_sink_deinit(&changes);
	sample_sink_deinit(&words);
}

static void run(struct text *out)
{
	struct sample_sink sink;
	struct output *o = fresh(&sink);
	struct alert tick;
	char key[16];

	for (int i = 0; i < 2000; i++) {
		int64_t ts = SAMPLE_NOON_NS + i * 10 * SAMPLE_S;
		snprintf(key, sizeof(key), "k%d", i * 7 % 41);
		raise_for(o, (uint16_t)(i % 5), key, ts);
		sample_tick(&tick, ts);
		output_accept(o, &tick);
	}
	output_finish(o);
	text_add(out, sink.lines.at, sink.lines.len);
	output_free(o);
	sample_sink_deinit(&sink);
}

Test(output, equal_alerts_give_equal_bytes)
{
	struct text first = { 0 }, second = { 0 };

	run(&first);
	run(&second);
	cr_assert_gt(count_lines(&first), 100);
	cr_expect_str_eq(first.at, second.at);
	text_deinit(&first);
	text_deinit(&second);
}
