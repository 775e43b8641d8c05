/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment.h -- IP fragments are put together (RFC 791 3.2, RFC 8200 4.5); not for other modules.
 *
 * Fragments belong together by addresses, identification, IP version, for IPv4 the protocol,
 * and the VLAN ids and VNI that were in front: two customers may use the same addresses.
 *
 * One rule for overlaps: bytes that are known stay. What comes again, byte for byte, is a
 * duplicate (mirrors make them). Over IPv4 anything else that overlaps is counted as such and
 * only its new bytes are taken; over IPv6 the whole datagram is dropped with all that still
 * comes of it (RFC 5722 4).
 *
 * Invariant: a datagram's blocks hold exactly the units of 8 bytes that their bits say; it is
 * complete when its end is known and as many units are there as reach to it.
 *
 * Limits:   FRAGMENT_AGE_NS of capture time for the first fragment to wait (RFC 791 and 8200:
 *           15 to 60 s); as many datagrams as memory has blocks. Then the oldest goes. Work for
 *           a fragment depends on its length alone.
 * Input:    untrusted.  Threads: belongs to one.
 */
#ifndef SENSOR_PACKET_FRAGMENT_H
#define SENSOR_PACKET_FRAGMENT_H

#include "sensor/base/clock.h"
#include "sensor/packet/layer.h"

#define FRAGMENT_AGE_NS (30 * NS_PER_S)

struct fragment {
	uint32_t id;
	uint32_t offset; /* in bytes, a multiple of 8 */
	bool more;
	uint8_t version;  /* 4 or 6 */
	uint8_t protocol; /* IPv6: becomes that of the first fragment */
};

/*
 * Take the fragment at *c, which goes to the end of its packet. PACKET_OTHER: the datagram is
 * complete, and *c is all of it, until two more are; out->ip_ttl is its first fragment's.
 */
enum packet_result fragment_take(
	struct packet *out, struct cursor *c, struct layer *layer, struct fragment *f);

/* All memory is taken here, at least FRAGMENTS_BYTES_MIN. NULL when out of memory. */
struct fragments *fragments_new(size_t memory_bytes, uint64_t seed);
void fragments_free(struct fragments *fragments);

#define FRAGMENTS_BYTES_MIN ((size_t)256 << 10)

void fragments_expire(struct fragments *fragments, int64_t now_ns);
void fragments_flush(struct fragments *fragments);
struct decoder_settled fragments_settled(struct fragments *fragments);
struct decoder_stats fragments_stats(const struct fragments *fragments);

#endif
