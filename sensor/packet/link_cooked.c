/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operating systems write in place of a link layer, when they capture on more than one
 * kind of interface or in their packet filter. Formats: https://www.tcpdump.org/linktypes.html
 */
#include "sensor/packet/layer.h"

#include <arpa/inet.h>

#define SLL_PROTOCOL_LLC 0x0004 /* in place of an EtherType: an 802.2 LLC header follows */

/* Linux cooked: what the protocol field means depends on the hardware type (ARPHRD_). */
enum arphrd {
	ARPHRD_IEEE80211 = 801,
	ARPHRD_IEEE80211_PRISM = 802,
	ARPHRD_IEEE80211_RADIOTAP = 803,
	ARPHRD_NETLINK = 824,
};

static enum packet_result address_family_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint32_t family)
{
	switch (family) {
	case 2: /* AF_INET everywhere */
		return ipv4_decode(out, c, layer);
	case 10: /* AF_INET6 of Linux, */
	case 24: /* NetBSD, OpenBSD and BSD/OS, */
	case 26: /* Solaris, */
	case 28: /* FreeBSD and DragonFly, */
	case 30: /* and Darwin */
		return ipv6_decode(out, c, layer);
	default:
		return PACKET_OTHER;
	}
}

/* BSD null and loop: a 32-bit address family, in the order of a host we do not know. */
enum packet_result family_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	uint32_t family = cursor_be32(c);

	if (c->failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	return address_family_decode(out, c, layer, family);
}

/* What both versions of Linux cooked agree on. */
static enum packet_result sll_payload_decode(struct packet *out, struct cursor *c,
	struct layer *layer, uint16_t hardware, uint16_t protocol)
{
	switch (hardware) {
	case ARPHRD_NETLINK:
		return PACKET_OTHER;
	case ARPHRD_IEEE80211:
		return wlan_decode(out, c, layer);
	case ARPHRD_IEEE80211_PRISM:
		return prism_decode(out, c, layer);
	case ARPHRD_IEEE80211_RADIOTAP:
		return radiotap_decode(out, c, layer);
	default:
		break;
	}
	if (protocol < ETHERTYPE_MIN && protocol != SLL_PROTOCOL_LLC)
		return PACKET_OTHER;
	return ethertype_decode(out, c, layer, protocol);
}

/* packet type 2, hardware type 2, address length 2, address 8, protocol 2 */
enum packet_result sll_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 16);

	cursor_take(&header, 2);
	uint16_t hardware = cursor_be16(&header);
	cursor_take(&header, 10);
	uint16_t protocol = cursor_be16(&header);
	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return sll_payload_decode(out, c, layer, hardware, protocol);
}

/* protocol 2, reserved 2, interface 4, hardware type 2, packet type 1, address length 1, 8 */
enum packet_result sll2_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 20);
	uint16_t protocol = cursor_be16(&header);

	cursor_take(&header, 6);
	uint16_t hardware = cursor_be16(&header);
	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return sll_payload_decode(out, c, layer, hardware, protocol);
}

/* length 1 (to be rounded up to a multiple of 4), address family 1, ... */
enum packet_result pflog_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;
	uint8_t len = cursor_u8(&peek);
	uint8_t family = cursor_u8(&peek);

	cursor_take(c, (len + 3u) & ~3u);
	if (peek.failed || c->failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return len < 2 ? PACKET_REJECT_LINK_UNSUPPORTED
		       : address_family_decode(out, c, layer, family);
}

/* version 1, address family 1, hook 2, length 4, interfaces 8, zones 8 */
enum packet_result ipnet_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 24);

	cursor_take(&header, 1);
	uint8_t family = cursor_u8(&header);
	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return address_family_decode(out, c, layer, family);
}

/* 16 bits in the order of the capturing host; libpcap gives them in this one's. */
static uint16_t cursor_host16(struct cursor *c)
{
	return ntohs(cursor_be16(c));
}

#define NFLOG_PACKET_HEADER 1 /* NFULA_PACKET_HDR: EtherType 2, hook 1, padding 1 */
#define NFLOG_PAYLOAD       9 /* NFULA_PAYLOAD */
#define NFLOG_BRIDGE        7 /* AF_BRIDGE: the family alone does not say what the payload is */

/*
 * family 1, version 1, group 2; then attributes: length 2, which includes these 4 bytes and is
 * rounded up to a multiple of 4, type 2, value.
 */
enum packet_result nflog_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 4);
	uint8_t family = cursor_u8(&header);
	uint8_t version = cursor_u8(&header);
	uint16_t ethertype = 0;

	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if (version != 0)
		return PACKET_REJECT_LINK_UNSUPPORTED;
	while (layer_declared(layer, c) >= 4) {
		uint16_t len = cursor_host16(c);
		uint16_t type = cursor_host16(c);
		if (c->failed || len < 4)
			return PACKET_REJECT_LINK_TRUNCATED;
		if ((type & 0x7fff) == NFLOG_PAYLOAD) {
			if (!layer_bound(c, layer, len - 4u))
				return PACKET_REJECT_LINK_TRUNCATED;
			return family == NFLOG_BRIDGE
				       ? ethertype_decode(out, c, layer, ethertype)
				       : address_family_decode(out, c, layer, family);
		}
		struct cursor value = cursor_sub(c, (len - 4u + 3u) & ~3u);
		if ((type & 0x7fff) == NFLOG_PACKET_HEADER)
			ethertype = cursor_be16(&value);
		if (value.failed)
			return PACKET_REJECT_LINK_TRUNCATED;
	}
	return PACKET_OTHER; /* a message without a packet */
}

#define PKTAP_HEADER_MIN 108
#define PKTAP_PACKET     1

/*
 * Little endian: header length 4, type of what follows 4 (1: a packet), its link type 4,
 * interface name 24, ...
 */
enum packet_result pktap_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = *c;
	uint32_t len = __builtin_bswap32(cursor_be32(&header));
	uint32_t type = __builtin_bswap32(cursor_be32(&header));
	uint32_t link = __builtin_bswap32(cursor_be32(&header));

	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if (len < PKTAP_HEADER_MIN || len > UINT16_MAX || link > UINT16_MAX)
		return PACKET_REJECT_LINK_UNSUPPORTED;
	if (!cursor_take(c, len))
		return PACKET_REJECT_LINK_TRUNCATED;
	if (type != PKTAP_PACKET)
		return PACKET_OTHER;
	if (!tunnel_enter(out, layer))
		return PACKET_REJECT_TUNNEL_DEPTH;
	return link_decode(out, c, layer, (uint16_t)link);
}
