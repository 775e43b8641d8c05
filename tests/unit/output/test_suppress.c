/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/suppress.h"

#include "sensor/base/attribute.h"
#include "sensor/base/text.h"
#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define T0   SAMPLE_NOON_NS
#define HOUR (3600 * SAMPLE_S)

/* What came out, one word each: "+key" passed, "(key 3/4)" closed with 3 held of 4 counted. */
static struct text out;
static struct alert last;
static int64_t ids[100000];
static size_t id_count;

static void note(void *arg, const struct alert *a, int64_t window_ns)
{
	(void)arg;
	if (a->suppressed)
		text_printf(&out, "(%s %llu/%llu)", alert_get(a, a->key),
			(unsigned long long)a->suppressed, (unsigned long long)a->count);
	else
		text_printf(&out, "+%s", alert_get(a, a->key));
	alert_copy(&last, a);
	ids[id_count++] = window_ns;
}

static struct suppress *fresh(size_t windows_max, size_t bytes_max)
{
	struct suppress_options options = { windows_max, bytes_max };

	text_clear(&out);
	text_puts(&out, "");
	id_count = 0;
	struct suppress *s = suppress_new(&options, note, NULL);
	cr_assert_not_null(s);
	return s;
}

static void raise_as(struct suppress *s, const char *key, int64_t ts_ns, enum severity severity,
	int64_t span_ns)
{
	struct alert a;

	sample_plain(&a, key, ts_ns);
	a.severity = (uint8_t)severity;
	a.suppress_ns = span_ns;
	suppress_accept(s, &a);
}

static void raise_at(struct suppress *s, const char *key, int64_t ts_ns)
{
	raise_as(s, key, ts_ns, SEVERITY_MEDIUM, HOUR);
}

static const char *said(void)
{
	return out.at ? out.at : "";
}

/* Boundary triples: the end of a window is outside it. */
static const struct {
	const char *name;
	int64_t repeat_ns, tick_ns;
	const char *want;
} borders[] = {
	{ "repeat at the same time", T0, T0 + HOUR, "+a(a 1/2)" },
	{ "repeat a nanosecond before the end", T0 + HOUR - 1, T0 + HOUR, "+a(a 1/2)" },
	{ "repeat at the end", T0 + HOUR, T0 + HOUR, "+a+a" },
	{ "repeat a nanosecond after the end", T0 + HOUR + 1, T0 + HOUR + 1, "+a+a" },
	{ "repeat before the first one", T0 - 5, T0 + HOUR, "+a(a 1/2)" },
	{ "tick a nanosecond before the end", T0 + 1, T0 + HOUR - 1, "+a" },
	{ "tick at the end", T0 + 1, T0 + HOUR, "+a(a 1/2)" },
	{ "tick a nanosecond after the end", T0 + 1, T0 + HOUR + 1, "+a(a 1/2)" },
};

Test(suppress, window_holds_what_lies_inside_and_closes_at_its_end)
{
	for (size_t i = 0; i < ARRAY_LEN(borders); i++) {
		struct suppress *s = fresh(0, 0);
		raise_at(s, "a", T0);
		raise_at(s, "a", borders[i].repeat_ns);
		suppress_tick(s, borders[i].tick_ns);
		cr_expect_str_eq(said(), borders[i].want, "%s: %s", borders[i].name, said());
		suppress_free(s);
	}
}

Test(suppress, closing_alert_tells_the_total_and_the_times)
{
	struct suppress *s = fresh(0, 0);

	raise_at(s, "a", T0);
	for (int i = 1; i <= 41; i++)
		raise_at(s, "a", T0 + i * 60 * SAMPLE_S);
	suppress_tick(s, T0 + HOUR + 7);
	cr_assert_str_eq(said(), "+a(a 41/42)");
	cr_expect_str_eq(alert_get(&last, last.message),
		"10.1.0.9 looked up cam7.duckdns.org (41 more times until 12:41 UTC)");
	cr_expect_eq(last.start_ns, T0 + 60 * SAMPLE_S);
	cr_expect_eq(last.end_ns, T0 + 41 * 60 * SAMPLE_S);
	cr_expect_eq(last.ts_ns, T0 + HOUR, "written when the window ended");
	cr_expect_eq(last.rule, RULE_LOOKUP_UNAPPROVED);
	cr_expect_eq(last.why_count, 1);
	struct suppress_stats stats = suppress_stats(s);
	cr_expect_eq(stats.raised, 42);
	cr_expect_eq(stats.held, 41);
	cr_expect_eq(stats.closings, 1);
	cr_expect_eq(stats.windows, 0);
	cr_expect_eq(stats.bytes, 0);
	suppress_free(s);
}

