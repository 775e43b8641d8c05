/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/table.h"

#include "rules/table_probe.h"
#include "sensor/base/hash.h"
#include "sensor/base/prefetch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ENTRIES_MIN   64u
#define BUCKETS_FIRST 64u /* at most; the cap halved until it is not more */

static size_t buckets_within(size_t entry_bytes, size_t memory_bytes)
{
	size_t count = memory_bytes / (sizeof(struct table_bucket) + TABLE_WAYS * entry_bytes);

	if (count < ENTRIES_MIN / TABLE_WAYS)
		return ENTRIES_MIN / TABLE_WAYS;
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
	t->stats = (struct table_stats){ .name = name, .capacity = t->bucket_max * TABLE_WAYS };

	size_t buckets_bytes = t->bucket_max * sizeof(struct table_bucket);
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
	return hash_key(t->seed, key, t->key_bytes);
}

static void *entry_at(const struct table *t, const struct table_bucket *b, unsigned way)
{
	return table_entry_at(t, b, way, t->entry_bytes);
}

void table_prefetch(const struct table *t, uint64_t hash, enum table_line line)
{
	const struct table_bucket *b = table_bucket_of(t, hash);

	if (line == TABLE_BUCKET) {
		prefetch_write(b);
		return;
	}
	unsigned ways = table_ways_with(b, table_tag(hash));
	if (!ways)
		ways = table_ways_with(b, 0);
	unsigned way = ways ? (unsigned)__builtin_ctz(ways) : b->hand;
	prefetch_write(entry_at(t, b, way));
}

void *table_find(struct table *t, uint64_t hash, const void *key)
{
	return table_find_sized(t, hash, key, t->entry_bytes, t->key_bytes);
}

void *table_next(const struct table *t, uint64_t hash, unsigned *way)
{
	const struct table_bucket *b = table_bucket_of(t, hash);
	unsigned ways = table_ways_with(b, table_tag(hash)) >> *way;

	if (!ways)
		return NULL;
	*way += (unsigned)__builtin_ctz(ways) + 1;
	return entry_at(t, b, *way - 1);
}

/* Turn the hand to the way that has to go. Twice round: the first time takes the marks away. */
static unsigned choose_victim(struct table_bucket *b)
{
	for (unsigned step = 0; step < 2 * TABLE_WAYS; step++) {
		unsigned way = b->hand;
		unsigned bit = 1u << way;
		b->hand = (uint8_t)((way + 1) % TABLE_WAYS);
		if (b->pinned & bit)
			continue;
		if (!(b->used & bit))
			return way;
		b->used &= (uint8_t)~bit;
	}
	unsigned way = b->hand;
	b->hand = (uint8_t)((way + 1) % TABLE_WAYS);
	return way;
}

/* Put a copy of one way into the next free way of another bucket. */
static void move_way(struct table *t, const struct table_bucket *from,
	const struct table_bucket *b, unsigned way, struct table_bucket *to)
{
	unsigned place = (unsigned)__builtin_ctz(table_ways_with(to, 0));
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
		struct table_bucket *from = &t->bucket[i], old = *from;
		t->bucket[2 * i] = t->bucket[2 * i + 1] = (struct table_bucket){ .hand = 0 };
		if (i > 0)
			*from = (struct table_bucket){ .hand = 0 };
		for (unsigned way = 0; way < TABLE_WAYS; way++)
			if (old.tag[way])
				move_way(t, from, &old, way,
					&t->bucket[table_bucket_index(t, old.tag[way])]);
	}
}

void *table_take_full(struct table *t, uint64_t hash)
{
	struct table_bucket *b = table_bucket_of(t, hash);

	while (!table_ways_with(b, 0) && t->bucket_count < t->bucket_max) {
		grow(t);
		b = table_bucket_of(t, hash);
	}
	if (table_ways_with(b, 0))
		return table_take_sized(t, hash, t->entry_bytes);
	unsigned way = choose_victim(b);
	uint8_t bit = (uint8_t)(1u << way);
	void *entry = entry_at(t, b, way);
	t->stats.evicted++;
	if (t->evicted)
		t->evicted(entry, t->evicted_arg);
	b->tag[way] = table_tag(hash);
	b->used &= (uint8_t)~bit;
	b->pinned &= (uint8_t)~bit;
	return entry;
}

void *table_add(struct table *t, uint64_t hash, const void *key, bool *is_new)
{
	return table_add_sized(t, hash, key, is_new, t->entry_bytes, t->key_bytes);
}

/* Where an entry is: its bucket, and the way as a bit. */
static struct table_bucket *locate(const struct table *t, const void *entry, unsigned *way)
{
	size_t number = (size_t)((const uint8_t *)entry - t->entry) / t->entry_bytes;

	assert(number < t->stats.capacity);
	*way = (unsigned)(number % TABLE_WAYS);
	return &t->bucket[number / TABLE_WAYS];
}

void table_remove(struct table *t, void *entry)
{
	unsigned way;
	struct table_bucket *b = locate(t, entry, &way);

	if (b->tag[way] != 0)
		table_drop(t, b, way);
}

void table_pin(struct table *t, void *entry, bool pinned)
{
	unsigned way;
	struct table_bucket *b = locate(t, entry, &way);

	if (pinned)
		b->pinned |= (uint8_t)(1u << way);
	else
		b->pinned &= (uint8_t) ~(1u << way);
}

static void visit_bucket(const struct table *t, const struct table_bucket *b,
	void (*visit)(void *entry, void *arg), void *arg)
{
	for (unsigned way = 0; way < TABLE_WAYS; way++) {
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
