/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

Test(clock, times_are_written_in_utc_with_nine_digits)
{
	static const struct {
		const char *name;
		int64_t ns;
		const char *text;
	} rows[] = {
		{ "the epoch", 0, "1970-01-01T00:00:00.000000000Z" },
		{ "one after it", 1, "1970-01-01T00:00:00.000000001Z" },
		{ "one before it", -1, "1969-12-31T23:59:59.999999999Z" },
		{ "a second before", -NS_PER_S, "1969-12-31T23:59:59.000000000Z" },
		{ "a day before", -86400 * NS_PER_S, "1969-12-31T00:00:00.000000000Z" },
		{ "today", INT64_C(1795353936123456789), "2026-11-22T13:25:36.123456789Z" },
		{ "leap day", INT64_C(951782400) * NS_PER_S, "2000-02-29T00:00:00.000000000Z" },
		{ "after the leap day", INT64_C(951868800) * NS_PER_S,
			"2000-03-01T00:00:00.000000000Z" },
		{ "no leap year", INT64_C(4107542400) * NS_PER_S,
			"2100-03-01T00:00:00.000000000Z" },
		{ "the last", INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
		{ "the first", INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
	};
	char text[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_str_eq(clock_format(rows[i].ns, text), rows[i].text, "%s: %s",
			rows[i].name, text);
}

/* Every day that a time can hold, compared with the C library. */
Test(clock, every_day_agrees_with_the_c_library)
{
	char got[CLOCK_TEXT_MAX], want[CLOCK_TEXT_MAX];

	for (int64_t day = -106750; day <= 106750; day++) {
		time_t seconds = day * 86400 + (day & 0xffff);
		struct tm tm;
		gmtime_r(&seconds, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
		cr_assert_str_eq(clock_format(seconds * NS_PER_S, got), want);
	}
}

/* Forwards, backwards, within a second and over its ends. */
Test(clock, a_time_in_the_middle_of_a_text_is_written_as_alone)
{
	static const int64_t times[] = { 0, 1, NS_PER_S - 1, NS_PER_S, NS_PER_S + 1,
		NS_PER_S - 1, -1, -NS_PER_S, -NS_PER_S - 1, 5, INT64_MAX, INT64_MAX - 1,
		INT64_MAX - NS_PER_S, INT64_MIN, INT64_MIN + 1, INT64_MIN + NS_PER_S,
		INT64_C(1795353936123456789), INT64_C(1795353936999999999),
		INT64_C(1795353937000000000) };
	struct clock_second second = { 0 };
	char want[CLOCK_TEXT_MAX], got[CLOCK_TEXT_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		memset(got, 'x', sizeof(got));
		char *end = clock_put(&second, got + 1, times[i]);
		cr_assert_eq(end, got + 1 + CLOCK_TEXT_LEN);
		*end = '\0';
		cr_assert_eq(got[0], 'x');
		cr_assert_str_eq(got + 1, clock_format(times[i], want));
	}
}

Test(clock, a_day_ends_with_its_last_nanosecond)
{
	static const char *const days[] = { "1970-01-01", "1969-12-31", "2000-02-29",
		"2024-02-29", "2026-11-22", "2027-01-31", "2100-02-28", "2262-04-10",
		"1677-09-22" };
	char text[CLOCK_TEXT_MAX], want[CLOCK_TEXT_MAX];
	int64_t ns;

	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		cr_assert(clock_parse_day_end(&ns, days[i]), "%s", days[i]);
		snprintf(want, sizeof(want), "%sT23:59:59.999999999Z", days[i]);
		cr_assert_str_eq(clock_format(ns, text), want, "%s", days[i]);
	}
}

Test(clock, days_beyond_what_a_time_can_hold_mean_for_ever)
{
	int64_t ns;

	cr_assert(clock_parse_day_end(&ns, "2262-04-11"));
	cr_assert_eq(ns, INT64_MAX);
	cr_assert(clock_parse_day_end(&ns, "9999-12-31"));
	cr_assert_eq(ns, INT64_MAX);
	cr_assert(clock_parse_day_end(&ns, "0001-01-01"));
	cr_assert_eq(ns, INT64_MIN);
	cr_assert(clock_parse_day_end(&ns, "1677-09-19"));
	cr_assert_eq(ns, INT64_MIN);
}

Test(clock, what_is_no_day_is_refused_and_changes_nothing)
{
	static const char *const rows[] = { "", "2026", "2026-11", "2026-11-", "2026-11-2",
		"2026-11-222", "26-11-22", "2026/11/22", "2026-11-22 ", " 2026-11-22",
		"2026-11-22T00:00:00Z", "2026-00-22", "2026-13-22", "2026-11-00", "2026-11-31",
		"2026-02-29", "2100-02-29", "2026-02-30", "2026-01-32", "-026-11-22",
		"2026-1a-22", "tomorrow" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ns = 7;
		cr_assert_not(clock_parse_day_end(&ns, rows[i]), "'%s'", rows[i]);
		cr_assert_eq(ns, 7, "'%s'", rows[i]);
	}
}

Test(clock, clocks_run)
{
	int64_t monotonic = clock_monotonic_ns();

	cr_assert_geq(clock_monotonic_ns(), monotonic);
	cr_assert_gt(clock_wall_ns(), INT64_C(1700000000) * NS_PER_S, "later than 2023");
}
