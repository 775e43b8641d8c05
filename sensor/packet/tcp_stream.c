/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/packet/tcp_stream.h"

#include "sensor/base/clock.h"
#include "sensor/packet/tcp_state.h"

#define IDLE_NS (60 * NS_PER_S)
#define HOLE_NS (2 * NS_PER_S)
#define WINDOW  (1 << 20) /* a segment further away belongs to another connection */

/* Capture time may jump, and a damaged capture may claim any: never overflow. */
static int64_t elapsed_ns(const struct tcp_streams *s, int64_t since_ns)
{
	int64_t elapsed;
	return __builtin_sub_overflow(s->now_ns, since_ns, &elapsed) ? INT64_MAX : elapsed;
}

/* Is the hole before what waits certain to stay? */
static bool hole_is_lost(const struct tcp_streams *s, const struct tcp_stream *st)
{
	return s->over || st->ahead.count > TCP_AHEAD_MAX ||
	       elapsed_ns(s, st->hole_ns) > HOLE_NS ||
	       (st->has_acked && tcp_seq_diff(st->acked, st->ahead.first->seq) >= 0);
}

/* Deliver what waited and now follows. */
static void drain(struct tcp_streams *s, struct tcp_stream *st)
{
	while (st->ahead.first) {
		int32_t hole = tcp_seq_diff(st->ahead.first->seq, st->next);
		if (hole > 0) {
			if (!hole_is_lost(s, st))
				return;
			tcp_framing_lose(s, st, (uint32_t)hole);
			continue;
		}
		struct tcp_piece *piece = tcp_queue_pop(&st->ahead);
		tcp_framing_deliver(s, st, piece->bytes, piece->len);
		tcp_hold_put(&s->hold, piece);
		st->hole_ns = s->now_ns; /* a hole behind this piece is another one */
	}
}

static void data_ahead(struct tcp_streams *s, struct tcp_stream *st, uint32_t seq,
	const uint8_t *bytes, size_t bytes_len)
{
	if (!st->ahead.first)
		st->hole_ns = s->now_ns;
	size_t known = tcp_queue_insert(&st->ahead, &s->hold, seq, bytes, bytes_len);
	if (known == bytes_len)
		s->stats.retransmissions++;
	else if (known > 0)
		s->stats.overlaps++;
	drain(s, st);
}

/* No room for more: what waits goes on over its hole. */
static void make_room(struct tcp_streams *s, struct tcp_stream *st, size_t bytes_len)
{
	while (!tcp_table_room(s, st, bytes_len) && st->ahead.first) {
		tcp_framing_lose(s, st, (uint32_t)tcp_seq_diff(st->ahead.first->seq, st->next));
		drain(s, st);
	}
}

/* Payload at `seq`, which is in the stream's window. */
static void data(struct tcp_streams *s, struct tcp_stream *st, uint32_t seq,
	const uint8_t *bytes, size_t bytes_len)
{
	if (UNLIKELY(tcp_seq_diff(seq, st->next) > 0 || st->ahead.first))
		make_room(s, st, bytes_len);
	int32_t ahead = tcp_seq_diff(seq, st->next);
	if (ahead < 0) {
		uint32_t old = st->next - seq;
		if (old >= bytes_len) {
			s->stats.retransmissions++;
			return;
		}
		s->stats.overlaps++;
		bytes += old;
		bytes_len -= old;
		seq = st->next;
		ahead = 0;
	}
	if (LIKELY(ahead == 0 && !st->ahead.first))
		tcp_framing_deliver(s, st, bytes, bytes_len);
	else
		data_ahead(s, st, seq, bytes, bytes_len);
}

static void stream_restart(
	struct tcp_streams *s, struct tcp_stream *st, uint32_t next, enum tcp_state state)
{
	tcp_table_drop(s, st);
	tcp_table_prove(s, st, false);
	tcp_table_turn(s, st, state);
	st->next = next;
	st->skip = 0;
	st->unproven_bytes = 0;
	st->failures = 0;
	st->has_acked = st->has_fin = st->has_stray = st->first_pending = false;
}

/*
 * A SYN begins a stream. In the middle of one it is believed only when data follow that fit it:
 * otherwise a forged one could break what it does not belong to.
 */
static void take_syn(struct tcp_streams *s, struct tcp_stream *st, uint32_t first, bool is_new)
{
	if (!is_new && st->has_first && st->first == first)
		return; /* sent again */
	bool ended = st->state == TCP_STATE_CLOSED || st->state == TCP_STATE_JUNK ||
		     elapsed_ns(s, st->seen_ns) > HOLE_NS;
	st->first = first;
	st->has_first = true;
	st->first_pending = true;
	if (is_new || ended)
		stream_restart(s, st, first, TCP_STATE_FRAMED);
}

/* Does a segment fit the stream, after it has begun anew if need be? */
static bool fits(struct tcp_streams *s, struct tcp_stream *st, uint32_t seq, uint32_t end)
{
	int32_t ahead = tcp_seq_diff(seq, st->next);

	if (st->first_pending && seq == st->first && ahead != 0) {
		stream_restart(s, st, seq, TCP_STATE_FRAMED);
		return true;
	}
	bool near = ahead > -WINDOW && ahead < WINDOW;
	if (near && !(st->state == TCP_STATE_CLOSED && ahead >= 0)) {
		st->has_stray = false;
		return true;
	}
	bool follows = st->has_stray && st->stray == seq;
	if (near || follows || st->state == TCP_STATE_CLOSED ||
		elapsed_ns(s, st->seen_ns) > HOLE_NS) {
		stream_restart(s, st, seq, TCP_STATE_SEARCHING);
		return true;
	}
	s->stats.strays++;
	st->stray = end;
	st->has_stray = true;
	return false;
}

