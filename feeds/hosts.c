/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/* An address and one or more names. Every hosts file starts with the names of the host itself,
 * which no list means: they are counted apart. */

bool hosts_is_own_name(struct span name)
{
	static const char *const own[] = { "localhost", "localhost.localdomain", "localdomain",
		"local", "broadcasthost", "loopback", "0.0.0.0", "localhost4",
		"localhost4.localdomain4", "localhost6", "localhost6.localdomain6" };

	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (span_equals(name, own[i]))
			return true;
	}
	/* Debian's "ip6-allnodes" and the like are one label. */
	return name.len > 4 && span_equals((struct span){ name.at, 4 }, "ip6-") &&
	       !memchr(name.at, '.', name.len);
}

bool hosts_is_entry(struct span line)
{
	struct span rest = span_without_comment(line);

	return span_is_address(span_word(&rest)) && span_word(&rest).len > 0;
}

void hosts_read_line(struct intake *in, struct span line)
{
	if (domains_is_comment(line))
		return;
	if (!hosts_is_entry(line)) {
		intake_reject(in, FEED_REJECT_SYNTAX);
		return;
	}
	struct span rest = span_without_comment(line);
	struct span name = span_word(&rest); /* the address, which says only "not here" */
	for (name = span_word(&rest); name.len > 0; name = span_word(&rest)) {
		if (hosts_is_own_name(name))
			intake_reject(in, FEED_REJECT_LOOPBACK);
		else
			intake_name(in, name, in->detail);
	}
}
