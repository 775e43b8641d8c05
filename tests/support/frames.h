/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.h -- frames for tests, built from a few words: link type, tags, IP version, transport.
 *
 *	struct frame_spec spec = { .link = 1, .tag_count = 1, .tag = { { 0x8100, 101 } } };
 *	uint8_t frame[FRAMES_BYTES_MAX];
 *	size_t frame_len = frames_build(frame, &spec);
 *
 * What is left out makes a DNS query over UDP and IPv4, with right lengths and checksums.
 */
#ifndef TESTS_SUPPORT_FRAMES_H
#define TESTS_SUPPORT_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_BYTES_MAX      4096
#define FRAMES_TAGS_MAX       12
#define FRAMES_EXTENSIONS_MAX 12

#define FRAMES_SRC_V4 "192.0.2.1"
#define FRAMES_DST_V4 "192.0.2.53"
#define FRAMES_SRC_V6 "2001:db8::1"
#define FRAMES_DST_V6 "2001:db8::35"
#define FRAMES_SPORT  40000
#define FRAMES_DPORT  53
#define FRAMES_QUERY                                                                           \
	"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"                          \
	"example\x03"                                                                          \
	"com\x00\x00\x01\x00\x01"
#define FRAMES_QUERY_LEN (sizeof(FRAMES_QUERY) - 1)
#define FRAMES_TTL       63

struct frame_spec {
	/* link layer */
	uint16_t link; /* libpcap's number: 0 null, 1 Ethernet, 113 cooked, ...: see frames.c */
	uint8_t tag_count;
	struct frame_tag {
		uint16_t tpid;
		uint16_t vid; /* all 16 bits of the TCI */
	} tag[FRAMES_TAGS_MAX];
	uint16_t ethertype;  /* 0: that of the IP version */
	bool snap;           /* 802.3 length, LLC and SNAP in place of the EtherType */
	uint32_t family;     /* null and loop: address family; 0: 2 or 24 */
	bool family_swapped; /* written in the other byte order */

	/* IP */
	bool v6;
	const char *src, *dst; /* NULL: the defaults above */
	uint8_t options_len;   /* IPv4: bytes of options, a multiple of 4 */
	uint8_t extension_count;
	/* IPv6: header numbers (0 43 44 51 60) in order */
	uint8_t extension[FRAMES_EXTENSIONS_MAX];
	/* in units of 8 bytes; IPv6: needs a 44 among the extensions */
	uint16_t fragment_offset;
	bool more_fragments;
	bool ip_len_zero; /* as segmentation offload leaves it */
	int ip_len_add;   /* lie about the length by so much */

	/* transport */
	uint8_t protocol;      /* 0: UDP */
	uint16_t sport, dport; /* 0: the defaults above */
	const void *payload;   /* NULL: the query above */
	size_t payload_len;
	bool empty;         /* no payload */
	bool checksum_none; /* 0 */
	bool checksum_wrong;
	bool udp_len_set;
	uint16_t udp_len;         /* used when udp_len_set */
	uint8_t tcp_header_words; /* 0: 5 */

	size_t padding_len; /* bytes behind the IP packet, not counted by any length field */
};

/* Build the frame; returns its length. A frame that does not fit ends the test program. */
size_t frames_build(uint8_t out[FRAMES_BYTES_MAX], const struct frame_spec *spec);

#endif
