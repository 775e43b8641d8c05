/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/packet/decoded.h"

static const struct link_row {
	const char *name;
	uint16_t link;
	bool tags;
	bool v4, v6;
} links[] = {
	{ "Ethernet", PACKET_LINK_ETHERNET, true, true, true },
	{ "Linux cooked", PACKET_LINK_LINUX_SLL, true, true, true },
	{ "Linux cooked 2", PACKET_LINK_LINUX_SLL2, true, true, true },
	{ "null", PACKET_LINK_NULL, false, true, true },
	{ "loop", PACKET_LINK_LOOP, false, true, true },
	{ "raw 12", PACKET_LINK_RAW_DLT, false, true, true },
	{ "raw 14", PACKET_LINK_RAW_OPENBSD, false, true, true },
	{ "raw 101", PACKET_LINK_RAW, false, true, true },
	{ "IPv4", PACKET_LINK_IPV4, false, true, false },
	{ "IPv6", PACKET_LINK_IPV6, false, false, true },
};

static void expect_query(const struct packet *p, const struct frame_spec *spec, const char *row)
{
	struct ip src, dst;

	cr_assert(ip_parse(&src, spec->v6 ? FRAMES_SRC_V6 : FRAMES_SRC_V4));
	cr_assert(ip_parse(&dst, spec->v6 ? FRAMES_DST_V6 : FRAMES_DST_V4));
	cr_assert(ip_equal(&p->src, &src), "%s: source", row);
	cr_assert(ip_equal(&p->dst, &dst), "%s: destination", row);
	cr_assert_eq(p->sport, 40000, "%s: source port", row);
	cr_assert_eq(p->dport, 53, "%s: destination port", row);
	cr_assert_eq(p->protocol, 17, "%s: protocol", row);
	cr_assert_eq(p->ip_ttl, FRAMES_TTL, "%s: ttl", row);
	cr_assert_eq(p->checksum, PACKET_CHECKSUM_OK, "%s: checksum", row);
	cr_assert_eq(p->vni, PACKET_NO_VNI, "%s: vni", row);
	cr_assert_eq(p->payload_len, QUERY_LEN, "%s: payload length %u", row, p->payload_len);
	cr_assert_eq(memcmp(p->payload, QUERY, QUERY_LEN), 0, "%s: payload", row);
	cr_assert_eq(p->vlan_count, spec->tag_count, "%s: tags", row);
	for (unsigned i = 0; i < p->vlan_count; i++)
		cr_assert_eq(p->vlan[i], spec->tag[i].vid & 0xfff, "%s: tag %u", row, i);
}

Test(link, every_link_type_with_0_to_2_tags_and_either_version_gives_the_same_packet)
{
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		for (unsigned tags = 0; tags <= (links[i].tags ? 2u : 0u); tags++) {
			for (unsigned v6 = 0; v6 < 2; v6++) {
				struct frame_spec spec = QUERY_SPEC(.link = links[i].link,
					.v6 = v6, .tag_count = (uint8_t)tags,
					.tag = { { 0x88a8, 0x6064 }, { 0x8100, 101 } });
				struct packet p;
				if (v6 ? !links[i].v6 : !links[i].v4)
					continue;
				cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS,
					"%s, %u tags, v6 %u", links[i].name, tags, v6);
				expect_query(&p, &spec, links[i].name);
			}
		}
	}
}

Test(link, any_mix_of_the_three_tag_types_is_stepped_over)
{
	static const uint16_t tpid[] = { 0x8100, 0x88a8, 0x9100 };

	for (unsigned mix = 0; mix < 27; mix++) {
		struct frame_spec spec =
			QUERY_SPEC(.link = PACKET_LINK_ETHERNET, .tag_count = 3,
				.tag = { { tpid[mix % 3], 1 }, { tpid[mix / 3 % 3], 4095 },
					{ tpid[mix / 9], 0 } });
		struct packet p;
		cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS, "mix %u", mix);
		expect_query(&p, &spec, "mix");
	}
}

