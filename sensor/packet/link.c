/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most link layers end in an EtherType (IEEE 802.3 3.2.6): ethertype_decode is where they meet,
 * and where tags and LLC are stepped over before the next protocol is known.
 */
#include "sensor/packet/layer.h"

enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_BRIDGED = 0x6558, /* a whole Ethernet frame (RFC 1701) */
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_PPP = 0x880b,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_UPSTREAM = 0x8848,
	ETHERTYPE_PPPOE_SESSION = 0x8864,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100,
};

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
static bool llc_step(struct cursor *c, uint16_t *ethertype)
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

enum packet_result llc_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	uint16_t ethertype;

	if (!llc_step(c, &ethertype))
		return PACKET_REJECT_LINK_TRUNCATED;
	return ethertype == 0 ? PACKET_OTHER : ethertype_decode(out, c, layer, ethertype);
}

/* A protocol that is a link layer of its own. */
static enum packet_result inner_link_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t ethertype)
{
	if (!tunnel_enter(out, layer))
		return PACKET_REJECT_TUNNEL_DEPTH;
	switch (ethertype) {
	case ETHERTYPE_BRIDGED:
		return ethernet_decode(out, c, layer);
	case ETHERTYPE_PPP:
		return ppp_decode(out, c, layer);
	case ETHERTYPE_PPPOE_SESSION:
		return pppoe_decode(out, c, layer);
	default:
		return mpls_decode(out, c, layer);
	}
}

/* Behind any mix of tags and at most one LLC header. */
enum packet_result ethertype_decode(
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
		case ETHERTYPE_BRIDGED:
		case ETHERTYPE_PPP:
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_UPSTREAM:
		case ETHERTYPE_PPPOE_SESSION:
			return inner_link_decode(out, c, layer, ethertype);
		default:
			break;
		}
		if (ethertype >= ETHERTYPE_MIN)
			return PACKET_OTHER;
		if (!llc_step(c, &ethertype))
			return PACKET_REJECT_LINK_TRUNCATED;
		if (ethertype == 0)
			return PACKET_OTHER;
	}
	return PACKET_REJECT_LINK_UNSUPPORTED;
}

enum packet_result ethernet_decode(struct packet *out, struct cursor *c, struct layer *layer)
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

enum packet_result link_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t link)
{
	if (LIKELY(link == PACKET_LINK_ETHERNET))
		return ethernet_decode(out, c, layer);
	switch (link) {
#define LINK(id, number, decode, meaning)                                                      \
	case number:                                                                           \
		return decode(out, c, layer);
#include "sensor/packet/link.def"
#undef LINK
	default:
		return PACKET_REJECT_LINK_UNSUPPORTED;
	}
}
