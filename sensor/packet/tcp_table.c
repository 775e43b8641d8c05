/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/packet/tcp_state.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/hash.h"

#define SAME_ENDS_MAX 16

static size_t power_of_two_above(size_t n)
{
	size_t power = 1;
	while (power < n)
		power <<= 1;
	return power;
}

struct tcp_streams *tcp_streams_new(size_t memory_bytes, uint64_t seed)
{
	struct tcp_streams *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	if (memory_bytes < TCP_STREAMS_BYTES_MIN)
		memory_bytes = TCP_STREAMS_BYTES_MIN;
	memory_bytes -= sizeof(*s);
	s->seed = seed;
	/* A quarter for streams with two to four buckets' heads each, the rest for their bytes. */
	s->stats.capacity = memory_bytes / 4 / (sizeof(*s->stream) + 4 * sizeof(*s->chain));
	s->chain_mask = 2 * power_of_two_above(s->stats.capacity) - 1;
	s->stream = calloc(s->stats.capacity, sizeof(*s->stream));
	s->chain = calloc(s->chain_mask + 1, sizeof(*s->chain));
	TAILQ_INIT(&s->unused);
	TAILQ_INIT(&s->proven);
	TAILQ_INIT(&s->unproven);
	TAILQ_INIT(&s->closed);
	TAILQ_INIT(&s->holders);
	if (!tcp_hold_init(&s->hold, memory_bytes / 4 * 3) || !s->stream || !s->chain) {
		tcp_streams_free(s);
		return NULL;
	}
	s->stats.held_bytes_max = s->hold.capacity * sizeof(struct tcp_piece);
	return s;
}

void tcp_streams_free(struct tcp_streams *s)
{
	if (!s)
		return;
	tcp_hold_deinit(&s->hold);
	free(s->stream);
	free(s->chain);
	free(s);
}

static bool same_tags(const struct packet *a, const struct packet *b)
{
	return a->vni == b->vni && a->vlan_count == b->vlan_count &&
	       memcmp(a->vlan, b->vlan, sizeof(a->vlan)) == 0;
}

static bool same_ends(const struct packet *a, const struct packet *b)
{
	return a->sport == b->sport && a->dport == b->dport && ip_equal(&a->src, &b->src) &&
	       ip_equal(&a->dst, &b->dst);
}

/* Tags are no part of the hash, so that acknowledgements with others find their stream. */
static struct tcp_chain *chain_of(struct tcp_streams *s, const struct packet *p)
{
	uint64_t hash = ip_hash(ip_hash(s->seed, &p->src), &p->dst);
	hash = hash_word(hash, (uint64_t)p->sport << 16 | p->dport);
	return &s->chain[hash & s->chain_mask];
}

struct tcp_stream *tcp_table_find(struct tcp_streams *s, const struct packet *segment)
{
	struct tcp_stream *st = LIST_FIRST(chain_of(s, segment));
	while (st && !(same_ends(&st->packet, segment) && same_tags(&st->packet, segment)))
		st = LIST_NEXT(st, chain);
	return st;
}

struct tcp_stream *tcp_table_acknowledged(struct tcp_streams *s, const struct packet *segment)
{
	struct packet turned = { .src = segment->dst,
		.dst = segment->src,
		.sport = segment->dport,
		.dport = segment->sport };
	struct tcp_stream *other = NULL;
	size_t others = 0;

	for (struct tcp_stream *st = LIST_FIRST(chain_of(s, &turned)); st;
		st = LIST_NEXT(st, chain)) {
		if (!same_ends(&st->packet, &turned))
			continue;
		if (same_tags(&st->packet, segment))
			return st;
		other = st;
		others++;
	}
	return others == 1 ? other : NULL;
}

void tcp_table_note(struct tcp_streams *s, struct tcp_stream *st)
{
	bool holds = st->begun.first || st->ahead.first;
	if (holds && !st->holding)
		TAILQ_INSERT_TAIL(&s->holders, st, holder);
	else if (!holds && st->holding)
		TAILQ_REMOVE(&s->holders, st, holder);
	st->holding = holds;
}

void tcp_table_drop_begun(struct tcp_streams *s, struct tcp_stream *st)
{
	tcp_queue_clear(&st->begun, &s->hold);
	st->begun_len = 0;
	st->message_len = 0;
}

void tcp_table_drop(struct tcp_streams *s, struct tcp_stream *st)
{
	tcp_table_drop_begun(s, st);
	tcp_queue_clear(&st->ahead, &s->hold);
	tcp_table_note(s, st);
}

static struct tcp_ages *ages_of(struct tcp_streams *s, const struct tcp_stream *st)
{
	if (st->state == TCP_STATE_CLOSED)
		return &s->closed;
	return st->proven ? &s->proven : &s->unproven;
}