Test(link, four_tag_ids_are_kept_eight_are_stepped_over_and_nine_are_unsupported)
{
	struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_ETHERNET);
	struct packet p;

	for (unsigned i = 0; i < 9; i++)
		spec.tag[i] = (struct frame_tag){ 0x8100, (uint16_t)(100 + i) };
	spec.tag_count = 8;
	cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS);
	cr_assert_eq(p.vlan_count, PACKET_VLANS_MAX);
	cr_assert_eq(p.vlan[3], 103);
	spec.tag_count = 9;
	cr_assert_eq(decoded_spec(&p, &spec), PACKET_REJECT_LINK_UNSUPPORTED);
}

Test(link, snap_behind_an_802_3_length_and_behind_a_tag_is_decoded)
{
	for (unsigned tags = 0; tags <= 2; tags++) {
		for (unsigned v6 = 0; v6 < 2; v6++) {
			struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_ETHERNET,
				.snap = true, .v6 = v6, .tag_count = (uint8_t)tags,
				.tag = { { 0x8100, 7 }, { 0x8100, 8 } });
			struct packet p;
			cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS, "%u tags", tags);
			expect_query(&p, &spec, "snap");
		}
	}
}

Test(link, null_and_loop_know_every_address_family_in_either_byte_order)
{
	static const struct {
		uint32_t family;
		bool v6;
	} rows[] = { { 2, false }, { 10, true }, { 24, true }, { 28, true }, { 30, true } };
	static const uint16_t both[] = { PACKET_LINK_NULL, PACKET_LINK_LOOP };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (unsigned j = 0; j < 4; j++) {
			struct frame_spec spec =
				QUERY_SPEC(.link = both[j / 2], .family = rows[i].family,
					.v6 = rows[i].v6, .family_swapped = j % 2);
			struct packet p;
			cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS, "family %u, %u",
				rows[i].family, j);
			expect_query(&p, &spec, "family");
		}
	}
}

