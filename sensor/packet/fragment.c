/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/packet/fragment.h"

#include <stdlib.h>

#include "sensor/base/hash.h"

#define DATAGRAM_MAX    65535
#define UNIT_BYTES      8
#define BLOCK_BYTES     1024
#define BLOCK_UNITS     (BLOCK_BYTES / UNIT_BYTES)
#define WORD_UNITS      64
#define WORD_BYTES      (WORD_UNITS * UNIT_BYTES)
#define BLOCK_WORDS     (BLOCK_UNITS / WORD_UNITS)
#define DATAGRAM_BLOCKS ((DATAGRAM_MAX + BLOCK_BYTES) / BLOCK_BYTES)
#define BLOCKS_MAX      65535 /* their numbers are 16 bits, and 0 is none */

struct block {
	uint64_t there[BLOCK_WORDS]; /* a bit for each unit */
	uint8_t bytes[BLOCK_BYTES];
};

/* Compared and hashed as bytes: no padding. */
struct key {
	struct ip src, dst;
	uint32_t id, vni;
	uint16_t vlan[PACKET_VLANS_MAX];
	uint8_t vlan_count, version, protocol, zero;
};
_Static_assert(sizeof(struct key) == 32 + 8 + 2 * PACKET_VLANS_MAX + 4, "padding");

struct datagram {
	struct key key;
	uint32_t next;         /* in its chain, or the next free one */
	uint32_t older, newer; /* in the order of their first fragments */
	uint32_t frames;       /* held */
	uint32_t units;        /* there */
	uint32_t high;         /* end of the highest fragment */
	uint32_t end;          /* of the last fragment; 0: it is not there */
	int64_t first_ns;
	uint8_t protocol, ip_ttl; /* of the first fragment */
	bool dropped;             /* remembered only to drop what still comes of it */
	uint16_t block[DATAGRAM_BLOCKS];
};

/* Numbers of datagrams start at 1; 0 is none. */
struct fragments {
	struct datagram *datagram;
	struct block *block;
	uint32_t *chain; /* by hash */
	uint32_t chain_mask;
	uint32_t capacity, used;
	uint32_t free_datagram, free_block;
	uint32_t oldest, newest;
	uint64_t seed, evicted;
	struct decoder_settled settled;
	uint8_t *whole[2]; /* the last two that were completed */
	unsigned turn;
};

/* --- datagrams and blocks ------------------------------------------------------------------- */

/* The free list of blocks runs through their bits. */
static void block_release(struct fragments *s, uint16_t number)
{
	s->block[number].there[0] = s->free_block;
	s->free_block = number;
}

static void blocks_release(struct fragments *s, struct datagram *d)
{
	uint32_t count = (d->high + BLOCK_BYTES - 1) / BLOCK_BYTES;

	for (uint32_t i = 0; i < count; i++) {
		if (d->block[i] != 0)
			block_release(s, d->block[i]);
		d->block[i] = 0;
	}
}

static uint32_t *chain_of(struct fragments *s, const struct key *key)
{
	return &s->chain[hash_key(s->seed, key, sizeof(*key)) & s->chain_mask];
}

static void datagram_remove(struct fragments *s, uint32_t number)
{
	struct datagram *d = &s->datagram[number];
	uint32_t *at = chain_of(s, &d->key);

	blocks_release(s, d);
	while (*at != number)
		at = &s->datagram[*at].next;
	*at = d->next;
	if (d->older != 0)
		s->datagram[d->older].newer = d->newer;
	else
		s->oldest = d->newer;
	if (d->newer != 0)
		s->datagram[d->newer].older = d->older;
	else
		s->newest = d->older;
	d->next = s->free_datagram;
	s->free_datagram = number;
	s->used--;
}

static void datagram_evict(struct fragments *s, uint32_t number)
{
	s->settled.evicted += s->datagram[number].frames;
	s->evicted++;
	datagram_remove(s, number);
}

static void datagram_give_up(struct fragments *s, uint32_t number)
{
	s->settled.incomplete += s->datagram[number].frames;
	datagram_remove(s, number);
}

/* A first fragment far in the future is from before a clock, or a capture, went back. */
static bool is_too_old(const struct datagram *d, int64_t now_ns)
{
	return d->first_ns < now_ns - FRAGMENT_AGE_NS || d->first_ns > now_ns + FRAGMENT_AGE_NS;
}

