/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/entry_time.h"

#include <time.h>

#define DAY_S      86400
#define DAY_LEN    10
#define SECOND_LEN 19

/* Ten digits reach from 2001 to 2286; fewer may be a day ("20260101"), which is not guessed at. */
static bool parse_number(struct span text, int64_t *out)
{
	int64_t value = 0;

	if (text.len != 10)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (text.at[i] - '0');
	}
	*out = value;
	return true;
}

static bool parse_as(const char *text, const char *format, int64_t *out)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, format, &tm);

	if (!end || *end != '\0')
		return false;
	*out = timegm(&tm);
	return true;
}

/* What may follow the seconds: a fraction, and "Z", "UTC" or nothing. */
static bool is_utc(struct span rest)
{
	size_t len = 0;

	if (span_starts(rest, ".")) {
		for (len = 1; len < rest.len && rest.at[len] >= '0' && rest.at[len] <= '9';)
			len++;
		rest = span_skip(rest, len);
	}
	rest = span_trim(rest);
	return rest.len == 0 || span_equals(rest, "Z") || span_equals(rest, "UTC") ||
	       span_equals(rest, "+00:00");
}

bool entry_time_parse(struct span text, bool at_end, int64_t *out)
{
	char copy[SECOND_LEN + 1];

	text = span_trim(text);
	if (memchr(text.at, '\0', text.len))
		return false;
	if (parse_number(text, out))
		return true;
	size_t len = text.len < SECOND_LEN ? text.len : SECOND_LEN;
	memcpy(copy, text.at, len);
	copy[len] = '\0';
	if (text.len == DAY_LEN && parse_as(copy, "%Y-%m-%d", out)) {
		*out += at_end ? DAY_S : 0;
		return true;
	}
	return text.len >= SECOND_LEN && is_utc(span_skip(text, SECOND_LEN)) &&
	       (parse_as(copy, "%Y-%m-%dT%H:%M:%S", out) ||
		       parse_as(copy, "%Y-%m-%d %H:%M:%S", out));
}