static void take_payload(
	struct tcp_streams *s, struct tcp_stream *st, const struct packet *segment)
{
	uint32_t seq = segment->tcp_seq + !!(segment->tcp_flags & PACKET_TCP_SYN);
	uint32_t missing = segment->tcp_len - segment->payload_len;

	if (!fits(s, st, seq, seq + segment->tcp_len))
		return;
	if (segment->payload_len > 0)
		data(s, st, seq, segment->payload, segment->payload_len);
	/* What the snapshot length cut off will not come another time either. */
	if (missing > 0 && !st->ahead.first && st->next == seq + segment->payload_len)
		tcp_framing_lose(s, st, missing);
}

static void take_end(struct tcp_streams *s, struct tcp_stream *st, const struct packet *segment)
{
	uint32_t end =
		segment->tcp_seq + !!(segment->tcp_flags & PACKET_TCP_SYN) + segment->tcp_len;
	int32_t ahead = tcp_seq_diff(end, st->next);

	if (ahead >= WINDOW || ahead <= -WINDOW || st->state == TCP_STATE_CLOSED)
		return;
	if (segment->tcp_flags & PACKET_TCP_RST) {
		tcp_framing_close(s, st, TCP_STATE_CLOSED);
	} else if (segment->tcp_flags & PACKET_TCP_FIN) {
		st->fin = end;
		st->has_fin = true;
	}
	if (st->has_fin && st->fin == st->next && st->state != TCP_STATE_CLOSED) {
		st->next++;
		tcp_framing_close(s, st, TCP_STATE_CLOSED);
	}
}

/* The receiver has everything before `ack`: what of it we do not have we will not get. */
static void take_acknowledgement(struct tcp_streams *s, const struct packet *segment)
{
	struct tcp_stream *st = tcp_table_acknowledged(s, segment);
	if (!st)
		return;
	int32_t ahead = tcp_seq_diff(segment->tcp_ack, st->next);
	if (ahead <= 0 || ahead >= WINDOW)
		return;
	if (!st->has_acked || tcp_seq_diff(segment->tcp_ack, st->acked) > 0)
		st->acked = segment->tcp_ack;
	st->has_acked = true;
	drain(s, st);
	tcp_table_note(s, st);
}

void tcp_streams_segment(struct tcp_streams *s, const struct packet *segment,
	const struct frame *frame, tcp_streams_take *take, void *arg)
{
	bool syn = segment->tcp_flags & PACKET_TCP_SYN;

	s->take = take;
	s->take_arg = arg;
	s->now_ns = frame->ts_ns;
	if (segment->tcp_flags & PACKET_TCP_ACK)
		take_acknowledgement(s, segment);

	struct tcp_stream *st = tcp_table_find(s, segment);
	bool is_new = !st;
	if (is_new && !syn && segment->tcp_len == 0)
		return;
	if (is_new)
		st = tcp_table_begin(s, segment);
	else
		tcp_table_touch(s, st);
	st->packet.ip_ttl = segment->ip_ttl;
	st->interface = frame->interface;
	if (syn)
		take_syn(s, st, segment->tcp_seq + 1, is_new);
	if (segment->tcp_len > 0)
		take_payload(s, st, segment);
	take_end(s, st, segment);
	st->seen_ns = s->now_ns;
	tcp_table_note(s, st);
}

static void expire_silent(struct tcp_streams *s, struct tcp_ages *ages)
{
	for (struct tcp_stream *st; (st = TAILQ_FIRST(ages));) {
		int64_t idle_ns = elapsed_ns(s, st->seen_ns);
		if (idle_ns <= IDLE_NS && idle_ns >= -IDLE_NS)
			return;
		tcp_table_end(s, st);
	}
}

/* Draining may need room that the next stream in the list has to give: then start again. */
static void drain_holders(struct tcp_streams *s)
{
	struct tcp_stream *next;
	for (struct tcp_stream *st = TAILQ_FIRST(&s->holders); st; st = next) {
		next = TAILQ_NEXT(st, holder);
		drain(s, st);
		tcp_table_note(s, st);
		if (next && !next->holding)
			next = TAILQ_FIRST(&s->holders);
	}
}

void tcp_streams_expire(
	struct tcp_streams *s, int64_t now_ns, tcp_streams_take *take, void *arg)
{
	s->take = take;
	s->take_arg = arg;
	s->now_ns = now_ns;
	drain_holders(s);
	expire_silent(s, &s->proven);
	expire_silent(s, &s->unproven);
	expire_silent(s, &s->closed);
}

void tcp_streams_flush(struct tcp_streams *s, tcp_streams_take *take, void *arg)
{
	s->take = take;
	s->take_arg = arg;
	s->over = true;
	drain_holders(s);
	s->over = false;
}

void tcp_streams_stats(const struct tcp_streams *s, struct tcp_streams_stats *out)
{
	*out = s->stats;
	out->held_bytes = s->hold.used * sizeof(struct tcp_piece);
}
