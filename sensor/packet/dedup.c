/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One cache line is a set of four packets. Of a packet there is the hash of all that copies have in
 * common (64 bits, keyed: two packets within the window that only look alike are out of reach), when
 * it came, where it came by, its TTL and how many copies it had.
 */
#include "sensor/packet/dedup.h"

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

_Static_assert(sizeof(struct seen_set) == CACHE_LINE, "a set is one cache line");

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

/*
 * All of the payload: of two answers that differ in one octet neither is a copy. Two independent
 * chains of 16 bytes; the last 16 may overlap what was read before, since the length is hashed too.
 */
static inline uint64_t hash_payload(
	const uint8_t *bytes, size_t bytes_len, const uint64_t key[2])
{
	uint64_t one = key[0], two = ~key[0];
	size_t left = bytes_len;

	if (UNLIKELY(bytes_len < 16))
		return hash_bytes(key[0], bytes, bytes_len);
	for (; left > 32; left -= 32, bytes += 32) {
		one = hash_fold(word_at(bytes) ^ one, word_at(bytes + 8) ^ key[1]);
		two = hash_fold(word_at(bytes + 16) ^ two, word_at(bytes + 24) ^ key[1]);
	}
	if (left > 16)
		one = hash_fold(word_at(bytes) ^ one, word_at(bytes + 8) ^ key[1]);
	bytes += (ptrdiff_t)left - 16;
	two = hash_fold(word_at(bytes) ^ two, word_at(bytes + 8) ^ key[1]);
	return one ^ two;
}

static inline uint64_t hash_address(const struct ip *ip, const uint64_t key[2])
{
	return hash_fold(word_at(ip->bytes) ^ key[0], word_at(ip->bytes + 8) ^ key[1]);
}

static inline uint64_t fingerprint(const struct packet *p, const uint64_t key[2])
{
	uint64_t ports = (uint64_t)p->sport << 48 | (uint64_t)p->dport << 32 |
			 (uint64_t)p->ip_id << 16 | (uint64_t)p->protocol << 8 | p->tcp_flags;
	uint64_t lens = (uint64_t)p->payload_len << 32 | p->payload_missing;
	uint64_t stream = (uint64_t)p->tcp_seq << 32 | p->tcp_ack;
	uint64_t src = hash_address(&p->src, key);
	uint64_t dst = hash_address(&p->dst, key);
	uint64_t rest = hash_fold(ports ^ key[0], lens ^ key[1]) ^ stream;
	uint64_t payload = hash_payload(p->payload, p->payload_len, key);

	/* src and dst in different places: an answer is no copy of its query */
	return hash_fold(hash_fold(src ^ key[1], dst ^ key[0]) ^ rest, payload ^ key[0]) | 1;
}

static inline uint16_t path_of(const struct packet *p, const uint64_t key[2])
{
	uint64_t tags;

	_Static_assert(sizeof(p->vlan) == sizeof(tags), "the tags are one word");
	memcpy(&tags, p->vlan, sizeof(tags));
	uint64_t vni = (uint64_t)p->vlan_count << 32 | p->vni;
	return (uint16_t)(hash_fold(tags ^ key[0], vni ^ key[1]) >> 48);
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
