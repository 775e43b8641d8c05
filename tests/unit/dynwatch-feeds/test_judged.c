/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/judged.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], old_path[128], new_path[128];
static struct config_feed feed;

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/test_judged.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(old_path, sizeof(old_path), "%s/old", folder);
	snprintf(new_path, sizeof(new_path), "%s/new", folder);
	feed = (struct config_feed){
		.spec = { .name = "f", .path = old_path, .kind = MARK_MALICIOUS },
		.limits = { .max_rejected = 25, .max_shrink = 50 },
	};
}

static void tear_down(void)
{
	unlink(old_path);
	unlink(new_path);
	rmdir(folder);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	fputs(text, f);
	fclose(f);
}

static struct judged judge(const char *old, const char *new)
{
	struct err_ctx why = { "" };
	struct judged j;

	if (old)
		put(old_path, old);
	put(new_path, new);
	cr_assert_eq(
		judged_read(&j, &feed, new_path, old != NULL, &why), ERR_OK, "%s", why.text);
	return j;
}

Test(judged, names_addresses_and_what_they_mean_are_compared, .init = set_up, .fini = tear_down)
{
	struct judged j = judge("a.example\nb.example\n*.c.example\n198.51.100.7\n",
		"b.example\nc.example\n198.51.100.7\n198.51.100.8\nb.example\n");

	cr_expect_eq(j.added, 2, "c.example with all below, and an address: %lu", j.added);
	cr_expect_eq(j.removed, 2, "a.example, and all below c.example: %lu", j.removed);
	cr_expect_eq(feed_report_accepted(j.before), 4);
	cr_expect_eq(feed_report_accepted(j.now), 4, "one stands twice");
	cr_expect_eq(j.doubt.reason, GUARD_FINE);
	judged_deinit(&j);
}

Test(judged, without_an_old_list_all_is_new, .init = set_up, .fini = tear_down)
{
	struct judged j = judge(NULL, "a.example\nb.example\n");

	cr_expect_null(j.before);
	cr_expect_eq(j.added, 2);
	cr_expect_eq(j.removed, 0);
	judged_deinit(&j);
}

Test(judged, an_old_list_that_cannot_be_read_is_as_none, .init = set_up, .fini = tear_down)
{
	struct judged j = judge("\x1f\x8b\x08 damaged", "a.example\nb.example\n");

	cr_expect_null(j.before);
	cr_expect_eq(j.added, 2);
	cr_expect_eq(j.doubt.reason, GUARD_FINE);
	judged_deinit(&j);
}

Test(judged, the_rails_are_those_of_loading, .init = set_up, .fini = tear_down)
{
	struct judged j = judge(NULL, "com\nduckdns.org\ngood-one.duckdns.org\n10.0.0.0/8\n");

	cr_expect_eq(feed_report_accepted(j.now), 1);
	cr_expect_eq(j.now->rejected[FEED_REJECT_SINGLE_LABEL], 1);
	cr_expect_eq(j.now->rejected[FEED_REJECT_BROAD], 1);
	judged_deinit(&j);
	feed.spec.allow_broad = true;
	j = judge(NULL, "com\nduckdns.org\n");
	cr_expect_eq(feed_report_accepted(j.now), 1);
	judged_deinit(&j);
}

Test(judged, a_list_that_shrank_or_is_broken_is_doubted, .init = set_up, .fini = tear_down)
{
	char many[1024] = "";

	for (int i = 0; i < 30; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "n%d.example\n", i);
	struct judged j = judge(many, "n1.example\n");
	cr_expect_eq(j.doubt.reason, GUARD_SHRUNK);
	judged_deinit(&j);
	j = judge(many, "a.example\nx y z\nx y z\nx y z\nx y z\nx y z\nx y z\n");
	cr_expect_eq(j.doubt.reason, GUARD_REJECTED);
	judged_deinit(&j);
}

Test(judged, a_new_list_that_cannot_be_read_is_an_error, .init = set_up, .fini = tear_down)
{
	struct err_ctx why = { "" };
	struct judged j;

	feed.spec.format = FEED_MISP;
	put(new_path, "{\"list\": [");
	cr_expect_eq(judged_read(&j, &feed, new_path, false, &why), ERR_USAGE);
	cr_expect_eq(strncmp(why.text, new_path, strlen(new_path)), 0, "%s", why.text);
	judged_deinit(&j);
}
