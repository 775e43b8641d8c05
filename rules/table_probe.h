/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_probe.h -- the insides of a table, and look-ups for what every message asks: where entry and
 * key have sizes that the compiler knows, comparing keys is a few words and finding an entry's place
 * a shift. For table.c and for those few who ask that often; all others take table.h.
 *
 * A look-up takes 25 instructions so, and 60 through table.c (callgrind, replay --threads 1 of the
 * benchmark mix).
 *
 * A bucket holds the tags of eight ways and where their entries are: an entry stays in its place,
 * which is the one left last, or the first that was never used. So the entries of a table lie close
 * together whatever the keys, those that come and go soon use the same few lines again, and more
 * buckets means that only the buckets are written anew. When a bucket is full and there is room for
 * more, their number doubles in place. From then on a full bucket evicts.
 *
 * One mapping of address space holds the most buckets and entries that memory allows; memory is used
 * as far as they are.
 *
 * The high half of a hash is the tag, and multiplied by the number of buckets also chooses the
 * bucket, so bucket b becomes 2b and 2b + 1, and tags alone say which entry goes where. 0 marks a
 * free way. What a tag cannot tell apart the key does.
 *
 * Threads: one, as in table.h.
 */
#ifndef RULES_TABLE_PROBE_H
#define RULES_TABLE_PROBE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rules/table.h"
#include "rules/tags.h"
#include "sensor/base/attribute.h"
#include "sensor/base/prefetch.h"

#define TABLE_WAYS TAGS_COUNT

/* What is known of a way in use: the number of its entry, and two marks. */
#define TABLE_USED        (UINT32_C(1) << 31) /* touched since the hand came by */
#define TABLE_PINNED      (UINT32_C(1) << 30)
#define TABLE_NUMBER      (TABLE_PINNED - 1)
#define TABLE_NUMBER_NONE UINT32_MAX

struct table_bucket {
	uint32_t tag[TABLE_WAYS];
	uint32_t place[TABLE_WAYS];
};
static_assert(sizeof(struct table_bucket) == CACHE_LINE, "a bucket is one cache line");

struct table {
	struct table_bucket *bucket;
	size_t bucket_count, bucket_max;
	uint8_t *entry;
	size_t entry_bytes, key_bytes;
	/* Per entry: its tag; of a free one the number of the next free one. */
	uint32_t *tag;
	uint32_t free_first, fresh; /* numbers: of a free one; from here on never used */
	uint8_t *hand;              /* per bucket: a way */
	uint64_t seed;
	void (*evicted)(void *entry, void *arg);
	void *evicted_arg;
	struct table_stats stats;
	size_t map_bytes;
};

static inline size_t table_bucket_index(const struct table *t, uint32_t tag)
{
	return (size_t)((uint64_t)tag * t->bucket_count >> 32);
}

static inline struct table_bucket *table_bucket_of(const struct table *t, uint64_t hash)
{
	return &t->bucket[table_bucket_index(t, tag_of(hash))];
}

static inline void *table_entry_at(
	const struct table *t, const struct table_bucket *b, unsigned way, size_t entry_bytes)
{
	return t->entry + (size_t)(b->place[way] & TABLE_NUMBER) * entry_bytes;
}

/* The ways with this tag, one bit each. */
static inline unsigned table_ways_with(const struct table_bucket *b, uint32_t tag)
{
	return tags_equal(b->tag, tag);
}

static inline unsigned table_ways_used(const struct table_bucket *b)
{
	return ~table_ways_with(b, 0) & ((1u << TABLE_WAYS) - 1);
}

/*
 * The ways that may hold a hash, from the first one on:
 *
 *	for (struct table_probe p = table_probe(t, hash); p.ways; p.ways &= p.ways - 1) {
 *		struct x *e = table_probe_entry(t, &p, sizeof(*e));
 *		if (it is the one)
 *			table_probe_touch(&p), ...
 *	}
 *
 * A way may be freed on the way (table_probe_drop); nothing may be added.
 */
struct table_probe {
	struct table_bucket *bucket;
	unsigned ways;
};

static inline struct table_probe table_probe(const struct table *t, uint64_t hash)
{
	struct table_bucket *b = table_bucket_of(t, hash);
	return (struct table_probe){ b, table_ways_with(b, tag_of(hash)) };
}

static inline unsigned table_probe_way(const struct table_probe *p)
{
	return (unsigned)__builtin_ctz(p->ways);
}

static inline void *table_probe_entry(
	const struct table *t, const struct table_probe *p, size_t entry_bytes)
{
	return table_entry_at(t, p->bucket, table_probe_way(p), entry_bytes);
}

/* table_prefetch, one line each. */
static inline void table_prefetch_bucket(const struct table *t, uint64_t hash)
{
	prefetch_write(table_bucket_of(t, hash));
}

static inline void table_prefetch_entry(const struct table *t, uint64_t hash)
{
	struct table_probe p = table_probe(t, hash);

	if (p.ways)
		prefetch_write(table_probe_entry(t, &p, t->entry_bytes));
}

