/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/guard.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/feeds/feed_rig.h"

/* A report of so many names, twins, broken lines and lines of another kind. */
static struct feed_report report_of(
	uint64_t names, uint64_t twins, uint64_t broken, uint64_t foreign)
{
	return (struct feed_report){
		.accepted = { names },
		.duplicates = twins,
		.rejected = { [FEED_REJECT_SYNTAX] = broken, [FEED_REJECT_COSMETIC] = foreign },
	};
}

static const struct guard_limits usual = { .max_rejected = 25, .max_shrink = 50 };

static const struct {
	const char *name;
	struct guard_limits limits;
	struct feed_report last, now;
	bool has_last;
	enum guard_reason reason;
} rows[] = {
	{ .name = "the first load of a good feed",
		.limits = { 25, 50 },
		.now = { .accepted = { 10 } },
		.reason = GUARD_FINE },
	{ .name = "the first load of an empty feed",
		.limits = { 25, 50 },
		.reason = GUARD_FINE },
	{ .name = "it grew",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 100 } },
		.now = { .accepted = { 10000 } },
		.reason = GUARD_FINE },
	{ .name = "half is left",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 100 } },
		.now = { .accepted = { 50 } },
		.reason = GUARD_FINE },
	{ .name = "less than half is left",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 100 } },
		.now = { .accepted = { 49 } },
		.reason = GUARD_SHRUNK },
	{ .name = "other scopes count as well",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 100 } },
		.now = { .accepted = { 20, 20, 20 } },
		.reason = GUARD_FINE },
	{ .name = "names that another feed has said already count as well",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 100 } },
		.now = { .accepted = { 10 }, .duplicates = 60 },
		.reason = GUARD_FINE },
	{ .name = "a short list may shrink",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 19 } },
		.now = { .accepted = { 1 } },
		.reason = GUARD_FINE },
	{ .name = "but not to nothing",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 3 } },
		.reason = GUARD_EMPTY },
	{ .name = "a long list turned empty",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 100000 } },
		.reason = GUARD_EMPTY },
	{ .name = "it was empty before",
		.limits = { 25, 50 },
		.has_last = true,
		.reason = GUARD_FINE },
	{ .name = "any shrinking is allowed",
		.limits = { 25, 100 },
		.has_last = true,
		.last = { .accepted = { 100 } },
		.reason = GUARD_FINE },
	{ .name = "none is allowed",
		.limits = { 25, 0 },
		.has_last = true,
		.last = { .accepted = { 100 } },
		.now = { .accepted = { 99 } },
		.reason = GUARD_SHRUNK },
	{ .name = "a quarter is broken",
		.limits = { 25, 50 },
		.now = { .accepted = { 75 }, .rejected = { [FEED_REJECT_SYNTAX] = 25 } },
		.reason = GUARD_FINE },
	{ .name = "more than a quarter is",
		.limits = { 25, 50 },
		.now = { .accepted = { 74 }, .rejected = { [FEED_REJECT_SYNTAX] = 26 } },
		.reason = GUARD_REJECTED },
	{ .name = "of a few lines, four are broken",
		.limits = { 25, 50 },
		.now = { .accepted = { 1 }, .rejected = { [FEED_REJECT_SYNTAX] = 4 } },
		.reason = GUARD_FINE },
	{ .name = "rules of another kind are not broken",
		.limits = { 25, 50 },
		.now = { .accepted = { 10 }, .rejected = { [FEED_REJECT_COSMETIC] = 90 } },
		.reason = GUARD_FINE },
	{ .name = "any number may be broken",
		.limits = { 100, 50 },
		.now = { .rejected = { [FEED_REJECT_SYNTAX] = 100 } },
		.reason = GUARD_FINE },
	{ .name = "broken and shrunk: broken is said",
		.limits = { 25, 50 },
		.has_last = true,
		.last = { .accepted = { 100 } },
		.now = { .accepted = { 2 }, .rejected = { [FEED_REJECT_SYNTAX] = 50 } },
		.reason = GUARD_REJECTED },
};

Test(guard, decides_by_both_reports)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct guard_finding found;
		bool accepts = guard_accepts(&found, &rows[i].limits, &rows[i].now,
			rows[i].has_last ? &rows[i].last : NULL);
		cr_expect_eq(found.reason, rows[i].reason, "%s: %s", rows[i].name, found.why);
		cr_expect_eq(accepts, rows[i].reason == GUARD_FINE, "%s", rows[i].name);
		cr_expect_eq(found.why[0] == '\0', accepts, "%s: %s", rows[i].name, found.why);
	}
}

Test(guard, says_figures_and_the_option)
{
	struct feed_report last = report_of(90, 10, 0, 0), now = report_of(10, 0, 0, 0);
	struct guard_finding found;

	cr_assert_not(guard_accepts(&found, &usual, &now, &last));
	cr_expect_str_eq(found.why, "it shrank from 100 entries to 10 (max_shrink: 50 %)");
	cr_expect_float_eq(found.value, 90, 1e-9);
	cr_expect_float_eq(found.limit, 50, 1e-9);
	now = report_of(10, 10, 30, 50);
	cr_assert_not(guard_accepts(&found, &usual, &now, NULL));
	cr_expect_str_eq(found.why, "30 of 100 entries are broken (max_rejected: 25 %)");
}

/* What web servers send in place of a list that is gone. */
static const char error_page[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	"<meta charset=\"utf-8\">\n<title>404 Not Found</title>\n</head>\n<body>\n"
	"<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n"
	"<a href=\"https://www.example.com/\">Home</a>\n<hr>\n</body>\n</html>\n";

Test(guard, an_error_page_is_not_believed_in_any_format)
{
	for (int format = 0; format < FEED_FORMAT_COUNT; format++) {
		struct feed_rig rig;
		struct feed_spec spec = { .name = "x",
			.kind = MARK_MALICIOUS,
			.content = error_page,
			.path = "x",
			.format = (enum feed_format)format };
		struct feed_report last = report_of(100, 0, 0, 0);
		struct guard_finding found;
		feed_rig_init(&rig);
		/* Formats that are one JSON text fail as a whole. */
		if (feed_load(&rig.target, &spec, 1, &rig.report, &rig.why) == ERR_OK)
			cr_expect_not(guard_accepts(&found, &usual, &rig.report, &last), "%s",
				feed_format_name((enum feed_format)format));
		feed_rig_deinit(&rig);
	}
}
