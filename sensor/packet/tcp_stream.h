/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_stream.h -- DNS messages out of TCP streams (RFC 1035 4.2.2, RFC 7766, RFC 9293).
 *
 * Each direction of a connection is a stream of its own, known by addresses, ports, VLAN ids and
 * VNI. A message that lies in one segment, in order, is handed on where it lies; others are put
 * together first. What the capture missed costs the messages it belonged to and nothing else:
 *
 *   hole      data ahead of it waits until the hole is filled, or until it is certain that it
 *             will not be: the receiver has acknowledged what we miss, 2 s of capture time have
 *             passed, or more waits than TCP_AHEAD_MAX pieces.
 *   loss      of a part of a message whose length is known: the next message begins where that
 *             one would have ended. Otherwise the stream is searched for a boundary, as is one
 *             whose beginning was not captured: no message before a boundary is proven
 *             (tcp_boundary.h).
 *   overlap   where segments disagree, the bytes that came first stay.
 *   junk      a stream that shows no DNS in its first 64 KiB, or fails at 3 boundaries before
 *             it showed any, is ignored until it begins anew.
 *
 * Owner:    messages are valid during the call of `take` only.
 * Threads:  one (each input has its own).  Input: untrusted.
 * Limits:   all memory is taken at the start. A full table gives up streams that have ended
 *           first, then those that have shown no DNS, the longest silent of each; a full slab takes the pieces of the
 *           stream that holds some longest. Streams silent for 60 s of capture time go. Work per
 *           segment is bounded by its length and TCP_AHEAD_MAX.
 */
#ifndef SENSOR_PACKET_TCP_STREAM_H
#define SENSOR_PACKET_TCP_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"
#include "sensor/packet/packet.h"

#define TCP_AHEAD_MAX         256 /* pieces ahead of a hole */
#define TCP_STREAMS_BYTES_MIN ((size_t)512 << 10)

struct tcp_streams;

/* A whole message, as if it had come in a packet of its own. */
struct tcp_message {
	struct packet packet; /* payload is the message; without the fields of a segment */
	int64_t ts_ns;        /* of the segment that completed it */
	uint16_t interface;
};

/* Called for each message of a stream in the order of the stream. */
typedef void tcp_streams_take(void *arg, const struct tcp_message *message);

/* About `memory_bytes` in all, at least TCP_STREAMS_BYTES_MIN. NULL when out of memory. */
struct tcp_streams *tcp_streams_new(size_t memory_bytes, uint64_t seed);
void tcp_streams_free(struct tcp_streams *streams);

/*
 * Show one segment to or from a DNS port, in the order of capture: `segment` as packet_decode left
 * it (tcp_flags set), those without payload and those cut by the snapshot length too.
 */
void tcp_streams_segment(struct tcp_streams *streams, const struct packet *segment,
	const struct frame *frame, tcp_streams_take *take, void *arg);

/* About once a second of capture time: old holes and silent streams. */
void tcp_streams_expire(
	struct tcp_streams *streams, int64_t now_ns, tcp_streams_take *take, void *arg);

/* The capture is over: no hole will be filled any more. */
void tcp_streams_flush(struct tcp_streams *streams, tcp_streams_take *take, void *arg);

/* For the summary. Streams count by direction. */
struct tcp_streams_stats {
	uint64_t used, capacity, evicted;    /* that have not ended */
	uint64_t held_bytes, held_bytes_max; /* waiting; of the slab */
	uint64_t held_evicted; /* times that a stream lost what it held to a full slab */
	uint64_t messages;
	uint64_t gaps, lost_bytes; /* holes given up, and what was in them */
	uint64_t resyncs;          /* boundaries found by searching */
	uint64_t failures; /* boundaries that were none: no message stood where one should */
	uint64_t retransmissions; /* segments without anything new */
	uint64_t overlaps;        /* segments that were new in part */
	uint64_t strays;          /* segments far outside of their stream's window */
	uint64_t junk;            /* streams given up because they are no DNS */
};
void tcp_streams_stats(const struct tcp_streams *streams, struct tcp_streams_stats *out);

#endif
