/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/packet/decoded.h"

#define ETHERNET .link = PACKET_LINK_ETHERNET
#define GRE      47
/* A payload of which UDP makes a multiple of 8. */
#define FULL .payload = "0123456789abcdef", .payload_len = 16

static const struct spec_row {
	const char *name;
	struct frame_spec spec;
	enum packet_result result;
} rows[] = {
	{ "IPv4 with 4 bytes of options", QUERY_SPEC(ETHERNET, .options_len = 4), PACKET_DNS },
	{ "IPv4 with 40 bytes of options", QUERY_SPEC(ETHERNET, .options_len = 40),
		PACKET_DNS },
	{ "IPv4 with padding", QUERY_SPEC(ETHERNET, .padding_len = 18), PACKET_DNS },
	{ "IPv6 with padding", QUERY_SPEC(ETHERNET, .v6 = true, .padding_len = 18),
		PACKET_DNS },
	{ "IPv4 total length 0", QUERY_SPEC(ETHERNET, .ip_len_zero = true), PACKET_DNS },
	{ "IPv6 payload length 0", QUERY_SPEC(ETHERNET, .v6 = true, .ip_len_zero = true),
		PACKET_DNS },
	{ "IPv4 longer than its frame", QUERY_SPEC(ETHERNET, .ip_len_add = 1),
		PACKET_REJECT_IP_MALFORMED },
	{ "IPv6 longer than its frame", QUERY_SPEC(ETHERNET, .v6 = true, .ip_len_add = 1),
		PACKET_REJECT_IP_MALFORMED },
	{ "IPv4 shorter than its header",
		QUERY_SPEC(ETHERNET, .ip_len_add = -(int)(QUERY_LEN + 8 + 1)),
		PACKET_REJECT_IP_MALFORMED },
	{ "IPv4 that ends with its header",
		QUERY_SPEC(ETHERNET, .ip_len_add = -(int)(QUERY_LEN + 8)),
		PACKET_REJECT_TRANSPORT_TRUNCATED },
	{ "IPv4 EtherType, IPv6 inside", QUERY_SPEC(ETHERNET, .v6 = true, .ethertype = 0x0800),
		PACKET_REJECT_IP_MALFORMED },
	{ "IPv6 EtherType, IPv4 inside", QUERY_SPEC(ETHERNET, .ethertype = 0x86dd),
		PACKET_REJECT_IP_MALFORMED },

	{ "IPv4 first fragment", QUERY_SPEC(ETHERNET, .more_fragments = true, FULL),
		PACKET_HELD },
	{ "IPv4 later fragment",
		QUERY_SPEC(ETHERNET, .more_fragments = true, .fragment_offset = 185, FULL),
		PACKET_HELD },
	{ "IPv4 last fragment", QUERY_SPEC(ETHERNET, .fragment_offset = 185), PACKET_HELD },
	{ "IPv4 fragment of TCP", QUERY_SPEC(ETHERNET, .protocol = 6, .fragment_offset = 1),
		PACKET_HELD },
	{ "IPv4 fragment of ICMP", QUERY_SPEC(ETHERNET, .protocol = 1, .fragment_offset = 1),
		PACKET_OTHER },
	{ "IPv4 fragment of GRE", QUERY_SPEC(ETHERNET, .protocol = GRE, .fragment_offset = 1),
		PACKET_HELD },

	{ "IPv6 atomic fragment",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 44 }),
		PACKET_DNS },
	{ "IPv6 first fragment",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 44 },
			.more_fragments = true, FULL),
		PACKET_HELD },
	{ "IPv6 last fragment",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 44 },
			.fragment_offset = 181),
		PACKET_HELD },
	{ "IPv6 fragment behind hop-by-hop options",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 2, .extension = { 0, 44 },
			.fragment_offset = 1),
		PACKET_HELD },
	{ "IPv6 fragment that begins with destination options",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 2, .extension = { 44, 60 },
			.more_fragments = true, FULL),
		PACKET_HELD },
	{ "IPv6 fragment of ICMP",
		QUERY_SPEC(ETHERNET, .v6 = true, .protocol = 58, .extension_count = 1,
			.extension = { 44 }, .fragment_offset = 1),
		PACKET_OTHER },

	{ "hop-by-hop",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 0 }),
		PACKET_DNS },
	{ "routing",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 43 }),
		PACKET_DNS },
	{ "destination",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 60 }),
		PACKET_DNS },
	{ "authentication",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 51 }),
		PACKET_DNS },
	{ "all of them, an atomic fragment among them",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 6,
			.extension = { 0, 60, 43, 44, 51, 60 }),
		PACKET_DNS },
	{ "eight",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 8,
			.extension = { 60, 60, 60, 60, 60, 60, 60, 60 }),
		PACKET_DNS },
	{ "nine",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 9,
			.extension = { 60, 60, 60, 60, 60, 60, 60, 60, 60 }),
		PACKET_REJECT_IP_EXTENSION },
	{ "nine atomic fragments",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 9,
			.extension = { 44, 44, 44, 44, 44, 44, 44, 44, 44 }),
		PACKET_REJECT_IP_EXTENSION },
	{ "hop-by-hop in second place",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 2, .extension = { 60, 0 }),
		PACKET_REJECT_IP_EXTENSION },
	{ "extension header longer than the packet",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 60 },
			.ip_len_add = -(int)(QUERY_LEN + 8 + 1)),
		PACKET_REJECT_IP_EXTENSION },
	{ "fragment header longer than the packet",
		QUERY_SPEC(ETHERNET, .v6 = true, .extension_count = 1, .extension = { 44 },
			.ip_len_add = -(int)(QUERY_LEN + 8 + 1)),
		PACKET_REJECT_IP_EXTENSION },
	{ "no next header", QUERY_SPEC(ETHERNET, .v6 = true, .protocol = 59), PACKET_OTHER },
	{ "ESP", QUERY_SPEC(ETHERNET, .v6 = true, .protocol = 50), PACKET_OTHER },

	{ "ICMP", QUERY_SPEC(ETHERNET, .protocol = 1), PACKET_OTHER },
	{ "ICMPv6", QUERY_SPEC(ETHERNET, .v6 = true, .protocol = 58), PACKET_OTHER },
	{ "SCTP", QUERY_SPEC(ETHERNET, .protocol = 132), PACKET_OTHER },
};

