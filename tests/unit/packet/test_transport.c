/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/packet/decoded.h"

#define ETHERNET .link = PACKET_LINK_ETHERNET
#define TCP      ETHERNET, .protocol = 6
#define NOTHING  .empty = true

static const struct spec_row {
	const char *name;
	struct frame_spec spec;
	enum packet_result result;
} rows[] = {
	{ "query", QUERY_SPEC(ETHERNET), PACKET_DNS },
	{ "response", QUERY_SPEC(ETHERNET, .sport = 53, .dport = 40000), PACKET_DNS },
	{ "53 to 53", QUERY_SPEC(ETHERNET, .sport = 53, .dport = 53), PACKET_DNS },
	{ "one byte", { ETHERNET, .sport = 53, .dport = 9, .payload = "x", .payload_len = 1 },
		PACKET_DNS },
	{ "no payload", QUERY_SPEC(ETHERNET, NOTHING), PACKET_OTHER },
	{ "no payload but padding", QUERY_SPEC(ETHERNET, NOTHING, .padding_len = 18),
		PACKET_OTHER },
	{ "other ports", QUERY_SPEC(ETHERNET, .dport = 123), PACKET_OTHER },
	{ "mDNS", QUERY_SPEC(ETHERNET, .sport = 5353, .dport = 5353), PACKET_OTHER },
	{ "LLMNR", QUERY_SPEC(ETHERNET, .dport = 5355), PACKET_OTHER },
	{ "NetBIOS", QUERY_SPEC(ETHERNET, .sport = 137, .dport = 137), PACKET_OTHER },
	{ "a resolver that uses 5353 as its source", QUERY_SPEC(ETHERNET, .sport = 5353),
		PACKET_DNS },

	{ "UDP length 7", QUERY_SPEC(ETHERNET, .udp_len_set = true, .udp_len = 7),
		PACKET_REJECT_UDP_MALFORMED },
	{ "UDP length 0", QUERY_SPEC(ETHERNET, .udp_len_set = true, .udp_len = 0),
		PACKET_REJECT_UDP_MALFORMED },
	{ "UDP length 0 over IPv6",
		QUERY_SPEC(ETHERNET, .v6 = true, .udp_len_set = true, .udp_len = 0),
		PACKET_REJECT_UDP_MALFORMED },
	{ "UDP longer than IP",
		QUERY_SPEC(ETHERNET, .udp_len_set = true, .udp_len = QUERY_LEN + 9),
		PACKET_REJECT_UDP_MALFORMED },
	{ "UDP longer than IP, with padding enough",
		QUERY_SPEC(ETHERNET, .udp_len_set = true, .udp_len = QUERY_LEN + 9,
			.padding_len = 10),
		PACKET_REJECT_UDP_MALFORMED },
	{ "UDP length 8 with bytes behind",
		QUERY_SPEC(ETHERNET, .udp_len_set = true, .udp_len = 8), PACKET_OTHER },
	{ "malformed on other ports", QUERY_SPEC(ETHERNET, .dport = 9, .udp_len_set = true),
		PACKET_REJECT_UDP_MALFORMED },

	{ "a client on the port of VXLAN", QUERY_SPEC(ETHERNET, .dport = 4789), PACKET_OTHER },
	{ "a client on the port of GTP-U", QUERY_SPEC(ETHERNET, .dport = 2152), PACKET_OTHER },
	{ "a client on the port of TZSP", QUERY_SPEC(ETHERNET, .dport = 37008), PACKET_OTHER },
	{ "response to a client on a tunnel's port",
		QUERY_SPEC(ETHERNET, .sport = 53, .dport = 37008), PACKET_DNS },
	{ "tunnel's port as source", QUERY_SPEC(ETHERNET, .sport = 37008, .dport = 443),
		PACKET_OTHER },

	{ "TCP query", QUERY_SPEC(TCP), PACKET_DNS },
	{ "TCP response", QUERY_SPEC(TCP, .sport = 53, .dport = 40000), PACKET_DNS },
	{ "TCP with options", QUERY_SPEC(TCP, .tcp_header_words = 15), PACKET_DNS },
	{ "TCP without payload", QUERY_SPEC(TCP, NOTHING), PACKET_OTHER },
	{ "TCP without payload, with options", QUERY_SPEC(TCP, NOTHING, .tcp_header_words = 10),
		PACKET_OTHER },
	{ "TCP without payload but padding", QUERY_SPEC(TCP, NOTHING, .padding_len = 6),
		PACKET_OTHER },
	{ "TCP on other ports", QUERY_SPEC(TCP, .dport = 443), PACKET_OTHER },
	{ "TCP over IPv6", QUERY_SPEC(TCP, .v6 = true), PACKET_DNS },
	{ "TCP from segmentation offload", QUERY_SPEC(TCP, .ip_len_zero = true), PACKET_DNS },
	{ "TCP cut before its header ends", QUERY_SPEC(TCP, NOTHING, .ip_len_add = -1),
		PACKET_REJECT_TRANSPORT_TRUNCATED },
};

