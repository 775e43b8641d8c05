/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/*
 * unbound.conf(5): the type of a local-zone says whether the clients are kept from the real
 * data. local-data alone is what a zone of the site itself consists of, so it lists nothing.
 */

static const struct {
	const char *type;
	bool is_exception;
} types[] = {
	{ "always_nxdomain", false },
	{ "always_null", false },
	{ "always_nodata", false },
	{ "always_refuse", false },
	{ "always_deny", false },
	{ "deny", false },
	{ "refuse", false },
	{ "static", false },
	{ "redirect", false },
	{ "inform_deny", false },
	{ "inform_redirect", false },
	{ "always_transparent", true },
	{ "transparent", true },
	{ "typetransparent", true },
};

bool unbound_is_option(struct span line)
{
	return span_starts(line, "local-zone:") || span_starts(line, "local-data:") ||
	       span_equals(line, "server:");
}

/* The next word, without the quotes that it may have. */
static struct span take_value(struct span *rest)
{
	struct span s = span_trim(*rest);
	const char quote[2] = { s.len > 0 ? s.at[0] : '\0', '\0' };

	if (quote[0] != '"' && quote[0] != '\'')
		return span_word(rest);
	struct span value = span_until(span_skip(s, 1), quote);
	size_t used = value.len + 1;
	*rest = span_skip(s, used < s.len ? used + 1 : s.len);
	return value;
}

static void read_zone(struct intake *in, struct span rest)
{
	struct span name = take_value(&rest);
	struct span type = take_value(&rest);

	if (name.len == 0 || type.len == 0 || span_trim(rest).len > 0) {
		intake_reject(in, FEED_REJECT_SYNTAX);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!span_equals(type, types[i].type))
			continue;
		if (types[i].is_exception)
			intake_exception(in, name);
		else
			intake_name(in, name, in->detail);
		return;
	}
	intake_reject(in, FEED_REJECT_DIRECTIVE);
}

void unbound_read_line(struct intake *in, struct span line)
{
	line = span_trim(span_without_comment(line));
	if (line.len == 0 || span_equals(line, "server:"))
		return;
	if (span_starts(line, "local-zone:"))
		read_zone(in, span_skip(line, 11));
	else
		intake_reject(in, FEED_REJECT_DIRECTIVE);
}