Test(ip, every_shape_of_header_has_its_result)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spec_row *row = &rows[i];
		struct packet p;
		decoder_flush(decoded_by());
		enum packet_result result = decoded_spec(&p, &row->spec);
		cr_assert_eq(
			result, row->result, "%s: %s", row->name, packet_result_name(result));
		if (result != PACKET_DNS) {
			cr_assert_null(p.payload, "%s", row->name);
			continue;
		}
		cr_assert_eq(p.payload_len, QUERY_LEN, "%s", row->name);
		cr_assert_eq(memcmp(p.payload, QUERY, QUERY_LEN), 0, "%s", row->name);
		cr_assert_eq(p.checksum, PACKET_CHECKSUM_OK, "%s", row->name);
	}
}

Test(ip, addresses_of_a_fragment_are_known)
{
	struct frame_spec spec = QUERY_SPEC(ETHERNET, .fragment_offset = 1);
	char text[IP_TEXT_MAX];
	struct packet p;

	cr_assert_eq(decoded_spec(&p, &spec), PACKET_HELD);
	cr_assert_str_eq(ip_format(&p.src, text), FRAMES_SRC_V4);
	cr_assert_str_eq(ip_format(&p.dst, text), FRAMES_DST_V4);
	cr_assert_eq(p.dport, 0);
}

Test(ip, header_length_below_20_and_options_that_are_cut_are_rejected)
{
	struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_RAW, .options_len = 8);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	struct packet p;

	cr_assert_eq(
		decoded_bytes(&p, PACKET_LINK_RAW, bytes, 27, len), PACKET_REJECT_IP_TRUNCATED);
	bytes[0] = 0x44;
	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, len, len),
		PACKET_REJECT_IP_MALFORMED);
}

