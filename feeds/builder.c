/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/index_layout.h"

#include <stdlib.h>

#include "sensor/base/hash.h"

/* About 2 % of the suffixes that are no nodes pass a filter of 12 bits a node. */
#define FILTER_BITS_PER_NODE 12
#define SLOTS_AT_FIRST       1024
#define ARENA_AT_FIRST       16384

struct index_builder {
	struct index *index; /* arena and slots as they grow; set numbers are mark lists */
	struct marks_pool pool;
	uint64_t node_count; /* upper bound: suffixes shared by names count for each */
};

struct index_builder *index_builder_new(uint64_t seed)
{
	struct index_builder *b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	struct index *index = b->index = calloc(1, sizeof(*index));
	if (!index)
		goto fail;
	index->seed = seed;
	index->slot_count = SLOTS_AT_FIRST;
	index->slot = calloc(index->slot_count, sizeof(*index->slot));
	index->arena_size = ARENA_AT_FIRST;
	index->arena = calloc(1, index->arena_size);
	index->arena_len = sizeof(uint32_t); /* so that no entry is ENTRY_NONE */
	if (!index->slot || !index->arena)
		goto fail;
	return b;
fail:
	index_builder_free(b);
	return NULL;
}

void index_builder_free(struct index_builder *b)
{
	if (!b)
		return;
	marks_pool_deinit(&b->pool);
	index_free(b->index);
	free(b);
}

size_t index_builder_memory_bytes(const struct index_builder *b)
{
	return sizeof(*b) + marks_pool_bytes(&b->pool) + index_memory_bytes(b->index);
}

/* Move all slots into a table of `slot_count`. Both tables are in the order of the tags, so the
 * walk writes almost sequentially. */
static bool resize_slots(struct index *index, uint64_t slot_count)
{
	if (slot_count > UINT32_MAX)
		return false;
	struct index_slot *slot = calloc(slot_count, sizeof(*slot));
	if (!slot)
		return false;
	for (uint32_t i = 0; i < index->slot_count; i++) {
		if (index->slot[i].entry == ENTRY_NONE)
			continue;
		uint32_t at = index_scale(index->slot[i].tag, (uint32_t)slot_count);
		while (slot[at].entry != ENTRY_NONE) {
			if (++at == slot_count)
				at = 0;
		}
		slot[at] = index->slot[i];
	}
	free(index->slot);
	index->slot = slot;
	index->slot_count = (uint32_t)slot_count;
	return true;
}

/* realloc of a large block moves pages, not octets, so growing costs no second copy. */
static bool resize_arena(struct index *index, size_t size)
{
	uint8_t *arena = realloc(index->arena, size);
	if (!arena)
		return false;
	if (size > index->arena_size)
		memset(arena + index->arena_size, 0, size - index->arena_size);
	index->arena = arena;
	index->arena_size = size;
	return true;
}

/* Store the name with the list of marks; ENTRY_NONE when there is no room. */
static uint32_t arena_add(struct index *index, const struct dns_name *name, uint32_t list)
{
	size_t need = index->arena_len + sizeof(list) + name->wire_len;
	if (need > UINT32_MAX)
		return ENTRY_NONE;
	if (need + DNS_NAME_MAX > index->arena_size &&
		!resize_arena(index, index->arena_size + index->arena_size / 2))
		return ENTRY_NONE;
	uint32_t entry = (uint32_t)index->arena_len;
	index_entry_put_set(index, entry, list);
	memcpy(index->arena + entry + sizeof(list), name->wire, name->wire_len);
	index->arena_len = need;
	return entry;
}

static enum index_added add_to_entry(struct index_builder *b, uint32_t entry, struct mark mark)
{
	uint32_t list = index_entry_set(b->index, entry);
	if (marks_has(&b->pool, list, mark))
		return INDEX_DUPLICATE;
	list = marks_push(&b->pool, list, mark);
	if (list == MARKS_EMPTY)
		return INDEX_NO_MEMORY;
	index_entry_put_set(b->index, entry, list);
	return INDEX_ADDED;
}

