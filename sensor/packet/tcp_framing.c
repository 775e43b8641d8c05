/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "sensor/packet/tcp_state.h"

#define UNPROVEN_MAX TCP_MESSAGE_LEN_MAX /* bytes without a message, then it is junk */
#define FAILURES_MAX 3

void tcp_framing_close(struct tcp_streams *s, struct tcp_stream *st, enum tcp_state state)
{
	tcp_table_drop(s, st);
	tcp_table_turn(s, st, state);
	s->stats.junk += state == TCP_STATE_JUNK;
}

/*
 * No message where one should be. Before the stream has shown any, that speaks against the
 * boundary, later only when it happens again and again.
 */
static void boundary_failed(struct tcp_streams *s, struct tcp_stream *st)
{
	s->stats.failures++;
	st->failures++;
	if (st->proven && st->failures < FAILURES_MAX)
		return;
	tcp_table_drop_begun(s, st);
	if (!st->proven && st->failures >= FAILURES_MAX) {
		tcp_framing_close(s, st, TCP_STATE_JUNK);
		return;
	}
	if (st->proven)
		st->failures = 0;
	tcp_table_prove(s, st, false);
	st->unproven_bytes = 0;
	st->state = TCP_STATE_SEARCHING;
}

static void emit(struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t len)
{
	if (len < TCP_DNS_HEADER_LEN || !tcp_boundary_header(bytes, len)) {
		boundary_failed(s, st);
		if (!st->proven)
			return;
	} else {
		st->failures = 0;
		tcp_table_prove(s, st, true);
	}
	struct tcp_message message = {
		.packet = st->packet,
		.ts_ns = s->now_ns,
		.interface = st->interface,
	};
	message.packet.payload = bytes;
	message.packet.payload_len = (uint32_t)len;
	s->stats.messages++;
	s->take(s->take_arg, &message);
}

static void emit_begun(struct tcp_streams *s, struct tcp_stream *st)
{
	size_t len = st->begun_len;
	const uint8_t *bytes = st->begun.first->bytes;
	if (len > st->begun.first->len) {
		tcp_queue_copy(&st->begun, s->scratch, len);
		bytes = s->scratch;
	}
	emit(s, st, bytes + TCP_LENGTH_LEN, len - TCP_LENGTH_LEN);
	tcp_table_drop_begun(s, st);
}

static size_t length_at(const uint8_t *bytes)
{
	return TCP_LENGTH_LEN + (size_t)(bytes[0] << 8 | bytes[1]);
}

/* How far the message that has begun is wanted next: its length, its header, its end. */
static size_t begun_goal(const struct tcp_stream *st)
{
	if (st->begun_len < TCP_LENGTH_LEN)
		return TCP_LENGTH_LEN;
	if (st->begun_len < TCP_JUDGE_LEN && st->message_len > TCP_JUDGE_LEN)
		return TCP_JUDGE_LEN;
	return st->message_len;
}

/* Add to the message that has begun; returns how many bytes were used. */
static size_t begun_add(
	struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t bytes_len)
{
	size_t part = begun_goal(st) - st->begun_len;
	if (part > bytes_len)
		part = bytes_len;
	if (!tcp_table_room(s, st, part) && st->begun_len < TCP_LENGTH_LEN) {
		st->state = TCP_STATE_SEARCHING;
		tcp_table_drop_begun(s, st);
		return part;
	}
	size_t done = tcp_queue_append(&st->begun, &s->hold, bytes, part);
	if (done < part) {
		st->skip = (uint32_t)(st->message_len - st->begun_len - done);
		tcp_table_drop_begun(s, st);
		return done;
	}
	st->begun_len += (uint32_t)part;
	if (st->begun_len == TCP_LENGTH_LEN)
		st->message_len = (uint32_t)length_at(st->begun.first->bytes);
	if (st->begun_len == TCP_JUDGE_LEN && !st->proven &&
		!tcp_boundary_header(st->begun.first->bytes + TCP_LENGTH_LEN,
			st->message_len - TCP_LENGTH_LEN))
		boundary_failed(s, st);
	else if (st->begun_len == st->message_len && st->begun_len >= TCP_LENGTH_LEN)
		emit_begun(s, st);
	return part;
}

