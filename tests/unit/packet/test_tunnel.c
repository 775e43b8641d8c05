/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/support/shells.h"
#include "tests/unit/packet/decoded.h"

#define QINQ .tag_count = 2, .tag = { { 0x88a8, 5 }, { 0x8100, 6 } }

/* What is inside: a query, a response, an UPDATE of which the bytes do not matter here. */
static const struct message_row {
	const char *name;
	uint16_t sport, dport;
	const char *payload;
	size_t payload_len;
} messages[] = {
	{ "query", 40000, 53, QUERY, QUERY_LEN },
	{ "response", 53, 40000, QUERY "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1",
		QUERY_LEN + 16 },
	{ "UPDATE", 40000, 53, "\x12\x34\x28\0\0\0\0\0\0\0\0\0", 12 },
};

/* One way to put a message into a shell. */
struct setting {
	const struct shell *shell;
	const struct message_row *message;
	bool inner_v6, outer_v6, tagged;
};

static struct frame_spec inner_spec(const struct setting *s)
{
	struct frame_spec spec = {
		.link = SHELL_INNER_LINK(s->shell),
		.v6 = s->inner_v6,
		.sport = s->message->sport,
		.dport = s->message->dport,
		.payload = s->message->payload,
		.payload_len = s->message->payload_len,
	};
	if (s->tagged) {
		spec.tag_count = 2;
		spec.tag[0] = (struct frame_tag){ 0x88a8, 5 };
		spec.tag[1] = (struct frame_tag){ 0x8100, 6 };
	}
	return spec;
}

static size_t wrapped(uint8_t out[FRAMES_BYTES_MAX], const struct setting *s)
{
	uint8_t inner[FRAMES_BYTES_MAX];
	struct frame_spec spec = inner_spec(s);
	size_t len = frames_build(inner, &spec);

	return shell_wrap(out, s->shell, s->outer_v6, inner, len, s->inner_v6);
}

/* Call `test` with every shell, message, family inside and outside, with and without tags. */
static void each_setting(void (*test)(const struct setting *s))
{
	for (size_t i = 0; i < shells_count * ARRAY_LEN(messages) * 8; i++) {
		struct setting s = {
			.shell = &shells[i / 8 / ARRAY_LEN(messages)],
			.message = &messages[i / 8 % ARRAY_LEN(messages)],
			.inner_v6 = i & 1,
			.outer_v6 = i & 2,
			.tagged = i & 4,
		};
		if (s.outer_v6 && !shell_has_outer_ip(s.shell))
			continue;
		if (s.tagged && !s.shell->ethernet)
			continue;
		/* WCCP is IPv4 alone */
		if (s.inner_v6 && strcmp(s.shell->name, "GRE with WCCP") == 0)
			continue;
		test(&s);
	}
}

static void expect_tags(const struct packet *p, const struct setting *s)
{
	unsigned own = s->shell->vlan != 0;

	cr_assert_eq(p->vlan_count, own + (s->tagged ? 2 : 0), "%s", s->shell->name);
	if (own)
		cr_assert_eq(p->vlan[0], s->shell->vlan, "%s", s->shell->name);
	if (s->tagged)
		cr_assert(p->vlan[own] == 5 && p->vlan[own + 1] == 6, "%s", s->shell->name);
}

/* The same packet with and without the shell, but for tags, VNI and where it lies. */
static void expect_same_packet(const struct setting *s)
{
	uint8_t bare_bytes[FRAMES_BYTES_MAX], bytes[FRAMES_BYTES_MAX];
	struct frame_spec spec = inner_spec(s);
	size_t bare_len = frames_build(bare_bytes, &spec);
	size_t len = wrapped(bytes, s);
	struct packet bare, p;

	cr_assert_eq(
		decoded_bytes(&bare, spec.link, bare_bytes, bare_len, bare_len), PACKET_DNS);
	enum packet_result result = decoded_bytes(&p, PACKET_LINK_ETHERNET, bytes, len, len);
	cr_assert_eq(result, PACKET_DNS, "%s, %s, inner v6 %d, outer v6 %d, tags %d: %s",
		s->shell->name, s->message->name, s->inner_v6, s->outer_v6, s->tagged,
		packet_result_name(result));
	cr_assert_eq(p.payload_len, s->message->payload_len, "%s", s->shell->name);
	cr_assert_eq(
		memcmp(p.payload, s->message->payload, p.payload_len), 0, "%s", s->shell->name);
	cr_assert_eq(p.vni, s->shell->vni, "%s", s->shell->name);
	expect_tags(&p, s);
	bare.payload = p.payload;
	bare.vni = p.vni;
	bare.vlan_count = p.vlan_count;
	memcpy(bare.vlan, p.vlan, sizeof(p.vlan));
	cr_assert_eq(memcmp(&bare, &p, sizeof(p)), 0, "%s", s->shell->name);
}