Test(ip, extension_header_cut_by_the_capture_is_truncated_not_malformed)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60 };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_RAW, .v6 = true,
			.extension_count = 1, .extension = { kinds[i] });
		uint8_t bytes[FRAMES_BYTES_MAX];
		size_t len = frames_build(bytes, &spec);
		struct packet p;
		cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, 40 + 5, len),
			PACKET_REJECT_IP_TRUNCATED, "header %u", kinds[i]);
	}
}

/* With segments left the checksum covers the last segment's address, which is not the dst. */
Test(ip, checksum_behind_a_source_route_is_not_judged)
{
	struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_RAW, .v6 = true,
		.extension_count = 1, .extension = { 43 });
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	struct packet p;

	cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, len), PACKET_DNS);
	cr_assert_eq(p.checksum, PACKET_CHECKSUM_OK);
	bytes[40 + 3] = 1; /* segments left */
	cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, len), PACKET_DNS);
	cr_assert_eq(p.checksum, PACKET_CHECKSUM_UNKNOWN);
}

/* An IPv6 packet with the jumbo payload option and 70000 bytes behind its header. */
static size_t jumbogram(uint8_t *bytes, uint32_t jumbo_len)
{
	static const uint8_t start[] = { 0x60, 0, 0, 0, 0, 0, 0, 64 };
	static const uint8_t options[] = { 17, 0, 0xc2, 4 };
	size_t len = 40 + 70000;

	memset(bytes, 0, len);
	memcpy(bytes, start, sizeof(start));
	bytes[8] = 0x20;
	bytes[24] = 0x20;
	memcpy(bytes + 40, options, sizeof(options));
	for (unsigned i = 0; i < 4; i++)
		bytes[44 + i] = (uint8_t)(jumbo_len >> (24 - 8 * i));
	bytes[48 + 3] = 53; /* destination port; the UDP length stays 0 */
	return len;
}

Test(ip, jumbogram_has_its_length_in_an_option_and_udp_length_0)
{
	static uint8_t bytes[40 + 70000];
	size_t len = jumbogram(bytes, 70000);
	struct packet p;

	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, len, len), PACKET_DNS);
	cr_assert_eq(p.payload_len, 70000 - 8 - 8);
	jumbogram(bytes, 69999);
	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, len, len), PACKET_DNS);
	cr_assert_eq(p.payload_len, 69999 - 8 - 8);
	jumbogram(bytes, 70001);
	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, len, len),
		PACKET_REJECT_IP_MALFORMED);
	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, len, len + 1), PACKET_DNS);
	cr_assert_eq(p.payload_missing, 1);
	jumbogram(bytes, 65535);
	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, len, len),
		PACKET_REJECT_IP_EXTENSION);
}

Test(ip, hop_by_hop_option_that_runs_out_of_its_header_is_malformed)
{
	static uint8_t bytes[40 + 70000];
	size_t len = jumbogram(bytes, 70000);
	struct packet p;

	bytes[42] = 1; /* PadN */
	bytes[43] = 200;
	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, len, len),
		PACKET_REJECT_IP_EXTENSION);
	memset(bytes + 42, 0, 6); /* Pad1 only: no jumbogram, and then UDP length 0 is wrong */
	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_RAW, bytes, len, len),
		PACKET_REJECT_UDP_MALFORMED);
}

Test(ip, the_identification_of_ipv4_is_kept)
{
	struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_RAW);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, &spec);
	struct packet p;

	bytes[4] = 0xab;
	bytes[5] = 0xcd;
	cr_assert_eq(decoded_bytes(&p, spec.link, bytes, len, len), PACKET_DNS);
	cr_assert_eq(p.ip_id, 0xabcd);
	spec.v6 = true;
	cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS);
	cr_assert_eq(p.ip_id, 0);
}
