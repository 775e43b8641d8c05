/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/table.h"

#include "sensor/base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * One mapping of address space holds the most buckets that memory allows and behind them the most
 * entries; the entry of way w of bucket b is number 8b + w. Only the first bucket_count of them are
 * in use. When a bucket is full and there is room for more, their number doubles in place, so that
 * a table of few entries lies close together in memory, whatever its cap. From then on a full bucket
 * evicts.
 *
 * The high half of a hash is the tag, and multiplied by the number of buckets also chooses the
 * bucket, so bucket b becomes 2b and 2b + 1, and tags alone say which entry goes where. 0 marks a
 * free way. What a tag cannot tell apart the key does.
 */

#define WAYS          8u
#define ENTRIES_MIN   64u
#define BUCKETS_FIRST 64u /* at most; the cap halved until it is not more */

struct bucket {
	uint32_t tag[WAYS];
	uint8_t used;   /* bit per way: touched since the hand came by */
	uint8_t pinned; /* bit per way */
	uint8_t hand;
	uint8_t unused[CACHE_LINE - WAYS * 4 - 3];
};
static_assert(sizeof(struct bucket) == CACHE_LINE, "a bucket is one cache line");

struct table {
	struct bucket *bucket;
	uint8_t *entry;
	size_t bucket_count, bucket_max;
	size_t entry_bytes, key_bytes;
	size_t map_bytes;
	uint64_t seed;
	void (*evicted)(void *entry, void *arg);
	void *evicted_arg;
	struct table_stats stats;
};

static size_t buckets_within(size_t entry_bytes, size_t memory_bytes)
{
	size_t count = memory_bytes / (sizeof(struct bucket) + WAYS * entry_bytes);

	if (count < ENTRIES_MIN / WAYS)
		return ENTRIES_MIN / WAYS;
	/* What 32 bits of hash can tell apart. */
	if (count > UINT32_MAX)
		count = UINT32_MAX;
	/* A small number doubled again and again, so that the table can begin with it. */
	size_t unit = 1;
	while (count / unit > BUCKETS_FIRST)
		unit *= 2;
	return count / unit * unit;
}

struct table *table_new(const char *name, size_t entry_bytes, size_t key_bytes,
	size_t memory_bytes, uint64_t seed)
{
	assert(key_bytes <= entry_bytes);
	struct table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->entry_bytes = (entry_bytes + 7) & ~(size_t)7;
	t->key_bytes = key_bytes;
	t->seed = hash_word(seed, key_bytes);
	t->bucket_max = buckets_within(t->entry_bytes, memory_bytes);
	t->bucket_count = t->bucket_max;
	while (t->bucket_count > BUCKETS_FIRST && t->bucket_count % 2 == 0)
		t->bucket_count /= 2;
	t->stats = (struct table_stats){ .name = name, .capacity = t->bucket_max * WAYS };

	size_t buckets_bytes = t->bucket_max * sizeof(struct bucket);
	t->map_bytes = buckets_bytes + t->stats.capacity * t->entry_bytes;
	void *map = mmap(NULL, t->map_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED) {
		free(t);
		return NULL;
	}
	(void)madvise(map, t->map_bytes, MADV_HUGEPAGE);
	t->bucket = map;
	t->entry = (uint8_t *)map + buckets_bytes;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	munmap(t->bucket, t->map_bytes);
	free(t);
}

uint64_t table_hash(const struct table *t, const void *key)
{
	return hash_bytes(t->seed, key, t->key_bytes);
}

static uint32_t tag_of(uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32);
	return tag ? tag : 1;
}

static size_t bucket_index(const struct table *t, uint32_t tag)
{
	return (size_t)((uint64_t)tag * t->bucket_count >> 32);
}

static struct bucket *bucket_of(const struct table *t, uint64_t hash)
{
	return &t->bucket[bucket_index(t, tag_of(hash))];
}

static void *entry_at(const struct table *t, const struct bucket *b, unsigned way)
{
	size_t number = (size_t)(b - t->bucket) * WAYS + way;
	return t->entry + number * t->entry_bytes;
}

