/* SPDX-License-Identifier: BSD-2-Clause */
/* PPP (RFC 1661, 1662), PPPoE sessions (RFC 2516), Cisco's HDLC framing (RFC 1547 4.3.1). */
#include "sensor/packet/layer.h"

enum ppp_protocol {
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057, /* RFC 5072 */
	PPP_MPLS = 0x0281, /* RFC 3032 4.3 */
	PPP_MPLS_MULTICAST = 0x0283,
};

/* RFC 1661 2: an odd first byte is all of a protocol number that was compressed. */
static uint16_t protocol_read(struct cursor *c)
{
	uint8_t high = cursor_u8(c);

	if (high & 1)
		return high;
	return (uint16_t)(high << 8 | cursor_u8(c));
}

static enum packet_result protocol_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	uint16_t protocol = protocol_read(c);

	if (c->failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	switch (protocol) {
	case PPP_IPV4:
		return ipv4_decode(out, c, layer);
	case PPP_IPV6:
		return ipv6_decode(out, c, layer);
	case PPP_MPLS:
	case PPP_MPLS_MULTICAST:
		if (!tunnel_enter(out, layer))
			return PACKET_REJECT_TUNNEL_DEPTH;
		return mpls_decode(out, c, layer);
	default: /* control protocols, compressed or encrypted data */
		return PACKET_OTHER;
	}
}

/* The address and control fields ff 03 may have been negotiated away (RFC 1661 6.6). */
enum packet_result ppp_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;
	uint8_t address = cursor_u8(&peek);
	uint8_t control = cursor_u8(&peek);

	if (address == 0xff && control == 0x03)
		*c = peek;
	else if ((address == 0x0f || address == 0x8f) && control == 0x00)
		return chdlc_decode(out, c, layer);
	return protocol_decode(out, c, layer);
}

/* One byte of direction, in front of the address field or in its place. */
enum packet_result ppp_directed_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	cursor_take(c, 1);
	struct cursor peek = *c;
	if (cursor_u8(&peek) == 0x03)
		*c = peek;
	return ppp_decode(out, c, layer);
}

/* version and type 1, code 1 (0: session), session id 2, length 2 */
enum packet_result pppoe_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 6);
	uint8_t version_type = cursor_u8(&header);
	uint8_t code = cursor_u8(&header);
	cursor_take(&header, 2);
	uint16_t len = cursor_be16(&header);

	if (header.failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (version_type != 0x11 || !layer_bound(c, layer, len))
		return PACKET_REJECT_TUNNEL_MALFORMED;
	return code == 0 ? protocol_decode(out, c, layer) : PACKET_OTHER;
}

/* address 1, control 1, EtherType 2 */
enum packet_result chdlc_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 4);

	cursor_take(&header, 2);
	uint16_t ethertype = cursor_be16(&header);
	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return ethertype_decode(out, c, layer, ethertype);
}
