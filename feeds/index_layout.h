/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index_layout.h -- how the index lies in memory (private to builder.c and index.c).
 *
 *   filter  64-bit words of a Bloom filter of *nodes*: every listed name and, from two labels
 *           upwards, every suffix of one. A walk from the root ends at the first suffix that is no
 *           node, so a name that is not listed costs one probe: its registered domain's.
 *   slot    open addressing, linear probing, at most two thirds full: 4 octets of the hash and the
 *           entry. The place follows from those same 4 octets (index_probe), so that the table grows
 *           and shrinks without the names.
 *   arena   an entry is where its record starts: the number of its mark set (while building: of
 *           its mark list), then the folded wire octets of the name. Records lie back to back, in
 *           the order the names came. No wire name is a prefix of another, so comparing needs no
 *           length.
 *   sets    marks.h
 *
 * The first three are pages.h memory. Bytes for a name of 22 octets: 26 arena + 12 slots + 1.5
 * filter per node (one to three) = about 41. Limits: 4 GB of arena (some 150 million names), names
 * of INDEX_LABELS_MAX labels.
 */
#ifndef FEEDS_INDEX_LAYOUT_H
#define FEEDS_INDEX_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "feeds/index.h"
#include "feeds/marks.h"
#include "feeds/wire_copy.h"

#define ENTRY_NONE  0 /* the arena starts with unused octets */
#define ENTRY_FIRST sizeof(uint32_t)
/* Behind the last record: comparing reads as far as a name is long, hashing whole words. */
#define INDEX_SLACK (DNS_NAME_MAX + 9)

struct index_slot {
	uint32_t tag;
	uint32_t entry;
};

struct index {
	uint64_t seed;
	uint64_t depths; /* bit k: some listed name has k labels */
	unsigned depth;  /* of the deepest */
	uint64_t *filter;
	uint32_t filter_count; /* words; 0 while building */
	struct index_slot *slot;
	uint32_t slot_count;
	uint8_t *arena;
	size_t arena_len;  /* used */
	size_t arena_size; /* allocated: always INDEX_SLACK more than used */
	size_t name_count;
	struct mark_sets sets;
};

static inline uint32_t index_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* Scale 32 random bits to 0..count-1, keeping their order. */
static inline uint32_t index_scale(uint32_t random, uint32_t count)
{
	return (uint32_t)((uint64_t)random * count >> 32);
}

static inline uint64_t index_filter_bits(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 58) | UINT64_C(1) << (hash >> 52 & 63) |
	       UINT64_C(1) << (hash >> 46 & 63) | UINT64_C(1) << (hash >> 40 & 63);
}

static inline uint64_t *index_filter_word(const struct index *index, uint64_t hash)
{
	return &index->filter[index_scale((uint32_t)hash, index->filter_count)];
}

static inline const uint8_t *index_entry_wire(const struct index *index, uint32_t entry)
{
	return index->arena + entry + sizeof(uint32_t);
}

static inline uint32_t index_entry_set(const struct index *index, uint32_t entry)
{
	uint32_t set;
	memcpy(&set, index->arena + entry, sizeof(set));
	return set;
}

static inline void index_entry_put_set(struct index *index, uint32_t entry, uint32_t set)
{
	memcpy(index->arena + entry, &set, sizeof(set));
}

/* The record behind this one, the name of which is copied out; labels are told apart on the way. */
static inline uint32_t index_entry_load(
	const struct index *index, uint32_t entry, struct dns_name *out)
{
	const uint8_t *wire = index_entry_wire(index, entry);
	unsigned at = 0;

	out->label_count = 0;
	for (; wire[at] != 0; at += wire[at] + 1u)
		out->label_at[out->label_count++] = (uint8_t)at;
	out->wire_len = (uint8_t)(at + 1);
	wire_copy(out->wire, wire, out->wire_len);
	return entry + (uint32_t)sizeof(uint32_t) + out->wire_len;
}

/* The slot that holds the name, or the free one where the search for it ended. */
static inline struct index_slot *index_probe(
	const struct index *index, uint64_t hash, const uint8_t *wire, size_t wire_len)
{
	uint32_t tag = index_tag(hash);
	uint32_t at = index_scale(tag, index->slot_count);

	for (;;) {
		struct index_slot *slot = &index->slot[at];
		if (slot->entry == ENTRY_NONE)
			return slot;
		if (slot->tag == tag &&
			memcmp(index_entry_wire(index, slot->entry), wire, wire_len) == 0)
			return slot;
		if (++at == index->slot_count)
			at = 0;
	}
}

#endif