Test(transport, every_datagram_and_segment_has_its_result)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spec_row *row = &rows[i];
		struct packet p;
		enum packet_result result = decoded_spec(&p, &row->spec);
		cr_assert_eq(
			result, row->result, "%s: %s", row->name, packet_result_name(result));
		if (result == PACKET_DNS)
			cr_assert_eq(p.payload_len, row->spec.payload ? 1 : QUERY_LEN, "%s",
				row->name);
		else
			cr_assert_null(p.payload, "%s", row->name);
	}
}

Test(transport, a_port_counts_when_it_is_in_the_set)
{
	static const uint16_t configured[] = { 0, 53, 63, 64, 5353, 65535 };
	struct port_set *ports = calloc(1, sizeof(*ports));

	for (size_t i = 0; i < ARRAY_LEN(configured); i++)
		port_set_add(ports, configured[i]);
	for (unsigned port = 0; port < 65536; port++) {
		bool expected = false;
		for (size_t i = 0; i < ARRAY_LEN(configured); i++)
			expected |= configured[i] == port;
		cr_assert_eq(port_set_has(ports, (uint16_t)port), expected, "port %u", port);
	}
	free(ports);
}

Test(transport, udp_length_shorter_than_the_packet_ends_the_payload)
{
	struct frame_spec spec = QUERY_SPEC(
		ETHERNET, .checksum_none = true, .udp_len_set = true, .udp_len = 8 + 20);
	struct packet p;

	cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS);
	cr_assert_eq(p.payload_len, 20);
}

Test(transport, tcp_header_length_below_20_or_beyond_the_packet_is_malformed)
{
	struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_RAW, .protocol = 6);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	struct packet p;

	bytes[20 + 12] = 4 << 4;
	cr_assert_eq(
		decoded_bytes(&p, spec.link, bytes, len, len), PACKET_REJECT_TCP_MALFORMED);
	spec.payload = "abc";
	spec.payload_len = 3;
	len = frames_build(bytes, &spec);
	bytes[20 + 12] = 6 << 4;
	cr_assert_eq(
		decoded_bytes(&p, spec.link, bytes, len, len), PACKET_REJECT_TCP_MALFORMED);
}

Test(transport, of_a_message_cut_by_the_snapshot_length_what_was_captured_is_shown)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct frame_spec spec = QUERY_SPEC(ETHERNET, .v6 = v6);
		uint8_t bytes[FRAMES_BYTES_MAX];
		size_t len = frames_build(bytes, &spec);
		size_t headers = len - QUERY_LEN;
		struct packet p;
		cr_assert_eq(decoded_bytes(&p, spec.link, bytes, headers, len),
			PACKET_REJECT_SNAPLEN);
		cr_assert_null(p.payload);
		for (size_t caplen = headers + 1; caplen < len; caplen++) {
			cr_assert_eq(decoded_bytes(&p, spec.link, bytes, caplen, len),
				PACKET_DNS, "caplen %zu", caplen);
			cr_assert_eq(p.payload_len, caplen - headers);
			cr_assert_eq(p.payload_missing, len - caplen);
			cr_assert_arr_eq(p.payload, QUERY, p.payload_len);
			cr_assert_eq(p.checksum, PACKET_CHECKSUM_UNKNOWN);
		}
		cr_assert_eq(decoded_bytes(&p, spec.link, bytes, headers - 1, len),
			PACKET_REJECT_TRANSPORT_TRUNCATED);
		spec.dport = 123;
		len = frames_build(bytes, &spec);
		cr_assert_eq(decoded_bytes(&p, spec.link, bytes, headers, len), PACKET_OTHER);
	}
}

Test(transport, cut_padding_does_not_cut_the_message)
{
	struct frame_spec spec = QUERY_SPEC(ETHERNET, .padding_len = 10);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	struct packet p;

	cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len - 10, len), PACKET_DNS);
	cr_assert_eq(p.payload_len, QUERY_LEN);
}

