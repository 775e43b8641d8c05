/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/results.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"

static const struct result rows[] = {
	{ .feed = "urlhaus",
		.kind = RESULT_UPDATED,
		.before_known = true,
		.after_known = true,
		.before = 1200,
		.after = 1210,
		.added = 15,
		.removed = 5,
		.rejected = 2,
		.bytes = 40960,
		.elapsed_ns = 1250 * NS_PER_MS },
	{ .feed = "a", .kind = RESULT_FAILED, .why = { "HTTP 404 \x1b[31m\"\xc2\x9b" } },
};

Test(results, the_table_lines_up_and_shows_what_is_not_known_as_a_dash)
{
	struct text out = { 0 };

	results_table(&out, rows, ARRAY_LEN(rows));
	cr_expect_str_eq(out.at,
		"feed     result   before  after  added  removed  rejected  bytes  seconds\n"
		"urlhaus  updated    1200   1210     15        5         2  40960     1.25\n"
		"a        failed        -      -      -        -         -      0     0.00  "
		"HTTP 404 "
		"?[31m\"??\n");
	text_deinit(&out);
}

Test(results, json_has_every_key_in_every_feed)
{
	struct text out = { 0 };

	results_json(&out, rows, ARRAY_LEN(rows), true);
	cr_expect_str_eq(out.at,
		"{\"dry_run\":true,\"feeds\":["
		"{\"feed\":\"urlhaus\",\"result\":\"updated\",\"reason\":null,\"before\":1200,"
		"\"after\":1210,\"added\":15,\"removed\":5,\"rejected\":2,\"bytes\":40960,"
		"\"seconds\":1.25},"
		"{\"feed\":\"a\",\"result\":\"failed\",\"reason\":\"HTTP 404 "
		"\\u001b[31m\\\"\\u00c2\\u009b\","
		"\"before\":null,\"after\":null,\"added\":null,\"removed\":null,\"rejected\":"
		"null,"
		"\"bytes\":0,\"seconds\":0}]}\n");
	text_deinit(&out);
}

Test(results, kept_and_failed_are_bad_and_nothing_is_not)
{
	struct result r = { .kind = RESULT_UNCHANGED };

	cr_expect_not(results_any_bad(&r, 0));
	cr_expect_not(results_any_bad(&r, 1));
	r.kind = RESULT_KEPT;
	cr_expect(results_any_bad(&r, 1));
	cr_expect(results_any_bad(rows, ARRAY_LEN(rows)));
	cr_expect_not(results_any_bad(rows, 1));
}