/*
 * The ways with this tag, one bit each. Every message asks this several times: eight comparisons
 * at once where every processor of the kind can (x86-64), one by one elsewhere.
 */
static inline unsigned ways_with(const struct bucket *b, uint32_t tag)
{
#ifdef __SSE2__
	const __m128i *tags = (const __m128i *)b->tag;
	__m128i wanted = _mm_set1_epi32((int)tag);
	__m128i low = _mm_cmpeq_epi32(_mm_load_si128(tags), wanted);
	__m128i high = _mm_cmpeq_epi32(_mm_load_si128(tags + 1), wanted);
	__m128i ways = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());
	return (unsigned)_mm_movemask_epi8(ways);
#else
	unsigned ways = 0;

	for (unsigned way = 0; way < WAYS; way++)
		ways |= (unsigned)(b->tag[way] == tag) << way;
	return ways;
#endif
}

void table_prefetch(const struct table *t, uint64_t hash, enum table_line line)
{
	const struct bucket *b = bucket_of(t, hash);

	if (line == TABLE_BUCKET) {
		__builtin_prefetch(b, 1);
		return;
	}
	unsigned ways = ways_with(b, tag_of(hash));
	if (!ways)
		ways = ways_with(b, 0);
	unsigned way = ways ? (unsigned)__builtin_ctz(ways) : b->hand;
	__builtin_prefetch(entry_at(t, b, way), 1);
}

void *table_find(struct table *t, uint64_t hash, const void *key)
{
	struct bucket *b = bucket_of(t, hash);

	for (unsigned ways = ways_with(b, tag_of(hash)); ways; ways &= ways - 1) {
		unsigned way = (unsigned)__builtin_ctz(ways);
		void *entry = entry_at(t, b, way);
		if (LIKELY(memcmp(entry, key, t->key_bytes) == 0)) {
			b->used |= (uint8_t)(1u << way);
			return entry;
		}
	}
	return NULL;
}

void *table_next(const struct table *t, uint64_t hash, unsigned *way)
{
	const struct bucket *b = bucket_of(t, hash);
	unsigned ways = ways_with(b, tag_of(hash)) >> *way;

	if (!ways)
		return NULL;
	*way += (unsigned)__builtin_ctz(ways) + 1;
	return entry_at(t, b, *way - 1);
}

/* Turn the hand to the way that has to go. Twice round: the first time takes the marks away. */
static unsigned choose_victim(struct bucket *b)
{
	for (unsigned step = 0; step < 2 * WAYS; step++) {
		unsigned way = b->hand;
		unsigned bit = 1u << way;
		b->hand = (uint8_t)((way + 1) % WAYS);
		if (b->pinned & bit)
			continue;
		if (!(b->used & bit))
			return way;
		b->used &= (uint8_t)~bit;
	}
	unsigned way = b->hand;
	b->hand = (uint8_t)((way + 1) % WAYS);
	return way;
}

/* Put a copy of one way into the next free way of another bucket. */
static void move_way(struct table *t, const struct bucket *from, const struct bucket *b,
	unsigned way, struct bucket *to)
{
	unsigned place = (unsigned)__builtin_ctz(ways_with(to, 0));
	void *target = entry_at(t, to, place);
	const void *source = entry_at(t, from, way);

	to->tag[place] = b->tag[way];
	to->used |= (uint8_t)((b->used >> way & 1) << place);
	to->pinned |= (uint8_t)((b->pinned >> way & 1) << place);
	if (target != source)
		memmove(target, source, t->entry_bytes);
}

/*
 * Twice as many buckets. From the last one down, each parts into two at twice its place, which the
 * ones after it have left by then. Bucket 0 parts into itself and the next one: its ways only move
 * down, so none is overwritten before it was moved.
 */
