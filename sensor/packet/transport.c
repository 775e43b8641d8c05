/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP (RFC 768, jumbograms RFC 2675 4) and TCP (RFC 9293) up to their payload. */
#include "sensor/packet/layer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "sensor/packet/checksum.h"

#define UDP_HEADER_LEN 8
#define TCP_HEADER_LEN 20

/* Protocol numbers that <netinet/in.h> does not have everywhere. */
enum ip_tunnel {
	IP_TUNNEL_IPV4 = 4,
	IP_TUNNEL_IPV6 = 41,
	IP_TUNNEL_GRE = 47,
	IP_TUNNEL_ETHERIP = 97, /* RFC 3378 */
	IP_TUNNEL_MPLS = 137,   /* RFC 4023 */
};

/* Verify a whole datagram. The addresses' IPv4-mapped prefix adds 0xffff, which is 0 here. */
static enum packet_checksum udp_checksum(
	const struct packet *out, const uint8_t *datagram, uint32_t datagram_len)
{
	uint64_t sum = htonl(datagram_len) + (uint64_t)htons(IPPROTO_UDP);

	sum += checksum_sum(out->src.bytes, 16) + checksum_sum(out->dst.bytes, 16);
	sum += checksum_sum(datagram, datagram_len);
	return checksum_is_right(sum) ? PACKET_CHECKSUM_OK : PACKET_CHECKSUM_WRONG;
}

static inline bool is_dns(const struct packet *out, const struct layer *layer)
{
	return port_set_has_either(layer->ports, out->dport, out->sport);
}

/* What was captured of a message of which `message_len` bytes were on the wire. */
static COLD enum packet_result udp_cut(
	struct packet *out, struct cursor *c, uint64_t message_len)
{
	size_t captured = cursor_left(c);

	if (captured == 0)
		return PACKET_REJECT_SNAPLEN;
	out->payload = cursor_take(c, captured);
	out->payload_len = (uint32_t)captured;
	out->payload_missing = (uint32_t)(message_len - captured);
	return PACKET_DNS;
}

/* A datagram that is not DNS, behind its header. */
static COLD enum packet_result udp_other_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint64_t len)
{
	const struct port_set *tunnels = &layer->decoder->tunnel_ports;

	if (!port_set_has(tunnels, out->dport) && !port_set_has(tunnels, out->sport))
		return PACKET_OTHER;
	layer_bound(c, layer, len);
	return udp_tunnel_decode(out, c, layer);
}

static inline enum packet_result udp_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor datagram = *c;
	struct cursor header = cursor_sub(c, UDP_HEADER_LEN);

	if (UNLIKELY(header.failed))
		return PACKET_REJECT_TRANSPORT_TRUNCATED;
	out->sport = cursor_be16(&header);
	out->dport = cursor_be16(&header);
	uint64_t len = cursor_be16(&header);
	uint16_t checksum = cursor_be16(&header);

	if (UNLIKELY(len == 0 && layer->jumbo))
		len = UDP_HEADER_LEN + layer_declared(layer, c);
	if (UNLIKELY(len < UDP_HEADER_LEN || len - UDP_HEADER_LEN > layer_declared(layer, c)))
		return PACKET_REJECT_UDP_MALFORMED;
	if (!is_dns(out, layer))
		return udp_other_decode(out, c, layer, len - UDP_HEADER_LEN);
	if (len == UDP_HEADER_LEN)
		return PACKET_OTHER;

	const uint8_t *bytes = cursor_take(&datagram, len);
	if (UNLIKELY(!bytes))
		return udp_cut(out, c, len - UDP_HEADER_LEN);
	out->payload = cursor_take(c, len - UDP_HEADER_LEN);
	out->payload_len = (uint32_t)(len - UDP_HEADER_LEN);
	/* 0 means "none" over IPv4; over IPv6 it is no legal checksum (RFC 8200 8.1) */
	if ((checksum != 0 || !ip_is_v4(&out->src)) && LIKELY(!layer->rerouted))
		out->checksum = udp_checksum(out, bytes, (uint32_t)len);
	return PACKET_DNS;
}

/* A segment to or from a DNS port: what the streams need of it. */
static enum packet_result tcp_segment(
	struct packet *out, struct cursor *c, struct layer *layer, unsigned header_len)
{
	const uint8_t *header = cursor_take(c, header_len);
	out->tcp_len = (uint32_t)(header ? layer_declared(layer, c) : 0);
	if (!header)
		return PACKET_REJECT_TRANSPORT_TRUNCATED;
	if (out->tcp_len == 0)
		return PACKET_OTHER;
	out->payload_len = (uint32_t)cursor_left(c);
	out->payload = cursor_take(c, out->payload_len);
	return layer->missing ? PACKET_REJECT_SNAPLEN : PACKET_DNS;
}

static enum packet_result tcp_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor whole = *c;
	struct cursor header = cursor_sub(c, TCP_HEADER_LEN);

	if (header.failed)
		return PACKET_REJECT_TRANSPORT_TRUNCATED;
	out->sport = cursor_be16(&header);
	out->dport = cursor_be16(&header);
	uint32_t seq = cursor_be32(&header);
	uint32_t ack = cursor_be32(&header);
	unsigned header_len = (cursor_u8(&header) >> 4) * 4u;
	uint8_t flags = cursor_u8(&header);

	if (header_len < TCP_HEADER_LEN || header_len > layer_declared(layer, &whole))
		return PACKET_REJECT_TCP_MALFORMED;
	if (!is_dns(out, layer))
		return PACKET_OTHER;
	out->tcp_seq = seq;
	out->tcp_ack = ack;
	out->tcp_flags = flags;
	return tcp_segment(out, &whole, layer, header_len);
}

bool transport_is_decoded(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_UDP:
	case IPPROTO_TCP:
	case IP_TUNNEL_IPV4:
	case IP_TUNNEL_IPV6:
	case IP_TUNNEL_GRE:
	case IP_TUNNEL_ETHERIP:
	case IP_TUNNEL_MPLS:
		return true;
	default:
		return false;
	}
}

/* version 4 bits, which is 3, and 12 reserved */
static enum packet_result etherip_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	uint16_t header = cursor_be16(c);

	if (c->failed)
		return PACKET_REJECT_TUNNEL_TRUNCATED;
	return header >> 12 == 3 ? ethernet_decode(out, c, layer)
				 : PACKET_REJECT_TUNNEL_MALFORMED;
}

/* What stands in IP without a header of its own. */
static COLD enum packet_result tunnel_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint8_t protocol)
{
	switch (protocol) {
	case IP_TUNNEL_IPV4:
		return ipv4_decode(out, c, layer);
	case IP_TUNNEL_IPV6:
		return ipv6_decode(out, c, layer);
	case IP_TUNNEL_ETHERIP:
		return etherip_decode(out, c, layer);
	default:
		return mpls_decode(out, c, layer);
	}
}

enum packet_result transport_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_UDP:
		out->protocol = protocol;
		return udp_decode(out, c, layer);
	case IPPROTO_TCP:
		out->protocol = protocol;
		return tcp_decode(out, c, layer);
	case IP_TUNNEL_GRE:
		return gre_decode(out, c, layer);
	default:
		break;
	}
	if (!transport_is_decoded(protocol))
		return PACKET_OTHER;
	return tunnel_enter(out, layer) ? tunnel_decode(out, c, layer, protocol)
					: PACKET_REJECT_TUNNEL_DEPTH;
}
