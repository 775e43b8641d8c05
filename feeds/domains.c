/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <ctype.h>

/*
 * One name a line; a remark may follow it ("dynu.net - Corporate only", "name<TAB>remark"). The
 * name is always the first word: taking the second when the first is odd once blocked all of
 * .to for another program's users.
 */

bool domains_is_comment(struct span line)
{
	line = span_trim(line);
	if (line.len == 0 || strchr("#;!", line.at[0]))
		return true;
	if (line.at[0] != '[')
		return span_starts(line, "//");
	return line.len > 8 && span_equals((struct span){ line.at, 8 }, "[adblock");
}

/* "evil.example CNAME ." and "ok.example 2h IN CNAME rpz-passthru.": a zone file's line, which
 * may as well say that the name is good. */
static bool is_zone_line(struct span rest)
{
	struct span word = span_word(&rest);

	if (word.len > 0 && isdigit((unsigned char)word.at[0]))
		word = span_word(&rest);
	if (span_equals(word, "A") || span_equals(word, "AAAA"))
		return span_is_address(span_word(&rest));
	return span_equals(word, "IN") || span_equals(word, "CNAME") ||
	       span_equals(word, "NS") || span_equals(word, "SOA");
}

void domains_read_line(struct intake *in, struct span line)
{
	if (domains_is_comment(line))
		return;
	struct span rest = span_without_comment(line);
	struct span name = span_word(&rest);
	if (is_zone_line(rest))
		intake_reject(in, FEED_REJECT_SYNTAX);
	else
		intake_name(in, name, in->detail);
}