static uint32_t datagram_new(
	struct fragments *s, const struct key *key, uint32_t *chain, int64_t now_ns)
{
	if (s->free_datagram == 0)
		datagram_evict(s, s->oldest);
	uint32_t number = s->free_datagram;
	struct datagram *d = &s->datagram[number];

	s->free_datagram = d->next;
	*d = (struct datagram){
		.key = *key, .next = *chain, .older = s->newest, .first_ns = now_ns
	};
	*chain = number;
	if (s->newest != 0)
		s->datagram[s->newest].newer = number;
	else
		s->oldest = number;
	s->newest = number;
	s->used++;
	return number;
}

static uint32_t datagram_find(struct fragments *s, const struct key *key, int64_t now_ns)
{
	uint32_t *chain = chain_of(s, key);
	uint32_t number = *chain;

	while (number != 0 && memcmp(&s->datagram[number].key, key, sizeof(*key)) != 0)
		number = s->datagram[number].next;
	if (number != 0 && is_too_old(&s->datagram[number], now_ns)) {
		datagram_give_up(s, number);
		number = 0;
	}
	return number != 0 ? number : datagram_new(s, key, chain, now_ns);
}

/* There are more blocks than one datagram needs, so somebody else has one to give. */
static uint16_t block_new(struct fragments *s, uint32_t owner)
{
	while (s->free_block == 0)
		datagram_evict(s, s->oldest != owner ? s->oldest : s->datagram[owner].newer);
	uint16_t number = (uint16_t)s->free_block;
	struct block *b = &s->block[number];

	s->free_block = (uint32_t)b->there[0];
	memset(b->there, 0, sizeof(b->there));
	return number;
}

/* --- bytes ---------------------------------------------------------------------------------- */

/* One fragment's bytes, and where they go. */
struct piece {
	const uint8_t *bytes;
	uint32_t offset, len;
};

/* So much of a piece as one word has the bits of. */
struct stretch {
	uint32_t at, len;               /* in the piece */
	uint32_t block, in_block, word; /* where it goes */
	uint64_t units;                 /* bits of that word */
};

static uint32_t count_units(uint32_t len)
{
	return (len + UNIT_BYTES - 1) / UNIT_BYTES;
}

/* The one that begins at this place of the piece. */
static struct stretch stretch_at(const struct piece *p, uint32_t at)
{
	uint32_t offset = p->offset + at, left = p->len - at;
	uint32_t most = WORD_BYTES - offset % WORD_BYTES;
	struct stretch t = {
		.at = at,
		.len = left < most ? left : most,
		.block = offset / BLOCK_BYTES,
		.in_block = offset % BLOCK_BYTES,
		.word = offset % BLOCK_BYTES / WORD_BYTES,
	};

	t.units = UINT64_MAX >> (WORD_UNITS - count_units(t.len))
					<< offset / UNIT_BYTES % WORD_UNITS;
	return t;
}

/* Of these units the lowest one: where it is in the stretch, and how long. */
static uint32_t first_unit(const struct stretch *t, uint64_t units, uint32_t *len)
{
	uint32_t unit = (uint32_t)__builtin_ctzll(units) - (uint32_t)__builtin_ctzll(t->units);
	uint32_t at = unit * UNIT_BYTES;

	*len = t->len - at < UNIT_BYTES ? t->len - at : UNIT_BYTES;
	return at;
}

/* What of a piece is there already. */
struct overlap {
	uint32_t units;
	bool differs;
};

static struct overlap overlap_find(
	const struct fragments *s, const struct datagram *d, const struct piece *p)
{
	struct overlap found = { 0 };
	struct stretch t;

	for (uint32_t at = 0; at < p->len; at += t.len) {
		t = stretch_at(p, at);
		const struct block *b = &s->block[d->block[t.block]];
		uint64_t there = d->block[t.block] ? b->there[t.word] & t.units : 0;
		for (; there; there &= there - 1) {
			uint32_t len, unit = first_unit(&t, there, &len);
			found.units++;
			found.differs |= memcmp(b->bytes + t.in_block + unit,
						 p->bytes + at + unit, len) != 0;
		}
	}
	return found;
}

