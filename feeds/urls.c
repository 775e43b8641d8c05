/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <ctype.h>

/* A URL a line, of which the host is taken. The rest of the URL is not looked at, '#' in it is
 * no comment. */

bool urls_is_url(struct span line)
{
	size_t len = 0;

	while (len < line.len && (isalnum((unsigned char)line.at[len]) || line.at[len] == '+'))
		len++;
	return len > 1 && (span_starts(span_skip(line, len), "://") ||
				  span_starts(span_skip(line, len), "[:]//") ||
				  span_starts(span_skip(line, len), "[://]"));
}

void urls_read_line(struct intake *in, struct span line)
{
	if (domains_is_comment(line))
		return;
	struct span rest = span_trim(line);
	/* Most tools quote a URL with a space in it; what is before the space has the host. */
	struct span url = span_word(&rest);
	if (url.at[0] == '/')
		intake_reject(in, FEED_REJECT_PATH);
	else
		intake_name(in, url, in->detail);
}
