/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "feeds/index_layout.h"
#include "sensor/base/pages.h"

/* An index in a cache: this, then the arrays as they lie in memory. */
struct image_head {
	uint64_t seed, depths;
	uint64_t arena_len, name_count;
	uint32_t depth, filter_count, slot_count;
	uint32_t mark_count, set_count;
	uint32_t mark_bytes; /* of one */
};

void index_save(const struct index *index, struct cache_writer *w)
{
	const struct image_head head = {
		.seed = index->seed,
		.depths = index->depths,
		.arena_len = index->arena_len,
		.name_count = index->name_count,
		.depth = index->depth,
		.filter_count = index->filter_count,
		.slot_count = index->slot_count,
		.mark_count = index->sets.mark_count,
		.set_count = index->sets.set_count,
		.mark_bytes = sizeof(struct mark),
	};

	cache_put(w, &head, sizeof(head));
	cache_put(w, index->filter, index->filter_count * sizeof(*index->filter));
	cache_put(w, index->slot, index->slot_count * sizeof(*index->slot));
	cache_put(w, index->arena, index->arena_len);
	cache_put(w, index->sets.mark, index->sets.mark_count * sizeof(*index->sets.mark));
	cache_put(w, index->sets.set, index->sets.set_count * sizeof(*index->sets.set));
}

/* Room for so many bytes, and `slack`, if the file can have them, filled from it. */
static void *get_pages(struct cache_reader *r, uint64_t bytes, size_t slack)
{
	if (bytes > cache_left(r))
		return NULL;
	void *at = pages_new((size_t)bytes + slack);
	if (at && !cache_get(r, at, (size_t)bytes)) {
		pages_free(at, (size_t)bytes + slack);
		return NULL;
	}
	return at;
}

static void *get_array(struct cache_reader *r, uint64_t bytes)
{
	void *at = bytes <= cache_left(r) ? malloc((size_t)bytes + 1) : NULL;

	if (at && !cache_get(r, at, (size_t)bytes)) {
		free(at);
		return NULL;
	}
	return at;
}

static bool head_is_sound(const struct image_head *h)
{
	return h->mark_bytes == sizeof(struct mark) && h->depth <= INDEX_LABELS_MAX &&
	       h->filter_count > 0 && h->slot_count > h->name_count &&
	       h->arena_len >= ENTRY_FIRST && h->arena_len <= UINT32_MAX;
}

static bool get_arrays(struct index *index, struct cache_reader *r, const struct image_head *h)
{
	index->filter = get_pages(r, h->filter_count * sizeof(*index->filter), 0);
	if (!index->filter)
		return false;
	index->filter_count = h->filter_count;
	index->slot = get_pages(r, h->slot_count * sizeof(*index->slot), 0);
	if (!index->slot)
		return false;
	index->slot_count = h->slot_count;
	index->arena = get_pages(r, h->arena_len, INDEX_SLACK);
	if (!index->arena)
		return false;
	index->arena_size = h->arena_len + INDEX_SLACK;
	index->arena_len = h->arena_len;
	index->sets.mark = get_array(r, h->mark_count * sizeof(*index->sets.mark));
	index->sets.set = get_array(r, h->set_count * sizeof(*index->sets.set));
	index->sets.mark_count = h->mark_count;
	index->sets.set_count = h->set_count;
	return index->sets.mark && index->sets.set;
}

struct index *index_restore(struct cache_reader *r)
{
	struct index *index = calloc(1, sizeof(*index));
	struct image_head head;

	if (index && cache_get(r, &head, sizeof(head)) && head_is_sound(&head) &&
		get_arrays(index, r, &head)) {
		index->seed = head.seed;
		index->depths = head.depths;
		index->depth = head.depth;
		index->name_count = head.name_count;
		return index;
	}
	index_free(index);
	return NULL;
}

static bool sets_are_sound(const struct mark_sets *sets)
{
	for (uint32_t i = 0; i < sets->set_count; i++) {
		if (sets->set[i].at > sets->mark_count ||
			sets->set[i].count > sets->mark_count - sets->set[i].at)
			return false;
	}
	for (uint32_t i = 0; i < sets->mark_count; i++) {
		if (sets->mark[i].kind >= MARK_KIND_COUNT || sets->mark[i].scope > SCOPE_BELOW)
			return false;
	}
	return true;
}

/* Is a name of at most INDEX_LABELS_MAX labels at the entry? Gives the record behind it. */
static bool record_is_sound(const struct index *index, uint64_t entry, uint64_t *next)
{
	uint64_t at = entry + sizeof(uint32_t);
	unsigned labels = 0;

	if (at >= index->arena_len ||
		index_entry_set(index, (uint32_t)entry) >= index->sets.set_count)
		return false;
	/* Reading on from the last record ends in the slack, which is zero. */
	for (; at < index->arena_len && index->arena[at] != 0; labels++) {
		if (index->arena[at] > DNS_LABEL_MAX)
			return false;
		at += index->arena[at] + 1u;
	}
	*next = at + 1;
	return at < index->arena_len && labels > 0 && labels <= INDEX_LABELS_MAX &&
	       *next - entry - sizeof(uint32_t) <= DNS_NAME_MAX;
}

/* Bits by entry: at which a record starts. */
static bool names_are_sound(const struct index *index, uint8_t *starts)
{
	uint64_t count = 0;

	for (uint64_t at = ENTRY_FIRST; at < index->arena_len; count++) {
		starts[at / 8] |= (uint8_t)(1u << at % 8);
		if (!record_is_sound(index, at, &at))
			return false;
	}
	return count == index->name_count;
}

/* Every slot leads to a record, and some are free, so that every search ends. */
static bool slots_are_sound(const struct index *index, const uint8_t *starts)
{
	uint64_t used = 0;

	for (uint32_t i = 0; i < index->slot_count; i++) {
		uint32_t entry = index->slot[i].entry;
		if (entry == ENTRY_NONE)
			continue;
		if (entry >= index->arena_len || !(starts[entry / 8] >> entry % 8 & 1))
			return false;
		used++;
	}
	return used == index->name_count;
}

bool index_is_sound(const struct index *index)
{
	size_t bytes = index->arena_len / 8 + 1;
	uint8_t *starts = pages_new(bytes);
	bool ok = starts && sets_are_sound(&index->sets) && names_are_sound(index, starts) &&
		  slots_are_sound(index, starts);

	pages_free(starts, bytes);
	return ok;
}

const struct mark *index_all_marks(const struct index *index, size_t *count)
{
	*count = index->sets.mark_count;
	return index->sets.mark;
}
