/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nearly all frames are: Ethernet, one 802.1Q tag or none, IPv4 without options or fragments or
 * IPv6 without extension headers, and a whole datagram to or from a DNS port, with room for a
 * question. Every header has its one length then and stands behind the other, so they are read as
 * whole words after one look at how much there is. The payload is gone over once, for its checksum
 * and for its fingerprint.
 *
 * What plain_decode makes of a frame is what the layers make of it (tests/unit/packet/test_plain.c,
 * tests/fuzz/fuzz_packet.c); what it does not recognise, it leaves to them.
 */
#include "sensor/packet/plain.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "sensor/base/cursor.h"
#include "sensor/packet/checksum.h"
#include "sensor/packet/fingerprint.h"

#define ETHERNET_LEN 14
#define IPV4_LEN     20
#define IPV6_LEN     40
#define UDP_LEN      8

/* What a fingerprint is taken of in steps, and less than a header and a question. */
#define PAYLOAD_MIN (FINGERPRINT_STEP / 2)
static_assert(FINGERPRINT_STEP == CHECKSUM_STEP, "both go over the payload together");
static_assert(ETHERNET_LEN + IPV4_LEN + UDP_LEN >= CHECKSUM_STEP,
	"so much is readable before the first byte of a payload");

/* What the IP header says that there is, and all of it was captured. */
struct datagram {
	const uint8_t *header; /* UDP_LEN are there, and before them the addresses */
	size_t room;           /* from there on */
	bool v6;
};

/* Step over an IPv4 header. False: not one of the plain kind. */
static inline bool ipv4_step(struct packet *out, struct cursor *c, struct datagram *d)
{
	size_t captured = cursor_left(c);
	const uint8_t *header = cursor_take(c, IPV4_LEN + UDP_LEN);

	if (UNLIKELY(!header))
		return false;
	/* version and header's length, TOS, length, identification, fragment's flags and offset */
	uint64_t first = word_be_at(header);
	size_t len = first >> 32 & 0xffff;
	if ((first & 0xff00000000003fff) != 0x4500000000000000 || header[9] != IPPROTO_UDP ||
		len > captured || len < IPV4_LEN)
		return false;
	out->src = ip_from_v4(header + 12);
	out->dst = ip_from_v4(header + 16);
	out->ip_ttl = header[8];
	out->ip_id = (uint16_t)(first >> 16);
	*d = (struct datagram){ header + IPV4_LEN, len - IPV4_LEN, false };
	return true;
}

/* Without a checksum it is not one of the plain kind (RFC 8200 8.1), nor with addresses of IPv4. */
static inline bool ipv6_step(struct packet *out, struct cursor *c, struct datagram *d)
{
	size_t captured = cursor_left(c);
	const uint8_t *header = cursor_take(c, IPV6_LEN + UDP_LEN);

	if (UNLIKELY(!header))
		return false;
	/* version, traffic class and flow, length, next header, hop limit */
	uint64_t first = word_be_at(header);
	size_t len = first >> 16 & 0xffff;
	bool summed = header[IPV6_LEN + 6] | header[IPV6_LEN + 7];
	if ((first & 0xf00000000000ff00) != (UINT64_C(6) << 60 | IPPROTO_UDP << 8) ||
		len > captured - IPV6_LEN || !summed || word_at(header + 8) == 0)
		return false;
	out->src = ip_from_v6(header + 8);
	out->dst = ip_from_v6(header + 24);
	out->ip_ttl = (uint8_t)first;
	out->ip_id = 0;
	*d = (struct datagram){ header + IPV6_LEN, len, true };
	return true;
}

/* Everything up to the datagram. */
static inline bool headers_step(struct packet *out, struct cursor *c, struct datagram *d)
{
	cursor_take(c, 12);
	uint16_t ethertype = cursor_be16(c);

	if (UNLIKELY(ethertype == 0x8100)) {
		out->vlan[0] = cursor_be16(c) & 0x0fff;
		out->vlan_count = 1;
		ethertype = cursor_be16(c);
	}
	if (LIKELY(ethertype == 0x0800))
		return ipv4_step(out, c, d);
	return ethertype == 0x86dd && ipv6_step(out, c, d);
}