/* An entry that will be written anew: both its ends, since it may lie in two lines. */
static inline void table_prefetch_ends(const struct table *t, const uint8_t *entry)
{
	prefetch_write(entry);
	prefetch_write(entry + t->entry_bytes - 1);
}

/*
 * table_prefetch_entry for a table that often gets new entries: where the hash is not there and the table can
 * have no more buckets, the entry is asked for that will have to go, as far as one can tell without turning
 * the hand (a few ns a packet of a million clients).
 */
static inline void table_prefetch_place(const struct table *t, uint64_t hash)
{
	struct table_probe p = table_probe(t, hash);
	unsigned way;

	if (LIKELY(p.ways)) {
		prefetch_write(table_probe_entry(t, &p, t->entry_bytes));
		return;
	}
	if (t->bucket_count < t->bucket_max)
		return;
	way = t->hand[p.bucket - t->bucket];
	if (p.bucket->place[way] & (TABLE_USED | TABLE_PINNED))
		way = (way + 1) % TABLE_WAYS;
	table_prefetch_ends(t, table_entry_at(t, p.bucket, way, t->entry_bytes));
}

static inline void table_probe_touch(const struct table_probe *p)
{
	p->bucket->place[table_probe_way(p)] |= TABLE_USED;
}

/* What table_remove does, for a way that is in use. */
static inline void table_drop(struct table *t, struct table_bucket *b, unsigned way)
{
	uint32_t number = b->place[way] & TABLE_NUMBER;

	b->tag[way] = 0;
	t->tag[number] = t->free_first;
	t->free_first = number;
	t->stats.used--;
}

static inline void table_probe_drop(struct table *t, const struct table_probe *p)
{
	table_drop(t, p->bucket, table_probe_way(p));
}

/* Are the keys the same? By words, as long as there are any: for sizes that are known. */
static inline bool table_same_key(const void *a, const void *b, size_t key_bytes)
{
	const uint8_t *l = a, *r = b;
	uint64_t differs = 0;

#pragma GCC unroll 4
	for (; key_bytes >= 8; key_bytes -= 8, l += 8, r += 8) {
		uint64_t left, right;

		memcpy(&left, l, 8);
		memcpy(&right, r, 8);
		differs |= left ^ right;
	}
	return differs == 0 && (key_bytes == 0 || memcmp(l, r, key_bytes) == 0);
}

/* table_find; both sizes are the table's. */
static inline void *table_find_sized(
	struct table *t, uint64_t hash, const void *key, size_t entry_bytes, size_t key_bytes)
{
	for (struct table_probe p = table_probe(t, hash); p.ways; p.ways &= p.ways - 1) {
		void *entry = table_probe_entry(t, &p, entry_bytes);
		if (LIKELY(table_same_key(entry, key, key_bytes))) {
			table_probe_touch(&p);
			return entry;
		}
	}
	return NULL;
}

/* The rest of table_take for a bucket without a free way: more buckets, or somebody's place. */
void *table_take_full(struct table *t, uint64_t hash);

/*
 * Places that were never used are taken one behind the other, and no cache has them: the one that comes so
 * many later is asked for now (2 ns a packet of the mix, 6 with a million clients).
 */
#define TABLE_AHEAD 16u

static inline void table_prefetch_fresh(const struct table *t)
{
	table_prefetch_ends(t, t->entry + (size_t)(t->fresh + TABLE_AHEAD) * t->entry_bytes);
}

/* The place that was left last is the one that is still in the cache. */
static inline uint32_t table_take_number(struct table *t)
{
	uint32_t number = t->free_first;

	if (number == TABLE_NUMBER_NONE) {
		table_prefetch_fresh(t);
		return t->fresh++;
	}
	t->free_first = t->tag[number];
	return number;
}

/* A place for a new entry of this hash, which is not there yet. The caller writes all of it. */
static inline void *table_take_sized(struct table *t, uint64_t hash, size_t entry_bytes)
{
	struct table_bucket *b = table_bucket_of(t, hash);
	unsigned free_ways = table_ways_with(b, 0);

	if (UNLIKELY(!free_ways))
		return table_take_full(t, hash);
	unsigned way = (unsigned)__builtin_ctz(free_ways);
	uint32_t number = table_take_number(t);
	b->tag[way] = t->tag[number] = tag_of(hash);
	b->place[way] = number;
	t->stats.used++;
	return table_entry_at(t, b, way, entry_bytes);
}

/* table_add; both sizes are the table's. */
static inline void *table_add_sized(struct table *t, uint64_t hash, const void *key,
	bool *is_new, size_t entry_bytes, size_t key_bytes)
{
	void *entry = table_find_sized(t, hash, key, entry_bytes, key_bytes);

	*is_new = !entry;
	if (entry)
		return entry;
	entry = table_take_sized(t, hash, entry_bytes);
	memcpy(entry, key, key_bytes);
	memset((uint8_t *)entry + key_bytes, 0, entry_bytes - key_bytes);
	return entry;
}

#endif
