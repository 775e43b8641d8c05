/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dedup.h -- recognises the copies of a packet that a mirror port makes.
 *
 * A mirror that takes both directions of a port, or several ports, delivers a packet once where it
 * comes in and once where it goes out. A copy has the same addresses, ports, protocol, IPv4
 * identification and payload, comes within the window (before or after, as clocks of cards go), and
 * may have other tags and a TTL (hop limit) that one router has lowered.
 *
 * DEDUP_ON     each such packet is a copy.
 * DEDUP_AUTO   it needs a proof: an IPv4 identification other than 0, since a sender gives its next
 *		packet another one; or other tags, or another TTL, since then it was seen in two
 *		places. Without one (IPv6, and IPv4 that may not be fragmented, on the same segment)
 *		a program that sends the same again looks just like a mirror. Then what the mirror
 *		does to packets that have an identification decides: if of the last thousand or so
 *		at least a quarter were copies, this is one too.
 *
 * After DEDUP_COPIES_MAX copies of a packet the next one counts as new, in either mode: no mirror
 * makes more, and a flood of equal packets must not vanish. A client asks again after hundreds of
 * milliseconds, with another IPv4 identification, and two queries differ in DNS id and port.
 *
 * The first one counts, whichever it is; so copies on different VLANs or VNIs are judged by those
 * tags that came first.
 *
 * Owner:    dedup_new/dedup_free; one per input thread, so copies that come by different inputs of a
 *           live sensor are not seen.
 * Threads:  the input thread.
 * Input:    untrusted; the table hashes with the seed.
 * Limits:   256 KiB, taken at the start: 16384 packets in sets of 4, where the oldest makes room. A
 *           set that overflows within the window costs a copy that counts.
 */
#ifndef SENSOR_PACKET_DEDUP_H
#define SENSOR_PACKET_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/packet/packet.h"

/* A switch delivers both within microseconds; 5 ms are a busy one. */
#define DEDUP_WINDOW_NS  5000000
#define DEDUP_COPIES_MAX 3

enum dedup_mode {
	DEDUP_AUTO,
	DEDUP_ON,
	DEDUP_OFF,
};

struct dedup;

/* window_ns: 1 us to 1 s. NULL: out of memory. */
struct dedup *dedup_new(enum dedup_mode mode, int64_t window_ns, uint64_t seed);
void dedup_free(struct dedup *d);

/*
 * Ask the memory for the one cache line that dedup_is_copy will look at, so that the misses of a batch
 * overlap.
 */
void dedup_prefetch(struct dedup *d, const struct packet *p);
/*
 * Is this PACKET_DNS the copy of one before it? If not, it is remembered. It has a fingerprint, of the
 * same key as the others. Never true with DEDUP_OFF.
 */
bool dedup_is_copy(struct dedup *d, const struct packet *p, int64_t ts_ns);

#endif
