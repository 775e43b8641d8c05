/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Link layers of other networks, and what capturing devices put in front of Ethernet. Formats:
 * https://www.tcpdump.org/linktypes.html
 */
#include "sensor/packet/layer.h"

/* ARCNET's protocol field. The two of RFC 1051 are followed by the packet at once. */
enum arcnet_protocol {
	ARCNET_IPV6 = 0xc4, /* RFC 2497 */
	ARCNET_IPV4 = 0xd4, /* RFC 1201 */
	ARCNET_IPV4_OLD = 0xf0,
	ARCNET_ARP_OLD = 0xf1,
};

/* RFC 1201: split flag 1, sequence number 2; a flag of 0xff is the "exception" header's. */
static enum packet_result arcnet_payload_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint8_t protocol)
{
	switch (protocol) {
	case ARCNET_IPV4_OLD:
		return ipv4_decode(out, c, layer);
	case ARCNET_IPV4:
	case ARCNET_IPV6:
		break;
	default:
		return PACKET_OTHER;
	}
	uint8_t split = cursor_u8(c);
	cursor_take(c, 2);
	if (split == 0xff) {
		cursor_take(c, 1);
		split = 0;
	}
	if (c->failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if (split != 0) /* one of several frames that make up a packet */
		return PACKET_REJECT_LINK_UNSUPPORTED;
	return protocol == ARCNET_IPV4 ? ipv4_decode(out, c, layer)
				       : ipv6_decode(out, c, layer);
}

/* source 1, destination 1, protocol 1 */
enum packet_result arcnet_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 3);

	cursor_take(&header, 2);
	uint8_t protocol = cursor_u8(&header);
	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return arcnet_payload_decode(out, c, layer, protocol);
}

/* source 1, destination 1, offset 2, protocol 1; Linux puts frames together by itself */
enum packet_result arcnet_linux_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 5);

	cursor_take(&header, 4);
	uint8_t protocol = cursor_u8(&header);
	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return arcnet_payload_decode(out, c, layer, protocol);
}

#define JUNIPER_MAGIC      0x4d4743 /* "MGC" */
#define JUNIPER_NO_L2      0x02
#define JUNIPER_EXTENSIONS 0x80

/* magic 3, flags 1; extensions: length 2, value; without a link layer: address family 4 */
enum packet_result juniper_ethernet_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	uint32_t start = cursor_be32(c);

	if (c->failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if (start >> 8 != JUNIPER_MAGIC)
		return PACKET_REJECT_LINK_UNSUPPORTED;
	if (start & JUNIPER_EXTENSIONS) {
		uint16_t len = cursor_be16(c);
		cursor_take(c, len);
	}
	if (start & JUNIPER_NO_L2)
		cursor_take(c, 4);
	if (c->failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return start & JUNIPER_NO_L2 ? ip_decode(out, c, layer)
				     : ethernet_decode(out, c, layer);
}
