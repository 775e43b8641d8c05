/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/json.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/guard.h"

static void expect(struct text *t, const char *want)
{
	cr_assert_not(t->failed);
	cr_assert_eq(t->len, strlen(t->at));
	cr_assert_str_eq(t->at, want, "got  %s\nwant %s", t->at, want);
	text_deinit(t);
}

/* The string value alone, as json_string_len writes it. */
static void expect_string(const char *bytes, size_t len, const char *want)
{
	struct text t = { 0 };
	struct json j = json_start(&t);

	json_string_len(&j, NULL, bytes, len);
	expect(&t, want);
}

Test(json, commas_and_nesting_are_placed_by_the_writer)
{
	struct text t = { 0 };
	struct json j = json_start(&t);

	json_object(&j, NULL);
	json_string(&j, "name", "acme");
	json_array(&j, "ids");
	json_integer(&j, NULL, 7);
	json_unsigned(&j, NULL, 8);
	json_array_end(&j);
	json_object(&j, "empty");
	json_object_end(&j);
	json_array(&j, "none");
	json_array_end(&j);
	json_array(&j, "rows");
	json_object(&j, NULL);
	json_bool(&j, "yes", true);
	json_bool(&j, "no", false);
	json_object_end(&j);
	json_object(&j, NULL);
	json_null(&j, "nothing");
	json_object_end(&j);
	json_array_end(&j);
	json_number(&j, "last", 0.5);
	json_object_end(&j);
	expect(&t, "{\"name\":\"acme\",\"ids\":[7,8],\"empty\":{},\"none\":[],"
		   "\"rows\":[{\"yes\":true,\"no\":false},{\"nothing\":null}],\"last\":0.5}");
}

Test(json, sixteen_levels_are_kept_apart)
{
	struct text t = { 0 };
	struct json j = json_start(&t);
	char want[256] = "";

	for (int i = 0; i < 16; i++) {
		json_array(&j, NULL);
		json_integer(&j, NULL, i);
		sprintf(want + strlen(want), "%s[%d", i ? "," : "", i);
	}
	for (int i = 0; i < 16; i++) {
		json_array_end(&j);
		strcat(want, "]");
	}
	expect(&t, want);
}

Test(json, several_values_may_follow_in_one_text)
{
	struct text t = { 0 };

	for (int i = 0; i < 2; i++) {
		struct json j = json_start(&t);
		json_object(&j, NULL);
		json_integer(&j, "n", i);
		json_object_end(&j);
		text_putc(&t, '\n');
	}
	expect(&t, "{\"n\":0}\n{\"n\":1}\n");
}

/* What a byte alone must become. */
static void want_of_byte(unsigned byte, char want[16])
{
	switch (byte) {
	case '"':
		strcpy(want, "\"\\\"\"");
		break;
	case '\\':
		strcpy(want, "\"\\\\\"");
		break;
	case '\n':
		strcpy(want, "\"\\n\"");
		break;
	case '\r':
		strcpy(want, "\"\\r\"");
		break;
	case '\t':
		strcpy(want, "\"\\t\"");
		break;
	default:
		if (byte < 0x20 || byte >= 0x7f)
			sprintf(want, "\"\\u%04x\"", byte);
		else
			sprintf(want, "\"%c\"", (char)byte);
	}
}

Test(json, every_byte_alone_gives_valid_json)
{
	for (unsigned byte = 0; byte <= 0xff; byte++) {
		char c = (char)byte, want[16];
		want_of_byte(byte, want);
		expect_string(&c, 1, want);
	}
}

