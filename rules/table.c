/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/table.h"

#include "rules/table_probe.h"
#include "sensor/base/hash.h"

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
	/* What entries can be numbered. */
	if (count > (TABLE_NUMBER + 1) / TABLE_WAYS)
		count = (TABLE_NUMBER + 1) / TABLE_WAYS;
	/* A small number doubled again and again, so that the table can begin with it. */
	size_t unit = 1;
	while (count / unit > BUCKETS_FIRST)
		unit *= 2;
	return count / unit * unit;
}

/* Buckets and entries, which are looked for all over the place, in large pages; behind them the rest. */
static bool map_memory(struct table *t)
{
	size_t buckets_bytes = t->bucket_max * sizeof(struct table_bucket);
	size_t entries_bytes = t->stats.capacity * t->entry_bytes;
	t->map_bytes = buckets_bytes + entries_bytes + t->stats.capacity * sizeof(*t->tag) +
		       t->bucket_max * sizeof(*t->hand);
	uint8_t *map = mmap(NULL, t->map_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return false;
	(void)madvise(map, buckets_bytes + entries_bytes, MADV_HUGEPAGE);
	t->bucket = (struct table_bucket *)map;
	t->entry = map + buckets_bytes;
	t->tag = (uint32_t *)(t->entry + entries_bytes);
	t->hand = (uint8_t *)(t->tag + t->stats.capacity);
	return true;
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
	t->free_first = TABLE_NUMBER_NONE;
	t->stats = (struct table_stats){ .name = name, .capacity = t->bucket_max * TABLE_WAYS };
	if (map_memory(t))
		return t;
	free(t);
	return NULL;
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

void *table_find(struct table *t, uint64_t hash, const void *key)
{
	return table_find_sized(t, hash, key, t->entry_bytes, t->key_bytes);
}

void *table_next(const struct table *t, uint64_t hash, unsigned *way)
{
	const struct table_bucket *b = table_bucket_of(t, hash);
	unsigned ways = table_ways_with(b, tag_of(hash)) >> *way;

	if (!ways)
		return NULL;
	*way += (unsigned)__builtin_ctz(ways) + 1;
	return entry_at(t, b, *way - 1);
}

/* Turn the hand to the way that has to go. Twice round: the first time takes the marks away. */
static unsigned choose_victim(struct table_bucket *b, uint8_t *hand)
{
	for (unsigned step = 0; step < 2 * TABLE_WAYS; step++) {
		unsigned way = *hand;
		*hand = (uint8_t)((way + 1) % TABLE_WAYS);
		if (b->place[way] & TABLE_PINNED)
			continue;
		if (!(b->place[way] & TABLE_USED))
			return way;
		b->place[way] &= ~TABLE_USED;
	}
	unsigned way = *hand;
	*hand = (uint8_t)((way + 1) % TABLE_WAYS);
	return way;
}

/* Each way of a bucket that was emptied goes to one of the two that it parts into. */
static void deal_out(
	const struct table *t, const struct table_bucket *old, struct table_bucket part[2])
{
	unsigned used[2] = { 0, 0 };

	for (unsigned ways = table_ways_used(old); ways; ways &= ways - 1) {
		unsigned way = (unsigned)__builtin_ctz(ways);
		unsigned side = table_bucket_index(t, old->tag[way]) & 1;
		part[side].tag[used[side]] = old->tag[way];
		part[side].place[used[side]++] = old->place[way];
	}
}

/*
 * Twice as many buckets. From the last one down, each parts into two at twice its place, which the
 * ones after it have left by then.
 */
static void grow(struct table *t)
{
	t->bucket_count *= 2;
	for (size_t i = t->bucket_count / 2; i-- > 0;) {
		const struct table_bucket old = t->bucket[i];
		t->bucket[i] = (struct table_bucket){ .tag = { 0 } };
		deal_out(t, &old, &t->bucket[2 * i]);
	}
}

/*
 * By chance no bucket is full while the mean one has not even half an entry. Then all of these are of one
 * hash, which anybody can send, and more buckets would not part them.
 */
static bool may_grow(const struct table *t)
{
	return t->bucket_count < t->bucket_max && t->stats.used >= t->bucket_count / 2;
}

void *table_take_full(struct table *t, uint64_t hash)
{
	struct table_bucket *b = table_bucket_of(t, hash);

	while (!table_ways_with(b, 0) && may_grow(t)) {
		grow(t);
		b = table_bucket_of(t, hash);
	}
	if (table_ways_with(b, 0))
		return table_take_sized(t, hash, t->entry_bytes);
	unsigned way = choose_victim(b, &t->hand[b - t->bucket]);
	void *entry = entry_at(t, b, way);
	t->stats.evicted++;
	if (t->evicted)
		t->evicted(entry, t->evicted_arg);
	b->place[way] &= TABLE_NUMBER;
	b->tag[way] = t->tag[b->place[way]] = tag_of(hash);
	return entry;
}

void *table_add(struct table *t, uint64_t hash, const void *key, bool *is_new)
{
	return table_add_sized(t, hash, key, is_new, t->entry_bytes, t->key_bytes);
}

/* Where an entry is; TABLE_WAYS when it is nowhere, since it was removed. */
static unsigned locate(const struct table *t, const void *entry, struct table_bucket **bucket)
{
	size_t number = (size_t)((const uint8_t *)entry - t->entry) / t->entry_bytes;
	unsigned way = 0;

	assert(number < t->stats.capacity);
	*bucket = &t->bucket[table_bucket_index(t, t->tag[number])];
	for (; way < TABLE_WAYS; way++) {
		const struct table_bucket *b = *bucket;
		if (b->tag[way] && (b->place[way] & TABLE_NUMBER) == number)
			break;
	}
	return way;
}

void table_remove(struct table *t, void *entry)
{
	struct table_bucket *b;
	unsigned way = locate(t, entry, &b);

	if (way < TABLE_WAYS)
		table_drop(t, b, way);
}

void table_pin(struct table *t, void *entry, bool pinned)
{
	struct table_bucket *b;
	unsigned way = locate(t, entry, &b);

	if (way == TABLE_WAYS)
		return;
	if (pinned)
		b->place[way] |= TABLE_PINNED;
	else
		b->place[way] &= ~TABLE_PINNED;
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
	size_t from = 0;

	table_sweep(t, &from, t->bucket_count, visit, arg);
}

void table_sweep(struct table *t, size_t *from, size_t bucket_count,
	void (*visit)(void *entry, void *arg), void *arg)
{
	/* As of most tables for UPDATEs, once a second. */
	if (t->stats.used == 0)
		return;
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
