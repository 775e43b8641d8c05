/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The link layers end in an EtherType (IEEE 802.3 3.2.6): ethertype_decode is where they meet,
 * and where tags and LLC are stepped over before the next protocol is known. Formats of the
 * pseudo link layers: https://www.tcpdump.org/linktypes.html
 */
#include "sensor/packet/layer.h"

/* Values below this are an 802.3 length, and what follows is LLC. */
#define ETHERTYPE_MIN 0x0600

enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_UPSTREAM = 0x8848,
	ETHERTYPE_PPPOE_SESSION = 0x8864,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100,
};

/* Linux cooked: what the protocol field means depends on the hardware type (ARPHRD_). */
enum arphrd {
	ARPHRD_IEEE80211 = 801,
	ARPHRD_IEEE80211_PRISM = 802,
	ARPHRD_IEEE80211_RADIOTAP = 803,
	ARPHRD_NETLINK = 824,
};

#define SLL_PROTOCOL_LLC 0x0004 /* in place of an EtherType: an 802.2 LLC header follows */

/* Step over one tag and keep its id (IEEE 802.1Q 9.6); gives the EtherType after it. */
static inline bool tag_decode(struct packet *out, struct cursor *c, uint16_t *ethertype)
{
	struct cursor tag = cursor_sub(c, 4);
	uint16_t tci = cursor_be16(&tag);

	*ethertype = cursor_be16(&tag);
	if (tag.failed)
		return false;
	if (out->vlan_count < PACKET_VLANS_MAX)
		out->vlan[out->vlan_count++] = tci & 0x0fff;
	return true;
}

/*
 * Step over an LLC header, and SNAP if there is one (IEEE 802.2, RFC 1042): gives the
 * EtherType, or 0 when the payload is something else (spanning tree, IPX, ...). False when cut.
 */
static bool llc_decode(struct cursor *c, uint16_t *ethertype)
{
	uint8_t dsap = cursor_u8(c);
	uint8_t ssap = cursor_u8(c);
	uint8_t control = cursor_u8(c);

	*ethertype = 0;
	if (c->failed)
		return false;
	if (dsap == 0x06 && ssap == 0x06 && control == 0x03)
		*ethertype = ETHERTYPE_IPV4;
	if (dsap != 0xaa || ssap != 0xaa || control != 0x03)
		return true;

	struct cursor snap = cursor_sub(c, 5);
	uint8_t oui_high = cursor_u8(&snap);
	uint16_t oui_low = cursor_be16(&snap);
	uint16_t protocol = cursor_be16(&snap);
	/* 00-00-00 is RFC 1042; 00-00-f8 marks a frame that a bridge translated (802.1H). */
	if (oui_high == 0 && (oui_low == 0 || oui_low == 0x00f8) && protocol >= ETHERTYPE_MIN)
		*ethertype = protocol;
	return !snap.failed;
}

/* What an EtherType announces, behind any mix of tags and at most one LLC header. */
static enum packet_result ethertype_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t ethertype)
{
	for (unsigned tags = 0; tags <= PACKET_TAGS_MAX; tags++) {
		switch (ethertype) {
		case ETHERTYPE_IPV4:
			return ipv4_decode(out, c, layer);
		case ETHERTYPE_IPV6:
			return ipv6_decode(out, c, layer);
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			if (tags < PACKET_TAGS_MAX && !tag_decode(out, c, &ethertype))
				return PACKET_REJECT_LINK_TRUNCATED;
			continue;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_UPSTREAM:
		case ETHERTYPE_PPPOE_SESSION:
			return PACKET_REJECT_TUNNEL;
		default:
			break;
		}
		if (ethertype >= ETHERTYPE_MIN)
			return PACKET_OTHER;
		if (!llc_decode(c, &ethertype))
			return PACKET_REJECT_LINK_TRUNCATED;
		if (ethertype == 0)
			return PACKET_OTHER;
	}
	return PACKET_REJECT_LINK_UNSUPPORTED;
}

static inline enum packet_result ethernet_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 14);

	if (UNLIKELY(header.failed))
		return PACKET_REJECT_LINK_TRUNCATED;
	cursor_take(&header, 12);
	uint16_t ethertype = cursor_be16(&header);
	if (LIKELY(ethertype == ETHERTYPE_IPV4))
		return ipv4_decode(out, c, layer);
	return ethertype_decode(out, c, layer, ethertype);
}

/* What both versions of Linux cooked agree on. */
static enum packet_result sll_payload_decode(struct packet *out, struct cursor *c,
	struct layer *layer, uint16_t hardware, uint16_t protocol)
{
	switch (hardware) {
	case ARPHRD_NETLINK:
		return PACKET_OTHER;
	case ARPHRD_IEEE80211:
	case ARPHRD_IEEE80211_PRISM:
	case ARPHRD_IEEE80211_RADIOTAP:
		return PACKET_REJECT_LINK_UNSUPPORTED;
	default:
		break;
	}
	if (protocol < ETHERTYPE_MIN && protocol != SLL_PROTOCOL_LLC)
		return PACKET_OTHER;
	return ethertype_decode(out, c, layer, protocol);
}

/* packet type 2, hardware type 2, address length 2, address 8, protocol 2 */
static enum packet_result sll_decode(struct packet *out, struct cursor *c, struct layer *layer)
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
static enum packet_result sll2_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 20);
	uint16_t protocol = cursor_be16(&header);

	cursor_take(&header, 6);
	uint16_t hardware = cursor_be16(&header);
	if (header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	return sll_payload_decode(out, c, layer, hardware, protocol);
}

/* BSD null and loop: a 32-bit address family, in the order of a host we do not know. */
static enum packet_result family_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	uint32_t family = cursor_be32(c);

	if (c->failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2: /* AF_INET everywhere */
		return ipv4_decode(out, c, layer);
	case 10: /* AF_INET6 of Linux, */
	case 24: /* NetBSD, OpenBSD and BSD/OS, */
	case 28: /* FreeBSD and DragonFly, */
	case 30: /* and Darwin */
		return ipv6_decode(out, c, layer);
	default:
		return PACKET_OTHER;
	}
}

enum packet_result link_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t link)
{
	if (LIKELY(link == PACKET_LINK_ETHERNET))
		return ethernet_decode(out, c, layer);
	switch (link) {
	case PACKET_LINK_LINUX_SLL:
		return sll_decode(out, c, layer);
	case PACKET_LINK_LINUX_SLL2:
		return sll2_decode(out, c, layer);
	case PACKET_LINK_RAW_DLT:
	case PACKET_LINK_RAW_OPENBSD:
	case PACKET_LINK_RAW:
		return ip_decode(out, c, layer);
	case PACKET_LINK_IPV4:
		return ipv4_decode(out, c, layer);
	case PACKET_LINK_IPV6:
		return ipv6_decode(out, c, layer);
	case PACKET_LINK_NULL:
	case PACKET_LINK_LOOP:
		return family_decode(out, c, layer);
	default:
		return PACKET_REJECT_LINK_UNSUPPORTED;
	}
}
