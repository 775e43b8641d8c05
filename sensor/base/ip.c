/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/base/digits.h"
#include "sensor/base/quantity.h"

#define V4_OFFSET_BITS 96 /* where the IPv4 address starts in the mapped form */

bool ip_parse(struct ip *out, const char *text)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*out = ip_from_v4(bytes);
		return true;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1) {
		*out = ip_from_v6(bytes);
		return true;
	}
	return false;
}

char *ip_put_v4(char *at, const uint8_t v4[4])
{
	for (int i = 0; i < 4; i++) {
		at = digits_put_octet(at, v4[i]);
		*at++ = '.';
	}
	return at - 1;
}

/* Of a bit for each group that is zero: the first longest run of two or more (RFC 5952 4.2). */
static unsigned longest_run(unsigned zeros, unsigned *count)
{
	unsigned starts = zeros;

	/* a bit is left where a run of `count` begins */
	for (*count = 1; starts & zeros >> *count; ++*count)
		starts &= zeros >> *count;
	return *count > 1 ? (unsigned)__builtin_ctz(starts) : 8;
}

static char *put_groups(char *at, const uint8_t v6[16])
{
	unsigned zeros = 0;
	unsigned count;

	for (unsigned i = 0; i < 8; i++)
		zeros |= (unsigned)((v6[2 * i] | v6[2 * i + 1]) == 0) << i;
	unsigned first = longest_run(zeros, &count);
	for (unsigned i = 0; i < 8; i++) {
		if (i == first) {
			*at++ = ':';
			i += count - 1;
			if (i == 7)
				*at++ = ':';
			continue;
		}
		*at = ':';
		at = digits_put_hex_group(
			at + (i > 0), (uint16_t)(v6[2 * i] << 8 | v6[2 * i + 1]));
	}
	return at;
}

char *ip_put_v6(char *at, const uint8_t v6[16])
{
	static const uint8_t zeros[10];

	if (memcmp(v6, zeros, sizeof(zeros)) == 0) {
		/* "::", "::1" and addresses that hold an IPv4 one: rare, with forms of their
		 * own. */
		inet_ntop(AF_INET6, v6, at, IP_TEXT_MAX);
		return at + strlen(at);
	}
	return put_groups(at, v6);
}

const char *ip_format(const struct ip *ip, char text[IP_TEXT_MAX])
{
	*ip_put(text, ip) = '\0';
	return text;
}

struct ip ip_masked(const struct ip *ip, unsigned bits)
{
	struct ip out = { .bytes = { 0 } };
	unsigned whole = bits / 8;

	memcpy(out.bytes, ip->bytes, whole);
	if (bits % 8)
		out.bytes[whole] = ip->bytes[whole] & (uint8_t)(0xff00 >> bits % 8);
	return out;
}

struct ip_net ip_site(const struct ip *ip)
{
	uint8_t bits = ip_is_v4(ip) ? V4_OFFSET_BITS + 24 : 48;
	return (struct ip_net){ .base = ip_masked(ip, bits), .bits = bits };
}

/*
 * The IANA special-purpose registries (RFC 6890), less what is only documentation or testing.
 */
static bool v4_is_private(const uint8_t v4[4])
{
	switch (v4[0]) {
	case 0: /* "this network", RFC 1122 */
	case 10:
	case 127:
		return true;
	case 100:
		return (v4[1] & 0xc0) == 64; /* RFC 6598 */
	case 169:
		return v4[1] == 254; /* RFC 3927 */
	case 172:
		return (v4[1] & 0xf0) == 16;
	case 192:
		return v4[1] == 168;
	default:
		return false;
	}
}