Test(json, utf8_is_kept_and_what_is_not_utf8_is_escaped)
{
	static const struct {
		const char *name, *bytes, *want;
	} rows[] = {
		{ "two bytes", "\xc3\xbc", "\"\xc3\xbc\"" },
		{ "three bytes", "\xe2\x82\xac", "\"\xe2\x82\xac\"" },
		{ "four bytes", "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
		{ "first of two", "\xc2\xa0", "\"\xc2\xa0\"" },
		{ "last of two", "\xdf\xbf", "\"\xdf\xbf\"" },
		{ "first of three", "\xe0\xa0\x80", "\"\xe0\xa0\x80\"" },
		{ "last before surrogates", "\xed\x9f\xbf", "\"\xed\x9f\xbf\"" },
		{ "first of four", "\xf0\x90\x80\x80", "\"\xf0\x90\x80\x80\"" },
		{ "last of all", "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"" },
		{ "control C1", "\xc2\x9b", "\"\\u00c2\\u009b\"" },
		{ "overlong two", "\xc0\xaf", "\"\\u00c0\\u00af\"" },
		{ "overlong three", "\xe0\x9f\xbf", "\"\\u00e0\\u009f\\u00bf\"" },
		{ "overlong four", "\xf0\x8f\xbf\xbf", "\"\\u00f0\\u008f\\u00bf\\u00bf\"" },
		{ "surrogate", "\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\"" },
		{ "above the last", "\xf4\x90\x80\x80", "\"\\u00f4\\u0090\\u0080\\u0080\"" },
		{ "five bytes", "\xf8\x88\x80\x80\x80",
			"\"\\u00f8\\u0088\\u0080\\u0080\\u0080\"" },
		{ "continuation alone", "a\x80z", "\"a\\u0080z\"" },
		{ "cut, then text", "\xe2\x82z", "\"\\u00e2\\u0082z\"" },
		{ "cut, then a whole one", "\xc3\xc3\xbc", "\"\\u00c3\xc3\xbc\"" },
		{ "third byte wrong", "\xe2\x82\x41", "\"\\u00e2\\u0082A\"" },
		{ "fourth byte wrong", "\xf0\x9f\x98\x41", "\"\\u00f0\\u009f\\u0098A\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t = { 0 };
		struct json j = json_start(&t);
		json_string(&j, NULL, rows[i].bytes);
		cr_assert_str_eq(t.at, rows[i].want, "%s: %s", rows[i].name, t.at);
		text_deinit(&t);
	}
}

/* A sequence that the end cuts off is escaped, and no byte past the end is looked at. */
Test(json, a_sequence_cut_by_the_end_is_escaped)
{
	static const char emoji[] = "\xf0\x9f\x98\x80";
	static const char *const want[] = { "\"\"", "\"\\u00f0\"", "\"\\u00f0\\u009f\"",
		"\"\\u00f0\\u009f\\u0098\"", "\"\xf0\x9f\x98\x80\"" };
	struct guard g = { 0 };

	for (size_t len = 0; len <= 4; len++)
		expect_string((const char *)guard_place(&g, emoji, len), len, want[len]);
	guard_deinit(&g);
}

Test(json, a_long_string_of_the_worst_bytes_fits)
{
	char bytes[5000];
	struct text t = { 0 };
	struct json j = json_start(&t);

	memset(bytes, 0x01, sizeof(bytes));
	json_string_len(&j, NULL, bytes, sizeof(bytes));
	cr_assert_eq(t.len, 6 * sizeof(bytes) + 2);
	text_deinit(&t);
}

Test(json, keys_are_escaped_like_values)
{
	struct text t = { 0 };
	struct json j = json_start(&t);

	json_object(&j, NULL);
	json_integer(&j, "a\"b\n", 1);
	json_object_end(&j);
	expect(&t, "{\"a\\\"b\\n\":1}");
}

Test(json, integers_are_written_in_full)
{
	struct text t = { 0 };
	struct json j = json_start(&t);

	json_array(&j, NULL);
	json_integer(&j, NULL, 0);
	json_integer(&j, NULL, -1);
	json_integer(&j, NULL, INT64_MAX);
	json_integer(&j, NULL, INT64_MIN);
	json_unsigned(&j, NULL, UINT64_MAX);
	json_array_end(&j);
	expect(&t, "[0,-1,9223372036854775807,-9223372036854775808,18446744073709551615]");
}

Test(json, numbers_are_short_and_never_infinite)
{
	static const struct {
		double value;
		const char *want;
	} rows[] = { { 0, "0" }, { -0.0, "0" }, { 0.5, "0.5" }, { -2.25, "-2.25" }, { 7, "7" },
		{ 1234567, "1234567" }, { 1.0 / 3, "0.333333" }, { 1e14, "100000000000000" },
		{ 1e15, "1e+15" }, { 1e300, "1e+300" }, { 1.5e-7, "1.5e-07" },
		{ 99.99999999, "100" }, { NAN, "null" }, { INFINITY, "null" },
		{ -INFINITY, "null" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t = { 0 };
		struct json j = json_start(&t);
		json_number(&j, NULL, rows[i].value);
		cr_assert_str_eq(t.at, rows[i].want, "%s, not %s", t.at, rows[i].want);
		text_deinit(&t);
	}
}

Test(json, out_of_memory_is_the_texts_failure)
{
	struct text t = { .failed = true };
	struct json j = json_start(&t);

	json_object(&j, NULL);
	json_string(&j, "a", "b");
	json_integer(&j, "c", 1);
	json_object_end(&j);
	cr_assert(t.failed);
	cr_assert_null(t.at);
	cr_assert_eq(t.len, 0);
}

/* What is copied by blocks is what is escaped byte by byte, wherever in the text it stands. */
Test(json, a_byte_is_written_alike_at_every_place_of_every_length)
{
	static const uint8_t bytes[] = { 'x', '"', '\\', 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0xff,
		0 };
	struct guard g = { 0 };

	for (size_t len = 1; len <= 50; len++) {
		for (size_t at = 0; at < len; at++) {
			for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
				char plain[64], want[80], alone[16];
				memset(plain, 'a', len);
				plain[at] = (char)bytes[i];
				want_of_byte(bytes[i], alone);
				alone[strlen(alone) - 1] = '\0'; /* without its quotes */
				sprintf(want, "\"%.*s%s%.*s\"", (int)at, plain, alone + 1,
					(int)(len - 1 - at), plain + at + 1);
				expect_string(
					(const char *)guard_place(&g, plain, len), len, want);
			}
		}
	}
	guard_deinit(&g);
}

/* The text in one look, at the end of what may be read, as json_string_len writes it. */
static void expect_text_as_string(struct guard *g, const char *bytes, size_t len)
{
	char placed[512] = { 0 }, got[6 * 512];
	struct text t = { 0 };
	struct json j = json_start(&t);

	memcpy(placed, bytes, len);
	memset(placed + len + 1, '"', JSON_TEXT_SLACK - 1);
	json_string_len(&j, NULL, bytes, len);
	*json_put_text(got, (const char *)guard_place(g, placed, len + JSON_TEXT_SLACK)) = '\0';
	cr_assert_str_eq(got, t.at, "%zu octets: %s, not %s", len, got, t.at);
	text_deinit(&t);
}

Test(json, a_text_in_one_look_is_written_like_a_string)
{
	static const char *const parts[] = { "\"", "\\", "\n", "\x1f", "\x7f", "\x80", "\xff",
		"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xe2\x82", "\xc0\xaf",
		"\n\n\"", "plain" };
	struct guard g = { 0 };
	char bytes[64];

	for (size_t before = 0; before <= 34; before++) {
		for (size_t after = 0; after <= 18; after++) {
			for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
				size_t len = (size_t)snprintf(bytes, sizeof(bytes),
					"%.*s%s%.*s", (int)before,
					"abcdefghijklmnopqrstuvwxyz0123456789", parts[i],
					(int)after, "ABCDEFGHIJKLMNOPQRST");
				expect_text_as_string(&g, bytes, len);
			}
		}
	}
	guard_deinit(&g);
}
