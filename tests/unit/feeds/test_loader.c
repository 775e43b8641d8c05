/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/feeds/feed_rig.h"

#define FEEDS       6
#define LINES       60000 /* some blocks for each feed of lines */
#define NAMES_APART 7919

/* Feeds of all kinds of reading: blocks, one after the other, a JSON text. */
static const struct {
	enum feed_format format;
	const char *start, *end;
	const char *line[2]; /* before and behind a number, which makes the name */
	const char *odd[2];  /* every 1,000th: refused */
} kinds[FEEDS] = {
	{ FEED_DOMAINS, "", "", { "n", ".example.net\n" }, { "*bad*", "\r\n" } },
	{ FEED_HOSTS, "# hosts\r\n", "", { "0.0.0.0 n", ".example.net\r\n" },
		{ "0.0.0.0 ", ".*.x\r" } },
	{ FEED_CSV, "domain,confidence\n", "", { "n", ".example.net,90\n" },
		{ "n-", "..net,90\n" } },
	{ FEED_URLS, "", "", { "https://n", ".example.net/path\n" },
		{ "http://[::1]/", "\n" } },
	{ FEED_MISP, "{\"list\":[", "\"n1.example.net\"]}", { "\"n", ".example.net\"," },
		{ "\"com", "\"," } },
	{ FEED_RPZ, "$ORIGIN rpz.test.\n", "", { "n", ".example.net CNAME .\n" },
		{ "*.a.*.", " CNAME .\n" } },
};

struct outcome {
	struct feed_report report[FEEDS];
	struct index *index;
	enum err err;
	struct err_ctx why;
	size_t failed;
};

static char *write_content(size_t kind)
{
	size_t size = LINES * 48, len;
	char *text = malloc(size);

	cr_assert(text);
	len = (size_t)sprintf(text, "%s", kinds[kind].start);
	for (unsigned i = 0; i < LINES; i++) {
		const char *const *line = i % 1000 == 999 ? kinds[kind].odd : kinds[kind].line;
		/* Some names twice in a feed, and most in several feeds. */
		unsigned number = (i * NAMES_APART + (unsigned)kind * 10000) % (LINES - 100);
		len += (size_t)snprintf(
			text + len, size - len, "%s%u%s", line[0], number, line[1]);
	}
	len += (size_t)snprintf(text + len, size - len, "%s", kinds[kind].end);
	cr_assert_lt(len, size);
	return text;
}

static void load(struct outcome *out, char *content[FEEDS], unsigned threads)
{
	struct feed_target target = { .builder = index_builder_new(5),
		.providers = provider_registry_new() };
	struct feed_spec spec[FEEDS];
	struct feed_item item[FEEDS];

	cr_assert(target.builder && target.providers);
	for (size_t i = 0; i < FEEDS; i++) {
		spec[i] = (struct feed_spec){ .name = "feed",
			.path = "feed",
			.content = content[i],
			.format = kinds[i].format,
			.min_confidence = i % 2 ? 0 : 50,
			.kind = MARK_MALICIOUS };
		item[i] = (struct feed_item){ &spec[i], &out->report[i], (uint16_t)i };
	}
	out->err = feed_load_all(&target, item, FEEDS, threads, &out->failed, &out->why);
	out->index = out->err ? NULL : index_build(target.builder);
	if (out->err)
		index_builder_free(target.builder);
	provider_registry_free(target.providers);
}

static void compare_reports(
	const struct feed_report *a, const struct feed_report *b, size_t feed)
{
	cr_expect_eq(a->format, b->format, "feed %zu", feed);
	cr_expect_eq(a->lines, b->lines, "feed %zu", feed);
	cr_expect_eq(a->bytes, b->bytes, "feed %zu", feed);
	cr_expect_eq(a->duplicates, b->duplicates, "feed %zu", feed);
	cr_expect_eq(a->exceptions, b->exceptions, "feed %zu", feed);
	cr_expect_eq(
		memcmp(a->accepted, b->accepted, sizeof(a->accepted)), 0, "feed %zu", feed);
	for (size_t r = 0; r < FEED_REJECT_COUNT; r++) {
		cr_expect_eq(a->rejected[r], b->rejected[r], "feed %zu, reject %zu", feed, r);
		for (size_t i = 0; i < a->rejected[r] && i < FEED_SAMPLES_MAX; i++)
			cr_expect_str_eq(a->sample[r][i], b->sample[r][i], "feed %zu", feed);
	}
}

