/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h -- the bounded table that every rule keeps its memory in.
 *
 * Open addressing in buckets of eight ways: what is known of them shares one cache line, a look-up
 * touches that line and the entry. When a bucket is full the clock hand of that bucket evicts
 * the first way not used since it last came by; pinned entries (what an alert in progress
 * needs) are passed over unless all eight are pinned. An entry counts as used from its second
 * touch on, so that a flood of keys that never come back evicts its own. Capacity is fixed at
 * the start and evictions are counted; a table with few entries uses few buckets, and their
 * number doubles when one is full, unless it is full of one hash.
 *
 * Entries have a fixed size and begin with their key, which is compared byte by byte: zero the
 * padding of key structs.
 *
 * Owner:    table_new/table_free; entries live until evicted, removed or freed. Their addresses hold
 *           as long as they live, so until the next table_add to the same table.
 * Threads:  one.
 */
#ifndef RULES_TABLE_H
#define RULES_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

struct table;

struct table_stats {
	const char *name;
	uint64_t used, capacity, evicted;
};

/* NULL when out of memory. At least 64 entries; memory_bytes bounds buckets and entries together; some
 * 4 octets an entry come on top.
 */
struct table *table_new(const char *name, size_t entry_bytes, size_t key_bytes,
	size_t memory_bytes, uint64_t seed);
void table_free(struct table *t);

/* Hash of a key, to be passed to the functions below (so that it can be computed early). */
uint64_t table_hash(const struct table *t, const void *key);

/* NULL when absent. Marks the entry as used. */
void *table_find(struct table *t, uint64_t hash, const void *key);
/*
 * Find or make. A new entry holds the key and zeroes; *is_new tells. Never NULL: another entry
 * is evicted when the bucket is full.
 */
void *table_add(struct table *t, uint64_t hash, const void *key, bool *is_new);
void table_remove(struct table *t, void *entry);
void table_pin(struct table *t, void *entry, bool pinned);
/*
 * The entries whose hash may be equal to this one, one by one: for keys of which only the
 * hashed part is known (hash that part yourself and give every function that hash). *way starts
 * at 0; NULL when there is none left. Compare the key; does not mark as used.
 */
void *table_next(const struct table *t, uint64_t hash, unsigned *way);
/* Visit every entry; the visitor may remove the entry it is shown. Not for the per-message
 * path. */
void table_each(struct table *t, void (*visit)(void *entry, void *arg), void *arg);
/*
 * The same for `bucket_count` buckets from bucket *from on, which moves on and begins again at
 * the end: a bounded part of the work for one tick. More than there are means all once.
 */
void table_sweep(struct table *t, size_t *from, size_t bucket_count,
	void (*visit)(void *entry, void *arg), void *arg);
size_t table_bucket_count(const struct table *t);
/* Called with each entry just before it is evicted (not on remove); NULL for none. The callback
 * must leave the table alone. */
void table_on_evict(struct table *t, void (*evicted)(void *entry, void *arg), void *arg);
struct table_stats table_stats(const struct table *t);

#endif
