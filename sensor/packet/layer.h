/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layer.h -- how the layers of packet/ call each other; not for other modules.
 *
 * Every decoder has the same shape: it fills what it knows into *out, steps the cursor over its
 * own header and returns what the layer above it makes of the rest.
 *
 * Invariant: cursor_left + layer.missing is the number of bytes that the innermost length field
 * so far declares. So "is it all here" is missing == 0, a length field that claims more than
 * that sum lies, and padding after an IP packet is never seen above ip.c.
 *
 * A tunnel is a layer that calls one below it. It passes tunnel_enter first, so that decoders
 * call each other to a depth of PACKET_DEPTH_MAX and no further.
 *
 * Input:    untrusted.  Threads: no shared state.
 */
#ifndef SENSOR_PACKET_LAYER_H
#define SENSOR_PACKET_LAYER_H

#include "sensor/base/cursor.h"
#include "sensor/packet/packet.h"

/* Values below this are an 802.3 length in place of an EtherType, and what follows is LLC. */
#define ETHERTYPE_MIN 0x0600

struct fragments;

struct decoder {
	const struct packet_options *options;
	uint64_t key[2];              /* of fingerprints */
	struct port_set tunnel_ports; /* of any kind, so that the test is one load */
	struct fragments *fragments;
};

struct layer {
	struct decoder *decoder;
	const struct port_set *ports;
	int64_t ts_ns;
	uint64_t missing; /* bytes that were on the wire and were not captured */
	unsigned depth;   /* tunnels entered */
	bool jumbo;       /* IPv6 jumbogram (RFC 2675): a UDP length of 0 is legal */
	bool rerouted;    /* the checksum covers another destination than dst (RFC 8200 8.1) */
};

/* packet.c: a frame of any kind, layer by layer: packet_decode without its short way (plain.h). */
enum packet_result layers_decode(
	struct packet *out, const struct frame *frame, struct decoder *d);

/* link.c: a frame of the given link type; an Ethernet frame; what an EtherType announces. */
enum packet_result link_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t link);
enum packet_result ethernet_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result ethertype_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t ethertype);
/* An LLC header and what follows. */
enum packet_result llc_decode(struct packet *out, struct cursor *c, struct layer *layer);

/* link_cooked.c: what operating systems write in place of a link layer. */
enum packet_result family_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result sll_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result sll2_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result pflog_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result ipnet_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result nflog_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result pktap_decode(struct packet *out, struct cursor *c, struct layer *layer);

/* link_other.c: link layers of other networks, and what capturing devices put in front. */
enum packet_result arcnet_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result arcnet_linux_decode(
	struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result juniper_ethernet_decode(
	struct packet *out, struct cursor *c, struct layer *layer);

/* wlan.c: 802.11, and the headers that capturing drivers put in front of it. */
enum packet_result wlan_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result radiotap_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result prism_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result avs_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result ppi_decode(struct packet *out, struct cursor *c, struct layer *layer);

/* ppp.c: PPP with or without its framing, PPPoE sessions, Cisco's HDLC. */
enum packet_result ppp_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result ppp_directed_decode(
	struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result pppoe_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result chdlc_decode(struct packet *out, struct cursor *c, struct layer *layer);

/* mpls.c: a label stack and what stands at its bottom. */
enum packet_result mpls_decode(struct packet *out, struct cursor *c, struct layer *layer);

/* ip.c: a packet of either version, told by its first four bits; of version 4; of version 6. */
enum packet_result ip_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result ipv4_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result ipv6_decode(struct packet *out, struct cursor *c, struct layer *layer);

/* transport.c: what an IP packet carries. */
enum packet_result transport_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint8_t protocol);
/* Could this protocol number lead to DNS, itself or through a tunnel? */
bool transport_is_decoded(uint8_t protocol);

/* gre.c: GRE with all that it carries. */
enum packet_result gre_decode(struct packet *out, struct cursor *c, struct layer *layer);

/* udp_tunnel.c: a datagram to a port of layer->decoder->tunnel_ports, bounded by its length. */
enum packet_result udp_tunnel_decode(struct packet *out, struct cursor *c, struct layer *layer);
void udp_tunnel_ports(struct port_set *out, const struct packet_options *options);

/* One more tunnel. False: too deep (PACKET_REJECT_TUNNEL_DEPTH). */
static inline bool tunnel_enter(struct packet *out, struct layer *layer)
{
	if (layer->depth == PACKET_DEPTH_MAX)
		return false;
	layer->depth++;
	layer->jumbo = false;
	layer->rerouted = false;
	out->ip_id = 0;
	out->sport = 0;
	out->dport = 0;
	out->protocol = 0;
	return true;
}

/* Bytes that the innermost length field declares and that are not yet stepped over. */
static inline uint64_t layer_declared(const struct layer *layer, const struct cursor *c)
{
	return cursor_left(c) + layer->missing;
}

/*
 * Let the cursor see no more than the next `declared` bytes. False when the layer below never
 * had that many.
 */
static inline bool layer_bound(struct cursor *c, struct layer *layer, uint64_t declared)
{
	if (declared > layer_declared(layer, c))
		return false;
	if (declared > cursor_left(c)) {
		layer->missing = declared - cursor_left(c);
		return true;
	}
	layer->missing = 0;
	*c = cursor_sub(c, declared);
	return true;
}

#endif
