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
	if (suricata_is_entry(line))
		return FEED_SURICATA;
	if (dnsmasq_is_option(line))
		return FEED_DNSMASQ;
	if (unbound_is_option(line))
		return FEED_UNBOUND;
	if (urls_is_url(line))
		return FEED_URLS;
	if (rpz_is_record(line))
		return FEED_RPZ;
	if (hosts_is_entry(line))
		return FEED_HOSTS;
	return csv_is_row(line) ? FEED_CSV : FEED_DOMAINS;
}

/* "[Adblock Plus]" is none. */
static bool starts_json(struct span start)
{
	start = span_trim(start);
	if (span_starts(start, "{"))
		return true;
	if (!span_starts(start, "["))
		return false;
	start = span_trim(span_skip(start, 1));
	return span_starts(start, "{") || span_starts(start, "[") || span_starts(start, "\"");
}

/* Two lines that are objects each. */
static bool has_json_lines(struct span start)
{
	start = span_trim(start);
	struct span first = span_trim(take_line(&start));
	struct span second = span_trim(take_line(&start));

	return span_starts(first, "{") && first.at[first.len - 1] == '}' &&
	       span_starts(second, "{");
}

/* One JSON text: the words of STIX are in no other. JSON lines are told by each being whole. */
static bool is_document(struct span start, enum feed_format *format)
{
	static const char *const stix[] = { "\"bundle\"", "\"pattern_type\"",
		"\"spec_version\"" };
	static const char *const misp[] = { "\"list\"", "\"Event\"", "\"Attribute\"",
		"\"response\"" };

	if (!starts_json(start) || has_json_lines(start))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(stix); i++) {
		*format = FEED_STIX;
		if (span_has(start, stix[i]))
			return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(misp); i++) {
		*format = FEED_MISP;
		if (span_has(start, misp[i]))
			return true;
	}
	return false;
}

/* Trails are names for the most part; what tells them is what their publishers write first. */
static bool is_maltrail(struct span start)
{
	return span_has(start, "Maltrail developers") ||
	       span_starts(start, "\"trail\",\"info\",\"reference\"") ||
	       span_starts(start, "trail,info,reference");
}

enum feed_format recognise_format(struct span start)
{
	unsigned votes[FEED_FORMAT_COUNT] = { 0 };
	enum feed_format most = FEED_DOMAINS;
	unsigned lines = 0;

	if (span_starts(start, "\xef\xbb\xbf"))
		start = span_skip(start, 3);
	struct span whole = start;
	while (start.len > 0 && lines < VOTES_MAX) {
		struct span line = span_trim(take_line(&start));
		if (domains_is_comment(line) && !adblock_is_rule(line))
			continue;
		lines++;
		votes[vote(line)]++;
	}
	if (is_document(whole, &most))
		return most;
	if (misp_is_title(whole))
		return FEED_MISP;
	if (is_maltrail(whole))
		return FEED_MALTRAIL;
	for (int i = 0; i < FEED_FORMAT_COUNT; i++) {
		if (votes[i] > votes[most])
			most = (enum feed_format)i;
	}
	return most;
}