/* At a known boundary, or in a message: use some bytes, at least one; returns how many. */
static size_t framed(
	struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t bytes_len)
{
	if (UNLIKELY(st->skip > 0)) {
		size_t part = st->skip < bytes_len ? st->skip : bytes_len;
		st->skip -= (uint32_t)part;
		return part;
	}
	if (st->begun_len > 0 || bytes_len < TCP_LENGTH_LEN || length_at(bytes) > bytes_len)
		return begun_add(s, st, bytes, bytes_len);
	size_t message_len = length_at(bytes);
	emit(s, st, bytes + TCP_LENGTH_LEN, message_len - TCP_LENGTH_LEN);
	return message_len;
}

static void found(struct tcp_streams *s, struct tcp_stream *st)
{
	tcp_table_drop_begun(s, st);
	tcp_table_prove(s, st, true);
	st->state = TCP_STATE_FRAMED;
	st->skip = 0;
	st->failures = 0;
	s->stats.resyncs++;
}

/* A short segment (a length sent alone, say) may be the beginning of what this one goes on with. */
static bool found_before(
	struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t bytes_len)
{
	size_t kept = st->begun_len;
	if (kept == 0 || kept + bytes_len > TCP_SCRATCH_BYTES)
		return false;
	tcp_queue_copy(&st->begun, s->scratch, kept);
	memcpy(s->scratch + kept, bytes, bytes_len);
	return tcp_boundary_proven(s->scratch, kept + bytes_len, TCP_PLACE_START);
}

static size_t deliver_some(
	struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t bytes_len);

/* Look for a boundary; returns how many bytes are done with. */
static size_t search(
	struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t bytes_len)
{
	if (found_before(s, st, bytes, bytes_len)) {
		size_t kept = st->begun_len;
		found(s, st);
		/* From a boundary on nothing in scratch is needed twice: begun is empty. */
		for (size_t at = 0; at < kept + bytes_len;)
			at += deliver_some(s, st, s->scratch + at, kept + bytes_len - at);
		return bytes_len;
	}
	tcp_table_drop_begun(s, st);
	for (size_t at = 0; at + TCP_JUDGE_LEN <= bytes_len; at++)
		if (tcp_boundary_proven(bytes + at, bytes_len - at,
			    at == 0 ? TCP_PLACE_START : TCP_PLACE_INSIDE)) {
			found(s, st);
			return at;
		}
	if (bytes_len < TCP_JUDGE_LEN && tcp_table_room(s, st, bytes_len)) {
		tcp_queue_append(&st->begun, &s->hold, bytes, bytes_len);
		st->begun_len = (uint32_t)bytes_len;
	}
	return bytes_len;
}

static size_t deliver_some(
	struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t bytes_len)
{
	if (LIKELY(st->state == TCP_STATE_FRAMED))
		return framed(s, st, bytes, bytes_len);
	if (st->state == TCP_STATE_SEARCHING)
		return search(s, st, bytes, bytes_len);
	return bytes_len;
}

void tcp_framing_deliver(
	struct tcp_streams *s, struct tcp_stream *st, const uint8_t *bytes, size_t len)
{
	st->next += (uint32_t)len;
	if (st->has_acked && tcp_seq_diff(st->acked, st->next) <= 0)
		st->has_acked = false;
	if (!st->proven)
		st->unproven_bytes += (uint32_t)len;
	while (len > 0) {
		size_t done = deliver_some(s, st, bytes, len);
		bytes += done;
		len -= done;
	}
	bool expected = st->state == TCP_STATE_FRAMED || st->state == TCP_STATE_SEARCHING;
	if (expected && !st->proven && st->unproven_bytes > UNPROVEN_MAX)
		tcp_framing_close(s, st, TCP_STATE_JUNK);
}

void tcp_framing_lose(struct tcp_streams *s, struct tcp_stream *st, uint32_t lost)
{
	uint32_t rest = st->skip; /* of the message that the hole begins in */
	if (st->begun_len >= TCP_LENGTH_LEN && st->state == TCP_STATE_FRAMED)
		rest = st->message_len - st->begun_len;
	tcp_table_drop_begun(s, st);
	st->skip = 0;
	if (st->state == TCP_STATE_FRAMED && lost <= rest)
		st->skip = rest - lost;
	else if (st->state == TCP_STATE_FRAMED)
		st->state = TCP_STATE_SEARCHING;
	st->next += lost;
	s->stats.gaps++;
	s->stats.lost_bytes += lost;
}