static void grow(struct table *t)
{
	t->bucket_count *= 2;
	for (size_t i = t->bucket_count / 2; i-- > 0;) {
		struct bucket *from = &t->bucket[i], old = *from;
		t->bucket[2 * i] = t->bucket[2 * i + 1] = (struct bucket){ .hand = 0 };
		if (i > 0)
			*from = (struct bucket){ .hand = 0 };
		for (unsigned way = 0; way < WAYS; way++)
			if (old.tag[way])
				move_way(t, from, &old, way,
					&t->bucket[bucket_index(t, old.tag[way])]);
	}
}

/* A way for a new entry of this hash: a free one, of more buckets if need be, or a victim's. */
static unsigned free_way(struct table *t, uint64_t hash, struct bucket **b)
{
	unsigned free_ways;

	*b = bucket_of(t, hash);
	while (!(free_ways = ways_with(*b, 0)) && t->bucket_count < t->bucket_max) {
		grow(t);
		*b = bucket_of(t, hash);
	}
	if (free_ways) {
		t->stats.used++;
		return (unsigned)__builtin_ctz(free_ways);
	}
	unsigned way = choose_victim(*b);
	t->stats.evicted++;
	if (t->evicted)
		t->evicted(entry_at(t, *b, way), t->evicted_arg);
	return way;
}

void *table_add(struct table *t, uint64_t hash, const void *key, bool *is_new)
{
	void *entry = table_find(t, hash, key);

	*is_new = !entry;
	if (entry)
		return entry;
	struct bucket *b;
	unsigned way = free_way(t, hash, &b);
	uint8_t bit = (uint8_t)(1u << way);
	b->tag[way] = tag_of(hash);
	b->used &= (uint8_t)~bit;
	b->pinned &= (uint8_t)~bit;
	entry = entry_at(t, b, way);
	memcpy(entry, key, t->key_bytes);
	memset((uint8_t *)entry + t->key_bytes, 0, t->entry_bytes - t->key_bytes);
	return entry;
}

/* Where an entry is: its bucket, and the way as a bit. */
static struct bucket *locate(const struct table *t, const void *entry, unsigned *way)
{
	size_t number = (size_t)((const uint8_t *)entry - t->entry) / t->entry_bytes;

	assert(number < t->stats.capacity);
	*way = (unsigned)(number % WAYS);
	return &t->bucket[number / WAYS];
}

void table_remove(struct table *t, void *entry)
{
	unsigned way;
	struct bucket *b = locate(t, entry, &way);
	uint8_t bit = (uint8_t)(1u << way);

	if (b->tag[way] == 0)
		return;
	b->tag[way] = 0;
	b->used &= (uint8_t)~bit;
	b->pinned &= (uint8_t)~bit;
	t->stats.used--;
}

void table_pin(struct table *t, void *entry, bool pinned)
{
	unsigned way;
	struct bucket *b = locate(t, entry, &way);

	if (pinned)
		b->pinned |= (uint8_t)(1u << way);
	else
		b->pinned &= (uint8_t) ~(1u << way);
}

static void visit_bucket(const struct table *t, const struct bucket *b,
	void (*visit)(void *entry, void *arg), void *arg)
{
	for (unsigned way = 0; way < WAYS; way++) {
		if (b->tag[way])
			visit(entry_at(t, b, way), arg);
	}
}

void table_each(struct table *t, void (*visit)(void *entry, void *arg), void *arg)
{
	for (size_t i = 0; i < t->bucket_count; i++)
		visit_bucket(t, &t->bucket[i], visit, arg);
}

void table_sweep(struct table *t, size_t *from, size_t bucket_count,
	void (*visit)(void *entry, void *arg), void *arg)
{
	if (bucket_count > t->bucket_count)
		bucket_count = t->bucket_count;
	for (; bucket_count > 0; bucket_count--) {
		if (*from >= t->bucket_count)
			*from = 0;
		visit_bucket(t, &t->bucket[(*from)++], visit, arg);
	}
}

size_t table_bucket_count(const struct table *t)
{
	return t->bucket_count;
}

void table_on_evict(struct table *t, void (*evicted)(void *entry, void *arg), void *arg)
{
	t->evicted = evicted;
	t->evicted_arg = arg;
}

struct table_stats table_stats(const struct table *t)
{
	return t->stats;
}
