/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * span.h -- a piece of a feed's line: where it starts and how long it is (private to feeds/).
 *
 * Owner: nobody; a span points into text that the caller keeps.
 */
#ifndef FEEDS_SPAN_H
#define FEEDS_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *at;
	size_t len;
};

static inline bool span_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline struct span span_skip(struct span s, size_t count)
{
	return (struct span){ .at = s.at + count, .len = s.len - count };
}

static inline bool span_starts(struct span s, const char *text)
{
	size_t len = strlen(text);
	return s.len >= len && memcmp(s.at, text, len) == 0;
}

static inline bool span_has(struct span s, const char *text)
{
	return memmem(s.at, s.len, text, strlen(text)) != NULL;
}

/* Cut at the first octet of `set`. */
static inline struct span span_until(struct span s, const char *set)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] != '\0' && strchr(set, s.at[i]))
			return (struct span){ .at = s.at, .len = i };
	}
	return s;
}

struct span span_trim(struct span s);
/* Take the next word; *rest is what follows it. Empty at the end. */
struct span span_word(struct span *rest);
/* Drop a comment: '#' at the start or behind white space, to the end. */
struct span span_without_comment(struct span s);
bool span_equals(struct span s, const char *text); /* without case */
/* An address of either family; a zone ("%lo0") may follow. */
bool span_is_address(struct span s);

#endif
