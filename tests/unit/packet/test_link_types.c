/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/packet/decoded.h"

/* What stands in front of a query over IPv4 or IPv6: `v4` and `v6` end where IP begins. */
static const struct prefix_row {
	const char *name;
	uint16_t link;
	const char *v4, *v6; /* NULL: not with this version */
	size_t v4_len, v6_len;
} prefixes[] = {
#define BOTH(start, v4, v6)  start v4, start v6, sizeof(start v4) - 1, sizeof(start v6) - 1
#define SNAP(ethertype)      "\xaa\xaa\x03\0\0\0" ethertype
#define MACS                 "\2\0\0\0\0\1\2\0\0\0\0\2\2\0\0\0\0\3"
#define DATA(control)        control "\0\0" MACS "\x10\0"
#define LLC_BOTH(link_bytes) BOTH(link_bytes, SNAP("\x08\0"), SNAP("\x86\xdd"))
	{ "802.11 to the distribution system", 105, LLC_BOTH(DATA("\x08\1")) },
	{ "802.11 from the distribution system", 105, LLC_BOTH(DATA("\x08\2")) },
	{ "802.11 ad hoc", 105, LLC_BOTH(DATA("\x08\0")) },
	{ "802.11 between access points", 105, LLC_BOTH(DATA("\x08\3") "\2\0\0\0\0\4") },
	{ "802.11 with QoS", 105, LLC_BOTH(DATA("\x88\1") "\0\0") },
	{ "802.11 with QoS and HT control", 105, LLC_BOTH(DATA("\x88\x81") "\0\0\1\2\3\4") },
	{ "802.11 with QoS between access points", 105,
		LLC_BOTH(DATA("\x88\3") "\2\0\0\0\0\4"
					"\0\0") },
	{ "radiotap without fields", 127, LLC_BOTH("\0\0\x08\0\0\0\0\0" DATA("\x08\1")) },
	{ "radiotap with time and flags", 127,
		LLC_BOTH("\0\0\x11\0\3\0\0\0\1\2\3\4\5\6\7\x08\0" DATA("\x08\1")) },
	{ "radiotap, header padded", 127,
		LLC_BOTH("\0\0\x09\0\2\0\0\0\x20" DATA("\x88\1") "\0\0"
								 "\0\0") },
	{ "radiotap with two words of bits", 127,
		LLC_BOTH("\0\0\x19\0\3\0\0\x80\0\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08\x20" DATA(
			"\x88\1") "\0\0"
				  "\0\0") },
	{ "AVS", 163,
		LLC_BOTH("\x80\x21\x10\1\0\0\0\x40"
			 "01234567890123456789012345678901234567890123456"
			 "789abcdef" DATA("\x08\1")) },
	{ "PPI with 802.11", 192, LLC_BOTH("\0\0\x08\0\x69\0\0\0" DATA("\x08\1")) },
	{ "PPI with Ethernet", 192,
		BOTH("\0\0\x0c\0\1\0\0\0abcd"
		     "\2\0\0\0\0\1\2\0\0\0\0\2",
			"\x08\0", "\x86\xdd") },
	{ "PPI with raw IP", 192, BOTH("\0\0\x08\0\x65\0\0\0", "", "") },
	{ "cooked 802.11", 113, LLC_BOTH("\0\0\3\x21\0\6\2\0\0\0\0\1\0\0\0\4" DATA("\x08\1")) },
	{ "cooked radiotap", 113,
		LLC_BOTH("\0\0\3\x23\0\6\2\0\0\0\0\1\0\0\0\4"
			 "\0\0\x08\0\0\0\0\0" DATA("\x08\1")) },
	{ "PPP", 9, BOTH("\xff\3", "\0\x21", "\0\x57") },
	{ "PPP without address and control", 9, BOTH("", "\0\x21", "\0\x57") },
	{ "PPP, protocol compressed", 9, BOTH("", "\x21", "\x57") },
	{ "PPP with MPLS", 9, BOTH("\xff\3\2\x81\0\1\1\x40", "", "") },
	{ "serial PPP", 50, BOTH("\xff\3", "\0\x21", "\0\x57") },
	{ "serial, Cisco's", 50, BOTH("\x0f\0", "\x08\0", "\x86\xdd") },
	{ "HDLC, Cisco's", 104, BOTH("\x8f\0", "\x08\0", "\x86\xdd") },
	{ "PPP with direction in front", 204, BOTH("\1\xff\3", "\0\x21", "\0\x57") },
	{ "PPP with direction in place of its address", 166, BOTH("\0\3", "\0\x21", "\0\x57") },
	{ "PPPoE", 51, "\x11\0\0\1\0\x3f\0\x21", NULL, 8, 0 },
	{ "MPLS", 219, BOTH("\0\1\0\x40\0\2\1\x40", "", "") },
	{ "NFLOG", 239,
		"\2\0\0\7"
		"\x08\0\1\0\x08\0\1\0"
		"\7\0\x0a\0abc\0"
		"\x41\0\x09\0",
		NULL, 24, 0 },
	{ "NFLOG of a bridge", 239,
		"\7\0\0\7"
		"\x08\0\1\0\x08\0\1\0"
		"\x41\0\x09\0",
		NULL, 16, 0 },
	{ "ARCNET", 7, BOTH("\1\2", "\xd4\0\0\1", "\xc4\0\0\1") },
	{ "ARCNET, exception header", 7,
		BOTH("\1\2", "\xd4\xff\xff\xff\0", "\xc4\xff\xff\xff\0") },
	{ "ARCNET of old", 7, "\1\2\xf0", NULL, 3, 0 },
	{ "ARCNET of Linux", 129, BOTH("\1\2\0\0", "\xd4\0\0\1", "\xc4\0\0\1") },
	{ "ARCNET of Linux, of old", 129, "\1\2\0\0\xf0", NULL, 5, 0 },
	{ "PFLOG", 117,
		"\x3d\2\0\0"
		"0123456789012345678901234567890123456789012345678901234567"
		"\0\0",
		NULL, 64, 0 },
	{ "IPNET", 226, "\2\2\0\1\0\0\0\x3d\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", NULL, 24, 0 },
	{ "Juniper", 178, BOTH("MGC\1\2\0\0\0\0\1\2\0\0\0\0\2", "\x08\0", "\x86\xdd") },
	{ "Juniper with extensions", 178,
		BOTH("MGC\x81\0\6abcdef\2\0\0\0\0\1\2\0\0\0\0\2", "\x08\0", "\x86\xdd") },
	{ "Juniper without a link layer", 178, BOTH("MGC\2\0\0\0\2", "", "") },
};

