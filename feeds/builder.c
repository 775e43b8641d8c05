/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/index_layout.h"

#include <pthread.h>
#include <stdlib.h>

#include "sensor/base/pages.h"
#include "sensor/base/prefetch.h"
#include "sensor/base/thread.h"

/* About 2 % of the suffixes that are no nodes pass a filter of 12 bits a node. */
#define FILTER_BITS_PER_NODE 12
#define SLOTS_AT_FIRST       1024
#define ARENA_AT_FIRST       16384
#define NAMES_FOR_TWO        16384 /* from here on a second thread is worth its start */
#define NODES_AHEAD          32    /* filter words asked for before they are written */

struct index_builder {
	struct index *index; /* arena and slots as they grow; set numbers are mark lists */
	struct marks_pool pool;
	uint64_t node_count; /* upper bound: suffixes shared by names count for each */
	/* Names of one feed have the same mark, one after the other. */
	struct mark last_mark;
	uint32_t last_list; /* of last_mark alone; MARKS_EMPTY: none yet */
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
	index->slot = pages_new(index->slot_count * sizeof(*index->slot));
	index->arena_size = ARENA_AT_FIRST;
	index->arena = pages_new(index->arena_size);
	index->arena_len = ENTRY_FIRST;
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

uint64_t index_builder_seed(const struct index_builder *b)
{
	return b->index->seed;
}

/* Move all slots into a table of `slot_count`. Both tables are in the order of the tags, so the
 * walk writes almost sequentially. */
static bool resize_slots(struct index *index, uint64_t slot_count)
{
	if (slot_count > UINT32_MAX)
		return false;
	struct index_slot *slot = pages_new(slot_count * sizeof(*slot));
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
	pages_free(index->slot, index->slot_count * sizeof(*slot));
	index->slot = slot;
	index->slot_count = (uint32_t)slot_count;
	return true;
}

static bool resize_arena(struct index *index, size_t size)
{
	uint8_t *arena = pages_resize(index->arena, index->arena_size, size);
	if (!arena)
		return false;
	index->arena = arena;
	index->arena_size = size;
	return true;
}

/* Store the name with the list of marks; ENTRY_NONE when there is no room. */
static uint32_t arena_add(struct index *index, const struct index_addition *a, uint32_t list)
{
	size_t need = index->arena_len + sizeof(list) + a->wire_len;
	if (need > UINT32_MAX)
		return ENTRY_NONE;
	if (need + INDEX_SLACK > index->arena_size &&
		!resize_arena(index, index->arena_size + index->arena_size / 2))
		return ENTRY_NONE;
	uint32_t entry = (uint32_t)index->arena_len;
	index_entry_put_set(index, entry, list);
	wire_copy(index->arena + entry + sizeof(list), a->wire, a->wire_len);
	index->arena_len = need;
	return entry;
}

static enum index_added add_to_entry(struct index_builder *b, uint32_t entry, struct mark mark)
{
	uint32_t old = index_entry_set(b->index, entry);
	if (marks_has(&b->pool, old, mark))
		return INDEX_DUPLICATE;
	uint32_t list = marks_push(&b->pool, old, mark);
	if (list == MARKS_EMPTY)
		return INDEX_NO_MEMORY;
	b->pool.cell[old].uses--;
	b->pool.cell[list].uses++;
	index_entry_put_set(b->index, entry, list);
	return INDEX_ADDED;
}

/* The list of this mark alone. */
static uint32_t list_of_one(struct index_builder *b, struct mark mark)
{
	if (b->last_list == MARKS_EMPTY || memcmp(&b->last_mark, &mark, sizeof(mark)) != 0) {
		b->last_list = marks_push(&b->pool, MARKS_EMPTY, mark);
		b->last_mark = mark;
	}
	return b->last_list;
}

static enum index_added add_entry(
	struct index_builder *b, struct index_slot *slot, const struct index_addition *a)
{
	struct index *index = b->index;
	uint32_t list = list_of_one(b, a->mark);
	if (list == MARKS_EMPTY)
		return INDEX_NO_MEMORY;
	uint32_t entry = arena_add(index, a, list);
	if (entry == ENTRY_NONE)
		return INDEX_NO_MEMORY;
	*slot = (struct index_slot){ .tag = index_tag(a->hash), .entry = entry };
	b->pool.cell[list].uses++;
	index->name_count++;
	index->depths |= UINT64_C(1) << a->label_count;
	if (a->label_count > index->depth)
		index->depth = a->label_count;
	b->node_count += a->label_count > 1 ? a->label_count - 1u : 1;
	return INDEX_ADDED;
}

void index_builder_prefetch(const struct index_builder *b, uint64_t hash)
{
	const struct index *index = b->index;

	prefetch_write(&index->slot[index_scale(index_tag(hash), index->slot_count)]);
}

enum index_added index_builder_put(struct index_builder *b, const struct index_addition *a)
{
	struct index *index = b->index;

