/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race_feeds -- stress of the loading of feeds by several threads, for ThreadSanitizer (make race).
 *
 * Many feeds of every way of reading are loaded together, again and again, sometimes with one that
 * fails among them. The counts must be the same each time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feeds/feed.h"

#define ALARM_S 300
#define FEEDS   9
#define LINES   12000
#define ROUNDS  6
#define THREADS 4

static const struct {
	enum feed_format format;
	const char *start, *before, *behind, *end;
} kinds[] = {
	{ FEED_DOMAINS, "", "n", ".example.net\n", "" },
	{ FEED_CSV, "domain,confidence\n", "n", ".example.org,80\n", "" },
	{ FEED_MISP, "{\"list\":[", "\"n", ".example.com\",", "\"n.example.com\"]}" },
};

static void fail(const char *what)
{
	fprintf(stderr, "race_feeds: %s\n", what);
	exit(1);
}

static char *write_feed(size_t kind)
{
	size_t size = LINES * 40 + 200, len;
	char *text = malloc(size);

	if (!text)
		fail("out of memory");
	len = (size_t)sprintf(text, "%s", kinds[kind].start);
	for (unsigned i = 0; i < LINES; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%u%s", kinds[kind].before,
			i * 7919 % 10000, kinds[kind].behind);
	snprintf(text + len, size - len, "%s", kinds[kind].end);
	return text;
}

/* Names in the index; 0 after a failure, which must be that of feed `broken`. */
static size_t load(char *const content[ARRAY_LEN(kinds)], size_t broken)
{
	static struct feed_report report[FEEDS];
	struct feed_target target = { .builder = index_builder_new(3),
		.providers = provider_registry_new() };
	struct feed_spec spec[FEEDS];
	struct feed_item item[FEEDS];
	struct err_ctx why;
	size_t failed = FEEDS;

	for (size_t i = 0; i < FEEDS; i++) {
		spec[i] = (struct feed_spec){ .name = "feed",
			.path = "feed",
			.content = i == broken ? "{" : content[i % ARRAY_LEN(kinds)],
			.format = i == broken ? FEED_STIX : kinds[i % ARRAY_LEN(kinds)].format,
			.kind = MARK_MALICIOUS };
		item[i] = (struct feed_item){
			.spec = &spec[i], .report = &report[i], .source = (uint16_t)i
		};
	}
	enum err err = feed_load_all(&target, item, FEEDS, THREADS, &failed, &why);
	provider_registry_free(target.providers);
	if (err) {
		index_builder_free(target.builder);
		if (failed != broken)
			fail(why.text);
		return 0;
	}
	if (broken < FEEDS)
		fail("a broken feed was loaded");
	struct index *index = index_build(target.builder);
	size_t count = index ? index_name_count(index) : 0;
	index_free(index);
	return count;
}

int main(void)
{
	char *content[ARRAY_LEN(kinds)];

	alarm(ALARM_S);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		content[i] = write_feed(i);
	size_t count = load(content, FEEDS);
	if (count < 30000)
		fail("too few names");
	for (unsigned round = 0; round < ROUNDS; round++) {
		if (load(content, FEEDS) != count)
			fail("another number of names than before");
		if (load(content, round % FEEDS) != 0)
			fail("a failure that was none");
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		free(content[i]);
	printf("race_feeds: %zu names, the same in %d rounds\n", count, ROUNDS);
	return 0;
}