/* The prefix, then the query as raw IP. */
static size_t prefixed(uint8_t *out, const struct prefix_row *row, bool v6)
{
	uint8_t ip[FRAMES_BYTES_MAX];
	struct frame_spec spec = { .link = PACKET_LINK_RAW, .v6 = v6 };
	size_t len = frames_build(ip, &spec);
	size_t prefix_len = v6 ? row->v6_len : row->v4_len;

	memcpy(out, v6 ? row->v6 : row->v4, prefix_len);
	memcpy(out + prefix_len, ip, len);
	memset(out + prefix_len + len, 0, 4); /* a frame check sequence, say */
	return prefix_len + len + 4;
}

Test(link_types, every_link_type_shows_the_query_behind_its_header)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes) * 2; i++) {
		const struct prefix_row *row = &prefixes[i / 2];
		uint8_t bytes[FRAMES_BYTES_MAX];
		struct packet p;
		if (!(i & 1 ? row->v6 : row->v4))
			continue;
		size_t len = prefixed(bytes, row, i & 1);
		enum packet_result result = decoded_bytes(&p, row->link, bytes, len, len);
		cr_assert_eq(result, PACKET_DNS, "%s, v6 %zu: %s", row->name, i & 1,
			packet_result_name(result));
		cr_assert_eq(p.payload_len, QUERY_LEN, "%s", row->name);
		cr_assert_eq(memcmp(p.payload, QUERY, QUERY_LEN), 0, "%s", row->name);
		cr_assert_eq(p.checksum, PACKET_CHECKSUM_OK, "%s", row->name);
		for (size_t caplen = 0; caplen < len - 4; caplen++) {
			result = decoded_bytes(&p, row->link, bytes, caplen, caplen);
			cr_assert_neq(result, PACKET_DNS, "%s, %zu", row->name, caplen);
		}
	}
}

