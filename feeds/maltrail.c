/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/*
 * Maltrail's trails: names, addresses, "host/path" and "/path" mixed, a trail a line; or built
 * as trails.csv with the trail first. A trail with a path is about that one page: the host may
 * be anybody's. "# Reference: URL" lines stand in front of the trails that come from there.
 */
struct maltrail {
	bool has_trails; /* since the last reference: the next one is of what follows it */
	char reference[FACTS_TEXT_MAX + 1];
};

const size_t maltrail_state_bytes = sizeof(struct maltrail);

/* Of several in a row the first stays. True: the line is one. */
static bool read_reference(struct maltrail *m, struct span line)
{
	static const char start[] = "# Reference:";

	line = span_trim(line);
	if (!span_starts(line, start))
		return false;
	if (m->has_trails || !m->reference[0])
		(void)intake_text(span_skip(line, strlen(start)), m->reference);
	m->has_trails = false;
	return true;
}

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

/* trails.csv says what the trail is of, and who says so; of text it is the reference above. */
static void take_with_facts(struct intake *in, struct span trail, struct span rest)
{
	char category[FACTS_TEXT_MAX + 1], reference[FACTS_TEXT_MAX + 1];
	struct entry_facts facts = { .confidence = FACTS_NO_CONFIDENCE };
	struct maltrail *m = in->state;

	facts.category = intake_text(take_field(&rest), category);
	facts.reference = intake_text(take_field(&rest), reference);
	if (!facts.reference && m->reference[0])
		facts.reference = m->reference;
	m->has_trails = true;
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
	if (read_reference(in->state, line) || domains_is_comment(line))
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