static enum index_added add_entry(struct index_builder *b, struct index_slot *slot,
	const struct dns_name *name, uint64_t hash, struct mark mark)
{
	struct index *index = b->index;
	uint32_t list = marks_push(&b->pool, MARKS_EMPTY, mark);
	if (list == MARKS_EMPTY)
		return INDEX_NO_MEMORY;
	uint32_t entry = arena_add(index, name, list);
	if (entry == ENTRY_NONE)
		return INDEX_NO_MEMORY;
	*slot = (struct index_slot){ .tag = index_tag(hash), .entry = entry };
	index->name_count++;
	index->depths |= UINT64_C(1) << name->label_count;
	if (name->label_count > index->depth)
		index->depth = name->label_count;
	b->node_count += name->label_count > 1 ? name->label_count - 1u : 1;
	return INDEX_ADDED;
}

enum index_added index_builder_add(
	struct index_builder *b, const struct dns_name *name, struct mark mark)
{
	struct index *index = b->index;

	if (name->label_count == 0 || name->label_count > INDEX_LABELS_MAX)
		return INDEX_TOO_DEEP;
	if ((index->name_count + 1) * 3 > (size_t)index->slot_count * 2 &&
		!resize_slots(index, (uint64_t)index->slot_count * 2))
		return INDEX_NO_MEMORY;
	uint64_t hash = dns_name_hash(name, index->seed);
	struct index_slot *slot = index_probe(index, hash, name->wire, name->wire_len);
	if (slot->entry != ENTRY_NONE)
		return add_to_entry(b, slot->entry, mark);
	return add_entry(b, slot, name, hash, mark);
}

/* Replace the mark list of every entry by the number of its frozen set. */
static bool freeze_marks(struct index_builder *b)
{
	struct index *index = b->index;
	size_t list_count = b->pool.cell_count + 1u;
	bool *used = calloc(list_count, sizeof(*used));
	uint32_t *set_of = calloc(list_count, sizeof(*set_of));
	bool ok = used && set_of;

	for (uint32_t i = 0; ok && i < index->slot_count; i++) {
		if (index->slot[i].entry != ENTRY_NONE)
			used[index_entry_set(index, index->slot[i].entry)] = true;
	}
	ok = ok && marks_freeze(&index->sets, &b->pool, used, set_of);
	for (uint32_t i = 0; ok && i < index->slot_count; i++) {
		uint32_t entry = index->slot[i].entry;
		if (entry != ENTRY_NONE)
			index_entry_put_set(
				index, entry, set_of[index_entry_set(index, entry)]);
	}
	free(used);
	free(set_of);
	marks_pool_deinit(&b->pool);
	return ok;
}

static void filter_add(struct index *index, uint64_t hash)
{
	*index_filter_word(index, hash) |= index_filter_bits(hash);
}

/* Every name and its suffixes of two labels and more. */
static bool fill_filter(struct index *index, uint64_t node_count)
{
	uint64_t words = node_count * FILTER_BITS_PER_NODE / 64 + 1;
	if (words > UINT32_MAX)
		words = UINT32_MAX;
	index->filter = calloc(words, sizeof(*index->filter));
	if (!index->filter)
		return false;
	index->filter_count = (uint32_t)words;
	for (uint32_t i = 0; i < index->slot_count; i++) {
		uint64_t hash[DNS_LABELS_MAX + 1];
		struct dns_name name;
		size_t wire_len;
		uint32_t entry = index->slot[i].entry;
		if (entry == ENTRY_NONE)
			continue;
		const uint8_t *wire = index_entry_name(index, entry, &wire_len);
		if (!dns_name_from_wire(&name, wire, wire_len))
			return false;
		unsigned labels =
			dns_name_hash_suffixes(&name, index->seed, hash, INDEX_LABELS_MAX);
		filter_add(index, hash[labels]);
		for (unsigned k = 2; k < labels; k++)
			filter_add(index, hash[k]);
	}
	return true;
}

struct index *index_build(struct index_builder *b)
{
	struct index *index = b->index;

	if (!freeze_marks(b) ||
		!resize_slots(index, (uint64_t)index->name_count + index->name_count / 2 + 2) ||
		!resize_arena(index, index->arena_len + DNS_NAME_MAX) ||
		!fill_filter(index, b->node_count)) {
		index_builder_free(b);
		return NULL;
	}
	b->index = NULL;
	index_builder_free(b);
	return index;
}
