/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/shells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETHERNET_LEN 14

#define BYTES(s)      .header = s, .header_len = sizeof(s) - 1
#define LINK(n)       .place = SHELL_IN_ETHERNET, .number = (n)
#define IP(n)         .place = SHELL_IN_IP, .number = (n)
#define UDP(n)        .place = SHELL_IN_UDP, .number = (n)
#define TYPE_AT(at)   .type = SHELL_ETHERTYPE, .type_at = (at)
#define PPP_AT(at)    .type = SHELL_PPP_PROTOCOL, .type_at = (at)
#define NEXT_AT(at)   .type = SHELL_NEXT_PROTOCOL, .type_at = (at)
#define LEN(at, from) .len_at = (at), .len_from = (from)
#define FRAME         .ethernet = true
#define NO_VNI        .vni = SHELL_NO_VNI
#define VNI           .vni = SHELL_VNI
#define SESSION       .vni = SHELL_SESSION

/* VNI 7001 is 00 1b 59; session 601 is 02 59; VLAN 77 is 04 d. */
const struct shell shells[] = {
	{ "MPLS", BYTES("\x00\x01\x01\x40"), LINK(0x8847), NO_VNI },
	{ "MPLS, three labels", BYTES("\x00\x01\x00\x40\x00\x02\x00\x40\x00\x03\x01\x40"),
		LINK(0x8848), NO_VNI },
	{ "MPLS pseudowire", BYTES("\x00\x01\x01\x40"), LINK(0x8847), FRAME, NO_VNI },
	{ "MPLS pseudowire with control word", BYTES("\x00\x01\x01\x40\x00\x00\x00\x07"),
		LINK(0x8847), FRAME, NO_VNI },
	{ "MPLS in IP", BYTES("\x00\x01\x01\x40"), IP(137), NO_VNI },
	{ "PPPoE", BYTES("\x11\x00\x00\x01\x00\x00\x00\x00"), LINK(0x8864), PPP_AT(6),
		LEN(4, 6), NO_VNI },
	{ "IP in IP", BYTES(""), IP(0), NO_VNI },
	{ "EtherIP", BYTES("\x30\x00"), IP(97), FRAME, NO_VNI },
	{ "GRE", BYTES("\x00\x00\x00\x00"), IP(47), TYPE_AT(2), NO_VNI },
	{ "GRE with checksum", BYTES("\x80\x00\x00\x00\xab\xcd\x00\x00"), IP(47), TYPE_AT(2),
		NO_VNI },
	{ "GRE with key", BYTES("\x20\x00\x00\x00\x00\x1b\x59\x01"), IP(47), TYPE_AT(2),
		NO_VNI },
	{ "GRE with sequence", BYTES("\x10\x00\x00\x00\x00\x00\x00\x05"), IP(47), TYPE_AT(2),
		NO_VNI },
	{ "GRE with all three",
		BYTES("\xb0\x00\x00\x00\xab\xcd\x00\x00\x01\x02\x03\x04\0\0\0\x05"), IP(47),
		TYPE_AT(2), NO_VNI },
	{ "GRE with routing",
		BYTES("\x40\x00\x00\x00\xab\xcd\x00\x00\x08\x00\x04\x04\xc0\x00\x02\x09\0\0\0"
		      "\0"),
		IP(47), TYPE_AT(2), NO_VNI },
	{ "GRE with Ethernet", BYTES("\x00\x00\x65\x58"), IP(47), FRAME, NO_VNI },
	{ "GRE with PPP", BYTES("\x00\x00\x88\x0b\xff\x03\x00\x00"), IP(47), PPP_AT(6),
		NO_VNI },
	{ "GRE with MPLS", BYTES("\x00\x00\x88\x47\x00\x01\x01\x40"), IP(47), NO_VNI },
	{ "GRE with WCCP", BYTES("\x00\x00\x88\x3e\x00\x00\x00\x00"), IP(47), NO_VNI },
	{ "PPTP", BYTES("\x30\x01\x88\x0b\x00\x00\x00\x07\x00\x00\x00\x05\xff\x03\x00\x00"),
		IP(47), PPP_AT(14), LEN(4, 12), NO_VNI },
	{ "PPTP, acknowledged, without framing",
		BYTES("\x30\x81\x88\x0b\x00\x00\x00\x07\x00\x00\x00\x05\x00\x00\x00\x04\x00"
		      "\x00"),
		IP(47), PPP_AT(16), LEN(4, 16), NO_VNI },
	{ "NVGRE", BYTES("\x20\x00\x65\x58\x00\x1b\x59\x01"), IP(47), FRAME, VNI },
	{ "ERSPAN I", BYTES("\x00\x00\x88\xbe"), IP(47), FRAME, NO_VNI },
	{ "ERSPAN II",
		BYTES("\x10\x00\x88\xbe\x00\x00\x00\x05\x10\x00\x02\x59\x00\x00\x00\x09"),
		IP(47), FRAME, SESSION },
	{ "ERSPAN II with its VLAN",
		BYTES("\x10\x00\x88\xbe\x00\x00\x00\x05\x10\x4d\x12\x59\x00\x00\x00\x09"),
		IP(47), FRAME, SESSION, .vlan = SHELL_VLAN },
	{ "ERSPAN II, tag kept",
		BYTES("\x10\x00\x88\xbe\x00\x00\x00\x05\x10\x4d\x1a\x59\x00\x00\x00\x09"),
		IP(47), FRAME, SESSION },
	{ "ERSPAN III",
		BYTES("\x10\x00\x22\xeb\x00\x00\x00\x05\x20\x4d\x02\x59\x01\x02\x03\x04\0\0\0"
		      "\0"),
		IP(47), FRAME, SESSION, .vlan = SHELL_VLAN },
	{ "ERSPAN III with subheader",
		BYTES("\x10\x00\x22\xeb\x00\x00\x00\x05\x20\x00\x02\x59\x01\x02\x03\x04\0\0\0"
		      "\x01"
		      "\1\2\3\4\5\6\7\x08"),
		IP(47), FRAME, SESSION },
	{ "ERSPAN III with IP",
		BYTES("\x10\x00\x22\xeb\x00\x00\x00\x05\x20\x00\x02\x59\x01\x02\x03\x04\0\0\x88"
		      "\0"),
		IP(47), SESSION },
	{ "VXLAN", BYTES("\x08\x00\x00\x00\x00\x1b\x59\x00"), UDP(4789), FRAME, VNI },
	{ "VXLAN on its old port", BYTES("\x08\x00\x00\x00\x00\x1b\x59\x00"), UDP(8472), FRAME,
		VNI },
	{ "VXLAN with group policy", BYTES("\x88\x00\x00\x09\x00\x1b\x59\x00"), UDP(4789),
		FRAME, VNI },
	{ "VXLAN GPE", BYTES("\x0c\x00\x00\x00\x00\x1b\x59\x00"), UDP(4789), NEXT_AT(3), VNI },
	{ "VXLAN GPE with Ethernet", BYTES("\x0c\x00\x00\x03\x00\x1b\x59\x00"), UDP(4789),
		FRAME, VNI },
	{ "GENEVE", BYTES("\x00\x00\x65\x58\x00\x1b\x59\x00"), UDP(6081), FRAME, VNI },
	{ "GENEVE with options",
		BYTES("\x02\x40\x65\x58\x00\x1b\x59\x00\x01\x02\x80\x01\xde\xad\xbe\xef"),
		UDP(6081), FRAME, VNI },
	{ "GENEVE with IP", BYTES("\x00\x00\x00\x00\x00\x1b\x59\x00"), UDP(6081), TYPE_AT(2),
		VNI },
	{ "GTP-U", BYTES("\x30\xff\x00\x00\x01\x02\x03\x04"), UDP(2152), LEN(2, 8), NO_VNI },
	{ "GTP-U with sequence", BYTES("\x32\xff\x00\x00\x01\x02\x03\x04\x00\x09\x00\x00"),
		UDP(2152), LEN(2, 8), NO_VNI },
	{ "GTP-U with two extensions",
		BYTES("\x34\xff\x00\x00\x01\x02\x03\x04\x00\x00\x00\x85\x01\x00\x09\x40"
		      "\x02\1\2\3\4\5\6\x00"),
		UDP(2152), LEN(2, 8), NO_VNI },
	{ "TZSP", BYTES("\x01\x00\x00\x01\x01"), UDP(37008), FRAME, NO_VNI },
	{ "TZSP with fields", BYTES("\x01\x01\x00\x01\x0a\x01\xd8\x00\x00\x0b\x02\1\2\x01"),
		UDP(37008), FRAME, NO_VNI },
};

