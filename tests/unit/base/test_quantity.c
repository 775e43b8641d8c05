/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/quantity.h"

#include <criterion/criterion.h>
#include <math.h>

#include "sensor/base/clock.h"

#define MINUTE (60 * NS_PER_S)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

Test(quantity, durations_are_read)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = { { "0", 0 }, { "0s", 0 }, { "90s", 90 * NS_PER_S }, { "5m", 5 * MINUTE },
		{ "2h", 2 * HOUR }, { "7d", 7 * DAY }, { "250ms", 250 * NS_PER_MS },
		{ "1h30m", 90 * MINUTE },
		{ "1d2h3m4s5ms", DAY + 2 * HOUR + 3 * MINUTE + 4 * NS_PER_S + 5 * NS_PER_MS },
		{ "007s", 7 * NS_PER_S }, { "106751d", 106751 * DAY },
		{ "9223372036s", INT64_C(9223372036) * NS_PER_S } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ns = -1;
		cr_assert(quantity_parse_duration(&ns, rows[i].text), "%s", rows[i].text);
		cr_assert_eq(ns, rows[i].ns, "%s", rows[i].text);
	}
}

Test(quantity, what_is_no_duration_is_refused_and_changes_nothing)
{
	static const char *const rows[] = { "", " ", "5", "s", "-5m", "+5m", "5 m", " 5m",
		"5m ", "5M", "5min", "1.5h", "5m5", "30m1h", "1h1h", "1w", "1y", "5us",
		"106752d", "9223372037s", "99999999999999999999s", "18446744073709551616s",
		"1ns", "0x5s" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ns = -7;
		cr_assert_not(quantity_parse_duration(&ns, rows[i]), "'%s'", rows[i]);
		cr_assert_eq(ns, -7, "'%s'", rows[i]);
	}
}

Test(quantity, durations_are_written)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = { { 0, "0s" }, { 1, "1ns" }, { 999, "999ns" }, { 17000, "17us" },
		{ 999999, "999us" }, { NS_PER_MS, "1ms" }, { 250 * NS_PER_MS, "250ms" },
		{ NS_PER_S - 1, "999ms" }, { NS_PER_S, "1s" }, { 3723 * NS_PER_S, "1h2m3s" },
		{ 5 * MINUTE, "5m" }, { 90 * MINUTE, "1h30m" }, { 7 * DAY, "7d" },
		{ -5 * MINUTE, "-5m" }, { -1, "-1ns" }, { INT64_MAX, "106751d23h47m16s854ms" },
		{ INT64_MIN, "-106751d23h47m16s854ms" } };
	char text[QUANTITY_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_str_eq(quantity_format_duration(rows[i].ns, text), rows[i].text,
			"%s, not %s", text, rows[i].text);
}

Test(quantity, whole_milliseconds_are_read_back_as_written)
{
	char text[QUANTITY_TEXT_MAX];
	int64_t back;

	for (int64_t ms = 0; ms < 30 * DAY / NS_PER_MS; ms = ms * 5 / 4 + 1) {
		quantity_format_duration(ms * NS_PER_MS, text);
		cr_assert(quantity_parse_duration(&back, text), "%s", text);
		cr_assert_eq(back, ms * NS_PER_MS, "%s", text);
	}
}

Test(quantity, sizes_are_read)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} rows[] = { { "0", 0 }, { "512", 512 }, { "64k", 65536 }, { "64K", 65536 },
		{ "3M", 3 << 20 }, { "2G", UINT64_C(2) << 30 },
		{ "18446744073709551615", UINT64_MAX },
		{ "17179869183G", UINT64_C(17179869183) << 30 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t bytes = 7;
		cr_assert(quantity_parse_size(&bytes, rows[i].text), "%s", rows[i].text);
		cr_assert_eq(bytes, rows[i].bytes, "%s", rows[i].text);
	}
}

Test(quantity, what_is_no_size_is_refused_and_changes_nothing)
{
	static const char *const rows[] = { "", "k", "-1", "+1", "1.5k", "1 k", " 1", "1 ",
		"1m", "1g", "1kB", "1T", "1k1k", "1k1", "17179869184G", "18446744073709551616",
		"0x10" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t bytes = 7;
		cr_assert_not(quantity_parse_size(&bytes, rows[i]), "'%s'", rows[i]);
		cr_assert_eq(bytes, 7, "'%s'", rows[i]);
	}
}

Test(quantity, sizes_are_written_for_people)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = { { 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1 kB" }, { 1536, "1.5 kB" },
		{ 64 << 20, "64 MB" }, { (1 << 20) - 1, "1 MB" },
		{ UINT64_C(5) << 29, "2.5 GB" }, { UINT64_C(3) << 40, "3 TB" },
		{ UINT64_MAX, "16 EB" } };
	char text[QUANTITY_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_str_eq(quantity_format_size(rows[i].bytes, text), rows[i].text,
			"%s, not %s", text, rows[i].text);
}

Test(quantity, counts_are_whole_numbers)
{
	static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "1.0", "1e3", "0x10",
		"1k", "18446744073709551616", "99999999999999999999999" };
	uint64_t count;

	cr_assert(quantity_parse_count(&count, "0"));
	cr_assert_eq(count, 0);
	cr_assert(quantity_parse_count(&count, "18446744073709551615"));
	cr_assert_eq(count, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		count = 7;
		cr_assert_not(quantity_parse_count(&count, bad[i]), "'%s'", bad[i]);
		cr_assert_eq(count, 7, "'%s'", bad[i]);
	}
}

Test(quantity, numbers_may_have_a_fraction)
{
	static const struct {
		const char *text;
		double number;
	} good[] = { { "0", 0 }, { "3.5", 3.5 }, { "-2", -2 }, { "+4", 4 }, { ".5", 0.5 },
		{ "5.", 5 }, { "1e3", 1000 }, { "2.5E-1", 0.25 } };
	static const char *const bad[] = { "", " 1", "1 ", "1,5", "nan", "inf", "0x10", "1e999",
		"e5", ".", "-", "1.2.3", "--1", "3x" };
	double number;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		cr_assert(quantity_parse_number(&number, good[i].text), "%s", good[i].text);
		cr_assert_lt(fabs(number - good[i].number), 1e-12, "%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		number = 7;
		cr_assert_not(quantity_parse_number(&number, bad[i]), "'%s'", bad[i]);
		cr_assert_lt(fabs(number - 7), 1e-12, "'%s'", bad[i]);
	}
}

Test(quantity, booleans_are_true_or_false)
{
	static const char *const bad[] = { "", "True", "yes", "1", "true ", "falsey" };
	bool value = false;

	cr_assert(quantity_parse_bool(&value, "true"));
	cr_assert(value);
	cr_assert(quantity_parse_bool(&value, "false"));
	cr_assert_not(value);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		value = true;
		cr_assert_not(quantity_parse_bool(&value, bad[i]), "'%s'", bad[i]);
		cr_assert(value, "'%s'", bad[i]);
	}
}
