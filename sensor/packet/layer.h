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
 * Input:    untrusted.  Threads: no shared state.
 */
#ifndef SENSOR_PACKET_LAYER_H
#define SENSOR_PACKET_LAYER_H

#include "sensor/base/cursor.h"
#include "sensor/packet/packet.h"

struct layer {
	const struct port_set *ports;
	uint64_t missing; /* bytes that were on the wire and were not captured */
	bool jumbo;       /* IPv6 jumbogram (RFC 2675): a UDP length of 0 is legal */
	bool rerouted;    /* the checksum covers another destination than dst (RFC 8200 8.1) */
};

/* link.c: a frame of the given link type. */
enum packet_result link_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint16_t link);

/* ip.c: a packet of either version, told by its first four bits; of version 4; of version 6. */
enum packet_result ip_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result ipv4_decode(struct packet *out, struct cursor *c, struct layer *layer);
enum packet_result ipv6_decode(struct packet *out, struct cursor *c, struct layer *layer);

/* transport.c: what an IP packet that is no fragment carries. */
enum packet_result transport_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint8_t protocol);

/* Bytes that the innermost length field declares and that are not yet stepped over. */
static inline uint64_t layer_declared(const struct layer *layer, const struct cursor *c)
{
	return cursor_left(c) + layer->missing;
}

#endif
