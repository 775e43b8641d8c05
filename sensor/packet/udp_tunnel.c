/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tunnels in UDP: VXLAN (RFC 7348) with its generic protocol extension
 * (draft-ietf-nvo3-vxlan-gpe-13), GENEVE (RFC 8926), GTP-U (3GPP TS 29.281), TZSP
 * (https://wiki.wireshark.org/TZSP).
 *
 * Only a port says that a datagram is a tunnel's, and any client may happen to use that port:
 * what does not begin as the tunnel does is other traffic, not a damaged tunnel.
 */
#include "sensor/packet/layer.h"

static bool list_has(const uint16_t port[PACKET_TUNNEL_PORTS_MAX], uint16_t wanted)
{
	for (unsigned i = 0; i < PACKET_TUNNEL_PORTS_MAX && port[i] != 0; i++)
		if (port[i] == wanted)
			return true;
	return false;
}

static void ports_add(struct port_set *out, const uint16_t port[PACKET_TUNNEL_PORTS_MAX])
{
	for (unsigned i = 0; i < PACKET_TUNNEL_PORTS_MAX && port[i] != 0; i++)
		port_set_add(out, port[i]);
}

void udp_tunnel_ports(struct port_set *out, const struct packet_options *options)
{
	ports_add(out, options->vxlan);
	ports_add(out, options->geneve);
	ports_add(out, options->gtpu);
	ports_add(out, options->tzsp);
}

#define VXLAN_HAS_VNI      0x08
#define VXLAN_HAS_PROTOCOL 0x04

enum vxlan_protocol {
	VXLAN_IPV4 = 1,
	VXLAN_IPV6 = 2,
	VXLAN_ETHERNET = 3,
	VXLAN_MPLS = 5,
};

static enum packet_result vxlan_payload_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint8_t protocol)
{
	switch (protocol) {
	case VXLAN_IPV4:
		return ipv4_decode(out, c, layer);
	case VXLAN_IPV6:
		return ipv6_decode(out, c, layer);
	case VXLAN_ETHERNET:
		return ethernet_decode(out, c, layer);
	case VXLAN_MPLS:
		return mpls_decode(out, c, layer);
	default:
		return PACKET_OTHER;
	}
}

/* flags 1, reserved 2, next protocol 1 (when a flag says so), VNI 3, reserved 1 */
static enum packet_result vxlan_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 8);
	uint8_t flags = cursor_u8(&header);
	cursor_take(&header, 2);
	uint8_t protocol = cursor_u8(&header);
	uint32_t vni = cursor_be32(&header) >> 8;

	if (header.failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (!(flags & VXLAN_HAS_VNI))
		return PACKET_OTHER;
	if (!tunnel_enter(out, layer))
		return PACKET_REJECT_TUNNEL_DEPTH;
	out->vni = vni;
	return vxlan_payload_decode(
		out, c, layer, flags & VXLAN_HAS_PROTOCOL ? protocol : VXLAN_ETHERNET);
}

#define GENEVE_CONTROL 0x80

/* version 2 bits, length of options in 4 bytes 6; flags 1; EtherType 2; VNI 3, reserved 1 */
static enum packet_result geneve_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 8);
	uint8_t start = cursor_u8(&header);
	uint8_t flags = cursor_u8(&header);
	uint16_t ethertype = cursor_be16(&header);
	uint32_t vni = cursor_be32(&header) >> 8;

	if (header.failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (start >> 6 != 0 || (flags & GENEVE_CONTROL))
		return PACKET_OTHER;
	if (!cursor_take(c, (start & 0x3fu) * 4))
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (!tunnel_enter(out, layer))
		return PACKET_REJECT_TUNNEL_DEPTH;
	out->vni = vni;
	if (ethertype == 0x6558) /* the usual one, and no level of its own */
		return ethernet_decode(out, c, layer);
	return ethertype_decode(out, c, layer, ethertype);
}

enum gtpu_flag {
	GTPU_NPDU = 0x01,
	GTPU_SEQUENCE = 0x02,
	GTPU_EXTENSION = 0x04,
	GTPU_KIND = 0xf0, /* version, and GTP or GTP' */
	GTPU_VERSION_1 = 0x30,
};

