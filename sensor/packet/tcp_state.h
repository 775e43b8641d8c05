/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_state.h -- the state of streams and how tcp_stream.c, tcp_framing.c and tcp_table.c share
 * it; not for other files.
 *
 *   tcp_stream.c   segments: finds their stream, brings their bytes into order
 *   tcp_framing.c  bytes in order: cuts them into messages, looks for boundaries
 *   tcp_table.c    the table of streams and who gives way when it or the slab is full
 *
 * Invariant: everything before `next` was delivered or given up, `ahead` begins behind `next`.
 * FRAMED: `next` is begun_len bytes into a message, or `skip` bytes before a boundary.
 * SEARCHING: `begun` may keep one short segment. JUNK: ignored. CLOSED: kept only so that what
 * is sent again is known.
 */
#ifndef SENSOR_PACKET_TCP_STATE_H
#define SENSOR_PACKET_TCP_STATE_H

#include <sys/queue.h>

#include "sensor/packet/tcp_boundary.h"
#include "sensor/packet/tcp_hold.h"
#include "sensor/packet/tcp_stream.h"

#define TCP_MESSAGE_LEN_MAX (TCP_LENGTH_LEN + 65535)
#define TCP_SCRATCH_BYTES   (TCP_MESSAGE_LEN_MAX + TCP_JUDGE_LEN)

enum tcp_state {
	TCP_STATE_FRAMED,
	TCP_STATE_SEARCHING,
	TCP_STATE_JUNK,
	TCP_STATE_CLOSED,
};

struct tcp_stream {
	LIST_ENTRY(tcp_stream) chain;
	TAILQ_ENTRY(tcp_stream) age;    /* in streams.proven, .unproven or .closed */
	TAILQ_ENTRY(tcp_stream) holder; /* while `holding` */
	struct packet packet;           /* addresses and tags; payload is not kept */
	int64_t seen_ns;                /* last segment */
	int64_t hole_ns;                /* since when `ahead` waits */
	struct tcp_queue begun; /* the first begun_len bytes of a message, length included */
	struct tcp_queue ahead; /* behind a hole */
	uint32_t begun_len, message_len; /* the latter with its length, once that is known */
	uint32_t next;                   /* sequence number of the byte wanted */
	uint32_t skip;                   /* bytes of a lost message that are still to come */
	uint32_t unproven_bytes;         /* seen without a message */
	uint32_t first;                  /* sequence number after the SYN */
	uint32_t acked, fin, stray;      /* valid when has_... */
	uint16_t interface;
	uint8_t state, failures;
	bool holding, proven, has_first, has_acked, has_fin, has_stray;
	bool first_pending; /* `first` is of a SYN that did not fit: the next connection's? */
};

LIST_HEAD(tcp_chain, tcp_stream);
TAILQ_HEAD(tcp_ages, tcp_stream);

struct tcp_streams {
	struct tcp_chain *chain;
	size_t chain_mask;
	struct tcp_stream *stream;
	size_t fresh; /* index of the first never used */
	struct tcp_ages unused, proven, unproven, closed, holders;
	size_t unproven_count;
	struct tcp_hold hold;
	uint64_t seed;
	struct tcp_streams_stats stats;
	/* of the call under way */
	tcp_streams_take *take;
	void *take_arg;
	int64_t now_ns;
	bool over; /* no hole will be filled any more */
	uint8_t scratch[TCP_SCRATCH_BYTES];
};

/* --- tcp_table.c --- */

struct tcp_stream *tcp_table_find(struct tcp_streams *s, const struct packet *segment);

/* The stream that a segment acknowledges: with the same tags, or the only one with others. */
struct tcp_stream *tcp_table_acknowledged(struct tcp_streams *s, const struct packet *segment);

/* A new stream, empty; when the table is full another ends for it. */
struct tcp_stream *tcp_table_begin(struct tcp_streams *s, const struct packet *segment);
void tcp_table_end(struct tcp_streams *s, struct tcp_stream *st);

/* A segment came: of all streams this one is silent for the shortest time. */
void tcp_table_touch(struct tcp_streams *s, struct tcp_stream *st);

/* A stream that has shown DNS goes after those that have not. */
void tcp_table_prove(struct tcp_streams *s, struct tcp_stream *st, bool proven);

/* The only way into CLOSED and out of it: a closed stream goes before all others. */
void tcp_table_turn(struct tcp_streams *s, struct tcp_stream *st, enum tcp_state state);

/* Room in the slab for so many bytes, if need be of another stream's; false: there is none. */
NODISCARD bool tcp_table_room(
	struct tcp_streams *s, const struct tcp_stream *keep, size_t bytes_len);

/* To be called when `begun` or `ahead` of a stream may have got its first or lost its last piece. */
void tcp_table_note(struct tcp_streams *s, struct tcp_stream *st);

/* Give back what a stream holds of a message; everything it holds. */
void tcp_table_drop_begun(struct tcp_streams *s, struct tcp_stream *st);
void tcp_table_drop(struct tcp_streams *s, struct tcp_stream *st);

/* --- tcp_framing.c --- */

/* The next bytes of the stream: messages are handed on, `next` moves. */
void tcp_framing_deliver(
	struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t bytes_len);

/* The next `lost` bytes of the stream will never come. */
void tcp_framing_lose(struct tcp_streams *s, struct tcp_stream *st, uint32_t lost);

/* JUNK or CLOSED: nothing more is expected. */
void tcp_framing_close(struct tcp_streams *s, struct tcp_stream *st, enum tcp_state state);

#endif