/* Nearly always nothing of it is there, and it is written at once. */
static void stretch_write(struct block *b, const struct stretch *t, const uint8_t *bytes)
{
	uint64_t missing = t->units & ~b->there[t->word];

	b->there[t->word] |= missing;
	if (missing == t->units) {
		memcpy(b->bytes + t->in_block, bytes, t->len);
		return;
	}
	for (; missing; missing &= missing - 1) {
		uint32_t len, unit = first_unit(t, missing, &len);
		memcpy(b->bytes + t->in_block + unit, bytes + unit, len);
	}
}

/* Write what is not there. */
static void piece_write(struct fragments *s, uint32_t number, const struct piece *p)
{
	struct datagram *d = &s->datagram[number];
	struct stretch t;

	for (uint32_t at = 0; at < p->len; at += t.len) {
		t = stretch_at(p, at);
		uint16_t *block = &d->block[t.block];
		if (*block == 0)
			*block = block_new(s, number);
		stretch_write(&s->block[*block], &t, p->bytes + at);
	}
}

static bool is_complete(const struct datagram *d)
{
	return d->end != 0 && d->units == count_units(d->end);
}

/* Two buffers take turns: a datagram inside a datagram is read from one and written to the other. */
static struct cursor datagram_join(struct fragments *s, const struct datagram *d)
{
	uint8_t *whole = s->whole[s->turn ^= 1];

	for (uint32_t at = 0; at < d->end; at += BLOCK_BYTES) {
		uint32_t left = d->end - at;
		memcpy(whole + at, s->block[d->block[at / BLOCK_BYTES]].bytes,
			left < BLOCK_BYTES ? left : BLOCK_BYTES);
	}
	return cursor_init(whole, d->end);
}

/* --- fragments ------------------------------------------------------------------------------ */

static struct key key_of(const struct packet *out, const struct fragment *f)
{
	struct key key = {
		.src = out->src,
		.dst = out->dst,
		.id = f->id,
		.vni = out->vni,
		.vlan_count = out->vlan_count,
		.version = f->version,
		/* RFC 8200 4.5: only the first fragment's next header counts */
		.protocol = f->version == 4 ? f->protocol : 0,
	};
	memcpy(key.vlan, out->vlan, sizeof(key.vlan));
	return key;
}

/* In itself: only the last may have a length that is no multiple of 8 (RFC 791 3.2). */
static bool is_possible(const struct fragment *f, size_t len)
{
	if (len == 0 || (f->more && len % UNIT_BYTES != 0))
		return false;
	return f->offset + len <= DATAGRAM_MAX;
}

/* Together with what is there: there is one end, and nothing is beyond it. */
static bool is_consistent(const struct datagram *d, const struct fragment *f, uint32_t end)
{
	if (d->end != 0)
		return f->more ? end <= d->end : end == d->end;
	return f->more || end >= d->high;
}

/* RFC 5722 4: nothing of it is used, and nothing that still comes. */
static enum packet_result datagram_drop(
	struct fragments *s, struct datagram *d, struct packet *out)
{
	blocks_release(s, d);
	out->held += d->frames;
	d->frames = 0;
	d->dropped = true;
	return PACKET_REJECT_FRAGMENT_OVERLAP;
}

/* Put the piece where it belongs; PACKET_HELD when all of it was new. */
static enum packet_result piece_take(struct fragments *s, uint32_t number,
	const struct piece *p, struct packet *out, const struct fragment *f)
{
	struct datagram *d = &s->datagram[number];
	uint32_t end = p->offset + p->len;

	if (d->dropped)
		return PACKET_REJECT_FRAGMENT_OVERLAP;
	if (!is_consistent(d, f, end))
		return PACKET_REJECT_FRAGMENT_MALFORMED;
	struct overlap overlap = overlap_find(s, d, p);
	if (overlap.units == count_units(p->len) && !overlap.differs &&
		(f->more || d->end != 0))
		return PACKET_REJECT_DUPLICATE;
	if (overlap.units > 0 && f->version == 6)
		return datagram_drop(s, d, out);
	if (end > d->high)
		d->high = end;
	if (!f->more)
		d->end = end;
	if (f->offset == 0 && overlap.units == 0) {
		d->protocol = f->protocol;
		d->ip_ttl = out->ip_ttl;
	}
	piece_write(s, number, p);
	d->units += count_units(p->len) - overlap.units;
	return overlap.units > 0 ? PACKET_REJECT_FRAGMENT_OVERLAP : PACKET_HELD;
}