#define GTPU_USER_DATA 255

/* Length in 4 bytes 1, content, next type 1; until the type is 0. */
static bool gtpu_extensions_step(struct cursor *c, uint8_t next)
{
	while (next != 0 && !c->failed) {
		uint8_t words = cursor_u8(c);
		if (words == 0)
			return false;
		cursor_take(c, words * 4u - 2);
		next = cursor_u8(c);
	}
	return true;
}

/*
 * flags 1, message type 1, length 2 (of all that follows the first 8 bytes), tunnel id 4; when
 * one of three flags is set: sequence 2, N-PDU number 1, type of the first extension header 1.
 */
static enum packet_result gtpu_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 8);
	uint8_t flags = cursor_u8(&header);
	uint8_t type = cursor_u8(&header);
	uint16_t len = cursor_be16(&header);
	uint8_t extension = 0;

	if (header.failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if ((flags & GTPU_KIND) != GTPU_VERSION_1 || type != GTPU_USER_DATA)
		return PACKET_OTHER;
	if (!layer_bound(c, layer, len))
		return PACKET_REJECT_TUNNEL_MALFORMED;
	if (flags & (GTPU_EXTENSION | GTPU_SEQUENCE | GTPU_NPDU)) {
		cursor_take(c, 3);
		extension = cursor_u8(c);
	}
	if ((flags & GTPU_EXTENSION) && !gtpu_extensions_step(c, extension))
		return PACKET_REJECT_TUNNEL_MALFORMED;
	struct cursor peek = *c;
	uint8_t version = cursor_u8(&peek) >> 4;
	if (peek.failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (version != 4 && version != 6) /* PPP, or frames of a private network */
		return PACKET_OTHER;
	if (!tunnel_enter(out, layer))
		return PACKET_REJECT_TUNNEL_DEPTH;
	return ip_decode(out, c, layer);
}

enum tzsp_field {
	TZSP_PADDING = 0,
	TZSP_END = 1,
};

/* Tag 1, and but for padding and the end: length 1, value. */
static void tzsp_fields_step(struct cursor *c)
{
	while (!c->failed) {
		uint8_t tag = cursor_u8(c);
		if (tag == TZSP_END)
			return;
		if (tag == TZSP_PADDING)
			continue;
		uint8_t len = cursor_u8(c);
		cursor_take(c, len);
	}
}

/* What TZSP calls link types; from 18 on they are libpcap's of old. */
static enum packet_result tzsp_payload_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t link)
{
	switch (link) {
	case 1:
		return ethernet_decode(out, c, layer);
	case 18:
		return wlan_decode(out, c, layer);
	case 119:
		return prism_decode(out, c, layer);
	case 127:
		return avs_decode(out, c, layer);
	default:
		return PACKET_OTHER;
	}
}

/* version 1, type 1 (0: received, 1: to be sent), link type 2, fields */
static enum packet_result tzsp_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, 4);
	uint8_t version = cursor_u8(&header);
	uint8_t type = cursor_u8(&header);
	uint16_t link = cursor_be16(&header);

	if (header.failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (version != 1 || type > 1)
		return PACKET_OTHER;
	tzsp_fields_step(c);
	if (c->failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	if (!tunnel_enter(out, layer))
		return PACKET_REJECT_TUNNEL_DEPTH;
	return tzsp_payload_decode(out, c, layer, link);
}

enum packet_result udp_tunnel_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	const struct packet_options *o = layer->decoder->options;

	if (list_has(o->vxlan, out->dport))
		return vxlan_decode(out, c, layer);
	if (list_has(o->geneve, out->dport))
		return geneve_decode(out, c, layer);
	if (list_has(o->tzsp, out->dport))
		return tzsp_decode(out, c, layer);
	if (list_has(o->gtpu, out->dport) || list_has(o->gtpu, out->sport))
		return gtpu_decode(out, c, layer);
	return PACKET_OTHER; /* a tunnel's port as source */
}
