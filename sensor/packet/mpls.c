/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MPLS (RFC 3032). No label says what stands below it, so the bottom of the stack is guessed as
 * every observer does (RFC 4928 3): by the first four bits, which are an IP version, or 0 for a
 * pseudowire's control word (RFC 4385 3); everything else is Ethernet, which a pseudowire
 * carries with or without that word (RFC 4448 4.6).
 */
#include "sensor/packet/layer.h"

#define MPLS_BOTTOM      0x100
#define MPLS_LABEL_IPV4  0  /* "explicit null": what follows is IPv4, */
#define MPLS_LABEL_IPV6  2  /* or IPv6 */
#define MPLS_LABEL_GAL   13 /* operation and maintenance (RFC 5586) */
#define CONTROL_WORD_LEN 4
#define ETHERNET_LEN     14

/* Does the header fit what there is? An Ethernet address may begin with a 4 or a 6, too. */
static bool ipv4_fits(struct cursor c, uint64_t declared)
{
	uint8_t version = cursor_u8(&c);
	cursor_take(&c, 1);
	uint16_t total_len = cursor_be16(&c);
	unsigned header_len = (version & 15u) * 4;

	return !c.failed && header_len >= 20 && total_len >= header_len &&
	       total_len <= declared;
}

static bool ipv6_fits(struct cursor c, uint64_t declared)
{
	cursor_take(&c, 4);
	uint16_t payload_len = cursor_be16(&c);

	return !c.failed && payload_len + UINT64_C(40) <= declared;
}

/* Is there an EtherType that we know in its place? */
static bool ethernet_fits(struct cursor c)
{
	cursor_take(&c, ETHERNET_LEN - 2);
	switch (cursor_be16(&c)) {
	case 0x0800:
	case 0x0806: /* ARP */
	case 0x86dd:
	case 0x8100:
	case 0x8847:
	case 0x8848:
	case 0x8863:
	case 0x8864:
	case 0x88a8:
	case 0x9100:
		return true;
	default:
		return false;
	}
}

static enum packet_result bottom_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;
	uint8_t nibble = cursor_u8(&peek) >> 4;

	if (peek.failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (nibble == 4 && (ipv4_fits(*c, layer_declared(layer, c)) || !ethernet_fits(*c)))
		return ipv4_decode(out, c, layer);
	if (nibble == 6 && (ipv6_fits(*c, layer_declared(layer, c)) || !ethernet_fits(*c)))
		return ipv6_decode(out, c, layer);
	if (nibble == 1 && !ethernet_fits(*c)) /* associated channel (RFC 4385 5) */
		return PACKET_OTHER;
	if (nibble == 0 && !ethernet_fits(*c))
		cursor_take(c, CONTROL_WORD_LEN);
	return ethernet_decode(out, c, layer);
}

enum packet_result mpls_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	for (unsigned count = 0; count < PACKET_LABELS_MAX; count++) {
		uint32_t entry = cursor_be32(c);
		uint32_t label = entry >> 12;
		if (c->failed)
			return PACKET_REJECT_TUNNEL_TRUNCATED;
		if (!(entry & MPLS_BOTTOM))
			continue;
		switch (label) {
		case MPLS_LABEL_IPV4:
			return ipv4_decode(out, c, layer);
		case MPLS_LABEL_IPV6:
			return ipv6_decode(out, c, layer);
		case MPLS_LABEL_GAL:
			return PACKET_OTHER;
		default:
			return bottom_decode(out, c, layer);
		}
	}
	return PACKET_REJECT_TUNNEL_DEPTH;
}