static const struct bytes_row {
	const char *name;
	uint16_t link;
	const char *bytes;
	size_t len;
	enum packet_result result;
} others[] = {
#define ETHER                      "\2\0\0\0\0\x53\2\0\0\0\0\1"
#define ROW(s)                     s, sizeof(s) - 1
#define COOKED(hardware, protocol) "\0\0" hardware "\0\6\2\0\0\0\0\1\0\0" protocol
	{ "ARP", 1, ROW(ETHER "\x08\x06\0\1\x08\0\6\4"), PACKET_OTHER },
	{ "EAPOL", 1, ROW(ETHER "\x88\x8e\1\0\0\0"), PACKET_OTHER },
	{ "LLDP", 1, ROW(ETHER "\x88\xcc\2\7"), PACKET_OTHER },
	{ "unknown EtherType, empty", 1, ROW(ETHER "\xfe\xfe"), PACKET_OTHER },
	{ "spanning tree", 1, ROW(ETHER "\0\x26\x42\x42\x03\0\0"), PACKET_OTHER },
	{ "Novell raw 802.3", 1, ROW(ETHER "\0\x26\xff\xff\0\x24"), PACKET_OTHER },
	{ "SNAP of another organisation", 1, ROW(ETHER "\0\x26\xaa\xaa\3\0\0\x0c\x20\0"),
		PACKET_OTHER },
	{ "SNAP with a length inside", 1, ROW(ETHER "\0\x26\xaa\xaa\3\0\0\0\0\x26"),
		PACKET_OTHER },
	{ "LLC cut", 1, ROW(ETHER "\0\x26\xaa\xaa"), PACKET_REJECT_LINK_TRUNCATED },
	{ "SNAP cut", 1, ROW(ETHER "\0\x26\xaa\xaa\3\0\0\0\x08"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "IP behind LLC, cut", 1, ROW(ETHER "\0\x26\6\6\3\x45"), PACKET_REJECT_IP_TRUNCATED },
	{ "MPLS", 1, ROW(ETHER "\x88\x47\0\1"), PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "MPLS with upstream label", 1, ROW(ETHER "\x88\x48\0\1"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "PPPoE discovery", 1, ROW(ETHER "\x88\x63\x11\x09"), PACKET_OTHER },
	{ "PPPoE session", 1, ROW(ETHER "\x88\x64\x11\0"), PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "PPPoE session behind a tag", 1, ROW(ETHER "\x81\0\0\5\x88\x64\x11\0"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "addresses only", 1, ROW(ETHER), PACKET_REJECT_LINK_TRUNCATED },
	{ "half an EtherType", 1, ROW(ETHER "\x08"), PACKET_REJECT_LINK_TRUNCATED },
	{ "nothing", 1, ROW(""), PACKET_REJECT_LINK_TRUNCATED },
	{ "tag cut", 1, ROW(ETHER "\x81\0\0\5\x08"), PACKET_REJECT_LINK_TRUNCATED },
	{ "cooked netlink", 113, ROW(COOKED("\x03\x38", "\0\0") "abc"), PACKET_OTHER },
	{ "cooked 802.11", 113, ROW(COOKED("\x03\x23", "\x08\0") "\x08\0abc"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "cooked CAN", 113, ROW(COOKED("\x01\x18", "\0\x0c") "abc"), PACKET_OTHER },
	{ "cooked LLC", 113, ROW(COOKED("\0\1", "\0\4") "\x42\x42\3\0"), PACKET_OTHER },
	{ "cooked LLC with IP", 113, ROW(COOKED("\0\1", "\0\4") "\6\6\3\x45"),
		PACKET_REJECT_IP_TRUNCATED },
	{ "cooked cut", 113, ROW("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "cooked 2 cut", 276, ROW("\x08\0\0\0\0\0\0\2\0\1\0\6\2\0\0\0\0\1\0"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "null, another family", 0, ROW("\7\0\0\0xyz"), PACKET_OTHER },
	{ "null, cut", 0, ROW("\2\0\0"), PACKET_REJECT_LINK_TRUNCATED },
	{ "raw, nothing", 101, ROW(""), PACKET_REJECT_IP_TRUNCATED },
	{ "raw, version 5", 101, ROW("\x55\0\0\x14\0\0\0\0\x40\x11\0\0\1\1\1\1\2\2\2\2"),
		PACKET_REJECT_IP_MALFORMED },
	{ "IPv6 in a link of IPv4", 228, ROW("\x60\0\0\0\0\0\x11\x40\1\1\1\1\2\2\2\2\3\3\3\3"),
		PACKET_REJECT_IP_MALFORMED },
	{ "802.11, cut", 105, ROW("\x08\0"), PACKET_REJECT_LINK_TRUNCATED },
	{ "X.25", 106, ROW("\x08\0"), PACKET_REJECT_LINK_UNSUPPORTED },
#undef COOKED
#undef ROW
#undef ETHER
};

Test(link, what_is_no_ip_has_one_result)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const struct bytes_row *row = &others[i];
		struct packet p;
		enum packet_result result = decoded_bytes(
			&p, row->link, (const uint8_t *)row->bytes, row->len, row->len);
		cr_assert_eq(
			result, row->result, "%s: %s", row->name, packet_result_name(result));
		cr_assert_null(p.payload, "%s", row->name);
	}
}

Test(link, supported_link_types_are_those_that_are_decoded)
{
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		cr_assert(packet_link_supported(links[i].link), "%s", links[i].name);
	for (int link = -1; link < 400; link++) {
		struct packet p;
		if (link < 0 || packet_link_supported(link))
			continue;
		cr_assert_eq(decoded_bytes(&p, (uint16_t)link, NULL, 0, 0),
			PACKET_REJECT_LINK_UNSUPPORTED, "link %d", link);
	}
	cr_assert_not(packet_link_supported(-1));
	cr_assert_not(packet_link_supported(65536 + 1));
}
