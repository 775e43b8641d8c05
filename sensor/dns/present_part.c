/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/present_part.h"

#include "sensor/base/digits.h"
#include "sensor/base/ip.h"

/* The end of text that has room for what follows; the caller moves out->len. */
static inline char *end_of(struct text *out)
{
	return out->at + out->len;
}

static inline void end_at(struct text *out, char *at)
{
	*at = '\0';
	out->len = (size_t)(at - out->at);
}

static inline char *put_octet(char *at, uint8_t octet)
{
	if (octet < 0x20 || octet > 0x7e) {
		*at++ = '\\';
		*at++ = (char)('0' + octet / 100);
		*at++ = (char)('0' + octet / 10 % 10);
		*at++ = (char)('0' + octet % 10);
		return at;
	}
	if (octet == '"' || octet == '\\')
		*at++ = '\\';
	*at++ = (char)octet;
	return at;
}

void present_octet(struct text *out, uint8_t octet)
{
	if (text_reserve(out, 4))
		end_at(out, put_octet(end_of(out), octet));
}

void present_string(struct text *out, struct cursor *c)
{
	size_t len = cursor_left(c);
	const uint8_t *octets = cursor_take(c, len);

	if (!octets || !text_reserve(out, 4 * len + 2))
		return;
	char *at = end_of(out);
	*at++ = '"';
	for (size_t i = 0; i < len; i++)
		at = put_octet(at, octets[i]);
	*at++ = '"';
	end_at(out, at);
}

void present_ipv4(struct text *out, const uint8_t address[4])
{
	if (text_reserve(out, IP_TEXT_MAX))
		end_at(out, ip_put_v4(end_of(out), address));
}

void present_ipv6(struct text *out, const uint8_t address[16])
{
	if (text_reserve(out, IP_TEXT_MAX))
		end_at(out, ip_put_v6(end_of(out), address));
}

void present_unknown(struct text *out, const uint8_t *octets, size_t octets_len)
{
	text_puts(out, "\\# ");
	text_put_u64(out, octets_len);
	if (octets_len == 0 || !text_reserve(out, 2 * octets_len + 1 + DIGITS_SLACK))
		return;
	char *at = end_of(out);
	*at++ = ' ';
	end_at(out, digits_put_hex(at, octets, octets_len));
}
