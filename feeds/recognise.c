/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/*
 * `format: auto`. Every line that says something votes for the format that it looks like, and
 * the most votes decide: one odd line, or the other kind of line that most lists have somewhere,
 * changes nothing. The looks are tried from the most to the least telling; what looks like
 * nothing else is a name.
 */

/* How many lines vote. */
#define VOTES_MAX 200

static struct span take_line(struct span *rest)
{
	struct span line = span_until(*rest, "\r\n");

	*rest = span_skip(*rest, line.len < rest->len ? line.len + 1 : line.len);
	return line;
}

static enum feed_format vote(struct span line)
{
	if (adblock_is_rule(line))
		return FEED_ADBLOCK;
	if (rpz_is_record(line))
		return FEED_RPZ;
	if (hosts_is_entry(line))
		return FEED_HOSTS;
	return FEED_DOMAINS;
}

enum feed_format recognise_format(struct span start)
{
	unsigned votes[FEED_FORMAT_COUNT] = { 0 };
	enum feed_format most = FEED_DOMAINS;
	unsigned lines = 0;

	if (span_starts(start, "\xef\xbb\xbf"))
		start = span_skip(start, 3);
	while (start.len > 0 && lines < VOTES_MAX) {
		struct span line = span_trim(take_line(&start));
		if (domains_is_comment(line) && !adblock_is_rule(line))
			continue;
		lines++;
		votes[vote(line)]++;
	}
	for (int i = 0; i < FEED_FORMAT_COUNT; i++) {
		if (votes[i] > votes[most])
			most = (enum feed_format)i;
	}
	return most;
}