Test(suppress, one_repeat_is_one_time_and_another_day_is_named)
{
	struct suppress *s = fresh(0, 0);

	raise_as(s, "a", T0, SEVERITY_LOW, 48 * HOUR);
	raise_as(s, "a", T0 + SAMPLE_S, SEVERITY_LOW, 48 * HOUR);
	raise_as(s, "a", T0 + 13 * HOUR, SEVERITY_LOW, 48 * HOUR);
	suppress_finish(s);
	cr_expect_str_eq(alert_get(&last, last.message),
		"10.1.0.9 looked up cam7.duckdns.org (2 more "
		"times until 2026-11-23 01:00 UTC)");
	suppress_free(s);
	s = fresh(0, 0);
	raise_at(s, "a", T0);
	raise_at(s, "a", T0 + SAMPLE_S);
	suppress_finish(s);
	cr_expect_str_eq(alert_get(&last, last.message),
		"10.1.0.9 looked up cam7.duckdns.org (1 more time until 12:00 UTC)");
	cr_expect_eq(last.ts_ns, T0 + SAMPLE_S, "the window was cut short by the end");
	suppress_free(s);
}

Test(suppress, nothing_is_said_about_a_key_that_did_not_repeat)
{
	struct suppress *s = fresh(0, 0);

	raise_at(s, "a", T0);
	raise_at(s, "b", T0);
	suppress_tick(s, T0 + 2 * HOUR);
	suppress_finish(s);
	cr_expect_str_eq(said(), "+a+b");
	suppress_free(s);
}

Test(suppress, higher_severity_passes_at_once_and_tells_what_was_held)
{
	struct suppress *s = fresh(0, 0);

	raise_as(s, "a", T0, SEVERITY_MEDIUM, HOUR);
	raise_as(s, "a", T0 + 1, SEVERITY_LOW, HOUR);
	raise_as(s, "a", T0 + 2, SEVERITY_MEDIUM, HOUR);
	raise_as(s, "a", T0 + 3, SEVERITY_HIGH, HOUR);
	cr_expect_str_eq(said(), "+a(a 2/1)");
	cr_expect_eq(last.severity, SEVERITY_HIGH);
	raise_as(s, "a", T0 + 4, SEVERITY_HIGH, HOUR);
	raise_as(s, "a", T0 + 5, SEVERITY_MEDIUM, HOUR);
	suppress_tick(s, T0 + HOUR + 2);
	cr_expect_str_eq(said(), "+a(a 2/1)", "the window began anew with the high one");
	suppress_tick(s, T0 + HOUR + 3);
	cr_expect_str_eq(said(), "+a(a 2/1)(a 2/3)");
	cr_expect_eq(last.severity, SEVERITY_HIGH, "of the worst that was held");
	struct suppress_stats stats = suppress_stats(s);
	cr_expect_eq(stats.raised, 6);
	cr_expect_eq(stats.held, 4);
	cr_expect_eq(stats.closings, 1);
	suppress_free(s);
}

Test(suppress, zero_lets_each_through)
{
	struct suppress *s = fresh(0, 0);

	for (int i = 0; i < 3; i++)
		raise_as(s, "a", T0, SEVERITY_LOW, 0);
	suppress_finish(s);
	cr_expect_str_eq(said(), "+a+a+a");
	suppress_free(s);
}

Test(suppress, alerts_without_a_key_are_never_held)
{
	struct suppress *s = fresh(0, 0);

	raise_at(s, "", T0);
	raise_at(s, "", T0);
	cr_expect_str_eq(said(), "++");
	suppress_free(s);
}

Test(suppress, keys_are_told_apart_by_their_whole_text)
{
	struct suppress *s = fresh(16, 0);
	char key[32];

	for (int i = 0; i < 16; i++) { /* 64 chains and alike texts: some share a chain */
		snprintf(key, sizeof(key), "lookup|acme|10.0.0.%d", i);
		raise_at(s, key, T0);
	}
	cr_expect_eq(suppress_stats(s).held, 0);
	raise_at(s, "lookup|acme|10.0.0.1", T0 + 1);
	raise_at(s, "lookup|acme|10.0.0.11", T0 + 1);
	cr_expect_eq(suppress_stats(s).held, 2);
	suppress_free(s);
}

Test(suppress, windows_close_in_order_of_their_ends)
{
	struct suppress *s = fresh(0, 0);
	static const int spans[] = { 50, 10, 30, 20, 40, 10 };
	char key[8];

	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		snprintf(key, sizeof(key), "%zu", i);
		raise_as(s, key, T0, SEVERITY_LOW, spans[i] * SAMPLE_S);
		raise_as(s, key, T0 + 1, SEVERITY_LOW, spans[i] * SAMPLE_S);
	}
	text_clear(&out);
	suppress_tick(s, T0 + 30 * SAMPLE_S);
	cr_expect_str_eq(said(), "(1 1/2)(5 1/2)(3 1/2)(2 1/2)");
	suppress_finish(s);
	cr_expect_str_eq(said(), "(1 1/2)(5 1/2)(3 1/2)(2 1/2)(4 1/2)(0 1/2)");
	suppress_free(s);
}

