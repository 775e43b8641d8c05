/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_hold.h -- bytes of streams that have to wait, in pieces from one slab.
 *
 * A queue is either filled at its end (the beginning of a message) or kept in order of sequence
 * numbers without overlaps (data ahead of a hole). Pieces hold up to TCP_PIECE_BYTES, so what a
 * stream keeps grows with what came and not with what was announced.
 *
 * Owner:    a queue's pieces go back with tcp_queue_clear; the slab is one allocation.
 * Threads:  one.  Input: untrusted.  Limits: `memory_bytes` at init, nothing later.
 */
#ifndef SENSOR_PACKET_TCP_HOLD_H
#define SENSOR_PACKET_TCP_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

#define TCP_PIECE_BYTES 2032

struct tcp_piece {
	struct tcp_piece *next;
	uint32_t seq; /* of the first byte */
	uint32_t len;
	uint8_t bytes[TCP_PIECE_BYTES];
};

struct tcp_hold {
	struct tcp_piece *piece;    /* the slab */
	struct tcp_piece *returned; /* used before and free now */
	size_t fresh;               /* index of the first never used */
	size_t capacity, used;      /* in pieces */
};

/* Zero-initialised is empty. */
struct tcp_queue {
	struct tcp_piece *first, *last;
	size_t count; /* pieces */
};

/* Sequence numbers are compared modulo 2^32 (RFC 9293 3.4). */
static inline int32_t tcp_seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline size_t tcp_hold_left(const struct tcp_hold *hold)
{
	return hold->capacity - hold->used;
}

NODISCARD bool tcp_hold_init(struct tcp_hold *hold, size_t memory_bytes);
void tcp_hold_deinit(struct tcp_hold *hold);

/* Put bytes at the end; returns how many found room. */
size_t tcp_queue_append(
	struct tcp_queue *queue, struct tcp_hold *hold, const uint8_t *bytes, size_t bytes_len);

/*
 * Put bytes where their sequence number says. Where there are bytes already, those stay: the
 * first data win. Returns how many bytes were there before; stops early when the slab is empty.
 */
size_t tcp_queue_insert(struct tcp_queue *queue, struct tcp_hold *hold, uint32_t seq,
	const uint8_t *bytes, size_t bytes_len);

/* Take the first piece off; the caller gives it back with tcp_hold_put. NULL when empty. */
struct tcp_piece *tcp_queue_pop(struct tcp_queue *queue);
void tcp_hold_put(struct tcp_hold *hold, struct tcp_piece *piece);

/* Copy up to `out_len` of the bytes from the first on; returns how many. */
size_t tcp_queue_copy(const struct tcp_queue *queue, uint8_t *out, size_t out_len);

/* Give all pieces back. */
void tcp_queue_clear(struct tcp_queue *queue, struct tcp_hold *hold);

#endif