Test(tunnel, every_encapsulation_of_every_message_gives_the_packet_inside)
{
	each_setting(expect_same_packet);
}

/* Cut, it is never whole; complete but for what says how long it is, it never faults. */
static void expect_prefixes_sane(const struct setting *s)
{
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = wrapped(bytes, s);
	struct packet p;

	for (size_t caplen = 0; caplen < len; caplen++) {
		enum packet_result result =
			decoded_bytes(&p, PACKET_LINK_ETHERNET, bytes, caplen, len);
		cr_assert(result != PACKET_DNS || p.payload_missing > 0, "%s, %zu of %zu",
			s->shell->name, caplen, len);
		result = decoded_bytes(&p, PACKET_LINK_ETHERNET, bytes, caplen, caplen);
		cr_assert_neq(
			result, PACKET_DNS, "%s, %zu of %zu", s->shell->name, caplen, len);
		cr_assert_eq(p.payload, NULL, "%s", s->shell->name);
	}
}

Test(tunnel, every_prefix_of_every_encapsulation_has_a_result)
{
	each_setting(expect_prefixes_sane);
}

Test(tunnel, every_byte_of_every_header_may_have_any_value)
{
	for (size_t i = 0; i < shells_count; i++) {
		struct setting s = { .shell = &shells[i], .message = &messages[0] };
		uint8_t bytes[FRAMES_BYTES_MAX];
		size_t len = wrapped(bytes, &s);
		struct packet p;
		for (size_t at = 0; at < len * 256; at++) {
			uint8_t saved = bytes[at / 256];
			bytes[at / 256] = (uint8_t)at;
			enum packet_result result =
				decoded_bytes(&p, PACKET_LINK_ETHERNET, bytes, len, len);
			cr_assert_lt(result, PACKET_RESULT_COUNT);
			cr_assert_eq(result == PACKET_DNS, p.payload != NULL);
			cr_assert_leq(p.vlan_count, PACKET_VLANS_MAX);
			bytes[at / 256] = saved;
		}
		decoder_flush(decoded_by());
	}
}

/* --- one in the other ----------------------------------------------------------------------- */

/* A query in `count` shells, all the same; each carries Ethernet or the one outside is IP. */
static size_t nested(uint8_t out[FRAMES_BYTES_MAX], const struct shell *shell, unsigned count)
{
	uint8_t inner[FRAMES_BYTES_MAX];
	struct frame_spec spec = { .link = 1 };
	size_t len = frames_build(out, &spec);

	for (unsigned i = 0; i < count; i++) {
		size_t skip = shell->ethernet ? 0 : 14;
		memcpy(inner, out + skip, len - skip);
		len = shell_wrap(out, shell, false, inner, len - skip, false);
	}
	return len;
}

Test(tunnel, eight_inside_each_other_are_decoded_and_nine_are_counted)
{
	for (size_t i = 0; i < shells_count; i++) {
		const struct shell *shell = &shells[i];
		uint8_t bytes[FRAMES_BYTES_MAX];
		struct packet p;
		if (!shell->ethernet && shell->place == SHELL_IN_ETHERNET)
			continue; /* is no IP packet outside */
		/* one row is two tunnels */
		unsigned own = strcmp(shell->name, "GRE with MPLS") == 0 ? 2 : 1;
		size_t len = nested(bytes, shell, PACKET_DEPTH_MAX / own);
		enum packet_result result =
			decoded_bytes(&p, PACKET_LINK_ETHERNET, bytes, len, len);
		cr_assert_eq(
			result, PACKET_DNS, "%s: %s", shell->name, packet_result_name(result));
		cr_assert_eq(p.vni, shell->vni, "%s", shell->name);
		len = nested(bytes, shell, PACKET_DEPTH_MAX / own + 1);
		result = decoded_bytes(&p, PACKET_LINK_ETHERNET, bytes, len, len);
		cr_assert_eq(result, PACKET_REJECT_TUNNEL_DEPTH, "%s: %s", shell->name,
			packet_result_name(result));
	}
}

