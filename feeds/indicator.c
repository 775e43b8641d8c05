/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <strings.h>

/* Values that come with their type, as MISP and abuse.ch name them. */

enum meaning {
	HOST,       /* a name, or a URL */
	PAIR,       /* a name, then '|' and something else */
	ADDRESS,    /* one that victims connect to; '|' and a port may follow */
	SOURCE,     /* one that attacks come from, which says nothing of what is looked up */
	EXPRESSION, /* a regular expression */
};

static const struct {
	const char *type;
	enum meaning meaning;
} types[] = {
	{ "domain", HOST },
	{ "hostname", HOST },
	{ "host", HOST },
	{ "fqdn", HOST },
	{ "url", HOST },
	{ "uri", HOST },
	{ "domain|ip", PAIR },
	{ "hostname|port", PAIR },
	{ "ip", ADDRESS },
	{ "ipv4", ADDRESS },
	{ "ipv6", ADDRESS },
	{ "ip:port", ADDRESS },
	{ "ip-src", SOURCE },
	{ "ip-dst", ADDRESS },
	{ "ip-src|port", SOURCE },
	{ "ip-dst|port", ADDRESS },
	{ "cidr", ADDRESS },
	{ "regex", EXPRESSION },
};

void indicator_take(struct intake *in, struct span type, struct span value)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!span_equals(type, types[i].type))
			continue;
		if (types[i].meaning == HOST)
			intake_name(in, value, in->detail);
		else if (types[i].meaning == PAIR)
			intake_name(in, span_until(value, "|"), in->detail);
		else if (types[i].meaning == ADDRESS)
			intake_address(in, span_until(value, "|"));
		else
			intake_reject(in, types[i].meaning == SOURCE ? FEED_REJECT_TYPE
								     : FEED_REJECT_REGEX);
		return;
	}
	intake_reject(in, FEED_REJECT_TYPE);
}

/* A number from 0 on; what is none counts as 0, as does one that is too long to be one. */
unsigned indicator_confidence(struct span text)
{
	unsigned value = 0;

	text = span_trim(text);
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return i > 0 && text.at[i] == '.' ? value : 0;
		value = value * 10 + (unsigned)(text.at[i] - '0');
		if (value > 1000)
			return 0;
	}
	return value;
}
