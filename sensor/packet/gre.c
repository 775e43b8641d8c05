/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GRE: version 0 (RFC 2784, 2890, with the routing of RFC 1701), version 1 of PPTP (RFC 2637),
 * and the three mirrors that Cisco's switches send in it (ERSPAN, draft-foschiano-erspan-03),
 * NVGRE (RFC 7637), WCCP redirection.
 */
#include "sensor/packet/layer.h"

enum gre_flag {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACKNOWLEDGED = 0x0080, /* version 1 */
	GRE_VERSION = 0x0007,
};

enum gre_protocol {
	GRE_BRIDGED = 0x6558,
	GRE_PPP = 0x880b,
	GRE_WCCP = 0x883e,
	GRE_ERSPAN = 0x88be,
	GRE_ERSPAN3 = 0x22eb,
};

/* RFC 1701: address family 2, offset 1, length 1, routing; again, until both are 0. */
static void routing_step(struct cursor *c)
{
	uint16_t family;
	uint8_t len;

	do {
		family = cursor_be16(c);
		cursor_take(c, 1);
		len = cursor_u8(c);
		cursor_take(c, len);
	} while (!c->failed && (family != 0 || len != 0));
}

/* Both versions begin: version 4 bits, VLAN 12; priority 3, encapsulation 2, cut 1, session 10. */
static void session_take(struct packet *out, uint32_t word, bool tagged)
{
	uint16_t vlan = word >> 16 & 0x0fff;

	out->vni = word & 0x03ff;
	if (!tagged && vlan != 0 && out->vlan_count < PACKET_VLANS_MAX)
		out->vlan[out->vlan_count++] = vlan;
}

/* ... then: reserved 12 bits, port index 20. The mirrored frame may have kept its tag. */
static enum packet_result erspan2_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 8);
	uint32_t word = cursor_be32(&header);

	if (header.failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	session_take(out, word, (word >> 11 & 3) == 3);
	return ethernet_decode(out, c, layer);
}

/*
 * ... then: timestamp 4; security group 2; no Ethernet 1 bit, frame type 5, hardware id 6,
 * direction 1, granularity 2, and 1 for a platform's own 8 bytes that follow.
 */
static enum packet_result erspan3_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 12);
	uint32_t word = cursor_be32(&header);
	cursor_take(&header, 6);
	uint16_t flags = cursor_be16(&header);

	if (flags & 1)
		cursor_take(c, 8);
	if (header.failed || c->failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	session_take(out, word, false);
	switch (flags >> 10 & 31) {
	case 0:
		return ethernet_decode(out, c, layer);
	case 2:
		return ip_decode(out, c, layer);
	default:
		return PACKET_OTHER;
	}
}

/* Version I has no header, and its GRE no sequence number. */
static enum packet_result erspan_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t flags)
{
	struct cursor peek = *c;

	if (!(flags & GRE_SEQUENCE))
		return ethernet_decode(out, c, layer);
	switch (cursor_u8(&peek) >> 4) {
	case 1:
		return erspan2_decode(out, c, layer);
	case 2:
		return erspan3_decode(out, c, layer);
	default:
		return peek.failed ? PACKET_REJECT_TUNNEL_TRUNCATED
				   : PACKET_REJECT_TUNNEL_MALFORMED;
	}
}

/* Version 2 of WCCP has 4 bytes of its own in front of the packet, version 1 has not. */
static enum packet_result wccp_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;

	if (cursor_u8(&peek) >> 4 != 4)
		cursor_take(c, 4);
	return c->failed ? PACKET_REJECT_TUNNEL_TRUNCATED : ip_decode(out, c, layer);
}

/* PPTP: the key is payload length 2 and call id 2; acknowledgements alone carry nothing. */
static enum packet_result pptp_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t flags)
{
	uint16_t protocol = cursor_be16(c);
	uint16_t len = cursor_be16(c);

	cursor_take(c, 2);
	if (flags & GRE_SEQUENCE)
		cursor_take(c, 4);
	if (flags & GRE_ACKNOWLEDGED)
		cursor_take(c, 4);
	if (c->failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (protocol != GRE_PPP || !(flags & GRE_KEY))
		return PACKET_REJECT_TUNNEL_MALFORMED;
	if (!(flags & GRE_SEQUENCE) || len == 0)
		return PACKET_OTHER;
	if (!layer_bound(c, layer, len))
		return PACKET_REJECT_TUNNEL_MALFORMED;
	return ppp_decode(out, c, layer);
}

static enum packet_result payload_decode(struct packet *out, struct cursor *c,
	struct layer *layer, uint16_t flags, uint16_t protocol)
{
	switch (protocol) {
	case GRE_BRIDGED:
		return ethernet_decode(out, c, layer);
	case GRE_PPP:
		return ppp_decode(out, c, layer);
	case GRE_ERSPAN:
		return erspan_decode(out, c, layer, flags);
	case GRE_ERSPAN3:
		return erspan3_decode(out, c, layer);
	case GRE_WCCP:
		return wccp_decode(out, c, layer);
	case 0: /* a keep-alive; here it is no length of LLC */
		return PACKET_OTHER;
	default:
		return ethertype_decode(out, c, layer, protocol);
	}
}

enum packet_result gre_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	uint16_t flags = cursor_be16(c);

	if (!tunnel_enter(out, layer))
		return PACKET_REJECT_TUNNEL_DEPTH;
	if ((flags & GRE_VERSION) == 1)
		return pptp_decode(out, c, layer, flags);
	uint16_t protocol = cursor_be16(c);
	if (flags & (GRE_CHECKSUM | GRE_ROUTING))
		cursor_take(c, 4);
	if (flags & GRE_KEY) {
		uint32_t key = cursor_be32(c);
		/* RFC 7637 3.2: the key is a VSID of 24 bits and a flow of 8 */
		if (protocol == GRE_BRIDGED && !(flags & (GRE_CHECKSUM | GRE_SEQUENCE)))
			out->vni = key >> 8;
	}
	if (flags & GRE_SEQUENCE)
		cursor_take(c, 4);
	if (flags & GRE_ROUTING)
		routing_step(c);
	if (c->failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if ((flags & GRE_VERSION) != 0)
		return PACKET_REJECT_TUNNEL_MALFORMED;
	return payload_decode(out, c, layer, flags, protocol);
}
