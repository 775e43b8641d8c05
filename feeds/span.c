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
	struct span s = span_trim(*rest);
	size_t len = 0;

	while (len < s.len && !span_is_space(s.at[len]))
		len++;
	*rest = span_skip(s, len);
	return (struct span){ .at = s.at, .len = len };
}

struct span span_without_comment(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '#' && (i == 0 || span_is_space(s.at[i - 1])))
			return (struct span){ .at = s.at, .len = i };
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
