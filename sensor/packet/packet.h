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

#define PACKET_DEPTH_MAX        8
#define PACKET_VLANS_MAX        4
#define PACKET_TAGS_MAX         8
#define PACKET_LABELS_MAX       16
#define PACKET_EXTENSIONS_MAX   8
#define PACKET_TUNNEL_PORTS_MAX 4

/* The link types that can be decoded, by libpcap's numbers. */
enum packet_link {
#define LINK(id, number, decode, meaning) PACKET_LINK_##id = number,
#include "sensor/packet/link.def"
#undef LINK
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
	PACKET_DNS, /* carries bytes to or from a DNS port: payload is set */
	/* well-formed traffic that is not DNS (also ARP, ICMP, TCP without payload...) */
	PACKET_OTHER,
	PACKET_HELD, /* a fragment whose datagram is not complete: counted later */
#define REJECT(id, name, meaning) PACKET_REJECT_##id,
#include "sensor/packet/reject.def"
#undef REJECT
	PACKET_RESULT_COUNT,
};

enum packet_checksum {
	/* none sent (UDP over IPv4), or cut by snaplen: not verifiable */
	PACKET_CHECKSUM_UNKNOWN,
	PACKET_CHECKSUM_OK,
	/* counted, and judged all the same: mirrors see packets before offload */
	PACKET_CHECKSUM_WRONG,
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
	/* VXLAN/GENEVE VNI, NVGRE VSID or ERSPAN session, the innermost; PACKET_NO_VNI when none */
	uint32_t vni;
	/* earlier frames of this datagram, which were PACKET_HELD: counted with this one's result */
	uint32_t held;
	const uint8_t *payload; /* PACKET_DNS: a message (UDP) or a part of a stream (TCP) */
	uint32_t payload_len;
	/* UDP: bytes of the message behind these that the snapshot length cut off */
	uint32_t payload_missing;
	/*
	 * TCP to or from a DNS port only, whatever the result, as long as the header is whole:
	 * PACKET_DNS with payload, PACKET_OTHER without, PACKET_REJECT_SNAPLEN when only the
	 * first payload_len of tcp_len bytes were captured.
	 */
	uint32_t tcp_seq, tcp_ack;
	uint32_t tcp_len;     /* payload on the wire */
	uint8_t tcp_flags;    /* enum packet_tcp_flag; 0: no such segment */
	uint8_t cover;        /* enum packet_cover */
	uint64_t fingerprint; /* PACKET_DNS, unless dnstap said so: see fingerprint.h */
};

#define PACKET_NO_VNI UINT32_MAX

/*
 * The DNS ports as a bit set, so that the test is one load. Above the highest one there is nothing to
 * load: clients' ports would fetch the whole set into the cache, line by line.
 */
struct port_set {
	uint64_t bits[1024];
	uint16_t highest; /* 0 in an empty set, which does not have it */
};

static inline void port_set_add(struct port_set *set, uint16_t port)
{
	set->bits[port >> 6] |= UINT64_C(1) << (port & 63);
	set->highest = port > set->highest ? port : set->highest;
}

static inline bool port_set_has(const struct port_set *set, uint16_t port)
{
	unsigned there = port <= set->highest;
	unsigned at = port & -there;

	return set->bits[at >> 6] >> (at & 63) & there;
}

/*
 * The server's port is the lower one, nearly always: a look at that one tells, without a branch on
 * who is the server, and away from the wide range that clients take theirs from.
 */
static inline bool port_set_has_either(const struct port_set *set, uint16_t a, uint16_t b)
{
	uint16_t low = a < b ? a : b, high = a < b ? b : a;

	return LIKELY(port_set_has(set, low)) || port_set_has(set, high);
}

struct packet_options {
	struct port_set ports; /* DNS */
	/* UDP ports of tunnels; the first 0 ends a list */
	uint16_t vxlan[PACKET_TUNNEL_PORTS_MAX], geneve[PACKET_TUNNEL_PORTS_MAX];
	uint16_t gtpu[PACKET_TUNNEL_PORTS_MAX], tzsp[PACKET_TUNNEL_PORTS_MAX];
	uint64_t seed; /* of hash tables; fixed in a replay */
};

/* No DNS port; the tunnel ports that are registered or common: 4789 8472, 6081, 2152, 37008. */
void packet_options_init(struct packet_options *options);

/* One per input thread: what decoding remembers from frame to frame, which is fragments. */
struct decoder;

/*
 * `options` is kept, not copied, and must not change. All memory is taken here: about
 * `memory_bytes`, but at least DECODER_BYTES_MIN. NULL when out of memory.
 */
struct decoder *decoder_new(const struct packet_options *options, size_t memory_bytes);
void decoder_free(struct decoder *d);

#define DECODER_BYTES_MIN ((size_t)512 << 10)

/*
 * Decode one frame. PACKET_DNS: *out is complete, and its addresses are the innermost.
 * PACKET_HELD: nothing to see yet. Otherwise the fields decoded so far are set and the rest is
 * zero; the value says why and is the counter's index. A multicast name service (mDNS 5353,
 * LLMNR 5355, NetBIOS 137) is never DNS unless its port is among the options' ports; a UDP port
 * that is DNS is no tunnel's.
 */
enum packet_result packet_decode(
	struct packet *out, const struct frame *frame, struct decoder *d);

/*
 * The same in two steps, for who has many frames: the headers of all of them, and then what takes the
 * whole of a payload. If `rest` is not PACKET_REST_NONE, *out lacks checksum and fingerprint, which
 * packet_finish fills in; then, too, it is a whole datagram and PACKET_DNS.
 */
enum packet_rest {
	PACKET_REST_NONE,
	PACKET_REST_V4,
	PACKET_REST_V6,
};
enum packet_result packet_begin(struct packet *out, enum packet_rest *rest,
	const struct frame *frame, struct decoder *d);
void packet_finish(struct packet *out, enum packet_rest rest, const struct decoder *d);

/* About once a second of capture time: give up datagrams that are too old to be completed. */
void decoder_expire(struct decoder *d, int64_t now_ns);

/* The capture is over: give up all that is still held. */
void decoder_flush(struct decoder *d);

/*
 * What became of frames that were PACKET_HELD and whose datagram was given up: their numbers by
 * result since the last call. Together with `held` this accounts for each of them once.
 */
struct decoder_settled {
	uint64_t incomplete, evicted;
};
struct decoder_settled decoder_settled(struct decoder *d);

/* Datagrams under reassembly, for the summary. */
struct decoder_stats {
	uint64_t used, capacity, evicted;
};
struct decoder_stats decoder_stats(const struct decoder *d);

/* "ip_truncated", ...; "dns", "other" and "held" for the first three. Static text. */
const char *packet_result_name(enum packet_result result);
const char *packet_result_meaning(enum packet_result result);

/* Can this link type (a LINKTYPE_/DLT_ value of libpcap) be decoded? */
bool packet_link_supported(int link);

#endif
