/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200), up to the protocol inside.
 *
 * A length field of 0 is what segmentation offload leaves in packets that were captured before
 * the network card cut them up: then the packet is as long as the frame.
 */
#include "sensor/packet/fragment.h"

#include <netinet/in.h>

#define IPV4_HEADER_LEN 20
#define IPV6_HEADER_LEN 40
#define IPV4_FRAGMENT   0x3fff /* more-fragments flag and offset: either makes a fragment */
#define IPV4_MORE       0x2000
#define IPV4_OFFSET     0x1fff /* in units of 8 bytes */
#define IPV6_FRAGMENT   0xfff9 /* offset and more-fragments flag; both 0: atomic (RFC 6946) */
#define IPV6_OFFSET     0xfff8 /* in bytes */
#define JUMBO_MIN       65536  /* RFC 2675 2 */

/*
 * A fragment of a protocol that may carry DNS waits for the others. After an IPv6 fragment
 * header the protocol may be another extension header: then only the first fragment would know.
 */
static bool fragment_matters(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case IPPROTO_FRAGMENT:
		return true;
	default:
		return transport_is_decoded(protocol);
	}
}

/* *c is the fragment's part. */
static COLD enum packet_result ipv4_fragment_decode(struct packet *out, struct cursor *c,
	struct layer *layer, uint8_t protocol, uint16_t fragment)
{
	struct fragment f = {
		.id = out->ip_id,
		.offset = (fragment & IPV4_OFFSET) * 8u,
		.more = fragment & IPV4_MORE,
		.version = 4,
		.protocol = protocol,
	};

	if (!transport_is_decoded(protocol))
		return PACKET_OTHER;
	enum packet_result result = fragment_take(out, c, layer, &f);
	return result == PACKET_OTHER ? transport_decode(out, c, layer, protocol) : result;
}

enum packet_result ipv4_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, IPV4_HEADER_LEN);

	if (UNLIKELY(header.failed))
		return PACKET_REJECT_IP_TRUNCATED;
	uint8_t version = cursor_u8(&header);
	cursor_take(&header, 1);
	uint16_t total_len = cursor_be16(&header);
	uint16_t id = cursor_be16(&header);
	uint16_t fragment = cursor_be16(&header);
	uint8_t ttl = cursor_u8(&header);
	uint8_t protocol = cursor_u8(&header);
	cursor_take(&header, 2);
	const uint8_t *src = cursor_take(&header, 4);
	const uint8_t *dst = cursor_take(&header, 4);

	unsigned header_len = (version & 15u) * 4;
	if (UNLIKELY(version >> 4 != 4 || header_len < IPV4_HEADER_LEN))
		return PACKET_REJECT_IP_MALFORMED;
	if (UNLIKELY(total_len != 0 && total_len < header_len))
		return PACKET_REJECT_IP_MALFORMED;
	if (UNLIKELY(!cursor_take(c, header_len - IPV4_HEADER_LEN)))
		return PACKET_REJECT_IP_TRUNCATED;
	if (UNLIKELY(total_len != 0 && !layer_bound(c, layer, total_len - header_len)))
		return PACKET_REJECT_IP_MALFORMED;

	out->src = ip_from_v4(src);
	out->dst = ip_from_v4(dst);
	out->ip_ttl = ttl;
	out->ip_id = id;
	if (UNLIKELY(fragment & IPV4_FRAGMENT))
		return ipv4_fragment_decode(out, c, layer, protocol, fragment);
	return transport_decode(out, c, layer, protocol);
}

/*
 * Find the jumbo payload option (RFC 2675 2) among hop-by-hop options and bound the packet by
 * it. `after` stands behind the hop-by-hop header, whose length the option's value includes.
 */
static enum packet_result jumbo_bound(
	struct cursor options, size_t header_len, struct cursor *after, struct layer *layer)
{
	while (cursor_left(&options) > 0 && !options.failed) {
		uint8_t type = cursor_u8(&options);
		if (type == 0) /* Pad1 has no length */
			continue;
		uint8_t len = cursor_u8(&options);
		struct cursor data = cursor_sub(&options, len);
		if (type != 0xc2)
			continue;
		uint32_t jumbo_len = cursor_be32(&data);
		if (data.failed || len != 4 || jumbo_len < JUMBO_MIN)
			return PACKET_REJECT_IP_EXTENSION;
		layer->jumbo = true;
		return layer_bound(after, layer, jumbo_len - header_len)
			       ? PACKET_OTHER
			       : PACKET_REJECT_IP_MALFORMED;
	}
	return options.failed ? PACKET_REJECT_IP_EXTENSION : PACKET_OTHER;
}

/* A header that does not fit: cut by the capture, or longer than the packet says it is? */
static enum packet_result extension_cut(const struct layer *layer)
{
	return layer->missing > 0 ? PACKET_REJECT_IP_TRUNCATED : PACKET_REJECT_IP_EXTENSION;
}