Test(transport, segments_of_a_dns_port_show_what_streams_need)
{
	struct frame_spec spec = QUERY_SPEC(TCP, .tcp_header_words = 8);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	uint8_t *tcp = bytes + len - QUERY_LEN - 32;
	struct packet p;

	memcpy(tcp + 4, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	tcp[13] = PACKET_TCP_FIN | PACKET_TCP_ACK;
	cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, len), PACKET_DNS);
	cr_assert_eq(p.tcp_seq, 0x01020304);
	cr_assert_eq(p.tcp_ack, 0x05060708);
	cr_assert_eq(p.tcp_flags, PACKET_TCP_FIN | PACKET_TCP_ACK);
	cr_assert_eq(p.tcp_len, QUERY_LEN);
	cr_assert_eq(p.payload_len, QUERY_LEN);
	cr_assert_arr_eq(p.payload, QUERY, QUERY_LEN);
}

Test(transport, segments_without_payload_show_their_flags_too)
{
	struct frame_spec spec = QUERY_SPEC(TCP, NOTHING);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	struct packet p;

	bytes[len - 20 + 13] = PACKET_TCP_SYN;
	cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, len), PACKET_OTHER);
	cr_assert_eq(p.tcp_flags, PACKET_TCP_SYN);
	cr_assert_eq(p.tcp_len, 0);
	spec.dport = 443;
	len = frames_build(bytes, &spec);
	bytes[len - 20 + 13] = PACKET_TCP_SYN;
	cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, len), PACKET_OTHER);
	cr_assert_eq(p.tcp_flags, 0, "of another port nothing is shown");
}

Test(transport, segment_cut_by_the_snapshot_length_shows_what_was_captured)
{
	struct frame_spec spec = QUERY_SPEC(TCP);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	struct packet p;

	bytes[len - QUERY_LEN - 20 + 13] = PACKET_TCP_ACK;
	for (size_t kept = 0; kept < QUERY_LEN; kept++) {
		cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len - QUERY_LEN + kept, len),
			PACKET_REJECT_SNAPLEN);
		cr_assert_eq(p.payload_len, kept);
		cr_assert_eq(p.tcp_len, QUERY_LEN);
		cr_assert_eq(p.tcp_flags, PACKET_TCP_ACK);
	}
}

Test(transport, wire_length_below_the_captured_one_is_ignored)
{
	struct frame_spec spec = QUERY_SPEC(ETHERNET);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	struct packet p;

	cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, 0), PACKET_DNS);
	cr_assert_eq(p.payload_len, QUERY_LEN);
}

static const struct checksum_row {
	const char *name;
	bool v6, none, wrong;
	enum packet_checksum expected;
} checksums[] = {
	{ "right", false, false, false, PACKET_CHECKSUM_OK },
	{ "right over IPv6", true, false, false, PACKET_CHECKSUM_OK },
	{ "wrong", false, false, true, PACKET_CHECKSUM_WRONG },
	{ "wrong over IPv6", true, false, true, PACKET_CHECKSUM_WRONG },
	{ "none", false, true, false, PACKET_CHECKSUM_UNKNOWN },
	{ "none over IPv6, which is not allowed", true, true, false, PACKET_CHECKSUM_WRONG },
};

Test(transport, checksum_is_verified_for_every_length_of_payload)
{
	uint8_t payload[300];

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(255 - i * 7);
	for (size_t i = 0; i < ARRAY_LEN(checksums); i++) {
		const struct checksum_row *row = &checksums[i];
		for (size_t len = 1; len <= sizeof(payload); len++) {
			struct frame_spec spec = QUERY_SPEC(ETHERNET, .v6 = row->v6,
				.checksum_none = row->none, .checksum_wrong = row->wrong,
				.payload = payload, .payload_len = len);
			struct packet p;
			cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS);
			cr_assert_eq(p.checksum, row->expected, "%s, %zu bytes: %u", row->name,
				len, p.checksum);
		}
	}
}

Test(transport, flipping_any_bit_of_a_datagram_makes_its_checksum_wrong)
{
	struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_RAW, .sport = 53);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);

	for (size_t bit = 20 * 8; bit < len * 8; bit++) {
		struct packet p;
		if (bit / 8 == 24 || bit / 8 == 25)
			continue; /* a length that changes makes it another datagram */
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, len), PACKET_DNS);
		cr_assert_eq(p.checksum, PACKET_CHECKSUM_WRONG, "bit %zu", bit);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* A payload chosen so that the sum comes out as 0, which is sent as 0xffff. */
Test(transport, checksum_of_all_ones_is_right)
{
	for (unsigned word = 0; word < 65536; word++) {
		uint8_t payload[2] = { (uint8_t)(word >> 8), (uint8_t)word };
		struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_RAW, .payload = payload,
			.payload_len = 2);
		uint8_t bytes[FRAMES_BYTES_MAX];
		size_t len = frames_build(bytes, &spec);
		struct packet p;
		cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, len), PACKET_DNS);
		cr_assert_eq(p.checksum, PACKET_CHECKSUM_OK, "payload %04x", word);
	}
}