/* Every shell that fits into every other. */
Test(tunnel, any_encapsulation_in_any_other_is_decoded)
{
	for (size_t i = 0; i < shells_count * shells_count; i++) {
		const struct shell *in = &shells[i % shells_count];
		const struct shell *around = &shells[i / shells_count];
		struct setting s = { .shell = in, .message = &messages[0] };
		uint8_t bytes[FRAMES_BYTES_MAX], outer[FRAMES_BYTES_MAX];
		size_t skip = around->ethernet ? 0 : 14;
		struct packet p;
		if (!around->ethernet && in->place == SHELL_IN_ETHERNET)
			continue;
		size_t len = wrapped(bytes, &s);
		len = shell_wrap(outer, around, true, bytes + skip, len - skip, false);
		enum packet_result result =
			decoded_bytes(&p, PACKET_LINK_ETHERNET, outer, len, len);
		cr_assert_eq(result, PACKET_DNS, "%s in %s: %s", in->name, around->name,
			packet_result_name(result));
		/* the innermost that has one */
		cr_assert_eq(p.vni, in->vni != SHELL_NO_VNI ? in->vni : around->vni, "%s in %s",
			in->name, around->name);
	}
}

Test(tunnel, vlan_ids_are_collected_from_outside_to_inside)
{
	const struct shell *vxlan = shell_find("VXLAN");
	struct frame_spec spec = QUERY_SPEC(.link = 1, .tag_count = 2,
		.tag = { { 0x88a8, 30 }, { 0x8100, 40 } });
	uint8_t inner[FRAMES_BYTES_MAX], middle[FRAMES_BYTES_MAX], outer[FRAMES_BYTES_MAX];
	struct packet p;

	size_t len = frames_build(inner, &spec);
	len = shell_wrap(middle, vxlan, false, inner, len, false);
	/* a tag of its own in front of the outer packet */
	memcpy(outer, middle, 12);
	memcpy(outer + 12, "\x81\x00\x00\x14", 4);
	memcpy(outer + 16, middle + 12, len - 12);
	len += 4;
	cr_assert_eq(decoded_bytes(&p, 1, outer, len, len), PACKET_DNS);
	cr_assert_eq(p.vlan_count, 3);
	cr_assert(p.vlan[0] == 20 && p.vlan[1] == 30 && p.vlan[2] == 40);
}

/* --- what is not as it should be -------------------------------------------------------------- */