	if (a->label_count == 0 || a->label_count > INDEX_LABELS_MAX)
		return INDEX_TOO_DEEP;
	if ((index->name_count + 1) * 3 > (size_t)index->slot_count * 2 &&
		!resize_slots(index, (uint64_t)index->slot_count * 2))
		return INDEX_NO_MEMORY;
	struct index_slot *slot = index_probe(index, a->hash, a->wire, a->wire_len);
	if (slot->entry != ENTRY_NONE)
		return add_to_entry(b, slot->entry, a->mark);
	return add_entry(b, slot, a);
}

enum index_added index_builder_add(
	struct index_builder *b, const struct dns_name *name, struct mark mark)
{
	const struct index_addition addition = {
		.hash = dns_name_hash(name, b->index->seed),
		.wire = name->wire,
		.wire_len = name->wire_len,
		.label_count = name->label_count,
		.mark = mark,
	};

	return index_builder_put(b, &addition);
}

/* Hashes of nodes on their way into the filter: each waits a little for its word. */
struct nodes {
	struct index *index;
	uint64_t hash[NODES_AHEAD];
	size_t count;
};

static void write_node(struct index *index, uint64_t hash)
{
	*index_filter_word(index, hash) |= index_filter_bits(hash);
}

static void add_node(struct nodes *n, uint64_t hash)
{
	uint64_t *waiting = &n->hash[n->count % NODES_AHEAD];

	if (n->count++ >= NODES_AHEAD)
		write_node(n->index, *waiting);
	*waiting = hash;
	prefetch_write(index_filter_word(n->index, hash));
}

static void write_waiting_nodes(struct nodes *n)
{
	size_t count = n->count < NODES_AHEAD ? n->count : NODES_AHEAD;

	for (size_t i = 0; i < count; i++)
		write_node(n->index, n->hash[i]);
}

/*
 * One walk over all names, in the order of memory: each gets the number of its frozen set instead
 * of its mark list, and goes into the filter with its suffixes of two labels and more.
 */
static void finish_entries(struct index *index, const uint32_t *set_of)
{
	struct nodes nodes = { .index = index };
	uint32_t next;

	for (uint32_t entry = ENTRY_FIRST; entry < index->arena_len; entry = next) {
		uint64_t hash[DNS_LABELS_MAX + 1];
		struct dns_name name;
		next = index_entry_load(index, entry, &name);
		index_entry_put_set(index, entry, set_of[index_entry_set(index, entry)]);
		unsigned labels =
			dns_name_hash_suffixes(&name, index->seed, hash, INDEX_LABELS_MAX);
		add_node(&nodes, hash[labels]);
		for (unsigned k = 2; k < labels; k++)
			add_node(&nodes, hash[k]);
	}
	write_waiting_nodes(&nodes);
}

static bool make_filter(struct index *index, uint64_t node_count)
{
	uint64_t words = node_count * FILTER_BITS_PER_NODE / 64 + 1;

	if (words > UINT32_MAX)
		words = UINT32_MAX;
	index->filter = pages_new(words * sizeof(*index->filter));
	if (index->filter)
		index->filter_count = (uint32_t)words;
	return index->filter != NULL;
}

/* The slots in a table of the last size: needs nothing of what finish_entries does. */
struct last_slots {
	struct index *index;
	bool ok;
};

static void *make_last_slots(void *arg)
{
	struct last_slots *l = arg;
	uint64_t names = l->index->name_count;

	l->ok = resize_slots(l->index, names + names / 2 + 2);
	return NULL;
}

/* Slots and names at once, if there are enough for two. False: out of memory. */
static bool finish(struct index *index, const uint32_t *set_of)
{
	struct last_slots slots = { .index = index };
	bool apart = false;
	pthread_t thread;

	if (index->name_count >= NAMES_FOR_TWO)
		apart = thread_start(&thread, make_last_slots, &slots) == 0;
	finish_entries(index, set_of);
	if (apart)
		pthread_join(thread, NULL);
	else
		(void)make_last_slots(&slots);
	return slots.ok;
}

/* Everything in its last size and form; false when out of memory. */
static bool freeze(struct index_builder *b)
{
	struct index *index = b->index;
	uint32_t *set_of = calloc(b->pool.cell_count + 1u, sizeof(*set_of));
	bool ok = set_of && resize_arena(index, index->arena_len + INDEX_SLACK) &&
		  marks_freeze(&index->sets, &b->pool, set_of) &&
		  make_filter(index, b->node_count) && finish(index, set_of);

	free(set_of);
	return ok;
}

struct index *index_build(struct index_builder *b)
{
	struct index *index = b->index;

	if (freeze(b))
		b->index = NULL;
	else
		index = NULL;
	index_builder_free(b);
	return index;
}