bool ip_is_private(const struct ip *ip)
{
	static const uint8_t zero[15];

	if (ip_is_v4(ip))
		return v4_is_private(ip->bytes + 12);
	if (memcmp(ip->bytes, zero, 15) == 0)
		return ip->bytes[15] <= 1; /* unspecified and loopback */
	if ((ip->bytes[0] & 0xfe) == 0xfc)
		return true; /* unique local, RFC 4193 */
	return ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool ip_is_group(const struct ip *ip)
{
	static const uint8_t zero[16], ones[4] = { 0xff, 0xff, 0xff, 0xff };

	if (ip_is_v4(ip)) {
		const uint8_t *v4 = ip->bytes + 12;
		return (v4[0] & 0xf0) == 0xe0 || memcmp(v4, ones, 4) == 0 ||
		       memcmp(v4, zero, 4) == 0;
	}
	return ip->bytes[0] == 0xff || memcmp(ip->bytes, zero, 16) == 0;
}

enum ip_kind ip_kind_of_few(const struct ip *ip)
{
	if (ip_is_group(ip)) /* ::, which is private as well, is no host */
		return IP_GROUP;
	return ip_is_private(ip) ? IP_PRIVATE : IP_PUBLIC;
}

bool ip_net_parse(struct ip_net *out, const char *text)
{
	char address[IP_TEXT_MAX];
	struct ip base;
	size_t address_len = strcspn(text, "/");

	if (address_len >= sizeof(address))
		return false;
	memcpy(address, text, address_len);
	address[address_len] = '\0';
	if (!ip_parse(&base, address))
		return false;

	uint64_t bits = 128;
	if (text[address_len] == '/') {
		/* An address written with a colon counts its bits from the front of all 128. */
		unsigned offset = strchr(address, ':') ? 0 : V4_OFFSET_BITS;
		if (!quantity_parse_count(&bits, text + address_len + 1) || bits > 128 - offset)
			return false;
		bits += offset;
	}
	struct ip masked = ip_masked(&base, (unsigned)bits);
	if (!ip_equal(&masked, &base))
		return false;
	*out = (struct ip_net){ .base = base, .bits = (uint8_t)bits };
	return true;
}

const char *ip_net_format(const struct ip_net *net, char text[IP_NET_TEXT_MAX])
{
	char address[IP_TEXT_MAX];
	bool v4 = ip_is_v4(&net->base) && net->bits >= V4_OFFSET_BITS;

	ip_format(&net->base, address);
	snprintf(text, IP_NET_TEXT_MAX, "%s/%u", address,
		v4 ? net->bits - V4_OFFSET_BITS : net->bits);
	return text;
}

bool ip_net_contains(const struct ip_net *net, const struct ip *ip)
{
	unsigned whole = net->bits / 8;
	uint8_t rest = (uint8_t)(0xff00 >> net->bits % 8);

	if (memcmp(net->base.bytes, ip->bytes, whole) != 0)
		return false;
	return !(net->bits % 8) || ((net->base.bytes[whole] ^ ip->bytes[whole]) & rest) == 0;
}

/* Entries stand longest network first, and an exclusion before the same network without. */
static bool stands_before(const struct ip_set_entry *a, const struct ip_set_entry *b)
{
	if (a->net.bits != b->net.bits)
		return a->net.bits > b->net.bits;
	return a->excluded && !b->excluded;
}

bool ip_set_add(struct ip_set *set, const char *text)
{
	struct ip_set_entry new = { .excluded = text[0] == '!' };

	if (!ip_net_parse(&new.net, text + new.excluded))
		return false;
	struct ip_set_entry *grown = realloc(set->entry, (set->count + 1) * sizeof(*grown));
	if (!grown)
		return false;
	set->entry = grown;

	size_t at = set->count++;
	for (; at > 0 && stands_before(&new, &set->entry[at - 1]); at--)
		set->entry[at] = set->entry[at - 1];
	set->entry[at] = new;
	return true;
}

bool ip_set_contains(const struct ip_set *set, const struct ip *ip)
{
	for (size_t i = 0; i < set->count; i++) {
		if (ip_net_contains(&set->entry[i].net, ip))
			return !set->entry[i].excluded;
	}
	return false;
}

void ip_set_deinit(struct ip_set *set)
{
	free(set->entry);
	*set = (struct ip_set){ 0 };
}