Test(link_types, every_byte_of_every_header_may_have_any_value)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const struct prefix_row *row = &prefixes[i];
		uint8_t bytes[FRAMES_BYTES_MAX];
		size_t len = prefixed(bytes, row, false);
		struct packet p;
		for (size_t at = 0; at < row->v4_len * 256; at++) {
			uint8_t saved = bytes[at / 256];
			bytes[at / 256] = (uint8_t)at;
			enum packet_result result =
				decoded_bytes(&p, row->link, bytes, len, len);
			cr_assert_eq(result == PACKET_DNS, p.payload != NULL, "%s", row->name);
			bytes[at / 256] = saved;
		}
	}
}

static const struct bytes_row {
	const char *name;
	uint16_t link;
	const char *bytes;
	size_t len;
	enum packet_result result;
} odd[] = {
#define ROW(s) s, sizeof(s) - 1
	{ "802.11 beacon", 105, ROW("\x80\0\0\0" MACS "\0\0"), PACKET_OTHER },
	{ "802.11 acknowledgement", 105, ROW("\xd4\0\0\0\2\0\0\0\0\1"), PACKET_OTHER },
	{ "802.11 without data", 105, ROW(DATA("\x48\1")), PACKET_OTHER },
	{ "802.11 of version 1", 105, ROW(DATA("\x09\1") SNAP("\x08\0")), PACKET_OTHER },
	{ "802.11 encrypted", 105, ROW(DATA("\x08\x41") "\1\2\3\4\5\6\7\x08"),
		PACKET_REJECT_WLAN_PROTECTED },
	{ "802.11 with QoS, encrypted", 105, ROW(DATA("\x88\x41") "\0\0\1\2\3\4"),
		PACKET_REJECT_WLAN_PROTECTED },
	{ "802.11 encrypted, cut", 105, ROW("\x08\x41\0\0\2\0\0"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "802.11 first of its fragments", 105, ROW(DATA("\x08\5") SNAP("\x08\0")),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "802.11 second of its fragments", 105, ROW("\x08\1\0\0" MACS "\x11\0" SNAP("\x08\0")),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "802.11 with EAPOL", 105, ROW(DATA("\x08\1") SNAP("\x88\x8e") "\1\3"), PACKET_OTHER },
	{ "radiotap, cut", 127, ROW("\0\0\x08"), PACKET_REJECT_LINK_TRUNCATED },
	{ "radiotap longer than its frame", 127, ROW("\0\0\x40\0\0\0\0\0\x08\1"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "radiotap shorter than its fields", 127, ROW("\0\0\x08\0\3\0\0\0" DATA("\x08\1")),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "radiotap of bits without end", 127,
		ROW("\0\0\x10\0\0\0\0\x80\0\0\0\x80\0\0\0\x80\x08\1"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "AVS of another magic", 163, ROW("\x80\x21\x20\1\0\0\0\x40\0\0"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "AVS shorter than itself", 163, ROW("\x80\x21\x10\1\0\0\0\4\0\0"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "Prism, cut", 119, ROW("\0\0\0\x44\0\0\0\x90wlan0"), PACKET_REJECT_LINK_TRUNCATED },
	{ "PPI with an unknown link type", 192, ROW("\0\0\x08\0\x0f\x27\0\0\1\2\3"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "PPI with a link type that is none", 192, ROW("\0\0\x08\0\1\0\1\0\1\2\3"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "PPI in PPI without end", 192,
		ROW("\0\0\x08\0\xc0\0\0\0\0\0\x08\0\xc0\0\0\0\0\0\x08\0\xc0\0\0\0\0\0\x08\0\xc0"
		    "\0\0\0"
		    "\0\0\x08\0\xc0\0\0\0\0\0\x08\0\xc0\0\0\0\0\0\x08\0\xc0\0\0\0\0\0\x08\0\xc0"
		    "\0\0\0"
		    "\0\0\x08\0\xc0\0\0\0\0\0\x08\0\xc0\0\0\0"),
		PACKET_REJECT_TUNNEL_DEPTH },
	{ "PPP control protocol", 9, ROW("\xff\3\xc0\x21\1\1\0\4"), PACKET_OTHER },
	{ "PPP, half a protocol", 9, ROW("\xff\3\0"), PACKET_REJECT_LINK_TRUNCATED },
	{ "NFLOG of version 1", 239, ROW("\2\1\0\7"), PACKET_REJECT_LINK_UNSUPPORTED },
	{ "NFLOG without a packet", 239, ROW("\2\0\0\7\x08\0\1\0\x08\0\1\0"), PACKET_OTHER },
	{ "NFLOG with an attribute of length 0", 239, ROW("\2\0\0\7\0\0\1\0\x08\0\1\0"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "NFLOG, payload longer than its frame", 239, ROW("\2\0\0\7\x40\0\x09\0\x45"),
		PACKET_REJECT_LINK_TRUNCATED },
	{ "PKTAP shorter than itself", 258, ROW("\x10\0\0\0\1\0\0\0\1\0\0\0abcd"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "user 2 that is no PKTAP", 149, ROW("what other people use this number for"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "ARCNET in several frames", 7, ROW("\1\2\xd4\1\0\1\x45"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "ARCNET's ARP", 7, ROW("\1\2\xd5\0\0\1\0"), PACKET_OTHER },
	{ "Juniper of another magic", 178, ROW("MGD\1\2\0\0\0\0\1"),
		PACKET_REJECT_LINK_UNSUPPORTED },
	{ "PFLOG of length 0", 117, ROW("\0\2\0\0\x45"), PACKET_REJECT_LINK_UNSUPPORTED },
	{ "IPNET of another family", 226,
		ROW("\2\3\0\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0"), PACKET_OTHER },
#undef ROW
};

Test(link_types, what_is_odd_in_these_link_types_has_one_result)
{
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		const struct bytes_row *row = &odd[i];
		struct packet p;
		enum packet_result result = decoded_bytes(
			&p, row->link, (const uint8_t *)row->bytes, row->len, row->len);
		cr_assert_eq(
			result, row->result, "%s: %s", row->name, packet_result_name(result));
	}
}

/* --- several frames in one ---------------------------------------------------------------------- */

/* Append one part of an A-MSDU: a raw IP packet behind LLC and SNAP. */
static size_t part_add(uint8_t *at, const struct frame_spec *spec)
{
	uint8_t ip[FRAMES_BYTES_MAX];
	size_t len = frames_build(ip, spec);

	memcpy(at, MACS, 12);
	at[12] = (uint8_t)((len + 8) >> 8);
	at[13] = (uint8_t)(len + 8);
	memcpy(at + 14, SNAP("\x08\0"), 8);
	memcpy(at + 22, ip, len);
	memset(at + 22 + len, 0, 3);
	return (22 + len + 3) & ~(size_t)3;
}

Test(link_types, of_several_frames_in_one_the_one_with_dns_is_shown)
{
	static const struct frame_spec other = { .link = PACKET_LINK_RAW, .dport = 123 };
	static const struct frame_spec query = { .link = PACKET_LINK_RAW };

	for (unsigned which = 0; which <= 3; which++) {
		uint8_t bytes[FRAMES_BYTES_MAX];
		size_t len = sizeof(DATA("\x88\1") "\x80\0") - 1;
		struct packet p;
		memcpy(bytes, DATA("\x88\1") "\x80\0", len);
		for (unsigned i = 0; i < 3; i++)
			len += part_add(bytes + len, i == which ? &query : &other);
		cr_assert_eq(decoded_bytes(&p, 105, bytes, len, len),
			which < 3 ? PACKET_DNS : PACKET_OTHER, "part %u", which);
		for (size_t caplen = 0; caplen < len; caplen++)
			decoded_bytes(&p, 105, bytes, caplen, caplen + len % 2);
	}
}

Test(link_types, pktap_leads_to_the_link_type_that_it_names)
{
	uint8_t bytes[FRAMES_BYTES_MAX] = { 108, 0, 0, 0, 1, 0, 0, 0, 1 };
	struct frame_spec spec = { .link = 1 };
	uint8_t frame[FRAMES_BYTES_MAX];
	size_t len = 108 + frames_build(frame, &spec);
	struct packet p;

	memcpy(bytes + 108, frame, len - 108);
	cr_assert_eq(decoded_bytes(&p, 258, bytes, len, len), PACKET_DNS);
	cr_assert_eq(decoded_bytes(&p, 149, bytes, len, len), PACKET_DNS);
	bytes[4] = 0; /* no packet follows */
	cr_assert_eq(decoded_bytes(&p, 258, bytes, len, len), PACKET_OTHER);
	bytes[4] = 1;
	bytes[10] = 1; /* link type 65537 */
	cr_assert_eq(decoded_bytes(&p, 258, bytes, len, len), PACKET_REJECT_LINK_UNSUPPORTED);
}
