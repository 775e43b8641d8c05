/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/packet/tcp_hold.h"

#include <stdlib.h>
#include <string.h>

bool tcp_hold_init(struct tcp_hold *hold, size_t memory_bytes)
{
	*hold = (struct tcp_hold){ .capacity = memory_bytes / sizeof(struct tcp_piece) };
	hold->piece = calloc(hold->capacity, sizeof(*hold->piece));
	return hold->piece && hold->capacity > 0;
}

void tcp_hold_deinit(struct tcp_hold *hold)
{
	free(hold->piece);
	*hold = (struct tcp_hold){ 0 };
}

static struct tcp_piece *hold_get(struct tcp_hold *hold)
{
	struct tcp_piece *piece = hold->returned;
	if (piece)
		hold->returned = piece->next;
	else if (hold->fresh < hold->capacity)
		piece = &hold->piece[hold->fresh++];
	else
		return NULL;
	hold->used++;
	piece->next = NULL;
	piece->len = 0;
	return piece;
}

void tcp_hold_put(struct tcp_hold *hold, struct tcp_piece *piece)
{
	piece->next = hold->returned;
	hold->returned = piece;
	hold->used--;
}

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Put a new piece behind `before` (NULL: first). NULL when the slab is empty. */
static struct tcp_piece *queue_link(
	struct tcp_queue *queue, struct tcp_hold *hold, struct tcp_piece *before)
{
	struct tcp_piece *piece = hold_get(hold);
	if (!piece)
		return NULL;
	struct tcp_piece **at = before ? &before->next : &queue->first;
	piece->next = *at;
	*at = piece;
	if (!piece->next)
		queue->last = piece;
	queue->count++;
	return piece;
}

static void piece_fill(struct tcp_piece *piece, const uint8_t *bytes, size_t bytes_len)
{
	memcpy(piece->bytes + piece->len, bytes, bytes_len);
	piece->len += (uint32_t)bytes_len;
}

size_t tcp_queue_append(
	struct tcp_queue *queue, struct tcp_hold *hold, const uint8_t *bytes, size_t bytes_len)
{
	size_t done = 0;
	while (done < bytes_len) {
		struct tcp_piece *piece = queue->last;
		if (!piece || piece->len == TCP_PIECE_BYTES)
			piece = queue_link(queue, hold, queue->last);
		if (!piece)
			break;
		size_t part = lesser(bytes_len - done, TCP_PIECE_BYTES - piece->len);
		piece_fill(piece, bytes + done, part);
		done += part;
	}
	return done;
}

static uint32_t piece_end(const struct tcp_piece *piece)
{
	return piece->seq + piece->len;
}

size_t tcp_queue_insert(struct tcp_queue *queue, struct tcp_hold *hold, uint32_t seq,
	const uint8_t *bytes, size_t bytes_len)
{
	struct tcp_piece *before = NULL; /* the last piece that ends at or before seq */
	size_t known = 0;

	if (queue->last && tcp_seq_diff(seq, piece_end(queue->last)) >= 0)
		before = queue->last;
	while (bytes_len > 0) {
		struct tcp_piece *after = before ? before->next : queue->first;
		if (after && tcp_seq_diff(seq, piece_end(after)) >= 0) {
			before = after;
			continue;
		}
		size_t part = lesser(bytes_len, TCP_PIECE_BYTES);
		if (after && tcp_seq_diff(after->seq, seq) <= 0) {
			part = lesser(bytes_len, piece_end(after) - seq);
			known += part;
		} else {
			if (after)
				part = lesser(part, after->seq - seq);
			before = queue_link(queue, hold, before);
			if (!before)
				break;
			before->seq = seq;
			piece_fill(before, bytes, part);
		}
		seq += (uint32_t)part;
		bytes += part;
		bytes_len -= part;
	}
	return known;
}

struct tcp_piece *tcp_queue_pop(struct tcp_queue *queue)
{
	struct tcp_piece *piece = queue->first;
	if (!piece)
		return NULL;
	queue->first = piece->next;
	if (!queue->first)
		queue->last = NULL;
	queue->count--;
	return piece;
}

size_t tcp_queue_copy(const struct tcp_queue *queue, uint8_t *out, size_t out_len)
{
	size_t done = 0;
	for (const struct tcp_piece *p = queue->first; p && done < out_len; p = p->next) {
		size_t part = lesser(p->len, out_len - done);
		memcpy(out + done, p->bytes, part);
		done += part;
	}
	return done;
}

void tcp_queue_clear(struct tcp_queue *queue, struct tcp_hold *hold)
{
	for (struct tcp_piece *piece; (piece = tcp_queue_pop(queue));)
		tcp_hold_put(hold, piece);
}
