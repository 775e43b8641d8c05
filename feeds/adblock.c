/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/*
 * AdBlock and AdGuard rules. Only those that speak of a whole host say anything about a name:
 * "||name^", perhaps with modifiers that do not narrow it, "|name^" for the name alone (as filters
 * for DNS have it), and both behind "@@" for the opposite.
 * All else is refused with its reason; nothing is guessed from a piece of a rule, for a rule
 * about parts of a page ("example.com##.ad") names a host that is perfectly good.
 */

static bool is_cosmetic(struct span line)
{
	static const char *const marks[] = { "##", "#@#", "#?#", "#@?#", "#$#", "#@$#", "#$?#",
		"#%#", "#@%#", "$$", "$@$" };

	if (!memchr(line.at, '#', line.len) && !memchr(line.at, '$', line.len))
		return false; /* nearly every line of a list for DNS */
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (span_has(line, marks[i]))
			return true;
	}
	return false;
}

/* '#' begins a comment in lists for DNS filters, and a cosmetic rule for all pages. */
static bool is_comment(struct span line)
{
	if (line.len == 0 || line.at[0] == '!' || line.at[0] == '[')
		return true;
	return line.at[0] == '#' && !is_cosmetic(line);
}

bool adblock_is_rule(struct span line)
{
	return span_starts(line, "||") || span_starts(line, "@@") ||
	       (span_starts(line, "|") && span_has(line, "^")) ||
	       (is_cosmetic(line) && !span_has(line, "://") && !span_has(line, "###"));
}

/* Do all modifiers leave the rule as wide as it is? "popup" narrows it alone, yet often stands
 * beside "document". */
static bool modifiers_are_harmless(struct span modifiers)
{
	static const char *const harmless[] = { "important", "all", "document", "doc" };
	bool wide = false;

	for (;;) {
		struct span one = span_until(modifiers, ",");
		bool known = span_equals(one, "popup");
		for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
			if (span_equals(one, harmless[i]))
				wide = known = true;
		}
		if (!known)
			return false;
		if (one.len == modifiers.len)
			return wide;
		modifiers = span_skip(modifiers, one.len + 1);
	}
}

/* What is wrong with a pattern that is not "||name^": the host part ends at something else. */
static enum feed_reject reject_of(struct span behind_host)
{
	if (behind_host.len == 0)
		return FEED_REJECT_SYNTAX; /* "||name" is also name.other.example */
	if (behind_host.at[0] == '/' || behind_host.at[0] == '?')
		return FEED_REJECT_PATH;
	if (behind_host.at[0] == '*')
		return FEED_REJECT_WILDCARD;
	return FEED_REJECT_SYNTAX;
}

static void read_pattern(struct intake *in, struct span pattern, bool is_exception)
{
	struct span host = span_until(pattern, "^/?:|$[]=&, ");
	struct span rest = span_skip(pattern, host.len);

	if (!span_starts(rest, "^")) {
		intake_reject(in, reject_of(rest));
		return;
	}
	rest = span_skip(rest, 1);
	if (span_starts(rest, "|"))
		rest = span_skip(rest, 1);
	if (rest.len > 0 && rest.at[0] != '$')
		intake_reject(in, reject_of(rest));
	else if (rest.len > 0 && !modifiers_are_harmless(span_skip(rest, 1)))
		intake_reject(in, FEED_REJECT_MODIFIER);
	else if (is_exception)
		intake_exception(in, host);
	else
		intake_name(in, host, in->detail);
}

/* The name stands at the start of what is asked for. */
static void read_exact(struct intake *in, struct span pattern, bool is_exception)
{
	in->scope = SCOPE_EXACT;
	read_pattern(in, pattern, is_exception);
	in->scope = in->spec->scope;
}

void adblock_read_line(struct intake *in, struct span line)
{
	line = span_trim(line);
	if (is_comment(line))
		return;
	bool is_exception = span_starts(line, "@@");
	struct span pattern = is_exception ? span_skip(line, 2) : line;
	if (is_cosmetic(line))
		intake_reject(in, FEED_REJECT_COSMETIC);
	else if (span_starts(pattern, "||"))
		read_pattern(in, span_skip(pattern, 2), is_exception);
	else if (span_starts(pattern, "|") && !span_has(pattern, "://"))
		read_exact(in, span_skip(pattern, 1), is_exception);
	else if (span_starts(pattern, "/"))
		intake_reject(
			in, pattern.len > 1 && memchr(pattern.at + 1, '/', pattern.len - 1)
				    ? FEED_REJECT_REGEX
				    : FEED_REJECT_PATH);
	else if (span_has(pattern, "://"))
		intake_reject(in, FEED_REJECT_PATH);
	else
		intake_reject(in, FEED_REJECT_SYNTAX);
}
