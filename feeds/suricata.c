/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <ctype.h>

/*
 * Datasets of Suricata: a base64 text a line, perhaps with a reputation behind a comma
 * (datarep), or JSON lines. The texts are often made with `echo | base64`, newline included;
 * with a dot in front they are for `dotprefix`: the name and all below.
 */

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 section 4; out holds three quarters of the text. False when it is none. */
static bool decode(struct span text, char *out, size_t *out_len)
{
	uint32_t bits = 0;
	size_t padding = 0;

	*out_len = 0;
	if (text.len == 0 || text.len % 4 != 0)
		return false;
	while (padding < 2 && text.at[text.len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < text.len; i++) {
		bool pad = i >= text.len - padding;
		int value = pad ? 0 : base64_value(text.at[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 3)
			continue;
		out[(*out_len)++] = (char)(bits >> 16 & 0xff);
		out[(*out_len)++] = (char)(bits >> 8 & 0xff);
		out[(*out_len)++] = (char)(bits & 0xff);
	}
	*out_len -= padding;
	return true;
}

/* Sums of names are as long as these, and base64 by accident. */
static bool is_hash(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!isxdigit((unsigned char)s.at[i]))
			return false;
	}
	return s.len == 32 || s.len == 64;
}

static bool is_text(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		if ((c < 0x20 && !span_is_space(s.at[i])) || c == 0x7f)
			return false;
	}
	return s.len > 0;
}

/* Datasets hold user agents and paths, too. */
static void take_text(struct intake *in, struct span text)
{
	text = span_trim(text);
	if (!span_has(text, "://") && memchr(text.at, '/', text.len))
		intake_reject(in, FEED_REJECT_PATH);
	else
		intake_name(in, text, in->detail);
}

static void take_json(struct intake *in, struct span line)
{
	static const char *const keys[] = { "domain", "host", "hostname", "rrname", "dns",
		"url", "value", "ip" };
	json_t *object = json_loadb(line.at, line.len, JSON_ALLOW_NUL, NULL);
	struct span text = { "", 0 };

	for (size_t i = 0; i < ARRAY_LEN(keys) && text.len == 0; i++)
		text = intake_json_text(object, keys[i]);
	if (!object || text.len == 0)
		intake_reject(in, FEED_REJECT_SYNTAX);
	else
		take_text(in, text);
	json_decref(object);
}

void suricata_read_line(struct intake *in, struct span line)
{
	char text[FEED_LINE_MAX];
	size_t len;

	line = span_trim(line);
	if (line.len == 0 || line.at[0] == '#')
		return;
	struct span value = span_trim(span_until(line, ","));
	if (line.at[0] == '{')
		take_json(in, line);
	else if (is_hash(value))
		intake_reject(in, FEED_REJECT_TYPE);
	else if (!decode(value, text, &len) || !is_text((struct span){ text, len }))
		intake_reject(in, FEED_REJECT_BASE64);
	else
		take_text(in, (struct span){ text, len });
}

bool suricata_is_entry(struct span line)
{
	char text[FEED_LINE_MAX];
	size_t len;

	if (line.len > FEED_LINE_MAX)
		return false;
	if (line.len > 1 && line.at[0] == '{')
		return line.at[line.len - 1] == '}';
	struct span value = span_until(line, ",");
	return decode(value, text, &len) && is_text((struct span){ text, len }) &&
	       memchr(text, '.', len);
}
