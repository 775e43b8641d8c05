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
#include "sensor/base/prefetch.h"

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
	uint64_t key; /* secret: nobody can choose tags that look like others */
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
	d->key = hash_word(seed, 0);
	return d;
}

void dedup_free(struct dedup *d)
{
	free(d);
}

/* By which tags it came; nearly all come by none, or by the same. */
static inline uint16_t path_of(const struct packet *p, uint64_t key)
{
	static_assert(sizeof(p->vlan) == sizeof(uint64_t), "the tags are one word");
	uint64_t tags;

	if (LIKELY(p->vlan_count == 0 && p->vni == PACKET_NO_VNI))
		return 0;
	memcpy(&tags, p->vlan, sizeof(tags));
	return (uint16_t)(hash_fold(tags ^ key,
				  ((uint64_t)p->vlan_count << 32 | p->vni) ^ ~key) >>
			  48);
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

/* Packets without an identification teach nothing; no branch depends on whether one has it. */
static inline void learn(struct dedup *d, uint16_t ip_id, bool copy)
{
	d->proofs += ip_id != 0;
	d->copies += copy && ip_id != 0;
	if (UNLIKELY(d->proofs == PROOFS_MAX)) {
		d->proofs /= 2;
		d->copies /= 2;
	}
}

/* `again` is the same packet as `first`, as far as sender and receiver see it. */
static bool is_made_by_mirror(const struct dedup *d, const struct seen *first,
	const struct seen *again, uint16_t ip_id)
{
	if (first->copies == DEDUP_COPIES_MAX)
		return false;
	int hops = (int)first->ttl - (int)again->ttl;
	if (hops < -1 || hops > 1)
		return false;
	return d->mode == DEDUP_ON || ip_id != 0 || hops != 0 || first->path != again->path ||
	       is_learned(d);
}

/* The packet that this one may be a copy of; NULL nearly always, which the branches count on. */
static inline struct seen *look_up(
	const struct dedup *d, struct seen_set *set, const struct seen *again)
{
#pragma GCC unroll 4
	for (struct seen *s = set->way; s < set->way + WAYS; s++)
		if (UNLIKELY(s->hash == again->hash) &&
			distance(again->tick, s->tick) <= d->window_ticks)
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

void dedup_prefetch(struct dedup *d, const struct packet *p)
{
	prefetch_write(set_of(d, p->fingerprint));
}

/* `first` is the same as what was seen again. */
static COLD bool is_again(
	struct dedup *d, struct seen *first, const struct seen *again, uint16_t ip_id)
{
	bool copy = is_made_by_mirror(d, first, again, ip_id);

	learn(d, ip_id, copy);
	if (copy)
		first->copies++;
	else
		*first = *again;
	return copy;
}

bool dedup_is_copy(struct dedup *d, const struct packet *p, int64_t ts_ns)
{
	if (UNLIKELY(d->mode == DEDUP_OFF))
		return false;
	struct seen_set *set = set_of(d, p->fingerprint);
	const struct seen seen = {
		.hash = p->fingerprint,
		.tick = (uint32_t)((uint64_t)ts_ns >> TICK_SHIFT),
		.path = path_of(p, d->key),
		.ttl = p->ip_ttl,
	};
	struct seen *first = look_up(d, set, &seen);

	if (UNLIKELY(first))
		return is_again(d, first, &seen, p->ip_id);
	learn(d, p->ip_id, false);
	remember(set, &seen);
	return false;
}