/* All that no header here fills in; the rest is. */
static inline void clear_rest(struct packet *out)
{
	const size_t rest = offsetof(struct packet, checksum);

	memset((char *)out + rest, 0, sizeof(*out) - rest);
	out->vni = PACKET_NO_VNI;
}

bool plain_begin(struct packet *out, enum packet_rest *rest, const struct frame *frame,
	const struct port_set *ports)
{
	struct cursor c = cursor_init(frame->bytes, frame->caplen);
	struct datagram d;

	clear_rest(out);
	if (frame->link != PACKET_LINK_ETHERNET || !headers_step(out, &c, &d))
		return false;
	/* ports, length, checksum */
	uint64_t header = word_be_at(d.header);
	size_t len = header >> 16 & 0xffff;
	uint16_t sport = (uint16_t)(header >> 48), dport = (uint16_t)(header >> 32);

	if (len < UDP_LEN + PAYLOAD_MIN || len > d.room ||
		!port_set_has_either(ports, sport, dport))
		return false;
	out->sport = sport;
	out->dport = dport;
	out->protocol = IPPROTO_UDP;
	out->payload = d.header + UDP_LEN;
	out->payload_len = (uint32_t)(len - UDP_LEN);
	*rest = d.v6 ? PACKET_REST_V6 : PACKET_REST_V4;
	return true;
}

/* The addresses, the ports, the protocol and the lengths, in words that stand where they stood. */
static inline uint64_t sum_headers(const uint8_t *header, bool v6)
{
	/* the length counts once more, for the header that the checksum only imagines */
	uint64_t sum = checksum_add(word_at(header - 8), word_at(header));
	uint16_t len;

	memcpy(&len, header + 4, sizeof(len));
	if (v6)
		sum = checksum_add_words(sum, word_at(header - 32), word_at(header - 24),
			word_at(header - 16), 0);
	return checksum_add(sum, (uint64_t)len + htons(IPPROTO_UDP));
}

static inline struct fingerprint start_print(
	const uint8_t *header, bool v6, uint64_t ends, const uint64_t key[2])
{
	return v6 ? fingerprint_start_v6(header - 32, header - 16, ends, key)
		  : fingerprint_start_v4(word_at(header - 8), ends, key);
}

/*
 * Go over the payload, once for both. From its end it is whole steps; what is left before them, at
 * most a step, comes first, and the sum of that reads back into the headers and masks them.
 */
void plain_finish(struct packet *out, enum packet_rest rest, const uint64_t key[2])
{
	const bool v6 = rest == PACKET_REST_V6;
	const uint8_t *at = out->payload, *end = at + out->payload_len;
	const uint8_t *header = at - UDP_LEN;
	const uint32_t ports = (uint32_t)(word_be_at(header) >> 32);
	const size_t first = fingerprint_first(out->payload_len);
	struct fingerprint print = start_print(
		header, v6, fingerprint_ends(ports, IPPROTO_UDP, 0, out->ip_id), key);
	uint64_t sum = checksum_step_back(at + first, first);

	fingerprint_add_first(&print, at, first, key);
	for (at += first; at != end; at += CHECKSUM_STEP) {
		sum = checksum_step(sum, at);
		fingerprint_add(&print, at, at + CHECKSUM_STEP / 2, key);
	}
	out->fingerprint = fingerprint_end(&print, out->payload_len, 0, key);

	/* of an odd length every byte was taken for the other one of its word */
	sum = checksum_swap(sum, out->payload_len % 2);
	bool right = checksum_is_right(checksum_add(sum, sum_headers(header, v6)));
	bool sent = header[6] | header[7];
	out->checksum = !sent   ? PACKET_CHECKSUM_UNKNOWN
			: right ? PACKET_CHECKSUM_OK
				: PACKET_CHECKSUM_WRONG;
}
