/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/reverse.h"

#include <string.h>

#define NIBBLES 32

/* A number of at most 255 and the dot after it; NULL when there is none. */
static const char *take_octet(const char *at, uint8_t *out)
{
	unsigned number = 0, digits = 0;

	for (; *at >= '0' && *at <= '9' && digits < 3; at++, digits++)
		number = number * 10 + (unsigned)(*at - '0');
	if (digits == 0 || number > 255 || *at != '.')
		return NULL;
	*out = (uint8_t)number;
	return at + 1;
}

static bool parse_v4(struct ip *out, const char *name)
{
	uint8_t octet[4];

	for (unsigned i = 0; i < 4; i++) {
		name = take_octet(name, &octet[3 - i]);
		if (!name)
			return false;
	}
	if (strcmp(name, "in-addr.arpa") != 0)
		return false;
	*out = ip_from_v4(octet);
	return true;
}

static bool parse_v6(struct ip *out, const char *name)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t octet[NIBBLES / 2] = { 0 };

	for (unsigned i = 0; i < NIBBLES; i++, name += 2) {
		const char *digit = name[0] ? strchr(digits, name[0]) : NULL;
		if (!digit || name[1] != '.')
			return false;
		octet[NIBBLES / 2 - 1 - i / 2] |=
			(uint8_t)((unsigned)(digit - digits) << (i % 2 * 4));
	}
	if (strcmp(name, "ip6.arpa") != 0)
		return false;
	*out = ip_from_v6(octet);
	return true;
}

bool reverse_parse(struct ip *out, const char *name)
{
	return parse_v4(out, name) || parse_v6(out, name);
}
