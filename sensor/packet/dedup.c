/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One cache line is a set of four packets. Of a packet there is the hash of all that copies have in
 * common (64 bits, keyed: two packets within the window that only look alike are out of reach), when
 * it came, where it came by, its TTL and how many copies it had.
 */
#include "sensor/packet/dedup.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/hash.h"

#define WAYS       4
#define SETS       4096
#define TICK_SHIFT 10 /* a tick is 1024 ns; 32 bits of them go round in 73 minutes */
#define PROOFS_MAX 1024
#define PROOFS_MIN 32 /* before this many packets could prove it, nothing is known */

struct seen {
	uint64_t hash; /* 0: empty */
	uint32_t tick;
	uint16_t path; /* hash of tags and VNI */
	uint8_t ttl;
	uint8_t copies;
};

struct seen_set {
	struct seen way[WAYS];
} __attribute__((aligned(CACHE_LINE)));

static_assert(sizeof(struct seen_set) == CACHE_LINE, "a set is one cache line");

struct dedup {
	struct seen_set set[SETS];
	enum dedup_mode mode;
	uint32_t window_ticks;
	uint64_t key[2]; /* secret: nobody can make two packets look like one */
	/* of packets with an IPv4 identification: how many, and how many of them were copies */
	unsigned proofs, copies;
};

struct dedup *dedup_new(enum dedup_mode mode, int64_t window_ns, uint64_t seed)
{
	struct dedup *d = aligned_alloc(CACHE_LINE, sizeof(*d));

	if (!d)
		return NULL;
	memset(d, 0, sizeof(*d));
	d->mode = mode;
	d->window_ticks = (uint32_t)(window_ns >> TICK_SHIFT);
	d->key[0] = hash_word(seed, 0);
	d->key[1] = hash_word(seed, 1);
	return d;
}

void dedup_free(struct dedup *d)
{
	free(d);
}

static inline uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Two chains that do not wait for each other: of one the source, of the other the destination first. */
struct chains {
	uint64_t one, two;
};

static inline void chains_add(
	struct chains *c, const uint8_t *one, const uint8_t *two, const uint64_t key[2])
{
	c->one = hash_fold(word_at(one) ^ c->one, word_at(one + 8) ^ key[1]);
	c->two = hash_fold(word_at(two) ^ c->two, word_at(two + 8) ^ key[1]);
}

/*
 * All of the payload: of two answers that differ in one octet neither is a copy. 32 bytes at a time;
 * the last 16 or 32 may overlap what was read before, since the length is hashed too: no branch
 * depends on how many they are.
 */
static inline void chains_add_payload(
	struct chains *c, const uint8_t *bytes, size_t bytes_len, const uint64_t key[2])
{
	const uint8_t *end = bytes + bytes_len;

	if (UNLIKELY(bytes_len < 16)) {
		c->two ^= hash_bytes(key[0], bytes, bytes_len);
		return;
	}
	for (; end - bytes > 32; bytes += 32)
		chains_add(c, bytes, bytes + 16, key);
	chains_add(c, end - bytes > 16 ? bytes : end - 16, end - 16, key);
}

