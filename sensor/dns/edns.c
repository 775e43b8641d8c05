/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/edns.h"

#include <string.h>

enum {
	FAMILY_IPV4 = 1, /* IANA address family numbers */
	FAMILY_IPV6 = 2,
};

/* RFC 7871 6: FAMILY, SOURCE PREFIX-LENGTH, SCOPE PREFIX-LENGTH, as many octets as the bits
 * need. */
static void read_client_subnet(struct dns_edns *out, struct cursor *c)
{
	uint8_t address[16] = { 0 };
	unsigned family = cursor_be16(c);
	unsigned bits = cursor_u8(c);
	cursor_u8(c); /* scope */
	size_t address_len = cursor_left(c);
	const uint8_t *at = cursor_take(c, address_len);
	unsigned bits_max = family == FAMILY_IPV4 ? 32 : 128;

	if (c->failed || (family != FAMILY_IPV4 && family != FAMILY_IPV6))
		return;
	if (bits > bits_max || address_len != (bits + 7) / 8)
		return;
	memcpy(address, at, address_len);
	/* Bits after the prefix must be zero; a client that sets them is not told apart. */
	if (bits % 8)
		address[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
	out->client_subnet = family == FAMILY_IPV4 ? ip_from_v4(address) : ip_from_v6(address);
	out->client_subnet_bits = (uint8_t)bits;
	out->has_client_subnet = true;
}

unsigned dns_edns_read(struct dns_edns *out, const struct dns_record *opt, const uint8_t *wire)
{
	struct cursor c = cursor_init(wire + opt->rdata_at, opt->rdata_len);

	unsigned rcode = dns_edns_start(out, opt);

	while (cursor_left(&c) > 0) {
		unsigned code = cursor_be16(&c);
		size_t len = cursor_be16(&c);
		struct cursor option = cursor_sub(&c, len);
		if (code == DNS_OPTION_CLIENT_SUBNET && !out->has_client_subnet)
			read_client_subnet(out, &option);
	}
	return rcode;
}
