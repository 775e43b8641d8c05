/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

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

void domains_read_line(struct intake *in, struct span line)
{
	if (domains_is_comment(line))
		return;
	struct span rest = span_without_comment(line);
	bool in_a_zone = rpz_is_record(rest); /* where a name may as well be good */
	struct span name = span_word(&rest);
	if (in_a_zone)
		intake_reject(in, FEED_REJECT_SYNTAX);
	else
		intake_name(in, name, in->detail);
}