Test(suppress, when_full_the_window_that_ends_first_closes_early)
{
	struct suppress *s = fresh(2, 0);

	raise_at(s, "a", T0);
	raise_at(s, "a", T0 + 1);
	raise_at(s, "b", T0 + 2);
	raise_at(s, "c", T0 + 3);
	cr_expect_str_eq(said(), "+a+b(a 1/2)+c");
	cr_expect_eq(last.ts_ns, T0 + 3);
	raise_at(s, "a", T0 + 4);
	cr_expect_str_eq(said(), "+a+b(a 1/2)+c+a", "a is new again, b went silently");
	cr_expect_eq(suppress_stats(s).closed_early, 2);
	cr_expect_eq(suppress_stats(s).windows, 2);
	suppress_free(s);
}

Test(suppress, memory_stays_within_its_limit)
{
	const size_t limit = 64 * 1024;
	struct suppress *s = fresh(0, limit);
	char key[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "key %d", i / 2); /* each repeats once */
		text_clear(&out);
		raise_at(s, key, T0 + i);
		cr_assert_leq(suppress_stats(s).bytes, limit + sizeof(struct alert));
	}
	struct suppress_stats stats = suppress_stats(s);
	cr_expect_gt(stats.closed_early, 5000);
	suppress_finish(s);
	stats = suppress_stats(s);
	cr_expect_eq(stats.bytes, 0);
	cr_expect_eq(stats.held + id_count - stats.closings, stats.raised, "the books balance");
	suppress_free(s);
}

Test(suppress, a_message_that_no_longer_fits_stays_as_it_was)
{
	struct suppress *s = fresh(0, 0);
	struct alert a;
	static char filler[ALERT_POOL_BYTES];

	sample_plain(&a, "a", T0);
	memset(filler, 'x', sizeof(filler) - 1);
	a.zone = alert_put(&a, filler);
	suppress_accept(s, &a);
	suppress_accept(s, &a);
	suppress_finish(s);
	cr_expect_str_eq(alert_get(&last, last.message), "10.1.0.9 looked up cam7.duckdns.org");
	cr_expect_eq(last.suppressed, 1);
	suppress_free(s);
}

/* Two alerts of one key never have the same id, whatever their times. */
Test(suppress, no_two_ids_of_a_key_are_equal)
{
	struct suppress *s = fresh(0, 0);

	raise_as(s, "a", T0, SEVERITY_LOW, HOUR);
	raise_as(s, "a", T0, SEVERITY_LOW, HOUR);    /* held, at the same time */
	raise_as(s, "a", T0, SEVERITY_MEDIUM, HOUR); /* passes, at the same time */
	raise_as(s, "a", T0, SEVERITY_MEDIUM, HOUR); /* held */
	raise_as(s, "a", T0, SEVERITY_HIGH, 0);
	raise_as(s, "a", T0, SEVERITY_HIGH, 0);
	suppress_finish(s);
	cr_assert_eq(id_count, 4);
	for (size_t i = 1; i < id_count; i++)
		cr_expect_gt(ids[i], ids[i - 1], "%zu", i);
	cr_expect_eq(ids[0], T0);
	suppress_free(s);
}

static void random_run(struct text *copy)
{
	struct suppress *s = fresh(50, 0);
	uint32_t random = 12345;
	char key[16];
	int64_t ts = T0;

	for (int i = 0; i < 5000; i++) {
		random = random * 1664525 + 1013904223;
		snprintf(key, sizeof(key), "%u", random >> 8 & 127);
		ts += (random >> 20) * SAMPLE_S / 1000;
		raise_as(s, key, ts, random >> 16 & 3, (random >> 12 & 7) * 10 * SAMPLE_S);
		if (i % 16 == 0)
			suppress_tick(s, ts);
	}
	suppress_finish(s);
	struct suppress_stats stats = suppress_stats(s);
	cr_expect_eq(stats.raised, 5000);
	cr_expect_eq(stats.raised - stats.held + stats.closings, id_count);
	text_puts(copy, said());
	suppress_free(s);
}

/* The tables are seeded at random, and that must not show. */
Test(suppress, equal_input_gives_equal_output)
{
	struct text first = { 0 }, second = { 0 };

	random_run(&first);
	random_run(&second);
	cr_expect_gt(first.len, 1000);
	cr_expect_str_eq(first.at, second.at);
	text_deinit(&first);
	text_deinit(&second);
}

Test(suppress, a_window_beyond_the_end_of_time_is_no_overflow)
{
	struct suppress *s = fresh(0, 0);

	raise_as(s, "a", INT64_MAX - 5, SEVERITY_LOW, INT64_MAX);
	raise_as(s, "a", INT64_MAX - 4, SEVERITY_LOW, INT64_MAX);
	suppress_finish(s);
	cr_expect_str_eq(said(), "+a(a 1/2)");
	suppress_free(s);
}
