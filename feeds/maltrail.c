/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/*
 * Maltrail's trails: names, addresses, "host/path" and "/path" mixed, a trail a line; or built
 * as trails.csv with the trail first. A trail with a path is about that one page: the host may
 * be anybody's.
 */

/* The next field of a line of trails.csv; *rest is what follows its comma. */
static struct span take_field(struct span *rest)
{
	struct span s = span_trim(*rest), field;

	if (span_starts(s, "\"")) {
		field = span_until(span_skip(s, 1), "\"");
		s = span_skip(s, field.len + 1);
	} else {
		field = span_trim(span_until(s, ","));
	}
	struct span behind = span_until(s, ",");
	*rest = span_skip(s, behind.len < s.len ? behind.len + 1 : s.len);
	return field;
}

/* trails.csv: what the trail is of, and who says so. */
static void take_with_facts(struct intake *in, struct span trail, struct span rest)
{
	char category[FACTS_TEXT_MAX + 1], reference[FACTS_TEXT_MAX + 1];
	struct entry_facts facts = { .confidence = FACTS_NO_CONFIDENCE };

	facts.category = intake_text(take_field(&rest), category);
	facts.reference = intake_text(take_field(&rest), reference);
	in->facts = facts.category || facts.reference ? &facts : NULL;
	intake_name(in, trail, in->detail);
	in->facts = NULL;
}

static bool has_path(struct span trail)
{
	const char *scheme = memmem(trail.at, trail.len, "://", 3);
	struct span host = scheme ? span_skip(trail, (size_t)(scheme - trail.at) + 3) : trail;
	struct span name = span_until(host, "/?");

	return host.len > name.len + 1 || (name.len == 0 && host.len > 0);
}

/* "192.0.2.0/24" is no path. */
static bool is_network(struct span trail)
{
	struct ip_net net;

	return feed_normalise_address(&net, trail.at, trail.len) == FEED_REJECT_COUNT &&
	       net.bits < 128;
}

void maltrail_read_line(struct intake *in, struct span line)
{
	if (domains_is_comment(line))
		return;
	struct span rest = span_trim(span_without_comment(line));
	struct span trail = take_field(&rest);
	if (span_equals(trail, "trail"))
		return; /* the title of the column */
	if (span_has(trail, "(?") || memchr(trail.at, '\\', trail.len))
		intake_reject(in, FEED_REJECT_REGEX);
	else if (has_path(trail) && !is_network(trail))
		intake_reject(in, FEED_REJECT_PATH);
	else
		take_with_facts(in, trail, rest);
}
