/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/* An address and one or more names. Every hosts file starts with the names of the host itself,
 * which no list means: they are counted apart. */

bool hosts_is_own_name(struct span name)
{
	static const char *const own[] = { "localhost", "localhost.localdomain", "localdomain",
		"local", "broadcasthost", "loopback", "0.0.0.0", "localhost4",
		"localhost4.localdomain4", "localhost6", "localhost6.localdomain6" };

	if (name.len == 0 || !memchr("lLbB0iI", name.at[0], 7))
		return false; /* nearly every name */
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

/* Take the address and the first name; false when it is no line of a hosts file. */
static bool take_entry(struct span *rest, struct span *name)
{
	struct span address = span_word(rest);

	*name = span_word(rest);
	return name->len > 0 && span_is_address(address);
}

bool hosts_is_entry(struct span line)
{
	struct span rest = span_without_comment(line);
	struct span name;

	return take_entry(&rest, &name);
}

/* What nearly every line is: a place where lists send their names, a space, and one bare name. */
static bool read_usual_line(struct intake *in, struct span line)
{
	static const char *const starts[] = { "0.0.0.0 ", "127.0.0.1 ", "0.0.0.0\t",
		"127.0.0.1\t" };

	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		if (!span_starts(line, starts[i]))
			continue;
		struct span name = span_skip(line, strlen(starts[i]));
		return name.len > 0 && !hosts_is_own_name(name) && intake_bare_name(in, name);
	}
	return false;
}

void hosts_read_line(struct intake *in, struct span line)
{
	if (read_usual_line(in, line))
		return;
	struct span rest = span_without_comment(line);
	struct span name;
	if (!take_entry(&rest, &name)) {
		if (!domains_is_comment(line))
			intake_reject(in, FEED_REJECT_SYNTAX);
		return;
	}
	/* Where the address leads says nothing but "not there". */
	for (; name.len > 0; name = span_word(&rest)) {
		if (hosts_is_own_name(name))
			intake_reject(in, FEED_REJECT_LOOPBACK);
		else
			intake_name(in, name, in->detail);
	}
}
