/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/packet/decoded.h"

Test(packet, every_result_has_a_name_of_its_own_and_a_meaning)
{
	for (int i = 0; i < PACKET_RESULT_COUNT; i++) {
		const char *name = packet_result_name((enum packet_result)i);
		cr_assert_gt(
			strlen(packet_result_meaning((enum packet_result)i)), 0, "%s", name);
		for (const char *c = name; *c; c++)
			cr_assert(islower((unsigned char)*c) || *c == '_', "%s", name);
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(name, packet_result_name((enum packet_result)j));
	}
	cr_assert_str_eq(packet_result_name(PACKET_DNS), "dns");
	cr_assert_str_eq(packet_result_name(PACKET_OTHER), "other");
	cr_assert_str_eq(
		packet_result_name(PACKET_REJECT_FRAGMENT_OVERLAP), "fragment_overlap");
	cr_assert_str_eq(packet_result_name(PACKET_REJECT_RING_FULL), "ring_full");
}

Test(packet, what_is_not_decoded_is_zero)
{
	static const uint8_t arp[] = "\2\0\0\0\0\x53\2\0\0\0\0\1\x08\x06";
	struct packet p;
	struct packet expected = { .vni = PACKET_NO_VNI };

	memset(&p, 0xee, sizeof(p));
	cr_assert_eq(decoded_bytes(&p, PACKET_LINK_ETHERNET, arp, 14, 14), PACKET_OTHER);
	cr_assert_eq(p.vni, expected.vni);
	cr_assert(ip_equal(&p.src, &expected.src) && ip_equal(&p.dst, &expected.dst));
	cr_assert_eq(p.sport | p.dport | p.protocol | p.ip_ttl | p.checksum | p.vlan_count, 0);
	for (unsigned i = 0; i < PACKET_VLANS_MAX; i++)
		cr_assert_eq(p.vlan[i], 0);
	cr_assert_null(p.payload);
	cr_assert_eq(p.payload_len, 0);
}

static const uint16_t links[] = { PACKET_LINK_NULL, PACKET_LINK_ETHERNET, PACKET_LINK_LOOP,
	PACKET_LINK_RAW, PACKET_LINK_LINUX_SLL, PACKET_LINK_LINUX_SLL2, PACKET_LINK_IPV4,
	PACKET_LINK_IPV6 };

/* Shapes whose every prefix is tried on every link type. */
static const struct frame_spec shapes[] = {
	QUERY_SPEC(.tag_count = 0),
	QUERY_SPEC(.tag_count = 1, .tag = { { 0x8100, 5 } }),
	QUERY_SPEC(.tag_count = 2, .tag = { { 0x88a8, 5 }, { 0x8100, 6 } }),
	QUERY_SPEC(.snap = true),
	QUERY_SPEC(.options_len = 40),
	QUERY_SPEC(.padding_len = 20),
	QUERY_SPEC(.protocol = 6, .tcp_header_words = 10),
	QUERY_SPEC(.fragment_offset = 3),
	QUERY_SPEC(.ip_len_zero = true),
	QUERY_SPEC(.v6 = true),
	QUERY_SPEC(.v6 = true, .tag_count = 2, .tag = { { 0x9100, 5 }, { 0x8100, 6 } }),
	QUERY_SPEC(.v6 = true, .extension_count = 5, .extension = { 0, 43, 44, 51, 60 }),
	QUERY_SPEC(.v6 = true, .extension_count = 1, .extension = { 44 },
		.more_fragments = true),
	QUERY_SPEC(.v6 = true, .ip_len_zero = true, .extension_count = 1, .extension = { 0 }),
	QUERY_SPEC(.v6 = true, .protocol = 6),
};

/* A prefix is an error or a shorter success; it never faults and never points outside. */
static void expect_sane(const struct packet *p, enum packet_result result, size_t len)
{
	cr_assert_lt(result, PACKET_RESULT_COUNT);
	cr_assert_leq(p->vlan_count, PACKET_VLANS_MAX);
	bool cut_segment = result == PACKET_REJECT_SNAPLEN && p->tcp_len > 0;
	cr_assert_eq(result == PACKET_DNS || cut_segment, p->payload != NULL);
	cr_assert_eq(p->tcp_flags != 0 && p->protocol != IPPROTO_TCP, false);
	if (!cut_segment)
		cr_assert_eq(result == PACKET_DNS, p->payload_len > 0);
	cr_assert_leq(p->payload_len, len);
}

Test(packet, every_prefix_of_every_frame_has_a_result_and_never_faults)
{
	for (size_t i = 0; i < ARRAY_LEN(links) * ARRAY_LEN(shapes); i++) {
		struct frame_spec spec = shapes[i / ARRAY_LEN(links)];
		uint8_t bytes[FRAMES_BYTES_MAX];
		struct packet p;
		spec.link = links[i % ARRAY_LEN(links)];
		size_t len = frames_build(bytes, &spec);
		for (size_t caplen = 0; caplen <= len; caplen++) {
			expect_sane(
				&p, decoded_bytes(&p, spec.link, bytes, caplen, len), caplen);
			expect_sane(&p, decoded_bytes(&p, spec.link, bytes, caplen, caplen),
				caplen);
			if (caplen + spec.padding_len < len && !spec.ip_len_zero)
				cr_assert(decoded_bytes(&p, spec.link, bytes, caplen, len) !=
							  PACKET_DNS ||
						  p.payload_missing > 0,
					"shape %zu, %zu of %zu bytes", i, caplen, len);
		}
	}
}

Test(packet, every_byte_of_every_frame_may_have_any_value)
{
	for (size_t i = 0; i < ARRAY_LEN(links) * ARRAY_LEN(shapes); i++) {
		struct frame_spec spec = shapes[i / ARRAY_LEN(links)];
		uint8_t bytes[FRAMES_BYTES_MAX];
		struct packet p;
		spec.link = links[i % ARRAY_LEN(links)];
		size_t len = frames_build(bytes, &spec);
		for (size_t at = 0; at < len; at++) {
			uint8_t saved = bytes[at];
			for (unsigned value = 0; value < 256; value++) {
				bytes[at] = (uint8_t)value;
				expect_sane(
					&p, decoded_bytes(&p, spec.link, bytes, len, len), len);
			}
			bytes[at] = saved;
		}
	}
}
