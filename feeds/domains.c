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

/* "0.0.0.0 evil.example": where a hosts file sends the name says nothing of that place. */
static bool has_host(struct span line)
{
	struct span rest = line;

	if (!span_is_address(span_word(&rest)))
		return false;
	struct span second = span_word(&rest);
	return memchr(second.at, '.', second.len) != NULL;
}

void domains_read_line(struct intake *in, struct span line)
{
	if (domains_is_comment(line))
		return;
	struct span rest = span_without_comment(line);
	bool in_a_zone = rpz_is_record(rest); /* where a name may as well be good */
	bool in_hosts = has_host(rest);
	struct span name = span_word(&rest);
	if (in_a_zone)
		intake_reject(in, FEED_REJECT_SYNTAX);
	else if (in_hosts)
		intake_reject(in, FEED_REJECT_ADDRESS);
	else
		intake_name(in, name, in->detail);
}