/* Step over one hop-by-hop, routing, destination or authentication header; PACKET_OTHER: go on.
 */
static enum packet_result extension_decode(
	struct cursor *c, struct layer *layer, uint8_t *protocol, bool length_zero)
{
	uint8_t kind = *protocol;
	struct cursor header = *c;
	uint8_t next = cursor_u8(&header);
	uint8_t len = cursor_u8(&header);
	/* in 8 bytes without the first 8; AH in 4 bytes without the first 8 (RFC 4302 2.2) */
	size_t header_len = kind == IPPROTO_AH ? (len + 2u) * 4 : (len + 1u) * 8;

	header = cursor_sub(c, header_len);
	if (header.failed)
		return extension_cut(layer);
	cursor_take(&header, 2);
	*protocol = next;
	if (kind == IPPROTO_HOPOPTS && length_zero)
		return jumbo_bound(header, header_len, c, layer);
	if (kind == IPPROTO_ROUTING) {
		cursor_take(&header, 1);
		uint8_t segments_left = cursor_u8(&header);
		layer->rerouted |= segments_left > 0;
	}
	return PACKET_OTHER;
}

/*
 * Step over a fragment header (RFC 8200 4.5). PACKET_OTHER: go on with *protocol, which is what
 * the whole datagram carries when this fragment completes it.
 */
static enum packet_result ipv6_fragment_decode(
	struct packet *out, struct cursor *c, struct layer *layer, uint8_t *protocol)
{
	struct cursor header = cursor_sub(c, 8);
	uint8_t next = cursor_u8(&header);
	cursor_take(&header, 1);
	uint16_t fragment = cursor_be16(&header);
	uint32_t id = cursor_be32(&header);

	if (header.failed)
		return extension_cut(layer);
	*protocol = next;
	if (!(fragment & IPV6_FRAGMENT))
		return PACKET_OTHER;
	if (!fragment_matters(next)) {
		*protocol = IPPROTO_NONE;
		return PACKET_OTHER;
	}
	struct fragment f = {
		.id = id,
		.offset = fragment & IPV6_OFFSET,
		.more = fragment & 1,
		.version = 6,
		.protocol = next,
	};
	enum packet_result result = fragment_take(out, c, layer, &f);
	*protocol = f.protocol;
	return result;
}

/* Walk the chain of extension headers (RFC 8200 4) to the protocol at its end. */
static enum packet_result extensions_decode(struct packet *out, struct cursor *c,
	struct layer *layer, uint8_t protocol, bool length_zero)
{
	for (unsigned count = 0;; count++) {
		switch (protocol) {
		case IPPROTO_HOPOPTS:
			if (count > 0) /* RFC 8200 4.1: only directly after the IPv6 header */
				return PACKET_REJECT_IP_EXTENSION;
			break;
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_AH:
		case IPPROTO_FRAGMENT:
			break;
		default:
			return transport_decode(out, c, layer, protocol);
		}
		if (count == PACKET_EXTENSIONS_MAX)
			return PACKET_REJECT_IP_EXTENSION;
		enum packet_result result =
			protocol == IPPROTO_FRAGMENT
				? ipv6_fragment_decode(out, c, layer, &protocol)
				: extension_decode(c, layer, &protocol, length_zero);
		if (result != PACKET_OTHER)
			return result;
	}
}

enum packet_result ipv6_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor header = cursor_sub(c, IPV6_HEADER_LEN);

	if (UNLIKELY(header.failed))
		return PACKET_REJECT_IP_TRUNCATED;
	uint8_t version = cursor_u8(&header);
	cursor_take(&header, 3);
	uint16_t payload_len = cursor_be16(&header);
	uint8_t protocol = cursor_u8(&header);
	uint8_t hop_limit = cursor_u8(&header);
	const uint8_t *src = cursor_take(&header, 16);
	const uint8_t *dst = cursor_take(&header, 16);

	if (UNLIKELY(version >> 4 != 6))
		return PACKET_REJECT_IP_MALFORMED;
	if (UNLIKELY(payload_len != 0 && !layer_bound(c, layer, payload_len)))
		return PACKET_REJECT_IP_MALFORMED;

	out->src = ip_from_v6(src);
	out->dst = ip_from_v6(dst);
	out->ip_ttl = hop_limit;
	if (LIKELY(protocol == IPPROTO_UDP))
		return transport_decode(out, c, layer, protocol);
	return extensions_decode(out, c, layer, protocol, payload_len == 0);
}

enum packet_result ip_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;
	uint8_t version = cursor_u8(&peek);

	if (peek.failed)
		return PACKET_REJECT_IP_TRUNCATED;
	return version >> 4 == 6 ? ipv6_decode(out, c, layer) : ipv4_decode(out, c, layer);
}
