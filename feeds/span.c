/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/span.h"

#include <strings.h>

#include "sensor/base/ip.h"

struct span span_trim(struct span s)
{
	while (s.len > 0 && span_is_space(s.at[0]))
		s = span_skip(s, 1);
	while (s.len > 0 && span_is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

struct span span_word(struct span *rest)
{
	struct span s = *rest;
	size_t len = 0;

	while (s.len > 0 && span_is_space(s.at[0]))
		s = span_skip(s, 1);
	while (len < s.len && !span_is_space(s.at[len]))
		len++;
	*rest = span_skip(s, len);
	return (struct span){ .at = s.at, .len = len };
}

struct span span_without_comment(struct span s)
{
	struct span rest = s;

	for (const char *at; (at = memchr(rest.at, '#', rest.len));) {
		if (at == s.at || span_is_space(at[-1]))
			return (struct span){ .at = s.at, .len = (size_t)(at - s.at) };
		rest = span_skip(rest, (size_t)(at - rest.at) + 1);
	}
	return s;
}

bool span_equals(struct span s, const char *text)
{
	return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

bool span_is_address(struct span s)
{
	char text[IP_TEXT_MAX];
	struct ip ip;

	s = span_until(s, "%");
	if (s.len == 0 || s.len >= sizeof(text) || memchr(s.at, '\0', s.len))
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	return ip_parse(&ip, text);
}