enum packet_result fragment_take(
	struct packet *out, struct cursor *c, struct layer *layer, struct fragment *f)
{
	struct fragments *s = layer->decoder->fragments;
	size_t len = cursor_left(c);

	if (layer->missing > 0)
		return PACKET_REJECT_SNAPLEN;
	if (!is_possible(f, len))
		return PACKET_REJECT_FRAGMENT_MALFORMED;
	struct key key = key_of(out, f);
	uint32_t number = datagram_find(s, &key, layer->ts_ns);
	struct datagram *d = &s->datagram[number];
	struct piece piece = { c->pos, f->offset, (uint32_t)len };

	enum packet_result result = piece_take(s, number, &piece, out, f);
	if (!is_complete(d)) {
		if (result != PACKET_HELD)
			return result;
		d->frames += 1 + out->held;
		out->held = 0;
		return result;
	}
	*c = datagram_join(s, d);
	f->protocol = d->protocol;
	out->ip_ttl = d->ip_ttl;
	out->held += d->frames;
	datagram_remove(s, number);
	return PACKET_OTHER;
}

/* --- all of them ---------------------------------------------------------------------------- */

void fragments_expire(struct fragments *s, int64_t now_ns)
{
	while (s->oldest != 0 && is_too_old(&s->datagram[s->oldest], now_ns))
		datagram_give_up(s, s->oldest);
}

void fragments_flush(struct fragments *s)
{
	while (s->oldest != 0)
		datagram_give_up(s, s->oldest);
}

struct decoder_settled fragments_settled(struct fragments *s)
{
	struct decoder_settled settled = s->settled;

	s->settled = (struct decoder_settled){ 0 };
	return settled;
}

struct decoder_stats fragments_stats(const struct fragments *s)
{
	return (struct decoder_stats){ s->used, s->capacity, s->evicted };
}

/* As many datagrams as blocks: what is worth keeping has one block at least. */
static uint32_t capacity_of(size_t memory_bytes)
{
	size_t each = sizeof(struct datagram) + sizeof(struct block) + 2 * sizeof(uint32_t);
	size_t whole = 2 * (DATAGRAM_MAX + 1) + sizeof(struct fragments);

	if (memory_bytes < FRAGMENTS_BYTES_MIN)
		memory_bytes = FRAGMENTS_BYTES_MIN;
	size_t capacity = (memory_bytes - whole) / each;
	return capacity < BLOCKS_MAX ? (uint32_t)capacity : BLOCKS_MAX;
}

static void lists_init(struct fragments *s)
{
	for (uint32_t i = s->capacity; i > 0; i--) {
		s->datagram[i].next = s->free_datagram;
		s->free_datagram = i;
		block_release(s, (uint16_t)i);
	}
}

struct fragments *fragments_new(size_t memory_bytes, uint64_t seed)
{
	struct fragments *s = calloc(1, sizeof(*s));
	uint32_t chains = 1;

	if (!s)
		return NULL;
	s->capacity = capacity_of(memory_bytes);
	while (chains < s->capacity)
		chains *= 2;
	s->chain_mask = chains - 1;
	s->seed = seed;
	s->datagram = calloc(s->capacity + 1, sizeof(*s->datagram));
	s->block = calloc(s->capacity + 1, sizeof(*s->block));
	s->chain = calloc(chains, sizeof(*s->chain));
	s->whole[0] = malloc(DATAGRAM_MAX);
	s->whole[1] = malloc(DATAGRAM_MAX);
	if (!s->datagram || !s->block || !s->chain || !s->whole[0] || !s->whole[1]) {
		fragments_free(s);
		return NULL;
	}
	lists_init(s);
	return s;
}

void fragments_free(struct fragments *s)
{
	if (!s)
		return;
	free(s->datagram);
	free(s->block);
	free(s->chain);
	free(s->whole[0]);
	free(s->whole[1]);
	free(s);
}
