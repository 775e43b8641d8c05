/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/*
 * Maltrail's trails: names, addresses, "host/path" and "/path" mixed, a trail a line; or built
 * as trails.csv with the trail first. A trail with a path is about that one page: the host may
 * be anybody's.
 */

static struct span first_field(struct span line)
{
	if (!span_starts(line, "\""))
		return span_trim(span_until(line, ","));
	return span_until(span_skip(line, 1), "\"");
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
	struct span trail = first_field(span_trim(span_without_comment(line)));
	if (span_equals(trail, "trail"))
		return; /* the title of the column */
	if (span_has(trail, "(?") || memchr(trail.at, '\\', trail.len))
		intake_reject(in, FEED_REJECT_REGEX);
	else if (has_path(trail) && !is_network(trail))
		intake_reject(in, FEED_REJECT_PATH);
	else
		intake_name(in, trail, in->detail);
}