static const struct bytes_row {
	const char *name;
	uint8_t place; /* enum shell_place */
	uint16_t number;
	const char *bytes;
	size_t len;
	enum packet_result result;
} odd[] = {
#define ROW(s) s, sizeof(s) - 1
	{ "MPLS without a bottom, cut", SHELL_IN_ETHERNET, 0x8847, ROW("\0\1\0\x40\0\1"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "MPLS without anything below", SHELL_IN_ETHERNET, 0x8847, ROW("\0\1\1\x40"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "17 MPLS labels", SHELL_IN_ETHERNET, 0x8847,
		ROW("\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1"
		    "\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1\1\1"),
		PACKET_REJECT_TUNNEL_DEPTH },
	{ "MPLS associated channel", SHELL_IN_ETHERNET, 0x8847,
		ROW("\0\1\1\x40\x10\0\0\x21\1\2"), PACKET_OTHER },
	{ "MPLS with the alert label of maintenance", SHELL_IN_ETHERNET, 0x8847,
		ROW("\0\0\xd1\1\x10\0\0\1"), PACKET_OTHER },
	{ "MPLS, explicit null, cut", SHELL_IN_ETHERNET, 0x8847, ROW("\0\0\1\x40\x45"),
		PACKET_REJECT_IP_TRUNCATED },
	{ "MPLS, explicit null of IPv6, IPv4 inside", SHELL_IN_ETHERNET, 0x8847,
		ROW("\0\0\x21\x40\x45\0\0\x14\0\0\0\0\1\1\0\0\1\1\1\1\2\2\2\2\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0\0\0\0\0\0\0\0"),
		PACKET_REJECT_IP_MALFORMED },
	{ "PPPoE longer than its frame", SHELL_IN_ETHERNET, 0x8864,
		ROW("\x11\0\0\1\0\x09\0\x21\x45"), PACKET_REJECT_TUNNEL_MALFORMED },
	{ "PPPoE of version 2", SHELL_IN_ETHERNET, 0x8864, ROW("\x22\0\0\1\0\2\0\x21"),
		PACKET_REJECT_TUNNEL_MALFORMED },
	{ "PPPoE, code of discovery", SHELL_IN_ETHERNET, 0x8864, ROW("\x11\x09\0\1\0\2\0\x21"),
		PACKET_OTHER },
	{ "PPPoE with a control protocol", SHELL_IN_ETHERNET, 0x8864,
		ROW("\x11\0\0\1\0\4\xc0\x21\1\1"), PACKET_OTHER },
	{ "PPPoE with compressed protocol", SHELL_IN_ETHERNET, 0x8864,
		ROW("\x11\0\0\1\0\2\x21\x45"), PACKET_REJECT_IP_TRUNCATED },
	{ "PPPoE without a protocol", SHELL_IN_ETHERNET, 0x8864, ROW("\x11\0\0\1\0\0"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "GRE of version 2", SHELL_IN_IP, 47, ROW("\0\2\x08\0\x45"),
		PACKET_REJECT_TUNNEL_MALFORMED },
	{ "GRE of one byte", SHELL_IN_IP, 47, ROW("\0"), PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "GRE keep-alive", SHELL_IN_IP, 47, ROW("\0\0\0\0"), PACKET_OTHER },
	{ "GRE of something else", SHELL_IN_IP, 47, ROW("\0\0\xfe\xfe\1\2\3"), PACKET_OTHER },
	{ "GRE with routing that does not end", SHELL_IN_IP, 47,
		ROW("\x40\0\x08\0\0\0\0\0\x08\0\0\4\1\2\3\4\x08\0\0\0\x08\0\0\0"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "PPTP acknowledgement", SHELL_IN_IP, 47, ROW("\x20\x81\x88\x0b\0\0\0\7\0\0\0\5"),
		PACKET_OTHER },
	{ "PPTP longer than its packet", SHELL_IN_IP, 47,
		ROW("\x30\1\x88\x0b\0\x05\0\7\0\0\0\5\xff\3\0\x21"),
		PACKET_REJECT_TUNNEL_MALFORMED },
	{ "PPTP without a key", SHELL_IN_IP, 47,
		ROW("\x10\1\x88\x0b\0\4\0\7\0\0\0\5\xff\3\0\x21"),
		PACKET_REJECT_TUNNEL_MALFORMED },
	{ "ERSPAN of version 7", SHELL_IN_IP, 47,
		ROW("\x10\0\x88\xbe\0\0\0\5\x70\0\0\1\0\0\0\0"),
		PACKET_REJECT_TUNNEL_MALFORMED },
	{ "ERSPAN II cut", SHELL_IN_IP, 47, ROW("\x10\0\x88\xbe\0\0\0\5\x10\0\0\1\0\0"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "ERSPAN III, subheader cut", SHELL_IN_IP, 47,
		ROW("\x10\0\x22\xeb\0\0\0\5\x20\0\0\1\0\0\0\0\0\0\0\1\1\2\3\4"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "ERSPAN III with a frame of another kind", SHELL_IN_IP, 47,
		ROW("\x10\0\x22\xeb\0\0\0\5\x20\0\0\1\0\0\0\0\0\0\x0c\0\1\2\3\4"),
		PACKET_OTHER },
	{ "EtherIP of version 4", SHELL_IN_IP, 97, ROW("\x40\0\1\2"),
		PACKET_REJECT_TUNNEL_MALFORMED },
	{ "VXLAN without a VNI", SHELL_IN_UDP, 4789, ROW("\0\0\0\0\0\0\1\0\1\2"),
		PACKET_OTHER },
	{ "VXLAN cut", SHELL_IN_UDP, 4789, ROW("\x08\0\0\0\0\0"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "VXLAN with half an Ethernet header", SHELL_IN_UDP, 4789,
		ROW("\x08\0\0\0\0\0\1\0\1\2\3\4\5\6"), PACKET_REJECT_LINK_TRUNCATED },
	{ "VXLAN with ARP", SHELL_IN_UDP, 4789,
		ROW("\x08\0\0\0\0\0\1\0\2\0\0\0\0\1\2\0\0\0\0\2\x08\6\0\1"), PACKET_OTHER },
	{ "GENEVE of version 1", SHELL_IN_UDP, 6081, ROW("\x40\0\x65\x58\0\0\1\0\1"),
		PACKET_OTHER },
	{ "GENEVE control packet", SHELL_IN_UDP, 6081, ROW("\0\x80\x65\x58\0\0\1\0\1"),
		PACKET_OTHER },
	{ "GENEVE with options beyond its end", SHELL_IN_UDP, 6081,
		ROW("\2\0\x65\x58\0\0\1\0\1\2\3\4"), PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "GTP-U echo", SHELL_IN_UDP, 2152, ROW("\x32\1\0\4\0\0\0\0\0\1\0\0"), PACKET_OTHER },
	{ "GTP'", SHELL_IN_UDP, 2152, ROW("\x20\xff\0\1\0\0\0\1\x45"), PACKET_OTHER },
	{ "GTP-U longer than its datagram", SHELL_IN_UDP, 2152, ROW("\x30\xff\0\2\0\0\0\1\x45"),
		PACKET_REJECT_TUNNEL_MALFORMED },
	{ "GTP-U with an extension of length 0", SHELL_IN_UDP, 2152,
		ROW("\x34\xff\0\6\0\0\0\1\0\0\0\x85\0\0"), PACKET_REJECT_TUNNEL_MALFORMED },
	{ "GTP-U with nothing inside", SHELL_IN_UDP, 2152, ROW("\x30\xff\0\0\0\0\0\1"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "GTP-U with PPP", SHELL_IN_UDP, 2152, ROW("\x30\xff\0\2\0\0\0\1\xff\3"),
		PACKET_OTHER },
	{ "TZSP keep-alive", SHELL_IN_UDP, 37008, ROW("\1\4\0\0"), PACKET_OTHER },
	{ "TZSP without an end", SHELL_IN_UDP, 37008, ROW("\1\0\0\1\0\0\0\x0a\x01"),
		PACKET_REJECT_TUNNEL_TRUNCATED },
	{ "TZSP with another network's frame", SHELL_IN_UDP, 37008, ROW("\1\0\0\2\1\1\2"),
		PACKET_OTHER },
#undef ROW
};

Test(tunnel, what_is_odd_inside_has_one_result)
{
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		const struct bytes_row *row = &odd[i];
		struct shell shell = { .header = row->bytes,
			.header_len = (uint16_t)row->len,
			.place = row->place,
			.number = row->number };
		uint8_t bytes[FRAMES_BYTES_MAX];
		struct packet p;
		size_t len = shell_wrap(bytes, &shell, false, bytes, 0, false);
		enum packet_result result =
			decoded_bytes(&p, PACKET_LINK_ETHERNET, bytes, len, len);
		cr_assert_eq(
			result, row->result, "%s: %s", row->name, packet_result_name(result));
		cr_assert_null(p.payload, "%s", row->name);
	}
}

Test(tunnel, a_dns_port_is_dns_even_when_the_other_is_a_tunnels)
{
	static const uint16_t ports[] = { 4789, 8472, 6081, 2152, 37008 };

	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		struct frame_spec spec = QUERY_SPEC(.link = 1, .sport = 53, .dport = ports[i],
			.payload = "\x08\0\0\0\0\0\1\0\1\2", .payload_len = 10);
		struct packet p;
		cr_assert_eq(decoded_spec(&p, &spec), PACKET_DNS, "%u", ports[i]);
		cr_assert_eq(p.payload_len, 10);
	}
}

Test(tunnel, gtp_u_is_known_by_either_port_and_the_others_by_their_destination)
{
	const struct setting s = { .shell = shell_find("GTP-U"), .message = &messages[0] };
	uint8_t inner[FRAMES_BYTES_MAX], payload[FRAMES_BYTES_MAX];
	struct frame_spec query = inner_spec(&s);
	size_t len = frames_build(inner, &query);
	struct packet p;

	memcpy(payload, "\x30\xff\0\0\0\0\0\1", 8);
	payload[2] = (uint8_t)(len >> 8);
	payload[3] = (uint8_t)len;
	memcpy(payload + 8, inner, len);
	struct frame_spec outer = { .link = 1,
		.sport = 2152,
		.dport = 9999,
		.payload = payload,
		.payload_len = len + 8 };
	cr_assert_eq(decoded_spec(&p, &outer), PACKET_DNS);
	outer.sport = 4789;
	cr_assert_eq(decoded_spec(&p, &outer), PACKET_OTHER);
}

Test(tunnel, ports_are_those_of_the_options_and_no_others)
{
	const struct setting s = { .shell = shell_find("VXLAN"), .message = &messages[0] };
	static struct packet_options options;
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = wrapped(bytes, &s);
	struct frame frame = {
		.bytes = bytes, .caplen = (uint32_t)len, .wire_len = (uint32_t)len, .link = 1
	};
	struct packet p;

	packet_options_init(&options);
	port_set_add(&options.ports, 53);
	options.vxlan[0] = 0;
	struct decoder *d = decoder_new(&options, 0);
	cr_assert_eq(packet_decode(&p, &frame, d), PACKET_OTHER);
	decoder_free(d);
	options.vxlan[0] = 9;
	options.vxlan[1] = 4789;
	d = decoder_new(&options, 0);
	cr_assert_eq(packet_decode(&p, &frame, d), PACKET_DNS);
	decoder_free(d);
}
