/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.h -- one captured frame, from link layer to UDP payload or TCP segment.
 *
 * packet_decode is the whole path: link (link.c) -> tags -> IP (ip.c) -> transport
 * (transport.c). It reads in place and copies nothing but addresses.
 *
 * Input:    untrusted, any bytes, any length, any link type.
 * Owner:    the frame's bytes belong to the capture source and live until its next batch; a
 *           struct packet points into them.
 * Threads:  no shared state.
 * Limits:   PACKET_VLANS_MAX tags are kept (outermost first), more are stepped over up to
 *           PACKET_TAGS_MAX; PACKET_EXTENSIONS_MAX IPv6 extension headers.
 */
#ifndef SENSOR_PACKET_PACKET_H
#define SENSOR_PACKET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"

#define PACKET_VLANS_MAX      4
#define PACKET_TAGS_MAX       8
#define PACKET_EXTENSIONS_MAX 8

/*
 * The link types that can be decoded, by libpcap's numbers. Some have one number in files
 * (LINKTYPE_) and others in memory (DLT_): all are here.
 */
enum packet_link {
	PACKET_LINK_NULL = 0, /* BSD loopback, address family in the capturing host's order */
	PACKET_LINK_ETHERNET = 1,
	PACKET_LINK_RAW_DLT = 12,     /* raw IP, either version: DLT_RAW nearly everywhere, */
	PACKET_LINK_RAW_OPENBSD = 14, /* on OpenBSD, */
	PACKET_LINK_RAW = 101,        /* and LINKTYPE_RAW in files */
	PACKET_LINK_LOOP = 108,       /* OpenBSD loopback, address family in network order */
	PACKET_LINK_LINUX_SLL = 113,
	PACKET_LINK_IPV4 = 228,
	PACKET_LINK_IPV6 = 229,
	PACKET_LINK_LINUX_SLL2 = 276,
};

/* One frame as captured. */
struct frame {
	const uint8_t *bytes;
	uint32_t caplen;    /* bytes captured */
	uint32_t wire_len;  /* bytes on the wire, >= caplen unless the capture lies */
	int64_t ts_ns;      /* capture time, since 1970 UTC */
	uint16_t link;      /* enum packet_link */
	uint16_t interface; /* index in the source's interface names; 0 for a plain file */
	/*
	 * For a message that never was a packet (dnstap): who spoke to whom, as the source knows
	 * it, and `result` in place of what packet_decode would say. NULL for a packet.
	 */
	const struct packet *decoded;
	uint8_t result; /* enum packet_result */
};

enum packet_result {
	PACKET_DNS,   /* carries bytes to or from a DNS port: payload is set */
	PACKET_OTHER, /* well-formed traffic that is not DNS (also ARP, ICMP, TCP without
			 payload...) */
#define REJECT(id, name, meaning) PACKET_REJECT_##id,
#include "sensor/packet/reject.def"
#undef REJECT
	PACKET_RESULT_COUNT,
};

enum packet_checksum {
	PACKET_CHECKSUM_UNKNOWN, /* none sent (UDP over IPv4), or cut by snaplen: not verifiable
				  */
	PACKET_CHECKSUM_OK,
	PACKET_CHECKSUM_WRONG, /* counted, and judged all the same: mirrors see packets before
				  offload */
};

/* What kept a message from being read on the wire; only a dnstap source tells. */
enum packet_cover {
	PACKET_COVER_NONE,
	PACKET_COVER_DOT,
	PACKET_COVER_DOH,
	PACKET_COVER_DOQ,
	PACKET_COVER_DNSCRYPT,
};

enum packet_tcp_flag {
	PACKET_TCP_FIN = 0x01,
	PACKET_TCP_SYN = 0x02,
	PACKET_TCP_RST = 0x04,
	PACKET_TCP_ACK = 0x10,
};

struct packet {
	struct ip src, dst;
	uint16_t sport, dport;
	uint8_t protocol; /* IPPROTO_UDP or IPPROTO_TCP */
	uint8_t ip_ttl;   /* TTL or hop limit */
	uint16_t ip_id;   /* IPv4 identification; 0: none (IPv6 has none) */
	uint8_t checksum; /* enum packet_checksum; filled for PACKET_DNS over UDP */
	uint8_t vlan_count;
	uint16_t vlan[PACKET_VLANS_MAX]; /* 802.1Q ids, outermost first */
	uint32_t vni; /* VXLAN/GENEVE VNI or ERSPAN session; PACKET_NO_VNI when none */
	const uint8_t *payload; /* PACKET_DNS: a message (UDP) or a part of a stream (TCP) */
	uint32_t payload_len;
	uint32_t payload_missing; /* UDP: bytes of the message behind these that the snapshot
				     length cut off */
	/*
	 * TCP to or from a DNS port only, whatever the result, as long as the header is whole:
	 * PACKET_DNS with payload, PACKET_OTHER without, PACKET_REJECT_SNAPLEN when only the
	 * first payload_len of tcp_len bytes were captured.
	 */
	uint32_t tcp_seq, tcp_ack;
	uint32_t tcp_len;  /* payload on the wire */
	uint8_t tcp_flags; /* enum packet_tcp_flag; 0: no such segment */
	uint8_t cover;     /* enum packet_cover */
};

#define PACKET_NO_VNI UINT32_MAX

/* The DNS ports as a bit set, so that the test is one load. */
struct port_set {
	uint64_t bits[1024];
};

static inline void port_set_add(struct port_set *set, uint16_t port)
{
	set->bits[port >> 6] |= UINT64_C(1) << (port & 63);
}

static inline bool port_set_has(const struct port_set *set, uint16_t port)
{
	return set->bits[port >> 6] >> (port & 63) & 1;
}

/*
 * Decode one frame. PACKET_DNS: *out is complete. Otherwise the fields decoded so far are set
 * and the rest is zero; the value says why and is the counter's index. A multicast name service
 * (mDNS 5353, LLMNR 5355, NetBIOS 137) is never DNS unless its port is in `ports`.
 */
enum packet_result packet_decode(
	struct packet *out, const struct frame *frame, const struct port_set *ports);

/* "fragment", "tunnel", ...; "dns" and "other" for the first two. Static text. */
const char *packet_result_name(enum packet_result result);
const char *packet_result_meaning(enum packet_result result);

/* Can this link type (a LINKTYPE_/DLT_ value of libpcap) be decoded? */
bool packet_link_supported(int link);

#endif