/* Every name, with its marks and at the very same place. */
static void compare_names(const struct index *a, const struct index *b)
{
	char text[64];

	cr_assert_eq(index_name_count(a), index_name_count(b));
	cr_assert_eq(index_memory_bytes(a), index_memory_bytes(b));
	for (unsigned i = 0; i < LINES; i++) {
		uint32_t entry_a = 0, entry_b = 0;
		size_t count_a, count_b;
		snprintf(text, sizeof(text), "n%u.example.net", i);
		struct dns_name name = name_of(text);
		cr_assert_eq(index_find(a, &name, &entry_a), index_find(b, &name, &entry_b),
			"%s", text);
		cr_assert_eq(entry_a, entry_b, "%s", text);
		if (entry_a == 0)
			continue;
		const struct mark *mark_a = index_marks(a, entry_a, &count_a);
		const struct mark *mark_b = index_marks(b, entry_b, &count_b);
		cr_assert_eq(count_a, count_b, "%s", text);
		cr_assert_eq(memcmp(mark_a, mark_b, count_a * sizeof(*mark_a)), 0, "%s", text);
	}
}

Test(loader, any_number_of_threads_gives_the_same)
{
	static const unsigned threads[] = { 2, 3, 16, 99 };
	static struct outcome alone, together;
	char *content[FEEDS];

	for (size_t i = 0; i < FEEDS; i++)
		content[i] = write_content(i);
	load(&alone, content, 1);
	cr_assert_eq(alone.err, ERR_OK, "%s", alone.why.text);
	for (size_t i = 0; i < FEEDS; i++) {
		cr_expect_geq(alone.report[i].lines, LINES - 100, "feed %zu", i);
		cr_expect_gt(feed_report_rejected(&alone.report[i]), 10, "feed %zu", i);
		cr_expect_gt(alone.report[i].duplicates, 10, "feed %zu", i);
	}
	for (size_t t = 0; t < ARRAY_LEN(threads); t++) {
		load(&together, content, threads[t]);
		cr_assert_eq(together.err, ERR_OK, "%s", together.why.text);
		for (size_t i = 0; i < FEEDS; i++)
			compare_reports(&alone.report[i], &together.report[i], i);
		compare_names(alone.index, together.index);
		index_free(together.index);
	}
	index_free(alone.index);
	for (size_t i = 0; i < FEEDS; i++)
		free(content[i]);
}

Test(loader, the_first_feed_that_fails_is_named_whoever_read_it)
{
	static const unsigned threads[] = { 1, 2, 5 };
	static struct outcome out;
	char *content[FEEDS];

	for (size_t i = 0; i < FEEDS; i++)
		content[i] = write_content(i);
	content[4][8] = '?'; /* the JSON text */
	for (size_t t = 0; t < ARRAY_LEN(threads); t++) {
		load(&out, content, threads[t]);
		cr_expect_eq(out.err, ERR_USAGE, "%u threads", threads[t]);
		cr_expect_eq(out.failed, 4, "%u threads", threads[t]);
		cr_expect(strstr(out.why.text, "feed:1:"), "%s", out.why.text);
	}
	for (size_t i = 0; i < FEEDS; i++)
		free(content[i]);
}

/* `count` lines of `len` octets that end in `end`, every tenth of them refused. */
static void check_line_numbers(size_t len, const char *end, size_t count)
{
	struct feed_rig rig;
	char *text = malloc(count * (len + 3) + 1);
	size_t at = 0;

	cr_assert(text);
	for (size_t i = 0; i < count; i++) {
		memset(text + at, 'a', len);
		if (i >= count - 3)
			text[at + len / 2] = '*';
		at += len;
		at += (size_t)sprintf(text + at, "%s", end);
	}
	feed_rig_init(&rig);
	feed_rig_load(&rig, (struct feed_spec){ .format = FEED_DOMAINS }, text);
	cr_expect_eq(
		rig.report.lines, count, "lines of %zu: %zu", len, (size_t)rig.report.lines);
	cr_expect_eq(feed_report_rejected(&rig.report), count, "lines of %zu", len);
	unsigned long long third_last = 0;
	enum feed_reject reject =
		len > FEED_LINE_MAX ? FEED_REJECT_LINE_TOO_LONG : FEED_REJECT_WILDCARD;
	if (reject == FEED_REJECT_WILDCARD) {
		sscanf(rig.report.sample[reject][0], "%llu:", &third_last);
		cr_expect_eq(third_last, count - 2, "lines of %zu: \"%s\"", len,
			rig.report.sample[reject][0]);
	} else {
		cr_expect_eq(rig.report.rejected[reject], count, "lines of %zu", len);
	}
	feed_rig_deinit(&rig);
	free(text);
}

Test(loader, lines_keep_their_numbers_wherever_blocks_end)
{
	static const char *const ends[] = { "\n", "\r\n", "\r" };
	static const size_t lens[] = { 5, 63, 600, 4095, 4096, 4097, 4098, 131070, 131071,
		131072, 131073, 300000 };

	for (size_t e = 0; e < ARRAY_LEN(ends); e++) {
		for (size_t i = 0; i < ARRAY_LEN(lens); i++)
			check_line_numbers(lens[i], ends[e], 5 + 600000 / lens[i]);
	}
}