static void age_remove(struct tcp_streams *s, struct tcp_stream *st)
{
	struct tcp_ages *ages = ages_of(s, st);
	TAILQ_REMOVE(ages, st, age);
	s->unproven_count -= ages == &s->unproven;
	s->stats.used -= ages != &s->closed;
}

static void age_add(struct tcp_streams *s, struct tcp_stream *st)
{
	struct tcp_ages *ages = ages_of(s, st);
	TAILQ_INSERT_TAIL(ages, st, age);
	s->unproven_count += ages == &s->unproven;
	s->stats.used += ages != &s->closed;
}

void tcp_table_prove(struct tcp_streams *s, struct tcp_stream *st, bool proven)
{
	if (st->proven == proven)
		return;
	age_remove(s, st);
	st->proven = proven;
	age_add(s, st);
}

void tcp_table_turn(struct tcp_streams *s, struct tcp_stream *st, enum tcp_state state)
{
	age_remove(s, st);
	st->state = (uint8_t)state;
	age_add(s, st);
}

void tcp_table_touch(struct tcp_streams *s, struct tcp_stream *st)
{
	age_remove(s, st);
	age_add(s, st);
}

void tcp_table_end(struct tcp_streams *s, struct tcp_stream *st)
{
	tcp_table_drop(s, st);
	age_remove(s, st);
	LIST_REMOVE(st, chain);
	TAILQ_INSERT_HEAD(&s->unused, st, age);
}

/* Who goes when the table is full: a flood of beginnings takes at most a quarter of it. */
static struct tcp_stream *evictable(struct tcp_streams *s)
{
	if (!TAILQ_EMPTY(&s->closed))
		return TAILQ_FIRST(&s->closed);
	if (s->unproven_count > s->stats.capacity / 4 || TAILQ_EMPTY(&s->proven))
		return TAILQ_FIRST(&s->unproven);
	return TAILQ_FIRST(&s->proven);
}

static void evict(struct tcp_streams *s, struct tcp_stream *st)
{
	s->stats.evicted += st->state != TCP_STATE_CLOSED;
	tcp_table_end(s, st);
}

/* Streams that only tags tell apart share a chain: no more than a few, or it could grow long. */
static void keep_chain_short(struct tcp_streams *s, const struct packet *segment)
{
	struct tcp_stream *oldest = NULL;
	size_t count = 0;

	for (struct tcp_stream *st = LIST_FIRST(chain_of(s, segment)); st;
		st = LIST_NEXT(st, chain)) {
		if (same_ends(&st->packet, segment)) {
			oldest = st;
			count++;
		}
	}
	if (count < SAME_ENDS_MAX)
		return;
	evict(s, oldest);
}

static struct tcp_stream *take_unused(struct tcp_streams *s)
{
	struct tcp_stream *st = TAILQ_FIRST(&s->unused);
	if (!st && s->fresh < s->stats.capacity)
		return &s->stream[s->fresh++];
	if (!st) {
		st = evictable(s);
		evict(s, st);
	}
	TAILQ_REMOVE(&s->unused, st, age);
	return st;
}

struct tcp_stream *tcp_table_begin(struct tcp_streams *s, const struct packet *segment)
{
	keep_chain_short(s, segment);
	struct tcp_stream *st = take_unused(s);
	*st = (struct tcp_stream){
		.packet = {
			.src = segment->src,
			.dst = segment->dst,
			.sport = segment->sport,
			.dport = segment->dport,
			.protocol = IPPROTO_TCP,
			.vlan_count = segment->vlan_count,
			.vni = segment->vni,
		},
		.next = segment->tcp_seq,
		.seen_ns = s->now_ns,
		.state = TCP_STATE_SEARCHING,
	};
	memcpy(st->packet.vlan, segment->vlan, sizeof(segment->vlan));
	LIST_INSERT_HEAD(chain_of(s, segment), st, chain);
	age_add(s, st);
	return st;
}

/* Who gives way is who holds some longest; a message whose length it knew, it can step over. */
bool tcp_table_room(struct tcp_streams *s, const struct tcp_stream *keep, size_t bytes_len)
{
	size_t pieces = bytes_len / TCP_PIECE_BYTES + 2;
	while (tcp_hold_left(&s->hold) < pieces) {
		struct tcp_stream *victim = TAILQ_FIRST(&s->holders);
		if (victim == keep)
			victim = TAILQ_NEXT(victim, holder);
		if (!victim)
			return false;
		s->stats.held_evicted++;
		if (victim->state == TCP_STATE_FRAMED && victim->begun_len >= TCP_LENGTH_LEN)
			victim->skip = victim->message_len - victim->begun_len;
		else if (victim->state == TCP_STATE_FRAMED && victim->begun_len > 0)
			victim->state = TCP_STATE_SEARCHING;
		tcp_table_drop(s, victim);
	}
	return true;
}
