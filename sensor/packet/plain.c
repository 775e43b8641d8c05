/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nearly all frames are: Ethernet, one 802.1Q tag or none, IPv4 without options or fragments or
 * IPv6 without extension headers, and a whole datagram to or from a DNS port. Every header has its one
 * length then and stands behind the other, and the addresses stand before the datagram that the
 * checksum covers together with them. The layers take 330 instructions a frame of the benchmark's mix,
 * this takes 200, a third of that the checksum (callgrind), and half the time (bench_stages: decode).
 *
 * What plain_decode makes of a frame is what the layers make of it (tests/unit/packet/test_plain.c,
 * tests/fuzz/fuzz_packet.c); what it does not recognise, it leaves to them.
 */
#include "sensor/packet/plain.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

#include "sensor/base/cursor.h"
#include "sensor/packet/checksum.h"

#define ETHERNET_LEN  14
#define TAG_LEN       4
#define IPV4_LEN      20
#define IPV6_LEN      40
#define UDP_LEN       8
#define ADDRESSES_OF4 8 /* both */
#define ADDRESSES_OF6 32

/* Less than this is in no frame with a message; and so much is there before the end of a checksum. */
#define FRAME_MIN (ETHERNET_LEN + IPV4_LEN + UDP_LEN)
static_assert(FRAME_MIN >= CHECKSUM_BEHIND, "a checksum may be read from behind");

/* The datagram and the addresses before it: what its checksum covers. */
struct datagram {
	const uint8_t *addresses;
	size_t addresses_len;
	size_t room; /* what the IP header says that there is for the datagram */
};

/* Step over an IPv4 header. False: not one of the plain kind. */
static inline bool ipv4_step(struct packet *out, struct cursor *c, struct datagram *d)
{
	size_t captured = cursor_left(c);
	struct cursor header = cursor_sub(c, IPV4_LEN);
	uint16_t version_tos = cursor_be16(&header);
	uint16_t total_len = cursor_be16(&header);
	uint16_t id = cursor_be16(&header);
	uint16_t fragment = cursor_be16(&header);
	uint8_t ttl = cursor_u8(&header);
	uint8_t protocol = cursor_u8(&header);
	cursor_take(&header, 2);
	const uint8_t *addresses = cursor_take(&header, ADDRESSES_OF4);

	if (!addresses || version_tos >> 8 != 0x45 || (fragment & 0x3fff) != 0 ||
		protocol != IPPROTO_UDP || total_len < IPV4_LEN || total_len > captured)
		return false;
	out->src = ip_from_v4(addresses);
	out->dst = ip_from_v4(addresses + 4);
	out->ip_ttl = ttl;
	out->ip_id = id;
	*d = (struct datagram){ addresses, ADDRESSES_OF4, total_len - IPV4_LEN };
	return true;
}

static inline bool ipv6_step(struct packet *out, struct cursor *c, struct datagram *d)
{
	struct cursor header = cursor_sub(c, IPV6_LEN);
	uint32_t version_flow = cursor_be32(&header);
	uint16_t payload_len = cursor_be16(&header);
	uint8_t protocol = cursor_u8(&header);
	uint8_t hop_limit = cursor_u8(&header);
	const uint8_t *addresses = cursor_take(&header, ADDRESSES_OF6);

	if (!addresses || version_flow >> 28 != 6 || protocol != IPPROTO_UDP ||
		payload_len > cursor_left(c))
		return false;
	out->src = ip_from_v6(addresses);
	out->dst = ip_from_v6(addresses + 16);
	out->ip_ttl = hop_limit;
	*d = (struct datagram){ addresses, ADDRESSES_OF6, payload_len };
	return true;
}

/* Everything up to the datagram. */
static inline bool headers_step(struct packet *out, struct cursor *c, struct datagram *d)
{
	struct cursor header = cursor_sub(c, ETHERNET_LEN);
	cursor_take(&header, 12);
	uint16_t ethertype = cursor_be16(&header);

	if (ethertype == 0x8100) {
		struct cursor tag = cursor_sub(c, TAG_LEN);
		out->vlan[0] = cursor_be16(&tag) & 0x0fff;
		out->vlan_count = 1;
		ethertype = cursor_be16(&tag);
	}
	if (LIKELY(ethertype == 0x0800))
		return ipv4_step(out, c, d);
	return ethertype == 0x86dd && ipv6_step(out, c, d);
}

static inline enum packet_checksum verify(const struct datagram *d, size_t len)
{
	uint64_t sum = checksum_sum_behind(d->addresses, d->addresses_len + len);

	sum += htons((uint16_t)len) + (uint64_t)htons(IPPROTO_UDP);
	return checksum_is_right(sum) ? PACKET_CHECKSUM_OK : PACKET_CHECKSUM_WRONG;
}

bool plain_decode(struct packet *out, const struct frame *frame, const struct port_set *ports)
{
	struct cursor c = cursor_init(frame->bytes, frame->caplen);
	struct datagram d = { 0 };

	if (frame->link != PACKET_LINK_ETHERNET || frame->caplen < FRAME_MIN ||
		!headers_step(out, &c, &d))
		return false;
	struct cursor header = cursor_sub(&c, UDP_LEN);
	uint16_t sport = cursor_be16(&header);
	uint16_t dport = cursor_be16(&header);
	size_t len = cursor_be16(&header);
	uint16_t checksum = cursor_be16(&header);

	if (len <= UDP_LEN || len > d.room ||
		!(port_set_has(ports, dport) || port_set_has(ports, sport)))
		return false;
	if (LIKELY(checksum != 0))
		out->checksum = verify(&d, len);
	else if (d.addresses_len == ADDRESSES_OF6)
		return false;
	out->sport = sport;
	out->dport = dport;
	out->protocol = IPPROTO_UDP;
	out->payload_len = (uint32_t)(len - UDP_LEN);
	out->payload = cursor_take(&c, len - UDP_LEN);
	return true;
}