const size_t shells_count = sizeof(shells) / sizeof(shells[0]);

const struct shell *shell_find(const char *name)
{
	for (size_t i = 0; i < shells_count; i++)
		if (strcmp(shells[i].name, name) == 0)
			return &shells[i];
	fprintf(stderr, "shell_find: no %s\n", name);
	abort();
}

static void set16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void set_type(uint8_t *header, const struct shell *shell, bool v6)
{
	uint8_t *at = header + shell->type_at;

	switch (shell->type) {
	case SHELL_ETHERTYPE:
		set16(at, v6 ? 0x86dd : 0x0800);
		break;
	case SHELL_PPP_PROTOCOL:
		set16(at, v6 ? 0x0057 : 0x0021);
		break;
	case SHELL_NEXT_PROTOCOL:
		*at = v6 ? 2 : 1;
		break;
	default:
		break;
	}
}

static size_t into_ethernet(
	uint8_t *out, const struct shell *shell, const uint8_t *payload, size_t payload_len)
{
	memcpy(out, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
	set16(out + 12, shell->number);
	memcpy(out + ETHERNET_LEN, payload, payload_len);
	return ETHERNET_LEN + payload_len;
}

size_t shell_wrap(uint8_t out[FRAMES_BYTES_MAX], const struct shell *shell, bool outer_v6,
	const uint8_t *inner, size_t inner_len, bool inner_v6)
{
	uint8_t payload[FRAMES_BYTES_MAX];
	size_t payload_len = shell->header_len + inner_len;

	if (payload_len + 100 > FRAMES_BYTES_MAX) {
		fprintf(stderr, "shell_wrap: longer than FRAMES_BYTES_MAX\n");
		abort();
	}
	memcpy(payload, shell->header, shell->header_len);
	memcpy(payload + shell->header_len, inner, inner_len);
	set_type(payload, shell, inner_v6);
	if (shell->len_at)
		set16(payload + shell->len_at, payload_len - (size_t)shell->len_from);
	if (shell->place == SHELL_IN_ETHERNET)
		return into_ethernet(out, shell, payload, payload_len);

	struct frame_spec spec = {
		.link = 1,
		.v6 = outer_v6,
		.src = outer_v6 ? "2001:db8:ffff::1" : "198.51.100.1",
		.dst = outer_v6 ? "2001:db8:ffff::2" : "198.51.100.2",
		.payload = payload,
		.payload_len = payload_len,
	};
	if (shell->place == SHELL_IN_UDP) {
		spec.dport = shell->number;
		spec.sport = 50000;
	} else {
		spec.protocol = (uint8_t)(shell->number ? shell->number : inner_v6 ? 41 : 4);
	}
	return frames_build(out, &spec);
}