/* Fields that stand behind each other, as one word. */
#define WORD_OF(p, field) word_at((const uint8_t *)(p) + offsetof(struct packet, field))
#define FOLLOWS(first, second, bytes)                                                          \
	static_assert(                                                                         \
		offsetof(struct packet, second) == offsetof(struct packet, first) + (bytes),   \
		#first " and " #second " are in one word")
FOLLOWS(sport, dport, 2);
FOLLOWS(sport, protocol, 4);
FOLLOWS(sport, ip_ttl, 5);
FOLLOWS(sport, ip_id, 6);
FOLLOWS(payload_len, payload_missing, 4);
FOLLOWS(tcp_seq, tcp_ack, 4);

/* Ports, protocol and identification; the TTL may differ, the flags have its place. */
static inline uint64_t ends_of(const struct packet *p)
{
	static const uint8_t all_but_ttl[8] = { 255, 255, 255, 255, 255, 0, 255, 255 };
	static const uint8_t ttl_unit[8] = { [5] = 1 };

	return (WORD_OF(p, sport) & word_at(all_but_ttl)) | p->tcp_flags * word_at(ttl_unit);
}

static inline uint64_t fingerprint(const struct packet *p, const uint64_t key[2])
{
	struct chains c = { key[0], ~key[0] };
	uint64_t rest = hash_fold(ends_of(p) ^ key[0], WORD_OF(p, payload_len) ^ key[1]);

	chains_add(&c, p->src.bytes, p->dst.bytes, key);
	chains_add_payload(&c, p->payload, p->payload_len, key);
	/* one and two by different keys: an answer is no copy of its query */
	return hash_fold(c.one ^ rest ^ WORD_OF(p, tcp_seq), c.two ^ key[1]) | 1;
}

/* By which tags it came; nearly all come by none, or by the same. */
static inline uint16_t path_of(const struct packet *p, const uint64_t key[2])
{
	static_assert(sizeof(p->vlan) == sizeof(uint64_t), "the tags are one word");

	if (p->vlan_count == 0 && p->vni == PACKET_NO_VNI)
		return 0;
	uint64_t vni = (uint64_t)p->vlan_count << 32 | p->vni;
	return (uint16_t)(hash_fold(WORD_OF(p, vlan) ^ key[0], vni ^ key[1]) >> 48);
}

static inline uint32_t distance(uint32_t a, uint32_t b)
{
	uint32_t ahead = a - b;

	return ahead < UINT32_MAX / 2 ? ahead : b - a;
}

/* Does the mirror make copies of packets that can prove it? */
static bool is_learned(const struct dedup *d)
{
	return d->proofs >= PROOFS_MIN && d->copies * 4 >= d->proofs;
}

static void learn(struct dedup *d, bool copy)
{
	d->copies += copy;
	if (++d->proofs == PROOFS_MAX) {
		d->proofs /= 2;
		d->copies /= 2;
	}
}

/* `first` is the same packet, as far as sender and receiver see it. */
static bool is_made_by_mirror(
	const struct dedup *d, const struct seen *first, const struct packet *p, uint16_t path)
{
	if (first->copies == DEDUP_COPIES_MAX)
		return false;
	int hops = (int)first->ttl - (int)p->ip_ttl;
	if (hops < -1 || hops > 1)
		return false;
	return d->mode == DEDUP_ON || p->ip_id != 0 || hops != 0 || first->path != path ||
	       is_learned(d);
}

/* The packet that this one may be a copy of; NULL nearly always, which the branches count on. */
static inline struct seen *look_up(
	const struct dedup *d, struct seen_set *set, uint64_t hash, uint32_t tick)
{
#pragma GCC unroll 4
	for (struct seen *s = set->way; s < set->way + WAYS; s++)
		if (UNLIKELY(s->hash == hash) && distance(tick, s->tick) <= d->window_ticks)
			return s;
	return NULL;
}

/* The newest comes first, the oldest falls out: no branch depends on the times. */
static inline void remember(struct seen_set *set, const struct seen *s)
{
	set->way[3] = set->way[2];
	set->way[2] = set->way[1];
	set->way[1] = set->way[0];
	set->way[0] = *s;
}

static inline struct seen_set *set_of(struct dedup *d, uint64_t hash)
{
	return &d->set[hash >> 32 & (SETS - 1)];
}

uint64_t dedup_prepare(struct dedup *d, const struct packet *p)
{
	if (d->mode == DEDUP_OFF)
		return 0;
	uint64_t hash = fingerprint(p, d->key);

	__builtin_prefetch(set_of(d, hash), 1);
	return hash;
}

bool dedup_is_copy(struct dedup *d, const struct packet *p, uint64_t hash, int64_t ts_ns)
{
	if (d->mode == DEDUP_OFF)
		return false;
	uint32_t tick = (uint32_t)((uint64_t)ts_ns >> TICK_SHIFT);
	uint16_t path = path_of(p, d->key);
	struct seen_set *set = set_of(d, hash);
	struct seen *first = look_up(d, set, hash, tick);
	bool copy = first && is_made_by_mirror(d, first, p, path);
	struct seen seen = { hash, tick, path, p->ip_ttl, 0 };

	if (p->ip_id != 0)
		learn(d, copy);
	if (copy)
		first->copies++;
	else if (first)
		*first = seen;
	else
		remember(set, &seen);
	return copy;
}
