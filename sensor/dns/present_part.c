/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/present_part.h"

#include <arpa/inet.h>
#include <string.h>

static const char hex_digit[] = "0123456789abcdef";

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

static inline char *put_decimal(char *at, unsigned octet)
{
	if (octet >= 100)
		*at++ = (char)('0' + octet / 100);
	if (octet >= 10)
		*at++ = (char)('0' + octet / 10 % 10);
	*at++ = (char)('0' + octet % 10);
	return at;
}

void present_ipv4(struct text *out, const uint8_t address[4])
{
	if (!text_reserve(out, INET_ADDRSTRLEN))
		return;
	char *at = end_of(out);
	for (int i = 0; i < 4; i++) {
		at = put_decimal(at, address[i]);
		*at++ = '.';
	}
	end_at(out, at - 1);
}

static inline char *put_group(char *at, unsigned group)
{
	for (int shift = 12; shift >= 0; shift -= 4) {
		if (group >> shift || shift == 0)
			*at++ = hex_digit[group >> shift & 0xf];
	}
	return at;
}

/* Where the first longest run of two or more zero groups is (RFC 5952 4.2). */
static void find_zeros(const unsigned group[8], int *first, int *count)
{
	int run = 0;

	*first = -1;
	*count = 1;
	for (int i = 0; i < 8; i++) {
		run = group[i] ? 0 : run + 1;
		if (run > *count) {
			*count = run;
			*first = i - run + 1;
		}
	}
}

void present_ipv6(struct text *out, const uint8_t address[16])
{
	static const uint8_t zeros[10];
	unsigned group[8];
	int first;
	int count;

	if (!text_reserve(out, INET6_ADDRSTRLEN))
		return;
	char *at = end_of(out);
	if (memcmp(address, zeros, sizeof(zeros)) == 0) {
		/* "::", "::1" and addresses that hold an IPv4 one: rare, with forms of their
		 * own. */
		inet_ntop(AF_INET6, address, at, INET6_ADDRSTRLEN);
		out->len += strlen(at);
		return;
	}
	for (int i = 0; i < 8; i++)
		group[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
	find_zeros(group, &first, &count);
	for (int i = 0; i < 8; i++) {
		if (i == first) {
			*at++ = ':';
			i += count - 1;
			if (i == 7)
				*at++ = ':';
			continue;
		}
		if (i > 0)
			*at++ = ':';
		at = put_group(at, group[i]);
	}
	end_at(out, at);
}

void present_unknown(struct text *out, const uint8_t *octets, size_t octets_len)
{
	text_puts(out, "\\# ");
	text_put_u64(out, octets_len);
	if (octets_len == 0 || !text_reserve(out, 2 * octets_len + 1))
		return;
	char *at = end_of(out);
	*at++ = ' ';
	for (size_t i = 0; i < octets_len; i++) {
		*at++ = hex_digit[octets[i] >> 4];
		*at++ = hex_digit[octets[i] & 0xf];
	}
	end_at(out, at);
}
